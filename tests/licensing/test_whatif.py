"""Past decisions under other permits: who supposes nothing changes nothing, and each flip is a decision."""

import json
import random
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.case import Case, Operator, Policy
from licensing.decision import decide
from licensing.facts import CallFacts, Role, app_leg, facts_to_json, phone_leg
from licensing.identity import DecisionId
from licensing.instant import SECOND, Instant
from licensing.jurisdiction import load_profiles
from licensing.law import Law
from licensing.numbering import Number, Place, canonicalise
from licensing.permit import Permit, StatusEvent, Toggle
from licensing.ports import RegisterRow
from licensing.reasons import Reason
from licensing.record import Ask, Circumstances, entry
from licensing.requirement import Reading
from licensing.snapshot import document_of
from licensing.whatif import Changes, Kinds, Replay, Supposed, WhatIfError, read_line, record
from tests.licensing.legal_cases import NOON, PROFILES, cases, moments

NUMBER = canonicalise("+861065551234", Place(homes=("CN",)))
assert isinstance(NUMBER, Number)
TO_PHONE = CallFacts((app_leg(Role.ORIGIN, "CN"), phone_leg(Role.DESTINATION, NUMBER)), equipment_in=())
TO_APP = CallFacts((app_leg(Role.ORIGIN), app_leg(Role.DESTINATION)))
NOW = Instant(round(NOON.timestamp()) * SECOND, 0)
BASIC = Permit(
    id="basic-1", jurisdiction="baseline", categories=("baseline:basic",), valid_from=date(2026, 1, 1)
)


def row(permit: Permit, epoch: int = 1) -> RegisterRow:
    document = json.dumps(document_of(permit))
    return RegisterRow("permit", permit.id, permit.version, document, "vera", 0, epoch)


def toggle_row(toggle: Toggle, epoch: int) -> RegisterRow:
    return RegisterRow("toggle", toggle.key, 1, toggle.model_dump_json(), "vera", 0, epoch)


def written(case: Case, now: Instant, epoch: int, call: str = "call-1") -> str:
    """The entry that the gate writes about this case."""
    law = Law(case.profiles, case.operator, case.policy)
    made = Circumstances(DecisionId("D-1"), now, epoch)
    ask = Ask(call, case.facts, {"caller": "alice", "callee": "bob"}, leg=f"leg of {call}")
    draft = entry(ask, decide(case, now), made, law.basis, random.Random(0).randbytes)
    return draft.body


def replay(changes: Changes, rows: tuple[RegisterRow, ...], **more: Any) -> Replay:
    return Replay(Supposed(changes, rows, PROFILES, Operator(), Policy(), **more))


def calls(
    facts: CallFacts, number: int, now: Instant = NOW, epoch: int = 1, permits: tuple[Permit, ...] = (BASIC,)
) -> list[str]:
    """So many calls alike, each of another user, a minute each, as the server streams them."""
    case = Case(facts, PROFILES, permits)
    return [
        f'{{"decision":"D-{place}","seconds":60,"user":"u{place % 3}",'
        f'"entry":{written(case, now, epoch, f"call-{place}")}}}'
        for place in range(number)
    ]


def counted(asked: Replay, lines: list[str]) -> Kinds:
    return asked.count(filter(None, map(read_line, lines)))


@given(cases, moments)
def test_who_supposes_nothing_finds_that_nothing_flips(case: Case, now: Instant) -> None:
    rows = tuple({each.key: each for each in map(row, case.permits)}.values())
    rows += tuple({each.key: toggle_row(each, 1) for each in case.toggles}.values())
    register = {permit.id: permit for permit in case.permits}
    kept = {toggle.key: toggle for toggle in case.toggles}
    case = replace(
        case,
        permits=tuple(register[key] for key in sorted(register)),
        toggles=tuple(kept[key] for key in sorted(kept)),
    )
    asked = replay(Changes(), rows)
    outlook = asked.outlook(asked.count([record(written(case, now, 1))]))
    assert (outlook.flips, outlook.all.decisions) == ((), 1)


@given(cases, moments, st.sampled_from(["suspended", "revoked", "without"]))
def test_what_flips_is_what_would_be_decided(case: Case, now: Instant, how: str) -> None:
    register = {permit.id: permit for permit in case.permits}
    case = replace(case, toggles=(), permits=tuple(register[key] for key in sorted(register)))
    ids = frozenset(list(register)[:1])
    changes = {
        "suspended": Changes(suspended=ids),
        "revoked": Changes(revoked=ids),
        "without": Changes(without=ids),
    }
    asked = replay(changes[how], tuple(map(row, case.permits)))
    outlook = asked.outlook(asked.count([record(written(case, now, 1))]))

    other = tuple(
        supposed
        for permit in case.permits
        if (supposed := permit if permit.id not in ids else otherwise(permit, how)) is not None
    )
    before, after = decide(case, now), decide(replace(case, permits=other), now)
    same = (before.reason, before.jurisdiction, before.allows) == (
        after.reason,
        after.jurisdiction,
        after.allows,
    )
    assert [(f.before.reason, f.after.reason) for f in outlook.flips] == (
        [] if same else [(before.reason, after.reason)]
    )


def otherwise(permit: Permit, how: str) -> Permit | None:
    """The permit as it is supposed."""
    if how == "without":
        return None
    event = StatusEvent.model_validate({"status": how, "from": "1970-01-01T00:00Z"})
    kept = [each for each in permit.status_events if each.status != "suspended"] if how == "suspended" else []
    return permit.model_copy(update={"status_events": (*kept, event)})


def test_calls_minutes_and_users_are_counted() -> None:
    asked = replay(Changes(suspended=frozenset({"basic-1"})), (row(BASIC),))
    outlook = asked.outlook(counted(asked, [*calls(TO_PHONE, 5), *calls(TO_APP, 7)]))
    lost = outlook.flipped(lost=True)
    assert (lost.decisions, lost.seconds, len(lost.users)) == (5, 300, 3)
    assert (outlook.all.decisions, outlook.flipped(lost=False).decisions) == (12, 0)
    [flip] = outlook.flips
    assert (flip.before.reason, flip.after.reason) == (Reason.OK_PERMIT_COVERS, Reason.DENY_PERMIT_SUSPENDED)
    assert flip.tally.examples == ["D-0", "D-1", "D-2"]


def test_calls_alike_are_one_kind_whoever_makes_them_and_whenever() -> None:
    asked = replay(Changes(), (row(BASIC),))
    later = Instant(NOW.utc_ns + 3600 * SECOND, 0)
    kinds = counted(asked, [*calls(TO_PHONE, 40), *calls(TO_PHONE, 40, later)])
    assert [tally.decisions for tally in kinds.values()] == [80]


def test_an_end_date_parts_the_calls_before_it_from_those_after() -> None:
    until = BASIC.model_copy(update={"valid_until": date(2026, 11, 22), "version": 1})
    asked = replay(Changes(permits=(until,)), (row(BASIC),))
    early = Instant(NOW.utc_ns - 30 * 3600 * SECOND, 0)
    outlook = asked.outlook(counted(asked, [*calls(TO_PHONE, 3, early), *calls(TO_PHONE, 4)]))
    assert [(flip.tally.decisions, flip.after.reason) for flip in outlook.flips] == [
        (4, Reason.DENY_PERMIT_EXPIRED)
    ]


def test_a_permit_that_is_supposed_would_have_allowed_what_was_refused() -> None:
    asked = replay(Changes(permits=(BASIC,)), ())
    outlook = asked.outlook(counted(asked, calls(TO_PHONE, 6, epoch=0, permits=())))
    assert (outlook.flipped(lost=False).decisions, outlook.flipped(lost=True).decisions) == (6, 0)


def test_a_call_is_decided_on_the_register_of_its_time() -> None:
    second = BASIC.model_copy(update={"id": "basic-2"})
    rows = (row(BASIC, 1), row(second, 2))
    asked = replay(Changes(suspended=frozenset({"basic-1"})), rows)
    lines = [*calls(TO_PHONE, 2), *calls(TO_PHONE, 3, epoch=2, permits=(BASIC, second))]
    assert asked.outlook(counted(asked, lines)).flipped(lost=True).decisions == 2


def test_as_of_a_moment_all_is_decided_on_the_newest_register() -> None:
    rows = (row(BASIC, 1), row(BASIC.model_copy(update={"id": "basic-2"}), 2))
    asked = replay(Changes(without=frozenset({"basic-1", "basic-2"})), rows, at=NOW)
    outlook = asked.outlook(counted(asked, calls(TO_PHONE, 2)))
    assert [(f.before.reason, f.after.reason) for f in outlook.flips] == [
        (Reason.OK_PERMIT_COVERS, Reason.DENY_NO_PERMIT)
    ]


def test_toggles_readings_and_profiles_can_be_supposed() -> None:
    off = Toggle(key="phones", enabled=False, services=("pstn_out",))
    for changes, reason in (
        (Changes(toggles=(off,)), Reason.DENY_SERVICE_DISABLED),
        (Changes(judges=()), Reason.DENY_NO_PERMIT),
    ):
        asked = replay(changes, (row(BASIC),))
        [flip] = asked.outlook(counted(asked, calls(TO_PHONE, 1))).flips
        assert flip.after.reason == reason
    policy = Changes(reading=Reading.PERMISSIVE, verified=False).policy(Policy())
    assert (policy.reading, policy.require_verified_permits) == (Reading.PERMISSIVE, False)


def test_another_edition_of_the_law_can_be_supposed() -> None:
    strict = PROFILES.by_code["baseline"].model_copy(update={"services": {}, "with_telephone_leg": None})
    other = replace(PROFILES, by_code={**PROFILES.by_code, "baseline": strict})
    asked = Replay(Supposed(Changes(), (row(BASIC),), other, Operator(), Policy(), here=load_profiles()))
    outlook = asked.outlook(counted(asked, calls(TO_PHONE, 1)))
    assert (outlook.flips[0].after.reason, outlook.other_basis) == (Reason.DENY_NO_RULE_FOR_CLASS, 0)


def test_what_the_gate_decided_without_the_law_is_left_out() -> None:
    body = json.loads(written(Case(TO_PHONE, PROFILES, (BASIC,)), NOW, 1))
    body["withheld"] = {"outcome": body["outcome"]}
    body |= {"outcome": "deny", "reason": Reason.DENY_TELEPHONE_SWITCHED_OFF}
    asked = replay(Changes(without=frozenset({"basic-1"})), (row(BASIC),))
    outlook = asked.outlook(asked.count([record(json.dumps(body, sort_keys=True, separators=(",", ":")))]))
    assert (outlook.left_out, outlook.flips) == (1, ())


def test_decisions_under_another_edition_are_named() -> None:
    body = json.loads(written(Case(TO_PHONE, PROFILES, (BASIC,)), NOW, 1)) | {"profiles": ["baseline@old"]}
    asked = replay(Changes(), (row(BASIC),))
    assert asked.outlook(asked.count([record(json.dumps(body))])).other_basis == 1


def test_lines_may_be_an_export_s_or_facts_alone() -> None:
    body = written(Case(TO_PHONE, PROFILES, (BASIC,)), NOW, 1)
    export = {"kind": "decision", "subject": "D-1", "body": body}
    made_up = {"facts": facts_to_json(TO_PHONE), "utc_ns": NOW.utc_ns}
    lines = [
        json.dumps({"format": "wephone.audit/1", "heads": []}),
        json.dumps({"kind": "permit_event", "subject": "basic-1", "body": "{}"}),
        json.dumps(export),
        json.dumps(made_up),
    ]
    asked = replay(Changes(suspended=frozenset({"basic-1"})), (row(BASIC),))
    outlook = asked.outlook(counted(asked, lines))
    assert (outlook.all.decisions, outlook.flipped(lost=True).decisions) == (2, 2)


def test_what_is_counted_later_is_added() -> None:
    asked = replay(Changes(), (row(BASIC),))
    kinds = counted(asked, calls(TO_PHONE, 3))
    asked.count(filter(None, map(read_line, calls(TO_PHONE, 3))), kinds)
    assert [(t.decisions, t.seconds, len(t.users)) for t in kinds.values()] == [(6, 360, 3)]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("[]", "is no object (found '[]')"),
        ("{", "is no JSON"),
        ('{"a": 1}', "has no `facts`"),
        ('{"facts": {"legs": []}}', "'utc_ns'"),
        ('{"facts": {"legs": []}, "utc_ns": "now"}', "utc_ns: is no whole number (found 'now')"),
        ('{"facts": {"legs": [{"role": "king"}]}, "utc_ns": 1}', "a decision cannot be read"),
    ],
)
def test_a_line_that_is_no_decision_is_said_to_be_none(line: str, fault: str) -> None:
    asked = replay(Changes(), ())
    with pytest.raises(WhatIfError) as error:
        asked.outlook(counted(asked, [line]))
    assert fault in str(error.value)


def test_a_permit_or_profile_that_is_not_there_is_named() -> None:
    with pytest.raises(WhatIfError, match="there is no permit `basic-9`"):
        replay(Changes(revoked=frozenset({"basic-9"})), (row(BASIC),))
    with pytest.raises(WhatIfError, match="there is no profile `ZZ`"):
        replay(Changes(judges=("ZZ",)), ())
