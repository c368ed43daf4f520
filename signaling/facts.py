"""The facts of a call or text, from what is known about its people and what the operator states.

Nothing is guessed. A person of whom nothing is known is in an unknown country; where a device connects from
says nothing about that.
"""

from dataclasses import dataclass

from licensing.facts import (
    CallFacts,
    Leg,
    Medium,
    PresentedCli,
    Role,
    ServiceOffer,
    Source,
    app_leg,
    calling_leg,
    phone_leg,
    sure,
)
from licensing.numbering import Number, Place, Unplaced, canonicalise
from signaling.core.holder import Basis, Person
from signaling.ports.holders import HolderRows
from wephone.protocol.ids import UserId

Telephone = Number | Unplaced
"""Something that was dialled: a number, or what might be one and cannot be placed."""

PUBLIC = ServiceOffer()
_SOURCES = {Basis.VERIFIED: Source.ACCOUNT, Basis.DECLARED: Source.DECLARED}


@dataclass(frozen=True, slots=True)
class Offer:
    """What the operator states about the service as a whole; each is a fact of every decision."""

    homes: tuple[str, ...] = ()  # ISO 3166-1 alpha-2, where the operator is at home
    to: ServiceOffer = PUBLIC
    equipment_in: tuple[str, ...] | None = None  # none: not stated


def facts_between(offer: Offer, caller: Person, callee: Person, media: tuple[Medium, ...]) -> CallFacts:
    """Of two accounts. Identity is verified if it is of both."""
    return CallFacts(
        legs=(leg_of(Role.ORIGIN, caller), leg_of(Role.DESTINATION, callee)),
        media=media,
        identity_verified=sure(caller.facts.identity_verified, callee.facts.identity_verified),
        registered_location=True if caller.facts.emergency_address is not None else None,
        service_offer=offer.to,
        equipment_in=offer.equipment_in,
    )


def facts_to_number(
    offer: Offer, caller: Person, to: Telephone, media: tuple[Medium, ...], payer: Person
) -> CallFacts:
    """Of an account and a telephone. The number shown was verified to be the payer's, or none is.

    The payer is the caller, unless somebody else has the call go on there.
    """
    return CallFacts(
        legs=(leg_of(Role.ORIGIN, caller), phone_leg(Role.DESTINATION, to)),
        media=media,
        presented_cli=presented(payer),
        identity_verified=caller.facts.identity_verified,
        registered_location=True if caller.facts.emergency_address is not None else None,
        service_offer=offer.to,
        equipment_in=offer.equipment_in,
        number_fault=to.fault if isinstance(to, Unplaced) else None,
    )


def facts_from_number(
    offer: Offer, caller: Telephone | None, callee: Person, media: tuple[Medium, ...]
) -> CallFacts:
    """Of a telephone that calls, by the number that its carrier tells, and an account."""
    return CallFacts(
        legs=(calling_leg(caller), leg_of(Role.DESTINATION, callee)),
        media=media,
        identity_verified=callee.facts.identity_verified,
        service_offer=offer.to,
        equipment_in=offer.equipment_in,
    )


def facts_of_two_telephones(
    offer: Offer, caller: Telephone | None, to: Telephone, media: tuple[Medium, ...], payer: Person
) -> CallFacts:
    """Of a telephone that calls and one that an account would have called for it."""
    return CallFacts(
        legs=(calling_leg(caller), phone_leg(Role.DESTINATION, to)),
        media=media,
        presented_cli=presented(payer),
        identity_verified=payer.facts.identity_verified,
        service_offer=offer.to,
        equipment_in=offer.equipment_in,
        number_fault=to.fault if isinstance(to, Unplaced) else None,
    )


async def person_of(store: HolderRows, user: UserId) -> Person:
    """This user, with what is known; StoreError if that cannot be read."""
    found = await store.facts(user)
    return Person(user) if found is None else Person(user, found[0])


def leg_of(role: Role, person: Person) -> Leg:
    """The app of a person, who is where he lives as far as is known."""
    home, basis = person.facts.residence, person.facts.basis("residence")
    if home is None or basis is None:
        return app_leg(role)
    return app_leg(role, home.country, _SOURCES[basis], home.subdivision)


def presented(caller: Person) -> PresentedCli | None:
    """The caller's own number as it would be shown; none if the trunk's is."""
    shown = caller_id(caller)
    number = None if shown is None else canonicalise(shown)
    if not isinstance(number, Number):
        return None
    home = caller.facts.verified.residence
    return PresentedCli(number.country, "verified", home is not None and home.country == number.country)


def caller_id(caller: Person) -> str | None:
    """The number that a telephone would show: the first that was verified to be the caller's."""
    numbers = caller.facts.numbers
    return numbers[0].number if numbers else None


def place_of(offer: Offer, caller: Person) -> Place:
    """Where the caller's digits are read: at the address registered for help, else where he lives."""
    where = caller.facts.emergency_address or caller.facts.residence
    return Place(None if where is None else where.country, offer.homes)
