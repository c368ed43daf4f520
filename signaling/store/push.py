"""Where devices can be woken: the subscriptions of their browsers at push services."""

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert

from signaling.store.steps import Statement, Steps, command, number, query, single, words
from signaling.store.tables import device, push_subscription, session

_OF_DEVICE = (push_subscription.c.account == words("user"), push_subscription.c.device_id == words("device"))
FORGET = Statement(delete(push_subscription).where(*_OF_DEVICE).returning(push_subscription.c.endpoint))
GONE = Statement(
    delete(push_subscription)
    .where(push_subscription.c.endpoint == words("endpoint"))
    .returning(push_subscription.c.endpoint)
)
_NEW = insert(push_subscription).from_select(
    ("endpoint", "account", "device_id", "p256dh", "auth", "language", "session_id", "at"),
    # From the device's row: there are as many subscriptions as devices at most.
    select(
        words("endpoint"),
        device.c.account,
        device.c.device_id,
        words("p256dh"),
        words("auth"),
        words("language"),
        words("session"),
        number("now"),
    ).where(device.c.account == words("user"), device.c.device_id == words("device")),
)
KEEP = Statement(_NEW.returning(push_subscription.c.endpoint))
# Whose session has ended is woken no more, whether or not anybody has told the browser.
SLEEPERS = Statement(
    select(
        push_subscription.c.device_id,
        push_subscription.c.endpoint,
        push_subscription.c.p256dh,
        push_subscription.c.auth,
        push_subscription.c.language,
    )
    .where(
        push_subscription.c.account == words("user"),
        exists().where(
            session.c.session_id == push_subscription.c.session_id, session.c.expires_at > number("now")
        ),
        exists().where(
            device.c.account == push_subscription.c.account,
            device.c.device_id == push_subscription.c.device_id,
        ),
    )
    .order_by(push_subscription.c.device_id)
)


@command
def keep_push(
    user: str, device_id: str, endpoint: str, p256dh: str, auth: str, language: str, session_id: str, at: int
) -> Steps:
    """One for a device; and a browser that another account used before is that one's no more."""
    yield FORGET, {"user": user, "device": device_id}
    yield GONE, {"endpoint": endpoint}
    row = {
        "user": user,
        "device": device_id,
        "endpoint": endpoint,
        "p256dh": p256dh,
        "auth": auth,
        "language": language,
        "session": session_id,
        "now": at,
    }
    return bool((yield KEEP, row))


@single
def forget_push(endpoint: str) -> Steps:
    yield GONE, {"endpoint": endpoint}


@single
def forget_device_push(user: str, device_id: str) -> Steps:
    yield FORGET, {"user": user, "device": device_id}


@query
def sleepers(user: str, at: int) -> Steps:
    return (yield SLEEPERS, {"user": user, "now": at})
