"""What devices heard is kept beside the call's record if the record bears it out, alike on both databases."""

from dataclasses import replace

from signaling.ports.calls import Hearing, OfferedCall, SoundOfSpan
from signaling.ports.legs import BegunLeg
from signaling.store.rows import DatabaseStore
from tests.signaling.store.database import Direct
from tests.signaling.store.people import ALICE, AT, BOB, BOBS, account, offered, some_call
from wephone.protocol.messages import Role
from wephone.protocol.reasons import EndReason

SECOND = 1_000_000  # µs
LONG = 2**63 - 1
MINE = Hearing(Role.CALLER, 500, 2, 900, 4_000)
THEIRS = Hearing(Role.CALLEE, 400, 10, 1_100)


async def talked(store: DatabaseStore, seconds: int = 10, at: int = AT) -> OfferedCall:
    """A call that was answered at once and lasted so long."""
    row = offered(at=at)
    await store.offer(row)
    await store.answer(row.call, BOBS, at, 1)
    await store.end(row.call, EndReason.HANGUP, at + seconds * SECOND, missed=False)
    return row


async def heard_of(store: DatabaseStore, row: OfferedCall) -> tuple[Hearing, ...]:
    """What operators see of it."""
    [found] = [each for each in await store.records(LONG, "", 100) if each.call == row.call]
    return found.heard


async def test_both_sides_words_stand_with_the_record_and_the_first_counts(store: DatabaseStore) -> None:
    row, other = await talked(store), await talked(store)
    now = AT + 11 * SECOND
    assert await store.heard(row.call, THEIRS, now)
    assert await heard_of(store, row) == (THEIRS,)
    assert await store.heard(row.call, MINE, now)
    for again in (MINE, replace(MINE, packets=1), replace(THEIRS, lost=0)):
        assert not await store.heard(row.call, again, now)
    assert await heard_of(store, row) == (MINE, THEIRS)
    assert await store.heard_of_call(row.call) == [MINE, THEIRS]
    assert await heard_of(store, other) == () and await store.heard_of_call(other.call) == []
    assert (await store.history(ALICE, LONG, 9))[0].heard == ()  # for operators


async def test_what_the_record_does_not_bear_out_is_not_kept(store: DatabaseStore) -> None:
    unanswered = offered()
    await store.offer(unanswered)
    assert not await store.heard(unanswered.call, MINE, AT)
    await store.end(unanswered.call, EndReason.NO_ANSWER, AT + 1, missed=True)
    assert not await store.heard(unanswered.call, MINE, AT + 2)
    assert not await store.heard(some_call(), MINE, AT)
    row = await talked(store)
    ended = AT + 10 * SECOND
    assert not await store.heard(row.call, MINE, ended + 60 * SECOND + 1)
    most = (10 + 30) * 400  # packets of 2.5 ms, and half a minute for clocks that differ
    assert not await store.heard(row.call, replace(MINE, packets=most, lost=1), ended)
    assert await heard_of(store, row) == ()
    assert await store.heard(row.call, replace(MINE, packets=most, lost=0), ended)
    assert await store.heard(row.call, THEIRS, ended + 60 * SECOND)


async def test_of_a_telephone_call_the_bridge_alone_is_believed(store: DatabaseStore) -> None:
    row = await talked(store)
    await store.begin_leg(BegunLeg("leg-1", row.call, "carrier_a", ALICE, True, "D-1", 60, AT))
    assert not await store.heard(row.call, MINE, AT + 10 * SECOND)


async def test_a_call_that_still_runs_can_be_over_for_one_side(store: DatabaseStore) -> None:
    row = offered()
    await store.offer(row)
    await store.answer(row.call, BOBS, AT, 1)
    assert await store.heard(row.call, THEIRS, AT + SECOND)


async def test_it_is_drawn_by_spans(store: DatabaseStore) -> None:
    minute = 60 * SECOND
    first, second, later = await talked(store), await talked(store), await talked(store, at=AT + minute)
    for row, said in ((first, MINE), (first, THEIRS), (second, MINE), (later, THEIRS)):
        assert await store.heard(row.call, said, AT + minute)
    found = await store.charts(AT, AT + 2 * minute, minute)
    assert sorted(found.heard, key=lambda each: each.span) == [
        SoundOfSpan(0, 1_400, 14, 966, 4_000),
        SoundOfSpan(1, 400, 10, 1_100, None),
    ]
    assert found.sound == []


async def test_it_goes_with_its_call_and_not_before(store: DatabaseStore, direct: Direct) -> None:
    gone, stays = await talked(store), offered()
    await store.offer(stays)
    await store.answer(stays.call, BOBS, AT, 1)
    for row in (gone, stays):
        assert await store.heard(row.call, MINE, AT + 10 * SECOND)
    assert await store.purge("calls", AT + 10 * SECOND) == 0  # it ended at that moment, not before
    assert await store.purge("calls", AT + 11 * SECOND) == 2
    assert direct.run("SELECT call_id FROM heard") == [(stays.call,)]


async def test_an_export_has_what_ones_own_device_said(store: DatabaseStore) -> None:
    for user in (ALICE, BOB):
        await store.add_account(account(user))
    row = await talked(store)
    await store.heard(row.call, MINE, AT)
    await store.heard(row.call, THEIRS, AT)
    names = ("packets_heard", "packets_lost", "jitter_us", "rtt_us")
    for user, said in ((ALICE, MINE), (BOB, THEIRS)):
        calls = exported(await store.export_account(user))
        assert [calls[0][name] for name in names] == [said.packets, said.lost, said.jitter, said.round_trip]
        assert len(calls) == 1


def exported(document: dict[str, object]) -> list[dict[str, object]]:
    """The calls of an export."""
    calls = document["calls"]
    assert isinstance(calls, list)
    return calls
