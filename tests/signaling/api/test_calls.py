"""Calls by HTTP, their history, and what a permit changes."""

import json
import uuid
from typing import Any

from licensing.instant import Instant
from licensing.permit import Permit
from tests.fakes.clock import HandClock
from tests.signaling.api.conftest import Begin, World
from tests.signaling.device import Device

NUMBER = "+1 202-555-0123"  # kept for fiction

BASIC = {
    "id": "basic",
    "jurisdiction": "baseline",
    "categories": ["baseline:basic"],
    "holder": "us",
    "basis": "own",
    "issuer": "the regulator",
    "number": "1",
    "regions": ["*"],
    "valid_from": "2020-01-01",
    "valid_until": "2099-12-31",
}


async def test_a_call_to_a_number_is_refused_with_its_decision_and_the_permit_it_needs(world: World) -> None:
    alice = await world.user("alice")
    answer = await alice.post("/api/calls", {"to": NUMBER})
    assert answer.status == 451
    assert answer.headers["link"] == f'<{world.callers}>; rel="blocked-by"'
    problem = answer.json
    assert problem["code"].startswith("DENY_") and problem["code"] == answer.code
    assert set(problem["text"]) == {"en", "zh-CN"}
    assert problem["detail"] == problem["text"]["en"]
    assert problem["permit_needed"] == "baseline:basic"
    assert problem["decision"].startswith("D-")
    entries = await world.server.parts.licence.journal.about(problem["decision"])
    assert len(entries) == 1


async def test_a_refusal_speaks_the_language_that_is_asked_for(world: World) -> None:
    alice = await world.user("alice")
    answer = await alice.post("/api/calls", {"to": NUMBER}, headers={"Accept-Language": "zh-CN, en;q=0.5"})
    assert answer.json["detail"] == answer.json["text"]["zh-CN"]
    assert (answer.headers["content-language"], answer.headers["vary"]) == ("zh-CN", "Accept-Language")


async def test_who_refuses_is_not_for_the_request_to_say(begin: Begin) -> None:
    world = await begin()
    alice = await world.user("alice")
    answer = await alice.post("/api/calls", {"to": NUMBER}, headers={"Host": "evil.example"})
    assert answer.headers["link"] == f'<{world.callers}>; rel="blocked-by"'
    named = await begin(public_url="https://phone.example.org", data=world.server.settings.data / "other")
    alice = await named.user("alice")
    answer = await alice.post("/api/calls", {"to": NUMBER}, headers={"Host": "evil.example"})
    assert answer.headers["link"] == '<https://phone.example.org>; rel="blocked-by"'


async def test_the_socket_says_the_same_as_http(world: World) -> None:
    alice = await world.user("alice")
    device = Device(world.http, world.callers, "alice")
    device.token = alice.token or ""
    await device.open()
    await device.invite(NUMBER)
    refusal = (await device.hears("ended"))["refusal"]
    problem = (await alice.post("/api/calls", {"to": NUMBER})).json
    for field in ("code", "text", "permit_needed", "alternative"):
        assert refusal.get(field) == problem[field]
    assert refusal["decision"] != problem["decision"]
    assert set(problem["alternative"]) == {"en", "zh-CN"}
    await device.close()


async def test_a_question_is_answered_and_leaves_no_trace(world: World) -> None:
    alice = await world.user("alice")
    before = (await world.server.parts.licence.journal.head()).seq
    answer = (await alice.post("/api/calls/check", {"to": NUMBER})).json
    assert answer["to"] == "+12025550123"
    assert (answer["allowed"], answer["service"]) == (False, "pstn_out")
    assert answer["refusal"]["permit_needed"] == "baseline:basic"
    assert answer["refusal"]["decision"] is None
    for name in ("bob", "nobody"):
        answer = (await alice.post("/api/calls/check", {"to": name, "media": ["audio", "video"]})).json
        assert answer == {"to": name, "allowed": True, "service": "app_video", "refusal": None}
    assert (await alice.post("/api/calls/check", {"to": "!?"})).code == "bad_address"
    assert (await world.server.parts.licence.journal.head()).seq == before


async def test_a_permit_changes_the_answer_at_once(world: World) -> None:
    alice = await world.user("alice")
    permit = Permit.model_validate_json(json.dumps(BASIC))
    await world.server.parts.licence.register.add_permit(permit, by="operator", why="a test")
    assert (await alice.post("/api/calls/check", {"to": NUMBER})).json["allowed"] is True
    answer = await alice.post("/api/calls", {"to": NUMBER})
    assert (answer.status, answer.code) == (409, "no_device")
    assert answer.json["decision"].startswith("D-")


async def test_a_click_rings_the_devices_that_can_place_it_until_one_does(world: World) -> None:
    alice, bob = await world.user("alice"), await world.user("bob")
    called = await device_of(world, bob.token, "bob", {})
    phone, tablet, old = [await device_of(world, alice.token, "alice", hello) for hello in (ABLE, ABLE, {})]
    clicked = await alice.post("/api/calls", {"to": "bob"})
    assert (clicked.status, clicked.json["devices"], clicked.json["lifetime"]) == (201, 2, 60.0)
    call = clicked.json["call"]
    for device in (phone, tablet):
        dial = await device.hears("dial")
        assert (dial["call"], dial["to"], dial["media"], dial["lifetime"]) == (call, "bob", ["audio"], 60.0)
    await tablet.invite("bob", call=call)
    assert (await phone.hears("dial_over"))["call"] == call
    await tablet.hears("progress")
    assert world.server.parts.exchange.switch.live() == 1
    assert not {"dial", "dial_over"} & {*old.kinds} and "dial_over" not in tablet.kinds
    await phone.invite("bob", call=call)
    assert (await phone.hears("error"))["code"] == "id_taken"
    for device in (phone, tablet, old, called):
        await device.close()


async def test_a_click_that_nobody_takes_is_over_after_a_minute(begin: Begin) -> None:
    clock = HandClock()
    world = await begin(clock)
    alice = await world.user("alice")
    phone = await device_of(world, alice.token, "alice", ABLE)
    call = (await alice.post("/api/calls", {"to": "bob"})).json["call"]
    await phone.hears("dial")
    clock.advance(59.9)
    await alice.post("/api/calls", {"to": "bob"})
    assert await phone.hears("dial") and "dial_over" not in phone.kinds
    clock.advance(0.2)
    assert (await phone.hears("dial_over"))["call"] == call
    await phone.close()


async def test_a_click_is_decided_when_it_is_made_and_again_when_it_is_placed(world: World) -> None:
    alice = await world.user("alice")
    register = world.server.parts.licence.register
    await register.add_permit(Permit.model_validate_json(json.dumps(BASIC)), by="operator", why="a test")
    phone = await device_of(world, alice.token, "alice", ABLE)
    clicked = (await alice.post("/api/calls", {"to": NUMBER})).json
    assert (await phone.hears("dial"))["to"] == NUMBER
    await register.suspend("basic", by="operator", why="a test")
    await phone.invite(NUMBER, call=clicked["call"])
    ended = await phone.hears("ended")
    assert (ended["call"], ended["reason"]) == (clicked["call"], "refused")
    assert ended["refusal"]["decision"] != clicked["decision"]
    await phone.close()


async def test_a_click_that_makes_no_sense_rings_nobody(world: World) -> None:
    alice = await world.user("alice")
    phone = await device_of(world, alice.token, "alice", ABLE)
    for to, code in (("alice", "yourself"), ("!?", "bad_address"), ("", "bad_value")):
        assert (await alice.post("/api/calls", {"to": to})).code == code
    assert (await alice.post("/api/calls", {"to": NUMBER})).status == 451
    await alice.post("/api/calls", {"to": "bob"})
    assert (await phone.hears("dial"))["to"] == "bob"
    assert phone.kinds.count("dial") == 1
    await phone.close()


ABLE = {"features": ["dial"]}


async def device_of(world: World, token: str | None, name: str, hello: dict[str, Any]) -> Device:
    device = Device(world.http, world.callers, name)
    device.token = token or ""
    await device.open(**hello)
    return device


async def test_history_has_pages(begin: Begin) -> None:
    world = await begin()
    alice, bob = await world.user("alice"), await world.user("bob")
    device = Device(world.http, world.callers, "alice")
    device.token = alice.token or ""
    await device.open()
    calls = []
    for _ in range(5):
        calls.append(await device.invite("bob"))
        assert (await device.hears("ended"))["reason"] == "unreachable"
        world.clock.advance(1)
    for number in range(5):
        await device.say(type="text", message=str(uuid.uuid4()), to="bob", text=f"text {number}")
        await device.hears("text_accepted")
    seen, before = [], ""
    while True:
        page = (await alice.get(f"/api/history/calls?limit=2{before}")).json
        seen += [call["call"] for call in page["calls"]]
        if page["before"] is None:
            break
        before = f"&before={page['before']}"
    assert seen == calls[::-1]
    first = (await bob.get("/api/history/texts/alice?limit=3")).json
    rest = (await bob.get(f"/api/history/texts/alice?limit=3&before={first['before']}")).json
    assert [text["text"] for text in first["texts"] + rest["texts"]] == [
        f"text {n}" for n in range(4, -1, -1)
    ]
    assert rest["before"] is None
    [listed] = (await bob.get("/api/history/conversations")).json["conversations"]
    assert (listed["peer"], listed["text"]["text"], listed["unread"]) == ("alice", "text 4", 5)
    page = (await bob.get("/api/history/conversations?limit=1")).json
    assert page["before"] == listed["text"]["seq"]
    assert (await bob.get(f"/api/history/conversations?before={page['before']}")).json == {
        "conversations": [],
        "before": None,
    }
    carol = await world.user("carol")
    assert (await carol.get("/api/history/texts/alice")).json["texts"] == []
    assert (await carol.get("/api/history/calls")).json["calls"] == []
    await device.close()


async def test_a_blocked_caller_sees_somebody_who_cannot_be_reached(world: World) -> None:
    alice, bob = await world.user("alice"), await world.user("bob")
    devices = []
    for somebody, name in ((alice, "alice"), (bob, "bob")):
        device = Device(world.http, world.callers, name)
        device.token = somebody.token or ""
        await device.open()
        devices.append(device)
    await bob.ask("PUT", "/api/blocked/alice")
    await devices[0].invite("bob")
    assert (await devices[0].hears("ended"))["reason"] == "unreachable"
    await bob.ask("DELETE", "/api/blocked/alice")
    await bob.ask("PATCH", "/api/account", {"do_not_disturb": True})
    await devices[0].invite("bob")
    assert (await devices[0].hears("ended"))["reason"] == "do_not_disturb"
    for device in devices:
        await device.close()


class Running(HandClock):
    """A millisecond passes whenever somebody looks."""

    def now(self) -> Instant:
        return self.advance(0.001)


async def test_a_blocked_caller_finds_the_same_record_as_of_a_call_to_somebody_away(begin: Begin) -> None:
    world = await begin(Running(), limits=False)
    alice, bob, _ = [await world.user(name) for name in ("alice", "bob", "carol")]
    assert (await bob.ask("PUT", "/api/blocked/alice")).status == 204
    device = Device(world.http, world.callers, "alice")
    device.token = str(alice.token)
    await device.open()
    for callee in ("bob", "carol"):
        await device.invite(callee)
        await device.hears("ended")
    records: list[dict[str, Any]] = []
    while [call["ended_at"] for call in records].count(None) or len(records) < 2:  # told, then written down
        records = (await alice.get("/api/history/calls")).json["calls"]
    assert {
        (call["reason"], call["answered_at"], call["ended_at"] > call["offered_at"]) for call in records
    } == {("unreachable", None, True)}
    await device.close()
