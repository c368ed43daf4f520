"""The law that one installation decides by: its profiles, and what its operator is, has and chose."""

from collections.abc import Iterable
from dataclasses import replace

from licensing.case import BASELINE, Case, Decision, Operator, Outcome, Policy
from licensing.classify import classify
from licensing.decision import decide, governing
from licensing.expiry import zone_of
from licensing.facts import CallFacts
from licensing.instant import Instant
from licensing.jurisdiction import OnLoss, Profiles
from licensing.permit import Permit, Toggle, is_suspended, local_date, next_change, standing
from licensing.reasons import Obligation, Reason, reason_text
from licensing.record import Basis
from licensing.requirement import FAILURES, STANDINGS
from licensing.snapshot import Ground, Snapshot

ENGINE = "wephone-licensing/1"  # another number when the same case may be decided otherwise than before
MOST_LEFT = OnLoss()  # nobody leaves a running call more
_FOREVER = 2**63 - 1
_HELP = (
    Obligation.EMERGENCY_ROUTE,
    Obligation.EMERGENCY_LOCATION,
    Obligation.NO_CHARGE,
    Obligation.AUDIT_ALERT,
)


class Law:
    """Everything that a decision is made by, besides the facts and the register."""

    def __init__(
        self, profiles: Profiles, operator: Operator, policy: Policy, on_loss: OnLoss = MOST_LEFT
    ) -> None:
        """`on_loss`: what the operator leaves a running call at most; a profile may leave it less."""
        self._operator, self._policy = operator, policy
        self._on_loss = on_loss
        self.install(profiles)

    def install(self, profiles: Profiles) -> None:
        """Decide by these from now on. What others have answered stands until the register moves on."""
        self._profiles = profiles
        self._unchanged = (-1, 0, 0)  # an epoch, and a span of UTC in which no date changes anything
        self._judges = self.judges_among(profiles)
        self.basis = Basis(
            ENGINE, self._policy.to_json(), self._operator.to_json(), self._named(self._judges)
        )
        self._bases: dict[tuple[str, ...], Basis] = {}  # by the profiles that judge: a few hundred

    def judges_among(self, profiles: Profiles) -> tuple[str, ...]:
        """The codes of those of these profiles that may judge here."""
        judges = [BASELINE] if BASELINE in self._policy.profiles else sorted(profiles.versions)
        return tuple(code for code in judges if code in profiles.versions)

    @property
    def profiles(self) -> Profiles:
        return self._profiles

    @property
    def judges(self) -> tuple[str, ...]:
        """The codes of the profiles that may judge here."""
        return self._judges

    def basis_for(self, facts: CallFacts) -> Basis:
        """By what these facts are decided. It names the profiles that judge them, and no others."""
        if len(self._judges) == 1:
            return self.basis
        codes = governing(Case(facts, self._profiles, operator=self._operator, policy=self._policy))
        if codes not in self._bases:
            self._bases[codes] = replace(self.basis, profiles=self._named(codes))
        return self._bases[codes]

    def _named(self, codes: Iterable[str]) -> tuple[str, ...]:
        return tuple(self._profiles.named(code) for code in codes if code in self._profiles.versions)

    @property
    def operator(self) -> Operator:
        """Who offers the service."""
        return self._operator

    @property
    def policy(self) -> Policy:
        """What the operator chose where there is a choice."""
        return self._policy

    @property
    def can_help(self) -> bool:
        """Is there any route for emergency calls?"""
        return bool(self._operator.emergency_route)

    def past_review(self, now: Instant) -> tuple[str, ...]:
        """The profiles that may judge and were not reviewed in time. They keep deciding."""
        judges = (self._profiles.by_code[code] for code in self._judges)
        return tuple(
            judge.code
            for judge in judges
            if local_date(now.utc_ns, judge.regulator_time_zone) > judge.review_due
        )

    def decide(self, facts: CallFacts, taken: Snapshot, now: Instant) -> Decision:
        """What the law says to these facts, on this register, at this instant."""
        return self.decide_by(facts, taken.permits, taken.toggles, now)

    def decide_by(
        self, facts: CallFacts, permits: tuple[Permit, ...], toggles: tuple[Toggle, ...], now: Instant
    ) -> Decision:
        """The same by permits and toggles that may only be supposed."""
        case = Case(
            facts=facts,
            permits=permits,
            toggles=toggles,
            operator=self._operator,
            policy=self._policy,
            profiles=self._profiles,
        )
        return decide(case, now)

    def unasked(self, facts: CallFacts, reason: Reason) -> Decision:
        """The gate's own answer where the law could not be asked."""
        helps = reason is Reason.EMERGENCY_OVERRIDE
        return Decision(
            outcome=Outcome.ALLOW_WITH_OBLIGATIONS if helps else Outcome.DENY,
            reason=reason,
            text=reason_text(reason),
            service=classify(facts),
            jurisdiction="",
            obligations=_HELP if helps else (),
            permits=(),
            profile_version="",
            uncertain=helps,
            permit_needed=None,
            alternative=None,
        )

    def zone(self, decision: Decision) -> str:
        """The regulator's time zone: of the first profile that decided; UTC where none did."""
        profile = self._profiles.by_code.get(decision.jurisdiction.partition("+")[0])
        return "UTC" if profile is None else profile.regulator_time_zone

    def ground(self, taken: Snapshot, now: Instant) -> Ground:
        """What an answer that is given now, on this register, rests on."""
        return Ground(taken.epoch, self.stands_until(taken, now))

    def stands_until(self, taken: Snapshot, now: Instant) -> int:
        """The next UTC nanosecond at which a date in the register may change an answer."""
        epoch, since, until = self._unchanged
        if epoch != taken.epoch or not since <= now.utc_ns < until:
            until = self._next_change(taken, now)
            self._unchanged = (taken.epoch, now.utc_ns, until)
        return until

    def _next_change(self, taken: Snapshot, now: Instant) -> int:
        # Zones differ by profile; one that does not judge this call may cost a decision, and nothing else.
        changes = (
            next_change(permit, profile.zone_of(permit.jurisdiction), now.utc_ns)
            for permit in taken.permits
            for profile in self._profiles.by_code.values()
        )
        return min((change for change in changes if change is not None), default=_FOREVER)

    def seconds_left(
        self, decision: Decision, relied: Iterable[str], permits: Iterable[Permit], now: Instant
    ) -> int:
        """How long a running call keeps going that this decision refuses (MODEL §8).

        What counts is what has become of the permits (`id@version`) that it relied on. The decision itself
        speaks of the one that gets furthest now, which may be another.
        """
        profile = self._profiles.by_code.get(decision.jurisdiction)
        left = MOST_LEFT if profile is None else profile.on_loss
        reasons = self._losses(decision, relied, permits, now) or {decision.reason}
        return min(_left(each, reason) for each in (left, self._on_loss) for reason in reasons)

    def _losses(
        self, decision: Decision, relied: Iterable[str], permits: Iterable[Permit], now: Instant
    ) -> set[Reason]:
        """Why the call is refused; none if nothing has become of a permit that it relied on."""
        by_id = {permit.id: permit for permit in permits}
        reasons = set() if decision.reason in FAILURES.values() else {decision.reason}
        for name in relied:
            id, _, version = name.rpartition("@")
            permit = by_id.get(id)
            if permit is None:
                reasons.add(Reason.DENY_NO_PERMIT)
                continue
            worth = standing(permit, zone_of(permit, self._profiles), now.utc_ns)
            if worth in STANDINGS:
                reasons.add(FAILURES[STANDINGS[worth]])
            elif version != str(permit.version):
                reasons.add(decision.reason)  # in force, and no longer what it was
            if is_suspended(permit, now.utc_ns):
                reasons.add(Reason.DENY_PERMIT_SUSPENDED)
        return reasons


def _left(on_loss: OnLoss, reason: Reason) -> int:
    match reason:
        case Reason.DENY_TELEPHONE_SWITCHED_OFF:
            return 0
        case Reason.DENY_PERMIT_REVOKED:
            return on_loss.revoked
        case Reason.DENY_PERMIT_EXPIRED:
            return on_loss.expired
        case Reason.DENY_SERVICE_DISABLED:
            return on_loss.toggled_off
        case _:  # whatever else makes what remains unlawful ends as a suspension does
            return on_loss.suspended
