"""Routes about calls to be: what would happen, click-to-call, and the relay for their media."""

import uuid
from functools import cached_property
from typing import Annotated

from aiohttp import web
from pydantic import Field

from licensing.case import Outcome
from licensing.gate import Ask
from licensing.middleware import unavailable, verdict_of
from signaling.api.account import limited
from signaling.api.problem import Problem
from signaling.api.routes import Routes, Rule
from signaling.api.serving import operator_of
from signaling.api.visit import Visit
from signaling.clicks import LIFETIME, Click
from signaling.core.holder import Person
from signaling.facts import Telephone, person_of
from signaling.permission import address, refusal
from signaling.turn import relay_credentials
from wephone.protocol.codec import PeerError
from wephone.protocol.ids import CallId, UserId
from wephone.protocol.messages import Address, Media, Model, Refusal
from wephone.protocol.reasons import ErrorCode

NO_DEVICE = "no device of yours that can place a call is connected: open the app, or `wephone listen`"

routes = Routes()


class NewCall(Model):
    """Whom to call, by name or number."""

    to: Address
    media: Annotated[tuple[Media, ...], Field(min_length=1, max_length=2)] = (Media.AUDIO,)

    @cached_property
    def id(self) -> CallId:
        """The name that the call gets if it is placed; no part of the request."""
        return CallId(str(uuid.uuid4()))


class Clicked(Model):
    """Your devices ring: the one that takes it within `lifetime` seconds places the call under this id.

    `decision` is of this moment, and the first of those about `call`: it is decided again when it is placed.
    """

    call: CallId
    devices: int
    lifetime: float
    decision: str


class Prospect(Model):
    """What would happen now. `to` is the canonical address, `service` the class the law sees in it."""

    to: str
    allowed: bool
    service: str
    refusal: Refusal | None = None


class IceServer(Model):
    """As browsers take it (W3C RTCIceServer)."""

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = None


class IceServers(Model):
    """For RTCPeerConnection. The credentials are good for `lifetime` seconds."""

    ice_servers: tuple[IceServer, ...]
    lifetime: int | None


async def call_to_be(visit: Visit, body: NewCall) -> Ask:
    """What a click to call would do."""
    parts = visit.parts
    limited(visit, "invite", parts.limits.invite(visit.user) or parts.limits.invite_from(visit.address))
    caller, callee = await ends_of(visit, body)
    if isinstance(callee, Person) and callee.user == visit.user:
        raise PeerError(ErrorCode.YOURSELF, field="to")
    return parts.permission.call_to_be(body.id, caller, callee, body.media)


@routes.add("POST", "/api/calls", Rule.SIGNED_IN, asks=call_to_be, status=201)
async def click_to_call(visit: Visit, body: NewCall) -> Clicked:
    """Click to call: ring the account's own devices, then call. 451 if the operator may not offer it.

    The device that takes it invites, and that is decided on again: a person may let it ring for a minute,
    and a permit has to cover the call at the instant at which it is placed.
    """
    verdict = verdict_of(visit.request)
    devices = visit.parts.exchange.clicks.ring(body.id, Click(visit.user, body.to, body.media))
    if not devices:
        raise Problem(409, "no_device", NO_DEVICE, more={"decision": verdict.id})
    return Clicked(call=body.id, devices=devices, lifetime=LIFETIME, decision=verdict.id)


@routes.add("POST", "/api/calls/check", Rule.SIGNED_IN, status=200)
async def check_call(visit: Visit, body: NewCall) -> Prospect:
    """What would happen to a call. Nothing is done, and whether there is such a user is not said."""
    caller, callee = await ends_of(visit, body)
    decision = visit.parts.permission.check(caller, callee, body.media)
    allowed = decision.outcome is not Outcome.DENY
    return Prospect(
        to=callee.user if isinstance(callee, Person) else address(callee),
        allowed=allowed,
        service=decision.service,
        refusal=None if allowed else refusal(decision, None),
    )


async def ends_of(visit: Visit, body: NewCall) -> tuple[Person, Person | Telephone]:
    """Who calls, and whom the address means: a user who is not there is one of whom nothing is known."""
    permission, store = visit.parts.permission, visit.parts.store
    callee = permission.callee(body.to)
    if isinstance(callee, UserId):
        ends = await store.ends(visit.user, callee)
        return ends.caller or Person(visit.user), ends.callee or Person(callee)
    caller = await person_of(store, visit.user)
    return caller, permission.dialled(body.to, caller)


@routes.add("GET", "/api/turn", Rule.SIGNED_IN)
async def ice_servers(visit: Visit) -> IceServers | web.Response:
    """STUN and TURN servers, with credentials for a few minutes. 451 to whom a lost permit took the call."""
    settings = visit.parts.settings
    if (refused := visit.parts.revocation.relay_refusal(visit.user)) is not None:
        return unavailable(
            refused.model_dump(mode="json"), visit.request, operator_of(visit.request, visit.parts)
        )
    servers = [IceServer(urls=settings.stun_urls)] if settings.stun_urls else []
    made = relay_credentials(settings, visit.user, visit.parts.now_us() // 1_000_000)
    if made is None:
        return IceServers(ice_servers=tuple(servers), lifetime=None)
    servers.append(IceServer(urls=settings.turn_urls, username=made.username, credential=made.credential))
    return IceServers(ice_servers=tuple(servers), lifetime=settings.turn_lifetime)
