"""Does the law know what a document names? What it does not know would do nothing, in silence. Pure."""

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import chain

from licensing.documents import ChangeError
from licensing.jurisdiction import Profile, Profiles
from licensing.numbering import is_country, parts_of
from licensing.permit import Permit, Toggle

_COUNTRIES_HERE = frozenset({"CN-HK", "CN-MO", "CN-TW"})  # ISO 3166-2 has them twice, numbers once


def check_permit(permit: Permit, profiles: Profiles | None) -> None:
    """ChangeError for a place, category or sub-scope that the law does not know, or what makes no sense."""
    once(permit)
    if profiles is None:
        return
    profile = profiles.by_code.get(permit.jurisdiction)
    if profile is None:
        fault = "there is no law of it here: neither its categories nor the zone of its dates are known"
        raise ChangeError("jurisdiction", fault, permit.jurisdiction)
    for place, region in enumerate(permit.regions):
        if region != "*" and (wrong := region_fault(region, profile)):
            raise ChangeError(f"regions[{place}]", wrong, region)
    for place, category in enumerate(permit.categories):
        if wrong := category_fault(category, profile):
            raise ChangeError(f"categories[{place}]", wrong, category)


def once(permit: Permit) -> None:
    """Nothing is said twice, and nothing happens to a permit after it has ended for good."""
    for path, values in (("categories", permit.categories), ("regions", permit.regions)):
        for place, value in enumerate(values):
            if value in values[:place]:
                raise ChangeError(f"{path}[{place}]", "is there twice", value)
    ends = [event.start for event in permit.status_events if event.status != "suspended"]
    for place, event in enumerate(permit.status_events):
        if event.status == "suspended" and ends and event.start >= ends[0]:
            fault = f"begins when the permit has ended for good, at {ends[0].isoformat()}"
            raise ChangeError(f"status_events[{place}].from", fault, event.start.isoformat())


def region_fault(region: str, profile: Profile) -> str | None:
    """What is wrong with a region of a permit there, as a sentence without its subject."""
    country, _, part = region.partition("-")
    if region in _COUNTRIES_HERE:
        return f"is a country of its own here, and no region of {profile.code}"
    if not profile.contains(country):
        return f"is no region of {profile.code}"
    if profile.members or profile.extends:
        return f"has to be a country there, as `{country}`" if part else None
    if not part and not profile.everywhere:
        return "is all of it: that is `*`"
    known = parts_of(country)
    return (
        f"is no part of {country}{nearest(region, known)}" if part and known and region not in known else None
    )


def category_fault(category: str, profile: Profile) -> str | None:
    """The same of a category, with its sub-scope if it names one."""
    code, _, part = category.partition("#")
    if not profile.knows(category):
        return f"{profile.code} has no such category{nearest(code, profile.categories)}"
    if not part:
        return None
    known = [each for each in scopes(profile) if each.partition("#")[0] == code]
    return None if category in known else f"{code} has no such sub-scope{nearest(category, known)}"


def scopes(profile: Profile) -> set[str]:
    """The sub-scopes that its rules tell apart, as `CN:B25#internet`."""
    rules = profile.services.values()
    needs = [profile.with_telephone_leg, *chain.from_iterable((r.domestic, r.international) for r in rules)]
    lists = chain.from_iterable((*need.any_of, *need.permissive_any_of) for need in needs if need is not None)
    return {code for codes in lists for code in codes if "#" in code}


def nearest(wrong: str, known: Iterable[str]) -> str:
    """What may have been meant."""
    near = get_close_matches(wrong, list(known), 1, 0.0)
    return f"; the nearest that it has is `{near[0]}`" if near else ""


def check_places(toggle: Toggle, profiles: Profiles | None) -> None:
    """A place that no leg is ever in would switch nothing off, in silence."""
    for place, code in enumerate(toggle.jurisdictions):
        if profiles is not None and code not in profiles.by_code and not is_country(code):
            fault = "is neither a country (ISO 3166-1 alpha-2) nor a profile"
            raise ChangeError(f"jurisdictions[{place}]", fault, code)
    for place, region in enumerate(toggle.regions):
        if region in _COUNTRIES_HERE:
            fault = f"is a country of its own here: name `{region[3:]}` as a jurisdiction"
            raise ChangeError(f"regions[{place}]", fault, region)
        if not is_country(region[:2]):
            raise ChangeError(f"regions[{place}]", "is in no country (ISO 3166-2)", region)
