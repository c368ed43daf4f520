"""Sound that is made and heard as it happens: microphone, loudspeaker, and programs at the end of a pipe.

`sounddevice` (the extra `audio`) is loaded when a microphone or loudspeaker is asked for, and not before.
"""

import importlib
import os
import select
import subprocess
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np

from wephone.media.audio import FRAME, RATE, Samples, filled, silence
from wephone.media.errors import DeviceError
from wephone.media.files import Placed

WINDOW = 50  # frames, 1 s: what has lain there for so long is too much
LATENCY = 0.06  # seconds; with less, PulseAudio plays gaps and reports none
BACKLOG = 10  # frames, 200 ms, between a sound card's clock and ours; the oldest give way
AHEAD = (2, 6)  # frames to gather before a loudspeaker plays: at first, and after it ran dry again and again
FRAME_BYTES = 2 * FRAME
PIPE_BACKLOG = 50 * FRAME_BYTES  # 1 s for a program that does not read
GOODBYE = 5.0  # seconds for a program to end by itself


def sounddevice() -> Any:
    """The package. DeviceError in words of what to install."""
    try:
        return importlib.import_module("sounddevice")
    except ModuleNotFoundError as error:
        raise DeviceError("microphone and loudspeaker need `pip install wephone[audio]`") from error
    except OSError as error:  # its wheel for Linux is without PortAudio
        raise DeviceError("microphone and loudspeaker need PortAudio: `apt install libportaudio2`") from error


class Card:
    """One direction of a sound card, opened by PortAudio; its callback runs in a thread of PortAudio's."""

    kind = ""  # "input" or "output"
    name = ""  # for people

    def __init__(self, device: str | int | None = None) -> None:
        """`device`: PortAudio's number or a part of its name; None: the system's own. DeviceError."""
        self._portaudio = sounddevice()
        self._device = device
        self._frames: deque[Samples] = deque(maxlen=BACKLOG)
        self._lock = threading.Lock()
        self._least = BACKLOG  # frames that lay ready at least, in this window
        self._taken = 0  # frames
        self._stream: Any = None
        try:
            self._portaudio.query_devices(device, self.kind)
        except (ValueError, self._portaudio.PortAudioError) as error:
            wanted = "" if device is None else f" `{device}`"
            raise DeviceError(f"this machine has no {self.name}{wanted}") from error

    def open(self) -> None:
        make = {"input": self._portaudio.RawInputStream, "output": self._portaudio.RawOutputStream}[self.kind]
        try:
            self._stream = make(
                samplerate=RATE,
                blocksize=FRAME,
                device=self._device,
                channels=1,
                dtype="int16",
                latency=LATENCY,
                callback=self.move,
            )
            self._stream.start()
        except (ValueError, self._portaudio.PortAudioError) as error:
            raise DeviceError(f"the {self.name} cannot be used: {error}") from error

    def move(self, data: Any, frames: int, times: Any, status: Any) -> None:
        """PortAudio's callback: take from `data`, or fill it."""
        raise NotImplementedError

    def take(self, spare: int) -> Samples | None:
        """The next frame. What lay there beside it for a second, beyond `spare` frames, is left out."""
        self._least = min(self._least, len(self._frames))
        self._taken += 1
        if self._taken % WINDOW == 0:
            while len(self._frames) > 1 and self._least > spare + 1:
                self._frames.popleft()
                self._least -= 1
            self._least = BACKLOG
        return self._frames.popleft() if self._frames else None

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


class Microphone(Card):
    """Says what its microphone hears."""

    kind, name = "input", "microphone"

    def move(self, data: Any, frames: int, times: Any, status: Any) -> None:
        heard = np.frombuffer(bytes(data), dtype=np.int16)
        with self._lock:
            self._frames.append(heard)

    def read(self) -> Samples | None:
        with self._lock:
            frame = self.take(spare=1)
        return silence() if frame is None else filled(frame)


class Loudspeaker(Card):
    """Plays what it is given."""

    kind, name = "output", "loudspeaker"

    def __init__(self, device: str | int | None = None) -> None:
        super().__init__(device)
        self._dry = True
        self._ahead = AHEAD[
            0
        ]  # PortAudio takes several frames at once, how many depends on what lies under it

    def write(self, samples: Samples, at: int) -> None:
        with self._lock:
            self._frames.append(samples)

    def move(self, data: Any, frames: int, times: Any, status: Any) -> None:
        with self._lock:
            if not self._dry and not self._frames:
                self._ahead = min(self._ahead + 1, AHEAD[1])
            self._dry = len(self._frames) < (self._ahead if self._dry else 1)
            sound = None if self._dry else self.take(spare=self._ahead)
        if sound is None:
            sound = silence(frames)
        data[:] = sound.tobytes()


class Program:
    """A program that was started for its pipe, or a pipe that was given."""

    def __init__(self, pipe: Sequence[str] | BinaryIO, end: str) -> None:
        self._pipe, self._end = pipe, end  # "stdout" or "stdin"
        self._process: subprocess.Popen[bytes] | None = None
        self.descriptor = -1

    def open(self) -> None:
        """DeviceError if there is no such program."""
        if not isinstance(self._pipe, Sequence):
            self.descriptor = os.dup(self._pipe.fileno())
        else:
            ends: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
            ends[self._end] = subprocess.PIPE
            try:
                self._process = subprocess.Popen(self._pipe, bufsize=0, **ends)
            except OSError as error:
                raise DeviceError(f"`{self._pipe[0]}` cannot be started: {error.strerror}") from error
            stream = self._process.stdout if self._end == "stdout" else self._process.stdin
            assert stream is not None
            self.descriptor = os.dup(stream.fileno())
            stream.close()
        os.set_blocking(self.descriptor, False)

    def close(self) -> None:
        """Close the pipe and wait for the program; one that does not end is ended."""
        if self.descriptor < 0:
            return
        os.set_blocking(self.descriptor, True)  # the flag is shared with whoever gave us the pipe
        os.close(self.descriptor)
        self.descriptor = -1
        if self._process is not None:
            if self._end == "stdout":
                self._process.terminate()
            try:
                self._process.wait(GOODBYE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


class PipeSource:
    """Says what a program writes, or a pipe gives: mono, 16 bit little-endian, 48 kHz, without a header."""

    def __init__(self, pipe: Sequence[str] | BinaryIO) -> None:
        """`pipe`: a command, for example `("parec", "--rate=48000", ...)`, or an open binary file."""
        self._program = Program(pipe, "stdout")
        self._bytes = bytearray()
        self._over = False

    def open(self) -> None:
        self._program.open()

    def read(self) -> Samples | None:
        self._fill()
        if len(self._bytes) < FRAME_BYTES and not self._over:
            return silence()  # not there yet
        frame = bytes(self._bytes[:FRAME_BYTES])
        del self._bytes[:FRAME_BYTES]
        if not frame:
            return None
        return filled(np.frombuffer(frame[: len(frame) // 2 * 2], dtype="<i2").astype(np.int16))

    def _fill(self) -> None:
        while len(self._bytes) < FRAME_BYTES and not self._over:
            try:
                more = os.read(self._program.descriptor, FRAME_BYTES - len(self._bytes))
            except BlockingIOError:
                return
            self._over = not more
            self._bytes += more

    def close(self) -> None:
        self._program.close()


class PipeSink(Placed):
    """Lets a program read what is heard, or writes it to a pipe: mono, 16 bit little-endian, 48 kHz."""

    def __init__(self, pipe: Sequence[str] | BinaryIO) -> None:
        """`pipe`: a command, for example `("pacat", "--rate=48000", ...)`, or an open binary file."""
        super().__init__()
        self._program = Program(pipe, "stdin")
        self._bytes = bytearray()

    def open(self) -> None:
        self._program.open()

    def lay_down(self, samples: Samples) -> None:
        super().lay_down(samples)
        self._bytes += samples.astype("<i2").tobytes()
        del self._bytes[: max(0, len(self._bytes) - PIPE_BACKLOG)]
        self._drain()

    def _drain(self) -> None:
        while self._bytes:
            try:
                written = os.write(self._program.descriptor, self._bytes)
            except BlockingIOError:
                return
            except BrokenPipeError as error:
                raise DeviceError("the program that was to play has ended") from error
            del self._bytes[:written]

    def close(self) -> None:
        """Let the program read the rest, unless it takes too long."""
        deadline = time.monotonic() + GOODBYE
        try:
            while self._bytes and (left := deadline - time.monotonic()) > 0:
                select.select([], [self._program.descriptor], [], left)
                self._drain()
        finally:
            self._program.close()
