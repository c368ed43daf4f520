"""RTP packets (RFC 3550): read, written, and their numbers kept continuous whatever the sound is made of."""

import struct
from dataclasses import dataclass
from typing import NamedTuple

HEADER = struct.Struct("!BBHII")
LEAST = HEADER.size
FRAME = 160  # samples at 8 kHz, and bytes of G.711: 20 ms
IDLE = 40_000_000  # ns without a packet, after which timestamps follow the clock again
WILD = 3000  # packets by which a number may jump before it counts as another source (RFC 3550 A.1)


class Packet(NamedTuple):
    """One packet of sound, as it came."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    source: int  # SSRC
    payload: bytes


def is_report(data: bytes) -> bool:
    """RTCP, where both share a port (RFC 5761 §4)."""
    return 192 <= data[1] <= 223


def parse(data: bytes) -> Packet | None:
    """What a datagram holds; none if it is no RTP packet."""
    if len(data) < LEAST or data[0] >> 6 != 2:
        return None
    first, second, sequence, timestamp, source = HEADER.unpack_from(data)
    if first == 0x80:  # as nearly all are
        return Packet(second & 0x7F, second >= 0x80, sequence, timestamp, source, data[LEAST:])
    begin, end = LEAST + 4 * (first & 0x0F), len(data)
    if first & 0x10:  # an extension
        if begin + 4 > end:
            return None
        begin += 4 + 4 * int.from_bytes(data[begin + 2 : begin + 4])
    if first & 0x20:  # padding
        end -= data[-1]
    if begin > end:
        return None
    return Packet(second & 0x7F, second >= 0x80, sequence, timestamp, source, data[begin:end])


def ahead(number: int, of: int, bits: int) -> int:
    """By how much a number that wraps is ahead of another; negative if it is behind."""
    half = 1 << (bits - 1)
    return ((number - of + half) & ((1 << bits) - 1)) - half


@dataclass(frozen=True, slots=True)
class Format:
    """What a payload type stands for."""

    codec: str  # "PCMU", "PCMA", "opus", or "events" for telephone-event
    rate: int  # of its timestamps, a second

    @property
    def frame(self) -> int:
        """By how much the timestamp grows in 20 ms."""
        return self.rate // 50


@dataclass(frozen=True, slots=True)
class Hears:
    """What the side that hears wants to get."""

    format: Format
    payload_type: int
    events: int | None  # its payload type of telephone-event, at the format's rate


class Stream:
    """What one side hears: one SSRC, whose numbers go on whatever comes to make it up (RFC 3550 §5.1).

    Packets that are passed on keep their order and their gaps; those that are made here get the next number.
    """

    def __init__(self, ssrc: int, sequence: int, timestamp: int) -> None:
        self.ssrc = ssrc
        self.rate = 8000
        self.next_sequence, self.next_timestamp = sequence & 0xFFFF, timestamp & 0xFFFFFFFF
        self.packets = self.octets = 0
        self._source: int | None = None
        self._broken = True
        self._last: int | None = None  # ns, of the newest packet
        self._in_sequence = self._in_timestamp = 0
        self._out_sequence = self._out_timestamp = 0
        self._up = self._down = 1

    def change_rate(self, rate: int) -> None:
        """Another codec: its timestamps go on from here."""
        self.rate = rate
        self.break_off()

    def break_off(self) -> None:
        """What comes next does not belong to what came."""
        self._broken = True

    def relay(self, packet: Packet, rate: int, now: int) -> tuple[int, int]:
        """Sequence number and timestamp for a packet that is passed on, whose clock has this rate."""
        step = (packet.sequence - self._in_sequence + 0x8000 & 0xFFFF) - 0x8000  # `ahead`, of each packet
        if packet.source != self._source or self._broken or not -WILD <= step <= WILD:
            self._begin(packet, rate, now)
            step = 0
        passed = (packet.timestamp - self._in_timestamp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        if self._up != self._down:
            passed = passed * self._up // self._down
        sequence = (self._out_sequence + step) & 0xFFFF
        timestamp = (self._out_timestamp + passed) & 0xFFFFFFFF
        if step >= 0:
            self._in_sequence, self._in_timestamp = packet.sequence, packet.timestamp
            self._out_sequence, self._out_timestamp = sequence, timestamp
            self.next_sequence = (sequence + 1) & 0xFFFF
            self.next_timestamp = (timestamp + self.rate // 50) & 0xFFFFFFFF
            self._last = now
        return sequence, timestamp

    def _begin(self, packet: Packet, rate: int, now: int) -> None:
        self.catch_up(now)
        self._source, self._broken = packet.source, False
        self._up, self._down = self.rate, rate
        self._in_sequence, self._in_timestamp = packet.sequence, packet.timestamp
        self._out_sequence, self._out_timestamp = self.next_sequence, self.next_timestamp

    def catch_up(self, now: int) -> None:
        """After a pause, timestamps are where the clock is."""
        if self._last is not None and now - self._last > IDLE:
            passed = (now - self._last) * self.rate // 1_000_000_000 - self.rate // 50
            self.next_timestamp = (self.next_timestamp + passed) & 0xFFFFFFFF
            self._last = now

    def make(self, step: int, now: int, *, lost: int = 0) -> tuple[int, int]:
        """Numbers for a packet made here, that lasts `step`, after so many that never came."""
        self._broken = True  # what is passed on after this begins anew
        sequence = (self.next_sequence + lost) & 0xFFFF
        timestamp = (self.next_timestamp + lost * step) & 0xFFFFFFFF
        self.next_sequence = (sequence + 1) & 0xFFFF
        self.next_timestamp = (timestamp + step) & 0xFFFFFFFF
        self._last = now
        return sequence, timestamp

    def make_part(self, now: int) -> tuple[int, int]:
        """Numbers for one more packet about the same moment (RFC 4733 §2.5.1.1): time does not pass."""
        self._broken = True
        sequence = self.next_sequence
        self.next_sequence = (sequence + 1) & 0xFFFF
        self._last = now
        return sequence, self.next_timestamp

    def pass_time(self, step: int) -> None:
        """What `make_part` told of has lasted so long."""
        self.next_timestamp = (self.next_timestamp + step) & 0xFFFFFFFF

    def pack(self, payload_type: int, marker: bool, sequence: int, timestamp: int, payload: bytes) -> bytes:
        """The datagram; it counts as sent."""
        self.packets += 1
        self.octets += len(payload)
        second = payload_type | 0x80 if marker else payload_type
        return HEADER.pack(0x80, second, sequence, timestamp, self.ssrc) + payload
