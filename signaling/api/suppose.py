"""What would a change do? To the calls that run now, and to the decisions of the last day, made again.

Asked before a permit is suspended or kinds of calls are switched off, so that whoever does it has seen it.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from licensing.permit import Permit, Toggle
from licensing.whatif import Changes, Flip, Outlook, Tally, WhatIfError
from signaling.api.evidence import Node, Sequence, Words, reading, words_of
from signaling.api.permits import Name, register_of
from signaling.api.problem import Problem
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from signaling.evidence import first_at
from signaling.outlook import Running, Span, Turned, replayed, turned
from signaling.telephone_calls import telephone_calls
from wephone.protocol.ids import CallId
from wephone.protocol.messages import Microseconds, Model

routes = Routes()

DAY = 24 * 3600 * 1_000_000  # microseconds
ENTRIES = 10_000  # that are decided again for one answer: a fifth of a second of one core
SHOWN = 50  # calls that are named

Names = Annotated[tuple[Name, ...], Field(max_length=100)]


class Supposition(Model):
    """What is supposed, and which entries of the journal are decided again: those since a moment, or a day.

    `before` goes on where an answer's `before` ended. `entries` 0 asks about running calls alone.
    """

    permits: Annotated[tuple[Permit, ...], Field(max_length=20)] = ()
    without: Names = ()
    suspend: Names = ()
    revoke: Names = ()
    reinstate: Names = ()
    toggles: Annotated[tuple[Toggle, ...], Field(max_length=100)] = ()
    telephone_off: bool = False
    node: Node | None = None
    before: Sequence | None = None
    since: Microseconds | None = None
    entries: Annotated[int, Field(ge=0, le=ENTRIES)] = ENTRIES

    def changes(self) -> Changes:
        return Changes(
            permits=self.permits,
            without=frozenset(self.without),
            suspended=frozenset(self.suspend),
            revoked=frozenset(self.revoke),
            reinstated=frozenset(self.reinstate),
            toggles=self.toggles,
        )


class TurnedCall(Model):
    """A running call whose answer would be another."""

    call: CallId
    users: tuple[str, str]
    service: str
    jurisdiction: str
    reason: str
    text: Words
    seconds: int


class RunningCalls(Model):
    """`lost` would end, the last of them after `seconds`; `regained` would go on after all. Some by name."""

    running: int
    lost: int
    regained: int
    users: int
    seconds: int
    reasons: dict[str, int]
    telephone_calls: int
    calls: tuple[TurnedCall, ...]


class Counted(Model):
    """How many decisions, how long was talked under them, how many people asked."""

    decisions: int
    seconds: int
    users: int


class FlippedKind(Counted):
    """Decisions of one kind that would be others, with a few to look at."""

    before: str
    after: str
    service: str
    jurisdiction: str
    lost: bool
    examples: tuple[str, ...]


class DecidedAgain(Model):
    """The decisions that were made again, from `since` on; `before` goes on to older ones, if not null."""

    decisions: int
    entries: int
    since: Microseconds
    before: Sequence | None
    refused: Counted
    allowed: Counted
    flips: tuple[FlippedKind, ...]
    left_out: int
    other_basis: int


class SupposedEffect(Model):
    """What it would do, on the register of this epoch."""

    epoch: int
    now: RunningCalls
    past: DecidedAgain


@routes.add("POST", "/api/operator/suppose", Rule.AUDITOR, status=200)
async def suppose(visit: Visit, body: Supposition) -> SupposedEffect:
    """What a change would do, to running calls and to those of the last day. Nothing is changed."""
    changes, register = body.changes(), register_of(visit)
    epoch = register.snapshot.epoch
    there = {permit.id for permit in (*register.snapshot.permits, *body.permits)}
    if missing := sorted(changes.named - there):
        raise Problem(404, "no_such_permit", f"there is no permit `{missing[0][:64]}`", field="id")
    running = await turned(
        [*between_apps(visit), *with_telephones(visit)],
        visit.parts.licence.law,
        register,
        changes,
        visit.parts.clock.now(),
    )
    return SupposedEffect(
        epoch=epoch, now=running_calls(visit, body, running), past=await past_decisions(visit, body, changes)
    )


def between_apps(visit: Visit) -> Iterator[Running]:
    """The calls without a telephone."""
    for call, users, standing in visit.parts.revocation.standings():
        yield Running(call, users, standing, standing.refused)


def with_telephones(visit: Visit) -> Iterator[Running]:
    """The telephone calls that a permit keeps alive, or would: no call for help."""
    for each in telephone_calls(visit.parts.licence.gate.leases, visit.parts.exchange.switch):
        if not each.lease.grant.emergency:
            yield Running(each.call.id, each.users, each.standing, each.lease.winding_down)


def running_calls(visit: Visit, body: Supposition, found: list[Turned]) -> RunningCalls:
    """The calls of now, as they are answered."""
    lost = [each for each in found if each.lost]
    legs = {
        lease.grant.attempt.call for lease in visit.parts.licence.gate.leases if not lease.grant.emergency
    }
    return RunningCalls(
        running=visit.parts.exchange.switch.live(),
        lost=len(lost),
        regained=len(found) - len(lost),
        users=len({user for each in found for user in each.users}),
        seconds=max((each.seconds for each in lost), default=0),
        reasons=dict(Counter(each.decision.reason.value for each in lost)),
        telephone_calls=len(legs) if body.telephone_off else 0,
        calls=tuple(
            TurnedCall(
                call=each.call,
                users=each.users,
                service=each.decision.service,
                jurisdiction=each.decision.jurisdiction,
                reason=each.decision.reason,
                text=words_of(each.decision.reason),
                seconds=each.seconds,
            )
            for each in (*lost, *(each for each in found if not each.lost))[:SHOWN]
        ),
    )


async def past_decisions(visit: Visit, body: Supposition, changes: Changes) -> DecidedAgain:
    """The decisions of a span of time, made again."""
    parts, chains = visit.parts, visit.parts.licence.journal
    since = parts.now_us() - DAY if body.since is None else body.since
    node = body.node or parts.settings.node
    async with reading():
        head = next((head for head in await chains.heads() if head.node == node), None)
        if head is None or body.entries == 0:
            return past_of(Outlook(Tally(), 0, 0, ()), 0, since, None)
        first = await first_at(chains, head, since)
        last = head.seq if body.before is None else min(head.seq, body.before - 1)
        after = max(first - 1, last - body.entries)
        span = Span(node, after, last)
        try:
            outlook = await replayed(
                span, chains, parts.store, parts.licence.law, register_of(visit), changes
            )
        except WhatIfError as error:
            raise Problem(409, "not_decided_again", str(error)) from None
    return past_of(outlook, max(0, last - after), since, after + 1 if after >= first else None)


def past_of(outlook: Outlook, entries: int, since: int, before: int | None) -> DecidedAgain:
    """An outlook as it is answered."""
    return DecidedAgain(
        decisions=outlook.all.decisions,
        entries=entries,
        since=since,
        before=before,
        refused=counted(outlook.flipped(lost=True)),
        allowed=counted(outlook.flipped(lost=False)),
        flips=tuple(map(flipped, outlook.flips)),
        left_out=outlook.left_out,
        other_basis=outlook.other_basis,
    )


def counted(tally: Tally) -> Counted:
    return Counted(decisions=tally.decisions, seconds=tally.seconds, users=len(tally.users))


def flipped(flip: Flip) -> FlippedKind:
    return FlippedKind(
        decisions=flip.tally.decisions,
        seconds=flip.tally.seconds,
        users=len(flip.tally.users),
        before=flip.before.reason,
        after=flip.after.reason,
        service=flip.after.service,
        jurisdiction=flip.after.jurisdiction,
        lost=flip.before.allowed and not flip.after.allowed,
        examples=tuple(flip.tally.examples),
    )
