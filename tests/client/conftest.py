"""Clients on a real server over real sockets; their calls carry no sound, so that a test takes a moment."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.proxy import Proxy
from tests.fakes.sound import quiet_sound
from wephone.testing.kit import Kit


@pytest.fixture
def wephone(wephone: Kit) -> Kit:
    """The test kit, without sound."""
    wephone.start_sound = quiet_sound
    return wephone


@pytest.fixture
async def proxy(wephone: Kit) -> AsyncIterator[Proxy]:
    """A way to the server that a test can cut."""
    await wephone.server.start()
    async with Proxy(wephone.server.port) as proxy:
        yield proxy
