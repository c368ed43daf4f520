"""Web push: what a browser's push service is sent, so that only the browser can read it (RFC 8291, RFC 8292).

The service sees that this server wakes that browser, and when. It sees neither who calls nor what is said:
the payload is encrypted to a key that the browser has made, and of one length for all.
"""

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from yarl import URL

PADDED = 512  # bytes of each payload: its length tells nothing
RECORD = 4096  # bytes: the record size that RFC 8291 §4 asks for
GOOD_FOR = 12 * 3600  # seconds; RFC 8292 §2 allows 24 hours
SECRET = 16  # bytes of a subscription's `auth` (RFC 8291 §3.2)
LONGEST_ENDPOINT = 2048  # characters


class PushKeyError(Exception):
    """The key cannot be used; one sentence."""


class PushError(ValueError):
    """A subscription is no good; one sentence."""


@dataclass(frozen=True, slots=True)
class PushKey:
    """By what push services know this server (VAPID, RFC 8292)."""

    _key: EllipticCurvePrivateKey

    @classmethod
    def new(cls) -> Self:
        """A key that nobody has yet."""
        return cls(generate_private_key(SECP256R1()))

    @classmethod
    def read(cls, pem: bytes) -> Self:
        """The key of a PEM file. PushKeyError if it is none of the curve P-256."""
        try:
            key = load_pem_private_key(pem, None)
        except (ValueError, TypeError) as error:
            raise PushKeyError(f"is no private key that can be read: {error}") from None
        if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name != SECP256R1.name:
            raise PushKeyError("is a private key of another kind than P-256")
        return cls(key)

    def pem(self) -> bytes:
        """As a file has it."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def public(self) -> str:
        """What a browser asks for as `applicationServerKey`."""
        return text_of(point(self._key.public_key()))

    def authorization(self, endpoint: str, contact: str | None, at: int) -> str:
        """The header of a request to this endpoint at this second of UTC (RFC 8292 §3)."""
        claims = {"aud": str(URL(endpoint).origin()), "exp": at + GOOD_FOR}
        if contact is not None:
            claims["sub"] = contact
        parts = [{"typ": "JWT", "alg": "ES256"}, claims]
        signed = ".".join(text_of(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ECDSA(SHA256())))
        return f"vapid t={signed}.{text_of(r.to_bytes(32) + s.to_bytes(32))}, k={self.public}"


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where a browser can be woken, and the key and secret it has made for that."""

    endpoint: str
    p256dh: str
    auth: str

    def __post_init__(self) -> None:
        """PushError unless it can be encrypted to."""
        if len(octets_of(self.auth)) != SECRET:
            raise PushError(f"`auth` has to be {SECRET} bytes, in base64url")
        self.browser_key()

    def browser_key(self) -> EllipticCurvePublicKey:
        """The browser's public key."""
        try:
            return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), octets_of(self.p256dh))
        except ValueError:
            raise PushError("`p256dh` has to be a point of P-256, uncompressed, in base64url") from None

    def sealed(self, message: Mapping[str, Any]) -> bytes:
        """The body of a request: `message`, for this browser alone."""
        text = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
        return encrypted(text.ljust(PADDED), self, PushKey.new(), os.urandom(16))


def encrypted(text: bytes, to: Subscription, ours: PushKey, salt: bytes) -> bytes:
    """RFC 8291 §3.4 with the content coding `aes128gcm` (RFC 8188), in one record.

    `ours` and `salt` are for one message; they are arguments so that the RFC's own example can be made again.
    """
    browser, key = to.browser_key(), ours._key
    public = point(key.public_key())
    info = b"WebPush: info\0" + point(browser) + public
    secret = derived(key.exchange(ECDH(), browser), octets_of(to.auth), info, 32)
    content_key = derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = derived(secret, salt, b"Content-Encoding: nonce\0", 12)
    header = salt + RECORD.to_bytes(4) + bytes([len(public)]) + public
    return header + AESGCM(content_key).encrypt(nonce, text + b"\x02", None)


def derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """HKDF with SHA-256 (RFC 5869)."""
    return HKDF(SHA256(), length, salt, info).derive(secret)


def point(key: EllipticCurvePublicKey) -> bytes:
    """A public key, uncompressed."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def text_of(octets: bytes) -> str:
    """Base64url without padding (RFC 4648 §5)."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def octets_of(text: str) -> bytes:
    """Back from it. PushError if it is none."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise PushError("has to be in base64url") from None


def is_served(endpoint: str, services: tuple[str, ...]) -> bool:
    """Is this the address of one of these push services? No other address is ever asked for anything.

    A service is a host, reached by HTTPS at its usual port, `*.` before it for all below it; or an origin.
    """
    try:
        url = URL(endpoint)
        origin, host = str(url.origin()), url.host or ""
    except ValueError:
        return False
    if url.user is not None or len(endpoint) > LONGEST_ENDPOINT or url.fragment:
        return False
    usual = url.scheme == "https" and url.port == 443
    for service in services:
        if "://" in service:
            if origin == service:
                return True
        elif usual and (host == service or (service[:2] == "*." and host.endswith(service[1:]))):
            return True
    return False
