"""The switch on a real store, with the gate's answer in the test's hand."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from licensing.gate import Begun
from licensing.identity import DecisionId
from licensing.numbering import Number, NumberType
from signaling.core.events import CandidatesFound, HungUp
from signaling.core.holder import Person
from signaling.core.party import Party
from signaling.dialling import NO_TRUNK, Unreached
from signaling.facts import Telephone
from signaling.limits import Limits
from signaling.lines import Line, Lines
from signaling.metrics import Metrics
from signaling.permission import Answer, Permitted, Refused
from signaling.ports.accounts import Account
from signaling.ports.texts import StoredText
from signaling.revocation import Revocation
from signaling.store import open_store
from signaling.store.rows import DatabaseStore
from signaling.switch import Switch
from tests.fakes.clock import HandClock
from tests.protocol.frames import SDP
from wephone.protocol.codec import PeerError
from wephone.protocol.ids import CallId, DeviceId, SessionId, UserId
from wephone.protocol.messages import Invite, Media, Refusal, RefusalText
from wephone.protocol.reasons import EndReason, ErrorCode

ALICE, BOB = UserId("alice"), UserId("bob")
NUMBER = Number("+12025550123", "US", NumberType.GEOGRAPHIC)
NO = Refused("D-1", Refusal(code="DENY_NO_PERMIT", text=RefusalText(en="no", zh_cn="不"), decision="D-1"))


class Doorkeeper:
    """A permission that answers when it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.answers = asyncio.Event()
        self.answers.set()

    def callee(self, text: str) -> UserId | Telephone:
        return NUMBER if text.startswith("+") else UserId(text)

    async def may_call(
        self, call: str, caller: Person, callee: Person, media: tuple[Media, ...], begun: Begun | None = None
    ) -> Answer:
        await self.answers.wait()
        self.asked += 1
        if begun is not None:
            begun(DecisionId("D-2"))
        return Permitted("D-2")

    def dialled(self, text: str, caller: Person) -> Telephone:
        return NUMBER

    async def may_dial(
        self, call: str, caller: Person, to: Telephone, media: tuple[Media, ...], **more: object
    ) -> Answer:
        await self.answers.wait()
        self.asked += 1
        return NO


class Silence:
    """A bell that wakes nobody."""

    async def ring(
        self, call: CallId, caller: UserId, callee: UserId, media: tuple[Media, ...]
    ) -> Sequence[DeviceId]:
        return ()

    def quiet(self, call: CallId, *, missed: bool = False) -> None:
        """Nothing rings."""

    def written(self, text: StoredText) -> None:
        """Nobody sleeps."""


class Frames(list[dict[str, Any]]):
    """What one device was told."""

    def send(self, payload: bytes) -> None:
        self.append(json.loads(payload))

    def close(self) -> None:
        """Nothing is open."""

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self if frame["type"] == kind]


class Exchange:
    """A switch, two users with a device each, and what they are told."""

    def __init__(self, store: DatabaseStore) -> None:
        self.store, self.clock, self.door = store, HandClock(), Doorkeeper()
        self.lines = Lines(self.clock, 60, lambda party: None)
        self.switch = Switch(
            node="local",
            epoch=1,
            clock=self.clock,
            store=store,
            lines=self.lines,
            permission=self.door,  # type: ignore[arg-type]  # the part of it that the switch asks
            telephones=Unreached(self.door, NO_TRUNK),  # type: ignore[arg-type]  # as above
            revocation=Revocation(self.door, None, None, self.clock, Metrics()),  # type: ignore[arg-type]  # not started
            bell=Silence(),
            limits=Limits(self.clock),
            metrics=Metrics(),
        )
        self.alice, self.heard_by_alice = self.arrive(ALICE)
        self.bob, self.heard_by_bob = self.arrive(BOB)

    def arrive(self, user: UserId) -> tuple[Party, Frames]:
        party = Party(user, DeviceId(str(uuid.uuid4())))
        line = Line(party, SessionId("session-1"), sign_in="s", outlet=(frames := Frames()))
        self.lines.open(line)
        return party, frames

    async def settled(self) -> None:
        """Whatever was started has come to its end."""
        await self.switch.close()


def invite(to: str) -> Invite:
    return Invite(call=CallId(str(uuid.uuid4())), to=to, sdp=SDP, commitment="ab" * 32)


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[Exchange]:
    async with await open_store(f"sqlite:///{tmp_path / 'wephone.db'}") as store:
        for user in (ALICE, BOB):
            await store.add_account(Account(user, "", operator=False, disabled=False, created_at=0))
        made = Exchange(store)
        yield made
        made.door.answers.set()
        await made.settled()


async def test_a_caller_gives_up_while_the_gate_decides_on_a_number(exchange: Exchange) -> None:
    exchange.door.answers.clear()
    dialled = invite("+12025550123")
    exchange.switch.place(exchange.alice, dialled)
    exchange.switch.receive(dialled.call, CandidatesFound(exchange.alice, (), end=True), None)
    exchange.switch.receive(dialled.call, HungUp(exchange.alice), None)
    exchange.door.answers.set()
    await exchange.settled()
    [ended] = exchange.heard_by_alice
    assert ended["reason"] == "cancelled"
    [record] = await exchange.store.history(ALICE, 2**62, 2)
    assert (record.callee, record.decision, record.reason) == ("+120****0123", "D-1", EndReason.CANCELLED)


async def test_a_number_dialled_again_under_the_same_id_has_one_decision_and_the_same_end(
    exchange: Exchange,
) -> None:
    dialled = invite("+12025550123")
    exchange.switch.place(exchange.alice, dialled)
    exchange.switch.place(exchange.alice, dialled)
    await exchange.settled()
    exchange.switch.place(exchange.alice, dialled)
    assert exchange.door.asked == 1
    assert [frame["reason"] for frame in exchange.heard_by_alice] == ["refused", "refused"]


async def test_a_number_dialled_again_after_a_restart_ends_with_a_decision(exchange: Exchange) -> None:
    dialled = invite("+12025550123")
    exchange.switch.place(exchange.alice, dialled)
    await exchange.settled()
    restarted = Exchange(exchange.store)
    restarted.switch.place(restarted.alice, dialled)
    await restarted.settled()
    [ended] = restarted.heard_by_alice
    assert (ended["reason"], ended["refusal"]["decision"]) == ("refused", "D-1")


async def test_an_id_that_another_caller_uses_is_taken(exchange: Exchange) -> None:
    for to in ("bob", "+12025550123"):
        placed = invite(to)
        exchange.switch.place(exchange.alice, placed)
        with pytest.raises(PeerError) as error:
            exchange.switch.place(exchange.bob, placed)
        assert error.value.code is ErrorCode.ID_TAKEN


async def test_a_blocked_caller_hears_unreachable_and_leaves_no_missed_call(exchange: Exchange) -> None:
    await exchange.store.block(BOB, ALICE, on=True)
    exchange.switch.place(exchange.alice, invite("bob"))
    await exchange.settled()
    assert [frame["reason"] for frame in exchange.heard_by_alice.of("ended")] == ["unreachable"]
    assert exchange.heard_by_bob == []
    assert await exchange.store.missed_calls(BOB) == []
    assert await exchange.store.history(BOB, 2**62, 10) == []


async def test_somebody_who_is_not_to_be_disturbed_finds_the_call_among_the_missed(
    exchange: Exchange,
) -> None:
    await exchange.store.set_do_not_disturb(BOB, True)
    exchange.switch.place(exchange.alice, invite("bob"))
    await exchange.settled()
    assert [frame["reason"] for frame in exchange.heard_by_alice.of("ended")] == ["do_not_disturb"]
    assert [frame["type"] for frame in exchange.heard_by_bob] == ["missed"]


async def test_a_call_given_up_while_the_gate_decides_is_never_offered_and_has_one_record(
    exchange: Exchange,
) -> None:
    exchange.door.answers.clear()
    placed = invite("bob")
    exchange.switch.place(exchange.alice, placed)
    await asyncio.sleep(0)
    exchange.switch.receive(placed.call, HungUp(exchange.alice), None)
    exchange.door.answers.set()
    await exchange.settled()
    assert exchange.heard_by_bob == []
    [record] = await exchange.store.history(ALICE, 2**62, 10)
    assert (record.reason, record.decision, record.missed) == ("cancelled", "D-2", False)


async def test_a_stopping_server_takes_no_new_call(exchange: Exchange) -> None:
    exchange.switch.draining = True
    with pytest.raises(PeerError) as error:
        exchange.switch.place(exchange.alice, invite("bob"))
    assert error.value.code is ErrorCode.DRAINING


async def test_who_rang_before_a_restart_hears_how_it_ended_though_its_caller_is_just_asking_again(
    exchange: Exchange,
) -> None:
    placed = invite("bob")
    exchange.switch.place(exchange.alice, placed)
    await exchange.settled()
    await exchange.store.end(placed.call, EndReason.SERVER_RESTARTED, 1, missed=True)
    successor = Exchange(exchange.store)
    exchange.switch = successor.switch  # for the fixture to close
    successor.switch.place(successor.alice, placed)
    successor.switch.receive(placed.call, HungUp(successor.bob), 7)
    await successor.settled()
    assert [frame["reason"] for frame in successor.heard_by_alice.of("ended")] == ["server_restarted"]
    assert [frame["reason"] for frame in successor.heard_by_bob.of("ended")] == ["server_restarted"]


async def test_nobody_speaks_in_a_call_that_somebody_else_dialled(exchange: Exchange) -> None:
    exchange.door.answers.clear()
    dialled = invite("+12025550123")
    exchange.switch.place(exchange.alice, dialled)
    exchange.switch.receive(dialled.call, CandidatesFound(exchange.bob, (), end=True), 7)
    [error] = exchange.heard_by_bob
    assert (error["code"], error["ref"]) == ("unknown_call", 7)


async def test_nobody_learns_how_a_call_of_others_ended(exchange: Exchange) -> None:
    placed = invite("bob")
    exchange.switch.place(exchange.alice, placed)
    exchange.switch.receive(placed.call, HungUp(exchange.alice), None)
    await exchange.settled()
    stranger, heard = exchange.arrive(UserId("mallory"))
    exchange.switch.receive(placed.call, HungUp(stranger), 7)
    await exchange.settled()
    [error] = heard
    assert (error["code"], error["ref"]) == ("unknown_call", 7)
