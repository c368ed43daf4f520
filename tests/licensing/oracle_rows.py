"""Rows for the comparison of engine and oracle: scope and input of cases, as the case files tell them.

Exhaustive products over what decides most. `tests/licensing/oracle_changes.py` has the random ones.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

Dict = dict[str, Any]
Row = tuple[str, Dict]  # scope, input

OPERATOR = "Example Operator Ltd"
NOW = "2026-11-23T04:00:00+00:00"  # noon in Beijing

# Kinds of the legs, the first of them the origin; media; purpose.
SHAPES: dict[str, tuple[tuple[str, ...], list[str], str | None]] = {
    "app_voice": (("app", "app"), ["audio"], None),
    "app_video": (("app", "app"), ["audio", "video"], None),
    "conf_app": (("app", "app", "app"), ["audio"], None),
    "text_app": (("app", "app"), ["text"], None),
    "store_forward": (("pstn", "app"), ["voicemail"], None),
    "pstn_out": (("app", "pstn"), ["audio"], None),
    "pstn_in": (("pstn", "app"), ["audio"], None),
    "pstn_bridge": (("pstn", "pstn"), ["audio"], None),
    "conf_pstn": (("app", "pstn", "pstn"), ["audio"], None),
    "sms_out": (("app", "pstn"), ["sms"], None),
    "sms_in": (("pstn", "app"), ["sms"], None),
    "call_centre": (("app", "pstn"), ["audio"], "third_party_call_centre"),
}
DIRECTIONS = ("domestic", "outward", "inward")

DATES: dict[str, Dict] = {
    "running": {"valid_from": "2024-03-01", "valid_until": "2029-02-28"},
    "first day": {"valid_from": "2026-11-23", "valid_until": None},
    "tomorrow": {"valid_from": "2026-11-24", "valid_until": "2029-02-28"},
    "last day": {"valid_from": "2024-03-01", "valid_until": "2026-11-23"},
    "yesterday": {"valid_from": "2024-03-01", "valid_until": "2026-11-22"},
    "renewal filed": {
        "valid_from": "2024-03-01",
        "valid_until": "2026-11-22",
        "renewal": {"applied_on": "2026-08-01"},
    },
    "renewal filed late": {
        "valid_from": "2024-03-01",
        "valid_until": "2026-11-22",
        "renewal": {"applied_on": "2026-10-01"},
    },
    "two months left": {"valid_from": "2024-03-01", "valid_until": "2027-01-23"},
}
# Both sides of midnight in Beijing, Brussels and New York, and of UTC's.
MOMENTS = (
    "2026-11-22T15:59:59Z",
    "2026-11-22T16:00:00Z",
    "2026-11-22T22:59:59Z",
    "2026-11-22T23:00:00Z",
    "2026-11-22T23:59:59Z",
    "2026-11-23T00:00:00Z",
    "2026-11-23T04:59:59+00:00",
    "2026-11-23T05:00:00+00:00",
    "2026-11-23T16:00:00Z",
    "2026-11-24T05:00:00Z",
)
SUSPENDED = {"status": "suspended", "from": "2026-11-01T00:00:00+08:00", "to": None}
STATUS: dict[str, list[Dict]] = {
    "in order": [],
    "suspended": [SUSPENDED],
    "lifted now": [{**SUSPENDED, "to": NOW}],
    "suspended now": [{**SUSPENDED, "from": NOW}],
    "revoked": [{"status": "revoked", "from": "2026-06-01T00:00:00+08:00"}],
    "surrendered now": [{"status": "surrendered", "from": NOW}],
    "revoked later": [{"status": "revoked", "from": "2026-11-23T04:00:01Z"}],
}
REGIONS = ("everywhere", "all legs", "origin alone", "seat alone")
SCOPES_OF_PERMIT = ("as needed", "parent", "other part", "unrelated")


def home_of(code: str) -> str:
    """A country in which a call of this jurisdiction is made."""
    return {"EU": "DE", "baseline": "US"}.get(code, code)


def abroad_of(code: str) -> str:
    return "GB" if home_of(code) == "US" else "US"


def place(country: str, nth: int) -> str:
    """Two subdivisions of a country: the first leg is in one, all others in the other."""
    known = {"CN": ("CN-BJ", "CN-SH"), "US": ("US-NY", "US-CA")}
    return known.get(country, (f"{country}-A", f"{country}-B"))[min(nth, 1)]


def call(code: str, service: str, direction: str) -> Dict:
    """Facts in good order."""
    kinds, media, purpose = SHAPES[service]
    legs = []
    for nth, kind in enumerate(kinds):
        elsewhere = (direction == "outward" and nth > 0) or (direction == "inward" and nth == 0)
        country = abroad_of(code) if elsewhere else home_of(code)
        role = "origin" if nth == 0 else "destination" if len(kinds) == 2 else "participant"
        leg = {"role": role, "kind": kind, "country": country, "subdivision": place(country, nth)}
        legs.append({**leg, "number_type": "mobile"} if kind == "pstn" else leg)
    facts: Dict = {"legs": legs, "media": media, "identity_verified": True, "registered_location": True}
    if purpose:
        facts["purpose"] = purpose
    return facts


def needed_by(profile: Dict, service: str, direction: str) -> list[str]:
    """All categories of the first list that a call of the class needs; empty where none are asked for."""
    rule = profile["services"].get(service, {})
    needed = rule.get("domestic" if direction == "domestic" else "international", {})
    lists = needed.get("any_of", [])
    return list(lists[0]) if lists else []


def other_part(category: str, profile: Dict) -> str:
    """Another part of the category; where it has none, another child of the parent."""
    code, _, part = category.partition("#")
    parts = [name for name in profile["categories"].get(code, {}).get("sub_scopes", ()) if name != part]
    if part and parts:
        return f"{code}#{parts[0]}"
    siblings = [other for other in profile["categories"] if other != code and parent(other) == parent(code)]
    return siblings[0] if siblings else code


def parent(category: str) -> str:
    code = category.partition("#")[0]
    return code.rpartition("-")[0] if "-" in code and "#" not in category else code


def permit_for(code: str, categories: list[str], **more: Any) -> Dict:
    jurisdiction = (
        code if categories and categories[0].startswith(code + ":") else categories[0].partition(":")[0]
    )
    return {
        "id": "p",
        "jurisdiction": jurisdiction,
        "categories": categories,
        "holder": OPERATOR,
        "verified": True,
        **DATES["running"],
        **more,
    }


def categories_of(profile: Dict, service: str, direction: str, scope: str) -> list[str]:
    """What the permit says, for one value of the axis SCOPES_OF_PERMIT."""
    needed = [category.replace("-*", "-4") for category in needed_by(profile, service, direction)]
    first = next(iter(profile["categories"]))
    match scope:
        case "as needed":
            return needed or [first]
        case "parent":
            return [parent(category) for category in needed] or [first]
        case "other part":
            return [other_part(category, profile) for category in needed] or [first]
        case _:
            unrelated = [name for name in profile["categories"] if name not in needed]
            return [unrelated[0] if unrelated else first]


def regions_of(facts: Dict, profile: Dict, value: str) -> list[str]:
    """What the permit says, for one value of the axis REGIONS."""
    by_country = "members" in profile or "extends" in profile
    places = [leg["country"] if by_country else leg["subdivision"] for leg in facts["legs"]]
    match value:
        case "everywhere":
            return ["*"]
        case "all legs":
            return sorted(set(places))
        case "origin alone":
            return [places[0]]
        case _:
            return ["CN-HN"]


def input_of(code: str, facts: Dict, permits: list[Dict], reading: str) -> Dict:
    home = home_of(code)
    return {
        "facts": facts,
        "permits": permits,
        "operator": {
            "legal_entity": OPERATOR,
            "home": [home],
            "seat": "CN-HN",
            "capabilities": {"emergency_route": [home, abroad_of(code)]},
        },
        "policy": {"ambiguity": reading},
        "now": NOW,
    }


def permit_product(profile: Dict, dates: tuple[str, ...], status: tuple[str, ...]) -> Iterator[Row]:
    """Class x sub-scope x region x direction x status x dates x reading, judged by one profile."""
    code = profile["code"]
    axes = (SHAPES, DIRECTIONS, SCOPES_OF_PERMIT, REGIONS, dates, status, ("conservative", "permissive"))
    for service, direction, scope, region, date, state, reading in product(*axes):
        facts = call(code, service, direction)
        more = {**DATES[date], "status_events": STATUS[state], "regions": regions_of(facts, profile, region)}
        permit = permit_for(code, categories_of(profile, service, direction, scope), **more)
        yield code, input_of(code, facts, [permit], reading)


def profile_product(profiles: Dict, codes: list[str]) -> Iterator[Row]:
    """Each profile x class x direction x permit x reading x alone or with every other jurisdiction."""
    axes = (
        codes,
        SHAPES,
        DIRECTIONS,
        ("none", "right", "wrong"),
        ("conservative", "permissive"),
        (True, False),
    )
    for code, service, direction, held, reading, single in product(*axes):
        profile = profiles[code]
        facts = call(code, service, direction)
        scope = {"right": "as needed", "wrong": "unrelated"}.get(held)
        permits = [permit_for(code, categories_of(profile, service, direction, scope))] if scope else []
        told = input_of(code, facts, permits, reading)
        if code == "baseline":
            told["policy"]["profiles"] = ["baseline"]
        yield code if single else "all_governing", told


def person_product() -> Iterator[Row]:
    """What is asked after the permits: capability, identity, caller's number; and what a number shown is
    signed as."""
    shown: list[Dict | None] = [None]
    for country, right, evidence in product(
        ("home", "abroad"), ("verified", "customer_known", "none"), (True, False)
    ):
        shown.append({"country": country, "right_to_use": right, "domestic_customer_evidence": evidence})
    axes = (
        ("CN", "US", "GB", "EU"),
        ("pstn_out", "pstn_in", "app_voice"),
        DIRECTIONS,
        shown,
        (True, False),
        (True, False),
    )
    everything = {
        "CN": ["CN:A15", "CN:B25"],
        "US": ["US:499", "US:RMD"],
        "GB": ["GB:NUM"],
        "EU": ["EU:NB-ICS-NOTIF"],
    }
    for code, service, direction, cli, known, routed in product(*axes):
        facts = call(code, service, direction)
        facts.update(identity_verified=known, registered_location=known)
        if cli:
            facts["presented_cli"] = {
                **cli,
                "country": {"home": home_of, "abroad": abroad_of}[cli["country"]](code),
            }
        told = input_of(code, facts, [permit_for(code, everything[code])], "conservative")
        if not routed:
            told["operator"]["capabilities"] = {}
        yield code, told


def time_product() -> Iterator[Row]:
    """Dates and events of a permit, at moments between two days."""
    held = {
        "CN": "CN:A15",
        "US": "US:499",
        "EU": "EU:NB-ICS-NOTIF",
        "DE": "EU:NB-ICS-NOTIF",
        "baseline": "CN:A15",
    }
    readings = ("conservative", "permissive")
    for code, dates, status, reading, now in product(held, DATES, STATUS, readings, MOMENTS):
        if status not in ("in order", "suspended") and now not in MOMENTS[:2]:
            continue  # events have their own moments
        categories = [held[code], "US:RMD"] if code == "US" else [held[code]]
        permit = permit_for(code, categories, **DATES[dates], status_events=STATUS[status])
        yield code, {**input_of(code, call(code, "pstn_in", "domestic"), [permit], reading), "now": now}


def reading_product() -> Iterator[Row]:
    """China's permits under both readings: parts, parents, partners, and which of two gets further."""
    first = ("CN:B25#internet", "CN:B25#non_internet", "CN:B22", "CN:A15")
    second = (None, "CN:A15-2", "CN:B25")
    bases, readings = ("own", "carrier_contract"), ("conservative", "permissive")
    for service, direction, one, other, basis, reading in product(
        SHAPES, DIRECTIONS, first, second, bases, readings
    ):
        permits = [permit_for("CN", [one], basis=basis)]
        if other:
            permits.append(
                permit_for("CN", [other], id="q", status_events=[SUSPENDED] if basis == "own" else [])
            )
        yield "CN", input_of("CN", call("CN", service, direction), permits, reading)


def recording_product() -> Iterator[Row]:
    """Who has to agree to a recording."""
    asked = ((False, False), (True, False), (True, True))
    for code, service, direction, (wanted, agreed) in product(
        ("US", "GB", "EU", "IN"), SHAPES, DIRECTIONS, asked
    ):
        facts = call(code, service, direction)
        facts["recording"] = {"requested": wanted, "all_parties_consented": agreed}
        yield code, input_of(code, facts, [], "conservative")
    for wanted, agreed in asked:
        facts = call("CN", "app_voice", "domestic")
        facts["recording"] = {"requested": wanted, "all_parties_consented": agreed}
        yield "CN", input_of("CN", facts, [permit_for("CN", ["CN:B25"])], "conservative")


def help_product() -> Iterator[Row]:
    """Calls for help: from where, with which route, under what permit, with or without override, and with
    whom."""
    codes, origins = ("CN", "GB", "EU", "US", "QZ", "baseline"), ("home", "abroad", None)
    permits, thirds = ("none", "right", "suspended", "a carrier's"), (None, "mobile", "premium")
    for code, origin, routed, held, override, third in product(
        codes, origins, (True, False), permits, (True, False), thirds
    ):
        facts = call(code, "pstn_out", "domestic")
        country = {"home": home_of(code), "abroad": abroad_of(code), None: None}[origin]
        facts["legs"][0].update(country=country, subdivision=None)
        facts["legs"][1]["number_type"] = "emergency"
        if third:
            leg = {"role": "participant", "kind": "pstn", "country": home_of(code), "number_type": third}
            facts["legs"].append(leg)
        category = {"CN": "CN:A15", "EU": "EU:NB-ICS-NOTIF", "US": "US:499", "QZ": "QZ:VOICE"}.get(
            code, "CN:A15"
        )
        more: Dict = {}
        if held == "suspended":
            more = {"status_events": [SUSPENDED]}
        if held == "a carrier's":
            more = {"basis": "carrier_contract"}
        categories = [category, "US:RMD"] if code == "US" else [category]
        told = input_of(
            code, facts, [] if held == "none" else [permit_for(code, categories, **more)], "permissive"
        )
        told["policy"]["emergency_override"] = override
        if not routed:
            told["operator"]["capabilities"] = {"emergency_route": ["KE"]}
        yield code, told


def offer_product(profiles: Dict) -> Iterator[Row]:
    """To whom, with what equipment where, and on whose permit."""
    codes, readings = ("CN", "SG", "HK", "JP"), ("conservative", "permissive")
    equipment: tuple[list[str] | None, ...] = (None, [], ["HK"], ["SG", "DE"])
    audiences, bases = ("public", "closed_group", "own_organisation"), (None, "own", "carrier_contract")
    axes = (codes, SHAPES, audiences, equipment, bases, readings)
    for code, service, audience, places, basis, reading in product(*axes):
        facts = call(code, service, "domestic")
        facts.update(service_offer={"audience": audience}, equipment_in=places)
        categories = categories_of(profiles[code], service, "domestic", "as needed")
        permits = [permit_for(code, categories, basis=basis)] if basis else []
        yield code, input_of(code, facts, permits, reading)
