"""What devices say they heard: taken from the two that talked, once from each."""

from dataclasses import replace

from signaling.core.call import Call, Phase
from signaling.hearsay import Hearsay
from signaling.ports.calls import Hearing
from tests.fakes.clock import HandClock
from tests.signaling.core.people import CALLEE, CALLER, ID, OTHER, STRANGERS, call_in
from wephone.protocol.ids import CallId
from wephone.protocol.messages import Heard, Role

SAID = Heard(call=ID, packets=500, lost=2, jitter_us=900, rtt_us=4_000)


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
