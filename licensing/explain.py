"""Why was this decided? The facts, the rule, the permit and the source of law, from what was kept about it.

It is decided again from the stored facts, register versions and profiles, and compared with what was stored.
Pure: whoever asks reads the journal.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from licensing.audit import Broken, ClearValue, Entry, Head, clear_state, verify
from licensing.case import Case, Operator, Outcome, Policy
from licensing.classify import look
from licensing.decision import Judgement
from licensing.facts import facts_from_json
from licensing.instant import Instant
from licensing.jurisdiction import Profiles, ServiceRule
from licensing.law import ENGINE, Law
from licensing.permit import Permit
from licensing.ports import RegisterRow
from licensing.reasons import Reason
from licensing.record import answer
from licensing.snapshot import Snapshot, as_of


@dataclass(frozen=True, slots=True)
class Datum:
    """A name or number of the entry: its role, its hash, and its clear value where that is still there."""

    role: str
    hash: str
    state: str  # "present", "erased" or "altered"
    value: str | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was decided and why, and whether deciding it again gives the same."""

    decision: str
    body: Mapping[str, Any]  # of the entry, as it was stored
    people: tuple[Datum, ...]
    permits: tuple[Permit, ...]  # relied on, in the versions of that time
    rule: ServiceRule | None
    reach: Literal["domestic", "international"] | None  # which half of the rule applied
    toggles: tuple[str, ...]  # the keys of those that switched it off
    sources: Mapping[str, Any]  # of the rule: key -> title, date, address
    again: Mapping[str, Any] | None  # the same case decided now
    faults: tuple[str, ...]  # what does not agree; empty if all does

    @property
    def sound(self) -> bool:
        return not self.faults


class UnexplainedError(Exception):
    """There is nothing to explain: no entry about it, or one that cannot be read."""


def explain(
    entries: Sequence[Entry],
    clear: Iterable[ClearValue],
    versions: Iterable[RegisterRow],
    profiles: Profiles,
) -> Explanation:
    """Explain the decision that the `entries` are about, oldest first.

    `versions` are all of the register's rows, or at least those that were in force then; `profiles` those
    that judged, as `lawbook.kept` finds them.
    """
    decisions = [entry for entry in entries if entry.kind == "decision"]
    if not decisions:
        raise UnexplainedError("there is no entry about this decision")
    entry = decisions[-1]  # a late entry and its refusal have one id: the refusal is what was answered
    try:
        body: dict[str, Any] = json.loads(entry.body)
        taken = as_of(versions, body["epoch"])
        missing = _missing(body, profiles)
        faults = [*_altered(decisions), *missing]
        again = None if missing else _decided_again(body, taken, profiles)
    except (KeyError, TypeError, ValueError) as error:  # pydantic's ValidationError is a ValueError
        raise UnexplainedError(f"the entry about {entry.subject} cannot be read: {error}") from None
    faults += _differences(body.get("withheld", body), again, body["engine"])
    faults += _beyond_the_gate(body, taken)
    people = _people(body, clear)
    faults += [
        f"the clear value of `{datum.role}` was altered" for datum in people if datum.state == "altered"
    ]
    rule, sources = _rule(body, profiles)
    relied = tuple(p for p in taken.permits if f"{p.id}@{p.version}" in body.get("withheld", body)["permits"])
    reach, toggles = _applied(body, taken, profiles)
    return Explanation(
        entry.subject, body, people, relied, rule, reach, toggles, sources, again, tuple(faults)
    )


def profiles_named(entries: Iterable[Entry]) -> tuple[str, ...]:
    """The profiles that the newest decision among these entries was made by; none if it cannot be read."""
    for entry in reversed([entry for entry in entries if entry.kind == "decision"]):
        try:
            named = json.loads(entry.body)["profiles"]
        except (KeyError, TypeError, ValueError):
            return ()
        return tuple(name for name in named if isinstance(name, str)) if isinstance(named, list) else ()
    return ()


def _altered(entries: Sequence[Entry]) -> list[str]:
    """Each entry by itself: does its hash still fit what it says?"""
    return [
        f"entry {entry.seq} of {entry.node} {broken.fault}"
        for entry in entries
        if isinstance(
            broken := verify([entry], after=Head(entry.node, entry.seq - 1, entry.at, entry.prev)), Broken
        )
    ]


def _missing(body: Mapping[str, Any], profiles: Profiles) -> list[str]:
    """Law that is not as it was then, so that another answer would prove nothing."""
    here = {f"{code}@{version}" for code, version in profiles.versions.items()}
    return [
        f"the bytes of profile {used} are not here: it cannot be decided again"
        for used in body["profiles"]
        if used not in here
    ]


def _decided_again(body: Mapping[str, Any], taken: Snapshot, profiles: Profiles) -> dict[str, Any] | None:
    """The stored case, decided now; none where the gate refused without asking the law."""
    if not body.get("profile_version"):
        return None
    law = Law(profiles, Operator.from_json(body["operator"]), Policy.from_json(body["policy"]))
    now = Instant(body["utc_ns"], 0)
    return answer(law.decide(facts_from_json(body["facts"]), taken, now))


def _differences(stored: Mapping[str, Any], again: Mapping[str, Any] | None, engine: str) -> list[str]:
    """The same engine answers alike to the last byte, another one alike in what matters."""
    if again is None:
        return []
    compared = tuple(again) if engine == ENGINE else ("outcome", "reason", "obligations")
    by = "" if engine == ENGINE else f" by {ENGINE}, after {engine},"
    return [
        f"`{key}` was stored as {stored.get(key)!r}, and decided again{by} it is {again[key]!r}"
        for key in compared
        if stored.get(key) != again[key]
    ]


def _beyond_the_gate(body: Mapping[str, Any], taken: Snapshot) -> list[str]:
    """What an answer in place of the law's says that the gate cannot have said. Nothing decides it again."""
    if "withheld" not in body and body.get("profile_version"):
        return []  # the law's own answer
    law = body.get("withheld")
    reason = body["reason"]
    if reason == Reason.EMERGENCY_OVERRIDE:
        for_help = facts_from_json(body["facts"]).emergency
        helped = for_help and (law is None or law["outcome"] == Outcome.DENY)
        expected: dict[str, Any] = {"outcome": Outcome.ALLOW_WITH_OBLIGATIONS.value, "permits": []}
        faults = [] if helped else [f"the gate does not answer {reason} to a call that is none for help"]
    else:
        expected = {"outcome": Outcome.DENY.value, "permits": [], "obligations": []}
        if law is not None:
            expected |= {key: law[key] for key in ("service", "jurisdiction", "profile_version")}
        faults = [] if reason in THE_GATES_OWN else [f"{reason} is no reason of the gate"]
        if reason == Reason.DENY_TELEPHONE_SWITCHED_OFF and not taken.telephone_off:
            faults.append(f"the answer was {reason}, and calls with phones were not switched off")
    return faults + [
        f"`{key}` was stored as {body.get(key)!r}, and in place of the law's answer it is {value!r}"
        for key, value in expected.items()
        if body.get(key) != value
    ]


THE_GATES_OWN = frozenset(
    {
        Reason.DENY_REGISTER_STALE,
        Reason.DENY_JOURNAL_UNAVAILABLE,
        Reason.DENY_CLOCK_UNSOUND,
        Reason.DENY_GATE_FAILED,
        Reason.DENY_TELEPHONE_SWITCHED_OFF,
        Reason.DENY_GRANT_NOT_VALID,
        Reason.DENY_EVIDENCE_LOST,
    }
)


def _people(body: Mapping[str, Any], clear: Iterable[ClearValue]) -> tuple[Datum, ...]:
    rows = {row.hash: row for row in clear}
    hashes = dict(body["people"]) | {
        role: body[role] for role in ("destination", "caller_id") if body.get(role) is not None
    }
    found = []
    for role, value_hash in hashes.items():
        row = rows.get(value_hash)
        state = clear_state(value_hash, row)
        found.append(Datum(role, value_hash, state, row.value if row and state == "present" else None))
    return tuple(found)


def _applied(
    body: Mapping[str, Any], taken: Snapshot, profiles: Profiles
) -> tuple[Literal["domestic", "international"] | None, tuple[str, ...]]:
    """Which half of the rule is meant, and by which toggles it was not asked; nothing where no law judged."""
    profile = profiles.by_code.get(body["jurisdiction"])
    if profile is None:
        return None, ()
    facts, now = facts_from_json(body["facts"]), Instant(body["utc_ns"], 0)
    judgement = Judgement(Case(facts, profiles), profile, now, look(facts))
    reach: Literal["domestic", "international"] = "domestic" if judgement.is_domestic() else "international"
    if body.get("withheld", body)["reason"] != Reason.DENY_SERVICE_DISABLED:
        return reach, ()
    return reach, tuple(each.key for each in taken.toggles if judgement.is_toggled_off((each,)))


def _rule(body: Mapping[str, Any], profiles: Profiles) -> tuple[ServiceRule | None, dict[str, Any]]:
    profile = profiles.by_code.get(body["jurisdiction"])
    rule = None if profile is None else profile.services.get(body["service"])
    if profile is None or rule is None:
        return None, {}
    if profile.with_telephone_leg is not None and facts_from_json(body["facts"]).telephone:
        instead = profile.with_telephone_leg  # what was decided by, whatever the class alone says
        rule = rule.model_copy(update={"domestic": instead, "international": instead})
    return rule, {key: profile.sources[key] for key in rule.sources if key in profile.sources}
