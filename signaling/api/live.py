"""The calls that run: who, what kind, where, under which decision, how each end sounds, and for telephone
legs on which lease."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from licensing.facts import LegKind
from licensing.grant import Lease
from licensing.instant import MICROSECOND, Instant
from licensing.review import Standing
from signaling.api.evidence import Words, reading, words_of
from signaling.api.operator import noted
from signaling.api.permits import Why
from signaling.api.problem import Problem
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from signaling.core.call import Call, Phase
from signaling.cutting import cut
from signaling.hearsay import Hearsay
from signaling.media import Statistics, Tally
from signaling.ports.calls import Hearing
from signaling.quality import Counts, Rating, rated
from signaling.revocation import Running
from signaling.telephone_calls import TelephoneCall, telephone_calls
from wephone.protocol.ids import CallId, UserId
from wephone.protocol.messages import Media, Microseconds, Model, Role

routes = Routes()

PAGE, LONGEST_PAGE = 100, 500
LIVE = "/api/operator/live"

Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class LiveQuery(Model):
    """Which calls: after this many of them, of this user, of this class, only those that wind down.

    `quality`: may the bridge be asked how its legs sound? What devices say is there anyway.
    """

    skip: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    limit: Annotated[int, Field(ge=1, le=LONGEST_PAGE)] = PAGE
    user: Name | None = None
    service: Name | None = None
    winding: bool = False
    quality: bool = True


class Quality(Model):
    """How one end of a call sounds since it began, and how good that is for a call.

    `by` the bridge: what came from this end. `by` its device: what that says it heard; nobody can check it.
    """

    by: Literal["bridge", "device"]
    rating: Rating
    packets: int
    lost: int
    jitter_us: int
    rtt_us: int | None


class LiveLeg(Model):
    """One end of a call. `devices`: that ring, or the one that talks. Of a lease: how long it still is.

    `quality` is missing where nothing is known of it (yet).
    """

    role: Literal["caller", "callee"]
    kind: Literal["app", "pstn"]
    who: str
    devices: int
    country: str | None
    lease_seconds: float | None = None
    winding_down: bool = False
    quality: Quality | None = None


class ComingEnd(Model):
    """The call has lost its permit: how long it still has, and why."""

    seconds: float
    reason: str
    text: Words
    decision: str | None


class RunningCall(Model):
    """One call. `service`, `jurisdiction` and `permits` are missing where a restart forgot the decision.

    `for_help`: a call for help, which only those who talk can end.
    """

    call: CallId
    since: Microseconds
    phase: Phase
    media: tuple[Media, ...]
    service: str | None
    jurisdiction: str | None
    decision: str | None
    permits: tuple[str, ...]
    for_help: bool = False
    legs: tuple[LiveLeg, ...]
    ending: ComingEnd | None


class RunningCallsPage(Model):
    """The newest first. `of` is how many the query means; `skip` the next page's, none on the last."""

    calls: tuple[RunningCall, ...]
    of: int
    skip: int | None


@routes.add("GET", LIVE, Rule.AUDITOR)
async def live_calls(visit: Visit, query: LiveQuery) -> RunningCallsPage:
    """The calls that run on this node, the newest first: those with telephones before those between apps."""
    switch, now = visit.parts.exchange.switch, visit.parts.clock.now()
    telephone = [
        each for each in telephone_calls(visit.parts.licence.gate.leases, switch) if meant(of(each), query)
    ]
    found = [(id, each) for id, each in visit.parts.revocation.running() if meant(of_app(each), query)]
    end = query.skip + query.limit
    page = telephone[query.skip : end]
    asked = [each.leg for each in page if query.quality and each.call.winner is not None]
    figures = await visit.parts.figures(asked)
    calls = [phoned(each, figures.get(each.leg), now) for each in page]
    for id, each in found[max(0, query.skip - len(telephone)) : max(0, end - len(telephone))]:
        call = switch.call(id)
        if call is not None:
            calls.append(shown(call, each, visit.parts.exchange.hearsay, now))
    count = len(telephone) + len(found)
    return RunningCallsPage(calls=tuple(calls), of=count, skip=end if end < count else None)


@routes.add("POST", LIVE + "/{call}/cut", Rule.OPERATOR, proven=True)
async def cut_call(visit: Visit, body: Why) -> None:
    """End a call for both, at once. The journal has who did it and why before it is done.

    Not a call for help: as no permit, switch or limit ends it, no operator does (409 `call_for_help`).
    """
    id = visit.request.match_info["call"]
    parts = visit.parts
    leases = [lease for lease in parts.licence.gate.leases if lease.grant.attempt.call == id]
    if any(lease.grant.emergency for lease in leases):
        raise Problem(
            409, "call_for_help", "a call for help is ended by those who talk, and nobody else", field="call"
        )
    call = next((each for each in running_here(visit) if each == id), None)
    if call is None:
        raise Problem(404, "no_such_call", "no such call runs here, or no longer", field="call")
    async with reading():
        await cut(
            call, parts.exchange.switch, parts.licence.journal, parts.clock, by=visit.user, why=body.why
        )
    noted(visit, "cut", call)


def running_here(visit: Visit) -> Iterator[CallId]:
    """Every call that the list has."""
    for lease in visit.parts.licence.gate.leases:
        yield CallId(lease.grant.attempt.call)
    for id, _ in visit.parts.revocation.running():
        yield id


@dataclass(frozen=True, slots=True)
class Marks:
    """What calls are chosen by."""

    users: tuple[str, str]
    service: str | None
    winding: bool


def of_app(running: Running) -> Marks:
    decision = running.standing.decision
    return Marks(running.users, None if decision is None else decision.service, running.standing.refused)


def of(call: TelephoneCall) -> Marks:
    return Marks(call.users, call.lease.grant.attempt.service, call.lease.winding_down)


def meant(marks: Marks, query: LiveQuery) -> bool:
    """Is it one that the query means?"""
    return (
        query.user in (None, *marks.users)
        and query.service in (None, marks.service)
        and (not query.winding or marks.winding)
    )


def shown(call: Call, running: Running, hearsay: Hearsay, now: Instant) -> RunningCall:
    """A call between apps as it is answered."""
    standing = running.standing
    caller, callee = (said(hearsay.so_far(call.id, role)) for role in (Role.CALLER, Role.CALLEE))
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
        legs=(caller_of(call, standing, caller), callee_of(call, standing, callee)),
        ending=ending_of(call, standing.id, now),
    )


def phoned(found: TelephoneCall, figures: Statistics | None, now: Instant) -> RunningCall:
    """A call with a telephone as it is answered."""
    call, lease, standing = found.call, found.lease, found.standing
    number = found.users[0 if found.is_incoming else 1]
    app, trunk = (None, None) if figures is None else (counted(figures.app), counted(figures.trunk))
    far = telephone_leg(lease, "caller" if found.is_incoming else "callee", number, trunk, now)
    near = callee_of(call, standing, app) if found.is_incoming else caller_of(call, standing, app)
    return RunningCall(
        call=call.id,
        since=lease.grant.issued.utc_us,
        phase=call.phase,
        media=call.media,
        service=lease.grant.attempt.service,
        jurisdiction=None,
        decision=lease.decision,
        permits=lease.relied,
        for_help=lease.grant.emergency,
        legs=(far, near) if found.is_incoming else (near, far),
        ending=ending_of(call, lease.decision, now),
    )


def counted(tally: Tally) -> Quality | None:
    """What the bridge says of what came from one side; none if nothing did."""
    trip = None if tally.round_trip is None else round(tally.round_trip * 1_000_000)
    return quality("bridge", Counts(tally.received, tally.lost, round(tally.jitter * 1_000_000), trip))


def said(hearing: Hearing | None) -> Quality | None:
    """What a device says it heard."""
    if hearing is None:
        return None
    return quality("device", Counts(hearing.packets, hearing.lost, hearing.jitter, hearing.round_trip))


def quality(by: Literal["bridge", "device"], counts: Counts) -> Quality | None:
    """None if there is nothing to judge by."""
    if not counts.packets:
        return None
    return Quality(
        by=by,
        rating=rated(counts),
        packets=counts.packets,
        lost=counts.lost,
        jitter_us=counts.jitter,
        rtt_us=counts.round_trip,
    )


def caller_of(call: Call, standing: Standing, sounds: Quality | None) -> LiveLeg:
    return app_leg("caller", call.caller.user, 1, country_in(standing, 0), sounds)


def callee_of(call: Call, standing: Standing, sounds: Quality | None) -> LiveLeg:
    devices = 1 if call.selected is not None else len(call.invited())
    return app_leg("callee", call.callee, devices, country_in(standing, 1), sounds)


def country_in(standing: Standing, place: int) -> str | None:
    """Where the leg in this place was decided to be."""
    legs = standing.facts.legs
    return legs[place].country if place < len(legs) else None


def app_leg(
    role: Literal["caller", "callee"], who: UserId, devices: int, country: str | None, sounds: Quality | None
) -> LiveLeg:
    """An end that is an app: it holds no lease."""
    return LiveLeg(role=role, kind="app", who=who, devices=devices, country=country, quality=sounds)


def telephone_leg(
    lease: Lease, role: Literal["caller", "callee"], number: str, sounds: Quality | None, now: Instant
) -> LiveLeg:
    """An end that is a telephone: it goes on as long as its lease."""
    legs = lease.grant.facts.legs
    return LiveLeg(
        role=role,
        kind="pstn",
        who=number,
        devices=1,
        country=next((leg.country for leg in legs if leg.kind is LegKind.PSTN), None),
        lease_seconds=max(0, lease.until_ns - now.mono_ns) * 1e-9,
        winding_down=lease.winding_down,
        quality=sounds,
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
