"""Law as data: what is shipped can be used, and what cannot be used says where it is wrong."""

import json
from datetime import date, timedelta
from importlib.resources import files
from typing import Any

import pytest

from licensing.classify import ServiceClass
from licensing.jurisdiction import SHIPPED, ProfileError, beside, gather, load_profiles, texts_in

PROFILES = load_profiles()
MEMBERS = PROFILES.by_code["EU"].members


def shipped(code: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        files("licensing").joinpath("jurisdictions", f"{code}.json").read_bytes()
    )
    return document


def test_each_member_of_the_union_has_its_own_profile_and_zone_and_the_law_of_the_union() -> None:
    assert len(MEMBERS) == 27
    for code in MEMBERS:
        profile = PROFILES.by_code[code]
        assert PROFILES.profile_for(code) is profile
        assert profile.services == PROFILES.by_code["EU"].services
        assert profile.takes_permits_of("EU") and not profile.takes_permits_of("CN")
    assert PROFILES.by_code["FI"].regulator_time_zone == "Europe/Helsinki"
    assert PROFILES.by_code["PT"].regulator_time_zone == "Europe/Lisbon"


def test_a_profile_without_a_review_date_is_reviewed_180_days_after_its_own() -> None:
    for profile in PROFILES.by_code.values():
        assert profile.review_due == (profile.review_on or profile.as_of + timedelta(days=180))
    assert PROFILES.by_code["CN"].review_due == date(2027, 5, 22)


def test_every_source_that_a_rule_names_is_in_its_file() -> None:
    for profile in PROFILES.by_code.values():
        for service, rule in profile.services.items():
            assert set(rule.sources) <= set(profile.sources), (profile.code, service)


def test_a_change_of_the_base_is_another_version_of_what_extends_it() -> None:
    base, member = shipped("EU"), shipped("DE")
    before = gather([("EU.json", json.dumps(base).encode()), ("DE.json", json.dumps(member).encode())])
    base["notes"] = "changed"
    after = gather([("EU.json", json.dumps(base).encode()), ("DE.json", json.dumps(member).encode())])
    assert before.versions["DE"] != after.versions["DE"]


def test_a_country_is_added_by_a_file_alone() -> None:
    document = shipped("SG") | {"code": "MY", "regulator_time_zone": "Asia/Kuala_Lumpur"}
    added = gather([("MY.json", json.dumps(document).encode())])
    assert added.profile_for("MY") is added.by_code["MY"]
    assert ServiceClass.APP_VOICE in added.by_code["MY"].services


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"regulator_time_zone": "Mars/Olympus"}, "XX.json: regulator_time_zone: `Mars/Olympus` is no IANA"),
        ({"as_of": "2026-02-30"}, "XX.json: as_of: "),
        ({"toll": 1}, "XX.json: toll: Extra inputs are not permitted (found 1)"),
        ({"extends": "ZZ"}, "XX.json: extends: there is no profile `ZZ` to extend"),
        ({"services": {"fax": {}}}, "XX.json: services.fax"),
        ({"cli_rule": "any"}, "XX.json: cli_rule: "),
        ({"categories": {}}, "XX.json: services.app_voice.domestic: `SG:SBO-CLASS` is not among the"),
        ({"standing": ["SLEEP"]}, "XX.json: standing.0: "),
    ],
)
def test_an_error_names_the_file_and_the_place_in_it(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ProfileError) as fault:
        gather([("XX.json", json.dumps(shipped("SG") | change).encode())])
    assert str(fault.value).startswith(said)


def test_what_is_said_twice_in_a_profile_is_named_with_its_value() -> None:
    text = json.dumps(shipped("SG")).replace('"basis":', '"basis": "settled", "basis":', 1)
    with pytest.raises(ProfileError, match=r"XX\.json: services\.\w+\.basis: is there twice \(found '"):
        gather([("XX.json", text.encode())])


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b'{"code": 1, "code": 2}', b"[" * 100_000])
def test_what_is_no_profile_at_all_is_refused_with_the_file_s_name(data: bytes) -> None:
    with pytest.raises(ProfileError, match=r"^XX\.json: "):
        gather([("XX.json", data)])


def test_every_error_of_every_file_is_told() -> None:
    wrong = {"as_of": "soon", "regulator_time_zone": "Mars/Olympus"}
    with pytest.raises(ProfileError) as fault:
        gather(
            [
                ("A.json", json.dumps(shipped("SG") | wrong).encode()),
                ("B.json", b"{"),
                ("C.json", json.dumps(shipped("SG") | {"extends": "XX"}).encode()),
            ]
        )
    assert [said.split(": ")[:2] for said in sorted(fault.value.faults)] == [
        ["A.json", "as_of"],
        ["A.json", "regulator_time_zone"],
        ["B.json", "Expecting property name enclosed in double quotes"],
        ["C.json", "extends"],
    ]


def test_a_source_that_is_not_among_the_sources_is_refused() -> None:
    document = shipped("SG")
    document["services"]["app_voice"]["sources"] = ["nowhere"]
    with pytest.raises(ProfileError) as fault:
        gather([("SG.json", json.dumps(document).encode())])
    assert fault.value.faults == ("SG.json: services.app_voice.sources: `nowhere` is not among the sources",)


def test_an_own_file_takes_the_place_of_a_shipped_one_of_its_name() -> None:
    changed = json.dumps(shipped("SG") | {"as_of": "2026-11-01"}).encode()
    added = json.dumps(shipped("SG") | {"code": "MY"}).encode()
    profiles = beside(texts_in(SHIPPED), [("SG.json", changed), ("MY.json", added)], date(2026, 11, 25))
    assert {code for code in profiles.versions if profiles.versions[code] != PROFILES.versions.get(code)} == {
        "SG",
        "MY",
    }


def test_an_own_file_is_named_by_its_code_and_not_of_the_future() -> None:
    later = json.dumps(shipped("SG") | {"as_of": "2026-11-26"}).encode()
    other = json.dumps(shipped("SG") | {"code": "MY"}).encode()
    with pytest.raises(ProfileError) as fault:
        beside(texts_in(SHIPPED), [("SG.json", later), ("Malaysia.json", other)], date(2026, 11, 25))
    assert fault.value.faults == (
        "Malaysia.json: code: has to be the file's name",
        "SG.json: as_of: is in the future (found '2026-11-26')",
    )
    swapped = [("SG.json", other), ("MY.json", json.dumps(shipped("SG")).encode())]
    with pytest.raises(ProfileError, match=r"MY\.json: code: has to be the file's name"):
        beside(texts_in(SHIPPED), swapped, date(2026, 11, 25))


def test_two_files_may_not_be_about_one_jurisdiction() -> None:
    data = json.dumps(shipped("SG")).encode()
    with pytest.raises(ProfileError, match=r"^B\.json: code: `SG`"):
        gather([("A.json", data), ("B.json", data)])
