"""A listener: an application at an address, with patience for slow peers that comes to an end."""

import asyncio
import os
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from signaling.settings import Endpoint

BACKLOG = 4096  # with aiohttp's 128 a storm of 5,000 returning clients takes five times as long
FIRST_REQUEST_WITHIN = 20.0  # seconds from the connection to the end of its first request's head
HANDSHAKE_WITHIN = 10.0  # seconds, of TLS
KEEP_ALIVE = 75.0  # seconds between two requests of a connection
CLOSING = 3.0  # seconds for handlers to end once their connections are closed


Serve = Callable[[], Awaitable[None]]


class ListenError(Exception):
    """Nobody can be served there; one sentence."""


class Patience:
    """Cuts off connections that never ask for anything: each holds memory and a file."""

    def __init__(self, seconds: float = FIRST_REQUEST_WITHIN) -> None:
        self._seconds = seconds
        self._silent: set[web.RequestHandler] = set()

    def watch(self, connection: web.RequestHandler) -> None:
        """A connection that has just been made."""
        self._silent.add(connection)
        asyncio.get_running_loop().call_later(self._seconds, self._lose, connection)

    def heard(self, request: web.BaseRequest) -> None:
        """A request's head has arrived."""
        self._silent.discard(request.protocol)

    def _lose(self, connection: web.RequestHandler) -> None:
        if connection in self._silent:
            self._silent.discard(connection)
            connection.force_close()


def listening(patience: Patience) -> Middleware:
    """Tells of every request, before anything is done with it."""

    @web.middleware
    async def heard(request: web.Request, handler: Handler) -> web.StreamResponse:
        patience.heard(request)
        return await handler(request)

    return heard


async def runner_of(app: web.Application, stack: AsyncExitStack) -> web.AppRunner:
    """Runs the application, until the stack is closed."""
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        keepalive_timeout=KEEP_ALIVE,
        shutdown_timeout=CLOSING,
    )
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    return runner


async def listen_at(
    endpoint: Endpoint, app: web.Application, stack: AsyncExitStack, tls: ssl.SSLContext | None = None
) -> tuple[int, Serve]:
    """Take the address for the application: its port, and what begins to serve. ListenError by either."""
    patience = Patience()

    app.middlewares.insert(0, listening(patience))
    runner = await runner_of(app, stack)

    def connected() -> asyncio.Protocol:
        assert runner.server is not None
        connection = runner.server()
        patience.watch(connection)
        return connection

    try:
        server = await asyncio.get_running_loop().create_server(
            connected,
            endpoint.host,
            endpoint.port,
            backlog=BACKLOG,
            start_serving=False,
            ssl=tls,
            ssl_handshake_timeout=None if tls is None else HANDSHAKE_WITHIN,
        )
    except OSError as error:
        raise cannot_listen(endpoint, error) from None
    stack.callback(server.close)

    async def serve() -> None:
        try:
            await server.start_serving()
        except OSError as error:
            raise cannot_listen(endpoint, error) from None

    port: int = server.sockets[0].getsockname()[1]
    return port, serve


def cannot_listen(endpoint: Endpoint, error: OSError) -> ListenError:
    """Why nobody can be served there."""
    match error:
        case socket.gaierror():
            why = f"there is no host `{endpoint.host}`"
        case OSError(errno=int(number)) if number > 0:
            why = os.strerror(number).lower()
        case _:
            why = str(error)
    return ListenError(f"cannot listen on {endpoint}: {why}")
