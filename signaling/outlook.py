"""What a change of permits or switches would do: to the calls that run, and to those of the last day.

Nothing is changed and nobody is told. It is what an operator sees before the change.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from licensing.case import Decision
from licensing.instant import Instant
from licensing.law import Law
from licensing.ports import Chains
from licensing.record import allows
from licensing.register import Register
from licensing.review import Standing
from licensing.whatif import Changes, Kinds, Outlook, Replay, Supposed, record
from signaling.evidence import call_in
from signaling.ports.calls import CallRows
from wephone.protocol.ids import CallId

CHUNK = 500  # entries that are read at a time, so that no frame waits long


@dataclass(frozen=True, slots=True)
class Turned:
    """A running call that would be answered otherwise; `seconds`: that it would keep if it is refused."""

    call: CallId
    users: tuple[str, str]
    decision: Decision
    seconds: int

    @property
    def lost(self) -> bool:
        return not allows(self.decision)


@dataclass(frozen=True, slots=True)
class Running:
    """A call that runs: between whom, what it was last told, and whether it comes to an end by that."""

    call: CallId
    users: tuple[str, str]
    standing: Standing
    refused: bool


async def turned(
    running: Sequence[Running], law: Law, register: Register, changes: Changes, now: Instant
) -> list[Turned]:
    """The running calls that would lose their permit, or get it back. Those alike are decided once."""
    taken = register.snapshot
    permits, toggles = changes.permits_in(taken), changes.toggles_in(taken)
    alike = {each.standing.facts: None for each in running}
    decided = await asyncio.to_thread(
        lambda: {facts: law.decide_by(facts, permits, toggles, now) for facts in alike}
    )
    found = []
    for each in running:
        decision = decided[each.standing.facts]
        if allows(decision) is each.refused:
            relied = each.standing.relied
            seconds = 0 if allows(decision) else law.seconds_left(decision, relied, permits, now)
            found.append(Turned(each.call, each.users, decision, seconds))
    return found


@dataclass(frozen=True, slots=True)
class Span:
    """Entries of a node's chain: those with a number above `after`, up to `last`."""

    node: str
    after: int
    last: int


async def replayed(
    span: Span, chains: Chains, calls: CallRows, law: Law, register: Register, changes: Changes
) -> Outlook:
    """The decisions of a span made again under these changes. WhatIfError, JournalError, StoreError."""
    rows = tuple(await register.history())
    asked = Supposed(changes, rows, law.profiles, law.operator, law.policy)
    replay = await asyncio.to_thread(Replay, asked)
    kinds: Kinds = {}
    after = span.after
    while after < span.last and (
        entries := await chains.entries_of(span.node, after, min(CHUNK, span.last - after))
    ):
        after = entries[-1].seq
        found = [(entry, call_in(entry.body)) for entry in entries if entry.kind == "decision"]
        talks = {talk.call: talk for talk in await calls.talked([call for _, call in found])}
        replay.count(
            (
                record(entry.body, entry.subject, talk.seconds if talk else 0, talk.caller if talk else None)
                for entry, call in found
                for talk in (talks.get(call),)
            ),
            kinds,
        )
    return await asyncio.to_thread(replay.outlook, kinds)
