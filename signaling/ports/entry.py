"""Who may come in, and how much of anything a party may ask for."""

from dataclasses import dataclass
from typing import Protocol

from signaling.core.party import Party
from wephone.protocol.ids import UserId


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who a ticket was given to: the user, and the account session it was asked for with."""

    user: UserId
    session: str
    expires_at: int  # when that session ends by itself


class Tickets(Protocol):
    """Single-use tickets for the socket's first frame."""

    def redeem(self, ticket: str) -> SignedIn | None:
        """Whose ticket this is, once, within 30 s of its issue."""
        ...


class Limits(Protocol):
    """How much one party may ask for. Each answers the seconds to wait, 0 for go on."""

    def frame(self, party: Party, size: int) -> float: ...

    def invite(self, user: UserId) -> float: ...

    def invite_from(self, address: str) -> float: ...

    def text(self, user: UserId, address: str) -> float: ...
