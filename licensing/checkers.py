"""Who checked a permit is a person: permits and chain have a salted hash, and the name lies beside it. Pure.

A permit's document is hashed into the chain and handed over with it, so that a name in it could never go.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from licensing.audit import SALT, ClearValue, clear_state, seal
from licensing.changes import Change, Put
from licensing.permit import Permit
from licensing.snapshot import PERMIT

_HASH = re.compile("[0-9a-f]{64}")

Random = Callable[[int], bytes]


def sealed(change: Change, random: Random, delete_after: int) -> tuple[Change, tuple[ClearValue, ...]]:
    """The change with the names of checkers as hashes, and the names. Those of earlier versions stay."""
    names: list[ClearValue] = []

    def without_name(evidence: Mapping[str, Any]) -> Mapping[str, Any]:
        name = evidence["checked_by"]
        if name is None or _HASH.fullmatch(name):
            return evidence
        names.append(seal(name, random(SALT), delete_after))
        return {**evidence, "checked_by": names[-1].hash}

    def without_names(put: Put) -> Put:
        if put.kind != PERMIT or put.document is None:
            return put
        return replace(
            put, document={**put.document, "evidence": [*map(without_name, put.document["evidence"])]}
        )

    return replace(change, puts=tuple(map(without_names, change.puts))), tuple(names)


def sealed_names(permits: Iterable[Permit]) -> list[str]:
    """The hashes that stand in these permits for names."""
    found = (each.checked_by for permit in permits for each in permit.evidence)
    return [name for name in found if name is not None and _HASH.fullmatch(name)]


def opened(permit: Permit, names: Mapping[str, ClearValue]) -> Permit:
    """The permit with the names that are still there; where one was erased, or altered, the hash stays."""

    def clear(hash_in_chain: str | None) -> str | None:
        row = None if hash_in_chain is None else names.get(hash_in_chain)
        if row is None or hash_in_chain is None or clear_state(hash_in_chain, row) != "present":
            return hash_in_chain
        return row.value

    if not permit.evidence:
        return permit
    evidence = [each.model_copy(update={"checked_by": clear(each.checked_by)}) for each in permit.evidence]
    return permit.model_copy(update={"evidence": tuple(evidence)})


def alike(permit: Permit, filed: Permit | None) -> bool:
    """Is it what was filed, as far as can be told? A name and its hash are not told apart here."""
    if filed is None or len(permit.evidence) != len(filed.evidence):
        return False
    evidence = [
        new.model_copy(update={"checked_by": old.checked_by})
        if new.checked_by and old.checked_by and _HASH.fullmatch(old.checked_by)
        else new
        for new, old in zip(permit.evidence, filed.evidence, strict=True)
    ]
    return permit.model_copy(update={"evidence": tuple(evidence)}) == filed
