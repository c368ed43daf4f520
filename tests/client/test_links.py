"""Connections that break: a call goes on over them, and each event comes once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.fakes.proxy import Proxy
from wephone import events
from wephone.calls import Call
from wephone.core.effects import LinkLost
from wephone.events import Answered, EndReason, Progress, Progressed, Role
from wephone.protocol.messages import Welcome
from wephone.testing.kit import Kit
from wephone.testing.peer import Peer


@dataclass
class Scene:
    """Two peers, each with a way to the server of its own, and their call."""

    alice: Peer
    bob: Peer
    ways: dict[str, Proxy]
    call: Call | None = None
    theirs: Call | None = None

    @property
    def calls(self) -> tuple[Call, Call]:
        """The two handles of the call."""
        assert self.call is not None and self.theirs is not None
        return self.call, self.theirs


@pytest.fixture
async def scene(wephone: Kit) -> AsyncIterator[Scene]:
    await wephone.server.start()
    async with AsyncExitStack() as stack:
        ways = {
            name: await stack.enter_async_context(Proxy(wephone.server.port)) for name in ("alice", "bob")
        }
        alice, bob = [
            await wephone.peer(name, answer=False, url=f"http://127.0.0.1:{way.port}")
            for name, way in ways.items()
        ]
        yield Scene(alice, bob, ways)


async def place(scene: Scene) -> None:
    scene.call = await scene.alice.call("bob")


async def ring(scene: Scene) -> None:
    scene.theirs = await scene.bob.next_call()
    assert scene.call is not None
    await scene.call.ringing()


async def answer(scene: Scene) -> None:
    call, theirs = scene.calls
    await theirs.answer()
    await call.answered()
    assert await call.verified() == await theirs.verified()


async def hold(scene: Scene) -> None:
    await scene.calls[0].hold()


async def hold_there(scene: Scene) -> None:
    await scene.calls[1].hold()


async def resume(scene: Scene) -> None:
    await scene.calls[0].resume()


async def resume_there(scene: Scene) -> None:
    await scene.calls[1].resume()


async def hang_up(scene: Scene) -> None:
    call, theirs = scene.calls
    await call.hangup()
    await theirs.wait_ended()


Step = Callable[[Scene], Coroutine[Any, Any, None]]
STORY: tuple[Step, ...] = (place, ring, answer, hold, hold_there, resume, resume_there, hang_up)


@pytest.mark.parametrize("moment", STORY, ids=lambda step: step.__name__)
@pytest.mark.parametrize("when", ["before", "as it begins"])
async def test_a_call_survives_a_break_at_any_moment(scene: Scene, moment: Step, when: str) -> None:
    for who in ("alice", "bob", "both"):
        await tell_story(scene, moment, who, when)
        check_story(scene)


async def tell_story(scene: Scene, moment: Step, who: str, when: str) -> None:
    """A call from its beginning to its end, with one break."""
    for step in STORY:
        if step is not moment:
            await step(scene)
        elif when == "before":
            cut(scene, who)
            await step(scene)
        else:
            doing = asyncio.create_task(step(scene))
            await asyncio.sleep(0)
            cut(scene, who)
            await doing


def check_story(scene: Scene) -> None:
    """Both ends were told each thing once, in order, and agree how it ended."""
    call, theirs = scene.calls
    assert [event.progress for event in call.history if isinstance(event, Progressed)] == list(Progress)
    assert named(call) == ["Answered", "SafetyCode", *["Changed"] * 4, "Ended"]
    assert named(theirs) == ["Rings", "Answered", "SafetyCode", *["Changed"] * 4, "Ended"]
    assert call.ended == theirs.ended == events.Ended(call.id, EndReason.HANGUP, Role.CALLER)


def cut(scene: Scene, who: str) -> None:
    for name, way in scene.ways.items():
        if who in (name, "both"):
            way.cut()


def named(call: Call) -> list[str]:
    return [type(event).__name__ for event in call.history if not isinstance(event, Progressed)]


async def test_the_application_hears_that_the_server_is_lost_and_found(scene: Scene) -> None:
    heard = scene.alice.client.events()
    scene.ways["alice"].cut()
    assert await anext(heard) == LinkLost()
    welcome = await anext(heard)
    assert isinstance(welcome, Welcome) and welcome.resumed


async def test_a_call_placed_while_the_server_is_out_of_reach_is_placed_when_it_is_back(scene: Scene) -> None:
    heard = scene.alice.client.events()
    scene.ways["alice"].shut()
    assert await anext(heard) == LinkLost()
    call = scene.alice.client.place("bob")
    scene.ways["alice"].open()
    await call.ringing()
    await call.hangup()


async def test_a_device_that_stays_away_ends_its_call_for_the_other(wephone: Kit, scene: Scene) -> None:
    for step in (place, ring, answer):
        await step(scene)
    call, theirs = scene.calls
    heard = scene.bob.client.events()
    scene.ways["bob"].shut()
    assert await anext(heard) == LinkLost()
    await wephone.server.until_connected(1)
    await wephone.clock.advance(61)
    assert (await call.wait_ended()).reason is EndReason.CONNECTION_LOST
    scene.ways["bob"].open()
    assert (await theirs.wait_ended()).reason is EndReason.CONNECTION_LOST


async def test_a_call_whose_two_ends_live_goes_on_over_a_restart_of_the_server(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob")
    call = await alice.call(bob)
    theirs = await bob.next_call()
    await theirs.answered()
    heard = alice.client.events(), bob.client.events()
    await wephone.server.restart()
    for each in heard:
        while not isinstance(await anext(each), Welcome):
            pass
    await call.hold()
    assert theirs.held_there
    assert (await theirs.hangup()).reason is EndReason.HANGUP
    assert call.ended is None or call.ended.reason is EndReason.HANGUP
    assert (await call.wait_ended()).reason is EndReason.HANGUP


async def test_a_call_that_only_rings_ends_with_the_server(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob", answer=False)
    call = await alice.call(bob)
    theirs = await bob.next_call()
    await call.ringing()
    missed = bob.client.missed()
    await wephone.server.restart()
    assert (await call.wait_ended()).reason is EndReason.SERVER_RESTARTED
    assert (await theirs.wait_ended()).reason is EndReason.SERVER_RESTARTED
    assert (await anext(missed)).call == call.id
    assert call.find(Answered) is None and theirs.find(Answered) is None
