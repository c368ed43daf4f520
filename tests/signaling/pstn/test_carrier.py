"""The small carrier does what a real one does to those who call by it."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np
import pytest

from signaling.clock import SystemClock
from signaling.pstn.carrier import Carrier
from signaling.pstn.echo import answered, described
from signaling.pstn.media import g711, rtp
from signaling.pstn.sip import call_events as told
from signaling.pstn.sip.cause import Cause
from signaling.pstn.sip.digest import Credentials
from signaling.pstn.sip.headers import Address
from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.outgoing import OutgoingCall
from signaling.pstn.sip.sockets import Place
from signaling.pstn.sip.standing import Account, Registration
from signaling.pstn.sip.uri import Uri
from tests.fakes.datagrams import Datagrams
from tests.signaling.pstn.media.ends import open_wire
from tests.signaling.pstn.sip.agents import WAIT, Party, party, press, uri
from wephone.media import keys
from wephone.media.audio import Samples

US = Credentials("us", "secret")
HOME = "+442079460010"  # somebody who answers
OFFER = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 40000 RTP/AVP 96 8 101\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\n"
)
SPOKEN = bytes((0x80, 8, 0, 1)) + bytes(8) + b"\x55" * 160  # 20 ms of PCMA


@dataclass
class Line:
    """The carrier and a subscriber of it."""

    carrier: Carrier
    place: Place
    us: Party
    keyed: "asyncio.Queue[tuple[str, str]]"


@pytest.fixture(params=[Transport.UDP, Transport.TCP])
async def line(request: pytest.FixtureRequest) -> AsyncIterator[Line]:
    keyed: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    carrier = Carrier(
        SystemClock(),
        {"us": "secret"},
        peers=lambda address: address == "127.0.0.1",
        picked_up_after=0,
        keyed=lambda number, keys: keyed.put_nowait((number, keys)),
    )
    async with party(SystemClock()) as us:
        try:
            place = await carrier.listen(request.param, "127.0.0.1")
            await us.agent.listen(request.param, "127.0.0.1")
            yield Line(carrier, place, us, keyed)
        finally:
            await carrier.close()


MENU = "+442079460007"
KEYPAD = {row: dict(zip((1209, 1336, 1477, 1633), keys, strict=True)) for row, keys in (
    (697, "123A"), (770, "456B"), (852, "789C"), (941, "*0#D")
)}  # fmt: skip


def key_of(samples: Samples) -> str:
    """Which key a frame sounds like (ITU-T Q.23); none if it is silence."""
    times = np.arange(samples.size) / 8000

    def strength(tone: int) -> float:
        return float(abs(np.dot(samples.astype(float), np.exp(-2j * np.pi * tone * times))))

    row, column = max(KEYPAD, key=strength), max(KEYPAD[697], key=strength)
    return KEYPAD[row][column] if min(strength(row), strength(column)) > 50_000 else ""


def events(key: str, number: int) -> list[bytes]:
    """All packets about one key, the `number`-th of its call, in a stream whose events are 101."""
    return [
        rtp.HEADER.pack(0x80, 101, 20 * number + n, 1000 * number, 7) + bytes(event)
        for n, event in enumerate(keys.pressed(key, 8000))
    ]


class Ear(Datagrams):
    """Keeps what is said back."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self.heard.put_nowait(data)


async def test_a_telephone_answers_and_says_back_what_it_hears(line: Line) -> None:
    call, talk = await line.us.call(uri(line.place, HOME), credentials=US, offer=OFFER)
    assert isinstance(call, OutgoingCall)
    sdp = (await talk.until(told.Answered)).sdp
    assert sdp
    assert b"RTP/AVP 8 101" in sdp
    port = int(sdp.partition(b"m=audio ")[2].split()[0])
    transport, ear = await asyncio.get_running_loop().create_datagram_endpoint(
        Ear, remote_addr=("127.0.0.1", port)
    )
    transport.sendto(b"packet")
    assert await asyncio.wait_for(ear.heard.get(), WAIT) == b"packet"
    transport.close()
    call.hang_up()
    assert (await talk.until(told.Ended)).confirmed
    assert line.carrier.calls == 1


async def test_a_menu_says_back_the_keys_that_it_heard(line: Line) -> None:
    """Each once, however often its packets come; what is pressed after the last `#` is told at the end."""
    transport, ear = await asyncio.get_running_loop().create_datagram_endpoint(Ear, ("127.0.0.1", 0))
    here = transport.get_extra_info("sockname")[1]
    call, talk = await line.us.call(
        uri(line.place, MENU), credentials=US, offer=OFFER.replace(b"40000", str(here).encode())
    )
    assert isinstance(call, OutgoingCall)
    sdp = (await talk.until(told.Answered)).sdp
    assert sdp
    there = described(sdp)
    assert there
    for number, key in enumerate("4422#9"):
        for packet in events(key, number):
            transport.sendto(packet, there)
    assert await asyncio.wait_for(line.keyed.get(), WAIT) == (MENU, "4422#")
    said: list[str] = []
    while [key for key, _ in itertools.groupby(said) if key] != list("4422#"):
        sound = rtp.parse(await asyncio.wait_for(ear.heard.get(), WAIT))
        assert sound
        assert sound.payload_type == 8
        said.append(key_of(g711.decode("PCMA", sound.payload)))
    transport.close()
    call.hang_up()
    assert (await talk.until(told.Ended)).confirmed
    assert await asyncio.wait_for(line.keyed.get(), WAIT) == (MENU, "9")


async def test_a_menu_hears_keys_by_info(line: Line) -> None:
    call, talk = await line.us.call(uri(line.place, MENU), credentials=US, offer=OFFER)
    assert isinstance(call, OutgoingCall)
    await talk.until(told.Answered)
    press(line.us, call, "7*#")
    assert await asyncio.wait_for(line.keyed.get(), WAIT) == (MENU, "7*#")
    call.hang_up()
    assert (await talk.until(told.Ended)).confirmed


@pytest.mark.parametrize(
    ("ending", "status", "q850"), [("01", 486, 17), ("04", 404, 1), ("05", 603, 21), ("06", 503, 34)]
)
async def test_a_number_is_refused_as_its_ending_says(
    line: Line, ending: str, status: int, q850: int
) -> None:
    to = uri(line.place, f"+4420794600{ending}")
    _, talk = await line.us.call(to, credentials=US, offer=OFFER)
    cause = (await talk.until(told.Failed)).cause
    assert (cause.status, cause.q850) == (status, q850)


async def test_sound_comes_before_the_answer(line: Line) -> None:
    wire = await open_wire()
    offer = OFFER.replace(b"40000", str(wire.port).encode())
    call, talk = await line.us.call(uri(line.place, "+442079460003"), credentials=US, offer=offer)
    assert isinstance(call, OutgoingCall)
    await talk.until(told.Answered)
    [early] = [event for event in talk.past if isinstance(event, told.Ringing) and event.sdp]
    assert early.status == 183
    await wire.until(10)
    said = np.concatenate([g711.decode("PCMA", data[12:]) for data, _ in wire.came[:10]])
    power = np.abs(np.fft.rfft(said.astype(float)))
    assert abs(np.argmax(power) * 8000 / said.size - 425) < 5
    theirs = described(early.sdp or b"")
    while (echo := wire.came[-1][0]) != SPOKEN:  # what it says gives way to what it hears
        wire.transport.sendto(SPOKEN, theirs)
        await wire.until(len(wire.came) + 1)
    assert echo[12:] == SPOKEN[12:]
    wire.transport.close()


async def test_nobody_comes_to_the_telephone(line: Line) -> None:
    call, talk = await line.us.call(uri(line.place, "+442079460002"), credentials=US, offer=OFFER)
    assert isinstance(call, OutgoingCall)
    await talk.until(told.Ringing)
    call.hang_up()
    assert (await talk.until(told.Failed)).cause.status == 487


async def test_without_the_password_nobody_is_called(line: Line) -> None:
    for credentials in (None, Credentials("us", "wrong"), Credentials("them", "secret")):
        _, talk = await line.us.call(uri(line.place, HOME), credentials=credentials, offer=OFFER)
        assert (await talk.until(told.Failed)).cause.status == 407
    assert line.carrier.calls == 0


async def test_a_codec_that_the_network_lacks_is_refused(line: Line) -> None:
    opus = OFFER.replace(b" 96 8 101", b" 96")
    _, talk = await line.us.call(uri(line.place, HOME), credentials=US, offer=opus)
    assert (await talk.until(told.Failed)).cause.status == 488


async def test_who_registers_is_called(line: Line) -> None:
    until: asyncio.Queue[int | Cause] = asyncio.Queue()
    account = Account(uri(line.place, "us"), Address(Uri("sip", "carrier.example", "us")), US)
    registration = Registration(line.us.agent, account, until.put_nowait)
    registration.start()
    assert isinstance(await asyncio.wait_for(until.get(), WAIT), int)
    there = line.carrier.binding("us")
    assert there
    await line.carrier.dial(there, "+33123456789")
    theirs, talk = await line.us.called()
    grant = line.us.licence.grant()
    sdp = answered(theirs.remote_sdp, "127.0.0.1", 40_000)
    assert sdp
    theirs.accept(sdp, grant, grant.attempt)
    await talk.until(told.Confirmed)
    theirs.hang_up()
    assert (await talk.until(told.Ended)).confirmed
    registration.stop()
    await asyncio.wait_for(until.get(), WAIT)
    assert line.carrier.binding("us") is None
