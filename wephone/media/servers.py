"""Which servers help two devices find each other. Loads nothing: a client may hold these before it calls."""

from collections.abc import Awaitable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server (RFC 7064, RFC 7065): "stun:host:port", "turn:host:port"."""

    url: str
    username: str | None = field(default=None, repr=False)  # with the credential a secret: kept out of logs
    credential: str | None = field(default=None, repr=False)


Servers = tuple[IceServer, ...]


@dataclass(frozen=True, slots=True)
class IceSettings:
    """How a device lets itself be found. `relay_only`: by its TURN server alone, so nobody sees where it is.

    Without servers only its own addresses are offered; there is no default server. Servers that are still
    being asked for are awaited beside the call.
    """

    servers: Servers | Awaitable[Servers] = ()
    relay_only: bool = False


def chosen(servers: Servers) -> Servers:
    """At most one STUN and one TURN server, the first of each; TURN over UDP before TCP before TLS.

    aioice asks one of each. A relay over TCP makes every packet wait for the lost one before it.
    """
    stun = [server for server in servers if server.url.startswith("stun:")]
    turn = sorted((server for server in servers if server.url.startswith("turn")), key=cost)
    return (*stun[:1], *turn[:1])


def cost(server: IceServer) -> int:
    """How much worse than plain UDP the way to a TURN server is."""
    if server.url.startswith("turns:"):
        return 2
    return 1 if server.url.endswith("transport=tcp") else 0
