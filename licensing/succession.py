"""Would a permit take the place of one that is suspended or revoked? Then filing it lifts that. Pure."""

from licensing.instant import Instant
from licensing.permit import Permit
from licensing.snapshot import Snapshot
from licensing.suspension import suspends


def in_place_of(snapshot: Snapshot, permit: Permit, before: Permit | None, now: Instant) -> Permit | None:
    """The permit that was lost, and that this one resembles; none if it gives nothing back.

    The next version of a permit gives nothing back if it grants no more than the version before did.
    """
    if before is not None and grants_no_more(permit, before):
        return None
    for other in snapshot.permits:
        if other.id != permit.id and is_lost(other, now) and resembles(permit, other):
            return other
    return None


def is_lost(permit: Permit, now: Instant) -> bool:
    """Was it revoked, or is it suspended, or about to be?"""
    return any(event.status == "revoked" or suspends(event, now) for event in permit.status_events)


def resembles(one: Permit, other: Permit) -> bool:
    """The same number, or a category in common for the same holder; one that names no holder has any."""
    if one.jurisdiction != other.jurisdiction:
        return False
    if (
        one.number is not None
        and other.number is not None
        and permit_number(one.number) == permit_number(other.number)
    ):
        return True
    same_holder = one.holder is None or other.holder is None or one.holder == other.holder
    return same_holder and any(
        is_part(mine, theirs) or is_part(theirs, mine)
        for mine in one.categories
        for theirs in other.categories
    )


def grants_no_more(permit: Permit, before: Permit) -> bool:
    """Does the next version cover nothing that this one did not?"""
    ends = (permit.valid_until, before.valid_until)
    return (
        set(permit.categories) <= set(before.categories)
        and (permit.holder, permit.basis) == (before.holder, before.basis)
        and ("*" in before.regions or set(permit.regions) <= set(before.regions))
        and permit.valid_from >= before.valid_from
        and (ends[1] is None or (ends[0] is not None and ends[0] <= ends[1]))
        and (before.verified or not permit.verified)
    )


def is_part(category: str, of: str) -> bool:
    """Is it the same category, or a child of it? Sub-scopes tell no two permits apart here."""
    child, parent = category.partition("#")[0], of.partition("#")[0]
    return child == parent or child.startswith(f"{parent}-")


def permit_number(number: str) -> str:
    """A permit's number, however it is spaced."""
    return "".join(number.split()).casefold()
