"""Texts between clients on a real server: accepted once, delivered once, in order."""

import asyncio
from pathlib import Path

import pytest

from signaling.store.backup import backup, restore
from tests.fakes.proxy import Proxy
from wephone import MessageFailed
from wephone.testing.kit import Kit


async def test_a_text_arrives_and_its_writer_learns_that_it_did(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob")
    accepted = await alice.send(bob, "你好, bob")
    text = await bob.next_text()
    assert (text.sender, text.to, text.text, text.seq) == ("alice", "bob", "你好, bob", accepted.seq)
    receipt = await anext(alice.client.receipts())
    assert (receipt.kind, receipt.peer, receipt.seq) == ("delivered", "bob", accepted.seq)
    bob.client.read(text)
    receipt = await anext(alice.client.receipts())
    assert (receipt.kind, receipt.peer, receipt.seq) == ("read", "bob", accepted.seq)


async def test_texts_to_somebody_who_is_away_wait_for_them_in_order(wephone: Kit) -> None:
    (alice,) = await wephone.peers("alice")
    await wephone.server.add_user("bob")
    for number in range(5):
        await alice.send("bob", f"number {number}")
    bob = await wephone.peer("bob")
    assert [(await bob.next_text()).text for _ in range(5)] == [f"number {number}" for number in range(5)]


async def test_the_writers_other_devices_see_what_was_written(wephone: Kit) -> None:
    desk, mobile, _ = await wephone.peers("alice", "alice", "bob")
    await desk.send("bob", "from the desk")
    text = await mobile.next_text()
    assert (text.sender, text.text) == ("alice", "from the desk")


async def test_a_text_written_while_the_link_is_down_is_sent_when_it_is_up(
    wephone: Kit, proxy: Proxy
) -> None:
    (bob,) = await wephone.peers("bob")
    alice = await wephone.peer("alice", url=f"http://127.0.0.1:{proxy.port}")
    proxy.shut()
    writing = asyncio.create_task(alice.send(bob, "are you there?"))
    await asyncio.sleep(0)
    proxy.open()
    accepted = await writing
    assert (await bob.next_text()).message == accepted.message


@pytest.mark.parametrize("who", ["writer", "reader"])
async def test_breaks_of_a_link_neither_lose_nor_repeat_nor_reorder(
    wephone: Kit, proxy: Proxy, who: str
) -> None:
    through = f"http://127.0.0.1:{proxy.port}"
    alice = await wephone.peer("alice", url=through if who == "writer" else None)
    bob = await wephone.peer("bob", url=through if who == "reader" else None)
    for number in range(20):
        writing = asyncio.create_task(alice.send(bob, str(number)))
        if number % 4 == 0:
            await asyncio.sleep(0)
            proxy.cut()
        await writing
    assert [(await bob.next_text()).text for _ in range(20)] == [str(number) for number in range(20)]
    await alice.send(bob, "the last")
    assert (await bob.next_text()).text == "the last"


async def test_a_text_to_nobody_says_so(wephone: Kit) -> None:
    (alice,) = await wephone.peers("alice")
    with pytest.raises(MessageFailed, match="there is no such user"):
        await alice.send("nobody", "hello?")


@pytest.mark.parametrize(
    ("text", "wrong"), [("", "at least 1"), ("x" * 4097, "at most 4096"), ("a\x00b", "control characters")]
)
async def test_a_text_that_no_server_would_take_is_named_at_once(wephone: Kit, text: str, wrong: str) -> None:
    (alice,) = await wephone.peers("alice")
    with pytest.raises(ValueError, match=f"^`text`: .*{wrong}"):
        await alice.send("bob", text)


async def test_texts_reach_clients_that_live_across_the_restore_of_an_older_backup(
    wephone: Kit, tmp_path: Path
) -> None:
    alice, bob = await wephone.peers("alice", "bob")
    database = wephone.server.running.parts.settings.database_url
    await backup(database, tmp_path / "copy")
    for number in range(3):
        await alice.send(bob, f"lost to the server {number}")
        last = await bob.next_text()
    await wephone.server.stop()
    await restore(tmp_path / "copy", database, lower_epoch=True)
    await wephone.server.start()
    accepted = await alice.send(bob, "after it")
    assert accepted.seq > last.seq
    assert (await bob.next_text()).text == "after it"
    receipts = alice.client.receipts()
    while (receipt := await anext(receipts)).seq != accepted.seq:
        assert receipt.seq <= last.seq
    assert receipt.kind == "delivered"
