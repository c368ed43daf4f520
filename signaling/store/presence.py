"""Who lets whom see whether they are there."""

from sqlalchemy import exists, func, select

from signaling.store.steps import NO, YES, Statement, Steps, query, words
from signaling.store.tables import account, block, contact, device

_USER = words("user")
_theirs = contact.alias("theirs")
_last = select(func.max(device.c.seen_at)).where(device.c.account == contact.c.contact).scalar_subquery()
PRESENCE = Statement(
    select(contact.c.contact, _last)
    .join(account, account.c.name == contact.c.contact)
    .where(
        contact.c.account == _USER,
        account.c.deleted_at.is_(None),
        account.c.disabled == NO,
        account.c.shows_presence == YES,
        exists().where(_theirs.c.account == contact.c.contact, _theirs.c.contact == _USER),
        ~exists().where(block.c.account == contact.c.contact, block.c.blocked == _USER),
    )
    .order_by(contact.c.contact)
)


@query
def presence(user: str) -> Steps:
    return (yield PRESENCE, {"user": user})
