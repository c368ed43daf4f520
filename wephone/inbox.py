"""A queue that can be iterated, closed and cancelled at any moment without losing what it holds."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

MOST = 10_000  # items kept for an application that does not ask for them

log = logging.getLogger(__name__)


class Inbox(Generic[T]):
    """Things that arrived, for whoever asks first. After `close` it gives out what it has, then ends."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._items: deque[T] = deque()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._closed = False

    def put(self, item: T) -> None:
        """Add one; if nobody has asked for very long, the oldest is let go."""
        if len(self._items) >= MOST:
            self._items.popleft()
            log.warning("%s: nobody takes them; the oldest of %d was dropped", self._kind, MOST)
        self._items.append(item)
        self._wake()

    def discard(self, item: T) -> None:
        """Take it out again, if nobody has taken it yet."""
        if item in self._items:
            self._items.remove(item)

    def drop(self, which: Callable[[T], bool]) -> None:
        """Take out all those that nobody has taken yet."""
        self._items = deque(item for item in self._items if not which(item))

    def close(self) -> None:
        """No more will come."""
        self._closed = True
        for _ in range(len(self._waiting)):
            self._wake()

    async def get(self) -> T | None:
        """The next one; None when there will be no more."""
        while not self._items:
            if self._closed:
                return None
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn in self._waiting:
                    self._waiting.remove(turn)
                elif turn.done() and not turn.cancelled():
                    self._wake()  # our turn came as we left: somebody else's now
                raise
        return self._items.popleft()

    def __aiter__(self) -> AsyncIterator[T]:
        return self._iterate()

    async def _iterate(self) -> AsyncIterator[T]:
        while (item := await self.get()) is not None:
            yield item

    def _wake(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
