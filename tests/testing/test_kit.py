"""What the test kit offers to a test, with real media."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from signaling.ports.calls import Hearing
from wephone import CallEnded, CallRefused
from wephone.events import EndReason
from wephone.media.score import heard
from wephone.testing.kit import Kit
from wephone.testing.timeline import Timeline, in_words


async def said_of_their_call(wephone: Kit) -> tuple[Hearing, ...]:
    """What both devices have told the server of the only call."""
    store = wephone.server.running.parts.store
    while True:
        [row] = await store.records(2**63 - 1, "", 9)
        if len(row.heard) == 2:
            return row.heard
        await asyncio.sleep(0.01)  # nobody is told when it is written


async def test_peers_hear_each_other_as_they_spoke(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob")
    call = await alice.call(bob)
    assert await bob.heard(alice)
    assert alice.heard(bob)
    score = bob.heard(alice).score
    assert score.stoi >= 0.9 and abs(score.level) <= 6 and score.seconds == pytest.approx(2, abs=0.1)
    await call.hangup()
    assert bob.heard(alice) and alice.heard(bob)
    caller, callee = await said_of_their_call(wephone)
    for side in (caller, callee):
        assert side.packets > 90 and side.lost == 0 and 0 < side.jitter < 1_000_000


async def test_a_muted_side_is_not_heard_and_the_other_is(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob")
    call = await alice.call(bob)
    call.mute()
    by_bob = await bob.heard(alice, seconds=1.5)
    assert not by_bob and by_bob.score.stoi < 0.5
    assert alice.heard(bob, seconds=1.5)
    assert repr(by_bob).startswith("bob heard alice: STOI 0.")


async def test_its_own_voice_is_not_taken_for_the_others(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob")
    await alice.call(bob)
    assert await bob.heard(alice)
    (talk,) = bob.talks
    assert not heard(talk.mouth.said, talk.ear.heard).good


async def test_a_held_side_is_silent_and_heard_again_when_it_resumes(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob")
    call = await alice.call(bob)
    assert await bob.heard(alice)
    await call.hold()
    said = alice.talks[0].mouth.seconds
    await call.resume()
    await alice.talks[0].mouth.spoke(said + 3)
    assert bob.heard(alice)


async def test_two_who_are_put_through_to_each_other_hear_each_other(wephone: Kit) -> None:
    alice, bob, carol = await wephone.peers("alice", "bob", "carol")
    with_bob = await alice.call(bob)
    await with_bob.hold()
    await with_bob.transfer(await alice.call(carol))
    assert await bob.heard(carol, 1.0)
    assert await carol.heard(bob, 1.0)


async def test_nothing_is_heard_where_there_was_no_call(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob")
    with pytest.raises(ValueError, match="bob and alice have had no call with each other"):
        bob.heard(alice)


async def test_a_peer_answers_only_if_it_is_to(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob", answer=False)
    call = await alice.call(bob)
    assert call.state == "calling" or call.state == "ringing"
    await (await bob.next_call()).reject("busy")
    assert (await call.wait_ended()).reason is EndReason.BUSY
    bob.answers = True
    call = await alice.call(bob)
    assert call.state == "active"


async def test_a_minute_passes_at_once(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob", answer=False)
    call = await alice.call(bob)
    await call.ringing()
    await wephone.clock.advance(60.5)
    assert (await call.wait_ended()).reason is EndReason.NO_ANSWER
    assert "clock" in str(wephone.timeline) and "60.5 s forward" in str(wephone.timeline)


async def test_a_telephone_call_is_refused_without_a_permit_and_not_for_want_of_one_with_it(
    wephone: Kit,
) -> None:
    (alice,) = await wephone.peers("alice")
    with pytest.raises(CallRefused) as refused:
        await alice.call("+12025550123")
    assert refused.value.code == "DENY_NO_PERMIT"
    assert refused.value.decision is not None and refused.value.decision.startswith("D-")
    assert refused.value.permit_needed == "baseline:basic"
    await wephone.permits.add(permit())
    with pytest.raises(CallEnded) as ended:
        await alice.call("+12025550123")
    assert ended.value.reason is EndReason.NO_ROUTE
    await wephone.permits.suspend("P-1")
    with pytest.raises(CallRefused) as refused:
        await alice.call("+12025550123")
    assert refused.value.code == "DENY_PERMIT_SUSPENDED"
    await wephone.permits.revoke("P-1")
    with pytest.raises(CallRefused) as refused:
        await alice.call("+12025550123")
    assert refused.value.code == "DENY_PERMIT_REVOKED"


async def test_a_permit_ends_when_the_calendar_says_so(wephone: Kit) -> None:
    (alice,) = await wephone.peers("alice")
    await wephone.permits.add(permit())
    wephone.clock.turn_to(datetime.now(UTC) + timedelta(days=40))
    with pytest.raises(CallRefused) as refused:
        await alice.call("+12025550123")
    assert refused.value.code == "DENY_PERMIT_EXPIRED"


def permit() -> dict[str, object]:
    """All telephone calls, from yesterday for a month."""
    today = datetime.now(UTC).date()
    return {
        "id": "P-1",
        "jurisdiction": "baseline",
        "categories": ["baseline:basic"],
        "valid_from": str(today - timedelta(days=1)),
        "valid_until": str(today + timedelta(days=30)),
    }


async def test_what_the_server_keeps_survives_a_restart(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob")
    url = wephone.server.url
    await wephone.server.restart()
    assert wephone.server.url == url
    mobile = await wephone.peer("bob")
    await alice.send("bob", "still here")
    assert (await mobile.next_text()).text == (await bob.next_text()).text == "still here"


def test_a_timeline_is_in_words_without_descriptions_and_secrets() -> None:
    from wephone.protocol import messages
    from wephone.protocol.ids import CallId

    call = CallId.parse("6f1c7d0a-6d0f-4f3e-9d35-0c1d2e3f4a5b")
    invite = messages.Invite(call=call, to="bob", sdp="v=0\r\n", commitment="0" * 64)
    candidates = messages.SendCandidates(call=call, candidates=(messages.Candidate(candidate="secret"),))
    assert in_words(invite) == "invite call=6f1c7d0a to=bob media=audio"
    assert in_words(candidates) == "candidates call=6f1c7d0a candidates=1"
    timeline = Timeline()
    timeline.add("alice", "sent", invite)
    timeline.add("server", "did", "stop")
    first, second = str(timeline).splitlines()
    assert first.endswith(" s  alice   sent      invite call=6f1c7d0a to=bob media=audio")
    assert second.endswith(" s  server  did       stop")
