"""An INVITE that came: reliable ringing, and every way it may end before the answer."""

from dataclasses import replace

import pytest

from licensing.instant import SECOND, Instant
from signaling.pstn.sip.answering import (
    Accept,
    Answering,
    Came,
    Confirmed,
    Effect,
    Ended,
    Event,
    Phase,
    Refuse,
    Reply,
    Ring,
    StartTimer,
    TimedOut,
)
from signaling.pstn.sip.dialog import dialog_of_callee
from signaling.pstn.sip.headers import Address, CSeq, Via
from signaling.pstn.sip.message import Request, with_fields
from signaling.pstn.sip.transaction import cancellation
from signaling.pstn.sip.uri import Uri
from tests.signaling.pstn.sip.samples import invite

NOW = Instant(0, 0)
US = Address(Uri("sip", "192.0.2.9", "wephone"))
SDP = b"v=0\r\n"


def came(*lines: str) -> Answering:
    asked = invite(*(lines or ("Supported: 100rel",)))
    return Answering(asked, dialog_of_callee(asked, "mine", Via("UDP", "192.0.2.9"), US, "seed"), 7)


def theirs(method: str, number: int = 2, *fields: tuple[str, str], body: bytes = b"") -> Request:
    asked = invite()
    return replace(
        asked,
        method=method,
        cseq=CSeq(number, method),
        to=asked.to.tagged("mine"),
        fields=fields,
        body=body,
    )


def then(state: Answering, *events: Event) -> tuple[Answering, tuple[Effect, ...]]:
    effects: tuple[Effect, ...] = ()
    for event in events:
        state, effects = state.receive(event, NOW)
    return state, effects


def said(effects: tuple[Effect, ...]) -> list[tuple[int, str]]:
    return [(e.response.status, e.response.cseq.method) for e in effects if isinstance(e, Reply)]


def prack(rack: str = "7 1 INVITE", number: int = 2) -> Came:
    return Came(theirs("PRACK", number, ("RAck", rack)))


RING = Ring(183, body=SDP, reliable=True)


def test_a_reliable_response_is_repeated_until_its_prack() -> None:
    state, effects = then(came(), RING)
    first = effects[0]
    assert isinstance(first, Reply)
    assert (first.response.get("RSeq"), first.response.get("Require")) == ("7", "100rel")
    assert first.response.to.tag == "mine"
    moments = []
    for _ in range(5):
        name, at = state.timers[-1] if state.timers[-1][0] == "repeat" else state.timers[0]
        state, effects = state.receive(TimedOut(name, at), Instant(at, at))
        assert effects[0] == first
        assert isinstance(effects[1], StartTimer)
        moments.append(effects[1].at / SECOND)
    assert moments == [1.5, 3.5, 7.5, 15.5, 31.5]
    state, effects = then(state, prack())
    assert said(effects) == [(200, "PRACK")]
    assert effects[-1] == Confirmed()
    assert (state.timers, state.waiting) == ((), None)
    assert said(then(state, prack(number=3))[1]) == [(481, "PRACK")]


def test_a_2xx_waits_for_the_prack_of_a_description() -> None:
    state, _ = then(came(), RING)
    assert not state.may_accept
    with pytest.raises(ValueError, match="PRACK"):
        state.receive(Accept(body=SDP), NOW)
    state, effects = then(state, prack(), Accept(body=SDP))
    assert said(effects) == [(200, "INVITE")]
    assert state.phase is Phase.ANSWERED
    assert then(came(), Ring(180, reliable=True))[0].may_accept


@pytest.mark.parametrize("rack", ["8 1 INVITE", "7 2 INVITE", "7 1 BYE", "", "7"])
def test_a_prack_of_something_else_confirms_nothing(rack: str) -> None:
    state, effects = then(came(), RING, prack(rack))
    assert said(effects) == [(481, "PRACK")]
    assert state.waiting is not None


def test_without_a_prack_the_call_is_refused_after_32_s() -> None:
    state, _ = then(came(), RING)
    ended, effects = then(state, TimedOut("no_prack", 32 * SECOND))
    assert (said(effects), effects[-1]) == ([(504, "INVITE")], Ended("no_prack"))
    assert ended.phase is Phase.ENDED


def test_reliable_is_what_the_peer_requires_or_supports_and_we_want() -> None:
    assert then(came(), Ring(180))[0].waiting is None
    assert then(came("X: y"), RING)[0].waiting is None
    assert then(came("Require: 100rel"), Ring(180))[0].waiting is not None
    state, effects = then(came(), RING, Ring(180, reliable=True))
    assert effects == ()
    assert then(state, prack(), Ring(180, reliable=True))[0].rseq == 9


def test_a_cancel_ends_what_rings_and_nothing_that_was_answered() -> None:
    cancel = Came(cancellation(invite()))
    state, effects = then(came(), Ring(180), cancel)
    assert said(effects) == [(200, "CANCEL"), (487, "INVITE")]
    assert effects[-1] == Ended("cancelled")
    assert said(then(state, cancel)[1]) == [(200, "CANCEL")]
    state, effects = then(came(), Accept(body=SDP), cancel)
    assert (said(effects), state.phase) == ([(200, "CANCEL")], Phase.ANSWERED)


def test_a_bye_ends_an_early_dialog() -> None:
    _, effects = then(came(), Ring(180), Came(theirs("BYE")))
    assert said(effects) == [(200, "BYE"), (487, "INVITE")]


def test_a_refusal_is_said_once_and_nothing_after_it() -> None:
    state, effects = then(came(), Refuse(403, (("Reason", "Q.850;cause=57"),)))
    assert said(effects) == [(403, "INVITE")]
    assert then(state, Refuse(486))[1] == then(state, Ring(180))[1] == ()
    with pytest.raises(ValueError, match="after the end"):
        state.receive(Accept(), NOW)


def test_other_requests_in_the_early_dialog_get_their_answer() -> None:
    assert said(then(came(), Came(theirs("UPDATE", body=SDP)))[1]) == [(500, "UPDATE")]
    assert said(then(came(), Came(theirs("UPDATE")))[1]) == [(200, "UPDATE")]
    assert said(then(came(), Came(theirs("REFER")))[1]) == [(405, "REFER")]
    assert said(then(came(), Came(with_fields(theirs("BYE", 1))))[1]) == [(500, "BYE")]
    assert then(came(), Came(theirs("ACK", 1)))[1] == ()
