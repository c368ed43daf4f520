"""Calls between clients on a real server."""

import asyncio

import pytest

from tests.fakes.sound import broken_sound
from wephone import Call, CallEnded, NotPossible, WePhoneError
from wephone.events import Answered, ChangeDeclined, Ended, EndReason, GoesOn, Progress, Progressed, Role
from wephone.testing.kit import Kit


async def test_a_call_is_placed_rings_is_answered_and_hung_up(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob", answer=False)
    call = await alice.call(bob)
    theirs = await bob.next_call()
    await call.ringing()
    await theirs.answer()
    await call.answered()
    ended = await call.hangup()
    assert (ended.reason, ended.by) == (EndReason.HANGUP, Role.CALLER)
    assert await theirs.wait_ended() == ended
    assert [event.progress for event in call.history if isinstance(event, Progressed)] == list(Progress)


async def test_each_end_is_told_each_thing_once_and_in_order(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob")
    call = await alice.call(bob)
    theirs = await bob.next_call()
    code = await call.verified()
    assert code == await theirs.verified()
    await theirs.hangup()
    told = [type(event).__name__ async for event in call.events()]
    assert told == ["Progressed", "Progressed", "Progressed", "Answered", "SafetyCode", "Ended"]
    told = [type(event).__name__ async for event in theirs.events()]
    assert told == ["Rings", "Answered", "SafetyCode", "Ended"]


@pytest.mark.parametrize("reason", [EndReason.DECLINED, EndReason.BUSY, EndReason.DO_NOT_DISTURB])
async def test_who_turns_a_call_down_says_why(wephone: Kit, reason: EndReason) -> None:
    alice, bob = await wephone.peers("alice", "bob", answer=False)
    call = await alice.call(bob)
    await (await bob.next_call()).reject(reason)
    with pytest.raises(CallEnded) as caught:
        await call.answered()
    assert (caught.value.reason, caught.value.ended.by) == (reason, Role.CALLEE)


async def test_a_call_is_rejected_for_a_reason_that_there_is(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob", answer=False)
    call = await alice.call(bob)
    theirs = await bob.next_call()
    with pytest.raises(ValueError, match="not as `glare`"):
        await theirs.reject(EndReason.GLARE)
    assert call.state in ("calling", "ringing")


async def test_a_caller_who_gives_up_is_not_answered(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob", answer=False)
    call = await alice.call(bob)
    theirs = await bob.next_call()
    assert (await call.hangup()).reason is EndReason.CANCELLED
    with pytest.raises(CallEnded):
        await theirs.answer()
    assert (await theirs.wait_ended()).reason is EndReason.CANCELLED
    assert not alice.client.calls and not bob.client.calls


async def test_a_program_that_stops_waiting_for_its_call_hangs_it_up(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob", answer=False)
    placing = asyncio.create_task(alice.client.call("bob"))
    await asyncio.sleep(0)
    placing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await placing
    while alice.client.calls:
        await alice.client.calls[0].wait_ended()
    assert not bob.client.calls


async def test_nobody_answers_in_time(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob", answer=False)
    call = await alice.call(bob)
    theirs = await bob.next_call()
    await call.ringing()
    await wephone.clock.advance(61)
    assert (await call.wait_ended()).reason is EndReason.NO_ANSWER
    assert (await theirs.wait_ended()).reason is EndReason.NO_ANSWER


async def test_nobody_of_that_name(wephone: Kit) -> None:
    (alice,) = await wephone.peers("alice")
    with pytest.raises(CallEnded, match="there is no such user") as caught:
        await alice.call("nobody")
    assert caught.value.reason is EndReason.UNKNOWN_USER


async def test_what_is_neither_a_name_nor_a_number_is_said_to_be_neither(wephone: Kit) -> None:
    (alice,) = await wephone.peers("alice")
    with pytest.raises(CallEnded, match="neither a user name nor a telephone number"):
        await alice.call("!?")
    assert alice.client.link == "up"


async def test_somebody_who_is_away_is_unreachable(wephone: Kit) -> None:
    (alice,) = await wephone.peers("alice")
    await wephone.server.add_user("bob")
    with pytest.raises(CallEnded) as caught:
        await alice.call("bob")
    assert caught.value.reason is EndReason.UNREACHABLE


async def test_holding_a_call_is_seen_by_both_and_undone_by_both(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob")
    call = await alice.call(bob)
    theirs = await bob.next_call()
    await theirs.answered()
    await call.hold()
    assert (call.held_here, call.held_there) == (True, False)
    assert (theirs.held_here, theirs.held_there) == (False, True)
    await theirs.hold()
    await call.resume()
    assert (call.held_here, call.held_there) == (False, True)
    await theirs.resume()
    assert not any((call.held_here, call.held_there, theirs.held_here, theirs.held_there))
    assert not any(isinstance(event, ChangeDeclined) for event in (*call.history, *theirs.history))


async def test_both_may_hold_at_the_same_moment(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob")
    call = await alice.call(bob)
    theirs = await bob.next_call()
    await theirs.answered()
    await asyncio.gather(call.hold(), theirs.hold())
    for each in (call, theirs):
        async for _ in each.events():
            if each.held_there:
                break
    assert call.held_here and theirs.held_here


async def test_a_call_that_rings_cannot_be_held(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob", answer=False)
    call = await alice.call(bob)
    with pytest.raises(NotPossible, match="neither be held nor resumed"):
        await call.hold()


async def test_all_devices_of_a_user_ring_and_one_answers(wephone: Kit) -> None:
    alice, desk, mobile = await wephone.peers("alice", "bob", "bob", answer=False)
    call = await alice.call("bob")
    at_desk, at_mobile = await desk.next_call(), await mobile.next_call()
    await at_mobile.answer()
    assert (await at_desk.wait_ended()).reason is EndReason.ANSWERED_ELSEWHERE
    await call.answered()
    answered = call.find(Answered)
    assert answered is not None and answered.peer_device == mobile.client.device


async def test_two_devices_that_answer_at_once_do_not_share_the_call(wephone: Kit) -> None:
    alice, desk, mobile = await wephone.peers("alice", "bob", "bob", answer=True)
    call = await alice.call("bob")
    await call.answered()
    calls = [await desk.next_call(), await mobile.next_call()]
    outcomes = [await first(call, Answered, Ended) for call in calls]
    assert sorted(outcomes, key=str) == [Answered, Ended]
    winner, loser = calls if outcomes[0] is Answered else reversed(calls)
    assert (await loser.wait_ended()).reason is EndReason.ANSWERED_ELSEWHERE
    assert winner.state == "active"


async def test_one_device_that_declines_declines_for_all(wephone: Kit) -> None:
    alice, desk, mobile = await wephone.peers("alice", "bob", "bob", answer=False)
    call = await alice.call("bob")
    at_desk, at_mobile = await desk.next_call(), await mobile.next_call()
    await at_desk.reject()
    assert (await at_mobile.wait_ended()).reason is EndReason.DECLINED_ELSEWHERE
    assert (await call.wait_ended()).reason is EndReason.DECLINED


async def test_two_who_call_each_other_at_once_are_in_one_call(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob", answer=False)
    ours, theirs = alice.client.place("bob"), bob.client.place("alice")
    await ours.answered()
    await theirs.answered()
    assert ours.id == theirs.id
    assert [len(peer.client.calls) for peer in (alice, bob)] == [1, 1]
    assert await ours.verified() == await theirs.verified()
    went_on = [call for call in (ours, theirs) if call.find(GoesOn)]
    assert len(went_on) == 1
    ended = await ours.hangup()
    assert await theirs.wait_ended() == ended
    assert ended.reason is EndReason.HANGUP


async def test_a_blocked_caller_hears_that_nobody_can_be_reached(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob")
    await wephone.server.block("bob", "alice")
    with pytest.raises(CallEnded) as caught:
        await alice.call(bob)
    assert caught.value.reason is EndReason.UNREACHABLE
    assert not bob.client.calls


async def test_a_call_that_nobody_took_is_told_at_the_next_sign_in(wephone: Kit) -> None:
    (alice,) = await wephone.peers("alice")
    await wephone.server.add_user("bob")
    with pytest.raises(CallEnded):
        await alice.call("bob")
    bob = await wephone.peer("bob")
    missed = await anext(bob.client.missed())
    assert missed.peer == "alice"
    bob.client.missed_seen(missed)
    await bob.send("alice", "I was away")  # answered after the mark, so the mark is stored
    again = await wephone.peer("bob")
    await again.send("alice", "still here")
    await again.client.close()
    assert [each async for each in again.client.missed()] == []


async def test_media_that_cannot_describe_itself_ends_the_call_with_that_reason(wephone: Kit) -> None:
    (bob,) = await wephone.peers("bob")
    wephone.start_sound = broken_sound
    (alice,) = await wephone.peers("alice")
    with pytest.raises(CallEnded, match="no sound could be exchanged: this device is broken"):
        await alice.call(bob)
    assert not bob.client.calls


async def test_leaving_hangs_up(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob")
    call = await alice.call(bob)
    theirs = await bob.next_call()
    await theirs.answered()
    await alice.client.close()
    assert (await theirs.wait_ended()).reason is EndReason.HANGUP
    assert call.ended == theirs.ended


async def test_who_has_left_can_call_nobody(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob")
    await alice.client.close()
    with pytest.raises(WePhoneError):
        await alice.call(bob)


async def first(call: Call, *kinds: type) -> type:
    """Which of these happens first in a call."""
    async for event in call.events():
        if isinstance(event, kinds):
            return type(event)
    raise AssertionError(f"neither of {kinds} happened")
