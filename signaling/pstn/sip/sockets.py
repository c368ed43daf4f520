"""All SIP sockets of one user agent: UDP, TCP and TLS over IPv4 and IPv6 (RFC 3261 §18, RFC 3581, RFC 5923).

What can be read is handed on, from those whom the door admits; what could not be sent is told. A connection
that we opened is used again for whatever goes to the same address, and its far end may use it too.
"""

import asyncio
import logging
import socket
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from licensing.instant import SECOND
from signaling.ports.clock import Cancel, Clock
from signaling.pstn.sip.answer import refuse_unread
from signaling.pstn.sip.connection import Connection, Failed
from signaling.pstn.sip.door import Door, Turned
from signaling.pstn.sip.headers import Via
from signaling.pstn.sip.hop import Flow, Hop, Transport, way_back
from signaling.pstn.sip.message import Request, Response, build, parse
from signaling.pstn.sip.problem import SipError
from signaling.pstn.sip.values import quick, replace

BUFFER = 4 * 1024 * 1024  # bytes a UDP socket holds: the usual 208 KiB overflow at 50 calls in one burst
CONNECT = 10.0  # seconds
PATIENCE = 32 * SECOND  # for a first message on a connection that somebody opened
MOST_CONNECTIONS = 32  # of one address
KNOWN_FOR = 60 * SECOND  # which address of ours the kernel takes towards a far one
MOST_KNOWN = 1024

Heard = Callable[[Request | Response, Flow], None]

log = logging.getLogger(__name__)


@quick
@dataclass(frozen=True, slots=True)
class Place:
    """Where we can be reached."""

    transport: Transport
    host: str
    port: int

    @property
    def is_ipv6(self) -> bool:
        return ":" in self.host


class Datagrams(asyncio.DatagramProtocol):
    """One UDP socket.

    All that came in one turn of the loop is read together, and what is said to it goes out after that: each
    way into the kernel costs more than its own time, for the interpreter comes back to cold caches. All else
    is sent at once.
    """

    def __init__(self, received: Callable[[bytes, Flow], None], number: int) -> None:
        self._received, self._number = received, number
        self._trouble: Exception | None = None  # of the last sending
        self._last: tuple[tuple[str, int], Flow] | None = None  # who wrote; mostly it is the same as before
        self._came: deque[tuple[bytes, tuple[str, int]]] = deque()
        self._reading = False
        self._unsent: list[tuple[bytes, Hop, Failed]] = []  # while it reads

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        if not self._came:
            asyncio.get_running_loop().call_soon(self._read)
        self._came.append((data, address))

    def error_received(self, error: Exception) -> None:
        self._trouble = error

    def send(self, data: bytes, hop: Hop, failed: Failed) -> None:
        """`failed` is called, soon, if it can't be sent, as far as this machine can say."""
        self._unsent.append((data, hop, failed))
        if not self._reading:
            self._send()

    def close(self) -> None:
        """What came and was not read is not answered any more."""
        self._came.clear()
        self.transport.close()

    def _read(self) -> None:
        self._reading = True
        came = self._came
        try:
            while came:
                data, address = came.popleft()
                if self._last is None or self._last[0] != address:
                    hop = Hop(Transport.UDP, address[0].partition("%")[0], address[1])
                    self._last = address, Flow(hop, self._number)
                self._received(data, self._last[1])
        finally:  # one that we fail at is a fault of its own, and stops no other
            self._reading = False
            if came:
                asyncio.get_running_loop().call_soon(self._read)
            self._send()

    def _send(self) -> None:
        unsent, self._unsent = self._unsent, []
        for data, hop, failed in unsent:
            self._trouble = None
            self.transport.sendto(data, (hop.host, hop.port))
            if self._trouble:
                asyncio.get_running_loop().call_soon(failed)


class Sockets:
    """Listens where it is told, connects where something is to be sent. `close` after use."""

    def __init__(
        self,
        clock: Clock,
        door: Door,
        heard: Heard,
        *,
        tls_client: ssl.SSLContext | None = None,
        tls_server: ssl.SSLContext | None = None,
        tag: str = "unread",
        lost: Callable[[Hop], None] = lambda hop: None,
    ) -> None:
        """`tag` is ours in the answers to what could not be read. `lost` is told of each connection that is
        gone: what was sent by it may never have been heard."""
        self._clock, self.door, self._heard, self._tag = clock, door, heard, tag
        self._tls_client, self._tls_server, self._lost = tls_client, tls_server, lost
        self._places: dict[int, Place] = {}
        self._found: dict[tuple[Transport, bool], Place] = {}
        self._own: dict[str, tuple[int, str]] = {}  # far address -> until when it is known; ours
        self._told: set[tuple[str, int]] = set()  # where we said that we can be reached
        self._datagrams: dict[int, Datagrams] = {}
        self._udp: dict[bool, Datagrams] = {}  # what requests go by: the first that listens; is it IPv6?
        self._servers: list[asyncio.Server] = []
        self._connections: dict[int, Connection] = {}
        self._opened: dict[Hop, Connection] = {}  # by us
        self._came: dict[Hop, Connection] = {}  # by a peer, from its address
        self._opening: set[asyncio.Task[None]] = set()
        self._waiting: dict[Connection, Cancel] = {}
        self._numbers = 0

    # Listening

    async def listen(self, transport: Transport, host: str, port: int = 0) -> Place:
        """Be reachable there; OSError if that can't be. `port` 0 takes one that is free."""
        number = self._number()
        if transport is Transport.UDP:
            found = await self._listen_udp(host, port, number)
        else:
            found = await self._listen_stream(transport, host, port)
        self._places[number] = place = Place(transport, found[0], found[1])
        self._found.clear()
        return place

    def place(self, hop: Hop) -> Place:
        """Where answers and requests from that hop reach us; OSError if we listen nowhere of its kind."""
        is_ipv6 = ":" in hop.host
        found = self._found.get((hop.transport, is_ipv6))
        if found is None:
            found = self._found[hop.transport, is_ipv6] = self._listener(hop, is_ipv6)
        if found.host in ("0.0.0.0", "::"):
            found = replace(found, host=self._own_address(hop))
        self._told.add((found.host, found.port))
        return found

    def is_ours(self, via: Via, came: Hop) -> bool:
        """Is a response that came from there to something that we sent (RFC 3261 §18.1.2)?

        After a restart it may be to what the process before this one sent: from the same place.
        """
        said = via.host.strip("[]"), via.port or 0
        if said in self._told:
            return True
        try:
            place = self.place(came)
        except OSError:
            return False
        return said == (place.host, place.port)

    def _own_address(self, hop: Hop) -> str:
        """Of this machine, as the far end sees it; asked of the kernel once a minute, for routes change."""
        now = self._clock.mono_ns()
        until, own = self._own.get(hop.host, (0, ""))
        if now >= until:
            if len(self._own) >= MOST_KNOWN:
                self._own.clear()
            own = _own_address(hop)
            self._own[hop.host] = now + KNOWN_FOR, own
        return own

    def _listener(self, hop: Hop, is_ipv6: bool) -> Place:
        places = [place for place in self._places.values() if place.is_ipv6 == is_ipv6]
        same = [place for place in places if place.transport is hop.transport] or places
        if not same:
            raise OSError(f"there is no SIP socket for {hop}")
        return replace(same[0], transport=hop.transport)

    async def close(self) -> None:
        """Close all of it; what is unsent stays unsent."""
        for server in self._servers:
            server.close()
        for task in self._opening:
            task.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        for connection in tuple(self._connections.values()):
            connection.abort()
        for datagrams in self._datagrams.values():
            datagrams.close()
        for cancel in self._waiting.values():
            cancel()
        for server in self._servers:
            await server.wait_closed()
        await asyncio.sleep(0)  # asyncio tells protocols of their end in the next turn of the loop

    async def _listen_udp(self, host: str, port: int, number: int) -> tuple[str, int]:
        sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            if sock.family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind((host, port))
        except OSError:
            sock.close()
            raise
        loop = asyncio.get_running_loop()
        _, datagrams = await loop.create_datagram_endpoint(
            lambda: Datagrams(self._datagram, number), sock=sock
        )
        self._datagrams[number] = datagrams
        self._udp.setdefault(sock.family == socket.AF_INET6, datagrams)
        name = sock.getsockname()
        return name[0], name[1]

    async def _listen_stream(self, transport: Transport, host: str, port: int) -> tuple[str, int]:
        if transport is Transport.TLS and self._tls_server is None:
            raise OSError("SIP over TLS needs a certificate to listen with")
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self, None, self._number(), lambda h, p: Hop(transport, h, p)),
            host,
            port,
            ssl=self._tls_server if transport is Transport.TLS else None,
        )
        self._servers.append(server)
        name = server.sockets[0].getsockname()
        return name[0], name[1]

    # Sending

    def send(self, message: Request | Response, to: Hop | Flow, failed: Failed) -> None:
        """Give it to the network. `failed` is called, soon, if it can't be sent.

        A response goes back by the flow of its request; if that is a connection which is gone, to where the
        request said it can be reached.
        """
        data = build(message)
        if isinstance(to, Hop):
            if to.transport is Transport.UDP and (datagrams := self._udp.get(":" in to.host)):
                datagrams.send(data, to, failed)
                return
            back = isinstance(message, Request) and to.transport.reliable and message.to.tag is not None
            if back and (came := self._came.get(replace(to, name=""))) and came.is_usable:
                came.send(data, failed)  # where that came from: it listens nowhere else
                return
            self._send(data, to, self._or_back(data, to, failed) if back else failed)
            return
        if datagrams := self._datagrams.get(to.number):
            hop = way_back(message.via, to.hop) if isinstance(message, Response) else to.hop
            datagrams.send(data, hop, failed)
        elif (connection := self._connections.get(to.number)) and connection.is_usable:
            connection.send(data, failed)
        else:
            self._send(data, way_back(message.via, to.hop), failed)

    def ping(self) -> None:
        """A keep-alive on each connection that is up (RFC 5626 §3.5.1); no pong is waited for."""
        for connection in self._connections.values():
            connection.send(b"\r\n\r\n", lambda: None)

    def _send(self, data: bytes, hop: Hop, failed: Failed) -> None:
        if hop.transport is Transport.UDP:
            datagrams = self._udp.get(":" in hop.host)
            if datagrams is None:
                asyncio.get_running_loop().call_soon(failed)
            else:
                datagrams.send(data, hop, failed)
            return
        connection = self._opened.get(hop)
        if connection is None or not connection.is_usable:
            connection = self._opened[hop] = Connection(
                self, Flow(hop, number := self._number()), number, lambda host, port: hop
            )
            task = asyncio.create_task(self._open(connection, hop))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
        connection.send(data, failed)

    async def _open(self, connection: Connection, hop: Hop) -> None:
        context = self._tls_client if hop.transport is Transport.TLS else None
        try:
            if hop.transport is Transport.TLS and context is None:
                raise OSError("SIP over TLS is not set up")
            async with asyncio.timeout(CONNECT):
                await asyncio.get_running_loop().create_connection(
                    lambda: connection,
                    hop.host,
                    hop.port,
                    ssl=context,
                    server_hostname=(hop.name or hop.host) if context else None,
                )
        except OSError as error:  # a refused certificate and a time-out are OSErrors as well
            log.warning("no SIP connection to %s: %s", hop, error or "it took too long")
            self._forget(hop, connection)
            connection.give_up()

    def _or_back(self, data: bytes, hop: Hop, failed: Failed) -> Failed:
        """If it cannot be sent there: by the connection that came from there, if there is no doubt which.

        For requests of a dialog alone, whose far end had our words by it. Phones over TLS say where they can
        be called back, and have no certificate to be called back by.
        """

        def other_way() -> None:
            alike = [
                connection
                for of, connection in self._came.items()
                if (of.transport, of.host) == (hop.transport, hop.host) and connection.is_usable
            ]
            if len(alike) == 1:
                alike[0].send(data, failed)
            else:
                failed()

        return other_way

    def _forget(self, hop: Hop, connection: Connection) -> None:
        if self._opened.get(hop) is connection:
            del self._opened[hop]

    # Receiving

    def opened(self, connection: Connection) -> bool:
        """See `connection.Owner`."""
        assert connection.flow is not None
        hop, number = connection.flow.hop, connection.flow.number
        if connection is not self._opened.get(hop):
            if not self.door.is_known(hop.host):
                return False
            if sum(1 for c in self._connections.values() if c.flow and c.flow.hop.host == hop.host) >= (
                MOST_CONNECTIONS
            ):
                self.door.turned(Turned.TOO_MANY_CONNECTIONS, hop.host)
                return False
            deadline = self._clock.now().after(PATIENCE)
            self._waiting[connection] = self._clock.call_at(deadline, lambda: self._expire(connection))
            self._came[replace(hop, name="")] = connection
        self._connections[number] = connection
        return True

    def received(self, data: bytes, flow: Flow) -> None:
        """See `connection.Owner`."""
        if self.door.admits(flow.hop.host):
            self._read(data, flow)

    def unframed(self, flow: Flow, error: SipError) -> None:
        """See `connection.Owner`."""
        self.door.malformed(flow.hop.host, error.sentence)

    def closed(self, connection: Connection) -> None:
        """See `connection.Owner`."""
        if cancel := self._waiting.pop(connection, None):
            cancel()
        if connection.flow:
            hop = connection.flow.hop
            self._connections.pop(connection.flow.number, None)
            self._forget(hop, connection)
            if self._came.get(replace(hop, name="")) is connection:
                del self._came[replace(hop, name="")]
            self._lost(hop)

    def _expire(self, connection: Connection) -> None:
        self._waiting.pop(connection, None)
        if not connection.heard and connection.flow:
            self.door.turned(Turned.SILENT, connection.flow.hop.host)
            connection.abort()

    def _datagram(self, data: bytes, flow: Flow) -> None:
        if not self.door.admits(flow.hop.host):
            return
        if data.strip(b"\r\n\0"):  # or else a keep-alive
            self._read(data, flow)

    def _read(self, data: bytes, flow: Flow) -> None:
        try:
            message = parse(data)
        except SipError as error:
            if self.door.malformed(flow.hop.host, error.sentence):
                self._refuse(data, error, flow)
            return
        if isinstance(message, Response):
            if not self.is_ours(message.vias[0], flow.hop):
                self.door.turned(Turned.NOT_OURS, flow.hop.host)
                return
        else:
            via = message.via.seen_from(flow.hop.host, flow.hop.port)
            message = replace(message, vias=(via, *message.vias[1:]))
        self._heard(message, flow)

    def _refuse(self, data: bytes, error: SipError, flow: Flow) -> None:
        answer = refuse_unread(data, error, self._tag)
        if answer is None:
            return
        if datagrams := self._datagrams.get(flow.number):
            datagrams.send(answer, flow.hop, lambda: None)
        elif connection := self._connections.get(flow.number):
            connection.send(answer, lambda: None)

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers


def _own_address(hop: Hop) -> str:
    """The address of ours that the kernel would send from; nothing is sent to learn it."""
    with socket.socket(socket.AF_INET6 if ":" in hop.host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((hop.host, hop.port or 1))
        name: str = probe.getsockname()[0]
        return name
