"""A real browser as the other side: its descriptions, its trickle, its DTLS, and what is heard both ways."""

import asyncio

import numpy as np

from tests.browser.chromium import Page
from tests.browser.conftest import BROWSERS_TONE
from wephone.calls import Call
from wephone.events import EndReason, Role
from wephone.media.audio import RATE
from wephone.media.devices import Ear, Tone
from wephone.testing.kit import Kit

OUR_TONE = 1000.0  # Hz
PIECE = RATE // 4  # samples that are looked at


async def test_it_calls_is_heard_holds_and_hangs_up(wephone: Kit, page: Page) -> None:
    (bob,) = await wephone.peers("bob", answer=False)
    await page.run("phone.place('bob')")
    call = await bob.next_call()
    assert (call.peer, call.role) == ("web", Role.CALLEE)
    ear = Ear()
    await call.answer(Tone(OUR_TONE), ear)
    await page.run("phone.hears('answered')")
    await both_hear(page, ear)
    await same_code(page, call)

    assert await page.run("phone.hold(true)") == "answer"
    assert call.held_there
    await page.run("phone.hearsNothing()")
    await silent(ear)
    assert await page.run("phone.hold(false)") == "answer"
    assert not call.held_there
    await both_hear(page, ear)

    assert (await page.run("phone.hangUp()"))["reason"] == "hangup"
    ended = await call.wait_ended()
    assert (ended.reason, ended.by) == (EndReason.HANGUP, Role.CALLER)


async def test_it_is_called_answers_is_held_and_hears_the_other_hang_up(wephone: Kit, page: Page) -> None:
    (bob,) = await wephone.peers("bob")
    ear = Ear()
    call = await bob.client.call("web", source=Tone(OUR_TONE), sink=ear)
    await call.ringing()
    assert (await page.run("phone.hears('incoming')"))["peer"] == "bob"
    await page.run("phone.answer()")
    await call.connected()
    await both_hear(page, ear)
    await page.run("phone.hears('reveal')")
    await same_code(page, call)

    await call.hold()
    await page.run("phone.hearsNothing()")
    await call.resume()
    await both_hear(page, ear)

    await call.hangup()
    ended = await page.run("phone.hears('ended')")
    assert (ended["reason"], ended["by"]) == ("hangup", "caller")


async def same_code(page: Page, call: Call) -> None:
    """Both show the same eight digits."""
    code = await call.verified()
    assert await page.run("phone.code") == code.replace(" ", "")


async def both_hear(page: Page, ear: Ear) -> None:
    """Each hears the other's tone, and nothing louder."""
    async with asyncio.timeout(20):
        await asyncio.gather(page.run(f"phone.hearsTone({OUR_TONE})"), hears_tone(ear, BROWSERS_TONE))


async def hears_tone(ear: Ear, wanted: float) -> None:
    """Wait until the last quarter of a second is this tone."""
    while abs(pitch(await next_piece(ear)) - wanted) > 2 * RATE / PIECE:
        pass


async def silent(ear: Ear) -> None:
    """Wait until nothing is heard: a call that is held has nothing laid down at all."""
    length = -1
    while length != ear.length:
        length = ear.length
        await asyncio.sleep(0.2)


async def next_piece(ear: Ear) -> np.ndarray:
    """What is heard from now on, as much of it as is looked at."""
    end = ear.length + PIECE
    while ear.length < end:  # noqa: ASYNC110 - an ear tells nobody
        await asyncio.sleep(0.02)
    return ear.heard[end - PIECE : end]


def pitch(sound: np.ndarray) -> float:
    """Hz; 0 of what is all but silent."""
    if np.abs(sound).max() < 1000:
        return 0.0
    return float(np.abs(np.fft.rfft(sound)).argmax()) * RATE / PIECE
