"""What keeps the store in order: retention, deletion and export of an account, and a trial write."""

from sqlalchemy import ColumnElement, Table, and_, case, delete, exists, null, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from signaling.store import holders
from signaling.store.accounts import SESSIONS, is_last_operator
from signaling.store.steps import (
    NO,
    YES,
    Refused,
    Statement,
    Steps,
    command,
    number,
    query,
    single,
    survey,
    words,
)
from signaling.store.tables import (
    account,
    block,
    call,
    clear_value,
    contact,
    counter,
    device,
    entitlement,
    heard,
    invitation,
    leg,
    message,
    push_subscription,
    receipt,
    register_version,
    session,
)

_READY = insert(counter).values(name="ready", value=1)
READY = Statement(
    _READY.on_conflict_do_update(index_elements=["name"], set_={"value": counter.c.value + 1}).returning(
        counter.c.value
    )
)

_PURGED = insert(counter).values(name="purged", value=number("at"))
NOTE_PURGE = Statement(
    _PURGED.on_conflict_do_update(index_elements=["name"], set_={"value": _PURGED.excluded.value}).returning(
        counter.c.value
    )
)
PURGED_AT = Statement(select(counter.c.value).where(counter.c.name == "purged"))


def _delete(table: Table, *where: ColumnElement[bool]) -> Statement:
    return Statement(delete(table).where(*where).returning(next(iter(table.primary_key.columns))))


def _delete_some(table: Table, *where: ColumnElement[bool]) -> Statement:
    """A bounded piece of a purge: the writer has calls to write in between."""
    key = list(table.primary_key.columns)
    return _delete(table, tuple_(*key).in_(select(*key).where(*where).limit(number("most"))))


_BEFORE = number("before")
# Retention class -> statements, each of which deletes some of what `before` has overtaken.
PURGE = {
    "texts": [_delete_some(message, message.c.at < _BEFORE)],
    # What rings or talks is not history yet, however long ago it began.
    "calls": [
        _delete_some(call, call.c.offered_at < _BEFORE, call.c.ended_at < _BEFORE),
        _delete_some(leg, leg.c.begun_at < _BEFORE, leg.c.ended_at < _BEFORE),
        # With its call, whatever the call is.
        _delete_some(heard, heard.c.at < _BEFORE, ~exists().where(call.c.call_id == heard.c.call_id)),
    ],
    "sessions": [
        _delete_some(session, session.c.expires_at < _BEFORE),
        # Those of sessions that were ended since, too: nobody is woken by them any more.
        _delete_some(
            push_subscription,
            push_subscription.c.at < _BEFORE,
            ~exists().where(session.c.session_id == push_subscription.c.session_id),
        ),
        _delete_some(invitation, invitation.c.expires_at < _BEFORE),
    ],
    "devices": [_delete_some(device, device.c.seen_at < _BEFORE)],
    "clear_values": [_delete_some(clear_value, clear_value.c.delete_after < _BEFORE)],
}

BURY = Statement(
    update(account)
    .values(
        password="",
        operator=NO,
        auditor=NO,
        disabled=YES,
        do_not_disturb=NO,
        forwarding=null(),
        deleted_at=number("now"),
    )
    .where(account.c.name == words("user"), account.c.deleted_at.is_(None))
    .returning(account.c.name)
)

_sender, _recipient = account.alias("sender_account"), account.alias("recipient_account")
_USER = words("user")
CLEAR = [
    _delete(session, session.c.account == _USER),
    _delete(device, device.c.account == _USER),
    _delete(push_subscription, push_subscription.c.account == _USER),
    _delete(contact, contact.c.account == _USER),
    _delete(block, block.c.account == _USER),
    _delete(entitlement, entitlement.c.account == _USER),
    _delete(invitation, (invitation.c.invited_by == _USER) | (invitation.c.used_by == _USER)),
    # A text is both its author's and its reader's: it goes with the last of the two.
    _delete(
        message,
        (message.c.sender == _USER) | (message.c.recipient == _USER),
        ~exists().where(_sender.c.name == message.c.sender, _sender.c.deleted_at.is_(None)),
        ~exists().where(_recipient.c.name == message.c.recipient, _recipient.c.deleted_at.is_(None)),
    ),
    _delete(receipt, (receipt.c.reader == _USER) | (receipt.c.sender == _USER)),
    *holders.CLEAR,
]

ACCOUNT_FIELDS = (
    "name",
    "operator",
    "auditor",
    "disabled",
    "do_not_disturb",
    "shows_presence",
    "forwarding",
    "created_at",
    "deleted_at",
)
ACCOUNT = Statement(
    select(
        account.c.name,
        account.c.operator,
        account.c.auditor,
        account.c.disabled,
        account.c.do_not_disturb,
        account.c.shows_presence,
        account.c.forwarding,
        account.c.created_at,
        account.c.deleted_at,
    ).where(account.c.name == _USER)
)
_ROLE = case((call.c.caller == _USER, "caller"), (call.c.answered_by == _USER, "callee"))
# Section -> (names of its fields, statement).
EXPORT = {
    "sessions": (
        ("session", "account", "kind", "label", "created_at", "seen_at", "expires_at"),
        SESSIONS,
    ),
    "devices": (
        ("device", "label", "seq", "first_seen_at", "seen_at"),
        Statement(
            select(device.c.device_id, device.c.label, device.c.seq, device.c.first_seen_at, device.c.seen_at)
            .where(device.c.account == _USER)
            .order_by(device.c.device_id)
        ),
    ),
    "telephone": (
        ("document", "granted_by", "at"),
        Statement(
            select(entitlement.c.document, entitlement.c.granted_by, entitlement.c.at).where(
                entitlement.c.account == _USER
            )
        ),
    ),
    "telephone_legs": (
        ("call", "trunk", "outgoing", "decision", "begun_at", "answered_at", "ended_at", "cause"),
        Statement(
            select(
                leg.c.call_id,
                leg.c.trunk,
                leg.c.outgoing,
                leg.c.decision,
                leg.c.begun_at,
                leg.c.answered_at,
                leg.c.ended_at,
                leg.c.cause,
            )
            .where(leg.c.account == _USER)
            .order_by(leg.c.begun_at, leg.c.leg_id)
        ),
    ),
    "push": (
        ("device", "endpoint", "p256dh", "language", "at"),
        Statement(
            select(
                push_subscription.c.device_id,
                push_subscription.c.endpoint,
                push_subscription.c.p256dh,
                push_subscription.c.language,
                push_subscription.c.at,
            )
            .where(push_subscription.c.account == _USER)
            .order_by(push_subscription.c.device_id)
        ),
    ),
    "contacts": (
        ("contact", "label"),
        Statement(
            select(contact.c.contact, contact.c.label)
            .where(contact.c.account == _USER)
            .order_by(contact.c.contact)
        ),
    ),
    "blocked": (
        ("account",),
        Statement(select(block.c.blocked).where(block.c.account == _USER).order_by(block.c.blocked)),
    ),
    "invitations": (
        ("invited_by", "created_at", "expires_at", "used_by", "used_at"),
        Statement(
            select(
                invitation.c.invited_by,
                invitation.c.created_at,
                invitation.c.expires_at,
                invitation.c.used_by,
                invitation.c.used_at,
            )
            .where((invitation.c.invited_by == _USER) | (invitation.c.used_by == _USER))
            .order_by(invitation.c.created_at, invitation.c.token_hash)
        ),
    ),
    "texts": (
        ("message", "seq", "sender", "to", "text", "at", "delivered_at", "read_at"),
        Statement(
            select(
                message.c.message_id,
                message.c.seq,
                message.c.sender,
                message.c.recipient,
                message.c.text,
                message.c.at,
                message.c.delivered_at,
                message.c.read_at,
            )
            .where((message.c.sender == _USER) | (message.c.recipient == _USER))
            .order_by(message.c.seq)
        ),
    ),
    "receipts": (
        ("sender", "reader", "delivered_seq", "read_seq", "at"),
        Statement(
            select(
                receipt.c.sender, receipt.c.reader, receipt.c.delivered_seq, receipt.c.read_seq, receipt.c.at
            )
            .where((receipt.c.sender == _USER) | (receipt.c.reader == _USER))
            .order_by(receipt.c.sender, receipt.c.reader)
        ),
    ),
    "calls": (
        (
            "call",
            "caller",
            "caller_device",
            "callee",
            "media",
            "offered_at",
            "answered_at",
            "answered_by",
            "answered_device",
            "ended_at",
            "reason",
            "missed",
            "seen",
            "decision",
            "forwarded_to",
            "forwarded_by",
            "packets_heard",
            "packets_lost",
            "jitter_us",
            "rtt_us",
        ),
        Statement(
            select(
                call.c.call_id,
                call.c.caller,
                case((call.c.caller == _USER, call.c.caller_device), else_=null()),
                call.c.callee,
                call.c.media,
                call.c.offered_at,
                call.c.answered_at,
                call.c.answered_by,
                case((call.c.answered_by == _USER, call.c.answered_device), else_=null()),
                call.c.ended_at,
                call.c.reason,
                call.c.missed,
                call.c.seen,
                call.c.decision,
                call.c.forwarded_to,
                call.c.forwarded_by,
                # What the user's own device said it heard.
                heard.c.packets,
                heard.c.lost,
                heard.c.jitter,
                heard.c.round_trip,
            )
            .select_from(
                call.outerjoin(heard, and_(heard.c.call_id == call.c.call_id, heard.c.role == _ROLE))
            )
            .where(
                (call.c.caller == _USER)
                | (((call.c.callee == _USER) | (call.c.forwarded_to == _USER)) & (call.c.offered == YES))
            )
            .order_by(call.c.offered_at, call.c.call_id)
        ),
    ),
    **holders.EXPORT,
    # What an operator did to the register stays when the account goes, and so does what a decision was made
    # on, until its own date.
    "register_changes": (
        ("kind", "key", "version", "at"),
        Statement(
            select(
                register_version.c.kind,
                register_version.c.key,
                register_version.c.version,
                register_version.c.at,
            )
            .where(register_version.c.changed_by == _USER)
            .order_by(register_version.c.epoch, register_version.c.kind, register_version.c.key)
        ),
    ),
    "evidence": (
        ("hash", "value", "delete_after"),
        Statement(
            select(clear_value.c.hash, clear_value.c.value, clear_value.c.delete_after)
            .where(clear_value.c.value == _USER)
            .order_by(clear_value.c.hash)
        ),
    ),
}


@single
def ready() -> Steps:
    """A trial write that leaves nothing behind but a count."""
    yield READY, {}


@command
def purge_some(kind: str, before: int, most: int) -> Steps:
    if kind not in PURGE:
        raise Refused(f"there is no retention class `{kind}`: " + ", ".join(sorted(PURGE)))
    gone = 0
    for statement in PURGE[kind]:
        gone += len((yield statement, {"before": before, "most": most}))
    return gone


@single
def note_purge(at: int) -> Steps:
    yield NOTE_PURGE, {"at": at}


@query
def purged_at() -> Steps:
    found = yield PURGED_AT, {}
    return found[0][0] if found else None


@command
def delete_account(user: str, at: int) -> Steps:
    """False, and nothing done, for the last operator."""
    if (yield from is_last_operator(user)):
        return False
    if not (yield BURY, {"user": user, "now": at}):
        raise Refused(f"there is no account `{user}`")
    for statement in CLEAR:
        yield statement, {"user": user}
    return True


@survey
def export_account(user: str) -> Steps:
    """A document of all sections; the other party's device of a call is not the user's to see."""
    found = yield ACCOUNT, {"user": user}
    if not found:
        raise Refused(f"there is no account `{user}`")
    document: dict[str, object] = {"account": dict(zip(ACCOUNT_FIELDS, found[0], strict=True))}
    for section, (names, statement) in EXPORT.items():
        rows = yield statement, {"user": user, "now": 0}
        document[section] = [dict(zip(names, row, strict=True)) for row in rows]
    return document
