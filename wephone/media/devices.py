"""Where sound comes from and goes to: microphone and loudspeaker, files, pipes, memory, nowhere.

A source is asked for 20 ms every 20 ms while the call may speak, a sink is given 20 ms with the time at
which they are heard. Samples are mono, 16 bit, 48 kHz. Neither may wait: what is not there yet is silence.
"""

import math
from pathlib import Path
from typing import Protocol

import numpy as np

from wephone.media.audio import FRAME, RATE, Samples, filled, silence
from wephone.media.files import Placed, WavSink, WavSource, read_wav
from wephone.media.live import Loudspeaker, Microphone, PipeSink, PipeSource

__all__ = [
    "Ear",
    "Loudspeaker",
    "Microphone",
    "Nowhere",
    "PipeSink",
    "PipeSource",
    "Silence",
    "Sink",
    "Source",
    "Tone",
    "Voice",
    "WavSink",
    "WavSource",
    "as_sink",
    "as_source",
    "read_wav",
]


class Source(Protocol):
    """What one side says."""

    def open(self) -> None:
        """Get ready to be read; may take its time. DeviceError if it cannot be used."""

    def read(self) -> Samples | None:
        """The next 960 samples; None once everything has been said."""

    def close(self) -> None:
        """Let go of the device."""


class Sink(Protocol):
    """Where what one side hears goes to."""

    def open(self) -> None:
        """Get ready; may take its time. DeviceError if it cannot be used."""

    def write(self, samples: Samples, at: int) -> None:
        """These samples are heard `at` samples after the call's media began; times only grow."""

    def close(self) -> None:
        """Let go of the device, and keep what was heard."""


def as_source(what: Source | str | Path | None) -> Source:
    """A path of a sound file, a source, or None for silence."""
    if what is None:
        return Silence()
    return WavSource(what) if isinstance(what, str | Path) else what


def as_sink(what: Sink | str | Path | None) -> Sink:
    """A path of a WAV file to be written, a sink, or None for nowhere."""
    if what is None:
        return Nowhere()
    return WavSink(what) if isinstance(what, str | Path) else what


class Silence:
    """Says nothing, for as long as the call lasts."""

    def open(self) -> None:
        pass

    def read(self) -> Samples | None:
        return silence()

    def close(self) -> None:
        pass


class Nowhere:
    """Hears nothing."""

    def open(self) -> None:
        pass

    def write(self, samples: Samples, at: int) -> None:
        pass

    def close(self) -> None:
        pass


class Tone:
    """A steady sine; `level` is its amplitude, of 1 at most."""

    def __init__(self, frequency: float = 440.0, level: float = 0.3) -> None:
        self._step = 2 * math.pi * frequency / RATE
        self._amplitude = level * 32767
        self._position = 0

    def open(self) -> None:
        pass

    def read(self) -> Samples | None:
        phase = self._step * np.arange(self._position, self._position + FRAME)
        self._position += FRAME
        return np.asarray(self._amplitude * np.sin(phase), dtype=np.int16)

    def close(self) -> None:
        pass


class Voice:
    """Says samples from memory, once. Mono int16 at 48 kHz."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._position = 0

    def open(self) -> None:
        pass

    def read(self) -> Samples | None:
        frame = self._samples[self._position : self._position + FRAME]
        self._position += FRAME
        return filled(frame) if frame.size else None

    def close(self) -> None:
        pass


class Ear(Placed):
    """Keeps in memory what it hears, in `heard`, from the start of the call's media on."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[Samples] = []

    @property
    def heard(self) -> Samples:
        """Everything so far: mono int16 at 48 kHz."""
        return np.concatenate(self._pieces) if self._pieces else silence(0)

    def open(self) -> None:
        pass

    def lay_down(self, samples: Samples) -> None:
        super().lay_down(samples)
        self._pieces.append(samples)

    def close(self) -> None:
        pass
