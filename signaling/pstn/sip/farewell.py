"""A BYE: of a call that was hung up, of one that nobody wanted, or of one that a server left when it died.

Over UDP its transaction says it until it is answered. Over TCP and TLS it is said once, by a connection that
may be refused or break before it was heard: it is then said again by another one (RFC 3261 §15.1, §18.4).
"""

from collections.abc import Callable
from typing import Protocol

from licensing.instant import Instant
from signaling.pstn.sip.cause import says_ended
from signaling.pstn.sip.digest import Login
from signaling.pstn.sip.headers import Address
from signaling.pstn.sip.message import Request, Response
from signaling.pstn.sip.traffic import Traffic
from signaling.pstn.sip.transaction import GIVE_UP, T1, T2, Failed

SILENT = "the carrier has not answered our BYE in 32 s"
UNREACHABLE = "the carrier could not be reached with our BYE in 32 s"

Done = Callable[[str | None], None]  # none: the far end has confirmed it; or why it may go on there, in words


class Desk(Protocol):
    """What a farewell asks of its user agent (`agent.Agent`)."""

    @property
    def traffic(self) -> Traffic: ...

    def now(self) -> Instant: ...

    def token(self) -> str: ...

    def branch(self) -> str: ...


class Farewell:
    """See above. `done` is told once: when the far end has answered, or after 32 s."""

    def __init__(
        self, desk: Desk, bye: Request, routes: tuple[Address, ...], login: Login | None, done: Done
    ) -> None:
        self._desk, self._bye, self._routes = desk, bye, routes
        self._login = login.fresh() if login else None
        self._done: Done | None = done
        self._until = desk.now().mono_ns + GIVE_UP
        self._pause = T1

    def send(self) -> None:
        """Give it to the network; once more, if that could not take it."""
        if self._done:
            self._desk.traffic.ask_within(self._bye, self._routes, self)

    def heard(self, request: Request, response: Response) -> None:
        """See `traffic.Asker`."""
        if response.status < 200 or not self._done:
            return
        if response.status in (401, 407) and self._login:
            retry = self._login.retry(request, response, self._desk.branch(), self._desk.token())
            if retry is not None:
                self._login, self._bye = retry.login, retry.request
                self.send()
                return
        doubt = f"the carrier has answered our BYE with {response.status}"
        self._end(None if says_ended(response) else doubt)

    def failed(self, request: Request, failed: Failed) -> None:
        """See `traffic.Asker`."""
        now = self._desk.now().mono_ns
        if failed.cause == "timeout":
            self._end(SILENT)
        elif now + self._pause >= self._until:
            self._end(UNREACHABLE)
        else:
            self._wait(now)

    def _wait(self, now: int) -> None:
        """As long as over UDP between two sendings, and no longer than 32 s in all."""
        timers = self._desk.traffic.timers
        if self._pause == T1:  # the first time: that of the transaction at hand is over later from now on
            timers.at(self._until, self._end, UNREACHABLE)
        timers.at(now + self._pause, self.send)
        self._pause = min(2 * self._pause, T2)

    def _end(self, doubt: str | None) -> None:
        done, self._done = self._done, None
        if done:
            done(doubt)
