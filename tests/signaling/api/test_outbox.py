"""The only writer of a connection, over a real socket."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import pytest
import uvloop

from signaling.api.outbox import MAX_UNSENT, Outbox, text_frame


class Peer:
    """The far end of a connection, which reads only when it is asked to."""

    def __init__(self, far: socket.socket, transport: asyncio.Transport) -> None:
        self.far, self.transport = far, transport

    async def read(self, size: int) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self.far, size)


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    near, far = socket.socketpair()
    far.setblocking(False)
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=near)
    yield Peer(far, transport)
    transport.abort()
    far.close()


class Writes(asyncio.Transport):
    """Counts the writes that reach a transport."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return False


async def test_the_frames_of_one_turn_of_the_loop_leave_in_one_write() -> None:
    transport = Writes()
    outbox = Outbox(transport, lambda: None)
    for number in range(3):
        outbox.send(b'{"n":%d}' % number)
    assert transport.written == []
    await asyncio.sleep(0)
    assert transport.written == [b"".join(text_frame(b'{"n":%d}' % number) for number in range(3))]


async def test_what_is_queued_when_it_closes_still_leaves_and_nothing_after_it(peer: Peer) -> None:
    outbox = Outbox(peer.transport, lambda: None)
    outbox.send(b"last")
    outbox.close()
    outbox.send(b"too late")
    await asyncio.sleep(0)
    peer.transport.close()
    assert await peer.read(100) == text_frame(b"last")
    assert await peer.read(100) == b""


async def test_a_peer_that_does_not_read_is_cut_off_and_counted(peer: Peer) -> None:
    cut: list[bool] = []
    outbox = Outbox(peer.transport, lambda: cut.append(True))
    sent = 0
    while not cut:
        outbox.send(b"x" * 60_000)
        sent += 60_000
        await asyncio.sleep(0)
        assert sent < 100 * MAX_UNSENT, "it was fed for ever"
    assert peer.transport.is_closing()
    outbox.send(b"more")
    await asyncio.sleep(0)
    assert cut == [True]


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_what_is_sent_to_a_connection_that_is_gone_is_forgotten(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def send() -> None:
        near, far = socket.socketpair()
        transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=near)
        far.close()
        outbox = Outbox(transport, lambda: None)
        outbox.send(b"queued")
        transport.abort()
        outbox.send(b"late")
        outbox.close()
        await asyncio.sleep(0)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(send())


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_a_frame_says_how_long_it_is(size: int) -> None:
    frame = text_frame(b"x" * size)
    assert frame[0] == 0x81  # FIN, text (RFC 6455 §5.2)
    extended = {126: 2, 127: 8}.get(frame[1], 0)
    length = int.from_bytes(frame[2 : 2 + extended]) if extended else frame[1]
    assert length == size == len(frame) - 2 - extended
