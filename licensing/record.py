"""A decision as an entry of the chain: all that is needed to explain it, and to decide it again. Pure.

Numbers and names enter as salted hashes; their clear values go beside the chain until their date.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from json.encoder import encode_basestring_ascii as quoted
from typing import Any
from zoneinfo import ZoneInfo

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


@dataclass(frozen=True)
class Basis:
    """By what a decision is made, besides facts and permits; ready for JSON."""

    engine: str
    policy: Mapping[str, Any]
    operator: Mapping[str, Any]
    profiles: tuple[str, ...]

    @cached_property
    def texts(self) -> dict[str, str]:
        """Its fields as they stand in an entry, each canonical JSON."""
        return {
            "engine": quoted(self.engine),
            "policy": canonical(self.policy),
            "operator": canonical(self.operator),
            "profiles": _listed(self.profiles),
        }


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
    zone: str = "UTC"  # the regulator's


def entry(
    ask: Ask, decision: Decision, made: Circumstances, basis: Basis, random: Random, keep: int = KEEP
) -> Draft:
    """The draft of a decision's entry."""
    clear: list[ClearValue] = []

    def sealed(value: str) -> str:
        clear.append(seal(value, random(SALT), made.at.utc_us + keep))
        return clear[-1].hash

    # Each value as canonical JSON: most of an entry is the same for many calls, and is written out once.
    texts = {
        **basis.texts,
        **_answer_texts(decision),
        "facts": _facts_text(ask.facts),
        "call": quoted(ask.subject),
        "people": _object({role: quoted(sealed(value)) for role, value in ask.people.items()}),
        "epoch": str(made.epoch),
        "utc": quoted(made.at.utc.isoformat()),
        "utc_local": quoted(local(made.at, made.zone)),
        "utc_ns": str(made.at.utc_ns),
    }
    if ask.destination is not None:
        texts["destination"] = quoted(sealed(ask.destination.address))
    if ask.caller_id is not None:
        texts["caller_id"] = quoted(sealed(ask.caller_id))
    if made.withheld is not None:
        texts["withheld"] = canonical(answer(made.withheld))
    if made.winds_down is not None:
        texts["winds_down"] = str(made.winds_down)
    optional = {"leg": ask.leg, "trunk": ask.trunk, "again": made.again, "fault": made.fault}
    texts |= {key: quoted(value) for key, value in optional.items() if value is not None}
    return Draft("decision", made.id, made.at.utc_us, _object(texts), tuple(clear))


def local(at: Instant, zone: str) -> str:
    """The same moment on a clock of that zone, which it names (RFC 9557)."""
    return f"{at.utc.astimezone(ZoneInfo(zone)).isoformat()}[{zone}]"


def _object(texts: Mapping[str, str]) -> str:
    """A JSON object of values that are canonical JSON already."""
    return "{" + ",".join([f"{quoted(key)}:{texts[key]}" for key in sorted(texts)]) + "}"


def _listed(values: Iterable[str]) -> str:
    return "[" + ",".join(map(quoted, values)) + "]"


@lru_cache(4096)
def _facts_text(facts: CallFacts) -> str:
    return canonical(facts_to_json(facts))


@lru_cache(4096)
def _answer_texts(decision: Decision) -> dict[str, str]:
    """The fields of `answer` that are known, each as canonical JSON."""
    answered = {key: value for key, value in answer(decision).items() if value is not None}
    return {key: canonical({key: value})[len(key) + 4 : -1] for key, value in answered.items()}


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
