"""One string, one address: whoever reads it next reads the same number, and nothing is read in two ways."""

import json
from importlib.resources import files
from time import perf_counter

import phonenumbers as libphonenumber
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.classify import ServiceClass
from licensing.dialled import LONGEST, NumberFault, fold
from licensing.facts import Role, phone_leg
from licensing.grant import Attempt
from licensing.numbering import (
    NON_GEOGRAPHIC,
    NOWHERE,
    Number,
    NumberType,
    Place,
    Unplaced,
    UserName,
    canonicalise,
    classify_callee,
    is_country,
    mask,
)

CHINA = Place("CN", ("CN",))
MOBILE = Number("+8613800138000", "CN", NumberType.MOBILE)
HELP = Number("110", "CN", NumberType.EMERGENCY)
COUNTRIES = sorted(libphonenumber.SUPPORTED_REGIONS)
CODES = sorted({str(libphonenumber.country_code_for_region(country)) for country in COUNTRIES})
EMERGENCY = json.loads(files("licensing").joinpath("numbers.json").read_bytes())["emergency"]["numbers"]

places = st.builds(
    Place,
    st.none() | st.sampled_from(COUNTRIES),
    st.lists(st.sampled_from(COUNTRIES), max_size=2).map(tuple),
)
digits = st.text("0123456789", min_size=1, max_size=16)
dialled = st.one_of(
    digits,
    st.builds(lambda prefix, code, rest: prefix + code + rest, st.sampled_from(["+", "00", "011"]),
              st.sampled_from(CODES), digits),
)  # fmt: skip
typed = st.one_of(
    st.text(max_size=40),
    st.text("+0123456789 -.()/;=%*#@:abcxetl\u200b\u202e\uff11\u0661", max_size=40),
    st.builds("{}{};{}={}".format, st.sampled_from(["", "tel:", "sip:", "sips:", "callto:"]), dialled,
              st.sampled_from(["phone-context", "ext", "isub", "user"]), dialled),
)  # fmt: skip


@given(st.one_of(dialled, typed), places)
def test_any_string_has_an_answer_and_its_address_is_read_as_the_same(text: str, place: Place) -> None:
    callee = classify_callee(text, place)
    match callee:
        case UserName(name):
            assert classify_callee(name, place) == callee
            assert name[0].isalpha() and name.isascii()
        case Number():
            assert classify_callee(callee.address, place) == callee
            assert canonicalise(text, place) == callee
        case Unplaced():
            assert canonicalise(text, place) == callee


@given(dialled, places, places)
def test_a_global_address_means_the_same_wherever_it_is_read(text: str, here: Place, there: Place) -> None:
    found = classify_callee(text, here)
    if isinstance(found, Number) and found.digits.startswith("+"):
        again = classify_callee(found.address, there)
        assert again == found or (isinstance(again, Number) and again.emergency)


@given(dialled, places)
def test_no_trunk_prefix_survives_in_an_address(text: str, place: Place) -> None:
    """A carrier that strips it would ring a number that nobody decided about."""
    found = canonicalise(text, place)
    if isinstance(found, Number) and found.digits.startswith("+"):
        parsed = libphonenumber.parse(found.digits, None)
        assert libphonenumber.format_number(parsed, libphonenumber.PhoneNumberFormat.E164) == found.digits
        assert len(found.digits) <= 16  # ITU-T E.164 §6


@given(dialled, places)
def test_gate_facts_and_mask_take_the_canonical_number_and_agree(text: str, place: Place) -> None:
    number = canonicalise(text, place)
    leg = phone_leg(Role.DESTINATION, number)
    if isinstance(number, Unplaced):
        assert (leg.country, leg.number_type) == (None, None)
        return
    assert (leg.country, leg.subdivision, leg.number_type) == (
        number.country,
        number.subdivision,
        number.type,
    )
    attempt = Attempt("call", "leg", ServiceClass.PSTN_OUT, destination=number.address)
    assert canonicalise(attempt.destination or "", place) == number
    hidden = mask(number.address)
    if len(number.digits.lstrip("+")) <= 6:
        assert hidden == number.address
    else:
        assert "****" in hidden and number.digits not in hidden
        assert hidden[:3] == number.digits[:3] and hidden[-2:] == number.digits[-2:]


UNSEEN = "\u200b\u200c\u2060\u00ad\u202a\u202e\u2066\ufeff"


@given(digits, st.lists(st.sampled_from(UNSEEN), min_size=17, max_size=17), places)
def test_what_cannot_be_seen_changes_nothing(text: str, unseen: list[str], place: Place) -> None:
    dressed = "".join(mark + digit for mark, digit in zip(unseen, text, strict=False)) + unseen[-1]
    assert classify_callee(dressed, place) == classify_callee(text, place)


@given(dialled, places, st.sampled_from(["٠", "۰", "०", "০", "０", "𝟎", "𝟶", "๐"]))
def test_a_digit_is_a_digit_in_every_script(text: str, place: Place, zero: str) -> None:
    other = text.translate({ord(str(n)): chr(ord(zero) + n) for n in range(10)})
    assert classify_callee(other, place) == classify_callee(text, place)


@given(dialled, places)
def test_percent_encoding_hides_nothing(text: str, place: Place) -> None:
    once = "".join(f"%{ord(character):02x}" for character in text)
    assert classify_callee(once, place) == classify_callee(text, place)
    assert classify_callee(once.replace("%", "%25"), place) == classify_callee(text, place)
    assert classify_callee(f"tel:{once}", place) == classify_callee(text, place)


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    "disguise",
    [
        "+86 138 0013 8000",
        "+86-138-0013-8000",
        "+86 (0)138.0013.8000",
        "＋８６１３８００１３８０００",
        "+८६१३८००१३८०००",
        "+86\u200b138\u200b0013\u200b8000",
        "\u202e+8613800138000\u202c",
        "\u2066+86 138\u00a00013\u20118000\u2069",
        "\ufeff+8613800138000",
        "%2B8613800138000",
        "%252B86%31%33800138000",
        "tel:+8613800138000",
        "TEL:+86-138-0013-8000",
        "ｔｅｌ：+8613800138000",
        "tel:13800138000;phone-context=+86",
        "tel:13800138000;phone-context=CN",
        "+8613800138000;ext=77",
        "+86 138 0013 8000 ext. 77",
        "+8613800138000x77",
        "sip:+8613800138000@somewhere.example;user=phone",
        "sips:%2B8613800138000@somewhere.example",
        "sip:+8613800138000",
        "sips:+8613800138000;npdi@somewhere.example;user=phone",
        "sips:+8613800138000;NPDI",
        "tel:+8613800138000;npdi;ext=77",
        "callto://+8613800138000",
        "+8613800138000@somewhere.example",
        "0086 138 0013 8000",
        "13800138000",
        "013800138000",
    ],
)
def test_a_number_in_disguise_is_that_number(disguise: str) -> None:
    assert classify_callee(disguise, CHINA) == MOBILE


@pytest.mark.parametrize(
    ("spelled", "number"),
    [
        ("+1-800-FLOWERS", "+18003569377"),
        ("1-800-flowers", "+18003569377"),
        ("+1 (212) 555-CALL", "+12125552255"),
        ("011 86 138 0013 8000", "+8613800138000"),
        ("(212) 555-0100", "+12125550100"),
    ],
)
def test_letters_and_exit_codes_are_read_as_a_telephone_of_that_place_reads_them(
    spelled: str, number: str
) -> None:
    found = classify_callee(spelled, Place("US"))
    assert isinstance(found, Number) and found.digits == number


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", NumberFault.EMPTY),
        ("\u200b\u202e", NumberFault.EMPTY),
        ("alice@example.com", NumberFault.NOT_A_NAME),
        ("\u0430lice", NumberFault.NOT_A_NAME),  # a Cyrillic а
        ("0.0.0.8.3.1.0.0.8.3.1.6.8.e164.arpa", NumberFault.UNSUPPORTED_URI),
        ("mailto:110@example.com", NumberFault.UNSUPPORTED_URI),
        ("sip:alice@example.com", NumberFault.UNSUPPORTED_URI),
        ("sip:+8613800138000@a@b", NumberFault.UNSUPPORTED_URI),
        ("sip:+8613800138000@a?Replaces=1", NumberFault.UNSUPPORTED_URI),
        ("sip:+8613800138000@a;maddr=10.0.0.1", NumberFault.UNSUPPORTED_PARAMETER),
        ("+8613800138000;rn=+12125550100", NumberFault.UNSUPPORTED_PARAMETER),
        ("+8613800138000;cic=+1288", NumberFault.UNSUPPORTED_PARAMETER),
        ("+8613800138000;phone-context=CN", NumberFault.UNSUPPORTED_PARAMETER),
        ("7042;phone-context=example.com", NumberFault.UNSUPPORTED_PARAMETER),
        ("*67 13800138000", NumberFault.SERVICE_CODE),
        ("#31#13800138000", NumberFault.SERVICE_CODE),
        ("+86138001380\u0000", NumberFault.ILLEGAL_CHARACTER),
        ("138\n00138000", NumberFault.ILLEGAL_CHARACTER),
        ("+8613800138000,,77", NumberFault.ILLEGAL_CHARACTER),
        ("%25252525252B8613800138000", NumberFault.ILLEGAL_CHARACTER),
        ("%ff%fe110", NumberFault.ILLEGAL_CHARACTER),
        ("+999 123 456", NumberFault.UNASSIGNED_COUNTRY_CODE),
        ("+1 999 999 9999", NumberFault.UNPLACED),
        ("+46 00215244", NumberFault.UNPLACED),  # its own address would be read as +46215244
        ("911;phone-context=US", NumberFault.FOREIGN_SHORT_CODE),
        ("+86138001380OO", NumberFault.ILLEGAL_CHARACTER),  # letters that look like zeros
        ("138ＯＯ138000", NumberFault.ILLEGAL_CHARACTER),
        ("l38 0013 8000", NumberFault.NOT_A_NAME),
        ("+l38 0013 8000", NumberFault.NOT_A_NUMBER),
        ("11O", NumberFault.ILLEGAL_CHARACTER),
        ("+86-138-0013-8000;isub=12", NumberFault.UNSUPPORTED_PARAMETER),
        ("+8613800138000;npdi=1", NumberFault.UNSUPPORTED_PARAMETER),
        ("+8613800138000;npdi;rn=+12125550100", NumberFault.UNSUPPORTED_PARAMETER),
        ("+8613800138000;tgrp=a;trunk-context=b", NumberFault.UNSUPPORTED_PARAMETER),
        ("sip:+8613800138000:secret@h", NumberFault.ILLEGAL_CHARACTER),
        ("+86 1380013800000000", NumberFault.TOO_LONG),
    ],
)
def test_what_cannot_be_placed_is_refused_with_what_is_wrong(text: str, fault: NumberFault) -> None:
    assert classify_callee(text, CHINA) == Unplaced(fault)


@pytest.mark.parametrize(
    "spelled",
    [
        "110",
        "1-1-0",
        "１１０",
        "١١٠",
        "1\u200b1\u200b0",
        "%31%31%30",
        "tel:110",
        "sip:110",
        "sip:110@any.example",
        "+86 110",
        "0086 110",
        "tel:110;phone-context=+86",
        "110;phone-context=US",  # no context that a client adds can hide a call for help
        "110;ext=1",
        "urn:service:sos",
        "urn:service:sos.police",
    ],
)
def test_a_call_for_help_is_known_however_it_is_spelled(spelled: str) -> None:
    assert classify_callee(spelled, CHINA) == HELP


@pytest.mark.parametrize(("country", "number"), [(c, n) for c, row in EMERGENCY.items() for n in row])
def test_each_country_s_numbers_for_help_are_known_there(country: str, number: str) -> None:
    code = libphonenumber.country_code_for_region(country)
    wanted = Number(number, country, NumberType.EMERGENCY)
    assert classify_callee(number, Place(country)) == wanted
    assert classify_callee(number, Place(None, (country,))) == wanted
    if not number.startswith("0"):  # one that does cannot be told from a trunk prefix behind a code
        assert classify_callee(f"+{code} {number}", Place(country)) == wanted


@pytest.mark.parametrize(
    ("number", "country", "helps"),
    [
        ("122", "CN", True),  # the library lacks it
        ("118", "JP", True),  # the library lacks it
        ("110", "DE", True),
        ("110", "US", False),
        ("911", "CN", False),
        ("112", "CN", False),
        ("999", "JE", True),
        ("999", "CN", False),
    ],
)
def test_the_caller_s_place_decides_what_calls_for_help(number: str, country: str, helps: bool) -> None:
    found = classify_callee(number, Place(country, ("US",)))
    assert isinstance(found, Number) and found.emergency is helps


def test_at_an_unknown_place_any_home_s_number_calls_for_help_and_without_homes_any_number() -> None:
    assert classify_callee("999", Place(None, ("CN", "GB"))) == Number("999", "GB", NumberType.EMERGENCY)
    assert classify_callee("999", Place(None, ("CN",))) != Number("999", "CN", NumberType.EMERGENCY)
    assert classify_callee("999") == Number("999", None, NumberType.EMERGENCY)


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+12125550100", "US"),
        ("+12042345678", "CA"),
        ("+12423591234", "BS"),
        ("+18762345678", "JM"),
        ("+17872345678", "PR"),
        ("+79123456789", "RU"),
        ("+77012345678", "KZ"),
        ("+442079460958", "GB"),
        ("+441534456789", "JE"),
        ("+441481960194", "GG"),
        ("+441624756789", "IM"),
        ("+390669812345", "VA"),
        ("+390612345678", "IT"),
    ],
)
def test_countries_that_share_a_code_are_told_apart(number: str, country: str) -> None:
    found = canonicalise(number)
    assert isinstance(found, Number) and found.country == country


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("+870773123456", NumberType.SATELLITE),
        ("+881612345678", NumberType.SATELLITE),
        ("+8821612345678", NumberType.INTERNATIONAL_NETWORK),
        ("+8835100012345", NumberType.INTERNATIONAL_NETWORK),
        ("+979123456789", NumberType.INTERNATIONAL_PREMIUM),
        ("+80012345678", NumberType.TOLL_FREE),
        ("+80812345678", NumberType.SHARED),
        ("+878101234567890", NumberType.PERSONAL),
    ],
)
def test_codes_of_no_country_are_known_by_their_code(number: str, kind: NumberType) -> None:
    assert canonicalise(number) == Number(number, NON_GEOGRAPHIC, kind)


@pytest.mark.parametrize("number", ["+19002345678", "+449098790000", "+499001234567", "+33891123456"])
def test_premium_ranges_are_known(number: str) -> None:
    found = canonicalise(number)
    assert isinstance(found, Number) and found.type is NumberType.PREMIUM


@pytest.mark.parametrize(
    ("text", "country", "kind"),
    [
        ("10086", "CN", NumberType.SHORT_CODE),
        ("95588", "CN", NumberType.SHORT_CODE),
        ("411", "US", NumberType.SHORT_CODE),
        ("116123", "GB", NumberType.SHORT_CODE),
        ("3949", "FR", NumberType.PREMIUM),
        ("1000", "FR", NumberType.PREMIUM),
        ("11811", "ES", NumberType.PREMIUM),
        ("118833", "DE", NumberType.UNALLOCATED),
        ("16812345678", "CN", NumberType.UNALLOCATED),
        ("+864008123456", "CN", NumberType.SHARED),
    ],
)
def test_short_and_service_codes_are_of_their_country_and_premium_where_they_cost_so(
    text: str, country: str, kind: NumberType
) -> None:
    found = canonicalise(text, Place(country))
    assert isinstance(found, Number) and (found.country, found.type) == (country, kind)


@pytest.mark.parametrize(
    "uri",
    [
        "sip:13800138000;phone-context=+86@h.example;user=phone",
        "sip:+8613800138000@h.example:5060;transport=tcp",
        "sips:+8613800138000@[2001:db8::1]:5061",
        "tel:0138-0013-8000;phone-context=CN;ext=5",
    ],
)
def test_the_number_in_a_uri_is_read_with_its_parameters_and_without_its_host(uri: str) -> None:
    assert canonicalise(uri) == MOBILE


def test_an_extension_is_kept_beside_the_number_and_is_no_part_of_it() -> None:
    found = canonicalise("+86 138 0013 8000 ext 77")
    assert isinstance(found, Number) and found.extension == "77"
    assert found == MOBILE and found.address == MOBILE.address


def test_a_country_is_one_that_has_telephone_numbers() -> None:
    assert is_country("CN") and not is_country("XX") and not is_country(NON_GEOGRAPHIC)


CORPUS = [
    "9" * 1_000_000,
    "+" + "9" * LONGEST,
    "(" * LONGEST,
    "1" + " " * 250 + "x",
    "x" * LONGEST,
    "1" + "x1" * 120,
    "ext" * 80 + "1",
    "1 ext" + "." * 200 + "1",
    "%25" * 85,
    "%2525" * 51,
    "tel:" + ";" * 250,
    "tel:1" + ";ext=1" * 40,
    "1;phone-context=" + "+1" * 110,
    "1;phone-context=1;phone-context=" + "1" * 200,
    "sip:" + "@" * 250,
    "a." * 128,
    "\ufdfa" * LONGEST,  # decomposes into eighteen characters
    "\u0345" * LONGEST,
    "1\u0301" * 128,
    "\u200b" * LONGEST,
    "+1" + "-" * 250 + "1",
    "0" * 24,
    "+" + "0" * 24,
    "z" * 24,
    "1" + "z" * 23,
    "urn:service:sos" + "." * 200,
]


@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_no_string_costs_more_than_five_milliseconds(text: str) -> None:
    def seconds() -> float:
        begun = perf_counter()
        for place in (NOWHERE, CHINA, Place("US"), Place("GB"), Place("IT", ("CN", "US"))):
            classify_callee(text, place)
        return (perf_counter() - begun) / 5

    seconds()  # loads the tables
    assert min(seconds() for _ in range(5)) < 0.005
