"""Where the facts of a leg come from, and that the plans of home countries are read before anybody calls."""

import sys

import pytest

from licensing.case import Case, Policy
from licensing.decision import decide
from licensing.facts import (
    ABROAD,
    CallFacts,
    LegKind,
    Role,
    Source,
    app_leg,
    calling_leg,
    facts_from_json,
    facts_to_json,
    sure,
)
from licensing.instant import Instant
from licensing.jurisdiction import load_profiles
from licensing.numbering import Number, canonicalise, read_plans
from licensing.places import country_fault, part_fault

NOW = Instant(1_800_000_000 * 10**9, 0)


def test_a_telephone_that_shows_no_number_calls_from_abroad_and_from_an_unknown_country() -> None:
    withheld = calling_leg(None)
    assert (withheld.kind, withheld.role, withheld.country) == (LegKind.PSTN, Role.ORIGIN, ABROAD)
    assert withheld.located_by is Source.TRUNK
    shown = canonicalise("+8613912345678")
    assert isinstance(shown, Number)
    assert (calling_leg(shown).country, calling_leg(shown).located_by) == ("CN", Source.NUMBER)


@pytest.mark.parametrize(("destination_only", "reason"), [((), "DENY_JURISDICTION_UNKNOWN"), (("XX",), None)])
def test_a_withheld_caller_is_refused_by_real_law_unless_it_may_be_taken(
    destination_only: tuple[str, ...], reason: str | None
) -> None:
    facts = CallFacts(
        legs=(calling_leg(None), app_leg(Role.DESTINATION, "US", Source.ACCOUNT, "US-CA")),
    )
    policy = Policy(profiles=(), destination_only=destination_only)
    decision = decide(Case(facts, load_profiles(), policy=policy), NOW)
    assert (decision.reason == "DENY_JURISDICTION_UNKNOWN") == (reason is not None)


def test_a_leg_of_an_account_keeps_its_part_of_the_country_and_who_said_so() -> None:
    facts = CallFacts(legs=(app_leg(Role.ORIGIN, "US", Source.DECLARED, "US-CA"), app_leg(Role.DESTINATION)))
    assert facts_to_json(facts)["legs"] == [
        {
            "role": "origin",
            "kind": "app",
            "country": "US",
            "subdivision": "US-CA",
            "located_by": "declared",
        },
        {"role": "destination", "kind": "app"},
    ]
    assert facts_from_json(facts_to_json(facts)) == facts


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [(True, True, True), (True, None, None), (None, None, None), (None, False, False), (True, False, False)],
)
def test_a_fact_of_two_is_sure_if_it_is_so_of_both(
    one: bool | None, other: bool | None, both: bool | None
) -> None:
    assert sure(one, other) is both
    assert sure(other, one) is both


@pytest.mark.parametrize("code", ["CN", "US", "AQ", "PN", "XK"])
def test_a_country_of_the_standard_or_with_telephones_is_one(code: str) -> None:
    assert country_fault(code) is None


@pytest.mark.parametrize("code", ["", "cn", "XX", "ZZ", "UK", "CHN", "??", "001"])
def test_what_is_no_country_is_named(code: str) -> None:
    assert repr(code) in str(country_fault(code))


@pytest.mark.parametrize(
    ("code", "is_one"),
    [("CN-BJ", True), ("GB-ENG", True), ("FR-75C", True), ("ZZ-A", False), ("CN", False), ("CN-", False)],
)
def test_a_part_of_a_country_is_spelled_as_the_standard_does(code: str, is_one: bool) -> None:
    assert (part_fault(code) is None) is is_one


def test_plans_are_read_when_asked_for() -> None:
    read_plans(("IS", "AQ"))
    assert "phonenumbers.data.region_IS" in sys.modules
    assert "phonenumbers.shortdata.region_IS" in sys.modules
