"""The media of one call: what the call decides about it is done here, in order, one thing after another.

aiortc, PyAV and numpy are loaded with the first call, or a little before it by `preload`, never by an import.
"""

import asyncio
import importlib
import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

from wephone.core import effects as out
from wephone.core import inputs
from wephone.core.effects import CallEffect
from wephone.core.events import CallEvent, KeyHeard
from wephone.media.errors import CodecError, DescriptionError, DeviceError, StateError
from wephone.media.servers import IceSettings
from wephone.media.stats import Stats
from wephone.protocol.ids import CallId
from wephone.protocol.messages import MAX_CANDIDATES, MAX_LATE, MAX_PACKETS, Candidate, Heard

BATCH = 0.03  # seconds in which candidates that follow the first gather for one frame
FAREWELL = 3.0  # seconds that the server may take to say why the far end has closed its media

log = logging.getLogger(__name__)

Tell = Callable[[CallId, inputs.CallInput], None]
"""Where outcomes go: into the call of this name."""


class Line(Protocol):
    """One connection for sound, as `wephone.media.peer` makes it."""

    def is_of(self, offer: str) -> bool: ...

    async def create_offer(self, *, hold: bool = False) -> str: ...

    async def create_answer(self, offer: str, *, hold: bool = False) -> str: ...

    async def apply_answer(self, answer: str, *, provisional: bool = False) -> None: ...

    async def roll_back(self) -> None: ...

    async def add_candidates(self, candidates: Sequence[Candidate], end: bool) -> None: ...

    def hear(self, sink: Any) -> None: ...

    def start(self, source: Any, sink: Any) -> None: ...

    def mute(self, on: bool) -> None: ...

    def press(self, keys: str) -> None: ...

    def stats(self) -> Stats: ...

    async def close(self) -> None: ...


class Handle(Protocol):
    """A call, as far as its media is concerned: `wephone.calls.Call`."""

    id: CallId
    source: Any
    sink: Any
    sound: "Sound | None"

    @property
    def muted(self) -> bool: ...

    def mark(self, name: str) -> None: ...

    def happened(self, event: CallEvent) -> None: ...

    async def ready(self) -> None:
        """Source and sink may be opened: no other call of this device has them any more."""


StartSound = Callable[[Handle, Tell, IceSettings], "Sound"]
"""Makes the media of a call when the call first asks for some."""


def start_sound(call: Handle, tell: Tell, settings: IceSettings) -> "Sound":
    """Media that speaks and hears."""
    return Sound(call, tell, settings)


def preload() -> "asyncio.Future[Any]":
    """Load aiortc and what it needs beside the loop, so that the first call does not wait half a second."""
    return asyncio.get_running_loop().run_in_executor(None, importlib.import_module, "wephone.media.peer")


class Sound:
    """Runs one call's media. `connected`: sound can pass both ways; `failure`: why it cannot."""

    def __init__(self, call: Handle, tell: Tell, settings: IceSettings | None = None) -> None:
        """`settings`: which STUN and TURN servers to use; none by default, for one machine or network."""
        self.connected = asyncio.Event()
        self.failure: str | None = None
        self.said = False  # the source has been said to its end
        self.closed = asyncio.Event()  # devices included
        self._call, self._id, self._tell = call, call.id, tell
        self._settings = settings or IceSettings()
        self._line: Line | None = None
        self._certificate: Any = None  # of all its lines, so that the safety code goes on to hold
        self._devices: list[Any] = []  # opened ones
        self._source: Any = None  # of these, that speaks
        self._sink: Any = None  # of these, that hears
        self._talks = False  # both are in use
        self._opening: asyncio.Future[None] | None = None
        self._stats = Stats()  # of the line that was closed last
        self._past: list[Stats] = []  # of lines in whose place others came
        self._found: list[Candidate] = []  # not told yet
        self._found_all = False
        self._batch: asyncio.TimerHandle | None = None
        self._farewell: asyncio.TimerHandle | None = None
        self._effects: asyncio.Queue[CallEffect] = asyncio.Queue()
        self._closed = False
        self._worker = asyncio.create_task(self._work(), name=f"wephone sound {call.id}")
        call.sound = self

    # What the call asks

    def do(self, effect: CallEffect) -> None:
        """Do this after whatever was asked before; its outcome is told."""
        self._effects.put_nowait(effect)

    def mute(self, on: bool) -> None:
        """Send silence in place of the source, or the source again."""
        if self._line is not None:
            self._line.mute(on)

    def press(self, keys: str) -> None:
        """Send these keys of a telephone. ValueError for what is none; StateError where none are taken."""
        if self._line is None:
            raise StateError("there is no connection for sound")
        self._line.press(keys)

    def stats(self) -> Stats:
        """What it came to so far; the last word once it is closed."""
        return self._line.stats() if self._line is not None else self._stats

    def heard(self, call: CallId) -> Heard | None:
        """What came of all its lines, for the server; None if nothing came."""
        return report(call, [*self._past, self.stats()])

    async def close(self) -> None:
        """Silence at once, then let go of everything."""
        if self._closed:
            return
        self._closed = True
        for timer in (self._batch, self._farewell):
            if timer is not None:
                timer.cancel()
        self._worker.cancel()
        await asyncio.wait((self._worker,))
        if self._line is not None:
            self._stats = self._line.stats()
            await self._line.close()
            self._line = None
        await self._close_devices()
        self.closed.set()

    # One thing after another

    async def _work(self) -> None:
        try:
            while True:
                await self._do(await self._effects.get())
        except Exception as error:
            # Ours, whatever it is; but a call must not wait for media that nobody works on.
            log.exception("the media of call %s broke", self._id)
            self.line_failed(f"the media broke: {error or type(error).__name__}")

    async def _do(self, effect: CallEffect) -> None:
        line = await self._ready_line()
        if line is None:
            return
        try:
            await self._ask(line, effect)
        except (DescriptionError, StateError, DeviceError) as error:
            if isinstance(effect, out.CreateOffer | out.CreateAnswer):
                log.warning("call %s: %s", self._id, error)
                self._tell(self._id, inputs.DescriptionFailed(str(error)))
            else:
                self.line_failed(str(error))

    async def _ask(self, line: Line, effect: CallEffect) -> None:
        match effect:
            case out.CreateOffer(hold=hold):
                self._tell(self._id, inputs.OfferCreated(await line.create_offer(hold=hold)))
            case out.CreateAnswer(offer=offer, hold=hold):
                if not line.is_of(offer):
                    line = await self._change_line()
                self._tell(self._id, inputs.AnswerCreated(await line.create_answer(offer, hold=hold)))
            case out.ApplyAnswer(sdp=sdp):
                await line.apply_answer(sdp)
            case out.HearEarly(sdp=sdp):
                await self._hear_early(line, sdp)
            case out.RollBack():
                await line.roll_back()
            case out.AddCandidates(candidates=candidates, end=end):
                await line.add_candidates(candidates, end)
            case out.StartMedia():
                await self._start(line)
            case _:
                raise TypeError(f"{type(effect).__name__} is no work for media")

    async def _ready_line(self) -> Line | None:
        """The line, made when it is first needed. The call fails if it cannot be."""
        if self._line is None and self.failure is None:
            try:
                peer = await preload()
                self._certificate = self._certificate or peer.new_certificate()
                self._line = cast(Line, peer.Peer(self, self._settings, self._certificate))
            except (ImportError, CodecError, DescriptionError) as error:
                self.line_failed(f"this device cannot make calls: {error}")
        return self._line

    async def _change_line(self) -> Line:
        """The far end has a connection of its own anew: a page that was loaded again, or another network."""
        if self._line is not None:
            self._past.append(self._line.stats())
            await self._line.close()
            self._line = None
        if self._farewell is not None:
            self._farewell.cancel()
        self._found, self._found_all = [], False
        line = await self._ready_line()
        if line is None:
            raise StateError(self.failure or "there is no media")
        if self._talks:
            line.mute(self._call.muted)
            line.start(self._source, self._sink)
        return line

    async def _start(self, line: Line) -> None:
        """Open microphone and loudspeaker, or what stands for them."""
        from wephone.media.devices import as_sink, as_source

        await self._call.ready()
        self._source = as_source(self._call.source)
        if self._sink is not None:
            await self._open(self._source)
        else:
            self._sink = as_sink(self._call.sink)
            await self._open(self._source, self._sink)
        self._talks = True
        line.mute(self._call.muted)
        line.start(self._source, self._sink)

    async def _hear_early(self, line: Line, sdp: str) -> None:
        """Open the loudspeaker alone. A call is not lost because nothing can be heard before its answer."""
        from wephone.media.devices import as_sink

        sink = as_sink(self._call.sink)
        try:
            await line.apply_answer(sdp, provisional=True)
            await self._open(sink)
        except (DescriptionError, DeviceError) as error:
            log.warning("call %s cannot be heard before its answer: %s", self._id, error)
            return
        self._sink = sink
        line.hear(sink)

    async def _open(self, *devices: Any) -> None:
        self._devices.extend(devices)
        self._opening = asyncio.ensure_future(asyncio.to_thread(open_all, *devices))
        await asyncio.shield(self._opening)  # a device that is being opened can be closed only after

    async def _close_devices(self) -> None:
        if self._opening is not None:
            await asyncio.wait((self._opening,))
        devices, self._devices = self._devices, []
        loop = asyncio.get_running_loop()
        for device in devices:
            try:
                await loop.run_in_executor(None, device.close)
            except (DeviceError, OSError) as error:
                log.warning("call %s: %s", self._id, error)

    # What the line tells

    def line_found(self, candidate: Candidate | None) -> None:
        """The first one is told at once, those that follow soon after together."""
        if candidate is None:
            self._found_all = True
        else:
            self._found.append(candidate)
        if self._batch is None:
            self._tell_found()

    def _tell_found(self) -> None:
        self._batch = None
        if self._closed or not (self._found or self._found_all):
            return
        found, self._found = tuple(self._found[:MAX_CANDIDATES]), []
        end, self._found_all = self._found_all, False
        self._batch = asyncio.get_running_loop().call_later(BATCH, self._tell_found)
        self._tell(self._id, inputs.CandidatesFound(found, end))

    def line_connected(self) -> None:
        """ICE and DTLS are done."""
        self.connected.set()
        self._call.mark("connected")
        self._tell(self._id, inputs.MediaConnected())

    def line_failed(self, reason: str) -> None:
        """No sound can pass, now or ever."""
        if self._closed or self.failure is not None:
            return
        self.failure = reason
        log.warning("call %s: %s", self._id, reason)
        self._tell(self._id, inputs.MediaFailed(reason))

    def line_closed(self) -> None:
        """The far end has closed its media; the server is about to say that, and why, it ended the call."""
        loop = asyncio.get_running_loop()
        self._farewell = loop.call_later(FAREWELL, self.line_failed, "the far end has closed its media")

    def line_heard(self) -> None:
        """The first frame of the far end's sound has been decoded."""
        self._call.mark("heard")

    def line_key(self, key: str) -> None:
        """The other side has pressed a key of a telephone."""
        self._call.happened(KeyHeard(self._id, key))

    def line_said(self) -> None:
        """The source has been said to its end."""
        self.said = True
        self._call.mark("said")


def report(call: CallId, lines: Sequence[Stats]) -> Heard | None:
    """What was heard by these lines of one call, in all, as the protocol bounds it; None if nothing was."""
    packets = sum(each.received for each in lines)
    trips = [each.round_trip for each in lines if each.round_trip is not None and each.round_trip >= 0]
    if not packets:
        return None
    return Heard(
        call=call,
        packets=min(packets, MAX_PACKETS),
        lost=min(sum(max(0, each.lost) for each in lines), MAX_PACKETS),
        jitter_us=min(round(max(each.jitter for each in lines) * 1e6), MAX_LATE),
        rtt_us=min(round(trips[-1] * 1e6), MAX_LATE) if trips else None,
    )


def open_all(*devices: Any) -> None:
    """Open one after the other. DeviceError from the first that cannot be."""
    for device in devices:
        device.open()
