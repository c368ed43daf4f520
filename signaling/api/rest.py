"""All routes of each listener: the socket, the documents made from routes and models, and the parts' own."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache

from aiohttp import WSCloseCode, web

from signaling.api import (
    account,
    audit,
    calls,
    charts,
    configured,
    evidence,
    export,
    facts,
    forwarding,
    health,
    history,
    lawbook,
    live,
    operator,
    overview,
    pages,
    permits,
    presence,
    proof,
    push,
    records,
    suppose,
    switches,
    telephone,
)
from signaling.api.openapi import openapi
from signaling.api.problem import Problem
from signaling.api.routes import Route, Routes, Rule
from signaling.api.visit import Visit
from signaling.api.websocket import MAX_MESSAGE, Handshake
from wephone.protocol.codec import json_schema
from wephone.protocol.messages import SUBPROTOCOL

ANSWER_CLOSE_WITHIN = 2.0  # seconds

own = Routes()
documents = Routes()
operator_documents = Routes()


class Socket(web.WebSocketResponse):
    """A WebSocket that another task can close in order: our code, the peer's answer, then the connection.

    aiohttp cuts the connection at once when a receive is under way: the peer would see it break (RFC 6455
    §7.1.1 has the server wait for the answer). So the frame is written here, and whoever receives reads on.
    """

    _reader_task: asyncio.Task[object] | None = None
    _left: asyncio.Event

    @contextmanager
    def read_here(self) -> Iterator[None]:
        """Meanwhile the running task receives: what closes from elsewhere waits for it."""
        self._reader_task, self._left = asyncio.current_task(), asyncio.Event()
        try:
            yield
        finally:
            self._reader_task = None
            self._left.set()

    async def close(self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True) -> bool:
        """See aiohttp."""
        if self._reader_task not in (None, asyncio.current_task()) and not self.closed:
            transport = None if self._req is None else self._req.transport
            if transport is None:
                return False
            transport.write(close_frame(code, message))
            with suppress(TimeoutError):
                async with asyncio.timeout(ANSWER_CLOSE_WITHIN):
                    await self._left.wait()
                return True
        return await super().close(code=code, message=message, drain=drain)


def close_frame(code: int, reason: bytes) -> bytes:
    """One unmasked close frame (RFC 6455 §5.5.1)."""
    payload = code.to_bytes(2) + reason[:123]
    return b"\x88" + len(payload).to_bytes() + payload


@own.add("GET", "/api/socket", Rule.ANYONE, status=101)
async def socket(visit: Visit) -> web.StreamResponse:
    """The WebSocket. Its first frame signs in, by a ticket."""
    request = visit.request
    if "Origin" not in request.headers and "Cookie" in request.headers:
        raise Problem(403, "foreign_origin", "a request with a cookie must say its origin")
    response = Socket(
        timeout=ANSWER_CLOSE_WITHIN,
        compress=False,  # each browser offers it; it costs a factor of 1.8 in calls and of 7 in memory
        protocols=(SUBPROTOCOL,),
        max_msg_size=MAX_MESSAGE,
        heartbeat=visit.parts.settings.heartbeat,
        decode_text=False,
    )
    if not response.can_prepare(request).ok:
        raise Problem(426, "upgrade_required", "this is a WebSocket", headers={"Upgrade": "websocket"})
    await response.prepare(request)
    with response.read_here():
        connection = await Handshake(visit.parts.exchange, response, request, visit.address).receive()
        if connection is not None:
            await connection.run()
    return response


@documents.add("GET", "/api/openapi.json", Rule.ANYONE, status=200)
async def openapi_json(visit: Visit) -> web.Response:
    """This description, made from the routes and models (OpenAPI 3.1)."""
    return web.json_response(openapi(CALLERS, "WePhone", visit.parts.version, visit.cookie))


@documents.add("GET", "/api/protocol.json", Rule.ANYONE, status=200)
async def protocol_json(visit: Visit) -> web.Response:
    """JSON Schema of every message on the socket."""
    return web.Response(body=protocol(), content_type="application/schema+json")


@operator_documents.add("GET", "/api/openapi.json", Rule.ANYONE, status=200)
async def operator_openapi_json(visit: Visit) -> web.Response:
    """This description, made from the routes and models (OpenAPI 3.1)."""
    return web.json_response(openapi(OPERATORS, "WePhone, for operators", visit.parts.version, visit.cookie))


@lru_cache(maxsize=1)
def protocol() -> bytes:
    """The schema, made once."""
    return json.dumps(json_schema(), ensure_ascii=False).encode()


CALLERS: tuple[Route, ...] = (
    *pages.routes.all,
    *own.all,
    *documents.all,
    *health.callers.all,
    *account.routes.all,
    *forwarding.routes.all,
    *facts.routes.all,
    *history.routes.all,
    *presence.routes.all,
    *push.routes.all,
    *calls.routes.all,
)
# What an operator's console needs of its own account is the same as a caller's.
_OF_THE_OWN_ACCOUNT = ("sign_in", "sign_out", "account", "change_password", "sessions", "end_session")
OPERATORS: tuple[Route, ...] = (
    *pages.operator_routes.all,
    *operator_documents.all,
    *health.operators.all,
    *(route for route in account.routes.all if route.name in _OF_THE_OWN_ACCOUNT),
    *overview.routes.all,
    *charts.routes.all,
    *proof.routes.all,
    *operator.routes.all,
    *facts.operator_routes.all,
    *telephone.routes.all,
    *permits.routes.all,
    *switches.routes.all,
    *suppose.routes.all,
    *lawbook.routes.all,
    *live.routes.all,
    *configured.routes.all,
    *evidence.routes.all,
    *audit.routes.all,
    *export.routes.all,
    *records.routes.all,
)
