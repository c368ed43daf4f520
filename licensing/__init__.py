"""May this service be offered, here, now, under which telecom permit?

`licensing.Gate` and the other names below are loaded when they are first used: the import costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from licensing.case import Case, Decision, Operator, Outcome, Policy
    from licensing.classify import ServiceClass
    from licensing.decision import decide
    from licensing.facts import CallFacts, LegKind, Medium, Role, app_leg, phone_leg
    from licensing.gate import Ask, Attempt, Gate, Grant, Lease, Verdict
    from licensing.instant import Instant
    from licensing.journal import EvidenceFile
    from licensing.jurisdiction import Profiles, load_profiles
    from licensing.law import Law
    from licensing.numbering import Number, Place, canonicalise
    from licensing.permit import Permit, Toggle
    from licensing.reasons import Obligation, Reason
    from licensing.register import Register

_PLACES = {
    "licensing.case": ("Case", "Decision", "Operator", "Outcome", "Policy"),
    "licensing.classify": ("ServiceClass",),
    "licensing.decision": ("decide",),
    "licensing.facts": ("CallFacts", "LegKind", "Medium", "Role", "app_leg", "phone_leg"),
    "licensing.gate": ("Ask", "Attempt", "Gate", "Grant", "Lease", "Verdict"),
    "licensing.instant": ("Instant",),
    "licensing.journal": ("EvidenceFile",),
    "licensing.jurisdiction": ("Profiles", "load_profiles"),
    "licensing.law": ("Law",),
    "licensing.numbering": ("Number", "Place", "canonicalise"),
    "licensing.permit": ("Permit", "Toggle"),
    "licensing.reasons": ("Obligation", "Reason"),
    "licensing.register": ("Register",),
}
_MODULES = {name: module for module, names in _PLACES.items() for name in names}

__all__ = [
    "Ask",
    "Attempt",
    "CallFacts",
    "Case",
    "Decision",
    "EvidenceFile",
    "Gate",
    "Grant",
    "Instant",
    "Law",
    "Lease",
    "LegKind",
    "Medium",
    "Number",
    "Obligation",
    "Operator",
    "Outcome",
    "Permit",
    "Place",
    "Policy",
    "Profiles",
    "Reason",
    "Register",
    "Role",
    "ServiceClass",
    "Toggle",
    "Verdict",
    "app_leg",
    "canonicalise",
    "decide",
    "load_profiles",
    "phone_leg",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module `licensing` has no attribute `{name}`")
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return __all__
