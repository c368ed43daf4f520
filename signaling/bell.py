"""The bell: wakes devices that sleep, by the push services of their browsers (RFC 8030).

A device sleeps if it has no connection and a subscription of a session that still lasts. What wakes it says
who calls or writes, encrypted to that device; a text itself is never in it.
"""

import asyncio
import hashlib
import hmac
import logging
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import aiohttp

from licensing.instant import SECOND, Instant
from signaling.checkpoints import write_file
from signaling.core.party import Party
from signaling.errands import Errands
from signaling.lines import Lines
from signaling.metrics import Metrics
from signaling.ports.clock import Cancel, Clock
from signaling.ports.push import Sleeper
from signaling.ports.store import Store, StoreError
from signaling.ports.texts import StoredText
from signaling.web_push import PushError, PushKey, Subscription, is_served
from wephone.protocol.ids import CallId, DeviceId, UserId
from wephone.protocol.messages import Media

WITHIN = 10.0  # seconds for one request
RING = 60  # seconds that a push service keeps the news of a call for a browser that is not there
LATER = 24 * 3600  # seconds that it keeps others
MOST_AT_ONCE = 256  # requests under way: what is beyond that is not sent
MOST_OF_ONE = 16  # of those, to one device
MOST_PUT_OFF = 4096  # that wait for a push service in trouble
GONE = (404, 410)  # RFC 8030 §7.3: the subscription is no more
BUSY = 429  # RFC 8030 §8.4
FIRST_PAUSE = 1.0  # seconds until a push service in trouble is asked again; then twice as long each time

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class News:
    """What one device is to be told. `until`: whoever hears it later has no use for it."""

    to: UserId
    sleeper: Sleeper
    message: Mapping[str, Any]
    topic: str
    until: Instant
    tries: int = 0

    def pause(self) -> float:
        """Seconds until the next try: of many servers, or pieces of news, not all at once."""
        return FIRST_PAUSE * 2.0**self.tries * random.uniform(1, 1.5)

    def seconds_left(self, now: Instant) -> int:
        """How long it is still worth telling."""
        return (self.until.mono_ns - now.mono_ns) // SECOND


@dataclass(frozen=True, slots=True)
class Answer:
    """What a push service says; status 0: it cannot be reached. `after`: seconds it asks to be left alone."""

    status: int
    after: float = 0.0

    @property
    def may_change(self) -> bool:
        """Is it the service that is in trouble, and not what it was sent?"""
        return self.status in (0, BUSY) or self.status >= 500


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
        self._rung: dict[CallId, tuple[UserId, UserId, Sequence[Sleeper]]] = {}  # by whom, who, on what
        self._errands = Errands("waking a device")
        self._under_way: Counter[DeviceId] = Counter()
        self._turns: WeakValueDictionary[DeviceId, asyncio.Lock] = WeakValueDictionary()
        self._newest: dict[tuple[DeviceId, str], News] = {}  # of those under way, by topic
        self._waiting: dict[tuple[DeviceId, str], Cancel] = {}
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
            self._rung[call] = (caller, callee, sleeping)
        news = {"type": "call", "call": call, "from": caller, "video": Media.VIDEO in media}
        for sleeper in sleeping:
            self._tell(callee, sleeper, news, RING, f"call {call}")
        return [sleeper.device for sleeper in sleeping]

    def quiet(self, call: CallId, *, missed: bool = False) -> None:
        """It rings no more: it was answered, or is over."""
        rung = self._rung.pop(call, None)
        if rung is None:
            return
        caller, callee, sleeping = rung
        news = {"type": "over", "call": call, "from": caller, "missed": missed}
        for sleeper in sleeping:
            # In the place of the call, for a browser that the push service has not reached yet.
            self._tell(callee, sleeper, news, LATER if missed else RING, f"call {call}")

    def written(self, text: StoredText) -> None:
        """Somebody has a text: wake what sleeps."""
        self._errands.start(self._written(text))

    async def settled(self) -> None:
        """Wait for what is under way."""
        await self._errands.close()

    async def close(self) -> None:
        """Wait for it, and let go of the connections; what was put off is given up."""
        await self.settled()
        for forbid in self._waiting.values():
            forbid()
        self._waiting.clear()
        if self._http is not None:
            await self._http.close()

    async def _written(self, text: StoredText) -> None:
        for sleeper in await self._asleep(text.to):
            self._tell(text.to, sleeper, {"type": "text", "from": text.sender}, LATER, f"text {text.sender}")

    async def _asleep(self, user: UserId) -> Sequence[Sleeper]:
        try:
            found = await self._store.sleepers(user, self._clock.now().utc_us)
        except StoreError:
            log.exception("it is not known who could be woken")
            return ()
        lines = [(each, self._lines.get(Party(user, each.device))) for each in found]
        return [each for each, line in lines if line is None or not line.is_connected()]

    def _tell(self, to: UserId, sleeper: Sleeper, message: Mapping[str, Any], keep: int, about: str) -> None:
        told = {**message, "device": sleeper.device, "language": sleeper.language}
        until = self._clock.now().after(keep * SECOND)
        self._send(News(to, sleeper, told, topic(sleeper.auth, about), until))

    def _send(self, news: News) -> None:
        """At once. What it takes the place of (RFC 8030 §5.4) is not told any more."""
        self._take_back(news)
        device = news.sleeper.device
        busy = self._under_way.total() >= MOST_AT_ONCE or self._under_way[device] >= MOST_OF_ONE
        if busy or not self.serves(news.sleeper.endpoint):
            self._metrics.pushed("dropped")
            return
        self._newest[device, news.topic] = news
        self._under_way[device] += 1
        turn = self._turns.setdefault(device, asyncio.Lock())  # what is over is never told before
        self._errands.start(self._post(news, turn))

    async def _post(self, news: News, turn: asyncio.Lock) -> None:
        about = news.sleeper.device, news.topic
        try:
            async with turn:
                answer = await self._answer(news)
            is_newest = self._newest.get(about) is news
        finally:
            self._under_way -= Counter([news.sleeper.device])
            if self._newest.get(about) is news:
                del self._newest[about]
        if 200 <= answer.status < 300:
            self._metrics.pushed("taken")
        elif answer.status in GONE:
            self._metrics.pushed("gone")
            with suppress(StoreError):  # the next time then
                await self._store.forget_push(news.sleeper.endpoint)
        elif not (answer.may_change and is_newest and self._put_off(news, answer.after)):
            self._metrics.pushed("refused" if answer.status else "unreachable")

    def _put_off(self, news: News, least: float) -> bool:
        """Try again later, if it is of use then."""
        pause = max(least, news.pause())
        if pause >= news.seconds_left(self._clock.now()) or len(self._waiting) >= MOST_PUT_OFF:
            return False
        self._metrics.pushed("delayed")
        at = self._clock.now().after(int(pause * SECOND))
        again = replace(news, tries=news.tries + 1)
        self._waiting[news.sleeper.device, news.topic] = self._clock.call_at(at, lambda: self._retry(again))
        return True

    def _take_back(self, news: News) -> None:
        """It waits no longer for another try."""
        forbid = self._waiting.pop((news.sleeper.device, news.topic), None)
        if forbid is not None:
            forbid()

    def _retry(self, news: News) -> None:
        self._take_back(news)
        self._errands.start(self._send_if_asleep(news))

    async def _send_if_asleep(self, news: News) -> None:
        """Whoever has come meanwhile knows; a subscription that has ended meanwhile is not asked."""
        if news.sleeper in await self._asleep(news.to):
            self._send(news)

    async def _answer(self, news: News) -> Answer:
        """Of the push service, to one request."""
        endpoint, now = news.sleeper.endpoint, self._clock.now()
        headers = {
            "Authorization": self._key.authorization(endpoint, self._contact, now.utc_us // 1_000_000),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(max(1, news.seconds_left(now))),
            "Topic": news.topic,
            "Urgency": "high",
        }
        try:
            to = Subscription(endpoint, news.sleeper.p256dh, news.sleeper.auth)
            return await self._request(endpoint, to.sealed(news.message), headers)
        except PushError as error:
            log.warning("a device cannot be told", extra={"error": str(error)})
            return Answer(400)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            said = str(error) or type(error).__name__
            log.warning("a push service cannot be reached", extra={"error": said})
            return Answer(0)

    async def _request(self, endpoint: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        if self._http is None:
            self._http = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=WITHIN), cookie_jar=aiohttp.DummyCookieJar()
            )
        async with self._http.post(endpoint, data=body, headers=headers, allow_redirects=False) as response:
            if response.status >= 300 and response.status not in GONE:
                log.warning("a push service has refused", extra={"status": response.status})
            now = self._clock.now().utc_us // 1_000_000
            return Answer(response.status, seconds_of(response.headers.get("Retry-After", ""), now))


def seconds_of(retry_after: str, now: int) -> float:
    """A `Retry-After` (RFC 9110 §10.2.3), a number of seconds or a date; 0 if it says neither."""
    if re.fullmatch(r"[0-9]{1,9}", retry_after):
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).replace(tzinfo=UTC).timestamp() - now)
    except ValueError:
        return 0.0


def key_in(path: Path) -> PushKey:
    """The key of that file, which is made if there is none. OSError, PushKeyError."""
    if not path.exists():
        write_file(path, PushKey.new().pem())
    return PushKey.read(path.read_bytes())


def topic(secret: str, about: str) -> str:
    """What takes the place of what (RFC 8030 §5.4), told by nobody who has not the device's secret."""
    return hmac.new(secret.encode(), about.encode(), hashlib.sha256).hexdigest()[:32]
