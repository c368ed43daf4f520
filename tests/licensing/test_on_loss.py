"""How long a running call keeps that is no longer permitted: the least of what law and operator leave it."""

from dataclasses import replace

import pytest

from licensing.case import Operator, Policy
from licensing.facts import CallFacts, Role, app_leg
from licensing.instant import Instant
from licensing.jurisdiction import OnLoss, load_profiles
from licensing.law import MOST_LEFT, Law
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
    return law.seconds_left(replace(refused, reason=reason))


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
