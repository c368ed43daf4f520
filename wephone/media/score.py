"""Is this what was said? What one side heard is laid over what the other said, and scored.

Samples are mono, 16 bit, 48 kHz. pystoi and SciPy under it are loaded with the first score.
"""

import importlib
import importlib.util
import warnings
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from wephone.media.audio import FRAME, RATE, Samples

WINDOW = RATE // 2  # samples that show by their correlation how late they were heard
PIECE = RATE // 8  # samples that are taken to have been heard with one delay
REACH = RATE // 4  # samples by which a window may lie elsewhere than the whole
LEAST = RATE // 2  # samples that a score needs: STOI looks at 384 ms at a time
QUIET = -96.0  # dB: nothing at all, in 16 bits
GOOD_STOI = 0.9
GOOD_LEVEL = 6.0  # dB, up or down
ACTIVE = 35.0  # dB below the loudest frame: softer ones are the pauses of speech
GONE = 20.0  # dB by which a spoken frame is softer than the rest of what was heard, to count as lost
PESQ_RATE = 16_000  # samples a second: wide band


@dataclass(frozen=True, slots=True)
class Score:
    """How well one side heard what the other said."""

    stoi: float  # short-time objective intelligibility, 0 to 1 (Taal et al. 2011)
    level: float  # dB, heard over said
    lost: float  # share of the spoken 20 ms frames where next to nothing was heard, 0 to 1
    delay: float  # seconds from the start of what was said to the start of it in what was heard
    seconds: float  # that were compared
    pesq: float | None = None  # ITU-T P.862.2, 1 to 4.6, where the package `pesq` is installed

    @property
    def good(self) -> bool:
        """Heard as it was said: every word, and no louder or softer than it should be."""
        return self.stoi >= GOOD_STOI and abs(self.level) <= GOOD_LEVEL

    def as_json(self) -> dict[str, Any]:
        """For machines: the fields, and `good`."""
        return {**asdict(self), "good": self.good}


NOTHING = Score(0.0, QUIET, 1.0, 0.0, 0.0)


def heard(said: Samples, recorded: Samples) -> Score:
    """Lay what was recorded over what was said.

    What was said and not heard counts against it; what else was heard, before and after, does not.
    """
    if min(said.size, recorded.size) < LEAST or not said.any() or not recorded.any():
        return NOTHING
    delay = lag(said, recorded)
    aligned = laid_over(said, recorded, delay)
    if not aligned.any():
        return NOTHING
    return Score(
        stoi(said, aligned),
        level(said, aligned),
        lost(said, aligned),
        delay / RATE,
        said.size / RATE,
        pesq(said, aligned),
    )


def lag(said: Samples, recorded: Samples) -> int:
    """By how many samples `recorded` lies after `said`: where they correlate most."""
    size = 1 << (said.size + recorded.size - 1).bit_length()
    spectrum = np.fft.rfft(recorded.astype(np.float32), size)
    spectrum *= np.conj(np.fft.rfft(said.astype(np.float32), size))
    peak = int(np.argmax(np.fft.irfft(spectrum, size)))
    return peak if peak < recorded.size else peak - size


def laid_over(said: Samples, recorded: Samples, delay: int) -> Samples:
    """As many samples of `recorded` as there are in `said`.

    A jitter buffer makes a call's delay grow and shrink by a frame or two. Which delays there were shows in
    windows of half a second; which one a piece of an eighth was played with, how well it fits.
    """
    delays = {delay}
    for start in range(0, said.size - WINDOW + 1, WINDOW // 2):
        window = said[start : start + WINDOW]
        around = piece(recorded, start + delay - REACH, WINDOW + 2 * REACH)
        if window.any() and around.any():
            delays.add(delay - REACH + min(max(lag(window, around), 0), 2 * REACH))
    start, pieces = 0, []
    for part in np.array_split(said, max(1, said.size // PIECE)):
        choices = [piece(recorded, start + each, part.size) for each in sorted(delays)]
        pieces.append(max(choices, key=lambda choice: likeness(part, choice)))
        start += part.size
    return np.concatenate(pieces)


def likeness(one: Samples, other: Samples) -> float:
    """How alike two pieces are, whatever their level; -1 to 1."""
    a, b = one.astype(np.float32), other.astype(np.float32)
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.dot(a, b)) / size if size else 0.0


def piece(samples: Samples, start: int, length: int) -> Samples:
    """A part of `samples`, with silence where there are none."""
    inside = samples[max(start, 0) : max(start + length, 0)]
    before = min(max(-start, 0), length)
    return np.pad(inside, (before, length - before - inside.size))


def stoi(said: Samples, aligned: Samples) -> float:
    """Intelligibility, 0 to 1."""
    measure = importlib.import_module("pystoi").stoi
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # too little speech: it answers 1e-5
        found = float(measure(said.astype(np.float64), aligned.astype(np.float64), RATE))
    return min(max(0.0, found), 1.0)


def level(said: Samples, aligned: Samples) -> float:
    """By how many dB `aligned` is louder than `said`, all in all."""
    ratio = np.mean(np.square(aligned.astype(np.float64))) / np.mean(np.square(said.astype(np.float64)))
    return max(QUIET, 10 * float(np.log10(max(float(ratio), 1e-12))))


def frame_levels(samples: Samples) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """The level of each 20 ms, dB of full scale."""
    frames = samples[: samples.size // FRAME * FRAME].reshape(-1, FRAME).astype(np.float64) / 32768
    return np.asarray(10 * np.log10(np.mean(np.square(frames), axis=1) + 1e-10))


def lost(said: Samples, aligned: Samples) -> float:
    """The share of the spoken frames that are gone, whatever the level of the rest."""
    before, after = frame_levels(said), frame_levels(aligned)
    spoken = before > before.max() - ACTIVE
    change = after[spoken] - before[spoken]
    return float(np.mean(change < max(float(np.median(change)), -ACTIVE) - GONE))


def pesq(said: Samples, aligned: Samples) -> float | None:
    """Wide-band PESQ; None where the package is not installed, or finds no speech."""
    if importlib.util.find_spec("pesq") is None:
        return None
    package = importlib.import_module("pesq")
    narrow = [resampled(samples, PESQ_RATE) for samples in (said, aligned)]
    try:
        return float(package.pesq(PESQ_RATE, *narrow, "wb"))
    except package.PesqError:
        return None


def resampled(samples: Samples, rate: int) -> Samples:
    """The same sound at another rate."""
    import av

    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = RATE
    pieces = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([np.asarray(each.to_ndarray()[0], np.int16) for each in pieces])
