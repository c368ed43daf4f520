"""May this call be, here and now, under these permits? The answer, its reason, its duties. Pure and total.

`decide` asks every profile that governs the call (`decide_one`) and merges: any deny wins, duties add up.
The order of checks, and of a permit's checks in `requirement`, is the licence model's: facts, emergency,
toggle, rule present, fraud range, permits, mandatory capability, registered address, identity, caller id.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from licensing.case import BASELINE, Case, Decision, Outcome
from licensing.classify import ServiceClass, classify
from licensing.facts import UNKNOWN_COUNTRIES, LegKind, Medium, Role
from licensing.instant import Instant
from licensing.jurisdiction import Profile, Requirement, ServiceRule
from licensing.permit import Toggle
from licensing.reasons import Alternative, Obligation, Reason, Text, fault_text, is_per_call, reason_text
from licensing.requirement import FAILURES, Found, Reading, Setting, Stage, best_alternative

OWN_ORGANISATION = frozenset(  # never a class with a phone
    {ServiceClass.APP_VOICE, ServiceClass.APP_VIDEO, ServiceClass.CONF_APP, ServiceClass.TEXT_APP}
)


def decide(case: Case, now: Instant) -> Decision:
    """The decision on a call as it would be after the change that is asked for. Never raises."""
    decision = judged(case, now)
    if decision.allows:
        return decision
    return replace(decision, alternative=nearest_alternative(case, now))


def judged(case: Case, now: Instant) -> Decision:
    """The decision itself, without looking for what could be done instead."""
    codes = governing(case)
    if not codes:
        return ungoverned(case)
    return merge([decide_one(case, code, now) for code in codes])


def governing(case: Case) -> tuple[str, ...]:
    """Whose law applies: the named profile alone, else home's and each leg's country's, in that order.

    A country without a profile stands for itself, and is refused, unless the policy names it as a mere
    destination.
    """
    if BASELINE in case.policy.profiles:
        return (BASELINE,)
    countries = [*case.operator.home, *(leg.country for leg in case.facts.parties)]
    codes: dict[str, None] = {}
    for country in countries:
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
        if not decision.allows:
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
    one = Judgement(case, profile, now, classify(case.facts))
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


def in_fraud_range(case: Case) -> bool:
    """Does anybody but the origin have a number of a kind that the policy blocks?"""
    blocked = case.policy.block_number_types
    return any(leg.role is not Role.ORIGIN and leg.number_type in blocked for leg in case.facts.legs)


def outcome_of(obligations: tuple[Obligation, ...]) -> Outcome:
    """Standing duties do not change an allow."""
    return Outcome.ALLOW_WITH_OBLIGATIONS if any(map(is_per_call, obligations)) else Outcome.ALLOW


@dataclass(frozen=True, slots=True)
class Judgement:
    """One profile, one case. Each check answers with a decision, or with none to go on."""

    case: Case
    profile: Profile
    now: Instant
    service: ServiceClass

    # What every answer is made of

    def allow(self, reason: Reason, found: Found, duties: tuple[Obligation, ...]) -> Decision:
        standing = (*self.profile.standing, *found.standing)
        if found.uncertain:
            standing = (*standing, Obligation.UNCERTAIN_LAW)
        obligations = tuple(dict.fromkeys((*duties, *standing)))
        return Decision(
            outcome_of(obligations),
            reason,
            reason_text(reason),
            self.service,
            self.profile.code,
            obligations,
            found.permits,
            self.version,
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
            self.service,
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
        facts = self.case.facts
        if facts.number_fault is not None:
            return self.deny(Reason.DENY_FACTS_INSUFFICIENT, text=fault_text(facts.number_fault))
        if facts.emergency and self.helping_country is not None:
            return None
        for leg in facts.parties:
            if leg.kind in self.profile.country_needed and leg.country in UNKNOWN_COUNTRIES:
                return self.deny(Reason.DENY_FACTS_INSUFFICIENT)
            if leg.kind is LegKind.PSTN and leg.role is not Role.ORIGIN and leg.number_type is None:
                return self.deny(Reason.DENY_FACTS_INSUFFICIENT)  # it may be of any range
        return None

    @property
    def helping_country(self) -> str | None:
        """Where a call for help is made; where that is unknown, the first home country with a route."""
        origin = self.case.facts.origin
        if origin is not None and origin.country not in UNKNOWN_COUNTRIES:
            return origin.country
        routes = self.case.operator.emergency_route
        return next((country for country in self.case.operator.home if country in routes), None)

    def emergency(self) -> Decision | None:
        """Never lost in silence: carried wherever there is a route, whatever the permits."""
        if not self.case.facts.emergency:
            return None
        if self.helping_country not in self.case.operator.emergency_route:
            return self.deny(Reason.DENY_EMERGENCY_NOT_SUPPORTED, duties=(Obligation.EMERGENCY_GUIDE_USER,))
        duties = (Obligation.EMERGENCY_ROUTE, Obligation.EMERGENCY_LOCATION, Obligation.NO_CHARGE)
        rule = self.profile.services.get(self.service)
        found = None if rule is None or in_fraud_range(self.case) else self.found(rule)[1]
        if found is not None and found.covers:
            return self.allow(Reason.EMERGENCY_CARRIED, found, duties)
        if not self.case.policy.emergency_override:
            return None
        override = replace(found or Found(Stage.NONE), permits=(), uncertain=True, standing=())
        return self.allow(Reason.EMERGENCY_OVERRIDE, override, (*duties, Obligation.AUDIT_ALERT))

    def switched_off(self) -> Decision | None:
        """A toggle only ever narrows."""
        toggles = self.case.toggles
        if (toggles and self.is_toggled_off(toggles)) or not self.case.operator.offers(self.service):
            return self.deny(Reason.DENY_SERVICE_DISABLED)
        return None

    def is_toggled_off(self, toggles: Iterable[Toggle]) -> bool:
        parties = self.case.facts.parties
        places = frozenset(leg.country for leg in parties if leg.country) | {self.profile.code}
        return any(toggle.switches_off(self.service, places, parties) for toggle in toggles)

    def ruled(self) -> Decision:
        """The law's own checks."""
        rule = self.profile.services.get(self.service)
        if rule is None:
            return self.deny(Reason.DENY_NO_RULE_FOR_CLASS, uncertain=True)
        if in_fraud_range(self.case):
            return self.deny(Reason.DENY_FRAUD_RANGE_BLOCKED)
        reason, found = self.found(rule)
        if not found.covers:
            return self.deny(reason, needed=found.needed, uncertain=self.is_disputed(found))
        refused = self.capability(rule) or self.identity() or self.caller_id()
        return refused or self.allow(reason, found, self.duties(rule))

    def found(self, rule: ServiceRule) -> tuple[Reason, Found]:
        """What the requirement is and how far the permits meet it."""
        requirement = self.requirement(rule)
        disputed = rule.basis == "interpretation" or requirement.uncertain
        met = Found(Stage.COVERS, uncertain=disputed)
        match requirement.kind:
            case "none":
                return Reason.OK_NO_PERMIT_REQUIRED, met
            case "general_authorisation":
                return Reason.OK_GENERAL_AUTHORISATION, met
            case "prohibited":
                return Reason.DENY_SERVICE_PROHIBITED, Found(Stage.NONE)
            case "permit":
                pass
        if self.case.facts.service_offer.audience == "own_organisation" and self.service in OWN_ORGANISATION:
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
            return Reason.OK_PERMIT_COVERS, replace(found, uncertain=found.uncertain or disputed)
        return FAILURES[found.stage], found

    def requirement(self, rule: ServiceRule) -> Requirement:
        """The profile's word on any call with a telephone, else the class's own for this reach."""
        facts = self.case.facts
        if facts.telephone and self.profile.with_telephone_leg is not None:
            return self.profile.with_telephone_leg
        return rule.domestic if self.is_domestic() else rule.international

    def is_domestic(self) -> bool:
        """Is every party in the jurisdiction?"""
        contains = self.profile.contains
        return self.profile.everywhere or all(contains(leg.country) for leg in self.case.facts.parties)

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
        """What must be there before such calls are offered to somebody here."""
        origin = self.case.facts.origin
        if origin is None or not self.profile.contains(origin.country):
            return None
        needed = rule.requires_capabilities
        routes = self.case.operator.emergency_route
        if "emergency_route" in needed and not {origin.country, self.profile.code} & set(routes):
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
        if shown is None or not self.case.facts.telephone:
            return None
        match self.profile.cli_rule:
            case "must_be_verified" if shown.right_to_use != "verified":
                return self.deny(Reason.DENY_CLI_NOT_VERIFIED)
            case "valid" | "valid_and_not_domestic_from_abroad" if shown.right_to_use == "none":
                return self.deny(Reason.DENY_CLI_NOT_VERIFIED)
            case "valid_and_not_domestic_from_abroad" if self.profile.contains(shown.country):
                origin = self.case.facts.origin
                abroad = origin is not None and not self.profile.contains(origin.country)
                if abroad and not shown.domestic_customer_evidence:
                    return self.deny(Reason.DENY_CLI_DOMESTIC_FROM_ABROAD)
            case _:
                pass
        return None

    def duties(self, rule: ServiceRule) -> tuple[Obligation, ...]:
        """What must be done for this very call."""
        named = rule.per_call if self.is_domestic() else (*rule.per_call, *rule.international_per_call)
        duties = [self.attestation() if duty == "CLI_ATTEST" else duty for duty in named]
        recording = self.case.facts.recording
        if recording is not None and recording.requested:
            duties.append(Obligation.RECORDING_NOTICE)
            if self.needs_all_consents() and not recording.all_parties_consented:
                duties.append(Obligation.RECORDING_BLOCKED_UNTIL_ALL_CONSENT)
        return tuple(duties)

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
        return rule.consent == "by_state" and any(
            leg.subdivision in listed for leg in self.case.facts.parties
        )


def nearest_alternative(case: Case, now: Instant) -> Alternative | None:
    """The same people, app to app, if that is allowed: asked, not guessed."""
    facts = case.facts
    if not facts.telephone or facts.emergency or len(facts.parties) != 2:
        return None
    if facts.number_fault is not None or in_fraud_range(case):
        return None  # there is nobody behind such a number
    message = Medium.SMS in facts.media or facts.media == (Medium.TEXT,)
    wanted = (Medium.TEXT,) if message else (Medium.AUDIO,)
    legs = tuple(replace(leg, kind=LegKind.APP, number_type=None) for leg in facts.parties)
    instead = replace(facts, legs=legs, media=wanted, presented_cli=None)
    if not judged(replace(case, facts=instead), now).allows:
        return None
    return Alternative.APP_TEXT if wanted == (Medium.TEXT,) else Alternative.APP_CALL
