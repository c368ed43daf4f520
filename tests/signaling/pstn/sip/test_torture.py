"""The torture messages of RFC 4475 and 5118, each given to a user agent of ours over a real socket."""

import asyncio
import hashlib
import random
import re
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from signaling.pstn.sip.agent import Agent
from signaling.pstn.sip.hop import PORT, Transport
from signaling.pstn.sip.incoming import IncomingCall
from signaling.pstn.sip.selection import Service
from signaling.pstn.sip.sockets import Place
from tests.fakes.clock import HandClock
from tests.fakes.licence import Licensed
from tests.signaling.pstn.sip.agents import WAIT, Party
from tests.signaling.pstn.sip.samples import wire
from tests.signaling.pstn.sip.torture import ANSWERS, ANSWERS_ON_A_STREAM, CLOSED, MESSAGES, UNFINISHED
from tests.signaling.pstn.sip.torture_ipv6 import IPV6
from tests.signaling.pstn.sip.torture_sums import SHA256

STATUS = re.compile(rb"SIP/2\.0 ([0-9]{3}) ")
PORTS = {"quotbal": 5050, "mpart01": 5070}  # that its Via names, where that is not SIP's own


class Busy(Party):
    """Refuses every call."""

    def incoming(self, call: IncomingCall) -> None:
        call.refuse(486)


class NoNames:
    """A `Lookup` for which nothing exists."""

    async def services(self, name: str) -> Sequence[Service]:
        return ()

    async def addresses(self, name: str) -> Sequence[str]:
        return ()


@asynccontextmanager
async def agent(transport: Transport, host: str) -> AsyncIterator[Place]:
    """One that takes messages from anywhere, on a clock that stands still: nothing is said twice. Nothing it
    was told may end in an exception that nobody handles."""
    clock = HandClock()
    us = Busy(Licensed(clock))
    us.agent = Agent(clock=clock, licence=us.licence, handler=us, peers=lambda _: True, lookup=NoNames())
    unhandled: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: unhandled.append(context))
    try:
        yield await us.agent.listen(transport, host)
        assert us.agent.traffic.outlet.withheld == 0
    finally:
        await us.agent.close()
    assert not unhandled


def last(port: int = PORT) -> bytes:
    """A request whose answer shows that whatever came before it is over, and that we still work."""
    return wire(
        "OPTIONS sip:last@wephone.example SIP/2.0",
        f"Via: SIP/2.0/UDP 192.0.2.1:{port};branch=z9hG4bKlast",
        "From: <sip:test@example.com>;tag=last",
        "To: <sip:last@wephone.example>",
        "Call-ID: last",
        "CSeq: 1 OPTIONS",
        "Content-Length: 0",
    )


def statuses(answers: Sequence[bytes]) -> tuple[int, ...]:
    return tuple(int(found) for answer in answers for found in STATUS.findall(answer))


def bound(port: int) -> socket.socket:
    """A socket with that very port, where answers go to (RFC 3261 §18.2.2), on a loopback address that nobody
    else has."""
    while True:
        found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            found.bind(
                (f"127.{random.randrange(1, 255)}.{random.randrange(256)}.{random.randrange(1, 255)}", port)
            )
        except OSError:
            found.close()
            continue
        found.setblocking(False)
        return found


async def over_udp(message: bytes, port: int = PORT) -> tuple[int, ...]:
    """The statuses of what is answered to a datagram."""
    loop = asyncio.get_running_loop()
    answers: list[bytes] = []
    async with agent(Transport.UDP, "127.0.0.1") as place:
        with bound(port) as sock, suppress(StopAsyncIteration):
            for data in (message, last(port)):
                await loop.sock_sendto(sock, data, (place.host, place.port))
            while b"Call-ID: last" not in (
                answer := await asyncio.wait_for(loop.sock_recv(sock, 65536), WAIT)
            ):
                answers.append(answer)
    return statuses(answers)


async def over_tcp(message: bytes, host: str) -> tuple[tuple[int, ...], bool]:
    """The same of a stream, and whether the request after it was answered."""
    async with agent(Transport.TCP, host) as place:
        reader, writer = await asyncio.open_connection(place.host, place.port)
        writer.write(message + last())
        writer.write_eof()
        answers = b""
        with suppress(ConnectionResetError):  # it was closed with something unread
            while data := await asyncio.wait_for(reader.read(65536), WAIT):
                answers += data
        writer.close()
        with suppress(ConnectionResetError):
            await writer.wait_closed()
    found = statuses([answers])
    lives = b"Call-ID: last" in answers
    return (found[:-1] if lives else found), lives


@pytest.mark.parametrize("name", MESSAGES)
async def test_a_torture_message_in_a_datagram_is_answered_as_the_rfc_says(name: str) -> None:
    assert await over_udp(MESSAGES[name], PORTS.get(name, PORT)) == ANSWERS[name]


@pytest.mark.parametrize("name", MESSAGES)
async def test_a_torture_message_on_a_stream_is_answered_as_the_rfc_says(name: str) -> None:
    answers, lives = await over_tcp(MESSAGES[name], "127.0.0.1")
    assert answers == ANSWERS_ON_A_STREAM[name]
    assert lives == (name not in (*CLOSED, *UNFINISHED))


@pytest.mark.parametrize("name", IPV6)
async def test_addresses_of_ipv6_are_read_as_rfc_5118_says(name: str) -> None:
    message, expected = IPV6[name]
    assert await over_udp(message) == expected
    assert await over_tcp(message, "::1") == (expected, True)


def test_all_messages_of_the_rfc_are_here_byte_for_byte() -> None:
    assert {name: hashlib.sha256(text).hexdigest() for name, text in MESSAGES.items()} == SHA256
    assert len(MESSAGES) == 49
    assert MESSAGES.keys() == ANSWERS.keys()
