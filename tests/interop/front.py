"""A TLS front: what comes by TLS is passed on over TCP to whoever is behind it, or the other way round."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.sockets import Place
from signaling.pstn.sip.tls import client_context, server_context
from tests.fakes.certificates import Certificate


@dataclass(slots=True)
class Front:
    """Where it is, and who is behind it once that is known."""

    place: Place
    behind: Place | None = None
    context: ssl.SSLContext | None = None  # to whoever is behind it, if that speaks TLS
    connections: int = 0
    passing: "set[asyncio.Task[None]]" = field(default_factory=set)

    async def passed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, both ways, until either end closes it."""
        assert self.behind is not None
        self.connections += 1
        back_reader, back_writer = await asyncio.open_connection(
            self.behind.host, self.behind.port, ssl=self.context
        )
        ways = [
            asyncio.create_task(copy(reader, back_writer)),
            asyncio.create_task(copy(back_reader, writer)),
        ]
        self.passing.update(ways)
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            writer.close()
            back_writer.close()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Whatever comes, until nothing does."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass


@asynccontextmanager
async def tls_front(certificate: Certificate, host: str) -> AsyncIterator[Front]:
    """While the block runs: TLS comes, TCP goes on."""
    context = server_context(certificate.certificate, certificate.key)
    async with _front(Transport.TLS, host, context) as front:
        yield front


@asynccontextmanager
async def tls_back(certificate: Certificate, host: str, behind: Place) -> AsyncIterator[Front]:
    """While the block runs: TCP comes, TLS goes on."""
    async with _front(Transport.TCP, host, None) as front:
        front.behind, front.context = behind, client_context(certificate.authority)
        yield front


@asynccontextmanager
async def _front(transport: Transport, host: str, context: ssl.SSLContext | None) -> AsyncIterator[Front]:
    front = Front(Place(transport, host, 0))
    server = await asyncio.start_server(front.passed, host, 0, ssl=context)
    front.place = Place(transport, host, server.sockets[0].getsockname()[1])
    try:
        yield front
    finally:
        server.close()
        for way in front.passing:
            way.cancel()
        await asyncio.gather(*front.passing, return_exceptions=True)
        await server.wait_closed()
