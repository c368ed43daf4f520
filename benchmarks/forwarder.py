"""The reference of `bridge.py`: bare UDP both ways, nothing read or checked:  python -m benchmarks.forwarder

It reads "APP_PORT FAR_PORT" lines and answers each with the port that the app, and the one that the far end
speaks to; what comes from the one side goes to the other.
"""

import asyncio
import sys
from functools import partial
from typing import cast

HOST = "127.0.0.1"


class Half(asyncio.DatagramProtocol):
    """One side's socket."""

    def __init__(self, to: tuple[str, int]) -> None:
        self._to = to
        self.other: Half | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.other is not None:
            self.other.transport.sendto(data, self.other._to)


async def serve() -> None:
    """Until its stdin ends."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        halves = []
        for port in map(int, line.split()):
            made = partial(Half, (HOST, port))
            _, half = await loop.create_datagram_endpoint(made, local_addr=(HOST, 0))
            halves.append(half)
        halves[0].other, halves[1].other = halves[1], halves[0]
        print(*(half.transport.get_extra_info("sockname")[1] for half in halves), flush=True)


if __name__ == "__main__":
    asyncio.run(serve())
