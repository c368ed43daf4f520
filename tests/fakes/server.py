"""A server that says what a test tells it to: for clients, to be told what no real server would say."""

import json
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

from aiohttp import WSMsgType, web

from wephone.protocol.messages import SUBPROTOCOL

Talk = Callable[["Line"], Awaitable[None]]


class Line:
    """One socket that a client has opened, after its hello."""

    def __init__(self, socket: web.WebSocketResponse, hello: dict[str, Any]) -> None:
        self.socket = socket
        self.hello = hello

    async def say(self, type: str, **fields: Any) -> None:
        """One frame."""
        await self.socket.send_str(json.dumps({"type": type, **fields}))

    async def welcome(self, *, resumed: bool = False, session: str = "session-1") -> None:
        """Sign the client in; if it is new here, it has no calls."""
        await self.say(
            "welcome",
            user="alice",
            device=self.hello["device"],
            session=session,
            resumed=resumed,
            now=0,
            heartbeat=20.0,
            resume_for=60.0,
        )
        if not resumed:
            await self.say("resync", n=1)

    async def hear(self, type: str) -> dict[str, Any]:
        """The client's next frame of this type; others are passed over."""
        while True:
            frame = await self.socket.receive()
            assert frame.type is WSMsgType.TEXT, f"the client has closed, without a `{type}`"
            message: dict[str, Any] = json.loads(frame.data)
            if message["type"] == type:
                return message

    async def gone(self) -> None:
        """Wait until the client has closed."""
        async for _ in self.socket:
            pass


class ScriptedServer:
    """Signs everybody in, then follows its script: a talk for each connection, the last for all others."""

    def __init__(self, *script: Talk) -> None:
        self.script = list(script)
        self.hellos: list[dict[str, Any]] = []
        self.statuses: dict[str, list[int]] = {}  # path -> answers to come, 200 when there are no more
        self.url = ""
        self._runner: web.ServerRunner | None = None

    async def __aenter__(self) -> Self:
        self._runner = web.ServerRunner(web.Server(self._handle))
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = site.name
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        status = next(iter(self.statuses.get(request.path, ())), 200)
        if status != 200:
            self.statuses[request.path].pop(0)
            return web.json_response({"detail": f"the script answers {status}"}, status=status)
        match request.path:
            case "/api/session":
                return web.json_response({"token": "token"})
            case "/api/ticket":
                return web.json_response({"ticket": "ticket-ticket-ticket"})
            case "/api/turn":
                return web.json_response({"ice_servers": [], "lifetime": None})
            case _:
                return await self._talk(request)

    async def _talk(self, request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=(SUBPROTOCOL,))
        await socket.prepare(request)
        hello = await socket.receive()
        line = Line(socket, json.loads(hello.data))
        self.hellos.append(line.hello)
        talk = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        await talk(line)
        await socket.close()
        return socket
