"""The worked decisions that the engine is held to, and what a file of cases says when it is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from licensing.cases import AnyCase, CasesError, DecisionCase, check_cases, read_cases
from licensing.jurisdiction import gather, load_profiles
from licensing.progress import Event, Fate
from licensing.progress_cases import ProgressCase
from licensing.reasons import Reason
from tests.licensing.conftest import BASIC

DATA = Path(__file__).parent / "data"
MADE_UP = DATA / "made_up"
CASES = [case for file in sorted(DATA.glob("*.json")) for case in read_cases(file.read_bytes())]
MADE_UP_CASES = read_cases((MADE_UP / "cases.json").read_bytes())
PROFILES = load_profiles()
GATES_OWN = {  # the law was not asked, or its answer could not be put into effect
    Reason.DENY_REGISTER_STALE,
    Reason.DENY_JOURNAL_UNAVAILABLE,
    Reason.DENY_CLOCK_UNSOUND,
    Reason.DENY_GATE_FAILED,
    Reason.DENY_TELEPHONE_SWITCHED_OFF,
    Reason.DENY_GRANT_NOT_VALID,
    Reason.DENY_EVIDENCE_LOST,
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_worked_case_is_decided_as_expected(case: AnyCase) -> None:
    assert list(case.differences(PROFILES)) == []


@pytest.mark.parametrize("case", MADE_UP_CASES, ids=lambda case: case.id)
def test_a_case_under_a_law_that_is_made_up_is_decided_as_expected(case: AnyCase) -> None:
    law = gather([("QZ.json", (MADE_UP / "QZ.json").read_bytes())])
    assert list(case.differences(law)) == []


def test_every_reason_of_the_law_every_event_and_every_fate_is_expected_by_some_case() -> None:
    every = [*CASES, *MADE_UP_CASES]
    reasons = {case.expected.reason for case in every if isinstance(case, DecisionCase)}
    assert set(Reason) - GATES_OWN == reasons
    running = [case for case in every if isinstance(case, ProgressCase)]
    assert {case.input.event.type for case in running} == set(Event)
    assert {case.expected.this_call for case in running} == set(Fate)


def test_every_jurisdiction_has_a_case_for_a_call_from_a_telephone() -> None:
    called = {
        case.expected.jurisdiction or case.scope
        for case in CASES
        if isinstance(case, DecisionCase) and case.expected.service_class == "pstn_in"
    }
    ours = {code for code, profile in PROFILES.by_code.items() if profile.extends is None}
    assert ours <= called


def test_no_two_cases_share_an_id() -> None:
    assert len({case.id for case in CASES}) == len(CASES)


def changed(path: list[str | int], value: Any) -> bytes:
    document = json.loads((DATA / "decision-vectors.json").read_bytes())
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return json.dumps(document).encode()


def test_a_wrong_expectation_is_counted_and_printed_with_what_was_decided() -> None:
    report = check_cases(changed(["cases", "CN", 0, "expected", "reason"], "DENY_NO_PERMIT"), PROFILES)
    assert str(report) == (
        f"CN-001: reason is OK_PERMIT_COVERS, expected DENY_NO_PERMIT\n{report.passed} passed, 1 failed"
    )


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"{", "the file is no JSON: "),
        (b"[]", "the whole file: "),
        (b'{"cases": {"CN": [{"id": 1, "id": 2}]}}', "cases.CN[0].id: is there twice (found 2)"),
        (b'{"schema": "wephone.licensing-vectors/1"}', "cases: Field required"),
        (changed(["schema"], "other/1"), "schema: "),
        (changed(["cases", "CN", 0], "x"), "cases.CN[0]: "),
        (changed(["cases", "CN", 0, "input"], []), "cases.CN[0].input: has to be an object (found [])"),
        (changed(["cases", "CN", 0, "input", "now"], "soon"), "cases.CN[0].input.now: "),
        (
            changed(["cases", "CN", 0, "input", "permits", 0, "valid_from"], "2026-02-30"),
            "cases.CN[0].input.permits[0].valid_from: ",
        ),
        (
            changed(["cases", "CN", 0, "input", "facts", "legs", 0, "kind"], "fax"),
            "cases.CN[0].input.facts.legs[0].kind: ",
        ),
        (changed(["cases", "US", 0, "expected", "reason"], "BECAUSE"), "cases.US[0].expected.reason: "),
        (changed(["cases", "US", 0, "expcted"], {}), "cases.US[0].expcted: "),
        (changed(["cases", "US", 1, "id"], "CN-001"), "cases.US[1].id: is there twice (found 'CN-001')"),
        (
            changed(["cases", "CN", 0, "input", "permits"], [BASIC, BASIC]),
            "cases.CN[0].input.permits: `basic-1` is there twice",
        ),
    ],
)
def test_a_malformed_file_is_named_by_path_and_value(document: bytes, said: str) -> None:
    with pytest.raises(CasesError) as fault:
        check_cases(document, PROFILES)
    assert str(fault.value).startswith(said)
    assert "\n" not in str(fault.value)
