"""One aiortc connection for one call, for sound alone.

aiortc negotiates once and always sees a call that goes both ways. Hold, resume and what else comes later
is only a change of direction, which aiortc need not hear of: it is settled in the descriptions (`sdp`) and
done by letting no packet out and none in. So an offer can be taken back at any time, as aiortc cannot.
"""

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import aioice
from aiortc import (
    RTCCertificate,
    RTCConfiguration,
    RTCIceCandidate,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.rtcicetransport import candidate_from_aioice

from wephone.media import candidates, sdp
from wephone.media.devices import Sink, Source
from wephone.media.errors import DescriptionError, StateError
from wephone.media.ice import CONNECT, Connection
from wephone.media.jitter import Counts
from wephone.media.private import (
    MISMATCH,
    connect_again,
    guard_sending,
    hear_keys,
    round_trip,
    send_keys,
    use_buffer,
    use_certificate,
    use_connection,
    watch_identity,
)
from wephone.media.receive import Incoming
from wephone.media.sdp import Description, Direction
from wephone.media.send import Outgoing
from wephone.media.servers import IceSettings
from wephone.media.stats import Stats
from wephone.protocol.messages import Candidate

EVENTS = 110  # our payload type of telephone-event in an offer, as browsers have it
NOWHERE = "this device has no address to be found at: no relay could be used, and its own are not shown"


class Listener(Protocol):
    """Who is told what the connection does."""

    def line_found(self, candidate: Candidate | None) -> None:
        """A late candidate of ours; None: no more follow."""

    def line_connected(self) -> None:
        """ICE and DTLS are done."""

    def line_failed(self, reason: str) -> None:
        """No sound can pass, and why."""

    def line_closed(self) -> None:
        """The far end has closed its media."""

    def line_heard(self) -> None:
        """The first frame of sound has been decoded."""

    def line_key(self, key: str) -> None:
        """The far end has pressed this key of a telephone."""

    def line_said(self) -> None:
        """The source has been said to its end."""


@dataclass(slots=True)
class Ways:
    """Which ways sound may go, and who wants it so."""

    held: bool = False  # by us
    theirs: str = "sendrecv"  # direction, as the far end sees it

    @property
    def sends(self) -> bool:
        return not self.held and self.theirs in ("sendrecv", "recvonly")

    @property
    def hears(self) -> bool:
        return not self.held and self.theirs in ("sendrecv", "sendonly")

    @property
    def direction(self) -> Direction:
        """As we see it, for an answer (RFC 3264 §6.1)."""
        if self.sends:
            return "sendrecv" if self.hears else "sendonly"
        return "recvonly" if self.hears else "inactive"


def new_certificate() -> RTCCertificate:
    """For the connections of one call."""
    return RTCCertificate.generateCertificate()


class Peer:
    """One connection of one call. It is made once: after `close` it is of no use."""

    def __init__(
        self,
        listener: Listener,
        settings: IceSettings | None = None,
        certificate: RTCCertificate | None = None,
    ) -> None:
        """`certificate`: by which the far end is to know it; one of its own if none is given.

        DescriptionError if the settings name a server by no address.
        """
        self._listener = listener
        self._made = time.monotonic_ns()
        self._connection = Connection(settings or IceSettings(), self._candidate_found)
        self._outgoing = Outgoing(listener.line_said, listener.line_failed)
        self._incoming = Incoming(self._first_frame, listener.line_failed, listener.line_key)
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))  # its default is Google's
        if certificate is not None:
            use_certificate(self._pc, certificate)
        self._pc.on("connectionstatechange", self._state_changed)
        self._transceiver = self._put_together()
        self._ways = Ways()
        self._keys_here: int | None = EVENTS  # payload types of telephone-event, by either description
        self._keys_there: int | None = None
        self._session, self._version = secrets.randbits(62), 0
        self._ours: Description | None = None  # as last said
        self._offer: Description | None = None  # ours, not answered yet
        self._offer_held = False
        self._setup: sdp.Setup = "active"
        self._ufrag: str | None = None  # theirs
        self._fingerprints: tuple[str, ...] = ()  # theirs
        self._early: list[tuple[Sequence[Candidate], bool]] = []  # before their description
        self._started: int | None = None  # ns
        self._hears: int | None = None  # ns
        self._connected: int | None = None  # ns
        self._heard: int | None = None  # ns
        self._deadline: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = False

    def _put_together(self) -> RTCRtpTransceiver:
        """Our ICE, our encoder and our jitter buffer, in aiortc's transceiver."""
        transceiver = self._pc.addTransceiver(self._outgoing, direction="sendrecv")
        codecs = RTCRtpSender.getCapabilities("audio").codecs
        transceiver.setCodecPreferences([each for each in codecs if each.mimeType == "audio/opus"])
        dtls = transceiver.receiver.transport
        use_connection(dtls.transport, self._connection)
        use_buffer(transceiver.receiver, self._incoming)
        guard_sending(dtls, lambda: self._started is not None)
        send_keys(dtls, self._key_to_be_sent)
        hear_keys(dtls, lambda: self._keys_here, self._incoming.add_key)
        watch_identity(dtls, lambda: self._fail(MISMATCH))
        return transceiver

    # Descriptions

    def is_of(self, offer: str) -> bool:
        """Is it of the connection that this one is with, and not of a fresh one, be it by the same keys?"""
        return self._ufrag is None or self._is_theirs(sdp.parse(offer))

    async def create_offer(self, *, hold: bool = False) -> str:
        """Our offer, with our own addresses; later candidates are told to the listener. StateError."""
        self._check_alive()
        if self._offer is not None:
            raise StateError("an offer of ours is not answered yet")
        if self._ours is None:
            await self._pc.setLocalDescription(await self._pc.createOffer())
            self._ours = sdp.parse(self._pc.localDescription.sdp)
        self._offer, self._offer_held = self._ours, hold
        return self._say(self._offer, "inactive" if hold else "sendrecv", "actpass")

    async def create_answer(self, offer: str, *, hold: bool = False) -> str:
        """Take this offer and answer it. DescriptionError: a call that has begun goes on as it was."""
        self._check_alive()
        if self._offer is not None:
            raise StateError("an offer of ours is not answered yet")
        theirs = sdp.checked(sdp.parse(offer))
        if self._ufrag is None:
            await self._set_remote(theirs, "offer")
            await self._pc.setLocalDescription(await self._pc.createAnswer())
            self._ours = sdp.parse(self._pc.localDescription.sdp)
            self._setup = "passive" if sdp.setup(self._ours) == "passive" else "active"
            self._keys_here = sdp.events(theirs)
            self._begin(theirs)
        self._check_same(theirs)
        assert self._ours is not None
        self._ways = Ways(hold, theirs.sections[sdp.spoken(theirs)].direction)
        # Sections once declined keep their places in whatever is said later (RFC 8829 §5.2.2).
        self._ours = sdp.declining(sdp.audio_alone(self._ours), theirs)
        text = self._say(self._ours, self._ways.direction, self._setup)
        self._apply_ways()
        await self._use_early()
        return text

    async def apply_answer(self, answer: str, *, provisional: bool = False) -> None:
        """The far end's answer to our offer. StateError without one; DescriptionError if it is none.

        After a provisional one (RFC 9429 §4.1.10.1) the answer is still to come.
        """
        self._check_alive()
        if self._offer is None:
            raise StateError("there is no offer to be answered")
        theirs = sdp.checked(sdp.parse(answer))
        if self._ufrag is None:
            await self._set_remote(theirs, "answer")
            self._setup = "passive" if sdp.setup(theirs) == "active" else "active"
            self._begin(theirs)
        self._check_same(theirs)
        if not provisional:
            self._offer = None
            self._ways = Ways(self._offer_held, theirs.sections[sdp.spoken(theirs)].direction)
        self._apply_ways()
        await self._use_early()

    async def roll_back(self) -> None:
        """Our offer will not be answered: everything stays as it is."""
        self._offer = None

    def _say(self, description: Description, direction: Direction, setup: sdp.Setup) -> str:
        description = sdp.directed(description, direction, setup)
        description = sdp.versioned(description, self._session, self._version)
        self._version += 1
        return str(sdp.outgoing(description, self._connection.asks, self._keys_here))

    async def _set_remote(self, theirs: Description, kind: str) -> None:
        seen = sdp.directed(sdp.audio_alone(theirs), "sendrecv")
        try:
            await self._pc.setRemoteDescription(RTCSessionDescription(str(seen), kind))
        except Exception as error:  # whatever aiortc's parser stumbles over was written by the far end
            raise DescriptionError(
                f"the description cannot be used: {error or type(error).__name__}"
            ) from error

    def _begin(self, theirs: Description) -> None:
        """Both descriptions are here: from now on the two look for each other, but not for ever."""
        self._ufrag, self._fingerprints = sdp.ufrag(theirs), sdp.fingerprints(theirs)
        self._keys_there = sdp.events(theirs)
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(CONNECT, self._fail, f"no way to the far end in {CONNECT:.0f} s")

    def _is_theirs(self, said: Description) -> bool:
        return (sdp.ufrag(said), sdp.fingerprints(said)) == (self._ufrag, self._fingerprints)

    def _check_same(self, theirs: Description) -> None:
        """aiortc cannot restart ICE (RFC 8445 §9), nor change keys; a new call can do both."""
        if not self._is_theirs(theirs):
            raise DescriptionError("the far end restarts ICE or DTLS, which needs a new call")

    # Candidates

    async def add_candidates(self, said: Sequence[Candidate], end: bool) -> None:
        """The far end's candidates; those that make no sense or are meant for other media are left out."""
        self._check_alive()
        if self._ufrag is None:
            self._early.append((said, end))
            return
        for each in said:
            if (candidate := self._ours_to_use(each)) is not None:
                await self._pc.addIceCandidate(candidate)
        if end:
            await self._pc.addIceCandidate(None)

    async def _use_early(self) -> None:
        early, self._early = self._early, []
        for said, end in early:
            await self.add_candidates(said, end)

    def _ours_to_use(self, said: Candidate) -> RTCIceCandidate | None:
        found = candidates.usable(said, self._transceiver.mid, self._ufrag)
        if found is None:
            return None
        candidate = candidate_from_aioice(found)
        candidate.sdpMid = self._transceiver.mid
        return candidate

    def _candidate_found(self, candidate: aioice.Candidate | None) -> None:
        if candidate is None:
            self._listener.line_found(None)
            if not self._connection.local_candidates:
                self._fail(NOWHERE)
            return
        mid, ufrag = self._transceiver.mid, self._connection.local_username
        self._listener.line_found(candidates.told(candidate, mid, ufrag))
        if self._ufrag is not None and self._transceiver.receiver.transport.transport.state == "new":
            # With nothing but a relay aiortc had no candidate to begin with, and waits to be asked again.
            task = asyncio.create_task(connect_again(self._pc), name="wephone connect")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    # Sound

    def start(self, source: Source, sink: Sink) -> None:
        """Both sides have agreed to talk: sound may pass from here on, and not before."""
        self._check_alive()
        if self._started is not None:
            raise StateError("the media has been started")
        self._started = time.monotonic_ns()
        self._outgoing.start(source)
        if self._hears is None:
            self.hear(sink)
        self._apply_ways()

    def hear(self, sink: Sink) -> None:
        """The far end may be heard, and does not hear us before `start`, which has this sink too."""
        self._check_alive()
        self._hears = time.monotonic_ns()
        self._incoming.start(sink)
        self._apply_ways()

    def mute(self, on: bool) -> None:
        """Send silence, or the source again."""
        self._outgoing.mute(on)

    def press(self, keys: str) -> None:
        """Send these keys of a telephone. ValueError for what is none; StateError where none are taken."""
        self._check_alive()
        if self._keys_there is None:
            raise StateError("the far end takes no keys of a telephone (telephone-event)")
        self._outgoing.press(keys)

    def _key_to_be_sent(self) -> tuple[int, bool] | None:
        """Of the packet that is being sent: the payload type, and whether a key begins with it."""
        begins = self._outgoing.begins_key
        return None if begins is None or self._keys_there is None else (self._keys_there, begins)

    def _apply_ways(self) -> None:
        self._outgoing.speak(self._ways.sends)
        self._incoming.listen(self._hears is not None and self._ways.hears)

    def _first_frame(self) -> None:
        if self._heard is None:
            self._heard = time.monotonic_ns()
            self._listener.line_heard()

    def stats(self) -> Stats:
        """What it came to so far."""
        counts: Counts = self._incoming.counts
        return Stats(
            sent=self._outgoing.packets,
            received=counts.received,
            lost=max(0, counts.lost),
            late=counts.late,
            recovered=counts.recovered,
            concealed=counts.concealed,
            skipped=counts.skipped,
            delay=counts.delay / 48_000,
            jitter=counts.jitter / 48_000,
            round_trip=round_trip(self._transceiver.sender),
            strangers=self._connection.dropped,
            connected=seconds(self._made, self._connected),
            heard=seconds(self._hears, self._heard),
        )

    # The life of it

    def _state_changed(self) -> None:
        state = self._pc.connectionState
        if self._over or state in ("new", "connecting"):
            return
        if state == "connected":
            self._connected = time.monotonic_ns()
            if self._deadline is not None:
                self._deadline.cancel()
            self._listener.line_connected()
        elif self._connection.over and self._connected is not None:
            self._fail("the far end can no longer be reached")
        elif state == "closed":
            self._over = True
            self._listener.line_closed()
        else:
            ice = self._transceiver.receiver.transport.transport.state
            reason = "no way to the far end was found" if ice == "failed" else "DTLS failed with the far end"
            # Soon, as whoever knows better (`watch_identity`) speaks after this.
            asyncio.get_running_loop().call_soon(self._fail, reason)

    def _fail(self, reason: str) -> None:
        """Once: what fails after that fails because of it."""
        if self._over:
            return
        self._over = True
        self._outgoing.speak(False)
        self._incoming.listen(False)
        self._listener.line_failed(reason)

    def _check_alive(self) -> None:
        if self._over:
            raise StateError("the connection is closed")

    async def close(self) -> None:
        """Say goodbye, let go of sockets, tasks and threads."""
        self._over = True
        if self._deadline is not None:
            self._deadline.cancel()
        self._outgoing.speak(False)
        await self._incoming.stop()
        await self._pc.close()
        if self._tasks:
            await asyncio.wait(self._tasks)


def seconds(begin: int | None, end: int | None) -> float | None:
    """The time between, if both have been."""
    return None if begin is None or end is None else (end - begin) / 1e9
