"""What devices say they heard: taken from the two that talked, once from each; before that, now and then."""

from dataclasses import replace

from signaling.core.call import Call, Phase
from signaling.core.party import Party
from signaling.hearsay import Hearsay
from signaling.ports.calls import Hearing
from tests.fakes.clock import HandClock
from tests.signaling.core.people import CALLEE, CALLER, ID, OTHER, STRANGERS, call_in
from wephone.protocol.ids import CallId, UserId
from wephone.protocol.messages import Heard, Role

SAID = Heard(call=ID, packets=500, lost=2, jitter_us=900, rtt_us=4_000)
SO_FAR = SAID.model_copy(update={"so_far": True})


def hearsay(call: Call, clock: HandClock | None = None) -> Hearsay:
    """About one call."""
    return Hearsay(clock or HandClock(), {call.id: call}.get)


def test_each_side_says_it_once_and_the_second_word_is_not_taken() -> None:
    about = hearsay(call_in(Phase.ENDED))
    for by, role in ((CALLER, Role.CALLER), (CALLEE, Role.CALLEE)):
        assert about.taken(by, SAID) == Hearing(role, 500, 2, 900, 4_000)
        assert about.taken(by, SAID.model_copy(update={"packets": 9})) is None


def test_nobody_else_is_believed() -> None:
    for phase in Phase:
        about = hearsay(call_in(phase))
        for by in (OTHER, *STRANGERS):
            assert about.taken(by, SAID) is None


def test_of_a_call_that_is_not_known_or_was_not_answered_nothing_is_taken() -> None:
    about = hearsay(call_in(Phase.ENDED))
    unknown = CallId("00000000-0000-4000-8000-0000000000ff")
    assert about.taken(CALLER, SAID.model_copy(update={"call": unknown})) is None
    for phase in (Phase.ROUTING, Phase.OFFERED, Phase.DELIVERED, Phase.ALERTING):
        assert hearsay(call_in(phase)).taken(CALLER, SAID) is None
    ended = replace(call_in(Phase.ENDED), selected=None)
    assert hearsay(ended).taken(CALLER, SAID) is None


def test_who_has_spoken_is_forgotten_with_the_call() -> None:
    clock = HandClock()
    about = hearsay(call_in(Phase.ACTIVE), clock)
    assert about.taken(CALLER, SAID) is not None
    clock.advance(61)
    assert about.taken(OTHER, SAID) is None
    assert about._said == {}


def so_far(packets: int) -> Heard:
    """A word on a call that runs."""
    return SO_FAR.model_copy(update={"packets": packets})


def test_the_last_word_of_each_side_stands_while_the_call_runs_and_none_is_kept() -> None:
    clock = HandClock()
    about = hearsay(call_in(Phase.ACTIVE), clock)
    assert about.so_far(ID, Role.CALLER) is None
    for packets in (500, 1000):
        for by, role in ((CALLER, Role.CALLER), (CALLEE, Role.CALLEE)):
            assert about.taken(by, so_far(packets)) is None
            assert about.so_far(ID, role) == Hearing(role, packets, 2, 900, 4_000)
        clock.advance(10)
    # The word after the end is taken as ever, and nothing stands for how it sounds now.
    assert about.taken(CALLER, SAID) == Hearing(Role.CALLER, 500, 2, 900, 4_000)
    assert about.so_far(ID, Role.CALLER) is None


def test_words_that_come_too_often_are_dropped() -> None:
    clock = HandClock()
    about = hearsay(call_in(Phase.ACTIVE), clock)
    for packets in range(1, 12):
        assert about.taken(CALLER, so_far(packets)) is None
        clock.advance(0.99)
    assert about.taken(CALLEE, so_far(7)) is None
    said = [about.so_far(ID, role) for role in (Role.CALLER, Role.CALLEE)]
    assert [each and each.packets for each in said] == [7, 7]  # of the caller's, at 0 s and at 6


def test_a_device_that_is_gone_says_nothing_of_how_the_call_sounds_now() -> None:
    clock = HandClock()
    about = hearsay(call_in(Phase.ACTIVE), clock)
    about.taken(CALLER, SO_FAR)
    clock.advance(60)
    assert about.so_far(ID, Role.CALLER) is not None
    clock.advance(1)
    assert about.so_far(ID, Role.CALLER) is None
    about.taken(CALLEE, SO_FAR)
    assert [role for _, role in about._so_far] == [Role.CALLEE]


def test_of_strangers_and_of_calls_that_do_not_run_no_word_stands() -> None:
    telephone = replace(call_in(Phase.ACTIVE), caller=Party(UserId("+4930123456"), CALLER.device))
    for call in (*map(call_in, Phase), telephone):
        about = hearsay(call)
        for by in (CALLER, CALLEE, OTHER, *STRANGERS):
            assert about.taken(by, SO_FAR) is None
        stands = call.phase is Phase.ACTIVE and call is not telephone
        assert [about.so_far(ID, role) is not None for role in Role] == [stands] * 2, call.phase
        assert about.so_far(CallId("00000000-0000-4000-8000-0000000000ff"), Role.CALLER) is None
