"""What the client says when a server cannot be reached, or is none."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from wephone.errors import NotSignedIn, ServerUnreachable, SignInRefused
from wephone.transport import Credentials, Server, server_url

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start an HTTP server of one handler on a free port; gives its address."""
    runners: list[web.ServerRunner] = []

    async def start(handler: Handler) -> str:
        runner = web.ServerRunner(web.Server(handler))
        runners.append(runner)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return site.name

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("https://phone.example", "https://phone.example/"),
        ("https://phone.example/", "https://phone.example/"),
        ("https://phone.example/calls", "https://phone.example/calls/"),
        ("phone.example", "https://phone.example/"),
        ("phone.example:8443", "https://phone.example:8443/"),
        ("localhost:8080", "http://localhost:8080/"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080/"),
        ("[::1]:8080", "http://[::1]:8080/"),
        ("[2001:db8::1]", "https://[2001:db8::1]/"),
        ("http://alice:secret@phone.example", "http://phone.example/"),
    ],
)
def test_an_address_is_read_as_people_write_it(given: str, meant: str) -> None:
    assert str(server_url(given)) == meant


@pytest.mark.parametrize("given", ["", "ftp://phone.example", "https://", "http://[", "http://h:port"])
def test_what_is_no_address_is_named(given: str) -> None:
    with pytest.raises(ServerUnreachable, match="is not the address of a server") as caught:
        server_url(given)
    assert f"`{given}`" in str(caught.value)


async def test_a_closed_port_is_one_sentence_with_the_address() -> None:
    listener = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    listener.close()
    await listener.wait_closed()
    async with Server(f"http://127.0.0.1:{port}") as server:
        with pytest.raises(
            ServerUnreachable, match=f"cannot reach http://127.0.0.1:{port}/: connection refused"
        ):
            await server.sign_in(Credentials("alice", "secret"), "test")
        with pytest.raises(ServerUnreachable, match="cannot reach"):
            await server.connect()


async def test_a_web_site_that_is_no_wephone_is_said_to_be_none(serve: Serve) -> None:
    async def page(request: web.BaseRequest) -> web.Response:
        return web.Response(text="<h1>welcome</h1>")

    async with Server(await serve(page)) as server:
        with pytest.raises(ServerUnreachable, match="not as a WePhone server"):
            await server.sign_in(Credentials("alice", "secret"), "test")
        with pytest.raises(ServerUnreachable, match=r"not as a WePhone server \(HTTP 200\)"):
            await server.connect()


async def test_an_answer_without_a_token_is_named(serve: Serve) -> None:
    async def empty(request: web.BaseRequest) -> web.Response:
        return web.json_response({"token": 7})

    async with Server(await serve(empty)) as server:
        with pytest.raises(ServerUnreachable, match="has no `token`"):
            await server.sign_in(Credentials("alice", "secret"), "test")


async def test_a_password_does_not_follow_a_redirect(serve: Serve) -> None:
    asked: list[str] = []

    async def elsewhere(request: web.BaseRequest) -> web.Response:
        asked.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with Server(await serve(elsewhere)) as server:
        with pytest.raises(ServerUnreachable, match="sends its callers on to `/elsewhere`"):
            await server.sign_in(Credentials("alice", "secret"), "test")
    assert asked == ["/api/session"]


async def test_a_refusal_carries_the_servers_sentence_and_how_long_to_wait(serve: Serve) -> None:
    async def slow_down(request: web.BaseRequest) -> web.Response:
        problem = {"title": "Too Many Requests", "detail": "wait a little before you try again"}
        return web.json_response(problem, status=429, headers={"Retry-After": "2.5"})

    async with Server(await serve(slow_down)) as server:
        with pytest.raises(SignInRefused, match=r"^wait a little before you try again$") as caught:
            await server.sign_in(Credentials("alice", "wrong"), "test")
    assert (caught.value.status, caught.value.retry_after) == (429, 2.5)
    assert isinstance(caught.value, NotSignedIn)


async def test_a_refusal_without_a_sentence_is_told_by_its_status(serve: Serve) -> None:
    async def broken(request: web.BaseRequest) -> web.Response:
        return web.Response(status=502, text="bad gateway")

    async with Server(await serve(broken)) as server:
        with pytest.raises(SignInRefused, match="answered /api/ticket with HTTP 502") as caught:
            await server.ticket("token")
    assert (caught.value.status, caught.value.retry_after) == (502, None)
