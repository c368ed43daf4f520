"""A BYE is kept at until the far end says that the call is over; if it never does, it is said why not."""

from dataclasses import dataclass, field

import pytest

from signaling.pstn.sip.answer import respond
from signaling.pstn.sip.dialog import dialog_of_caller
from signaling.pstn.sip.digest import Credentials, Login
from signaling.pstn.sip.farewell import SILENT, UNREACHABLE, Farewell
from signaling.pstn.sip.headers import Address
from signaling.pstn.sip.message import Request
from signaling.pstn.sip.timers import Timers
from signaling.pstn.sip.traffic import Asker
from signaling.pstn.sip.transaction import Failed
from tests.fakes.clock import HandClock
from tests.signaling.pstn.sip.samples import invite

CONTACT = ("Contact", "<sip:b@198.51.100.7>")
WHO = ("Proxy-Authenticate", 'Digest realm="c", nonce="n", qop="auth"')


@dataclass
class Wire:
    """Where the BYE goes to, and what was told of it: its user agent, and that one's traffic, at once."""

    clock: HandClock = field(default_factory=HandClock)
    sent: list[Request] = field(default_factory=list)
    told: list[str | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.timers = Timers(self.clock)
        self.now = self.clock.now

    @property
    def traffic(self) -> "Wire":
        return self

    def ask_within(self, request: Request, routes: tuple[Address, ...], asker: Asker) -> None:
        self.sent.append(request)

    def token(self) -> str:
        return f"{len(self.sent)}"

    branch = token

    def bye(self, login: Login | None = None) -> Farewell:
        answer = respond(invite(), 200, tag="theirs", fields=(CONTACT,))
        _, bye = dialog_of_caller(invite(), answer, "seed").request("BYE")
        farewell = Farewell(self, bye, (), login, self.told.append)  # type: ignore[arg-type]
        farewell.send()
        return farewell


@pytest.mark.parametrize("code", [200, 481, 401, 408, 500])
def test_it_is_confirmed_by_who_has_ended_the_call_or_has_none_and_is_over_by_any_final_answer(
    code: int,
) -> None:
    wire = Wire()
    farewell = wire.bye()
    [bye] = wire.sent
    farewell.heard(bye, respond(bye, 100))
    assert wire.told == []
    farewell.heard(bye, respond(bye, code))
    farewell.heard(bye, respond(bye, code))
    assert wire.told == [None if code in (200, 481) else f"the carrier has answered our BYE with {code}"]


def test_one_that_nobody_answers_is_given_up_by_its_transaction() -> None:
    wire = Wire()
    farewell = wire.bye()
    farewell.failed(wire.sent[0], Failed("timeout"))
    assert wire.told == [SILENT]


def test_one_that_no_connection_takes_is_said_again_until_32_s_have_passed() -> None:
    wire = Wire()
    farewell = wire.bye()
    failed = 0
    for _ in range(320):
        while failed < len(wire.sent):
            farewell.failed(wire.sent[failed], Failed("transport"))
            failed += 1
        wire.clock.advance(0.1)
    assert wire.told == [UNREACHABLE]
    assert 8 <= len(wire.sent) <= 12
    assert len(set(map(str, wire.sent))) == 1, "the same one: whoever heard the first knows it again"


def test_one_that_a_later_connection_takes_is_confirmed() -> None:
    wire = Wire()
    farewell = wire.bye()
    for _ in range(3):
        farewell.failed(wire.sent[-1], Failed("transport"))
        wire.clock.advance(4)
    farewell.heard(wire.sent[-1], respond(wire.sent[-1], 200))
    wire.clock.advance(60)
    assert (len(wire.sent), wire.told) == (4, [None])


def test_one_that_is_taken_late_and_not_answered_is_given_up_after_32_s_all_the_same() -> None:
    wire = Wire()
    farewell = wire.bye()
    farewell.failed(wire.sent[0], Failed("transport"))
    wire.clock.advance(31)
    assert (len(wire.sent), wire.told) == (2, [])
    wire.clock.advance(1)
    assert wire.told == [UNREACHABLE]


def test_who_cannot_take_it_now_is_asked_again_as_anew_until_32_s_have_passed() -> None:
    """A 503 is no end of the call, which would go on being charged."""
    wire = Wire()
    farewell = wire.bye()
    answered = 0
    for _ in range(320):
        while answered < len(wire.sent):
            farewell.heard(wire.sent[answered], respond(wire.sent[answered], 503))
            answered += 1
        wire.clock.advance(0.1)
    assert wire.told == ["the carrier has answered our BYE with 503"]
    assert 8 <= len(wire.sent) <= 12
    assert [bye.cseq.number for bye in wire.sent] == list(range(2, 2 + len(wire.sent)))
    assert len({bye.via.branch for bye in wire.sent}) == len(wire.sent)


@pytest.mark.parametrize("code", [500, 503])
def test_who_says_when_is_asked_then_if_that_is_soon_enough(code: int) -> None:
    wire = Wire()
    farewell = wire.bye()
    farewell.heard(wire.sent[0], respond(wire.sent[0], code, fields=(("Retry-After", "9 (busy)"),)))
    wire.clock.advance(8.9)
    assert len(wire.sent) == 1
    wire.clock.advance(0.1)
    farewell.heard(wire.sent[1], respond(wire.sent[1], 200))
    wire.clock.advance(60)
    assert (len(wire.sent), wire.told) == (2, [None])
    late = wire.bye()
    late.heard(wire.sent[2], respond(wire.sent[2], code, fields=(("Retry-After", "33"),)))
    assert wire.told[1:] == [f"the carrier has answered our BYE with {code}"]


def test_a_challenge_is_answered_once() -> None:
    wire = Wire()
    farewell = wire.bye(Login(Credentials("us", "secret")))
    farewell.heard(wire.sent[0], respond(wire.sent[0], 407, fields=(WHO,)))
    [first, again] = wire.sent
    assert (again.cseq.number, again.get("Proxy-Authorization") is None) == (first.cseq.number + 1, False)
    farewell.heard(again, respond(again, 407, fields=(WHO,)))
    assert wire.told == ["the carrier has answered our BYE with 407"]
