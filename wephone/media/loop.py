"""An event loop for a process that carries sound: a packet is read where the wait for it ends.

asyncio gives each datagram a turn of its loop (an event, a handle, a context) and 256 KiB to be read into. Of
what it costs to pass a packet on, that is the larger part. Here sockets of packets are read by the selector
itself, and the loop has its turn when there is something for it. In any other loop asyncio reads them.
"""

import asyncio
import selectors
import socket
import time
from collections.abc import Callable
from contextvars import Context
from ipaddress import ip_address
from typing import Any, TypeVar, TypeVarTuple

LARGEST = 2_048  # bytes of a datagram that are read: more than any packet of sound or keys has

Came = Callable[[bytes, Any], None]
"""Told each datagram of a socket, and the address that it came from."""

P = TypeVar("P", bound=asyncio.DatagramProtocol)
Ts = TypeVarTuple("Ts")


class PacketSelector(selectors.DefaultSelector):
    """Waits for the loop, and reads packets meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self._readers: dict[int, Callable[[], None]] = {}  # by the socket's descriptor
        self.is_due = False  # the loop has something to do, or another time to be woken at

    def read(self, sock: socket.socket, reader: Callable[[], None]) -> None:
        """From here on, until nobody waits for this socket, call this when something has come."""
        self._readers[sock.fileno()] = reader

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """As ever; a descriptor may be another socket's after this."""
        key = super().unregister(fileobj)
        self._readers.pop(key.fd, None)
        return key

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready for the loop, as soon as there is something for it."""
        until = None if timeout is None else time.monotonic() + timeout
        self.is_due = False
        while True:
            ready = []
            for key, events in super().select(timeout):
                reader = self._readers.get(key.fd)
                if reader is not None and events == selectors.EVENT_READ:
                    reader()
                else:
                    ready.append((key, events))
            if ready or self.is_due:
                return ready
            if until is not None and (timeout := until - time.monotonic()) <= 0:
                return ready


class PacketLoop(asyncio.SelectorEventLoop):
    """See above."""

    def __init__(self) -> None:
        self.packets = PacketSelector()
        super().__init__(self.packets)

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """As ever; the selector lets the loop have its turn."""
        self.packets.is_due = True
        return super().call_soon(callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """The same."""
        self.packets.is_due = True
        return super().call_at(when, callback, *args, context=context)


async def open_packets(address: str, port: int, made: Callable[[socket.socket], P]) -> P:
    """What `made` makes of a socket that listens there, and how it is told what comes. OSError."""
    family = socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.bind((address, port))
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_datagram_endpoint(lambda: made(sock), sock=sock)
    except BaseException:
        sock.close()
        raise
    read_packets(sock, protocol.datagram_received)
    return protocol


def read_packets(sock: socket.socket, came: Came) -> None:
    """In a loop of packets: let what comes to a socket, which a transport holds, go to `came` at once."""
    loop = asyncio.get_running_loop()
    if isinstance(loop, PacketLoop):
        loop.packets.read(sock, _reader(loop, sock.recvfrom, came))


def _reader(loop: PacketLoop, receive: Callable[[int], tuple[bytes, Any]], came: Came) -> Callable[[], None]:
    def read() -> None:
        try:
            data, address = receive(LARGEST)
        except OSError:  # nothing is there after all
            return
        try:
            came(data, address)
        except Exception as error:  # as asyncio does: one packet must not cost all calls theirs
            loop.call_exception_handler({"message": "a packet could not be taken", "exception": error})

    return read
