"""How a call ends on a device: by our last word and the server's, once for the application."""

from dataclasses import replace

from wephone.core import events, inputs
from wephone.core.effects import Send, StartTimer, StopMedia, StopTimer, Tell
from wephone.core.state import ENDING, GRACE, SECOND, CallState, Phase, Step
from wephone.protocol import messages
from wephone.protocol.messages import Role
from wephone.protocol.reasons import EndReason, ErrorCode

Failed = inputs.MediaFailed | inputs.DescriptionFailed
# The clocks of a call that goes on; none of them matters once it ends.
WAITS: tuple[inputs.Timer, ...] = ("ring", "answer", "negotiate", "notice")

# Errors that leave the call as it was.
HARMLESS = frozenset(
    {
        ErrorCode.OUT_OF_PLACE,
        ErrorCode.TOO_MANY,
        ErrorCode.NEGOTIATION_PENDING,
        ErrorCode.SLOW_DOWN,
    }
)


def hang_up(call: CallState, event: object, now: int) -> Step:
    """End it; before an answer of ours this declines theirs."""
    if call.phase is Phase.RINGING:
        return decline(call, inputs.Decline(), now)
    return say_last_word(call, messages.Hangup(call=call.id), now)


def decline(call: CallState, event: inputs.Decline, now: int) -> Step:
    """Turn it down, on all devices of this person."""
    return say_last_word(call, messages.Reject(call=call.id, reason=event.reason), now)


def fail(call: CallState, event: object, now: int) -> Step:
    """No sound can pass."""
    call = faulty(call, event)
    return say_last_word(call, messages.Hangup(call=call.id, reason=EndReason.MEDIA_FAILED), now)


def withdraw(call: CallState, event: object, now: int) -> Step:
    """The server never heard of it, so it need not hear of its end."""
    reason = EndReason.CANCELLED if isinstance(event, inputs.HangUp) else EndReason.MEDIA_FAILED
    return finish(faulty(call, event), events.Ended(call.id, reason, Role.CALLER))


def faulty(call: CallState, event: object) -> CallState:
    """The call, which remembers what the media said of its failure."""
    return replace(call, fault=event.why) if isinstance(event, Failed) else call


def say_last_word(call: CallState, message: messages.Hangup | messages.Reject, now: int) -> Step:
    """Silence at once; how it ended is the server's to say, since somebody may have been quicker."""
    call = replace(call, phase=Phase.ENDING, last_word=message)
    stops = tuple(StopTimer(call.id, timer) for timer in WAITS)
    ending = StartTimer(call.id, "ending", now + ENDING)
    return call, (*stops, Send(message), StopMedia(call.id), ending)


def say_it_again(call: CallState, event: object, now: int) -> Step:
    """It may have been lost with the link."""
    return call, (Send(call.last_word),) if call.last_word is not None else ()


def wait_no_longer(call: CallState, event: inputs.TimedOut, now: int) -> Step:
    """The person need not wait for the server; our last word is said until it is confirmed."""
    if event.timer != "ending" or call.last_word is None:
        return call, ()
    again = (Send(call.last_word), StartTimer(call.id, "ending", now + ENDING))
    if call.over is not None:
        return call, again
    ended = explained(call, events.Ended(call.id, local_reason(call), call.role))
    return replace(call, over=ended), (*again, Tell(ended))


def local_reason(call: CallState) -> EndReason:
    """What our last word means, if nobody was quicker."""
    if isinstance(call.last_word, messages.Reject | messages.Hangup):
        reason = call.last_word.reason
        cancelled = reason is EndReason.HANGUP and call.role is Role.CALLER and not call.theirs
        return EndReason.CANCELLED if cancelled else reason
    return EndReason.CONNECTION_LOST


def be_ended(call: CallState, event: messages.Ended, now: int) -> Step:
    """The server's word on how it ended, the same for both sides."""
    ended, effects = finish(call, events.Ended(call.id, event.reason, event.by, event.refusal))
    if call.role is Role.CALLEE or call.over is not None or event.forwarded_to in (None, call.forwarded_to):
        return ended, effects
    return ended, (Tell(events.Forwarded(call.id, event.forwarded_to)), *effects)


def be_refused(call: CallState, event: messages.Error, now: int) -> Step:
    """An error that ends a call: it could not be placed or answered, or the server forgot it."""
    if call.handing_over and event.code not in (ErrorCode.UNKNOWN_CALL, ErrorCode.NEGOTIATION_PENDING):
        failed = events.TransferFailed(call.id, error=event.code)
        return replace(call, handing_over=False), (Tell(failed),)
    if event.code in HARMLESS and not (call.phase is Phase.CALLING and call.progress is None):
        return call, ()
    if event.code is ErrorCode.UNKNOWN_CALL:
        known = call.phase is Phase.ENDING
        return finish(call, events.Ended(call.id, local_reason(call) if known else EndReason.UNKNOWN_CALL))
    if call.phase is Phase.CALLING and call.progress is None:
        return finish(call, events.Ended(call.id, EndReason.UNREACHABLE, error=event.code))
    return fail(call, event, now) if call.phase is Phase.ANSWERED else (call, ())


def run_out(call: CallState, event: inputs.TimedOut, now: int) -> Step:
    """The server should have ended it by now: it is gone, or its word is lost."""
    refusal = None
    if event.timer == "ring":
        reason = EndReason.NO_ANSWER
    elif event.timer == "answer":
        reason = EndReason.CONNECTION_LOST
    elif event.timer == "notice" and call.ending is not None:
        reason, refusal = EndReason.LICENCE_WITHDRAWN, call.ending.refusal
    else:
        return call, ()
    call, effects = say_last_word(call, messages.Hangup(call=call.id), now)
    ended = events.Ended(call.id, reason, refusal=refusal)
    return replace(call, over=ended), (*effects, Tell(ended))


def announce(call: CallState, event: messages.Ending, now: int) -> Step:
    """It may not go on for long. If the server falls silent the call ends here when its time is over."""
    timer = StartTimer(call.id, "notice", now + int(event.within * SECOND) + GRACE)
    if call.ending is not None and call.ending.refusal == event.refusal:
        return call, (timer,)
    ending = events.Ending(call.id, event.within, event.refusal)
    return replace(call, ending=ending), (timer, Tell(ending))


def take_back(call: CallState, event: messages.EndingCancelled, now: int) -> Step:
    """It goes on after all."""
    if call.ending is None:
        return call, ()
    return replace(call, ending=None), (StopTimer(call.id, "notice"), Tell(events.EndingCancelled(call.id)))


def finish(call: CallState, ended: events.Ended) -> Step:
    """Over for good, told once."""
    over = call.over or explained(call, ended)
    told = () if call.over is not None else (Tell(over),)
    stops = tuple(StopTimer(call.id, timer) for timer in (*WAITS, "ending"))
    return replace(call, phase=Phase.ENDED, over=over), (*stops, StopMedia(call.id), *told)


def explained(call: CallState, ended: events.Ended) -> events.Ended:
    """An end by failed media, with what we know of it."""
    ours = ended.reason is EndReason.MEDIA_FAILED or ended.by is call.role
    return replace(ended, fault=call.fault) if ours else ended


def ask_how_it_ended(call: CallState, event: inputs.Unlisted, now: int) -> Step:
    """The server holds no such call. It may still know how it ended: a hang-up is answered with that."""
    return say_last_word(call, messages.Hangup(call=call.id), now)


def lose_link(call: CallState, event: inputs.LinkGone, now: int) -> Step:
    """There is no server any more to end it for us."""
    return finish(call, events.Ended(call.id, EndReason.CONNECTION_LOST))
