"""The journal looked at afterwards: is every chain whole, are the names beside it as they were, why was
something decided?
"""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from licensing.audit import Broken, Entry, Head, beginning, clear_state, verify
from licensing.explain import Explanation, explain, profiles_named
from licensing.lawbook import profiles_then
from licensing.ports import Chains
from signaling.licence import Licence

CHUNK = 1_000  # entries that are read, and verified in a thread, at a time
MOST_NAMED = 10  # altered values; one is bad enough


@dataclass(slots=True)
class Walked:
    """One node's chain: whole up to `head`, and what is wrong with the next entry, if anything is."""

    node: str
    head: Head
    broken: Broken | None = None
    clear: Counter[str] = field(default_factory=Counter)  # "present", "erased", "altered" -> how many values
    altered: list[int] = field(default_factory=list)  # entries whose clear values are not what was sealed

    @property
    def sound(self) -> bool:
        return self.broken is None and not self.altered


async def walk(chains: Chains, node: str, kept: Sequence[Head] = (), *, names: bool = True) -> Walked:
    """Verify one node's whole chain.

    `kept` are heads kept elsewhere. The head that the database noted itself counts as one: a chain that was
    cut short behind its back ends before it. `names`: look at the clear values too.
    """
    expected = [head for head in (*await chains.heads(), *kept) if head.node == node]
    walked = Walked(node, beginning(node))
    while entries := await chains.entries_of(node, walked.head.seq, CHUNK):
        due = [head for head in expected if walked.head.seq < head.seq <= entries[-1].seq]
        found = await asyncio.to_thread(verify, entries, after=walked.head, kept=due)
        if names:
            await look_at_names(chains, entries, walked)
        if isinstance(found, Broken):
            walked.broken = found
            return walked
        walked.head = found.head
    cut = verify((), after=walked.head, kept=[head for head in expected if head.seq > walked.head.seq])
    walked.broken = cut if isinstance(cut, Broken) else None
    return walked


async def nodes(chains: Chains, own: str, kept: Iterable[Head] = ()) -> list[str]:
    """Every node that wrote here, or of which a head is kept elsewhere."""
    found = {own, *(head.node for head in await chains.heads()), *(head.node for head in kept)}
    return sorted(found)


async def look_at_names(chains: Chains, entries: Sequence[Entry], walked: Walked) -> None:
    """Count what became of the clear values of these entries."""
    hashes = [(entry.seq, each) for entry in entries for each in sealed_in(entry)]
    rows = {row.hash: row for row in await chains.clear_values([each for _, each in hashes])}
    for seq, value_hash in hashes:
        state = clear_state(value_hash, rows.get(value_hash))
        walked.clear[state] += 1
        if state == "altered" and len(walked.altered) < MOST_NAMED and seq not in walked.altered:
            walked.altered.append(seq)


def sealed_in(entry: Entry) -> list[str]:
    """The salted hashes of names and numbers in an entry; none if it cannot be read."""
    try:
        body = json.loads(entry.body)
        found = [
            *body.get("people", {}).values(),
            *(body.get(key) for key in ("destination", "caller_id", "by")),
        ]
    except (ValueError, AttributeError):
        return []
    return [value for value in found if isinstance(value, str)]


async def explained(chains: Chains, licence: Licence, decision: str) -> Explanation:
    """Why a decision was made, decided again from what was kept. UnexplainedError, JournalError."""
    entries = await chains.about(decision)
    hashes = [value for entry in entries for value in sealed_in(entry)]
    clear = await chains.clear_values(hashes)
    versions = await licence.register.history()
    named = profiles_named(entries)
    return explain(entries, clear, versions, await profiles_then(chains, named, licence.law.profiles))
