"""How telephone legs sound that somebody looks at: asked of whoever carries the sound, within bounds.

It has calls to carry, so no more is asked at a time than it answers between two packets, no leg is asked
about again at once however many look on, and nobody waits for what does not come.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from licensing.instant import SECOND
from signaling.media import Capability, MediaBackend, MediaError, Statistics, Tally
from signaling.ports.clock import Clock

PATIENCE = 0.25  # seconds that a page waits for the figures of its legs
AT_ONCE = 8  # questions: each takes the embedded bridge some 0.03 ms, and packets are waiting
FRESH = 2 * SECOND  # in which an answer stands for the next question

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said of a leg, and when (monotonic ns)."""

    statistics: Statistics
    at: int


class Figures:
    """See above."""

    def __init__(self, sound: MediaBackend, clock: Clock) -> None:
        self._sound, self._clock = sound, clock
        self._known: dict[str, Answer] = {}  # the oldest first
        self._room = asyncio.Semaphore(AT_ONCE)  # of all who look

    async def of(self, legs: Sequence[str]) -> Mapping[str, Statistics]:
        """Of each of these legs by now; those are missing about which nothing is said in time."""
        self._forget()
        found = self._among(legs)
        left = [leg for leg in legs if leg not in found]
        asking = [asyncio.create_task(self._ask(leg), name="asks how legs sound") for leg in left]
        if asking:
            _, late = await asyncio.wait(asking, timeout=PATIENCE)
            for each in late:
                each.cancel()
        return found | self._among(left)

    def _among(self, legs: Sequence[str]) -> dict[str, Statistics]:
        return {leg: self._known[leg].statistics for leg in legs if leg in self._known}

    async def _ask(self, leg: str) -> None:
        async with self._room:
            if leg in self._known:  # somebody else has asked meanwhile
                return
            try:
                statistics = self._seen(await self._sound.statistics(leg))
            except MediaError:
                return  # it rings only, is over, or the bridge is down, of which others tell
            except Exception:  # nobody's page fails for want of a figure
                log.exception("how a leg sounds could not be found out")
                return
            self._known[leg] = Answer(statistics, self._clock.now().mono_ns)

    def _seen(self, statistics: Statistics) -> Statistics:
        """Without what is only concluded: a backend that sees no packets counts none of the trunk's."""
        if Capability.PACKETS in self._sound.capabilities:
            return statistics
        return replace(statistics, trunk=Tally())

    def _forget(self) -> None:
        """Answers that are not true any more."""
        now = self._clock.now().mono_ns
        while self._known:
            oldest = next(iter(self._known))
            if self._known[oldest].at + FRESH > now:
                return
            del self._known[oldest]
