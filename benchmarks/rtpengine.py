"""The other reference of `bridge.py`: rtpengine (Debian: rtpengine-daemon), by its control protocol."""

import asyncio
import contextlib
import secrets
import socket
from collections.abc import AsyncIterator
from typing import Any, cast

from benchmarks.processes import started

HOST = "127.0.0.1"
PROGRAM = "rtpengine"
ANSWERS_S = 5.0


def bencoded(value: object) -> bytes:
    """As BitTorrent writes it, and rtpengine reads it."""
    if isinstance(value, dict):
        return b"d" + b"".join(bencoded(k) + bencoded(v) for k, v in sorted(value.items())) + b"e"
    if isinstance(value, list):
        return b"l" + b"".join(map(bencoded, value)) + b"e"
    data = str(value).encode()
    return str(len(data)).encode() + b":" + data


def decoded(data: bytes) -> Any:
    """The same, read."""
    return _value(data, 0)[0]


def _value(data: bytes, at: int) -> tuple[Any, int]:
    kind = data[at : at + 1]
    if kind == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1 : end]), end + 1
    if kind in (b"d", b"l"):
        items, at = [], at + 1
        while data[at : at + 1] != b"e":
            item, at = _value(data, at)
            items.append(item)
        return (dict(zip(items[::2], items[1::2], strict=True)) if kind == b"d" else items), at + 1
    colon = data.index(b":", at)
    end = colon + 1 + int(data[at:colon])
    return data[colon + 1 : end].decode(), end


class Engine(asyncio.DatagramProtocol):
    """Asks one thing at a time."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[bytes]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not self._answer.done():
            self._answer.set_result(data)

    async def ask(self, command: str, **said: object) -> dict[str, Any]:
        """What it answers; SystemExit if it refuses."""
        self._answer = asyncio.get_running_loop().create_future()
        named = {name.replace("_", "-"): value for name, value in said.items()}
        self.transport.sendto(f"{secrets.token_hex(4)} ".encode() + bencoded({"command": command, **named}))
        async with asyncio.timeout(ANSWERS_S):
            answer = decoded((await self._answer).partition(b" ")[2])
        if answer["result"] not in ("ok", "pong"):
            raise SystemExit(f"rtpengine: {answer}")
        found: dict[str, Any] = answer
        return found

    async def trunk_offer(self, call: str, app_offer: str, *, transcode: bool) -> str:
        """What the far end is offered for this app."""
        codec = {"codec": {"mask": ["all"], "transcode": ["PCMU"]}} if transcode else {}
        options = {"ICE": "remove", "transport_protocol": "RTP/AVP", "rtcp_mux": ["demux"], **codec}
        said = await self.ask(
            "offer", call_id=call, from_tag="a", sdp=app_offer, flags=["trust address"], **options
        )
        return str(said["sdp"])

    async def app_answer(self, call: str, trunk_answer: str) -> str:
        """What the app is answered."""
        options = {"ICE": "force", "transport_protocol": "UDP/TLS/RTP/SAVPF", "rtcp_mux": ["require"]}
        said = await self.ask(
            "answer",
            call_id=call,
            from_tag="a",
            to_tag="b",
            sdp=trunk_answer,
            flags=["trust address"],
            **options,
        )
        return str(said["sdp"])


@contextlib.asynccontextmanager
async def engine(address: str) -> AsyncIterator[tuple[int, Engine]]:
    """One that listens there for sound: its process id, and whom to ask."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    options = ["--config-file=none", "--table=-1", f"--interface={address}", f"--listen-ng={HOST}:{port}"]
    ports = ["--port-min=31000", "--port-max=31999", "--num-threads=2", "--foreground", "--log-level=3"]
    with started([PROGRAM, *options, *ports, "--log-stderr"]) as process:
        loop = asyncio.get_running_loop()
        transport, asked = await loop.create_datagram_endpoint(Engine, remote_addr=(HOST, port))
        for _ in range(50):  # until it listens
            try:
                async with asyncio.timeout(0.2):
                    await asked.ask("ping")
                break
            except TimeoutError:
                continue
        yield process.pid, asked
        transport.close()
