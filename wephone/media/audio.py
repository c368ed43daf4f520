"""What a piece of sound is in this package: mono, 16 bit, 48 kHz, in frames of 20 ms."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

RATE = 48_000  # samples a second: Opus's own clock, whatever it carries (RFC 7587 §4.1)
FRAME = 960  # samples: 20 ms. Longer frames give two packets one timestamp in aiortc.
FRAME_NS = 20_000_000  # nanoseconds

Samples: TypeAlias = NDArray[np.int16]
"""Mono samples, shape (n,)."""


def silence(samples: int = FRAME) -> Samples:
    """So many samples of nothing."""
    return np.zeros(samples, dtype=np.int16)


def peak(samples: Samples) -> int:
    """The largest magnitude, 0 to 32768; 0 of nothing."""
    return max(int(samples.max()), -int(samples.min())) if samples.size else 0


def filled(frame: Samples) -> Samples:
    """A whole frame, the rest of it silence."""
    return frame if frame.size == FRAME else np.concatenate((frame, silence(FRAME - frame.size)))
