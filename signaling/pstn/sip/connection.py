"""One TCP or TLS connection of SIP, whoever opened it (RFC 3261 §18.3, RFC 5626 §3.5.1)."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Protocol, cast

from signaling.pstn.sip.hop import Flow, Hop
from signaling.pstn.sip.problem import SipError
from signaling.pstn.sip.stream import Stream

MOST_UNSENT = 1024 * 1024  # bytes that a peer may leave unread

Failed = Callable[[], None]


class Owner(Protocol):
    """What a connection tells whoever holds it."""

    def opened(self, connection: "Connection") -> bool:
        """It is up; false if it is not wanted."""
        ...

    def received(self, data: bytes, flow: Flow) -> None:
        """One whole message, not read yet."""
        ...

    def unframed(self, flow: Flow, error: SipError) -> None:
        """Nobody can say where its next message begins: it is being closed."""
        ...

    def closed(self, connection: "Connection") -> None: ...


class Connection(asyncio.Protocol):
    """What came is cut into messages, pings are answered; what is to go waits until it is up."""

    def __init__(self, owner: Owner, flow: Flow | None, number: int, hop: Callable[[str, int], Hop]) -> None:
        """`flow` is known for one that we open; for one that came, `hop` makes it of its far address."""
        self._owner, self._number, self._hop = owner, number, hop
        self.flow = flow
        self.heard = False  # did a message ever come?
        self._stream = Stream()
        self._pings = 0
        self._waiting: list[tuple[bytes, Failed]] = []
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self.flow is None:
            host, port = transport.get_extra_info("peername")[:2]
            self.flow = Flow(self._hop(host.partition("%")[0], port), self._number)
        if not self._owner.opened(self):
            self._transport.abort()
            return
        waiting, self._waiting = self._waiting, []
        for data, failed in waiting:
            self.send(data, failed)

    def data_received(self, data: bytes) -> None:
        assert self.flow is not None and self._transport is not None
        for message in self._cut(data):
            self.heard = True
            self._owner.received(message, self.flow)
        while self._pings < self._stream.pings:
            self._pings += 1
            self._transport.write(b"\r\n")

    def _cut(self, data: bytes) -> Iterator[bytes]:
        """What came before a message that has no end is still heard."""
        assert self.flow is not None and self._transport is not None
        try:
            yield from self._stream.feed(data)
        except SipError as error:
            self._owner.unframed(self.flow, error)
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.give_up()
        self._owner.closed(self)

    def send(self, data: bytes, failed: Failed) -> None:
        """Write it now, or when the connection is up. `failed` is called, soon, if it can't be."""
        if self._transport is None:
            self._waiting.append((data, failed))
        elif self._transport.is_closing():
            asyncio.get_running_loop().call_soon(failed)
        elif self._transport.get_write_buffer_size() > MOST_UNSENT:
            asyncio.get_running_loop().call_soon(failed)
            self._transport.abort()
        else:
            self._transport.write(data)

    def give_up(self) -> None:
        """It will not be up any more: what waited for it failed."""
        waiting, self._waiting = self._waiting, []
        for _, failed in waiting:
            asyncio.get_running_loop().call_soon(failed)

    def close(self) -> None:
        if self._transport:
            self._transport.close()

    def abort(self) -> None:
        if self._transport:
            self._transport.abort()

    @property
    def is_usable(self) -> bool:
        """Can something be sent by it, now or when it is up?"""
        return self._transport is None or not self._transport.is_closing()
