"""The oracle's half about facts: profiles and cases as they are read, parties, classes, and whose law judges.

Naive and from the documents alone, like `tests/licensing/oracle.py`, which says how they are cited.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.licensing.oracle_permits import within

ROOT = Path(__file__).parents[2]
PROFILES = ROOT / "licensing" / "jurisdictions"

Dict = dict[str, Any]

UNKNOWN = (None, "", "??")  # 0015: no country, an empty one or `??`


def profiles_in(*folders: Path) -> Dict:
    """Profiles by code. 0001: one that extends another takes classes, categories and sources one by one, and
    any field that it does not state; but which members a union has is no field of a member."""
    stated = {}
    for folder in folders:
        for file in sorted(folder.glob("*.json")):
            profile = json.loads(file.read_text(encoding="utf-8"))
            if "code" in profile:
                stated[profile["code"]] = profile
    whole = {}
    for code, profile in stated.items():
        parent = {
            key: value for key, value in stated.get(profile.get("extends"), {}).items() if key != "members"
        }
        merged = {**parent, **profile}
        for field in ("services", "categories", "sources"):
            merged[field] = {**parent.get(field, {}), **profile.get(field, {})}
        whole[code] = merged
    return whole


def with_defaults(told: Dict) -> Dict:
    """The input of a case with everything said. 0015: in cases, an identity not spoken of is
    verified and equipment not spoken of is none; the policy's defaults are those of the case files
    (`default_policy`)."""
    facts = {"media": ["audio"], "identity_verified": True, "equipment_in": [], **told["facts"]}
    operator = {
        "legal_entity": None,
        "home": [],
        "seat": None,
        "services_enabled": ["*"],
        **told.get("operator", {}),
    }
    policy = {
        "ambiguity": "conservative",
        "require_verified_permits": True,
        "emergency_override": True,
        "block_number_types": ["premium", "international_premium", "unallocated"],
        "profiles": [],
        "destination_only": [],
        **told.get("policy", {}),
    }
    return {
        "facts": facts,
        "operator": operator,
        "policy": policy,
        "permits": told.get("permits", []),
        "toggles": told.get("toggles", []),
        "now": datetime.fromisoformat(told["now"]),
        "routes": operator.get("capabilities", {}).get("emergency_route", []),
    }


def parties(facts: Dict) -> list[Dict]:
    """Model, "Service class": legs of kind `app`, `pstn`, `private`; a leg of kind `media` is none."""
    return [leg for leg in facts["legs"] if leg["kind"] in ("app", "pstn", "private")]


def origin_of(facts: Dict) -> Dict:
    return next((leg for leg in facts["legs"] if leg["role"] == "origin"), {})


def called(facts: Dict) -> list[Dict]:
    """Every leg but the origin."""
    return [leg for leg in facts["legs"] if leg["role"] != "origin"]


def has_telephone(facts: Dict) -> bool:
    return any(leg["kind"] == "pstn" for leg in facts["legs"])


def service_class(facts: Dict) -> str:
    """Model, "Service class": the first line that fits."""
    kinds = [leg["kind"] for leg in parties(facts)]
    phones = kinds.count("pstn")
    media = facts["media"]
    # 0019: of several origins each keeps that role, and a phone with that role is one that called in.
    phone_calls = any(leg["kind"] == "pstn" and leg["role"] == "origin" for leg in facts["legs"])
    if facts.get("purpose") == "third_party_call_centre" and len(kinds) == 2 and phones == 1:
        return "call_centre"
    if "sms" in media:
        return "sms_in" if phone_calls else "sms_out"
    if list(media) == ["text"]:
        return "text_app"
    if "voicemail" in media:
        return "store_forward"
    if len(kinds) >= 3:
        return "conf_pstn" if phones else "conf_app"
    if phones == 2:
        return "pstn_bridge"
    if phones == 1:
        return "pstn_in" if phone_calls else "pstn_out"
    return "app_video" if "video" in media else "app_voice"


def asks_for_help(facts: Dict) -> bool:
    """Model, check 2; 0004: a called leg of type `emergency`, and never the origin."""
    return any(leg.get("number_type") == "emergency" for leg in called(facts))


def help_country(case: Dict) -> str | None:
    """0004: the origin's country; where that is unknown, the first home country that has a route."""
    country: str | None = origin_of(case["facts"]).get("country")
    if country not in UNKNOWN:
        return country
    return next((home for home in case["operator"]["home"] if home in case["routes"]), None)


def facts_missing(case: Dict, profile: Dict) -> bool:
    """Model, check 1; 0015 for which countries a profile asks; 0004 for a call for help: one that has a
    country to be made from, its own or a home with a route, is asked only whether the number could be
    placed."""
    facts = case["facts"]
    if facts.get("number_fault"):
        return True
    if asks_for_help(facts) and help_country(case) is not None:
        return False
    asked = profile.get("country_needed", ["app", "pstn", "private"])
    if any(leg.get("country") in UNKNOWN for leg in parties(facts) if leg["kind"] in asked):
        return True
    return any(leg["kind"] == "pstn" and leg.get("number_type") is None for leg in called(facts))


def international(facts: Dict, profile: Dict) -> bool:
    """Model, "Service class": domestic when every party is in the jurisdiction."""
    return not all(within(profile, leg.get("country")) for leg in parties(facts))


def governing(case: Dict, profiles: Dict) -> list[str]:
    """Model, "Whose law": baseline alone where it is named; else what is named (0026), homes in order, then
    each party's country in leg order, each once. 0015: a country without a profile stands for itself, unless
    `destination_only` names it and it is no home; an unknown country stands for nothing."""
    if "baseline" in case["policy"]["profiles"]:
        return ["baseline"]
    homes = case["operator"]["home"]
    found: list[str] = []
    named = case["policy"]["profiles"]
    for country in [*named, *homes, *(leg.get("country") for leg in parties(case["facts"]))]:
        if country in UNKNOWN:
            continue
        code = judge_of(country, profiles)
        if code is None:
            if country in case["policy"]["destination_only"] and country not in homes:
                continue
            code = country
        if code not in found:
            found.append(code)
    return found


def judge_of(country: str, profiles: Dict) -> str | None:
    """Model, "Whose law": a member is judged by its own profile, or by the union's where it has none."""
    if country in profiles:
        return country
    unions = [code for code, profile in profiles.items() if country in profile.get("members", ())]
    return unions[0] if unions else None
