"""How operators' commands reach a server: by its Unix socket, by URL, or by opening its database.

With no server running, the command opens the data folder itself (nobody else may then) and talks to the same
operator API in its own process: there is one way to do each thing, and one place that checks it.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

from wephone.cli.output import Failure, say

if TYPE_CHECKING:
    from signaling.settings import Settings

STARTING = 15.0  # seconds that a server which holds the data folder may take until its socket is there
WITHIN = 60.0  # seconds for a request: changing a permit may wait for every node

Work = Callable[["OperatorApi"], Awaitable[int]]


class Refused(Failure):
    """The server's answer is a problem (RFC 9457); `problem` is its document."""

    def __init__(self, sentence: str, problem: dict[str, Any]) -> None:
        super().__init__(sentence)
        self.problem = problem


def add_options(parser: argparse.ArgumentParser) -> None:
    """Which server, and as which operator."""
    group = parser.add_argument_group("the server")
    group.add_argument(
        "--config", metavar="FILE", type=Path, help="the server's settings (WEPHONE_CONFIG, WEPHONE_*)"
    )
    group.add_argument("--url", help="the operators' listener of a server elsewhere")
    group.add_argument(
        "--as",
        dest="operator",
        metavar="OPERATOR",
        default=os.environ.get("WEPHONE_OPERATOR"),
        help="the account to act as (WEPHONE_OPERATOR; default `operator`). With --url it signs in by "
        "WEPHONE_OPERATOR_TOKEN, or by a password that is asked for",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document, last on stdout")


def add_why(parser: argparse.ArgumentParser) -> None:
    """Every change of what may be offered says why."""
    parser.add_argument(
        "--why",
        metavar="TEXT",
        default="no reason given",
        help="why; it enters the journal word for word, for good: name nobody in it",
    )


class OperatorApi:
    """A server's operator API."""

    def __init__(self, http: aiohttp.ClientSession, base: str) -> None:
        self._http, self._base = http, base

    async def request(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        query: dict[str, str] | None = None,
        within: float = WITHIN,
    ) -> dict[str, Any]:
        """One request; Failure with the server's sentence if it does not do it."""
        try:
            async with self._http.request(
                method,
                f"{self._base}{path}",
                json=body,
                params=query,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=within),
            ) as response:
                return answered(path, response.status, await response.text())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreachable(error) from None

    async def pieces(self, path: str) -> AsyncIterator[bytes]:
        """The bytes of an answer that may be long; Failure likewise, and if it is cut off."""
        patient = aiohttp.ClientTimeout(total=None, sock_read=WITHIN)
        try:
            async with self._http.get(
                f"{self._base}{path}", allow_redirects=False, timeout=patient
            ) as response:
                if response.status >= 300:
                    answered(path, response.status, await response.text())
                async for piece in response.content.iter_any():
                    yield piece
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreachable(error) from None


def answered(path: str, status: int, text: str) -> dict[str, Any]:
    """The document of an answer; Refused if it is a problem."""
    document = parsed(text)
    if status >= 300:
        sentence = str(document.get("detail") or f"the server answered {path} with HTTP {status}")
        raise Refused(sentence, document)
    return document


def unreachable(error: Exception) -> Failure:
    """What to say when there is no answer."""
    return Failure(f"the server cannot be reached: {str(error) or type(error).__name__}")


def run(args: argparse.Namespace, work: Work) -> int:
    """Carry out the work on the server that the options mean."""

    async def done() -> int:
        async with reached(args) as api:
            return await work(api)

    return asyncio.run(done())


@asynccontextmanager
async def reached(args: argparse.Namespace) -> AsyncIterator[OperatorApi]:
    """The operator API that the options mean."""
    if args.url:
        async with elsewhere(args) as api:
            yield api
        return
    settings = settings_of(args)
    if await is_listening(settings):
        async with on_this_machine(settings, args.operator) as api:
            yield api
        return
    async with offline(settings), on_this_machine(settings, args.operator) as api:
        yield api


def settings_of(args: argparse.Namespace) -> "Settings":
    """The server's settings; Failure if they cannot be used."""
    from signaling.configuration import SettingsError, load

    try:
        return load(args.config)
    except SettingsError as error:
        raise Failure(str(error)) from None


async def is_listening(settings: "Settings") -> bool:
    """Is there a server at the Unix socket?"""
    from signaling import local

    try:
        with local.reachable(settings.operator_socket) as address:
            _, writer = await asyncio.open_unix_connection(address)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


@asynccontextmanager
async def on_this_machine(settings: "Settings", operator: str | None) -> AsyncIterator[OperatorApi]:
    """By the Unix socket."""
    from signaling import local

    headers = {} if operator is None else {"WePhone-Operator": operator}
    with local.reachable(settings.operator_socket) as address:
        async with aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(address),
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=WITHIN),
        ) as http:
            yield OperatorApi(http, "http://localhost")


@asynccontextmanager
async def offline(settings: "Settings") -> AsyncIterator[None]:
    """The data folder opened here, or a server that has just taken it."""
    from signaling.app.errors import InUseError, StartError
    from signaling.app.server import start_offline

    loop = asyncio.get_running_loop()
    deadline = loop.time() + STARTING
    while True:
        try:
            server = await start_offline(settings)
        except InUseError as error:
            if await is_listening(settings):
                yield
                return
            if loop.time() > deadline:
                raise Failure(str(error)) from None
            await asyncio.sleep(0.05)
        except StartError as error:
            raise Failure(str(error)) from None
        else:
            break
    if server.first_password is not None:
        say(f"operator's account made: operator, password for one use: {server.first_password}")
    try:
        yield
    finally:
        await server.close()


@asynccontextmanager
async def elsewhere(args: argparse.Namespace) -> AsyncIterator[OperatorApi]:
    """By the operators' listener, signed in."""
    base = args.url.rstrip("/")
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=WITHIN)) as http:
        api = OperatorApi(http, base)
        if token := os.environ.get("WEPHONE_OPERATOR_TOKEN", ""):
            http.headers["Authorization"] = f"Bearer {token}"
            yield api
            return
        if not args.operator or not sys.stdin.isatty():
            raise Failure("say how to sign in: WEPHONE_OPERATOR_TOKEN, or --as NAME and a terminal")
        from getpass import getpass

        body = {"name": args.operator, "password": getpass(f"Password of {args.operator}: ")}
        http.headers["Authorization"] = f"Bearer {(await api.request('POST', '/api/session', body))['token']}"
        try:
            yield api
        finally:
            await api.request("DELETE", "/api/session")


def parsed(text: str) -> dict[str, Any]:
    """The JSON object that the server answered with; empty if it is none."""
    try:
        document = json.loads(text or "{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
