"""Reports about sound, ours and theirs (RTCP, RFC 3550 §6): what came, what was lost, how long it takes."""

import struct
from collections.abc import Iterator

from signaling.pstn.media.rtp import Packet, Stream

SENDER, RECEIVER, DESCRIPTION, GOODBYE = 200, 201, 202, 203
NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970
EVERY = 5.0  # seconds between two of ours (RFC 3550 §6.2)
SECOND = 1_000_000_000
BLOCK = struct.Struct("!IIIIII")


class Reception:
    """What came from one side, as its numbers tell (RFC 3550 A.1, A.3, A.8)."""

    def __init__(self) -> None:
        self.received = 0  # of the newest source
        self.before = 0  # packets lost of the sources before it
        self.jitter = 0.0  # seconds
        self.source: int | None = None
        self._first = self._highest = 0  # extended sequence numbers
        self._transit: float | None = None
        self._told = (0, 0)  # expected and received, at our last report
        self._their_report = (0, 0)  # middle of its NTP time, and when it came, ns

    def count(self, packet: Packet, rate: int | None, now: int) -> None:
        """This packet has come. `rate`: of its clock; none if its timestamp is that of others too, as a key's
        is, and so tells nothing about the way."""
        if packet.source != self.source:
            self.before += self.lost_here
            self.source, self.received, self._transit = packet.source, 0, None
            self._first = self._highest = packet.sequence
            self._told, self._their_report = (0, 0), (0, 0)
        step = (packet.sequence - self._highest + 0x8000 & 0xFFFF) - 0x8000  # how far it is ahead
        if step > 0:
            self._highest += step
        self.received += 1
        if rate is None:
            return
        transit = now / SECOND - packet.timestamp / rate
        if self._transit is not None:
            change = abs(transit - self._transit)
            if change < 1:  # a longer one is a timestamp that wrapped, or began anew
                self.jitter += (change - self.jitter) / 16
        self._transit = transit

    @property
    def _expected(self) -> int:
        return self._highest - self._first + 1 if self.received else 0

    @property
    def lost_here(self) -> int:
        return max(0, self._expected - self.received)

    @property
    def lost(self) -> int:
        """Of all sources, so far."""
        return self.before + self.lost_here

    def was_told(self, middle: int, now: int) -> None:
        """Its report came, with this time in it."""
        self._their_report = (middle, now)

    def block(self, rate: int, now: int) -> bytes:
        """Our report block about it (RFC 3550 §6.4.1); nothing, if nothing came."""
        if self.source is None or not self.received:
            return b""
        expected, received = self._expected - self._told[0], self.received - self._told[1]
        self._told = (self._expected, self.received)
        share = max(0, expected - received) * 256 // expected if expected > 0 else 0
        middle, at = self._their_report
        since = (now - at) * 65536 // SECOND if middle else 0
        lost = min(share, 255) << 24 | min(self.lost_here, 0x7FFFFF)
        jitter = min(int(self.jitter * rate), 0xFFFFFFFF)
        return BLOCK.pack(self.source, lost, self._highest & 0xFFFFFFFF, jitter, middle, since & 0xFFFFFFFF)


class Reports:
    """What we and one side tell each other about the sound between us."""

    def __init__(self, name: str) -> None:
        """`name`: the CNAME, which tells nothing about anybody (RFC 7022)."""
        self._name = name.encode()
        self.reception = Reception()
        self.reported_lost = 0
        self.round_trip: float | None = None  # seconds

    def ours(self, stream: Stream, rate: int, utc_ns: int, now: int) -> bytes:
        """A report of what we have sent and what we have got, with our name."""
        block = self.reception.block(rate, now)
        count = 1 if block else 0
        if stream.packets:
            seconds, rest = divmod(utc_ns, SECOND)
            sent = struct.pack(
                "!IIIII",
                seconds + NTP_EPOCH & 0xFFFFFFFF,
                (rest << 32) // SECOND,
                stream.next_timestamp,
                stream.packets & 0xFFFFFFFF,
                stream.octets & 0xFFFFFFFF,
            )
            head = framed(SENDER, count, struct.pack("!I", stream.ssrc) + sent + block)
        else:
            head = framed(RECEIVER, count, struct.pack("!I", stream.ssrc) + block)
        item = struct.pack("!IBB", stream.ssrc, 1, len(self._name)) + self._name
        return head + framed(DESCRIPTION, 1, item + bytes(4 - len(item) % 4))

    def goodbye(self, stream: Stream, rate: int, utc_ns: int, now: int) -> bytes:
        """The last one."""
        return self.ours(stream, rate, utc_ns, now) + framed(GOODBYE, 1, struct.pack("!I", stream.ssrc))

    def came(self, data: bytes, stream: Stream, utc_ns: int, now: int) -> bool:
        """Read what the side says; False if it is no report."""
        seen = False
        for kind, count, body in packets(data):
            seen = True
            if kind == SENDER and len(body) >= 24:
                if int.from_bytes(body[:4]) == self.reception.source:
                    self.reception.was_told(int.from_bytes(body[6:10]), now)
                self._blocks(body[24:], count, stream, utc_ns)
            elif kind == RECEIVER:
                self._blocks(body[4:], count, stream, utc_ns)
        return seen

    def _blocks(self, body: bytes, count: int, stream: Stream, utc_ns: int) -> None:
        for index in range(min(count, len(body) // BLOCK.size)):
            source, lost, _, _, middle, since = BLOCK.unpack_from(body, index * BLOCK.size)
            if source != stream.ssrc:
                continue
            lost &= 0xFFFFFF
            self.reported_lost = 0 if lost & 0x800000 else lost
            if middle:
                took = (middle_of(utc_ns) - middle - since) & 0xFFFFFFFF
                if took < 0x10000 * 30:  # a longer one is a clock that was set
                    self.round_trip = took / 65536


def middle_of(utc_ns: int) -> int:
    """The middle 32 bits of the NTP time (RFC 3550 §4)."""
    seconds, rest = divmod(utc_ns, SECOND)
    return (seconds + NTP_EPOCH << 16 | (rest << 16) // SECOND) & 0xFFFFFFFF


def framed(kind: int, count: int, body: bytes) -> bytes:
    """One packet of a compound."""
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def packets(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Type, count and body of each packet of a compound, as far as it can be read."""
    at = 0
    while at + 4 <= len(data) and data[at] >> 6 == 2:
        end = at + 4 + 4 * int.from_bytes(data[at + 2 : at + 4])
        if end > len(data):
            return
        yield data[at + 1], data[at] & 0x1F, data[at + 4 : end]
        at = end
