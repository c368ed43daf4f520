"""The server's half of a call that was refused, while its caller is told so aloud."""

from dataclasses import replace

import pytest

from licensing.instant import SECOND
from signaling.core import events
from signaling.core.call import TRANSITIONS, Phase
from signaling.core.effects import Announce, Complain, RecordAnswer, RecordEnd, Send, StartTimer, StopTimer
from signaling.core.glare import glare
from signaling.core.party import Party
from signaling.core.state import ANNOUNCE
from tests.signaling.core.people import (
    ALICE,
    ANSWERED,
    BOB,
    CALLEE,
    CALLER,
    FOUND,
    ID,
    NO,
    NOW,
    OTHER,
    PHONE,
    STRANGERS,
    after,
    call_in,
    placed,
)
from wephone.protocol import messages
from wephone.protocol.reasons import EndReason, ErrorCode

REFUSED = events.Refused(NO, teller=PHONE)
SPEAKS = events.EarlySound(CALLEE, "ours")
END = messages.Ended(call=ID, reason=EndReason.REFUSED, refusal=NO)


def test_it_is_told_for_so_long_at_most_and_nobody_is_rung() -> None:
    call, effects = after(placed(), events.CandidatesFound(CALLER, FOUND, True), REFUSED)
    found = messages.Candidates(call=ID, candidates=FOUND, end=True)
    wait = StartTimer("notice", NOW.after(ANNOUNCE))
    assert effects == (StopTimer("invite"), wait, Announce(ID), Send(CALLEE, found))
    assert call.phase is Phase.ANNOUNCING
    assert call.role(OTHER) is None, "the callee's devices hear of nothing"


def test_the_caller_is_told_the_reason_with_the_sound_and_the_same_at_the_end() -> None:
    call, effects = after(call_in(Phase.ANNOUNCING), SPEAKS)
    assert effects == (Send(CALLER, messages.Early(call=ID, sdp="ours", refusal=NO)),)
    over, effects = after(call, events.HungUp(CALLEE))
    _, silent = after(placed(), events.Refused(NO))
    ends = [effect for effect in effects if not isinstance(effect, StopTimer)]
    assert ends == [*(each for each in silent if not isinstance(each, StopTimer)), Send(CALLEE, END)]
    assert over.outcome == after(placed(), events.Refused(NO))[0].outcome
    assert over.refusal is None


@pytest.mark.parametrize(
    "what",
    [
        events.HungUp(CALLER),
        events.HungUp(CALLER, EndReason.MEDIA_FAILED),
        events.HungUp(CALLEE),
        events.DeviceLost(CALLER),
        events.TimedOut("notice"),
        events.Cut(),
    ],
)
@pytest.mark.parametrize("speaks", [True, False])
def test_however_it_stops_the_call_was_refused(what: events.Event, speaks: bool) -> None:
    call, effects = after(call_in(Phase.ANNOUNCING), *([SPEAKS] if speaks else []), what)
    assert call.phase is Phase.ENDED
    assert [effect.reason for effect in effects if isinstance(effect, RecordEnd)] == [EndReason.REFUSED]
    assert Send(CALLER, END) in effects


@pytest.mark.parametrize(
    "what",
    [
        events.TimedOut("invite"),
        events.DeviceLost(OTHER),
        events.DeviceArrived(OTHER),
        events.Withdrawn(NO, NOW.after(SECOND)),
    ],
)
def test_what_means_nothing_to_a_call_that_never_was_changes_nothing(what: events.Event) -> None:
    call = call_in(Phase.ANNOUNCING)
    assert after(call, what) == (call, ())


def test_from_there_no_way_leads_to_a_call() -> None:
    assert {phase for row in TRANSITIONS[Phase.ANNOUNCING].values() for phase in row.to} == {
        Phase.ANNOUNCING,
        Phase.ENDED,
    }
    call, effects = after(call_in(Phase.ANNOUNCING), ANSWERED)
    assert call.phase is Phase.ANNOUNCING
    assert effects == (Complain(CALLEE, ErrorCode.OUT_OF_PLACE),)
    assert not [effect for effect in effects if isinstance(effect, RecordAnswer)]


def test_a_caller_who_comes_back_hears_on_and_nobody_else_learns_of_it() -> None:
    call, _ = after(call_in(Phase.ANNOUNCING), events.CandidatesFound(CALLEE, FOUND, True), SPEAKS)
    _, effects = after(call, events.Returned(CALLER))
    found = messages.Candidates(call=ID, candidates=FOUND, end=True)
    assert effects == (
        Send(CALLER, messages.Early(call=ID, sdp="ours", refusal=NO)),
        Send(CALLER, found),
    )
    for other in (OTHER, *STRANGERS):
        assert after(call, events.Returned(other)) == (call, (Complain(other, ErrorCode.UNKNOWN_CALL),))


def test_who_called_at_the_same_moment_from_the_other_side_is_no_part_of_it() -> None:
    refused, other = call_in(Phase.ANNOUNCING), placed()
    opposite = replace(other, caller=Party(BOB, PHONE), callee=ALICE)
    assert glare(refused, opposite) is None


def test_a_call_that_is_bound_to_a_device_by_glare_is_refused_in_words_alone() -> None:
    call, effects = after(placed(), events.Glared(CALLEE, ID), REFUSED)
    assert call.phase is Phase.ENDED
    assert Send(CALLER, END) in effects
