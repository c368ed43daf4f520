"""Sound in files: said from any that FFmpeg reads, heard into WAV."""

import wave
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from wephone.media.audio import FRAME, RATE, Samples, filled, silence
from wephone.media.errors import DeviceError


class Placed:
    """Samples laid down by the time at which they are heard, so that a gap stays a gap."""

    def __init__(self) -> None:
        self.length = 0  # samples laid down

    def write(self, samples: Samples, at: int) -> None:
        if at > self.length:
            self.lay_down(silence(at - self.length))
        self.lay_down(samples[max(0, self.length - at) :])

    def lay_down(self, samples: Samples) -> None:
        self.length += samples.size


class WavSource:
    """Says a sound file, once: any rate, any number of channels, any format that FFmpeg knows."""

    def __init__(self, path: str | Path) -> None:
        """Opens the file, so that what is wrong with it is known before the call. DeviceError."""
        self.path = Path(path)
        self._frames = samples_of(self.path)
        self._first: Samples | None = next(self._frames, None)

    def open(self) -> None:
        pass

    def read(self) -> Samples | None:
        frame, self._first = self._first, None
        if frame is None:
            frame = next(self._frames, None)
        return None if frame is None else filled(frame)

    def close(self) -> None:
        self._first = None
        self._frames.close()


class WavSink(Placed):
    """Writes what is heard to a WAV file: mono, 16 bit, 48 kHz."""

    def __init__(self, path: str | Path) -> None:
        """Opens the file, so that what is wrong with it is known before the call. DeviceError."""
        super().__init__()
        self.path = Path(path)
        try:
            self._bytes = self.path.open("wb")
        except OSError as error:
            raise DeviceError(f"`{self.path}` cannot be written: {error.strerror}") from error
        self._file = wave.open(self._bytes)  # noqa: SIM115 - `close` closes both
        self._file.setparams((1, 2, RATE, 0, "NONE", ""))

    def open(self) -> None:
        pass

    def lay_down(self, samples: Samples) -> None:
        super().lay_down(samples)
        self._file.writeframesraw(samples.astype("<i2").tobytes())

    def close(self) -> None:
        self._file.close()
        self._bytes.close()


def samples_of(path: Path, rate: int = RATE) -> "FrameIterator":
    """A file's sound in frames of 960 samples, the last one shorter. DeviceError if there is none."""
    try:
        container = av.open(str(path))
    except OSError as error:  # FFmpeg's errors are OSErrors, those of content ValueErrors
        raise DeviceError(f"`{path}` cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise DeviceError(f"`{path}` is no sound file") from error
    if not container.streams.audio:
        container.close()
        raise DeviceError(f"`{path}` has no sound")
    return FrameIterator(path, container, rate)


class FrameIterator(Iterator[Samples]):
    """Decodes and resamples a file as it is asked for."""

    def __init__(self, path: Path, container: av.container.InputContainer, rate: int) -> None:
        self._path, self._container = path, container
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=rate, frame_size=FRAME)
        self._decoded = container.decode(audio=0)
        self._ready: list[Samples] = []
        self._over = False

    def __next__(self) -> Samples:
        while not self._ready:
            if self._over:
                self.close()
                raise StopIteration
            self._more()
        return self._ready.pop(0)

    def _more(self) -> None:
        try:
            frame = next(self._decoded, None)
        except (OSError, ValueError) as error:
            raise DeviceError(f"`{self._path}` cannot be read to its end: {error}") from error
        self._over = frame is None
        if frame is not None:
            frame.pts = None  # gaps in a file's own times are not ours to keep
        self._ready += [
            np.asarray(each.to_ndarray()[0], np.int16) for each in self._resampler.resample(frame)
        ]

    def close(self) -> None:
        self._over = True
        self._container.close()


def read_wav(path: str | Path, rate: int = RATE) -> Samples:
    """A whole sound file: mono int16 at 48 kHz, or at that rate. DeviceError if it cannot be read."""
    pieces = list(samples_of(Path(path), rate))
    return np.concatenate(pieces) if pieces else silence(0)
