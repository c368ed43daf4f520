"""The callers' socket: what comes of frames that are wrong, too large or too many, and of a cut."""

import asyncio
import json
import uuid
from typing import Any

import aiohttp
import pytest

from signaling.buckets import Buckets
from tests.fakes.proxy import Proxy
from tests.signaling.api.conftest import Begin, Somebody, World
from tests.signaling.device import SDP
from wephone.protocol.messages import SUBPROTOCOL

Socket = aiohttp.ClientWebSocketResponse[Any]
CALL = "00000000-0000-4000-8000-000000000001"
HASH = "0" * 64


async def opened(somebody: Somebody, *, by_way_of: str = "") -> Socket:
    """A signed-in device's socket, after its welcome; `by_way_of` is what a front says of its address."""
    socket: Socket = await somebody.http.ws_connect(
        f"{somebody.base}/api/socket",
        protocols=(SUBPROTOCOL,),
        max_msg_size=0,
        headers={"X-Forwarded-For": by_way_of} if by_way_of else {},
    )
    hello = {"type": "hello", "ticket": await somebody.ticket(), "device": str(uuid.uuid4())}
    await socket.send_json(hello)
    assert (await socket.receive_json())["type"] == "welcome"
    return socket


async def answer(socket: Socket) -> str:
    """Why the call that was just placed has ended, or was not even tried."""
    while (message := await socket.receive_json(timeout=10))["type"] not in ("ended", "error"):
        pass
    return str(message.get("reason") or message["code"])


async def error(socket: Socket) -> dict[str, Any]:
    """The next error; events before it are passed over."""
    while True:
        message: dict[str, Any] = await socket.receive_json(timeout=10)
        if message["type"] == "error":
            return message


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", "malformed"),
        ('{"type":"sing"}', "unknown_type"),
        (json.dumps({"type": "ack", "n": 1, "extra": 2}), "unknown_field"),
        (json.dumps({"type": "ack", "n": 1_000_000}), "bad_value"),
        (json.dumps({"type": "delivered", "call": CALL}), "unknown_call"),
        (
            json.dumps({"type": "candidates", "call": CALL, "candidates": [{"candidate": ""}] * 50_000}),
            "too_large",
        ),
        (json.dumps({"type": "hello", "ticket": "x" * 16, "device": CALL}), "out_of_place"),
    ],
)
async def test_a_bad_frame_is_one_error_and_the_connection_is_kept(
    world: World, frame: str, code: str
) -> None:
    socket = await opened(await world.user("alice"))
    await socket.send_str(frame)
    assert (await error(socket))["code"] == code
    await socket.send_json({"type": "delivered", "call": CALL, "ref": 7})
    assert (await error(socket))["ref"] == 7


async def test_a_frame_that_would_cost_memory_closes_the_connection(world: World) -> None:
    socket = await opened(await world.user("alice"))
    await socket.send_str(" " * (3 * 1024 * 1024))
    while (frame := await socket.receive(timeout=10)).type is aiohttp.WSMsgType.TEXT:
        pass
    assert socket.close_code == 1009, frame


async def test_a_peer_that_sends_nothing_but_rubbish_is_let_go(world: World) -> None:
    socket = await opened(await world.user("alice"))
    for _ in range(64):
        await socket.send_str("{")
    while (await socket.receive(timeout=10)).type is aiohttp.WSMsgType.TEXT:
        pass
    assert socket.close_code == 1008


async def test_a_device_that_is_cut_off_with_frames_on_their_way_is_no_longer_connected(world: World) -> None:
    alice = await world.user("alice")
    exchange = world.server.parts.exchange
    async with Proxy(int(world.callers.rpartition(":")[2])) as proxy:
        alice.base = f"http://127.0.0.1:{proxy.port}"
        for _ in range(10):
            await opened(alice)
            proxy.cut()
            while exchange.lines.connected():
                exchange.announce_drain(1.0)
                await asyncio.sleep(0)


async def test_an_address_has_its_limits_whichever_accounts_it_uses(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await begin(trusted_proxies="127.0.0.0/8")
    for name in ("_invites_from", "_texts_from"):
        monkeypatch.setattr(world.server.parts.limits, name, Buckets(burst=1, every=60))
    for name, address, text, call in (
        ("alice", "192.0.2.1", "unknown_user", "unknown_user"),
        ("bob", "192.0.2.1", "slow_down", "slow_down"),
        ("carol", "192.0.2.2", "unknown_user", "unknown_user"),
    ):
        socket = await opened(await world.user(name), by_way_of=address)
        new = str(uuid.uuid4())
        await socket.send_json({"type": "text", "message": new, "to": "nobody", "text": "hello"})
        assert (await error(socket))["code"] == text, name
        await socket.send_json(
            {"type": "invite", "call": new, "to": "nobody", "sdp": SDP, "commitment": HASH}
        )
        assert (await answer(socket)) == call, name


async def test_a_frame_too_many_is_answered_with_what_it_was_about(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = await opened(await world.user("alice"))
    monkeypatch.setattr(world.server.parts.limits, "_frames", Buckets(burst=1, every=60))
    new = str(uuid.uuid4())
    invite = {"type": "invite", "call": new, "to": "nobody", "sdp": SDP, "commitment": HASH, "ref": 7}
    for code in ("unknown_user", "slow_down"):
        await socket.send_json(invite)
        if code == "slow_down":
            refused = await error(socket)
            assert (refused["code"], refused["call"], refused["ref"]) == (code, new, 7)
            assert refused["retry_after"] > 0
        else:
            assert await answer(socket) == code


async def test_a_device_whose_account_is_disabled_hears_why(world: World) -> None:
    boss = await world.operator()
    socket = await opened(await world.user("alice"))
    assert (await boss.ask("PATCH", "/api/operator/accounts/alice", {"disabled": True})).status == 204
    while (heard := await socket.receive_json())["type"] != "signed_out":
        pass
    assert heard["reason"] == "disabled"
