"""The worked decisions that the engine is held to, and what a file of cases says when it is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from licensing.cases import AnyCase, CasesError, check_cases, read_cases
from licensing.jurisdiction import load_profiles

DATA = Path(__file__).parent / "data"
FILES = sorted(DATA.glob("*.json"))
PROFILES = load_profiles()


@pytest.mark.parametrize(
    "case", [case for file in FILES for case in read_cases(file.read_bytes())], ids=lambda case: case.id
)
def test_a_worked_case_is_decided_as_expected(case: AnyCase) -> None:
    assert list(case.differences(PROFILES)) == []


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
    ],
)
def test_a_malformed_file_is_named_by_path_and_value(document: bytes, said: str) -> None:
    with pytest.raises(CasesError) as fault:
        check_cases(document, PROFILES)
    assert str(fault.value).startswith(said)
    assert "\n" not in str(fault.value)
