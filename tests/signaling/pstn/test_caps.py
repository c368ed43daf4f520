"""What an account and a trunk are good for, until there are rates."""

from dataclasses import replace

import pytest

from licensing.numbering import Number, Place, canonicalise
from signaling.pstn.caps import TEXTS, Allowed, Cap, Capped, Caps, Used, Whose, within

CAPS = Caps(2, 10, 30, 600, frozenset({"CN", "US"}))
WIDE = Caps(100, 1000, 10_000, 3600, frozenset({"CN", "US", "DE", "001"}))
NONE = Used()


def number(text: str, country: str | None = None) -> Number:
    found = canonicalise(text, Place(country))
    assert isinstance(found, Number)
    return found


MOBILE = number("+8613800138000")


def test_a_call_within_all_caps_is_allowed_and_has_its_latest_end() -> None:
    assert within(MOBILE, CAPS, NONE, WIDE, NONE) == Allowed(600)
    assert within(MOBILE, CAPS, Used(seconds=30 * 60 - 45), WIDE, NONE) == Allowed(45)
    assert within(MOBILE, WIDE, NONE, CAPS, Used(seconds=30 * 60 - 1)) == Allowed(1)


@pytest.mark.parametrize(
    ("used", "cap"),
    [
        (Used(calls=2), Cap.CONCURRENT_CALLS),
        (Used(attempts=10), Cap.CALLS_PER_HOUR),
        (Used(seconds=30 * 60), Cap.MINUTES_PER_DAY),
        (Used(seconds=30 * 60 + 99), Cap.MINUTES_PER_DAY),
    ],
)
def test_each_limit_is_kept_for_the_account_and_for_the_trunk(used: Used, cap: Cap) -> None:
    assert within(MOBILE, CAPS, used, WIDE, NONE) == Capped(cap, Whose.ACCOUNT)
    assert within(MOBILE, WIDE, NONE, CAPS, used) == Capped(cap, Whose.TRUNK)


def test_nothing_is_granted_by_default() -> None:
    assert within(MOBILE, None, NONE, WIDE, NONE) == Capped(Cap.NOT_ENTITLED, Whose.ACCOUNT)
    assert within(MOBILE, WIDE, NONE, None, NONE) == Capped(Cap.NOT_ENTITLED, Whose.TRUNK)
    closed = replace(CAPS, countries=frozenset())
    assert within(MOBILE, closed, NONE, WIDE, NONE) == Capped(Cap.COUNTRY_CLOSED, Whose.ACCOUNT)


@pytest.mark.parametrize(
    "text",
    [
        "+19002345678",  # premium
        "+870773123456",  # Inmarsat
        "+881612345678",  # Globalstar
        "+8821612345678",  # an international network, which satellites use too
        "+979123456789",  # international premium rate
    ],
)
def test_ranges_where_others_earn_by_the_minute_are_closed_to_everybody(text: str) -> None:
    assert within(number(text), WIDE, NONE, WIDE, NONE) == Capped(Cap.RANGE_CLOSED, Whose.ACCOUNT)


def test_a_country_that_is_not_named_is_closed() -> None:
    german = number("+4930123456")
    assert within(german, CAPS, NONE, WIDE, NONE) == Capped(Cap.COUNTRY_CLOSED, Whose.ACCOUNT)
    assert within(german, WIDE, NONE, CAPS, NONE) == Capped(Cap.COUNTRY_CLOSED, Whose.TRUNK)


def test_no_cap_keeps_a_call_for_help() -> None:
    assert within(number("110", "CN"), None, Used(99, 99, 10**6), None, NONE) == Allowed(None)


def test_each_refusal_has_its_sentence_in_both_languages() -> None:
    for cap in Cap:
        for whose in Whose:
            text = Capped(cap, whose).text
            assert text.en.endswith(".") and text.zh_cn.endswith("。")
    assert len(TEXTS) == len(Cap) * len(Whose)
