"""An INVITE of ours: whoever answers is held or ended, and never forgotten."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.instant import SECOND, Instant
from signaling.pstn.sip.answer import respond
from signaling.pstn.sip.invitation import MAX_FORKS, STEPS, TRANSITIONS, Invitation, Phase
from signaling.pstn.sip.invitation_events import (
    Accepted,
    Ask,
    AskedAgain,
    CancelUnanswered,
    Effect,
    Event,
    HungUp,
    Kept,
    KeptBeside,
    Lost,
    Progressed,
    Refused,
    SendAck,
    Stray,
    WaitForCancel,
)
from signaling.pstn.sip.message import Response
from signaling.pstn.sip.table import Provisional, answered
from signaling.pstn.sip.transaction import Failed
from tests.signaling.pstn.sip.samples import invite

NOW = Instant(0, 0)


def said(status: int, tag: str = "t", *fields: tuple[str, str]) -> Response:
    contact = (("Contact", f"<sip:{tag}@198.51.100.7>"),) if status < 300 else ()
    return respond(invite(), status, tag=tag, fields=(*contact, *fields))


def reliable(rseq: int, tag: str = "t") -> Event:
    return answered(said(183, tag, ("Require", "100rel"), ("RSeq", str(rseq))))


def run(*events: Event | Response) -> tuple[Invitation, list[Effect]]:
    """What the last event caused."""
    state = Invitation(invite(), "seed")
    effects: tuple[Effect, ...] = ()
    for event in events:
        state, effects = state.receive(answered(event) if isinstance(event, Response) else event, NOW)
    return state, list(effects)


def asked(effects: list[Effect]) -> list[str]:
    return [effect.request.method for effect in effects if isinstance(effect, Ask)]


def kinds(effects: list[Effect]) -> list[type]:
    return [type(effect) for effect in effects]


def test_an_answer_is_acknowledged_before_anything_else_is_asked() -> None:
    state, effects = run(said(100, ""), said(180), said(200))
    assert kinds(effects) == [SendAck, Accepted]
    assert state.phase is Phase.ANSWERED
    accepted = effects[1]
    assert isinstance(accepted, Accepted)
    assert accepted.dialog.target.user == "t"


def test_a_repeated_answer_gets_the_same_ack_again_and_no_more() -> None:
    _, first = run(said(200))
    _, again = run(said(200), said(200))
    assert again == first[:1]


def test_an_ack_that_is_held_goes_out_once_the_answer_is_kept_and_with_each_answer_from_then_on() -> None:
    state, effects = Invitation(invite(), "seed", holds=True).receive(answered(said(200)), NOW)
    assert kinds(list(effects)) == [Accepted]
    state, effects = state.receive(answered(said(200)), NOW)
    assert effects == ()
    state, ack = state.receive(Kept(), NOW)
    assert kinds(list(ack)) == [SendAck]
    assert state.receive(Kept(), NOW)[1] == ()
    assert state.receive(answered(said(200)), NOW)[1] == ack


@pytest.mark.parametrize("call", [said(200), said(486)])
def test_where_acks_are_held_another_phone_is_acknowledged_and_ended_once_it_is_kept(call: Response) -> None:
    """Also one that answers after its call was over, which another INVITE may have gone on with."""
    state, _ = Invitation(invite(), "seed", holds=True).receive(answered(call), NOW)
    for tag in ("b", "c"):
        state, effects = state.receive(answered(said(200, tag)), NOW)
        assert kinds(list(effects)) == [Stray]
        assert state.receive(answered(said(200, tag)), NOW)[1] == ()
    state, effects = state.receive(KeptBeside("c"), NOW)
    assert [effect.request.to.tag for effect in effects if isinstance(effect, SendAck | Ask)] == ["c", "c"]
    assert kinds(list(effects)) == [SendAck, Ask]
    assert state.receive(KeptBeside("c"), NOW)[1] == ()
    assert kinds(list(state.receive(answered(said(200, "c")), NOW)[1])) == [SendAck]
    assert kinds(list(state.receive(KeptBeside("b"), NOW)[1])) == [SendAck, Ask]


def test_a_phone_that_answers_while_it_is_cancelled_is_ended_at_once_though_acks_are_held() -> None:
    """What was asked for is on record, and nothing else is known of the call."""
    state = Invitation(invite(), "seed", holds=True)
    for event in (answered(said(180)), HungUp(), answered(said(200))):
        state, effects = state.receive(event, NOW)
    assert kinds(list(effects)) == [SendAck, Ask, Stray, Lost]


def test_a_second_fork_that_answers_is_acknowledged_ended_and_recorded() -> None:
    state, effects = run(said(180, "a"), said(180, "b"), said(200, "a"), said(200, "b"))
    assert kinds(effects) == [SendAck, Ask, Stray]
    assert asked(effects) == ["BYE"]
    assert isinstance(effects[1], Ask)
    assert str(effects[1].request.uri) == "sip:b@198.51.100.7"
    assert state.phase is Phase.ANSWERED
    assert kinds(state.receive(answered(said(200, "b")), NOW)[1]) == [SendAck]  # type: ignore[arg-type]


def test_a_200_that_crosses_our_cancel_is_acknowledged_and_ended() -> None:
    _, effects = run(said(180), HungUp())
    assert asked(effects) == ["CANCEL"]
    assert WaitForCancel(32 * SECOND) in effects
    state, effects = run(said(180), HungUp(), said(200))
    assert kinds(effects) == [SendAck, Ask, Stray, Lost]
    assert asked(effects) == ["BYE"]
    assert state.phase is Phase.ENDED


def test_a_cancel_waits_for_the_first_provisional_response() -> None:
    state, effects = run(HungUp())
    assert (state.phase, effects) == (Phase.CANCEL_WANTED, [])
    assert asked(run(HungUp(), said(100, ""))[1]) == ["CANCEL"]
    assert asked(run(HungUp(), said(200))[1]) == ["BYE"]
    assert asked(run(HungUp(), said(100, ""), said(180), HungUp())[1]) == []


def test_a_cancelled_call_ends_by_487_or_after_32_s_and_an_answer_later_still_is_ended() -> None:
    assert kinds(run(said(180), HungUp(), said(487))[1]) == [Refused]
    assert run(said(180), HungUp(), CancelUnanswered())[1] == [Lost("not_cancelled")]
    _, effects = run(said(180), HungUp(), CancelUnanswered(), said(200))
    assert kinds(effects) == [SendAck, Ask, Stray]
    _, effects = run(said(180), HungUp(), said(487), said(200, "other"))
    assert kinds(effects) == [SendAck, Ask, Stray]


def test_a_refusal_and_silence_are_told_once() -> None:
    assert kinds(run(said(486))[1]) == [Refused]
    assert run(said(486), said(603))[1] == []
    assert run(Failed("timeout"))[1] == [Lost("timeout")]
    assert run(Failed("timeout"), Failed("timeout"))[1] == []


def test_an_answer_without_contact_is_ended_at_the_address_we_called() -> None:
    unusable = replace(said(200), fields=())
    state, effects = run(unusable)
    assert kinds(effects) == [SendAck, Ask, Stray, Lost]
    assert effects[-1] == Lost("unusable")
    assert isinstance(effects[1], Ask)
    assert effects[1].request.uri == invite().uri
    assert state.phase is Phase.ENDED


def test_a_reliable_provisional_response_is_confirmed_once_and_in_order() -> None:
    _, effects = run(reliable(7))
    assert asked(effects) == ["PRACK"]
    assert kinds(effects) == [Ask, Progressed]
    assert isinstance(effects[0], Ask)
    prack = effects[0].request
    assert (prack.get("RAck"), prack.cseq.number, prack.to.tag) == ("7 1 INVITE", 2, "t")
    assert run(reliable(7), reliable(7))[1] == []
    assert run(reliable(7), reliable(9))[1] == []
    assert asked(run(reliable(7), reliable(8))[1]) == ["PRACK"]
    assert asked(run(reliable(7), reliable(1, "fork"))[1]) == ["PRACK"]


def test_what_comes_after_a_prack_has_the_next_number() -> None:
    _, effects = run(reliable(1), reliable(2), said(200))
    accepted = effects[1]
    assert isinstance(accepted, Accepted)
    assert accepted.dialog.local_cseq == 3
    _, effects = run(reliable(1), HungUp(), said(200))
    assert isinstance(effects[1], Ask)
    assert effects[1].request.cseq.number == 3


def test_a_prack_that_goes_out_twice_has_used_two_numbers() -> None:
    state, effects = run(reliable(7))
    assert isinstance(effects[0], Ask)
    prack = effects[0].request
    again = replace(prack, cseq=replace(prack.cseq, number=3))
    state, _ = state.receive(AskedAgain(again), NOW)
    state, (asked_next, _) = state.receive(reliable(8), NOW)
    assert isinstance(asked_next, Ask)
    assert asked_next.request.cseq.number == 4


@pytest.mark.parametrize("rseq", ["", "0", "x", "-1", "4294967296", "99999999999"])
def test_a_number_that_is_none_is_not_confirmed(rseq: str) -> None:
    response = said(183, "t", ("Require", "100rel"), ("RSeq", rseq))
    assert asked(run(response)[1]) == []


def test_forks_that_ring_are_bounded() -> None:
    state, effects = run(*(said(180, f"t{n}") for n in range(MAX_FORKS + 5)))
    assert len(state.forks) == MAX_FORKS
    assert effects == []


def test_every_step_is_in_some_row() -> None:
    assert {step for rows in TRANSITIONS.values() for step in rows.values()} == set(STEPS)


TAGS = st.sampled_from(["a", "b", "c"])
EVENTS = (
    st.builds(
        lambda status, tag: answered(said(status, tag)), st.sampled_from([100, 180, 200, 202, 486]), TAGS
    )
    | st.builds(reliable, st.integers(1, 3), TAGS)
    | st.builds(KeptBeside, TAGS)
    | st.sampled_from([HungUp(), Kept(), CancelUnanswered(), Failed("timeout"), Provisional(said(199, "a"))])
)


@given(st.lists(EVENTS, max_size=12), st.booleans())
def test_whatever_happens_each_answer_is_acknowledged_and_all_but_one_ended(
    events: list[Event], holds: bool
) -> None:
    state = Invitation(invite(), "seed", holds)
    held: list[str | None] = []
    ended: list[str | None] = []
    acknowledged: set[str | None] = set()
    for event in (*events, Kept(), *map(KeptBeside, "abc")):
        state, effects = state.receive(event, NOW)
        acknowledged |= {e.request.to.tag for e in effects if isinstance(e, SendAck)}
        told = not isinstance(event, Provisional) and not holds
        if told and hasattr(event, "response") and event.response.status < 300:
            acks = [e.request for e in effects if isinstance(e, SendAck)]
            assert [ack.to.tag for ack in acks] == [event.response.to.tag]
        held += [e.dialog.remote.tag for e in effects if isinstance(e, Accepted)]
        ended += [e.request.to.tag for e in effects if isinstance(e, Ask) and e.request.method == "BYE"]
        assert all(e.request.method in ("PRACK", "BYE", "CANCEL") for e in effects if isinstance(e, Ask))
    answerers = {
        e.response.to.tag for e in events if hasattr(e, "response") and 200 <= e.response.status < 300
    }
    assert len(held) <= 1
    assert acknowledged == answerers
    assert sorted(held + ended) == sorted(answerers)  # type: ignore[type-var]
