"""Texts: accepted once, in one order, and how far their readers have got."""

from sqlalchemy import Case, and_, case, delete, func, or_, select, union_all, update
from sqlalchemy.dialects.postgresql import insert

from signaling.store.steps import (
    Row,
    Statement,
    Steps,
    Taken,
    Undone,
    command,
    number,
    query,
    single,
    survey,
    words,
)
from signaling.store.tables import counter, device, message, receipt

# PostgreSQL holds the counter's row until the text is committed: whoever sees number 6 can see number 5.
NEXT = Statement(
    update(counter)
    .values(value=counter.c.value + 1)
    .where(counter.c.name == "message")
    .returning(counter.c.value)
)
ACCEPT = Statement(
    insert(message)
    .values(
        seq=number("seq"),
        message_id=words("message_id"),
        sender=words("sender"),
        recipient=words("recipient"),
        text=words("text"),
        at=number("at"),
    )
    .on_conflict_do_nothing(index_elements=["message_id"])
    .returning(message.c.seq)
)
_STORED = (
    message.c.message_id,
    message.c.seq,
    message.c.sender,
    message.c.recipient,
    message.c.text,
    message.c.at,
    message.c.delivered_at,
    message.c.read_at,
)
BY_ID = Statement(select(*_STORED).where(message.c.message_id == words("message_id")))

# A new device starts before the oldest text that no device has, or at the newest if there is none.
SIGN_IN = Statement(
    insert(device)
    .values(
        account=words("user"),
        device_id=words("device"),
        label=words("name"),
        seq=func.coalesce(
            select(func.min(message.c.seq) - 1)
            .where(message.c.recipient == words("user"), message.c.delivered_at.is_(None))
            .scalar_subquery(),
            select(counter.c.value).where(counter.c.name == "message").scalar_subquery(),
        ),
        first_seen_at=number("now"),
        seen_at=number("now"),
    )
    .on_conflict_do_update(
        index_elements=["account", "device_id"], set_={"label": words("name"), "seen_at": number("now")}
    )
    .returning(device.c.seq)
)
LEAVE = Statement(
    update(device)
    .values(seen_at=number("now"))
    .where(
        device.c.account == words("user"),
        device.c.device_id == words("device"),
        device.c.seen_at < number("now"),
    )
)
DEVICES = Statement(
    select(device.c.device_id)
    .where(device.c.account == words("user"))
    .order_by(device.c.seen_at, device.c.device_id)
)
FORGET_DEVICE = Statement(
    delete(device)
    .where(device.c.account == words("user"), device.c.device_id == words("device"))
    .returning(device.c.device_id)
)
AFTER = Statement(
    select(*_STORED)
    .where(
        or_(message.c.recipient == words("user"), message.c.sender == words("user")),
        message.c.seq > number("after"),
    )
    .order_by(message.c.seq)
    .limit(number("most"))
)
MOVE = Statement(
    update(device)
    .values(seq=number("upto"), seen_at=number("now"))
    .where(
        device.c.account == words("user"),
        device.c.device_id == words("device"),
        device.c.seq < number("upto"),
        # A mark beyond the newest text would hide the next ones from the device.
        select(counter.c.value).where(counter.c.name == "message").scalar_subquery() >= number("upto"),
    )
    .returning(device.c.seq)
)
DELIVER = Statement(
    update(message)
    .values(delivered_at=number("now"))
    .where(
        message.c.recipient == words("user"),
        message.c.delivered_at.is_(None),
        message.c.seq <= number("upto"),
    )
    .returning(message.c.sender, message.c.seq)
)
READ = Statement(
    update(message)
    .values(read_at=number("now"), delivered_at=func.coalesce(message.c.delivered_at, number("now")))
    .where(
        message.c.recipient == words("user"),
        message.c.sender == words("peer"),
        message.c.read_at.is_(None),
        message.c.seq <= number("upto"),
    )
    .returning(message.c.sender, message.c.seq)
)

_NEW_RECEIPT = insert(receipt).values(
    sender=words("sender"),
    reader=words("reader"),
    delivered_seq=number("delivered"),
    read_seq=number("read"),
    at=number("now"),
)


def _later(name: str) -> "Case[int]":
    """The larger of what is there and what comes: SQLite says max() for it, PostgreSQL greatest()."""
    old, new = receipt.c[name], _NEW_RECEIPT.excluded[name]
    return case((old < new, new), else_=old)


RECEIPT = Statement(
    _NEW_RECEIPT.on_conflict_do_update(
        index_elements=["sender", "reader"],
        set_={
            "delivered_seq": _later("delivered_seq"),
            "read_seq": _later("read_seq"),
            "at": _NEW_RECEIPT.excluded.at,
        },
    ).returning(receipt.c.sender, receipt.c.reader, receipt.c.delivered_seq, receipt.c.read_seq, receipt.c.at)
)
RECEIPTS = Statement(
    select(receipt.c.sender, receipt.c.reader, receipt.c.delivered_seq, receipt.c.read_seq, receipt.c.at)
    .where(receipt.c.sender == words("sender"))
    .order_by(receipt.c.reader)
)
CONVERSATION = Statement(
    select(*_STORED)
    .where(
        or_(
            and_(message.c.sender == words("user"), message.c.recipient == words("peer")),
            and_(message.c.sender == words("peer"), message.c.recipient == words("user")),
        ),
        message.c.seq < number("before"),
    )
    .order_by(message.c.seq.desc())
    .limit(number("most"))
)

_USER = words("user")
_sent = select(message.c.recipient.label("peer"), func.max(message.c.seq).label("seq")).where(
    message.c.sender == _USER
)
_got = select(message.c.sender.label("peer"), func.max(message.c.seq).label("seq")).where(
    message.c.recipient == _USER
)
_each = union_all(_sent.group_by(message.c.recipient), _got.group_by(message.c.sender)).subquery("each")
_latest = (
    select(_each.c.peer, func.max(_each.c.seq).label("seq")).group_by(_each.c.peer).subquery("latest_seq")
)
_unread = message.alias("unread")
CONVERSATIONS = Statement(
    select(
        _latest.c.peer,
        select(func.count())
        .select_from(_unread)
        .where(_unread.c.recipient == _USER, _unread.c.sender == _latest.c.peer, _unread.c.read_at.is_(None))
        .scalar_subquery(),
        *_STORED,
    )
    .join(message, message.c.seq == _latest.c.seq)
    .where(_latest.c.seq < number("before"))
    .order_by(_latest.c.seq.desc())
    .limit(number("most"))
)


@command
def accept_text(message_id: str, sender: str, to: str, text: str, at: int) -> Steps:
    # A repeated text takes a number too; Undone gives it back.
    [(seq,)] = yield NEXT, {}
    added = yield (
        ACCEPT,
        {"seq": seq, "message_id": message_id, "sender": sender, "recipient": to, "text": text, "at": at},
    )
    if added:
        return (message_id, seq, sender, to, text, at, None, None), True
    [there] = yield BY_ID, {"message_id": message_id}
    if there[2:5] != (sender, to, text):
        raise Taken(f"the message id `{message_id}` belongs to another text")
    raise Undone((there, False))


@single
def sign_in_device(user: str, device_id: str, name: str, at: int) -> Steps:
    [(seq,)] = yield SIGN_IN, {"user": user, "device": device_id, "name": name, "now": at}
    return seq


@single
def leave_device(user: str, device_id: str, at: int) -> Steps:
    yield LEAVE, {"user": user, "device": device_id, "now": at}


@command
def spare_devices(user: str, here: list[str], most: int) -> Steps:
    # Two that read at once forget the same ones: the account may have one too many until its next sign-in.
    known = [device_id for (device_id,) in (yield DEVICES, {"user": user})]
    away = [device_id for device_id in known if device_id not in here]
    for device_id in away[: max(0, len(known) - most)]:
        yield FORGET_DEVICE, {"user": user, "device": device_id}


@command
def received(user: str, device_id: str, seq: int, at: int) -> Steps:
    moved = yield MOVE, {"user": user, "device": device_id, "upto": seq, "now": at}
    if not moved:
        return []
    delivered: dict[str, int] = {}
    for sender, its_seq in (yield DELIVER, {"user": user, "upto": seq, "now": at}):
        delivered[sender] = max(its_seq, delivered.get(sender, 0))
    receipts: list[Row] = []
    for sender in sorted(delivered):
        receipts += yield (
            RECEIPT,
            {"sender": sender, "reader": user, "delivered": delivered[sender], "read": 0, "now": at},
        )
    return receipts


@command
def read(user: str, peer: str, seq: int, at: int) -> Steps:
    newly = yield READ, {"user": user, "peer": peer, "upto": seq, "now": at}
    if not newly:
        return None
    upto = max(its_seq for _, its_seq in newly)
    [row] = yield RECEIPT, {"sender": peer, "reader": user, "delivered": upto, "read": upto, "now": at}
    return row


@query
def texts_after(user: str, seq: int, limit: int) -> Steps:
    return (yield AFTER, {"user": user, "after": seq, "most": limit})


@query
def receipts(sender: str) -> Steps:
    return (yield RECEIPTS, {"sender": sender})


@query
def conversation(user: str, peer: str, before: int, limit: int) -> Steps:
    return (yield CONVERSATION, {"user": user, "peer": peer, "before": before, "most": limit})


@survey
def conversations(user: str, before: int, limit: int) -> Steps:
    return (yield CONVERSATIONS, {"user": user, "before": before, "most": limit})
