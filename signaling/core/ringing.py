"""Steps of a call that rings: from the gate's word to the one device that wins."""

from dataclasses import replace

from licensing.instant import Instant
from signaling.core.branch import NOTHING, Answer, Branch, Early, Outcome, Standing, with_branch
from signaling.core.effects import Effect, RecordAnswer, Send, StartTimer
from signaling.core.events import (
    Alerting,
    Allowed,
    Answered,
    AnswerNotRecorded,
    Delivered,
    DeviceArrived,
    DeviceLost,
    EarlySound,
    Event,
    Glared,
    HungUp,
    LostGlare,
    OfferNotRecorded,
    Rejected,
    Returned,
    TimedOut,
    Unroutable,
)
from signaling.core.forwarding import When
from signaling.core.onward import miss
from signaling.core.party import Party
from signaling.core.state import (
    CONNECT,
    RING,
    CallState,
    Step,
    complaint,
    end,
    ended_for,
    offered,
    progressed,
    timed,
)
from signaling.core.table import Phase
from wephone.protocol import messages
from wephone.protocol.ids import DeviceId
from wephone.protocol.messages import Ended, Role
from wephone.protocol.reasons import EndReason, ErrorCode


def stay(call: CallState, event: Event, now: Instant) -> Step:
    """Late or repeated: nothing changes, nobody is told."""
    return call, ()


# While the gate decides


def queue(call: CallState, event: DeviceArrived, now: Instant) -> Step:
    """One more device to offer the call to, if it may be offered."""
    if event.by.user != call.callee or event.by == call.caller or call.branch(event.by.device):
        return call, ()
    return replace(call, branches=with_branch(call.branches, Branch(event.by.device))), ()


def lose_while_routing(call: CallState, event: DeviceLost, now: Instant) -> Step:
    """Without its caller the call is over; a device of the callee is only one fewer."""
    if event.by == call.caller or event.by == call.winner:
        return end(call, Outcome(EndReason.CONNECTION_LOST, party(call, event.by)), now)
    if event.by.user != call.callee:
        return call, ()
    branches = tuple(branch for branch in call.branches if branch.device != event.by.device)
    return replace(call, branches=branches), ()


def fence_ahead(call: CallState, event: Glared, now: Instant) -> Step:
    """Answered before it was offered: the gate still decides whether it may be."""
    branch = Branch(event.by.device, Standing.INVITED)
    return replace(call, selected=event.by.device, branches=with_branch(call.branches, branch)), ()


def offer(call: CallState, event: Allowed, now: Instant) -> Step:
    """Ring every device of the callee that is online; nobody there is an answer too."""
    if call.selected is not None:
        return to_glared(call, call.selected, now)
    call = replace(call, goes_on=event.goes_on)
    if not call.branches:
        return miss(call, When.NO_ANSWER, Outcome(EndReason.UNREACHABLE), now)
    branches = tuple(replace(branch, standing=Standing.INVITED) for branch in call.branches)
    sooner: tuple[Effect, ...] = ()
    if event.ring_ns is not None:
        call = replace(call, deadline=now.after(event.ring_ns))
        sooner = (StartTimer("invite", call.deadline),)
    call = replace(call, phase=Phase.OFFERED, branches=branches)
    sends = [effect for to in call.invited() for effect in offered(call, to, now)]
    return call, (*sooner, *sends, progressed(call))


def fail_to_route(call: CallState, event: Unroutable, now: Instant) -> Step:
    """There is nobody who could be rung: the caller hears why, as far as it is the caller's to know."""
    return end(call, Outcome(event.reason), now)


def fail_to_record(call: CallState, event: OfferNotRecorded | AnswerNotRecorded, now: Instant) -> Step:
    """What could not be made durable must not take effect."""
    return end(call, Outcome(EndReason.NOT_RECORDED), now)


# While it rings


def deliver(call: CallState, event: Delivered, now: Instant) -> Step:
    """The first device has it."""
    call = replace(call, phase=Phase.DELIVERED)
    return call, (progressed(call),)


def alert(call: CallState, event: Alerting, now: Instant) -> Step:
    """The first device rings: from here a person has a minute, within what the invite left."""
    deadline = min(call.deadline, now.after(RING), key=lambda moment: moment.mono_ns)
    timers, effects = timed(call, "ring", deadline)
    call = replace(call, phase=Phase.ALERTING, deadline=deadline, timers=timers)
    return call, (*effects, progressed(call))


def let_hear(call: CallState, event: EarlySound, now: Instant) -> Step:
    """A telephone network speaks before the answer: its ring-back, or why nobody will answer; or we do.

    Once a call: its answer says the same description. Where several ring, another might answer.
    """
    if call.early is not None or len(call.branches) > 1:
        return call, ()
    call = replace(call, early=Early(event.by.device, event.sdp))
    return call, early_for_caller(call)


def early_for_caller(call: CallState) -> tuple[Effect, ...]:
    """What the caller needs to hear what comes before the answer, if something does."""
    if call.early is None:
        return ()
    branch = call.branch(call.early.device)
    candidates = branch.trickle.message(call.id) if branch else None
    early = Send(call.caller, messages.Early(call=call.id, sdp=call.early.sdp, refusal=call.refusal))
    return (early, Send(call.caller, candidates)) if candidates else (early,)


def ring(call: CallState, event: DeviceArrived, now: Instant) -> Step:
    """A device that signs in while the call rings, or signs in anew, rings too."""
    if event.by.user != call.callee or event.by == call.caller:
        return call, ()
    branch = call.branch(event.by.device) or Branch(event.by.device)
    if branch.told is not None:
        return call, (Send(event.by, Ended(call=call.id, reason=branch.told, by=Role.CALLEE)),)
    branches = with_branch(call.branches, replace(branch, standing=Standing.INVITED))
    return replace(call, branches=branches), offered(call, event.by, now)


def lose_while_ringing(call: CallState, event: DeviceLost, now: Instant) -> Step:
    """A caller who is gone has no call; a callee with no device left cannot be reached.

    A call that goes on if nobody answers soon does so then: until then one may come back and ring.
    """
    if event.by == call.caller:
        return end(call, Outcome(EndReason.CONNECTION_LOST, Role.CALLER), now)
    branch = call.branch(event.by.device) if event.by.user == call.callee else None
    if branch is None or branch.standing is not Standing.INVITED:
        return call, ()
    call = replace(call, branches=with_branch(call.branches, replace(branch, standing=Standing.LOST)))
    if call.invited() or When.NO_ANSWER in call.goes_on:
        return call, ()
    return end(call, Outcome(EndReason.UNREACHABLE), now)


def reject(call: CallState, event: Rejected, now: Instant) -> Step:
    """One device turns the call down for its person, who is one and may hold many devices."""
    outcome = Outcome(event.reason, Role.CALLEE)
    if event.reason is EndReason.BUSY:
        return miss(call, When.BUSY, outcome, now, declined_on=event.by.device)
    return end(call, outcome, now, declined_on=event.by.device)


def cancel(call: CallState, event: HungUp, now: Instant) -> Step:
    """The caller gives up; or a device that never answered hangs up, which is to decline.

    A device whose media fail is no person who declines: the others ring on.
    """
    if event.by != call.caller and call.selected is None:
        if event.reason is EndReason.MEDIA_FAILED:
            return drop_out(call, event, now)
        return end(call, Outcome(EndReason.DECLINED, Role.CALLEE), now, declined_on=event.by.device)
    return hang_up_early(call, event, now)


def drop_out(call: CallState, event: HungUp, now: Instant) -> Step:
    """One device cannot take the call. If it was the last one, that is how the call ends."""
    branch = call.branch(event.by.device)
    if branch is None or branch.told is not None:
        return dismiss(call, event, now)
    told = replace(branch, standing=Standing.TOLD, told=event.reason, trickle=NOTHING)
    left = replace(call, branches=with_branch(call.branches, told))
    if not left.invited():
        return end(call, Outcome(event.reason, Role.CALLEE), now)
    return left, (Send(event.by, Ended(call=call.id, reason=event.reason, by=Role.CALLEE)),)


def give_up(call: CallState, event: TimedOut, now: Instant) -> Step:
    """Nobody answered in time. A timer that was stopped too late is none of ours."""
    if event.timer not in call.timers:
        return call, ()
    return miss(call, When.NO_ANSWER, Outcome(EndReason.NO_ANSWER), now)


def select(call: CallState, event: Answered, now: Instant) -> Step:
    """The first answer wins and is fenced here; it takes effect when it is durable."""
    branch = call.branch(event.by.device)
    if branch is None or branch.told is not None:
        return dismiss(call, event, now)
    timers, effects = timed(call, "connect", now.after(CONNECT))
    call = replace(
        call,
        phase=Phase.SELECTED,
        branches=with_branch(call.branches, replace(branch, standing=Standing.INVITED)),
        selected=event.by.device,
        answer=Answer(event.sdp, event.nonce),
        timers=timers,
    )
    return call, (*effects, RecordAnswer(call.id, event.by, now))


# Glare


def fence(call: CallState, event: Glared, now: Instant) -> Step:
    """The callee's device called the caller: whoever calls wants to talk, so it has answered."""
    branch = call.branch(event.by.device) or Branch(event.by.device)
    branches = with_branch(call.branches, replace(branch, standing=Standing.INVITED, told=None))
    return to_glared(replace(call, branches=branches), event.by.device, now)


def to_glared(call: CallState, device: DeviceId, now: Instant) -> Step:
    """Fenced to one device; the others hear that it was answered elsewhere, those that had rung."""
    winner = Party(call.callee, device)
    others = [party for party in call.invited() if party != winner]
    branches = tuple(
        branch
        if branch.device == device or branch.told
        else replace(branch, standing=Standing.TOLD, told=EndReason.ANSWERED_ELSEWHERE)
        for branch in call.branches
        if branch.standing is not Standing.QUEUED
    )
    timers, effects = timed(call, "connect", now.after(CONNECT))
    call = replace(call, phase=Phase.GLARED, selected=device, branches=branches, timers=timers)
    elsewhere = Ended(call=call.id, reason=EndReason.ANSWERED_ELSEWHERE, by=Role.CALLEE)
    return call, (*effects, *offered(call, winner, now), *(Send(to, elsewhere) for to in others))


def give_way(call: CallState, event: LostGlare, now: Instant) -> Step:
    """The other call between the same two goes on; the end of this one names it."""
    return end(call, Outcome(EndReason.GLARE, survivor=event.survivor), now)


# Between the fence and the durable answer


def dismiss(call: CallState, event: Answered | Rejected | HungUp | Returned, now: Instant) -> Step:
    """Another device has won: tell this one, though it may have heard.

    After a restart we no longer know which devices had rung: one that comes back with the call did.
    """
    if call.is_between(event.by):
        return complaint(call, event.by, ErrorCode.OUT_OF_PLACE)
    branch = call.branch(event.by.device) or Branch(event.by.device)
    branch = replace(branch, standing=Standing.TOLD, told=branch.told or EndReason.ANSWERED_ELSEWHERE)
    ended = Ended(call=call.id, reason=branch.told or EndReason.ANSWERED_ELSEWHERE, by=Role.CALLEE)
    return replace(call, branches=with_branch(call.branches, branch)), (Send(event.by, ended),)


def reject_glared(call: CallState, event: Rejected, now: Instant) -> Step:
    """Whoever called and wants no more, before its call became this one, declines."""
    if not call.is_between(event.by):
        return dismiss(call, event, now)
    return end(call, Outcome(event.reason, Role.CALLEE), now)


def hang_up_early(call: CallState, event: HungUp, now: Instant) -> Step:
    """Before the answer counts: the caller cancels, the winner takes its answer back."""
    if not call.is_between(event.by):
        return dismiss(call, event, now)
    if event.reason is EndReason.MEDIA_FAILED:
        return end(call, Outcome(event.reason, party(call, event.by)), now)
    if event.by == call.caller:
        return end(call, Outcome(EndReason.CANCELLED, Role.CALLER), now)
    reason = EndReason.HANGUP if call.phase is Phase.SELECTED else EndReason.DECLINED
    return end(call, Outcome(reason, Role.CALLEE), now)


def lose_a_party(call: CallState, event: DeviceLost, now: Instant) -> Step:
    """One of the two is gone: so is the call. Any other device is only one fewer."""
    if call.is_between(event.by):
        return end(call, Outcome(EndReason.CONNECTION_LOST, party(call, event.by)), now)
    branch = call.branch(event.by.device) if event.by.user == call.callee else None
    if branch is None or branch.standing is not Standing.INVITED:
        return call, ()
    return replace(call, branches=with_branch(call.branches, replace(branch, standing=Standing.LOST))), ()


def give_up_connecting(call: CallState, event: TimedOut, now: Instant) -> Step:
    """The store, or the device that won by glare, kept silent."""
    if event.timer not in call.timers:
        return call, ()
    silent_store = call.phase is Phase.SELECTED
    return end(call, Outcome(EndReason.NOT_RECORDED if silent_store else EndReason.CONNECTION_LOST), now)


# A device comes back without its session


def catch_up(call: CallState, event: Returned, now: Instant) -> Step:
    """Say again what the device needs to go on: it may have missed anything."""
    if event.by == call.caller:
        is_told = call.phase not in (Phase.ROUTING, Phase.ANNOUNCING)  # how far the call has come
        return call, (*((progressed(call),) if is_told else ()), *early_for_caller(call))
    if event.by.user != call.callee:
        return complaint(call, event.by, ErrorCode.UNKNOWN_CALL)
    match call.phase:
        case Phase.ROUTING:
            return queue(call, DeviceArrived(event.by), now)
        case Phase.OFFERED | Phase.DELIVERED | Phase.ALERTING:
            return ring(call, DeviceArrived(event.by), now)
        case Phase.ANNOUNCING:
            return complaint(call, event.by, ErrorCode.UNKNOWN_CALL)
        case _ if call.is_between(event.by):
            return call, offered(call, event.by, now) if call.phase is Phase.GLARED else ()
        case _:
            return dismiss(call, event, now)


def say_again(call: CallState, event: Answered | Rejected | HungUp | Returned, now: Instant) -> Step:
    """How it ended, once more, to a device that may have missed it."""
    assert call.outcome is not None
    if event.by == call.caller:
        return call, (Send(call.caller, ended_for(call, call.outcome.reason)),)
    branch = call.branch(event.by.device) if event.by.user == call.callee else None
    if branch is None or branch.told is None:
        return complaint(call, event.by, ErrorCode.UNKNOWN_CALL)
    return call, (Send(event.by, ended_for(call, branch.told)),)


def party(call: CallState, by: Party) -> Role:
    """Caller or callee, of one who is known to be either."""
    return Role.CALLER if by == call.caller else Role.CALLEE
