"""A client in a few lines: it signs in, says what it is told to, and remembers what it hears."""

import asyncio
import json
import secrets
import uuid
from hashlib import sha256
from typing import Any, Self

import aiohttp

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\n"
    "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass\r\n"
    "a=fingerprint:sha-256 " + ":".join(["AB"] * 32) + "\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"
)
SOON = 20.0  # seconds in which something that must come has come


class Device:
    """One device of one user."""

    def __init__(self, http: aiohttp.ClientSession, url: str, name: str) -> None:
        self.http, self.url, self.name = http, url, name
        self.id = self.new_id()
        self.token = self.ticket = ""
        self.nonces: dict[str, str] = {}
        self.heard: list[dict[str, Any]] = []
        self._taken: set[int] = set()
        self._socket: aiohttp.ClientWebSocketResponse[bool] | None = None

    @classmethod
    async def of_new_account(cls, http: aiohttp.ClientSession, url: str, name: str, password: str) -> Self:
        """Open an account, and sign in."""
        device = cls(http, url, name)
        await device.post("/api/account", {"name": name, "password": password})
        device.token = (await device.post("/api/session", {"name": name, "password": password}))["token"]
        await device.open()
        return device

    @staticmethod
    def new_id() -> str:
        return str(uuid.uuid4())

    @property
    def kinds(self) -> list[str]:
        """The types of all that was heard."""
        return [message["type"] for message in self.heard]

    @property
    def socket(self) -> "aiohttp.ClientWebSocketResponse[bool]":
        assert self._socket is not None
        return self._socket

    async def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One request; what came back, whatever it was."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self.http.post(self.url + path, json=body, headers=headers) as response:
            answer: dict[str, Any] = json.loads(await response.text() or "{}")
            return answer

    async def open(self, **hello: Any) -> dict[str, Any]:
        """Connect, and say hello; the welcome."""
        self.ticket = (await self.post("/api/ticket"))["ticket"]
        self._socket = await self.http.ws_connect(f"{self.url}/api/socket", protocols=("wephone.v1",))
        await self.say(type="hello", ticket=self.ticket, device=self.id, **hello)
        return await self.hears("welcome")

    async def say(self, **message: Any) -> None:
        """Send one frame."""
        await self.send(json.dumps(message).encode())

    async def send(self, frame: bytes) -> None:
        await self.socket.send_str(frame.decode())

    async def hears(self, kind: str) -> dict[str, Any]:
        """The first message of this type that has not been asked for yet."""
        while True:
            for place, message in enumerate(self.heard):
                if message["type"] == kind and place not in self._taken:
                    self._taken.add(place)
                    return message
            frame = await asyncio.wait_for(self.socket.receive(), SOON)
            if frame.type is not aiohttp.WSMsgType.TEXT:
                raise AssertionError(f"{self.name} heard no `{kind}` but {frame!r} after {self.kinds}")
            self.heard.append(json.loads(frame.data))

    async def closed(self) -> int | None:
        """The code with which the server closed."""
        while not self.socket.closed:
            frame = await asyncio.wait_for(self.socket.receive(), SOON)
            if frame.type is aiohttp.WSMsgType.TEXT:
                self.heard.append(json.loads(frame.data))
        return self.socket.close_code

    async def invite(self, to: str, sdp: str = SDP, call: str | None = None) -> str:
        """Place a call, or the one that has been asked for by a click; its id."""
        call, nonce = call or self.new_id(), secrets.token_hex(32)
        self.nonces[call] = nonce
        commitment = sha256(bytes.fromhex(nonce)).hexdigest()
        await self.say(type="invite", call=call, to=to, sdp=sdp, commitment=commitment)
        return call

    async def talk_to(self, other: "Device") -> str:
        """Call another device, which answers; the call's id."""
        call = await self.invite(other.name)
        assert (await other.hears("incoming"))["call"] == call
        await other.say(type="alerting", call=call)
        await other.say(type="answer", call=call, sdp=SDP, nonce=secrets.token_hex(32))
        assert (await self.hears("answered"))["call"] == call
        await self.say(type="reveal", call=call, nonce=self.nonces[call])
        await other.hears("select_answer")
        await other.hears("reveal")
        return call

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()
