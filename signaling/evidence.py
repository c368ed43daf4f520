"""The journal looked at afterwards: is every chain whole, are the names beside it as they were, why was
something decided?
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from licensing.audit import Checked, Head, beginning, sealed_in
from licensing.explain import Explanation, explain, profiles_named
from licensing.filed import FiledFault, filed_faults, not_accepted
from licensing.lawbook import profiles_then
from licensing.ports import Chains
from signaling.licence import Licence


@dataclass(slots=True)
class Progress:
    """How far the verification that is running has got; nothing of nothing if none is."""

    done: int = 0
    of: int = 0

    def begin(self, entries: int) -> None:
        self.done, self.of = 0, entries

    def more(self, entries: int) -> None:
        self.done += entries


async def walk(
    chains: Chains,
    node: str,
    kept: Sequence[Head] = (),
    *,
    names: bool = True,
    tell: Callable[[int], None] = lambda count: None,
) -> Checked:
    """Verify one node's whole chain, which has to agree with the heads kept elsewhere."""
    return await chains.checked(beginning(node), kept, names=names, tell=tell)


async def nodes(chains: Chains, own: str, kept: Iterable[Head] = ()) -> list[str]:
    """Every node that wrote here, or of which a head is kept elsewhere."""
    found = {own, *(head.node for head in await chains.heads()), *(head.node for head in kept)}
    return sorted(found)


async def first_at(chains: Chains, head: Head, at: int) -> int:
    """The number of the first entry up to this head whose time is not before `at`; one more if none is."""
    low, high = 1, head.seq + 1
    while low < high:
        middle = (low + high) // 2
        found = await chains.entries_of(head.node, middle - 1, 1)
        if found and found[0].at < at:
            low = middle + 1
        else:
            high = middle
    return low


async def register_faults(chains: Chains) -> tuple[FiledFault, ...]:
    """What of the register is not what the chains say, and no operator has accepted. JournalError."""
    filed = await chains.filed()
    return not_accepted(filed_faults(filed), filed.entries)


async def explained(chains: Chains, licence: Licence, decision: str) -> Explanation:
    """Why a decision was made, decided again from what was kept. UnexplainedError, JournalError."""
    entries = await chains.about(decision)
    hashes = [value for entry in entries for value in sealed_in(entry.body)]
    clear = await chains.clear_values(hashes)
    filed = await chains.filed()
    named = profiles_named(entries)
    profiles = await profiles_then(chains, named, licence.law.profiles)
    explanation = explain(entries, clear, filed.rows, profiles)
    edited = (fault.said for fault in filed_faults(filed, explanation.body["epoch"]))
    return replace(explanation, faults=(*explanation.faults, *edited))


def call_in(body: str) -> str:
    """The call's id in a body, which is canonical JSON; "" if it has none."""
    begin = body.find('"call":"') + 8
    return body[begin : body.find('"', begin)] if begin > 7 else ""
