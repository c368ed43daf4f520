"""Keys of a telephone as events in RTP (RFC 4733): read, made, and passed on between clocks."""

from dataclasses import dataclass

DIGITS = "0123456789*#ABCD"  # by their event codes (RFC 4733 §3.2)
LASTS = 100  # ms that a key of ours is held; 40 is the least that carriers hear
PAUSE = 80  # ms between two
STEP = 20  # ms between two packets of one event
REPEATS = 3  # times that its end is sent (RFC 4733 §2.5.1.4)
VOLUME = 10  # -dBm0


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """One packet about a key. `lasted` is in units of the stream's clock."""

    digit: str
    over: bool
    volume: int
    lasted: int

    def __bytes__(self) -> bytes:
        second = (0x80 if self.over else 0) | self.volume
        return bytes((DIGITS.index(self.digit), second)) + min(self.lasted, 0xFFFF).to_bytes(2)


def parse(payload: bytes) -> KeyEvent | None:
    """What a packet of telephone-event says; none if it is about no key."""
    if len(payload) < 4 or payload[0] >= len(DIGITS):
        return None
    over, volume = payload[1] >= 0x80, payload[1] & 0x3F
    return KeyEvent(DIGITS[payload[0]], over, volume, int.from_bytes(payload[2:4]))


def pressed(digit: str, rate: int) -> tuple[KeyEvent, ...]:
    """All packets of one key, 20 ms apart, the last ones alike."""
    unit = rate // 1000
    held = [KeyEvent(digit, False, VOLUME, ms * unit) for ms in range(STEP, LASTS, STEP)]
    return (*held, *([KeyEvent(digit, True, VOLUME, LASTS * unit)] * REPEATS))
