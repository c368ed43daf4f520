"""One backend of each kind for all tests of a module, as a process takes a second to start."""

from collections.abc import AsyncIterator, Callable

import pytest_asyncio

from signaling.media import Event
from signaling.pstn.media.embedded import EmbeddedBackend
from signaling.pstn.media.janus import JanusBackend
from tests.fakes.janus import janus
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


AtJanus = tuple[JanusBackend, Callable[[], Told]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def at_janus() -> AsyncIterator[AtJanus]:
    """The same with Debian's Janus."""
    switchboard = Switchboard()
    async with janus() as running:
        backend = JanusBackend(running.place, switchboard)
        await backend.start()
        yield backend, switchboard.fresh
        await backend.stop()
