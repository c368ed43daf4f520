"""Two user agents on loopback, `near` and `far`, whose time passes when the test says so."""

from collections.abc import AsyncIterator

import pytest

from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.sockets import Place
from tests.fakes.clock import HandClock
from tests.signaling.pstn.sip.agents import Party, party


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def near(clock: HandClock) -> AsyncIterator[Party]:
    async with party(clock) as made:
        await made.agent.listen(Transport.UDP, "127.0.0.1")
        yield made


@pytest.fixture
async def far(clock: HandClock) -> AsyncIterator[Party]:
    async with party(clock) as made:
        yield made


@pytest.fixture
async def place(far: Party) -> Place:
    """Where the far one is, on UDP."""
    return await far.agent.listen(Transport.UDP, "127.0.0.1")
