"""The hops of URIs, remembered for a minute, so that an ACK or a BYE need not wait for the DNS."""

import asyncio
from collections.abc import Callable

from licensing.instant import SECOND
from signaling.ports.clock import Clock
from signaling.pstn.sip.hop import Hop
from signaling.pstn.sip.problem import CarrierError
from signaling.pstn.sip.selection import Dice, Lookup, find, fixed
from signaling.pstn.sip.uri import Uri

KEPT = 60 * SECOND
MOST_KEPT = 1024

Hops = tuple[Hop, ...]


class Routes:
    """Where URIs are served. Look-ups that are still under way end with `close`."""

    def __init__(self, lookup: Lookup, clock: Clock, dice: Dice) -> None:
        self._lookup, self._clock, self._dice = lookup, clock, dice
        self._kept: dict[Uri, tuple[int, Hops]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def find(self, uri: Uri) -> Hops:
        """Its hops, the best first; CarrierError."""
        known = fixed(uri) or self._known(uri)
        if known is None:
            known = await find(uri, self._lookup, self._dice)
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[_place(uri)] = self._clock.mono_ns() + KEPT, known
        return known

    def then(self, uri: Uri, go_on: Callable[[Hops], None]) -> None:
        """Go on with its hops, at once where they are known; with none if there are none."""
        try:
            known = fixed(uri) or self._known(uri)
        except CarrierError:
            known = ()
        if known is not None:
            go_on(known)
            return
        task = asyncio.get_running_loop().create_task(self._find(uri, go_on))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _known(self, uri: Uri) -> Hops | None:
        until, hops = self._kept.get(_place(uri), (0, ()))
        return hops if self._clock.mono_ns() < until else None

    async def _find(self, uri: Uri, go_on: Callable[[Hops], None]) -> None:
        try:
            hops = await self.find(uri)
        except CarrierError:
            hops = ()
        go_on(hops)


def _place(uri: Uri) -> Uri:
    """What of a URI says where it is served."""
    transport = uri.parameter("transport")
    return Uri(
        uri.scheme, uri.host, port=uri.port, parameters=(("transport", transport),) if transport else ()
    )
