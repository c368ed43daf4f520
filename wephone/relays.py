"""The STUN and TURN servers that the server names, with credentials that are renewed before they run out."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from wephone.media.servers import IceServer, Servers

KEEP = 300.0  # seconds that an answer without credentials is good for
SPENT = 0.5  # of their life, after which credentials are renewed: a call must find its relay with them


class Answer(BaseModel):
    """Of a server that may be newer than we are; what it says is not repeated in any error."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class NamedServer(Answer):
    """As browsers take it (W3C RTCIceServer)."""

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = None


class Named(Answer):
    """The answer of `GET /api/turn`."""

    ice_servers: tuple[NamedServer, ...]
    lifetime: float | None = None  # seconds that the credentials are good for

    @property
    def servers(self) -> Servers:
        """One for each address."""
        return tuple(
            IceServer(url, each.username, each.credential) for each in self.ice_servers for url in each.urls
        )


@dataclass(frozen=True, slots=True)
class Known:
    """Servers, and until when they are of use to a call that begins."""

    servers: Servers
    until: float  # by the monotonic clock


class Relays:
    """Asked before a call needs media, and again before a later call once the answer has aged."""

    def __init__(self, ask: Callable[[], Awaitable[Named | None]]) -> None:
        """`ask` the server; None if it cannot be asked now, and then a call goes without."""
        self._ask = ask
        self._known: Known | None = None
        self._asking: asyncio.Task[Servers] | None = None

    def servers(self) -> Servers | Awaitable[Servers]:
        """For a call that begins now: what is known, or what is being asked."""
        if self._known is not None and time.monotonic() < self._known.until:
            return self._known.servers
        if self._asking is None:
            self._asking = asyncio.create_task(self._learn(), name="wephone relays")
        return self._asking

    async def _learn(self) -> Servers:
        began = time.monotonic()
        try:
            named = await self._ask()
        finally:
            self._asking = None
        if named is None:
            return ()
        life = KEEP if named.lifetime is None else named.lifetime
        self._known = Known(named.servers, began + life * SPENT)
        return named.servers

    def forget(self) -> None:
        """The server may be another one now."""
        self._known = None

    async def close(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            asking = self._asking
            asking.cancel()
            await asyncio.wait((asking,))
