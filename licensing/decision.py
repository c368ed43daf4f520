"""May this call be, here and now, under these permits? The answer, its reason, its duties. Pure and total.

`decide` asks every profile that governs the call (`decide_one`) and merges: any deny wins, duties add up.
The order of checks, and of a permit's checks in `requirement`, is the licence model's: facts, emergency,
toggle, rule present, fraud range, permits, mandatory capability, registered address, identity, caller id.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from licensing.case import BASELINE, Case, Decision, Outcome
from licensing.classify import Seen, ServiceClass, classify, look
from licensing.facts import UNKNOWN_COUNTRIES, CallFacts, LegKind, Medium
from licensing.instant import Instant
from licensing.jurisdiction import Profile, Requirement, ServiceRule
from licensing.numbering import NumberType
from licensing.permit import Toggle
from licensing.reasons import Alternative, Obligation, Reason, Text, fault_text, is_per_call, reason_text
from licensing.requirement import FAILURES, Found, Reading, Setting, Stage, best_alternative

OWN_ORGANISATION = frozenset(  # never a class with a phone
    {ServiceClass.APP_VOICE, ServiceClass.APP_VIDEO, ServiceClass.CONF_APP, ServiceClass.TEXT_APP}
)
MET = Found(Stage.COVERS)  # where no permit is needed
UNCERTAIN = Found(Stage.COVERS, uncertain=True)


def decide(case: Case, now: Instant) -> Decision:
    """The decision on a call as it would be after the change that is asked for. Never raises."""
    decision = judged(case, now)
    if decision.outcome is not Outcome.DENY:
        return decision
    return replace(decision, alternative=nearest_alternative(case, now))


def judged(case: Case, now: Instant) -> Decision:
    """The decision itself, without looking for what could be done instead."""
    codes = governing(case)
    if len(codes) == 1:
        return decide_one(case, codes[0], now)
    return merge([decide_one(case, code, now) for code in codes]) if codes else ungoverned(case)


def governing(case: Case) -> tuple[str, ...]:
    """Whose law applies: the baseline alone; else the named, home's and each leg's country's, in that order.

    A country without a profile stands for itself, and is refused, unless the policy names it as a mere
    destination.
    """
    if BASELINE in case.policy.profiles:
        return (BASELINE,)
    countries = (*case.policy.profiles, *case.operator.home, *[leg.country for leg in case.facts.parties])
    codes: dict[str, None] = {}
    for country in dict.fromkeys(countries):
        if country is None or country in UNKNOWN_COUNTRIES:
            continue
        profile = case.profiles.profile_for(country)
        if profile is not None:
            codes[profile.code] = None
        elif country not in case.policy.destination_only or country in case.operator.home:
            codes[country] = None
    return tuple(codes)


def merge(decisions: Iterable[Decision]) -> Decision:
    """The first deny, else all duties together. There must be at least one."""
    all_of_them = list(decisions)
    for decision in all_of_them:
        if decision.outcome is Outcome.DENY:
            return decision
    first = all_of_them[0]
    if len(all_of_them) == 1:
        return first
    obligations = tuple(dict.fromkeys(duty for each in all_of_them for duty in each.obligations))
    return replace(
        first,
        outcome=outcome_of(obligations),
        reason=Reason.OK_ALL_JURISDICTIONS,
        text=reason_text(Reason.OK_ALL_JURISDICTIONS),
        jurisdiction="+".join(each.jurisdiction for each in all_of_them),
        obligations=obligations,
        permits=tuple(dict.fromkeys(name for each in all_of_them for name in each.permits)),
        profile_version="+".join(each.profile_version for each in all_of_them),
        uncertain=any(each.uncertain for each in all_of_them),
    )


def decide_one(case: Case, code: str, now: Instant) -> Decision:
    """What one jurisdiction says. One without a profile says no."""
    profile = case.profiles.by_code.get(code)
    if profile is None:
        return unknown_jurisdiction(case, code)
    one = Judgement(case, profile, now, look(case.facts))
    return one.facts() or one.emergency() or one.switched_off() or one.ruled()


def ungoverned(case: Case) -> Decision:
    """No law at all: because nobody is known to be anywhere, or because nobody's country was asked."""
    if any(leg.country in UNKNOWN_COUNTRIES for leg in case.facts.parties):
        reason = Reason.DENY_FACTS_INSUFFICIENT
        return Decision(Outcome.DENY, reason, reason_text(reason), classify(case.facts), "")
    return unknown_jurisdiction(case, "")


def unknown_jurisdiction(case: Case, code: str) -> Decision:
    """No profile, no permission."""
    reason = Reason.DENY_JURISDICTION_UNKNOWN
    return Decision(Outcome.DENY, reason, reason_text(reason), classify(case.facts), code, uncertain=True)


def in_fraud_range(case: Case, called: Iterable[NumberType]) -> bool:
    """Does anybody who is called have a number of a kind that the policy blocks?"""
    blocked = case.policy.block_number_types
    return any(map(blocked.__contains__, called))


def outcome_of(obligations: tuple[Obligation, ...]) -> Outcome:
    """Standing duties do not change an allow."""
    return Outcome.ALLOW_WITH_OBLIGATIONS if any(map(is_per_call, obligations)) else Outcome.ALLOW


@lru_cache(4096)  # making the value takes longer than most calls take to decide, and few differ
def allowing(
    reason: Reason,
    service: ServiceClass,
    jurisdiction: str,
    version: str,
    duties: tuple[Obligation, ...],
    permits: tuple[str, ...],
    uncertain: bool,
) -> Decision:
    """A yes. `duties`: per call, then standing; each is named once."""
    obligations = tuple(dict.fromkeys((*duties, Obligation.UNCERTAIN_LAW) if uncertain else duties))
    return Decision(
        outcome_of(obligations),
        reason,
        reason_text(reason),
        service,
        jurisdiction,
        obligations,
        permits,
        f"{jurisdiction}@{version}",
        uncertain,
    )


@dataclass(slots=True)
class Judgement:
    """One profile, one case. Each check answers with a decision, or with none to go on."""

    case: Case
    profile: Profile
    now: Instant
    seen: Seen

    # What every answer is made of

    def allow(self, reason: Reason, found: Found, duties: tuple[Obligation, ...]) -> Decision:
        code = self.profile.code
        return allowing(
            reason,
            self.seen.service,
            code,
            self.case.profiles.versions[code],
            (*duties, *self.profile.standing, *found.standing),
            found.permits,
            found.uncertain,
        )

    def deny(
        self,
        reason: Reason,
        *,
        needed: str | None = None,
        uncertain: bool = False,
        duties: tuple[Obligation, ...] = (),
        text: Text | None = None,
    ) -> Decision:
        return Decision(
            Outcome.DENY,
            reason,
            text or reason_text(reason),
            self.seen.service,
            self.profile.code,
            duties,
            (),
            self.version,
            uncertain,
            needed,
        )

    @property
    def version(self) -> str:
        return f"{self.profile.code}@{self.case.profiles.versions[self.profile.code]}"

    # The checks, in order

    def facts(self) -> Decision | None:
        """What is not known is not guessed. A call for help is not held up for it."""
        seen = self.seen
        fault = self.case.facts.number_fault
        if fault is not None:
            return self.deny(Reason.DENY_FACTS_INSUFFICIENT, text=fault_text(fault))
        if seen.emergency and self.helping_country is not None:
            return None
        if seen.untyped:  # it may be of any range
            return self.deny(Reason.DENY_FACTS_INSUFFICIENT)
        needed = self.profile.country_needed
        for kind in seen.unlocated:
            if kind in needed:
                return self.deny(Reason.DENY_FACTS_INSUFFICIENT)
        return None

    @property
    def helping_country(self) -> str | None:
        """Where a call for help is made; where that is unknown, the first home country with a route."""
        origin = self.seen.origin
        return self.case.operator.helping_country(None if origin is None else origin.country)

    def emergency(self) -> Decision | None:
        """Never lost in silence: carried wherever there is a route, whatever the permits."""
        if not self.seen.emergency:
            return None
        if self.helping_country not in self.case.operator.emergency_route:
            return self.deny(Reason.DENY_EMERGENCY_NOT_SUPPORTED, duties=(Obligation.EMERGENCY_GUIDE_USER,))
        duties = (Obligation.EMERGENCY_ROUTE, Obligation.EMERGENCY_LOCATION, Obligation.NO_CHARGE)
        rule = self.profile.services.get(self.seen.service)
        found = None if rule is None or self.in_fraud_range() else self.found(rule)[1]
        if found is not None and found.covers:
            return self.allow(Reason.EMERGENCY_CARRIED, found, duties)
        if not self.case.policy.emergency_override:
            return None
        override = replace(found or Found(Stage.NONE), permits=(), uncertain=True, standing=())
        return self.allow(Reason.EMERGENCY_OVERRIDE, override, (*duties, Obligation.AUDIT_ALERT))

    def switched_off(self) -> Decision | None:
        """A toggle only ever narrows."""
        toggles = self.case.toggles
        if (toggles and self.is_toggled_off(toggles)) or not self.case.operator.offers(self.seen.service):
            return self.deny(Reason.DENY_SERVICE_DISABLED)
        return None

    def is_toggled_off(self, toggles: Iterable[Toggle]) -> bool:
        parties = self.seen.parties
        places = frozenset(leg.country for leg in parties if leg.country) | {self.profile.code}
        return any(toggle.switches_off(self.seen.service, places, parties) for toggle in toggles)

    def ruled(self) -> Decision:
        """The law's own checks."""
        rule = self.profile.services.get(self.seen.service)
        if rule is None:
            return self.deny(Reason.DENY_NO_RULE_FOR_CLASS, uncertain=True)
        if self.in_fraud_range():
            return self.deny(Reason.DENY_FRAUD_RANGE_BLOCKED)
        reason, found = self.found(rule)
        if not found.covers:
            return self.deny(reason, needed=found.needed, uncertain=self.is_disputed(found))
        refused = self.capability(rule) or self.identity() or self.caller_id()
        return refused or self.allow(reason, found, self.duties(rule))

    def in_fraud_range(self) -> bool:
        return in_fraud_range(self.case, self.seen.called)

    def found(self, rule: ServiceRule) -> tuple[Reason, Found]:
        """What the requirement is and how far the permits meet it."""
        requirement = self.requirement(rule)
        disputed = rule.basis == "interpretation" or requirement.uncertain
        met = UNCERTAIN if disputed else MET
        match requirement.kind:
            case "none":
                return Reason.OK_NO_PERMIT_REQUIRED, met
            case "general_authorisation":
                return Reason.OK_GENERAL_AUTHORISATION, met
            case "prohibited":
                return Reason.DENY_SERVICE_PROHIBITED, Found(Stage.NONE)
            case "permit":
                pass
        if (
            self.case.facts.service_offer.audience == "own_organisation"
            and self.seen.service in OWN_ORGANISATION
        ):
            return Reason.OK_NOT_A_PUBLIC_SERVICE, replace(
                met, uncertain=rule.own_organisation_exempt != "settled"
            )
        if requirement.only_if == "equipment_in_jurisdiction" and not self.has_equipment():
            return Reason.OK_NO_PERMIT_REQUIRED, met
        return self.permitted(rule, requirement, disputed)

    def permitted(self, rule: ServiceRule, requirement: Requirement, disputed: bool) -> tuple[Reason, Found]:
        """The permits, held against the requirement under the operator's reading."""
        on = self.setting(rule)
        found = best_alternative(requirement.any_of, self.case.permits, on)
        if not found.covers and on.permissive and requirement.permissive_any_of:
            either = (*requirement.any_of, *requirement.permissive_any_of)
            wider = best_alternative(either, self.case.permits, on)
            found = replace(wider, uncertain=wider.uncertain or wider.covers)
        if found.covers:
            if disputed and not found.uncertain:
                found = replace(found, uncertain=True)
            return Reason.OK_PERMIT_COVERS, found
        return FAILURES[found.stage], found

    def requirement(self, rule: ServiceRule) -> Requirement:
        """The profile's word on any call with a telephone, else the class's own for this reach."""
        if self.seen.telephone and self.profile.with_telephone_leg is not None:
            return self.profile.with_telephone_leg
        return rule.domestic if self.is_domestic() else rule.international

    def is_domestic(self) -> bool:
        """Is every party in the jurisdiction?"""
        places = [leg.country for leg in self.seen.parties]
        return self.profile.everywhere or all(map(self.profile.contains, places))

    def has_equipment(self) -> bool:
        """Does a server or relay stand here? Where that was not stated, it may: unknown frees nobody."""
        places = self.case.facts.equipment_in
        return places is None or any(map(self.profile.contains, places))

    def setting(self, rule: ServiceRule) -> Setting:
        operator, policy = self.case.operator, self.case.policy
        return Setting(
            self.profile,
            rule,
            self.case.facts,
            operator.legal_entity,
            operator.seat,
            policy.reading,
            policy.require_verified_permits,
            self.now.utc_ns,
        )

    def is_disputed(self, found: Found) -> bool:
        """Would the same call be allowed under the permissive reading?"""
        if found.uncertain or self.case.policy.reading is Reading.PERMISSIVE:
            return found.uncertain
        permissive = replace(self.case, policy=replace(self.case.policy, reading=Reading.PERMISSIVE))
        again = replace(self, case=permissive)
        return (again.emergency() or again.ruled()).allows

    def capability(self, rule: ServiceRule) -> Decision | None:
        """What must be there before such calls are offered to somebody here, or who may be here."""
        needed = rule.requires_capabilities
        origin = self.seen.origin
        if not needed or origin is None:
            return None
        if origin.country not in UNKNOWN_COUNTRIES and not self.profile.contains(origin.country):
            return None
        routes = self.case.operator.emergency_route
        if "emergency_route" in needed and origin.country not in routes and self.profile.code not in routes:
            return self.deny(Reason.DENY_MANDATORY_CAPABILITY_MISSING)
        registered = self.case.facts.registered_location is True
        if "registered_location" in needed and origin.kind is LegKind.APP and not registered:
            return self.deny(Reason.DENY_REGISTERED_LOCATION_MISSING)
        return None

    def identity(self) -> Decision | None:
        if self.profile.identity_required and self.case.facts.identity_verified is not True:
            return self.deny(Reason.DENY_IDENTITY_NOT_VERIFIED)
        return None

    def caller_id(self) -> Decision | None:
        """None presented: the trunk's own verified number is shown, which needs no test."""
        shown = self.case.facts.presented_cli
        if shown is None or not self.seen.telephone:
            return None
        match self.profile.cli_rule:
            case "must_be_verified" if shown.right_to_use != "verified":
                return self.deny(Reason.DENY_CLI_NOT_VERIFIED)
            case "valid" | "valid_and_not_domestic_from_abroad" if shown.right_to_use == "none":
                return self.deny(Reason.DENY_CLI_NOT_VERIFIED)
            case "valid_and_not_domestic_from_abroad" if self.profile.contains(shown.country):
                origin = self.seen.origin
                abroad = origin is not None and not self.profile.contains(origin.country)
                if abroad and not shown.domestic_customer_evidence:
                    return self.deny(Reason.DENY_CLI_DOMESTIC_FROM_ABROAD)
            case _:
                pass
        return None

    def duties(self, rule: ServiceRule) -> tuple[Obligation, ...]:
        """What must be done for this very call."""
        named = rule.per_call
        if rule.international_per_call and not self.is_domestic():
            named = (*named, *rule.international_per_call)
        duties = tuple([self.attestation() if duty == "CLI_ATTEST" else duty for duty in named])
        recording = self.case.facts.recording
        if recording is None or not recording.requested:
            return duties
        if self.needs_all_consents() and not recording.all_parties_consented:
            return (*duties, Obligation.RECORDING_NOTICE, Obligation.RECORDING_BLOCKED_UNTIL_ALL_CONSENT)
        return (*duties, Obligation.RECORDING_NOTICE)

    def attestation(self) -> Obligation:
        """SHAKEN levels by the right to the number (ATIS-1000074): our own trunk's is verified."""
        shown = self.case.facts.presented_cli
        match shown.right_to_use if shown is not None else "verified":
            case "verified":
                return Obligation.CLI_ATTEST_A
            case "customer_known":
                return Obligation.CLI_ATTEST_B
            case _:
                return Obligation.CLI_ATTEST_C

    def needs_all_consents(self) -> bool:
        rule = self.profile.recording
        if rule is None:
            return False
        if rule.consent.startswith("all_party"):
            return True
        listed = set(rule.all_party_subdivisions)
        return rule.consent == "by_state" and any(leg.subdivision in listed for leg in self.seen.parties)


def nearest_alternative(case: Case, now: Instant) -> Alternative | None:
    """What the same two people could do by app, nearest first: asked, not guessed."""
    facts = case.facts
    seen = look(facts)
    if seen.emergency or len(seen.parties) != 2:
        return None
    if facts.number_fault is not None or in_fraud_range(case, seen.called):
        return None  # there is nobody behind such a number
    legs = tuple(replace(leg, kind=LegKind.APP, number_type=None) for leg in seen.parties)
    for instead, media in _nearer(facts, seen):
        asked = replace(facts, legs=legs, media=(media,), presented_cli=None)
        if judged(replace(case, facts=asked), now).allows:
            return instead
    return None


def _nearer(facts: CallFacts, seen: Seen) -> tuple[tuple[Alternative, Medium], ...]:
    """What may be tried in place of it, in order."""
    text, audio = (Alternative.APP_TEXT, Medium.TEXT), (Alternative.APP_AUDIO, Medium.AUDIO)
    if seen.telephone:
        is_message = Medium.SMS in facts.media or facts.media == (Medium.TEXT,)
        return (text,) if is_message else ((Alternative.APP_CALL, Medium.AUDIO),)
    if any(leg.kind is not LegKind.APP for leg in seen.parties):
        return ()
    match seen.service:
        case ServiceClass.APP_VIDEO:
            return audio, text
        case ServiceClass.APP_VOICE:
            return (text,)
        case _:
            return ()
