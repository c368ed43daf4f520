"""What would be decided under other permits, toggles, policy or law? Decisions replayed and counted. Pure.

Most calls are alike: entries that differ in nothing but people and time are put together by their text alone,
and each kind is decided once for every span of time in which no date in the register changes anything.
"""

import json
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from licensing.case import Case, Decision, Operator, Outcome, Policy
from licensing.decision import decide
from licensing.facts import facts_from_json
from licensing.instant import Instant
from licensing.jurisdiction import Profiles
from licensing.law import ENGINE
from licensing.permit import Permit, StatusEvent, Toggle, next_change
from licensing.ports import RegisterRow
from licensing.requirement import Reading
from licensing.snapshot import Snapshot, as_of

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)  # since when a supposed suspension or revocation holds
_OF_A_STREAM = {"format", "passed", "checkpoint"}  # lines of our own streams that are about themselves
_LEG = re.compile(r'"leg":"[^"]*",')
EXAMPLES = 3  # decisions that are named of each kind that flips


class WhatIfError(Exception):
    """The question or a record makes no sense: one sentence with the value."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is supposed. A permit stands in the place of one with its id; the rest is of permits by id."""

    permits: tuple[Permit, ...] = ()
    without: frozenset[str] = frozenset()
    suspended: frozenset[str] = frozenset()
    revoked: frozenset[str] = frozenset()
    reinstated: frozenset[str] = frozenset()  # as though they had never been suspended
    toggles: tuple[Toggle, ...] = ()  # one stands in the place of one with its key
    reading: Reading | None = None
    verified: bool | None = None  # does the policy ask for permits that were verified?
    judges: tuple[str, ...] | None = None  # the policy's profiles

    @property
    def named(self) -> frozenset[str]:
        """The permits that have to be there for the question to make sense."""
        return self.without | self.suspended | self.revoked | self.reinstated

    def permits_in(self, taken: Snapshot) -> tuple[Permit, ...]:
        """The permits of a register with these changes."""
        filed = {permit.id: permit for permit in (*taken.permits, *self.permits)}
        kept = (permit for permit in filed.values() if permit.id not in self.without)
        return tuple(self._changed(permit) for permit in sorted(kept, key=lambda permit: permit.id))

    def toggles_in(self, taken: Snapshot) -> tuple[Toggle, ...]:
        return tuple({toggle.key: toggle for toggle in (*taken.toggles, *self.toggles)}.values())

    def policy(self, policy: Policy) -> Policy:
        return replace(
            policy,
            reading=policy.reading if self.reading is None else self.reading,
            require_verified_permits=policy.require_verified_permits
            if self.verified is None
            else self.verified,
            profiles=policy.profiles if self.judges is None else self.judges,
        )

    def _changed(self, permit: Permit) -> Permit:
        events = permit.status_events
        if permit.id in self.reinstated:
            events = tuple(event for event in events if event.status != "suspended")
        if permit.id in self.suspended:
            events = (*(each for each in events if each.status != "suspended"), _since_ever("suspended"))
        if permit.id in self.revoked:
            events = (_since_ever("revoked"),)
        return (
            permit if events is permit.status_events else permit.model_copy(update={"status_events": events})
        )


def _since_ever(status: str) -> StatusEvent:
    return StatusEvent.model_validate({"status": status, "from": ALWAYS})


@dataclass(frozen=True, slots=True)
class Record:
    """A decision of the past, or one that is supposed: `kind` is all that it was decided on, as text."""

    kind: str
    utc_ns: int
    decision: str = ""  # its id
    seconds: int = 0  # that were talked under it
    user: str | None = None  # who asked, by a name that tells users apart and nothing else


def record(entry: str, decision: str = "", seconds: int = 0, user: str | None = None) -> Record:
    """A record from the text of its entry, canonical JSON as the journal has it. WhatIfError if it is none.

    Read by marks rather than parsed: keys are sorted, and no text that anybody chose stands between them.
    """
    begin, people = entry.find('"engine":'), entry.find('"people":')
    rest, utc = entry.find("}", people), entry.rfind('"utc":')
    end = at = entry.find('"utc_ns":', utc) + 9
    while entry[end : end + 1].isdigit():
        end += 1
    if not -1 < begin < people < rest < utc < at < end:
        return _parsed(entry, decision, seconds, user)
    kind = _LEG.sub("", f"{entry[begin:people]}{entry[rest + 2 : utc]}{entry[end + 1 : -1]}")
    return Record(kind.strip(","), int(entry[at:end]), decision, seconds, user)


def _parsed(entry: str, decision: str, seconds: int, user: str | None) -> Record:
    """The same of an entry that is written in another way, or has facts and time alone."""
    try:
        body = json.loads(entry)
        at = body.pop("utc_ns")
        for key in ("people", "utc", "utc_local", "call", "leg", "again", "destination", "caller_id"):
            body.pop(key, None)
        body["facts"]["legs"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WhatIfError(f"is no decision: {error} (found {entry!r:.80})") from None
    if type(at) is not int:
        raise WhatIfError(f"utc_ns: is no whole number (found {at!r:.80})")
    return Record(json.dumps(body, sort_keys=True)[1:-1], at, decision, seconds, user)


def read_line(line: str) -> Record | None:
    """A record from a line of the server's replay, an export, or a file of facts; none if it holds none.

    WhatIfError if it is nothing of these.
    """
    line = line.strip()
    place = line.find('"entry":')
    if place > 0 and line.startswith('{"decision":"'):
        head = _parsed_object(f"{line[:place].rstrip(',')}}}")
        return record(line[place + 8 : -1], str(head["decision"]), int(head["seconds"]), head["user"])
    found = _parsed_object(line)
    if "kind" in found:
        return record(str(found["body"]), str(found["subject"])) if found["kind"] == "decision" else None
    if "facts" in found:
        return _parsed(line, str(found.get("decision", "")), 0, None)
    if found.keys() & _OF_A_STREAM:
        return None
    raise WhatIfError(f"is no decision, and has no `facts` (found {line!r:.80})")


def _parsed_object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:  # JSON's own errors carry line and column
        raise WhatIfError(f"is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise WhatIfError(f"is no object (found {text!r:.80})")
    return found


@dataclass(slots=True)
class Tally:
    """How often, for how long, for how many, and the first few by their ids."""

    decisions: int = 0
    seconds: int = 0
    users: set[str] = field(default_factory=set)
    examples: list[str] = field(default_factory=list)

    def count(self, seen: Record) -> None:
        self.decisions += 1
        self.seconds += seen.seconds
        if seen.user is not None:
            self.users.add(seen.user)
        if seen.decision and len(self.examples) < EXAMPLES:
            self.examples.append(seen.decision)

    def add(self, other: "Tally") -> None:
        self.decisions += other.decisions
        self.seconds += other.seconds
        self.users |= other.users
        self.examples = [*self.examples, *other.examples][:EXAMPLES]


Kinds = dict[tuple[str, int], Tally]  # all that was decided on, and the span of time -> how often


@dataclass(frozen=True, slots=True)
class Answer:
    """What was decided, or would be: enough to tell whether it is another."""

    allowed: bool
    reason: str
    service: str
    jurisdiction: str


@dataclass(frozen=True, slots=True)
class Flip:
    """Decisions that would be others, and how many."""

    before: Answer
    after: Answer
    tally: Tally


@dataclass(frozen=True, slots=True)
class Outlook:
    """The answer. What the gate decided without the law, or against it, is left out and counted."""

    all: Tally
    left_out: int
    other_basis: int  # decided by another engine, or by editions of profiles that are not here
    flips: tuple[Flip, ...]  # those that lose first, the most frequent first

    def flipped(self, *, lost: bool) -> Tally:
        """All that was allowed and would be refused; or the other way round."""
        total = Tally()
        for flip in self.flips:
            if flip.before.allowed is lost and flip.after.allowed is not lost:
                total.add(flip.tally)
        return total


@dataclass(frozen=True, slots=True)
class Supposed:
    """The question: what is supposed, by whose law. `at`: all is asked as of this one moment."""

    changes: Changes
    rows: tuple[RegisterRow, ...]  # every version of everything in the register
    profiles: Profiles  # that judge, with those that are supposed
    operator: Operator  # of records that state none
    policy: Policy
    at: Instant | None = None
    here: Profiles | None = None  # that judge without the supposition, where they are others


class Replay:
    """Decides records under what is supposed. WhatIfError if it names a permit that is not there."""

    def __init__(self, supposed: Supposed) -> None:
        self._supposed, self._changes = supposed, supposed.changes
        self._epoch = max((row.epoch for row in supposed.rows), default=0)
        self._registers = {
            epoch: as_of(supposed.rows, epoch) for epoch in {0, *(r.epoch for r in supposed.rows)}
        }
        self._supposed_in: dict[int, tuple[tuple[Permit, ...], tuple[Toggle, ...]]] = {}
        there = {permit.id for permit in (*self._registers[self._epoch].permits, *self._changes.permits)}
        if missing := sorted(self._changes.named - there):
            raise WhatIfError(f"there is no permit `{missing[0]}`")
        for code in self._changes.judges or ():
            if code not in supposed.profiles.by_code:
                raise WhatIfError(f"there is no profile `{code}`")
        self._moments = [] if supposed.at else self._dates()

    def count(self, records: Iterable[Record], counted: Kinds | None = None) -> Kinds:
        """How often there is each kind, in each span of time in which no date changes anything.

        Added to what is `counted` already, if that is given.
        """
        kinds: Kinds = {} if counted is None else counted
        for each in records:
            key = each.kind, bisect_right(self._moments, each.utc_ns)
            tally = kinds.get(key)
            if tally is None:
                tally = kinds[key] = Tally()
            tally.count(each)
        return kinds

    def outlook(self, kinds: Kinds) -> Outlook:
        """What would be decided otherwise. WhatIfError if a record cannot be decided at all."""
        all, left_out, other_basis = Tally(), 0, 0
        flips: dict[tuple[Answer, Answer], Tally] = defaultdict(Tally)
        for (kind, span), tally in kinds.items():
            body = _body(kind)
            all.add(tally)
            if self._supposed.at is None and _is_the_gates(body):
                left_out += tally.decisions
                continue
            if self._is_other_basis(body):
                other_basis += tally.decisions
            before, after = self._answers(body, span)
            if before != after:
                flips[before, after].add(tally)
        found = [Flip(before, after, tally) for (before, after), tally in flips.items()]
        found.sort(
            key=lambda flip: (_rank(flip), -flip.tally.decisions, flip.before.reason, flip.after.reason)
        )
        return Outlook(all, left_out, other_basis, tuple(found))

    def _answers(self, body: Mapping[str, Any], span: int) -> tuple[Answer, Answer]:
        """As it was and as it would be."""
        asked, changes = self._supposed, self._changes
        try:
            facts = facts_from_json(body["facts"])
            operator = Operator.from_json(body["operator"]) if "operator" in body else asked.operator
            policy = Policy.from_json(body["policy"]) if "policy" in body else asked.policy
            epoch = self._epoch if asked.at else min(int(body.get("epoch", self._epoch)), self._epoch)
        except (KeyError, TypeError, ValueError) as error:  # pydantic's ValidationError is a ValueError
            raise WhatIfError(f"a decision cannot be read: {error}") from None
        if asked.at:
            operator, policy = asked.operator, asked.policy
        now = asked.at or Instant(self._moments[span - 1] if span else 0, 0)
        taken, profiles = self._register(epoch), asked.here or asked.profiles
        permits, toggles = self._with_changes(taken)
        if "outcome" in body and asked.at is None:
            before = _said(body)
        else:
            before = _answer(
                decide(Case(facts, profiles, taken.permits, taken.toggles, operator, policy), now)
            )
        case = Case(facts, asked.profiles, permits, toggles, operator, changes.policy(policy))
        return before, _answer(decide(case, now))

    def _register(self, epoch: int) -> Snapshot:
        """As it was then. An epoch that changed nothing in it is not among those that are kept."""
        return self._registers[max((known for known in self._registers if known <= epoch), default=0)]

    def _with_changes(self, taken: Snapshot) -> tuple[tuple[Permit, ...], tuple[Toggle, ...]]:
        if taken.epoch not in self._supposed_in:
            self._supposed_in[taken.epoch] = self._changes.permits_in(taken), self._changes.toggles_in(taken)
        return self._supposed_in[taken.epoch]

    def _dates(self) -> list[int]:
        """The UTC nanoseconds at which a date of a permit, as it was or would be, may change an answer."""
        filed = {permit for taken in self._registers.values() for permit in taken.permits}
        filed |= {permit for taken in self._registers.values() for permit in self._with_changes(taken)[0]}
        moments = set[int]()
        for permit in filed:
            for zone in {p.zone_of(permit.jurisdiction) for p in self._supposed.profiles.by_code.values()}:
                moment = next_change(permit, zone, 0)
                while moment is not None:
                    moments.add(moment)
                    moment = next_change(permit, zone, moment)
        return sorted(moments)

    def _is_other_basis(self, body: Mapping[str, Any]) -> bool:
        here = (self._supposed.here or self._supposed.profiles).versions
        used = {f"{code}@{version}" for code, version in here.items()}
        return body.get("engine", ENGINE) != ENGINE or not used.issuperset(body.get("profiles", ()))


def _body(kind: str) -> dict[str, Any]:
    try:
        body: dict[str, Any] = json.loads(f"{{{kind}}}")
    except ValueError as error:
        raise WhatIfError(f"a decision cannot be read: {error}") from None
    return body


def _is_the_gates(body: Mapping[str, Any]) -> bool:
    """Did the gate decide without the law, or against it (a stale register, the panic switch)?"""
    return "withheld" in body or ("fault" in body and not body.get("profile_version"))


def _said(body: Mapping[str, Any]) -> Answer:
    return Answer(body["outcome"] != Outcome.DENY, str(body.get("reason")), str(body.get("service")),
                  str(body.get("jurisdiction")))  # fmt: skip


def _answer(decision: Decision) -> Answer:
    return Answer(decision.allows, decision.reason.value, decision.service.value, decision.jurisdiction)


def _rank(flip: Flip) -> int:
    """Lost, gained, the same for another reason."""
    if flip.before.allowed == flip.after.allowed:
        return 2
    return 0 if flip.before.allowed else 1
