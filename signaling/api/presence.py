"""A route to who of one's contacts is there."""

from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from wephone.protocol.ids import UserId
from wephone.protocol.messages import Microseconds, Model

routes = Routes()

MINUTE = 60 * 1_000_000  # µs: nobody's business is finer than that


class Presence(Model):
    """A contact. `seen_at`: the minute in which they were last there; none while they are, or if never."""

    user: UserId
    online: bool
    seen_at: Microseconds | None


class Presences(Model):
    """The contacts who let this account see it; why another one is not among them is not said."""

    contacts: tuple[Presence, ...]


@routes.add("GET", "/api/presence", Rule.SIGNED_IN)
async def presence(visit: Visit) -> Presences:
    """Who of the account's contacts is there, of those who let it see that."""
    lines = visit.parts.exchange.lines
    found = await visit.parts.store.presence(visit.user)
    return Presences(contacts=tuple(shown(user, lines.is_here(user), seen_at) for user, seen_at in found))


def shown(user: UserId, online: bool, seen_at: int | None) -> Presence:
    """One of them."""
    minute = None if online or seen_at is None else seen_at - seen_at % MINUTE
    return Presence(user=user, online=online, seen_at=minute)
