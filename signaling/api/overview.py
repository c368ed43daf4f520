"""What an operator sees first: is all in order, what comes next, and who is looking."""

import asyncio
from collections import Counter
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


class Seen(Model):
    """The epoch that the page has: the answer comes when there is another, or after a moment."""

    epoch: int | None = Field(None, ge=0)


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
        await changed(visit, query.epoch)
    parts, who = visit.parts, visit.known
    register, exchange = register_of(visit), parts.exchange
    taken = register.snapshot
    leases = parts.licence.gate.leases
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
        winding_down=parts.revocation.winding_down() + sum(lease.winding_down for lease in leases),
        telephone_legs=len(leases),
        devices=exchange.lines.connected(),
        alarms=tuple(
            RaisedAlarm(alarm=alarm, text=text) for alarm, text in sorted(parts.licence.alarms.raised.items())
        ),
    )


async def changed(visit: Visit, epoch: int) -> None:
    """Wait until the register is at another epoch, but not for long."""
    register = register_of(visit)
    moved = asyncio.Event()
    deaf = register.on_change(lambda taken: moved.set())
    try:
        if register.snapshot.epoch == epoch:
            async with asyncio.timeout(WAIT):
                await moved.wait()
    except TimeoutError:
        pass  # nothing has changed: the answer says so, with the calls as they are now
    finally:
        deaf()


def next_expiry(permits: list[FiledPermit]) -> NextExpiry | None:
    """The end that comes first of those in force."""
    ends = [
        NextExpiry(permit=each.permit.id, on=str(each.permit.valid_until), days_left=each.days_left)
        for each in permits
        if each.standing is Standing.IN_FORCE and each.days_left is not None
    ]
    return min(ends, key=lambda each: (each.days_left, each.permit), default=None)
