"""One telephone leg in the bridge: two sides, and two ways between them that are open under a lease alone."""

import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from signaling.media import (
    DigitHeard,
    Event,
    Heard,
    LeaseOver,
    Played,
    Side,
    Sound,
    Statistics,
    Tally,
    TimedOut,
)
from signaling.pstn.media.app_leg import AppLeg, Over, new_stream
from signaling.pstn.media.playing import Every20ms, Playing, tones
from signaling.pstn.media.ports import Address
from signaling.pstn.media.reports import EVERY, Reports
from signaling.pstn.media.rtp import LEAST, Format, Packet, is_report, parse
from signaling.pstn.media.trunk_side import TrunkSide
from signaling.pstn.media.way import Way
from wephone.media.audio import Samples

SECOND = 1_000_000_000
PAUSE = 4  # frames of 20 ms between two keys


@dataclass(slots=True)
class Speaker:
    """What one side says: its way to the other one, what came of it, and when it last gave a sign of life."""

    side: Side
    way: Way  # to the other side
    reports: Reports
    received: int = 0
    strangers: int = 0
    unleased: int = 0
    heard: bool = False
    alive: int = 0  # ns
    told: bool = False  # that it is silent


@dataclass(slots=True)
class Keypad:
    """Keys that one side is to hear."""

    digits: deque[str]
    clock: Every20ms


class Leg(AppLeg):
    """Told of every packet of either side."""

    trunk: TrunkSide

    def __init__(self, name: str, tell: Callable[[Event], None], over: Over) -> None:
        super().__init__(name, tell, over)
        self.until_ns = 0
        self.early = False  # nobody has answered: the trunk is heard, and hears nothing of the app
        self._leased = False
        self.to_app = Way(new_stream(), self._pressed("trunk"))
        self.to_trunk = Way(new_stream(), self._pressed("app"))
        cname = secrets.token_hex(8)
        self._app = Speaker("app", self.to_trunk, Reports(cname))
        self._trunk = Speaker("trunk", self.to_app, Reports(cname))
        self._speakers = (self._app, self._trunk)
        self._report_due = 0
        self._playing: dict[Side, Playing] = {}
        self._keypads: dict[Side, Keypad] = {}

    def _pressed(self, side: Side) -> Callable[[str], None]:
        def pressed(digit: str) -> None:
            self._tell(DigitHeard(self.name, side, digit))
            hears = self.to_trunk.hears
            if side == "app" and hears is not None and hears.events is None:
                self.press("trunk", digit)  # a trunk that takes no events hears it as a tone

        return pressed

    def _way_to(self, side: Side) -> Way:
        return self.to_app if side == "app" else self.to_trunk

    # Who hears what

    def settle(self) -> None:
        """The descriptions have changed: from here on each side gets what it wants."""
        for way, hears in ((self.to_app, self.app.hears), (self.to_trunk, self.trunk.hears)):
            if hears != way.hears:
                way.set_hearer(hears)
        self._await_both()

    def _await_both(self) -> None:
        """Patience begins anew."""
        now = time.monotonic_ns()
        for speaker in self._speakers:
            speaker.alive, speaker.told = now, False

    def is_leased(self, now: int) -> bool:
        return now < self.until_ns

    def lease(self, until_ns: int) -> None:
        """Sound may pass until then."""
        if not self._leased:
            self._await_both()
        self.until_ns, self._leased = until_ns, True

    def lapse(self) -> None:
        """The lease is over."""
        if self._leased:
            self._leased = False
            self.to_app.break_off()
            self.to_trunk.break_off()
            self._tell(LeaseOver(self.name))

    # Packets

    def packet_came(self, packet: bytes) -> None:
        """From the app, decrypted."""
        now = time.monotonic_ns()
        app = self._app
        app.alive, app.told = now, False
        if is_report(packet):
            app.reports.came(packet, self.to_app.stream, time.time_ns(), now)
            return
        if self.early:
            return  # a browser sends silence as soon as it may
        if (read := parse(packet)) is None or (format := self.app.format(read.payload_type)) is None:
            return
        for made in self._pass_on(app, read, format, now):
            self.trunk.send(made)

    def sound_came(self, data: bytes, address: Address) -> None:
        """From the trunk's network, from anybody."""
        now = time.monotonic_ns()
        trunk = self._trunk
        packet = self.trunk.accept(data, address) if len(data) >= LEAST else None
        if packet is None or (read := parse(packet)) is None:
            trunk.strangers += 1
            return
        trunk.alive, trunk.told = now, False
        format = self.trunk.format(read.payload_type)
        if format is None:
            return  # comfort noise, or what was not agreed on
        for made in self._pass_on(trunk, read, format, now):
            self.app.line.send(made)

    def report_came(self, data: bytes, address: Address) -> None:
        """From the trunk's network, from anybody."""
        now = time.monotonic_ns()
        packet = self.trunk.accept(data, address, report=True) if len(data) >= 8 else None
        trunk = self._trunk
        if packet is None:
            trunk.strangers += 1
        elif trunk.reports.came(packet, self.to_trunk.stream, time.time_ns(), now):
            trunk.alive, trunk.told = now, False

    def _pass_on(self, speaker: Speaker, packet: Packet, format: Format, now: int) -> Sequence[bytes]:
        """What the other side is to hear of it: nothing, unless there is a lease at this instant."""
        if now >= self.until_ns:
            speaker.unleased += 1
            return ()
        speaker.received += 1
        rate = None if format.codec == "events" else format.rate
        speaker.reports.reception.count(packet, rate, now)
        if not speaker.heard:
            speaker.heard = True
            self._tell(Heard(self.name, speaker.side))
        return () if speaker.way.hears is None else speaker.way.pass_on(packet, format, now)

    def _send(self, side: Side, packet: bytes, now: int) -> None:
        """What was made here. The app may be spoken to without a lease, the trunk never."""
        if side == "app":
            self.app.line.send(packet)
        elif self.is_leased(now):
            self.trunk.send(packet)

    # Played and pressed

    def play(self, side: Side, sound: Sound, frames: Iterator[Samples]) -> None:
        """Let this side hear it in place of the other one."""
        self.stop_playing(side)
        self._playing[side] = Playing(sound, frames, Every20ms(lambda: self._play_frame(side)))
        self._mind(side)

    def _play_frame(self, side: Side) -> bool:
        playing = self._playing[side]
        if side == "app" and not self._connected:
            return True  # it cannot hear yet: the sound begins when it can
        frame = next(playing.frames, None)
        if frame is None:
            self.stop_playing(side)
            return False
        now = time.monotonic_ns()
        if side not in self._keypads and (side == "app" or self.is_leased(now)):
            made = self._way_to(side).say(frame, now)
            if made is not None:
                self._send(side, made, now)
        return True

    def stop_playing(self, side: Side) -> None:
        """Let it hear the other one again."""
        playing = self._playing.pop(side, None)
        if playing is not None:
            playing.clock.stop()
            self._mind(side)
            self._tell(Played(self.name, side, playing.sound))

    def _mind(self, side: Side) -> None:
        """Is a side to hear the other one, or us?"""
        way = self._way_to(side)
        busy = side in self._playing or side in self._keypads
        if busy != way.busy:
            way.busy = busy
            way.break_off()

    def press(self, side: Side, digits: str) -> None:
        """Let this side hear these keys, one after the other, in place of the other one's sound."""
        if side in self._keypads:
            self._keypads[side].digits.extend(digits)
            return
        waiting = deque(digits)
        made = self._keys(side, waiting)
        self._keypads[side] = Keypad(waiting, Every20ms(lambda: self._key_frame(side, made)))
        self._mind(side)

    def _key_frame(self, side: Side, made: Iterator[bool]) -> bool:
        if next(made, None) is None:
            del self._keypads[side]
            self._mind(side)
            return False
        return True

    def _keys(self, side: Side, digits: deque[str]) -> Iterator[bool]:
        """Sends what is due of the keys each time it is asked: as events, or else as tones."""
        way = self._way_to(side)
        while digits:
            digit = digits.popleft()
            events = way.press(digit, time.monotonic_ns)
            if events is None:
                yield from self._sound_key(side, digit)
                continue
            for packet in events:
                self._send_key(side, packet)
                yield True
            for _ in range(PAUSE):
                yield True

    def _sound_key(self, side: Side, digit: str) -> Iterator[bool]:
        for frame in tones(digit):
            made = self._way_to(side).say(frame, time.monotonic_ns())
            if made is not None:
                self._send_key(side, made)
            yield True

    def _send_key(self, side: Side, packet: bytes) -> None:
        """It is what the other side says, and so nobody hears it without a lease."""
        now = time.monotonic_ns()
        if self.is_leased(now):
            self._send(side, packet, now)

    # Time

    def tick(self, now: int) -> None:
        """Now and then: reports, and whether somebody has fallen silent."""
        leased = self.is_leased(now)
        if self._report_due <= now:
            wait = EVERY * (0.5 + secrets.randbelow(1000) / 1000)  # RFC 3550 §6.3.1
            self._report_due = now + int(wait * SECOND)
            self._report(now, leased)
        talk = not self.early
        expected = (
            (self._app, talk and self._connected and self.app.sends),
            (self._trunk, talk and leased and self.trunk.sends),
        )
        for speaker, sends in expected:
            if not sends:
                speaker.alive = now
            elif not speaker.told and now - speaker.alive > self.trunk.spec.patience * SECOND:
                speaker.told = True
                self._tell(TimedOut(self.name, speaker.side))

    def _report(self, now: int, leased: bool) -> None:
        utc = time.time_ns()
        if self._connected:
            said = self._rate(self.app.codec)
            self.app.line.send_report(self._app.reports.ours(self.to_app.stream, said, utc, now))
        if leased:
            said = self._rate(self.trunk.codec)
            self.trunk.send_report(self._trunk.reports.ours(self.to_trunk.stream, said, utc, now))

    @staticmethod
    def _rate(codec: str | None) -> int:
        return 48_000 if codec == "opus" else 8_000

    # What the app's line tells

    def line_connected(self) -> None:
        self._await_both()
        super().line_connected()

    # The end

    def statistics(self) -> Statistics:
        self._app.strangers = self.app.line.strangers
        app, trunk = self._tally(self._app, self.to_app), self._tally(self._trunk, self.to_trunk)
        return Statistics(app, trunk, self.app.codec, self.trunk.codec)

    @staticmethod
    def _tally(speaker: Speaker, hears: Way) -> Tally:
        reports = speaker.reports
        return Tally(
            speaker.received,
            hears.stream.packets,
            speaker.strangers,
            speaker.unleased,
            reports.reception.lost,
            reports.reported_lost,
            reports.reception.jitter,
            reports.round_trip,
        )

    def stop(self) -> None:
        """Not one packet more, but for a goodbye to the trunk if there may be one."""
        now = time.monotonic_ns()
        if self.is_leased(now):
            rate, stream = self._rate(self.trunk.codec), self.to_trunk.stream
            self.trunk.send_report(self._trunk.reports.goodbye(stream, rate, time.time_ns(), now))
        self.until_ns = 0
        for playing in self._playing.values():
            playing.clock.stop()
        self._playing.clear()
        for keypad in self._keypads.values():
            keypad.clock.stop()
