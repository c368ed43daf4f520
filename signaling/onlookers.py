"""Whoever looks on at a console: all are told together, each over a socket, what is otherwise than before."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

from licensing.register import Register

LOOK = 0.5  # seconds between two looks at what tells nobody that it changes
SILENCE = 5.0  # seconds after which they hear that all is as it was: who hears nothing has lost us

log = logging.getLogger(__name__)

State = Mapping[str, Any]
Look = Callable[[], Awaitable[State]]


class Outbox(Protocol):
    """What takes a text for one of them."""

    def send(self, payload: bytes) -> None: ...


class Onlookers:
    """All of them. What they are told is found out once, and only while there is somebody."""

    def __init__(self) -> None:
        self._outboxes: dict[Outbox, Callable[[], None]] = {}
        self._known: dict[str, Any] = {}
        self._told_at = 0.0
        self._looking: asyncio.Task[None] | None = None

    async def join(
        self, outbox: Outbox, gone: Callable[[], None], register: Register, look: Look, **own: str
    ) -> None:
        """From now on this one hears: first of everything with what is its own, then of what changes.

        `look` finds out how all is: at once when the register changes, and now and then. `gone` is called if
        the server ends before this one leaves.
        """
        self._tell(await look())
        outbox.send(json.dumps({**self._known, **own}).encode())
        self._outboxes[outbox] = gone
        if self._looking is None:
            self._looking = asyncio.create_task(self._keep_looking(register, look), name="looks for consoles")
            self._looking.add_done_callback(self._blinded)

    def leave(self, outbox: Outbox) -> None:
        """This one looks on no more."""
        self._outboxes.pop(outbox, None)
        if not self._outboxes and self._looking is not None:
            self._looking.cancel()
            self._looking, self._known = None, {}

    def close(self) -> None:
        """The server ends: they are let go."""
        for gone in tuple(self._outboxes.values()):
            gone()

    def _blinded(self, looking: asyncio.Task[None]) -> None:
        """Nothing can be found out any more: they are let go, and whoever comes again has it tried anew."""
        if looking.cancelled() or (error := looking.exception()) is None:
            return
        log.error("the consoles are let go, for what they see cannot be found out", exc_info=error)
        self._looking, self._known = None, {}
        self.close()

    async def _keep_looking(self, register: Register, look: Look) -> None:
        moved = asyncio.Event()
        deaf = register.on_change(lambda taken: moved.set())
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK):
                        await moved.wait()
                moved.clear()
                self._tell(await look())
        finally:
            deaf()

    def _tell(self, state: State) -> None:
        """What of this is otherwise than they know it, to all of them; that time goes on is no news."""
        news = {name: value for name, value in state.items() if self._known.get(name, self) != value}
        self._known.update(news)
        now = asyncio.get_running_loop().time()
        if news.keys() <= {"at"} and now - self._told_at < SILENCE:
            return
        self._told_at = now
        frame = json.dumps(news).encode()
        for outbox in self._outboxes:
            outbox.send(frame)
