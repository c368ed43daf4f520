"""Keys of a telephone as events in RTP (RFC 4733): read, made, and passed on between clocks."""

from collections import deque
from dataclasses import dataclass

DIGITS = "0123456789*#ABCD"  # by their event codes (RFC 4733 §3.2)
LASTS = 100  # ms that a key of ours is held; 40 is the least that carriers hear
PAUSE = 80  # ms between two
WAIT, WAITS = ",", 1000  # ms: no key, but so long without one
STEP = 20  # ms between two packets of one event
REPEATS = 3  # times that its end is sent (RFC 4733 §2.5.1.4)
VOLUME = 10  # -dBm0
RECENT = 64  # packets of events whose places among the sound are remembered


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


def check(keys: str) -> None:
    """ValueError for what is no key of a telephone."""
    for key in keys:
        if key not in DIGITS + WAIT:
            raise ValueError(
                f"`{key}` is no key of a telephone: 0-9, *, # and A-D are; a comma waits a second"
            )


class Pressing:
    """Keys that are to be pressed, as what takes the place of 20 ms of sound. Reads no clock."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._steps: deque[tuple[KeyEvent, bool] | None] = deque()

    def press(self, keys: str) -> None:
        """After those that were pressed before; a comma waits a second. ValueError for what is no key."""
        check(keys)
        for key in keys:
            if key == WAIT:
                self._steps.extend([None] * (WAITS // STEP))
                continue
            self._steps.extend((event, index == 0) for index, event in enumerate(pressed(key, self._rate)))
            self._steps.extend([None] * (PAUSE // STEP))

    def next(self) -> tuple[KeyEvent, bool] | None:
        """The packet that is due, and whether its key begins with it; none: sound is."""
        return self._steps.popleft() if self._steps else None


class Listening:
    """Keys in a stream: each is told once, and the sound is numbered as if there were none."""

    def __init__(self) -> None:
        self._newest: int | None = None  # timestamp of the newest key
        self._taken: deque[int] = deque(maxlen=RECENT)  # sequence numbers of its packets and those before
        self._older = 0  # packets that were taken before those

    def take(self, sequence: int, timestamp: int, payload: bytes) -> str | None:
        """A packet of telephone-event: the key, if it is a new one."""
        if sequence in self._taken:
            return None
        self._older += len(self._taken) == RECENT
        self._taken.append(sequence)
        event = parse(payload)
        if event is None or timestamp == self._newest:
            return None
        self._newest = timestamp
        return event.digit

    def numbered(self, sequence: int) -> int:
        """The sequence number of a packet of sound, without the keys before it."""
        before = sum(0 < (sequence - taken) & 0xFFFF < 0x8000 for taken in self._taken)
        return (sequence - self._older - before) & 0xFFFF
