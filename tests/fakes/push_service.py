"""A push service on the loopback: takes what is sent to its subscriptions, as RFC 8030 has it, and reads it.

It holds the browsers' keys too, so that a test sees what a browser would; the request itself is checked as a
real service checks it (RFC 8292).
"""

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

WITHIN = 20.0  # seconds


def encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def raw(key: EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@dataclass
class Browser:
    """One subscription: what its browser knows, and what has come."""

    endpoint: str
    key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    status: int = 201  # how the service answers
    retry_after: str | None = None
    came: asyncio.Queue[tuple[dict[str, str], bytes]] = field(default_factory=asyncio.Queue)

    @property
    def subscription(self) -> dict[str, Any]:
        """As PushSubscription.toJSON() has it."""
        keys = {"p256dh": encoded(raw(self.key.public_key())), "auth": encoded(self.secret)}
        return {"endpoint": self.endpoint, "keys": keys}

    def read(self, body: bytes) -> bytes:
        """RFC 8291 §3.4 and RFC 8188 §2.1, from the receiver's side."""
        salt, size, length = body[:16], int.from_bytes(body[16:20]), body[20]
        assert (size, length) == (4096, 65)
        sender, sealed = body[21:86], body[86:]
        shared = self.key.exchange(ECDH(), EllipticCurvePublicKey.from_encoded_point(SECP256R1(), sender))
        info = b"WebPush: info\x00" + raw(self.key.public_key()) + sender
        secret = HKDF(SHA256(), 32, self.secret, info).derive(shared)
        key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\x00").derive(secret)
        nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\x00").derive(secret)
        text, mark, padding = AESGCM(key).decrypt(nonce, sealed, None).rpartition(b"\x02")
        assert mark and not padding.strip(b"\x00")
        return text

    async def hears(self) -> dict[str, Any]:
        """The next that comes, as the page's worker gets it."""
        async with asyncio.timeout(WITHIN):
            _, body = await self.came.get()
        message: dict[str, Any] = json.loads(self.read(body))
        return message


class PushService:
    """All subscriptions, by address."""

    def __init__(self) -> None:
        self.url = ""
        self.browsers: dict[str, Browser] = {}

    def browser(self) -> Browser:
        """A new subscription."""
        name = secrets.token_urlsafe(12)
        made = self.browsers[name] = Browser(f"{self.url}/push/{name}")
        return made

    async def pushed(self, request: web.Request) -> web.Response:
        """RFC 8030 §5."""
        browser, body = self.browsers[request.match_info["name"]], await request.read()
        claims = vouched(request.headers["Authorization"])
        assert claims["aud"] == self.url
        assert request.headers["Content-Encoding"] == "aes128gcm"
        assert len(request.headers["Topic"]) <= 32
        assert int(request.headers["TTL"]) > 0
        browser.came.put_nowait((dict(request.headers), body))
        headers = {} if browser.retry_after is None else {"Retry-After": browser.retry_after}
        return web.Response(status=browser.status, headers=headers)


def vouched(header: str) -> dict[str, Any]:
    """The claims of the server (RFC 8292 §3), whose signature holds."""
    scheme, _, rest = header.partition(" ")
    assert scheme == "vapid"
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    signed, _, signature = parts["t"].rpartition(".")
    both = decoded(signature)
    r, s = int.from_bytes(both[:32]), int.from_bytes(both[32:])
    key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), decoded(parts["k"]))
    key.verify(encode_dss_signature(r, s), signed.encode(), ECDSA(SHA256()))
    head, claims = (json.loads(decoded(part)) for part in signed.split("."))
    assert head == {"typ": "JWT", "alg": "ES256"}
    found: dict[str, Any] = claims
    return found


@asynccontextmanager
async def push_service() -> AsyncIterator[PushService]:
    """One that runs."""
    service, app = PushService(), web.Application()
    app.router.add_post("/push/{name}", service.pushed)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield service
    finally:
        await runner.cleanup()
