"""Telephone legs and entitlements as `signaling.ports` asks for them."""

import json
from collections.abc import Sequence

from licensing.audit import canonical
from signaling.ports.legs import BegunLeg, Entitlement, LegEnd, LegRow, Usage
from signaling.store.database import Database
from signaling.store.evidence import StoredJournal
from signaling.store.steps import Row
from wephone.protocol.ids import CallId, UserId

HOUR, DAY = 3600 * 1_000_000, 24 * 3600 * 1_000_000  # microseconds


class TelephoneRows:
    """See signaling.ports.legs.TelephoneRows."""

    database: Database
    journal: StoredJournal

    async def begin_leg(self, row: BegunLeg) -> None:
        await self.journal.settled()  # a row never names a decision that a crash took from the journal
        done = {code.value: "done" if does else "failed" for code, does in row.duties}
        await self.database.write(
            "begin_leg",
            canonical(done) if done else None,
            row.leg,
            str(row.call),
            row.trunk,
            str(row.account),
            int(row.outgoing),
            self.database.node,
            row.decision,
            row.at,
            row.most_seconds,
        )

    async def keep_leg(self, leg: str, dialog: str, at: int) -> None:
        await self.database.write("keep_leg", leg, dialog, at)

    async def end_leg(self, leg: str, end: LegEnd) -> None:
        sound: tuple[int | None, int | None, int | None] = (None, None, None)
        if end.sound is not None:
            sound = (end.sound.packets, end.sound.lost, end.sound.jitter)
        await self.database.write(
            "end_leg", leg, end.at, end.cause, end.q850, end.status, not end.confirmed, sound
        )

    async def open_legs(self) -> Sequence[LegRow]:
        return [_leg(row) for row in await self.database.read("open_legs", self.database.node)]

    async def unconfirmed_legs(self, limit: int) -> Sequence[LegRow]:
        return [_leg(row) for row in await self.database.read("unconfirmed_legs", limit)]

    async def unconfirmed_leg(self, leg: str) -> LegRow | None:
        rows = await self.database.read("unconfirmed_leg", leg)
        return _leg(rows[0]) if rows else None

    async def settle_leg(self, leg: str) -> None:
        await self.database.write("settle_leg", leg)

    async def legs_of_call(self, call: CallId) -> Sequence[LegRow]:
        return [_leg(row) for row in await self.database.read("legs_of_call", call)]

    async def used_by_account(self, account: UserId, at: int) -> Usage:
        return _usage(await self.database.read("used_by_account", account, at - HOUR, at - DAY))

    async def used_by_trunk(self, trunk: str, at: int) -> Usage:
        return _usage(await self.database.read("used_by_trunk", trunk, at - HOUR, at - DAY))

    async def entitle(self, user: UserId, entitlement: Entitlement) -> bool:
        document = canonical(
            {
                "concurrent_calls": entitlement.concurrent_calls,
                "calls_per_hour": entitlement.calls_per_hour,
                "minutes_per_day": entitlement.minutes_per_day,
                "call_minutes": entitlement.call_minutes,
                "countries": sorted(entitlement.countries),
            }
        )
        by, at = str(entitlement.by), entitlement.at
        return bool(await self.database.write("entitle", str(user), document, by, at))

    async def unentitle(self, user: UserId) -> bool:
        return bool(await self.database.write("unentitle", str(user)))

    async def entitlement(self, user: UserId) -> Entitlement | None:
        rows = await self.database.read("entitlement_of", user)
        if not rows:
            return None
        document, by, at = rows[0]
        said = json.loads(document)
        countries = frozenset(said.pop("countries"))
        return Entitlement(countries=countries, by=UserId(by), at=at, **said)


def _usage(rows: Sequence[Row]) -> Usage:
    alive, lately, seconds = rows[0]
    return Usage(alive or 0, lately or 0, int(seconds or 0))


def _leg(row: Row) -> LegRow:
    leg, call, trunk, account, outgoing, decision, begun_at, answered_at, ended_at, *rest = row
    dialog, words, q850, status, unconfirmed = rest
    return LegRow(
        leg=leg,
        call=CallId(call),
        trunk=trunk,
        account=UserId(account),
        outgoing=bool(outgoing),
        decision=decision,
        begun_at=begun_at,
        answered_at=answered_at,
        ended_at=ended_at,
        dialog=dialog,
        words=words,
        q850=q850,
        status=status,
        confirmed=not unconfirmed,
    )
