"""A running call that one side hands over: the other calls somebody else, and then it ends, or it goes on."""

import secrets
from typing import Any

import pytest

from signaling.core.events import Answered, HungUp, Rejected
from signaling.core.party import Party
from tests.protocol.frames import SDP
from tests.signaling.test_forwarding import CAROL, Four, four
from tests.signaling.test_switch import ALICE, BOB, invite
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
