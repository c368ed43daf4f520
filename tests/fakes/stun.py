"""A STUN and TURN server for one test: RFC 8489 and RFC 8656, as far as aioice asks, over UDP on loopback."""

import asyncio
import hashlib
import secrets
from typing import Any

from aioice import stun

from tests.fakes.datagrams import Datagrams

REALM = "wephone.test"


class Turn(Datagrams):
    """Answers Binding requests, and relays for those who know the password.

    `address_seen` is told as the address that a Binding request came from, to play a NAT.
    """

    def __init__(
        self, user: str = "alice", password: str = "secret", address_seen: str | None = None
    ) -> None:
        self.user, self.password, self.address_seen = user, password, address_seen
        self.relays: dict[tuple[str, int], Relay] = {}
        self.relayed = 0  # datagrams, both ways
        self._tasks: set[asyncio.Task[None]] = set()
        self._nonce = secrets.token_hex(8).encode()

    async def __aenter__(self) -> "Turn":
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        return self

    async def __aexit__(self, *exc: object) -> None:
        for relay in self.relays.values():
            relay.transport.close()
        self.transport.close()
        await asyncio.sleep(0)

    @property
    def port(self) -> int:
        return int(self.transport.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        client = (addr[0], addr[1])
        if data[0] & 0xC0 == 0x40:  # channel data (RFC 8656 §12.4)
            if client in self.relays:
                number, length = int.from_bytes(data[:2]), int.from_bytes(data[2:4])
                self.relays[client].send(number, data[4 : 4 + length])
            return
        task = asyncio.ensure_future(self.answer(stun.parse_message(data), client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def answer(self, request: stun.Message, client: tuple[str, int]) -> None:
        method = request.message_method
        if method == stun.Method.BINDING:
            seen = (self.address_seen or client[0], client[1])
            self.reply(request, client, {"XOR-MAPPED-ADDRESS": seen}, None)
            return
        key = self.key(request)
        if key is None:
            self.refuse(request, client)
        elif method == stun.Method.ALLOCATE:
            relay = Relay(self, client)
            await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: relay, local_addr=("127.0.0.1", 0)
            )
            self.relays[client] = relay
            address = relay.transport.get_extra_info("sockname")
            self.reply(
                request,
                client,
                {"LIFETIME": 600, "XOR-MAPPED-ADDRESS": client, "XOR-RELAYED-ADDRESS": address},
                key,
            )
        elif method == stun.Method.CHANNEL_BIND:
            number = request.attributes["CHANNEL-NUMBER"]
            self.relays[client].channels[number] = request.attributes["XOR-PEER-ADDRESS"]
            self.reply(request, client, {}, key)
        elif method == stun.Method.REFRESH:
            if request.attributes["LIFETIME"] == 0:
                self.relays.pop(client).transport.close()
            self.reply(request, client, {"LIFETIME": request.attributes["LIFETIME"]}, key)

    def key(self, request: stun.Message) -> bytes | None:
        """The key that signed it; None if nobody whom we know did."""
        if request.attributes.get("USERNAME") != self.user or "NONCE" not in request.attributes:
            return None
        key = hashlib.md5(f"{self.user}:{REALM}:{self.password}".encode()).digest()  # RFC 8489 §9.2.2
        return key if request.check_message_integrity(key) else None

    def refuse(self, request: stun.Message, client: tuple[str, int]) -> None:
        response = stun.Message(request.message_method, stun.Class.ERROR, request.transaction_id)
        response.attributes["ERROR-CODE"] = (401, "Unauthorized")
        response.attributes["REALM"] = REALM
        response.attributes["NONCE"] = self._nonce
        self.send(bytes(response), client)

    def reply(
        self,
        request: stun.Message,
        client: tuple[str, int],
        attributes: dict[str, Any],
        key: bytes | None,
    ) -> None:
        response = stun.Message(request.message_method, stun.Class.RESPONSE, request.transaction_id)
        response.attributes.update(attributes)
        if key is not None:
            response.add_message_integrity(key)
        self.send(bytes(response), client)

    def send(self, data: bytes, client: tuple[str, int]) -> None:
        if not self.transport.is_closing():
            self.transport.sendto(data, client)


class Relay(Datagrams):
    """One allocation: the address that others see."""

    def __init__(self, server: Turn, client: tuple[str, int]) -> None:
        self.server, self.client = server, client
        self.channels: dict[int, tuple[str, int]] = {}

    def send(self, number: int, data: bytes) -> None:
        if number in self.channels and not self.transport.is_closing():
            self.server.relayed += 1
            self.transport.sendto(data, self.channels[number])

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        for number, peer in self.channels.items():
            if peer == (addr[0], addr[1]):
                self.server.relayed += 1
                padding = bytes(-len(data) % 4)
                header = number.to_bytes(2) + len(data).to_bytes(2)
                self.server.send(header + data + padding, self.client)
