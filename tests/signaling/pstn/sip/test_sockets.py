"""Real sockets on loopback: what is sent arrives, what comes from strangers or is rubbish is counted."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from signaling.clock import SystemClock
from signaling.pstn.sip.answer import respond
from signaling.pstn.sip.door import Door, Turned
from signaling.pstn.sip.hop import Flow, Hop, Transport, bracketed
from signaling.pstn.sip.message import Request, Response, parse
from signaling.pstn.sip.sockets import Datagrams, Place, Sockets
from signaling.pstn.sip.tls import client_context, server_context
from tests.fakes.certificates import Certificate, certify
from tests.signaling.pstn.sip.samples import options

WAIT = 10.0  # seconds; for what must come


@dataclass
class End:
    """One side: its sockets and what came."""

    sockets: Sockets
    came: "asyncio.Queue[tuple[Request | Response, Flow]]"
    turned: Counter[Turned]
    news: asyncio.Event
    failed: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Look again whenever something came or was turned away."""
        while not condition():
            self.news.clear()
            await asyncio.wait_for(self.news.wait(), WAIT)

    def send(self, message: Request | Response, to: Hop | Flow) -> None:
        self.sockets.send(message, to, self.failed.set)

    async def hear(self) -> tuple[Request | Response, Flow]:
        return await asyncio.wait_for(self.came.get(), WAIT)


@asynccontextmanager
async def end(
    certificate: Certificate | None = None, knows: tuple[str, ...] = ("127.0.0.1", "::1"), pace: float = 2000
) -> AsyncIterator[End]:
    turned: Counter[Turned] = Counter()
    came: asyncio.Queue[tuple[Request | Response, Flow]] = asyncio.Queue()
    news = asyncio.Event()

    def turn(why: Turned) -> None:
        turned.update([why])
        news.set()

    def hear(message: Request | Response, flow: Flow) -> None:
        came.put_nowait((message, flow))
        news.set()

    clock = SystemClock()
    door = Door(clock, lambda address: address in knows, turn, pace=lambda address: pace)
    sockets = Sockets(
        clock,
        door,
        hear,
        tls_client=client_context(certificate.authority) if certificate else None,
        tls_server=server_context(certificate.certificate, certificate.key) if certificate else None,
    )
    try:
        yield End(sockets, came, turned, news)
    finally:
        await sockets.close()


def hop(place: Place) -> Hop:
    return Hop(place.transport, place.host, place.port)


def request(*lines: str, body: bytes = b"", transport: str = "UDP", via: str = "192.0.2.1:5060") -> Request:
    own = f"Via: SIP/2.0/{transport} {via};branch=z9hG4bKaa1;rport"
    return cast(Request, parse(options(own, *lines, without="Via") + body))


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return certify(tmp_path)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("transport", list(Transport))
async def test_a_request_and_its_answer_take_the_same_way(
    transport: Transport, host: str, certificate: Certificate
) -> None:
    async with end(certificate) as near, end(certificate) as far:
        here = await near.sockets.listen(transport, host)
        place = await far.sockets.listen(transport, host)
        near.send(request(transport=transport, via=f"{bracketed(host)}:{here.port}"), hop(place))
        came, flow = await far.hear()
        assert isinstance(came, Request)
        assert came.via.parameter("rport") == str(flow.hop.port)
        far.send(respond(came, 200), flow)
        answer, back = await near.hear()
        assert isinstance(answer, Response)
        assert (answer.status, back.hop.host) == (200, host)


async def test_who_says_it_is_elsewhere_is_answered_where_it_is() -> None:
    async with end() as near, end() as far:
        await near.sockets.listen(Transport.UDP, "127.0.0.1")
        place = await far.sockets.listen(Transport.UDP, "127.0.0.1")
        near.send(request(via="192.0.2.1:5060"), hop(place))
        came, flow = await far.hear()
        assert isinstance(came, Request)
        assert came.via.parameter("received") == "127.0.0.1"
        far.send(respond(came, 200), flow)
        await near.until(lambda: near.turned[Turned.NOT_OURS] == 1)


@pytest.mark.parametrize("via", ["127.0.0.1:9", "192.0.2.1:{port}", "127.0.0.1"])
async def test_an_answer_to_what_we_never_sent_is_dropped_and_counted(via: str) -> None:
    """RFC 3261 §18.1.2: whoever is named by the topmost Via is not us."""
    async with end() as near, end() as far:
        here = await near.sockets.listen(Transport.UDP, "0.0.0.0")
        near.sockets.place(Hop(Transport.UDP, "127.0.0.1", 5060))
        await far.sockets.listen(Transport.UDP, "127.0.0.1")
        to = Hop(Transport.UDP, "127.0.0.1", here.port)
        far.send(respond(request(via=via.format(port=here.port)), 200), to)
        await near.until(lambda: near.turned[Turned.NOT_OURS] == 1)
        far.send(respond(request(via=f"127.0.0.1:{here.port}"), 200), to)
        assert (await near.hear())[0].via.host == "127.0.0.1"
        assert near.came.empty()


async def test_an_answer_to_what_was_sent_before_a_restart_is_heard() -> None:
    """The place is the same; what was said from it is not known any more."""
    async with end() as near, end() as far:
        here = await near.sockets.listen(Transport.UDP, "0.0.0.0")
        await far.sockets.listen(Transport.UDP, "127.0.0.1")
        answer = respond(request(via=f"127.0.0.1:{here.port}"), 200)
        far.send(answer, Hop(Transport.UDP, "127.0.0.1", here.port))
        await near.hear()


async def test_the_kernel_is_asked_once_which_address_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def own(hop: Hop) -> str:
        asked.append(hop.host)
        return "127.0.0.1"

    monkeypatch.setattr("signaling.pstn.sip.sockets._own_address", own)
    async with end() as near:
        await near.sockets.listen(Transport.UDP, "0.0.0.0")
        for host in ("127.0.0.1", "127.0.0.2", "127.0.0.1"):
            assert near.sockets.place(Hop(Transport.UDP, host, 5060)).host == "127.0.0.1"
    assert asked == ["127.0.0.1", "127.0.0.2"]


async def test_a_stream_is_used_again_in_both_directions(certificate: Certificate) -> None:
    async with end(certificate) as near, end(certificate) as far:
        place = await far.sockets.listen(Transport.TCP, "127.0.0.1")
        for _ in range(2):
            near.send(request(transport="TCP"), hop(place))
        flows = {(await far.hear())[1] for _ in range(2)}
        assert len(flows) == 1
        far.send(request(transport="TCP"), flows.pop())
        assert isinstance((await near.hear())[0], Request)


async def test_a_large_request_survives_a_stream_cut_anywhere() -> None:
    async with end() as far:
        place = await far.sockets.listen(Transport.TCP, "127.0.0.1")
        reader, writer = await asyncio.open_connection(place.host, place.port)
        data = options("Content-Length: 20000") + bytes(20_000)
        for at in range(0, len(data), 4999):
            writer.write(data[at : at + 4999])
            await writer.drain()
        assert len((await far.hear())[0].body) == 20_000
        writer.write(b"\r\n\r\n")
        assert await asyncio.wait_for(reader.readexactly(2), WAIT) == b"\r\n"
        writer.close()
        await writer.wait_closed()


async def test_a_stranger_hears_nothing_and_is_counted() -> None:
    async with end(knows=()) as far:
        udp = await far.sockets.listen(Transport.UDP, "127.0.0.1")
        tcp = await far.sockets.listen(Transport.TCP, "127.0.0.1")
        reader, writer = await asyncio.open_connection(tcp.host, tcp.port)
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), WAIT) == b""
        writer.close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.connect((udp.host, udp.port))
            stranger.send(options())
            await far.until(lambda: far.turned[Turned.STRANGER] == 2)
            stranger.setblocking(False)
            with pytest.raises(BlockingIOError):
                stranger.recv(1)
        assert far.came.empty()


async def test_a_flood_of_rubbish_is_counted_and_the_next_request_is_heard() -> None:
    async with end() as near, end() as far:
        await near.sockets.listen(Transport.UDP, "127.0.0.1")
        place = await far.sockets.listen(Transport.UDP, "127.0.0.1")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.connect((place.host, place.port))
            for _ in range(500):
                peer.send(options("CSeq: x", without="CSeq"))
                await asyncio.sleep(0)
        near.send(request(), hop(place))
        assert isinstance((await far.hear())[0], Request)
        assert far.turned[Turned.MALFORMED] == 500


async def test_one_source_may_say_so_much_and_no_more() -> None:
    async with end(pace=5) as far:
        place = await far.sockets.listen(Transport.UDP, "127.0.0.1")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.connect((place.host, place.port))
            for _ in range(200):
                peer.send(options())
            await far.until(lambda: far.turned[Turned.TOO_FAST] + far.came.qsize() == 200)
        assert far.turned[Turned.TOO_FAST] > 100


class Wire(asyncio.DatagramTransport):
    """Notes what is sent."""

    def __init__(self, notes: list[bytes]) -> None:
        super().__init__()
        self._notes = notes

    def sendto(self, data: bytes | bytearray | memoryview, addr: object = None) -> None:
        self._notes.append(bytes(data))


def echo(notes: list[bytes]) -> Datagrams:
    """A socket that says back what it hears, and fails at what is empty."""

    def received(data: bytes, flow: Flow) -> None:
        if not data:
            raise ValueError("a fault of ours")
        notes.append(b"read " + data)
        datagrams.send(data, flow.hop, lambda: None)

    datagrams = Datagrams(received, 1)
    datagrams.connection_made(Wire(notes))
    return datagrams


async def test_what_came_together_is_read_before_any_of_it_is_answered() -> None:
    notes: list[bytes] = []
    datagrams = echo(notes)
    for data in (b"1", b"2"):
        datagrams.datagram_received(data, ("192.0.2.1", 5060))
    await asyncio.sleep(0)
    assert notes == [b"read 1", b"read 2", b"1", b"2"]
    datagrams.send(b"of our own accord", Hop(Transport.UDP, "192.0.2.1", 5060), lambda: None)
    assert notes[4:] == [b"of our own accord"]


async def test_a_message_that_we_fail_at_stops_none_that_came_with_it() -> None:
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: faults.append(context))
    notes: list[bytes] = []
    datagrams = echo(notes)
    for data in (b"1", b"", b"2"):
        datagrams.datagram_received(data, ("192.0.2.1", 5060))
    await asyncio.sleep(0)
    assert notes == [b"read 1", b"1"]
    await asyncio.sleep(0)
    assert notes == [b"read 1", b"1", b"read 2", b"2"]
    assert len(faults) == 1


async def test_rubbish_on_a_stream_ends_it() -> None:
    async with end() as far:
        place = await far.sockets.listen(Transport.TCP, "127.0.0.1")
        reader, writer = await asyncio.open_connection(place.host, place.port)
        writer.write(options())  # without Content-Length nobody knows where the next one begins
        assert await asyncio.wait_for(reader.read(), WAIT) == b""
        assert far.turned[Turned.MALFORMED] == 1
        writer.close()
        await writer.wait_closed()


async def test_an_unreachable_hop_is_told(certificate: Certificate) -> None:
    async with end(certificate) as near, end() as closed:
        place = await closed.sockets.listen(Transport.TCP, "127.0.0.1")
        await closed.sockets.close()
        near.send(request(transport="TCP"), hop(place))
        await asyncio.wait_for(near.failed.wait(), WAIT)


async def test_a_certificate_for_another_name_is_no_connection(certificate: Certificate) -> None:
    async with end(certificate) as near, end(certificate) as far:
        place = await far.sockets.listen(Transport.TLS, "127.0.0.1")
        near.send(request(transport="TLS"), Hop(Transport.TLS, place.host, place.port, "carrier.example"))
        await asyncio.wait_for(near.failed.wait(), WAIT)
        assert far.came.empty()


async def test_an_answer_finds_its_way_though_the_connection_is_gone() -> None:
    async with end() as near, end() as far:
        here = await near.sockets.listen(Transport.TCP, "127.0.0.1")
        place = await far.sockets.listen(Transport.TCP, "127.0.0.1")
        reader, writer = await asyncio.open_connection(place.host, place.port)
        via = f"Via: SIP/2.0/TCP 127.0.0.1:{here.port};branch=z9hG4bKaa1"
        writer.write(options(via, "Content-Length: 0", without="Via"))
        came, flow = await far.hear()
        assert isinstance(came, Request)
        far.sockets._connections[flow.number].abort()
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), WAIT) == b""
        writer.close()
        far.send(respond(came, 200), flow)
        assert isinstance((await near.hear())[0], Response)


async def test_pings_keep_a_connection_and_are_no_messages() -> None:
    async with end() as near, end() as far:
        place = await far.sockets.listen(Transport.TCP, "127.0.0.1")
        near.send(request(transport="TCP"), hop(place))
        _, flow = await far.hear()
        near.sockets.ping()
        near.send(request(transport="TCP"), hop(place))
        assert (await far.hear())[1] == flow
        assert not far.turned
