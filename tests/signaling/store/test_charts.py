"""What is drawn of calls is counted by the database, alike on both."""

from licensing.audit import Draft, canonical
from signaling.ports.calls import CallsOfSpan, RefusalsOfSpan, SoundOfSpan
from signaling.ports.legs import BegunLeg, LegEnd, LegSound
from signaling.store.rows import DatabaseStore
from tests.signaling.store.people import ALICE, AT, BOBS, offered, some_call
from wephone.protocol.reasons import EndReason

MINUTE = 60 * 1_000_000


async def test_the_sound_of_telephone_legs_is_counted_by_spans(store: DatabaseStore) -> None:
    for name, at, sound in (
        ("one", AT, LegSound(100, 3, 4_000)),
        ("two", AT + 1, LegSound(200, 0, 6_000)),
        ("deaf", AT + 2, None),
        ("later", AT + MINUTE, LegSound(10, 0, 1_000)),
    ):
        await store.begin_leg(BegunLeg(name, some_call(), "carrier_a", ALICE, True, "D-1", 60, at))
        await store.end_leg(name, LegEnd(at + 1, "hung up", 16, None, "no answer", sound))
        await store.end_leg(name, LegEnd(at + 2, "hung up", 16, None))  # the carrier's late word
    found = await store.charts(AT, AT + 2 * MINUTE, MINUTE)
    assert sorted(found.sound, key=lambda each: each.span) == [
        SoundOfSpan(0, 300, 3, 5_000),
        SoundOfSpan(1, 10, 0, 1_000),
    ]


async def test_calls_are_counted_by_spans_and_refusals_by_reason(store: DatabaseStore) -> None:
    body = canonical({"call": "c", "outcome": "deny", "reason": "DENY_NO_PERMIT"})
    await store.journal.append(Draft("decision", "D-1", AT, body))
    for at, waited in ((AT, 2), (AT + 1, 6), (AT + MINUTE, None), (AT - 1, 9), (AT + 2 * MINUTE, 9)):
        row = offered(at=at)
        await store.offer(row)
        if waited is not None:
            await store.answer(row.call, BOBS, at + waited * 1_000_000, 1)
    for reason, decision in (
        (EndReason.REFUSED, "D-1"),
        (EndReason.REFUSED, None),
        (EndReason.LINES_BUSY, None),
    ):
        await store.refused(offered(at=AT + MINUTE, decision=decision), reason, "+44…60")
    found = await store.charts(AT, AT + 2 * MINUTE, MINUTE)
    assert sorted(found.calls, key=lambda each: each.span) == [
        CallsOfSpan(0, 2, 2, 0, 8_000_000, 6_000_000),
        CallsOfSpan(1, 4, 0, 2, 0, 0),
    ]
    assert sorted(found.refusals, key=lambda each: each.why) == [
        RefusalsOfSpan(1, "DENY_NO_PERMIT", 1),
        RefusalsOfSpan(1, "refused", 1),
    ]
    later = await store.charts(AT + 9 * MINUTE, AT + 10 * MINUTE, MINUTE)
    assert (later.calls, later.refusals) == ([], [])
