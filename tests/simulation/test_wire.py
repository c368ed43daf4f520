"""Both halves against each other: a wire that loses, delays, repeats and reorders, a server that restarts.

Every history ends with everybody back and everything delivered; then the promises are looked at.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.core.party import Party
from tests.simulation.device import NONCE, Broken
from tests.simulation.wire import Net, net
from tests.simulation.worlds import ALL, CALL, GLARE, LATER
from wephone.core import inputs
from wephone.core.session import Link
from wephone.protocol.ids import CallId, UserId
from wephone.protocol.reasons import EndReason

Places = tuple[tuple[CallId, Party, UserId], ...]
HISTORY = st.lists(st.integers(0, 2**16 - 1), max_size=150)


@given(HISTORY, st.sampled_from([CALL, GLARE, LATER]))
def test_on_a_wire_that_is_cut_delays_and_repeats_both_ends_agree(history: list[int], places: Places) -> None:
    wires = net(ALL, places)
    for number in history:
        wires.step(number)
    wires.settle()
    each_end_is_told_once(wires)
    both_agree(wires)


@given(HISTORY, st.sampled_from([CALL, GLARE, LATER]), st.booleans())
def test_whatever_a_wire_does_at_most_one_device_answers_and_every_call_ends(
    history: list[int], places: Places, restarts: bool
) -> None:
    wires = net(ALL, places)
    for number in history:
        wires.step(number, reorders=True, restarts=restarts)
    wires.settle()
    each_end_is_told_once(wires)


def each_end_is_told_once(wires: Net) -> None:
    """Who was shown a call was told its end, and the server wrote it down."""
    for phone in wires.phones:
        assert phone.knows - phone.goes_on == set(phone.ended), "a person was not told that a call ended"
    for call in wires.calls.values():
        assert wires.records[call.id] == 1 or call.id in wires.forgotten


def both_agree(wires: Net) -> None:
    """Caller and winner were told what the server has, unless one had lost the server for too long."""
    for call in wires.calls.values():
        assert call.outcome is not None
        for party in (call.caller, call.winner):
            phone = wires.phone(party) if party is not None else None
            if phone is None or call.id in phone.alone or call.id not in phone.ended:
                continue
            assert phone.ended[call.id] is call.outcome.reason


def test_a_call_over_a_good_wire_is_answered_and_hung_up() -> None:
    wires = net(ALL, CALL)
    wires.place(*CALL[0])
    wires.arrive()
    bob = wires.phones[2]
    [ringing] = bob.session.calls
    assert wires.phones[3].session.calls
    wires.wish(bob, ringing.id, inputs.Accept(NONCE))
    wires.arrive()
    assert wires.phones[3].ended == {ringing.id: EndReason.ANSWERED_ELSEWHERE}
    wires.settle()
    assert bob.ended == wires.phones[0].ended == {ringing.id: EndReason.HANGUP}


def test_the_wire_notices_two_answers() -> None:
    wires = net(ALL, CALL)
    wires.place(*CALL[0])
    wires.arrive()
    wires.answered_by[CALL[0][0]] = ALL[0]
    bob = wires.phones[2]
    wires.wish(bob, CALL[0][0], inputs.Accept(NONCE))
    with pytest.raises(Broken, match="two devices answered"):
        wires.arrive()


def test_an_event_before_the_welcome_costs_the_connection() -> None:
    wires = net(ALL, CALL)
    phone = wires.phones[0]
    wires.give_up(phone)
    wires.cut(phone)
    wires.connect(phone)
    wires.arrives(phone, phone.down, newest=True)  # the resync overtakes the welcome
    assert not phone.connected
    wires.settle()
    assert phone.session.link is Link.UP
