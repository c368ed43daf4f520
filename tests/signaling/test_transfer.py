"""A running call that one side hands over: the other calls somebody else, and then it ends, or it goes on."""

import secrets
from typing import Any

import pytest

from signaling.core.events import Answered, HungUp, Rejected
from signaling.core.party import Party
from tests.protocol.frames import SDP
from tests.signaling.test_forwarding import CAROL, Four, four
from tests.signaling.test_switch import ALICE, BOB, Frames, invite
from wephone.protocol.codec import PeerError
from wephone.protocol.ids import CallId
from wephone.protocol.messages import Invite, SendTransfer
from wephone.protocol.reasons import EndReason, ErrorCode

assert four  # the fixture


async def talking(four: Four, *, able: bool = True) -> CallId:
    """Alice talks with Bob, whose client follows transfers if it is able to."""
    line = four.lines.get(four.bob)
    assert line is not None
    line.features = frozenset({"transfer"} if able else ())
    placed = invite("bob")
    four.switch.place(four.alice, placed)
    await four.paused()
    await taken(four, placed.call, four.bob)
    return placed.call


async def taken(four: Four, call: CallId, by: Party) -> None:
    """The call is answered, and that is durable."""
    four.switch.receive(call, Answered(by, SDP, secrets.token_hex(32)), None)
    await four.paused()


async def handed_over(four: Four, call: CallId, to: str = "carol") -> Invite:
    """Alice hands the call over, and Bob's client does as it is asked."""
    four.switch.transfer(four.alice, SendTransfer(call=call, to=to))
    [asked] = four.heard_by_bob.of("transfer")
    assert (asked["call"], asked["to"]) == (call, to)
    new = invite(to).model_copy(update={"replaces": call})
    four.switch.place(four.bob, new)
    await four.paused()
    return new


def failed(four: Four) -> list[tuple[str, str | None]]:
    """Why transfers of Alice's came to nothing."""
    return [
        (frame["reason"], frame.get("refusal", {}).get("code"))
        for frame in four.heard_by_alice.of("transfer_failed")
    ]


async def test_when_the_third_answers_the_first_call_ends_for_both(four: Four) -> None:
    call = await talking(four)
    new = await handed_over(four, call)
    assert four.heard_by_carol.of("incoming")[0]["peer"] == "bob"
    assert four.heard_by_alice.of("ended") == [], "until then it goes on"
    await taken(four, new.call, four.carol)
    for heard in (four.heard_by_alice, four.heard_by_bob):
        [ended] = heard.of("ended")
        assert (ended["call"], ended["reason"], ended["by"]) == (call, "transferred", "caller")
    assert four.door.asked == 2, "who talks now has a decision of its own"
    four.switch.receive(new.call, HungUp(four.bob), None)
    await four.settled()
    kept = {row.call: row.reason for row in await four.store.history(BOB, 2**62, 9)}
    assert kept == {call: EndReason.TRANSFERRED, new.call: EndReason.HANGUP}
    assert [row.call for row in await four.store.history(ALICE, 2**62, 9)] == [call]
    assert [row.call for row in await four.store.history(CAROL, 2**62, 9)] == [new.call]


async def test_if_the_third_declines_the_first_call_goes_on(four: Four) -> None:
    call = await talking(four)
    new = await handed_over(four, call)
    four.switch.receive(new.call, Rejected(four.carol, EndReason.DECLINED), None)
    await four.paused()
    assert failed(four) == [("declined", None)]
    assert four.heard_by_alice.of("ended") == []
    again = await handed_over_again(four, call)
    await taken(four, again, four.carol)
    assert [frame["reason"] for frame in four.heard_by_alice.of("ended")] == ["transferred"]


async def handed_over_again(four: Four, call: CallId) -> CallId:
    """Once more."""
    four.switch.transfer(four.alice, SendTransfer(call=call, to="carol"))
    new = invite("carol").model_copy(update={"replaces": call})
    four.switch.place(four.bob, new)
    await four.paused()
    return new.call


async def test_a_refusal_of_the_new_leg_is_told_to_who_asked_for_it(four: Four) -> None:
    call = await talking(four)
    await handed_over(four, call, "+12025550123")
    assert failed(four) == [("refused", "DENY_NO_PERMIT")]
    assert four.heard_by_alice.of("ended") == []


async def test_who_hangs_up_meanwhile_leaves_the_two_to_each_other(four: Four) -> None:
    call = await talking(four)
    new = await handed_over(four, call)
    four.switch.receive(call, HungUp(four.alice), None)
    await taken(four, new.call, four.carol)
    assert four.heard_by_carol.of("select_answer")
    assert failed(four) == []


async def test_a_client_that_knows_no_transfers_or_does_nothing_is_not_waited_for(four: Four) -> None:
    call = await talking(four, able=False)
    four.switch.transfer(four.alice, SendTransfer(call=call, to="carol"))
    assert (failed(four), four.heard_by_bob.of("transfer")) == ([("unreachable", None)], [])
    line = four.lines.get(four.bob)
    assert line is not None
    line.features = frozenset({"transfer"})
    four.switch.transfer(four.alice, SendTransfer(call=call, to="carol"))
    with pytest.raises(PeerError):  # one at a time
        four.switch.transfer(four.bob, SendTransfer(call=call, to="dave"))
    four.clock.advance(20)
    assert failed(four) == [("unreachable", None)] * 2


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"to": "alice"}, ErrorCode.YOURSELF),
        ({"to": "bob"}, ErrorCode.YOURSELF),
        ({"call": CallId("0e7cbcb3-5b7d-44f2-8e8e-84c9b5f02883")}, ErrorCode.UNKNOWN_CALL),
    ],
)
async def test_what_cannot_be_tried_is_an_error(four: Four, wrong: dict[str, Any], code: ErrorCode) -> None:
    call = await talking(four)
    with pytest.raises(PeerError) as caught:
        four.switch.transfer(four.alice, SendTransfer(**{"call": call, "to": "carol"} | wrong))
    assert caught.value.code is code


async def test_a_call_replaces_only_what_was_asked_for(four: Four) -> None:
    """Nobody has a call to a number made at another's cost, nor a call ended that is none of theirs."""
    call = await talking(four)
    for by, to in ((four.bob, "carol"), (four.dave, "carol")):
        with pytest.raises(PeerError) as caught:
            four.switch.place(by, invite(to).model_copy(update={"replaces": call}))
        assert caught.value.code is ErrorCode.OUT_OF_PLACE
    four.switch.transfer(four.alice, SendTransfer(call=call, to="carol"))
    for by, to in ((four.bob, "dave"), (four.dave, "carol")):
        with pytest.raises(PeerError):
            four.switch.place(by, invite(to).model_copy(update={"replaces": call}))
    assert four.heard_by_alice.of("ended") == []


async def test_a_call_that_rings_or_is_over_is_not_handed_over(four: Four) -> None:
    placed = invite("bob")
    four.switch.place(four.alice, placed)
    await four.paused()
    for _ in range(2):
        with pytest.raises(PeerError) as caught:
            four.switch.transfer(four.alice, SendTransfer(call=placed.call, to="carol"))
        assert caught.value.code is ErrorCode.OUT_OF_PLACE
        four.switch.receive(placed.call, HungUp(four.alice), None)


async def consulting(four: Four) -> tuple[CallId, CallId]:
    """Alice talks with Bob, and with Carol."""
    with_bob = await talking(four)
    placed = invite("carol")
    four.switch.place(four.alice, placed)
    await four.paused()
    await taken(four, placed.call, four.carol)
    return with_bob, placed.call


async def put_through(four: Four, calls: tuple[CallId, CallId]) -> CallId:
    """Alice puts Bob through to Carol, and Bob's client does as it is asked."""
    four.switch.transfer(four.alice, SendTransfer(call=calls[0], to_call=calls[1]))
    [asked] = four.heard_by_bob.of("transfer")
    assert (asked["call"], asked["to"]) == (calls[0], "carol")
    new = invite("carol").model_copy(update={"replaces": calls[0]})
    four.switch.place(four.bob, new)
    await four.paused()
    return new.call


def ends(frames: Frames) -> set[tuple[str, str]]:
    """Which calls have ended for somebody, and how."""
    return {(frame["call"], frame["reason"]) for frame in frames.of("ended")}


async def test_two_with_whom_one_talks_talk_with_each_other_and_both_calls_end(four: Four) -> None:
    first, second = await consulting(four)
    elsewhere, heard_elsewhere = four.arrive(CAROL)
    await four.rule(CAROL, always="dave")
    await four.store.set_do_not_disturb(CAROL, True)
    new = await put_through(four, (first, second))
    four.switch.rejoin(elsewhere, [], was_here=False)
    incoming = four.heard_by_carol.of("incoming")[-1]
    assert (incoming["peer"], incoming["call"], incoming["replaces"]) == ("bob", new, second)
    assert heard_elsewhere.of("incoming") == four.heard_by_dave.of("incoming") == [], "where she talks, alone"
    assert ends(four.heard_by_alice) == set(), "until it is answered both go on"
    await taken(four, new, four.carol)
    over = {(first, "transferred"), (second, "transferred")}
    assert ends(four.heard_by_alice) == over
    assert ends(four.heard_by_bob) | ends(four.heard_by_carol) == over
    assert four.heard_by_bob.of("answered")[-1]["call"] == new
    assert four.door.asked == 3, "who talks now has a decision of its own"
    four.switch.receive(new, HungUp(four.bob), None)
    await four.settled()
    kept = {row.call: row.reason for row in await four.store.history(CAROL, 2**62, 9)}
    assert kept == {second: EndReason.TRANSFERRED, new: EndReason.HANGUP}


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("who", ["bob", "carol"])
async def test_who_of_the_two_hangs_up_meanwhile_leaves_the_other_call_as_it_was(
    four: Four, who: str, late: bool
) -> None:
    calls = await consulting(four)
    if late:
        new = await put_through(four, calls)
    else:
        four.switch.transfer(four.alice, SendTransfer(call=calls[0], to_call=calls[1]))
    gone, left = calls if who == "bob" else calls[::-1]
    four.switch.receive(gone, HungUp(four.bob if who == "bob" else four.carol), None)
    assert failed(four) == [("hangup", None)]
    assert (gone, "hangup") in ends(four.heard_by_alice)
    if late:
        assert (new, "cancelled") in ends(four.heard_by_bob) & ends(four.heard_by_carol)
    else:
        with pytest.raises(PeerError):
            four.switch.place(four.bob, invite("carol").model_copy(update={"replaces": calls[0]}))
    assert {call for call, _ in ends(four.heard_by_alice)} == {gone}
    four.switch.transfer(four.alice, SendTransfer(call=left, to="dave"))


async def test_one_who_hangs_up_while_the_answer_is_written_down_is_out(four: Four) -> None:
    calls = await consulting(four)
    new = await put_through(four, calls)
    four.switch.receive(new, Answered(four.carol, SDP, secrets.token_hex(32)), None)
    four.switch.receive(calls[1], HungUp(four.carol), None)
    await four.paused()
    assert failed(four) == [("hangup", None)]
    assert ends(four.heard_by_bob) == {(new, "cancelled")}


async def test_they_are_put_through_though_who_did_it_is_gone(four: Four) -> None:
    calls = await consulting(four)
    new = await put_through(four, calls)
    four.switch.lost(four.alice)
    assert ends(four.heard_by_carol) == {(calls[1], "connection_lost")}
    await taken(four, new, four.carol)
    assert four.heard_by_carol.of("select_answer")[-1]["call"] == new
    assert failed(four) == []


async def test_if_they_are_not_put_through_both_calls_go_on(four: Four) -> None:
    calls = await consulting(four)
    await four.store.block(CAROL, BOB, True)
    new = await put_through(four, calls)
    assert failed(four) == [("unreachable", None)]
    assert ends(four.heard_by_alice) == set()
    assert ends(four.heard_by_bob) == {(new, "unreachable")}
    assert ends(four.heard_by_carol) == set()


async def test_a_call_that_is_over_says_how_when_somebody_is_put_through_to_it(four: Four) -> None:
    calls = await consulting(four)
    four.switch.receive(calls[1], HungUp(four.carol), None)
    four.switch.transfer(four.alice, SendTransfer(call=calls[0], to_call=calls[1]))
    assert failed(four) == [("hangup", None)]


async def test_nobody_is_put_through_twice_or_to_a_call_of_others_or_one_that_rings(four: Four) -> None:
    first, second = await consulting(four)
    ringing, others = invite("dave"), invite("dave")
    four.switch.place(four.alice, ringing)
    four.switch.place(four.carol, others)
    await four.paused()
    for wrong in (
        {"call": first, "to_call": first},
        {"call": first, "to_call": ringing.call},
        {"call": first, "to_call": others.call},
        {"call": first, "to_call": "0e7cbcb3-5b7d-44f2-8e8e-84c9b5f02883"},
    ):
        with pytest.raises(PeerError) as caught:
            four.switch.transfer(four.alice, SendTransfer.model_validate(wrong))
        assert (caught.value.code, caught.value.field) == (ErrorCode.OUT_OF_PLACE, "to_call")
    for wrong in ({"call": first}, {"call": first, "to": "carol", "to_call": second}):
        with pytest.raises(PeerError) as caught:
            four.switch.transfer(four.alice, SendTransfer.model_validate(wrong))
        assert (caught.value.code, caught.value.field) == (ErrorCode.BAD_VALUE, "to")
    four.switch.transfer(four.alice, SendTransfer(call=first, to_call=second))
    for repeated in (SendTransfer(call=first, to_call=second), SendTransfer(call=second, to="dave")):
        with pytest.raises(PeerError) as caught:
            four.switch.transfer(four.alice, repeated)
        assert caught.value.code is ErrorCode.OUT_OF_PLACE
    assert len(four.heard_by_bob.of("transfer")) == 1


async def test_nobody_is_put_through_to_another_device_of_their_own(four: Four) -> None:
    first = await talking(four)
    other, _ = four.arrive(BOB)
    placed = invite("bob")
    four.switch.place(four.alice, placed)
    await four.paused()
    await taken(four, placed.call, other)
    with pytest.raises(PeerError) as caught:
        four.switch.transfer(four.alice, SendTransfer(call=first, to_call=placed.call))
    assert caught.value.code is ErrorCode.YOURSELF
