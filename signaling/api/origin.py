"""Where a request comes from: which web page's, and which address's."""

import ipaddress
from collections.abc import Iterable, Sequence

from aiohttp import web

from signaling.settings import Address, Network

NOWHERE = "unix"  # whoever comes by the Unix socket


class Origins:
    """Which web pages may talk to us (RFC 6454), so that no other page acts for a signed-in person."""

    def __init__(self, public_url: str | None, others: Iterable[str]) -> None:
        self._named = frozenset((*others, *((public_url,) if public_url else ())))
        self._has_public_url = public_url is not None

    def allows(self, origin: str, request: web.BaseRequest) -> bool:
        """Is the page one of ours? Compared whole: a prefix of the right name is another name."""
        if origin in self._named:
            return True
        if self._has_public_url:
            return False
        # Without a public address we are reached by an address or as localhost. Another name could be
        # anybody's, made to point at us (DNS rebinding).
        host = request.host
        return cannot_rebind(host) and origin in (f"http://{host}", f"https://{host}")


def cannot_rebind(host: str) -> bool:
    """Is this Host an IP address or localhost, whose meaning nobody else decides?"""
    name = host.removeprefix("[").partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if name == "localhost":
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def caller_address(request: web.BaseRequest, trusted: Sequence[Network]) -> str:
    """The address that limits are counted for: the last one that no trusted front vouches for.

    X-Forwarded-For is believed from trusted fronts alone, read from its end: what stands before the first
    untrusted address could have been written by anybody.
    """
    here = request.remote
    if not here:
        return NOWHERE
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
    while trusted and is_within(here, trusted) and forwarded:
        before = forwarded.pop().strip()
        if parsed(before) is None:
            break
        here = before
    return here


def is_within(address: str, networks: Iterable[Network]) -> bool:
    """Does the address belong to one of these networks?"""
    found = parsed(address)
    return found is not None and any(
        found in network for network in networks if network.version == found.version
    )


def parsed(text: str) -> Address | None:
    """The address that this is, an IPv4 one also when IPv6 has wrapped it; none if it is none."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
