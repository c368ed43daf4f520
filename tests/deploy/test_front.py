"""Caddy as docker-compose.yml configures it, before an upstream that tells what reached it."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import aiohttp
import pytest
from aiohttp import ClientSession, WSMsgType, web

from tests.deploy.compose import Service
from tests.deploy.conftest import Installation


@dataclass(frozen=True, slots=True)
class Front:
    """Its two doors, and a client that trusts the certificate."""

    https: str
    http: str
    client: ClientSession
    upstream: web.AppRunner
    taken: list[int]  # lengths of the bodies that reached it whole


TAKEN = web.AppKey("taken", list[int])


async def tell(request: web.Request) -> web.Response:
    headers = {"Strict-Transport-Security": "max-age=1", "Server": "wephone"}
    return web.json_response(dict(request.headers), headers=headers)


async def take(request: web.Request) -> web.Response:
    length = len(await request.read())
    request.app[TAKEN].append(length)
    return web.json_response({"length": length})


async def echo(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(protocols=["wephone.v1"], compress=False)
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(message.data)
    return socket


async def start_upstream(taken: list[int]) -> web.AppRunner:
    app = web.Application(client_max_size=8 << 20)
    app[TAKEN] = taken
    app.add_routes([web.get("/api/socket", echo), web.post("/api/take", take), web.get("/{path:.*}", tell)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


async def trusted(folder: Path, port: int) -> ssl.SSLContext:
    """Trust in the authority that Caddy makes for itself, as soon as it serves with it."""
    root = folder / ".local/share/caddy/pki/authorities/local/root.crt"
    async with asyncio.timeout(60):
        while True:
            try:
                context = ssl.create_default_context(cafile=str(root))
                _, writer = await asyncio.open_connection("localhost", port, ssl=context)
            except OSError:  # no file yet, no listener yet, or no certificate yet
                await asyncio.sleep(0.05)
                continue
            writer.close()
            await writer.wait_closed()
            return context


@pytest.fixture
async def front(installation: Installation) -> AsyncIterator[Front]:
    taken: list[int] = []
    upstream = await start_upstream(taken)
    host, port = upstream.addresses[0][:2]
    service = Service.read("caddy", installation.variables, {})
    https, http = installation.port("WEPHONE_HTTPS_PORT"), installation.port("WEPHONE_HTTP_PORT")
    with service.running(installation.folder, WEPHONE_UPSTREAM=f"{host}:{port}"):
        context = await trusted(installation.folder, https)
        async with ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as client:
            yield Front(f"https://localhost:{https}", f"http://localhost:{http}", client, upstream, taken)
    await upstream.cleanup()


async def test_a_browser_is_told_to_come_by_https_from_now_on(front: Front) -> None:
    async with front.client.get(f"{front.https}/") as answer:
        assert answer.status == 200
        check_headers(answer)


def check_headers(answer: aiohttp.ClientResponse) -> None:
    """Once, and for a year at least; and not a word on who answers."""
    (policy,) = answer.headers.getall("Strict-Transport-Security")
    name, _, seconds = policy.partition("=")
    assert (name, int(seconds) >= 365 * 24 * 3600) == ("max-age", True)
    assert "Server" not in answer.headers


async def test_what_a_client_says_about_itself_ends_at_the_front(front: Front) -> None:
    claims = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "gopher",
        "X-Forwarded-Host": "evil.example",
    }
    async with front.client.get(f"{front.https}/", headers=claims) as answer:
        seen = await answer.json()
    assert seen["X-Forwarded-For"] in ("127.0.0.1", "::1")
    assert seen["X-Forwarded-Proto"] == "https"
    assert "evil.example" not in json.dumps(seen)


async def test_a_web_socket_passes_whole(front: Front) -> None:
    frame = "x" * 60_000
    async with front.client.ws_connect(f"{front.https}/api/socket", protocols=["wephone.v1"]) as socket:
        assert socket.protocol == "wephone.v1"
        for _ in range(3):
            await socket.send_str(frame)
            message = await socket.receive(timeout=30)
            assert (message.type, message.data) == (WSMsgType.TEXT, frame)


async def test_a_program_that_speaks_http_in_clear_is_refused(front: Front) -> None:
    for path in ("/api/session", "/api/socket"):
        async with front.client.get(f"{front.http}{path}", allow_redirects=False) as answer:
            assert answer.status == 403
            assert "HTTPS" in await answer.text()


async def test_a_person_who_speaks_http_in_clear_is_led_on(front: Front) -> None:
    async with front.client.get(f"{front.http}/invite/abc", allow_redirects=False) as answer:
        assert answer.status == 308
        assert answer.headers["Location"] == f"{front.https}/invite/abc"


LONGEST = 999_999  # bytes of a body


async def test_a_request_has_bounds(front: Front) -> None:
    async with front.client.post(f"{front.https}/api/take", data=BytesIO(bytes(LONGEST))) as answer:
        assert await answer.json() == {"length": LONGEST}
    async with front.client.post(f"{front.https}/api/take", data=BytesIO(bytes(LONGEST + 1))) as answer:
        assert answer.status == 413
        check_headers(answer)
    async with front.client.get(f"{front.https}/", headers={"X-Long": "x" * 40_000}) as answer:
        assert answer.status == 431


async def test_a_body_of_unknown_length_is_cut_off(front: Front) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield bytes(100_000)

    with suppress(aiohttp.ClientError):  # the connection may be gone before the answer is read
        async with front.client.post(f"{front.https}/api/take", data=body()) as answer:
            assert answer.status in (413, 502)  # as Caddy's release has it
    assert front.taken == []


async def test_an_upstream_that_is_gone_is_an_error_without_details(front: Front) -> None:
    await front.upstream.cleanup()
    async with front.client.get(f"{front.https}/") as answer:
        assert answer.status == 502
        check_headers(answer)
        assert await answer.text() == ""


async def test_nobody_changes_a_running_front(installation: Installation) -> None:
    """No admin interface; one upstream, and one only."""
    service = Service.read("caddy", installation.variables, {})
    adapt = ["adapt", "--config", service.outside("/etc/wephone/caddy/Caddyfile")]
    process = await asyncio.create_subprocess_exec(
        "caddy", *adapt, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    told, _ = await process.communicate()
    adapted = json.loads(told)
    assert adapted["admin"] == {"disabled": True}
    assert told.count(b'"dial"') == 1
