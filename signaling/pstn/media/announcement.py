"""An app that is told something, and no more: a leg that has no trunk, and no way to get one.

It knows no lease, takes no port of the trunks' and has nowhere to pass on what the app says.
"""

import time
from collections.abc import Callable, Iterator

from signaling.media import Event, MediaError, Played, Problem, Side, Sound, Statistics, Tally
from signaling.pstn.media.app_leg import AppLeg, Over, new_stream
from signaling.pstn.media.playing import Every20ms, Playing
from signaling.pstn.media.way import Way
from wephone.media.audio import Samples


class Announcement(AppLeg):
    """See above."""

    def __init__(self, name: str, tell: Callable[[Event], None], over: Over) -> None:
        super().__init__(name, tell, over)
        self.to_app = Way(new_stream(), lambda digit: None)
        self._playing: Playing | None = None

    def packet_came(self, packet: bytes) -> None:
        """Whatever the app says is for nobody."""

    def play(self, side: Side, sound: Sound, frames: Iterator[Samples]) -> None:
        """Let the app hear it, from when it can. MediaError for a trunk's side."""
        self.stop_playing(side)
        self._playing = Playing(sound, frames, Every20ms(self._play_frame))

    def _play_frame(self) -> bool:
        if not self._connected:
            return True
        frame = None if self._playing is None else next(self._playing.frames, None)
        if frame is None:
            self.stop_playing("app")
            return False
        made = self.to_app.say(frame, time.monotonic_ns())
        if made is not None:
            self.app.line.send(made)
        return True

    def stop_playing(self, side: Side) -> None:
        """Say nothing more. MediaError for a trunk's side."""
        if side != "app":
            raise MediaError(Problem.LACKING, f"`{self.name}` has no trunk")
        playing, self._playing = self._playing, None
        if playing is not None:
            playing.clock.stop()
            self._tell(Played(self.name, "app", playing.sound))

    def statistics(self) -> Statistics:
        """What the app was sent, and nothing of a trunk."""
        app = Tally(sent=self.to_app.stream.packets, strangers=self.app.line.strangers)
        return Statistics(app, Tally(), self.app.codec)

    def stop(self) -> None:
        """Not one packet more."""
        if self._playing is not None:
            self._playing.clock.stop()
