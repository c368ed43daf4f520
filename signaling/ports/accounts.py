"""The rows of accounts, their devices, sessions and contacts."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

from signaling.core.forwarding import Forwarding
from wephone.protocol.ids import UserId


@dataclass(frozen=True, slots=True)
class Account:
    """A user as the server knows it. `password` is an argon2id string (RFC 9106).

    An auditor reads what operators see and changes nothing; nobody is both.
    """

    user: UserId
    password: str
    operator: bool
    disabled: bool
    created_at: int
    do_not_disturb: bool = False
    auditor: bool = False
    shows_presence: bool = True


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A sign-in that lasts. Only the SHA-256 of its token is kept."""

    session: str  # UUIDv7
    user: UserId
    kind: str  # "browser" or "headless"
    label: str  # what the client called itself
    created_at: int
    seen_at: int
    expires_at: int


class AccountRows(Protocol):
    """Accounts, sessions, invitations, blocks and contacts."""

    def add_account(self, account: Account) -> Awaitable[None]:
        """IdTakenError if the name is or was in use."""
        ...

    def account(self, user: UserId) -> Awaitable[Account | None]: ...

    def accounts_from(self, first: str, limit: int, *, staff: bool = False) -> Awaitable[Sequence[Account]]:
        """A page by name, from this one on; `staff`: operators and auditors alone."""
        ...

    def set_password(self, user: UserId, password: str) -> Awaitable[None]: ...

    def rehash(self, user: UserId, old: str, new: str) -> Awaitable[None]:
        """The same password, hashed as is done now; nothing, if it was changed meanwhile."""
        ...

    def set_disabled(self, user: UserId, disabled: bool) -> Awaitable[bool]:
        """False, and nothing done, if that leaves no enabled operator, also when two do it at once."""
        ...

    def set_do_not_disturb(self, user: UserId, on: bool) -> Awaitable[None]: ...
    def set_forwarding(self, user: UserId, rules: Forwarding) -> Awaitable[None]: ...
    def forwarding(self, user: UserId) -> Awaitable[Forwarding]: ...
    def set_shows_presence(self, user: UserId, on: bool) -> Awaitable[None]: ...

    def presence(self, user: UserId) -> Awaitable[Sequence[tuple[UserId, int | None]]]:
        """Which of `user`'s contacts let them see that they are there, and when a device of theirs last was.

        Those who have noted `user` down too, have not blocked them and show their presence at all.
        """
        ...

    def delete_account(self, user: UserId, at: int) -> Awaitable[bool]:
        """Remove what is the user's own; the name stays taken, records keep what the law needs.

        False, and nothing done, if that leaves no enabled operator, also when two do it at once.
        """
        ...

    def export_account(self, user: UserId) -> Awaitable[dict[str, object]]:
        """Everything held about the user, ready for JSON."""
        ...

    def add_session(self, row: SessionRow, token_hash: bytes) -> Awaitable[None]: ...

    def session(self, token_hash: bytes, at: int) -> Awaitable[SessionRow | None]:
        """The unexpired session of an enabled account."""
        ...

    def sessions(self, user: UserId, at: int) -> Awaitable[Sequence[SessionRow]]: ...

    def name_session(self, user: UserId, session: str, label: str) -> Awaitable[bool]:
        """What its owner calls it from now on; False if there is none."""
        ...

    def end_session(self, user: UserId, session: str) -> Awaitable[bool]:
        """True if there was one."""
        ...

    def end_sessions(self, user: UserId) -> Awaitable[int]:
        """Sign out everywhere; how many."""
        ...

    def add_invitation(self, token_hash: bytes, by: UserId, at: int, expires_at: int) -> Awaitable[None]: ...

    def take_invitation(self, token_hash: bytes, user: UserId, at: int) -> Awaitable[bool]:
        """Use it up in one guarded statement; False if used, unknown or expired."""
        ...

    def block(self, user: UserId, blocked: UserId, on: bool, most: int | None = None) -> Awaitable[bool]:
        """Block or unblock. False, and nothing done, if that would be more than `most`."""
        ...

    def blocked_by(self, user: UserId) -> Awaitable[Sequence[UserId]]: ...

    def has_blocked(self, user: UserId, other: UserId) -> Awaitable[bool]:
        """Whether `user` has blocked `other`."""
        ...

    def set_contact(
        self, user: UserId, contact: UserId, name: str | None, most: int | None = None
    ) -> Awaitable[bool]:
        """Add or rename a contact; none removes it. False, and nothing done, if it would be one too many."""
        ...

    def contacts(self, user: UserId) -> Awaitable[Sequence[tuple[UserId, str]]]: ...
