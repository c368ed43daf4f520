"""Tickets: one use, 30 seconds. They carry a sign-in from HTTP to the socket's first frame."""

from signaling.ports.clock import Clock
from signaling.ports.entry import SignedIn
from signaling.tokens import new_token
from wephone.protocol.ids import UserId

GOOD_FOR = 30 * 1_000_000_000  # ns


class Tickets:
    """See signaling.ports.entry.Tickets. In memory: a server that restarted gives new ones."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[str, tuple[int, SignedIn]] = {}  # oldest first

    def issue(self, signed_in: SignedIn) -> str:
        """A ticket for this user's next connection."""
        self._forget_old()
        ticket = new_token()
        self._open[ticket] = (self._clock.now().mono_ns + GOOD_FOR, signed_in)
        return ticket

    def redeem(self, ticket: str) -> SignedIn | None:
        """Whose it is, once."""
        self._forget_old()
        found = self._open.pop(ticket, None)
        return None if found is None else found[1]

    def withdraw(self, user: UserId, session: str | None) -> None:
        """The session has ended (or all of the user's): its open tickets are of no use."""
        self._open = {
            ticket: (until, who)
            for ticket, (until, who) in self._open.items()
            if who.user != user or (session is not None and who.session != session)
        }

    def _forget_old(self) -> None:
        now = self._clock.now().mono_ns
        while self._open and (oldest := next(iter(self._open))) and self._open[oldest][0] <= now:
            del self._open[oldest]
