"""What a softphone speaks and hears with: microphone and loudspeaker, or files in their place."""

import argparse
import os
from pathlib import Path
from typing import Any

from wephone.cli.output import Failure
from wephone.cli.words import words
from wephone.media.errors import DeviceError


def add_options(parser: argparse.ArgumentParser) -> None:
    """`--play` and `--record`."""
    group = parser.add_argument_group(
        "sound", "Microphone and loudspeaker are used if there are any. With both options neither is."
    )
    group.add_argument(
        "--play", metavar="FILE", type=Path, help="say this sound file instead of what the microphone hears"
    )
    group.add_argument("--record", metavar="FILE", type=Path, help="keep what is heard, as a WAV file")


def check(play: Path | None, record: Path | None) -> None:
    """Failure for a file that could not be said or written, before anybody's telephone rings."""
    if play is not None:
        from wephone.media.devices import WavSource

        try:
            WavSource(play).close()
        except DeviceError as error:
            raise Failure(str(error)) from None
    if record is not None:
        folder = record.parent
        if record.is_dir() or not folder.is_dir():
            raise Failure(f"`{record}` cannot be written: `{folder}` is no folder for it")
        if not os.access(record if record.exists() else folder, os.W_OK):
            raise Failure(f"`{record}` cannot be written: permission denied")


def ends(play: Path | None, record: Path | None, tongue: str) -> tuple[Any, Any, list[str]]:
    """Source and sink of a call, as `Client.call` takes them; and what is missing, and what to do."""
    source: Any = play
    sink: Any = record
    missing: list[str] = []
    if play is not None and record is not None:
        return source, sink, missing
    from wephone.media.live import Loudspeaker, Microphone

    if play is None:
        try:
            source = Microphone()
        except DeviceError as error:
            missing.append(words("no microphone", tongue, why=error))
    try:
        loudspeaker = Loudspeaker()
    except DeviceError as error:
        if record is None:
            missing.append(words("no loudspeaker", tongue, why=error))
    else:
        sink = loudspeaker if record is None else Both(record, loudspeaker)
    return source, sink, missing


class Both:
    """Plays what is heard and keeps it."""

    def __init__(self, record: Path, loudspeaker: Any) -> None:
        self._record = record
        self._sinks = [loudspeaker]

    def open(self) -> None:
        """The file is opened now, so that a call that comes to nothing leaves an older one as it is."""
        from wephone.media.devices import WavSink

        self._sinks.append(WavSink(self._record))
        for sink in self._sinks:
            sink.open()

    def write(self, samples: Any, at: int) -> None:
        """To both."""
        for sink in self._sinks:
            sink.write(samples, at)

    def close(self) -> None:
        """Both, though the first may fail."""
        try:
            self._sinks[0].close()
        finally:
            for sink in self._sinks[1:]:
                sink.close()
