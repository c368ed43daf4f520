"""Steps of a call whose permit is lost: it is not answered any more, or winds down, or goes on after all."""

from dataclasses import replace

from licensing.instant import SECOND, Instant
from signaling.core.branch import Notice, Outcome
from signaling.core.effects import Effect, Send, StartTimer, StopTimer
from signaling.core.events import Reinstated, TimedOut, Withdrawn
from signaling.core.state import CallState, Step, end
from signaling.core.talking import adds_media, course, decline, give_up_negotiating, without_offer
from wephone.protocol.messages import Announced, Ending, EndingCancelled, Refusal, ServerMessage
from wephone.protocol.reasons import EndReason


def withdraw_unanswered(call: CallState, event: Withdrawn, now: Instant) -> Step:
    """Nobody talks yet: it is a call to come, and those are refused at once."""
    return end(call, withdrawn(event.refusal), now)


def withdraw(call: CallState, event: Withdrawn, now: Instant) -> Step:
    """Both are told how long they have. A further loss can only bring the end nearer."""
    notice = Notice(event.refusal, event.deadline)
    if call.notice is not None and call.notice.deadline.mono_ns < event.deadline.mono_ns:
        notice = replace(notice, deadline=call.notice.deadline)
    if notice.deadline.mono_ns <= now.mono_ns:
        return end(call, withdrawn(event.refusal), now)
    timers = tuple(timer for timer in call.timers if timer != "notice")
    call = replace(call, notice=notice, timers=(*timers, "notice"))
    ending = Ending(call=call.id, within=seconds_left(notice, now), refusal=notice.refusal)
    call, declined = without_addition(call, notice)
    return call, (StartTimer("notice", notice.deadline), course(call), *to_both(call, ending), *declined)


def without_addition(call: CallState, notice: Notice) -> tuple[CallState, tuple[Effect, ...]]:
    """What winds down gets no further media, though they were asked for before."""
    last = call.negotiation
    if last is None or last.offer is None or not adds_media(call, last.offer):
        return call, ()
    call, stop = without_offer(call)
    return call, (stop, decline(call, last.offer, notice.refusal))


def reinstate(call: CallState, event: Reinstated, now: Instant) -> Step:
    """The end that was announced is taken back."""
    if call.notice is None:
        return call, ()
    timers = tuple(timer for timer in call.timers if timer != "notice")
    call = replace(call, notice=None, timers=timers)
    goes_on = EndingCancelled(call=call.id, decision=event.decision)
    return call, (StopTimer("notice"), course(call), *to_both(call, goes_on))


def run_out(call: CallState, event: TimedOut, now: Instant) -> Step:
    """The seconds of a notice, or those for a change. Any other timer was stopped too late."""
    if event.timer not in call.timers:
        return call, ()
    if event.timer == "notice" and call.notice is not None:
        return end(call, withdrawn(call.notice.refusal), now)
    return give_up_negotiating(call)


def announced(call: CallState, now: Instant) -> Announced | None:
    """The end to come, for a device that may have missed the notice."""
    if call.notice is None:
        return None
    return Announced(within=seconds_left(call.notice, now), refusal=call.notice.refusal)


def seconds_left(notice: Notice, now: Instant) -> float:
    """To the millisecond: both sides are told the same."""
    return round(max(0, notice.deadline.mono_ns - now.mono_ns) / SECOND, 3)


def withdrawn(refusal: Refusal) -> Outcome:
    return Outcome(EndReason.LICENCE_WITHDRAWN, refusal=refusal)


def to_both(call: CallState, message: ServerMessage) -> tuple[Effect, ...]:
    """To the two who talk."""
    assert call.winner is not None
    return Send(call.caller, message), Send(call.winner, message)
