"""The calls that run: who, what kind, where, under which decision, and for telephone legs on which lease."""

from itertools import islice
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from licensing.grant import Lease
from licensing.instant import MICROSECOND, Instant
from licensing.numbering import mask
from signaling.api.evidence import Words, reading, words_of
from signaling.api.operator import noted
from signaling.api.permits import Why
from signaling.api.problem import Problem
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from signaling.core.call import Call, Phase
from signaling.cutting import cut
from signaling.revocation import Running
from wephone.protocol.ids import CallId, UserId
from wephone.protocol.messages import Media, Microseconds, Model

routes = Routes()

PAGE, LONGEST_PAGE = 100, 500
LIVE = "/api/operator/live"

Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class LiveQuery(Model):
    """Which calls: after this many of them, of this user, of this class, only those that wind down."""

    skip: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    limit: Annotated[int, Field(ge=1, le=LONGEST_PAGE)] = PAGE
    user: Name | None = None
    service: Name | None = None
    winding: bool = False


class LiveLeg(Model):
    """One end of a call. `devices`: that ring, or the one that talks. Of a lease: how long it still is."""

    role: Literal["caller", "callee"]
    kind: Literal["app", "pstn"]
    who: str
    devices: int
    country: str | None
    lease_seconds: float | None = None
    winding_down: bool = False


class ComingEnd(Model):
    """The call has lost its permit: how long it still has, and why."""

    seconds: float
    reason: str
    text: Words
    decision: str | None


class RunningCall(Model):
    """One call. `service`, `jurisdiction` and `permits` are missing where a restart forgot the decision."""

    call: CallId
    since: Microseconds
    phase: Phase
    media: tuple[Media, ...]
    service: str | None
    jurisdiction: str | None
    decision: str | None
    permits: tuple[str, ...]
    legs: tuple[LiveLeg, ...]
    ending: ComingEnd | None


class RunningCallsPage(Model):
    """The newest first. `of` is how many the query means; `skip` the next page's, none on the last."""

    calls: tuple[RunningCall, ...]
    of: int
    skip: int | None


@routes.add("GET", LIVE, Rule.AUDITOR)
async def live_calls(visit: Visit, query: LiveQuery) -> RunningCallsPage:
    """The calls that run on this node, the newest first."""
    switch, now = visit.parts.exchange.switch, visit.parts.clock.now()
    found = [(id, each) for id, each in visit.parts.revocation.running() if meant(each, query)]
    leases: dict[str, list[Lease]] = {}
    for lease in visit.parts.licence.gate.leases:
        leases.setdefault(lease.grant.attempt.call, []).append(lease)
    calls = []
    for id, each in islice(found, query.skip, query.skip + query.limit):
        call = switch.call(id)
        if call is not None:
            calls.append(shown(call, each, leases.get(id, ()), now))
    end = query.skip + query.limit
    return RunningCallsPage(calls=tuple(calls), of=len(found), skip=end if end < len(found) else None)


@routes.add("POST", LIVE + "/{call}/cut", Rule.OPERATOR, proven=True)
async def cut_call(visit: Visit, body: Why) -> None:
    """End a call for both, at once. The journal has who did it and why before it is done."""
    id = visit.request.match_info["call"]
    parts = visit.parts
    call = next((each for each, _ in parts.revocation.running() if each == id), None)
    if call is None:
        raise Problem(404, "no_such_call", "no such call runs here, or no longer", field="call")
    async with reading():
        await cut(
            call, parts.exchange.switch, parts.licence.journal, parts.clock, by=visit.user, why=body.why
        )
    noted(visit, "cut", call)


def meant(each: Running, query: LiveQuery) -> bool:
    """Is it one that the query means?"""
    decision = each.standing.decision
    return (
        (query.user is None or query.user in each.users)
        and (query.service is None or (decision is not None and decision.service == query.service))
        and (not query.winding or each.standing.refused)
    )


def shown(call: Call, running: Running, leases: list[Lease] | tuple[()], now: Instant) -> RunningCall:
    """A call as it is answered."""
    standing = running.standing
    decision = standing.decision
    return RunningCall(
        call=call.id,
        since=running.since,
        phase=call.phase,
        media=call.media,
        service=None if decision is None else decision.service,
        jurisdiction=None if decision is None else decision.jurisdiction,
        decision=standing.id,
        permits=() if decision is None else decision.permits,
        legs=(caller_of(call, running), callee_of(call, running), *(leg_of(each, now) for each in leases)),
        ending=ending_of(call, standing.id, now),
    )


def caller_of(call: Call, running: Running) -> LiveLeg:
    return app_leg("caller", call.caller.user, 1, running, 0)


def callee_of(call: Call, running: Running) -> LiveLeg:
    devices = 1 if call.selected is not None else len(call.invited())
    return app_leg("callee", call.callee, devices, running, 1)


def app_leg(
    role: Literal["caller", "callee"], who: UserId, devices: int, running: Running, place: int
) -> LiveLeg:
    """An end that is an app: it holds no lease."""
    legs = running.standing.facts.legs
    country = legs[place].country if place < len(legs) else None
    return LiveLeg(role=role, kind="app", who=who, devices=devices, country=country)


def leg_of(lease: Lease, now: Instant) -> LiveLeg:
    """An end that is a telephone: it goes on as long as its lease."""
    destination = lease.grant.attempt.destination
    return LiveLeg(
        role="callee" if lease.grant.attempt.leg == "callee" else "caller",
        kind="pstn",
        who="" if destination is None else mask(destination),
        devices=1,
        country=None,
        lease_seconds=max(0, lease.until_ns - now.mono_ns) * 1e-9,
        winding_down=lease.winding_down,
    )


def ending_of(call: Call, decision: str | None, now: Instant) -> ComingEnd | None:
    """The end to come, if one was announced."""
    if call.notice is None:
        return None
    left = max(0, call.notice.deadline.mono_ns - now.mono_ns)
    code = call.notice.refusal.code
    return ComingEnd(
        seconds=left // MICROSECOND / 1_000_000, reason=code, text=words_of(code), decision=decision
    )
