"""A phone at the far end that knows no SIP but what its test tells it: it keeps every packet that comes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.sockets import Place
from signaling.pstn.sip.stream import Stream
from tests.fakes.datagrams import Datagrams

WAIT = 10.0  # seconds, for a packet that must come
SDP = "v=0\r\no=w 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"


class Witness(Datagrams):
    """Reads and writes text; parses nothing but header names."""

    def __init__(self) -> None:
        self.packets: list[str] = []
        self._new: asyncio.Queue[str] = asyncio.Queue()
        self._peer = ("", 0)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self._peer = address
        self.packets.append(data.decode())
        self._new.put_nowait(data.decode())

    @property
    def place(self) -> Place:
        host, port = self.transport.get_extra_info("sockname")[:2]
        return Place(Transport.UDP, host, port)

    async def hear(self, start: str) -> str:
        """The next packet that begins so; those before it are kept in `packets` alone."""
        while True:
            packet = await asyncio.wait_for(self._new.get(), WAIT)
            if packet.startswith(start):
                return packet

    def send(self, text: str, to: Place | None = None) -> None:
        """As it is, to whoever wrote last."""
        self.transport.sendto(text.encode(), (to.host, to.port) if to else self._peer)

    def answer(self, request: str, status: str, *, tag: str = "w", sdp: bool | str = False) -> None:
        """A response to a request."""
        kept = [line(request, name) for name in ("Via", "From", "To", "Call-ID", "CSeq")]
        if ";tag=" not in kept[2]:
            kept[2] += f";tag={tag}"
        over = "" if self.place.transport is Transport.UDP else f";transport={self.place.transport.lower()}"
        contact = f"Contact: <sip:witness@{self.place.host}:{self.place.port}{over}>"
        body = SDP if sdp is True else sdp or ""
        content = ["Content-Type: application/sdp"] if body else []
        head = (f"SIP/2.0 {status}", *kept, contact, *content, f"Content-Length: {len(body)}", "", "")
        self.send("\r\n".join(head) + body)

    def with_media(self) -> list[str]:
        """The packets that only a licensed leg may send: INVITE, its 2xx, whatever describes media."""
        return [packet for packet in self.packets if is_with_media(packet)]


class TcpWitness(Witness):
    """The same over TCP, by whatever connections come; it can be away for a while."""

    def __init__(self) -> None:
        super().__init__()
        self._port = 0
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def place(self) -> Place:
        return Place(Transport.TCP, "127.0.0.1", self._port)

    async def come(self) -> None:
        """Be there, where it was before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def go(self) -> None:
        """Close every connection, and take no more."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()

    def send(self, text: str, to: Place | None = None) -> None:
        self._writers[-1].write(text.encode())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        stream = Stream()
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                for message in stream.feed(data):
                    self.packets.append(message.decode())
                    self._new.put_nowait(message.decode())


def is_with_media(packet: str) -> bool:
    """By the text alone."""
    number, _, method = line(packet, "CSeq").removeprefix("CSeq: ").partition(" ")
    if packet.startswith("INVITE") or (packet.startswith("SIP/2.0 2") and method == "INVITE"):
        return bool(number)
    return not packet.endswith("\r\n\r\n")


def line(packet: str, name: str) -> str:
    """The first header of that name, with its name."""
    return next(text for text in packet.split("\r\n") if text.startswith(f"{name}: "))


@asynccontextmanager
async def tcp_witness() -> AsyncIterator[TcpWitness]:
    """While the block runs; it is there from the beginning."""
    made = TcpWitness()
    await made.come()
    try:
        yield made
    finally:
        await made.go()


@asynccontextmanager
async def witness(host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Witness]:
    """While the block runs."""
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(Witness, (host, port))
    try:
        yield protocol
    finally:
        transport.close()
