"""A user agent of ours that SIPp plays with."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from signaling.clock import SystemClock
from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.sockets import Place
from tests.fakes.clock import HandClock
from tests.signaling.pstn.sip.agents import Party, party


@dataclass
class Here:
    """Our side: who, and where."""

    us: Party
    place: Place


@pytest.fixture
async def here() -> AsyncIterator[Here]:
    """On UDP, and time passes as it does."""
    async with party(SystemClock()) as us:
        yield Here(us, await us.agent.listen(Transport.UDP, "127.0.0.1"))


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def timeless(clock: HandClock) -> AsyncIterator[Here]:
    """On UDP, and time passes when the test says so."""
    async with party(clock) as us:
        yield Here(us, await us.agent.listen(Transport.UDP, "127.0.0.1"))
