"""Rewrite a sound file as mono, 16 bit, for scripts/samples: `-m tests.media.resample FROM TO [RATE]`."""

import sys
import wave

import av
import numpy as np

WIDE = 16_000  # samples a second, if no other rate is asked for: all that speech needs
PEAK = 0.5  # of full scale, so that nothing clips on its way


def resample(source: str, target: str, rate: int = WIDE) -> None:
    """Read any sound file, write a WAV file of this rate and our loudness."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
    with av.open(source) as container:
        frames = [*container.decode(audio=0), None]
        pieces = [piece.to_ndarray()[0] for frame in frames for piece in resampler.resample(frame)]
    samples = np.concatenate(pieces).astype(np.float64)
    samples *= PEAK * 32767 / np.abs(samples).max()
    with wave.open(target, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())


if __name__ == "__main__":
    resample(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
