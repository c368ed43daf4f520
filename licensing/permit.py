"""A telecom permit as a document, and what of it is in force at an instant. Edits make versions.

Dates are in the regulator's zone and both ends are inclusive; status events hold in [from, to) with their own
offset. No grace of any kind.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from licensing.classify import ServiceClass
from licensing.facts import Leg
from licensing.instant import MICROSECOND, SECOND

Word = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
_CATEGORY = r"^[A-Za-z]{2,12}:[A-Za-z0-9-]{1,40}(#[a-z_]{1,40})?$"
_REGION = r"^(\*|[A-Z]{2}(-[A-Z0-9]{1,3})?)$"
_PART = r"^[A-Z]{2}-[A-Z0-9]{1,3}$"  # ISO 3166-2
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}$")
_SHA256 = r"^[0-9a-f]{64}$"
_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_JURISDICTION = r"^([A-Z]{2}|baseline)$"
_KEY = r"^[A-Za-z0-9*][A-Za-z0-9*._:-]{0,63}$"
SPELLINGS = {  # what each has to be, for whoever wrote something else
    _CATEGORY: "must be a jurisdiction and a category of it, as `CN:A15-1`",
    _REGION: "must be `*`, or a region (ISO 3166-2), as `CN-BJ`",
    _PART: "must be a region (ISO 3166-2), as `CN-BJ`",
    _SHA256: "must be a SHA-256: 64 hexadecimal digits in lower case",
    _ID: "must be 1 to 64 letters, digits, dots, dashes and underscores",
    _JURISDICTION: "must be a country (ISO 3166-1 alpha-2), `EU` or `baseline`",
    _KEY: "must be 1 to 64 letters, digits, dots, colons, dashes, underscores and asterisks",
}
Category = Annotated[str, StringConstraints(pattern=_CATEGORY)]
Region = Annotated[str, StringConstraints(pattern=_REGION)]
Part = Annotated[str, StringConstraints(pattern=_PART)]


class Document(BaseModel):
    """Anything that an operator files: closed, frozen, checked whole."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_alias=True, serialize_by_alias=True)


def _plain_day(day: object) -> object:
    """A regulator's dates have no time and no zone but the regulator's."""
    if isinstance(day, datetime) or (
        not isinstance(day, date) and not (isinstance(day, str) and _DAY.match(day))
    ):
        raise ValueError("must be a date, as `2026-11-30`: it is one of the regulator's calendar")
    return day


def _plain_moment(moment: object) -> object:
    if not isinstance(moment, datetime) and not (isinstance(moment, str) and "T" in moment.upper()):
        raise ValueError("must be a time with its offset, as `2026-11-30T00:00:00+08:00`")
    return moment


Day = Annotated[date, BeforeValidator(_plain_day)]
Moment = Annotated[AwareDatetime, BeforeValidator(_plain_moment)]


class StatusEvent(Document):
    """What the regulator did to the permit. `suspended` is a window, the others are final from `from`."""

    status: Literal["suspended", "revoked", "surrendered"]
    start: Moment = Field(alias="from")
    end: Moment | None = Field(default=None, alias="to")  # None: until lifted
    reference: str | None = None
    reason: str | None = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.end is not None and self.end <= self.start:
            raise ValueError("`to` must be after `from`")
        if self.end is not None and self.status != "suspended":
            raise ValueError(f"`{self.status}` is final and has no `to`")
        return self


class Renewal(Document):
    """An application to renew. While it has no decision, some laws let the permit run on."""

    applied_on: Day
    decision: Literal["granted", "refused"] | None = None
    receipt: str | None = None


class Evidence(Document):
    """What was looked at to check the permit: a file by its SHA-256, the entry in a public register."""

    sha256: Annotated[str, StringConstraints(pattern=_SHA256)] | None = None
    register_address: str | None = None
    checked_on: Day | None = None
    checked_by: str | None = None


class Permit(Document):
    """One permit, registration or notification. `number` is shown and never parsed for its scope."""

    id: Annotated[str, StringConstraints(pattern=_ID)]
    jurisdiction: Annotated[str, StringConstraints(pattern=_JURISDICTION)]
    categories: tuple[Category, ...] = Field(min_length=1)
    holder: Word | None = None
    basis: Literal["own", "carrier_contract"] = "own"
    issuer: str | None = None
    number: str | None = None
    regions: tuple[Region, ...] = Field(default=("*",), min_length=1)
    valid_from: Day
    valid_until: Day | None = None  # None: no end is stated
    status_events: tuple[StatusEvent, ...] = ()
    conditions: tuple[str, ...] = ()
    renewal: Renewal | None = None
    evidence: tuple[Evidence, ...] = ()
    verified: StrictBool = False
    next_review_on: Day | None = None
    version: StrictInt = Field(default=1, ge=1)

    @field_validator("valid_until")
    @classmethod
    def _ends_after_it_begins(cls, until: date | None, others: ValidationInfo) -> date | None:
        start = others.data.get("valid_from")
        if until is not None and start is not None and until < start:
            raise ValueError(f"is before valid_from, {start}")
        return until

    @field_validator("status_events")
    @classmethod
    def _do_not_overlap(cls, events: tuple[StatusEvent, ...]) -> tuple[StatusEvent, ...]:
        windows = sorted((e for e in events if e.status == "suspended"), key=lambda e: e.start)
        for earlier, later in pairwise(windows):
            if earlier.end is None or earlier.end > later.start:
                raise ValueError(f"the suspension from {later.start.isoformat()} overlaps the one before it")
        if sum(event.status != "suspended" for event in events) > 1:
            raise ValueError("a permit is revoked or surrendered once, for good")
        return events


class Toggle(Document):
    """The operator switches kinds of calls off. It narrows what permits allow and can never widen it."""

    key: Annotated[str, StringConstraints(pattern=_KEY)]
    enabled: StrictBool
    services: tuple[ServiceClass, ...] = ()  # none named: every class
    jurisdictions: tuple[str, ...] = ()  # none named: everywhere; a profile's code or the country of any leg
    regions: tuple[Part, ...] = ()  # none named: all parts of it; else where any leg is, or may be

    def switches_off(self, service: ServiceClass, places: frozenset[str], parties: tuple[Leg, ...]) -> bool:
        """Does it forbid this class where these profiles and countries are involved, and these legs?"""
        if self.enabled or (self.services and service not in self.services):
            return False
        if self.jurisdictions and places.isdisjoint(self.jurisdictions):
            return False
        return not self.regions or any(may_be_in(region, leg) for region in self.regions for leg in parties)


def may_be_in(region: str, leg: Leg) -> bool:
    """Is the leg in this part of its country? One of which nobody knows the part may be."""
    if leg.subdivision:
        return leg.subdivision == region
    return leg.country == region.partition("-")[0]


class Standing(StrEnum):
    """What a permit is worth at an instant, in the order in which it is asked."""

    REVOKED = "revoked"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    IN_FORCE = "in_force"


def standing(permit: Permit, zone: str, utc_ns: int) -> Standing:
    """What is true of the permit at this UTC nanosecond; its dates are in `zone` (IANA)."""
    if any(e.status != "suspended" and _ns(e.start) <= utc_ns for e in permit.status_events):
        return Standing.REVOKED
    if utc_ns < day_begins(permit.valid_from, zone):
        return Standing.NOT_YET_VALID
    if permit.valid_until is not None and utc_ns >= day_ends(permit.valid_until, zone):
        return Standing.EXPIRED
    return Standing.SUSPENDED if is_suspended(permit, utc_ns) else Standing.IN_FORCE


def is_suspended(permit: Permit, utc_ns: int) -> bool:
    """Does a suspension hold now, whatever its dates say?"""
    return any(_suspends(event, utc_ns) for event in permit.status_events)


def next_change(permit: Permit, zone: str, utc_ns: int) -> int | None:
    """The next UTC nanosecond after this one at which `standing` may answer otherwise."""
    moments = [day_begins(permit.valid_from, zone)]
    if permit.valid_until is not None:
        moments.append(day_ends(permit.valid_until, zone))
    for event in permit.status_events:
        moments.append(_ns(event.start))
        if event.end is not None:
            moments.append(_ns(event.end))
    return min((moment for moment in moments if moment > utc_ns), default=None)


@lru_cache(4096)
def day_begins(day: date, zone: str) -> int:
    """The UTC nanosecond at which `day` begins in `zone`; if clocks skip midnight, the first there is."""
    return _ns(datetime.combine(day, time.min, ZoneInfo(zone)))


@lru_cache(4096)
def day_ends(day: date, zone: str) -> int:
    """The first UTC nanosecond after `day` in `zone`. Days of 23 and 25 hours come out as such."""
    return day_begins(day + timedelta(days=1), zone) if day < date.max else _FOREVER


def local_date(utc_ns: int, zone: str) -> date:
    """The date on the regulator's wall calendar."""
    return datetime.fromtimestamp(utc_ns // SECOND, ZoneInfo(zone)).date()


_FOREVER = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _ns(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * MICROSECOND


def _suspends(event: StatusEvent, utc_ns: int) -> bool:
    if event.status != "suspended" or utc_ns < _ns(event.start):
        return False
    return event.end is None or utc_ns < _ns(event.end)
