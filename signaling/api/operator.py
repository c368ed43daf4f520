"""Routes of operators, on the operators' listener and the Unix socket alone: accounts and invitations."""

import logging
from typing import Annotated, Self

from aiohttp import web
from pydantic import Field, StringConstraints, model_validator

from licensing.ports import JournalError
from signaling.api.account import Count, Password, exported, user_in_path
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from signaling.ports.store import StoreError
from wephone.protocol.ids import UserId
from wephone.protocol.messages import Microseconds, Model

routes = Routes()
log = logging.getLogger(__name__)

PAGE, LONGEST_PAGE = 100, 1_000


class KnownAccount(Model):
    """An account as operators see it."""

    name: UserId
    operator: bool
    auditor: bool
    disabled: bool
    created_at: Microseconds


class AccountPage(Model):
    """Which accounts: from this name on; `staff`: operators and auditors alone."""

    first: Annotated[str, StringConstraints(max_length=64)] = ""
    limit: Annotated[int, Field(ge=1, le=LONGEST_PAGE)] = PAGE
    staff: bool = False


class KnownAccounts(Model):
    """Those that have not been deleted, by name. `next` is the next page's first, none on the last."""

    accounts: tuple[KnownAccount, ...]
    next: str | None


class AddedAccount(Model):
    """An account to open. Without a password one is made, for one use.

    An operator changes what may be offered; an auditor reads the same and changes nothing.
    """

    name: UserId
    password: Password | None = Field(None, repr=False)
    operator: bool = False
    auditor: bool = False

    @model_validator(mode="after")
    def _one_role(self) -> Self:
        if self.operator and self.auditor:
            raise ValueError("nobody audits what they do themselves: operator or auditor, not both")
        return self


class OnePassword(Model):
    """A password, if it was made here: it is shown this once, and has to be changed at its first use."""

    name: UserId
    password: str | None = Field(None, repr=False)


class GivenPassword(Model):
    """A password for one use; made if none is given."""

    password: Password | None = Field(None, repr=False)


class AccountState(Model):
    """May the account be used?"""

    disabled: bool


class NewInvitation(Model):
    """Whoever has the link may open one account."""

    invitation: str = Field(repr=False)
    link: str
    expires_at: Microseconds


@routes.add("GET", "/api/operator/accounts", Rule.AUDITOR)
async def accounts(visit: Visit, query: AccountPage) -> KnownAccounts:
    """Accounts, by name."""
    rows = await visit.parts.store.accounts_from(query.first, query.limit + 1, staff=query.staff)
    return KnownAccounts(
        accounts=tuple(
            KnownAccount(
                name=row.user,
                operator=row.operator,
                auditor=row.auditor,
                disabled=row.disabled,
                created_at=row.created_at,
            )
            for row in rows[: query.limit]
        ),
        next=rows[query.limit].user if len(rows) > query.limit else None,
    )


@routes.add("POST", "/api/operator/accounts", Rule.OPERATOR, status=201, proven=True)
async def add_account(visit: Visit, body: AddedAccount) -> OnePassword:
    """Open an account."""
    if body.operator and await visit.parts.store.account(body.name) is None:
        await password_known(visit, body.name, opened=True)
    made = await visit.parts.accounts.open_for(
        body.name, body.password, operator=body.operator, auditor=body.auditor
    )
    noted(visit, "add", body.name)
    return OnePassword(name=body.name, password=made)


@routes.add("PATCH", "/api/operator/accounts/{user}", Rule.OPERATOR, proven=True)
async def set_account_state(visit: Visit, body: AccountState) -> None:
    """Disable or enable an account. A disabled one is signed out at once."""
    await visit.parts.accounts.set_disabled(user_in_path(visit), body.disabled)
    noted(visit, "disable" if body.disabled else "enable", user_in_path(visit))


@routes.add("POST", "/api/operator/accounts/{user}/password", Rule.OPERATOR, status=200, proven=True)
async def reset_password(visit: Visit, body: GivenPassword) -> OnePassword:
    """Give an account a password for one use. It is signed out everywhere."""
    user = user_in_path(visit)
    if (await visit.parts.accounts.existing(user)).operator:
        await password_known(visit, user)
    made = await visit.parts.accounts.reset_password(user, body.password)
    noted(visit, "reset-password", user)
    return OnePassword(name=user, password=made if body.password is None else None)


@routes.add("DELETE", "/api/operator/accounts/{user}", Rule.OPERATOR, proven=True)
async def delete_account(visit: Visit) -> None:
    """Close somebody's account for good, as they may themselves. Its name is not given to anybody else."""
    user = user_in_path(visit)
    await visit.parts.accounts.close(user)
    noted(visit, "delete", user)


@routes.add("POST", "/api/operator/accounts/{user}/export", Rule.OPERATOR, status=200, proven=True)
async def export_account(visit: Visit) -> web.Response:
    """Everything that is held about an account, texts too, for its owner who asked for it.

    Not for auditors, who read what operators see: it is an act, and in the log.
    """
    user = user_in_path(visit)
    await visit.parts.accounts.existing(user)
    noted(visit, "export", user)
    return await exported(visit, user)


@routes.add("DELETE", "/api/operator/accounts/{user}/sessions", Rule.OPERATOR, status=200)
async def end_sessions(visit: Visit) -> Count:
    """Sign an account out everywhere."""
    user = user_in_path(visit)
    await visit.parts.accounts.existing(user)
    noted(visit, "sign-out", user)
    return Count(ended=await visit.parts.accounts.sign_out_everywhere(user))


@routes.add("POST", "/api/operator/invitations", Rule.OPERATOR, status=201)
async def invite(visit: Visit) -> NewInvitation:
    """An invitation for one account."""
    token, until = await visit.parts.accounts.invite(visit.user)
    noted(visit, "invite", "")
    link = f"{visit.parts.url}/#invitation={token}"
    return NewInvitation(invitation=token, link=link, expires_at=until)


async def password_known(visit: Visit, user: UserId, *, opened: bool = False) -> None:
    """This operator will know another one's password: in the journal, before it is so."""
    on_machine = not visit.known.session
    try:
        await visit.parts.licence.register.note_password(
            user, by=visit.user, opened=opened, on_machine=on_machine
        )
    except JournalError as error:
        raise StoreError(str(error)) from error


def noted(visit: Visit, what: str, about: str) -> None:
    """What an operator did, in the log."""
    log.info("operator", extra={"operator": visit.user, "did": what, "about": about})
