"""The DNS as SIP asks it: SRV by the system's name servers, addresses as the system finds them."""

import asyncio
import socket
from collections.abc import Sequence

import dns.asyncresolver
import dns.exception
import dns.resolver
from dns.rdtypes.IN.SRV import SRV

from signaling.pstn.sip.problem import CarrierError
from signaling.pstn.sip.selection import Service

PATIENCE = 5.0  # seconds for one question; SIP itself waits 32 s for an answer


class Resolver:
    """A `selection.Lookup`. Answers are kept as long as the DNS says."""

    def __init__(self, *, ipv6: bool = False, servers: Sequence[tuple[str, int]] = ()) -> None:
        """`ipv6`: addresses of that kind are of use, for we have a socket. `servers`: not the system's."""
        self._family = socket.AF_UNSPEC if ipv6 else socket.AF_INET
        self._servers = servers
        self._resolver: dns.asyncresolver.Resolver | None = None

    async def services(self, name: str) -> Sequence[Service]:
        """SRV records."""
        try:
            answer = await self._asked().resolve(name, "SRV", lifetime=PATIENCE)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except (dns.exception.DNSException, OSError, UnicodeError) as error:
            raise CarrierError(f"the DNS did not answer for `{name}`: {type(error).__name__}") from error
        return [Service(r.priority, r.weight, r.port, str(r.target)) for r in answer if isinstance(r, SRV)]

    async def addresses(self, name: str) -> Sequence[str]:
        """A and AAAA, with the system's own names (/etc/hosts) among them."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(PATIENCE):
                found = await loop.getaddrinfo(name, None, family=self._family, type=socket.SOCK_DGRAM)
        except TimeoutError as error:
            raise CarrierError(f"the DNS did not answer for `{name}`") from error
        except (socket.gaierror, UnicodeError):
            return ()
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    def _asked(self) -> dns.asyncresolver.Resolver:
        """Made when it is needed: a machine without name servers may have trunks by address."""
        if self._resolver is None:
            self._resolver = dns.asyncresolver.Resolver(configure=not self._servers)
            self._resolver.cache = dns.resolver.LRUCache(256)
            if self._servers:
                self._resolver.nameservers = [host for host, _ in self._servers]
                self._resolver.port = self._servers[0][1]
        return self._resolver
