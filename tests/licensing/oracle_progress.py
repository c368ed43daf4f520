"""The oracle's half about calls in progress and about numbers, as the case files tell them.

Naive and from the documents alone, like `tests/licensing/oracle.py`, which says how they are cited.
"""

import json
from typing import Any

import phonenumbers

from tests.licensing.oracle import decide
from tests.licensing.oracle_facts import ROOT, service_class

Dict = dict[str, Any]

# Model, "Calls in progress": what the event does to new calls, where the case does not have to be decided.
NEW_CALLS = {
    "permit_suspended": "deny:DENY_PERMIT_SUSPENDED",
    "permit_revoked": "deny:DENY_PERMIT_REVOKED",
    "permit_expired": "deny:DENY_PERMIT_EXPIRED",
    "permit_reinstated": "allow",
    "toggled_off": "deny:DENY_SERVICE_DISABLED",
    "add_leg": "unchanged",
    "remove_leg": "unchanged",
    "recording_requested": "unchanged",
}

# 0003: the defaults; `on_loss` of a case states others outright.
LOSSES = {
    "suspended": ("terminate_after_notice", 60),
    "revoked": ("terminate_after_notice", 30),
    "expired": ("let_finish", 900),
    "toggled_off": ("terminate_after_notice", 60),
    "profile_changed": ("re_evaluate", 60),
}

LEGS_OF = {
    "app_voice": ("app", "app"),
    "app_video": ("app", "app"),
    "text_app": ("app", "app"),
    "pstn_out": ("app", "pstn"),
    "pstn_in": ("pstn", "app"),
    "pstn_bridge": ("pstn", "pstn"),
    "conf_app": ("app", "app", "app"),
    "conf_pstn": ("app", "pstn", "pstn"),
    "sms_out": ("app", "pstn"),
    "sms_in": ("pstn", "app"),
    "store_forward": ("app", "app"),
    "call_centre": ("app", "pstn"),
}

MEDIA_OF = {
    "app_video": ["audio", "video"],
    "text_app": ["text"],
    "sms_out": ["sms"],
    "sms_in": ["sms"],
    "store_forward": ["voicemail"],
}


def progress(told: Dict, profiles: Dict) -> Dict:
    """What an event does to a running call and to new ones."""
    kind = told["event"]["type"]
    stated = told.get("policy", {}).get("on_loss", {})
    losses = {**LOSSES, **{name: (loss["this_call"], loss["max_seconds"]) for name, loss in stated.items()}}
    new = NEW_CALLS.get(kind)
    if kind.startswith("permit_") or kind == "toggled_off":
        first = "toggle_event" if kind == "toggled_off" else "permit_event"
        if kind == "permit_reinstated":  # of a call for help too: nothing was about to end it
            return goes_on(new, [first, "termination_cancelled"])
        if told["call"].get("emergency"):
            return goes_on(new, [first, "emergency_call_kept"])
        fate, seconds = losses[kind.removeprefix("permit_")]
        return ends(new, fate, seconds, first)
    after = decision_after(told, profiles)
    reason = after["reason"] if after["decision"] == "deny" else None
    if kind == "profile_changed":
        new = f"deny:{reason}" if reason else "allow"
    blocked = "RECORDING_BLOCKED_UNTIL_ALL_CONSENT" in after["per_call"]
    if reason is None and not (kind == "recording_requested" and blocked):
        return goes_on(new, ["re_evaluated"])
    if told["call"].get("emergency") and kind in ("profile_changed", "remove_leg"):
        return goes_on(new, ["re_evaluated", "emergency_call_kept"])
    if kind == "add_leg":
        return goes_on(new, ["re_evaluated", "change_rejected"], "reject_change_keep_call", reason)
    if kind == "recording_requested":
        return goes_on(new, ["re_evaluated", "recording_refused"], "stop_recording_keep_call", reason)
    fate, seconds = losses["suspended" if kind == "remove_leg" else "profile_changed"]
    return ends(
        new, "terminate_after_notice" if fate == "re_evaluate" else fate, seconds, "re_evaluated", reason
    )


def goes_on(new: str | None, audit: list[str], fate: str = "continue", reason: str | None = None) -> Dict:
    return {"new_calls": new, "this_call": fate, "max_seconds": None, "audit": audit, "reason": reason}


def ends(new: str | None, fate: str, seconds: int, first: str, reason: str | None = None) -> Dict:
    """Model, "Calls in progress": no entry for a call that may finish."""
    audit = [first] if fate == "let_finish" else [first, "call_terminated"]
    return {"new_calls": new, "this_call": fate, "max_seconds": seconds, "audit": audit, "reason": reason}


def decision_after(told: Dict, profiles: Dict) -> Dict:
    """0008: all is in order but the permits; all legs are in the call's jurisdiction but the one that is
    added."""
    call, event = told["call"], told["event"]
    home = call["jurisdiction"]
    service = call["service_class"]
    kinds = event["remaining"] if event["type"] == "remove_leg" else LEGS_OF[service]
    legs = [
        {
            "role": "origin" if place == 0 else "destination",
            "kind": kind,
            "country": home,
            "number_type": "geographic",
        }
        for place, kind in enumerate(kinds)
    ]
    if event["type"] == "add_leg":
        legs.append({"number_type": "geographic", **event["leg"], "role": "participant"})
    facts = {
        "legs": legs,
        "media": MEDIA_OF.get(service, ["audio"]),
        "purpose": "third_party_call_centre" if service == "call_centre" else None,
        "registered_location": True,
    }
    if event["type"] == "recording_requested":
        agreed = event.get("all_parties_consented", False)
        facts["recording"] = {"requested": True, "all_parties_consented": agreed}
    assert event.get("new_service_class") in (None, service_class(facts))
    permit = {
        "id": "held",
        "jurisdiction": home,
        "categories": held(call, profiles),
        "holder": "the operator",
        "valid_from": "1970-01-01",
        "verified": True,
    }
    case = {
        "facts": facts,
        "permits": [permit] if permit["categories"] else [],
        "operator": {
            "legal_entity": "the operator",
            "home": [home],
            "capabilities": {"emergency_route": [home]},
        },
        "now": "1970-01-01T00:00:00+00:00",
    }
    return decide(case, home, profiles)


def held(call: Dict, profiles: Dict) -> list[str]:
    """0008: what the case names; else those of tier `value-added` in the class's domestic requirement."""
    if call.get("permits") is not None:
        named: list[str] = call["permits"]
        return named
    profile = profiles[call["jurisdiction"]]
    rule = profile["services"].get(call["service_class"], {}).get("domestic", {})
    wanted = [category for categories in rule.get("any_of", ()) for category in categories]
    tiers = {code: told.get("tier") for code, told in profile["categories"].items()}
    return [category for category in wanted if tiers.get(category.partition("#")[0]) == "value-added"]


NUMBERS: Dict = json.loads((ROOT / "licensing" / "numbers.json").read_text(encoding="utf-8"))

# By code, not by the library's type.
BY_CODE = {
    870: "satellite",
    881: "satellite",
    882: "international_network",
    883: "international_network",
    979: "international_premium",
}
BY_TYPE = {
    phonenumbers.PhoneNumberType.FIXED_LINE: "geographic",
    phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE: "geographic",
    phonenumbers.PhoneNumberType.MOBILE: "mobile",
    phonenumbers.PhoneNumberType.TOLL_FREE: "toll_free",
    phonenumbers.PhoneNumberType.PREMIUM_RATE: "premium",
    phonenumbers.PhoneNumberType.SHARED_COST: "shared",
    phonenumbers.PhoneNumberType.VOIP: "voip",
    phonenumbers.PhoneNumberType.PERSONAL_NUMBER: "personal",
    phonenumbers.PhoneNumberType.PAGER: "pager",
    phonenumbers.PhoneNumberType.UAN: "corporate",
}


def number(dialled: str, caller_country: str | None) -> tuple[str | None, str]:
    """Country and kind of what was dialled. Emergency numbers are the data's, not the library's;
    0016: the caller's own, also behind the own country code or exit code, and what a second reading changes
    is refused."""
    digits = "".join(
        str(int(sign)) if sign.isdigit() else sign for sign in dialled if sign.isdigit() or sign == "+"
    )
    own = NUMBERS["emergency"]["numbers"].get(caller_country, NUMBERS["emergency"]["elsewhere"])
    if caller_country:
        code = phonenumbers.country_code_for_region(caller_country)
        if any(
            digits in (help_number, f"+{code}{help_number}", f"00{code}{help_number}") for help_number in own
        ):
            return caller_country, "emergency"
    try:
        found = phonenumbers.parse(digits, caller_country)
        canonical = phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)
        again = phonenumbers.format_number(phonenumbers.parse(canonical), phonenumbers.PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException:
        return caller_country, "short_code"
    if again != canonical:
        return None, "refused"
    if found.country_code in BY_CODE:
        return "001", BY_CODE[found.country_code]
    country = phonenumbers.region_code_for_number(found)
    if country is None:
        return phonenumbers.region_code_for_country_code(found.country_code or 0), "unallocated"
    return country, BY_TYPE.get(phonenumbers.number_type(found), "unallocated")


def kind_fits(expected: str, kind: str) -> bool:
    """`any` matches every kind, `not_x` every kind but x. `not_cn_400`: a number of China's 400
    range is none of the kinds that the cases tell apart, and a number of another country is never one."""
    return (
        expected == "any" or expected == kind or (expected.startswith("not_") and expected != f"not_{kind}")
    )
