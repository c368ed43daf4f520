"""Where sound comes from and goes to."""

import importlib
import io
import os
import sys
import threading
import types
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wephone.media.audio import FRAME, RATE, Samples, silence
from wephone.media.devices import (
    Ear,
    Loudspeaker,
    Microphone,
    Nowhere,
    PipeSink,
    PipeSource,
    Silence,
    Sink,
    Source,
    Tone,
    Voice,
    WavSink,
    WavSource,
    as_sink,
    as_source,
    read_wav,
)
from wephone.media.errors import DeviceError
from wephone.media.live import BACKLOG, WINDOW


def all_of(source: Source, limit: int = 1000) -> Samples:
    """Everything a source says."""
    frames: list[Samples] = []
    source.open()
    while len(frames) < limit and (frame := source.read()) is not None:
        assert frame.shape == (FRAME,)
        assert frame.dtype == np.int16
        frames.append(frame)
    source.close()
    return np.concatenate(frames) if frames else silence(0)


def write_wav(path: Path, rate: int, channels: int, width: int, seconds: float = 0.5) -> None:
    """A 440 Hz tone of half the full scale."""
    wave_form = 0.5 * np.sin(2 * np.pi * 440 / rate * np.arange(int(rate * seconds)))
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        if width == 1:
            data = ((wave_form + 1) * 127).astype(np.uint8)
        else:
            data = (wave_form * (2 ** (8 * width - 1) - 1)).astype(f"<i{width}")
        file.writeframes(np.repeat(data, channels).tobytes())


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize(("channels", "width"), [(1, 2), (2, 2), (1, 1), (2, 4)])
def test_any_wav_is_said_at_48_khz_mono_and_as_loud_as_it_was(
    tmp_path: Path, rate: int, channels: int, width: int
) -> None:
    path = tmp_path / "tone.wav"
    write_wav(path, rate, channels, width)
    said = all_of(WavSource(path)).astype(float) / 32768
    assert abs(said.size - RATE // 2) <= FRAME
    middle = said[RATE // 8 : RATE // 8 * 3]
    assert abs(np.sqrt(np.mean(middle**2)) - 0.5 / np.sqrt(2)) < 0.01
    assert abs(int(np.argmax(np.abs(np.fft.rfft(middle)))) * RATE / middle.size - 440) < 5


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("none.wav", None, "cannot be read: No such file or directory"),
        ("text.wav", b"hello, world", "is no sound file"),
        ("empty.wav", b"", "is no sound file"),
    ],
)
def test_a_file_that_is_no_sound_is_refused_in_words(
    tmp_path: Path, name: str, content: bytes | None, text: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DeviceError) as error:
        WavSource(path)
    assert str(error.value) == f"`{path}` {text}"
    assert "\n" not in str(error.value)


def test_what_is_heard_lies_in_the_file_where_it_lay_in_time(tmp_path: Path) -> None:
    sink = WavSink(tmp_path / "heard.wav")
    sink.open()
    sink.write(np.full(FRAME, 1000, np.int16), at=480)
    sink.write(np.full(FRAME, 2000, np.int16), at=10 * FRAME)
    sink.write(np.full(FRAME, 3000, np.int16), at=10 * FRAME + 480)  # half of it overlaps
    sink.close()
    heard = read_wav(tmp_path / "heard.wav")
    assert heard.size == 11 * FRAME + 480
    assert not heard[:480].any()
    assert set(heard[480 : 480 + FRAME]) == {1000}
    assert not heard[480 + FRAME : 10 * FRAME].any()
    assert set(heard[10 * FRAME : 11 * FRAME]) == {2000}
    assert set(heard[11 * FRAME :]) == {3000}


def test_a_file_that_cannot_be_written_is_refused_before_the_call(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="cannot be written: No such file or directory"):
        WavSink(tmp_path / "no" / "where.wav")


def test_an_ear_remembers_and_a_voice_says_once() -> None:
    samples = np.arange(2 * FRAME + 100, dtype=np.int16)
    said = all_of(Voice(samples))
    assert said.size == 3 * FRAME
    assert (said[: samples.size] == samples).all()
    ear = Ear()
    assert ear.heard.size == 0
    ear.write(samples[:FRAME], FRAME)
    assert (ear.heard == np.concatenate((silence(FRAME), samples[:FRAME]))).all()


def test_silence_and_tone_never_end_and_nowhere_takes_anything() -> None:
    assert not all_of(Silence(), 10).any()
    tone = all_of(Tone(1000, 0.5), 10).astype(float) / 32768
    assert abs(np.sqrt(np.mean(tone**2)) - 0.5 / np.sqrt(2)) < 0.01
    nowhere = Nowhere()
    nowhere.open()
    nowhere.write(silence(), 0)
    nowhere.close()


def test_paths_nothing_and_devices_are_all_sources_and_sinks(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", RATE, 1, 2)
    assert isinstance(as_source(None), Silence)
    assert isinstance(as_source(str(tmp_path / "a.wav")), WavSource)
    assert isinstance(as_source(tmp_path / "a.wav"), WavSource)
    tone: Source = Tone()
    assert as_source(tone) is tone
    assert isinstance(as_sink(None), Nowhere)
    sink = as_sink(tmp_path / "b.wav")
    assert isinstance(sink, WavSink)
    sink.close()
    ear: Sink = Ear()
    assert as_sink(ear) is ear


# Pipes


def test_a_program_is_listened_to_and_ends_when_it_ends() -> None:
    samples = np.arange(3 * FRAME, dtype="<i2")
    command = (sys.executable, "-c", f"import sys; sys.stdout.buffer.write({samples.tobytes()!r})")
    source = PipeSource(command)
    source.open()
    said = []
    while (frame := source.read()) is not None:
        if frame.any():
            said.append(frame)
    source.close()
    assert (np.concatenate(said) == samples).all()


def test_a_pipe_that_has_nothing_yet_is_silence(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe:
        source = PipeSource(pipe)
        source.open()
        first = source.read()
        os.write(writing, bytes(FRAME))  # half a frame
        second = source.read()
        os.write(writing, np.full(FRAME // 2, 7, "<i2").tobytes())
        third = source.read()
        os.close(writing)
        last = source.read()
        source.close()
        assert os.get_blocking(reading)
    assert first is not None
    assert second is not None
    assert not first.any()
    assert not second.any()
    assert third is not None
    assert set(third[FRAME // 2 :]) == {7}
    assert last is None


def test_a_program_hears_every_sample_and_the_gaps(tmp_path: Path) -> None:
    path = tmp_path / "heard.raw"
    command = (sys.executable, "-c", f"import sys; open({str(path)!r}, 'wb').write(sys.stdin.buffer.read())")
    sink = PipeSink(command)
    sink.open()
    sink.write(np.full(FRAME, 5, np.int16), at=FRAME)
    sink.write(np.full(FRAME, 6, np.int16), at=2 * FRAME)
    sink.close()
    heard = np.frombuffer(path.read_bytes(), "<i2")
    assert heard.size == 3 * FRAME
    assert not heard[:FRAME].any()
    assert set(heard[FRAME : 2 * FRAME]) == {5}


def test_a_program_that_does_not_read_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wephone.media.live.GOODBYE", 0.1)
    sink = PipeSink((sys.executable, "-c", "import time; time.sleep(60)"))
    sink.open()
    for frame in range(200):
        sink.write(silence(), at=frame * FRAME)
    sink.close()


def test_a_program_that_ends_early_or_does_not_exist_is_named() -> None:
    with pytest.raises(DeviceError, match="`/nowhere/play` cannot be started: No such file or directory"):
        PipeSink(("/nowhere/play",)).open()
    sink = PipeSink((sys.executable, "-c", "pass"))
    sink.open()
    with pytest.raises(DeviceError, match="has ended"):
        for frame in range(100_000):
            sink.write(silence(), at=frame * FRAME)
    with pytest.raises(DeviceError, match="has ended"):
        sink.close()


def test_a_file_object_is_played_into_as_it_is() -> None:
    with pytest.raises(io.UnsupportedOperation):
        PipeSink(io.BytesIO()).open()


# Sound cards


class PortAudioError(Exception):
    """As sounddevice has it."""


class Stream:
    """A stream of a sound card that moves when the test says so."""

    def __init__(self, callback: Callable[..., None], **options: Any) -> None:
        self.callback, self.options = callback, options
        self.started = self.closed = False

    def start(self) -> None:
        self.started = True

    def close(self) -> None:
        self.closed = True


class Card(types.ModuleType):
    """A fake of the package `sounddevice`: one microphone and one loudspeaker, or none."""

    PortAudioError = PortAudioError

    def __init__(self, devices: int = 1) -> None:
        super().__init__("sounddevice")
        self.devices, self.streams = devices, list[Stream]()
        self.RawInputStream = self.RawOutputStream = self.make

    def query_devices(self, device: object, kind: str) -> dict[str, str]:
        if not self.devices:
            raise PortAudioError("Error querying device -1")
        if device is not None:
            raise ValueError(f"No {kind} device matching '{device}'")
        return {"name": "card"}

    def make(self, **options: Any) -> Stream:
        self.streams.append(Stream(**options))
        return self.streams[-1]


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Iterator[Card]:
    made = Card()
    monkeypatch.setitem(sys.modules, "sounddevice", made)
    yield made


def test_a_microphone_says_what_it_hears_and_drops_what_is_old(card: Card) -> None:
    microphone = Microphone()
    microphone.open()
    stream = card.streams[0]
    assert stream.started
    assert stream.options["samplerate"] == RATE
    assert not np.asarray(microphone.read()).any()  # nothing yet
    for number in range(BACKLOG + 3):
        stream.callback(np.full(FRAME, number, "<i2").tobytes(), FRAME, None, None)
    assert [int(np.asarray(microphone.read())[0]) for _ in range(BACKLOG)] == list(range(3, BACKLOG + 3))
    assert not np.asarray(microphone.read()).any()
    microphone.close()
    assert stream.closed


def test_a_loudspeaker_gathers_a_little_before_it_plays(card: Card) -> None:
    loudspeaker = Loudspeaker()
    loudspeaker.open()
    stream = card.streams[0]

    def asked() -> int:
        data = bytearray(2 * FRAME)
        stream.callback(data, FRAME, None, None)
        return int(np.frombuffer(data, "<i2")[0])

    loudspeaker.write(np.full(FRAME, 1, np.int16), 0)
    assert asked() == 0
    loudspeaker.write(np.full(FRAME, 2, np.int16), FRAME)
    assert [asked() for _ in range(4)] == [1, 2, 0, 0]
    for frame in range(2):
        loudspeaker.write(np.full(FRAME, 3 + frame, np.int16), frame * FRAME)
    assert asked() == 0  # it ran dry before, so it gathers one more
    loudspeaker.write(np.full(FRAME, 5, np.int16), 2 * FRAME)
    assert [asked() for _ in range(4)] == [3, 4, 5, 0]
    loudspeaker.close()


def test_what_lies_ready_for_long_is_delay_and_goes(card: Card) -> None:
    microphone, loudspeaker = Microphone(), Loudspeaker()
    microphone.open()
    loudspeaker.open()
    heard, played = card.streams
    frame = np.ones(FRAME, np.int16)
    for _ in range(BACKLOG):  # while the call connects
        heard.callback(frame.tobytes(), FRAME, None, None)
        loudspeaker.write(frame, 0)
    for _ in range(2 * WINDOW):
        microphone.read()
        heard.callback(frame.tobytes(), FRAME, None, None)
        played.callback(bytearray(2 * FRAME), FRAME, None, None)
        loudspeaker.write(frame, 0)
    assert len(microphone._frames) <= 2
    assert 1 <= len(loudspeaker._frames) <= 4
    microphone.close()
    loudspeaker.close()


@pytest.mark.parametrize(("kind", "name"), [(Microphone, "microphone"), (Loudspeaker, "loudspeaker")])
def test_a_machine_without_a_card_says_so_in_one_line(
    card: Card, kind: type[Microphone | Loudspeaker], name: str
) -> None:
    with pytest.raises(DeviceError, match=f"^this machine has no {name} `usb`$"):
        kind("usb")
    card.devices = 0
    with pytest.raises(DeviceError, match=f"^this machine has no {name}$"):
        kind()


def test_without_the_package_or_its_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> types.ModuleType:
        raise ModuleNotFoundError(name)

    def broken(name: str) -> types.ModuleType:
        raise OSError("PortAudio library not found")

    for load, text in ((missing, r"pip install wephone\[audio\]"), (broken, "libportaudio2")):
        with monkeypatch.context() as patch:
            patch.setattr(importlib, "import_module", load)
            with pytest.raises(DeviceError, match=text):
                Microphone()


def test_the_cards_thread_and_ours_do_not_trip_over_each_other(card: Card) -> None:
    microphone = Microphone()
    microphone.open()
    data = np.full(FRAME, 9, "<i2").tobytes()

    def capture() -> None:
        for _ in range(2000):
            card.streams[0].callback(data, FRAME, None, None)

    thread = threading.Thread(target=capture)
    thread.start()
    while thread.is_alive():
        assert set(np.unique(np.asarray(microphone.read()))) <= {0, 9}
    thread.join()
    microphone.close()
