"""A UDP socket of a test, as far as all of them are alike."""

import asyncio
from typing import cast


class Datagrams(asyncio.DatagramProtocol):
    """Knows its transport once it is open."""

    transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)
