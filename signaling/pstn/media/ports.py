"""The UDP ports of a bridge: for each leg an even one for sound and the next for reports (RFC 3550 §11)."""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, cast

from signaling.media import MediaError, Problem
from wephone.media.loop import open_packets, read_packets

BUFFER = 1 << 20  # bytes that the kernel keeps of what has not been read: some seconds of one call
Address: TypeAlias = tuple[str, int]
Came: TypeAlias = Callable[[bytes, Address], None]


class Ear(asyncio.DatagramProtocol):
    """One socket. What comes before somebody listens is for nobody."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._came: Came = lambda data, address: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._came(data, addr)

    def listen(self, came: Came) -> None:
        """From here on what comes goes there."""
        self._came = came
        read_packets(self._sock, came)

    def send(self, data: bytes, to: Address) -> bool:
        """Now or never: sound that has to wait is of no use later."""
        try:
            self._sock.sendto(data, to)
        except OSError:
            return False
        return True


@dataclass(slots=True)
class Pair:
    """Two open sockets."""

    port: int
    sound: Ear
    reports: Ear

    def listen(self, sound: Came, reports: Came) -> None:
        """From here on what comes is theirs."""
        self.sound.listen(sound)
        self.reports.listen(reports)

    def close(self) -> None:
        self.sound.transport.close()
        self.reports.transport.close()


class Ports:
    """Hands out pairs of ports; the one that has been free for longest comes next."""

    def __init__(self, address: str, first: int, last: int) -> None:
        """`first` to `last`, both included."""
        self._address = address
        self._free = deque(range(first + first % 2, last, 2))

    @property
    def free(self) -> int:
        return len(self._free)

    async def take(self) -> Pair:
        """Open the next pair. MediaError if there is none; what another program holds is passed over."""
        for _ in range(len(self._free)):
            port = self._free.popleft()
            pair = await self._open(port)
            if pair is not None:
                return pair
            self._free.append(port)
        raise MediaError(Problem.NO_PORTS, "all ports for sound are in use")

    async def _open(self, port: int) -> Pair | None:
        first = await self._listen(port)
        if first is None:
            return None
        second = await self._listen(port + 1)
        if second is None:
            first.transport.close()
            return None
        return Pair(port, first, second)

    async def _listen(self, port: int) -> Ear | None:
        try:
            ear = await open_packets(self._address, port, Ear)
        except OSError:
            return None
        sock: socket.socket = ear.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        return ear

    def give_back(self, pair: Pair) -> None:
        """Close it."""
        pair.close()
        self._free.append(pair.port)
