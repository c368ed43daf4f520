"""Cases of every kind for property tests: any graph, any law, any permits, at any time that matters."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from hypothesis import strategies as st

from licensing.case import Case, Operator, Policy
from licensing.classify import ServiceClass
from licensing.facts import (
    CallFacts,
    Leg,
    LegKind,
    Medium,
    PresentedCli,
    Recording,
    Role,
    ServiceOffer,
    Source,
)
from licensing.instant import MICROSECOND, Instant
from licensing.jurisdiction import load_profiles
from licensing.numbering import NumberType
from licensing.permit import Permit, Renewal, StatusEvent, Toggle
from licensing.requirement import Reading

PROFILES = load_profiles()
US = "Example Operator Ltd"
SUBDIVISIONS = {"CN": ("CN-BJ", "CN-GD"), "US": ("US-CA", "US-NY")}
LAWFUL = ["CN", "US", "GB", "DE", "AE", "SG", "HK", "JP", "IN", "EG"]
ELSEWHERE = ["FR", "KE", "XX", "001", "??", None]
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def day(offset: int) -> date:
    return (NOON + timedelta(days=offset)).date()


def some_permits(jurisdiction: str) -> list[Permit]:
    """Most in order, the others each with a fault or two. Drawn once: a permit is slow to make."""
    chance = random.Random(jurisdiction)
    known = [*PROFILES.by_code[jurisdiction].categories]
    if jurisdiction == "CN":
        known = ["CN:A15", "CN:A15-1", "CN:A15-2", "CN:B25", "CN:B25#internet", "CN:B25#non_internet", *known]
    return [some_permit(jurisdiction, category, chance) for category in known for _ in range(12)]


def some_permit(jurisdiction: str, category: str, chance: random.Random) -> Permit:
    pick = chance.choice
    start = NOON + timedelta(hours=chance.randint(-50, 50))
    end = pick([None, start + timedelta(hours=chance.randint(1, 60))])
    suspended = StatusEvent.model_validate({"status": "suspended", "from": start, "to": end})
    final = StatusEvent.model_validate({"status": pick(["revoked", "surrendered"]), "from": start})
    return Permit(
        id=f"p-{chance.randrange(10**6)}",
        jurisdiction=jurisdiction,
        categories=(category,),
        holder=pick([US, US, US, US, US, "Another Company Ltd", None]),
        basis=pick(["own", "own", "own", "own", "carrier_contract"]),
        regions=pick([("*",), ("*",), ("*",), ("CN-BJ",), ("DE",), ("DE", "FR")]),
        valid_from=day(pick([-400, -400, -400, -400, 0, 1])),
        valid_until=pick([None, None, *map(day, (1, 30, 89, 90, 400))]),
        status_events=pick([(), (), (), (suspended,), (final,), (suspended, final)]),
        renewal=pick([None, None, Renewal(applied_on=day(pick([-400, -90, -30, 0])))]),
        verified=pick([True, True, True, True, False]),
    )


def some_expired(permit: Permit, chance: random.Random) -> Permit:
    until = chance.choice([-90, -31, -1, 0])
    return permit.model_copy(update={"valid_from": day(-400), "valid_until": day(until)})


POOL = {code: some_permits(code) for code in [*LAWFUL, "EU", "baseline"] if code != "DE"}
POOL |= {
    code: pool + [some_expired(permit, random.Random(n)) for n, permit in enumerate(pool) if n % 4 == 0]
    for code, pool in POOL.items()
}


def some_leg(role: Role, countries: list[str], chance: random.Random) -> Leg:
    """An end that is mostly in one of these countries."""
    country = chance.choice([*countries * 24, *ELSEWHERE])
    return Leg(
        role,
        chance.choice([LegKind.APP, LegKind.APP, LegKind.PSTN, LegKind.PSTN, *LegKind]),
        country,
        chance.choice([None, *SUBDIVISIONS.get(country or "", ())]),
        chance.choice([*[NumberType.MOBILE] * 20, *NumberType, None]),
        chance.choice([None, *Source]),
    )


ROLES = [
    *[(Role.ORIGIN, Role.DESTINATION)] * 6,
    *[(Role.ORIGIN, Role.DESTINATION, Role.PARTICIPANT)] * 3,
    (Role.DESTINATION, Role.PARTICIPANT),
    (Role.ORIGIN,),
    (),
]
MEDIA = [
    *[(Medium.AUDIO,)] * 4,
    (Medium.AUDIO, Medium.VIDEO),
    (Medium.TEXT,),
    (Medium.SMS,),
    (Medium.VOICEMAIL,),
]
RIGHTS: list[Literal["verified", "customer_known", "none"]] = ["verified", "customer_known", "none"]
AUDIENCES: list[Literal["public", "closed_group", "own_organisation"]] = [
    "public",
    "public",
    "public",
    "closed_group",
    "own_organisation",
]


def some_call(countries: list[str], chance: random.Random) -> CallFacts:
    pick = chance.choice
    shown = PresentedCli(pick([None, *LAWFUL]), pick(RIGHTS), pick([True, False]))
    return CallFacts(
        legs=tuple(some_leg(role, countries, chance) for role in pick(ROLES)),
        media=pick(MEDIA),
        purpose=pick([*[None] * 6, "third_party_call_centre"]),
        presented_cli=pick([None, shown]),
        identity_verified=pick([*[True] * 4, False, None]),
        registered_location=pick([*[True] * 4, False, None]),
        recording=pick([None, Recording(pick([True, False]), pick([True, False]))]),
        service_offer=ServiceOffer(pick(AUDIENCES), pick([None, True, False])),
        equipment_in=pick([(), None, ("HK",), ("CN", "US")]),
    )


def some_toggle(chance: random.Random) -> Toggle:
    services = chance.sample([*ServiceClass], chance.randint(0, 3))
    places = chance.sample([*LAWFUL, "FR", "EU", "baseline"], chance.randint(0, 2))
    parts = chance.choice([[], [], ["CN-BJ"], ["CN-GD", "US-NY"]])
    return Toggle(
        key="t",
        enabled=chance.choice([True, False]),
        services=tuple(services),
        jurisdictions=tuple(places),
        regions=tuple(parts),
    )


def some_case(chance: random.Random) -> Case:
    """A call among one or two countries, by their law or the baseline's, under what they look at."""
    pick = chance.choice
    countries = chance.sample(LAWFUL, chance.randint(1, 2))
    policy = Policy(
        pick([*Reading]),
        pick([True, True, False]),
        pick([True, True, False]),
        profiles=pick([(), (), (), ("baseline",)]),
        destination_only=pick([(), ("KE", "XX", "001")]),
    )
    looked_at = [*countries, "baseline"] if policy.profiles else countries
    pool = [permit for code in looked_at for permit in POOL["EU" if code == "DE" else code]]
    operator = Operator(
        pick([US, US, US, US, None]),
        pick([tuple(countries), tuple(countries[:1]), ()]),
        pick([None, "CN-BJ", "CN-GD"]),
        pick([*[("*",)] * 8, ("app_voice", "pstn_out"), ()]),
        pick([(), ("CN",), tuple(LAWFUL)]),
    )
    return Case(
        facts=some_call(countries, chance),
        profiles=PROFILES,
        permits=tuple(chance.choices(pool, k=chance.randint(0, 6))),
        toggles=(some_toggle(chance),) if chance.random() < 0.2 else (),
        operator=operator,
        policy=policy,
    )


# One number each: a whole case drawn piece by piece costs forty times what deciding it does.
seeds = st.integers(0, 2**64 - 1).map(random.Random)
cases = seeds.map(some_case)
toggles = seeds.map(some_toggle)
permits = st.sampled_from([permit for pool in POOL.values() for permit in pool])
moments = st.integers(-48 * 3600, 48 * 3600).map(
    lambda seconds: Instant(round((NOON.timestamp() + seconds) * 1_000_000) * MICROSECOND, 0)
)
