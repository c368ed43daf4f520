"""A trunk's spelling of numbers is read back as the number that was decided about, or is not used."""

import phonenumbers as libphonenumber
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.numbering import Number, NumberType, Place, canonicalise
from signaling.pstn.numbers import NumberFormat, Style, read, written

COUNTRIES = sorted(libphonenumber.SUPPORTED_REGIONS)
GERMAN = NumberFormat(Style.NATIONAL, "DE")
CHINESE = NumberFormat(Style.NATIONAL, "CN")
AMERICAN = NumberFormat(Style.NATIONAL, "US", "011")


def number(text: str, country: str | None = None) -> Number:
    found = canonicalise(text, Place(country))
    assert isinstance(found, Number)
    return found


@pytest.mark.parametrize(
    ("to", "form", "text"),
    [
        ("+4930123456", NumberFormat(), "+4930123456"),
        ("+4930123456", NumberFormat(Style.DIGITS), "4930123456"),
        ("+4930123456", NumberFormat(Style.DIGITS, prefix="77#"), "77#4930123456"),
        ("+4930123456", GERMAN, "030123456"),
        ("+8613800138000", GERMAN, "008613800138000"),
        ("+8613800138000", CHINESE, "13800138000"),
        ("+861062345678", CHINESE, "01062345678"),
        ("+12125550100", AMERICAN, "2125550100"),
        ("+442079460958", AMERICAN, "011442079460958"),
        ("+390669812345", NumberFormat(Style.NATIONAL, "VA"), "0669812345"),
        ("+870773123456", GERMAN, "00870773123456"),
    ],
)
def test_numbers_are_written_as_the_carrier_expects_them(to: str, form: NumberFormat, text: str) -> None:
    assert written(number(to), form) == text
    assert read(text.removeprefix(form.prefix), form) == number(to)


def test_a_short_code_goes_to_a_trunk_of_its_country_alone_and_a_call_for_help_to_any() -> None:
    short = number("10086", "CN")
    assert short.type is NumberType.SHORT_CODE
    assert written(short, CHINESE) == "10086"
    assert written(short, GERMAN) is None and written(short, NumberFormat()) is None
    assert written(number("110", "CN"), GERMAN) == "110"
    assert written(number("110", "CN"), NumberFormat(Style.DIGITS, prefix="9")) == "9110"


def test_what_carriers_say_of_who_calls_is_one_number_in_each_of_their_spellings() -> None:
    for text in ("+4930123456", "4930123456", "004930123456", "030123456"):
        assert read(text, NumberFormat(Style.DIGITS, "DE")) == number("+4930123456")
    assert not isinstance(read("anonymous", NumberFormat()), Number)
    assert not isinstance(read("030123456", NumberFormat()), Number)


formats = st.builds(
    NumberFormat,
    st.sampled_from(Style),
    st.none() | st.sampled_from(COUNTRIES),
    st.sampled_from(["00", "011", "0011", "810", "", "1"]),
    st.sampled_from(["", "9", "77#"]),
)
examples = st.sampled_from(
    [
        libphonenumber.format_number(example, libphonenumber.PhoneNumberFormat.E164)
        for country in COUNTRIES
        for kind in (libphonenumber.PhoneNumberType.MOBILE, libphonenumber.PhoneNumberType.FIXED_LINE)
        if (example := libphonenumber.example_number_for_type(country, kind))
    ]
)


@given(examples, formats)
def test_no_carrier_is_given_digits_that_mean_another_number(text: str, form: NumberFormat) -> None:
    found = canonicalise(text)
    if not isinstance(found, Number):
        return
    spelled = written(found, form)
    if spelled is not None:
        assert read(spelled.removeprefix(form.prefix), form) == found
    if form.style is Style.E164 and not form.prefix:
        assert spelled in (None, text)


@pytest.mark.parametrize("country", COUNTRIES)
def test_a_carrier_of_each_country_can_be_given_its_own_numbers(country: str) -> None:
    example = libphonenumber.example_number_for_type(country, libphonenumber.PhoneNumberType.MOBILE)
    if example is None:
        return
    found = canonicalise(libphonenumber.format_number(example, libphonenumber.PhoneNumberFormat.E164))
    assert isinstance(found, Number)
    assert written(found, NumberFormat(Style.NATIONAL, found.country)) is not None
