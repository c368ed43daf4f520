"""What a decision is made from, and the decision itself: values alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from licensing.classify import ServiceClass
from licensing.facts import UNKNOWN_COUNTRIES, CallFacts
from licensing.jurisdiction import Profiles
from licensing.numbering import NumberType
from licensing.permit import Permit, Toggle
from licensing.reasons import Alternative, Obligation, Reason, Text
from licensing.requirement import Reading

BASELINE = "baseline"
BLOCKED = (NumberType.PREMIUM, NumberType.INTERNATIONAL_PREMIUM, NumberType.UNALLOCATED)


class Outcome(StrEnum):
    """`ALLOW_WITH_OBLIGATIONS`: something must be done for this very call."""

    ALLOW = "allow"
    ALLOW_WITH_OBLIGATIONS = "allow_with_obligations"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Operator:
    """Who offers the service. Countries are ISO 3166-1 alpha-2, `seat` is ISO 3166-2."""

    legal_entity: str | None = None
    home: tuple[str, ...] = ()
    seat: str | None = None
    services_enabled: tuple[str, ...] = ("*",)
    emergency_route: tuple[str, ...] = ()  # countries whose emergency calls a trunk of ours carries

    def offers(self, service: ServiceClass) -> bool:
        """Has the operator left this class switched on?"""
        return "*" in self.services_enabled or service.value in self.services_enabled

    def helping_country(self, origin: str | None) -> str | None:
        """Where a call for help is made; where that is unknown, the first home country with a route."""
        if origin is not None and origin not in UNKNOWN_COUNTRIES:
            return origin
        return next((country for country in self.home if country in self.emergency_route), None)

    def to_json(self) -> dict[str, Any]:
        return {
            "legal_entity": self.legal_entity,
            "home": list(self.home),
            "seat": self.seat,
            "services_enabled": list(self.services_enabled),
            "capabilities": {"emergency_route": list(self.emergency_route)},
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Operator":
        """The inverse of `to_json`; KeyError or TypeError for anything else."""
        return cls(
            value["legal_entity"],
            tuple(value["home"]),
            value["seat"],
            tuple(value["services_enabled"]),
            tuple(value["capabilities"]["emergency_route"]),
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator chose among defensible readings, and which profiles judge."""

    reading: Reading = Reading.CONSERVATIVE
    require_verified_permits: bool = True
    emergency_override: bool = True
    block_number_types: tuple[NumberType, ...] = BLOCKED
    profiles: tuple[str, ...] = (BASELINE,)  # that one alone judges; others judge beside all that govern
    destination_only: tuple[str, ...] = ()  # countries without a profile that may be called all the same

    def to_json(self) -> dict[str, Any]:
        return {
            "ambiguity": self.reading.value,
            "require_verified_permits": self.require_verified_permits,
            "emergency_override": self.emergency_override,
            "block_number_types": [kind.value for kind in self.block_number_types],
            "profiles": list(self.profiles),
            "destination_only": list(self.destination_only),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Policy":
        """The inverse of `to_json`; KeyError or ValueError for anything else."""
        return cls(
            Reading(value["ambiguity"]),
            value["require_verified_permits"],
            value["emergency_override"],
            tuple(NumberType(kind) for kind in value["block_number_types"]),
            tuple(value["profiles"]),
            tuple(value["destination_only"]),
        )


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that a decision is made from, besides the instant."""

    facts: CallFacts
    profiles: Profiles
    permits: tuple[Permit, ...] = ()
    toggles: tuple[Toggle, ...] = ()
    operator: Operator = field(default_factory=Operator)
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer. `obligations` are per call and standing; `permits` are "id@version", as relied on."""

    outcome: Outcome
    reason: Reason
    text: Text
    service: ServiceClass
    jurisdiction: str
    obligations: tuple[Obligation, ...] = ()
    permits: tuple[str, ...] = ()
    profile_version: str = ""
    uncertain: bool = False
    permit_needed: str | None = None
    alternative: Alternative | None = None

    @property
    def allows(self) -> bool:
        return self.outcome is not Outcome.DENY
