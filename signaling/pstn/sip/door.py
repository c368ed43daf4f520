"""Who may speak to our SIP sockets, and how much: strangers and floods are counted, and cost next to nothing.

A source that is no configured peer gets no answer at all: to a scanner there is nothing here.
"""

import logging
from collections.abc import Callable
from enum import StrEnum

from signaling.buckets import Buckets
from signaling.ports.clock import Clock

log = logging.getLogger(__name__)

Knows = Callable[[str], bool]


class Turned(StrEnum):
    """Why something was not let in."""

    STRANGER = "stranger"  # no configured peer has this address
    TOO_FAST = "too_fast"
    MALFORMED = "malformed"
    NOT_OURS = "not_ours"  # an answer to something that we never sent
    TOO_MANY_CONNECTIONS = "too_many_connections"
    SILENT = "silent"  # a connection on which no message came


Count = Callable[[Turned], None]
Pace = Callable[[str], float]

USUAL_PACE = 2000  # messages a second of one source; two seconds of them at once


class Door:
    """Asked about every datagram and every connection before a byte of it is read."""

    def __init__(
        self,
        clock: Clock,
        knows: Knows,
        count: Count = lambda turned: None,
        *,
        pace: Pace = lambda address: USUAL_PACE,
    ) -> None:
        """`knows`: is this IP address a peer's? `pace`: how many messages a second it may send."""
        self._clock, self._knows, self._count, self._pace = clock, knows, count, pace
        self._messages = Buckets(burst=2, every=1)  # seconds of messages
        self._faults = Buckets(burst=20, every=1)  # malformed messages that are answered
        self._lines = Buckets(burst=3, every=20)  # of the log, so that a flood is none there

    def admits(self, address: str) -> bool:
        """May a message from there be read?"""
        if not self._knows(address):
            self.turned(Turned.STRANGER, address)
            return False
        if self._messages.take(address, self._clock.mono_ns(), 1 / self._pace(address)):
            self.turned(Turned.TOO_FAST, address)
            return False
        return True

    def is_known(self, address: str) -> bool:
        """Is it a peer's?"""
        if self._knows(address):
            return True
        self.turned(Turned.STRANGER, address)
        return False

    def malformed(self, address: str, why: str) -> bool:
        """It could not be read. Is it worth an answer?"""
        self.turned(Turned.MALFORMED, address, why)
        return not self._faults.take(address, self._clock.mono_ns())

    def turned(self, why: Turned, address: str, text: str = "") -> None:
        """Count it, and log the first few."""
        self._count(why)
        if not self._lines.take((why, address), self._clock.mono_ns()):
            log.warning("SIP from %s turned away: %s%s", address, why, f" ({text})" if text else "")
