"""Cases of calls in progress: what becomes of one when a permit, or the call itself, changes."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from licensing.case import Case, Decision, Operator, Policy
from licensing.case_format import Format, Told, differ
from licensing.classify import ServiceClass
from licensing.decision import decide_one
from licensing.facts import CallFacts, Leg, LegKind, Medium, Recording, Role
from licensing.instant import Instant
from licensing.jurisdiction import Profiles
from licensing.numbering import NumberType
from licensing.permit import Permit
from licensing.progress import ON_LOSS, Event, Fate, Loss, Running, progress
from licensing.reasons import Reason


class CaseLoss(Format):
    this_call: Literal[Fate.TERMINATE_AFTER_NOTICE, Fate.LET_FINISH, "re_evaluate"]
    max_seconds: int = Field(ge=0)

    @property
    def loss(self) -> Loss:
        """What ends after being decided again ends with notice."""
        fate = Fate.LET_FINISH if self.this_call == Fate.LET_FINISH else Fate.TERMINATE_AFTER_NOTICE
        return Loss(fate, self.max_seconds)


class CaseOnLoss(Format):
    suspended: CaseLoss | None = None
    revoked: CaseLoss | None = None
    expired: CaseLoss | None = None
    toggled_off: CaseLoss | None = None
    profile_changed: CaseLoss | None = None


class ProgressPolicy(Format):
    on_loss: CaseOnLoss = CaseOnLoss()


class CaseCall(Format):
    service_class: ServiceClass
    jurisdiction: str
    emergency: bool = False
    permits: tuple[str, ...] | None = None


class CaseLeg(Format):
    kind: LegKind
    country: str | None = None
    subdivision: str | None = None


class CaseEvent(Format):
    type: Event
    effective: Literal["now"] = "now"
    leg: CaseLeg | None = None
    remaining: tuple[LegKind, ...] = ()
    new_service_class: ServiceClass | None = None
    all_parties_consented: bool = False


class ProgressInput(Format):
    call: CaseCall
    event: CaseEvent
    policy: ProgressPolicy = ProgressPolicy()


class ProgressExpected(Format):
    new_calls: str
    this_call: Fate
    max_seconds: int | None
    audit: tuple[str, ...]
    reason: Reason | None = None


class ProgressCase(Told):
    input: ProgressInput
    expected: ProgressExpected

    def differences(self, profiles: Profiles) -> Iterator[str]:
        given = self.input
        told = {f"permit_{name}": loss for name, loss in given.policy.on_loss if loss is not None}
        told |= {name.removeprefix("permit_"): loss for name, loss in told.items()}
        on_loss = {event: told[event].loss if event in told else loss for event, loss in ON_LOSS.items()}
        after = self._after(profiles) if given.event.type.re_decides else None
        if after is not None and given.event.new_service_class not in (None, after.service):
            yield from differ("new_service_class", given.event.new_service_class, after.service)
        got = progress(Running(given.call.emergency, on_loss), given.event.type, after)
        expected = self.expected
        yield from differ("new_calls", expected.new_calls, got.new_calls)
        yield from differ("this_call", expected.this_call, got.this_call)
        yield from differ("max_seconds", expected.max_seconds, got.seconds)
        yield from differ("audit", list(expected.audit), list(got.audit))
        if expected.reason is not None:
            yield from differ("reason", expected.reason, got.reason)

    def _after(self, profiles: Profiles) -> Decision:
        """The decision on the call as it would be, with everything in order but the permits."""
        call = self.input.call
        case = Case(
            facts=_after_facts(call, self.input.event),
            profiles=profiles,
            permits=_held(call, profiles),
            operator=Operator(
                "Example Operator Ltd", (call.jurisdiction,), None, ("*",), (call.jurisdiction,)
            ),
            policy=Policy(profiles=()),
        )
        return decide_one(case, call.jurisdiction, Instant(0, 0))


# The call, from the little that its case tells


_KINDS = {
    ServiceClass.PSTN_OUT: (LegKind.APP, LegKind.PSTN),
    ServiceClass.PSTN_IN: (LegKind.PSTN, LegKind.APP),
    ServiceClass.PSTN_BRIDGE: (LegKind.PSTN, LegKind.PSTN),
    ServiceClass.CONF_APP: (LegKind.APP, LegKind.APP, LegKind.APP),
    ServiceClass.CONF_PSTN: (LegKind.APP, LegKind.APP, LegKind.PSTN),
    ServiceClass.SMS_OUT: (LegKind.APP, LegKind.PSTN),
    ServiceClass.SMS_IN: (LegKind.PSTN, LegKind.APP),
    ServiceClass.CALL_CENTRE: (LegKind.APP, LegKind.PSTN),
}
_MEDIA = {
    ServiceClass.APP_VIDEO: (Medium.AUDIO, Medium.VIDEO),
    ServiceClass.TEXT_APP: (Medium.TEXT,),
    ServiceClass.SMS_OUT: (Medium.SMS,),
    ServiceClass.SMS_IN: (Medium.SMS,),
    ServiceClass.STORE_FORWARD: (Medium.VOICEMAIL,),
}


def _after_facts(call: CaseCall, event: CaseEvent) -> CallFacts:
    kinds = event.remaining or _KINDS.get(call.service_class, (LegKind.APP, LegKind.APP))
    roles = (Role.ORIGIN, Role.DESTINATION, *[Role.PARTICIPANT] * len(kinds))
    places = [CaseLeg(kind=kind, country=call.jurisdiction) for kind in kinds]
    if event.leg is not None:
        places.append(event.leg)
    legs = [
        Leg(role, place.kind, place.country, place.subdivision, NumberType.GEOGRAPHIC)
        for role, place in zip(roles, places, strict=False)
    ]
    records = event.type is Event.RECORDING_REQUESTED
    return CallFacts(
        legs=tuple(legs),
        media=_MEDIA.get(call.service_class, (Medium.AUDIO,)),
        purpose="third_party_call_centre" if call.service_class is ServiceClass.CALL_CENTRE else None,
        identity_verified=True,
        registered_location=True,
        recording=Recording(True, event.all_parties_consented) if records else None,
        equipment_in=(),
    )


def _held(call: CaseCall, profiles: Profiles) -> tuple[Permit, ...]:
    """The permits that the case names; else the value-added category of the call, and nothing else."""
    categories = _value_added(call, profiles) if call.permits is None else call.permits
    if not categories:
        return ()
    document = {
        "id": "held",
        "jurisdiction": call.jurisdiction,
        "categories": categories,
        "holder": "Example Operator Ltd",
        "valid_from": "1970-01-01",
        "verified": True,
    }
    return (Permit.model_validate(document),)


def _value_added(call: CaseCall, profiles: Profiles) -> tuple[str, ...]:
    profile = profiles.by_code.get(call.jurisdiction)
    rule = profile.services.get(call.service_class) if profile else None
    if profile is None or rule is None:
        return ()
    named = (code for codes in rule.domestic.any_of for code in codes)
    tiers = {code: profile.categories.get(code.partition("#")[0], {}).get("tier") for code in named}
    return tuple(code for code, tier in tiers.items() if tier == "value-added")
