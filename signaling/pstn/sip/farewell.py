"""A BYE: of a call that was hung up, of one that nobody wanted, or of one that a server left when it died.

Over UDP its transaction says it until it is answered. Over TCP and TLS it is said once, by a connection that
may be refused or break before it was heard: it is then said again by another one (RFC 3261 §15.1, §18.4).
So it is where the far end cannot take it now: a 503 ends no dialog (§15.1.1, §21.5.4), and the call with it.
"""

from collections.abc import Callable
from typing import Protocol

from licensing.instant import SECOND, Instant
from signaling.pstn.sip.again import renumbered, retry_after
from signaling.pstn.sip.cause import is_for_later, says_ended
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
        self._doubt: str | None = None  # why it had to be said again, the last time

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
        if is_for_later(response):
            self._bye = self._renumbered(request)
            self._say_again(doubt, (retry_after(response) or 0) * SECOND)
        else:
            self._end(None if says_ended(response) else doubt)

    def failed(self, request: Request, failed: Failed) -> None:
        """See `traffic.Asker`."""
        if failed.cause == "timeout":
            self._end(SILENT)
        else:
            self._say_again(UNREACHABLE)

    def _say_again(self, doubt: str, least: int = 0) -> None:
        """After as long as over UDP between two sendings, or `least` ns; in 32 s in all, or not at all."""
        timers, now = self._desk.traffic.timers, self._desk.now().mono_ns
        if self._doubt is None:  # that of the transaction at hand is over later from now on
            timers.at(self._until, self._run_out)
        self._doubt = doubt
        pause, self._pause = max(self._pause, least), min(2 * self._pause, T2)
        if now + pause < self._until:
            timers.at(now + pause, self.send)
        else:
            self._end(doubt)

    def _renumbered(self, bye: Request) -> Request:
        """As a new request, or who has answered this one would answer it so again."""
        again = renumbered(bye, bye.cseq.number + 1, self._desk.branch())
        if self._login:
            self._login, again = self._login.authorize(again, self._desk.token())
        return again

    def _run_out(self) -> None:
        self._end(self._doubt)

    def _end(self, doubt: str | None) -> None:
        done, self._done = self._done, None
        if done:
            done(doubt)
