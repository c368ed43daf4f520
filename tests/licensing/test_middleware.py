"""The middleware in an application of its own, over a real socket."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from licensing.facts import CallFacts, Role, app_leg
from licensing.gate import Ask
from licensing.middleware import gated, licence_middleware, verdict_of
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


def test_the_document_quotes_the_example_as_it_is() -> None:
    root = Path(__file__).parents[2]
    example = (root / "tests/licensing/click_to_call.py").read_text("utf-8")
    code = example.split('"""', 2)[2].strip()
    assert code in (root / "docs/middleware.md").read_text("utf-8")
