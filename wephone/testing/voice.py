"""What a headless peer says and hears, kept in memory, so that a test can compare the two."""

import asyncio
import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from wephone.media.audio import FRAME, RATE, Samples, silence
from wephone.media.devices import read_wav

SAMPLES = ("alice.wav", "bob.wav")
SPREAD = 0.2  # the deepest voice is by so much slower than the highest


@cache
def voice(name: str) -> Samples:
    """Speech that no other name has: one of the shipped samples, begun elsewhere, higher or deeper.

    Names of samples say just these.
    """
    if f"{name}.wav" in SAMPLES:
        return speech(f"{name}.wav")
    seed = hashlib.sha256(name.encode()).digest()
    original = speech(SAMPLES[seed[0] % len(SAMPLES)])
    speed = 1 - SPREAD / 2 + SPREAD * seed[1] / 255
    at = np.arange(0, original.size - 1, speed)
    changed = np.interp(at, np.arange(original.size), original).astype(np.int16)
    return np.roll(changed, changed.size * seed[2] // 256)


@cache
def speech(sample: str) -> Samples:
    """A shipped sample."""
    return read_wav(Path(str(files("wephone") / "samples" / sample)))


class Mouth:
    """A source that says its samples over and over until the call ends, and remembers what it has said."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._position = 0  # samples said
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []  # for so many

    @property
    def said(self) -> Samples:
        """Everything so far."""
        times = -(-self._position // self._samples.size)
        return np.tile(self._samples, times)[: self._position] if times else silence(0)

    @property
    def seconds(self) -> float:
        """How long it has spoken."""
        return self._position / RATE

    async def spoke(self, seconds: float) -> None:
        """Wait until it has spoken for so long, all in all."""
        waits = (int(seconds * RATE), asyncio.get_running_loop().create_future())
        if self._position >= waits[0]:
            return
        self._waiting.append(waits)
        try:
            await waits[1]
        finally:
            self._waiting.remove(waits)

    def open(self) -> None:
        """There is nothing to get ready."""

    def read(self) -> Samples:
        """The next 20 ms."""
        at = np.arange(self._position, self._position + FRAME) % self._samples.size
        self._position += FRAME
        for position, future in self._waiting:
            if position <= self._position and not future.done():
                future.set_result(None)
        return self._samples[at]

    def close(self) -> None:
        """There is nothing to let go of."""
