"""Changes of a running call: hold, resume, other media. One at a time; the server says whose is first."""

from dataclasses import dataclass, replace

from wephone.core.effects import (
    ApplyAnswer,
    CallEffect,
    CreateAnswer,
    CreateOffer,
    RollBack,
    Send,
    StartTimer,
    StopTimer,
    Tell,
)
from wephone.core.events import Changed, ChangeDeclined
from wephone.core.inputs import Change
from wephone.protocol.ids import CallId
from wephone.protocol.messages import Media, Negotiate, Refusal, SendNegotiate

NEGOTIATE = 35_000_000_000  # ns: the server's 30 s, and time for its word to arrive


@dataclass(frozen=True, slots=True)
class Negotiation:
    """What the call carries, what we wish it to, and who waits for whom."""

    media: tuple[Media, ...]
    held_here: bool = False
    held_there: bool = False
    round: int = 0  # of our last offer
    wish: Change | None = None
    creating: bool = False  # the media is describing our wish
    offered: SendNegotiate | None = None  # ours, not yet answered
    answering: Negotiate | None = None  # theirs, which the media is answering
    answered: SendNegotiate | None = None  # our last answer, said again after a broken link


Step = tuple[Negotiation, tuple[CallEffect, ...]]


def wish(state: Negotiation, call: CallId, change: Change) -> Step:
    """Offer this change now, or as soon as the one that runs is settled."""
    state = replace(state, wish=change)
    return (state, ()) if state.offered or state.creating or state.answering else begin(state, call)


def begin(state: Negotiation, call: CallId) -> Step:
    """Turn to our wish, if there is one."""
    if state.wish is None:
        return state, ()
    return replace(state, creating=True), (CreateOffer(call, state.wish.media, state.wish.hold),)


def offer_created(state: Negotiation, call: CallId, sdp: str, now: int) -> Step:
    """Our description is ready; unless their offer came first and it is no longer wanted."""
    if not state.creating or state.wish is None:
        return state, ()
    number = state.round + 1
    offered = SendNegotiate(
        call=call, kind="offer", round=number, sdp=sdp, media=state.wish.media, hold=state.wish.hold
    )
    state = replace(state, creating=False, round=number, offered=offered)
    return state, (StartTimer(call, "negotiate", now + NEGOTIATE), Send(offered))


def received(state: Negotiation, message: Negotiate) -> Step:
    """Their offer, or their word on ours."""
    if message.kind == "offer":
        return received_offer(state, message)
    call, ours = message.call, state.offered
    if ours is None or ours.round != message.round:
        return state, ()  # late: that offer is settled
    if message.kind == "decline" or message.sdp is None:
        return declined(state, call, message.refusal)
    wanted = Change(ours.media, ours.hold)
    state = replace(
        state,
        media=ours.media,
        held_here=ours.hold,
        held_there=message.hold,
        offered=None,
        wish=None if state.wish == wanted else state.wish,
    )
    state, effects = then_begin(state, call, changed(state, call))
    return state, (StopTimer(call, "negotiate"), ApplyAnswer(call, message.sdp), *effects)


def received_offer(state: Negotiation, message: Negotiate) -> Step:
    """Theirs reached the server first if ours waits: take ours back, answer, and offer ours after."""
    call, last = message.call, state.answered
    if state.answering is not None or message.sdp is None:
        return state, ()
    if last is not None and last.round == message.round and message.round > 0:
        return state, (Send(last),)
    effects: tuple[CallEffect, ...] = ()
    if state.offered is not None or state.creating:
        effects = (StopTimer(call, "negotiate"), RollBack(call))
    state = replace(state, offered=None, creating=False, answering=message)
    return state, (*effects, CreateAnswer(call, message.sdp, message.media, state.held_here))


def answer_created(state: Negotiation, call: CallId, sdp: str) -> Step:
    """What they offered is so from now on."""
    theirs = state.answering
    if theirs is None:
        return state, ()
    answered = SendNegotiate(
        call=call, kind="answer", round=theirs.round, sdp=sdp, media=theirs.media, hold=state.held_here
    )
    state = replace(state, answering=None, answered=answered, media=theirs.media, held_there=theirs.hold)
    return then_begin(state, call, (Send(answered), *changed(state, call)))


def failed(state: Negotiation, call: CallId) -> Step:
    """The media could not: decline theirs, or give up ours."""
    if state.answering is not None:
        no = SendNegotiate(call=call, kind="decline", round=state.answering.round)
        state = replace(state, answering=None, answered=no)
        return then_begin(state, call, (Send(no),))
    return declined(state, call)


def declined(state: Negotiation, call: CallId, refusal: Refusal | None = None) -> Step:
    """Ours will not be: as before."""
    if state.offered is None and not state.creating:
        return state, ()
    state = replace(state, offered=None, creating=False, wish=None)
    return state, (StopTimer(call, "negotiate"), RollBack(call), Tell(ChangeDeclined(call, refusal)))


def said_again(state: Negotiation) -> tuple[CallEffect, ...]:
    """What may have been lost with a link; the rounds tell the server what it knows already."""
    return tuple(Send(message) for message in (state.answered, state.offered) if message is not None)


def changed(state: Negotiation, call: CallId) -> tuple[CallEffect, ...]:
    """What the call carries now, for the application."""
    return (Tell(Changed(call, state.media, state.held_here, state.held_there)),)


def then_begin(state: Negotiation, call: CallId, effects: tuple[CallEffect, ...]) -> Step:
    """And now our own wish, if one waited."""
    state, more = begin(state, call)
    return state, (*effects, *more)
