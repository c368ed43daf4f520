"""Decision cases from a file: each one decided, and compared with what the file expects.

This is how counsel and operators check the engine without reading it. Three kinds of case tell themselves
apart by their input: decisions (`facts`), numbers (`dialled`) and calls in progress (`event`).
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from itertools import chain
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter, ValidationError, field_validator

from licensing.case import BLOCKED, Case, Decision, Operator, Outcome, Policy
from licensing.case_format import Format, Told, differ
from licensing.classify import ServiceClass
from licensing.decision import decide, decide_one
from licensing.facts import CallFacts, facts_from_json
from licensing.instant import MICROSECOND, Instant
from licensing.json_text import TwiceError, parse, path_of
from licensing.jurisdiction import Profiles, load_profiles
from licensing.numbering import Number, NumberType, Place, canonicalise
from licensing.permit import Permit, Toggle
from licensing.progress_cases import ProgressCase
from licensing.reasons import Reason, is_per_call
from licensing.requirement import Reading

ALL_GOVERNING = "all_governing"
OF_THE_ENGINE = ("ENGINE", "MULTI")  # scopes that mean the operator's first home
LARGEST = 16_000_000  # bytes; the longest file that is read
_NO_INPUT = ("emergency_call", "initiated_by")  # said in cases to show that they decide nothing


class CasesError(Exception):
    """The file is no file of cases: one sentence with the path and the value."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One case, and each way in which the answer is not what it expects."""

    id: str
    differences: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.id}: {'; '.join(self.differences)}"


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a whole file."""

    passed: int
    failures: tuple[Failure, ...]

    def __str__(self) -> str:
        return "\n".join([*map(str, self.failures), f"{self.passed} passed, {len(self.failures)} failed"])


def check_cases(text: str | bytes, profiles: Profiles | None = None) -> Report:
    """Decide every case of a file. CasesError if the file cannot be read; a wrong answer is no error."""
    profiles = profiles or load_profiles()
    failures: list[Failure] = []
    passed = 0
    for case in read_cases(text):
        differences = tuple(case.differences(profiles))
        if differences:
            failures.append(Failure(case.id, differences))
        else:
            passed += 1
    return Report(passed, tuple(failures))


# The format


class Capabilities(Format):
    emergency_route: tuple[str, ...] = ()


class CaseOperator(Format):
    legal_entity: str | None = None
    home: tuple[str, ...] = ()
    seat: str | None = None
    services_enabled: tuple[str, ...] = ("*",)
    capabilities: Capabilities = Capabilities()


class CasePolicy(Format):
    ambiguity: Reading = Reading.CONSERVATIVE
    require_verified_permits: bool = True
    emergency_override: bool = True
    block_number_types: tuple[NumberType, ...] = BLOCKED
    profiles: tuple[str, ...] = ()
    destination_only: tuple[str, ...] = ()


class DecisionInput(Format):
    facts: Mapping[str, Any]
    permits: tuple[Permit, ...] = ()
    toggles: tuple[Toggle, ...] = ()
    operator: CaseOperator = CaseOperator()
    policy: CasePolicy = CasePolicy()
    now: AwareDatetime

    @field_validator("permits")
    @classmethod
    def _each_once(cls, permits: tuple[Permit, ...]) -> tuple[Permit, ...]:
        if twice := first_twice([permit.id for permit in permits]):
            raise ValueError(f"`{twice}` is there twice")
        return permits


class DecisionExpected(Format):
    decision: Outcome
    reason: Reason
    uncertain: bool | None = None
    service_class: ServiceClass | None = None
    jurisdiction: str | None = None
    permit_needed: str | None = None
    per_call_includes: tuple[str, ...] = ()
    per_call_excludes: tuple[str, ...] = ()
    standing_includes: tuple[str, ...] = ()
    standing_excludes: tuple[str, ...] = ()


class DecisionCase(Told):
    scope: str | None = None
    input: DecisionInput
    expected: DecisionExpected

    def differences(self, profiles: Profiles) -> Iterator[str]:
        decision = self.decided(profiles)
        expected = self.expected
        yield from differ("decision", expected.decision, decision.outcome)
        yield from differ("reason", expected.reason, decision.reason)
        for name, got in (
            ("uncertain", decision.uncertain),
            ("service_class", decision.service),
            ("jurisdiction", decision.jurisdiction),
            ("permit_needed", decision.permit_needed),
        ):
            wanted = getattr(expected, name)
            if wanted is not None:
                yield from differ(name, wanted, got)
        per_call = {duty.value for duty in decision.obligations if is_per_call(duty)}
        standing = {duty.value for duty in decision.obligations} - per_call
        yield from _lists("per_call", expected.per_call_includes, expected.per_call_excludes, per_call)
        yield from _lists("standing", expected.standing_includes, expected.standing_excludes, standing)

    def decided(self, profiles: Profiles) -> Decision:
        given, operator, policy = self.input, self.input.operator, self.input.policy
        case = Case(
            facts=facts_of(given.facts),
            profiles=profiles,
            permits=given.permits,
            toggles=given.toggles,
            operator=Operator(
                operator.legal_entity,
                operator.home,
                operator.seat,
                operator.services_enabled,
                operator.capabilities.emergency_route,
            ),
            policy=Policy(
                policy.ambiguity,
                policy.require_verified_permits,
                policy.emergency_override,
                policy.block_number_types,
                policy.profiles,
                policy.destination_only,
            ),
        )
        now = Instant(round(given.now.astimezone(UTC).timestamp() * 1_000_000) * MICROSECOND, 0)
        if self.scope == ALL_GOVERNING:
            return decide(case, now)
        if self.scope is None or self.scope in OF_THE_ENGINE:
            return decide_one(case, next(iter(operator.home), ""), now)
        return decide_one(case, self.scope, now)


class NumberInput(Format):
    dialled: str
    caller_country: str | None = None


class NumberExpected(Format):
    """`kind` may be `any`, or `not_` and a kind."""

    country: str | None
    kind: str


class NumberCase(Told):
    input: NumberInput
    expected: NumberExpected

    def differences(self, profiles: Profiles) -> Iterator[str]:
        placed = canonicalise(self.input.dialled, Place(self.input.caller_country))
        country = placed.country if isinstance(placed, Number) else None
        kind = placed.type.value if isinstance(placed, Number) else "refused"
        wanted = self.expected.kind
        yield from differ("country", self.expected.country, country)
        fits = wanted == "any" or (kind != wanted[4:] if wanted.startswith("not_") else kind == wanted)
        if not fits:
            yield from differ("kind", wanted, kind)


AnyCase = DecisionCase | NumberCase | ProgressCase
M = TypeVar("M", bound=BaseModel)


class CaseFile(BaseModel):
    """The whole file; what it says about itself beside the cases is for its readers."""

    schema_: Annotated[Literal["wephone.licensing-vectors/1"], Field(alias="schema")]
    cases: Mapping[str, tuple[Mapping[str, Any], ...]]


# Reading it


def read_cases(text: str | bytes) -> list[AnyCase]:
    """The cases of a file, in its order. CasesError names the path and the value that is wrong."""
    if len(text) > LARGEST:
        raise CasesError(f"the file is longer than {LARGEST} bytes")
    try:
        document = parse(text)
    except TwiceError as error:
        raise CasesError(str(error)) from None
    except (ValueError, RecursionError) as error:  # JSON's own errors carry line and column
        raise CasesError(f"the file is no JSON: {error}") from None
    groups = _valid(CaseFile, document, "").cases.items()
    places = [f"cases.{group}[{place}]" for group, cases in groups for place, _ in enumerate(cases)]
    read = [_read_case(case, path) for path, case in zip(places, chain(*dict(groups).values()), strict=True)]
    if twice := first_twice([case.id for case in read]):
        path = [place for place, case in zip(places, read, strict=True) if case.id == twice][1]
        raise CasesError(f"{path}.id: is there twice (found {twice!r})")
    return read


def first_twice(names: Sequence[str]) -> str | None:
    """The first name that is there twice."""
    counted = Counter(names)
    return next((name for name in names if counted[name] > 1), None)


def _read_case(case: Mapping[str, Any], path: str) -> AnyCase:
    given = case.get("input")
    if not isinstance(given, dict):
        raise CasesError(f"{path}.input: has to be an object (found {given!r:.80})")
    if "dialled" in given:
        return _valid(NumberCase, case, path)
    if "event" in given:
        return _valid(ProgressCase, case, path)
    read = _valid(DecisionCase, case, path)
    try:
        facts_of(read.input.facts)
    except ValidationError as error:
        raise _fault(error, f"{path}.input.facts") from None
    return read


def facts_of(told: Mapping[str, Any]) -> CallFacts:
    """Facts as cases tell them: an identity not spoken of is verified, equipment not spoken of is none."""
    facts = {key: value for key, value in told.items() if key not in _NO_INPUT}
    if isinstance(facts.get("legs"), list | tuple):
        facts["legs"] = [_leg(leg) for leg in facts["legs"]]
    return facts_from_json({"identity_verified": True, "equipment_in": (), **facts})


def _leg(told: Any) -> Any:
    """A leg without the digits that were dialled: its number type says what they are."""
    return {key: value for key, value in told.items() if key != "dialled"} if isinstance(told, dict) else told


def _valid(model: type[M], value: Any, path: str) -> M:
    try:
        return TypeAdapter(model).validate_json(json.dumps(value))
    except ValidationError as error:
        raise _fault(error, path) from None


def _fault(error: ValidationError, path: str) -> CasesError:
    first = error.errors(include_url=False)[0]
    said = first["msg"].removeprefix("Value error, ")
    where = path_of((path, *first["loc"]) if path else first["loc"]) or "the whole file"
    return CasesError(f"{where}: {said} (found {first['input']!r:.80})")


def _lists(name: str, includes: tuple[str, ...], excludes: tuple[str, ...], got: set[str]) -> Iterator[str]:
    for duty in includes:
        if duty not in got:
            yield f"{name} lacks {duty}"
    for duty in excludes:
        if duty in got:
            yield f"{name} has {duty}"
