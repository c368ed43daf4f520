"""Tells the operator in time what ends: once in journal and log, and by webhook until it was heard."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import date

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from licensing.alarms import Alarm, Alarms
from licensing.audit import Draft, canonical
from licensing.expiry import Notice, days_left, notices, review_notices, zone_of
from licensing.instant import SECOND
from licensing.law import Law
from licensing.ports import Journal, JournalError
from licensing.register import Register
from licensing.snapshot import Snapshot
from signaling.errands import Errands
from signaling.ports.clock import Cancel, Clock
from signaling.webhook import Webhook, WebhookError

EVERY = 3600 * SECOND  # between two looks at the calendar: days end at another time in each zone
PAUSES = (1, 4, 16, 64, 256)  # seconds between attempts to be heard; then until the next look

log = logging.getLogger(__name__)


class Expiry:
    """Looks from `start` to `close`: at once, each hour, and when the register changes."""

    def __init__(
        self,
        register: Register,
        law: Law,
        journal: Journal,
        clock: Clock,
        alarms: Alarms,
        webhook: Webhook | None = None,
    ) -> None:
        self._register, self._law, self._journal = register, law, journal
        self._clock, self._alarms, self._webhook = clock, alarms, webhook
        self._errands = Errands("a warning")
        self._looking = asyncio.Lock()
        self._telling: dict[str, asyncio.Task[None]] = {}  # notices that are being sent
        self._logged_on: date | None = None  # that profiles are overdue
        self._cancel: Cancel | None = None
        self._deaf: Cancel | None = None
        self._closed = False

    def start(self) -> None:
        """Begin to look."""
        self._deaf = self._register.on_change(self._changed)
        self._due()

    async def close(self) -> None:
        """Look no more. What was not heard by webhook is sent after the next start."""
        self._closed = True
        for cancel in (self._cancel, self._deaf):
            if cancel is not None:
                cancel()
        for task in self._telling.values():
            task.cancel()
        await self._errands.close()

    async def look(self) -> None:
        """Tell what is due and was not told."""
        async with self._looking:  # or two looks would find the same untold
            now = self._clock.now()
            past = self._law.past_review(now)
            self._overdue(past)
            profiles = self._law.profiles
            for notice in (*notices(self._register.snapshot, profiles, now), *review_notices(past, profiles)):
                try:
                    await self._notice(notice)
                except JournalError as error:
                    log.error("a warning could not be journalled: %s", error, extra={"id": notice.id})

    async def _notice(self, notice: Notice) -> None:
        kinds = {entry.kind for entry in await self._journal.about(notice.id)}
        if "warning" not in kinds:
            await self._journal.append(self._draft("warning", notice))
            log.warning("%s", notice.text, extra={"id": notice.id, "days_left": notice.days_left})
        telling = self._telling.get(notice.id)
        if self._webhook is None or "warning_sent" in kinds or (telling is not None and not telling.done()):
            return
        self._telling[notice.id] = self._errands.start(self._tell(notice, self._webhook))

    def _draft(self, kind: str, notice: Notice) -> Draft:
        body = {"subject": notice.subject, "what": notice.what, "on": str(notice.on), "text": notice.text}
        return Draft(kind, notice.id, self._clock.now().utc_us, canonical(body))

    async def _tell(self, notice: Notice, webhook: Webhook) -> None:
        """Until it is heard, or has been tried often enough for now."""
        for pause in (*PAUSES, None):
            try:
                await webhook.tell(document(notice), self._clock.now().utc_ns // SECOND)
            except WebhookError as error:
                log.warning("a warning was not heard: %s", error, extra={"id": notice.id})
            else:
                await self._journal.append(self._draft("warning_sent", notice))
                return
            if pause is not None:
                await self._pause(pause)

    async def _pause(self, seconds: int) -> None:
        over = asyncio.Event()
        cancel = self._clock.call_at(self._clock.now().after(seconds * SECOND), over.set)
        try:
            await over.wait()
        finally:
            cancel()

    def _overdue(self, past: tuple[str, ...]) -> None:
        if not past:
            self._alarms.clear(Alarm.PROFILE_OVERDUE)
            return
        text = f"not reviewed in time, and deciding all the same: {', '.join(past)}"
        self._alarms.sound(Alarm.PROFILE_OVERDUE, text)
        today = self._clock.now().utc.date()
        if today != self._logged_on:
            self._logged_on = today
            log.warning("profiles: %s", text)

    def _changed(self, _: Snapshot) -> None:
        self._errands.start(self.look())

    def _due(self) -> None:
        self._errands.start(self._look_again())

    async def _look_again(self) -> None:
        try:
            await self.look()
        finally:
            if not self._closed:
                self._cancel = self._clock.call_at(self._clock.now().after(EVERY), self._due)


class DaysLeft(Collector):
    """For /metrics: the days until each permit ends, as of the moment of the look."""

    def __init__(self, register: Register, law: Law, clock: Clock) -> None:
        self._register, self._law, self._clock = register, law, clock

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """See prometheus_client."""
        gauge = GaugeMetricFamily(
            "wephone_permit_days_left",
            "Days until a permit ends, in its regulator's zone; below 0 it has ended.",
            labels=["permit"],
        )
        now = self._clock.now()
        for permit in self._register.snapshot.permits:
            left = days_left(permit.valid_until, zone_of(permit, self._law.profiles), now)
            if left is not None:
                gauge.add_metric([permit.id], left)
        yield gauge


def document(notice: Notice) -> dict[str, object]:
    """What the webhook is told."""
    return {
        "type": "warning",
        "id": notice.id,
        "subject": notice.subject,
        "what": notice.what,
        "on": str(notice.on),
        "days_left": notice.days_left,
        "text": notice.text,
    }
