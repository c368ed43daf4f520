"""What holds whatever the call, the law and the permits are: docs/licensing-model.md, Principles."""

import random
from dataclasses import replace
from typing import TypeVar

from hypothesis import assume, event, given
from hypothesis import strategies as st

from licensing.case import Case, Outcome, Policy
from licensing.classify import ServiceClass, classify
from licensing.decision import decide, decide_one, governing
from licensing.facts import CallFacts, LegKind, Role, facts_from_json, facts_to_json
from licensing.instant import Instant
from licensing.permit import Permit, Toggle, next_change
from licensing.reasons import Obligation, Reason, is_per_call
from licensing.requirement import Reading
from tests.licensing.legal_cases import PROFILES, cases, moments, permits, toggles

T = TypeVar("T")


@given(cases, moments)
def test_every_case_has_an_answer_that_holds_together(case: Case, now: Instant) -> None:
    decision = decide(case, now)
    event(decision.reason)
    assert decision.text.en and decision.text.zh_cn
    assert decision.service is classify(case.facts)
    held = {f"{permit.id}@{permit.version}" for permit in case.permits}
    assert set(decision.permits) <= held
    if not decision.allows:
        assert decision.reason.startswith("DENY_") and not decision.permits
        assert set(decision.obligations) <= {Obligation.EMERGENCY_GUIDE_USER}
        return
    assert not decision.reason.startswith("DENY_")
    assert decision.alternative is None and decision.permit_needed is None
    asked = any(map(is_per_call, decision.obligations))
    assert (decision.outcome is Outcome.ALLOW_WITH_OBLIGATIONS) == asked
    assert decision.uncertain == (Obligation.UNCERTAIN_LAW in decision.obligations)
    if decision.reason is Reason.OK_PERMIT_COVERS:
        assert decision.permits


@given(cases, moments, toggles)
def test_a_toggle_never_grants(case: Case, now: Instant, toggle: Toggle) -> None:
    if decide(replace(case, toggles=(*case.toggles, toggle)), now).allows:
        assert decide(case, now).allows


@given(cases, moments, st.lists(st.sampled_from([*ServiceClass]), max_size=4))
def test_a_list_of_services_only_narrows(case: Case, now: Instant, on: list[ServiceClass]) -> None:
    everything = replace(case, operator=replace(case.operator, services_enabled=("*",)))
    some = replace(case, operator=replace(case.operator, services_enabled=tuple(on)))
    if decide(some, now).allows:
        assert decide(everything, now).allows


@given(cases, moments)
def test_price_names_and_how_a_place_is_known_decide_nothing(case: Case, now: Instant) -> None:
    facts = case.facts
    other = replace(
        facts,
        service_offer=replace(facts.service_offer, charged=not facts.service_offer.charged),
        legs=tuple(replace(leg, located_by=None) for leg in facts.legs),
    )
    renamed = tuple(
        permit.model_copy(
            update={
                "number": "A1.A2-20260001",
                "issuer": "Anybody",
                "conditions": ("none",),
                "holder": permit.holder and f"The {permit.holder}",
            }
        )
        for permit in case.permits
    )
    entity = case.operator.legal_entity and f"The {case.operator.legal_entity}"
    operator = replace(case.operator, legal_entity=entity)
    assert decide(replace(case, facts=other, permits=renamed, operator=operator), now) == decide(case, now)


def forgetting(facts: CallFacts, place: int) -> list[CallFacts]:
    """The same call with one thing less known about it. A number that is shown is no fact of this kind."""
    less = [
        replace(facts, identity_verified=None),
        replace(facts, registered_location=None),
        replace(facts, equipment_in=None),
    ]
    if facts.legs:
        at = place % len(facts.legs)
        leg = facts.legs[at]
        dimmer = [
            replace(leg, country=None, subdivision=None),
            replace(leg, country="??"),
            replace(leg, subdivision=None),
        ]
        if leg.kind is LegKind.PSTN and leg.role is not Role.ORIGIN:
            dimmer.append(replace(leg, number_type=None))
        less += [replace(facts, legs=(*facts.legs[:at], dim, *facts.legs[at + 1 :])) for dim in dimmer]
    return less


@given(cases, moments, st.integers(0, 2))
def test_what_is_unknown_is_no_permission(case: Case, now: Instant, place: int) -> None:
    assume(not case.facts.emergency)  # help is not held up for a missing fact
    if decide(case, now).allows:
        return
    for facts in forgetting(case.facts, place):
        assert not decide(replace(case, facts=facts), now).allows


@given(cases, moments)
def test_any_deny_wins(case: Case, now: Instant) -> None:
    answers = [decide_one(case, code, now) for code in governing(case)]
    decision = decide(case, now)
    assert decision.allows == (bool(answers) and all(answer.allows for answer in answers))
    if decision.allows:
        duties = {duty for answer in answers for duty in answer.obligations}
        assert set(decision.obligations) == duties
        assert decision.uncertain == any(answer.uncertain for answer in answers)
    elif answers:
        first = next(answer for answer in answers if not answer.allows)
        assert (decision.reason, decision.jurisdiction) == (first.reason, first.jurisdiction)


@given(cases, moments, st.randoms(use_true_random=False))
def test_the_order_of_homes_legs_and_permits_changes_no_outcome(
    case: Case, now: Instant, chance: random.Random
) -> None:
    mixed = replace(
        case,
        operator=replace(case.operator, home=tuple(shuffled(case.operator.home, chance))),
        permits=tuple(shuffled(case.permits, chance)),
        facts=replace(case.facts, legs=tuple(shuffled(case.facts.legs, chance))),
    )
    if case.facts.emergency:  # of several homes the first one with a route helps
        mixed = replace(mixed, operator=case.operator)
    assert decide(mixed, now).outcome is decide(case, now).outcome


def shuffled(things: tuple[T, ...], chance: random.Random) -> list[T]:
    return chance.sample(things, len(things))


@given(cases, moments, permits)
def test_one_permit_more_never_refuses_what_was_allowed(case: Case, now: Instant, more: Permit) -> None:
    if decide(case, now).allows:
        assert decide(replace(case, permits=(*case.permits, more)), now).allows
        assert decide(replace(case, permits=(more, *case.permits)), now).allows


@given(cases, moments)
def test_the_permissive_reading_allows_whatever_the_conservative_one_does(case: Case, now: Instant) -> None:
    if decide(read(case, Reading.CONSERVATIVE), now).allows:
        assert decide(read(case, Reading.PERMISSIVE), now).allows


@given(cases, moments)
def test_a_conservative_deny_that_the_permissive_reading_turns_is_uncertain(case: Case, now: Instant) -> None:
    for code in governing(case):
        strict = decide_one(read(case, Reading.CONSERVATIVE), code, now)
        if not strict.allows and decide_one(read(case, Reading.PERMISSIVE), code, now).allows:
            assert strict.uncertain


def read(case: Case, reading: Reading) -> Case:
    return replace(case, policy=replace(case.policy, reading=reading))


@given(cases, moments)
def test_stricter_policy_never_allows_more(case: Case, now: Instant) -> None:
    lax = replace(case.policy, require_verified_permits=False, block_number_types=())
    if decide(replace(case, policy=replace(lax, require_verified_permits=True)), now).allows:
        assert decide(replace(case, policy=lax), now).allows
    if decide(replace(case, policy=replace(lax, block_number_types=Policy().block_number_types)), now).allows:
        assert decide(replace(case, policy=lax), now).allows


@given(cases, moments)
def test_help_with_a_route_is_refused_by_no_permit_toggle_or_identity(case: Case, now: Instant) -> None:
    overriding = replace(case, policy=replace(case.policy, emergency_override=True))
    for code in governing(overriding):
        decision = decide_one(overriding, code, now)
        if case.facts.emergency and not decision.allows:
            assert decision.reason in {
                Reason.DENY_EMERGENCY_NOT_SUPPORTED,
                Reason.DENY_FACTS_INSUFFICIENT,  # no country to help in
                Reason.DENY_JURISDICTION_UNKNOWN,  # no profile; the gate overrides it
            }


@given(cases, moments)
def test_the_same_is_decided_from_facts_permits_policy_and_operator_that_were_written_down(
    case: Case, now: Instant
) -> None:
    read_back = replace(
        case,
        facts=facts_from_json(facts_to_json(case.facts)),
        permits=tuple(Permit.model_validate_json(permit.model_dump_json()) for permit in case.permits),
        policy=Policy.from_json(case.policy.to_json()),
        operator=type(case.operator).from_json(case.operator.to_json()),
    )
    assert decide(read_back, now) == decide(case, now)


@given(cases, moments)
def test_between_two_dates_of_its_permits_no_outcome_changes(case: Case, now: Instant) -> None:
    zones = {p.zone_of(permit.jurisdiction) for p in PROFILES.by_code.values() for permit in case.permits}
    changes = [next_change(permit, zone, now.utc_ns) for permit in case.permits for zone in zones]
    until = min((change for change in changes if change is not None), default=now.utc_ns + 2)
    before, after = decide(case, now), decide(case, Instant(until - 1, 0))
    assert (before.outcome, before.reason, before.permits) == (after.outcome, after.reason, after.permits)
