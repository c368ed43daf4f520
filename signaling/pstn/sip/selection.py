"""Which hops a SIP URI means, in the order in which they are tried (RFC 3263 without NAPTR, RFC 2782).

Look-ups and dice are arguments. Without NAPTR a domain that says nothing of transports is tried by UDP, then
TCP; TLS is never guessed and never given up: it is asked for by sips: or `transport=tls`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from signaling.pstn.sip.headers import Address
from signaling.pstn.sip.hop import Hop, Transport
from signaling.pstn.sip.message import Request
from signaling.pstn.sip.problem import CarrierError
from signaling.pstn.sip.uri import Uri, is_ipv4

MOST = 8  # hops that are tried for one request
SERVICES = {
    Transport.UDP: "_sip._udp.",
    Transport.TCP: "_sip._tcp.",
    Transport.TLS: "_sips._tcp.",
}

_TRANSPORTS = frozenset(Transport)

Dice = Callable[[], float]  # from 0, below 1


@dataclass(frozen=True, slots=True)
class Service:
    """An SRV record (RFC 2782)."""

    priority: int
    weight: int
    port: int
    target: str


class Lookup(Protocol):
    """What is asked of the DNS: nothing where there is nothing, CarrierError if it fails."""

    async def services(self, name: str) -> Sequence[Service]: ...

    async def addresses(self, name: str) -> Sequence[str]: ...


async def find(uri: Uri, lookup: Lookup, dice: Dice) -> tuple[Hop, ...]:
    """The hops of a URI; CarrierError if it has none."""
    host = uri.host.rstrip(".")
    transports = allowed(uri)
    if known := fixed(uri):
        return known
    hops: list[Hop] = []
    if uri.port is None:
        hops = await _by_service(host, transports, lookup, dice)
    if not hops:
        transport = transports[0]
        hops = await _by_address(host, host, uri.port or transport.port, transport, lookup)
    if not hops:
        raise CarrierError(f"there is no address for `{host}`")
    return tuple(hops[:MOST])


@lru_cache(maxsize=1024)
def fixed(uri: Uri) -> tuple[Hop, ...] | None:
    """The hop of a URI with an address for a host: nothing is to be looked up. None for a name."""
    if not is_numeric(uri.host):
        return None
    transport = allowed(uri)[0]
    address = uri.host.strip("[]")
    return (Hop(transport, address, uri.port or transport.port, address),)


def allowed(uri: Uri) -> tuple[Transport, ...]:
    """What a URI may be reached by, best first (RFC 3263 §4.1)."""
    named = (uri.parameter("transport") or "").upper()
    if named and named not in _TRANSPORTS:
        raise CarrierError(f"SIP over {named[:16]} is not built in")
    if uri.scheme == "sips":
        if named == Transport.UDP:
            raise CarrierError("sips: does not go over UDP")
        return (Transport.TLS,)
    if named:
        return (Transport(named),)
    if uri.port is not None or is_numeric(uri.host):
        return (Transport.UDP,)
    return Transport.UDP, Transport.TCP


def is_numeric(host: str) -> bool:
    """Is it an address, not a name?"""
    return host.startswith("[") or is_ipv4(host)


def ranked(services: Sequence[Service], dice: Dice) -> list[Service]:
    """Lowest priority first; among equals by lot, in proportion to their weights (RFC 2782)."""
    found: list[Service] = []
    for priority in sorted({service.priority for service in services}):
        rest = sorted((s for s in services if s.priority == priority), key=lambda s: s.weight)
        while rest:
            drawn = dice() * sum(service.weight for service in rest)
            for service in rest:
                drawn -= service.weight
                if drawn < 0:
                    break
            else:
                service = rest[0]
            rest.remove(service)
            found.append(service)
    return found


def next_uri(request: Request, routes: tuple[Address, ...] | None = None) -> Uri:
    """Whom a request goes to first: the nearest proxy of its route, or whom it is for (RFC 3261 §8.1.2).

    `routes` is the route set of its dialog: one that begins with a strict router has put it into the
    Request-URI already.
    """
    first = (request.addresses("Route") if routes is None else routes)[:1]
    uri = first[0].uri if first else None
    if isinstance(uri, Uri) and uri.parameter("lr") is not None:
        return uri
    if not isinstance(request.uri, Uri):
        raise CarrierError(f"{request.uri.scheme}: is reached through a proxy alone")
    return request.uri


async def _by_service(host: str, transports: tuple[Transport, ...], lookup: Lookup, dice: Dice) -> list[Hop]:
    """The hops of the first transport that has any: another one is no second try (RFC 3263 §4.1)."""
    for transport in transports:
        services = await lookup.services(SERVICES[transport] + host)
        if len(services) == 1 and services[0].target in (".", ""):
            continue  # decidedly not offered
        hops: list[Hop] = []
        for service in ranked(services, dice)[:MOST]:
            target = service.target.rstrip(".")
            hops += await _by_address(host, target, service.port, transport, lookup)
        if hops:
            return hops
    return []


async def _by_address(domain: str, host: str, port: int, transport: Transport, lookup: Lookup) -> list[Hop]:
    """The certificate is for the domain that was asked for, not for where it is served (RFC 5922 §7.2)."""
    return [Hop(transport, address, port, domain) for address in await lookup.addresses(host)]
