"""Running calls whose permit is lost, expires or comes back: over real sockets, by the test's own clock.

Calls between apps, under profiles that want a permit for them: China's and the Emirates'.
"""

import json
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.sound import quiet_sound
from tests.signaling.residents import HOLDER, permitted, resident
from wephone.calls import Call
from wephone.core.inputs import Change
from wephone.errors import CallRefused, SignInRefused
from wephone.events import Changed, ChangeDeclined, Ending, EndingCancelled, Media
from wephone.protocol.reasons import EndReason
from wephone.testing.kit import Kit


@pytest.fixture
def wephone_settings() -> dict[str, Any]:
    relay = {"turn_urls": ("turn:relay.example.org",), "turn_secret": secrets.token_hex(16)}
    return {"profiles": (), "legal_entity": HOLDER, **relay}


@pytest.fixture
def wephone(wephone: Kit) -> Kit:
    wephone.start_sound = quiet_sound
    return wephone


async def talking(wephone: Kit, country: str, *names: str) -> tuple[Call, Call]:
    """Two people who live there talk: the call as each of them has it."""
    caller, callee = [await resident(wephone, name, country) for name in names or ("alice", "bob")]
    placed = await caller.call(callee)
    return placed, callee.talks[-1].call


async def notices(placed: Call, taken: Call) -> Ending:
    """Both hear the same of the end to come; after a break each hears what is left by then."""
    ours, theirs = await placed.wait_for(Ending), await taken.wait_for(Ending)
    assert ours.refusal == theirs.refusal
    assert abs(ours.within - theirs.within) < 60
    assert ours.refusal.decision is not None
    assert ours.refusal.text.zh_cn
    return ours


async def withdrawn(*calls: Call) -> str:
    """All of them hear that their call ended for want of a permit: under which code."""
    ends = {await call.wait_ended() for call in calls}
    assert {ended.reason for ended in ends} == {EndReason.LICENCE_WITHDRAWN}
    [refusal] = {ended.refusal for ended in ends}
    assert refusal is not None
    return refusal.code


async def explained(wephone: Kit, decision: str | None) -> dict[str, Any]:
    """The journal's entry about a decision."""
    assert decision is not None
    [entry] = await wephone.server.running.parts.licence.journal.about(decision)
    body: dict[str, Any] = json.loads(entry.body)
    return body


async def test_both_hear_of_a_suspension_and_then_the_call_ends_while_another_goes_on(wephone: Kit) -> None:
    await permitted(wephone, "CN")
    await permitted(wephone, "AE")
    placed, taken = await talking(wephone, "CN")
    other, _ = await talking(wephone, "AE", "carol", "dave")
    await wephone.permits.suspend("cn")
    notice = await notices(placed, taken)
    assert (round(notice.within), notice.refusal.code) == (60, "DENY_PERMIT_SUSPENDED")
    await wephone.clock.advance(59)
    assert placed.state == "active"
    assert placed.ending == notice
    await wephone.clock.advance(1)
    assert await withdrawn(placed, taken) == "DENY_PERMIT_SUSPENDED"
    assert (other.state, other.ending) == ("active", None)
    metrics = wephone.server.running.parts.metrics.text().decode()
    assert 'wephone_calls_withdrawn_total{code="DENY_PERMIT_SUSPENDED"} 1.0' in metrics


async def test_the_notice_names_a_decision_that_says_what_it_follows_and_how_long_the_call_has(
    wephone: Kit,
) -> None:
    await permitted(wephone, "AE")
    placed, taken = await talking(wephone, "AE")
    await wephone.permits.suspend("ae")
    notice = await notices(placed, taken)
    entry = await explained(wephone, notice.refusal.decision)
    assert (entry["call"], entry["reason"], entry["winds_down"]) == (placed.id, notice.refusal.code, 60)
    assert entry["utc_local"].endswith("+04:00[Asia/Dubai]")
    first = await explained(wephone, entry["again"])
    assert (first["call"], first["outcome"], first["permits"]) == (placed.id, "allow", ["ae@1"])


async def test_the_end_of_a_withdrawn_call_names_the_decision_that_ended_it(wephone: Kit) -> None:
    await permitted(wephone, "AE")
    placed, taken = await talking(wephone, "AE")
    await wephone.permits.revoke("ae")
    notice = await notices(placed, taken)
    await wephone.clock.advance(30)
    await withdrawn(placed, taken)
    await wephone.server.restart()  # whatever was being written is
    entry = await explained(wephone, placed.id)
    assert (entry["reason"], entry["decision"]) == ("licence_withdrawn", notice.refusal.decision)
    assert list(await wephone.server.running.parts.store.ends_that_differ()) == []


async def test_a_permit_that_is_back_in_time_takes_the_end_back(wephone: Kit) -> None:
    await permitted(wephone, "CN")
    placed, taken = await talking(wephone, "CN")
    await wephone.permits.suspend("cn")
    await notices(placed, taken)
    await wephone.permits.reinstate("cn")
    for call in (placed, taken):
        await call.wait_for(EndingCancelled)
        assert call.ending is None
    await wephone.clock.advance(120)
    assert (await placed.hangup()).reason is EndReason.HANGUP


@pytest.mark.parametrize("country", ["CN", "AE"])
async def test_a_revoked_permit_leaves_thirty_seconds(wephone: Kit, country: str) -> None:
    await permitted(wephone, country)
    placed, taken = await talking(wephone, country)
    await wephone.permits.revoke(country.lower())
    assert round((await notices(placed, taken)).within) == 30
    await wephone.clock.advance(30)
    assert await withdrawn(placed, taken) == "DENY_PERMIT_REVOKED"


async def test_an_old_permit_on_file_gives_a_call_no_more_time(wephone: Kit) -> None:
    await permitted(wephone, "AE")
    await permitted(wephone, "AE", id="ae-old", valid_until="2020-12-31")
    placed, taken = await talking(wephone, "AE")
    await wephone.permits.revoke("ae")
    assert round((await notices(placed, taken)).within) == 30


async def test_a_call_may_finish_under_an_expired_permit_within_fifteen_minutes(wephone: Kit) -> None:
    # The clock is set forward, past the date: no timer has rung.
    await permitted(wephone, "AE", valid_until=days_from_now(wephone, 1))
    placed, taken = await talking(wephone, "AE")
    wephone.clock.turn_to(wephone.clock.now().utc + timedelta(days=3))
    notice = await notices(placed, taken)
    assert (round(notice.within), notice.refusal.code) == (900, "DENY_PERMIT_EXPIRED")
    await wephone.clock.advance(900)
    assert await withdrawn(placed, taken) == "DENY_PERMIT_EXPIRED"


async def test_a_suspension_begins_and_ends_at_its_own_instants(wephone: Kit) -> None:
    await permitted(wephone, "CN")
    placed, taken = await talking(wephone, "CN")
    start = wephone.clock.now().utc + timedelta(minutes=1)
    await wephone.permits.suspend("cn", start=start, end=start + timedelta(seconds=30))
    assert placed.ending is None
    await wephone.clock.advance(60)
    assert (await notices(placed, taken)).refusal.code == "DENY_PERMIT_SUSPENDED"
    await wephone.clock.advance(31)
    await placed.wait_for(EndingCancelled)
    await taken.wait_for(EndingCancelled)


async def test_a_class_that_is_switched_off_has_a_minute(wephone: Kit) -> None:
    await permitted(wephone, "CN")
    placed, taken = await talking(wephone, "CN")
    await wephone.permits.toggle("no-calls", False, services=["app_voice"], jurisdictions=["CN"])
    notice = await notices(placed, taken)
    assert (round(notice.within), notice.refusal.code) == (60, "DENY_SERVICE_DISABLED")
    await wephone.permits.toggle("no-calls", True, services=["app_voice"], jurisdictions=["CN"])
    await placed.wait_for(EndingCancelled)


async def test_a_further_loss_can_only_bring_the_end_nearer(wephone: Kit) -> None:
    await permitted(wephone, "CN")
    placed, taken = await talking(wephone, "CN")
    await wephone.permits.suspend("cn")
    await notices(placed, taken)
    await wephone.clock.advance(45)
    await wephone.permits.revoke("cn")
    nearer = [event async for event in until_revoked(placed)]
    assert 10 < nearer[-1].within <= 15
    await wephone.clock.advance(15)
    assert await withdrawn(placed, taken) == "DENY_PERMIT_REVOKED"


async def test_the_panic_switch_is_for_telephones_alone(wephone: Kit) -> None:
    await permitted(wephone, "CN")
    placed, taken = await talking(wephone, "CN")
    await wephone.permits.register.switch_telephone_off(by="operator", why="a test")
    await wephone.permits.suspend("cn")  # of two changes the later has been looked at when it is heard of
    await notices(placed, taken)
    assert [event.refusal.code for event in placed.history if isinstance(event, Ending)] == [
        "DENY_PERMIT_SUSPENDED"
    ]


async def test_a_call_that_only_rings_ends_at_once(wephone: Kit) -> None:
    await permitted(wephone, "CN")
    alice = await resident(wephone, "alice", "CN")
    bob = await resident(wephone, "bob", "CN", answer=False)
    placed = await alice.call("bob")
    taken = await bob.next_call()
    await placed.ringing()
    await wephone.permits.suspend("cn")
    assert await withdrawn(placed, taken) == "DENY_PERMIT_SUSPENDED"


@pytest.mark.parametrize("moment", ["its row is written", "the callee is woken"])
async def test_a_permit_that_is_lost_while_the_call_is_set_up_refuses_it(
    wephone: Kit, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    await permitted(wephone, "CN")
    alice, bob = await resident(wephone, "alice", "CN"), await resident(wephone, "bob", "CN")
    parts = wephone.server.running.parts
    slow, name = {"its row is written": (parts.store, "offer"), "the callee is woken": (parts.bell, "ring")}[
        moment
    ]
    plain = getattr(slow, name)

    async def suspended_meanwhile(*of: Any) -> Any:
        done = await plain(*of)
        await wephone.permits.suspend("cn")
        return done

    monkeypatch.setattr(slow, name, suspended_meanwhile)
    with pytest.raises(CallRefused, match="suspended") as refused:
        await alice.call(bob)
    assert not bob.talks
    again = await explained(wephone, refused.value.refusal.decision)
    assert again["reason"] == "DENY_PERMIT_SUSPENDED"
    assert (await explained(wephone, again["again"]))["outcome"] == "allow"


async def test_what_has_ended_cannot_be_had_again(wephone: Kit) -> None:
    await permitted(wephone, "CN")
    placed, taken = await talking(wephone, "CN")
    await wephone.server.request("alice", "GET", "/api/turn")
    await wephone.permits.revoke("cn")
    await notices(placed, taken)
    await wephone.clock.advance(30)
    await withdrawn(placed, taken)
    alice = await wephone.peer("alice")
    with pytest.raises(CallRefused, match="revoked"):
        await alice.client.call("bob")
    with pytest.raises(SignInRefused, match="revoked"):
        await wephone.server.request("alice", "GET", "/api/turn")
    await permitted(wephone, "CN", id="cn-2")
    await wephone.server.request("alice", "GET", "/api/turn")


async def test_a_permit_lost_while_the_server_was_down_is_lost_to_the_calls_that_outlived_it(
    wephone: Kit,
) -> None:
    await permitted(wephone, "CN", valid_until=days_from_now(wephone, 1))
    placed, taken = await talking(wephone, "CN")
    await wephone.server.stop()
    await wephone.clock.advance(3 * 24 * 3600)
    await wephone.server.start()
    notice = await notices(placed, taken)
    assert notice.refusal.code == "DENY_PERMIT_EXPIRED"
    assert 800 < notice.within <= 900


async def test_a_restart_gives_a_call_no_more_time_than_it_had(wephone: Kit) -> None:
    await permitted(wephone, "CN")
    placed, taken = await talking(wephone, "CN")
    await wephone.permits.suspend("cn")
    await notices(placed, taken)
    await wephone.clock.advance(40)
    await wephone.server.restart()
    await wephone.server.until_connected(2)
    await wephone.clock.advance(20)
    assert await withdrawn(placed, taken) == "DENY_PERMIT_SUSPENDED"


async def test_video_is_asked_for_and_refused_alone(wephone: Kit) -> None:
    await permitted(wephone, "CN")
    await wephone.permits.toggle("no-video", False, services=["app_video"])
    placed, taken = await talking(wephone, "CN")
    wish_for_video(placed)
    declined = await placed.wait_for(ChangeDeclined)
    assert declined.refusal is not None
    assert (await explained(wephone, declined.refusal.decision))["service"] == "app_video"
    assert (placed.state, placed.ending, taken.find(Changed)) == ("active", None, None)
    await wephone.permits.toggle("no-video", True, services=["app_video"])
    wish_for_video(placed)
    assert (await taken.wait_for(Changed)).media == (Media.AUDIO, Media.VIDEO)


async def test_a_call_that_gives_up_what_is_forbidden_goes_on(wephone: Kit) -> None:
    await permitted(wephone, "CN")
    placed, taken = await talking(wephone, "CN")
    wish_for_video(placed)
    await placed.wait_for(Changed)
    await wephone.permits.toggle("no-video", False, services=["app_video"])
    assert (await notices(placed, taken)).refusal.code == "DENY_SERVICE_DISABLED"
    wish(placed, Media.AUDIO)
    await placed.wait_for(EndingCancelled)
    await taken.wait_for(EndingCancelled)


def wish_for_video(call: Call) -> None:
    """The person turns the camera on; `Call` itself cannot yet."""
    wish(call, Media.AUDIO, Media.VIDEO)


def wish(call: Call, *media: Media) -> None:
    call._owner.tell_call(call.id, Change(media))


def days_from_now(wephone: Kit, days: int) -> str:
    """A date of the regulator's calendar; which day it is there now does not matter."""
    return str((wephone.clock.now().utc + timedelta(days=days)).date())


async def until_revoked(call: Call) -> AsyncIterator[Ending]:
    """The notices of a call, up to the one of a revocation."""
    async for event in call.events():
        if isinstance(event, Ending):
            yield event
            if event.refusal.code == "DENY_PERMIT_REVOKED":
                return
