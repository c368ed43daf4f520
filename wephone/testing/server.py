"""The server of one test: the real one, on a free port of the loopback, its data in a temporary folder."""

import asyncio
import secrets
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from signaling.app.server import Server as OwnServer
from signaling.app.server import start
from signaling.configuration import made
from wephone.protocol.ids import UserId
from wephone.testing.clock import TestClock
from wephone.testing.timeline import Timeline
from wephone.transport import Credentials, Server, server_url

LABEL = "the test kit"


class TestServer:
    """Started when first asked for. What it keeps survives `restart`, and is gone when the test is over."""

    __test__ = False  # not a test, though pytest would take it for one

    def __init__(self, settings: dict[str, Any], clock: TestClock, timeline: Timeline) -> None:
        self._settings, self._clock, self._timeline = settings, clock, timeline
        self._folder: TemporaryDirectory[str] | None = None
        self._running: OwnServer | None = None
        self._passwords: dict[str, str] = {}
        self._tokens: dict[str, str] = {}
        self.port = self._operator_port = 0

    # Its life

    async def start(self) -> None:
        """Serve, unless it does already."""
        if self._running is not None:
            return
        if self._folder is None:
            self._folder = TemporaryDirectory(prefix="wephone-test-")
        given = {
            "listen": f"127.0.0.1:{self.port}",
            "operator_listen": f"127.0.0.1:{self._operator_port}",
            "data": Path(self._folder.name),
            **self._settings,
        }
        self._running = await start(made(given), clock=self._clock)
        self.port = server_url(self._running.url).port or 0
        self._operator_port = server_url(self._running.operator_url).port or 0
        self._timeline.add("server", "did", "start")

    async def stop(self) -> None:
        """As SIGTERM does, without waiting for calls. Its data stay."""
        if self._running is not None:
            self._timeline.add("server", "did", "stop")
            running, self._running = self._running, None
            await running.close()

    async def restart(self) -> None:
        """Stop, and start on the same ports and data."""
        await self.stop()
        await self.start()

    async def close(self) -> None:
        """Stop, and remove its data."""
        await self.stop()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def running(self) -> OwnServer:
        """The server itself, for what has no way through its doors."""
        if self._running is None:
            raise RuntimeError("the server is not started: `await wephone.server.start()`")
        return self._running

    async def until_connected(self, devices: int) -> None:
        """Wait until so many devices have an open connection: a lost one is noticed a little later."""
        lines = self.running.parts.exchange.lines
        while lines.connected() != devices:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)

    # Its users

    async def add_user(self, name: str) -> None:
        """An account, unless there is one."""
        if name in self._passwords:
            return
        await self.start()
        password = secrets.token_urlsafe(16)
        async with Server(self.url) as entrance:
            await entrance.register(UserId.parse(name), password)
        self._passwords[name] = password

    def password(self, name: str) -> str:
        """The password of an account that the kit has made."""
        return self._passwords[name]

    async def token(self, name: str) -> str:
        """A session of this user, for requests on its behalf."""
        if name not in self._tokens:
            async with Server(self.url) as entrance:
                signed_in = Credentials(name, self.password(name))
                self._tokens[name] = await entrance.sign_in(signed_in, LABEL)
        return self._tokens[name]

    async def request(
        self, name: str, method: str, path: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """A REST request as this user; the answer's JSON."""
        token = await self.token(name)
        async with Server(self.url) as entrance:
            return await entrance.request(method, path, body, token)

    async def block(self, name: str, blocked: str) -> None:
        """`name` wants no more calls and texts of `blocked`."""
        await self.request(name, "PUT", f"/api/blocked/{blocked}")

    async def sessions(self, name: str) -> list[dict[str, Any]]:
        """The sign-ins of this user, the test kit's own among them."""
        sessions: list[dict[str, Any]] = (await self.request(name, "GET", "/api/sessions"))["sessions"]
        return sessions

    async def sign_out_everywhere(self, name: str) -> None:
        """End all sessions of this user."""
        await self.request(name, "DELETE", "/api/sessions")
        self._tokens.pop(name, None)
