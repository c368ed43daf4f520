"""A second engine of the licence model: naive, slow, and written from the model's documents alone.

It reads a case as the case files tell it (`tests/licensing/data`) and the profiles as they lie in
`licensing/jurisdictions`, and imports nothing of `licensing`. Each rule names the document that it is from:
"model" is docs/licensing-model.md by section or numbered check, "0012" is docs/decisions/0012-....md. Where
the two engines differ, the documents say which one is wrong.
"""

import json
from collections.abc import Iterable
from typing import Any

from tests.licensing.oracle_facts import (
    ROOT,
    UNKNOWN,
    asks_for_help,
    called,
    facts_missing,
    governing,
    has_telephone,
    help_country,
    international,
    origin_of,
    parties,
    service_class,
    with_defaults,
)
from tests.licensing.oracle_permits import best_of, lists_of, within

Dict = dict[str, Any]

TEXTS: Dict = json.loads((ROOT / "licensing" / "texts.json").read_text(encoding="utf-8"))
STANDING = {code for code, told in TEXTS["obligations"].items() if told["kind"] == "standing"}

# Model, check 6: the classes that an offer to the own organisation frees from a permit.
FREED = ("app_voice", "app_video", "conf_app", "text_app")


def decide(told: Dict, scope: str, profiles: Dict) -> Dict:
    """The answer to the input of a case. `scope` as the case files say in `how_to_read`: a jurisdiction
    alone, `all_governing`, or a group (`ENGINE`, `MULTI`), which means the first home."""
    case = with_defaults(told)
    if scope in ("ENGINE", "MULTI"):
        scope = case["operator"]["home"][0]
    reading = case["policy"]["ambiguity"]
    if scope != "all_governing":
        return alone(case, scope, profiles, reading)
    codes = governing(case, profiles)
    if not codes:
        return ungoverned(case)
    return merged([alone(case, code, profiles, reading) for code in codes])


def ungoverned(case: Dict) -> Dict:
    """0015: where no jurisdiction governs, the call is refused."""
    if any(leg.get("country") in UNKNOWN for leg in parties(case["facts"])):
        return refused(case, None, "DENY_FACTS_INSUFFICIENT")
    return refused(case, None, "DENY_JURISDICTION_UNKNOWN", uncertain=True)


def merged(answers: list[Dict]) -> Dict:
    """Model, "Whose law": one answer as it is; the first deny; else duties and permits in order without
    repeats."""
    if len(answers) == 1:
        return answers[0]
    for answer in answers:
        if answer["decision"] == "deny":
            return answer
    per_call = once(code for answer in answers for code in answer["per_call"])
    return {
        "decision": "allow_with_obligations" if per_call else "allow",
        "reason": "OK_ALL_JURISDICTIONS",
        "uncertain": any(answer["uncertain"] for answer in answers),
        "service_class": answers[0]["service_class"],
        "jurisdiction": "+".join(answer["jurisdiction"] for answer in answers),
        "permit_needed": None,
        "permits": once(permit for answer in answers for permit in answer["permits"]),
        "per_call": per_call,
        "standing": once(code for answer in answers for code in answer["standing"]),
    }


def once(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))


def alone(case: Dict, code: str, profiles: Dict, reading: str) -> Dict:
    """What one jurisdiction answers: model, "Order of checks". 0015: a country without a profile refuses, and
    the mark says that the opposite is defensible."""
    if code not in profiles:
        return refused(case, code, "DENY_JURISDICTION_UNKNOWN", uncertain=True)
    profile = profiles[code]
    facts = case["facts"]
    service = service_class(facts)
    if facts_missing(case, profile):
        return refused(case, code, "DENY_FACTS_INSUFFICIENT")
    if asks_for_help(facts):
        answer = help_answer(case, profile, profiles, reading)
        if answer is not None:
            return answer
    if switched_off(case, profile, service):
        return refused(case, code, "DENY_SERVICE_DISABLED")
    if service not in profile["services"]:
        return refused(case, code, "DENY_NO_RULE_FOR_CLASS", uncertain=True)
    if in_fraud_range(case):
        return refused(case, code, "DENY_FRAUD_RANGE_BLOCKED")
    found = requirement(case, profile, profiles, reading)
    if not found["met"]:
        return refused_for_permits(case, code, profiles, reading, found)
    for reason in (
        capability_missing(case, profile),
        identity_missing(case, profile),
        number_shown(case, profile),
    ):
        if reason:
            return refused(case, code, reason)
    return allowed(case, profile, found["reason"], found, per_call_duties(case, profile))


def help_answer(case: Dict, profile: Dict, profiles: Dict, reading: str) -> Dict | None:
    """Model, check 2. None: no override is wanted, the checks go on."""
    code = profile["code"]
    if help_country(case) not in case["routes"]:
        answer = refused(case, code, "DENY_EMERGENCY_NOT_SUPPORTED")
        answer["per_call"] = ["EMERGENCY_GUIDE_USER"]
        return answer
    duties = ["EMERGENCY_ROUTE", "EMERGENCY_LOCATION", "NO_CHARGE"]
    known = service_class(case["facts"]) in profile["services"]
    if known and not in_fraud_range(case):
        found = requirement(case, profile, profiles, reading)
        if found["met"]:
            return allowed(case, profile, "EMERGENCY_CARRIED", found, duties)
    if case["policy"]["emergency_override"]:
        nothing = {"uncertain": True, "permits": [], "standing": []}
        return allowed(case, profile, "EMERGENCY_OVERRIDE", nothing, [*duties, "AUDIT_ALERT"])
    return None


def switched_off(case: Dict, profile: Dict, service: str) -> bool:
    """Model, check 3; 0018 for toggles that name regions."""
    enabled = case["operator"]["services_enabled"]
    if "*" not in enabled and service not in enabled:
        return True
    return any(
        not toggle["enabled"] and named_by(toggle, case, profile, service) for toggle in case["toggles"]
    )


def named_by(toggle: Dict, case: Dict, profile: Dict, service: str) -> bool:
    """Is this toggle about the call? What it names narrows it: class, jurisdiction and region have to fit."""
    ends = parties(case["facts"])
    if toggle.get("services") and service not in toggle["services"]:
        return False
    codes = toggle.get("jurisdictions")
    if codes and profile["code"] not in codes and not any(leg.get("country") in codes for leg in ends):
        return False
    regions = toggle.get("regions")
    if not regions:
        return True
    for leg in ends:
        if leg.get("subdivision") in regions:
            return True
        if not leg.get("subdivision") and leg.get("country") in [region[:2] for region in regions]:
            return True  # 0018: it may be there
    return False


def in_fraud_range(case: Dict) -> bool:
    """Model, check 5: every leg but the origin."""
    return any(
        leg.get("number_type") in case["policy"]["block_number_types"] for leg in called(case["facts"])
    )


def requirement(case: Dict, profile: Dict, profiles: Dict, reading: str) -> Dict:
    """Model, check 6, and 0017 for what is uncertain about an allow."""
    facts = case["facts"]
    service = service_class(facts)
    rule = profile["services"][service]
    needed = rule["international" if international(facts, profile) else "domestic"]
    if "with_telephone_leg" in profile and has_telephone(facts):
        needed = profile["with_telephone_leg"]
    doubt = rule.get("basis") == "interpretation" or needed.get("uncertain", False)
    free = {"met": True, "uncertain": doubt, "permits": [], "standing": []}
    match needed["kind"]:
        case "none":
            return {**free, "reason": "OK_NO_PERMIT_REQUIRED"}
        case "general_authorisation":
            return {**free, "reason": "OK_GENERAL_AUTHORISATION"}
        case "prohibited":
            return {"met": False, "reason": "DENY_SERVICE_PROHIBITED", "uncertain": False, "needed": None}
    if facts.get("service_offer", {}).get("audience") == "own_organisation" and service in FREED:
        settled = rule.get("own_organisation_exempt") == "settled"
        return {**free, "reason": "OK_NOT_A_PUBLIC_SERVICE", "uncertain": not settled}
    equipment = facts["equipment_in"]
    if (
        needed.get("only_if") == "equipment_in_jurisdiction"
        and equipment is not None
        and not any(within(profile, country) for country in equipment)
    ):
        return {**free, "reason": "OK_NO_PERMIT_REQUIRED"}
    found = permits_meet(case, profile, profiles, reading, needed, rule)
    return {**found, "uncertain": found["uncertain"] or (found["met"] and doubt)}


def permits_meet(case: Dict, profile: Dict, profiles: Dict, reading: str, needed: Dict, rule: Dict) -> Dict:
    """Model, check 6: any list of `any_of`; then, read permissively, any of `permissive_any_of`."""
    held = [permit for permit in case["permits"] if looked_at(permit, profile)]
    if not held:
        first = needed["any_of"][0][0]
        return {"met": False, "reason": "DENY_NO_PERMIT", "uncertain": False, "needed": first}
    asked = {"case": case, "profile": profile, "reading": reading, "rule": rule, "held": held}
    strict = lists_of(needed["any_of"], asked)
    answer = best_of(strict)
    if not answer["met"] and reading == "permissive" and "permissive_any_of" in needed:
        wide = lists_of(needed["permissive_any_of"], asked)
        answer = best_of(wide)
        if answer["met"]:
            return {**answer, "uncertain": True}
        answer = best_of([*strict, *wide])
    return answer


def looked_at(permit: Dict, profile: Dict) -> bool:
    """Model, "A permit"; 0002: the profile's own, of the union it extends, of its members; in the baseline
    any."""
    if profile.get("permit_checks", {}).get("any_jurisdiction"):
        return True
    return permit["jurisdiction"] in [profile["code"], profile.get("extends"), *profile.get("members", ())]


def capability_missing(case: Dict, profile: Dict) -> str | None:
    """Model, check 7: only when the origin is in the jurisdiction; 0015: or may be."""
    origin = origin_of(case["facts"])
    needed = profile["services"][service_class(case["facts"])].get("requires_capabilities", ())
    if not origin or (origin.get("country") not in UNKNOWN and not within(profile, origin["country"])):
        return None
    if "emergency_route" in needed and not {origin.get("country"), profile["code"]} & set(case["routes"]):
        return "DENY_MANDATORY_CAPABILITY_MISSING"
    if (
        "registered_location" in needed
        and origin["kind"] == "app"
        and not case["facts"].get("registered_location")
    ):
        return "DENY_REGISTERED_LOCATION_MISSING"
    return None


def identity_missing(case: Dict, profile: Dict) -> str | None:
    """Model, check 8; 0015: an unknown identity counts as not verified."""
    if profile.get("identity_required") and not case["facts"]["identity_verified"]:
        return "DENY_IDENTITY_NOT_VERIFIED"
    return None


def number_shown(case: Dict, profile: Dict) -> str | None:
    """Model, check 9."""
    shown = case["facts"].get("presented_cli")
    if shown is None or not has_telephone(case["facts"]):
        return None
    right = shown.get("right_to_use", "none")
    rule = profile.get("cli_rule")
    if rule == "must_be_verified" and right != "verified":
        return "DENY_CLI_NOT_VERIFIED"
    if rule in ("valid", "valid_and_not_domestic_from_abroad") and right == "none":
        return "DENY_CLI_NOT_VERIFIED"
    if rule != "valid_and_not_domestic_from_abroad" or shown.get("domestic_customer_evidence"):
        return None
    if within(profile, shown.get("country")) and not within(profile, origin_of(case["facts"]).get("country")):
        return "DENY_CLI_DOMESTIC_FROM_ABROAD"
    return None


def per_call_duties(case: Dict, profile: Dict) -> list[str]:
    """Model, "Duties and outcome"; 0010 for recordings."""
    facts = case["facts"]
    rule = profile["services"][service_class(facts)]
    duties = list(rule.get("per_call", ()))
    if international(facts, profile):
        duties += rule.get("international_per_call", ())
    shown = facts.get("presented_cli") or {"right_to_use": "verified"}
    grade = {"verified": "A", "customer_known": "B", "none": "C"}[shown.get("right_to_use", "none")]
    duties = [f"CLI_ATTEST_{grade}" if duty == "CLI_ATTEST" else duty for duty in duties]
    recording = facts.get("recording") or {}
    if recording.get("requested"):
        duties.append("RECORDING_NOTICE")
        if all_have_to_agree(facts, profile) and not recording.get("all_parties_consented"):
            duties.append("RECORDING_BLOCKED_UNTIL_ALL_CONSENT")
    return once(duties)


def all_have_to_agree(facts: Dict, profile: Dict) -> bool:
    """0010: any rule that begins with `all_party`; `by_state` if any party's subdivision is listed."""
    rule = profile.get("recording", {})
    consent = rule.get("consent", "")
    listed = rule.get("all_party_subdivisions", ())
    by_state = consent == "by_state" and any(leg.get("subdivision") in listed for leg in parties(facts))
    return consent.startswith("all_party") or by_state


def allowed(case: Dict, profile: Dict, reason: str, found: Dict, per_call: list[str]) -> Dict:
    """Model, "Duties and outcome": standing duties are the profile's, then those of permits, then
    UNCERTAIN_LAW; an allow with a duty per call is `allow_with_obligations`."""
    standing = [*profile.get("standing", ()), *found["standing"]]
    if found["uncertain"]:
        standing.append("UNCERTAIN_LAW")
    return {
        "decision": "allow_with_obligations" if per_call else "allow",
        "reason": reason,
        "uncertain": found["uncertain"],
        "service_class": service_class(case["facts"]),
        "jurisdiction": profile["code"],
        "permit_needed": None,
        "permits": found["permits"],
        "per_call": per_call,
        "standing": once(standing),
    }


def refused(
    case: Dict, code: str | None, reason: str, *, uncertain: bool = False, needed: str | None = None
) -> Dict:
    """Model, "Duties and outcome": a deny has no duty but EMERGENCY_GUIDE_USER."""
    return {
        "decision": "deny",
        "reason": reason,
        "uncertain": uncertain,
        "service_class": service_class(case["facts"]),
        "jurisdiction": code,
        "permit_needed": needed,
        "permits": [],
        "per_call": [],
        "standing": [],
    }


def refused_for_permits(case: Dict, code: str, profiles: Dict, reading: str, found: Dict) -> Dict:
    """0017: a deny for permits is uncertain too if the permissive reading allows the whole call; what is
    prohibited never is."""
    uncertain = found["uncertain"]
    if found["reason"] != "DENY_SERVICE_PROHIBITED" and reading == "conservative" and not uncertain:
        uncertain = alone(case, code, profiles, "permissive")["decision"] != "deny"
    return refused(case, code, found["reason"], uncertain=uncertain, needed=found["needed"])


def alternative(told: Dict, scope: str, profiles: Dict) -> str | None:
    """0011: what the same two people could do by app, if the whole decision allows that now."""
    case = with_defaults(told)
    facts = case["facts"]
    if len(parties(facts)) != 2 or asks_for_help(facts):
        return None
    if facts.get("number_fault") or in_fraud_range(case):
        return None
    for name, medium in in_place_of(facts):
        legs = [{**leg, "kind": "app", "number_type": None} for leg in parties(facts)]
        by_app = {**told["facts"], "legs": legs, "media": [medium], "presented_cli": None}
        if decide({**told, "facts": by_app}, scope, profiles)["decision"] != "deny":
            return name
    return None


def in_place_of(facts: Dict) -> list[tuple[str, str]]:
    """0011: with a telephone the same by app; between two apps less than was asked for, nearest first."""
    media = list(facts["media"])
    if has_telephone(facts):
        return [("app_text", "text")] if "sms" in media or media == ["text"] else [("app_call", "audio")]
    if {leg["kind"] for leg in parties(facts)} != {"app"}:
        return []
    if media == ["text"] or "sms" in media or "voicemail" in media:
        return []
    return [*([("app_audio", "audio")] if "video" in media else []), ("app_text", "text")]
