"""A decision as an entry of the chain: all that is needed to explain it, and to decide it again. Pure.

Numbers and names enter as salted hashes; their clear values go beside the chain until their date.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from licensing.audit import SALT, ClearValue, Draft, canonical, seal
from licensing.case import Decision, Outcome
from licensing.facts import CallFacts, facts_to_json
from licensing.identity import DecisionId
from licensing.instant import Instant
from licensing.numbering import Number

KEEP = 183 * 24 * 3600 * 1_000_000  # microseconds that names and numbers stay in clear: six months

Random = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody wants to do, before it is done."""

    subject: str  # id of the call or text, as the edges name it
    facts: CallFacts  # as the graph would be afterwards
    people: Mapping[str, str] = field(default_factory=dict)  # role -> name or number; sealed in the chain
    leg: str | None = None  # the leg that a grant would be for
    destination: Number | None = None  # canonical
    caller_id: str | None = None  # canonical number to be shown
    trunk: str | None = None


@dataclass(frozen=True, slots=True)
class Basis:
    """By what a decision is made, besides facts and permits; ready for JSON."""

    engine: str
    policy: Mapping[str, Any]
    operator: Mapping[str, Any]
    profiles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Under what a decision was made, for its entry."""

    id: DecisionId
    at: Instant
    epoch: int
    again: DecisionId | None = None  # the decision that this one takes the place of
    withheld: Decision | None = None  # what the law said, when the gate refused to act on it
    winds_down: int | None = None  # seconds that a running leg keeps
    fault: str | None = None  # why the gate refused, in the words of whatever failed


def entry(
    ask: Ask, decision: Decision, made: Circumstances, basis: Basis, random: Random, keep: int = KEEP
) -> Draft:
    """The draft of a decision's entry."""
    clear: list[ClearValue] = []

    def sealed(value: str | None) -> str | None:
        if value is None:
            return None
        clear.append(seal(value, random(SALT), made.at.utc_us + keep))
        return clear[-1].hash

    body = {
        "call": ask.subject,
        "leg": ask.leg,
        "trunk": ask.trunk,
        "destination": sealed(None if ask.destination is None else ask.destination.address),
        "caller_id": sealed(ask.caller_id),
        "people": {role: sealed(value) for role, value in ask.people.items()},
        "facts": facts_to_json(ask.facts),
        "epoch": made.epoch,
        "utc": made.at.utc.isoformat(),
        "utc_ns": made.at.utc_ns,
        "engine": basis.engine,
        "policy": basis.policy,
        "operator": basis.operator,
        "profiles": list(basis.profiles),
        **answer(decision),
        "again": made.again,
        "withheld": None if made.withheld is None else answer(made.withheld),
        "winds_down": made.winds_down,
        "fault": made.fault,
    }
    body = {key: value for key, value in body.items() if value is not None}
    return Draft("decision", made.id, made.at.utc_us, canonical(body), tuple(clear))


def answer(decision: Decision) -> dict[str, Any]:
    """The decision itself, as it is stored and compared."""
    return {
        "outcome": decision.outcome.value,
        "reason": decision.reason.value,
        "service": decision.service.value,
        "jurisdiction": decision.jurisdiction,
        "obligations": [obligation.value for obligation in decision.obligations],
        "permits": list(decision.permits),
        "profile_version": decision.profile_version,
        "uncertain": decision.uncertain,
        "permit_needed": decision.permit_needed,
    }


def allows(decision: Decision) -> bool:
    return decision.outcome is not Outcome.DENY
