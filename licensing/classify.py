"""Live legs -> service class. The class is a function of routes and roles, never of what anybody calls it."""

from dataclasses import dataclass
from enum import StrEnum

from licensing.facts import UNKNOWN_COUNTRIES, CallFacts, Leg, LegKind, Medium, Role
from licensing.numbering import NumberType

_VOICE = (Medium.AUDIO,)


class ServiceClass(StrEnum):
    """What kind of service a call is, as licences tell them apart."""

    APP_VOICE = "app_voice"
    APP_VIDEO = "app_video"
    PSTN_OUT = "pstn_out"
    PSTN_IN = "pstn_in"
    PSTN_BRIDGE = "pstn_bridge"
    CONF_APP = "conf_app"
    CONF_PSTN = "conf_pstn"
    TEXT_APP = "text_app"
    SMS_OUT = "sms_out"
    SMS_IN = "sms_in"
    STORE_FORWARD = "store_forward"
    CALL_CENTRE = "call_centre"

    @property
    def telephone(self) -> bool:
        """Is a telephone always part of it?"""
        return self in _WITH_TELEPHONE


_WITH_TELEPHONE = {
    ServiceClass.PSTN_OUT,
    ServiceClass.PSTN_IN,
    ServiceClass.PSTN_BRIDGE,
    ServiceClass.CONF_PSTN,
    ServiceClass.SMS_OUT,
    ServiceClass.SMS_IN,
    ServiceClass.CALL_CENTRE,
}


@dataclass(slots=True)
class Seen:
    """A call's legs, looked at once for all that a decision asks of them."""

    service: ServiceClass
    parties: tuple[Leg, ...]
    origin: Leg | None
    telephone: bool
    emergency: bool
    called: tuple[NumberType, ...]  # of everybody's number but the origin's
    untyped: bool  # is a telephone called of whose number the type is not known?
    unlocated: tuple[LegKind, ...]  # of the parties of which nobody knows where they are


def look(facts: CallFacts) -> Seen:
    """Go through the legs of a call. Total: every graph has a class."""
    parties, phones, phone_calls, untyped = facts.parties, 0, False, False
    origin: Leg | None = None
    called: list[NumberType] = []
    unlocated: list[LegKind] = []
    for leg in facts.legs:
        kind = leg.kind
        if leg.role is Role.ORIGIN:
            origin = origin or leg
            phone_calls = phone_calls or kind is LegKind.PSTN
        elif leg.number_type is not None:
            called.append(leg.number_type)
        elif kind is LegKind.PSTN:
            untyped = True
        if kind is LegKind.PSTN:
            phones += 1
        if leg.country in UNKNOWN_COUNTRIES and kind is not LegKind.MEDIA:
            unlocated.append(kind)
    return Seen(
        _class(facts, len(parties), phones, phone_calls),
        parties,
        origin,
        phones > 0,
        NumberType.EMERGENCY in called,
        tuple(called),
        untyped,
        tuple(unlocated),
    )


def classify(facts: CallFacts) -> ServiceClass:
    """The class of the call as its legs stand."""
    return look(facts).service


def _class(facts: CallFacts, parties: int, phones: int, phone_calls: bool) -> ServiceClass:
    if facts.purpose == "third_party_call_centre" and parties == 2 and phones == 1:
        return ServiceClass.CALL_CENTRE
    media = facts.media
    if media != _VOICE:
        if Medium.SMS in media:
            return ServiceClass.SMS_IN if phone_calls else ServiceClass.SMS_OUT
        if Medium.TEXT in media and all(medium is Medium.TEXT for medium in media):
            return ServiceClass.TEXT_APP
        if Medium.VOICEMAIL in media:
            return ServiceClass.STORE_FORWARD
    if parties >= 3:
        return ServiceClass.CONF_PSTN if phones else ServiceClass.CONF_APP
    if phones == 2:
        return ServiceClass.PSTN_BRIDGE
    if phones == 1:
        return ServiceClass.PSTN_IN if phone_calls else ServiceClass.PSTN_OUT
    return ServiceClass.APP_VIDEO if Medium.VIDEO in media else ServiceClass.APP_VOICE
