"""Routes of operators about what may be offered: permits, toggles, the panic switch, what waits for a second.

Each change is in force for the next decision when its answer is sent. Who asks is the account that signed in.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from licensing.case import BASELINE
from licensing.changes import PROPOSAL_LIFE, Check
from licensing.classify import ServiceClass
from licensing.documents import ChangeError
from licensing.expiry import days_left, permit_notices, zone_of
from licensing.instant import MICROSECOND
from licensing.permit import Part, Permit, Standing, Toggle, local_date, standing
from licensing.ports import JournalError
from licensing.register import Register
from licensing.snapshot import Proposal
from signaling.api.operator import noted
from signaling.api.problem import Problem
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from signaling.ports import StoreError
from wephone.protocol.messages import Microseconds, Model

routes = Routes()

PERMITS, TOGGLES, WAITING = "/api/operator/permits", "/api/operator/toggles", "/api/operator/waiting"
TELEPHONE = "/api/operator/telephone"

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


class FiledPermits(Model):
    """All permits in the register, by id, as of one epoch; and which law was not reviewed in time."""

    epoch: int
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


class WaitingChanges(Model):
    """All that waits for a second operator."""

    waiting: tuple[WaitingChange, ...]


class Reinstated(Model):
    """Is the suspension lifted? If not, it waits for a second operator."""

    done: bool
    waiting: WaitingChange | None
    permit: FiledPermit


class ToggleState(Why):
    """Which calls it is about, and are they on? No class, jurisdiction or region named: all of them."""

    enabled: bool
    services: tuple[ServiceClass, ...] = ()
    jurisdictions: tuple[Name, ...] = ()
    regions: tuple[Part, ...] = ()


class Toggles(Model):
    """All toggles, by key. One that is on changes nothing."""

    toggles: tuple[Toggle, ...]


class TelephoneState(Why):
    """Telephone calls at all? Off takes one operator, on takes two."""

    on: bool


class Telephone(Model):
    """Are telephone calls on, as far as permits allow them?"""

    on: bool
    waiting: WaitingChange | None = None


@routes.add("GET", PERMITS, Rule.AUDITOR)
async def permits(visit: Visit) -> FiledPermits:
    """All permits, with what each is worth now."""
    taken, licence = register_of(visit).snapshot, visit.parts.licence
    return FiledPermits(
        epoch=taken.epoch,
        permits=tuple(filed(visit, permit) for permit in taken.permits),
        file=signed(visit),
        profiles_past_review=licence.law.past_review(visit.parts.clock.now()),
    )


@routes.add("POST", PERMITS, Rule.OPERATOR, status=201)
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
    return filed(visit, permit)


@routes.add("GET", PERMITS + "/{id}", Rule.AUDITOR)
async def permit(visit: Visit) -> FiledPermit:
    """One permit."""
    return filed(visit, existing(visit))


@routes.add("GET", PERMITS + "/{id}/versions", Rule.AUDITOR)
async def permit_versions(visit: Visit) -> PermitVersions:
    """Every version of a permit, with who filed it."""
    async with changing():
        rows = await register_of(visit).versions(existing(visit).id)
    return PermitVersions(
        versions=tuple(
            PermitVersion(
                version=row.version,
                by=row.by,
                at=row.at,
                epoch=row.epoch,
                permit=Permit.model_validate_json(row.document),
            )
            for row in rows
        )
    )


@routes.add("POST", PERMITS + "/{id}/suspend", Rule.OPERATOR, status=200)
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
    return filed(visit, permit)


@routes.add("POST", PERMITS + "/{id}/revoke", Rule.OPERATOR, status=200)
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
    return filed(visit, permit)


@routes.add("POST", PERMITS + "/{id}/reinstate", Rule.OPERATOR, status=200)
async def reinstate_permit(visit: Visit, body: Why) -> Reinstated:
    """Lift a suspension: once two operators have asked for it."""
    register = register_of(visit)
    async with changing():
        answer = await register.reinstate(in_path(visit, "id"), by=visit.user, why=body.why)
    waits = answer if isinstance(answer, Proposal) else None
    noted(visit, "permit-reinstate" if waits is None else "permit-reinstate-asked", in_path(visit, "id"))
    return Reinstated(done=waits is None, waiting=shown(waits), permit=filed(visit, existing(visit)))


@routes.add("GET", TOGGLES, Rule.AUDITOR)
async def toggles(visit: Visit) -> Toggles:
    """All toggles."""
    return Toggles(toggles=register_of(visit).snapshot.toggles)


@routes.add("PUT", TOGGLES + "/{key}", Rule.OPERATOR, status=200)
async def set_toggle(visit: Visit, body: ToggleState) -> Toggle:
    """Switch kinds of calls off, or on again as far as permits allow."""
    wanted = {
        "key": in_path(visit, "key"),
        "enabled": body.enabled,
        "services": body.services,
        "jurisdictions": body.jurisdictions,
        "regions": body.regions,
    }
    async with changing():
        toggle = await register_of(visit).set_toggle(wanted, by=visit.user, why=body.why)
    noted(visit, "toggle-on" if toggle.enabled else "toggle-off", toggle.key)
    return toggle


@routes.add("DELETE", TOGGLES + "/{key}", Rule.OPERATOR)
async def remove_toggle(visit: Visit, query: Why) -> None:
    """Take a toggle away, as if it had never been set."""
    async with changing():
        await register_of(visit).remove_toggle(in_path(visit, "key"), by=visit.user, why=query.why)
    noted(visit, "toggle-remove", in_path(visit, "key"))


@routes.add("GET", TELEPHONE, Rule.AUDITOR)
async def telephone(visit: Visit) -> Telephone:
    """Are telephone calls switched on?"""
    register = register_of(visit)
    asked = next((each for each in register.waiting() if each.key.startswith("switch_on:")), None)
    return Telephone(on=not register.snapshot.telephone_off, waiting=shown(asked))


@routes.add("PUT", TELEPHONE, Rule.OPERATOR, status=200)
async def switch_telephone(visit: Visit, body: TelephoneState) -> Telephone:
    """The panic switch: off at once but for emergency calls; on again once two operators have asked."""
    register = register_of(visit)
    waits = None
    async with changing():
        if body.on:
            waits = await register.switch_telephone_on(by=visit.user, why=body.why)
        else:
            await register.switch_telephone_off(by=visit.user, why=body.why)
    noted(visit, "telephone-on-asked" if waits else "telephone-on" if body.on else "telephone-off", "")
    return Telephone(on=not register.snapshot.telephone_off, waiting=shown(waits))


@routes.add("GET", WAITING, Rule.AUDITOR)
async def waiting(visit: Visit) -> WaitingChanges:
    """What waits for a second operator, who agrees by asking for the same."""
    found = (shown(proposal) for proposal in register_of(visit).waiting())
    return WaitingChanges(waiting=tuple(each for each in found if each is not None))


@routes.add("DELETE", WAITING + "/{key}", Rule.OPERATOR)
async def withdraw(visit: Visit, query: Why) -> None:
    """Take back what waits."""
    async with changing():
        await register_of(visit).withdraw(in_path(visit, "key"), by=visit.user, why=query.why)
    noted(visit, "withdraw", in_path(visit, "key"))


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
    return [*found, *calendar(visit, permit)]


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
