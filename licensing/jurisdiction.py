"""Profiles: law as dated data with sources, one JSON file each. Adding a country needs no code."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from licensing.classify import ServiceClass
from licensing.facts import Leg, LegKind
from licensing.json_text import TwiceError, parse
from licensing.permit import Document
from licensing.reasons import Obligation

REVIEW = timedelta(days=180)  # after `as_of`, where a profile names no review date


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"`{name}` is no IANA time zone") from None
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]
Duties = tuple[Obligation | Literal["CLI_ATTEST"], ...]
Codes = tuple[tuple[str, ...], ...]  # any of these lists; all of each list
RegionTest = Literal[
    "every_leg_in_jurisdiction", "conservative: every_leg_in_jurisdiction; permissive: operator_seat"
]


class Requirement(Document):
    """What a class needs. `permissive_any_of` counts only under the permissive reading."""

    kind: Literal["permit", "none", "general_authorisation", "prohibited"]
    any_of: Codes = ()
    permissive_any_of: Codes = ()
    only_if: Literal["equipment_in_jurisdiction"] | None = None
    uncertain: bool = False


class ServiceRule(Document):
    """The law on one service class."""

    domestic: Requirement
    international: Requirement
    basis: Literal["settled", "interpretation"]
    confidence: Literal["high", "medium", "low"]
    region_test: RegionTest = "every_leg_in_jurisdiction"
    per_call: Duties = ()
    international_per_call: Duties = ()
    requires_capabilities: tuple[Literal["emergency_route", "registered_location"], ...] = ()
    own_organisation_exempt: Literal["settled"] | None = None
    sources: tuple[str, ...] = ()
    notes: str | None = None


class Readings(Document):
    """An answer that depends on the reading of the law that the operator chose."""

    conservative: bool = True
    permissive: bool = True


class Accepted(Document):
    """A foreign regulator's categories that this profile takes for one of its own."""

    stands_for: str
    regulator_time_zone: Zone
    categories: tuple[str, ...]


class PermitChecks(Document):
    """Which checks of a permit this profile asks for; every real jurisdiction asks for all of them."""

    holder: Literal["required", "where_stated"] = "required"
    regions: bool = True
    verified: bool = True
    any_jurisdiction: bool = False  # permits of every jurisdiction are looked at, not only this one's


class OnLoss(Document):
    """Seconds that a running call keeps when its permit is lost; 0 ends it at once."""

    suspended: int = Field(default=60, ge=0, le=60)
    revoked: int = Field(default=30, ge=0, le=30)
    expired: int = Field(default=900, ge=0, le=900)
    toggled_off: int = Field(default=60, ge=0, le=60)


class RecordingRule(Document):
    consent: str
    all_party_subdivisions: tuple[str, ...] = ()
    default: str | None = None
    notes: str | None = None
    sources: tuple[str, ...] = ()
    confidence: str | None = None


class Profile(Document):
    """One jurisdiction: requirements and duties by class, and where they are written.

    What `decide` does not ask (authorities, emergency numbers, retention, penalties) is there for the people
    who rely on the rest, and is shown to them.
    """

    format: Literal["wephone.jurisdiction/1"]
    code: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2}|baseline)$")]
    extends: str | None = None  # the profile whose law this one shares, and whose permits it takes
    name: Mapping[str, str]
    as_of: date
    review_on: date | None = None
    regulator_time_zone: Zone
    everywhere: bool = False  # every leg lies in it: the baseline profile's way of having no borders
    members: tuple[str, ...] = ()
    treated_as_international: tuple[str, ...] = ()
    calling_codes: tuple[str, ...] = ()
    authorities: tuple[Mapping[str, str], ...] = ()
    categories: Mapping[str, Any]
    accepts: Mapping[str, Accepted] = Field(default_factory=dict)
    services: Mapping[ServiceClass, ServiceRule]
    with_telephone_leg: Requirement | None = None  # in place of the class's own, when any leg is a telephone
    country_needed: tuple[LegKind, ...] = (LegKind.APP, LegKind.PSTN, LegKind.PRIVATE)
    permit_checks: PermitChecks = PermitChecks()
    partner_permit_accepted: Readings = Readings()
    standing: tuple[Obligation, ...] = ()
    identity_required: bool = False
    cli_rule: Literal["attest", "must_be_verified", "valid", "valid_and_not_domestic_from_abroad"] | None = (
        None
    )
    renewal_notice_days: int | None = None
    recording: RecordingRule | None = None
    on_loss: OnLoss = OnLoss()
    permit_form: Mapping[str, Any] = Field(default_factory=dict)
    emergency: Mapping[str, Any] = Field(default_factory=dict)
    retention: tuple[Mapping[str, str | None], ...] = ()
    prohibited: tuple[Mapping[str, str], ...] = ()
    penalties: tuple[Mapping[str, str], ...] = ()
    sources: Mapping[str, Any] = Field(default_factory=dict)
    notes: str | None = None

    def contains(self, country: str | None) -> bool:
        """Does a leg in this country lie in the jurisdiction?"""
        return self.everywhere or country == self.code or country in self.members

    def takes_permits_of(self, jurisdiction: str) -> bool:
        """Are permits of that jurisdiction looked at here at all?"""
        return self.permit_checks.any_jurisdiction or jurisdiction in (self.code, self.extends, *self.members)

    def region_of(self, leg: Leg) -> str | None:
        """What a permit's regions list: countries in a union of them, ISO 3166-2 codes elsewhere."""
        return leg.country if self.members or self.extends else leg.subdivision

    def knows(self, category: str) -> bool:
        """Is it a category of this jurisdiction, or a parent of some?"""
        code = category.partition("#")[0]
        return code in self.categories or any(known.startswith(f"{code}-") for known in self.categories)

    def zone_of(self, jurisdiction: str) -> str:
        """The zone in which a permit of that jurisdiction states its dates."""
        accepted = self.accepts.get(jurisdiction)
        return accepted.regulator_time_zone if accepted else self.regulator_time_zone

    def accepted_for(self, code: str) -> tuple[str, ...]:
        """The category itself, then the foreign ones that stand for it."""
        return code, *(c for a in self.accepts.values() if a.stands_for == code for c in a.categories)

    @property
    def review_due(self) -> date:
        return self.review_on or self.as_of + REVIEW


class ProfileError(Exception):
    """Profiles that cannot be used: of each error which file, where in it, and why; a line for each."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Profiles:
    """The profiles that are loaded, with the version of each: its date and the hash of its bytes."""

    by_code: Mapping[str, Profile]
    versions: Mapping[str, str]
    texts: Mapping[str, str] = field(repr=False)  # each file, byte for byte
    _governing: Mapping[str, str] = field(repr=False)

    def named(self, code: str) -> str:
        """The profile with its version, as decisions name it."""
        return f"{code}@{self.versions[code]}"

    def profile_for(self, country: str) -> Profile | None:
        """The country's own profile, or the one that it is a member of."""
        code = self._governing.get(country)
        return self.by_code[code] if code else None


def load_profiles(folder: Traversable | None = None) -> Profiles:
    """Every `*.json` of a folder (the ones we ship, if none is given). ProfileError names files and paths."""
    return gather(texts_in(folder or SHIPPED))


SHIPPED = files("licensing").joinpath("jurisdictions")


def texts_in(folder: Traversable) -> list[tuple[str, bytes]]:
    """The files of a folder that are profiles, by their names. OSError if they cannot be read."""
    found = sorted((f for f in folder.iterdir() if f.name.endswith(".json")), key=lambda f: f.name)
    return [(f.name, f.read_bytes()) for f in found]


def beside(shipped: Iterable[tuple[str, bytes]], own: Iterable[tuple[str, bytes]], today: date) -> Profiles:
    """What we ship with an operator's own files, which take the place of those of the same name.

    A file's name is its code, and its law is not of the future: a slip in either would go unseen for long.
    """
    replaced = dict(own)
    profiles = gather({**dict(shipped), **replaced}.items())
    faults = [
        f"{code}.json: as_of: is in the future (found '{profile.as_of}')"
        for code, profile in profiles.by_code.items()
        if f"{code}.json" in replaced and profile.as_of > today
    ]
    faults += (
        f"{name}: code: has to be the file's name"
        for name, data in replaced.items()
        if profiles.texts.get(name.removesuffix(".json")) != data.decode()
    )
    if faults:
        raise ProfileError(*sorted(faults))
    return profiles


def gather(named: Iterable[tuple[str, bytes]]) -> Profiles:
    """Profiles from the bytes of their files. ProfileError has all that is wrong with any of them."""
    faults: list[str] = []
    read = [source for name, data in named if (source := _source(name, data, faults)) is not None]
    bases = {source.code: source for source in read if "extends" not in source.document}
    by_code: dict[str, Profile] = {}
    versions: dict[str, str] = {}
    texts: dict[str, str] = {}
    for source in read:
        try:
            base = _base(source, bases)
            profile = _profile(source, base)
        except ProfileError as error:
            faults += error.faults
            continue
        if profile.code in by_code:
            faults.append(f"{source.name}: code: `{profile.code}` is the code of another file too")
        by_code[profile.code] = profile
        texts[profile.code] = source.data.decode()
        digest = sha256(source.data + (base.data if base else b"")).hexdigest()
        versions[profile.code] = f"{profile.as_of}+{digest[:12]}"
    if faults:
        raise ProfileError(*faults)
    governing = {member: p.code for p in by_code.values() for member in p.members}
    return Profiles(by_code, versions, texts, governing | {code: code for code in by_code})


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it was read, before it is known to be a profile."""

    name: str
    data: bytes
    document: Mapping[str, Any]

    @property
    def code(self) -> object:
        code = self.document.get("code")
        return code if isinstance(code, str) else None


def _source(name: str, data: bytes, faults: list[str]) -> Source | None:
    """The file as it was read; none, and a fault more, if it is no document."""
    try:
        return Source(name, data, _document(name, data))
    except ProfileError as error:
        faults += error.faults
        return None


def _document(name: str, data: bytes) -> Mapping[str, Any]:
    try:
        document = parse(data.decode())
    except TwiceError as error:
        raise ProfileError(f"{name}: {error}") from None
    except (ValueError, RecursionError) as error:  # JSON's own errors carry line and column
        raise ProfileError(f"{name}: {error}") from None
    if not isinstance(document, dict):
        raise ProfileError(f"{name}: the whole file: is no JSON object")
    return document


def _base(source: Source, bases: Mapping[object, Source]) -> Source | None:
    extends = source.document.get("extends")
    if extends is None:
        return None
    if not isinstance(extends, str) or extends not in bases:
        raise ProfileError(f"{source.name}: extends: there is no profile `{extends}` to extend")
    return bases[extends]


def _profile(source: Source, base: Source | None) -> Profile:
    try:
        profile = Profile.model_validate(source.document if base is None else _extended(source, base))
    except ValidationError as error:
        raise ProfileError(*(_said(source.name, each) for each in error.errors(include_url=False))) from None
    faults = [
        f"{source.name}: {path}: `{code}` is not among the categories"
        for path, code in _codes_used(profile)
        if not _is_listed(code, profile)
    ]
    faults += (
        f"{source.name}: {path}: `{key}` is not among the sources"
        for path, key in _sources_used(profile)
        if key not in profile.sources
    )
    if faults:
        raise ProfileError(*faults)
    return profile


def _said(name: str, error: ErrorDetails) -> str:
    path = ".".join(str(step) for step in error["loc"]) or "the whole file"
    fault = error["msg"].removeprefix("Value error, ")
    return f"{name}: {path}: {fault} (found {error['input']!r:.80})"


def _extended(source: Source, base: Source) -> dict[str, Any]:
    """The base's law with what this file says instead; classes, categories and sources one by one."""
    own = source.document
    shared = {key: value for key, value in base.document.items() if key not in ("members", "name")}
    merged = {
        key: {**shared[key], **own[key]}
        for key in ("services", "categories", "sources")
        if isinstance(shared.get(key), dict) and isinstance(own.get(key), dict)
    }
    return {**shared, **own, **merged}


def _codes_used(profile: Profile) -> Iterable[tuple[str, str]]:
    requirements = [
        (f"services.{service}.{reach}", getattr(rule, reach))
        for service, rule in profile.services.items()
        for reach in ("domestic", "international")
    ]
    if profile.with_telephone_leg:
        requirements.append(("with_telephone_leg", profile.with_telephone_leg))
    for path, requirement in requirements:
        for alternative in (*requirement.any_of, *requirement.permissive_any_of):
            yield from ((path, code) for code in alternative)
    yield from ((f"accepts.{key}.stands_for", a.stands_for) for key, a in profile.accepts.items())


def _sources_used(profile: Profile) -> Iterable[tuple[str, str]]:
    for service, rule in profile.services.items():
        yield from ((f"services.{service}.sources", key) for key in rule.sources)
    if profile.recording is not None:
        yield from (("recording.sources", key) for key in profile.recording.sources)


def _is_listed(code: str, profile: Profile) -> bool:
    base = code.partition("#")[0]
    if base.endswith("-*"):
        return any(category.startswith(base[:-1]) for category in profile.categories)
    return base in profile.categories
