"""Bearer tokens: 256 random bits for whoever holds one, their SHA-256 for us."""

import hashlib
import secrets

BITS = 256


def new_token() -> str:
    """43 characters of URL-safe base64; never stored, shown once."""
    return secrets.token_urlsafe(BITS // 8)


def token_hash(token: str) -> bytes:
    """What is stored in its place. Random tokens need no salt and no slow hash."""
    # Bytes of a header that are no UTF-8 are surrogates as aiohttp reads them, and nobody's token.
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
