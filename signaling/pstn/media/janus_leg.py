"""One telephone leg in Janus: what was said with either side, and which peer it is to have at an instant."""

import asyncio
from dataclasses import dataclass, field

from signaling.media import Direction, Side, TrunkMedia
from signaling.pstn.media.nosip import Agreed, Peer, direction_of, joined
from signaling.pstn.media.trunk_said import TrunkSaid
from signaling.pstn.media.trunk_sdp import NOWHERE, Trunk
from wephone.media.sdp import Description

# Janus is told of a lease's end so many ns before it, so that it has done it by then.
EARLY = 50_000_000


@dataclass(slots=True)
class Silence:
    """How long nothing more has come from a side that should send."""

    count: int = 0
    since: int = 0  # ns
    told: bool = False

    def lasted(self, count: int, now: int, patience: float, *, expected: bool) -> bool:
        """Has it just become too long? True once a silence; `count`: the packets that came in all."""
        if not expected or count != self.count:
            self.count, self.since, self.told = count, now, False
            return False
        if self.told or now - self.since <= patience * 1e9:
            return False
        self.told = True
        return True


@dataclass(slots=True)
class JanusLeg:
    """Its own session in Janus, so that Janus's own clock ends it alone if nobody keeps it."""

    name: str
    spec: TrunkMedia
    session: int
    handle: int
    agreed: Agreed
    told: Peer  # whom Janus has as its plain peer
    said: TrunkSaid | None = None  # none until the plain side has a port
    app: Description | None = None  # the app's newest
    offered: Trunk | None = None  # by a trunk that began, and has no answer yet
    early: bool = False  # nobody has answered: the trunk is heard, and hears nothing of the app
    until_ns: int = 0
    leased: bool = False  # there was a lease of whose end nobody was told
    connected: bool = False
    version: int = 1  # of what Janus is told about the trunk
    timer: asyncio.TimerHandle | None = None
    settling: asyncio.Task[None] | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # one exchange of descriptions at a time
    silences: dict[Side, Silence] = field(default_factory=lambda: {"app": Silence(), "trunk": Silence()})

    def lives(self, now: int) -> bool:
        """May sound pass?"""
        return now < self.until_ns - EARLY

    @property
    def app_says(self) -> Direction:
        """As the app sees it."""
        return "sendrecv" if self.app is None else direction_of(self.app)

    @property
    def app_sends(self) -> bool:
        return self.app is not None and self.app_says in ("sendrecv", "sendonly")

    @property
    def app_hears(self) -> bool:
        return self.app is not None and self.app_says in ("sendrecv", "recvonly")

    @property
    def direction(self) -> Direction:
        """Between the two, as the trunk sees it."""
        if self.said is None:
            return "inactive"
        return joined(
            sends=self.said.sends and self.app_hears,
            hears=self.said.hears is not None and self.app_sends and not self.early,
        )

    def wanted(self, now: int, sink: tuple[str, int]) -> Peer:
        """Whom Janus is to have: the trunk under a lease alone, and otherwise a port that nobody reads."""
        theirs = None if self.said is None else self.said.theirs
        if theirs is None or theirs.host in NOWHERE or not self.lives(now):
            parked = (self.told.host, self.told.port) == sink
            return self.told if parked else Peer(*sink, "inactive")
        return Peer(theirs.host, theirs.port, self.direction)

    def next_peer(self, wanted: Peer) -> Peer:
        """What Janus is told next on the way there: nobody speaks while an address changes, nor after."""
        moves = (wanted.host, wanted.port) != (self.told.host, self.told.port)
        return Peer(wanted.host, wanted.port, "inactive") if moves else wanted
