"""Live legs -> service class. The class is a function of routes and roles, never of what anybody calls it."""

from enum import StrEnum

from licensing.facts import CallFacts, LegKind, Medium, Role


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


def classify(facts: CallFacts) -> ServiceClass:
    """The class of the call as its legs stand. Total: every graph has one."""
    parties = facts.parties
    phones, phone_calls = 0, False
    for leg in parties:
        if leg.kind is LegKind.PSTN:
            phones += 1
            phone_calls = phone_calls or leg.role is Role.ORIGIN
    if facts.purpose == "third_party_call_centre" and len(parties) == 2 and phones == 1:
        return ServiceClass.CALL_CENTRE
    if Medium.SMS in facts.media:
        return ServiceClass.SMS_IN if phone_calls else ServiceClass.SMS_OUT
    if Medium.TEXT in facts.media and all(medium is Medium.TEXT for medium in facts.media):
        return ServiceClass.TEXT_APP
    if Medium.VOICEMAIL in facts.media:
        return ServiceClass.STORE_FORWARD
    if len(parties) >= 3:
        return ServiceClass.CONF_PSTN if phones else ServiceClass.CONF_APP
    if phones == 2:
        return ServiceClass.PSTN_BRIDGE
    if phones == 1:
        return ServiceClass.PSTN_IN if phone_calls else ServiceClass.PSTN_OUT
    return ServiceClass.APP_VIDEO if Medium.VIDEO in facts.media else ServiceClass.APP_VOICE
