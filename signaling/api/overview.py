"""What an operator sees first: is all in order, what comes next, and who is looking."""

import asyncio
import time
from collections import Counter
from contextlib import suppress
from typing import Literal

from pydantic import Field

from licensing.permit import Standing
from signaling.api.permits import FiledPermit, filed, register_of
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from wephone.protocol.ids import UserId
from wephone.protocol.messages import Microseconds, Model

routes = Routes()

WAIT = 2.0  # seconds until an answer that says the same: how old the count of calls may be
LOOK = 0.5  # seconds between two looks at what tells nobody that it changes


class Seen(Model):
    """What the page has: the answer comes when there is something else, or after a moment.

    `epoch` of the register, how many calls wind down (`winding`), and how many `alarms` are raised.
    """

    epoch: int | None = Field(None, ge=0)
    winding: int | None = Field(None, ge=0)
    alarms: int | None = Field(None, ge=0)


class RaisedAlarm(Model):
    """Something that an operator has to look into."""

    alarm: str
    text: str


class NextExpiry(Model):
    """Of the permits in force, the one that ends first."""

    permit: str
    on: str
    days_left: int


class Overview(Model):
    """The state of everything, as of one epoch of the register, for the account that asks."""

    name: UserId
    role: Literal["operator", "auditor"]
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
    winding_down: int
    telephone_legs: int
    devices: int
    alarms: tuple[RaisedAlarm, ...]


@routes.add("GET", "/api/operator/overview", Rule.AUDITOR)
async def overview(visit: Visit, query: Seen) -> Overview:
    """The state of everything. With the `epoch` that is known it waits a moment for another one."""
    if query.epoch is not None:
        await changed(visit, query)
    parts, who = visit.parts, visit.known
    register, exchange = register_of(visit), parts.exchange
    taken = register.snapshot
    permits = [filed(visit, permit) for permit in taken.permits]
    return Overview(
        name=who.user,
        role="auditor" if who.auditor else "operator",
        epoch=taken.epoch,
        at=parts.now_us(),
        node=parts.settings.node,
        version=parts.version,
        draining=exchange.switch.draining,
        permits=dict(Counter(each.standing for each in permits)),
        next_expiry=next_expiry(permits),
        toggles_off=sum(not toggle.enabled for toggle in taken.toggles),
        telephone_on=not taken.telephone_off,
        waiting=len(register.waiting()),
        calls=exchange.switch.live(),
        winding_down=winding_down(visit),
        telephone_legs=len(parts.licence.gate.leases),
        devices=exchange.lines.connected(),
        alarms=tuple(
            RaisedAlarm(alarm=alarm, text=text) for alarm, text in sorted(parts.licence.alarms.raised.items())
        ),
    )


async def changed(visit: Visit, known: Seen) -> None:
    """Wait until something is otherwise than the page has it, but not for long."""
    register = register_of(visit)
    moved = asyncio.Event()
    deaf = register.on_change(lambda taken: moved.set())
    until = time.monotonic() + WAIT
    try:
        while register.snapshot.epoch == known.epoch and not differs(visit, known):
            left = until - time.monotonic()
            if left <= 0:
                break  # nothing has changed: the answer says so, with the calls as they are now
            with suppress(TimeoutError):
                async with asyncio.timeout(min(LOOK, left)):
                    await moved.wait()
    finally:
        deaf()


def differs(visit: Visit, known: Seen) -> bool:
    """Are there more or fewer calls that wind down, or alarms?"""
    return known.winding not in (None, winding_down(visit)) or known.alarms not in (
        None,
        len(visit.parts.licence.alarms.raised),
    )


def winding_down(visit: Visit) -> int:
    """How many calls have lost their permit and come to an end, with telephones and without."""
    leases = visit.parts.licence.gate.leases
    return visit.parts.revocation.winding_down() + sum(lease.winding_down for lease in leases)


def next_expiry(permits: list[FiledPermit]) -> NextExpiry | None:
    """The end that comes first of those in force."""
    ends = [
        NextExpiry(permit=each.permit.id, on=str(each.permit.valid_until), days_left=each.days_left)
        for each in permits
        if each.standing is Standing.IN_FORCE and each.days_left is not None
    ]
    return min(ends, key=lambda each: (each.days_left, each.permit), default=None)
