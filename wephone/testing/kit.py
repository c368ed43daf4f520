"""The fixture's value: all that a test of a calling service needs, each part started when asked for."""

from collections import Counter
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Literal, Self

from wephone.client import Client
from wephone.events import CallEvent, LinkLost
from wephone.sound import StartSound, preload, start_sound
from wephone.testing.clock import TestClock
from wephone.testing.peer import Peer
from wephone.testing.permits import Permits
from wephone.testing.server import TestServer
from wephone.testing.timeline import Timeline


class Kit:
    """A server of its own in a temporary folder, peers on it, permits and a clock under the test's hand."""

    def __init__(self, settings: dict[str, Any] | None = None) -> None:
        """`settings`: of the server, by name, beside what keeps it to this machine and this test."""
        self.timeline = Timeline()
        self.start_sound: StartSound = start_sound  # what makes the media of the peers' calls
        self.clock = TestClock(lambda what: self.timeline.add("clock", "moved", what))
        self.server = TestServer(settings or {}, self.clock, self.timeline)
        self.permits = Permits(self.server, self.timeline)
        self._stack = AsyncExitStack()
        self._devices: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        self._stack.push_async_callback(self.server.close)
        return self

    async def __aexit__(self, *exc: Any) -> None:
        await self._stack.__aexit__(*exc)

    async def peers(self, *names: str, answer: bool = True) -> tuple[Peer, ...]:
        """Headless peers, signed in: one device for each name, its account made if there is none.

        They answer calls at once unless `answer` is false. A name given again is another device of that user.
        """
        return tuple([await self.peer(name, answer=answer) for name in names])

    def _trace(self, who: str, kind: str, what: object) -> None:
        """A frame or an event of one peer. What it is told of the session as a whole are frames again."""
        if kind != "told" or isinstance(what, CallEvent | LinkLost):
            self.timeline.add(who, kind, what)

    async def peer(
        self,
        name: str,
        *,
        answer: bool = True,
        url: str | None = None,
        relay_only: bool = False,
        dials: bool = False,
        language: Literal["en", "zh-CN"] | None = None,
    ) -> Peer:
        """One headless peer. `url` is another way to the server, e.g. through a proxy.

        `relay_only`: it is found at the server's relay alone, which the settings must name. `dials`: it is
        asked when the account clicks to call, see `Client.dials`. `language`: in which things are told aloud.
        """
        loading = preload()  # so that no call waits for it
        await self.server.start()
        await self.server.add_user(name)
        self._devices[name] += 1
        label = name if self._devices[name] == 1 else f"{name}-{self._devices[name]}"
        client = Client(
            url or self.server.url,
            name,
            password=self.server.password(name),
            device_name=label,
            relay_only=relay_only,
            dials=dials,
            language=language,
            start_sound=self.start_sound,
            trace=partial(self._trace, label),
        )
        await loading
        return await self._stack.enter_async_context(Peer(client, answer).signed_in())
