"""The server's half of a call: what its clocks, its record and its memory do."""

from dataclasses import replace

import pytest

from licensing.instant import SECOND, Instant
from signaling.core import events
from signaling.core.call import Call, Phase, place, restored
from signaling.core.effects import Complain, RecordEnd, Send, StartTimer, StopTimer
from signaling.core.glare import glare
from signaling.core.party import Party
from signaling.core.state import INVITE, RING
from tests.signaling.core.collision import resolved
from tests.signaling.core.people import (
    ALICE,
    ANSWERED,
    BOB,
    CALLEE,
    CALLER,
    COMMITMENT,
    EVE,
    FOUND,
    ID,
    LAPTOP,
    NONCE,
    NOW,
    OTHER,
    OTHER_ID,
    PHONE,
    after,
    call_in,
    placed,
)
from wephone.protocol import messages
from wephone.protocol.ids import CallId
from wephone.protocol.messages import MAX_CANDIDATES, Candidate, Media
from wephone.protocol.reasons import EndReason, ErrorCode


def offer(by: Party, round: int, sdp: str = "v=0") -> events.Negotiated:
    """An offer to hold the call."""
    return events.Negotiated(by, "offer", sdp, (Media.AUDIO,), True, round)


def answer(by: Party, round: int) -> events.Negotiated:
    """The answer to it."""
    return events.Negotiated(by, "answer", "v=0", (Media.AUDIO,), False, round)


# Clocks


@pytest.mark.parametrize("at", [0, 10, 29, 31, 60, 89])
def test_it_rings_a_minute_from_the_first_ring_and_never_beyond_the_invite(at: int) -> None:
    now = Instant(at * SECOND, at * SECOND)
    call, effects = call_in(Phase.OFFERED).receive(events.Alerting(CALLEE), now)
    [timer] = [effect for effect in effects if isinstance(effect, StartTimer)]
    assert timer.deadline.mono_ns == min(INVITE, at * SECOND + RING)
    assert StopTimer("invite") in effects
    assert call.deadline == timer.deadline


def test_a_second_device_that_rings_does_not_prolong_it() -> None:
    call = call_in(Phase.ALERTING)
    assert call.receive(events.Alerting(OTHER), Instant(SECOND, SECOND)) == (call, ())


@pytest.mark.parametrize("phase", Phase)
def test_a_clock_that_was_stopped_too_late_changes_nothing(phase: Phase) -> None:
    call = call_in(phase)
    for timer in ("invite", "ring", "connect", "negotiate"):
        if timer not in call.timers:
            assert call.receive(events.TimedOut(timer), NOW) == (call, ())


# The record


@pytest.mark.parametrize(
    ("happened", "reason", "missed"),
    [
        (events.HungUp(CALLER), EndReason.CANCELLED, True),
        (events.TimedOut("ring"), EndReason.NO_ANSWER, True),
        (events.Rejected(CALLEE, EndReason.DECLINED), EndReason.DECLINED, False),
        (events.Rejected(CALLEE, EndReason.BUSY), EndReason.BUSY, True),
        (events.DeviceLost(CALLER), EndReason.CONNECTION_LOST, True),
        (events.LostGlare(OTHER_ID), EndReason.GLARE, False),
    ],
)
def test_one_record_says_how_a_ringing_call_ended_and_whether_it_was_missed(
    happened: events.Event, reason: EndReason, missed: bool
) -> None:
    _, effects = after(call_in(Phase.ALERTING), happened)
    assert [e for e in effects if isinstance(e, RecordEnd)] == [RecordEnd(ID, reason, missed, NOW)]


@pytest.mark.parametrize(
    ("reason", "missed"),
    [
        (EndReason.UNREACHABLE, True),
        (EndReason.DO_NOT_DISTURB, True),
        (EndReason.UNKNOWN_USER, False),
    ],
)
def test_a_call_that_never_rang_ends_with_the_reason(reason: EndReason, missed: bool) -> None:
    call, effects = after(placed(), events.Unroutable(reason))
    assert call.phase is Phase.ENDED
    assert RecordEnd(ID, reason, missed, NOW) in effects
    assert [effect.to for effect in effects if isinstance(effect, Send)] == [CALLER]


def test_nobody_online_is_unreachable() -> None:
    call, _ = place(ID, CALLER, BOB, "offer", COMMITMENT, (Media.AUDIO,), (), NOW)
    call, _ = after(call, events.Allowed())
    assert call.outcome is not None
    assert call.outcome.reason is EndReason.UNREACHABLE


# After a restart


def test_a_device_that_rang_before_a_restart_hears_that_another_answered() -> None:
    call = restored(ID, CALLER, CALLEE, (Media.AUDIO,), NOW)
    call, effects = after(call, events.Returned(OTHER))
    [send] = [effect for effect in effects if isinstance(effect, Send)]
    assert send.to == OTHER
    assert isinstance(send.message, messages.Ended)
    assert send.message.reason is EndReason.ANSWERED_ELSEWHERE
    assert call.phase is Phase.ACTIVE
    assert after(call, events.HungUp(OTHER))[0].phase is Phase.ACTIVE


def test_a_stranger_who_claims_a_restored_call_learns_nothing() -> None:
    call = restored(ID, CALLER, CALLEE, (Media.AUDIO,), NOW)
    stranger = Party(EVE, PHONE)
    assert after(call, events.Returned(stranger)) == (call, (Complain(stranger, ErrorCode.UNKNOWN_CALL),))


def test_the_winner_of_a_restored_call_says_its_answer_again_for_the_caller() -> None:
    call = restored(ID, CALLER, CALLEE, (Media.AUDIO,), NOW)
    _, effects = after(call, ANSWERED)
    [send] = [effect for effect in effects if isinstance(effect, Send)]
    assert send == Send(CALLER, messages.Answered(call=ID, peer_device=PHONE, sdp="answer", nonce=NONCE))


# Candidates


def found(count: int, first: int = 0) -> tuple[Candidate, ...]:
    """So many candidates, each another."""
    return tuple(Candidate(candidate=f"candidate:{number}") for number in range(first, first + count))


def test_candidates_found_while_it_rings_come_with_the_answer() -> None:
    call, effects = after(call_in(Phase.ALERTING), events.CandidatesFound(CALLEE, FOUND, True))
    assert effects == ()
    _, effects = after(call, ANSWERED, events.AnswerRecorded())
    heard = [effect.message for effect in effects if isinstance(effect, Send) and effect.to == CALLER]
    assert [type(message) for message in heard] == [messages.Answered, messages.Candidates]


def test_of_a_device_that_did_not_win_no_candidate_reaches_the_caller() -> None:
    call, _ = after(call_in(Phase.ALERTING), events.CandidatesFound(OTHER, FOUND, True), ANSWERED)
    _, effects = after(call, events.AnswerRecorded())
    heard = [effect.message for effect in effects if isinstance(effect, Send) and effect.to == CALLER]
    assert [type(message) for message in heard] == [messages.Answered]


@pytest.mark.parametrize("by", [CALLER, CALLEE])
def test_more_candidates_than_allowed_are_refused_and_repeated_ones_not_counted(by: Party) -> None:
    call, _ = after(call_in(Phase.ACTIVE), events.CandidatesFound(by, found(MAX_CANDIDATES), False))
    again = events.CandidatesFound(by, found(MAX_CANDIDATES), True)
    assert not any(isinstance(effect, Complain) for effect in after(call, again)[1])
    more = events.CandidatesFound(by, found(1, first=MAX_CANDIDATES), False)
    assert after(call, more) == (call, (Complain(by, ErrorCode.TOO_MANY),))
    changed, _ = after(call, offer(by, 1))  # a new description starts a new count
    assert not any(isinstance(effect, Complain) for effect in after(changed, more)[1])


# Changes


def test_of_two_changes_that_cross_the_second_waits() -> None:
    call, effects = after(call_in(Phase.ACTIVE), offer(CALLER, 1))
    assert [effect.to for effect in effects if isinstance(effect, Send)] == [CALLEE]
    assert after(call, offer(CALLEE, 1)) == (call, (Complain(CALLEE, ErrorCode.NEGOTIATION_PENDING),))
    call, effects = after(call, answer(CALLEE, 1))
    assert [effect.to for effect in effects if isinstance(effect, Send)] == [CALLER]
    assert not call.timers


def test_an_offer_or_answer_that_comes_again_is_passed_on_once() -> None:
    call, _ = after(call_in(Phase.ACTIVE), offer(CALLER, 1))
    assert after(call, offer(CALLER, 1)) == (call, ())
    call, _ = after(call, answer(CALLEE, 1))
    assert after(call, answer(CALLEE, 1)) == (call, ())


def test_a_late_answer_finds_no_offer() -> None:
    call, effects = after(call_in(Phase.ACTIVE), offer(CALLER, 1), events.TimedOut("negotiate"))
    declined = messages.Negotiate(call=ID, kind="decline", round=1)
    assert effects == (Send(CALLER, declined),)
    assert after(call, answer(CALLEE, 1)) == (call, ())
    call, _ = after(call, offer(CALLER, 2))
    assert after(call, answer(CALLEE, 1)) == (call, (Complain(CALLEE, ErrorCode.OUT_OF_PLACE),))


# Glare


def opposite(id: CallId) -> Call:
    """The call from bob's laptop to alice, of this name."""
    call, _ = place(id, OTHER, ALICE, "offer", COMMITMENT, (Media.AUDIO,), (PHONE,), NOW)
    return call


@pytest.mark.parametrize("phase", [Phase.ROUTING, Phase.OFFERED, Phase.DELIVERED, Phase.ALERTING])
def test_the_smaller_id_survives_whichever_came_first(phase: Phase) -> None:
    existing, newer = call_in(phase), opposite(OTHER_ID)
    verdict = glare(existing, newer)
    assert verdict is not None
    assert verdict.survivor == existing
    mirrored = glare(newer, existing)
    assert mirrored is not None
    assert mirrored.survivor == existing
    survivor, loser, effects = resolved(verdict, NOW)
    assert survivor.selected == LAPTOP
    assert loser.outcome is not None
    assert loser.outcome.survivor == ID
    assert isinstance(effects[0], StopTimer | RecordEnd)


def test_calls_do_not_collide_that_are_answered_or_go_the_same_way_or_to_others() -> None:
    assert glare(call_in(Phase.ACTIVE), opposite(OTHER_ID)) is None
    assert glare(call_in(Phase.SELECTED), opposite(OTHER_ID)) is None
    assert glare(call_in(Phase.OFFERED), replace(call_in(Phase.OFFERED), id=OTHER_ID)) is None
    elsewhere, _ = place(OTHER_ID, OTHER, EVE, "offer", COMMITMENT, (Media.AUDIO,), (PHONE,), NOW)
    assert glare(call_in(Phase.OFFERED), elsewhere) is None


def test_a_device_whose_media_fail_drops_out_and_the_others_ring_on() -> None:
    failed = events.HungUp(CALLEE, EndReason.MEDIA_FAILED)
    call, effects = after(call_in(Phase.ALERTING), failed)
    gone = messages.Ended(call=ID, reason=EndReason.MEDIA_FAILED, by=messages.Role.CALLEE)
    assert (call.phase, effects) == (Phase.ALERTING, (Send(CALLEE, gone),))
    assert after(call, events.Answered(OTHER, "answer", NONCE))[0].phase is Phase.SELECTED
    assert after(call, events.Answered(CALLEE, "answer", NONCE)) == (call, (Send(CALLEE, gone),))
    over, _ = after(call, events.HungUp(OTHER, EndReason.MEDIA_FAILED))
    assert over.outcome is not None
    assert over.outcome.reason is EndReason.MEDIA_FAILED


# Snapshots


def test_a_snapshot_shows_a_call_to_those_who_have_it_and_to_nobody_else() -> None:
    call = call_in(Phase.ACTIVE)
    for_caller, for_callee = call.snapshot(CALLER, NOW), call.snapshot(CALLEE, NOW)
    assert for_caller is not None and for_caller.answered and for_caller.peer == BOB
    assert for_callee is not None and for_callee.peer == ALICE
    for nobody in (OTHER, Party(EVE, PHONE), Party(ALICE, LAPTOP)):
        assert call.snapshot(nobody, NOW) is None
    assert call_in(Phase.ENDED).snapshot(CALLER, NOW) is None
