"""An inbox holds what arrived until somebody asks, and loses nothing when they stop asking."""

import asyncio

import pytest

from wephone import inbox
from wephone.inbox import Inbox


async def test_what_arrived_before_anybody_asked_comes_first_and_in_order() -> None:
    box: Inbox[int] = Inbox("numbers")
    for number in range(3):
        box.put(number)
    assert [await box.get() for _ in range(3)] == [0, 1, 2]


async def test_a_closed_inbox_gives_out_what_it_has_and_then_ends() -> None:
    box: Inbox[str] = Inbox("words")
    box.put("last")
    box.close()
    assert [word async for word in box] == ["last"]
    assert await box.get() is None


async def test_closing_ends_everybody_who_waits() -> None:
    box: Inbox[str] = Inbox("words")
    waiting = [asyncio.create_task(box.get()) for _ in range(3)]
    await asyncio.sleep(0)
    box.close()
    assert await asyncio.gather(*waiting) == [None, None, None]


async def test_each_thing_goes_to_one_of_those_who_wait_in_the_order_they_asked() -> None:
    box: Inbox[int] = Inbox("numbers")
    waiting = [asyncio.create_task(box.get()) for _ in range(2)]
    await asyncio.sleep(0)
    box.put(1)
    box.put(2)
    assert await asyncio.gather(*waiting) == [1, 2]


async def test_who_is_cancelled_as_their_turn_comes_passes_it_on() -> None:
    box: Inbox[str] = Inbox("words")
    first, second = asyncio.create_task(box.get()), asyncio.create_task(box.get())
    await asyncio.sleep(0)
    box.put("word")
    first.cancel()
    assert await second == "word"
    assert first.cancelled() or await asyncio.gather(first, return_exceptions=True)


async def test_who_is_cancelled_while_waiting_takes_nothing_with_them() -> None:
    box: Inbox[str] = Inbox("words")
    gone = asyncio.create_task(box.get())
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    box.put("word")
    assert await box.get() == "word"


async def test_what_nobody_has_taken_yet_can_be_taken_out_again() -> None:
    box: Inbox[str] = Inbox("words")
    for word in ("stays", "goes"):
        box.put(word)
    box.discard("goes")
    box.discard("was never in")
    box.close()
    assert [word async for word in box] == ["stays"]


async def test_an_application_that_never_asks_does_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(inbox, "MOST", 2)
    box: Inbox[int] = Inbox("numbers")
    for number in range(3):
        box.put(number)
    box.close()
    assert [number async for number in box] == [1, 2]
    assert "numbers: nobody takes them" in caplog.text
