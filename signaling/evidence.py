"""The journal looked at afterwards: is every chain whole, are the names beside it as they were, why was
something decided?
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from licensing.audit import Broken, Checked, Entry, Head, beginning, sealed_in
from licensing.checkers import opened, sealed_names
from licensing.explain import Explanation, explain, profiles_named
from licensing.filed import filed_faults
from licensing.lawbook import profiles_then
from licensing.permit import Permit
from licensing.ports import Chains
from signaling.filed import changers
from signaling.licence import Licence
from signaling.ports.store import Store
from signaling.stated import stated_faults


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
    """Verify one node's whole chain, which has to agree with the heads kept elsewhere.

    Entries beside the chain, that only somebody who writes past the journal can have put there, are a fault.
    """
    checked = await chains.checked(beginning(node), kept, names=names, tell=tell)
    for stray in await chains.strays():
        if stray.node == node:
            checked.broken = Broken(node, stray.seq, IN_NO_CHAIN)
    return checked


IN_NO_CHAIN = "is in no chain that this database has noted"


async def nodes(chains: Chains, own: str, kept: Iterable[Head] = ()) -> list[str]:
    """Every node of which there is an entry or a head here, or a head kept elsewhere."""
    heads = (*await chains.heads(), *kept)
    strays = await chains.strays()
    return sorted({own, *(head.node for head in heads), *(stray.node for stray in strays)})


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


async def row_faults(store: Store) -> list[str]:
    """What of calls and account facts is not what the entries say by which they ended, or were stated."""
    faults = [
        f"call {call}: its row is not what the entry of its end says"
        for call in await store.ends_that_differ()
    ]
    after = ""
    while some := await store.stated(after, ACCOUNTS_AT_ONCE):
        faults += (fault for facts in some for fault in stated_faults(facts))
        after = some[-1].account
    return faults


ACCOUNTS_AT_ONCE = 500


async def explained(chains: Chains, licence: Licence, decision: str) -> Explanation:
    """Why a decision was made, decided again from what was kept. UnexplainedError, JournalError."""
    entries = await chains.about(decision)
    hashes = [value for entry in entries for value in sealed_in(entry.body)]
    clear = await chains.clear_values(hashes)
    filed = await chains.filed()
    named = profiles_named(entries)
    profiles = await profiles_then(chains, named, licence.law.profiles)
    explanation = explain(entries, clear, filed.rows, profiles)
    edited = (
        fault.said for fault in filed_faults(filed, explanation.body["epoch"], await changers(chains, filed))
    )
    loose = await unlinked(chains, [entry for entry in entries if entry.kind == "decision"])
    permits = await with_names(chains, explanation.permits)
    return replace(explanation, permits=permits, faults=(*explanation.faults, *loose, *edited))


async def unlinked(chains: Chains, entries: Iterable[Entry]) -> list[str]:
    """Those of the entries that the chain does not go on from: what follows has another hash."""
    heads = {head.node: head for head in await chains.heads()}
    faults = []
    for entry in entries:
        head, name = heads.get(entry.node), f"entry {entry.seq} of {entry.node}"
        if head is None or not 1 <= entry.seq <= head.seq:
            faults.append(f"{name} {IN_NO_CHAIN}")
            continue
        following = await chains.entries_of(entry.node, entry.seq, 1)
        if entry.hash != (following[0].prev if following else head.hash):
            faults.append(f"{name} was altered: the chain does not go on from it")
    return faults


async def with_names(chains: Chains, permits: Sequence[Permit]) -> tuple[Permit, ...]:
    """The permits with the names of who checked them, as far as they are still there. JournalError."""
    hashes = sealed_names(permits)
    rows = await chains.clear_values(hashes) if hashes else ()
    names = {row.hash: row for row in rows}
    return tuple(opened(permit, names) for permit in permits)


def call_in(body: str) -> str:
    """The call's id in a body, which is canonical JSON; "" if it has none."""
    begin = body.find('"call":"') + 8
    return body[begin : body.find('"', begin)] if begin > 7 else ""
