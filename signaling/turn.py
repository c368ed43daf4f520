"""Credentials for the relay, by coturn's REST scheme (draft-uberti-behave-turn-rest-00 §2.2)."""

import base64
import hmac
from dataclasses import dataclass
from hashlib import sha256

from wephone.protocol.ids import UserId

ALIAS = 16  # hex digits of a user's alias


@dataclass(frozen=True, slots=True)
class TurnCredentials:
    """What a client puts into RTCIceServer. Good until `expires_at`, in seconds since 1970."""

    username: str
    credential: str
    expires_at: int


def turn_credentials(secret: str, user: UserId, now_s: int, lifetime: int) -> TurnCredentials:
    """For this user, for so many seconds. The relay checks them by itself: nothing can call them back.

    The user appears under an alias, because a relay logs the names it sees.
    """
    expires_at = now_s + lifetime
    alias = hmac.digest(secret.encode(), f"alias:{user}".encode(), sha256).hex()[:ALIAS]
    username = f"{expires_at}:{alias}"
    # HMAC-SHA1 is coturn's choice, not ours; as a MAC it still holds (RFC 6151 §2.3 in spirit).
    credential = base64.b64encode(hmac.digest(secret.encode(), username.encode(), "sha1")).decode()
    return TurnCredentials(username, credential, expires_at)
