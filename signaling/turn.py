"""Who may use the relay, by coturn's REST scheme (draft-uberti-behave-turn-rest-00 §2.2)."""

import base64
import hmac
from dataclasses import dataclass
from hashlib import sha256

from signaling.media import Helper
from signaling.settings import Settings

ALIAS = 16  # hex digits of a user's alias
BRIDGE = "(bridge)"  # is no user's name


@dataclass(frozen=True, slots=True)
class TurnCredentials:
    """What a client puts into RTCIceServer. Good until `expires_at`, in seconds since 1970."""

    username: str
    credential: str
    expires_at: int


def relay_credentials(settings: Settings, user: str, now_s: int) -> TurnCredentials | None:
    """By the settings; none where there is no relay."""
    if not settings.turn_urls or settings.turn_secret is None:
        return None
    return turn_credentials(settings.turn_secret.get_secret_value(), user, now_s, settings.turn_lifetime)


def helpers(settings: Settings, now_s: int) -> tuple[Helper, ...]:
    """What helps the sound of telephone calls across a NAT: what helps the apps does it too."""
    found = [Helper(url) for url in settings.stun_urls]
    if made := relay_credentials(settings, BRIDGE, now_s):
        found += [Helper(url, made.username, made.credential) for url in settings.turn_urls]
    return tuple(found)


def turn_credentials(secret: str, user: str, now_s: int, lifetime: int) -> TurnCredentials:
    """For this user, for so many seconds. The relay checks them by itself: nothing can call them back.

    The user appears under an alias, because a relay logs the names it sees.
    """
    expires_at = now_s + lifetime
    alias = hmac.digest(secret.encode(), f"alias:{user}".encode(), sha256).hex()[:ALIAS]
    username = f"{expires_at}:{alias}"
    # HMAC-SHA1 is coturn's choice, not ours; as a MAC it still holds (RFC 6151 §2.3 in spirit).
    credential = base64.b64encode(hmac.digest(secret.encode(), username.encode(), "sha1")).decode()
    return TurnCredentials(username, credential, expires_at)
