"""The oracle's half about permits: which one covers what a requirement names, and how far each one gets.

Naive and from the documents alone, like `tests/licensing/oracle.py`, which says how they are cited.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Dict = dict[str, Any]

# Model, "A permit": asked in this order.
STEPS = (
    "DENY_CATEGORY_NOT_COVERED",
    "DENY_PERMIT_SUBSCOPE",
    "DENY_HOLDER_MISMATCH",
    "DENY_PARTNER_PERMIT_NOT_ACCEPTED",
    "DENY_PERMIT_REVOKED",
    "DENY_PERMIT_NOT_YET_VALID",
    "DENY_PERMIT_EXPIRED",
    "DENY_PERMIT_SUSPENDED",
    "DENY_REGION_NOT_COVERED",
    "DENY_PERMIT_UNVERIFIED",
)
BASIS = STEPS.index("DENY_PARTNER_PERMIT_NOT_ACCEPTED")


def within(profile: Dict, country: str | None) -> bool:
    """Model, "Service class" and "Whose law": a union contains its members; the baseline has no borders."""
    return bool(profile.get("everywhere")) or country in (profile["code"], *profile.get("members", ()))


def date_at(now: datetime, zone: str) -> date:
    return now.astimezone(ZoneInfo(zone)).date()


def lists_of(lists: Sequence[Sequence[str]], asked: Dict) -> list[Dict]:
    """How far each list of categories gets. 0017: as far as its weakest category, the first of these."""
    answers = []
    for categories in lists:
        found = [(category, furthest(category, asked)) for category in categories]
        steps = min(answer["steps"] for _, answer in found)
        category, weakest = next((c, a) for c, a in found if a["steps"] == steps)
        met = steps == len(STEPS)
        used = [answer for _, answer in found] if met else []
        answers.append(
            {
                "met": met,
                "steps": steps,
                "reason": "OK_PERMIT_COVERS" if met else STEPS[steps],
                "uncertain": any(a["uncertain"] for a in used) if met else weakest["uncertain"],
                "permits": list(dict.fromkeys(answer["permit"] for answer in used)),
                "standing": list(dict.fromkeys(duty for answer in used for duty in answer["standing"])),
                "needed": None if met else category,
            }
        )
    return answers


def best_of(answers: list[Dict]) -> Dict:
    """0017: the furthest stage wins, then a certain one, then the first."""
    return sorted(answers, key=lambda answer: (-answer["steps"], answer["uncertain"]))[0]


def furthest(category: str, asked: Dict) -> Dict:
    """Of all permits, the one that gets furthest for this category."""
    return best_of([ask(permit, category, asked) for permit in asked["held"]])


def ask(permit: Dict, needed: str, asked: Dict) -> Dict:
    """How many of the ten checks a permit passes, and whether by a reading or as a carrier's (0017: both are
    uncertain, whether the permit passes in the end or not; 0023: once it gets to the check that asks)."""
    category = best_category(permit, needed, asked)
    readings: list[str] = []
    # A permit is recorded by id and version: docs/licensing.md, "The gate".
    name = f"{permit['id']}@{permit.get('version', 1)}"
    answer: Dict = {"permit": name, "standing": [], "steps": 0}
    checks: tuple[Callable[[], bool], ...] = (
        lambda: category["covers"],
        lambda: category["part"] or by_reading(asked, readings, "sub-scope"),
        lambda: holder_is_right(permit, asked),
        lambda: basis_is_right(permit, asked),
        lambda: not revoked(permit, asked),
        lambda: today(permit, asked) >= date.fromisoformat(permit["valid_from"]),
        lambda: (
            not expired(permit, asked)
            or (pending_renewal(permit, asked) and by_reading(asked, readings, "renewal"))
        ),
        lambda: not suspended(permit, asked),
        lambda: region_is_right(permit, asked, readings),
        lambda: verified(permit, asked),
    )
    for check in checks:
        if not check():
            break
        answer["steps"] += 1
    carriers = permit.get("basis", "own") == "carrier_contract" and answer["steps"] >= BASIS
    answer["uncertain"] = bool(readings) or carriers
    if "renewal" in readings:
        answer["standing"].append("DEEMED_RENEWAL_RELIED_ON")
    elif renewal_due(permit, asked):
        answer["standing"].append("PERMIT_RENEWAL_DUE")
    return answer


def by_reading(asked: Dict, readings: list[str], name: str) -> bool:
    """Passed under the permissive reading alone, and noted as such."""
    if asked["reading"] != "permissive":
        return False
    readings.append(name)
    return True


def best_category(permit: Dict, needed: str, asked: Dict) -> Dict:
    """0007: the best of a permit's categories counts; a part left out covers and is covered by any part."""
    wanted, _, part = needed.partition("#")
    best = {"covers": False, "part": False}
    for held in permit["categories"]:
        code, _, held_part = held.partition("#")
        covers = category_covers(code, wanted) or accepted(permit, code, wanted, asked["profile"])
        same_part = not part or not held_part or part == held_part
        if covers and (same_part or not best["covers"]):
            best = {"covers": True, "part": same_part or best["part"]}
    return best


def category_covers(held: str, needed: str) -> bool:
    """0006: equal; the needed one within the permit's; or the permit's within a needed one that ends with a
    star."""
    within_star = needed.endswith("*") and held.startswith(needed[:-1])
    return held == needed or needed.startswith(held + "-") or within_star


def accepted(permit: Dict, code: str, wanted: str, profile: Dict) -> bool:
    """Model, "The baseline profile": foreign categories that it takes for its own."""
    taken = profile.get("accepts", {}).get(permit["jurisdiction"])
    if taken is None or taken["stands_for"] != wanted:
        return False
    return any(category_covers(code, category) for category in taken["categories"])


def holder_is_right(permit: Dict, asked: Dict) -> bool:
    """Model, "A permit"; 0005: only an own permit is compared, in the baseline only where both are stated."""
    if permit.get("basis", "own") != "own":
        return True
    holder, entity = permit.get("holder"), asked["case"]["operator"]["legal_entity"]
    if asked["profile"].get("permit_checks", {}).get("holder") == "where_stated" and (
        not holder or not entity
    ):
        return True
    return bool(holder) and holder == entity


def basis_is_right(permit: Dict, asked: Dict) -> bool:
    if permit.get("basis", "own") == "own":
        return True
    accepted_for: bool = asked["profile"].get("partner_permit_accepted", {}).get(asked["reading"], True)
    return accepted_for


def revoked(permit: Dict, asked: Dict) -> bool:
    """Model, "A permit": revoked and surrendered are final from `from`."""
    return any(
        event["status"] in ("revoked", "surrendered")
        and datetime.fromisoformat(event["from"]) <= asked["case"]["now"]
        for event in permit.get("status_events", ())
    )


def suspended(permit: Dict, asked: Dict) -> bool:
    """[`from`, `to`); without `to` until lifted."""
    now = asked["case"]["now"]
    windows = [event for event in permit.get("status_events", ()) if event["status"] == "suspended"]
    return any(
        datetime.fromisoformat(window["from"]) <= now
        and (window.get("to") is None or now < datetime.fromisoformat(window["to"]))
        for window in windows
    )


def today(permit: Dict, asked: Dict) -> date:
    """0002: dates are in the zone of the profile that judges; 0005: in the baseline, Chinese permits in
    Beijing's."""
    profile = asked["profile"]
    zone = profile.get("accepts", {}).get(permit["jurisdiction"], profile)["regulator_time_zone"]
    return date_at(asked["case"]["now"], zone)


def last_day(permit: Dict) -> date | None:
    until = permit.get("valid_until")
    return None if until is None else date.fromisoformat(until)


def expired(permit: Dict, asked: Dict) -> bool:
    last = last_day(permit)
    return last is not None and today(permit, asked) > last


def pending_renewal(permit: Dict, asked: Dict) -> bool:
    """Model, "A permit": no decision, and applied for at least `renewal_notice_days` (30) before
    `valid_until`."""
    renewal, last = permit.get("renewal"), last_day(permit)
    if renewal is None or last is None or renewal.get("decision") is not None:
        return False
    days = asked["profile"].get("renewal_notice_days", 30)
    return date.fromisoformat(renewal["applied_on"]) <= last - timedelta(days=days)


def renewal_due(permit: Dict, asked: Dict) -> bool:
    """Model, "A permit": the profile has `renewal_notice_days`, the end is within so many days, no renewal on
    file."""
    days, last = asked["profile"].get("renewal_notice_days"), last_day(permit)
    if days is None or last is None or permit.get("renewal") is not None:
        return False
    return last - today(permit, asked) <= timedelta(days=days)


def region_is_right(permit: Dict, asked: Dict, readings: list[str]) -> bool:
    """0012: each leg in the jurisdiction needs a listed subdivision; in a union, and for its members, regions
    are country codes (0002). The operator's seat instead, where the class's `region_test` says so
    (permissive)."""
    profile, case = asked["profile"], asked["case"]
    regions = permit.get("regions", ["*"])
    if profile.get("permit_checks", {}).get("regions") is False or "*" in regions:
        return True
    by_country = "members" in profile or "extends" in profile
    ends = [
        leg for leg in case["facts"]["legs"] if leg["kind"] != "media" and within(profile, leg.get("country"))
    ]
    if all(leg.get("country" if by_country else "subdivision") in regions for leg in ends):
        return True
    if "permissive: operator_seat" not in asked["rule"].get("region_test", ""):
        return False
    return case["operator"]["seat"] in regions and by_reading(asked, readings, "seat")


def verified(permit: Dict, asked: Dict) -> bool:
    """Model, "A permit": only if the policy and the profile ask for it."""
    asks = asked["profile"].get("permit_checks", {}).get("verified", True)
    return permit.get("verified", False) or not (asks and asked["case"]["policy"]["require_verified_permits"])
