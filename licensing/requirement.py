"""Do the permits in force meet a requirement? Which one got furthest, and what stopped it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum, StrEnum
from functools import lru_cache

from licensing.facts import CallFacts
from licensing.jurisdiction import Profile, ServiceRule
from licensing.permit import Permit, Standing, day_begins, is_suspended, standing
from licensing.reasons import Obligation, Reason

RENEWAL_NOTICE = 30  # days before its end that a renewal must be filed, where a profile names none
BY_SEAT = "permissive: operator_seat"


class Reading(StrEnum):
    """Which of the defensible readings the operator chose; every use of it is recorded."""

    CONSERVATIVE = "conservative"
    PERMISSIVE = "permissive"


class Stage(IntEnum):
    """How far a permit got through the checks; with several failing ones the furthest is reported."""

    NONE = 0
    CATEGORY = 1
    SUBSCOPE = 2
    HOLDER = 3
    BASIS = 4
    REVOKED = 5
    NOT_YET_VALID = 6
    EXPIRED = 7
    SUSPENDED = 8
    REGION = 9
    VERIFIED = 10
    COVERS = 11


FAILURES = {
    Stage.NONE: Reason.DENY_NO_PERMIT,
    Stage.CATEGORY: Reason.DENY_CATEGORY_NOT_COVERED,
    Stage.SUBSCOPE: Reason.DENY_PERMIT_SUBSCOPE,
    Stage.HOLDER: Reason.DENY_HOLDER_MISMATCH,
    Stage.BASIS: Reason.DENY_PARTNER_PERMIT_NOT_ACCEPTED,
    Stage.REVOKED: Reason.DENY_PERMIT_REVOKED,
    Stage.NOT_YET_VALID: Reason.DENY_PERMIT_NOT_YET_VALID,
    Stage.EXPIRED: Reason.DENY_PERMIT_EXPIRED,
    Stage.SUSPENDED: Reason.DENY_PERMIT_SUSPENDED,
    Stage.REGION: Reason.DENY_REGION_NOT_COVERED,
    Stage.VERIFIED: Reason.DENY_PERMIT_UNVERIFIED,
}
STANDINGS = {
    Standing.REVOKED: Stage.REVOKED,
    Standing.NOT_YET_VALID: Stage.NOT_YET_VALID,
    Standing.EXPIRED: Stage.EXPIRED,
    Standing.SUSPENDED: Stage.SUSPENDED,
}


@dataclass(frozen=True, slots=True)
class Setting:
    """What a permit is held against: the law, the call, the operator, the moment."""

    profile: Profile
    rule: ServiceRule
    facts: CallFacts
    legal_entity: str | None
    seat: str | None
    reading: Reading
    verified_only: bool
    utc_ns: int

    @property
    def permissive(self) -> bool:
        return self.reading is Reading.PERMISSIVE


@dataclass(frozen=True, slots=True)
class Found:
    """The stage that was reached, and on what: permits as "id@version", and whether readings differ on it."""

    stage: Stage
    permits: tuple[str, ...] = ()
    needed: str | None = None  # the category that is missing or not in force
    uncertain: bool = False
    standing: tuple[Obligation, ...] = ()

    @property
    def covers(self) -> bool:
        return self.stage is Stage.COVERS


NOTHING = Found(Stage.NONE)


def best_alternative(
    alternatives: Iterable[tuple[str, ...]], permits: tuple[Permit, ...], on: Setting
) -> Found:
    """Any of these lists of categories will do; each list is met by the weakest of its members."""
    found = [met_together(codes, permits, on) for codes in alternatives]
    return _furthest(found) if found else NOTHING


def met_together(codes: tuple[str, ...], permits: tuple[Permit, ...], on: Setting) -> Found:
    """All of these categories are needed."""
    if len(codes) == 1:
        return best_permit(codes[0], permits, on)
    found = [best_permit(code, permits, on) for code in codes]
    weakest = min(found, key=lambda each: each.stage)
    if not weakest.covers:
        return weakest
    return Found(
        Stage.COVERS,
        tuple(dict.fromkeys(name for each in found for name in each.permits)),
        None,
        any(each.uncertain for each in found),
        tuple(dict.fromkeys(duty for each in found for duty in each.standing)),
    )


def best_permit(code: str, permits: tuple[Permit, ...], on: Setting) -> Found:
    """The permit that gets furthest with one category."""
    profile = on.profile
    own, accepted = profile.code, profile.accepted_for(code)
    stage = Stage.NONE
    found: list[Found] = []
    for permit in permits:
        if permit.jurisdiction == own or profile.takes_permits_of(permit.jurisdiction):
            stage = Stage.CATEGORY
            scope = best_scope(permit.categories, accepted)
            if scope is not None:
                found.append(held_against(permit, code, scope, on))
    return _furthest(found) if found else Found(stage, needed=code)


def _furthest(found: list[Found]) -> Found:
    """The first of those that got furthest; on equal stages one on which readings agree."""
    return found[0] if len(found) == 1 else max(found, key=_rank)


def _rank(found: Found) -> tuple[int, bool]:
    return found.stage, not found.uncertain


def held_against(permit: Permit, code: str, in_scope: bool, on: Setting) -> Found:
    """One permit of the category through the other checks, in the model's order."""
    uncertain = False
    duties: list[Obligation] = []

    def stopped(stage: Stage) -> Found:
        return Found(stage, (), code, uncertain)

    if not in_scope:
        if not on.permissive:
            return stopped(Stage.SUBSCOPE)
        uncertain = True
    if permit.basis == "own":
        if not is_held_by(on.legal_entity, permit, on.profile):
            return stopped(Stage.HOLDER)
    else:
        uncertain = True
        accepted = on.profile.partner_permit_accepted
        if not (accepted.permissive if on.permissive else accepted.conservative):
            return stopped(Stage.BASIS)
    zone = on.profile.zone_of(permit.jurisdiction)
    now = standing(permit, zone, on.utc_ns)
    if now is Standing.EXPIRED and on.permissive and is_deemed_renewed(permit, on.profile):
        now = Standing.SUSPENDED if is_suspended(permit, on.utc_ns) else Standing.IN_FORCE
        uncertain = True
        duties.append(Obligation.DEEMED_RENEWAL_RELIED_ON)
    if now is not Standing.IN_FORCE:
        return stopped(STANDINGS[now])
    if on.profile.permit_checks.regions and not covers_legs(permit.regions, on.facts, on.profile):
        by_seat = on.permissive and BY_SEAT in on.rule.region_test
        if not by_seat or on.seat is None or not in_regions(on.seat, permit.regions):
            return stopped(Stage.REGION)
        uncertain = True
    if on.verified_only and on.profile.permit_checks.verified and not permit.verified:
        return stopped(Stage.VERIFIED)
    if is_renewal_due(permit, on.profile, zone, on.utc_ns):
        duties.append(Obligation.PERMIT_RENEWAL_DUE)
    return Found(Stage.COVERS, (f"{permit.id}@{permit.version}",), None, uncertain, tuple(duties))


@lru_cache(4096)
def best_scope(held: tuple[str, ...], accepted: tuple[str, ...]) -> bool | None:
    """None: another category. False: the category, in another sub-scope. True: it is covered."""
    best: bool | None = None
    for code in held:
        base, _, part = code.partition("#")
        for needed in accepted:
            wanted, _, wanted_part = needed.partition("#")
            part_of = base.startswith(wanted[:-1]) if wanted.endswith("*") else base == wanted
            if not part_of and not wanted.startswith(f"{base}-"):  # a parent code covers its children
                continue
            if not part or not wanted_part or part == wanted_part:
                return True
            best = False
    return best


def is_held_by(legal_entity: str | None, permit: Permit, profile: Profile) -> bool:
    """Is it the operator's own, as far as this profile asks?"""
    if profile.permit_checks.holder == "where_stated" and None in (permit.holder, legal_entity):
        return True
    return permit.holder is not None and permit.holder == legal_entity


def is_deemed_renewed(permit: Permit, profile: Profile) -> bool:
    """Is a renewal pending that was filed in time? Only the permissive reading lets it count."""
    if permit.renewal is None or permit.renewal.decision is not None or permit.valid_until is None:
        return False
    notice = timedelta(days=profile.renewal_notice_days or RENEWAL_NOTICE)
    return permit.renewal.applied_on <= permit.valid_until - notice


def is_renewal_due(permit: Permit, profile: Profile, zone: str, utc_ns: int) -> bool:
    """Is it time to file, where the law says by when?"""
    if profile.renewal_notice_days is None or permit.valid_until is None or permit.renewal is not None:
        return False
    return utc_ns >= day_begins(permit.valid_until - timedelta(days=profile.renewal_notice_days), zone)


def covers_legs(regions: tuple[str, ...], facts: CallFacts, profile: Profile) -> bool:
    """Does every leg in the jurisdiction lie in a region that is listed?"""
    if "*" in regions:
        return True
    for leg in facts.parties:
        if not profile.contains(leg.country):
            continue
        place = profile.region_of(leg)
        if place is None or not in_regions(place, regions):
            return False
    return True


def in_regions(place: str, regions: tuple[str, ...]) -> bool:
    """Is this ISO 3166-2 code (or member country's code) among them?"""
    return "*" in regions or place in regions
