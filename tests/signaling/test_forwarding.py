"""Calls that go on to somebody else: whom they reach, what is decided and kept, and where they stop."""

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from signaling.core.events import Alerting, Answered, HungUp, Rejected
from signaling.core.forwarding import Forwarding
from signaling.ports.accounts import Account
from signaling.store import open_store
from tests.protocol.frames import SDP
from tests.signaling.test_switch import ALICE, BOB, Exchange, Frames, invite
from wephone.protocol.ids import CallId, UserId
from wephone.protocol.messages import Invite
from wephone.protocol.reasons import EndReason

CAROL, DAVE = UserId("carol"), UserId("dave")


class Four(Exchange):
    """Alice calls Bob; Carol and Dave are there too."""

    async def begin(self) -> None:
        self.carol, self.heard_by_carol = self.arrive(CAROL)
        self.dave, self.heard_by_dave = self.arrive(DAVE)
        for user in (CAROL, DAVE):
            await self.store.add_account(Account(user, "", operator=False, disabled=False, created_at=0))

    async def rule(self, user: UserId, **rules: Any) -> None:
        await self.store.set_forwarding(user, Forwarding(**rules))

    async def call(self) -> Invite:
        """Alice calls Bob; whoever is to ring does."""
        placed = invite("bob")
        self.switch.place(self.alice, placed)
        await self.settled()
        return placed

    async def paused(self) -> None:
        """What was started has come to its end; clocks go on."""
        await self.switch._errands.close()

    async def answer(self, call: CallId) -> None:
        """Carol takes it."""
        self.switch.receive(call, Answered(self.carol, SDP, secrets.token_hex(32)), None)
        await self.settled()


@pytest.fixture
async def four(tmp_path: Path) -> AsyncIterator[Four]:
    async with await open_store(f"sqlite:///{tmp_path / 'wephone.db'}") as store:
        for user in (ALICE, BOB):
            await store.add_account(Account(user, "", operator=False, disabled=False, created_at=0))
        made = Four(store)
        await made.begin()
        yield made
        await made.settled()


def rang(frames: Frames) -> list[tuple[str, str | None]]:
    """By whom, and for whom."""
    return [(frame["peer"], frame.get("forwarded_by")) for frame in frames.of("incoming")]


async def rings(frames: Frames) -> None:
    """Wait for the call."""
    while not frames.of("incoming"):  # noqa: ASYNC110 - what a device hears tells nobody
        await asyncio.sleep(0.001)


def told(frames: Frames) -> list[tuple[str, str | None]]:
    """How far a caller's call came, and with whom."""
    return [(frame["progress"], frame.get("forwarded_to")) for frame in frames.of("progress")]


async def test_all_calls_go_on_and_whom_they_were_for_hears_of_none(four: Four) -> None:
    await four.rule(BOB, always="carol")
    placed = await four.call()
    assert rang(four.heard_by_carol) == [("alice", "bob")]
    assert four.heard_by_bob == []
    assert told(four.heard_by_alice) == [("sent", "carol")]
    await four.answer(placed.call)
    assert four.heard_by_alice.of("answered")
    four.switch.receive(placed.call, HungUp(four.alice), None)
    await four.settled()
    assert four.door.asked == 1, "Alice and Bob have no leg that could be decided on"
    [record] = await four.store.history(CAROL, 2**62, 9)
    assert (record.caller, record.callee, record.forwarded_to, record.forwarded_by) == (
        ALICE, BOB, CAROL, BOB,
    )  # fmt: skip
    assert [row.call for row in await four.store.history(BOB, 2**62, 9)] == [placed.call]
    assert (record.reason, record.missed) == (EndReason.HANGUP, False)


async def test_who_is_busy_has_the_call_go_on_and_the_caller_sees_it_ring_anew(four: Four) -> None:
    await four.rule(BOB, busy="carol")
    placed = await four.call()
    four.switch.receive(placed.call, Alerting(four.bob), None)
    four.switch.receive(placed.call, Rejected(four.bob, EndReason.BUSY), None)
    await four.settled()
    assert [frame["reason"] for frame in four.heard_by_bob.of("ended")] == ["busy"]
    assert four.heard_by_alice.of("ended") == []
    four.switch.receive(placed.call, Alerting(four.carol), None)
    assert told(four.heard_by_alice) == [
        ("sent", None), ("alerting", None), ("sent", "carol"), ("alerting", "carol"),
    ]  # fmt: skip
    assert four.door.asked == 2, "each of the two has a decision of its own"
    await four.answer(placed.call)
    assert four.heard_by_carol.of("select_answer")


async def test_a_device_that_answers_when_the_call_has_gone_on_takes_nothing(four: Four) -> None:
    await four.rule(BOB, busy="carol")
    other, heard = four.arrive(BOB)
    placed = await four.call()
    four.switch.receive(placed.call, Rejected(four.bob, EndReason.BUSY), None)
    four.switch.receive(placed.call, Answered(other, SDP, secrets.token_hex(32)), None)
    four.switch.receive(placed.call, HungUp(four.bob), None)
    await four.paused()
    assert [frame["reason"] for frame in heard.of("ended")] == ["declined_elsewhere"]
    assert [frame["code"] for frame in heard.of("error")] == ["unknown_call"]
    await four.answer(placed.call)
    assert four.heard_by_carol.of("select_answer") and four.heard_by_alice.of("answered")


async def test_a_caller_who_comes_back_hears_with_whom_the_call_is_now(four: Four) -> None:
    await four.rule(BOB, always="carol")
    placed = await four.call()
    four.switch.place(four.alice, placed)
    assert told(four.heard_by_alice) == [("sent", "carol")] * 2
    [snapshot] = four.switch.snapshots(four.alice, [placed.call])
    assert snapshot.peer == "carol"


async def test_a_decline_is_no_case_of_any_rule(four: Four) -> None:
    await four.rule(BOB, busy="carol", no_answer="carol")
    placed = await four.call()
    four.switch.receive(placed.call, Rejected(four.bob, EndReason.DECLINED), None)
    await four.settled()
    assert [frame["reason"] for frame in four.heard_by_alice.of("ended")] == ["declined"]
    assert rang(four.heard_by_carol) == []


async def test_a_call_that_nobody_answers_goes_on_after_the_seconds_that_were_set(four: Four) -> None:
    await four.rule(BOB, no_answer="carol", after=7)
    placed = invite("bob")
    four.switch.place(four.alice, placed)
    await rings(four.heard_by_bob)
    four.switch.receive(placed.call, Alerting(four.bob), None)
    [incoming] = four.heard_by_bob.of("incoming")
    assert incoming["lifetime"] == 7
    four.clock.advance(6)
    assert four.heard_by_bob.of("ended") == []
    four.clock.advance(1)
    await rings(four.heard_by_carol)
    assert rang(four.heard_by_carol) == [("alice", "bob")]
    assert [frame["reason"] for frame in four.heard_by_bob.of("ended")] == ["no_answer"]
    four.clock.advance(90)
    await four.settled()
    [ended] = four.heard_by_alice.of("ended")
    assert (ended["reason"], ended["forwarded_to"]) == ("no_answer", "carol")
    assert [frame["peer"] for frame in four.heard_by_bob.of("missed")] == ["alice"]
    assert [row.call for row in await four.store.missed_calls(BOB)] == [placed.call]


async def test_somebody_of_whom_no_device_is_there_is_called_elsewhere(four: Four) -> None:
    await four.rule(BOB, no_answer="carol")
    line = four.lines.get(four.bob)
    assert line is not None
    four.lines.drop(line)
    await four.call()
    assert rang(four.heard_by_carol) == [("alice", "bob")]


async def test_a_call_whose_last_device_is_gone_while_it_rings_goes_on_at_its_time(four: Four) -> None:
    await four.rule(BOB, no_answer="carol")
    placed = invite("bob")
    four.switch.place(four.alice, placed)
    await rings(four.heard_by_bob)
    four.switch.lost(four.bob)
    assert four.heard_by_alice.of("ended") == []
    four.clock.advance(20)
    await rings(four.heard_by_carol)
    assert four.heard_by_alice.of("ended") == []


async def test_rules_that_lead_back_stop_where_they_began_to(four: Four) -> None:
    await four.rule(BOB, always="carol")
    await four.rule(CAROL, always="bob")
    await four.call()
    assert rang(four.heard_by_carol) == [("alice", "bob")], "Carol's rule would lead back to Bob"
    assert four.heard_by_bob == []


async def test_a_call_is_not_brought_back_to_its_caller(four: Four) -> None:
    await four.rule(BOB, always="alice")
    await four.call()
    assert rang(four.heard_by_bob) == [("alice", None)]


async def test_a_chain_of_rules_has_an_end(four: Four) -> None:
    names = [f"user{place}" for place in range(6)]
    for name in names:
        await four.store.add_account(Account(UserId(name), "", operator=False, disabled=False, created_at=0))
    heard = [four.arrive(UserId(name))[1] for name in names]
    await four.rule(BOB, always=names[0])
    for name, after in itertools.pairwise(names):
        await four.rule(UserId(name), always=after)
    await four.call()
    assert [place for place, frames in enumerate(heard) if frames] == [2]


async def test_who_has_blocked_the_caller_or_whose_rule_it_is_is_not_rung(four: Four) -> None:
    await four.rule(BOB, always="carol")
    await four.store.block(CAROL, BOB, True)
    await four.call()
    [ended] = four.heard_by_alice.of("ended")
    assert (ended["reason"], ended["forwarded_to"]) == ("unreachable", "carol")
    await four.store.block(BOB, ALICE, True)
    await four.call()
    assert "forwarded_to" not in four.heard_by_alice.of("ended")[1], "a blocked caller learns of no rule"
    assert four.heard_by_carol == []


async def test_a_caller_who_gives_up_while_it_goes_on_leaves_one_record(four: Four) -> None:
    await four.rule(BOB, always="carol")
    four.door.answers.clear()
    placed = invite("bob")
    four.switch.place(four.alice, placed)
    four.switch.receive(placed.call, HungUp(four.alice), None)
    four.door.answers.set()
    await four.settled()
    assert four.heard_by_carol == []
    [record] = await four.store.history(ALICE, 2**62, 9)
    assert record.reason is EndReason.CANCELLED


async def test_a_number_that_calls_go_on_to_is_decided_on_and_refused_with_its_reason(four: Four) -> None:
    await four.rule(BOB, busy="+12025550123")
    placed = await four.call()
    four.switch.receive(placed.call, Rejected(four.bob, EndReason.BUSY), None)
    await four.settled()
    [ended] = four.heard_by_alice.of("ended")
    assert (ended["reason"], ended["refusal"]["code"]) == ("refused", "DENY_NO_PERMIT")
    assert ended["forwarded_to"] == "+120****0123"
    [record] = await four.store.history(BOB, 2**62, 9)
    assert (record.callee, record.forwarded_by, record.decision) == (BOB, BOB, "D-1")
    assert "5550" not in str(record.forwarded_to)
