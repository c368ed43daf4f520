"""How long calls were talked, asked of many at once, on both databases."""

from signaling.ports.calls import Talk
from signaling.store.calls import TALKED_AT_ONCE
from signaling.store.rows import DatabaseStore
from tests.signaling.store.people import ALICE, AT, BOB, BOBS, offered, some_call
from wephone.protocol.reasons import EndReason


async def test_seconds_are_whole_ones_from_the_answer_to_the_end(store: DatabaseStore) -> None:
    talked, refused, running = offered(), offered(), offered()
    for row in (talked, running):
        await store.offer(row)
        assert await store.answer(row.call, BOBS, AT + 5, 1)
    await store.end(talked.call, EndReason.HANGUP, AT + 61_999_999, missed=False)
    await store.refused(refused, EndReason.UNREACHABLE, BOB)
    found = await store.talked([talked.call, refused.call, running.call, some_call()])
    assert set(found) == {
        Talk(talked.call, ALICE, 61),
        Talk(refused.call, ALICE, 0),
        Talk(running.call, ALICE, 0),
    }


async def test_any_number_of_calls_can_be_asked_of(store: DatabaseStore) -> None:
    row = offered()
    await store.offer(row)
    assert await store.talked([]) == []
    asked = [*(some_call() for _ in range(2 * TALKED_AT_ONCE)), row.call]
    assert [talk.call for talk in await store.talked(asked)] == [row.call]
