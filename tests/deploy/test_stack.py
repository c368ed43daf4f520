"""The three services of docker-compose.yml together: through the front to the server, and on to the relay."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from aiohttp import ClientSession, WSMsgType

from tests.deploy.compose import Service
from tests.deploy.conftest import Installation
from tests.deploy.test_front import trusted
from tests.deploy.turn import OK, Credentials, turn_client

PASSWORD = "a stack of three"


@dataclass(frozen=True, slots=True)
class Stack:
    """What a caller knows of it, and what the operator sees in the ready line."""

    https: str
    client: ClientSession
    ready: dict[str, Any]
    installation: Installation

    async def add_user(self, name: str) -> None:
        """As the operator does, in the server's container."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "wephone.cli.main", "user", "add", name, "--password-stdin"),
            env=server_environment(self.installation.folder),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate(f"{PASSWORD}\n".encode())
        assert process.returncode == 0, said.decode()

    async def sign_in(self, name: str) -> dict[str, str]:
        """Headers that say who speaks."""
        body = {"name": name, "password": PASSWORD, "kind": "headless"}
        async with self.client.post(f"{self.https}/api/session", json=body) as answer:
            assert answer.status == 201, await answer.text()
            return {"Authorization": f"Bearer {(await answer.json())['token']}"}


def server_environment(folder: Path) -> dict[str, str]:
    """Where a container has its own addresses and data, this machine has free ports and a folder."""
    return {
        "WEPHONE_LISTEN": "127.0.0.1:0",
        "WEPHONE_OPERATOR_LISTEN": "127.0.0.1:0",
        "WEPHONE_DATA": str(folder / "data"),
    }


async def ready_line(log: Path) -> dict[str, Any]:
    """The document that the server prints once it serves."""
    async with asyncio.timeout(60):
        while True:
            if document := printed(log):
                return document
            await asyncio.sleep(0.05)


def printed(log: Path) -> dict[str, Any] | None:
    for line in log.read_text().splitlines(keepends=True):
        if line.startswith("ready ") and line.endswith("\n"):
            document: dict[str, Any] = json.loads(line.removeprefix("ready "))
            return document
    return None


@pytest.fixture
async def stack(installation: Installation) -> AsyncIterator[Stack]:
    folder, variables = installation.folder, {**installation.variables, "INSIDE_SUBNET": "127.0.0.0/8"}
    with ExitStack() as running:

        def start(name: str, **instead: str) -> None:
            service = Service.read(name, variables, installation.secret_files)
            running.enter_context(service.running(folder, **instead))

        start("coturn", TURN_RUN=str(folder))
        start("wephone", **server_environment(folder))
        ready = await ready_line(folder / "wephone.log")
        start("caddy", WEPHONE_UPSTREAM=ready["listen"])
        port = installation.port("WEPHONE_HTTPS_PORT")
        context = await trusted(folder, port)
        async with ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as client:
            yield Stack(f"https://localhost:{port}", client, ready, installation)


async def test_a_caller_signs_in_and_talks_on_the_socket(stack: Stack) -> None:
    await stack.add_user("alice")
    who = await stack.sign_in("alice")
    async with stack.client.post(f"{stack.https}/api/ticket", headers=who) as answer:
        ticket = (await answer.json())["ticket"]
    socket_url = f"{stack.https}/api/socket"
    # The origin is what a page of this installation has, and no other.
    async with stack.client.ws_connect(
        socket_url, protocols=["wephone.v1"], headers={"Origin": stack.https}
    ) as socket:
        await socket.send_json({"type": "hello", "ticket": ticket, "device": str(uuid4())})
        message = await socket.receive(timeout=30)
        assert message.type in (WSMsgType.TEXT, WSMsgType.BINARY)
        assert json.loads(message.data)["type"] == "welcome"
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await stack.client.ws_connect(
            socket_url, protocols=["wephone.v1"], headers={"Origin": "https://evil.example"}
        )


async def test_the_server_s_credentials_open_the_relay(stack: Stack) -> None:
    await stack.add_user("alice")
    async with stack.client.get(f"{stack.https}/api/turn", headers=await stack.sign_in("alice")) as answer:
        servers = (await answer.json())["ice_servers"]
    (relay,) = [server for server in servers if server.get("credential")]
    port = stack.installation.port("TURN_PORT")
    assert relay["urls"] == [f"turn:localhost:{port}?transport={kind}" for kind in ("udp", "tcp")]
    credentials = Credentials(relay["username"], relay["credential"])
    async with turn_client(("127.0.0.1", port), credentials) as client:
        assert (await client.allocate()).code == OK


async def test_the_relay_s_credentials_are_for_those_who_signed_in(stack: Stack) -> None:
    async with stack.client.get(f"{stack.https}/api/turn") as answer:
        assert answer.status == 401


async def test_operators_do_not_come_in_by_the_front(stack: Stack) -> None:
    own = aiohttp.ClientSession()
    async with own, own.get(f"{stack.ready['operator_url']}/metrics") as answer:
        assert answer.status == 200
    for path in ("/metrics", "/readyz", "/api/operator/accounts", "/api/operator/invitations"):
        async with stack.client.get(f"{stack.https}{path}") as answer:
            assert answer.status == 404, path


async def test_nobody_opens_an_account_uninvited(stack: Stack) -> None:
    """The server listens on loopback here, but it has a front: it is open to the world."""
    body = {"name": "mallory", "password": PASSWORD}
    async with stack.client.post(f"{stack.https}/api/account", json=body) as answer:
        assert answer.status == 403


async def test_a_caller_s_address_is_what_the_front_saw(stack: Stack) -> None:
    """One address may guess at one account ten times in a row, whatever it claims to be."""
    statuses = []
    for guess in range(12):
        body = {"name": "operator", "password": f"wrong password {guess}", "kind": "headless"}
        claim = {"X-Forwarded-For": f"192.0.2.{guess}"}
        async with stack.client.post(f"{stack.https}/api/session", json=body, headers=claim) as answer:
            statuses.append(answer.status)
    assert 429 in statuses
    assert set(statuses) <= {401, 429}
