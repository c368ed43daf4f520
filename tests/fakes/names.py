"""A small name server on loopback: answers SRV questions from a table, and that nothing else is there."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from tests.fakes.datagrams import Datagrams

Zone = Mapping[str, tuple[str, ...]]  # name without its last dot -> SRV records as text


class NameServer(Datagrams):
    """Knows its zone, and whether it answers at all."""

    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self.asked: list[str] = []

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        name = query.question[0].name.to_text(omit_final_dot=True)
        self.asked.append(name)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if records := self.zone.get(name):
            answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "SRV", *records))
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(answer.to_wire(), address)


@asynccontextmanager
async def name_server(zone: Zone) -> AsyncIterator[tuple[NameServer, tuple[str, int]]]:
    """While the block runs: the server and where it is."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(lambda: NameServer(zone), ("127.0.0.1", 0))
    try:
        yield server, transport.get_extra_info("sockname")[:2]
    finally:
        transport.close()
