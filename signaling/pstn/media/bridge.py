"""The bridge itself: a media backend in this process, with sockets of its own."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from pathlib import Path

from signaling.media import (
    Capability,
    Descriptions,
    Direction,
    Ended,
    Event,
    Helper,
    Language,
    MediaError,
    Problem,
    Side,
    Sound,
    Statistics,
    TrunkMedia,
)
from signaling.pstn.media import app_sdp, g711, trunk_sdp
from signaling.pstn.media.announcement import Announcement
from signaling.pstn.media.app_leg import AppLeg
from signaling.pstn.media.app_side import MID, AppSide, app_line, mid_of
from signaling.pstn.media.leg import Leg
from signaling.pstn.media.place import Place
from signaling.pstn.media.playing import KEYPAD, frames, is_endless
from signaling.pstn.media.ports import Pair, Ports
from signaling.pstn.media.sounds import Sounds
from signaling.pstn.media.trunk_side import TrunkSide
from wephone.protocol.messages import Candidate

TICK = 0.5  # seconds
LAWS = tuple(g711.DECODED)  # what an app without a trunk is spoken to in, if it takes that
MOST_DIGITS = 64  # at once

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Opened:
    """A leg and what it holds."""

    leg: Leg
    pair: Pair
    lease: asyncio.TimerHandle | None = None
    for_trunk: str = ""  # what a trunk that began the call is told once the app has answered


class Bridge:
    """Legs by their ids. `tell` is called for each event, in order."""

    capabilities = frozenset(Capability)

    def __init__(self, place: Place, tell: Callable[[Event], None]) -> None:
        self._place, self._tell = place, tell
        self._ports = Ports(place.address, place.first_port, place.last_port)
        self._sounds = Sounds(Path(place.announcements) if place.announcements else None)
        self._legs: dict[str, Opened] = {}
        self._announcements: dict[str, Announcement] = {}
        self._opening: set[str] = set()
        self._ticking = asyncio.create_task(self._tick(), name="bridge")
        self._parting: set[asyncio.Task[None]] = set()

    # Opening

    async def open_outgoing(
        self, leg: str, app_offer: str, trunk: TrunkMedia, helpers: tuple[Helper, ...] = ()
    ) -> Descriptions:
        offer = app_sdp.read(app_offer)
        app_sdp.answered(app_sdp.formats(offer), trunk.codecs)  # before anything is taken for it
        opened = await self._open(leg, trunk, helpers, mid=mid_of(offer), offers=False)
        app = await self._or_drop(leg, opened.leg.app.answer(offer, trunk.codecs))
        opened.leg.settle()
        self._tell_of_candidates(opened.leg)
        return Descriptions(app, opened.leg.trunk.offer("sendrecv", opened.leg.app.codec))

    async def open_incoming(
        self, leg: str, trunk_offer: str | None, trunk: TrunkMedia, helpers: tuple[Helper, ...] = ()
    ) -> str:
        theirs = None if trunk_offer is None else trunk_sdp.parse(trunk_offer, trunk)
        codec = None if theirs is None else trunk_sdp.common(theirs, trunk)
        opened = await self._open(leg, trunk, helpers, mid=MID, offers=True)
        codecs = sorted(trunk.codecs, key=lambda name: name != codec)
        app = await self._or_drop(leg, opened.leg.app.offer(codecs))
        side = opened.leg.trunk
        opened.for_trunk = side.answer(theirs) if theirs is not None else side.offer("sendrecv")
        opened.leg.settle()
        self._tell_of_candidates(opened.leg)
        return app

    async def open_announcement(self, leg: str, app_offer: str, helpers: tuple[Helper, ...] = ()) -> str:
        offer = app_sdp.read(app_offer)
        app_sdp.answered(app_sdp.formats(offer), LAWS)  # before anything is taken for it
        self._check_free(leg)
        opened = Announcement(leg, self._tell, self._ended)
        line = app_line(opened, helpers, mid=mid_of(offer), offers=False)
        opened.app = AppSide(line, opened.to_app.stream.ssrc)
        self._announcements[leg] = opened
        app = await self._or_drop(leg, opened.app.answer(offer, LAWS, listens=False))
        opened.to_app.set_hearer(opened.app.hears)
        self._tell_of_candidates(opened)
        return app

    async def _open(
        self, name: str, trunk: TrunkMedia, helpers: tuple[Helper, ...], *, mid: str, offers: bool
    ) -> Opened:
        self._check_free(name)
        self._opening.add(name)
        try:
            leg = Leg(name, self._tell, self._ended)
            line = app_line(leg, helpers, mid=mid, offers=offers)
            pair = await self._ports.take()
        finally:
            self._opening.discard(name)
        leg.app = AppSide(line, leg.to_app.stream.ssrc)
        leg.trunk = TrunkSide(trunk, self._place.told or self._place.address, pair)
        self._legs[name] = Opened(leg, pair)
        pair.listen(leg.sound_came, leg.report_came)
        return self._legs[name]

    def _check_free(self, name: str) -> None:
        if name in self._legs or name in self._opening or name in self._announcements:
            raise MediaError(Problem.TAKEN, f"`{name}` is open")

    async def _or_drop(self, name: str, describing: Coroutine[None, None, str]) -> str:
        try:
            return await describing
        except MediaError:
            await self.close(name)
            raise

    def _tell_of_candidates(self, leg: AppLeg) -> None:
        """Those that are known are in the description; if no more follow, that is worth telling too."""
        if not leg.app.line.connection.asks:
            leg.line_found(None)

    # Descriptions

    async def app_offered(self, leg: str, offer: str) -> str:
        opened = self._opened(leg)
        answer = await opened.leg.app.answer_again(app_sdp.read(offer))
        opened.leg.settle()
        return answer

    async def app_answered(self, leg: str, answer: str) -> str:
        opened = self._opened(leg)
        await opened.leg.app.take_answer(app_sdp.read(answer))
        opened.leg.settle()
        return opened.for_trunk

    async def trunk_offered(self, leg: str, offer: str | None) -> str:
        opened = self._opened(leg)
        side = opened.leg.trunk
        if offer is None:
            return side.offer("sendrecv")
        answer = side.answer(trunk_sdp.parse(offer, side.spec))
        opened.leg.settle()
        return answer

    async def trunk_answered(self, leg: str, answer: str, *, early: bool = False) -> None:
        opened = self._opened(leg)
        side = opened.leg.trunk
        side.take_answer(trunk_sdp.parse(answer, side.spec))
        opened.leg.early = early
        opened.leg.settle()
        opened.leg.app.line.connect(in_time=not early)

    async def offer_trunk(self, leg: str, direction: Direction) -> str:
        return self._opened(leg).leg.trunk.offer(direction)

    async def add_candidates(self, leg: str, candidates: tuple[Candidate, ...], end: bool) -> None:
        """As `candidates` of the port."""
        if leg in self._legs or leg in self._announcements:
            await self._any(leg).app.line.add_candidates(candidates, end)

    # Sound

    def lease(self, leg: str, until_ns: int) -> None:
        opened = self._legs.get(leg)
        if opened is None:
            return
        opened.leg.lease(until_ns)
        if opened.lease is not None:
            opened.lease.cancel()
        loop = asyncio.get_running_loop()
        delay = (until_ns - time.monotonic_ns()) / 1e9
        opened.lease = loop.call_later(max(0.0, delay), self._lapse, leg, until_ns)

    def _lapse(self, leg: str, until_ns: int) -> None:
        """A timer may be early by a little; the lease is over when the clock says so."""
        if time.monotonic_ns() < until_ns:
            self.lease(leg, until_ns)
        else:
            self._legs[leg].leg.lapse()

    async def press(self, leg: str, digits: str) -> None:
        opened = self._opened(leg)
        if len(digits) > MOST_DIGITS or any(digit not in KEYPAD for digit in digits):
            raise MediaError(Problem.BAD_DESCRIPTION, f"`{digits[:MOST_DIGITS]}` are no keys of a telephone")
        opened.leg.press("app", digits)

    async def play(self, leg: str, side: Side, sound: Sound, language: Language = "en") -> None:
        heard_by = self._any(leg)
        samples = self._sounds.samples(sound, language)
        heard_by.play(side, sound, frames(samples, again=is_endless(sound)))
        if side == "app":
            heard_by.app.line.connect()

    async def stop_playing(self, leg: str, side: Side) -> None:
        self._any(leg).stop_playing(side)

    async def statistics(self, leg: str) -> Statistics:
        return self._any(leg).statistics()

    # The end

    async def close(self, leg: str) -> Statistics | None:
        if leg not in self._legs and leg not in self._announcements:
            return None
        figures = self._any(leg).statistics()
        await self._let_go(leg)
        return figures

    def _let_go(self, name: str) -> Coroutine[None, None, None]:
        """Nothing of it is known any more; what is to be waited for is its goodbye to the app."""
        leg = self._any(name)
        leg.stop()
        self._announcements.pop(name, None)
        opened = self._legs.pop(name, None)
        if opened is not None:
            if opened.lease is not None:
                opened.lease.cancel()
            self._ports.give_back(opened.pair)
        return leg.app.line.close()

    def _ended(self, leg: AppLeg, event: Ended) -> None:
        if leg.name not in self._legs and leg.name not in self._announcements:
            return
        log.info("%s has ended: %s", leg.name, event.text)
        self._tell(replace(event, statistics=self._any(leg.name).statistics()))
        parting = asyncio.create_task(self._let_go(leg.name), name="bridge parting")
        self._parting.add(parting)
        parting.add_done_callback(self._parting.discard)

    async def stop(self) -> None:
        """All legs at once."""
        self._ticking.cancel()
        await asyncio.gather(*(self.close(leg) for leg in (*self._legs, *self._announcements)))
        await asyncio.wait((self._ticking, *self._parting))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            now = time.monotonic_ns()
            for opened in list(self._legs.values()):
                opened.leg.tick(now)

    def _any(self, leg: str) -> Leg | Announcement:
        """What the app hears something by. MediaError if it is not open."""
        return self._announcements.get(leg) or self._opened(leg).leg

    def _opened(self, leg: str) -> Opened:
        opened = self._legs.get(leg)
        if opened is None:
            raise MediaError(Problem.UNKNOWN_LEG, f"`{leg}` is not open")
        return opened
