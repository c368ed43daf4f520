"""What can be done instead of a refused call: only what would be allowed if it were tried now."""

from dataclasses import replace

import pytest
from hypothesis import given

from licensing.case import Case, Operator, Policy
from licensing.decision import decide
from licensing.dialled import NumberFault
from licensing.facts import CallFacts, Leg, LegKind, Medium, Role
from licensing.instant import SECOND, Instant
from licensing.numbering import NumberType
from licensing.permit import Permit, Toggle
from licensing.reasons import Alternative, alternative_text
from tests.licensing.legal_cases import PROFILES, cases, moments

NOW = Instant(1_795_000_000 * SECOND, 0)  # 2026-11-18
APP, PHONE = LegKind.APP, LegKind.PSTN
B25 = Permit.model_validate(
    {
        "id": "b25",
        "jurisdiction": "CN",
        "categories": ["CN:B25#internet"],
        "holder": "Example Operator Ltd",
        "valid_from": "2024-01-01",
        "verified": True,
    }
)


def call(*kinds: LegKind, media: Medium = Medium.AUDIO, kind: NumberType = NumberType.MOBILE) -> CallFacts:
    roles = (Role.ORIGIN, Role.DESTINATION, Role.PARTICIPANT)
    legs = tuple(
        Leg(role, at, "CN", None, kind if at is PHONE else None)
        for role, at in zip(roles, kinds, strict=False)
    )
    return CallFacts(legs, (media,), identity_verified=True)


def offered(facts: CallFacts, *permits: Permit, toggles: tuple[Toggle, ...] = ()) -> Alternative | None:
    operator = Operator("Example Operator Ltd", ("CN",))
    decision = decide(Case(facts, PROFILES, permits, toggles, operator, Policy(profiles=())), NOW)
    assert not decision.allows
    return decision.alternative


def test_a_refused_call_to_a_number_may_be_made_in_the_app() -> None:
    assert offered(call(APP, PHONE), B25) is Alternative.APP_CALL


def test_a_refused_text_to_a_number_may_be_written_in_the_app() -> None:
    assert offered(call(APP, PHONE, media=Medium.SMS), B25) is Alternative.APP_TEXT


def test_a_call_from_a_number_and_one_between_two_numbers_may_be_made_in_the_app() -> None:
    assert offered(call(PHONE, APP), B25) is Alternative.APP_CALL
    assert offered(call(PHONE, PHONE), B25) is Alternative.APP_CALL


def test_nobody_is_behind_a_premium_number_or_one_that_cannot_be_placed() -> None:
    assert offered(call(APP, PHONE, kind=NumberType.PREMIUM), B25) is None
    assert offered(replace(call(APP, PHONE), number_fault=NumberFault.TOO_SHORT), B25) is None


def test_nothing_is_offered_that_needs_a_permit_itself() -> None:
    assert offered(call(APP, PHONE)) is None


def test_nothing_is_offered_that_is_switched_off() -> None:
    off = Toggle(key="t", enabled=False, services=("app_voice", "pstn_out"))
    assert offered(call(APP, PHONE), B25, toggles=(off,)) is None


def test_instead_of_video_one_may_talk_and_instead_of_talking_write() -> None:
    video = call(APP, APP, media=Medium.VIDEO)
    no_video = Toggle(key="v", enabled=False, services=("app_video",))
    no_calls = Toggle(key="c", enabled=False, services=("app_video", "app_voice"))
    assert offered(video, B25, toggles=(no_video,)) is Alternative.APP_AUDIO
    assert offered(video, B25, toggles=(no_calls,)) is Alternative.APP_TEXT
    assert offered(call(APP, APP), B25, toggles=(no_calls,)) is Alternative.APP_TEXT
    nothing = Toggle(key="n", enabled=False)
    assert offered(video, B25, toggles=(nothing,)) is None


def test_nothing_is_offered_instead_of_a_text_a_conference_or_help() -> None:
    nothing_written = Toggle(key="t", enabled=False, services=("text_app",))
    assert offered(call(APP, APP, media=Medium.TEXT), B25, toggles=(nothing_written,)) is None
    assert offered(call(APP, APP)) is None, "all of it needs the same permit"
    assert offered(call(APP, LegKind.PRIVATE)) is None
    assert offered(call(APP, APP, PHONE), B25) is None
    assert offered(call(APP, PHONE, kind=NumberType.EMERGENCY), B25) is None


def test_in_a_country_without_law_nothing_is_offered() -> None:
    facts = call(APP, PHONE)
    abroad = replace(facts, legs=(facts.legs[0], replace(facts.legs[1], country="KE")))
    assert offered(abroad, B25) is None


@given(cases, moments)
def test_what_is_offered_is_allowed_to_the_same_people_now(case: Case, now: Instant) -> None:
    instead = decide(case, now).alternative
    if instead is None:
        return
    ends = [leg for leg in case.facts.legs if leg.kind is not LegKind.MEDIA]
    origin = case.facts.origin
    if origin is not None and origin in ends:
        ends.sort(key=lambda leg: leg is not origin)
    legs = tuple(
        Leg(role, APP, leg.country) for role, leg in zip((Role.ORIGIN, Role.DESTINATION), ends, strict=True)
    )
    media = (Medium.TEXT,) if instead is Alternative.APP_TEXT else (Medium.AUDIO,)
    taken_up = replace(case.facts, legs=legs, media=media, presented_cli=None)
    assert decide(replace(case, facts=taken_up), now).allows


@pytest.mark.parametrize("alternative", Alternative)
def test_every_alternative_is_put_in_words(alternative: Alternative) -> None:
    text = alternative_text(alternative)
    assert text.en.endswith(".") and text.zh_cn.endswith("。")
