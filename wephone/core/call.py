"""The client's half of one call: a value, told what happened, that says what to do.

It drops what is late or repeated, says again after a broken link what may have been lost, and has clocks
of its own, so that no call rings for ever though the server is gone. Times are monotonic nanoseconds.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from wephone.core import events, inputs, negotiation
from wephone.core.effects import (
    AddCandidates,
    ApplyAnswer,
    CallEffect,
    CreateAnswer,
    CreateOffer,
    Send,
    StartMedia,
    StartTimer,
    StopMedia,
    StopTimer,
    Tell,
)
from wephone.core.negotiation import Negotiation
from wephone.core.safety import commitment, safety_code
from wephone.protocol import messages
from wephone.protocol.ids import CallId, DeviceId
from wephone.protocol.messages import MAX_CANDIDATES, Candidate, ClientMessage, Media, Progress, Role
from wephone.protocol.reasons import EndReason, ErrorCode

SECOND = 1_000_000_000
GRACE = 5 * SECOND  # for the server's own end to arrive before ours
INVITE = 90 * SECOND  # the server rings no longer
ANSWER = 30 * SECOND  # for the server's word after our answer, or after glare
ENDING = 5 * SECOND  # the person waits no longer to see a call end

# Errors that leave the call as it was.
HARMLESS = frozenset(
    {
        ErrorCode.OUT_OF_PLACE,
        ErrorCode.TOO_MANY,
        ErrorCode.NEGOTIATION_PENDING,
        ErrorCode.SLOW_DOWN,
    }
)


class Phase(StrEnum):
    """How far a call has come, as this device knows it."""

    PREPARING = "preparing"  # ours: the media describes it
    CALLING = "calling"  # ours: the invite is out
    AWAITED = "awaited"  # by glare our call became this one; its offer is still to come
    RINGING = "ringing"  # theirs
    ACCEPTED = "accepted"  # theirs: the media describes our answer
    ANSWERED = "answered"  # theirs: our answer is out
    ACTIVE = "active"
    ENDING = "ending"  # our word to end it is out
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Call:
    """One call on this device."""

    id: CallId
    role: Role
    peer: str
    phase: Phase
    change: Negotiation
    nonce: str = ""  # ours
    ours: str = ""  # our first description
    theirs: str = ""  # their first description
    commitment: str = ""  # of the caller's nonce
    their_nonce: str = ""
    peer_device: DeviceId | None = None
    progress: Progress | None = None
    alerted: bool = False  # we said that we ring
    found: tuple[Candidate, ...] = ()  # our candidates
    found_all: bool = False
    heard: tuple[Candidate, ...] = ()  # theirs, before we may use them
    heard_all: bool = False
    connected: bool = False
    last_word: ClientMessage | None = None  # our hang-up or rejection, until the server confirms it
    over: events.Ended | None = None  # what the application was told

    def receive(self, event: object, now: int) -> "tuple[Call, tuple[CallEffect, ...]]":
        """The call after this input or server message, and what to do. Late ones change nothing."""
        step = TRANSITIONS[self.phase].get(type(event))
        return step(self, event, now) if step is not None else (self, ())

    def allows(self, kind: type) -> bool:
        """True if an input of this kind would do something now."""
        return kind in TRANSITIONS[self.phase]

    @property
    def media(self) -> tuple[Media, ...]:
        """What the call carries."""
        return self.change.media


Step = tuple[Call, tuple[CallEffect, ...]]


def place(call: CallId, to: str, media: tuple[Media, ...], nonce: str) -> Step:
    """Call somebody. `nonce`: 256 random bits, hex, never used before. The invite follows the offer."""
    placed = Call(call, Role.CALLER, to, Phase.PREPARING, Negotiation(media), nonce=nonce)
    return placed, (CreateOffer(call, media),)


def ring(incoming: messages.Incoming, now: int) -> Step:
    """Somebody calls: say that we have it, and tell the application."""
    call = awaited(incoming.call, incoming.peer, "", incoming.media)
    call = replace(
        call,
        phase=Phase.RINGING,
        theirs=incoming.sdp,
        commitment=incoming.commitment,
        peer_device=incoming.peer_device,
    )
    return call, (
        Send(messages.Delivered(call=call.id)),
        StartTimer(call.id, "ring", now + int(incoming.lifetime * SECOND) + GRACE),
        Tell(events.Rings(call.id, incoming.peer, incoming.peer_device, incoming.media)),
    )


def awaited(call: CallId, peer: str, nonce: str, media: tuple[Media, ...]) -> Call:
    """The call that survives glare, on the device whose own call it replaces."""
    return Call(call, Role.CALLEE, peer, Phase.AWAITED, Negotiation(media), nonce=nonce)


# Our own call


def send_invite(call: Call, event: inputs.OfferCreated, now: int) -> Step:
    """The description is ready: call."""
    call = replace(call, phase=Phase.CALLING, ours=event.sdp, commitment=commitment(call.nonce))
    effects = (StartTimer(call.id, "ring", now + INVITE + GRACE), Send(invite(call)), *trickled(call))
    return call, effects


def invite(call: Call) -> messages.Invite:
    """The invite; sent again after a broken link, it starts no second call."""
    return messages.Invite(
        call=call.id, to=call.peer, sdp=call.ours, media=call.media, commitment=call.commitment
    )


def progress(call: Call, event: messages.CallProgress, now: int) -> Step:
    """Only ever further: what comes again after a break is known."""
    order = list(Progress)
    if call.progress is not None and order.index(event.progress) <= order.index(call.progress):
        return call, ()
    return replace(call, progress=event.progress), (Tell(events.Progressed(call.id, event.progress)),)


def be_answered(call: Call, event: messages.Answered, now: int) -> Step:
    """Answered: take their description, open our commitment, talk."""
    call = replace(
        call,
        phase=Phase.ACTIVE,
        theirs=event.sdp,
        their_nonce=event.nonce,
        peer_device=event.peer_device,
    )
    return call, (
        StopTimer(call.id, "ring"),
        ApplyAnswer(call.id, event.sdp),
        StartMedia(call.id),
        Send(messages.SendReveal(call=call.id, nonce=call.nonce)),
        Tell(events.Answered(call.id, event.peer_device)),
        Tell(events.SafetyCode(call.id, safety_code(call.ours, event.sdp, call.nonce, event.nonce))),
    )


def reveal_again(call: Call, event: messages.Answered, now: int) -> Step:
    """The other side was not sure that we heard, so it may lack our nonce too."""
    if call.role is Role.CALLEE:
        return call, ()
    return call, (Send(messages.SendReveal(call=call.id, nonce=call.nonce)),)


# Their call


def alert(call: Call, event: inputs.Ring, now: int) -> Step:
    """It rings."""
    return replace(call, alerted=True), (Send(messages.Alerting(call=call.id)),)


def rung_again(call: Call, event: messages.Incoming, now: int) -> Step:
    """The server asks anew, after a break; or tells that our own call the other way has answered it."""
    if event.answer_now and call.nonce:
        return answer_now(call, event, now)
    said: list[CallEffect] = [Send(messages.Delivered(call=call.id))]
    if call.alerted:
        said.append(Send(messages.Alerting(call=call.id)))
    return call, tuple(said)


def accept(call: Call, event: inputs.Accept, now: int) -> Step:
    """The person answers: the media describes what it can do."""
    call = replace(call, phase=Phase.ACCEPTED, nonce=event.nonce)
    return call, (CreateAnswer(call.id, call.theirs, call.media), *use_heard(call))


def answer_now(call: Call, event: messages.Incoming, now: int) -> Step:
    """By glare: the person wanted to talk to this one, and called. The nonce is that call's."""
    call = replace(
        call,
        phase=Phase.ACCEPTED,
        theirs=event.sdp,
        commitment=event.commitment,
        peer_device=event.peer_device,
        change=Negotiation(event.media),
    )
    return call, (CreateAnswer(call.id, event.sdp, event.media), *use_heard(call))


def use_heard(call: Call) -> tuple[CallEffect, ...]:
    """Their candidates, kept until there was somewhere to put them."""
    if not call.heard and not call.heard_all:
        return ()
    return (AddCandidates(call.id, call.heard, call.heard_all),)


def send_answer(call: Call, event: inputs.AnswerCreated, now: int) -> Step:
    """Our answer is out; whether it is the one that counts, the server says."""
    call = replace(call, phase=Phase.ANSWERED, ours=event.sdp)
    return call, (
        StopTimer(call.id, "ring"),
        StartTimer(call.id, "answer", now + ANSWER + GRACE),
        Send(answer(call)),
        *trickled(call),
    )


def answer(call: Call) -> messages.Answer:
    """Our answer; said again it is the same."""
    return messages.Answer(call=call.id, sdp=call.ours, nonce=call.nonce)


def answer_again(call: Call, event: object, now: int) -> Step:
    """Asked anew, or not sure that we were heard."""
    return call, (Send(answer(call)), *trickled(call))


def be_selected(call: Call, event: messages.SelectAnswer, now: int) -> Step:
    """The call is ours: talk."""
    call = replace(call, phase=Phase.ACTIVE)
    return call, (
        StopTimer(call.id, "answer"),
        StartMedia(call.id),
        Tell(events.Answered(call.id, call.peer_device)),
    )


def selected_again(call: Call, event: messages.SelectAnswer, now: int) -> Step:
    """After a break: if no sound passes yet, our answer may never have arrived."""
    if call.connected or call.role is Role.CALLER:
        return call, ()
    return answer_again(call, event, now)


def be_revealed(call: Call, event: messages.Reveal, now: int) -> Step:
    """The caller opens its commitment. If it does not match, somebody may sit between: hang up."""
    if call.role is Role.CALLER or call.their_nonce == event.nonce:
        return call, ()
    if commitment(event.nonce) != call.commitment or call.their_nonce:
        hangup = messages.Hangup(call=call.id, reason=EndReason.MEDIA_FAILED)
        ended = events.Ended(call.id, EndReason.MEDIA_FAILED, Role.CALLEE, forged=True)
        call, effects = say_last_word(call, hangup, now)
        return replace(call, over=ended), (*effects, Tell(ended))
    code = safety_code(call.theirs, call.ours, event.nonce, call.nonce)
    return replace(call, their_nonce=event.nonce), (Tell(events.SafetyCode(call.id, code)),)


# Candidates


def find(call: Call, event: inputs.CandidatesFound, now: int) -> Step:
    """Kept until our description is out, and after it for as long as they may get lost."""
    room = MAX_CANDIDATES - len(call.found)
    new = tuple(candidate for candidate in event.candidates if candidate not in call.found)[:room]
    if not new and event.end <= call.found_all:
        return call, ()
    call = replace(call, found=call.found + new, found_all=call.found_all or event.end)
    if not call.ours:
        return call, ()
    return call, (Send(messages.SendCandidates(call=call.id, candidates=new, end=event.end)),)


def trickled(call: Call) -> tuple[CallEffect, ...]:
    """All our candidates so far, in one frame."""
    if not call.found and not call.found_all:
        return ()
    return (Send(messages.SendCandidates(call=call.id, candidates=call.found, end=call.found_all)),)


def keep(call: Call, event: messages.Candidates, now: int) -> Step:
    """Too early to use: the person has not answered."""
    known = call.heard + tuple(each for each in event.candidates if each not in call.heard)
    return replace(call, heard=known[:MAX_CANDIDATES], heard_all=call.heard_all or event.end), ()


def use(call: Call, event: messages.Candidates, now: int) -> Step:
    """For the media, which ignores what it has."""
    return call, (AddCandidates(call.id, event.candidates, event.end),)


# The end


def hang_up(call: Call, event: object, now: int) -> Step:
    """End it; before an answer of ours this declines theirs."""
    if call.phase is Phase.RINGING:
        return decline(call, inputs.Decline(), now)
    return say_last_word(call, messages.Hangup(call=call.id), now)


def decline(call: Call, event: inputs.Decline, now: int) -> Step:
    """Turn it down, on all devices of this person."""
    return say_last_word(call, messages.Reject(call=call.id, reason=event.reason), now)


def fail(call: Call, event: object, now: int) -> Step:
    """No sound can pass."""
    return say_last_word(call, messages.Hangup(call=call.id, reason=EndReason.MEDIA_FAILED), now)


def withdraw(call: Call, event: object, now: int) -> Step:
    """The server never heard of it, so it need not hear of its end."""
    reason = EndReason.CANCELLED if isinstance(event, inputs.HangUp) else EndReason.MEDIA_FAILED
    return finish(call, events.Ended(call.id, reason, Role.CALLER))


def say_last_word(call: Call, message: messages.Hangup | messages.Reject, now: int) -> Step:
    """Silence at once; how it ended is the server's to say, since somebody may have been quicker."""
    call = replace(call, phase=Phase.ENDING, last_word=message)
    stops = (StopTimer(call.id, "ring"), StopTimer(call.id, "answer"), StopTimer(call.id, "negotiate"))
    ending = StartTimer(call.id, "ending", now + ENDING)
    return call, (*stops, Send(message), StopMedia(call.id), ending)


def say_it_again(call: Call, event: object, now: int) -> Step:
    """It may have been lost with the link."""
    return call, (Send(call.last_word),) if call.last_word is not None else ()


def wait_no_longer(call: Call, event: inputs.TimedOut, now: int) -> Step:
    """The person need not wait for the server; our last word still does."""
    if event.timer != "ending" or call.over is not None:
        return call, ()
    ended = events.Ended(call.id, local_reason(call), call.role)
    return replace(call, over=ended), (Tell(ended),)


def local_reason(call: Call) -> EndReason:
    """What our last word means, if nobody was quicker."""
    if isinstance(call.last_word, messages.Reject | messages.Hangup):
        reason = call.last_word.reason
        cancelled = reason is EndReason.HANGUP and call.role is Role.CALLER and not call.theirs
        return EndReason.CANCELLED if cancelled else reason
    return EndReason.CONNECTION_LOST


def be_ended(call: Call, event: messages.Ended, now: int) -> Step:
    """The server's word on how it ended, the same for both sides."""
    return finish(call, events.Ended(call.id, event.reason, event.by, event.refusal))


def be_refused(call: Call, event: messages.Error, now: int) -> Step:
    """An error that ends a call: it could not be placed or answered, or the server forgot it."""
    if event.code in HARMLESS and not (call.phase is Phase.CALLING and call.progress is None):
        return call, ()
    if event.code is ErrorCode.UNKNOWN_CALL:
        known = call.phase is Phase.ENDING
        return finish(call, events.Ended(call.id, local_reason(call) if known else EndReason.UNKNOWN_CALL))
    if call.phase is Phase.CALLING and call.progress is None:
        return finish(call, events.Ended(call.id, EndReason.UNREACHABLE, error=event.code))
    return fail(call, event, now) if call.phase is Phase.ANSWERED else (call, ())


def run_out(call: Call, event: inputs.TimedOut, now: int) -> Step:
    """The server should have ended it by now: it is gone, or its word is lost."""
    if event.timer == "ring":
        reason = EndReason.NO_ANSWER
    elif event.timer == "answer":
        reason = EndReason.CONNECTION_LOST
    else:
        return call, ()
    call, effects = say_last_word(call, messages.Hangup(call=call.id), now)
    ended = events.Ended(call.id, reason)
    return replace(call, over=ended), (*effects, Tell(ended))


def finish(call: Call, ended: events.Ended) -> Step:
    """Over for good, told once."""
    timers: tuple[inputs.Timer, ...] = ("ring", "answer", "negotiate", "ending")
    told = () if call.over is not None else (Tell(ended),)
    over = call.over or ended
    stops = tuple(StopTimer(call.id, timer) for timer in timers)
    return replace(call, phase=Phase.ENDED, over=over), (*stops, StopMedia(call.id), *told)


# The link


def invite_again(call: Call, event: object, now: int) -> Step:
    """The server may not have heard of it yet; if it has, this starts no second call."""
    return call, (Send(invite(call)), *trickled(call))


def ring_again(call: Call, event: inputs.Reconnected, now: int) -> Step:
    """Say again that we have it, and that we ring."""
    said: tuple[CallEffect, ...] = (Send(messages.Delivered(call=call.id)),)
    return call, (*said, Send(messages.Alerting(call=call.id))) if call.alerted else said


def talk_again(call: Call, event: inputs.Reconnected, now: int) -> Step:
    """Whatever the other side may lack."""
    effects: list[CallEffect] = []
    if not call.connected:
        if call.role is Role.CALLEE:
            effects.append(Send(answer(call)))
        effects.extend(trickled(call))
    if call.role is Role.CALLER:
        effects.append(Send(messages.SendReveal(call=call.id, nonce=call.nonce)))
    return call, (*effects, *negotiation.said_again(call.change))


def ask_how_it_ended(call: Call, event: inputs.Unlisted, now: int) -> Step:
    """The server holds no such call. It may still know how it ended: a hang-up is answered with that."""
    return say_last_word(call, messages.Hangup(call=call.id), now)


def lose_link(call: Call, event: inputs.LinkGone, now: int) -> Step:
    """There is no server any more to end it for us."""
    return finish(call, events.Ended(call.id, EndReason.CONNECTION_LOST))


def connect(call: Call, event: inputs.MediaConnected, now: int) -> Step:
    """Sound passes: our answer and candidates did their work."""
    return replace(call, connected=True), ()


# Changes


def renegotiate(call: Call, event: Any, now: int) -> Step:
    """Hold, resume, other media: see `negotiation`."""
    match event:
        case inputs.Change():
            change, effects = negotiation.wish(call.change, call.id, event)
        case inputs.OfferCreated():
            change, effects = negotiation.offer_created(call.change, call.id, event.sdp, now)
        case inputs.AnswerCreated():
            change, effects = negotiation.answer_created(call.change, call.id, event.sdp)
        case inputs.DescriptionFailed():
            change, effects = negotiation.failed(call.change, call.id)
        case inputs.TimedOut(timer="negotiate"):
            change, effects = negotiation.declined(call.change, call.id)
        case messages.Negotiate():
            change, effects = negotiation.received(call.change, event)
        case _:
            return call, ()
    return replace(call, change=change), effects


LIFE: dict[type, Callable[[Call, Any, int], Step]] = {
    inputs.HangUp: hang_up,
    inputs.MediaFailed: fail,
    inputs.DescriptionFailed: fail,
    inputs.TimedOut: run_out,
    inputs.LinkGone: lose_link,
    inputs.CandidatesFound: find,
    messages.Ended: be_ended,
    messages.Error: be_refused,
}

TRANSITIONS: dict[Phase, dict[type, Callable[[Call, Any, int], Step]]] = {
    Phase.PREPARING: {
        inputs.OfferCreated: send_invite,
        inputs.CandidatesFound: find,
        inputs.HangUp: withdraw,
        inputs.MediaFailed: withdraw,
        inputs.DescriptionFailed: withdraw,
        inputs.LinkGone: lose_link,
    },
    Phase.CALLING: LIFE
    | {
        inputs.Reconnected: invite_again,
        inputs.Unlisted: invite_again,
        messages.CallProgress: progress,
        messages.Answered: be_answered,
    },
    Phase.AWAITED: LIFE
    | {
        inputs.Unlisted: ask_how_it_ended,
        messages.Incoming: answer_now,
        messages.Candidates: keep,
    },
    Phase.RINGING: LIFE
    | {
        inputs.Ring: alert,
        inputs.Accept: accept,
        inputs.Decline: decline,
        inputs.Reconnected: ring_again,
        inputs.Unlisted: ask_how_it_ended,
        messages.Incoming: rung_again,
        messages.Candidates: keep,
    },
    Phase.ACCEPTED: LIFE
    | {
        inputs.AnswerCreated: send_answer,
        inputs.Unlisted: ask_how_it_ended,
        messages.Candidates: use,
    },
    Phase.ANSWERED: LIFE
    | {
        inputs.MediaConnected: connect,
        inputs.Reconnected: answer_again,
        inputs.Unlisted: ask_how_it_ended,
        messages.Incoming: answer_again,
        messages.Candidates: use,
        messages.SelectAnswer: be_selected,
    },
    Phase.ACTIVE: LIFE
    | {
        inputs.Change: renegotiate,
        inputs.OfferCreated: renegotiate,
        inputs.AnswerCreated: renegotiate,
        inputs.DescriptionFailed: renegotiate,
        inputs.TimedOut: renegotiate,
        inputs.MediaConnected: connect,
        inputs.Reconnected: talk_again,
        inputs.Unlisted: ask_how_it_ended,
        messages.Answered: reveal_again,
        messages.SelectAnswer: selected_again,
        messages.Candidates: use,
        messages.Reveal: be_revealed,
        messages.Negotiate: renegotiate,
    },
    Phase.ENDING: {
        inputs.TimedOut: wait_no_longer,
        inputs.Reconnected: say_it_again,
        inputs.Unlisted: say_it_again,
        inputs.LinkGone: lose_link,
        messages.Incoming: say_it_again,
        messages.Answered: say_it_again,
        messages.SelectAnswer: say_it_again,
        messages.Ended: be_ended,
        messages.Error: be_refused,
    },
    Phase.ENDED: {},
}
