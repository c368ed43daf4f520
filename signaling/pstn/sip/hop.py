"""Where a SIP message goes and where it came from: an address over a transport (RFC 3261 §18)."""

from dataclasses import dataclass
from enum import StrEnum

from signaling.pstn.sip.headers import Via
from signaling.pstn.sip.values import quick

PORT, TLS_PORT = 5060, 5061
LARGEST_DATAGRAM = 1300  # bytes; a larger request takes a stream, for the path's MTU is unknown (§18.1.1)


class Transport(StrEnum):
    """What carries it, as a Via calls it."""

    UDP = "UDP"
    TCP = "TCP"
    TLS = "TLS"

    def __init__(self, name: str) -> None:
        self.reliable = name != "UDP"  # nothing is lost, so that nothing is repeated

    @property
    def port(self) -> int:
        """Where it is listened for if nobody says otherwise."""
        return TLS_PORT if self is Transport.TLS else PORT


@quick
@dataclass(frozen=True, slots=True)
class Hop:
    """The next element on the way. `name` is what its certificate must be for, and empty where none is."""

    transport: Transport
    host: str  # an IP address, IPv6 without brackets
    port: int
    name: str = ""

    def __str__(self) -> str:
        return f"{self.transport.lower()}:{bracketed(self.host)}:{self.port}"


@quick
@dataclass(frozen=True, slots=True)
class Flow:
    """Where a message came from: the far address, and the socket or connection of ours that it came by."""

    hop: Hop
    number: int


def bracketed(host: str) -> str:
    """The address as a URI or a Via has it."""
    return f"[{host}]" if ":" in host else host


def way_back(via: Via, came: Hop) -> Hop:
    """Where a response goes when the request came from there (RFC 3261 §18.2.2, RFC 3581 §4).

    Always to the address that it came from, whatever `via`, its topmost, claims; to the very port where that
    asks for it. For a stream this is where a new connection goes when the old one is gone.
    """
    if came.transport is Transport.UDP and via.parameter("rport") is not None:
        return came
    return Hop(came.transport, came.host, via.port or came.transport.port, via.host.strip("[]"))
