"""Which trunk is next: never another one after somebody was reached."""

from dataclasses import replace

import pytest

from licensing.reasons import Obligation
from signaling.pstn.outcome import reason_of
from signaling.pstn.selection import (
    TEXTS,
    Health,
    Need,
    NoTrunk,
    Standing,
    may_go_elsewhere,
    next_trunk,
    soonest,
)
from signaling.pstn.sip.cause import ended_with, refused_with
from signaling.pstn.sip.message import Request, Response, parse
from tests.signaling.pstn.sip.samples import options
from wephone.protocol.reasons import EndReason

FIRST, SECOND = Standing("first", 1), Standing("second", 2)
CALL = Need()


def answered(status: int, reason: str | None) -> Response:
    """A carrier's final answer."""
    told = "" if reason is None else f"Reason: {reason}\r\n"
    found = parse(
        f"SIP/2.0 {status} No\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nCall-ID: 1@a\r\n"
        f"CSeq: 1 INVITE\r\nFrom: <sip:a@a.example>;tag=1\r\nTo: <sip:b@b.example>;tag=2\r\n{told}"
        "Content-Length: 0\r\n\r\n".encode()
    )
    assert isinstance(found, Response)
    return found


@pytest.mark.parametrize(
    ("status", "reason", "rang", "elsewhere"),
    [
        (403, None, False, True),
        (408, None, False, True),
        (488, None, False, True),
        (500, None, False, True),
        (502, None, False, True),
        (503, None, False, True),
        (503, "Q.850;cause=34", False, True),  # no circuit
        (503, "Q.850;cause=41", False, True),
        (503, "Q.850;cause=17", False, False),  # busy, in a carrier's wrapping
        (500, "Q.850;cause=1", False, False),  # no such number
        (599, "Q.850;cause=19", False, False),  # it rang there, though we did not hear it
        (403, "Q.850;cause=21", False, True),  # what any 403 is by Q.850, and the carrier's own
        (503, "Q.850;cause=21", False, False),  # declined, in a carrier's wrapping
        (480, "Q.850;cause=21", False, False),
        (500, "SIP;cause=486", False, False),
        (488, 'SIP;cause=603;text="Decline"', False, False),
        (503, "SIP;cause=600, Q.850;cause=41", False, False),
        (503, "SIP;cause=503", False, True),
        (503, "SIP;cause=200", False, True),
        (503, "Q.931;cause=17", False, True),
        (404, None, False, False),
        (480, None, False, False),
        (486, None, False, False),
        (487, None, False, False),
        (600, None, False, False),
        (603, None, False, False),
        (604, None, False, False),
        (606, None, False, False),
        (302, None, False, False),
        (500, None, True, False),
        (503, None, True, False),
        (408, None, True, False),
    ],
)
def test_another_carrier_is_asked_on_a_carrier_s_failure_alone(
    status: int, reason: str | None, rang: bool, elsewhere: bool
) -> None:
    cause = refused_with(answered(status, reason), rang=rang)
    assert may_go_elsewhere(cause, rang=rang) is elsewhere
    found = next_trunk((FIRST, SECOND), CALL, ("first",), cause, rang=rang)
    assert found == (SECOND if elsewhere else NoTrunk.REACHED)
    for_help = tuple(replace(trunk, emergency_in=frozenset({"CN"})) for trunk in (FIRST, SECOND))
    assert next_trunk(for_help, HELP, ("first",), cause, rang=rang) == for_help[1], "whatever the first said"


@pytest.mark.parametrize(
    ("status", "reason", "words", "end"),
    [
        (503, "Q.850;cause=21", "the callee declined", EndReason.DECLINED),
        (480, "SIP;cause=603", "the callee declined", EndReason.DECLINED),
        (603, None, "the callee declined", EndReason.DECLINED),
        (500, "SIP;cause=486", "the callee is busy", EndReason.BUSY),
        (500, "Q.850;cause=17", "the callee is busy", EndReason.BUSY),
        (500, "SIP;cause=404, Q.850;cause=17", "the number is not in use", EndReason.BUSY),
        (403, "Q.850;cause=21", "the carrier forbids this call", EndReason.CARRIER_FAILED),
    ],
)
def test_what_a_reason_says_of_the_callee_is_what_the_caller_hears(
    status: int, reason: str | None, words: str, end: EndReason
) -> None:
    cause = refused_with(answered(status, reason), rang=False)
    assert (cause.words, cause.status, reason_of(cause)) == (words, status, end)


@pytest.mark.parametrize(
    ("reason", "q850"),
    [
        ("", 16),
        ("Reason: SIP;cause=486", 17),
        ("Reason: SIP;cause=603", 21),
        ("Reason: SIP;cause=200", 16),
        ("Reason: SIP;cause=486, Q.850;cause=31", 31),
    ],
)
def test_why_a_far_end_hangs_up_is_read_either_way(reason: str, q850: int) -> None:
    bye = parse(options(*[reason] if reason else []))
    assert isinstance(bye, Request)
    assert ended_with(bye) == q850


DUTY = frozenset({Obligation.ROUTE_LICENSED_TRUNK})
DOWN, UNKNOWN = Health.DOWN, Health.UNKNOWN
HELP = Need(emergency=True, emergency_in="CN")


@pytest.mark.parametrize(
    ("trunks", "need", "tried", "found"),
    [
        ((), CALL, (), NoTrunk.NONE),
        ((SECOND, FIRST), CALL, (), "first"),
        ((FIRST, SECOND), CALL, ("first", "second"), NoTrunk.TRIED),
        ((replace(FIRST, health=DOWN), SECOND), CALL, (), "second"),
        ((replace(FIRST, health=UNKNOWN), SECOND), CALL, (), "second"),
        ((replace(FIRST, health=UNKNOWN),), CALL, (), "first"),
        ((replace(FIRST, health=DOWN),), CALL, (), NoTrunk.DOWN),
        ((replace(FIRST, calls=1), SECOND), CALL, (), "second"),
        ((replace(FIRST, wait=0.5), SECOND), CALL, (), "second"),
        ((replace(FIRST, calls=1), replace(SECOND, health=DOWN)), CALL, (), NoTrunk.FULL),
        ((FIRST, replace(SECOND, duties=DUTY)), Need(DUTY), (), "second"),
        ((FIRST,), Need(DUTY), (), NoTrunk.NO_DUTY),
        ((FIRST, SECOND), HELP, (), NoTrunk.NO_EMERGENCY_ROUTE),
        ((FIRST, replace(SECOND, emergency_in=frozenset({"CN"}))), HELP, (), "second"),
        ((FIRST, replace(SECOND, emergency_in=frozenset({"DE"}))), HELP, (), NoTrunk.NO_EMERGENCY_ROUTE),
        ((replace(SECOND, emergency_in=frozenset({"DE"})),), Need(emergency=True), (), "second"),
        ((replace(FIRST, calls=1, emergency_in=frozenset({"CN"})),), HELP, (), "first"),
        ((replace(FIRST, health=DOWN, emergency_in=frozenset({"CN"})),), HELP, (), "first"),
    ],
)
def test_the_next_trunk(
    trunks: tuple[Standing, ...], need: Need, tried: tuple[str, ...], found: str | NoTrunk
) -> None:
    chosen = next_trunk(trunks, need, tried)
    assert (chosen.name if isinstance(chosen, Standing) else chosen) == found


def test_a_call_waits_for_the_pace_of_a_trunk_and_for_nothing_else() -> None:
    slow, slower = replace(FIRST, wait=0.5), replace(SECOND, wait=0.9)
    assert soonest((slower, slow), CALL) == 0.5
    assert soonest((slower, slow), CALL, ("first",)) == 0.9
    assert soonest((replace(slow, calls=1), replace(slower, health=DOWN)), CALL) is None
    assert soonest((slow,), Need(DUTY)) is None


def test_each_reason_has_its_sentence_in_both_languages() -> None:
    assert set(TEXTS) == set(NoTrunk)
    assert all(text.en.endswith(".") and text.zh_cn.endswith("。") for text in TEXTS.values())
