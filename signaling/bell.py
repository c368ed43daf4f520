"""The bell: wakes devices that sleep, by the push services of their browsers (RFC 8030).

A device sleeps if it has no connection and a subscription of a session that still lasts. What wakes it says
who calls or writes, encrypted to that device; a text itself is never in it.
"""

import asyncio
import hashlib
import hmac
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import aiohttp

from signaling.checkpoints import write_file
from signaling.core.party import Party
from signaling.errands import Errands
from signaling.lines import Lines
from signaling.metrics import Metrics
from signaling.ports import Clock, Sleeper, Store, StoredText, StoreError
from signaling.web_push import PushError, PushKey, Subscription, is_served
from wephone.protocol.ids import CallId, DeviceId, UserId
from wephone.protocol.messages import Media

WITHIN = 10.0  # seconds for one request
RING = 60  # seconds that a push service keeps the news of a call for a browser that is not there
LATER = 24 * 3600  # seconds that it keeps others
MOST_AT_ONCE = 256  # requests under way: what is beyond that is not sent
MOST_OF_ONE = 16  # of those, to one device
GONE = (404, 410)  # RFC 8030 §7.3: the subscription is no more

log = logging.getLogger(__name__)


class Bell:
    """Asks push services to wake devices; what becomes of that nobody waits for."""

    def __init__(
        self,
        *,
        store: Store,
        lines: Lines,
        clock: Clock,
        metrics: Metrics,
        key: PushKey,
        services: tuple[str, ...],
        contact: str | None,
    ) -> None:
        self._store, self._lines, self._clock, self._metrics = store, lines, clock, metrics
        self._key, self._services, self._contact = key, services, contact
        self._rung: dict[CallId, tuple[UserId, Sequence[Sleeper]]] = {}
        self._errands = Errands("waking a device")
        self._under_way: Counter[DeviceId] = Counter()
        self._turns: WeakValueDictionary[DeviceId, asyncio.Lock] = WeakValueDictionary()
        self._http: aiohttp.ClientSession | None = None

    @property
    def public_key(self) -> str:
        """What browsers subscribe with."""
        return self._key.public

    def serves(self, endpoint: str) -> bool:
        """Is it the address of a push service that may be asked?"""
        return is_served(endpoint, self._services)

    async def ring(
        self, call: CallId, caller: UserId, callee: UserId, media: tuple[Media, ...]
    ) -> Sequence[DeviceId]:
        """Somebody is called: wake what sleeps. The devices that may now come."""
        sleeping = await self._asleep(callee)
        if sleeping:
            self._rung[call] = (caller, sleeping)
        news = {"type": "call", "call": call, "from": caller, "video": Media.VIDEO in media}
        for sleeper in sleeping:
            self._tell(sleeper, news, RING, f"call {call}")
        return [sleeper.device for sleeper in sleeping]

    def quiet(self, call: CallId, *, missed: bool = False) -> None:
        """It rings no more: it was answered, or is over."""
        caller, sleeping = self._rung.pop(call, (None, ()))
        news = {"type": "over", "call": call, "from": caller, "missed": missed}
        for sleeper in sleeping:
            # In the place of the call, for a browser that the push service has not reached yet.
            self._tell(sleeper, news, LATER if missed else RING, f"call {call}")

    def written(self, text: StoredText) -> None:
        """Somebody has a text: wake what sleeps."""
        self._errands.start(self._written(text))

    async def settled(self) -> None:
        """Wait for what is under way."""
        await self._errands.close()

    async def close(self) -> None:
        """Wait for it, and let go of the connections."""
        await self.settled()
        if self._http is not None:
            await self._http.close()

    async def _written(self, text: StoredText) -> None:
        for sleeper in await self._asleep(text.to):
            self._tell(sleeper, {"type": "text", "from": text.sender}, LATER, f"text {text.sender}")

    async def _asleep(self, user: UserId) -> Sequence[Sleeper]:
        try:
            found = await self._store.sleepers(user, self._clock.now().utc_us)
        except StoreError:
            log.exception("it is not known who could be woken")
            return ()
        lines = [(each, self._lines.get(Party(user, each.device))) for each in found]
        return [each for each, line in lines if line is None or not line.is_connected()]

    def _tell(self, sleeper: Sleeper, news: Mapping[str, Any], keep: int, about: str) -> None:
        busy = self._under_way.total() >= MOST_AT_ONCE or self._under_way[sleeper.device] >= MOST_OF_ONE
        if busy or not self.serves(sleeper.endpoint):
            self._metrics.pushed("dropped")
            return
        self._under_way[sleeper.device] += 1
        turn = self._turns.setdefault(sleeper.device, asyncio.Lock())  # what is over is never told before
        news = {**news, "device": sleeper.device, "language": sleeper.language}
        self._errands.start(self._post(sleeper, news, keep, topic(sleeper.auth, about), turn))

    async def _post(
        self, sleeper: Sleeper, news: Mapping[str, Any], keep: int, about: str, turn: asyncio.Lock
    ) -> None:
        try:
            to = Subscription(sleeper.endpoint, sleeper.p256dh, sleeper.auth)
            async with turn:
                status = await self._status(to, to.sealed(news), keep, about)
        except (aiohttp.ClientError, TimeoutError, OSError, PushError) as error:
            self._metrics.pushed("unreachable")
            log.warning(
                "a push service cannot be reached", extra={"error": str(error) or type(error).__name__}
            )
            return
        finally:
            self._under_way -= Counter([sleeper.device])
        if status in GONE:
            self._metrics.pushed("gone")
            with suppress(StoreError):  # the next time then
                await self._store.forget_push(sleeper.endpoint)
        elif 200 <= status < 300:
            self._metrics.pushed("taken")
        else:
            self._metrics.pushed("refused")
            log.warning("a push service has refused", extra={"status": status})

    async def _status(self, to: Subscription, body: bytes, keep: int, about: str) -> int:
        if self._http is None:
            self._http = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=WITHIN), cookie_jar=aiohttp.DummyCookieJar()
            )
        at = self._clock.now().utc_us // 1_000_000
        headers = {
            "Authorization": self._key.authorization(to.endpoint, self._contact, at),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(keep),
            "Topic": about,
            "Urgency": "high",
        }
        async with self._http.post(
            to.endpoint, data=body, headers=headers, allow_redirects=False
        ) as response:
            return response.status


def key_in(path: Path) -> PushKey:
    """The key of that file, which is made if there is none. OSError, PushKeyError."""
    if not path.exists():
        write_file(path, PushKey.new().pem())
    return PushKey.read(path.read_bytes())


def topic(secret: str, about: str) -> str:
    """What takes the place of what (RFC 8030 §5.4), told by nobody who has not the device's secret."""
    return hmac.new(secret.encode(), about.encode(), hashlib.sha256).hexdigest()[:32]
