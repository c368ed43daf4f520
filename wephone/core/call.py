"""The client's half of one call: a value, told what happened, that says what to do.

It drops what is late or repeated, says again after a broken link what may have been lost, and has clocks
of its own, so that no call rings for ever though the server is gone. Times are monotonic nanoseconds.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

from wephone.core import events, inputs, negotiation
from wephone.core.effects import (
    AddCandidates,
    ApplyAnswer,
    CallEffect,
    CreateAnswer,
    CreateOffer,
    HearEarly,
    Send,
    StartMedia,
    StartTimer,
    StopTimer,
    Tell,
)
from wephone.core.ending import (
    announce,
    ask_how_it_ended,
    be_ended,
    be_refused,
    decline,
    fail,
    hang_up,
    lose_link,
    run_out,
    say_it_again,
    say_last_word,
    take_back,
    wait_no_longer,
    withdraw,
)
from wephone.core.negotiation import Negotiation
from wephone.core.safety import commitment, safety_code
from wephone.core.state import (
    ANSWER,
    GRACE,
    INVITE,
    SECOND,
    CallState,
    Phase,
    Step,
    answer,
    invite,
    trickled,
)
from wephone.protocol import messages
from wephone.protocol.ids import CallId, Peer
from wephone.protocol.messages import MAX_CANDIDATES, Media, Progress, Role
from wephone.protocol.reasons import EndReason

__all__ = ["TRANSITIONS", "Call", "Phase", "awaited", "place", "ring"]


@dataclass(frozen=True, slots=True)
class Call(CallState):
    """One call on this device, from the wish to call or the first ring to its end."""

    def receive(self, event: object, now: int) -> "tuple[Call, tuple[CallEffect, ...]]":
        """The call after this input or server message, and what to do. Late ones change nothing."""
        step = TRANSITIONS[self.phase].get(type(event))
        if step is None:
            return self, ()
        call, effects = step(self, event, now)
        return cast(Call, call), effects

    def allows(self, kind: type) -> bool:
        """True if an input of this kind would do something now."""
        return kind in TRANSITIONS[self.phase]


def place(
    call: CallId, to: str, media: tuple[Media, ...], nonce: str, replaces: CallId | None = None
) -> tuple[Call, tuple[CallEffect, ...]]:
    """Call somebody. `nonce`: 256 random bits, hex, never used before. The invite follows the offer.

    `replaces`: a call of ours, whose other side has asked for this one.
    """
    change = Negotiation(media)
    placed = Call(call, Role.CALLER, to, Phase.PREPARING, change, replaces=replaces, nonce=nonce)
    return placed, (CreateOffer(call, media),)


def ring(incoming: messages.Incoming, now: int) -> tuple[Call, tuple[CallEffect, ...]]:
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
        Tell(rings(incoming)),
    )


def rings(incoming: messages.Incoming) -> events.Rings:
    """Who calls, and for whom, or in whose place."""
    return events.Rings(
        incoming.call,
        incoming.peer,
        incoming.peer_device,
        incoming.media,
        incoming.forwarded_by,
        incoming.replaces,
    )


def awaited(call: CallId, peer: str, nonce: str, media: tuple[Media, ...]) -> Call:
    """The call that survives glare, on the device whose own call it replaces."""
    return Call(call, Role.CALLEE, peer, Phase.AWAITED, Negotiation(media), nonce=nonce)


# Our own call


def send_invite(call: CallState, event: inputs.OfferCreated, now: int) -> Step:
    """The description is ready: call."""
    call = replace(call, phase=Phase.CALLING, ours=event.sdp, commitment=commitment(call.nonce))
    effects = (StartTimer(call.id, "ring", now + INVITE + GRACE), Send(invite(call)), *trickled(call))
    return call, effects


def progress(call: CallState, event: messages.CallProgress, now: int) -> Step:
    """Only ever further: what comes again after a break is known. With somebody else it begins anew."""
    if event.forwarded_to not in (None, call.forwarded_to):
        return go_on(call, event.forwarded_to, event.progress, now)
    order = list(Progress)
    if call.progress is not None and order.index(event.progress) <= order.index(call.progress):
        return call, ()
    return replace(call, progress=event.progress), (Tell(events.Progressed(call.id, event.progress)),)


def go_on(call: CallState, to: Peer, progress: Progress, now: int) -> Step:
    """Forwarded: it rings somewhere else now, for as long as a call may."""
    return replace(call, progress=progress, forwarded_to=to), (
        StartTimer(call.id, "ring", now + INVITE + GRACE),
        Tell(events.Forwarded(call.id, to)),
        Tell(events.Progressed(call.id, progress)),
    )


def hear_early(call: CallState, event: messages.Early, now: int) -> Step:
    """A telephone network speaks before the answer, or a refusal is told: listen. What comes again after a
    break is known.

    Whose call was handed over talks in that one until this one is answered.
    """
    if call.early or call.replaces is not None:
        return call, ()
    call = replace(call, early=event.sdp)
    return call, (HearEarly(call.id, event.sdp), Tell(events.EarlySound(call.id, event.refusal)))


def be_answered(call: CallState, event: messages.Answered, now: int) -> Step:
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


def reveal_again(call: CallState, event: messages.Answered, now: int) -> Step:
    """The other side was not sure that we heard, so it may lack our nonce too."""
    if call.role is Role.CALLEE:
        return call, ()
    return call, (Send(messages.SendReveal(call=call.id, nonce=call.nonce)),)


# Their call


def alert(call: CallState, event: inputs.Ring, now: int) -> Step:
    """It rings."""
    return replace(call, alerted=True), (Send(messages.Alerting(call=call.id)),)


def rung_again(call: CallState, event: messages.Incoming, now: int) -> Step:
    """The server asks anew, after a break; or tells that our own call the other way has answered it."""
    if event.answer_now and call.nonce:
        return answer_now(call, event, now)
    said: list[CallEffect] = [Send(messages.Delivered(call=call.id))]
    if call.alerted:
        said.append(Send(messages.Alerting(call=call.id)))
    return call, tuple(said)


def accept(call: CallState, event: inputs.Accept, now: int) -> Step:
    """The person answers: the media describes what it can do."""
    call = replace(call, phase=Phase.ACCEPTED, nonce=event.nonce)
    return call, (CreateAnswer(call.id, call.theirs, call.media), *use_heard(call))


def answer_now(call: CallState, event: messages.Incoming, now: int) -> Step:
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


def use_heard(call: CallState) -> tuple[CallEffect, ...]:
    """Their candidates, kept until there was somewhere to put them."""
    if not call.heard and not call.heard_all:
        return ()
    return (AddCandidates(call.id, call.heard, call.heard_all),)


def send_answer(call: CallState, event: inputs.AnswerCreated, now: int) -> Step:
    """Our answer is out; whether it is the one that counts, the server says."""
    call = replace(call, phase=Phase.ANSWERED, ours=event.sdp)
    return call, (
        StopTimer(call.id, "ring"),
        StartTimer(call.id, "answer", now + ANSWER + GRACE),
        Send(answer(call)),
        *trickled(call),
    )


def answer_again(call: CallState, event: object, now: int) -> Step:
    """Asked anew, or not sure that we were heard."""
    return call, (Send(answer(call)), *trickled(call))


def be_selected(call: CallState, event: messages.SelectAnswer, now: int) -> Step:
    """The call is ours: talk."""
    call = replace(call, phase=Phase.ACTIVE)
    return call, (
        StopTimer(call.id, "answer"),
        StartMedia(call.id),
        Tell(events.Answered(call.id, call.peer_device)),
    )


def selected_again(call: CallState, event: messages.SelectAnswer, now: int) -> Step:
    """After a break: if no sound passes yet, our answer may never have arrived."""
    if call.connected or call.role is Role.CALLER:
        return call, ()
    return answer_again(call, event, now)


def be_revealed(call: CallState, event: messages.Reveal, now: int) -> Step:
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


def find(call: CallState, event: inputs.CandidatesFound, now: int) -> Step:
    """Kept until our description is out, and after it for as long as they may get lost."""
    room = MAX_CANDIDATES - len(call.found)
    new = tuple(candidate for candidate in event.candidates if candidate not in call.found)[:room]
    if not new and event.end <= call.found_all:
        return call, ()
    call = replace(call, found=call.found + new, found_all=call.found_all or event.end)
    if not call.ours:
        return call, ()
    return call, (Send(messages.SendCandidates(call=call.id, candidates=new, end=event.end)),)


def recounted(call: CallState) -> CallState:
    """A new description of ours, which may restart ICE, starts a new count of candidates, as at the server.

    Until sound passes, those of the one before may still be needed.
    """
    return replace(call, found=(), found_all=False) if call.connected else call


def keep(call: CallState, event: messages.Candidates, now: int) -> Step:
    """Too early to use: the person has not answered."""
    known = call.heard + tuple(each for each in event.candidates if each not in call.heard)
    return replace(call, heard=known[:MAX_CANDIDATES], heard_all=call.heard_all or event.end), ()


def use(call: CallState, event: messages.Candidates, now: int) -> Step:
    """For the media, which ignores what it has."""
    return call, (AddCandidates(call.id, event.candidates, event.end),)


def use_early(call: CallState, event: messages.Candidates, now: int) -> Step:
    """Of whoever is heard before the answer; with the answer they come again."""
    return use(call, event, now) if call.early else (call, ())


# The link


def invite_again(call: CallState, event: object, now: int) -> Step:
    """The server may not have heard of it yet; if it has, this starts no second call."""
    return call, (Send(invite(call)), *trickled(call))


def ring_again(call: CallState, event: inputs.Reconnected, now: int) -> Step:
    """Say again that we have it, and that we ring."""
    said: tuple[CallEffect, ...] = (Send(messages.Delivered(call=call.id)),)
    return call, (*said, Send(messages.Alerting(call=call.id))) if call.alerted else said


def talk_again(call: CallState, event: inputs.Reconnected, now: int) -> Step:
    """Whatever the other side may lack."""
    effects: list[CallEffect] = []
    if not call.connected and call.role is Role.CALLEE:
        effects.append(Send(answer(call)))
    if call.role is Role.CALLER:
        effects.append(Send(messages.SendReveal(call=call.id, nonce=call.nonce)))
    changed = negotiation.said_again(call.change)
    found = trickled(call) if changed or not call.connected else ()
    return call, (*effects, *changed, *found)


def connect(call: CallState, event: inputs.MediaConnected, now: int) -> Step:
    """Sound passes: our answer and candidates did their work."""
    return replace(call, connected=True), ()


# Handing over


def hand_over(call: CallState, event: inputs.Transfer, now: int) -> Step:
    """The server asks the other side to call somebody else."""
    transfer = messages.SendTransfer(call=call.id, to=event.to, to_call=event.to_call)
    return replace(call, handing_over=True), (Send(transfer),)


def be_handed_over(call: CallState, event: messages.Transfer, now: int) -> Step:
    """It is for the application to call them."""
    return call, (Tell(events.Transferred(call.id, event.to)),)


def keep_on(call: CallState, event: messages.TransferFailed, now: int) -> Step:
    """They were not reached."""
    failed = events.TransferFailed(call.id, event.reason, event.refusal)
    return replace(call, handing_over=False), (Tell(failed),)


# Changes


def renegotiate(call: CallState, event: Any, now: int) -> Step:
    """Hold, resume, other media: see `negotiation`."""
    match event:
        case inputs.Change():
            change, effects = negotiation.wish(call.change, call.id, event)
        case inputs.OfferCreated():
            call = recounted(call)
            change, effects = negotiation.offer_created(call.change, call.id, event.sdp, now)
        case inputs.AnswerCreated():
            call = recounted(call)
            change, effects = negotiation.answer_created(call.change, call.id, event.sdp)
        case inputs.DescriptionFailed():
            change, effects = negotiation.failed(call.change, call.id)
        case inputs.TimedOut(timer="negotiate"):
            change, effects = negotiation.declined(call.change, call.id)
        case inputs.TimedOut(timer="notice"):
            return run_out(call, event, now)
        case messages.Negotiate():
            change, effects = negotiation.received(call.change, event)
        case _:
            return call, ()
    return replace(call, change=change), effects


LIFE: dict[type, Callable[[CallState, Any, int], Step]] = {
    inputs.HangUp: hang_up,
    inputs.MediaFailed: fail,
    inputs.DescriptionFailed: fail,
    inputs.TimedOut: run_out,
    inputs.LinkGone: lose_link,
    inputs.CandidatesFound: find,
    messages.Ended: be_ended,
    messages.Error: be_refused,
}

# Of an answered call; after a break a device may hear of its notice before it hears of the answer.
NOTICE: dict[type, Callable[[CallState, Any, int], Step]] = {
    messages.Ending: announce,
    messages.EndingCancelled: take_back,
}

TRANSITIONS: dict[Phase, dict[type, Callable[[CallState, Any, int], Step]]] = {
    Phase.PREPARING: {
        inputs.OfferCreated: send_invite,
        inputs.CandidatesFound: find,
        inputs.HangUp: withdraw,
        inputs.MediaFailed: withdraw,
        inputs.DescriptionFailed: withdraw,
        inputs.LinkGone: lose_link,
    },
    Phase.CALLING: LIFE
    | NOTICE
    | {
        inputs.Reconnected: invite_again,
        inputs.Unlisted: invite_again,
        inputs.MediaConnected: connect,
        messages.CallProgress: progress,
        messages.Early: hear_early,
        messages.Candidates: use_early,
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
    | NOTICE
    | {
        inputs.MediaConnected: connect,
        inputs.Reconnected: answer_again,
        inputs.Unlisted: ask_how_it_ended,
        messages.Incoming: answer_again,
        messages.Candidates: use,
        messages.SelectAnswer: be_selected,
    },
    Phase.ACTIVE: LIFE
    | NOTICE
    | {
        inputs.Change: renegotiate,
        inputs.Transfer: hand_over,
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
        messages.Transfer: be_handed_over,
        messages.TransferFailed: keep_on,
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
