"""Countries, their parts and telephone numbers, as facts and settings may name them."""

import re

from licensing.numbering import Number, canonicalise, is_country

# The seven codes of ISO 3166-1 without a numbering plan of their own. The plans also know three codes that
# ISO 3166-1 only reserves or leaves to its users (AC, TA, XK): people live there, so they are taken.
_WITHOUT_NUMBERS = frozenset({"AQ", "BV", "GS", "HM", "PN", "TF", "UM"})
_PART = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}")  # ISO 3166-2


def country_fault(code: str) -> str | None:
    """What is wrong with a country's code, as a sentence without its subject; none if nothing is."""
    if is_country(code) or code in _WITHOUT_NUMBERS:
        return None
    return f"must be a country of ISO 3166-1 in two capital letters, as in `CN`, not {code[:64]!r}"


def part_fault(code: str) -> str | None:
    """The same of a part of a country (ISO 3166-2): its spelling, and that there is such a country."""
    if _PART.fullmatch(code) and country_fault(code[:2]) is None:
        return None
    return f"must be a part of a country by ISO 3166-2, as in `CN-BJ`, not {code[:64]!r}"


def e164_fault(text: str) -> str | None:
    """The same of one subscriber's number."""
    found = canonicalise(text)
    if isinstance(found, Number) and found.digits == text and text.startswith("+"):
        return None
    return f"must be a telephone number by E.164, as in `+8613912345678`, not {text[:64]!r}"
