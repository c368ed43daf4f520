"""Devices that sleep are woken: by a call, by a text, through a push service that can read neither."""

import re
from collections.abc import AsyncIterator

import pytest

from tests.fakes.push_service import Browser, PushService, push_service
from tests.signaling.api.conftest import Begin, Somebody, World
from tests.signaling.device import Device

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    async with push_service() as service:
        yield service


@pytest.fixture
async def world(begin: Begin, service: PushService) -> World:
    return await begin(push_services=(service.url,), push_contact="mailto:ops@example.org")


async def device_of(world: World, somebody: Somebody, name: str) -> Device:
    device = Device(world.http, world.callers, name)
    device.token = somebody.token or ""
    await device.open()
    return device


class Sleeping:
    """Bob, whose one device sleeps, and Alice, who is there."""

    def __init__(self, world: World, alice: Device, bob: Somebody, browser: Browser, device: Device) -> None:
        self.world = world
        self.alice, self.bob, self.browser, self.device = alice, bob, browser, device

    async def write(self, words: str = "the words themselves") -> None:
        """Alice writes to Bob, and all that comes of it has come."""
        await self.alice.say(type="text", message=Device.new_id(), to="bob", text=words)
        await self.alice.hears("text_accepted")
        await self.settled()

    async def settled(self) -> None:
        """Nothing is under way to a push service."""
        exchange = self.world.server.parts.exchange
        await exchange.texts.close()
        await self.world.server.parts.bell.settled()

    async def waits(self, seconds: float) -> None:
        """So much time passes, and what was to happen then has happened."""
        self.world.clock.advance(seconds)
        await self.settled()

    async def counted(self, outcome: str) -> int:
        """How often that came of waking a device."""
        text = self.world.server.parts.metrics.text().decode()
        found = re.search(rf'wephone_pushes_total{{outcome="{outcome}"}} (\d+)', text)
        return int(found[1]) if found else 0

    @property
    def is_quiet(self) -> bool:
        """Nothing has come to the browser that has not been heard."""
        return self.browser.came.empty()


@pytest.fixture
async def sleeping(world: World, service: PushService) -> AsyncIterator[Sleeping]:
    alice, bob = await world.user("alice"), await world.user("bob")
    caller, device = await device_of(world, alice, "alice"), await device_of(world, bob, "bob")
    browser = service.browser()
    body = {**browser.subscription, "language": "zh-CN"}
    assert (await bob.ask("PUT", f"/api/push/{device.id}", body)).status == 204
    await device.close()
    await world.until_away("bob")
    yield Sleeping(world, caller, bob, browser, device)
    for each in (caller, device):
        await each.close()


async def test_a_call_wakes_a_device_which_comes_and_takes_it(sleeping: Sleeping) -> None:
    call = await sleeping.alice.invite("bob")
    assert await sleeping.browser.hears() == {
        "type": "call",
        "call": call,
        "from": "alice",
        "video": False,
        "device": sleeping.device.id,
        "language": "zh-CN",
    }
    assert (await sleeping.alice.hears("progress"))["progress"] == "sent"
    await sleeping.device.open()
    assert (await sleeping.device.hears("incoming"))["call"] == call
    await sleeping.device.say(type="reject", call=call)
    assert (await sleeping.alice.hears("ended"))["reason"] == "declined"
    assert (await sleeping.browser.hears())["type"] == "over"


async def test_a_text_wakes_without_being_told(sleeping: Sleeping) -> None:
    await sleeping.write()
    _, body = sleeping.browser.came.get_nowait()
    told = sleeping.browser.read(body).decode()
    assert '"from":"alice"' in told
    assert "words" not in told
    for known in (b"alice", b"bob", b"words"):
        assert known not in body


async def test_who_calls_is_in_no_header(sleeping: Sleeping) -> None:
    call = await sleeping.alice.invite("bob")
    headers, body = await sleeping.browser.came.get()
    said = str({name: value for name, value in headers.items() if name != "Authorization"})
    for known in ("alice", "bob", call):
        assert known not in said
        assert known.encode() not in body
    assert (headers["TTL"], headers["Urgency"]) == ("60", "high")


async def test_a_call_that_nobody_comes_for_is_missed(sleeping: Sleeping) -> None:
    call = await sleeping.alice.invite("bob")
    assert (await sleeping.browser.hears())["type"] == "call"
    await sleeping.alice.hears("progress")
    sleeping.world.clock.advance(61)
    assert (await sleeping.alice.hears("ended"))["reason"] == "unreachable"
    over = await sleeping.browser.hears()
    assert (over["type"], over["call"], over["missed"], over["from"]) == ("over", call, True, "alice")


async def test_a_call_that_is_taken_elsewhere_rings_no_more(world: World, sleeping: Sleeping) -> None:
    laptop = await device_of(world, sleeping.bob, "bob")
    await sleeping.alice.talk_to(laptop)
    assert (await sleeping.browser.hears())["type"] == "call"
    assert (await sleeping.browser.hears())["missed"] is False
    await laptop.close()


async def test_a_device_that_is_connected_is_not_woken(sleeping: Sleeping) -> None:
    await sleeping.device.open()
    await sleeping.write()
    assert sleeping.is_quiet


async def test_nobody_is_woken_who_would_not_be_rung(sleeping: Sleeping) -> None:
    await sleeping.bob.ask("PATCH", "/api/account", {"do_not_disturb": True})
    await sleeping.alice.invite("bob")
    assert (await sleeping.alice.hears("ended"))["reason"] == "do_not_disturb"
    await sleeping.bob.ask("PUT", "/api/blocked/alice")
    await sleeping.alice.invite("bob")
    assert (await sleeping.alice.hears("ended"))["reason"] == "unreachable"
    await sleeping.settled()
    assert sleeping.is_quiet


async def test_a_session_that_has_ended_wakes_nobody(sleeping: Sleeping) -> None:
    assert (await sleeping.bob.ask("DELETE", "/api/session")).status == 204
    await sleeping.write()
    assert sleeping.is_quiet


async def test_a_device_that_asks_for_it_is_woken_no_more(sleeping: Sleeping) -> None:
    assert (await sleeping.bob.ask("DELETE", f"/api/push/{sleeping.device.id}")).status == 204
    await sleeping.write()
    assert sleeping.is_quiet


@pytest.mark.parametrize("status", [404, 410])
async def test_a_subscription_that_is_gone_is_forgotten(sleeping: Sleeping, status: int) -> None:
    sleeping.browser.status = status
    await sleeping.write()
    await sleeping.write()
    assert sleeping.browser.came.qsize() == 1
    assert await sleeping.counted("gone") == 1


async def test_a_push_service_in_trouble_keeps_nobody_from_writing(sleeping: Sleeping) -> None:
    sleeping.browser.status = 503
    await sleeping.write()
    await sleeping.write()
    assert await sleeping.counted("delayed") == 2
    assert sleeping.browser.came.qsize() == 2


@pytest.mark.parametrize(("status", "retry_after"), [(500, None), (429, "soon")])
async def test_a_push_service_in_trouble_is_asked_again_after_ever_longer_pauses(
    sleeping: Sleeping, status: int, retry_after: str | None
) -> None:
    sleeping.browser.status, sleeping.browser.retry_after = status, retry_after
    await sleeping.write()
    for number, pause in enumerate((1, 2, 4), start=2):  # and at most half of that beside
        await sleeping.waits(pause * 0.99)
        assert sleeping.browser.came.qsize() == number - 1
        await sleeping.waits(pause * 0.51)
        assert sleeping.browser.came.qsize() == number
    sleeping.browser.status = 201
    await sleeping.waits(12)
    assert await sleeping.counted("taken") == 1
    await sleeping.waits(24 * 3600)
    assert sleeping.browser.came.qsize() == 5, "it has been told"


@pytest.mark.parametrize("retry_after", ["30", "Wed, 25 Nov 2026 12:00:30 GMT"])
async def test_who_asks_to_be_left_alone_is_and_is_told_how_long_it_is_still_news(
    sleeping: Sleeping, retry_after: str
) -> None:
    sleeping.browser.status, sleeping.browser.retry_after = 429, retry_after
    await sleeping.alice.invite("bob")
    headers, _ = await sleeping.browser.came.get()
    assert headers["TTL"] == "60"
    await sleeping.settled()
    sleeping.browser.status = 201
    await sleeping.waits(29)
    assert sleeping.is_quiet
    await sleeping.waits(2)
    headers, _ = await sleeping.browser.came.get()
    assert 29 <= int(headers["TTL"]) <= 30
    await sleeping.settled()
    assert await sleeping.counted("taken") == 1


async def test_what_would_come_too_late_is_not_tried_again(sleeping: Sleeping) -> None:
    sleeping.browser.status, sleeping.browser.retry_after = 503, "61"
    await sleeping.alice.invite("bob")
    await sleeping.browser.came.get()
    await sleeping.settled()
    assert await sleeping.counted("refused") == 1
    assert await sleeping.counted("delayed") == 0


async def test_a_call_that_is_over_is_not_told_of_again(sleeping: Sleeping) -> None:
    sleeping.browser.status = 503
    call = await sleeping.alice.invite("bob")
    assert (await sleeping.browser.hears())["type"] == "call"
    await sleeping.settled()
    sleeping.browser.status = 201
    await sleeping.alice.say(type="hangup", call=call)
    assert (await sleeping.browser.hears())["type"] == "over"
    await sleeping.waits(60)
    assert sleeping.is_quiet


async def test_who_has_come_meanwhile_is_not_woken_later(sleeping: Sleeping) -> None:
    sleeping.browser.status = 503
    await sleeping.write()
    assert sleeping.browser.came.qsize() == 1
    sleeping.browser.status = 201
    await sleeping.device.open()
    await sleeping.waits(60)
    assert sleeping.browser.came.qsize() == 1


async def test_a_call_is_declined_without_a_connection(world: World, sleeping: Sleeping) -> None:
    call = await sleeping.alice.invite("bob")
    assert (await sleeping.browser.hears())["call"] == call
    path, body = f"/api/calls/{call}/decline", {"device": sleeping.device.id}
    assert (await world.stranger().post(path, body)).status == 401
    carol = await world.user("carol")
    await carol.post(path, body)
    assert (await sleeping.bob.post(path, body)).status == 204
    assert (await sleeping.alice.hears("ended"))["reason"] == "declined"
    for nonsense in (UNKNOWN, "x"):
        assert (await sleeping.bob.post(f"/api/calls/{nonsense}/decline", body)).code == "unknown_call"


async def test_only_a_push_service_is_ever_asked(world: World, sleeping: Sleeping) -> None:
    path, fit = f"/api/push/{sleeping.device.id}", {**sleeping.browser.subscription, "language": "en"}
    for endpoint in ("http://127.0.0.1:1/x", "https://169.254.169.254/", "file:///etc/passwd"):
        answer = await sleeping.bob.ask("PUT", path, {**fit, "endpoint": endpoint})
        assert (answer.status, answer.code) == (403, "no_push_service")
    unfit = await sleeping.bob.ask("PUT", path, {**fit, "keys": {"p256dh": "AAAA", "auth": "AAAA"}})
    assert unfit.code == "bad_value"
    assert (await sleeping.bob.ask("PUT", f"/api/push/{UNKNOWN}", fit)).code == "no_such_device"
    assert (await sleeping.bob.ask("PUT", "/api/push/x", fit)).code == "bad_value"
    assert (await sleeping.bob.get("/api/push")).json["key"] == world.server.parts.bell.public_key


async def test_a_browser_that_changes_hands_wakes_for_the_new_one_alone(
    world: World, sleeping: Sleeping
) -> None:
    carol = await world.user("carol")
    device = await device_of(world, carol, "carol")
    body = {**sleeping.browser.subscription, "language": "en"}
    assert (await carol.ask("PUT", f"/api/push/{device.id}", body)).status == 204
    await sleeping.write()
    assert sleeping.is_quiet
    await device.close()
