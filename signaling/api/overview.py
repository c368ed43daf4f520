"""What an operator sees first: is all in order, what comes next, who is looking; and as it changes."""

import asyncio
from collections import Counter
from typing import Any, Literal

from aiohttp import WSCloseCode, WSMsgType, web

from licensing.expiry import days_left, zone_of
from licensing.permit import Permit, Standing, standing
from licensing.ports import JournalError
from signaling.api.auth import Who, credentials
from signaling.api.outbox import Outbox
from signaling.api.problem import Problem
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Parts, Visit
from wephone.protocol.ids import UserId
from wephone.protocol.messages import Microseconds, Model

routes = Routes()

STILL_IN = 3.0  # seconds between two looks whether somebody is signed in still
JOURNAL = 1.0  # seconds that the journal may take to say how far it is
MOST_SAID = 1024  # bytes: a console has nothing to say


class RaisedAlarm(Model):
    """Something that an operator has to look into."""

    alarm: str
    text: str


class NextExpiry(Model):
    """Of the permits in force, the one that ends first."""

    permit: str
    on: str
    days_left: int


class State(Model):
    """The state of everything, as of one epoch of the register. `decided`: the journal's newest entry."""

    epoch: int
    at: Microseconds
    node: str
    version: str
    draining: bool
    permits: dict[Standing, int]
    next_expiry: NextExpiry | None
    toggles_off: int
    telephone_on: bool
    waiting: int
    calls: int
    talking: int
    winding_down: int
    telephone_legs: int
    devices: int
    decided: int
    alarms: tuple[RaisedAlarm, ...]


class Overview(State):
    """The same, for the account that asks."""

    name: UserId
    role: Literal["operator", "auditor"]


@routes.add("GET", "/api/operator/overview", Rule.AUDITOR)
async def overview(visit: Visit) -> Overview:
    """The state of everything."""
    state = await state_of(visit.parts)
    return Overview(**dict(state), name=visit.user, role=role_of(visit.known))


@routes.add("GET", "/api/operator/watch", Rule.AUDITOR, status=101)
async def watch(visit: Visit) -> web.StreamResponse:
    """A WebSocket: the overview, then whichever of its fields are otherwise, as soon as they are."""
    request, parts = visit.request, visit.parts
    if "Origin" not in request.headers and "Cookie" in request.headers:
        raise Problem(403, "foreign_origin", "a request with a cookie must say its origin")
    socket = web.WebSocketResponse(
        compress=False, max_msg_size=MOST_SAID, heartbeat=parts.settings.heartbeat, timeout=STILL_IN
    )
    if not socket.can_prepare(request).ok:
        raise Problem(426, "upgrade_required", "this is a WebSocket", headers={"Upgrade": "websocket"})
    await socket.prepare(request)
    if request.transport is None:
        return socket
    outbox = Outbox(request.transport, lambda: None)

    async def look() -> dict[str, Any]:
        return (await state_of(parts)).model_dump(mode="json")

    await parts.onlookers.join(
        outbox,
        request.transport.close,
        parts.licence.register,
        look,
        name=visit.user,
        role=role_of(visit.known),
    )
    try:
        await listened(visit, socket)
    finally:
        parts.onlookers.leave(outbox)
        outbox.close()
    return socket


async def listened(visit: Visit, socket: web.WebSocketResponse) -> None:
    """Wait until the console has gone, or whoever sits there is no longer signed in."""
    while True:
        try:
            said = await socket.receive(STILL_IN)
        except TimeoutError:
            if await is_still_in(visit):
                continue
            await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"not_signed_in")
            return
        if said.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"out_of_place")
        if socket.closed:
            return


async def is_still_in(visit: Visit) -> bool:
    """May whoever opened this still see it, as the same?"""
    token, _ = credentials(visit.request, visit.cookie)
    if token is None:  # by the Unix socket, which lets in our own user alone
        return True
    found = await visit.parts.accounts.who(token)
    was = visit.known
    return found is not None and (found[1].operator, found[1].auditor) == (was.operator, was.auditor)


def role_of(who: Who) -> Literal["operator", "auditor"]:
    return "auditor" if who.auditor else "operator"


async def state_of(parts: Parts) -> State:
    """How all is now."""
    register, exchange, leases = parts.licence.register, parts.exchange, parts.licence.gate.leases
    try:
        async with asyncio.timeout(JOURNAL):
            decided = (await parts.licence.journal.head()).seq
    except (JournalError, TimeoutError):
        decided = 0  # an alarm is raised, and that is what they have to see
    taken = register.snapshot
    worth = {permit.id: standing_of(parts, permit) for permit in taken.permits}
    return State(
        epoch=taken.epoch,
        at=parts.now_us(),
        node=parts.settings.node,
        version=parts.version,
        draining=exchange.switch.draining,
        permits=dict(Counter(worth.values())),
        next_expiry=next_expiry(parts, worth),
        toggles_off=sum(not toggle.enabled for toggle in taken.toggles),
        telephone_on=not taken.telephone_off,
        waiting=len(register.waiting()),
        calls=exchange.switch.live(),
        talking=exchange.switch.talking(),
        winding_down=parts.revocation.winding_down() + sum(lease.winding_down for lease in leases),
        telephone_legs=len(leases),
        devices=exchange.lines.connected(),
        decided=decided,
        alarms=tuple(
            RaisedAlarm(alarm=alarm, text=text) for alarm, text in sorted(parts.licence.alarms.raised.items())
        ),
    )


def standing_of(parts: Parts, permit: Permit) -> Standing:
    """What it is worth now."""
    return standing(permit, zone_of(permit, parts.licence.law.profiles), parts.clock.now().utc_ns)


def next_expiry(parts: Parts, worth: dict[str, Standing]) -> NextExpiry | None:
    """The end that comes first of those in force."""
    profiles, now = parts.licence.law.profiles, parts.clock.now()
    ends = [
        NextExpiry(permit=each.id, on=str(each.valid_until), days_left=left)
        for each in parts.licence.register.snapshot.permits
        if worth[each.id] is Standing.IN_FORCE
        and (left := days_left(each.valid_until, zone_of(each, profiles), now)) is not None
    ]
    return min(ends, key=lambda each: (each.days_left, each.permit), default=None)
