"""Engine and oracle give the same answer to every row: two readings of the same documents, by two programs.

The oracle (`tests/licensing/oracle.py`) was written from the model's documents alone. A row is an input of a
case file; the engine reads and decides it as `wephone licence check` does.
"""

import copy
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice, product
from pathlib import Path
from random import Random
from typing import Any

import pytest

from licensing.cases import DecisionCase, check_cases
from licensing.jurisdiction import Profiles, gather
from tests.licensing import oracle, oracle_facts, oracle_permits, oracle_progress, oracle_rows
from tests.licensing.oracle_changes import random_rows
from tests.licensing.oracle_rows import Row

Dict = dict[str, Any]
Rule = Callable[..., Any]

DATA = Path(__file__).parent / "data"
MADE_UP = DATA / "made_up"

# Reasons that are the gate's and not a decision's: docs/licensing.md, "The gate"; DESIGN of the gate, R3.
OF_THE_GATE = {
    "DENY_REGISTER_STALE",
    "DENY_JOURNAL_UNAVAILABLE",
    "DENY_CLOCK_UNSOUND",
    "DENY_GATE_FAILED",
    "DENY_TELEPHONE_SWITCHED_OFF",
    "DENY_GRANT_NOT_VALID",
    "DENY_EVIDENCE_LOST",
}

# Profiles that differ in more than their zone, as members of the union do.
APART = [
    "CN",
    "US",
    "GB",
    "EU",
    "DE",
    "IN",
    "AE",
    "SA",
    "OM",
    "EG",
    "PK",
    "SG",
    "HK",
    "JP",
    "BR",
    "QZ",
    "baseline",
]


@pytest.fixture(scope="module")
def stated() -> Dict:
    """The profiles as the oracle reads them, with one made up that prohibits something."""
    return oracle_facts.profiles_in(oracle_facts.PROFILES, MADE_UP)


@pytest.fixture(scope="module")
def law() -> Profiles:
    """The same as the engine reads them."""
    files = [*sorted(oracle_facts.PROFILES.glob("*.json")), MADE_UP / "QZ.json"]
    return gather((file.name, file.read_bytes()) for file in files)


def engine(row: Row, law: Profiles) -> Dict:
    """The engine's answer, in the oracle's words. A refusal's permits are not compared: no document names
    them."""
    scope, told = row
    anything = {"decision": "deny", "reason": "DENY_NO_PERMIT"}
    case = DecisionCase.model_validate({"id": "row", "scope": scope, "input": told, "expected": anything})
    answer = case.decided(law)
    duties = [str(duty) for duty in answer.obligations]
    return {
        "decision": answer.outcome.value,
        "reason": answer.reason.value,
        "uncertain": answer.uncertain,
        "service_class": answer.service.value,
        "jurisdiction": answer.jurisdiction or None,  # none governs: decision 0015
        "permit_needed": answer.permit_needed,
        "permits": [] if answer.outcome.value == "deny" else list(answer.permits),
        "per_call": [duty for duty in duties if duty not in oracle.STANDING],
        "standing": [duty for duty in duties if duty in oracle.STANDING],
        "alternative": None if answer.alternative is None else answer.alternative.value,
    }


def answer_of_oracle(row: Row, stated: Dict) -> Dict:
    """0011: an alternative belongs to the whole decision, that of all jurisdictions."""
    scope, told = row
    answer = oracle.decide(told, scope, stated)
    whole = scope == "all_governing" and answer["decision"] == "deny"
    return {**answer, "alternative": oracle.alternative(told, scope, stated) if whole else None}


def assert_agreed(rows: Iterable[Row], law: Profiles, stated: Dict) -> Counter[str]:
    """Compare row by row. Counts rows, and what they came to."""
    seen: Counter[str] = Counter()
    for row in rows:
        ours, theirs = engine(row, law), answer_of_oracle(row, stated)
        if ours != theirs:
            differs = {name: (ours[name], theirs[name]) for name in ours if ours[name] != theirs[name]}
            pytest.fail(f"engine, oracle: {differs}\nscope {row[0]}: {json.dumps(row[1])}")
        seen.update(["rows", ours["reason"], *ours["per_call"], *ours["standing"]])
    return seen


def say(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n{text}\n")


def products(stated: Dict) -> Iterator[Row]:
    """The smaller products, whole in both tiers."""
    return chain(
        oracle_rows.person_product(),
        oracle_rows.help_product(),
        oracle_rows.reading_product(),
        oracle_rows.recording_product(),
        oracle_rows.time_product(),
        oracle_rows.offer_product(stated),
    )


def cases_of_files() -> Iterator[tuple[str, Dict]]:
    for name in ("decision-vectors.json", "more-cases.json", "made_up/cases.json"):
        for cases in json.loads((DATA / name).read_text(encoding="utf-8"))["cases"].values():
            yield from ((f"{name} {case['id']}", case) for case in cases)


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in cases_of_files()])
def test_the_oracle_answers_each_worked_case(case: Dict, stated: Dict) -> None:
    told, expected = case["input"], case["expected"]
    if "dialled" in told:
        country, kind = oracle_progress.number(told["dialled"], told["caller_country"])
        assert country == expected["country"]
        assert oracle_progress.kind_fits(expected["kind"], kind), kind
        return
    answer = (
        oracle_progress.progress(told, stated)
        if "event" in told
        else oracle.decide(told, case["scope"], stated)
    )
    assert answer == {**answer, **{key: expected[key] for key in expected if not key.endswith("cludes")}}
    for duties in ("per_call", "standing"):
        assert set(expected.get(f"{duties}_includes", ())) <= set(answer.get(duties, ()))
        assert not set(expected.get(f"{duties}_excludes", ())) & set(answer.get(duties, ()))


def test_every_combination_of_class_scope_region_direction_status_and_dates_agrees(
    law: Profiles, stated: Dict, full_size: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    dates: tuple[str, ...] = ("running", "tomorrow", "yesterday", "renewal filed")
    status: tuple[str, ...] = ("in order", "suspended", "revoked")
    codes = ["CN"]
    if full_size:
        dates, status, codes = tuple(oracle_rows.DATES), tuple(oracle_rows.STATUS), APART
    rows = chain.from_iterable(oracle_rows.permit_product(stated[code], dates, status) for code in codes)
    seen = assert_agreed(rows, law, stated)
    say(f"engine and oracle: {seen['rows']} combinations of permit and call", capsys)
    assert seen["rows"] > 13_000
    assert {"DENY_PERMIT_NOT_YET_VALID", "DENY_PERMIT_EXPIRED", "DENY_PERMIT_SUSPENDED"} <= seen.keys()


def test_every_profile_agrees_on_every_class(
    law: Profiles, stated: Dict, full_size: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    profiles = oracle_rows.profile_product(stated, list(stated) if full_size else APART)
    some = profiles if full_size else islice(profiles, 0, None, 5)  # a step that no axis has as its size
    seen = assert_agreed(chain(products(stated), some), law, stated)
    say(f"engine and oracle: {seen['rows']} combinations of law, person and offer", capsys)
    assert seen["rows"] > 10_000


@pytest.mark.parametrize("countries", [("", None), ("KE", "KE"), ("??", "KE")])
def test_where_no_law_governs_both_refuse(
    countries: tuple[str | None, ...], law: Profiles, stated: Dict
) -> None:
    told = oracle_rows.input_of("CN", oracle_rows.call("CN", "pstn_out", "domestic"), [], "conservative")
    told["operator"]["home"], told["policy"]["destination_only"] = [], ["KE"]
    for leg, country in zip(told["facts"]["legs"], countries, strict=True):
        leg["country"] = country
    seen = assert_agreed([("all_governing", told)], law, stated)
    assert seen["DENY_FACTS_INSUFFICIENT"] + seen["DENY_JURISDICTION_UNKNOWN"] == 1


def test_what_is_broken_at_random_agrees(
    law: Profiles, stated: Dict, dice: Random, full_size: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = random_rows(dice, stated, 500_000 if full_size else 3_000)
    seen = assert_agreed(rows, law, stated)
    say(f"engine and oracle: {seen['rows']} calls with up to five things changed", capsys)


def test_the_products_reach_every_reason_and_every_duty(stated: Dict) -> None:
    """Whatever the seed: what no row reaches, nobody compares."""
    rows = chain(
        products(stated),
        islice(oracle_rows.permit_product(stated["CN"], ("running",), ("in order",)), 0, None, 7),
        random_rows(Random(1), stated, 2_000),
    )
    seen: Counter[str] = Counter()
    for scope, told in rows:
        answer = oracle.decide(told, scope, stated)
        seen.update([answer["reason"], *answer["per_call"], *answer["standing"]])
    assert set(oracle.TEXTS["reasons"]) - OF_THE_GATE - set(seen) == set()
    assert set(oracle.TEXTS["obligations"]) - set(seen) == set()


# A check that cannot fail is no check: each of these is wrong in one thing, and the rows have to show it.


def changed(code: str, *path: str, to: Any) -> Rule:
    """A profile with one value changed, for the oracle alone."""

    def change(stated: Dict) -> Dict:
        wrong = copy.deepcopy(stated)
        where = wrong[code]
        for name in path[:-1]:
            where = where[name]
        where[path[-1]] = to
        return wrong

    return change


WRONG_LAW = {
    "another category": changed("CN", "services", "pstn_out", "domestic", "any_of", to=[["CN:B25"]]),
    "a permissive list less": changed(
        "CN", "services", "conf_app", "domestic", "permissive_any_of", to=[["CN:B11"]]
    ),
    "a settled basis": changed("CN", "services", "pstn_bridge", "basis", to="settled"),
    "no test of the seat": changed(
        "CN", "services", "app_voice", "region_test", to="every_leg_in_jurisdiction"
    ),
    "no duties": changed("CN", "services", "pstn_out", "per_call", to=[]),
    "no international duties": changed("CN", "services", "pstn_in", "international_per_call", to=[]),
    "identities not asked": changed("CN", "identity_required", to=False),
    "another rule for the number shown": changed("CN", "cli_rule", to="valid"),
    "numbers from abroad": changed("GB", "cli_rule", to="valid"),
    "partners accepted": changed("CN", "partner_permit_accepted", "conservative", to=True),
    "shorter notice of a renewal": changed("CN", "renewal_notice_days", to=10),
    "another zone": changed("CN", "regulator_time_zone", to="UTC"),
    "one party may record": changed("CN", "recording", "consent", to="one_party"),
    "no capability": changed("US", "services", "pstn_out", "requires_capabilities", to=[]),
    "no standing duty": changed("US", "standing", to=[]),
    "a member less": changed("EU", "members", to=["FR"]),
    "equipment does not matter": changed("HK", "services", "app_voice", "domestic", "only_if", to=None),
    "no exemption": changed("SG", "services", "app_voice", "own_organisation_exempt", to=None),
    "nothing prohibited": changed("QZ", "services", "pstn_out", "domestic", to={"kind": "none"}),
    "other foreign permits": changed("baseline", "accepts", "CN", "categories", to=["CN:A13"]),
    "holders compared": changed("baseline", "permit_checks", "holder", to="required"),
    "countries of apps asked": changed("baseline", "country_needed", to=["app", "pstn"]),
}

WRONG_RULES: dict[str, tuple[Any, str, Any]] = {
    "a number that cannot be placed is no matter": (oracle, "facts_missing", lambda case, profile: False),
    "unknown countries are countries": (oracle_facts, "UNKNOWN", ()),
    "nobody asks for help": (oracle, "asks_for_help", lambda facts: False),
    "help has a route from anywhere": (oracle, "help_country", lambda case: next(iter(case["routes"]), None)),
    "switches do nothing": (oracle, "switched_off", lambda case, profile, service: False),
    "toggles do nothing": (oracle, "named_by", lambda toggle, case, profile, service: False),
    "no range is blocked": (oracle, "in_fraud_range", lambda case: False),
    "every call is domestic": (oracle, "international", lambda facts, profile: False),
    "permits of all count": (oracle, "looked_at", lambda permit, profile: True),
    "capabilities are not asked": (oracle, "capability_missing", lambda case, profile: None),
    "identities are not asked": (oracle, "identity_missing", lambda case, profile: None),
    "any number may be shown": (oracle, "number_shown", lambda case, profile: None),
    "nobody has to agree": (oracle, "all_have_to_agree", lambda facts, profile: False),
    "nothing else may be done": (oracle, "alternative", lambda told, scope, profiles: None),
    "the last answer counts": (oracle, "merged", lambda answers: answers[-1]),
    "homes do not judge": (
        oracle,
        "governing",
        lambda case, profiles: [
            leg["country"] for leg in case["facts"]["legs"] if leg.get("country") in profiles
        ],
    ),
    "media are parties": (oracle_facts, "parties", lambda facts: facts["legs"]),
    "the first alternative counts": (oracle, "best_of", lambda answers: answers[0]),
    "the first permit counts": (oracle_permits, "best_of", lambda answers: answers[0]),
    "a parent covers nothing": (oracle_permits, "category_covers", lambda held, needed: held == needed),
    "any permit is the operator's": (oracle_permits, "holder_is_right", lambda permit, asked: True),
    "a carrier's permit is like any": (oracle_permits, "basis_is_right", lambda permit, asked: True),
    "revocations do nothing": (oracle_permits, "revoked", lambda permit, asked: False),
    "suspensions do nothing": (oracle_permits, "suspended", lambda permit, asked: False),
    "nothing expires": (oracle_permits, "expired", lambda permit, asked: False),
    "renewals are not read": (oracle_permits, "pending_renewal", lambda permit, asked: False),
    "renewals are never due": (oracle_permits, "renewal_due", lambda permit, asked: False),
    "regions do not matter": (oracle_permits, "region_is_right", lambda permit, asked, readings: True),
    "nobody verifies": (oracle_permits, "verified", lambda permit, asked: True),
    "the permissive reading is the strict one": (
        oracle_permits,
        "by_reading",
        lambda asked, readings, name: False,
    ),
}


@pytest.fixture(scope="module")
def answered(law: Profiles, stated: Dict) -> list[tuple[Row, Dict]]:
    """Rows and the engine's answers to them, which the oracle as it is agrees with."""
    rows = chain(
        islice(products(stated), 0, None, 3),
        random_rows(Random(2), stated, 2_000),
        islice(oracle_rows.permit_product(stated["CN"], ("running",), ("in order",)), 0, None, 7),
    )
    answers = [(row, engine(row, law)) for row in rows]
    assert not notices(answers, stated)
    return answers


def notices(answered: list[tuple[Row, Dict]], stated: Dict) -> bool:
    return any(answer_of_oracle(row, stated) != answer for row, answer in answered)


@pytest.mark.parametrize("wrong", WRONG_LAW)
def test_a_changed_profile_is_noticed(wrong: str, answered: list[tuple[Row, Dict]], stated: Dict) -> None:
    assert notices(answered, WRONG_LAW[wrong](stated))


@pytest.mark.parametrize("wrong", WRONG_RULES)
def test_a_changed_rule_is_noticed(
    wrong: str, answered: list[tuple[Row, Dict]], stated: Dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*WRONG_RULES[wrong])
    assert notices(answered, stated)


def progress_rows() -> Iterator[Dict]:
    """Each event in calls of each class, as case files tell them."""
    events: list[Dict] = [
        {"type": kind} for kind in oracle_progress.NEW_CALLS if kind not in ("add_leg", "remove_leg")
    ]
    events += [{"type": "profile_changed"}, {"type": "recording_requested", "all_parties_consented": True}]
    events += [{"type": "add_leg", "leg": {"kind": kind, "country": "CN"}} for kind in ("app", "pstn")]
    events += [
        {"type": "add_leg", "leg": {"kind": "pstn", "country": country}} for country in ("US", "KE", None)
    ]
    lefts = (["pstn", "pstn"], ["app", "pstn"], ["app", "app"])
    events += [{"type": "remove_leg", "remaining": left} for left in lefts]
    held: tuple[list[str] | None, ...] = (None, ["CN:B22"], ["CN:A15", "CN:B25"])
    losses: tuple[Dict, ...] = (
        {},
        {
            "suspended": {"this_call": "let_finish", "max_seconds": 5},
            "expired": {"this_call": "terminate_after_notice", "max_seconds": 6},
            "profile_changed": {"this_call": "terminate_after_notice", "max_seconds": 7},
        },
    )
    for service, event, permits, emergency, loss in product(
        oracle_rows.SHAPES, events, held, (False, True), losses
    ):
        call = {"service_class": service, "jurisdiction": "CN", "emergency": emergency, "permits": permits}
        yield {"call": call, "event": event, "policy": {"on_loss": loss}}
    for code, service, event in product(("US", "GB", "EU", "baseline", "AE"), oracle_rows.SHAPES, events):
        yield {"call": {"service_class": service, "jurisdiction": code}, "event": event}


def test_engine_and_oracle_agree_on_calls_in_progress(
    law: Profiles, stated: Dict, capsys: pytest.CaptureFixture[str]
) -> None:
    told = [(row, oracle_progress.progress(row, stated)) for row in progress_rows()]
    cases = [{"id": str(row), "input": row, "expected": answer} for row, answer in told]
    report = check_cases(
        json.dumps({"schema": "wephone.licensing-vectors/1", "cases": {"CALLS": cases}}), law
    )
    say(f"engine and oracle: {report.passed} events of calls in progress", capsys)
    assert report.failures == ()


def case_file(rows: Iterable[Row], stated: Dict) -> str:
    """A case file that expects what the oracle answers, every duty named or excluded."""
    codes = set(oracle.TEXTS["obligations"])
    cases = []
    for nth, (scope, told) in enumerate(rows):
        answer = oracle.decide(told, scope, stated)
        expected = {
            name: answer[name]
            for name in ("decision", "reason", "uncertain", "service_class", "permit_needed")
        }
        for duties in ("per_call", "standing"):
            expected[f"{duties}_includes"] = answer[duties]
            expected[f"{duties}_excludes"] = sorted(codes - set(answer[duties]))
        cases.append({"id": str(nth), "scope": scope, "input": told, "expected": expected})
    return json.dumps({"schema": "wephone.licensing-vectors/1", "cases": {"ORACLE": cases}})


def test_a_case_file_of_the_oracle_s_answers_passes(law: Profiles, stated: Dict, dice: Random) -> None:
    report = check_cases(case_file(random_rows(dice, stated, 300), stated), law)
    assert (report.passed, report.failures) == (300, ())


def test_the_command_passes_the_same_and_fails_what_is_wrong(stated: Dict, dice: Random) -> None:
    shipped = oracle_facts.profiles_in(oracle_facts.PROFILES)
    rows = list(random_rows(dice, shipped, 200))
    told = json.loads(case_file(rows, shipped))
    told["cases"]["ORACLE"][7]["expected"].update(decision="deny", reason="DENY_GATE_FAILED")
    command = [sys.executable, "-m", "wephone.cli.main", "licence", "check", "-", "--json"]
    done = subprocess.run(command, input=json.dumps(told), capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["passed"], answer["failed"]) == (1, 199, 1)
    assert [failure["id"] for failure in answer["failures"]] == ["7"]
