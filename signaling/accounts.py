"""What can be done with accounts and sign-ins, on whichever surface somebody asks for it."""

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from licensing.identity import RANDOM, uuid7
from signaling.passwords import Passwords, fault, fault_of_choice, is_once, new_password
from signaling.ports.accounts import Account, SessionRow
from signaling.ports.clock import Clock
from signaling.ports.store import IdTakenError, Store, StoreError
from signaling.tokens import new_token, token_hash
from wephone.protocol.ids import UserId

SECOND_US = 1_000_000
DAY_US = 24 * 3600 * SECOND_US
INVITATION_DAYS = 7
FIRST_OPERATOR = UserId("operator")  # the account that a new database begins with
MOST_STAFF = 100_000  # operators and auditors: all there are
MOST_SESSIONS = 64  # of one account; the one that was not seen for longest goes

log = logging.getLogger(__name__)


class AccountFault(StrEnum):
    """Why it was not done."""

    NAME_TAKEN = "name_taken"
    BAD_PASSWORD = "bad_password"
    WRONG_PASSWORD = "wrong_password"
    REGISTRATION_CLOSED = "registration_closed"
    BAD_INVITATION = "bad_invitation"
    NO_SUCH_ACCOUNT = "no_such_account"
    ACCOUNT_DISABLED = "account_disabled"
    LAST_OPERATOR = "last_operator"
    NUMBER_TAKEN = "number_taken"
    TOO_MANY_NUMBERS = "too_many_numbers"


FAULT_TEXTS: dict[AccountFault, str] = {
    AccountFault.NAME_TAKEN: "this name is taken",
    AccountFault.BAD_PASSWORD: "the password cannot be used",
    AccountFault.WRONG_PASSWORD: "the name or the password is wrong",
    AccountFault.REGISTRATION_CLOSED: "accounts are opened by invitation here",
    AccountFault.BAD_INVITATION: "the invitation is unknown, used or too old",
    AccountFault.NO_SUCH_ACCOUNT: "there is no such account",
    AccountFault.ACCOUNT_DISABLED: "this account is disabled",
    AccountFault.LAST_OPERATOR: "this is the only operator's account that is enabled",
    AccountFault.NUMBER_TAKEN: "a number cannot be this account's",
    AccountFault.TOO_MANY_NUMBERS: "an account has so many numbers and no more",
}


class AccountError(Exception):
    """It was not done; the sentence is for whoever asked."""

    def __init__(self, fault: AccountFault, detail: str = "", field: str | None = None) -> None:
        self.fault, self.field = fault, field
        self.text = f"{FAULT_TEXTS[fault]}: {detail}" if detail else FAULT_TEXTS[fault]
        super().__init__(self.text)


@dataclass(frozen=True, slots=True)
class SignIn:
    """A session that has just begun. Only its holder ever has the token."""

    token: str
    session: SessionRow
    once: bool  # the password has to be changed before anything else


Why = Literal["revoked", "disabled"]
Ended = Callable[[UserId, str | None, Why], None]


class Accounts:
    """Accounts, their sign-ins and invitations."""

    def __init__(self, store: Store, clock: Clock, passwords: Passwords, session_days: int) -> None:
        self._store, self._clock, self._passwords = store, clock, passwords
        self._session_us = session_days * DAY_US
        self._ended: list[Ended] = []

    def when_ended(self, told: Ended) -> None:
        """Tell it when a session of a user (or, with none named, every one) has ended, and why."""
        self._ended.append(told)

    # Opening and closing

    async def add(
        self,
        name: UserId,
        password: str,
        *,
        operator: bool = False,
        auditor: bool = False,
        once: bool = False,
    ) -> None:
        """Open an account. AccountError if the name is taken or the password none."""
        checked(password, name)
        made = await self._passwords.hash(password, once=once)
        account = Account(
            name, made, operator, disabled=False, created_at=self._now(), auditor=auditor and not operator
        )
        try:
            await self._store.add_account(account)
        except IdTakenError:
            raise AccountError(AccountFault.NAME_TAKEN, f"`{name}`", "name") from None
        log.info("account opened", extra={"user": name, "operator": operator, "auditor": auditor})

    async def open_for(
        self, name: UserId, password: str | None, *, operator: bool = False, auditor: bool = False
    ) -> str | None:
        """An operator opens an account for somebody. The password, for one use, if it was made here."""
        made = new_password() if password is None else None
        once = made is not None
        await self.add(name, password or made or "", operator=operator, auditor=auditor, once=once)
        return made

    async def register(self, name: UserId, password: str, invitation: str | None, *, is_open: bool) -> None:
        """Open an account for whoever comes: anybody if registration is open, else by invitation."""
        if invitation is None and not is_open:
            raise AccountError(AccountFault.REGISTRATION_CLOSED)
        checked(password, name, fault_of_choice)
        if invitation is not None:
            # Looked at first, so that a taken name does not use the invitation up.
            if await self._store.account(name) is not None:
                raise AccountError(AccountFault.NAME_TAKEN, f"`{name}`", "name")
            if not await self._store.take_invitation(token_hash(invitation), name, self._now()):
                raise AccountError(AccountFault.BAD_INVITATION, field="invitation")
        await self.add(name, password)

    async def invite(self, by: UserId) -> tuple[str, int]:
        """An invitation's token, and until when it is good, in UTC microseconds."""
        token, now = new_token(), self._now()
        until = now + INVITATION_DAYS * DAY_US
        await self._store.add_invitation(token_hash(token), by, now, until)
        return token, until

    async def delete(self, name: UserId, password: str) -> None:
        """The owner closes the account."""
        await self._proved(name, password)
        await self.close(name)

    async def close(self, name: UserId) -> None:
        """By the owner or an operator, for good. What the law makes us keep stays, under the name."""
        await self.existing(name)
        if not await self._store.delete_account(name, self._now()):
            raise AccountError(AccountFault.LAST_OPERATOR, f"`{name}`", "name")
        self._tell(name, None)
        log.info("account deleted", extra={"user": name})

    # Signing in and out

    async def sign_in(self, name: str, password: str, kind: str, label: str) -> SignIn:
        """A new session. The same answer, after the same time, for a wrong name and a wrong password."""
        account = await self._account_named(name)
        right = await self._passwords.is_right(None if account is None else account.password, password)
        if account is None or not right:
            raise AccountError(AccountFault.WRONG_PASSWORD)
        if account.disabled:
            raise AccountError(AccountFault.ACCOUNT_DISABLED)
        if self._passwords.is_outdated(account.password):
            made = await self._passwords.hash(password, once=is_once(account.password))
            await self._store.rehash(account.user, account.password, made)
        await self._make_room(account.user)
        try:
            begun = await self._begin(account, kind, label)
        except StoreError:
            await self._still(account, password)  # if not, that is why the store began none
            raise
        # Whoever disables an account or changes its password ends the sessions that there are. This one may
        # have come after that, on what was true before.
        try:
            await self._still(account, password)
        except AccountError:
            await self.end_session(account.user, begun.session.session)
            raise
        return begun

    async def who(self, token: str) -> tuple[SessionRow, Account] | None:
        """The session that a token stands for, and its account; none if there is none that is good now."""
        session = await self._store.session(token_hash(token), self._now())
        account = None if session is None else await self._store.account(session.user)
        if session is None or account is None or account.disabled:  # it may have changed between the two
            return None
        return session, account

    async def sessions(self, name: UserId) -> list[SessionRow]:
        """Where the user is signed in."""
        return list(await self._store.sessions(name, self._now()))

    async def end_session(self, name: UserId, session: str) -> bool:
        """Sign one out; False if there is no such session."""
        ended = await self._store.end_session(name, session)
        if ended:
            self._tell(name, session)
        return ended

    async def sign_out_everywhere(self, name: UserId, why: Why = "revoked") -> int:
        """End every session; how many."""
        count = await self._store.end_sessions(name)
        self._tell(name, None, why)
        return count

    # Passwords and blocks, by the owner and by operators

    async def change_password(self, name: UserId, old: str, new: str) -> None:
        """By the owner, who has to know the old one. Every session ends."""
        account = await self._proved(name, old)
        checked(new, name, fault_of_choice)
        if old == new and is_once(account.password):
            raise AccountError(AccountFault.BAD_PASSWORD, "it is the one to be changed", "new_password")
        await self._store.set_password(name, await self._passwords.hash(new))
        await self.sign_out_everywhere(name)
        log.info("password changed", extra={"user": name})

    async def prove(self, name: UserId, password: str) -> None:
        """AccountError unless this is the account's password."""
        await self._proved(name, password)

    async def reset_password(self, name: UserId, password: str | None = None) -> str:
        """By an operator: a password for one use, which the owner has to change. Every session ends."""
        await self.existing(name)
        given = password or new_password()
        checked(given, name)
        await self._store.set_password(name, await self._passwords.hash(given, once=True))
        await self.sign_out_everywhere(name)
        log.info("password reset", extra={"user": name})
        return given

    async def set_disabled(self, name: UserId, disabled: bool) -> None:
        """Disable or enable. A disabled account is signed out at once, and cannot sign in or be called."""
        await self.existing(name)
        if not await self._store.set_disabled(name, disabled):
            raise AccountError(AccountFault.LAST_OPERATOR, f"`{name}`", "name")
        if disabled:
            await self.sign_out_everywhere(name, "disabled")
        log.info("account disabled" if disabled else "account enabled", extra={"user": name})

    async def existing(self, name: UserId) -> Account:
        """The account, or AccountError."""
        account = await self._store.account(name)
        if account is None:
            raise AccountError(AccountFault.NO_SUCH_ACCOUNT, f"`{name}`", "name")
        return account

    async def operators(self) -> list[UserId]:
        """Who may operate this server."""
        return [account.user for account in await self._staff() if account.operator and not account.disabled]

    async def auditors(self) -> list[UserId]:
        """Who may read what operators see, and change nothing."""
        return [account.user for account in await self._staff() if account.auditor and not account.disabled]

    async def existing_operators(self) -> list[UserId]:
        """The same, and those that are disabled."""
        return [account.user for account in await self._staff() if account.operator]

    async def _staff(self) -> Sequence[Account]:
        return await self._store.accounts_from("", MOST_STAFF, staff=True)

    async def _account_named(self, name: str) -> Account | None:
        try:
            return await self._store.account(UserId.parse(name))
        except ValueError:
            return None

    async def _proved(self, name: UserId, password: str) -> Account:
        account = await self.existing(name)
        if not await self._passwords.is_right(account.password, password):
            raise AccountError(AccountFault.WRONG_PASSWORD)
        return account

    async def _still(self, account: Account, proved: str) -> None:
        """AccountError if the account was disabled, deleted or given another password since it was read."""
        found = await self._store.account(account.user)
        if found is None:
            raise AccountError(AccountFault.WRONG_PASSWORD)
        if found.password != account.password and not await self._passwords.is_right(found.password, proved):
            raise AccountError(AccountFault.WRONG_PASSWORD)
        if found.disabled:
            raise AccountError(AccountFault.ACCOUNT_DISABLED)

    async def _begin(self, account: Account, kind: str, label: str) -> SignIn:
        now = self._clock.now()
        session = SessionRow(
            session=str(uuid7(now, secrets.token_bytes(RANDOM))),
            user=account.user,
            kind=kind,
            label=label,
            created_at=now.utc_us,
            seen_at=now.utc_us,
            expires_at=now.utc_us + self._session_us,
        )
        token = new_token()
        await self._store.add_session(session, token_hash(token))
        return SignIn(token, session, is_once(account.password))

    async def _make_room(self, name: UserId) -> None:
        sessions = sorted(await self.sessions(name), key=lambda session: session.seen_at)
        for session in sessions[: max(0, len(sessions) - MOST_SESSIONS + 1)]:
            await self.end_session(name, session.session)

    def _tell(self, name: UserId, session: str | None, why: Why = "revoked") -> None:
        for told in self._ended:
            told(name, session, why)

    def _now(self) -> int:
        return self._clock.now().utc_us


def checked(password: str, name: str, fault_of: Callable[[str, str], str | None] = fault) -> None:
    """AccountError unless it can be a password of this account."""
    if (wrong := fault_of(password, name)) is not None:
        raise AccountError(AccountFault.BAD_PASSWORD, f"it {wrong}", "password")
