"""A TURN client of a few lines (RFC 8656 over UDP): it asks what an attacker would, reports the answer."""

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import os
import struct
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.fakes.datagrams import Datagrams

COOKIE = 0x2112A442
BINDING, ALLOCATE, CREATE_PERMISSION, CONNECT = 0x001, 0x003, 0x008, 0x00A
USERNAME, INTEGRITY, ERROR, PEER, REALM, NONCE = 0x06, 0x08, 0x09, 0x12, 0x14, 0x15
FAMILY, TRANSPORT = 0x17, 0x19
UDP, TCP = 17, 6
OK = 0  # the code of a success response; errors have theirs


# The attributes of a request, or a function that makes them: an address is masked with the transaction's id.
Body = bytes | Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Credentials:
    username: str
    password: str


def rest_credentials(secret: str, user: str, expires: float) -> Credentials:
    """What coturn expects with use-auth-secret: the time of expiry and the user, signed."""
    username = f"{int(expires)}:{user}"
    digest = hmac.digest(secret.encode(), username.encode(), "sha1")
    return Credentials(username, base64.b64encode(digest).decode())


def fresh(secret: str, user: str) -> Credentials:
    return rest_credentials(secret, user, time.time() + 300)


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    attributes: dict[int, bytes]


@dataclass(slots=True)
class TurnClient(Datagrams):
    """One UDP socket, and so at most one allocation."""

    credentials: Credentials
    realm: bytes = b""
    nonce: bytes = b""
    waiting: dict[bytes, asyncio.Future[Answer]] = field(default_factory=dict)

    def datagram_received(self, data: bytes, address: object) -> None:
        kind, _, _, transaction = struct.unpack_from("!HHI12s", data)
        attributes = dict(read_attributes(data[20:]))
        error = attributes.get(ERROR, b"\0\0\0\0")
        waiter = self.waiting.get(transaction)
        if waiter and not waiter.done():
            waiter.set_result(Answer(error[2] * 100 + error[3] if kind & 0x110 == 0x110 else OK, attributes))

    def error_received(self, error: Exception) -> None:
        """Nobody listens there yet: the request is sent again."""

    async def bind(self) -> Answer:
        return await self.request(BINDING, b"", signed=False)

    async def allocate(self, address_family: int = 4, transport: int = UDP) -> Answer:
        wanted = attribute(TRANSPORT, bytes([transport, 0, 0, 0]))
        if address_family == 6:
            wanted += attribute(FAMILY, bytes([2, 0, 0, 0]))
        return await self.ask(ALLOCATE, wanted)

    async def permit(self, peer: str) -> Answer:
        return await self.ask(CREATE_PERMISSION, lambda transaction: xor_address(PEER, peer, 9, transaction))

    async def connect(self, peer: str, port: int) -> Answer:
        return await self.ask(CONNECT, lambda transaction: xor_address(PEER, peer, port, transaction))

    async def ask(self, method: int, body: Body) -> Answer:
        """With the challenge of long-term credentials, and a nonce that has grown old replaced."""
        answer = await self.request(method, body)
        if answer.code in (401, 438) and answer.attributes[NONCE] != self.nonce:
            self.realm, self.nonce = answer.attributes[REALM], answer.attributes[NONCE]
            answer = await self.request(method, body)
        return answer

    async def request(self, method: int, body: Body, signed: bool = True) -> Answer:
        transaction = os.urandom(12)
        message = body if isinstance(body, bytes) else body(transaction)
        if signed and self.nonce:
            message = self.sign(method, transaction, message)
        waiter: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.waiting[transaction] = waiter
        async with asyncio.timeout(30):
            while True:  # RFC 8489 §6.2.1: UDP loses; and a server may still be starting
                self.transport.sendto(header(method, len(message), transaction) + message)
                done, _ = await asyncio.wait([waiter], timeout=0.25)
                if done:
                    return waiter.result()

    def sign(self, method: int, transaction: bytes, message: bytes) -> bytes:
        user = self.credentials.username.encode()
        for kind, value in ((USERNAME, user), (REALM, self.realm), (NONCE, self.nonce)):
            message += attribute(kind, value)
        key = hashlib.md5(b":".join([user, self.realm, self.credentials.password.encode()])).digest()
        signed = header(method, len(message) + 24, transaction) + message
        return message + attribute(INTEGRITY, hmac.digest(key, signed, "sha1"))


def header(method: int, length: int, transaction: bytes) -> bytes:
    return struct.pack("!HHI", method, length, COOKIE) + transaction


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def read_attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while data:
        kind, length = struct.unpack_from("!HH", data)
        yield kind, data[4 : 4 + length]
        data = data[4 + length + -length % 4 :]


def xor_address(kind: int, host: str, port: int, transaction: bytes) -> bytes:
    """RFC 8489 §14.2: masked with the cookie and, for IPv6, with the transaction's id."""
    address = ipaddress.ip_address(host).packed
    mask = struct.pack("!I", COOKIE) + transaction
    masked = bytes(a ^ b for a, b in zip(address, mask, strict=False))
    family = 1 if len(address) == 4 else 2
    return attribute(kind, struct.pack("!BBH", 0, family, port ^ COOKIE >> 16) + masked)


@asynccontextmanager
async def turn_client(server: tuple[str, int], credentials: Credentials) -> AsyncIterator[TurnClient]:
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_datagram_endpoint(
        lambda: TurnClient(credentials), remote_addr=server
    )
    try:
        yield client
    finally:
        transport.close()
