"""The facts of accounts as `signaling.ports` asks for them."""

import json
from collections.abc import Sequence
from itertools import groupby

from licensing.audit import Draft, canonical
from signaling.core.forwarding import forwarding_from_text
from signaling.core.holder import UNKNOWN, HolderFacts, Person, facts_from_text, facts_to_json
from signaling.ports.holders import Ends, FactsChange, FactsEntry, StatedEntry, StatedFacts
from signaling.store.database import Database
from signaling.store.evidence import StoredJournal
from signaling.store.journal import plain
from wephone.protocol.ids import UserId


class HolderRows:
    """See signaling.ports.holders.HolderRows."""

    database: Database
    journal: StoredJournal

    async def ends(self, caller: UserId, callee: UserId) -> Ends:
        rows = await self.database.read("ends", caller, callee)
        found = {name: row for name, *row in rows}
        there = {name: Person(UserId(name), _facts(row[3])) for name, row in found.items() if not row[0]}
        _, do_not_disturb, rules, _, blocked = found.get(callee, (1, 0, None, None, 0))
        return Ends(
            there.get(caller),
            there.get(callee),
            bool(do_not_disturb),
            bool(blocked),
            forwarding_from_text(rules),
        )

    async def facts(self, user: UserId) -> tuple[HolderFacts, int] | None:
        rows = await self.database.read("facts_of", user)
        if not rows:
            return None
        document, version = rows[0]
        return _facts(document), version or 0

    async def change_facts(self, change: FactsChange, draft: Draft) -> bool:
        await self.journal.settled()
        return bool(
            await self.database.write(
                "change_facts",
                str(change.user),
                change.version,
                canonical(facts_to_json(change.facts)),
                list(change.owned),
                list(change.disowned),
                (change.entry, change.hash, draft.at),
                self.database.node,
                plain(draft),
            )
        )

    async def stated(self, after: str, most: int) -> Sequence[StatedFacts]:
        rows = await self.database.read("stated", after, most)
        return [
            StatedFacts(account, document, tuple(StatedEntry(*row[2:]) for row in some if row[2] is not None))
            for (account, document), some in groupby(rows, key=lambda row: (row[0], row[1]))
        ]

    async def facts_history(self, user: UserId, most: int) -> Sequence[FactsEntry]:
        rows = await self.database.read("facts_history", user, most)
        return [FactsEntry(entry, at, None if said is None else json.loads(said)) for entry, at, said in rows]


def _facts(document: str | None) -> HolderFacts:
    return UNKNOWN if document is None else facts_from_text(document)
