"""Texts on both databases."""

import asyncio
from dataclasses import replace

import pytest

from signaling.ports.store import IdTakenError
from signaling.ports.texts import ReceiptRow, StoredText
from signaling.store.rows import DatabaseStore
from tests.signaling.store.database import Direct
from tests.signaling.store.people import ALICE, AT, BOB, CAROL, some_device, some_message
from wephone.protocol.ids import UserId


async def write(store: DatabaseStore, text: str, sender: UserId = ALICE, to: UserId = BOB) -> StoredText:
    stored, new = await store.accept_text(some_message(), sender, to, text, AT)
    assert new
    return stored


async def test_a_text_is_accepted_once(store: DatabaseStore) -> None:
    message = some_message()
    first = await store.accept_text(message, ALICE, BOB, "早上好 ☎", AT)
    again = await store.accept_text(message, ALICE, BOB, "早上好 ☎", AT + 7)
    assert first == (StoredText(message, 1, ALICE, BOB, "早上好 ☎", AT), True)
    assert again == (first[0], False)
    assert (await write(store, "next")).seq == 2  # no number was lost on the repetition


async def test_a_message_id_belongs_to_its_author_and_its_words(store: DatabaseStore) -> None:
    message = some_message()
    await store.accept_text(message, ALICE, BOB, "hello", AT)
    for sender, to, text in ((CAROL, BOB, "hello"), (ALICE, CAROL, "hello"), (ALICE, BOB, "hullo")):
        with pytest.raises(IdTakenError, match=message):
            await store.accept_text(message, sender, to, text, AT)
    assert [text.text for text in await store.texts_after(BOB, 0, 10)] == ["hello"]


async def test_texts_written_at_once_stand_in_one_order(store: DatabaseStore) -> None:
    texts = await asyncio.gather(*(write(store, str(n)) for n in range(40)))
    assert sorted(text.seq for text in texts) == list(range(1, 41))
    assert await store.texts_after(BOB, 0, 100) == sorted(texts, key=lambda text: text.seq)


async def test_a_user_reads_what_it_wrote_and_what_it_got(store: DatabaseStore) -> None:
    there = await write(store, "there")
    back = await write(store, "back", BOB, ALICE)
    await write(store, "to somebody else", BOB, CAROL)
    assert await store.texts_after(ALICE, 0, 10) == [there, back]
    assert await store.texts_after(ALICE, there.seq, 10) == [back]
    assert await store.texts_after(BOB, 0, 2) == [there, back]
    assert await store.conversation(BOB, ALICE, 100, 10) == [back, there]
    assert await store.conversation(BOB, ALICE, back.seq, 10) == [there]


async def test_a_new_device_starts_at_the_oldest_undelivered_text(store: DatabaseStore) -> None:
    old, new = some_device(), some_device()
    assert await store.sign_in_device(BOB, old, "phone", AT) == 0
    first, second, third = [await write(store, str(n)) for n in range(3)]
    await store.received(BOB, old, first.seq, AT + 1)
    assert await store.sign_in_device(BOB, new, "laptop", AT + 2) == second.seq - 1
    assert await store.sign_in_device(BOB, old, "phone", AT + 2) == first.seq
    await store.received(BOB, new, third.seq, AT + 3)
    assert await store.sign_in_device(BOB, some_device(), "tablet", AT + 4) == third.seq


async def test_of_too_many_devices_those_are_forgotten_that_are_away_for_longest(
    store: DatabaseStore, direct: Direct
) -> None:
    phone, laptop, tablet, fridge, others = [some_device() for _ in range(5)]
    for number, device in enumerate((laptop, phone, tablet, fridge)):
        await store.sign_in_device(BOB, device, "", AT + number)
    await store.sign_in_device(ALICE, others, "", AT)
    await store.spare_devices(BOB, [laptop], 4)
    assert len(direct.run("SELECT device_id FROM device")) == 5
    await store.spare_devices(BOB, [laptop], 2)
    left = {device for (device,) in direct.run("SELECT device_id FROM device")}
    assert left == {laptop, fridge, others}


async def test_a_receipt_is_news_once(store: DatabaseStore) -> None:
    phone, laptop = some_device(), some_device()
    for device in (phone, laptop):
        await store.sign_in_device(BOB, device, "", AT)
    await write(store, "1")
    from_carol = await write(store, "2", CAROL)
    last = await write(store, "3")
    assert await store.received(BOB, phone, last.seq, AT + 1) == [
        ReceiptRow(ALICE, BOB, last.seq, 0, AT + 1),
        ReceiptRow(CAROL, BOB, from_carol.seq, 0, AT + 1),
    ]
    assert await store.received(BOB, laptop, last.seq, AT + 2) == []
    assert await store.received(BOB, phone, last.seq - 1, AT + 3) == []
    assert await store.received(BOB, phone, last.seq + 1, AT + 3) == []  # nobody can have what is not written
    assert await store.read(BOB, ALICE, last.seq, AT + 4) == ReceiptRow(
        ALICE, BOB, last.seq, last.seq, AT + 4
    )
    assert await store.read(BOB, ALICE, last.seq, AT + 5) is None
    assert await store.receipts(ALICE) == [ReceiptRow(ALICE, BOB, last.seq, last.seq, AT + 4)]
    [text] = [text for text in await store.texts_after(BOB, 0, 9) if text.seq == last.seq]
    assert text == replace(last, delivered_at=AT + 1, read_at=AT + 4)


async def test_what_is_read_has_been_delivered(store: DatabaseStore) -> None:
    await store.sign_in_device(BOB, phone := some_device(), "", AT)
    text = await write(store, "1")
    assert await store.read(BOB, ALICE, text.seq, AT + 1) == ReceiptRow(ALICE, BOB, 1, 1, AT + 1)
    assert await store.received(BOB, phone, text.seq, AT + 2) == []
    assert await store.read(ALICE, BOB, text.seq, AT + 2) is None  # her own text


async def test_devices_that_receive_and_read_at_once_do_not_stop_each_other(store: DatabaseStore) -> None:
    devices = [some_device() for _ in range(4)]
    for device in devices:
        await store.sign_in_device(BOB, device, "", AT)
    for _ in range(10):
        texts = [await write(store, "hi", sender) for sender in (ALICE, CAROL, ALICE, CAROL)]
        top = texts[-1].seq
        news = await asyncio.gather(
            *(store.received(BOB, device, top, AT) for device in devices),
            *(store.read(BOB, peer, top, AT) for peer in (ALICE, CAROL)),
        )
        read = [row for row in news[-2:] if isinstance(row, ReceiptRow)]
        assert [row.read_seq for row in read] == [texts[2].seq, texts[3].seq]
