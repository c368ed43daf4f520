"""Hold, resume and other media: one change at a time, and both ends come to the same."""

import pytest

from tests.core.people import AUDIO, CHANGE, FOUND, HOLD, ID, OFFERED, call_in, told
from tests.core.people import sent as every_frame
from wephone.core import effects as out
from wephone.core import inputs
from wephone.core.events import Changed, ChangeDeclined
from wephone.core.inputs import Change
from wephone.core.negotiation import (
    Negotiation,
    answer_created,
    declined,
    failed,
    offer_created,
    received,
    said_again,
    wish,
)
from wephone.protocol.messages import Candidate, Media, Negotiate, Role, SendCandidates, SendNegotiate

BOTH = (Media.AUDIO, Media.VIDEO)


def as_heard(message: SendNegotiate) -> Negotiate:
    """What the other side hears of it."""
    return Negotiate.model_validate(message.model_dump(exclude={"ref"}))


def sent(effects: tuple[out.CallEffect, ...]) -> list[SendNegotiate]:
    """The frames among the effects."""
    messages = (effect.message for effect in effects if isinstance(effect, out.Send))
    return [message for message in messages if isinstance(message, SendNegotiate)]


def offering(change: Change, state: Negotiation | None = None) -> tuple[Negotiation, SendNegotiate]:
    """A side that has offered this change."""
    state, _ = wish(state or Negotiation(AUDIO), ID, change)
    state, effects = offer_created(state, ID, "offer", 0)
    return state, sent(effects)[0]


def answering(state: Negotiation, offer: SendNegotiate) -> tuple[Negotiation, SendNegotiate]:
    """A side that has answered this offer."""
    state, effects = received(state, as_heard(offer))
    assert any(isinstance(effect, out.CreateAnswer) for effect in effects)
    state, effects = answer_created(state, ID, "answer")
    return state, sent(effects)[0]


def changed(ours: Negotiation, theirs: Negotiation, change: Change) -> tuple[Negotiation, Negotiation]:
    """Both sides after one change of ours, over a good wire."""
    ours, offer = offering(change, ours)
    theirs, answer = answering(theirs, offer)
    ours, _ = received(ours, as_heard(answer))
    return ours, theirs


def test_hold_and_resume_are_known_on_both_sides() -> None:
    ours, theirs = changed(Negotiation(AUDIO), Negotiation(AUDIO), Change(AUDIO, hold=True))
    assert (ours.held_here, ours.held_there) == (True, False)
    assert (theirs.held_here, theirs.held_there) == (False, True)
    theirs, ours = changed(theirs, ours, Change(AUDIO, hold=True))
    assert ours.held_here and ours.held_there
    ours, theirs = changed(ours, theirs, Change(AUDIO, hold=False))
    assert (theirs.held_here, theirs.held_there) == (True, False)
    assert (ours.held_here, ours.held_there) == (False, True)


def test_video_is_added_for_both() -> None:
    ours, theirs = changed(Negotiation(AUDIO), Negotiation(AUDIO), Change(BOTH))
    assert ours.media == theirs.media == BOTH
    assert ours.wish is None


def test_of_two_offers_that_cross_both_happen_one_after_the_other() -> None:
    first, first_offer = offering(Change(AUDIO, hold=True))
    second, _ = offering(Change(BOTH))
    second, effects = received(second, as_heard(first_offer))  # the server took the first
    assert out.RollBack(ID) in effects
    second, effects = answer_created(second, ID, "answer")
    assert out.CreateOffer(ID, BOTH, False) in effects  # and now ours
    first, _ = received(first, as_heard(sent(effects)[0]))
    second, effects = offer_created(second, ID, "offer again", 0)
    first, answer = answering(first, sent(effects)[0])
    second, _ = received(second, as_heard(answer))
    assert first.media == second.media == BOTH
    assert first.held_here and second.held_there


def test_a_wish_waits_for_the_change_that_runs_and_the_last_wish_counts() -> None:
    ours, offer = offering(Change(AUDIO, hold=True))
    ours, effects = wish(ours, ID, Change(BOTH))
    assert effects == ()
    _, answer = answering(Negotiation(AUDIO), offer)
    _, effects = received(ours, as_heard(answer))
    assert out.CreateOffer(ID, BOTH, False) in effects


def test_an_answer_to_an_offer_that_is_settled_changes_nothing() -> None:
    ours, offer = offering(Change(AUDIO, hold=True))
    _, answer = answering(Negotiation(AUDIO), offer)
    ours, _ = declined(ours, ID)
    assert received(ours, as_heard(answer)) == (ours, ())
    again, offer = offering(Change(BOTH), ours)
    assert offer.round == 2
    assert received(again, as_heard(answer)) == (again, ())


def test_what_is_declined_is_as_before() -> None:
    ours, offer = offering(Change(BOTH, hold=True))
    theirs, _ = received(Negotiation(AUDIO), as_heard(offer))
    theirs, effects = failed(theirs, ID)
    [no] = sent(effects)
    assert no.kind == "decline"
    ours, effects = received(ours, as_heard(no))
    assert told(effects) == [ChangeDeclined(ID)]
    assert out.RollBack(ID) in effects
    assert ours.media == theirs.media == AUDIO
    assert not ours.held_here


def test_an_offer_that_comes_again_is_answered_the_same_and_told_once() -> None:
    _, offer = offering(Change(AUDIO, hold=True))
    theirs, answer = answering(Negotiation(AUDIO), offer)
    again, effects = received(theirs, as_heard(offer))
    assert again == theirs
    assert effects == (out.Send(answer),)


def test_a_repeated_offer_while_it_is_being_answered_is_not_answered_twice() -> None:
    _, offer = offering(Change(BOTH))
    theirs, _ = received(Negotiation(AUDIO), as_heard(offer))
    assert received(theirs, as_heard(offer)) == (theirs, ())


def test_after_a_break_what_may_be_lost_is_said_again() -> None:
    ours, offer = offering(Change(BOTH))
    theirs, answer = answering(Negotiation(AUDIO), offer)
    assert said_again(ours) == (out.Send(offer),)
    assert said_again(theirs) == (out.Send(answer),)
    assert said_again(Negotiation(AUDIO)) == ()


def test_media_that_cannot_describe_a_wish_give_it_up() -> None:
    ours, _ = wish(Negotiation(AUDIO), ID, Change(BOTH))
    ours, effects = failed(ours, ID)
    assert told(effects) == [ChangeDeclined(ID)]
    assert offer_created(ours, ID, "late", 0) == (ours, ())


def test_the_application_hears_of_each_change_once() -> None:
    ours, offer = offering(Change(BOTH, hold=True))
    theirs, _ = received(Negotiation(AUDIO), as_heard(offer))
    theirs, effects = answer_created(theirs, ID, "answer")
    assert told(effects) == [Changed(ID, BOTH, held_here=False, held_there=True)]
    _, effects = received(ours, as_heard(sent(effects)[0]))
    assert told(effects) == [Changed(ID, BOTH, held_here=True, held_there=False)]
    assert answer_created(theirs, ID, "late") == (theirs, ())


@pytest.mark.parametrize("role", [Role.CALLER, Role.CALLEE])
def test_candidates_of_a_change_that_may_be_lost_are_said_again_without_those_of_before(role: Role) -> None:
    now = (Candidate(candidate="candidate:2"),)
    call = call_in(role, "active")
    for event in (
        inputs.CandidatesFound(FOUND, end=True),
        inputs.MediaConnected(),
        *((HOLD, OFFERED) if role is Role.CALLER else (CHANGE, inputs.AnswerCreated("answer"))),
        inputs.CandidatesFound(now, end=True),
    ):
        call, _ = call.receive(event, 0)
    _, effects = call.receive(inputs.Reconnected(), 0)
    *_, change, found = every_frame(effects)
    assert isinstance(change, SendNegotiate)
    assert found == SendCandidates(call=ID, candidates=now, end=True)


def test_a_connected_call_without_a_change_says_its_candidates_no_more() -> None:
    call = call_in(Role.CALLER, "active")
    for event in (inputs.CandidatesFound(FOUND, end=True), inputs.MediaConnected()):
        call, _ = call.receive(event, 0)
    _, effects = call.receive(inputs.Reconnected(), 0)
    assert not [frame for frame in every_frame(effects) if isinstance(frame, SendCandidates)]


def test_a_call_may_change_its_network_as_often_as_it_likes() -> None:
    call = call_in(Role.CALLER, "active")
    call, _ = call.receive(inputs.MediaConnected(), 0)
    for number in range(1, 11):
        ways = tuple(Candidate(candidate=f"candidate:{number} {way}") for way in range(12))
        for event in (HOLD, OFFERED):
            call, _ = call.receive(event, 0)
        call, effects = call.receive(inputs.CandidatesFound(ways), 0)
        assert every_frame(effects) == [SendCandidates(call=ID, candidates=ways)]
        answer = Negotiate(call=ID, kind="answer", round=number, sdp="changed", hold=False)
        call, _ = call.receive(answer, 0)
