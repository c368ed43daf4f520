"""What one packet of a telephone call takes of the media process, in calls: a figure that no load changes."""

import struct
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType, SimpleNamespace
from typing import Any, cast

import aioice
import pytest
from aioice.ice import CandidatePair
from pylibsrtp import Policy

from signaling.media import TrunkMedia
from signaling.pstn.media import trunk_sdp
from signaling.pstn.media.app_side import AppSide
from signaling.pstn.media.leg import Leg
from signaling.pstn.media.rtp import Format
from signaling.pstn.media.trunk_side import TrunkSide
from tests.signaling.pstn.media.ends import HOST, in_seconds
from wephone.media.ice import Socket
from wephone.media.secure import SecureLine
from wephone.media.servers import IceSettings
from wephone.media.srtp import cipher

PACKETS = 50
MOST = 32  # calls of Python's and of C's, from the datagram that came to the one that goes
KEY = bytes(range(30))
APP, PHONE = (HOST, 6000), (HOST, 5000)


class Wire:
    """In the place of a socket: keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def sendto(self, data: bytes, to: object) -> bool:
        self.sent.append(data)
        return True

    send = sendto


class Bench:
    """A leg with everything that a packet passes, between two wires."""

    def __init__(self) -> None:
        self.leg = Leg("call", lambda event: None, lambda leg, event: None)
        self.to_app, self.to_phone = Wire(), Wire()
        line = SecureLine(self.leg, IceSettings(()), offers=True, mid="0")
        line._received, line._sent = (
            cipher(KEY, Policy.SSRC_ANY_INBOUND),
            cipher(KEY, Policy.SSRC_ANY_OUTBOUND),
        )
        self.socket = Socket(line.connection, cast(Any, self.to_app))
        self.socket.met.add(APP)
        there = aioice.Candidate("1", 1, "udp", 1, *APP, "host")
        there._network_host = HOST
        line.connection._nominated[1] = CandidatePair(self.socket, there)
        self.leg.app = AppSide(line, 7)
        self.leg.app._formats = {0: Format("PCMU", 8_000)}
        self.leg.app._theirs = cast(Any, object())
        pair = SimpleNamespace(port=4000, sound=self.to_phone, reports=Wire())
        self.leg.trunk = TrunkSide(TrunkMedia(networks=("127.0.0.0/8",)), HOST, cast(Any, pair))
        answer = f"v=0\r\nc=IN IP4 {HOST}\r\nm=audio {PHONE[1]} RTP/AVP 0\r\n"
        self.leg.trunk.take_answer(trunk_sdp.parse(answer, self.leg.trunk.spec))
        self.leg.settle()
        self.leg.lease(in_seconds(60))

    def from_app(self, data: bytes) -> None:
        self.socket.datagram_received(data, APP)

    def from_phone(self, data: bytes) -> None:
        self.leg.sound_came(data, PHONE)


def packets() -> Iterator[bytes]:
    for number in range(2 * PACKETS):
        yield struct.pack("!BBHII", 0x80, 0, number, number * 160, 77) + bytes(160)


def calls_of(work: Callable[[], None]) -> int:
    """How many functions it calls."""
    count = 0

    def told(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(told)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("to", ["trunk", "app"])
async def test_a_packet_of_g711_is_passed_on_in_few_calls(to: str) -> None:
    bench, far = Bench(), cipher(KEY, Policy.SSRC_ANY_OUTBOUND)
    said, wire, come = list(packets()), bench.to_app, bench.from_phone
    if to == "trunk":
        said, wire, come = [far.protect(packet) for packet in said], bench.to_phone, bench.from_app
    for data in said[:PACKETS]:
        come(data)  # the first one is told of

    def rest() -> None:
        for data in said[PACKETS:]:
            come(data)

    calls = calls_of(rest) / PACKETS
    assert len(wire.sent) == 2 * PACKETS
    assert calls <= MOST


async def test_the_lease_is_looked_at_for_each_packet() -> None:
    bench = Bench()
    one, other = list(packets())[:2]
    bench.from_phone(one)
    bench.leg.until_ns = time.monotonic_ns()  # nobody tells that it is over
    bench.from_phone(other)
    assert len(bench.to_app.sent) == 1
    assert bench.leg.statistics().trunk.unleased == 1
