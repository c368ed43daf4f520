"""Routes of a person's own account: opening, signing in and out, password, contacts, blocks, leaving."""

from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field, StringConstraints

from signaling.accounts import AccountError, AccountFault
from signaling.api.problem import Problem, slow_down
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from signaling.passwords import LONGEST
from signaling.ports.accounts import SessionRow
from signaling.ports.entry import SignedIn
from signaling.tickets import GOOD_FOR
from wephone.protocol.ids import UserId
from wephone.protocol.messages import Label, Microseconds, Model
from wephone.protocol.reasons import ErrorCode, error_text

routes = Routes()

Password = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]
Invitation = Annotated[str, StringConstraints(min_length=16, max_length=128)]
MOST_CONTACTS = 2_000
MOST_BLOCKED = 2_000


class NewAccount(Model):
    """Who wants an account."""

    name: UserId
    password: Password = Field(repr=False)
    invitation: Invitation | None = Field(None, repr=False)


class AccountName(Model):
    """An account that was opened."""

    name: UserId


class Credentials(Model):
    """A name and its password. A browser gets a cookie that pages cannot read, others a token."""

    name: Annotated[str, StringConstraints(max_length=256)]
    password: Password = Field(repr=False)
    label: Label = ""
    kind: Literal["headless", "browser"] = "headless"


class Session(Model):
    """One sign-in. Times in microseconds since 1970."""

    session: str
    kind: str
    label: str
    created_at: Microseconds
    seen_at: Microseconds
    expires_at: Microseconds
    current: bool = False


class NewSession(Model):
    """A sign-in that has just begun. `token` is shown once, and not to browsers."""

    name: UserId
    session: str
    expires_at: Microseconds
    operator: bool
    password_change_required: bool
    token: str | None = Field(None, repr=False)


class Sessions(Model):
    """Where the account is signed in."""

    sessions: tuple[Session, ...]


class SessionLabel(Model):
    """What a sign-in is called in the list of them."""

    label: Annotated[Label, Field(min_length=1)]


class Count(Model):
    """How many were ended."""

    ended: int


class Ticket(Model):
    """For the socket's first frame, once, within so many seconds."""

    ticket: str
    expires_in: float


class Profile(Model):
    """The account as its owner sees it."""

    name: UserId
    operator: bool
    do_not_disturb: bool
    shows_presence: bool
    password_change_required: bool
    created_at: Microseconds


class Preferences(Model):
    """What the owner sets; what is left out stays as it is."""

    do_not_disturb: bool | None = None
    shows_presence: bool | None = None


class PasswordChange(Model):
    """The old password proves who asks. Every session ends."""

    password: Password = Field(repr=False)
    new_password: Password = Field(repr=False)


class Proof(Model):
    """The password, again, for what cannot be undone."""

    password: Password = Field(repr=False)


class Contact(Model):
    """Somebody in the user's own list, and how the user calls them."""

    user: UserId
    name: Label


class ContactName(Model):
    """How the user calls a contact."""

    name: Label


class Contacts(Model):
    """The user's own list."""

    contacts: tuple[Contact, ...]


class Blocked(Model):
    """Whom the user has blocked. They are told that the user cannot be reached."""

    blocked: tuple[UserId, ...]


@routes.add("POST", "/api/account", Rule.ANYONE, status=201)
async def register(visit: Visit, body: NewAccount) -> AccountName:
    """Open an account."""
    limited(visit, "sign_up", visit.parts.limits.sign_up(visit.address))
    await visit.parts.accounts.register(
        body.name, body.password, body.invitation, is_open=visit.parts.settings.registration_open
    )
    return AccountName(name=body.name)


@routes.add("POST", "/api/session", Rule.ANYONE, status=201)
async def sign_in(visit: Visit, body: Credentials) -> NewSession | web.StreamResponse:
    """Sign in: a token for programs, a cookie for browsers."""
    parts = visit.parts
    if wait := parts.limits.sign_in(body.name, visit.address):
        parts.metrics.signed_in("limited")
        raise slow_down(wait)
    try:
        begun = await parts.accounts.sign_in(body.name, body.password, body.kind, body.label)
    except AccountError as error:
        parts.metrics.signed_in("wrong")
        if error.fault is AccountFault.ACCOUNT_DISABLED:
            parts.limits.signed_in(body.name, visit.address)
        raise
    parts.limits.signed_in(body.name, visit.address)
    parts.metrics.signed_in("right")
    account = await parts.accounts.existing(begun.session.user)
    answer = NewSession(
        name=account.user,
        session=begun.session.session,
        expires_at=begun.session.expires_at,
        operator=account.operator,
        password_change_required=begun.once,
        token=begun.token if body.kind == "headless" else None,
    )
    if body.kind == "headless":
        return answer
    response = web.Response(
        status=201, body=answer.model_dump_json().encode(), content_type="application/json"
    )
    age = (begun.session.expires_at - begun.session.created_at) // 1_000_000
    response.set_cookie(
        visit.cookie, begun.token, max_age=age, path="/", secure=True, httponly=True, samesite="Strict"
    )
    return response


@routes.add("DELETE", "/api/session", Rule.SIGNED_IN_ONCE)
async def sign_out(visit: Visit) -> web.Response:
    """Sign out: the session that asks."""
    await visit.parts.accounts.end_session(visit.user, visit.known.session)
    return without_cookie(visit)


@routes.add("GET", "/api/sessions", Rule.SIGNED_IN)
async def sessions(visit: Visit) -> Sessions:
    """Where this account is signed in."""
    rows = await visit.parts.accounts.sessions(visit.user)
    return Sessions(sessions=tuple(session_of(row, visit.known.session) for row in rows))


@routes.add("PATCH", "/api/sessions/{session}", Rule.SIGNED_IN)
async def name_session(visit: Visit, body: SessionLabel) -> None:
    """Call one of the account's sessions something else."""
    session = visit.request.match_info["session"]
    if not await visit.parts.store.name_session(visit.user, session, body.label):
        raise no_such_session()


@routes.add("DELETE", "/api/sessions/{session}", Rule.SIGNED_IN)
async def end_session(visit: Visit) -> None:
    """Sign one of the account's sessions out."""
    if not await visit.parts.accounts.end_session(visit.user, visit.request.match_info["session"]):
        raise no_such_session()


@routes.add("DELETE", "/api/sessions", Rule.SIGNED_IN, status=200)
async def sign_out_everywhere(visit: Visit) -> Count:
    """Sign out everywhere, here too."""
    return Count(ended=await visit.parts.accounts.sign_out_everywhere(visit.user))


@routes.add("POST", "/api/ticket", Rule.SIGNED_IN, status=201)
async def ticket(visit: Visit) -> Ticket:
    """A ticket for the socket's first frame."""
    made = visit.parts.tickets.issue(SignedIn(visit.user, visit.known.session, visit.known.expires_at))
    return Ticket(ticket=made, expires_in=GOOD_FOR / 1e9)


@routes.add("GET", "/api/account", Rule.SIGNED_IN_ONCE)
async def account(visit: Visit) -> Profile:
    """This account."""
    found = await visit.parts.accounts.existing(visit.user)
    return Profile(
        name=found.user,
        operator=found.operator,
        do_not_disturb=found.do_not_disturb,
        shows_presence=found.shows_presence,
        password_change_required=visit.known.once,
        created_at=found.created_at,
    )


@routes.add("PATCH", "/api/account", Rule.SIGNED_IN)
async def set_preferences(visit: Visit, body: Preferences) -> None:
    """Set what the owner sets: do not disturb; whether contacts see that one is there."""
    if body.do_not_disturb is not None:
        await visit.parts.store.set_do_not_disturb(visit.user, body.do_not_disturb)
    if body.shows_presence is not None:
        await visit.parts.store.set_shows_presence(visit.user, body.shows_presence)


@routes.add("POST", "/api/account/password", Rule.SIGNED_IN_ONCE)
async def change_password(visit: Visit, body: PasswordChange) -> web.Response:
    """Change the password. Every session ends: sign in again."""
    guarded(visit)
    await visit.parts.accounts.change_password(visit.user, body.password, body.new_password)
    visit.parts.limits.signed_in(visit.user, visit.address)
    return without_cookie(visit)


@routes.add("GET", "/api/account/export", Rule.SIGNED_IN)
async def export(visit: Visit) -> web.Response:
    """Everything that is held about this account."""
    return await exported(visit, visit.user)


async def exported(visit: Visit, user: UserId) -> web.Response:
    """A file with everything that is held about a user."""
    response = web.json_response(await visit.parts.store.export_account(user))
    response.headers["Content-Disposition"] = f'attachment; filename="wephone-{user}.json"'
    return response


@routes.add("DELETE", "/api/account", Rule.SIGNED_IN)
async def delete_account(visit: Visit, body: Proof) -> web.Response:
    """Close this account for good. Its name is not given to anybody else."""
    guarded(visit)
    await visit.parts.accounts.delete(visit.user, body.password)
    visit.parts.limits.signed_in(visit.user, visit.address)
    return without_cookie(visit)


@routes.add("GET", "/api/contacts", Rule.SIGNED_IN)
async def contacts(visit: Visit) -> Contacts:
    """The account's contacts, by name."""
    rows = await visit.parts.store.contacts(visit.user)
    return Contacts(contacts=tuple(Contact(user=user, name=name) for user, name in rows))


@routes.add("PUT", "/api/contacts/{user}", Rule.SIGNED_IN)
async def set_contact(visit: Visit, body: ContactName) -> None:
    """Add or rename a contact. Whether there is such a user is not said."""
    if not await visit.parts.store.set_contact(visit.user, user_in_path(visit), body.name, MOST_CONTACTS):
        raise Problem(409, "too_many", f"an account has at most {MOST_CONTACTS} contacts")


@routes.add("DELETE", "/api/contacts/{user}", Rule.SIGNED_IN)
async def remove_contact(visit: Visit) -> None:
    """Remove a contact, if there is one."""
    await visit.parts.store.set_contact(visit.user, user_in_path(visit), None)


@routes.add("GET", "/api/blocked", Rule.SIGNED_IN)
async def blocked(visit: Visit) -> Blocked:
    """Whom this account has blocked."""
    return Blocked(blocked=tuple(await visit.parts.store.blocked_by(visit.user)))


@routes.add("PUT", "/api/blocked/{user}", Rule.SIGNED_IN)
async def block(visit: Visit) -> None:
    """Block a user."""
    other = user_in_path(visit)
    if other == visit.user:
        raise Problem(400, ErrorCode.YOURSELF, error_text(ErrorCode.YOURSELF), field="user")
    if not await visit.parts.store.block(visit.user, other, True, MOST_BLOCKED):
        raise Problem(409, "too_many", f"an account blocks at most {MOST_BLOCKED} users")


@routes.add("DELETE", "/api/blocked/{user}", Rule.SIGNED_IN)
async def unblock(visit: Visit) -> None:
    """Unblock a user."""
    await visit.parts.store.block(visit.user, user_in_path(visit), False)


def user_in_path(visit: Visit) -> UserId:
    """The `{user}` of the path; Problem if that is no name."""
    try:
        return UserId.parse(visit.request.match_info["user"])
    except ValueError:
        raise Problem(400, "bad_value", "that is not a user's name", field="user") from None


def session_of(row: SessionRow, current: str) -> Session:
    """A sign-in as its owner sees it."""
    return Session(
        session=row.session,
        kind=row.kind,
        label=row.label,
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
        current=row.session == current,
    )


def no_such_session() -> Problem:
    """It has ended, or is somebody else's."""
    return Problem(404, "no_such_session", "there is no such session of this account")


def limited(visit: Visit, limit: str, wait: float) -> None:
    """Problem if somebody has to wait."""
    if wait:
        visit.parts.metrics.limited(limit)
        raise slow_down(wait)


def guarded(visit: Visit) -> None:
    """A password is about to be tried by whoever holds a session: guesses are counted there too."""
    limited(visit, "password", visit.parts.limits.sign_in(visit.user, visit.address))


def without_cookie(visit: Visit) -> web.Response:
    """Done, and the browser's cookie is taken away."""
    response = web.Response(status=204)
    response.set_cookie(visit.cookie, "", max_age=0, path="/", secure=True, httponly=True, samesite="Strict")
    return response
