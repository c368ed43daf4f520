"""Operators at a server of the test's own; none of them may have met an error when the test is over."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Browser

from tests.fakes.sound import quiet_sound
from tests.signaling.residents import HOLDER, permitted, resident
from tests.web.console.desk import Clerk, clerk
from wephone.calls import Call
from wephone.testing.kit import Kit

Hire = Callable[..., Awaitable[Clerk]]


@pytest.fixture
def wephone_settings() -> dict[str, Any]:
    return {"profiles": (), "legal_entity": HOLDER}


@pytest.fixture
async def hire(wephone: Kit, browser: Browser) -> AsyncIterator[Hire]:
    """Somebody with an account for the console, at its overview."""
    wephone.start_sound = quiet_sound
    await wephone.server.start()
    hired: list[Clerk] = []

    async def hire(name: str, **more: Any) -> Clerk:
        hired.append(await clerk(wephone.server.running, browser, name, **more))
        return hired[-1]

    yield hire
    for each in hired:
        assert each.said == []


@pytest.fixture
async def boss(hire: Hire) -> Clerk:
    """An operator."""
    return await hire("boss")


@pytest.fixture
async def call(wephone: Kit) -> Call:
    """A call that runs on a permit: the caller's end of it."""
    wephone.start_sound = quiet_sound
    await permitted(wephone, "CN")
    caller, callee = [await resident(wephone, name, "CN") for name in ("alice", "bob")]
    return await caller.call(callee)
