"""Cases of every kind for property tests: any graph, any law, any permits, at any time that matters."""

import random
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from licensing.classify import ServiceClass
from licensing.decision import Case, Operator, Policy
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
    suspended = StatusEvent(
        status="suspended", start=start, end=pick([None, start + timedelta(hours=chance.randint(1, 60))])
    )
    final = StatusEvent(status=pick(["revoked", "surrendered"]), start=start)
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


def permits(countries: list[str]) -> st.SearchStrategy[Permit]:
    """Those that these countries' laws look at."""
    return st.sampled_from(
        [permit for country in countries for permit in POOL["EU" if country == "DE" else country]]
    )


def legs(role: Role, countries: list[str]) -> st.SearchStrategy[Leg]:
    """An end that is mostly in one of these countries."""
    return st.sampled_from([*countries * 8, *ELSEWHERE]).flatmap(
        lambda country: st.builds(
            Leg,
            st.just(role),
            st.sampled_from([LegKind.APP, LegKind.APP, LegKind.PSTN, LegKind.PSTN, *LegKind]),
            st.just(country),
            st.sampled_from([None, *SUBDIVISIONS.get(country or "", ())]),
            st.sampled_from([*[NumberType.MOBILE] * 20, *NumberType, None]),
            st.sampled_from([None, *Source]),
        )
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
shown = st.none() | st.builds(
    PresentedCli,
    st.sampled_from([None, *LAWFUL]),
    st.sampled_from(["verified", "customer_known", "none"]),
    st.booleans(),
)


def calls(countries: list[str]) -> st.SearchStrategy[CallFacts]:
    return st.builds(
        CallFacts,
        legs=st.sampled_from(ROLES).flatmap(
            lambda roles: st.tuples(*[legs(role, countries) for role in roles])
        ),
        media=st.sampled_from(MEDIA),
        purpose=st.sampled_from([*[None] * 6, "third_party_call_centre"]),
        presented_cli=shown,
        identity_verified=st.sampled_from([True, True, True, True, False, None]),
        registered_location=st.sampled_from([True, True, True, True, False, None]),
        recording=st.none() | st.builds(Recording, st.booleans(), st.booleans()),
        service_offer=st.builds(
            ServiceOffer,
            st.sampled_from(["public", "public", "public", "closed_group", "own_organisation"]),
            st.sampled_from([None, True, False]),
        ),
        equipment_in=st.sampled_from([(), None, ("HK",), ("CN", "US")]),
    )


toggles = st.builds(
    Toggle,
    key=st.just("t"),
    enabled=st.booleans(),
    services=st.lists(st.sampled_from(ServiceClass), max_size=3).map(tuple),
    jurisdictions=st.lists(st.sampled_from([*LAWFUL, "FR", "EU", "baseline"]), max_size=2).map(tuple),
)
policies = st.builds(
    Policy,
    st.sampled_from(Reading),
    st.sampled_from([True, True, False]),
    st.sampled_from([True, True, False]),
    profiles=st.sampled_from([(), (), (), ("baseline",)]),
    destination_only=st.sampled_from([(), ("KE", "XX", "001")]),
)


@st.composite
def _cases(draw: st.DrawFn) -> Case:
    countries = draw(st.lists(st.sampled_from(LAWFUL), min_size=1, max_size=2, unique=True))
    policy = draw(policies)
    looked_at = [*countries, "baseline"] if policy.profiles else countries
    operator = Operator(
        draw(st.sampled_from([US, US, US, US, None])),
        draw(st.sampled_from([tuple(countries), tuple(countries[:1]), ()])),
        draw(st.sampled_from([None, "CN-BJ", "CN-GD"])),
        draw(st.sampled_from([*[("*",)] * 8, ("app_voice", "pstn_out"), ()])),
        draw(st.sampled_from([(), ("CN",), tuple(LAWFUL)])),
    )
    held = draw(st.lists(permits(looked_at), max_size=5))
    off = draw(st.sampled_from([0, 0, 0, 0, 1]))
    return Case(
        facts=draw(calls(countries)),
        profiles=PROFILES,
        permits=tuple(held),
        toggles=tuple(draw(toggles) for _ in range(off)),
        operator=operator,
        policy=policy,
    )


cases = _cases()
moments = st.integers(-48 * 3600, 48 * 3600).map(
    lambda seconds: Instant(round((NOON.timestamp() + seconds) * 1_000_000) * MICROSECOND, 0)
)
