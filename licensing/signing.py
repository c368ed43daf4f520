"""Ed25519 keys (RFC 8032): who has signed a document, told by the key that they alone have."""

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

PREFIX = "ed25519:"  # of a public key as text


class KeyFormatError(Exception):
    """It is no key of this kind; one sentence."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Tells whether a signature was made with the other half."""

    raw: bytes  # 32 bytes

    @property
    def id(self) -> str:
        """A short name, by which journal and signatures speak of it."""
        return f"k-{sha256(self.raw).hexdigest()[:16]}"

    def __str__(self) -> str:
        return PREFIX + base64.b64encode(self.raw).decode()

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Was this very message signed with the other half?"""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """Signs. It is shown by nothing but `pem`."""

    _key: Ed25519PrivateKey

    @property
    def public(self) -> PublicKey:
        """The half that everybody may have."""
        return PublicKey(self._key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """64 bytes that only this key gives for this message."""
        return self._key.sign(message)

    def pem(self) -> bytes:
        """For its file (PKCS #8, not encrypted)."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def new_key() -> PrivateKey:
    """A key that nobody has yet."""
    return PrivateKey(Ed25519PrivateKey.generate())


def read_private_key(pem: bytes) -> PrivateKey:
    """The key of a file that `pem` made. KeyFormatError if it is none."""
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError) as error:  # TypeError: it is encrypted
        raise KeyFormatError(f"is no private key that can be read: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFormatError("is a private key of another kind than Ed25519")
    return PrivateKey(key)


def read_public_key(text: str) -> PublicKey:
    """A public key from its text. KeyFormatError if it is none."""
    raw = decoded(text.removeprefix(PREFIX)) if text.startswith(PREFIX) else None
    if raw is None or len(raw) != 32:
        raise KeyFormatError(f"is no public key such as `{PREFIX}` and 44 characters")
    return PublicKey(raw)


def decoded(text: str) -> bytes | None:
    """Base64 (RFC 4648 §4), or none if it is something else."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
