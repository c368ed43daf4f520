"""The announcements: WAV files that come with the program, or the operator's own in their place.

A file is `NAME.LANGUAGE.wav` ("refused.zh-CN.wav"), of any rate; music is `music.wav`. Those that come with
the program are made by `scripts/samples`.
"""

import logging
from functools import cached_property
from pathlib import Path

from signaling.media import Language, MediaError, Problem, Sound
from signaling.pstn.media.playing import RATE, music
from wephone.media.audio import Samples
from wephone.media.errors import DeviceError
from wephone.media.files import read_wav

SHIPPED = Path(__file__).parent / "announcements"

log = logging.getLogger(__name__)


class Sounds:
    """Reads each file once, when it is first wanted."""

    def __init__(self, folder: Path | None) -> None:
        """`folder`: the operator's recordings; what is not there, or cannot be read, is ours."""
        self._folder = folder
        self._read: dict[str, Samples] = {}

    def samples(self, sound: Sound, language: Language) -> Samples:
        """At 8 kHz. MediaError if there is none."""
        name = f"{sound}.wav" if sound is Sound.MUSIC else f"{sound}.{language}.wav"
        if name not in self._read:
            self._read[name] = self._own(name)
        return self._read[name]

    def _own(self, name: str) -> Samples:
        if self._folder is not None and (file := self._folder / name).exists():
            try:
                return read_wav(file, RATE)
            except DeviceError as error:
                log.warning("the announcement that comes with the program is played instead: %s", error)
        return self._music if name == f"{Sound.MUSIC}.wav" else shipped(name)

    @cached_property
    def _music(self) -> Samples:
        return music()


def shipped(name: str) -> Samples:
    """One that comes with the program."""
    try:
        return read_wav(SHIPPED / name, RATE)
    except DeviceError as error:
        raise MediaError(Problem.NO_SOUND, str(error)) from error
