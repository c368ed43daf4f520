"""Any callee a person can type, as one canonical address or a refusal.

Switch, gate, routing, limits, logs and rating all ask here and nowhere else, so that no string means one
number to the one and another to the other. What cannot be placed is refused. Pure; the tables are package
data (`numbers.json`).
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.resources import files
from typing import Any

import phonenumbers as libphonenumber
from phonenumbers import PhoneNumberType, ShortNumberCost, ValidationResult, shortnumberinfo

from licensing.dialled import Digits, Name, NumberFault, Sos, unwrap

_TABLES: dict[str, Any] = json.loads(files("licensing").joinpath("numbers.json").read_text("utf-8"))
_EMERGENCY: dict[str, list[str]] = _TABLES["emergency"]["numbers"]
_EMERGENCY_ELSEWHERE: list[str] = _TABLES["emergency"]["elsewhere"]
_ANY_EMERGENCY = frozenset(number for row in _EMERGENCY.values() for number in row)
_NON_GEOGRAPHIC: dict[str, str] = _TABLES["non_geographic"]["kinds"]
_SUBDIVISIONS: dict[str, dict[str, str]] = {
    country: areas for country, areas in _TABLES["subdivisions"].items() if country != "source"
}

NON_GEOGRAPHIC = "001"  # the country of codes that belong to none
_SHORT = 6  # digits; anything longer that is not valid is a mistyped number, not a short code


class NumberType(StrEnum):
    """What kind of number it is, as far as the number itself can say."""

    GEOGRAPHIC = "geographic"
    MOBILE = "mobile"
    VOIP = "voip"
    PERSONAL = "personal"
    PAGER = "pager"
    CORPORATE = "corporate"  # universal access numbers and voicemail
    TOLL_FREE = "toll_free"
    SHARED = "shared"
    PREMIUM = "premium"
    SHORT_CODE = "short_code"
    EMERGENCY = "emergency"
    SATELLITE = "satellite"
    INTERNATIONAL_NETWORK = "international_network"
    INTERNATIONAL_PREMIUM = "international_premium"
    UNALLOCATED = "unallocated"


_TYPES = {
    PhoneNumberType.FIXED_LINE: NumberType.GEOGRAPHIC,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: NumberType.GEOGRAPHIC,  # where the plan does not tell them apart
    PhoneNumberType.MOBILE: NumberType.MOBILE,
    PhoneNumberType.VOIP: NumberType.VOIP,
    PhoneNumberType.PERSONAL_NUMBER: NumberType.PERSONAL,
    PhoneNumberType.PAGER: NumberType.PAGER,
    PhoneNumberType.UAN: NumberType.CORPORATE,
    PhoneNumberType.VOICEMAIL: NumberType.CORPORATE,
    PhoneNumberType.TOLL_FREE: NumberType.TOLL_FREE,
    PhoneNumberType.SHARED_COST: NumberType.SHARED,
    PhoneNumberType.PREMIUM_RATE: NumberType.PREMIUM,
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the caller is, as far as is known: ISO 3166-1 alpha-2, and the operator's home countries."""

    country: str | None = None
    homes: tuple[str, ...] = ()


NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class UserName:
    """A user of this service."""

    name: str


@dataclass(frozen=True, slots=True)
class Number:
    """A canonical telephone address.

    `digits` is E.164 with its plus, or a short number as dialled. `country` is ISO 3166-1 alpha-2,
    NON_GEOGRAPHIC, or None for an emergency number dialled at an unknown place. `subdivision` is
    ISO 3166-2, where the number tells.
    """

    digits: str
    country: str | None
    type: NumberType
    subdivision: str | None = None
    extension: str | None = field(default=None, compare=False)

    @property
    def address(self) -> str:
        """The canonical text, which canonicalises to itself; a short number carries its country."""
        if self.digits.startswith("+") or self.country is None:
            return self.digits
        return f"{self.digits};phone-context={self.country}"  # a descriptor by RFC 3966 §3

    @property
    def emergency(self) -> bool:
        return self.type is NumberType.EMERGENCY

    def __str__(self) -> str:
        return self.address


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A string that is no address we know; what it looks like is never tried."""

    fault: NumberFault


Callee = UserName | Number | Unplaced


def classify_callee(text: str, place: Place = NOWHERE) -> Callee:
    """A user, a number, or neither. A leading letter makes a name, digits and separators a number."""
    match unwrap(text):
        case Name(name):
            return UserName(name)
        case Digits() as dialled:
            return _place(dialled, place)
        case Sos():
            return _help(place)
        case NumberFault() as fault:
            return Unplaced(fault)


def canonicalise(text: str, place: Place = NOWHERE) -> Number | Unplaced:
    """`classify_callee` where only a number will do."""
    callee = classify_callee(text, place)
    return Unplaced(NumberFault.NOT_A_NUMBER) if isinstance(callee, UserName) else callee


def as_dialled_within(number: Number) -> str | None:
    """Its digits as somebody in its own country dials them; None where they would not be read as it there."""
    if not number.digits.startswith("+") or number.country in (None, NON_GEOGRAPHIC):
        return None
    parsed = libphonenumber.parse(number.digits, None)
    text = libphonenumber.format_number(parsed, libphonenumber.PhoneNumberFormat.NATIONAL)
    digits = "".join(filter(str.isdigit, text))
    return digits if canonicalise(digits, Place(number.country)) == number else None


def is_country(code: str) -> bool:
    """Is it a country or territory that has telephone numbers (ISO 3166-1 alpha-2)?"""
    return code in libphonenumber.SUPPORTED_REGIONS


def parts_of(country: str) -> frozenset[str]:
    """Its parts (ISO 3166-2), where the numbers of all of them are known; none where they are not."""
    return frozenset(_SUBDIVISIONS.get(country, {}).values())


def read_plans(countries: Iterable[str]) -> None:
    """Read the numbering plans of these countries, so that nobody's call has to wait for that."""
    for country in countries:
        libphonenumber.PhoneMetadata.metadata_for_region(country)
        libphonenumber.PhoneMetadata.short_metadata_for_region(country)


def mask(address: str) -> str:
    """An address for logs and screens: `+86138****8000`. Short numbers belong to nobody and stay whole."""
    number, _, rest = address.partition(";")
    plus, digits = ("+", number[1:]) if number.startswith("+") else ("", number)
    if len(digits) <= _SHORT:
        return plus + digits + (f";{rest}" if rest else "")
    shown = 4 if len(digits) >= 11 else 2
    start = digits[: max(2, len(digits) - shown - 4)]
    return f"{plus}{start}****{digits[-shown:]}"


def is_emergency(digits: str, place: Place) -> bool:
    """Do these digits call for help where the caller is? At an unknown place: anywhere they might mean."""
    if place.country is not None:
        return digits in _EMERGENCY.get(place.country, _EMERGENCY_ELSEWHERE)
    if place.homes:
        return any(digits in _EMERGENCY.get(home, _EMERGENCY_ELSEWHERE) for home in place.homes)
    return digits in _ANY_EMERGENCY


def _emergency(digits: str, place: Place) -> Number:
    country = place.country or next((home for home in place.homes if is_emergency(digits, Place(home))), None)
    return Number(digits, country, NumberType.EMERGENCY)


def _help(place: Place) -> Number:
    country = place.country or next(iter(place.homes), None)
    numbers = _EMERGENCY.get(country, _EMERGENCY_ELSEWHERE) if country else _EMERGENCY_ELSEWHERE
    return Number(numbers[0], country, NumberType.EMERGENCY)


def _place(dialled: Digits, place: Place) -> Number | Unplaced:
    """Emergency first, by digits and the caller's place alone: no context that a client adds can hide it."""
    if not dialled.international and is_emergency(dialled.digits, place):
        return _emergency(dialled.digits, place)
    if dialled.international:
        if dialled.context is not None:  # RFC 3966 §5.1.5: a global number has none
            return Unplaced(NumberFault.UNSUPPORTED_PARAMETER)
        return _international(dialled, place)
    region: str | None = place.country
    if dialled.context is not None:
        context = _context(dialled.context)
        if isinstance(context, NumberFault):
            return Unplaced(context)
        if isinstance(context, Digits):
            digits = context.digits + dialled.digits
            return _international(Digits(digits, True, None, dialled.extension), place)
        region = context
    if region is None:
        return Unplaced(NumberFault.COUNTRY_UNKNOWN)
    return _national(dialled, region, place)


def _context(text: str) -> str | Digits | NumberFault:
    """The country that a phone-context names, or the digits it puts before a local number."""
    if len(text) == 2 and text.isascii() and text.isalpha():
        known = text.upper() in libphonenumber.SUPPORTED_REGIONS
        return text.upper() if known else NumberFault.UNSUPPORTED_PARAMETER
    context = unwrap(text)
    if not isinstance(context, Digits) or not context.international or context.context:
        return NumberFault.UNSUPPORTED_PARAMETER
    if len(context.digits) <= 3:
        region = libphonenumber.region_code_for_country_code(int(context.digits))
        if region in libphonenumber.SUPPORTED_REGIONS:
            return region
    return context


def _international(dialled: Digits, place: Place) -> Number | Unplaced:
    parsed = _parse(f"+{dialled.digits}", None)
    if isinstance(parsed, NumberFault):
        return Unplaced(parsed)
    return _help_behind_code(parsed, place) or _judge(parsed, dialled.extension)


def _help_behind_code(parsed: libphonenumber.PhoneNumber, place: Place) -> Number | None:
    """The caller's own emergency number behind their own country's code, as address books write it."""
    national = str(parsed.national_number)
    if len(national) > _SHORT:
        return None
    regions = libphonenumber.region_codes_for_country_code(parsed.country_code or 0)
    for here in (place.country,) if place.country else place.homes:
        if here in regions and is_emergency(national, Place(here)):
            return Number(national, here, NumberType.EMERGENCY)
    return None


def _national(dialled: Digits, region: str, place: Place) -> Number | Unplaced:
    parsed = _parse(dialled.digits, region)
    if not isinstance(parsed, NumberFault) and libphonenumber.is_valid_number(parsed):
        return _judge(parsed, dialled.extension)
    if len(dialled.digits) <= _SHORT:
        if region != place.country and (place.country is not None or region not in place.homes):
            return Unplaced(NumberFault.FOREIGN_SHORT_CODE)
        return Number(dialled.digits, region, _short_type(dialled.digits, region))
    if isinstance(parsed, NumberFault):
        return Unplaced(parsed)
    return _help_behind_code(parsed, place) or _judge(parsed, dialled.extension)


def _short_type(digits: str, region: str) -> NumberType:
    code = libphonenumber.country_code_for_region(region)
    zeros = len(digits) - len(digits.lstrip("0"))
    number = libphonenumber.PhoneNumber(
        country_code=code,
        national_number=int(digits),
        italian_leading_zero=zeros > 0 or None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )
    if not shortnumberinfo.is_valid_short_number_for_region(number, region):
        return NumberType.UNALLOCATED
    cost = shortnumberinfo.expected_cost_for_region(number, region)
    return NumberType.PREMIUM if cost == ShortNumberCost.PREMIUM_RATE else NumberType.SHORT_CODE


def _parse(digits: str, region: str | None) -> libphonenumber.PhoneNumber | NumberFault:
    try:
        return libphonenumber.parse(digits, region)
    except libphonenumber.NumberParseException as error:
        match error.error_type:
            case libphonenumber.NumberParseException.INVALID_COUNTRY_CODE:
                return NumberFault.UNASSIGNED_COUNTRY_CODE
            case libphonenumber.NumberParseException.TOO_LONG:
                return NumberFault.TOO_LONG
            case (
                libphonenumber.NumberParseException.TOO_SHORT_NSN
                | libphonenumber.NumberParseException.TOO_SHORT_AFTER_IDD
            ):
                return NumberFault.TOO_SHORT
            case _:
                return NumberFault.NOT_A_NUMBER


def _judge(parsed: libphonenumber.PhoneNumber, extension: str | None) -> Number | Unplaced:
    """Country and kind of a parsed number. Lengths that no number of the plan has are refused."""
    match libphonenumber.is_possible_number_with_reason(parsed):
        case ValidationResult.TOO_LONG:
            return Unplaced(NumberFault.TOO_LONG)
        case ValidationResult.TOO_SHORT | ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
            return Unplaced(NumberFault.TOO_SHORT)
        case _:
            pass
    e164 = libphonenumber.format_number(parsed, libphonenumber.PhoneNumberFormat.E164)
    if len(e164) > 16:  # ITU-T E.164 §6: fifteen digits
        return Unplaced(NumberFault.TOO_LONG)
    if not _reads_as_itself(e164):
        return Unplaced(NumberFault.UNPLACED)
    if kind := _NON_GEOGRAPHIC.get(str(parsed.country_code)):
        return Number(e164, NON_GEOGRAPHIC, NumberType(kind), None, extension)
    regions = libphonenumber.region_codes_for_country_code(parsed.country_code or 0)
    country = libphonenumber.region_code_for_number(parsed)
    if country is None:  # matches no pattern: unallocated, and of no country where several share the code
        if len(regions) != 1:
            return Unplaced(NumberFault.UNPLACED)
        return Number(e164, regions[0], NumberType.UNALLOCATED, None, extension)
    number_type = _TYPES.get(libphonenumber.number_type(parsed), NumberType.UNALLOCATED)
    subdivision = _subdivision(parsed, country) if number_type is NumberType.GEOGRAPHIC else None
    return Number(e164, country, number_type, subdivision, extension)


def _reads_as_itself(e164: str) -> bool:
    """Will whoever reads the address next find the same number? A trunk prefix left in it may go unseen."""
    again = _parse(e164, None)
    if isinstance(again, NumberFault):
        return False
    return libphonenumber.format_number(again, libphonenumber.PhoneNumberFormat.E164) == e164


def _subdivision(parsed: libphonenumber.PhoneNumber, country: str) -> str | None:
    areas = _SUBDIVISIONS.get(country, {})
    national = str(parsed.national_number)
    return next((areas[national[:length]] for length in (3, 2) if national[:length] in areas), None)
