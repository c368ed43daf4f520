"""How a trunk writes numbers: a rule around the canonical address, never a second reading of it. Pure.

Whatever is written is read back before it is used, so that no carrier is given digits that mean another
number than the one that was decided about.
"""

from dataclasses import dataclass
from enum import StrEnum

from licensing.numbering import Number, NumberType, Place, Unplaced, as_dialled_within, canonicalise

SHORT = 6  # digits; such numbers have no country code, and go as they are dialled


class Style(StrEnum):
    """What a carrier expects in a SIP URI's user part."""

    E164 = "e164"  # +4930123456
    DIGITS = "digits"  # 4930123456
    NATIONAL = "national"  # 030123456 at home, and 004930123456 for everybody else


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """One carrier's. `country` is where national and short numbers are read, `exit_code` leads abroad from
    there, `prefix` comes before every number that we call and before none that calls us."""

    style: Style = Style.E164
    country: str | None = None
    exit_code: str = "00"
    prefix: str = ""


def written(number: Number, form: NumberFormat) -> str | None:
    """The number for this carrier; None if it cannot be written so that it is read as the same."""
    text = _spelled(number, form)
    if text is None:
        return None
    if number.emergency:  # whoever is asked for help is the route's own, and has to know these digits
        return form.prefix + text
    return form.prefix + text if read(text, form) == number else None


def read(text: str, form: NumberFormat) -> Number | Unplaced:
    """A number that this carrier tells us: the caller's, or the one of ours that is called."""
    if form.style is Style.DIGITS and text.isdigit() and len(text) > SHORT and not text.startswith("0"):
        text = f"+{text}"
    elif form.style is Style.NATIONAL and form.exit_code and text.startswith(form.exit_code):
        text = f"+{text.removeprefix(form.exit_code)}"
    return canonicalise(text, Place(form.country))


def _spelled(number: Number, form: NumberFormat) -> str | None:
    if not number.digits.startswith("+"):
        own = number.type is NumberType.EMERGENCY or number.country == form.country
        return number.digits if own else None
    match form.style:
        case Style.E164:
            return number.digits
        case Style.DIGITS:
            return number.digits[1:]
        case Style.NATIONAL:
            at_home = as_dialled_within(number) if number.country == form.country else None
            return at_home or form.exit_code + number.digits[1:]
