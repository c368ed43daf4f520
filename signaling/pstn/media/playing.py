"""What is said to one side by nobody on the other: announcements, music, tones, keys. 20 ms at a time."""

import asyncio
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from signaling.media import Sound
from signaling.pstn.media.rtp import FRAME
from wephone.media.audio import Samples, silence

RATE = 8_000
STEP = 0.02  # seconds
# Keys as two tones at once (ITU-T Q.23), for a trunk that takes no events.
ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
KEYPAD = "123A456B789C*0#D"
LOUD = 0.2  # of full scale, each tone
HELD, BETWEEN = 5, 4  # frames


@dataclass(slots=True)
class Playing:
    """A sound that one side hears."""

    sound: Sound
    frames: Iterator[Samples]
    clock: "Every20ms"


class Every20ms:
    """Calls `next_frame` each 20 ms, by the clock, until it gives False."""

    def __init__(self, next_frame: Callable[[], bool]) -> None:
        self._next_frame = next_frame
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time()
        self._timer = self._loop.call_soon(self._step)

    def _step(self) -> None:
        if not self._next_frame():
            return
        self._due = max(self._due + STEP, self._loop.time() - 0.2)  # a loop that hung does not send a burst
        self._timer = self._loop.call_at(self._due, self._step)

    def stop(self) -> None:
        """No more frames."""
        self._timer.cancel()


def frames(samples: Samples, *, again: bool) -> Iterator[Samples]:
    """A sound in frames, the last one filled up; `again`: from the start when it is over."""
    whole = -(-samples.size // FRAME) * FRAME
    padded = np.concatenate((samples, silence(whole - samples.size)))
    while True:
        for at in range(0, whole, FRAME):
            yield padded[at : at + FRAME]
        if not again or not whole:
            return


def tones(digit: str) -> Iterator[Samples]:
    """A key as it sounds, and the pause after it."""
    row, column = divmod(KEYPAD.index(digit), 4)
    times = np.arange(HELD * FRAME) / RATE
    both = np.sin(2 * math.pi * ROWS[row] * times) + np.sin(2 * math.pi * COLUMNS[column] * times)
    yield from frames(np.asarray(LOUD * 32767 * both, dtype=np.int16), again=False)
    for _ in range(BETWEEN):
        yield silence(FRAME)


def music() -> Samples:
    """Eight seconds of soft broken chords, made here so that nobody has a right to them."""
    notes = (262, 330, 392, 523, 392, 330, 220, 262, 330, 440, 330, 262, 349, 440, 523, 440)
    times = np.arange(RATE // 2) / RATE
    fade = np.exp(-3 * times) * np.minimum(1, times * 50)
    played = [np.sin(2 * math.pi * note * times) * fade for note in notes]
    return np.asarray(0.25 * 32767 * np.concatenate(played), dtype=np.int16)


def is_endless(sound: Sound) -> bool:
    """Does it go on until it is stopped?"""
    match sound:
        case Sound.MUSIC:
            return True
        case Sound.REFUSED | Sound.REVOKED | Sound.NO_EMERGENCY:
            return False
