"""The middleware in an application of its own, over a real socket."""

import functools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from licensing.facts import CallFacts, Role, app_leg, phone_leg
from licensing.gate import Ask
from licensing.middleware import gated, licence_middleware, verdict_of
from licensing.numbering import Place, canonicalise
from licensing.register import Register
from tests.licensing.click_to_call import REGISTER, make_app
from tests.licensing.conftest import BASIC, Office

Client = TestClient[web.Request, web.Application]
CALL = {"id": "4be0643f-1d98-473b-97cd-ca98a65347dd", "from": "alice", "to": "+86 139 1234 5678"}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with TestClient(TestServer(await make_app(tmp_path))) as client:
        yield client


def register_of(client: Client) -> Register:
    assert client.app is not None
    return client.app[REGISTER]


async def test_an_unlicensed_call_gets_a_451_that_says_why(client: Client) -> None:
    async with client.post("/call", json=CALL) as response:
        document = await response.json()
        assert response.status == document["status"] == 451
        assert response.content_type == "application/problem+json"
        assert response.headers["Link"] == '<https://example.org/operator>; rel="blocked-by"'
        assert response.headers["Cache-Control"] == "no-store"
    assert document["code"] == "DENY_NO_PERMIT"
    assert document["permit_needed"] == "baseline:basic"
    assert document["decision"].startswith("D-")
    assert document["instance"].endswith(document["decision"])
    assert document["text"].keys() == {"en", "zh-CN"}
    assert document["detail"] == document["text"]["en"]


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ("", "en"),
        ("zh-Hans-CN, en;q=0.5", "zh-CN"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("de, zh;q=0.1", "zh-CN"),
        ("zh;q=nonsense", "en"),
    ],
)
async def test_the_detail_is_in_the_callers_language(client: Client, wanted: str, got: str) -> None:
    async with client.post("/call", json=CALL, headers={"Accept-Language": wanted}) as response:
        document = await response.json()
        assert response.headers["Content-Language"] == got
        assert document["detail"] == document["text"][got]


async def test_a_licensed_call_reaches_its_handler_with_its_grant(client: Client) -> None:
    await register_of(client).add_permit(BASIC, by="root", why="granted")
    async with client.post("/call", json=CALL) as response:
        assert response.status == 200
        assert (await response.json())["calling"] == "+8613912345678"
    await register_of(client).revoke("basic-1", by="root", why="order")
    async with client.post("/call", json=CALL) as response:
        assert response.status == 451


async def test_a_route_without_declaration_is_not_touched(office: Office) -> None:
    def ask(request: web.Request) -> Ask:
        facts = CallFacts((app_leg(Role.ORIGIN), app_leg(Role.DESTINATION)))
        return Ask(request.match_info["id"], facts)

    async def free(request: web.Request) -> web.Response:
        return web.Response(text="free")

    class Calls(web.View):
        @gated(ask)
        async def post(self) -> web.Response:
            return web.Response(text=verdict_of(self.request).id)

        async def get(self) -> web.Response:
            return web.Response(text="free")

    app = web.Application(middlewares=[licence_middleware(office.gate, blocked_by="https://example.org")])
    app.router.add_get("/", free)
    app.router.add_view("/calls/{id}", Calls)
    before = (await office.file.head()).seq
    async with TestClient(TestServer(app)) as client:
        for path in ("/", "/calls/c1"):
            assert await (await client.get(path)).text() == "free"
        assert (await office.file.head()).seq == before
        decision = await (await client.post("/calls/c1")).text()
        assert (await client.put("/calls/c1")).status == 405
    [body] = await office.entries(decision)
    assert body["call"] == "c1"
    assert (await office.file.head()).seq == before + 1


def an_app_call(request: web.Request) -> Ask:
    return Ask("c1", CallFacts((app_leg(Role.ORIGIN), app_leg(Role.DESTINATION))))


def a_call_to_a_phone(request: web.Request) -> Ask:
    number = canonicalise("+8613912345678", Place(homes=("CN",)))
    return Ask("c1", CallFacts((app_leg(Role.ORIGIN), phone_leg(Role.DESTINATION, number))))


@gated(an_app_call)
async def lawful(request: web.Request) -> web.Response:
    return web.Response(text=verdict_of(request).id)


@gated(a_call_to_a_phone)
async def unlawful(request: web.Request) -> web.Response:
    return web.Response(text="it ran")


@gated(an_app_call)
async def lawful_that_does_more(request: web.Request) -> web.Response:
    return await unlawful(request)


async def calls_it(prefix: str, request: web.Request) -> web.Response:
    return await unlawful(request)


def plainly(handler: Callable[[web.Request], Awaitable[web.Response]]) -> Any:
    async def wrapper(request: web.Request) -> web.Response:
        return await handler(request)

    return wrapper


def properly(handler: Callable[[web.Request], Awaitable[web.Response]]) -> Any:
    @functools.wraps(handler)
    async def wrapper(request: web.Request) -> web.Response:
        return await handler(request)

    return wrapper


class Phones(web.View):
    @gated(a_call_to_a_phone)
    async def post(self) -> web.Response:
        return web.Response(text="it ran")

    async def get(self) -> web.Response:
        return await self.post()


class Desk:
    @gated(a_call_to_a_phone)
    async def call(self, request: web.Request) -> web.Response:
        return web.Response(text="it ran")

    async def other(self, request: web.Request) -> web.Response:
        return await self.call(request=request)


def served(office: Office, handler: Any, *, asked: bool = True) -> TestServer:
    middlewares = [licence_middleware(office.gate, blocked_by="https://example.org")] if asked else []
    app = web.Application(middlewares=middlewares)
    app.router.add_view("/", handler) if isinstance(handler, type) else app.router.add_get("/", handler)
    return TestServer(app)


UNSEEN = [
    pytest.param(plainly(unlawful), id="a decorator that hides it"),
    pytest.param(functools.partial(unlawful), id="a partial"),
    pytest.param(functools.partial(calls_it, "+86"), id="a partial that calls it"),
    pytest.param(Phones, id="a view's other method"),
    pytest.param(Desk().other, id="an object's other method"),
    pytest.param(lawful_that_does_more, id="a handler that was allowed something else"),
    pytest.param(plainly(lawful), id="hidden, however lawful it is"),
]


@pytest.mark.parametrize("handler", UNSEEN)
async def test_a_gated_handler_that_nobody_asked_about_does_not_run(
    office: Office, handler: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with TestClient(served(office, handler)) as client, client.get("/") as response:
        assert (response.status, "it ran" in await response.text()) == (500, False)
    [said] = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert (
        "did not run, for the gate was not asked: the application needs `licence_middleware`" in said.message
    )


async def test_without_the_middleware_a_gated_handler_does_not_run(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    async with TestClient(served(office, lawful, asked=False)) as client, client.get("/") as response:
        assert response.status == 500
    assert "`lawful` did not run" in caplog.text


SEEN = [
    pytest.param(unlawful, id="a function"),
    pytest.param(properly(unlawful), id="a decorator with wraps"),
    pytest.param(Desk().call, id="an object's method"),
]


@pytest.mark.parametrize("handler", SEEN)
async def test_what_the_middleware_sees_is_asked_about(office: Office, handler: Any) -> None:
    async with TestClient(served(office, handler)) as client, client.get("/") as response:
        assert response.status == 451


async def test_a_lawful_handler_runs_as_well_under_a_decorator_with_wraps(office: Office) -> None:
    async with TestClient(served(office, properly(lawful))) as client, client.get("/") as response:
        assert (response.status, (await response.text())[:2]) == (200, "D-")


def test_a_class_cannot_be_gated() -> None:
    with pytest.raises(TypeError, match="`Phones` is a class"):
        gated(an_app_call)(Phones)


def test_the_document_quotes_the_example_as_it_is() -> None:
    root = Path(__file__).parents[2]
    example = (root / "tests/licensing/click_to_call.py").read_text("utf-8")
    code = example.split('"""', 2)[2].strip()
    assert code in (root / "docs/middleware.md").read_text("utf-8")
