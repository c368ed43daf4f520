"""How many devices an account may have, and which one goes when there is one more."""

import uuid
from typing import Any

import aiohttp
import pytest

from signaling.api import account
from signaling.exchange import MOST_DEVICES, REPLACED
from tests.signaling.api.conftest import Somebody, World, name_of
from wephone.protocol.messages import SUBPROTOCOL

Socket = aiohttp.ClientWebSocketResponse[Any]


async def connected(world: World, owner: Somebody) -> tuple[str, Socket]:
    """A device that was never here, and its socket."""
    world.clock.advance(1)
    socket: Socket = await world.http.ws_connect(f"{owner.base}/api/socket", protocols=(SUBPROTOCOL,))
    device = str(uuid.uuid4())
    await socket.send_json({"type": "hello", "ticket": await owner.ticket(), "device": device})
    assert (await socket.receive_json())["type"] == "welcome"
    assert (await socket.receive_json())["type"] == "resync"
    return device, socket


def lines(world: World) -> list[str]:
    """Alice's devices that are connected or may resume."""
    return [str(line.party.device) for line in world.server.parts.exchange.lines.of_user(name_of("alice"))]


async def rows(world: World, alice: Somebody) -> list[str]:
    """Alice's devices that are remembered, once all that was begun is stored."""
    await world.server.parts.exchange.close()
    return [row["device"] for row in (await alice.get("/api/account/export")).json["devices"]]


async def test_a_further_device_takes_the_place_of_the_one_that_is_away(world: World) -> None:
    alice = await world.user("alice")
    devices = [await connected(world, alice) for _ in range(MOST_DEVICES)]
    away, socket = devices[5]
    await socket.close(code=4000)  # not for good: it could resume
    while world.server.parts.exchange.lines.connected() == MOST_DEVICES:
        await world.stranger().get("/healthz")  # the server has turned once more
    last, _ = await connected(world, alice)
    kept = {device for device, _ in devices if device != away} | {last}
    assert set(lines(world)) == kept
    assert set(await rows(world, alice)) == kept


async def test_if_all_are_here_the_oldest_one_is_replaced(world: World) -> None:
    alice = await world.user("alice")
    devices = [await connected(world, alice) for _ in range(MOST_DEVICES)]
    last, _ = await connected(world, alice)
    socket = devices[0][1]
    while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
        pass
    assert (message.data, message.extra) == (REPLACED, "replaced")
    kept = {device for device, _ in devices[1:]} | {last}
    assert set(lines(world)) == kept
    assert set(await rows(world, alice)) == kept


async def test_one_account_blocks_only_so_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "MOST_BLOCKED", 2)
    alice = await world.user("alice")
    assert [(await alice.ask("PUT", f"/api/blocked/{name}")).status for name in ("b", "c", "c")] == [204] * 3
    answer = await alice.ask("PUT", "/api/blocked/d")
    assert (answer.status, answer.code) == (409, "too_many")
    await alice.ask("DELETE", "/api/blocked/b")
    assert (await alice.ask("PUT", "/api/blocked/d")).status == 204
