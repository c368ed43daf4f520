"""What every answer has in common: headers, problems, bodies that are read with care."""

import asyncio
import json
import logging

import pytest

from signaling.api import health, listener
from signaling.api.headers import HEADERS
from signaling.ports.store import StoreError
from tests.signaling.api.conftest import PASSWORD, Begin, Somebody, World
from tests.signaling.device import Device


async def test_every_answer_tells_browsers_what_not_to_do(world: World) -> None:
    alice = await world.user("alice")
    answers = [
        await alice.get("/healthz"),
        await alice.get("/api/account"),
        await alice.get("/nothing/here"),
        await alice.ask("PUT", "/api/account"),
        await alice.get("/api/socket"),
        await world.stranger().get("/api/account"),
        await alice.post("/api/ticket", headers={"Origin": "https://evil.example"}),
    ]
    for answer in answers:
        for name, value in HEADERS.items():
            assert answer.headers[name.lower()] == value, (answer.status, name)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["server"] == "wephone"
    assert [answer.status for answer in answers] == [200, 200, 404, 405, 426, 401, 403]


async def test_a_socket_that_opens_has_the_headers_too(world: World) -> None:
    async with world.http.ws_connect(f"{world.callers}/api/socket", protocols=("wephone.v1",)) as socket:
        response = socket._response
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "Sec-WebSocket-Extensions" not in response.headers


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (b"", "malformed", None),
        (b"[]", "malformed", None),
        (b"{", "malformed", None),
        (b'"\xff"', "malformed", None),
        (b'{"name": "alice"}', "missing_field", "password"),
        (b'{"name": "alice", "password": 12345678}', "bad_value", "password"),
        (b'{"name": "Alice!", "password": "12345678"}', "bad_value", "name"),
        (b'{"name": "+4930123456", "password": "12345678"}', "bad_value", "name"),
        (b'{"name": "alice", "password": "12345678", "operator": true}', "unknown_field", "operator"),
        (b'{"name": "alice", "password": "12345678", "a\\u001bb": 1}', "unknown_field", "a\\x1bb"),
    ],
)
async def test_a_body_that_cannot_be_used_is_answered_by_field(
    world: World, body: bytes, code: str, field: str | None
) -> None:
    async with world.http.post(
        f"{world.callers}/api/account", data=body, headers={"Content-Type": "application/json"}
    ) as response:
        problem = json.loads(await response.text())
        assert response.status == 400
        assert response.content_type == "application/problem+json"
    assert (problem["code"], problem.get("field")) == (code, field)
    assert "12345678" not in problem["detail"]


async def test_a_form_of_another_site_is_no_body(world: World) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        async with world.http.post(
            f"{world.callers}/api/session",
            data=json.dumps({"name": "alice", "password": PASSWORD}),
            headers={"Content-Type": kind},
        ) as response:
            assert response.status == 415


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(world: World) -> None:
    reader, writer = await asyncio.open_connection(*world.callers.removeprefix("http://").split(":"))
    writer.write(
        b"POST /api/account HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 104857600\r\n\r\n" + b" " * 70_000
    )
    assert (await reader.readline()).startswith(b"HTTP/1.1 413")
    writer.close()


async def test_a_query_is_read_as_strictly_as_a_body(world: World) -> None:
    alice = await world.user("alice")
    path = "/api/history/calls"
    assert (await alice.get(f"{path}?limit=1")).status == 200
    for query, code in (
        ("limit=0", "bad_value"),
        ("limit=1000", "bad_value"),
        ("limit=x", "bad_value"),
        ("before=99999999999999999999", "bad_value"),
        ("limit=1&limit=2", "bad_value"),
        ("page=2", "unknown_field"),
    ):
        answer = await alice.get(f"{path}?{query}")
        assert (answer.status, answer.code) == (400, code), query


async def test_a_mistake_of_ours_shows_nothing_but_its_id(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    alice = await world.user("alice")

    async def broken(*_: object) -> None:
        raise RuntimeError("the secret path /etc/wephone")

    monkeypatch.setattr(world.server.parts.store, "contacts", broken)
    with caplog.at_level(logging.ERROR):
        answer = await alice.get("/api/contacts")
    assert (answer.status, answer.code) == (500, "internal")
    assert "secret" not in answer.text and "RuntimeError" not in answer.text
    [id] = [record.__dict__["id"] for record in caplog.records if "id" in record.__dict__]
    assert answer.json["instance"] == f"urn:uuid:{id}"


async def test_a_store_that_does_not_answer_is_said_to_be_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await world.user("alice")
    operators = Somebody(world.http, world.operators)
    assert (await operators.get("/readyz")).json == {"status": "ready", "calls": 0, "devices": 0}

    async def full(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(world.server.parts.store, "set_contact", full)
    monkeypatch.setattr(world.server.parts.store, "ready", full)
    answer = await alice.ask("PUT", "/api/contacts/bob", {"name": "Bobby"})
    assert (answer.status, answer.code) == (503, "not_stored")
    assert "disk" not in answer.text
    assert (await operators.get("/readyz")).code == "not_stored"
    assert (await operators.get("/healthz")).status == 200


async def test_metrics_count_and_name_nobody(world: World) -> None:
    alice = await world.user("alice")
    await alice.get("/api/history/texts/somebody-else")
    await alice.get("/no/such/path")
    text = (await Somebody(world.http, world.operators).get("/metrics")).text
    assert 'wephone_requests_total{route="/api/history/texts/{user}",status="200"} 1.0' in text
    assert 'wephone_requests_total{route="other",status="404"} 1.0' in text
    assert 'wephone_sign_ins_total{outcome="right"} 1.0' in text
    for name in ("alice", "somebody-else", "/no/such/path"):
        assert name not in text
    assert health.callers.all[0].path == "/healthz"
    assert (await world.stranger().get("/metrics")).status == 404


async def test_an_account_that_asks_without_end_has_to_wait(begin: Begin) -> None:
    world = await begin()
    alice, bob = await world.user("alice"), await world.user("bob")
    statuses = [(await alice.get("/api/contacts")).status for _ in range(205)]
    assert statuses[:190] == [200] * 190
    assert statuses[-1] == 429
    assert (await bob.get("/api/contacts")).status == 200
    world.clock.advance(1)
    assert (await alice.get("/api/contacts")).status == 200


async def test_limits_can_be_switched_off(begin: Begin) -> None:
    world = await begin(limits=False)
    wrong = {"name": "alice", "password": "not this one"}
    assert {(await world.stranger().post("/api/session", wrong)).status for _ in range(12)} == {401}


async def test_a_connection_that_never_asks_for_anything_is_cut_off(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener.Patience.__init__, "__defaults__", (0.2,))
    world = await begin()
    address = world.callers.removeprefix("http://").split(":")
    for said in (b"", b"GET /healthz HTTP/1.1\r\nHost:"):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(said)
        assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()
    reader, writer = await asyncio.open_connection(*address)
    async with world.http.ws_connect(f"{world.callers}/api/socket", protocols=("wephone.v1",)) as socket:
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(0.4)  # what must not happen has no event to wait for
        assert not socket.closed
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.readuntil(b"}")
        assert (await asyncio.wait_for(reader.readuntil(b"}"), 20)).endswith(b"}")
    writer.close()


async def test_the_front_page_is_the_app_and_repeats_nothing_that_was_claimed(world: World) -> None:
    page = await world.stranger().get("/", headers={"Host": "evil.example"})
    assert page.headers["content-type"].startswith("text/html")
    assert "/web/app/main.js" in page.text
    assert "evil" not in page.text


async def test_operators_and_callers_have_cookies_of_their_own(world: World) -> None:
    await world.operator("boss")
    names = []
    for base in (world.callers, world.operators):
        body = {"name": "boss", "password": PASSWORD, "kind": "browser"}
        answer = await Somebody(world.http, base).post("/api/session", body, headers={"Origin": base})
        names.append(answer.headers["set-cookie"].partition("=")[0])
    assert len(set(names)) == 2


async def test_texts_without_end_have_to_wait(world: World) -> None:
    await world.user("bob")
    alice = Device(world.http, world.callers, "alice")
    alice.token = (await world.user("alice")).token or ""
    await alice.open()
    for _ in range(62):
        await alice.say(type="text", message=alice.new_id(), to="bob", text="hello")
    error = await alice.hears("error")
    assert error["code"] == "slow_down"
    assert error["message"]
    await alice.close()
