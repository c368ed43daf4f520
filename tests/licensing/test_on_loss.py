"""How long a running call keeps that is no longer permitted: the least of what law and operator leave it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from licensing.case import Operator, Policy
from licensing.facts import CallFacts, Role, app_leg
from licensing.instant import Instant
from licensing.jurisdiction import OnLoss, load_profiles
from licensing.law import MOST_LEFT, Law
from licensing.permit import Permit
from licensing.reasons import Reason
from licensing.snapshot import Snapshot

LEFT = {
    Reason.DENY_PERMIT_SUSPENDED: 60,
    Reason.DENY_PERMIT_REVOKED: 30,
    Reason.DENY_PERMIT_EXPIRED: 900,
    Reason.DENY_SERVICE_DISABLED: 60,
    Reason.DENY_REGION_NOT_COVERED: 60,
    Reason.DENY_TELEPHONE_SWITCHED_OFF: 0,
}


def seconds(reason: Reason, on_loss: OnLoss = MOST_LEFT) -> int:
    law = Law(load_profiles(), Operator(), Policy(profiles=()), on_loss)
    facts = CallFacts((app_leg(Role.ORIGIN, "CN"), app_leg(Role.DESTINATION, "CN")))
    refused = law.decide(facts, Snapshot(0, {}), Instant(0, 0))
    assert not refused.allows
    return law.seconds_left(replace(refused, reason=reason), (), (), Instant(0, 0))


@pytest.mark.parametrize("reason", LEFT)
def test_the_model_says_how_long_unless_somebody_says_less(reason: Reason) -> None:
    assert seconds(reason) == LEFT[reason]


@pytest.mark.parametrize("reason", LEFT)
def test_an_operator_may_end_it_at_once(reason: Reason) -> None:
    at_once = OnLoss(suspended=0, revoked=0, expired=0, toggled_off=0)
    assert seconds(reason, at_once) == 0


def test_each_loss_has_a_setting_of_its_own() -> None:
    on_loss = OnLoss(suspended=5, revoked=4, expired=3, toggled_off=2)
    kept = [seconds(reason, on_loss) for reason in LEFT]
    assert kept == [5, 4, 3, 2, 5, 0]


NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
NOW = Instant(int(NOON.timestamp()) * 10**9, 0)
SUSPENDED = [{"status": "suspended", "from": "2026-06-01T00:00:00+08:00"}]
REVOKED = [{"status": "revoked", "from": "2026-06-01T00:00:00+08:00"}]


def permit(id: str, until: str = "2099-12-31", events: Any = (), **more: Any) -> Permit:
    document = {
        "jurisdiction": "CN",
        "categories": ["CN:B25"],
        "holder": "Example",
        "valid_from": "2020-01-01",
    }
    dates = {"valid_until": until, "status_events": events}
    return Permit.model_validate({"id": id} | document | dates | more)


@pytest.mark.parametrize(
    ("held", "others", "kept"),
    [
        ([permit("a", events=REVOKED)], [permit("old", "2021-12-31")], 30),
        ([permit("a", events=SUSPENDED)], [permit("old", "2021-12-31")], 60),
        ([permit("a", "2026-05-31")], [permit("old", events=SUSPENDED)], 900),
        ([permit("a", "2026-05-31"), permit("b", events=REVOKED)], [], 30),
        ([permit("a", "2026-05-31", SUSPENDED)], [], 60),
        ([permit("a", regions=["CN-BJ"], version=2)], [permit("old", "2021-12-31")], 60),
        ([], [permit("old", "2021-12-31")], 900),
    ],
)
def test_it_is_the_permit_that_was_lost_that_counts_and_not_the_one_that_gets_furthest(
    held: list[Permit], others: list[Permit], kept: int
) -> None:
    policy = Policy(profiles=(), require_verified_permits=False)
    law = Law(load_profiles(), Operator(legal_entity="Example"), policy)
    facts = CallFacts((app_leg(Role.ORIGIN, "CN"), app_leg(Role.DESTINATION, "CN")))
    permits = (*held, *others)
    refused = law.decide_by(facts, permits, (), NOW)
    assert not refused.allows
    assert law.seconds_left(refused, [f"{each.id}@1" for each in held], permits, NOW) == kept
