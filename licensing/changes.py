"""What may be done to the register: each change as a function of the snapshot it is made on. Pure.

Whoever applies a change on a snapshot that is no longer the newest asks again with the newest one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from hashlib import sha256
from typing import Any

from licensing.agreement import is_agreed, is_lapsed
from licensing.audit import canonical, salted_hash
from licensing.documents import ChangeError, read
from licensing.instant import Instant
from licensing.jurisdiction import Profiles
from licensing.known import check_permit, check_places
from licensing.permit import Evidence, Permit, StatusEvent, Toggle
from licensing.snapshot import (
    ACCOUNT,
    PERMIT,
    PROPOSAL,
    SWITCH,
    TELEPHONE,
    TOGGLE,
    Proposal,
    Snapshot,
    account_name,
    document_of,
)
from licensing.succession import in_place_of
from licensing.suspension import lifted, suspends, with_window


@dataclass(frozen=True, slots=True)
class Put:
    """A new version of one thing; no document takes it away."""

    kind: str
    key: str
    document: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Change:
    """Rows to add, and what the journal says of them: `kind` of entry, `action`, `subject`."""

    kind: str
    action: str
    subject: str
    puts: tuple[Put, ...]
    about: str | None = None  # a person; sealed in the chain


@dataclass(frozen=True, slots=True)
class Check:
    """Somebody looked at the permit itself: who, when, and the file or register entry they looked at."""

    checked_by: str
    checked_on: date
    sha256: str | None = None
    register_address: str | None = None


def add(
    snapshot: Snapshot,
    permit: Permit,
    check: Check | None,
    profiles: Profiles | None,
    by: str,
    why: str,
    now: Instant,
) -> Change:
    """A new permit, or the next version of one.

    Nobody's `verified` is believed but a check that is recorded. One that would take the place of a permit
    that is suspended or revoked is filed by two operators: the first one's word is a proposal.
    """
    before = check_next(snapshot, permit, profiles)
    if before and permit.status_events[: len(before.status_events)] != before.status_events:
        # Or one operator could lift a suspension by filing the permit without it.
        raise ChangeError("status_events", "those of the version before have to stay as they are, in order")
    filed = document_of(permit) | {"verified": check is not None}
    if check is not None:
        filed["evidence"] = [*filed["evidence"], _evidence(check)]
    document = read(Permit, filed)
    puts = [Put(PERMIT, permit.id, document_of(document))]
    if in_place_of(snapshot, document, before, now) is not None:
        key = filing_key(permit)
        if not is_agreed(snapshot, key, by, permit.version, now):
            return _proposed(key, permit.id, why, permit.version)
        puts.append(Put(PROPOSAL, key, None))
    return Change("permit_event", "amended" if before else "added", permit.id, tuple(puts))


def filing_key(permit: Permit) -> str:
    """Of the proposal to file this very document."""
    return f"file:{permit.id}:{sha256(canonical(document_of(permit)).encode()).hexdigest()[:16]}"


def check_next(snapshot: Snapshot, permit: Permit, profiles: Profiles | None) -> Permit | None:
    """ChangeError unless it is the next version of a permit that the law knows; the version before."""
    check_permit(permit, profiles)
    newest = snapshot.version(PERMIT, permit.id)
    if permit.version != newest + 1:
        fault = f"`{permit.id}` is there as version {newest}; a new version states {newest + 1}"
        raise ChangeError("version", fault if newest else "the first version is 1", permit.version)
    return snapshot.permit(permit.id)


def suspend(snapshot: Snapshot, id: str, window: StatusEvent) -> Change:
    """A suspension from its `from` on, until its `to` or until it is lifted."""
    permit = _standing_permit(snapshot, id)
    events = with_window(permit.status_events, window)
    if events == permit.status_events:
        raise ChangeError("id", f"permit `{id}` is suspended all that time already")
    return _with_events(permit, events, window.status)


def revoke(snapshot: Snapshot, id: str, event: StatusEvent) -> Change:
    """For good. `event` says whether it was revoked or surrendered."""
    permit = _standing_permit(snapshot, id)
    return _with_events(permit, (*permit.status_events, event), event.status)


def reinstate(snapshot: Snapshot, id: str, by: str, why: str, now: Instant) -> Change:
    """Lift the suspension that holds: the first operator asks, a second one makes it so.

    What was announced for later stays. If nothing holds yet, what was announced is what is lifted.
    """
    permit = _standing_permit(snapshot, id)
    if not any(suspends(event, now) for event in permit.status_events):
        raise ChangeError("id", f"permit `{id}` is not suspended")
    key = f"reinstate:{id}"
    if not is_agreed(snapshot, key, by, permit.version, now):
        return _proposed(key, id, why, permit.version)
    events = lifted(permit.status_events, now)
    return Change(
        "permit_event",
        "reinstated",
        id,
        (_next_version(permit, status_events=[_event(e) for e in events]), Put(PROPOSAL, key, None)),
    )


def set_toggle(snapshot: Snapshot, toggle: Toggle, profiles: Profiles | None) -> Change | None:
    """Switch kinds of calls off, or back on as far as permits allow. None if it is so already."""
    check_places(toggle, profiles)
    if toggle in snapshot.toggles:
        return None
    action = "enabled" if toggle.enabled else "disabled"
    return Change(
        "toggle_event", action, toggle.key, (Put(TOGGLE, toggle.key, toggle.model_dump(mode="json")),)
    )


def remove_toggle(snapshot: Snapshot, key: str) -> Change:
    if all(toggle.key != key for toggle in snapshot.toggles):
        raise ChangeError("key", "there is no such toggle", key)
    return Change("toggle_event", "removed", key, (Put(TOGGLE, key, None),))


def switch_telephone_off(snapshot: Snapshot) -> Change | None:
    """All calls with telephones, at once, on one operator's word. None if it is so already."""
    if snapshot.telephone_off:
        return None
    return Change("switch_event", "off", TELEPHONE, (Put(SWITCH, TELEPHONE, {"on": False}),))


def switch_telephone_on(snapshot: Snapshot, by: str, why: str, now: Instant) -> Change | None:
    """Back to what permits allow, when two operators want it. None if it is so already."""
    if not snapshot.telephone_off:
        return None
    version = snapshot.version(SWITCH, TELEPHONE)
    key = f"switch_on:{TELEPHONE}"
    if not is_agreed(snapshot, key, by, version, now):
        return _proposed(key, TELEPHONE, why, version)
    return Change(
        "switch_event", "on", TELEPHONE, (Put(SWITCH, TELEPHONE, {"on": True}), Put(PROPOSAL, key, None))
    )


def give_password(name: str, key: str, salt: bytes, *, opened: bool, on_machine: bool) -> Change:
    """An operator's account was opened, or got a password that somebody else knows. No name is in clear."""
    document = {
        "account": salted_hash(account_name(name), salt),
        "on_machine": on_machine,
        "salt": salt.hex(),
    }
    action = "opened" if opened else "password_reset"
    return Change("account_event", action, key, (Put(ACCOUNT, key, document),), about=name)


def withdraw(snapshot: Snapshot, key: str) -> Change:
    """Take back what waits for a second operator."""
    if snapshot.proposal(key) is None:
        raise ChangeError("key", "nothing like this waits for a second operator", key)
    return Change("proposal", "withdrawn", key, (Put(PROPOSAL, key, None),))


def waiting(snapshot: Snapshot, now: Instant) -> tuple[Proposal, ...]:
    """What a second operator can still agree to."""
    return tuple(proposal for proposal in snapshot.proposals if not is_lapsed(proposal, now))


def _proposed(key: str, subject: str, why: str, about: int) -> Change:
    return Change("proposal", "proposed", subject, (Put(PROPOSAL, key, {"why": why, "about": about}),))


def _standing_permit(snapshot: Snapshot, id: str) -> Permit:
    permit = snapshot.permit(id)
    if permit is None:
        known = get_close_matches(id, [p.id for p in snapshot.permits], 1)
        raise ChangeError("id", "there is no such permit" + (f"; `{known[0]}`?" if known else ""), id)
    for event in permit.status_events:
        if event.status != "suspended":
            raise ChangeError("id", f"permit `{id}` was {event.status} and stays so")
    return permit


def _with_events(permit: Permit, events: Sequence[StatusEvent], action: str) -> Change:
    put = _next_version(permit, status_events=[_event(e) for e in events])
    return Change("permit_event", action, permit.id, (put,))


def _next_version(permit: Permit, **changes: object) -> Put:
    document = document_of(permit) | changes | {"version": permit.version + 1}
    return Put(PERMIT, permit.id, document_of(read(Permit, document)))


def _event(event: StatusEvent) -> dict[str, Any]:
    return event.model_dump(mode="json", by_alias=True)


def _evidence(check: Check) -> dict[str, Any]:
    evidence = Evidence(
        sha256=check.sha256,
        register_address=check.register_address,
        checked_on=check.checked_on,
        checked_by=check.checked_by,
    )
    return evidence.model_dump(mode="json")
