"""Calls on both databases."""

import asyncio
import json

import pytest

from signaling.core.party import Party
from signaling.ports.calls import CallRecord, LiveCall
from signaling.ports.store import IdTakenError
from signaling.store import open_store
from signaling.store.rows import DatabaseStore
from tests.signaling.store.people import (
    ALICE,
    ALICES,
    AT,
    BOB,
    BOBS,
    BOBS_OTHER,
    CAROL,
    offered,
    some_call,
    some_device,
)
from wephone.protocol.messages import Media
from wephone.protocol.reasons import EndReason


async def test_a_call_is_offered_answered_and_ended(store: DatabaseStore) -> None:
    row = offered(decision="D-1")
    await store.offer(row)
    assert await store.answer(row.call, BOBS, AT + 5, 1)
    await store.end(row.call, EndReason.HANGUP, AT + 9, missed=False)
    [record] = await store.history(ALICE, AT + 100, 10)
    assert (record.call, record.caller, record.callee, record.media) == (row.call, ALICE, BOB, (Media.AUDIO,))
    assert (record.offered_at, record.answered_at, record.ended_at) == (AT, AT + 5, AT + 9)
    assert (record.reason, record.missed, record.seen, record.decision) == (
        EndReason.HANGUP,
        False,
        False,
        "D-1",
    )
    assert [record] == await store.history(BOB, AT + 100, 10)


async def test_how_a_call_ended_is_told_to_its_two_users_alone(store: DatabaseStore) -> None:
    row = offered()
    await store.offer(row)
    assert await store.how_it_ended(row.call, ALICE) is None
    await store.end(row.call, EndReason.NO_ANSWER, AT + 9, missed=True)
    assert await store.how_it_ended(row.call, ALICE) is EndReason.NO_ANSWER
    assert await store.how_it_ended(row.call, BOB) is EndReason.NO_ANSWER
    assert await store.how_it_ended(row.call, CAROL) is None


async def test_a_callee_does_not_learn_of_a_call_that_was_never_offered(store: DatabaseStore) -> None:
    row = offered()
    await store.refused(row, EndReason.UNREACHABLE, BOB)
    assert await store.how_it_ended(row.call, ALICE) is EndReason.UNREACHABLE
    assert await store.how_it_ended(row.call, BOB) is None


async def test_a_call_id_is_used_once(store: DatabaseStore) -> None:
    row = offered()
    await store.offer(row)
    with pytest.raises(IdTakenError, match=row.call):
        await store.offer(row)
    with pytest.raises(IdTakenError):
        await store.offer(offered(row.call, Party(CAROL, some_device())))
    with pytest.raises(IdTakenError):
        await store.refused(row, EndReason.REFUSED, "+4930••••12")


async def test_of_two_devices_that_answer_at_once_one_wins(store: DatabaseStore) -> None:
    for _ in range(20):
        row = offered()
        await store.offer(row)
        parties = [Party(BOB, some_device()) for _ in range(4)]
        won = await asyncio.gather(*(store.answer(row.call, party, AT + 1, 1) for party in parties))
        assert won.count(True) == 1
        [live] = [call for call in await store.live_calls() if call.call == row.call]
        winner = parties[won.index(True)]
        assert live == LiveCall(row.call, ALICES, winner, (Media.AUDIO,), AT + 1, row.decision)


async def test_the_winner_may_ask_again_and_gets_the_same_answer(store: DatabaseStore) -> None:
    row = offered()
    await store.offer(row)
    assert await store.answer(row.call, BOBS, AT + 1, 1)
    assert await store.answer(row.call, BOBS, AT + 2, 1)
    assert not await store.answer(row.call, BOBS_OTHER, AT + 2, 1)
    [live] = await store.live_calls()
    assert live.answered_at == AT + 1


async def test_what_a_call_carries_and_when_it_has_to_end_outlive_the_server(store: DatabaseStore) -> None:
    row = offered()
    await store.offer(row)
    await store.answer(row.call, BOBS, AT + 1, 1)
    await store.course(row.call, (Media.AUDIO, Media.VIDEO), AT + 60)
    [live] = await store.live_calls()
    assert (live.media, live.ends_by) == ((Media.AUDIO, Media.VIDEO), AT + 60)
    await store.course(row.call, (Media.AUDIO,), None)
    [live] = await store.live_calls()
    assert (live.media, live.ends_by) == ((Media.AUDIO,), None)


async def test_another_owner_epoch_or_an_ended_call_cannot_be_answered(store: DatabaseStore) -> None:
    row = offered()
    await store.offer(row)
    assert not await store.answer(row.call, BOBS, AT, 2)
    await store.end(row.call, EndReason.CANCELLED, AT + 1, missed=True)
    assert not await store.answer(row.call, BOBS, AT + 2, 1)
    assert not await store.answer(some_call(), BOBS, AT + 2, 1)


async def test_a_call_ends_once(store: DatabaseStore) -> None:
    row = offered()
    await store.offer(row)
    await store.end(row.call, EndReason.DECLINED, AT + 1, missed=False)
    await store.end(row.call, EndReason.HANGUP, AT + 2, missed=True)
    [record] = await store.history(BOB, AT + 100, 10)
    assert (record.reason, record.ended_at, record.missed) == (EndReason.DECLINED, AT + 1, False)


async def test_a_refused_call_is_its_callers_history_and_nobody_elses(store: DatabaseStore) -> None:
    row = offered(decision="D-2")
    await store.refused(row, EndReason.REFUSED, "bob")
    [record] = await store.history(ALICE, AT + 100, 10)
    assert (record.callee, record.reason, record.ended_at) == ("bob", EndReason.REFUSED, AT)
    assert await store.history(BOB, AT + 100, 10) == []
    assert not await store.answer(row.call, BOBS, AT, 1)


async def test_history_is_read_in_pages_newest_first(store: DatabaseStore) -> None:
    for n in range(7):
        await store.offer(offered(at=AT + n) if n % 2 else offered(caller=BOBS, callee=ALICE, at=AT + n))
    first = await store.history(ALICE, AT + 100, 4)
    rest = await store.history(ALICE, first[-1].offered_at, 4)
    assert [record.offered_at - AT for record in [*first, *rest]] == [6, 5, 4, 3, 2, 1, 0]
    assert await store.history(CAROL, AT + 100, 4) == []


async def test_missed_calls_are_kept_until_they_are_seen(store: DatabaseStore) -> None:
    calls = [offered(at=AT + n) for n in range(3)]
    for row in calls:
        await store.offer(row)
        await store.end(row.call, EndReason.NO_ANSWER, row.at + 60, missed=True)
    assert [record.call for record in await store.missed_calls(BOB)] == [row.call for row in calls]
    await store.missed_seen(ALICE, [calls[0].call])  # not hers to see
    await store.missed_seen(BOB, [calls[0].call, calls[2].call, some_call()])
    assert [record.call for record in await store.missed_calls(BOB)] == [calls[1].call]
    assert await store.missed_calls(ALICE) == []


async def test_a_restart_ends_what_rang_and_keeps_what_talked(url: str) -> None:
    before = await open_store(url)
    ringing, talking, elsewhere = offered(), offered(), offered(owner="other-node")
    for row in (ringing, talking, elsewhere):
        await before.offer(row)
    await before.answer(talking.call, BOBS, AT + 1, 1)
    await before.close()
    after = await open_store(url)
    assert await after.abandon_ringing(AT - 5) == 1  # the clock was set back meanwhile
    assert [call.call for call in await after.live_calls()] == [talking.call]
    [missed] = await after.missed_calls(BOB)
    assert (missed.call, missed.reason, missed.ended_at) == (ringing.call, EndReason.SERVER_RESTARTED, AT)
    assert await after.abandon_ringing(AT + 9) == 0
    await after.close()


async def test_everybodys_calls_are_read_once_though_they_began_together(store: DatabaseStore) -> None:
    rows = [offered(at=AT + n // 3) for n in range(7)]
    for row in rows:
        await store.offer(row)
    found: list[CallRecord] = []
    before, after = AT + 100, ""
    while page := await store.records(before, after, 2):
        found += page
        before, after = page[-1].offered_at, page[-1].call
    assert [row.call for row in found] == [
        row.call for row in sorted(rows, key=lambda row: (-row.at, row.call))
    ]


async def test_the_end_of_a_call_is_an_entry_of_the_chain(store: DatabaseStore) -> None:
    talked, rang = offered(decision="D-1"), offered(decision="D-2")
    for row in (talked, rang):
        await store.offer(row)
    await store.answer(talked.call, BOBS, AT + 5, 1)
    await store.end(talked.call, EndReason.HANGUP, AT + 9, missed=False)
    await store.end(talked.call, EndReason.HANGUP, AT + 10, missed=False)  # told twice, ended once
    await store.abandon_ringing(AT + 20)
    entries = await store.journal.entries(0, 9)
    assert [(entry.kind, entry.subject) for entry in entries] == [
        ("call_end", talked.call),
        ("call_end", rang.call),
    ]
    lost = offered(decision="D-3")
    await store.offer(lost)
    await store.end(lost.call, EndReason.LICENCE_WITHDRAWN, AT + 30, False, "D-4")
    [entry] = await store.journal.about(lost.call)
    assert json.loads(entry.body)["decision"] == "D-4"
    assert await store.ends_that_differ() == []
    assert json.loads(entries[0].body) == {
        "call": talked.call,
        "decision": talked.decision,
        "offered_at": talked.at,
        "answered_at": AT + 5,
        "ended_at": AT + 9,
        "reason": "hangup",
    }
