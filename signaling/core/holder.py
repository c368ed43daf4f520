"""What is known about the holder of an account, who says so, and on what: where decisions get their facts.

What somebody has verified beats what the holder declares, and nothing else is asked: no address on the
network says where a person lives. What nobody has said is unknown, and stays so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any

from pydantic import ConfigDict, TypeAdapter

from wephone.protocol.ids import UserId

MOST_NUMBERS = 64  # of one account

_STRICT = ConfigDict(extra="forbid")


class IdentityStatus(StrEnum):
    """What came of checking who the holder is. Nobody having checked is a third thing."""

    VERIFIED = "verified"
    FAILED = "failed"


class Basis(StrEnum):
    """By what right a fact counts."""

    VERIFIED = "verified"
    DECLARED = "declared"


@dataclass(frozen=True, slots=True)
class Said:
    """Who says so: the account, when (UTC microseconds), on what.

    `entry` is the subject of the journal's entry, `evidence` the SHA-256 of the file that was looked at.
    """

    __pydantic_config__ = _STRICT

    by: str
    at: int
    entry: str
    note: str | None = None
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class Residence:
    """Where the holder lives: ISO 3166-1 alpha-2, and the part of it (ISO 3166-2) if that is said."""

    __pydantic_config__ = _STRICT

    country: str
    said: Said
    subdivision: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """The address registered for calls for help, as help would have to find it."""

    __pydantic_config__ = _STRICT

    country: str
    text: str
    said: Said


@dataclass(frozen=True, slots=True)
class Identity:
    __pydantic_config__ = _STRICT

    status: IdentityStatus
    said: Said


@dataclass(frozen=True, slots=True)
class OwnedNumber:
    """A telephone number (E.164) that somebody has verified to be the holder's, and no other account's."""

    __pydantic_config__ = _STRICT

    number: str
    said: Said


@dataclass(frozen=True, slots=True)
class Words:
    """What one side says: the holder, or whoever verified. Only the latter speaks of identity."""

    __pydantic_config__ = _STRICT

    residence: Residence | None = None
    emergency_address: Address | None = None
    identity: Identity | None = None


NOTHING = Words()


@dataclass(frozen=True, slots=True)
class HolderFacts:
    """All that is known about one holder. `numbers` in the order in which they were verified."""

    __pydantic_config__ = _STRICT

    declared: Words = NOTHING
    verified: Words = NOTHING
    numbers: tuple[OwnedNumber, ...] = ()

    @property
    def residence(self) -> Residence | None:
        """The one that counts."""
        return self.verified.residence or self.declared.residence

    @property
    def emergency_address(self) -> Address | None:
        """The one that counts."""
        return self.verified.emergency_address or self.declared.emergency_address

    @property
    def identity_verified(self) -> bool | None:
        """None: nobody has checked."""
        identity = self.verified.identity
        return None if identity is None else identity.status is IdentityStatus.VERIFIED

    def basis(self, name: str) -> Basis | None:
        """By what right the fact of this name counts; none if it is unknown."""
        if getattr(self.verified, name) is not None:
            return Basis.VERIFIED
        return None if getattr(self.declared, name) is None else Basis.DECLARED


UNKNOWN = HolderFacts()


@dataclass(frozen=True, slots=True)
class Change:
    """What is said anew: a name of `Words` with what stands there from now on, or none."""

    words: Mapping[str, Any]
    add_numbers: tuple[OwnedNumber, ...] = ()
    remove_numbers: tuple[str, ...] = ()


def changed(facts: HolderFacts, basis: Basis, change: Change) -> HolderFacts:
    """The facts after the change."""
    gone = {*change.remove_numbers, *(owned.number for owned in change.add_numbers)}
    kept = tuple(owned for owned in facts.numbers if owned.number not in gone)
    numbers = (*kept, *change.add_numbers)
    match basis:
        case Basis.DECLARED:
            return replace(facts, declared=replace(facts.declared, **change.words))
        case Basis.VERIFIED:
            return replace(facts, verified=replace(facts.verified, **change.words), numbers=numbers)


@dataclass(frozen=True, slots=True)
class Person:
    """An account as decisions see it: whose it is, and what is known about them."""

    user: UserId
    facts: HolderFacts = UNKNOWN


_READER = TypeAdapter(HolderFacts)


@lru_cache(maxsize=16_384)
def facts_from_text(text: str) -> HolderFacts:
    """Facts as the store keeps them; pydantic's ValidationError if it is something else."""
    return _READER.validate_json(text)


def facts_to_json(facts: HolderFacts) -> dict[str, Any]:
    """Facts for the store and for people: what is not known is left out."""
    document: dict[str, Any] = _READER.dump_python(facts, mode="json", exclude_defaults=True)
    return document
