"""Keys that a carrier tells by INFO are heard, whoever wrote them; anything else is refused in words."""

import pytest

from signaling.pstn.sip import call_events as told
from signaling.pstn.sip.info import Key, key
from signaling.pstn.sip.message import Request, with_fields
from signaling.pstn.sip.problem import SipError
from signaling.pstn.sip.session_events import Came, Keyed, Reply
from signaling.pstn.sip.sockets import Place
from tests.signaling.pstn.sip.agents import Party, press
from tests.signaling.pstn.sip.test_agent import talking
from tests.signaling.pstn.sip.test_session import caller, theirs, then

RELAY = "application/dtmf-relay"


def info(body: bytes, kind: str = RELAY, *fields: tuple[str, str]) -> Request:
    """One of the peer, in the call of `caller`."""
    request = theirs(caller(), "INFO", 1, body)
    return with_fields(request, *((("Content-Type", kind),) if kind else ()), *fields)


@pytest.mark.parametrize(
    ("body", "kind", "found"),
    [
        (b"Signal=5\r\nDuration=250\r\n", RELAY, Key("5", 250)),
        (b"Signal= *\r\nDuration= 160", RELAY, Key("*", 160)),
        (b"signal=11\n", "Application/DTMF-Relay;x=y", Key("#")),
        (b"Signal=d\r\n", RELAY, Key("D")),
        (b"7", "application/dtmf", Key("7")),
        (b"", RELAY, None),
    ],
)
def test_a_key_is_read_as_gateways_write_it(body: bytes, kind: str, found: Key | None) -> None:
    assert key(info(body, kind)) == found


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (info(b"Signal=\r\n"), 400),
        (info(b"Signal=16\r\n"), 400),
        (info(b"Signal=1\r\nDuration=x\r\n"), 400),
        (info(b"Signal=1\r\nDuration=99999\r\n"), 400),
        (info(b"\xff\x00"), 400),
        (info(b"<xml/>", "application/media_control+xml"), 415),
        (info(b"x", ""), 415),
        (info(b"Signal=1\r\n", RELAY, ("Info-Package", "dtmf")), 469),
    ],
)
def test_what_is_no_key_is_refused_and_the_call_goes_on(request_: Request, status: int) -> None:
    with pytest.raises(SipError) as error:
        key(request_)
    assert error.value.status == status
    session, effects = then(caller(), Came(request_))
    assert [e.response.status for e in effects if isinstance(e, Reply)] == [status]
    assert not any(isinstance(effect, Keyed) for effect in effects)
    assert session.phase is caller().phase


async def test_a_key_is_told_to_whoever_holds_the_call(near: Party, far: Party, place: Place) -> None:
    ours, _, theirs_, there = await talking(near, far, place)
    press(near, ours, "#")
    assert await there.until(told.Keyed) == told.Keyed("#", 100)
    theirs_.hang_up()
    await there.until(told.Ended)
    assert [event for event in there.past if isinstance(event, told.Keyed)] == [told.Keyed("#", 100)]
