"""What is known about a call when it is decided: its legs as they would be, and where each fact comes from.

No field holds a name, a price or the name of a button: they are not inputs. A fact that is not known is None,
never a default. The shape is the one of the decision cases, so that stored facts can be replayed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter

from licensing.dialled import NumberFault
from licensing.numbering import Number, NumberType, Unplaced

ABROAD = (
    "XX"  # a withheld inbound caller: abroad, in an unknown country; XX is ISO 3166-1's to assign by users
)
UNKNOWN_COUNTRIES = (None, "", "??")

_STRICT = ConfigDict(extra="forbid")


class LegKind(StrEnum):
    """How a leg is reached. It keeps its kind for life."""

    APP = "app"
    PSTN = "pstn"
    PRIVATE = "private"  # a closed network's own extension
    MEDIA = "media"  # recorder, mixer, announcement: no party


class Role(StrEnum):
    ORIGIN = "origin"
    DESTINATION = "destination"
    PARTICIPANT = "participant"


class Medium(StrEnum):
    AUDIO = "audio"
    VIDEO = "video"
    TEXT = "text"
    SMS = "sms"
    VOICEMAIL = "voicemail"


class Source(StrEnum):
    """Where a fact comes from. IP geolocation may raise doubt, never clear it."""

    NUMBER = "number"  # the canonicaliser, from the number itself
    ACCOUNT = "account"  # an account field that somebody has verified, with who and when
    DECLARED = "declared"  # the holder's own word, which nobody has verified
    SETTING = "setting"  # the operator's configuration
    ROUTE = "route"  # the path that the call takes through this service
    TRUNK = "trunk"  # what a carrier signalled
    IP = "ip"
    EMERGENCY = (
        "emergency"  # supposed from the emergency number dialled, so that help is not refused for facts
    )


@dataclass(frozen=True, slots=True)
class Leg:
    """One end. `country` is ISO 3166-1 alpha-2 (or NON_GEOGRAPHIC, or ABROAD), `subdivision` ISO 3166-2."""

    __pydantic_config__ = _STRICT

    role: Role
    kind: LegKind
    country: str | None = None
    subdivision: str | None = None
    number_type: NumberType | None = None
    located_by: Source | None = None


@dataclass(frozen=True, slots=True)
class PresentedCli:
    """The caller's number as it would be shown: whose country, and by what right."""

    __pydantic_config__ = _STRICT

    country: str | None = None
    right_to_use: Literal["verified", "customer_known", "none"] = "none"
    domestic_customer_evidence: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    __pydantic_config__ = _STRICT

    requested: bool = False
    all_parties_consented: bool = False


@dataclass(frozen=True, slots=True)
class ServiceOffer:
    """To whom the service is offered. `charged` is recorded and decides nothing."""

    __pydantic_config__ = _STRICT

    audience: Literal["public", "closed_group", "own_organisation"] = "public"
    charged: bool | None = None


@dataclass(frozen=True, slots=True)
class CallFacts:
    """One call as it would be after the change that is asked for."""

    __pydantic_config__ = _STRICT

    legs: tuple[Leg, ...]
    media: tuple[Medium, ...] = (Medium.AUDIO,)
    purpose: Literal["third_party_call_centre"] | None = None
    presented_cli: PresentedCli | None = None
    identity_verified: bool | None = None
    registered_location: bool | None = None
    recording: Recording | None = None
    service_offer: ServiceOffer = ServiceOffer()
    equipment_in: tuple[str, ...] | None = None
    number_fault: NumberFault | None = None  # why the callee's number could not be placed

    @property
    def telephone(self) -> bool:
        """Does any leg reach the telephone network?"""
        return any(leg.kind is LegKind.PSTN for leg in self.legs)

    @property
    def emergency(self) -> bool:
        """A call for help: by the canonicaliser's word on a leg that is called, never by a client's flag."""
        for leg in self.legs:
            if leg.number_type is NumberType.EMERGENCY and leg.role is not Role.ORIGIN:
                return True
        return False

    @property
    def parties(self) -> tuple[Leg, ...]:
        """The live ends; recorders and announcements are none."""
        for leg in self.legs:
            if leg.kind is LegKind.MEDIA:
                return tuple(each for each in self.legs if each.kind is not LegKind.MEDIA)
        return self.legs

    @property
    def origin(self) -> Leg | None:
        for leg in self.legs:
            if leg.role is Role.ORIGIN:
                return leg
        return None


def app_leg(
    role: Role,
    country: str | None = None,
    located_by: Source | None = None,
    subdivision: str | None = None,
) -> Leg:
    """A user of this service, wherever their account says they are."""
    if not country:
        return Leg(role, LegKind.APP)
    return Leg(role, LegKind.APP, country, subdivision, located_by=located_by)


def calling_leg(number: Number | Unplaced | None) -> Leg:
    """A telephone that calls in, by the number that the carrier gave; none if it was withheld."""
    if number is None:
        return Leg(Role.ORIGIN, LegKind.PSTN, ABROAD, located_by=Source.TRUNK)
    return phone_leg(Role.ORIGIN, number)


def phone_leg(role: Role, number: Number | Unplaced) -> Leg:
    """A telephone, from its canonical number alone. What could not be placed stays unknown."""
    if isinstance(number, Unplaced):
        return Leg(role, LegKind.PSTN)
    return Leg(role, LegKind.PSTN, number.country, number.subdivision, number.type, Source.NUMBER)


def sure(one: bool | None, other: bool | None) -> bool | None:
    """True if it is so of both, false if it is known not to be so of one."""
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


_READER = TypeAdapter(CallFacts)


def facts_from_json(value: Mapping[str, Any]) -> CallFacts:
    """Facts as `facts_to_json` wrote them. pydantic's ValidationError names the field that is wrong."""
    return _READER.validate_python(value)


def facts_to_json(facts: CallFacts) -> dict[str, Any]:
    """Facts for the journal: only what is known, in the shape of the decision cases."""
    written: dict[str, Any] = _READER.dump_python(facts, mode="json", exclude_none=True)
    return written
