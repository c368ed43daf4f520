"""Consoles that look on: none is left deaf when what it sees can no longer be found out."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, cast

import pytest

from licensing.register import Register
from signaling.onlookers import Onlookers


class Console:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.gone = asyncio.Event()

    def send(self, payload: bytes) -> None:
        self.heard.append(json.loads(payload))


class Quiet:
    """A register that never changes."""

    def on_change(self, changed: Callable[[object], None]) -> Callable[[], None]:
        return lambda: None


async def test_who_looks_on_is_let_go_when_nothing_can_be_found_out_and_may_come_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    onlookers, register, console = Onlookers(), cast(Register, Quiet()), Console()
    answers = [{"calls": 1}]

    async def look() -> dict[str, int]:
        return answers.pop(0)  # IndexError after the last

    await onlookers.join(console, console.gone.set, register, look)
    await console.gone.wait()
    onlookers.leave(console)
    assert console.heard == [{"calls": 1}]
    assert "the consoles are let go" in caplog.text

    answers += [{"calls": 2}, {"calls": 3}, {"calls": 4}]
    again = Console()
    await onlookers.join(again, again.gone.set, register, look)
    while len(again.heard) < 2:  # noqa: ASYNC110 - what it hears is no event
        await asyncio.sleep(0.01)
    onlookers.leave(again)
    assert again.heard == [{"calls": 2}, {"calls": 3}]
