"""Routes of a person's own rules: where their calls go on to that do not reach them."""

from typing import Annotated

from pydantic import Field

from licensing.numbering import Unplaced
from licensing.reasons import fault_text
from signaling.api.problem import Problem
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from signaling.core.forwarding import AFTER, Forwarding
from signaling.facts import person_of
from wephone.protocol.ids import UserId
from wephone.protocol.messages import Address, Model
from wephone.protocol.reasons import ErrorCode, error_text

routes = Routes()


class Rules(Model):
    """For each case a user's name or a telephone number, or null: `always`; when a device says `busy`; on
    `no_answer`, after so many seconds, and when no device can be reached."""

    always: Address | None = None
    busy: Address | None = None
    no_answer: Address | None = None
    after: Annotated[int, Field(ge=5, le=60)] = AFTER


@routes.add("GET", "/api/account/forwarding", Rule.SIGNED_IN)
async def rules(visit: Visit) -> Rules:
    """Where this account's calls go on to."""
    return shown(await visit.parts.store.forwarding(visit.user))


@routes.add("PUT", "/api/account/forwarding", Rule.SIGNED_IN, status=200)
async def set_rules(visit: Visit, body: Rules) -> Rules:
    """Say where calls go on to, in the place of what was said before. Numbers come back as they were read.

    Whether there is such a user, and whether such a call is allowed, is decided for each call.
    """
    said = Forwarding(
        always=await read(visit, "always", body.always),
        busy=await read(visit, "busy", body.busy),
        no_answer=await read(visit, "no_answer", body.no_answer),
        after=body.after,
    )
    await visit.parts.store.set_forwarding(visit.user, said)
    return shown(said)


async def read(visit: Visit, field: str, text: str | None) -> str | None:
    """A name, or a number in its canonical form; Problem if calls cannot go on there."""
    if text is None:
        return None
    permission = visit.parts.permission
    callee = permission.callee(text)
    if callee == visit.user:
        raise Problem(400, ErrorCode.YOURSELF, error_text(ErrorCode.YOURSELF), field=field)
    if isinstance(callee, UserId):
        return callee
    number = permission.dialled(text, await person_of(visit.parts.store, visit.user))
    if isinstance(number, Unplaced):
        raise Problem(400, ErrorCode.BAD_ADDRESS, fault_text(number.fault).en, field=field)
    if number.emergency:
        raise Problem(400, ErrorCode.BAD_ADDRESS, "no call goes on to an emergency number", field=field)
    return number.address


def shown(rules: Forwarding) -> Rules:
    """The rules as their owner sees them."""
    return Rules(always=rules.always, busy=rules.busy, no_answer=rules.no_answer, after=rules.after)
