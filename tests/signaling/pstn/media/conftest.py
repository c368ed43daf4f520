"""One embedded backend for all tests of a module, as its process takes a second to start."""

from collections.abc import AsyncIterator, Callable

import pytest_asyncio

from signaling.media import Event
from signaling.pstn.media.embedded import EmbeddedBackend
from tests.signaling.pstn.media.ends import Told, free_place


class Switchboard:
    """Passes what a backend tells to the test that runs."""

    def __init__(self) -> None:
        self.told = Told()

    def __call__(self, event: Event, /) -> None:
        self.told(event)

    def fresh(self) -> Told:
        """For the next test."""
        self.told = Told()
        return self.told


Embedded = tuple[EmbeddedBackend, Callable[[], Told]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def embedded() -> AsyncIterator[Embedded]:
    """The backend, and what gives each test its own ear for events."""
    switchboard = Switchboard()
    backend = EmbeddedBackend(free_place(), switchboard)
    await backend.start()
    yield backend, switchboard.fresh
    await backend.stop()
