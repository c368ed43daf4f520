"""An aiohttp application of its own whose click-to-call route is gated. docs/middleware.md quotes it."""

import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from licensing import (
    Ask,
    CallFacts,
    EvidenceFile,
    Gate,
    Instant,
    Law,
    Lease,
    Number,
    Operator,
    Place,
    Policy,
    Register,
    Role,
    app_leg,
    canonicalise,
    load_profiles,
    phone_leg,
)
from licensing.middleware import gated, licence_middleware, verdict_of

HOME = Place(homes=("CN",))


class SystemClock:
    def now(self) -> Instant:
        return Instant(time.time_ns(), time.monotonic_ns())


async def a_call(request: web.Request) -> Ask:
    """What POST /call would do, before it is done."""
    wanted = await request.json()
    number = canonicalise(wanted["to"], HOME)
    return Ask(
        subject=wanted["id"],
        facts=CallFacts((app_leg(Role.ORIGIN), phone_leg(Role.DESTINATION, number))),
        people={"caller": wanted["from"], "callee": str(number)},
        leg="callee",
        destination=number if isinstance(number, Number) else None,
    )


@gated(a_call)
async def call(request: web.Request) -> web.Response:
    """Runs only when the call is allowed and that is durable in the journal."""
    grant = verdict_of(request).grant
    assert grant is not None
    lease = request.app[GATE].redeem(grant, grant.attempt)  # in the step that sends the INVITE
    if not isinstance(lease, Lease):
        raise web.HTTPConflict(text=lease.value)
    return web.json_response({"calling": grant.attempt.destination, "decision": grant.decision})


GATE = web.AppKey("gate", Gate)
REGISTER = web.AppKey("register", Register)


async def make_app(folder: Path) -> web.Application:
    clock, evidence = SystemClock(), EvidenceFile(folder / "evidence.db")
    await evidence.open()
    profiles = load_profiles()
    register = Register(evidence, clock, profiles=profiles)
    await register.open()
    law = Law(profiles, Operator(), Policy())
    gate = Gate(register=register, journal=evidence, clock=clock, law=law)
    await gate.open()

    async def close(app: web.Application) -> AsyncIterator[None]:
        yield
        await gate.close()
        await register.close()
        await evidence.close()

    app = web.Application(middlewares=[licence_middleware(gate, blocked_by="https://example.org/operator")])
    app[GATE], app[REGISTER] = gate, register
    app.cleanup_ctx.append(close)
    app.router.add_post("/call", call)
    return app


if __name__ == "__main__":
    web.run_app(make_app(Path(sys.argv[1])), port=8451)
