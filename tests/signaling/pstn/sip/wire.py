"""Two SIP sides in one test, and a wire between them that loses, delays, repeats and reorders on request."""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from licensing.instant import MILLISECOND, Instant
from signaling.pstn.sip.exchange import Exchange, Key, Steps
from signaling.pstn.sip.message import Request, Response, build, parse
from signaling.pstn.sip.table import Timer
from signaling.pstn.sip.transaction import Deliver, Failed, Send

DELAY = 20 * MILLISECOND  # of a packet that nothing happens to

# What becomes of one packet: the delays (ns) of its copies; none for a lost one.
Fate = Callable[[Request | Response], list[int]]


@dataclass
class Side:
    """One end: its transactions and what their user heard."""

    exchange: Exchange = field(default_factory=Exchange)
    heard: list[Request | Response] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    over: int = 0  # when it failed last (ns)
    user: Callable[[Request | Response], None] = lambda message: None

    def deliver(self, key: Key | None, message: Request | Response) -> None:
        self.heard.append(message)
        self.user(message)

    def fail(self, key: Key | None, failed: Failed) -> None:
        self.failed.append(failed)


class Wire:
    """Runs both sides until nothing is left to happen. Time is a number."""

    def __init__(self, fate: Fate = lambda message: [DELAY], *, reliable: bool = False) -> None:
        self.near, self.far = Side(), Side()
        self.fate = fate
        self.reliable = reliable
        self.now = Instant(0, 0)
        self.sent: list[tuple[int, Request | Response]] = []
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def at(self, when: int, action: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._order), action))

    def ask(self, side: Side, request: Request) -> None:
        self.carry_out(side, side.exchange.ask(request, self.now, reliable=self.reliable))

    def say(self, side: Side, response: Response) -> None:
        """Answer: the server transaction is the one that its top Via names."""
        branch, method = response.via.branch or "", response.cseq.method
        key = next(k for k in side.exchange._live if branch in k and method in k)
        self.carry_out(side, side.exchange.say(key, response, self.now))

    def carry_out(self, side: Side, steps: Steps) -> None:
        key, effects = steps
        for effect in effects:
            match effect:
                case Send(message):
                    self.send(side, message)
                case Deliver(message):
                    side.deliver(key, message)
                case Failed():
                    side.over = self.now.mono_ns
                    side.fail(key, effect)
        transaction = side.exchange.get(key) if key else None
        for timer, when in transaction.timers if transaction else ():
            assert key is not None
            self.at(when, self.timer(side, key, timer, when))

    def timer(self, side: Side, key: Key, timer: Timer, when: int) -> Callable[[], None]:
        return lambda: self.carry_out(side, side.exchange.timed_out(key, timer, when, self.now))

    def send(self, side: Side, message: Request | Response) -> None:
        self.sent.append((self.now.mono_ns, message))
        other = self.far if side is self.near else self.near
        data = build(message)
        for delay in self.fate(message):
            self.at(
                self.now.mono_ns + delay,
                lambda: self.carry_out(
                    other, other.exchange.heard(parse(data), self.now, reliable=self.reliable)
                ),
            )

    def run(self) -> None:
        while self._events:
            when, _, action = heapq.heappop(self._events)
            self.now = Instant(when, when)
            action()
