"""Random rows for the comparison of engine and oracle: a call in good order, with a few things changed."""

import copy
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from tests.licensing.oracle_rows import (
    DATES,
    DIRECTIONS,
    MOMENTS,
    OPERATOR,
    SHAPES,
    STATUS,
    Row,
    abroad_of,
    call,
    categories_of,
    input_of,
    other_part,
    parent,
    permit_for,
    place,
)

Dict = dict[str, Any]

COUNTRIES = (None, "", "??", "XX", "001", "KE", "CN", "US", "GB", "DE", "FR", "HK", "AE", "IN", "QZ", "TW")
TYPES = (
    None,
    "mobile",
    "geographic",
    "premium",
    "international_premium",
    "unallocated",
    "emergency",
    "short_code",
)


def break_country(dice: Random, told: Dict, _: Dict) -> None:
    leg = dice.choice(told["facts"]["legs"])
    leg["country"] = dice.choice(COUNTRIES)
    leg["subdivision"] = dice.choice([None, place(leg["country"] or "CN", 0)])


def break_subdivision(dice: Random, told: Dict, _: Dict) -> None:
    leg = dice.choice(told["facts"]["legs"])
    country = leg["country"] or "CN"
    leg["subdivision"] = dice.choice([None, f"{country}-HN", place(country, dice.randrange(2))])


def break_number(dice: Random, told: Dict, _: Dict) -> None:
    phones = [leg for leg in told["facts"]["legs"] if leg["kind"] == "pstn"]
    if phones:
        dice.choice(phones)["number_type"] = dice.choice(TYPES)


def call_for_help(dice: Random, told: Dict, _: Dict) -> None:
    phones = [leg for leg in told["facts"]["legs"][1:] if leg["kind"] == "pstn"]
    if phones:
        dice.choice(phones)["number_type"] = "emergency"
    told["policy"]["emergency_override"] = dice.random() < 0.6


def break_kind(dice: Random, told: Dict, _: Dict) -> None:
    leg = dice.choice(told["facts"]["legs"])
    leg["kind"] = dice.choice(["app", "private", "pstn"])
    leg["number_type"] = "geographic" if leg["kind"] == "pstn" else None


def add_leg(dice: Random, told: Dict, _: Dict) -> None:
    kind = dice.choice(["app", "pstn", "private", "media", "media"])
    country = dice.choice(["CN", "US", "DE", None, "KE"])
    leg = {"role": "participant", "kind": kind, "country": country}
    told["facts"]["legs"].append({**leg, "number_type": "mobile"} if kind == "pstn" else leg)


def break_media(dice: Random, told: Dict, _: Dict) -> None:
    media = dice.choice(
        [["audio"], ["audio", "video"], ["text"], ["audio", "text"], ["sms"], ["voicemail"], ["video"]]
    )
    told["facts"]["media"] = media
    told["facts"]["purpose"] = dice.choice([None, "third_party_call_centre"])


def show_number(dice: Random, told: Dict, _: Dict) -> None:
    legs = told["facts"]["legs"]
    told["facts"]["presented_cli"] = {
        "country": dice.choice([dice.choice(legs)["country"], dice.choice(COUNTRIES)]),
        "right_to_use": dice.choice(["verified", "customer_known", "none"]),
        "domestic_customer_evidence": dice.random() < 0.3,
    }


def change_person(dice: Random, told: Dict, _: Dict) -> None:
    told["facts"]["identity_verified"] = dice.choice([True, False, None])
    told["facts"]["registered_location"] = dice.choice([True, False, None])
    if dice.random() < 0.3:
        del told["facts"]["identity_verified"]


def record(dice: Random, told: Dict, _: Dict) -> None:
    asked, agreed = dice.random() < 0.8, dice.random() < 0.5
    told["facts"]["recording"] = {"requested": asked, "all_parties_consented": agreed}


def change_offer(dice: Random, told: Dict, _: Dict) -> None:
    audience = dice.choice(["public", "closed_group", "own_organisation", "own_organisation"])
    told["facts"]["service_offer"] = {"audience": audience, "charged": dice.random() < 0.5}


def move_equipment(dice: Random, told: Dict, _: Dict) -> None:
    told["facts"]["equipment_in"] = dice.choice([None, [], ["HK"], ["SG"], ["DE", "HK"]])


def fault_of_number(dice: Random, told: Dict, _: Dict) -> None:
    told["facts"]["number_fault"] = dice.choice([None, None, "unplaced"])


def break_permit(dice: Random, told: Dict, _: Dict) -> None:
    if not told["permits"]:
        return
    permit = dice.choice(told["permits"])
    match dice.randrange(7):
        case 0:
            permit.update(copy.deepcopy(dice.choice(list(DATES.values()))))
        case 1:
            permit["status_events"] = copy.deepcopy(dice.choice(list(STATUS.values())))
        case 2:
            permit["regions"] = dice.choice(
                [["*"], ["CN-BJ"], ["CN-BJ", "CN-SH"], ["CN-HN"], ["DE"], ["US-NY"]]
            )
        case 3:
            permit.update(basis="carrier_contract", holder=dice.choice([None, "A Carrier"]))
        case 4:
            permit["holder"] = dice.choice([None, "Another Company Ltd", OPERATOR])
        case 5:
            permit["verified"] = False
        case _:
            applied = dice.choice(["2026-08-24", "2026-08-25", "2026-10-23", "2026-10-24", "2025-01-01"])
            decision = dice.choice([None, None, "refused", "granted"])
            permit.update(
                valid_from="2024-03-01",
                valid_until=dice.choice(["2026-11-22", "2027-02-21", "2027-02-20", None]),
            )
            permit["renewal"] = dice.choice([None, {"applied_on": applied, "decision": decision}])


def more_permits(dice: Random, told: Dict, profile: Dict) -> None:
    known = list(profile["categories"])
    codes = [dice.choice(known) for _ in range(dice.randrange(1, 3))]
    codes = [dice.choice([code, parent(code), other_part(code, profile)]) for code in codes]
    if profile["code"] in ("CN", "baseline"):
        codes.append(dice.choice(["CN:B25#internet", "CN:B25#non_internet", "CN:B25", "CN:A12-4", "CN:A15"]))
        codes = [code for code in codes if code.startswith(codes[-1][:3])]
    permit = permit_for(profile["code"], codes, id=f"more-{dice.randrange(3)}", version=dice.randrange(1, 3))
    told["permits"] = [other for other in told["permits"] if other["id"] != permit["id"]]
    told["permits"].insert(dice.randrange(len(told["permits"]) + 1), permit)
    break_permit(dice, told, profile)


def fewer_permits(dice: Random, told: Dict, _: Dict) -> None:
    told["permits"] = told["permits"][1:]


def change_operator(dice: Random, told: Dict, _: Dict) -> None:
    operator = told["operator"]
    operator["legal_entity"] = dice.choice([OPERATOR, OPERATOR, None, "Another Company Ltd"])
    operator["home"] = dice.choice(
        [[], ["CN"], ["US", "CN"], ["EU"], ["DE"], ["KE"], ["GB", "FR"], operator["home"]]
    )
    operator["seat"] = dice.choice([None, "CN-BJ", "CN-HN"])


def change_routes(dice: Random, told: Dict, _: Dict) -> None:
    routes = dice.choice([[], ["CN"], ["US"], ["EU"], ["DE"], ["GB", "CN"]])
    told["operator"]["capabilities"] = {"emergency_route": routes}


def change_policy(dice: Random, told: Dict, _: Dict) -> None:
    policy = told["policy"]
    policy["ambiguity"] = dice.choice(["conservative", "permissive"])
    policy["require_verified_permits"] = dice.random() < 0.5
    policy["emergency_override"] = dice.random() < 0.5
    policy["block_number_types"] = dice.choice(
        [[], ["mobile"], ["premium", "emergency"], ["premium", "unallocated"]]
    )
    policy["destination_only"] = dice.choice([[], ["KE", "XX"], ["001", "KE"], ["CN", "US"]])


def read_permissively(_dice: Random, told: Dict, _: Dict) -> None:
    told["policy"]["ambiguity"] = "permissive"


def ask_baseline(dice: Random, told: Dict, _: Dict) -> None:
    told["policy"]["profiles"] = dice.choice(
        [["baseline"], ["CN", "baseline"], [], ["CN"], ["US", "DE"], ["EU"]]
    )


def switch_off(dice: Random, told: Dict, _: Dict) -> None:
    services = [dice.choice(list(SHAPES)) for _ in range(3)]
    told["operator"]["services_enabled"] = dice.choice([["*"], services, [], [*services, "*"]])


def toggle(dice: Random, told: Dict, _: Dict) -> None:
    told.setdefault("toggles", []).append(
        {
            "key": "t",
            "enabled": dice.random() < 0.2,
            "services": dice.choice([[], [dice.choice(list(SHAPES))], ["pstn_out", "app_voice"]]),
            "jurisdictions": dice.choice([[], ["CN"], ["US", "EU"], ["KE"], ["DE"]]),
            "regions": dice.choice([[], [], ["CN-BJ"], ["US-NY", "CN-HN"], ["KE-A"]]),
        }
    )


def another_time(dice: Random, told: Dict, _: Dict) -> None:
    told["now"] = dice.choice([*MOMENTS, "2024-02-29T15:59:59Z", "2026-11-24T00:00:00Z"])


CHANGES: list[Callable[[Random, Dict, Dict], None]] = [
    break_country,
    break_country,
    break_subdivision,
    break_number,
    call_for_help,
    call_for_help,
    break_kind,
    add_leg,
    break_media,
    show_number,
    show_number,
    change_person,
    record,
    change_offer,
    move_equipment,
    fault_of_number,
    break_permit,
    break_permit,
    break_permit,
    more_permits,
    more_permits,
    fewer_permits,
    change_operator,
    change_routes,
    change_policy,
    read_permissively,
    ask_baseline,
    switch_off,
    toggle,
    another_time,
]


def random_rows(dice: Random, profiles: Dict, count: int) -> Iterator[Row]:
    """Calls in good order of which up to five things are changed."""
    for _ in range(count):
        code = dice.choice(["CN", "CN", "CN", "US", "GB", "EU", *profiles])
        profile = profiles[code]
        service, direction = dice.choice(list(SHAPES)), dice.choice(DIRECTIONS)
        facts = call(code, service, direction)
        wanted = categories_of(profile, service, direction, "as needed")
        told = copy.deepcopy(input_of(code, facts, [permit_for(code, wanted)], "conservative"))
        if dice.random() < 0.4:
            told["permits"].append(permit_for(abroad_of(code), ["US:499", "US:RMD"], id="us"))
        if code == "baseline":
            told["policy"]["profiles"] = ["baseline"]
        for change in dice.sample(CHANGES, dice.randrange(6)):
            change(dice, told, profile)
        yield dice.choice([code, "all_governing", "all_governing"]), told
