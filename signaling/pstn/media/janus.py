"""The media backend of those who outgrow one machine: Janus and its NoSIP plugin, over Janus's WebSockets.

A leg's trunk is made known to Janus under a live lease alone, whose end is said to Janus a moment before it
comes. If this server hangs, Janus's own clock ends the leg (`session_timeout`): renewals alone keep it.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Coroutine
from dataclasses import replace

from signaling.media import (
    CandidatesFound,
    Capability,
    Connected,
    Descriptions,
    Direction,
    Ended,
    Ending,
    Event,
    Language,
    LeaseOver,
    Listener,
    MediaError,
    Problem,
    Side,
    Sound,
    Srtp,
    Statistics,
    TimedOut,
    TrunkMedia,
)
from signaling.pstn.media import app_sdp, nosip, trunk_sdp
from signaling.pstn.media.janus_leg import EARLY, JanusLeg
from signaling.pstn.media.janus_line import JanusPlace
from signaling.pstn.media.janus_link import DIED, Link, Reached
from signaling.pstn.media.nosip import Agreed, Peer, Said
from signaling.pstn.media.trunk_said import TrunkSaid
from signaling.pstn.media.trunk_sdp import EVENTS, REVERSED
from wephone.protocol.messages import Candidate

MOVES_S = 0.05  # seconds in which a thread of Janus's takes up an address that it has been told
FIGURES_S = 1.0  # seconds that the end of a leg may wait for its figures
LOOKS_S = 5.0  # seconds between two looks at who has fallen silent

log = logging.getLogger(__name__)


class JanusBackend:
    """A `MediaBackend`. `tell` is called for each event, in order; `start` before use, `stop` after."""

    capabilities: frozenset[Capability] = frozenset()

    def __init__(self, place: JanusPlace, tell: Listener) -> None:
        self._tell, self._told = tell, place.told
        self._legs: dict[str, JanusLeg] = {}
        self._sessions: dict[int, JanusLeg] = {}
        self._opening: set[str] = set()
        self._link = Link(place, self._happened, self._lose, self._idle)
        self._looking: asyncio.Task[None] | None = None
        self._small: set[asyncio.Task[None]] = set()  # what nobody waits for

    @property
    def is_there(self) -> bool:
        """Can calls be carried now?"""
        return self._link.reached is not None

    async def start(self) -> None:
        """Until Janus was asked for once. If it is not there, calls are refused until it is."""
        await self._link.start()
        self._looking = asyncio.create_task(self._look(), name="janus looks")

    async def stop(self) -> None:
        """End all legs, without a word about them."""
        for leg in self._legs.values():
            if leg.timer is not None:
                leg.timer.cancel()
        self._legs.clear()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait((self._looking,))
        await self._link.stop()
        if self._small:
            await asyncio.wait(self._small)

    # Janus

    def _idle(self) -> list[int]:
        """Sessions of legs that have no lease, and so carry nothing: whatever has one is kept by renewals."""
        now = time.monotonic_ns()
        return [leg.session for leg in self._legs.values() if not leg.lives(now) and not leg.leased]

    async def _look(self) -> None:
        """Tell of sides that should send and do not."""
        while True:
            await asyncio.sleep(LOOKS_S)
            for leg in list(self._legs.values()):
                with contextlib.suppress(MediaError):  # it has just ended
                    self._listen_for(leg, await self._figures(leg))

    def _listen_for(self, leg: JanusLeg, figures: Statistics) -> None:
        now = time.monotonic_ns()
        live = leg.connected and leg.lives(now) and not leg.early
        expected: tuple[tuple[Side, int, bool], ...] = (
            ("app", figures.app.received, leg.app_sends),
            ("trunk", figures.trunk.received, leg.said is not None and leg.said.sends and leg.app_hears),
        )
        for side, count, sends in expected:
            patience = leg.spec.patience
            if leg.silences[side].lasted(count, now, patience, expected=live and sends):
                self._tell(TimedOut(leg.name, side))

    def _lose(self) -> None:
        """It is gone: everything that it held has ended."""
        for leg in sorted(self._legs.values(), key=lambda each: each.name):
            self._end(leg, Ending.BACKEND_DIED, DIED)

    # What Janus says of its own accord

    def _happened(self, said: Said) -> None:
        leg = self._sessions.get(int(said.get("session_id") or 0))
        if leg is None or leg.name not in self._legs:
            return
        match said["janus"]:
            case "webrtcup":
                leg.connected = True
                self._tell(Connected(leg.name))
            case "hangup":
                why = Ending.APP_GONE if leg.connected else Ending.APP_FAILED
                self._end(leg, why, f"Janus has lost the app: {str(said.get('reason'))[:80].lower()}")
            case "timeout" | "detached":
                self._end(leg, Ending.BACKEND_DIED, "Janus has ended the leg, as nobody kept it")

    def _end(self, leg: JanusLeg, why: Ending, text: str) -> None:
        if self._legs.pop(leg.name, None) is None:
            return
        self._forget(leg)
        if self._link.reached is not None:
            self._do(self._link.reached.destroy(leg.session))
        log.info("%s has ended: %s", leg.name, text)
        self._tell(Ended(leg.name, why, text))

    def _forget(self, leg: JanusLeg) -> None:
        self._sessions.pop(leg.session, None)
        leg.until_ns = 0
        if leg.timer is not None:
            leg.timer.cancel()

    # The port: opening

    async def open_outgoing(self, leg: str, app_offer: str, trunk: TrunkMedia) -> Descriptions:
        offer = app_sdp.read(app_offer)
        agreed = nosip.chosen(offer, trunk.codecs)
        async with self._begun(leg, trunk, agreed) as begun:
            janus = self._reach()
            made = await self._ask(begun, nosip.generate("offer", nosip.of_app(offer, agreed)))
            self._place_leg(begun, nosip.generated(made))
            begun.app = offer
            answer = await self._ask(begun, nosip.process("answer", nosip.plain(Peer(*janus.sink), agreed)))
            app = nosip.for_app(nosip.processed(answer), REVERSED[begun.app_says], offer)
        assert begun.said is not None
        return Descriptions(app, begun.said.offer("sendrecv"))

    async def open_incoming(self, leg: str, trunk_offer: str | None, trunk: TrunkMedia) -> str:
        theirs = None if trunk_offer is None else trunk_sdp.parse(trunk_offer, trunk)
        codec = trunk.codecs[0] if theirs is None else trunk_sdp.common(theirs, trunk)
        agreed = Agreed(codec, EVENTS if theirs is None else theirs.events)
        async with self._begun(leg, trunk, agreed) as begun:
            begun.offered = theirs
            sink = self._reach().sink
            offer = await self._ask(begun, nosip.process("offer", nosip.plain(Peer(*sink), agreed)))
            return nosip.for_app(nosip.processed(offer), "sendrecv")

    async def open_announcement(self, leg: str, app_offer: str) -> str:
        raise MediaError(Problem.LACKING, "with Janus nothing can be played")

    @contextlib.asynccontextmanager
    async def _begun(self, name: str, trunk: TrunkMedia, agreed: Agreed) -> AsyncIterator[JanusLeg]:
        """A leg that is open at the end of the block, or not at all."""
        if name in self._legs or name in self._opening:
            raise MediaError(Problem.TAKEN, f"`{name}` is open")
        if trunk.srtp is not Srtp.NEVER:
            raise MediaError(Problem.LACKING, "keys for a trunk's sound are not to be had with Janus")
        janus = self._reach()
        self._opening.add(name)
        session = 0
        try:
            session = await janus.begin()
            handle = await janus.attach(session)
            spec = replace(trunk, codecs=tuple(each for each in trunk.codecs if each == agreed.codec))
            leg = JanusLeg(name, spec, session, handle, agreed, told=Peer(*janus.sink))
            yield leg
        except BaseException:
            if session:
                self._do(janus.destroy(session))
            raise
        finally:
            self._opening.discard(name)
        if self._link.reached is not janus:
            raise MediaError(Problem.DOWN, DIED)
        self._legs[name] = self._sessions[session] = leg
        # Janus has gathered all that it has before it says anything.
        asyncio.get_running_loop().call_soon(self._tell_if_open, CandidatesFound(name, (), True))

    def _tell_if_open(self, event: Event) -> None:
        if event.leg in self._legs:
            self._tell(event)

    def _place_leg(self, leg: JanusLeg, generated: str) -> None:
        """The plain side has a port."""
        host, port = nosip.place_of(generated)
        leg.said = TrunkSaid(leg.spec, self._told or host, port, leg.agreed.events)

    # The port: descriptions

    async def app_offered(self, leg: str, offer: str) -> str:
        opened = self._opened(leg)
        read = app_sdp.read(offer)
        before = opened.app
        if before is None or opened.said is None:
            raise MediaError(Problem.OUT_OF_TURN, "the app has not answered yet")
        app_sdp.check_same(before, read)
        nosip.chosen(read, opened.spec.codecs)
        async with opened.turn:
            ours = nosip.generate("offer", nosip.of_app(read, opened.agreed), update=True)
            nosip.generated(await self._ask(opened, ours))
            opened.app = read
            # The trunk may be on hold, which the app is not told.
            answer = await self._say_peer(opened, replace(opened.told, direction=opened.direction))
        await self._settled(opened)
        return nosip.for_app(answer, REVERSED[opened.app_says], read)

    async def app_answered(self, leg: str, answer: str) -> str:
        opened = self._opened(leg)
        if opened.said is not None:
            raise MediaError(Problem.OUT_OF_TURN, "the app's answer is here already")
        read = app_sdp.read(answer)
        opened.agreed = nosip.chosen(read, opened.spec.codecs)
        async with opened.turn:
            ours = nosip.generate("answer", nosip.of_app(read, opened.agreed))
            self._place_leg(opened, nosip.generated(await self._ask(opened, ours)))
        assert opened.said is not None
        opened.app = read
        if opened.offered is None:
            return opened.said.offer("sendrecv")
        said = opened.said.answer(opened.offered)
        await self._settled(opened)
        return said

    async def trunk_offered(self, leg: str, offer: str | None) -> str:
        opened = self._opened(leg)
        said = self._said(opened)
        if offer is None:
            return said.offer("sendrecv")
        answer = said.answer(trunk_sdp.parse(offer, opened.spec))
        await self._settled(opened)
        return answer

    async def trunk_answered(self, leg: str, answer: str, *, early: bool = False) -> None:
        opened = self._opened(leg)
        opened.early = early
        self._said(opened).take_answer(trunk_sdp.parse(answer, opened.spec))
        await self._settled(opened)

    async def offer_trunk(self, leg: str, direction: Direction) -> str:
        return self._said(self._opened(leg)).offer(direction)

    def candidates(self, leg: str, candidates: tuple[Candidate, ...], end: bool) -> None:
        opened = self._legs.get(leg)
        if opened is not None and (candidates or end):
            self._do(self._order(opened, nosip.trickle(candidates, end=end)))

    # The port: sound

    def lease(self, leg: str, until_ns: int) -> None:
        opened = self._legs.get(leg)
        if opened is None:
            return
        now = time.monotonic_ns()
        opened.until_ns = until_ns
        if opened.timer is not None:
            opened.timer.cancel()
        if opened.lives(now):
            opened.leased = True
            self._do(self._keep(opened))
            wait = (until_ns - EARLY - now) / 1e9
            opened.timer = asyncio.get_running_loop().call_later(wait, self._lapse, opened)
        self._settle(opened)

    def _lapse(self, leg: JanusLeg) -> None:
        """A timer may be early by a little; the lease is over when the clock says so."""
        if leg.lives(time.monotonic_ns()):
            self.lease(leg.name, leg.until_ns)
        else:
            self._settle(leg)

    def _settle(self, leg: JanusLeg) -> None:
        """See to it that Janus has the peer that is wanted."""
        if leg.settling is None or leg.settling.done():
            leg.settling = asyncio.create_task(self._converge(leg), name="janus settles")

    async def _settled(self, leg: JanusLeg) -> None:
        """The same, until it has."""
        self._settle(leg)
        assert leg.settling is not None
        await asyncio.wait((leg.settling,))

    async def _converge(self, leg: JanusLeg) -> None:
        try:
            async with leg.turn:
                while leg.name in self._legs:
                    peer = leg.wanted(time.monotonic_ns(), self._reach().sink)
                    if peer == leg.told:
                        break
                    await self._say_peer(leg, leg.next_peer(peer))
                    if peer != leg.told:
                        await asyncio.sleep(MOVES_S)
        except MediaError as error:
            self._end(leg, Ending.BACKEND_DIED, f"it is not known who hears what: {error}")
            return
        if leg.leased and not leg.lives(time.monotonic_ns()) and leg.name in self._legs:
            leg.leased = False
            self._tell(LeaseOver(leg.name))

    async def _say_peer(self, leg: JanusLeg, peer: Peer) -> str:
        """Janus has this peer from here on; what it would tell the app."""
        leg.version += 1
        told = nosip.process("answer", nosip.plain(peer, leg.agreed, leg.version), update=True)
        said = nosip.processed(await self._ask(leg, told))
        leg.told = peer
        return said

    async def press(self, leg: str, digits: str) -> None:
        self._lacks(leg, "no keys can be pressed here")

    async def play(self, leg: str, side: Side, sound: Sound, language: Language = "en") -> None:
        self._lacks(leg, "nothing can be played")

    async def stop_playing(self, leg: str, side: Side) -> None:
        self._lacks(leg, "nothing can be played")

    def _lacks(self, leg: str, what: str) -> None:
        self._opened(leg)
        raise MediaError(Problem.LACKING, f"with Janus {what}")

    async def statistics(self, leg: str) -> Statistics:
        opened = self._opened(leg)
        if opened.settling is not None:
            await asyncio.wait((opened.settling,))
        return await self._figures(opened)

    async def _figures(self, leg: JanusLeg) -> Statistics:
        asked = {"janus": "handle_info", "session_id": leg.session, "handle_id": leg.handle}
        app, trunk = nosip.figures(await self._reach().admin.ask(asked))
        codec = None if leg.said is None else leg.said.codec
        return Statistics(app, trunk, leg.agreed.codec, codec)

    # The end

    async def close(self, leg: str) -> Statistics | None:
        opened = self._legs.pop(leg, None)
        if opened is None:
            return None
        figures = None
        with contextlib.suppress(MediaError, TimeoutError):  # it died with the leg; and sound comes to an end
            async with asyncio.timeout(FIGURES_S):
                figures = await self._figures(opened)
        self._forget(opened)
        if self._link.reached is not None:
            await self._link.reached.destroy(opened.session)
        return figures

    # Asking

    def _reach(self) -> Reached:
        if self._link.reached is None:
            raise MediaError(Problem.DOWN, DIED)
        return self._link.reached

    def _opened(self, leg: str) -> JanusLeg:
        opened = self._legs.get(leg)
        if opened is None:
            raise MediaError(Problem.UNKNOWN_LEG, f"`{leg}` is not open")
        return opened

    @staticmethod
    def _said(leg: JanusLeg) -> TrunkSaid:
        if leg.said is None:
            raise MediaError(Problem.OUT_OF_TURN, "the app has not answered yet")
        return leg.said

    async def _ask(self, leg: JanusLeg, request: Said) -> Said:
        return await self._reach().tell(leg.session, leg.handle, request)

    async def _order(self, leg: JanusLeg, request: Said) -> None:
        with contextlib.suppress(MediaError):  # it is gone, which is told
            await self._reach().calls.order({**request, "session_id": leg.session, "handle_id": leg.handle})

    async def _keep(self, leg: JanusLeg) -> None:
        with contextlib.suppress(MediaError):
            await self._reach().keep(leg.session)

    def _do(self, small: Coroutine[None, None, None]) -> None:
        """What nobody waits for."""
        task = asyncio.create_task(small)
        self._small.add(task)
        task.add_done_callback(self._small.discard)
