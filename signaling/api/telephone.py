"""Routes of operators about telephone calling: who may do it, how much, and what no carrier confirmed."""

from dataclasses import asdict
from typing import Annotated

from pydantic import AfterValidator, Field

from licensing.numbering import NON_GEOGRAPHIC
from signaling.api.account import user_in_path
from signaling.api.evidence import reading
from signaling.api.facts import country
from signaling.api.history import PAGE, Limit
from signaling.api.operator import noted
from signaling.api.permits import Why
from signaling.api.problem import Problem
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from signaling.ports.legs import Entitlement, LegRow
from signaling.settling import settle
from wephone.protocol.ids import CallId, UserId
from wephone.protocol.messages import Microseconds, Model

routes = Routes()


def destination(code: str) -> str:
    """A country of ISO 3166-1, or `001` for numbers of none; or ValueError."""
    return code if code == NON_GEOGRAPHIC else country(code)


Destination = Annotated[str, AfterValidator(destination)]


class Granted(Model):
    """What an account may do with telephones. Countries (ISO 3166-1, `001` for none) not named are closed."""

    countries: Annotated[tuple[Destination, ...], Field(min_length=1, max_length=250)]
    concurrent_calls: Annotated[int, Field(ge=1, le=1000)] = 2
    calls_per_hour: Annotated[int, Field(ge=1, le=100_000)] = 20
    minutes_per_day: Annotated[int, Field(ge=1, le=1_000_000)] = 60
    call_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 60


class Used(Model):
    """Calls to telephones: alive now, begun within an hour, and the seconds of a day. What is alive counts by
    all the seconds that it may take."""

    calls: int
    calls_of_hour: int
    seconds_of_day: int


class Telephone(Model):
    """May the account call telephones, how much, who says so, and what it has used."""

    name: UserId
    granted: Granted | None
    by: UserId | None
    at: Microseconds | None
    used: Used


class Page(Model):
    """How many, the newest first."""

    limit: Limit = PAGE


class TelephoneLeg(Model):
    """One telephone leg. `cause` is in words, `q850` and `status` as the carrier said it."""

    leg: str
    call: CallId
    trunk: str
    account: UserId
    outgoing: bool
    decision: str
    begun_at: Microseconds
    answered_at: Microseconds | None
    ended_at: Microseconds | None
    cause: str | None
    q850: int | None
    status: int | None
    confirmed: bool


class TelephoneLegs(Model):
    """Legs of calls, newest first."""

    legs: tuple[TelephoneLeg, ...]


@routes.add("GET", "/api/operator/accounts/{user}/telephone", Rule.AUDITOR)
async def telephone_of_account(visit: Visit) -> Telephone:
    """What an account may do with telephones, and what it has used of that."""
    return await shown(visit, user_in_path(visit))


@routes.add("PUT", "/api/operator/accounts/{user}/telephone", Rule.OPERATOR, status=200, proven=True)
async def entitle(visit: Visit, body: Granted) -> Telephone:
    """Let an account call telephones, within these limits from now on."""
    user = user_in_path(visit)
    await visit.parts.accounts.existing(user)
    given = body.model_dump() | {"countries": frozenset(body.countries)}
    await visit.parts.store.entitle(user, Entitlement(by=visit.user, at=visit.parts.now_us(), **given))
    noted(visit, "entitle", user)
    return await shown(visit, user)


@routes.add("DELETE", "/api/operator/accounts/{user}/telephone", Rule.OPERATOR, status=200, proven=True)
async def unentitle(visit: Visit) -> Telephone:
    """Let it call no telephone any more; calls that run go on to their end."""
    user = user_in_path(visit)
    await visit.parts.store.unentitle(user)
    noted(visit, "unentitle", user)
    return await shown(visit, user)


class KnownTrunk(Model):
    """A carrier's line. `health` is `up`, `unknown` or `down`, and `trouble` why, in words."""

    name: str
    uri: str
    health: str
    trouble: str | None
    calls: int
    most_calls: int
    priority: int
    numbers: tuple[str, ...]
    duties: tuple[str, ...]
    emergency_in: tuple[str, ...]


class KnownTrunks(Model):
    """All that are set up and can carry sound."""

    trunks: tuple[KnownTrunk, ...]


@routes.add("GET", "/api/operator/trunks", Rule.AUDITOR)
async def trunks(visit: Visit) -> KnownTrunks:
    """How the carriers' lines are."""
    return KnownTrunks(trunks=tuple(KnownTrunk(**asdict(each)) for each in visit.parts.trunks()))


@routes.add("GET", "/api/operator/telephone/unconfirmed", Rule.AUDITOR)
async def unconfirmed(visit: Visit, query: Page) -> TelephoneLegs:
    """Telephone legs whose end no carrier has confirmed: it may still charge them."""
    rows = await visit.parts.store.unconfirmed_legs(query.limit)
    return TelephoneLegs(legs=tuple(map(shown_leg, rows)))


@routes.add(
    "POST", "/api/operator/telephone/unconfirmed/{leg}/settle", Rule.OPERATOR, status=204, proven=True
)
async def settle_leg(visit: Visit, body: Why) -> None:
    """Say that a carrier has confirmed a leg's end after all. The journal has who did it and why."""
    leg, parts = visit.request.match_info["leg"], visit.parts
    licence = parts.licence
    async with reading():
        done = await settle(
            leg, parts.store, licence.journal, licence.alarms, parts.clock, by=visit.user, why=body.why
        )
    if not done:
        raise Problem(404, "no_such_leg", "no such leg waits for a carrier's word, or no longer", field="leg")
    noted(visit, "settle", leg)


@routes.add("GET", "/api/operator/calls/{call}/legs", Rule.AUDITOR)
async def legs_of_call(visit: Visit) -> TelephoneLegs:
    """Every attempt at a trunk that was made for a call, and how each ended."""
    call = CallId(visit.request.match_info["call"])
    return TelephoneLegs(legs=tuple(map(shown_leg, await visit.parts.store.legs_of_call(call))))


async def shown(visit: Visit, user: UserId) -> Telephone:
    """An account's telephone calling as operators see it."""
    await visit.parts.accounts.existing(user)
    store = visit.parts.store
    granted, used = await store.entitlement(user), await store.used_by_account(user, visit.parts.now_us())
    return Telephone(
        name=user,
        granted=None if granted is None else granted_by(granted),
        by=None if granted is None else granted.by,
        at=None if granted is None else granted.at,
        used=Used(calls=used.calls, calls_of_hour=used.attempts, seconds_of_day=used.seconds),
    )


def granted_by(entitlement: Entitlement) -> Granted:
    return Granted(
        countries=tuple(sorted(entitlement.countries)),
        concurrent_calls=entitlement.concurrent_calls,
        calls_per_hour=entitlement.calls_per_hour,
        minutes_per_day=entitlement.minutes_per_day,
        call_minutes=entitlement.call_minutes,
    )


def shown_leg(row: LegRow) -> TelephoneLeg:
    return TelephoneLeg(
        leg=row.leg,
        call=row.call,
        trunk=row.trunk,
        account=row.account,
        outgoing=row.outgoing,
        decision=row.decision,
        begun_at=row.begun_at,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
        cause=row.words,
        q850=row.q850,
        status=row.status,
        confirmed=row.confirmed,
    )
