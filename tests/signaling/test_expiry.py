"""The operator hears in time what ends: once for each of the days, in journal and log, and by webhook."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest

from licensing.alarms import Alarm, Alarms
from licensing.audit import Draft
from licensing.case import Operator, Policy
from licensing.expiry import DAYS, notices
from licensing.instant import Instant
from licensing.journal import EvidenceFile
from licensing.jurisdiction import load_profiles
from licensing.law import Law
from licensing.permit import day_begins, day_ends
from licensing.register import Register
from signaling.expiry import PAUSES, DaysLeft, Expiry
from signaling.webhook import HEADER, Webhook, WebhookError
from tests.fakes.clock import START, Watched
from tests.licensing.conftest import BASIC

PROFILES = load_profiles()
TODAY = date(2026, 11, 25)  # of the clock, in Beijing as in UTC
DAY = 24 * 3600
SECRET = "a secret that both of them know"


class Noted(EvidenceFile):
    """Says when a warning, or that a webhook was heard, is written down."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.said = {"warning": asyncio.Event(), "warning_sent": asyncio.Event()}

    async def append(self, draft: Draft) -> int:
        seq = await super().append(draft)
        if draft.kind in self.said:
            self.said[draft.kind].set()
        return seq


class Office:
    """A register, a journal, a law, and what warns of their ends."""

    def __init__(self, file: Noted, clock: Watched) -> None:
        self.file, self.clock, self.alarms = file, clock, Alarms()
        self.law = Law(PROFILES, Operator(), Policy())
        self.register = Register(file, clock, profiles=PROFILES)

    def expiry(self, webhook: Webhook | None = None) -> Expiry:
        return Expiry(self.register, self.law, self.file, self.clock, self.alarms, webhook)

    async def files(self, days: int, **more: Any) -> None:
        """A permit that ends so many days from today."""
        until = (TODAY + timedelta(days=days)).isoformat()
        permit = {**BASIC, "valid_until": until, **more}
        await self.register.add_permit(permit, by="root", why="a test")

    async def told(self) -> list[str]:
        """The ids of the notices in the journal."""
        return [entry.subject for entry in await self.file.entries(0, 1_000) if entry.kind == "warning"]


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    file = Noted(tmp_path / "evidence.db")
    await file.open()
    office = Office(file, Watched())
    await office.register.open()
    yield office
    await office.register.close()
    await file.close()


async def test_each_of_the_days_is_told_once_also_across_restarts(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    await office.files(185)
    for _ in range(190):
        expiry = office.expiry()
        await expiry.look()
        await office.expiry().look()  # the server was started again
        office.clock.advance(DAY)
    until = TODAY + timedelta(days=185)
    told = [f"warning:basic-1:ends:{until}:{days}" for days in reversed(DAYS)]
    assert [id for id in await office.told() if "basic-1" in id] == told
    said = [record.getMessage() for record in caplog.records if "basic-1" in record.getMessage()]
    assert said == [
        f"permit `basic-1` is valid until {until} and no longer: {days} day{'s' if days > 1 else ''} left"
        for days in reversed(DAYS)
    ]


async def test_a_permit_that_ends_soon_when_it_is_filed_is_told_of_at_once_and_by_its_nearest_day_alone(
    office: Office,
) -> None:
    expiry = office.expiry()
    expiry.start()
    await office.files(20)
    await expiry.close()
    assert await office.told() == [f"warning:basic-1:ends:{TODAY + timedelta(days=20)}:30"]


async def test_a_server_that_was_off_tells_the_nearest_of_what_it_missed(office: Office) -> None:
    await office.files(100)
    office.clock.advance(95 * DAY)
    await office.expiry().look()
    assert await office.told() == [f"warning:basic-1:ends:{TODAY + timedelta(days=100)}:7"]


async def test_a_new_end_is_news_and_another_version_with_the_same_end_is_none(office: Office) -> None:
    await office.files(30)
    await office.expiry().look()
    await office.files(30, version=2, issuer="us")
    await office.expiry().look()
    assert len(await office.told()) == 1
    await office.files(90, version=3)
    await office.expiry().look()
    assert (await office.told())[1:] == [f"warning:basic-1:ends:{TODAY + timedelta(days=90)}:90"]


async def test_what_has_no_end_is_over_or_was_revoked_warns_of_nothing(office: Office) -> None:
    await office.register.add_permit({**BASIC, "id": "endless"}, by="root", why="a test")
    await office.files(-3)
    await office.files(5, id="lost")
    await office.register.revoke("lost", by="root", why="order")
    await office.expiry().look()
    assert await office.told() == []


async def test_a_review_of_a_permit_is_told_of_in_the_same_way(office: Office) -> None:
    on = (TODAY + timedelta(days=7)).isoformat()
    await office.register.add_permit({**BASIC, "next_review_on": on}, by="root", why="a test")
    await office.expiry().look()
    assert await office.told() == [f"warning:basic-1:review:{on}:7"]


async def test_days_are_those_of_the_regulator(office: Office) -> None:
    permit = {
        **BASIC,
        "id": "cn",
        "jurisdiction": "CN",
        "categories": ["CN:A15-1"],
        "valid_until": "2026-12-02",
    }
    await office.register.add_permit(permit, by="root", why="a test")
    taken, zone = office.register.snapshot, "Asia/Shanghai"
    for moment, days in (
        (day_begins(date(2026, 11, 25), zone) - 1, [8]),
        (day_begins(date(2026, 11, 25), zone), [7]),
        (day_begins(date(2026, 12, 2), zone), [0]),
        (day_ends(date(2026, 12, 2), zone) - 1, [0]),
        (day_ends(date(2026, 12, 2), zone), []),
    ):
        assert [each.days_left for each in notices(taken, PROFILES, Instant(moment, 0))] == days


async def test_it_looks_each_hour(office: Office) -> None:
    await office.files(8)
    expiry = office.expiry()
    expiry.start()
    for _ in range(24):
        await office.clock.waited_for.wait()
        office.clock.waited_for.clear()
        office.clock.advance(3600)
    await office.clock.waited_for.wait()
    await expiry.close()
    until = TODAY + timedelta(days=8)
    assert await office.told() == [f"warning:basic-1:ends:{until}:30", f"warning:basic-1:ends:{until}:7"]
    office.clock.advance(30 * DAY)
    assert len(await office.told()) == 2


async def test_a_profile_that_was_not_reviewed_in_time_raises_an_alarm_and_is_said_each_day(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    expiry = office.expiry()
    await expiry.look()
    assert office.alarms.raised == {}
    office.clock.advance(400 * DAY)
    for _ in range(3):
        await expiry.look()
        await expiry.look()
        office.clock.advance(DAY)
    assert "baseline" in office.alarms.raised[Alarm.PROFILE_OVERDUE]
    assert sum(record.getMessage().startswith("profiles: ") for record in caplog.records) == 3
    version = PROFILES.versions["baseline"]
    assert await office.told() == [f"warning:baseline@{version}:profile_review"]


async def test_the_days_left_are_a_metric(office: Office) -> None:
    await office.files(5)
    await office.files(-2, id="over")
    await office.register.add_permit({**BASIC, "id": "endless"}, by="root", why="a test")
    registry = CollectorRegistry()
    registry.register(DaysLeft(office.register, office.law, office.clock))
    shown = generate_latest(registry).decode()
    assert 'wephone_permit_days_left{permit="basic-1"} 5.0' in shown
    assert 'wephone_permit_days_left{permit="over"} -2.0' in shown
    assert "endless" not in shown


# The webhook


class Listener:
    """Another program, which answers as the test says, and 200 when that is all."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.heard.put_nowait((request.headers[HEADER], await request.read()))
        status = self.answers.pop(0) if self.answers else 200
        return web.Response(status=status, headers={"Location": "/elsewhere"})


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    made = Listener()
    app = web.Application()
    app.router.add_post("/warnings", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    made.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/warnings"  # type: ignore[attr-defined]
    yield made
    await runner.cleanup()


async def test_a_webhook_is_told_what_ends_with_a_signature(office: Office, listener: Listener) -> None:
    await office.files(7)
    expiry = office.expiry(Webhook(listener.url, SECRET))
    await expiry.look()
    signature, body = await listener.heard.get()
    at, _, mac = signature.partition(",")
    expected = hmac.new(SECRET.encode(), at.removeprefix("t=").encode() + b"." + body, hashlib.sha256)
    assert (at, mac) == (f"t={START.utc_ns // 10**9}", f"v1={expected.hexdigest()}")
    until = str(TODAY + timedelta(days=7))
    assert json.loads(body) == {
        "type": "warning",
        "id": f"warning:basic-1:ends:{until}:7",
        "subject": "basic-1",
        "what": "ends",
        "on": until,
        "days_left": 7,
        "text": f"permit `basic-1` is valid until {until} and no longer: 7 days left",
    }


async def test_a_webhook_that_does_not_listen_is_told_again_later_and_later_and_then_once(
    office: Office, listener: Listener
) -> None:
    listener.answers = [500, 302, 404]
    await office.files(7)
    clock = office.clock
    expiry = office.expiry(Webhook(listener.url, SECRET))
    clock.waited_for.clear()
    await expiry.look()
    for pause in PAUSES[:3]:
        await listener.heard.get()
        await clock.waited_for.wait()
        clock.waited_for.clear()
        clock.advance(pause - 0.001)
        assert listener.heard.empty()
        clock.advance(0.001)
    await listener.heard.get()
    await office.file.said["warning_sent"].wait()
    await expiry.look()
    await office.expiry(Webhook(listener.url, SECRET)).look()
    await expiry.close()
    assert listener.heard.empty() and len(await office.told()) == 1


async def test_what_was_not_heard_before_a_restart_is_told_after_it(
    office: Office, listener: Listener
) -> None:
    listener.answers = [503]
    await office.files(7)
    before = office.expiry(Webhook(listener.url, SECRET))
    await before.look()
    first = await listener.heard.get()
    await before.close()
    after = office.expiry(Webhook(listener.url, SECRET))
    await after.look()
    assert (await listener.heard.get())[1] == first[1]
    await after.close()
    assert len(await office.told()) == 1


async def test_a_webhook_that_nobody_answers_is_an_error_in_one_sentence() -> None:
    with pytest.raises(WebhookError, match="cannot be reached"):
        await Webhook("http://127.0.0.1:1/", SECRET).tell({}, 0)
