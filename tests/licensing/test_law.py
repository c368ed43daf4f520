"""The law of one installation: which profiles may judge, and whether they are still fresh."""

from datetime import UTC, datetime

import pytest

from licensing.case import Operator, Policy
from licensing.instant import SECOND, Instant
from licensing.jurisdiction import load_profiles
from licensing.law import Law

PROFILES = load_profiles()


def at(text: str) -> Instant:
    return Instant(round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND, 0)


@pytest.mark.parametrize(
    ("profiles", "judges"), [(("baseline",), {"baseline"}), (("CN",), set(PROFILES.by_code))]
)
def test_profiles_that_may_judge_are_named_when_their_review_is_past(
    profiles: tuple[str, ...], judges: set[str]
) -> None:
    law = Law(PROFILES, Operator(), Policy(profiles=profiles))
    assert law.past_review(at("2026-11-24T00:00:00")) == ()
    assert set(law.past_review(at("2028-01-01T00:00:00"))) == judges


def test_the_day_of_the_review_is_a_day_of_the_regulator_s() -> None:
    law = Law(PROFILES, Operator(), Policy(profiles=()))
    assert str(PROFILES.by_code["CN"].review_due) == "2027-05-22"
    assert "CN" not in law.past_review(at("2027-05-22T15:59:59"))
    assert "CN" in law.past_review(at("2027-05-22T16:00:00"))
    assert "US" not in law.past_review(at("2027-05-22T16:00:00"))
