"""Who gets in: every route of both listeners, taken from the router, against every kind of credentials."""

import asyncio
import inspect
import re

import aiohttp
import pytest

from signaling.api import rest
from signaling.api.auth import COOKIE, Door
from signaling.api.origin import Origins
from signaling.api.routes import Route, Rule
from signaling.api.serving import application
from signaling.local import reachable
from tests.licensing.conftest import BASIC
from tests.signaling.api.conftest import PASSWORD, Answer, Begin, Somebody, World

STATE = [f"/api/operator/{what}" for what in ("accounts", "permits", "toggles", "telephone", "waiting")]
# The routes that nobody has to sign in for. Another one is a decision: it is made here.
OPEN = {
    ("GET", "/api/socket"),  # the first frame signs in
    ("GET", "/api/openapi.json"),
    ("GET", "/api/protocol.json"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("POST", "/api/account"),
    ("POST", "/api/session"),
    ("GET", "/"),
    ("GET", "/worker.js"),
    ("GET", "/web/{path}"),
}
# Those that also take whoever has to change a password first.
FIRST_STEPS = {
    ("GET", "/api/account"),
    ("DELETE", "/api/session"),
    ("POST", "/api/account/password"),
}

# An operators' route that auditors may use too, though it is no GET.
CHANGES_NOTHING = {("POST", "/api/operator/audit/verify"), ("POST", "/api/operator/suppose")}
OPERATORS_RULES = (Rule.OPERATOR, Rule.AUDITOR)


def routes_of(listener: tuple[Route, ...], world: World) -> list[tuple[str, str]]:
    """Method and path of everything in the router, HEAD and all."""
    app = application(listener, world.server.parts, Door(world.server.parts.accounts, Origins(None, ())))
    found = []
    for route in app.router.routes():
        assert route.resource is not None
        found.append((route.method, route.resource.canonical))
    return found


def test_every_route_declares_its_rule() -> None:
    for route in (*rest.CALLERS, *rest.OPERATORS):
        assert isinstance(route.rule, Rule)
        assert route.summary, f"{route.name} does not say what it is for"
        assert (route.rule is Rule.ANYONE) == ((route.method, route.canonical) in OPEN), route.name
        if route.rule is Rule.SIGNED_IN_ONCE:
            assert (route.method, route.path) in FIRST_STEPS
        if "/operator" in route.path:
            reads = route.method == "GET" or (route.method, route.path) in CHANGES_NOTHING
            assert route.rule is (Rule.AUDITOR if reads else Rule.OPERATOR), route.name


def test_the_callers_listener_has_no_operators_route() -> None:
    assert not [r for r in rest.CALLERS if r.rule in OPERATORS_RULES or "operator" in r.path]


async def test_the_router_has_the_declared_routes_and_no_other(world: World) -> None:
    for listener in (rest.CALLERS, rest.OPERATORS):
        declared = {(route.method, route.canonical) for route in listener}
        routed = {(m, p) for m, p in routes_of(listener, world) if m != "HEAD"}
        assert routed == declared


async def ask(somebody: Somebody, method: str, path: str) -> Answer:
    """A request that would do something if it were let in."""
    return await somebody.ask(method, re.sub(r"\{\w+\}", "alice", path), {})


@pytest.mark.parametrize("listener", ["callers", "operators"])
async def test_no_route_but_the_open_ones_takes_somebody_without_good_credentials(
    world: World, listener: str
) -> None:
    alice = await world.user("alice")
    ended = await world.again("alice")
    await ended.ask("DELETE", "/api/session")
    expired = await world.again("alice")
    routes = rest.CALLERS if listener == "callers" else rest.OPERATORS
    base = world.callers if listener == "callers" else world.operators
    tokens = {
        "none": None,
        "invented": "x" * 43,
        "ended": ended.token,
        "not a token": "",
    }
    for name, token in tokens.items():
        for method, path in routes_of(routes, world):
            if (method if method != "HEAD" else "GET", path) in OPEN:
                continue
            somebody = Somebody(world.http, base)
            headers = {} if token is None else {"Authorization": f"Bearer {token}"}
            answer = await somebody.ask(method, re.sub(r"\{\w+\}", "alice", path), {}, headers=headers)
            assert answer.status == 401, (name, method, path, answer.text)
    world.clock.advance(31 * 24 * 3600)
    for token in (alice.token, expired.token):
        for method, path in routes_of(routes, world):
            if (method if method != "HEAD" else "GET", path) in OPEN:
                continue
            somebody = Somebody(world.http, base)
            somebody.token = token
            assert (await ask(somebody, method, path)).status == 401, ("expired", method, path)


@pytest.mark.parametrize(
    "header", [b"Authorization: Bearer \xff\xfe", b"Cookie: __Host-wephone=\xff", b"Cookie: wephone=\xff"]
)
async def test_bytes_that_are_no_text_are_nobodys_token(
    header: bytes, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    for base in (world.callers, world.operators):
        host, _, port = base.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /api/account HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + header + b"\r\n\r\n")
        assert (await reader.readline()).split()[1] == b"401"
        writer.close()
    assert not [record for record in caplog.records if record.exc_info]


async def test_no_operators_route_takes_a_callers_account(world: World) -> None:
    alice = await world.user("alice")
    alice.base = world.operators
    for route in rest.OPERATORS:
        if route.rule in OPERATORS_RULES:
            answer = await ask(alice, route.method, route.path)
            assert (answer.status, answer.code) == (403, "not_an_operator"), route.path


async def test_an_auditor_reads_what_operators_do_and_changes_nothing(world: World) -> None:
    boss, eyes = await world.operator(), await world.auditor()
    body = {"permit": BASIC, "why": "a test"}
    assert (await boss.post("/api/operator/permits", body)).status == 201
    assert (await boss.post("/api/operator/permits/basic-1/suspend", {"why": "a test"})).status == 200
    await world.user("basic-1")  # whatever a path names is there
    before = [(await boss.get(path)).text for path in STATE]
    with reachable(world.server.settings.operator_socket) as address:
        named = {"WePhone-Operator": "eyes"}
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(address), headers=named) as socket:
            for auditor in (eyes, Somebody(socket, "http://localhost")):
                await tries_everything(auditor)
    assert [(await boss.get(path)).text for path in STATE] == before


ODD = {"/api/operator/decisions/basic-1": "bad_value", "/api/operator/watch": "upgrade_required"}


async def tries_everything(auditor: Somebody) -> None:
    """Every route of operators, as somebody who may only read."""
    for route in rest.OPERATORS:
        path = re.sub(r"\{\w+\}", "basic-1", route.path)
        if route.rule is Rule.OPERATOR:
            answer = await auditor.ask(route.method, path, {"why": "a test", "on": False})
            assert (answer.status, answer.code) == (403, "not_an_operator"), route.path
        elif route.rule is Rule.AUDITOR:
            answer = await auditor.ask(route.method, path, {} if route.method == "POST" else None)
            let_in = answer.code == ODD[path] if path in ODD else answer.status == 200
            assert let_in, (route.path, answer.text)


async def test_an_auditor_is_no_second_person(world: World) -> None:
    boss, eyes = await world.operator(), await world.auditor()
    await boss.post("/api/operator/permits", {"permit": BASIC, "why": "a test"})
    for path in ("permits/basic-1/suspend", "permits/basic-1/reinstate"):
        assert (await boss.post(f"/api/operator/{path}", {"why": "a test"})).status == 200
    answer = await eyes.post("/api/operator/permits/basic-1/reinstate", {"why": "a test"})
    assert (answer.status, answer.code) == (403, "not_an_operator")
    assert (await eyes.get("/api/operator/permits/basic-1")).json["standing"] == "suspended"


async def test_nobody_audits_what_they_do_themselves(world: World) -> None:
    boss = await world.operator()
    both = {"name": "both", "operator": True, "auditor": True}
    assert (await boss.post("/api/operator/accounts", both)).code == "bad_value"
    assert (await boss.post("/api/operator/accounts", {"name": "eyes", "auditor": True})).status == 201
    accounts = (await boss.get("/api/operator/accounts")).json["accounts"]
    assert {each["name"]: (each["operator"], each["auditor"]) for each in accounts} == {
        "boss": (True, False),
        "eyes": (False, True),
        "operator": (True, False),
    }


async def test_whoever_has_to_change_the_password_can_do_nothing_else(world: World) -> None:
    somebody = Somebody(world.http, world.operators)
    assert world.server.first_password is not None
    await somebody.sign_in("operator", world.server.first_password)
    for route in rest.OPERATORS:
        if route.rule in (*OPERATORS_RULES, Rule.SIGNED_IN):
            answer = await ask(somebody, route.method, route.path)
            assert (answer.status, answer.code) == (403, "password_change_required"), route.path
    change = {"password": world.server.first_password, "new_password": PASSWORD}
    assert (await somebody.post("/api/account/password", change)).status == 204
    assert (await somebody.get("/api/operator/accounts")).status == 401
    await somebody.sign_in("operator")
    assert (await somebody.get("/api/operator/accounts")).status == 200


async def test_a_token_in_the_query_is_no_credential(world: World) -> None:
    alice = await world.user("alice")
    stranger = world.stranger()
    for name in ("token", "access_token", "ticket"):
        assert (await stranger.get(f"/api/account?{name}={alice.token}")).status == 401


async def test_a_page_of_another_site_can_do_nothing(world: World) -> None:
    alice = await world.user("alice")
    foreign = (
        "https://evil.example",
        "null",
        world.callers + ".evil.example",
        world.callers.replace("127.0.0.1", "127.0.0.2"),
        "",
    )
    for origin in foreign:
        answer = await alice.post("/api/ticket", headers={"Origin": origin})
        assert (answer.status, answer.code) == (403, "foreign_origin"), origin
        sign_in = {"name": "alice", "password": PASSWORD, "kind": "browser"}
        assert (
            await world.stranger().post("/api/session", sign_in, headers={"Origin": origin})
        ).status == 403
        upgrade = await world.stranger().get("/api/socket", headers={"Origin": origin})
        assert upgrade.code == "foreign_origin"
    assert (await alice.post("/api/ticket", headers={"Origin": world.callers})).status == 201


async def test_a_cookie_alone_changes_nothing_without_an_origin(world: World) -> None:
    alice = await world.user("alice")
    cookie = {"Cookie": f"{COOKIE}={alice.token}"}
    alice.token = None
    assert (await alice.get("/api/account", headers=cookie)).status == 200
    assert (await alice.post("/api/ticket", headers=cookie)).code == "foreign_origin"
    assert (await alice.post("/api/ticket", headers={**cookie, "Origin": world.callers})).status == 201
    assert (await alice.get("/api/socket", headers=cookie)).code == "foreign_origin"


async def test_a_name_that_was_made_to_point_here_is_no_origin(world: World) -> None:
    answer = await world.stranger().post(
        "/api/account",
        {"name": "alice", "password": PASSWORD},
        headers={"Host": "evil.example", "Origin": "http://evil.example"},
    )
    assert answer.code == "foreign_origin"


async def test_what_operators_watch_is_not_told_to_a_name_that_was_made_to_point_here(world: World) -> None:
    watcher = Somebody(world.http, world.operators)
    port = world.operators.rpartition(":")[2]
    for path in ("/readyz", "/metrics"):
        for host, status in (
            (f"127.0.0.1:{port}", 200),
            (f"localhost:{port}", 200),
            (f"[::1]:{port}", 200),
            (f"evil.example:{port}", 403),
            ("127.0.0.1.evil.example", 403),
        ):
            answer = await watcher.get(path, headers={"Host": host})
            assert answer.status == status, (path, host)
            assert status == 200 or answer.code == "foreign_host"


async def test_with_a_public_address_only_its_pages_may_ask(begin: Begin) -> None:
    world = await begin(public_url="https://phone.example.org", origins="https://app.example.org")
    alice = await world.user("alice")
    for origin, status in (
        ("https://phone.example.org", 201),
        ("https://app.example.org", 201),
        ("http://phone.example.org", 403),
        ("https://phone.example.org.evil.example", 403),
        ("https://phone.example.org:444", 403),
        (world.callers, 403),
    ):
        answer = await alice.post("/api/ticket", headers={"Origin": origin})
        assert answer.status == status, origin


def test_no_handler_is_declared_twice() -> None:
    for listener in (rest.CALLERS, rest.OPERATORS):
        names = [route.name for route in listener]
        assert len(names) == len(set(names))
        assert all(inspect.iscoroutinefunction(route.handler) for route in listener)
