"""Accounts and what is theirs: sessions, invitations, blocks, contacts."""

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from signaling.store.steps import (
    NO,
    YES,
    Refused,
    Statement,
    Steps,
    Taken,
    command,
    number,
    octets,
    query,
    single,
    words,
)
from signaling.store.tables import STAFF, account, block, contact, invitation, session

_LIVING = account.c.deleted_at.is_(None)
_ACCOUNT = (
    account.c.name,
    account.c.password,
    account.c.operator,
    account.c.disabled,
    account.c.created_at,
    account.c.do_not_disturb,
    account.c.auditor,
    account.c.shows_presence,
)

ADD = Statement(
    insert(account)
    .values(
        name=words("name"),
        password=words("password"),
        operator=number("operator"),
        disabled=number("disabled"),
        do_not_disturb=number("do_not_disturb"),
        created_at=number("created_at"),
        auditor=number("auditor"),
    )
    .on_conflict_do_nothing()
    .returning(account.c.name)
)
ONE = Statement(select(*_ACCOUNT).where(account.c.name == words("user"), _LIVING))
_FROM = (
    select(*_ACCOUNT)
    .where(account.c.name >= words("first"), _LIVING)
    .order_by(account.c.name)
    .limit(number("most"))
)
FROM = Statement(_FROM)
STAFF_FROM = Statement(_FROM.where(STAFF))


def _set(column: str) -> Statement:
    """Change one column of a living account."""
    value = words("given") if column in ("password", "forwarding") else number("given")
    return Statement(
        update(account)
        .values({column: value})
        .where(account.c.name == words("user"), _LIVING)
        .returning(account.c.name)
    )


# Held until the command is committed, in one order for all: of two operators who remove each other at once,
# the second finds itself alone. SQLite has one writer anyway.
OPERATORS = Statement(
    select(account.c.name)
    .where(account.c.operator == YES, account.c.disabled == NO, _LIVING)
    .order_by(account.c.name)
    .with_for_update()
)
# Likewise, of whatever an account may have so many of.
HOLD = Statement(select(account.c.name).where(account.c.name == words("user"), _LIVING).with_for_update())

REHASH = Statement(  # guarded: a password that was changed meanwhile stays changed
    update(account)
    .values(password=words("new"))
    .where(account.c.name == words("user"), account.c.password == words("old"), _LIVING)
)

SET = {
    column: _set(column)
    for column in ("password", "disabled", "do_not_disturb", "shows_presence", "forwarding")
}
FORWARDING = Statement(select(account.c.forwarding).where(account.c.name == words("user"), _LIVING))

_SESSION = (
    session.c.session_id,
    session.c.account,
    session.c.kind,
    session.c.label,
    session.c.created_at,
    session.c.seen_at,
    session.c.expires_at,
)
_SESSION_ADDED = (
    "session_id",
    "account",
    "token_hash",
    "kind",
    "label",
    "created_at",
    "seen_at",
    "expires_at",
)
# From the account's row, so that no session begins for one that was disabled or deleted meanwhile. PostgreSQL
# holds the row until the session is committed: whoever disables the account then sees the session, to end it.
ADD_SESSION = Statement(
    insert(session)
    .from_select(
        _SESSION_ADDED,
        select(
            words("session"),
            account.c.name,
            octets("token_hash"),
            words("kind"),
            words("label"),
            number("created_at"),
            number("seen_at"),
            number("expires_at"),
        )
        .where(account.c.name == words("user"), account.c.disabled == NO, _LIVING)
        .with_for_update(read=True),
    )
    .returning(session.c.session_id)
)
SESSION = Statement(
    select(*_SESSION)
    .join(account, account.c.name == session.c.account)
    .where(
        session.c.token_hash == octets("token_hash"),
        session.c.expires_at > number("now"),
        account.c.disabled == NO,
        _LIVING,
    )
)
TOUCH = Statement(
    update(session)
    .values(seen_at=number("now"))
    .where(session.c.session_id == words("session"), session.c.seen_at < number("now"))
    .returning(session.c.session_id)
)
NAME_SESSION = Statement(
    update(session)
    .values(label=words("label"))
    .where(session.c.account == words("user"), session.c.session_id == words("session"))
    .returning(session.c.session_id)
)
SESSIONS = Statement(
    select(*_SESSION)
    .where(session.c.account == words("user"), session.c.expires_at > number("now"))
    .order_by(session.c.created_at, session.c.session_id)
)
END_SESSION = Statement(
    delete(session)
    .where(session.c.account == words("user"), session.c.session_id == words("session"))
    .returning(session.c.session_id)
)
END_SESSIONS = Statement(
    delete(session).where(session.c.account == words("user")).returning(session.c.session_id)
)

INVITE = Statement(
    insert(invitation)
    .values(
        token_hash=octets("token_hash"),
        invited_by=words("by"),
        created_at=number("now"),
        expires_at=number("expires_at"),
    )
    .on_conflict_do_nothing()
    .returning(invitation.c.token_hash)
)
TAKE = Statement(
    update(invitation)
    .values(used_by=words("user"), used_at=number("now"))
    .where(
        invitation.c.token_hash == octets("token_hash"),
        invitation.c.used_at.is_(None),
        invitation.c.expires_at > number("now"),
    )
    .returning(invitation.c.token_hash)
)

BLOCK = Statement(
    insert(block)
    .values(account=words("user"), blocked=words("blocked_user"))
    .on_conflict_do_nothing()
    .returning(block.c.blocked)
)
UNBLOCK = Statement(
    delete(block)
    .where(block.c.account == words("user"), block.c.blocked == words("blocked_user"))
    .returning(block.c.blocked)
)
BLOCKED_BY = Statement(
    select(block.c.blocked).where(block.c.account == words("user")).order_by(block.c.blocked)
)
HAS_BLOCKED = Statement(
    select(block.c.blocked).where(block.c.account == words("user"), block.c.blocked == words("other"))
)

_NEW_CONTACT = insert(contact).values(account=words("user"), contact=words("other"), label=words("name"))
SET_CONTACT = Statement(
    _NEW_CONTACT.on_conflict_do_update(
        index_elements=["account", "contact"], set_={"label": _NEW_CONTACT.excluded.label}
    ).returning(contact.c.contact)
)
UNSET_CONTACT = Statement(
    delete(contact)
    .where(contact.c.account == words("user"), contact.c.contact == words("other"))
    .returning(contact.c.contact)
)
CONTACTS = Statement(
    select(contact.c.contact, contact.c.label)
    .where(contact.c.account == words("user"))
    .order_by(contact.c.contact)
)


@single
def add_account(
    name: str, password: str, operator: bool, disabled: bool, created_at: int, dnd: bool, auditor: bool
) -> Steps:
    row = {
        "name": name,
        "password": password,
        "operator": int(operator),
        "disabled": int(disabled),
        "created_at": created_at,
        "do_not_disturb": int(dnd),
        "auditor": int(auditor),
    }
    if not (yield ADD, row):
        raise Taken(f"the name `{name}` is taken")


@single
def set_account(user: str, column: str, given: object) -> Steps:
    if not (yield SET[column], {"user": user, "given": given}):
        raise Refused(f"there is no account `{user}`")


def is_last_operator(user: str) -> Steps:
    """Nobody else operates the server, and nobody begins or ends to before the command is committed."""
    return [name for (name,) in (yield OPERATORS, {})] == [user]


@command
def disable_account(user: str) -> Steps:
    """False, and nothing done, for the last operator."""
    if (yield from is_last_operator(user)):
        return False
    yield from set_account(user, "disabled", 1)
    return True


@single
def rehash(user: str, old: str, new: str) -> Steps:
    yield REHASH, {"user": user, "old": old, "new": new}


@single
def add_session(
    session_id: str,
    user: str,
    token_hash: bytes,
    kind: str,
    label: str,
    created_at: int,
    seen_at: int,
    expires_at: int,
) -> Steps:
    row = {
        "session": session_id,
        "user": user,
        "token_hash": token_hash,
        "kind": kind,
        "label": label,
        "created_at": created_at,
        "seen_at": seen_at,
        "expires_at": expires_at,
    }
    if not (yield ADD_SESSION, row):
        raise Refused(f"there is no enabled account `{user}`")


@single
def touch_session(session_id: str, at: int) -> Steps:
    yield TOUCH, {"session": session_id, "now": at}


@single
def name_session(user: str, session_id: str, label: str) -> Steps:
    return bool((yield NAME_SESSION, {"user": user, "session": session_id, "label": label}))


@single
def end_session(user: str, session_id: str) -> Steps:
    return bool((yield END_SESSION, {"user": user, "session": session_id}))


@single
def end_sessions(user: str) -> Steps:
    return len((yield END_SESSIONS, {"user": user}))


@single
def add_invitation(token_hash: bytes, by: str, at: int, expires_at: int) -> Steps:
    row = {"token_hash": token_hash, "by": by, "now": at, "expires_at": expires_at}
    if not (yield INVITE, row):
        raise Taken("this invitation exists already")


@single
def take_invitation(token_hash: bytes, user: str, at: int) -> Steps:
    return bool((yield TAKE, {"token_hash": token_hash, "user": user, "now": at}))


@single
def unblock(user: str, blocked: str) -> Steps:
    yield UNBLOCK, {"user": user, "blocked_user": blocked}


@command
def set_block(user: str, blocked: str, most: int | None) -> Steps:
    """False, and nothing done, if that would be more than `most`."""
    yield HOLD, {"user": user}
    known = [name for (name,) in (yield BLOCKED_BY, {"user": user})]
    if blocked not in known and most is not None and len(known) >= most:
        return False
    yield BLOCK, {"user": user, "blocked_user": blocked}
    return True


@single
def remove_contact(user: str, other: str) -> Steps:
    yield UNSET_CONTACT, {"user": user, "other": other}


@command
def set_contact(user: str, other: str, name: str, most: int | None) -> Steps:
    """False, and nothing done, if that would be more than `most`."""
    yield HOLD, {"user": user}
    known = [contact_ for contact_, _ in (yield CONTACTS, {"user": user})]
    if other not in known and most is not None and len(known) >= most:
        return False
    yield SET_CONTACT, {"user": user, "other": other, "name": name}
    return True


@query
def forwarding_of(user: str) -> Steps:
    return (yield FORWARDING, {"user": user})


@query
def account_named(user: str) -> Steps:
    return (yield ONE, {"user": user})


@query
def accounts_from(first: str, limit: int) -> Steps:
    return (yield FROM, {"first": first, "most": limit})


@query
def staff_from(first: str, limit: int) -> Steps:
    return (yield STAFF_FROM, {"first": first, "most": limit})


@query
def session_of(token_hash: bytes, at: int) -> Steps:
    return (yield SESSION, {"token_hash": token_hash, "now": at})


@query
def sessions_of(user: str, at: int) -> Steps:
    return (yield SESSIONS, {"user": user, "now": at})


@query
def blocked_by(user: str) -> Steps:
    return (yield BLOCKED_BY, {"user": user})


@query
def has_blocked(user: str, other: str) -> Steps:
    return bool((yield HAS_BLOCKED, {"user": user, "other": other}))


@query
def contacts_of(user: str) -> Steps:
    return (yield CONTACTS, {"user": user})
