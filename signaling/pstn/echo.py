"""The end of an audio line that says back what it hears: RTP packets, unread (RFC 3550, RFC 3551)."""

import asyncio
import re
from typing import cast

PAYLOADS = {"0": "PCMU/8000", "8": "PCMA/8000"}
_MEDIA = re.compile(r"^m=audio \d+ RTP/AVP ([0-9 ]+)\r?$", re.MULTILINE)
_EVENTS = re.compile(r"^a=rtpmap:(\d+) telephone-event/8000\r?$", re.MULTILINE | re.IGNORECASE)


class Echo(asyncio.DatagramProtocol):
    """Sends each packet back to the first address that sent one; others are not heard."""

    def __init__(self) -> None:
        self.packets = 0
        self._peer: tuple[str, int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self._peer = self._peer or address
        if address == self._peer:
            self.packets += 1
            self._transport.sendto(data, address)

    def close(self) -> None:
        """Hear nothing any more."""
        self._transport.close()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._transport.get_extra_info("sockname")[1]
        return port


async def open_echo(host: str) -> Echo:
    """On a free port; `close` after use."""
    _, echo = await asyncio.get_running_loop().create_datagram_endpoint(Echo, (host, 0))
    return echo


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
