"""The loop of a process that carries sound: packets are read while it waits, and nothing waits for them."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.fakes.datagrams import Datagrams
from wephone.media.loop import LARGEST, PacketLoop, open_packets

HOST = "127.0.0.1"
Taken = Callable[["Taking", bytes], None]


class Taking(Datagrams):
    """Does what its test wants with each datagram."""

    def __init__(self, sock: socket.socket, taken: Taken) -> None:
        self.sock, self._taken = sock, taken
        self.came: list[bytes] = []

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.came.append(data)
        self._taken(self, data)

    def say(self, data: bytes) -> None:
        """To itself."""
        self.sock.sendto(data, self.sock.getsockname())


async def opened(taken: Taken = lambda taking, data: None) -> Taking:
    return await open_packets(HOST, 0, lambda sock: Taking(sock, taken))


def run(test: Callable[[], Awaitable[None]], *, loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def within() -> None:
        async with asyncio.timeout(20):
            await test()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(within())


@pytest.mark.parametrize("loop", [PacketLoop, asyncio.new_event_loop])
def test_packets_are_read_in_any_loop(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def test() -> None:
        all_there = asyncio.Event()
        one = await opened(lambda taking, data: all_there.set() if data == b"9" else None)
        for number in range(10):
            one.say(b"%d" % number)
        await all_there.wait()
        assert one.came == [b"%d" % number for number in range(10)]
        one.transport.close()

    run(test, loop=loop)


def test_packets_without_end_keep_no_timer_and_no_task_waiting() -> None:
    async def test() -> None:
        one = await opened(lambda taking, data: taking.say(data))
        one.say(b"again")
        began = time.monotonic()
        await asyncio.sleep(0.05)
        assert len(one.came) > 10
        for _ in range(100):
            await asyncio.sleep(0)
        assert await asyncio.to_thread(len, "word") == 4
        assert time.monotonic() - began < 10
        one.transport.close()

    run(test, loop=PacketLoop)


def test_what_a_packet_sets_going_begins_at_once() -> None:
    """Also where nothing else would wake the loop, or only later."""

    async def test() -> None:
        begun, later = asyncio.Event(), asyncio.Event()

        def taken(taking: Taking, data: bytes) -> None:
            begun.set()
            asyncio.get_running_loop().call_later(0.01, later.set)

        one = await opened(taken)
        one.say(b"one")
        await begun.wait()
        await later.wait()
        one.transport.close()

    run(test, loop=PacketLoop)


def test_a_packet_that_cannot_be_taken_costs_nobody_else_theirs() -> None:
    async def test() -> None:
        loop, faults, heard = asyncio.get_running_loop(), [], asyncio.Event()
        loop.set_exception_handler(lambda _, context: faults.append(str(context["exception"])))

        def taken(taking: Taking, data: bytes) -> None:
            if data == b"bad":
                raise ValueError("no packet")
            heard.set()

        one = await opened(taken)
        one.say(b"bad")
        one.say(b"good")
        await heard.wait()
        assert faults == ["no packet"]
        one.transport.close()

    run(test, loop=PacketLoop)


def test_a_closed_socket_is_read_no_more_and_its_number_may_be_anothers() -> None:
    async def test() -> None:
        first = await opened()
        number = first.sock.fileno()
        first.transport.close()
        await asyncio.sleep(0)
        heard = asyncio.Event()
        second = await opened(lambda taking, data: heard.set())
        assert second.sock.fileno() == number
        second.say(b"x" * (LARGEST + 1))  # what is longer than any packet is cut
        await heard.wait()
        assert (first.came, [len(data) for data in second.came]) == ([], [LARGEST])
        second.transport.close()

    run(test, loop=PacketLoop)
