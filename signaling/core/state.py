"""What the server knows of one call, who is who in it, and how it ends."""

from dataclasses import dataclass, replace

from licensing.instant import SECOND, Instant
from signaling.core.branch import (
    NOTHING,
    Answer,
    Branch,
    Branches,
    Early,
    Negotiation,
    Notice,
    Outcome,
    Standing,
    Trickle,
)
from signaling.core.effects import Complain, Effect, RecordEnd, Send, StartTimer, StopTimer, Timer
from signaling.core.forwarding import When
from signaling.core.party import Party
from signaling.core.table import Phase
from wephone.protocol.ids import CallId, DeviceId, Peer, UserId
from wephone.protocol.messages import CallProgress, Ended, Incoming, Media, Progress, Refusal, Role
from wephone.protocol.reasons import EndReason, ErrorCode

INVITE = 90 * SECOND  # from the invite to the end of ringing, whatever happens
RING = 60 * SECOND  # from the first device that alerts, within the 90
CONNECT = 30 * SECOND  # for a durable answer; after glare, for the answer itself
NEGOTIATE = 30 * SECOND  # for the answer to a change that was offered
ANNOUNCE = 20 * SECOND  # for a refusal to be told aloud, however long the operator's own recording is

RINGING = frozenset({Phase.OFFERED, Phase.DELIVERED, Phase.ALERTING})
# The callee's person turned it down, or talks in the other call: nothing to tell later.
NOT_MISSED = frozenset({EndReason.DECLINED, EndReason.GLARE})
# Nothing rang, and the person may want to know. A blocked caller's call is never offered nor recorded so.
UNRUNG = frozenset({EndReason.UNREACHABLE, EndReason.DO_NOT_DISTURB})
PROGRESS = {
    Phase.OFFERED: Progress.SENT,
    Phase.DELIVERED: Progress.DELIVERED,
    Phase.ALERTING: Progress.ALERTING,
    Phase.GLARED: Progress.DELIVERED,
    Phase.SELECTED: Progress.DELIVERED,
}


@dataclass(frozen=True, slots=True)
class CallState:
    """One call as a value. Each device of the callee is a branch of it until one is `selected`."""

    id: CallId
    caller: Party
    callee: UserId
    media: tuple[Media, ...]
    phase: Phase
    offer: str  # SDP; empty once answered or ended
    commitment: str
    deadline: Instant  # when it stops ringing
    branches: Branches
    trickle: Trickle = NOTHING  # the caller's
    early: Early | None = None  # whom the caller hears before the answer
    selected: DeviceId | None = None
    answer: Answer | None = None
    nonce: str | None = None  # the caller's, once revealed
    negotiation: Negotiation | None = None
    refusal: Refusal | None = None  # while it is told aloud
    notice: Notice | None = None  # while it winds down
    timers: tuple[Timer, ...] = ()
    outcome: Outcome | None = None
    goes_on: frozenset[When] = frozenset()  # instead of ending
    forwarded_to: Peer | None = None  # as its caller may see whom it went on to
    forwarded_by: UserId | None = None  # whose rule that was
    replaces: CallId | None = None  # the callee's call, whose other side puts the caller through

    def branch(self, device: DeviceId) -> Branch | None:
        """The call on this device of the callee, if there is one."""
        for branch in self.branches:
            if branch.device == device:
                return branch
        return None

    def role(self, party: Party) -> Role | None:
        """The party's part in this call; None for strangers."""
        if party == self.caller:
            return Role.CALLER
        if party.user == self.callee:
            branch = self.branch(party.device)
            if branch is not None and branch.standing is not Standing.QUEUED:
                return Role.CALLEE
        return None

    @property
    def winner(self) -> Party | None:
        """The device that answered, or is bound to."""
        return Party(self.callee, self.selected) if self.selected is not None else None

    def is_between(self, party: Party) -> bool:
        """True for the caller and for the device that answered."""
        return party == self.caller or (party.device == self.selected and party.user == self.callee)

    def other(self, party: Party) -> Party:
        """The other one of the two that `is_between` knows."""
        if party != self.caller:
            return self.caller
        assert self.winner is not None
        return self.winner

    def invited(self) -> tuple[Party, ...]:
        """Every device of the callee that has the call and no end of it."""
        return tuple(
            Party(self.callee, branch.device)
            for branch in self.branches
            if branch.standing is Standing.INVITED
        )


Step = tuple[CallState, tuple[Effect, ...]]


def complaint(call: CallState, to: Party, code: ErrorCode) -> Step:
    """One typed error, the call untouched."""
    return call, (Complain(to, code),)


def timed(call: CallState, timer: Timer, deadline: Instant) -> tuple[tuple[Timer, ...], tuple[Effect, ...]]:
    """This timer instead of any other: a call waits for one thing at a time."""
    stops = tuple(StopTimer(other) for other in call.timers if other != timer)
    return (timer,), (*stops, StartTimer(timer, deadline))


def offered(call: CallState, to: Party, now: Instant) -> tuple[Effect, ...]:
    """The call as this device is to see it, and the candidates the caller found so far."""
    incoming = Incoming(
        call=call.id,
        peer=call.caller.user,
        peer_device=call.caller.device,
        sdp=call.offer,
        media=call.media,
        commitment=call.commitment,
        lifetime=max(0, call.deadline.mono_ns - now.mono_ns) / SECOND,
        answer_now=call.phase is Phase.GLARED,
        forwarded_by=call.forwarded_by,
        replaces=call.replaces,
    )
    candidates = call.trickle.message(call.id)
    return (Send(to, incoming), Send(to, candidates)) if candidates else (Send(to, incoming),)


def progressed(call: CallState) -> Send:
    """Tell the caller how far the call has come."""
    progress = CallProgress(call=call.id, progress=PROGRESS[call.phase], forwarded_to=call.forwarded_to)
    return Send(call.caller, progress)


def ended_for(call: CallState, reason: EndReason) -> Ended:
    """The end as one party is told it: how the call ended, or that another device has dealt with it."""
    assert call.outcome is not None
    outcome = call.outcome
    if reason is not outcome.reason:
        return Ended(call=call.id, reason=reason, by=Role.CALLEE)
    return Ended(
        call=call.id,
        reason=reason,
        by=outcome.by,
        refusal=outcome.refusal,
        survivor=outcome.survivor,
        forwarded_to=call.forwarded_to,
    )


def end(call: CallState, outcome: Outcome, now: Instant, declined_on: DeviceId | None = None) -> Step:
    """End the call, once: timers off, one record, and every device that knows the call is told.

    The callee's devices but `declined_on`, if given, hear that it was declined elsewhere.
    Missed is a call that was offered, that nobody took, and of which the person may not know.
    """
    told, sends = [], []
    for branch in call.branches:
        if branch.standing is Standing.QUEUED:
            continue
        if branch.told is None:
            elsewhere = declined_on is not None and branch.device != declined_on
            reason = EndReason.DECLINED_ELSEWHERE if elsewhere else outcome.reason
            if branch.standing is Standing.INVITED:
                sends.append((Party(call.callee, branch.device), reason))
            branch = replace(branch, standing=Standing.TOLD, told=reason)
        told.append(replace(branch, trickle=NOTHING))
    ended = replace(
        call,
        phase=Phase.ENDED,
        offer="",
        branches=tuple(told),
        trickle=NOTHING,
        early=None,
        answer=None,
        negotiation=None,
        refusal=None,
        notice=None,
        timers=(),
        outcome=outcome,
    )
    missed = call.phase in RINGING and outcome.reason not in NOT_MISSED
    missed = missed or outcome.reason in UNRUNG
    return ended, (
        *(StopTimer(timer) for timer in call.timers),
        RecordEnd(call.id, outcome.reason, missed, now),
        Send(call.caller, ended_for(ended, outcome.reason)),
        *(Send(party, ended_for(ended, reason)) for party, reason in sends),
    )
