"""Tells another program by HTTP, signed, so that it knows who speaks."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import aiohttp

WITHIN = 10.0  # seconds for one attempt
HEADER = "WePhone-Signature"


class WebhookError(Exception):
    """It was not told; one sentence."""


class Webhook:
    """One address, and the secret that it shares with us."""

    def __init__(self, url: str, secret: str) -> None:
        self._url, self._secret = url, secret

    async def tell(self, document: Mapping[str, Any], at: int) -> None:
        """Post this at this second of UTC. WebhookError unless the answer is 2xx."""
        body = json.dumps(document, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", HEADER: signature(self._secret, at, body)}
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=WITHIN)) as http,
                http.post(self._url, data=body, headers=headers, allow_redirects=False) as response,
            ):
                if not 200 <= response.status < 300:
                    raise WebhookError(f"the webhook answered with HTTP {response.status}")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise WebhookError(
                f"the webhook cannot be reached: {str(error) or type(error).__name__}"
            ) from None


def signature(secret: str, at: int, body: bytes) -> str:
    """`t=SECOND,v1=HEX`: HMAC-SHA256 over the second, a dot and the body, against replay."""
    made = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={made}"
