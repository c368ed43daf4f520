"""Steps of an answered call, and the candidates of any call."""

from dataclasses import replace

from licensing.instant import Instant
from signaling.core.branch import NOTHING, Answer, Branches, Negotiation, Outcome, Standing, with_branch
from signaling.core.effects import AskChange, Effect, RecordCourse, Send, StartTimer, StopTimer
from signaling.core.events import (
    Answered,
    AnswerRecorded,
    CandidatesFound,
    ChangeAllowed,
    ChangeRefused,
    Cut,
    HungUp,
    Negotiated,
    Returned,
    Revealed,
)
from signaling.core.party import Party
from signaling.core.ringing import dismiss, party
from signaling.core.sdp import carried
from signaling.core.state import NEGOTIATE, CallState, Step, complaint, end
from signaling.core.table import Phase
from wephone.protocol import messages
from wephone.protocol.messages import Ended, Refusal, Role, SelectAnswer
from wephone.protocol.reasons import EndReason, ErrorCode


def activate(call: CallState, event: AnswerRecorded, now: Instant) -> Step:
    """The answer is durable, so it counts: the caller hears it, the winner may talk, the others stop."""
    winner = call.winner
    assert winner is not None
    others = [to for to in call.invited() if to != winner]
    branches = tuple(
        branch
        if branch.device == call.selected or branch.told
        else replace(branch, standing=Standing.TOLD, told=EndReason.ANSWERED_ELSEWHERE, trickle=NOTHING)
        for branch in call.branches
    )
    stops = tuple(StopTimer(timer) for timer in call.timers)
    call = replace(call, phase=Phase.ACTIVE, offer="", early=None, branches=branches, timers=())
    elsewhere = Ended(call=call.id, reason=EndReason.ANSWERED_ELSEWHERE, by=Role.CALLEE)
    return call, (
        *stops,
        *answer_for_caller(call),
        Send(winner, SelectAnswer(call=call.id)),
        *(Send(to, elsewhere) for to in others),
    )


def answer_for_caller(call: CallState) -> tuple[Effect, ...]:
    """The winner's answer and the candidates it found so far; nothing if a restart forgot them."""
    if call.answer is None or call.selected is None:
        return ()
    answered = messages.Answered(
        call=call.id, peer_device=call.selected, sdp=call.answer.sdp, nonce=call.answer.nonce
    )
    branch = call.branch(call.selected)
    candidates = branch.trickle.message(call.id) if branch else None
    return (Send(call.caller, answered), *([Send(call.caller, candidates)] if candidates else []))


def answer_again(call: CallState, event: Answered, now: Instant) -> Step:
    """From the winner: it was not sure that we heard, and after a restart we had forgotten."""
    if not call.is_between(event.by):
        return dismiss(call, event, now)
    answer = Answer(event.sdp, event.nonce)
    if call.answer not in (None, answer):
        return complaint(call, event.by, ErrorCode.OUT_OF_PLACE)
    if call.phase is not Phase.ACTIVE:
        return call, ()
    call = replace(call, answer=answer)
    return call, answer_for_caller(call)


def hang_up(call: CallState, event: HungUp, now: Instant) -> Step:
    """Either of the two ends it, for both."""
    if not call.is_between(event.by):
        return dismiss(call, event, now)
    return end(call, Outcome(event.reason, party(call, event.by)), now)


def cut(call: CallState, event: Cut, now: Instant) -> Step:
    """The operator ends it, as neither of the two did."""
    return end(call, Outcome(EndReason.HANGUP), now)


def reveal(call: CallState, event: Revealed, now: Instant) -> Step:
    """The caller opens its commitment; kept for a winner that comes back without its session."""
    assert call.winner is not None
    revealed = messages.Reveal(call=call.id, nonce=event.nonce)
    return replace(call, nonce=event.nonce), (Send(call.winner, revealed),)


def catch_up_talking(call: CallState, event: Returned, now: Instant) -> Step:
    """All that the other side has said and this device may have missed, in its order."""
    if not call.is_between(event.by):
        known = event.by.user == call.callee
        return dismiss(call, event, now) if known else complaint(call, event.by, ErrorCode.UNKNOWN_CALL)
    if event.by == call.caller:
        sends = answer_for_caller(call)
    else:
        candidates = call.trickle.message(call.id)
        said = [
            SelectAnswer(call=call.id),
            candidates,
            messages.Reveal(call=call.id, nonce=call.nonce) if call.nonce else None,
        ]
        sends = tuple(Send(event.by, message) for message in said if message is not None)
    last = call.negotiation
    if last is not None and last.offer is not None and last.by != event.by and not last.asking:
        sends = (*sends, Send(event.by, change(call, last.offer)))
    return call, sends


# Candidates


def pass_on(call: CallState, event: CandidatesFound, now: Instant) -> Step:
    """The caller's go to whoever has the call; the callee's wait for its answer (RFC 8826 §4.2.4).

    Those of a telephone network that speaks before it are the server's own, and go at once.
    """
    message = messages.Candidates(call=call.id, candidates=event.candidates, end=event.end)
    if event.by == call.caller:
        trickle = call.trickle.add(event)
        if trickle is None:
            return complaint(call, event.by, ErrorCode.TOO_MANY)
        return replace(call, trickle=trickle), tuple(Send(to, message) for to in listeners(call))
    branch = call.branch(event.by.device)
    if branch is None or branch.standing is not Standing.INVITED:
        return call, ()
    trickle = branch.trickle.add(event)
    if trickle is None:
        return complaint(call, event.by, ErrorCode.TOO_MANY)
    call = replace(call, branches=with_branch(call.branches, replace(branch, trickle=trickle)))
    heard = call.phase is Phase.ACTIVE or (call.early is not None and call.early.device == event.by.device)
    return call, (Send(call.caller, message),) if heard else ()


def listeners(call: CallState) -> tuple[Party, ...]:
    """Who hears the caller's candidates now; those who come later get them with the call."""
    if call.phase is Phase.ROUTING:
        return ()
    return call.invited() if call.winner is None else (call.winner,)


# Negotiation


def negotiate(call: CallState, event: Negotiated, now: Instant) -> Step:
    """One change at a time: the server decides which of two that cross comes first (RFC 3264 §4)."""
    if not call.is_between(event.by):
        return complaint(call, event.by, ErrorCode.OUT_OF_PLACE)
    return offer_change(call, event, now) if event.kind == "offer" else settle(call, event, now)


def offer_change(call: CallState, event: Negotiated, now: Instant) -> Step:
    """A new description starts a new count of candidates, since it may restart ICE.

    Other media make another call of it, which is for the gate to decide; one that winds down gets no more.
    """
    last = call.negotiation
    if last is not None and last.offer is not None:
        repeated = last.by == event.by and last.round == event.round and last.offer.sdp == event.sdp
        return (call, ()) if repeated else complaint(call, event.by, ErrorCode.NEGOTIATION_PENDING)
    if event.sdp is None:
        return complaint(call, event.by, ErrorCode.BAD_VALUE)
    event = replace(event, media=carried(event.sdp, event.media))
    if call.notice is not None and adds_media(call, event):
        return call, (decline(call, event, call.notice.refusal),)
    asking = call.notice is None and set(event.media) != set(call.media)
    call = recounted(call, event.by)
    call = replace(
        call,
        negotiation=Negotiation(event.by, event.round, event, asking),
        timers=(*call.timers, "negotiate"),
    )
    start = StartTimer("negotiate", now.after(NEGOTIATE))
    if asking:
        return call, (start, AskChange(call.id, event.by, event.round, event.media))
    return call, (start, Send(call.other(event.by), change(call, event)))


def adds_media(call: CallState, offer: Negotiated) -> bool:
    """Would the call carry more than it does?"""
    return not set(offer.media) <= set(call.media)


def allow_change(call: CallState, event: ChangeAllowed, now: Instant) -> Step:
    """The offer goes on its way, if it is still wanted."""
    last = call.negotiation
    if last is None or last.offer is None or (last.by, last.round) != (event.by, event.round):
        return call, ()
    call = replace(call, negotiation=replace(last, asking=False))
    return call, (Send(call.other(event.by), change(call, last.offer)),)


def refuse_change(call: CallState, event: ChangeRefused, now: Instant) -> Step:
    """The change is turned down with its reason; the call as it is goes on, for it is lawful."""
    last = call.negotiation
    if last is None or last.offer is None or (last.by, last.round) != (event.by, event.round):
        return call, ()
    call, stop = without_offer(call)
    return call, (stop, decline(call, last.offer, event.refusal))


def without_offer(call: CallState) -> tuple[CallState, StopTimer]:
    """The call, its pending change settled."""
    assert call.negotiation is not None
    timers = tuple(timer for timer in call.timers if timer != "negotiate")
    settled = replace(call.negotiation, offer=None, asking=False)
    return replace(call, negotiation=settled, timers=timers), StopTimer("negotiate")


def decline(call: CallState, offer: Negotiated, refusal: Refusal | None = None) -> Send:
    """Tell who offered it that it will not be."""
    no = messages.Negotiate(call=call.id, kind="decline", round=offer.round, refusal=refusal)
    return Send(offer.by, no)


def settle(call: CallState, event: Negotiated, now: Instant) -> Step:
    """An answer or a no finds its offer by the round; one that is late finds none."""
    last = call.negotiation
    if last is None or last.by == event.by or last.round != event.round or last.asking:
        return complaint(call, event.by, ErrorCode.OUT_OF_PLACE)
    if last.offer is None:
        return call, ()
    if event.kind == "answer":
        if event.sdp is None:
            return complaint(call, event.by, ErrorCode.BAD_VALUE)
        call = recounted(call, event.by)
    told = Send(last.by, change(call, event))
    call, stop = without_offer(call)
    if event.kind == "answer" and set(last.offer.media) != set(call.media):
        call = replace(call, media=last.offer.media)
        return call, (stop, told, course(call))
    return call, (stop, told)


def course(call: CallState) -> RecordCourse:
    """What a server that comes after this one has to know of the call besides who is in it."""
    return RecordCourse(call.id, call.media, None if call.notice is None else call.notice.deadline)


def give_up_negotiating(call: CallState) -> Step:
    """No answer to a change is a no."""
    last = call.negotiation
    if last is None or last.offer is None:
        return call, ()
    call, _ = without_offer(call)
    return call, (decline(call, last.offer),)


def change(call: CallState, event: Negotiated) -> messages.Negotiate:
    """The offer, answer or no as the other side receives it."""
    return messages.Negotiate(
        call=call.id, kind=event.kind, round=event.round, sdp=event.sdp, media=event.media, hold=event.hold
    )


def recounted(call: CallState, by: Party) -> CallState:
    """The call with this party's candidates of earlier descriptions forgotten."""
    if by == call.caller:
        return replace(call, trickle=NOTHING)
    branches: Branches = tuple(
        replace(branch, trickle=NOTHING) if branch.device == by.device else branch for branch in call.branches
    )
    return replace(call, branches=branches)
