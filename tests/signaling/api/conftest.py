"""A whole server on free ports of the loopback, its clock in the test's hand, and somebody who asks it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from signaling.app.server import Server, start
from signaling.configuration import made
from tests.fakes.clock import HandClock
from wephone.protocol.ids import UserId

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> Any:
        """The problem's code, if it is a problem."""
        assert self.headers["content-type"].startswith("application/problem+json"), self.text
        assert self.json["status"] == self.status
        return self.json["code"]


class Somebody:
    """Asks one listener."""

    def __init__(self, http: aiohttp.ClientSession, base: str) -> None:
        self.http, self.base = http, base
        self.token: str | None = None

    async def ask(
        self, method: str, path: str, body: object = None, *, headers: dict[str, str] | None = None
    ) -> Answer:
        """One request, with the token if there is one."""
        sent = {**({"Authorization": f"Bearer {self.token}"} if self.token else {}), **(headers or {})}
        async with self.http.request(
            method, self.base + path, json=body, headers=sent, allow_redirects=False
        ) as response:
            answered = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, answered, await response.text())

    async def get(self, path: str, **more: Any) -> Answer:
        return await self.ask("GET", path, **more)

    async def post(self, path: str, body: object = None, **more: Any) -> Answer:
        return await self.ask("POST", path, body, **more)

    async def sign_in(self, name: str, password: str = PASSWORD) -> str:
        """The token, which is used from now on."""
        answer = await self.post("/api/session", {"name": name, "password": password})
        assert answer.status == 201, answer.text
        self.token = token = str(answer.json["token"])
        return token

    async def ticket(self) -> str:
        answer = await self.post("/api/ticket")
        assert answer.status == 201, answer.text
        return str(answer.json["ticket"])


class World:
    """One server, and people at it."""

    def __init__(self, server: Server, clock: HandClock, http: aiohttp.ClientSession) -> None:
        self.server, self.clock, self.http = server, clock, http
        self.callers, self.operators = f"http://{server.ready['listen']}", server.operator_url

    def stranger(self) -> Somebody:
        """Somebody without credentials, at the callers' listener."""
        return Somebody(self.http, self.callers)

    async def user(self, name: str) -> Somebody:
        """Somebody with an account, signed in at the callers' listener."""
        await self.server.parts.accounts.add(name_of(name), PASSWORD)
        return await self.again(name)

    async def again(self, name: str) -> Somebody:
        """Another session of an account."""
        somebody = self.stranger()
        await somebody.sign_in(name)
        return somebody

    async def auditor(self, name: str = "eyes") -> Somebody:
        """An auditor, signed in at the operators' listener."""
        await self.server.parts.accounts.add(name_of(name), PASSWORD, auditor=True)
        somebody = Somebody(self.http, self.operators)
        await somebody.sign_in(name)
        return somebody

    async def operator(self, name: str = "boss") -> Somebody:
        """An operator, signed in at the operators' listener."""
        await self.server.parts.accounts.add(name_of(name), PASSWORD, operator=True)
        somebody = Somebody(self.http, self.operators)
        await somebody.sign_in(name)
        return somebody

    async def until_away(self, name: str) -> None:
        """Wait until the server knows that no device of theirs is connected."""
        lines = self.server.parts.exchange.lines
        while lines.is_here(name_of(name)):  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0)


def name_of(text: str) -> UserId:
    return UserId.parse(text)


Begin = Callable[..., Awaitable[World]]


@pytest.fixture
async def begin(tmp_path: Path) -> AsyncIterator[Begin]:
    """Starts a server with these settings."""
    async with AsyncExitStack() as stack:

        async def started(clock: HandClock | None = None, **settings: Any) -> World:
            clock = clock or HandClock()
            values = {
                "listen": "127.0.0.1:0",
                "operator_listen": "127.0.0.1:0",
                "data": tmp_path / "data",
                **settings,
            }
            server = await start(made(values), clock=clock)
            stack.push_async_callback(server.close)
            http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
            return World(server, clock, http)

        yield started


@pytest.fixture
async def world(begin: Begin) -> World:
    """A server as it is without settings."""
    return await begin()
