"""Routes of operators about permits: filed, suspended, revoked, given back.

Each change is in force for the next decision when its answer is sent. Who asks is the account that signed in.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from licensing.agreement import PROPOSAL_LIFE
from licensing.case import BASELINE
from licensing.changes import Check
from licensing.documents import ChangeError
from licensing.expiry import days_left, permit_notices, zone_of
from licensing.instant import MICROSECOND
from licensing.permit import Permit, Standing, local_date, standing
from licensing.ports import JournalError
from licensing.register import Register
from licensing.requirement import is_held_by
from licensing.snapshot import Proposal
from signaling.api.operator import noted
from signaling.api.problem import Problem
from signaling.api.replay import replay
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from signaling.evidence import with_names
from signaling.ports.store import StoreError
from wephone.protocol.messages import Microseconds, Model

routes = Routes()
routes.add("GET", "/api/operator/replay", Rule.AUDITOR, status=200)(replay)

PERMITS = "/api/operator/permits"
SOON, FAR = 90, float("inf")  # days before its end from which a permit is something to look at
WORST = (Standing.SUSPENDED, Standing.EXPIRED, Standing.NOT_YET_VALID, Standing.IN_FORCE, Standing.REVOKED)

Reason = Annotated[str, StringConstraints(min_length=1, max_length=1_000, strip_whitespace=True)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# A fault there, or nowhere, is about what is in the register and not the words.
ABOUT_STATE = {"", "id", "key", "version"}


class Why(Model):
    """Every change says why; it enters the journal."""

    why: Reason


class Checked(Model):
    """Somebody looked at the permit itself: its file, by SHA-256, or its entry in a public register."""

    by: Name
    sha256: Sha256 | None = None
    register_address: Name | None = None


class AddedPermit(Why):
    """A permit, or the next version of one. Without a check it counts as not verified, whatever it says."""

    permit: Permit
    checked: Checked | None = None


class Window(Why):
    """A suspension: from now, if nothing is said, until it is lifted."""

    start: AwareDatetime | None = Field(None, alias="from")
    end: AwareDatetime | None = Field(None, alias="to")
    reference: Name | None = None


class End(Why):
    """For good: taken away by the regulator, or given back."""

    status: Literal["revoked", "surrendered"] = "revoked"
    start: AwareDatetime | None = Field(None, alias="from")
    reference: Name | None = None


class FiledPermit(Model):
    """A permit, what it is worth now, how long it lasts, and what an operator should know about it."""

    permit: Permit
    standing: Standing
    days_left: int | None
    warnings: tuple[str, ...] = ()


class SignedPermits(Model):
    """The signed file: where it may lie, what was taken last, and why what lies there now was not."""

    path: str
    sha256: str | None
    made_at: AwareDatetime | None
    keys: tuple[str, ...]
    fault: str | None


class PermitPage(Model):
    """Which permits: all by id, or `urgent`: those first that are suspended, over, or about to end."""

    urgent: bool = False
    skip: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    limit: Annotated[int, Field(ge=1, le=1_000)] | None = None


class FiledPermits(Model):
    """Permits in the register as of one epoch; and which law was not reviewed in time.

    `of` is how many there are; `skip` the next page's, none on the last.
    """

    epoch: int
    of: int
    skip: int | None
    permits: tuple[FiledPermit, ...]
    file: SignedPermits
    profiles_past_review: tuple[str, ...]


class PermitVersion(Model):
    """One version: who filed it and when."""

    version: int
    by: str
    at: Microseconds
    epoch: int
    permit: Permit


class PermitVersions(Model):
    """Every version, oldest first. None is ever overwritten."""

    versions: tuple[PermitVersion, ...]


class WaitingChange(Model):
    """What one operator asked for and another one has to ask for too, before `until`."""

    key: str
    by: str
    why: str
    at: Microseconds
    until: Microseconds


class Reinstated(Model):
    """Is the suspension lifted? If not, it waits for a second operator."""

    done: bool
    waiting: WaitingChange | None
    permit: FiledPermit


@routes.add("GET", PERMITS, Rule.AUDITOR)
async def permits(visit: Visit, query: PermitPage) -> FiledPermits:
    """Permits, with what each is worth now."""
    taken, licence = register_of(visit).snapshot, visit.parts.licence
    sorted_so = sorted(taken.permits, key=partial(urgency, visit)) if query.urgent else taken.permits
    end = len(sorted_so) if query.limit is None else query.skip + query.limit
    return FiledPermits(
        epoch=taken.epoch,
        of=len(sorted_so),
        skip=end if end < len(sorted_so) else None,
        permits=tuple(filed(visit, each) for each in await named(visit, *sorted_so[query.skip : end])),
        file=signed(visit),
        profiles_past_review=licence.law.past_review(visit.parts.clock.now()),
    )


@routes.add("POST", PERMITS, Rule.OPERATOR, status=201, proven=True)
async def add_permit(visit: Visit, body: AddedPermit) -> FiledPermit:
    """File a permit, or the next version of one."""
    checked = body.checked
    check = None
    if checked is not None:
        today = local_date(visit.parts.clock.now().utc_ns, "UTC")
        check = Check(checked.by, today, checked.sha256, checked.register_address)
    async with changing():
        permit = await register_of(visit).add_permit(body.permit, by=visit.user, why=body.why, check=check)
    noted(visit, "permit-add", permit.id)
    return await filed_named(visit, permit)


@routes.add("GET", PERMITS + "/{id}", Rule.AUDITOR)
async def permit(visit: Visit) -> FiledPermit:
    """One permit."""
    return await filed_named(visit, existing(visit))


@routes.add("GET", PERMITS + "/{id}/versions", Rule.AUDITOR)
async def permit_versions(visit: Visit) -> PermitVersions:
    """Every version of a permit, with who filed it."""
    async with changing():
        rows = await register_of(visit).versions(existing(visit).id)
        there = await named(visit, *(Permit.model_validate_json(row.document) for row in rows))
    return PermitVersions(
        versions=tuple(
            PermitVersion(
                version=row.version,
                by=row.by,
                at=row.at,
                epoch=row.epoch,
                permit=permit,
            )
            for row, permit in zip(rows, there, strict=True)
        )
    )


@routes.add("POST", PERMITS + "/{id}/suspend", Rule.OPERATOR, status=200, proven=True)
async def suspend_permit(visit: Visit, body: Window) -> FiledPermit:
    """Suspend a permit."""
    async with changing():
        permit = await register_of(visit).suspend(
            in_path(visit, "id"),
            by=visit.user,
            why=body.why,
            start=body.start,
            end=body.end,
            reference=body.reference,
        )
    noted(visit, "permit-suspend", permit.id)
    return await filed_named(visit, permit)


@routes.add("POST", PERMITS + "/{id}/revoke", Rule.OPERATOR, status=200, proven=True)
async def revoke_permit(visit: Visit, body: End) -> FiledPermit:
    """End a permit for good."""
    async with changing():
        permit = await register_of(visit).revoke(
            in_path(visit, "id"),
            by=visit.user,
            why=body.why,
            status=body.status,
            start=body.start,
            reference=body.reference,
        )
    noted(visit, "permit-revoke", permit.id)
    return await filed_named(visit, permit)


@routes.add("POST", PERMITS + "/{id}/reinstate", Rule.OPERATOR, status=200, proven=True)
async def reinstate_permit(visit: Visit, body: Why) -> Reinstated:
    """Lift a suspension: once two operators have asked for it."""
    register = register_of(visit)
    async with changing():
        answer = await register.reinstate(in_path(visit, "id"), by=visit.user, why=body.why)
    waits = answer if isinstance(answer, Proposal) else None
    noted(visit, "permit-reinstate" if waits is None else "permit-reinstate-asked", in_path(visit, "id"))
    return Reinstated(
        done=waits is None, waiting=shown(waits), permit=await filed_named(visit, existing(visit))
    )


def register_of(visit: Visit) -> Register:
    """The register of this server."""
    return visit.parts.licence.register


def in_path(visit: Visit, name: str) -> str:
    """What stands in the path under this name."""
    return visit.request.match_info[name]


def existing(visit: Visit) -> Permit:
    """The permit in the path; Problem if there is none."""
    id = in_path(visit, "id")
    found = register_of(visit).snapshot.permit(id)
    if found is None:
        raise Problem(404, "no_such_permit", f"there is no permit `{id[:64]}`", field="id")
    return found


async def named(visit: Visit, *permits: Permit) -> tuple[Permit, ...]:
    """With the names of who checked them, which are sealed in the register; with hashes if it cannot tell."""
    try:
        return await with_names(visit.parts.licence.journal, permits)
    except JournalError:  # a permit that was filed is answered as such
        return permits


async def filed_named(visit: Visit, permit: Permit) -> FiledPermit:
    [found] = await named(visit, permit)
    return filed(visit, found)


def filed(visit: Visit, permit: Permit) -> FiledPermit:
    """A permit as operators see it."""
    zone, now = zone_of(permit, visit.parts.licence.law.profiles), visit.parts.clock.now()
    worth = standing(permit, zone, now.utc_ns)
    return FiledPermit(
        permit=permit,
        standing=worth,
        days_left=days_left(permit.valid_until, zone, now),
        warnings=tuple(warnings(visit, permit, worth)),
    )


def urgency(visit: Visit, permit: Permit) -> tuple[int, bool, float, str]:
    """What is suspended, over or not yet valid comes first, then what ends soon; last what was taken away."""
    zone, now = zone_of(permit, visit.parts.licence.law.profiles), visit.parts.clock.now()
    worth, left = standing(permit, zone, now.utc_ns), days_left(permit.valid_until, zone, now)
    days = FAR if left is None else left
    return WORST.index(worth), worth is Standing.IN_FORCE and days > SOON, days, permit.id


def signed(visit: Visit) -> SignedPermits:
    """The signed file, as operators see it."""
    taken, watch = register_of(visit).snapshot.signed_file, visit.parts.licence.file
    return SignedPermits(
        path=str(watch.path),
        sha256=None if taken is None else taken.sha256,
        made_at=None if taken is None else taken.made_at,
        keys=() if taken is None else taken.keys,
        fault=watch.fault,
    )


def warnings(visit: Visit, permit: Permit, now: Standing) -> list[str]:
    """Why it may not do what was hoped for."""
    found = []
    judges = visit.parts.settings.profiles
    if now is not Standing.IN_FORCE:
        found.append(f"it is {now.value.replace('_', ' ')}, and covers nothing now")
    if not permit.verified:
        found.append(
            f"nobody has verified it; the profile `{BASELINE}` does not ask for that"
            if BASELINE in judges
            else "nobody has verified it: calls that need it are refused with DENY_PERMIT_UNVERIFIED"
        )
    return [*found, *another_holder(visit, permit), *calendar(visit, permit)]


def another_holder(visit: Visit, permit: Permit) -> list[str]:
    """A permit of one's own covers nothing while somebody else holds it."""
    law = visit.parts.licence.law
    judge = law.profiles.by_code.get(BASELINE if BASELINE in law.policy.profiles else permit.jurisdiction)
    here = law.operator.legal_entity
    if permit.basis != "own" or judge is None or is_held_by(here, permit, judge):
        return []
    held = "it names no holder" if permit.holder is None else f"`{permit.holder}` holds it"
    ours = "the setting `legal_entity` names none" if here is None else f"the operator here is `{here}`"
    return [f"{held}, and {ours}: it covers nothing here"]


def calendar(visit: Visit, permit: Permit) -> list[str]:
    """What has to be done soon, or had to be done before now."""
    profiles, now = visit.parts.licence.law.profiles, visit.parts.clock.now()
    said = [notice.text for notice in permit_notices(permit, profiles, now)]
    review = days_left(permit.next_review_on, zone_of(permit, profiles), now)
    if review is not None and review < 0:
        said.append(f"it had to be reviewed by {permit.next_review_on}")
    return said


def shown(proposal: Proposal | None) -> WaitingChange | None:
    """A proposal as operators see it."""
    if proposal is None:
        return None
    return WaitingChange(
        key=proposal.key,
        by=proposal.by,
        why=proposal.why,
        at=proposal.at,
        until=proposal.at + PROPOSAL_LIFE // MICROSECOND,
    )


@asynccontextmanager
async def changing() -> AsyncIterator[None]:
    """What the register refuses, as a problem: path, fault and value."""
    try:
        yield
    except ChangeError as error:
        status = 409 if error.path in ABOUT_STATE else 400
        raise Problem(status, "not_changed", str(error), field=error.path or None) from None
    except JournalError as error:
        raise StoreError(str(error)) from error
