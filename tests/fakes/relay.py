"""A small honest media backend, for tests of what is said about telephone calls.

Its app's side speaks plain RTP too, and nothing if the app's description is not of that kind. What it does,
it does on real sockets and by the real clock: not one packet passes without a lease.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from signaling.media import (
    CandidatesFound,
    Capability,
    Connected,
    Descriptions,
    DigitHeard,
    Direction,
    Ended,
    Ending,
    Event,
    Heard,
    Language,
    LeaseOver,
    Listener,
    MediaError,
    Played,
    Problem,
    Side,
    Sound,
    Srtp,
    Statistics,
    Tally,
    TimedOut,
    TrunkMedia,
)
from signaling.pstn.media import trunk_sdp
from signaling.pstn.media.trunk_sdp import Ours, Trunk
from tests.fakes.datagrams import Datagrams
from wephone.protocol.messages import Candidate

HOST = "127.0.0.1"
LOOPBACK = ("127.0.0.0/8",)
KEYS = "0123456789*#ABCD"
OTHER: dict[Side, Side] = {"app": "trunk", "trunk": "app"}


class Ear(Datagrams):
    """One side's socket."""

    def __init__(self, came: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._came = came

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._came(data, addr)

    @property
    def port(self) -> int:
        port: int = self.transport.get_extra_info("sockname")[1]
        return port


@dataclass
class RelayLeg:
    """Two sockets and what is known of whom they speak with."""

    trunk: TrunkMedia
    ears: dict[Side, Ear] = field(default_factory=dict)
    theirs: dict[Side, Trunk | None] = field(default_factory=lambda: {"app": None, "trunk": None})
    tallies: dict[Side, Tally] = field(default_factory=lambda: {"app": Tally(), "trunk": Tally()})
    playing: dict[Side, Sound] = field(default_factory=dict)
    until_ns: int = 0
    over: asyncio.TimerHandle | None = None
    version: int = 1
    pressed: str = ""
    last_digit: bytes = b""
    early: bool = False


@dataclass
class Told:
    """An app that is told something: one socket, and nobody else."""

    ear: Ear
    app: Trunk | None
    sounds: list[tuple[Sound, Language]] = field(default_factory=list)


class Relay:
    """`tell` is called soon after what it tells of. `die` is what a killed process looks like from here."""

    capabilities = frozenset({Capability.ANNOUNCE, Capability.DTMF, Capability.PACKETS})

    def __init__(self, tell: Listener) -> None:
        self._tell = tell
        self.legs: dict[str, RelayLeg] = {}
        self.announcements: dict[str, Told] = {}
        self.alive = True

    # Opening

    async def open_outgoing(self, leg: str, app_offer: str, trunk: TrunkMedia) -> Descriptions:
        opened = await self._open(leg, trunk)
        opened.theirs["app"] = plain(app_offer)
        self._connected(leg)
        return Descriptions(self._say(leg, "app"), self._say(leg, "trunk"))

    async def open_incoming(self, leg: str, trunk_offer: str | None, trunk: TrunkMedia) -> str:
        theirs = None if trunk_offer is None else self._parsed(trunk_offer, trunk)
        opened = await self._open(leg, trunk)
        opened.theirs["trunk"] = theirs
        return self._say(leg, "app")

    async def open_announcement(self, leg: str, app_offer: str) -> str:
        self._check_free(leg)
        loop = asyncio.get_running_loop()
        _, ear = await loop.create_datagram_endpoint(lambda: Ear(lambda data, addr: None), (HOST, 0))
        app = plain(app_offer)
        self.announcements[leg] = Told(ear, app)
        self._soon(CandidatesFound(leg, (), True))
        if app is not None:
            self._soon(Connected(leg))
        return trunk_sdp.written(Ours(HOST, ear.port, ("PCMU",), "sendonly", 1, 1), app)

    def _check_free(self, leg: str) -> None:
        self._check_alive()
        if leg in self.legs or leg in self.announcements:
            raise MediaError(Problem.TAKEN, f"`{leg}` is open")

    async def _open(self, leg: str, trunk: TrunkMedia) -> RelayLeg:
        self._check_free(leg)
        if trunk.srtp is not Srtp.NEVER:
            raise MediaError(Problem.LACKING, "this backend has no SRTP")
        opened = self.legs[leg] = RelayLeg(trunk)
        loop = asyncio.get_running_loop()
        for side in OTHER:
            made = lambda side=side: Ear(lambda data, addr: self._came(leg, side, data, addr))  # noqa: E731
            _, opened.ears[side] = await loop.create_datagram_endpoint(made, (HOST, 0))
        return opened

    def _connected(self, leg: str) -> None:
        self._soon(CandidatesFound(leg, (), True))
        if self.legs[leg].theirs["app"] is not None:
            self._soon(Connected(leg))

    def _say(
        self, leg: str, side: Side, offer: Trunk | None = None, direction: Direction = "sendrecv"
    ) -> str:
        opened = self._leg(leg)
        opened.version += 1
        codecs = (trunk_sdp.common(offer, opened.trunk),) if offer else opened.trunk.codecs
        ours = Ours(HOST, opened.ears[side].port, codecs, direction, 1, opened.version)
        return trunk_sdp.written(ours, offer)

    # Descriptions

    async def app_offered(self, leg: str, offer: str) -> str:
        theirs = self._leg(leg).theirs["app"] = plain(offer)
        direction = trunk_sdp.REVERSED[theirs.direction] if theirs else "sendrecv"
        return self._say(leg, "app", theirs, direction)

    async def app_answered(self, leg: str, answer: str) -> str:
        opened = self._leg(leg)
        opened.theirs["app"] = plain(answer)
        self._connected(leg)
        return self._say(leg, "trunk", opened.theirs["trunk"])

    async def trunk_offered(self, leg: str, offer: str | None) -> str:
        opened = self._leg(leg)
        if offer is None:
            return self._say(leg, "trunk")
        theirs = opened.theirs["trunk"] = self._parsed(offer, opened.trunk)
        return self._say(leg, "trunk", theirs, trunk_sdp.REVERSED[theirs.direction])

    async def trunk_answered(self, leg: str, answer: str, *, early: bool = False) -> None:
        opened = self._leg(leg)
        opened.theirs["trunk"] = self._parsed(answer, opened.trunk)
        opened.early = early

    async def offer_trunk(self, leg: str, direction: Direction) -> str:
        return self._say(leg, "trunk", direction=direction)

    def candidates(self, leg: str, candidates: tuple[Candidate, ...], end: bool) -> None:
        pass

    def _parsed(self, sdp: str, trunk: TrunkMedia) -> Trunk:
        theirs = trunk_sdp.parse(sdp, trunk)
        trunk_sdp.common(theirs, trunk)
        return theirs

    # Sound

    def lease(self, leg: str, until_ns: int) -> None:
        opened = self.legs.get(leg)
        if opened is None:
            return
        opened.until_ns = until_ns
        if opened.over:
            opened.over.cancel()
        delay = max(0.0, (until_ns - time.monotonic_ns()) / 1e9)
        opened.over = asyncio.get_running_loop().call_later(delay, self._tell, LeaseOver(leg))

    def _came(self, leg: str, side: Side, data: bytes, addr: tuple[str, int]) -> None:
        opened = self.legs[leg]
        tally, theirs = opened.tallies[side], opened.theirs[side]
        if opened.early and side == "app":
            return
        if theirs is None or addr != (theirs.host, theirs.port):
            opened.tallies[side] = replace(tally, strangers=tally.strangers + 1)
            return
        if time.monotonic_ns() >= opened.until_ns:
            opened.tallies[side] = replace(tally, unleased=tally.unleased + 1)
            return
        opened.tallies[side] = replace(tally, received=tally.received + 1)
        if tally.received == 0:
            self._tell(Heard(leg, side))
        self._hear_digit(leg, side, data)
        if OTHER[side] not in opened.playing:
            self._send(opened, OTHER[side], data)

    def _hear_digit(self, leg: str, side: Side, data: bytes) -> None:
        opened = self.legs[leg]
        theirs = opened.theirs[side]
        if theirs and data[1] & 0x7F == theirs.events and data[4:8] != opened.last_digit:
            opened.last_digit = data[4:8]
            self._tell(DigitHeard(leg, side, KEYS[data[12]]))

    def _send(self, opened: RelayLeg, side: Side, data: bytes) -> None:
        theirs = opened.theirs[side]
        if theirs is not None and theirs.hears and time.monotonic_ns() < opened.until_ns:
            opened.ears[side].transport.sendto(data, (theirs.host, theirs.port))
            tally = opened.tallies[side]
            opened.tallies[side] = replace(tally, sent=tally.sent + 1)

    async def press(self, leg: str, digits: str) -> None:
        opened = self._leg(leg)
        theirs = opened.theirs["app"]
        opened.pressed += digits
        if theirs is None or theirs.events is None:
            return
        for number, digit in enumerate(digits):
            header = bytes((0x80, 0x80 | theirs.events, 0, number)) + (number * 1600).to_bytes(4) + b"fake"
            self._send(opened, "app", header + bytes((KEYS.index(digit), 0x8A)) + (800).to_bytes(2))

    async def play(self, leg: str, side: Side, sound: Sound, language: Language = "en") -> None:
        told = self.announcements.get(leg)
        if told is not None and side == "app":
            told.sounds.append((sound, language))
            if told.app is not None:
                packet = b"\x80\x00" + bytes(2) + bytes(4) + b"play" + PAYLOAD[sound] * 160
                told.ear.transport.sendto(packet, (told.app.host, told.app.port))
                self._soon(Played(leg, side, sound))
            return
        opened = self._leg(leg)
        if side in opened.playing:
            self._soon(Played(leg, side, opened.playing[side]))
        opened.playing[side] = sound
        payload = PAYLOAD.get(sound, b"\xff")
        self._send(opened, side, b"\x80\x00" + bytes(2) + bytes(4) + b"play" + payload * 160)
        if sound is not Sound.MUSIC:
            await self.stop_playing(leg, side)

    async def stop_playing(self, leg: str, side: Side) -> None:
        if leg in self.announcements:
            return  # it was played
        sound = self._leg(leg).playing.pop(side, None)
        if sound is not None:
            self._soon(Played(leg, side, sound))

    # The end

    async def statistics(self, leg: str) -> Statistics:
        if leg in self.announcements:
            return Statistics(Tally(sent=len(self.announcements[leg].sounds)), Tally())
        opened = self._leg(leg)
        theirs = opened.theirs["trunk"]
        codec = trunk_sdp.common(theirs, opened.trunk) if theirs else None
        return Statistics(opened.tallies["app"], opened.tallies["trunk"], codec, codec)

    async def close(self, leg: str) -> Statistics | None:
        if leg not in self.legs and leg not in self.announcements:
            return None
        figures = await self.statistics(leg)
        self._drop(leg)
        return figures

    def die(self) -> None:
        """All at once: its legs end, and whatever is asked of it fails, until it is `alive` again."""
        self.alive = False
        for leg in (*self.legs, *self.announcements):
            self._drop(leg)
            self._soon(Ended(leg, Ending.BACKEND_DIED, "the media process has died"))

    def finish(self, leg: str) -> None:
        """What an app is told has come to its end."""
        sound, _ = self.announcements[leg].sounds[-1]
        self._soon(Played(leg, "app", sound))

    def fall_silent(self, leg: str, side: Side) -> None:
        """Nothing has come from this side for as long as there is patience."""
        self._soon(TimedOut(leg, side))

    def end(self, leg: str, why: Ending) -> None:
        """The app is gone."""
        opened = self.legs[leg]
        figures = Statistics(opened.tallies["app"], opened.tallies["trunk"])
        self._drop(leg)
        self._soon(Ended(leg, why, "the app can no longer be reached", figures))

    def _drop(self, leg: str) -> None:
        if (told := self.announcements.pop(leg, None)) is not None:
            told.ear.transport.close()
            return
        opened = self.legs.pop(leg)
        for ear in opened.ears.values():
            ear.transport.close()
        if opened.over:
            opened.over.cancel()

    def _soon(self, event: Event) -> None:
        asyncio.get_running_loop().call_soon(self._tell, event)

    def _leg(self, leg: str) -> RelayLeg:
        self._check_alive()
        if leg not in self.legs:
            raise MediaError(Problem.UNKNOWN_LEG, f"`{leg}` is not open")
        return self.legs[leg]

    def _check_alive(self) -> None:
        if not self.alive:
            raise MediaError(Problem.DOWN, "the media process is not there")


PAYLOAD = {Sound.REFUSED: b"\x01", Sound.REVOKED: b"\x02", Sound.NO_EMERGENCY: b"\x03", Sound.MUSIC: b"\x04"}


def plain(sdp: str) -> Trunk | None:
    """The app's side, if it speaks plain RTP."""
    try:
        return trunk_sdp.parse(sdp, TrunkMedia(networks=LOOPBACK))
    except MediaError:
        return None
