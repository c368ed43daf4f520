"""The end of an audio line that says back what it hears: RTP packets, unread (RFC 3550, RFC 3551)."""

import asyncio
import re
from collections.abc import Callable
from typing import TypeVar, cast

PAYLOADS = {"0": "PCMU/8000", "8": "PCMA/8000"}
_MEDIA = re.compile(r"^m=audio \d+ RTP/AVP ([0-9 ]+)\r?$", re.MULTILINE)
_ADDRESS = re.compile(rb"^c=IN IP[46] (\S+?)\r?$", re.MULTILINE)
_PORT = re.compile(rb"^m=audio (\d{1,5}) ", re.MULTILINE)
_EVENTS = re.compile(r"^a=rtpmap:(\d+) telephone-event/8000\r?$", re.MULTILINE | re.IGNORECASE)


class Line(asyncio.DatagramProtocol):
    """The end of an audio line, as far as all of them are alike."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def close(self) -> None:
        """Hear nothing any more."""
        self._transport.close()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._transport.get_extra_info("sockname")[1]
        return port


class Echo(Line):
    """Sends each packet back to the first address that sent one; others are not heard."""

    def __init__(self) -> None:
        self.packets = 0
        self._peer: tuple[str, int] | None = None

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self._peer = self._peer or address
        if address == self._peer:
            self.packets += 1
            self._transport.sendto(data, address)


L = TypeVar("L", bound=Line)


async def open_line(line: Callable[[], L], host: str) -> L:
    """On a free port; `close` after use."""
    _, opened = await asyncio.get_running_loop().create_datagram_endpoint(line, (host, 0))
    return opened


async def open_echo(host: str) -> Echo:
    """On a free port; `close` after use."""
    return await open_line(Echo, host)


def described(sdp: bytes) -> tuple[str, int] | None:
    """Where a description wants its sound; none if it does not say so in numbers."""
    address, port = _ADDRESS.search(sdp), _PORT.search(sdp)
    if address is None or port is None or not int(port[1]):
        return None
    return address[1].decode(errors="replace"), int(port[1])


def answered(offer: bytes, host: str, port: int) -> bytes | None:
    """The answer to an offer, with the first codec of it that we know; none if there is none.

    Without an offer this is one of ours.
    """
    text = offer.decode(errors="replace")
    media = _MEDIA.search(text)
    if offer and not media:
        return None
    wanted = media[1].split() if media else list(PAYLOADS)
    codec = next((payload for payload in wanted if payload in PAYLOADS), None)
    if codec is None:
        return None
    events = _EVENTS.search(text)
    payloads = [codec, *([events[1]] if events else [])]
    family = "IP6" if ":" in host else "IP4"
    lines = [
        "v=0",
        f"o=- {port} 1 IN {family} {host}",
        "s=-",
        f"c=IN {family} {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {' '.join(payloads)}",
        f"a=rtpmap:{codec} {PAYLOADS[codec]}",
        *([f"a=rtpmap:{events[1]} telephone-event/8000", f"a=fmtp:{events[1]} 0-15"] if events else []),
    ]
    return "\r\n".join([*lines, ""]).encode()
