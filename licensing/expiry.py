"""What ends, or has to be looked at again, before long: told at so many days before it. Pure."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from licensing.instant import Instant
from licensing.jurisdiction import Profiles
from licensing.permit import Permit, Standing, local_date, standing
from licensing.snapshot import Snapshot

DAYS = (1, 7, 30, 90, 180)  # before the day, when somebody is told

What = Literal["ends", "review"]
_SENTENCES: dict[What, str] = {
    "ends": "permit `{id}` is valid until {on} and no longer",
    "review": "permit `{id}` has to be reviewed by {on}",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell the operator, once. `id` is the same however often it is found."""

    id: str
    subject: str  # the permit's or profile's id
    what: Literal["ends", "review", "profile_review"]
    on: date
    days_left: int  # full days in the regulator's zone; below 0 it is over
    text: str


def zone_of(permit: Permit, profiles: Profiles) -> str:
    """The time zone of its dates: of its own jurisdiction, else of whichever profile accepts it."""
    own = profiles.by_code.get(permit.jurisdiction)
    if own is not None:
        return own.regulator_time_zone
    accepts = (
        profile.zone_of(permit.jurisdiction)
        for profile in profiles.by_code.values()
        if permit.jurisdiction in profile.accepts
    )
    return next(accepts, "UTC")


def days_left(day: date | None, zone: str, now: Instant) -> int | None:
    """Days until this one, in the regulator's zone: 0 on the day itself, less when it is over."""
    return None if day is None else (day - local_date(now.utc_ns, zone)).days


def notices(taken: Snapshot, profiles: Profiles, now: Instant) -> tuple[Notice, ...]:
    """What is due to be told about the permits, each at the nearest of its days."""
    return tuple(notice for permit in taken.permits for notice in permit_notices(permit, profiles, now))


def permit_notices(permit: Permit, profiles: Profiles, now: Instant) -> tuple[Notice, ...]:
    """What is due to be told about one permit."""
    zone = zone_of(permit, profiles)
    if standing(permit, zone, now.utc_ns) is Standing.REVOKED:
        return ()
    found = (
        _notice(permit, "ends", permit.valid_until, zone, now),
        _notice(permit, "review", permit.next_review_on, zone, now),
    )
    return tuple(notice for notice in found if notice is not None)


def review_notices(codes: tuple[str, ...], profiles: Profiles) -> tuple[Notice, ...]:
    """The profiles that were not reviewed in time, as `Law.past_review` names them."""
    return tuple(
        Notice(
            id=f"warning:{code}@{profiles.versions[code]}:profile_review",
            subject=code,
            what="profile_review",
            on=profiles.by_code[code].review_due,
            days_left=-1,
            text=f"the profile `{code}` had to be reviewed by {profiles.by_code[code].review_due}; "
            "it keeps deciding",
        )
        for code in codes
    )


def _notice(permit: Permit, what: What, on: date | None, zone: str, now: Instant) -> Notice | None:
    left = days_left(on, zone, now)
    near = next((days for days in DAYS if left is not None and 0 <= left <= days), None)
    if on is None or left is None or near is None:
        return None
    # By the date and not the version: a new version that ends on the same day is no news.
    id = f"warning:{permit.id}:{what}:{on}:{near}"
    sentence = _SENTENCES[what].format(id=permit.id, on=on)
    return Notice(id, permit.id, what, on, left, f"{sentence}: {_days(left)}")


def _days(left: int) -> str:
    return "today" if left == 0 else f"{left} day{'' if left == 1 else 's'} left"
