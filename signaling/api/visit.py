"""What a handler gets: the parts of the server, and one request of somebody who may make it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from signaling.accounts import Accounts
from signaling.api.auth import Who, not_signed_in
from signaling.bell import Bell
from signaling.checkpoints import Checkpoints
from signaling.evidence import Progress
from signaling.exchange import Exchange
from signaling.holders import Holders
from signaling.licence import Licence
from signaling.limits import Limits
from signaling.media import Statistics
from signaling.metrics import Metrics
from signaling.onlookers import Onlookers
from signaling.permission import Permission
from signaling.ports.clock import Clock
from signaling.ports.store import Store
from signaling.ports.telephones import TrunkState
from signaling.proofs import Proofs
from signaling.revocation import Revocation
from signaling.settings import Settings
from signaling.tickets import Tickets
from wephone.protocol.ids import UserId


async def no_figures(legs: Sequence[str]) -> Mapping[str, Statistics]:
    """Without a telephone network there are no legs."""
    return {}


@dataclass(frozen=True, slots=True)
class Parts:
    """What the routes are edges of."""

    settings: Settings
    clock: Clock
    store: Store
    accounts: Accounts
    holders: Holders
    tickets: Tickets
    proofs: Proofs
    limits: Limits
    metrics: Metrics
    exchange: Exchange
    bell: Bell
    permission: Permission
    licence: Licence
    revocation: Revocation
    checkpoints: Checkpoints
    progress: Progress
    version: str
    url: str  # where callers connect
    trunks: Callable[[], Sequence[TrunkState]] = tuple
    # How these telephone legs sound; those are missing of which it is not known.
    figures: Callable[[Sequence[str]], Awaitable[Mapping[str, Statistics]]] = no_figures
    onlookers: Onlookers = field(default_factory=Onlookers)

    def now_us(self) -> int:
        """This moment, in UTC microseconds."""
        return self.clock.now().utc_us


@dataclass(frozen=True, slots=True)
class Visit:
    """One request."""

    parts: Parts
    request: web.Request
    address: str  # that limits are counted for
    who: Who | None
    cookie: str  # the name under which this listener keeps a browser's session

    @property
    def known(self) -> Who:
        """Whoever signed in; the route's rule has let nobody else in."""
        if self.who is None:
            raise not_signed_in("sign in first")
        return self.who

    @property
    def user(self) -> UserId:
        """The name of whoever signed in."""
        return self.known.user
