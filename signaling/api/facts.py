"""Routes about what is known of an account's holder: declared by them, verified by operators."""

import logging
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from licensing.places import country_fault, e164_fault, part_fault
from signaling.api.account import limited, user_in_path
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from signaling.core.holder import MOST_NUMBERS, HolderFacts, facts_to_json
from signaling.holders import Statement
from wephone.protocol.ids import UserId
from wephone.protocol.messages import Digest, Microseconds, Model, without_control_characters

routes = Routes()
operator_routes = Routes()

MOST_HISTORY = 100  # statements that an operator is shown, of the newest

log = logging.getLogger(__name__)


def country(code: str) -> str:
    """A country of ISO 3166-1, or ValueError."""
    if fault := country_fault(code):
        raise ValueError(fault)
    return code


def part(code: str) -> str:
    """A part of a country, or ValueError."""
    if fault := part_fault(code):
        raise ValueError(fault)
    return code


def e164(text: str) -> str:
    """A number of one subscriber as E.164 writes it, or ValueError."""
    if (wrong := e164_fault(text)) is not None:
        raise ValueError(wrong)
    return text


Country = Annotated[str, AfterValidator(country)]
Part = Annotated[str, AfterValidator(part)]
E164 = Annotated[str, AfterValidator(e164)]
Line = Annotated[
    str, StringConstraints(min_length=1, max_length=256), AfterValidator(without_control_characters)
]


class Home(Model):
    """Where somebody lives: ISO 3166-1 alpha-2, and the part of that country (ISO 3166-2)."""

    country: Country
    subdivision: Part | None = None

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.subdivision is not None and self.subdivision[:2] != self.country:
            raise ValueError(f"subdivision `{self.subdivision}` is no part of country `{self.country}`")
        return self


class EmergencyAddress(Model):
    """Where help would have to come to."""

    country: Country
    text: Line


class DeclaredFacts(Model):
    """What the holder declares; null takes it back, what is left out stays as it is."""

    residence: Home | None = None
    emergency_address: EmergencyAddress | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set - {"note", "evidence"}:
            raise ValueError("must say something: " + ", ".join(self.facts_named()))
        return self

    @classmethod
    def facts_named(cls) -> list[str]:
        """The fields that say something, rather than on what it is said."""
        return [name for name in cls.model_fields if name not in ("note", "evidence")]

    def words(self) -> dict[str, dict[str, Any] | None]:
        """What is said of each thing that was named."""
        given = self.model_dump(include={"residence", "emergency_address"} & self.model_fields_set)
        return dict(given)


class VerifiedFacts(DeclaredFacts):
    """What an operator has verified, on what; null takes it back, what is left out stays as it is.

    `identity` failed is that the check went wrong, null that nobody has checked.
    """

    identity: Literal["verified", "failed"] | None = None
    add_numbers: Annotated[tuple[E164, ...], Field(max_length=MOST_NUMBERS)] = ()
    remove_numbers: Annotated[tuple[E164, ...], Field(max_length=MOST_NUMBERS)] = ()
    note: Line | None = None
    evidence: Digest | None = None

    def words(self) -> dict[str, dict[str, Any] | None]:
        said = super().words()
        if "identity" in self.model_fields_set:
            said["identity"] = None if self.identity is None else {"status": self.identity}
        return said


class CountingHome(Home):
    """The residence that decisions go by."""

    basis: Literal["verified", "declared"]


class CountingAddress(EmergencyAddress):
    """The address that decisions go by."""

    basis: Literal["verified", "declared"]


class KnownFacts(Model):
    """What decisions go by, then who said what. What is null or `unknown` is not known, and is not guessed.

    `numbers`: verified to be the holder's; the first is what telephones are shown.
    """

    name: UserId
    residence: CountingHome | None
    identity: Literal["verified", "failed", "unknown"]
    emergency_address: CountingAddress | None
    numbers: tuple[str, ...]
    said: dict[str, Any]


class PastStatement(Model):
    """One statement, by its entry in the journal; `said` is null once its time in clear is over."""

    entry: str
    at: Microseconds
    said: dict[str, Any] | None


class KnownWithHistory(KnownFacts):
    """The same, with what was said before: the newest first."""

    history: tuple[PastStatement, ...]


@routes.add("GET", "/api/account/facts", Rule.SIGNED_IN)
async def own_facts(visit: Visit) -> KnownFacts:
    """What is known about you, and who says so."""
    return KnownFacts(**shown(visit.user, await visit.parts.holders.known(visit.user)))


@routes.add("PATCH", "/api/account/facts", Rule.SIGNED_IN, status=200)
async def declare_facts(visit: Visit, body: DeclaredFacts) -> KnownFacts:
    """Declare where you live, and the address for calls for help. What was verified counts before it."""
    limited(visit, "declare", visit.parts.limits.declare(visit.user))
    facts = await visit.parts.holders.declare(visit.user, Statement(body.words()))
    return KnownFacts(**shown(visit.user, facts))


@operator_routes.add("GET", "/api/operator/accounts/{user}/facts", Rule.AUDITOR)
async def facts_of_account(visit: Visit) -> KnownWithHistory:
    """What is known about an account's holder, who said it, and what was said before."""
    user = user_in_path(visit)
    facts = await visit.parts.holders.known(user)
    history = await visit.parts.store.facts_history(user, MOST_HISTORY)
    past = tuple(
        PastStatement(entry=each.entry, at=each.at, said=None if each.said is None else dict(each.said))
        for each in history
    )
    return KnownWithHistory(**shown(user, facts), history=past)


@operator_routes.add("PATCH", "/api/operator/accounts/{user}/facts", Rule.OPERATOR, status=200)
async def verify_facts(visit: Visit, body: VerifiedFacts) -> KnownFacts:
    """Record what was verified about an account's holder. The next decision goes by it."""
    user = user_in_path(visit)
    statement = Statement(body.words(), body.add_numbers, body.remove_numbers, body.note, body.evidence)
    facts = await visit.parts.holders.verify(visit.user, user, statement)
    log.info("operator", extra={"operator": visit.user, "did": "verify-facts", "about": user})
    return KnownFacts(**shown(user, facts))


def shown(user: UserId, facts: HolderFacts) -> dict[str, Any]:
    """The fields of `KnownFacts`."""
    home, address, verified = facts.residence, facts.emergency_address, facts.identity_verified
    return {
        "name": user,
        "residence": None
        if home is None
        else {"country": home.country, "subdivision": home.subdivision, "basis": facts.basis("residence")},
        "identity": "unknown" if verified is None else "verified" if verified else "failed",
        "emergency_address": None
        if address is None
        else {"country": address.country, "text": address.text, "basis": facts.basis("emergency_address")},
        "numbers": tuple(owned.number for owned in facts.numbers),
        "said": facts_to_json(facts),
    }
