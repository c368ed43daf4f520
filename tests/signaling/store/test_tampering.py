"""Whatever is done to a chain behind the store's back, on both databases, the first bad entry is named."""

import asyncio

import pytest

from licensing.audit import Draft, Head, beginning, canonical, seal
from signaling.store import open_store, pieces
from signaling.store.rows import DatabaseStore
from tests.signaling.store.database import Direct
from tests.signaling.store.people import AT

ENTRIES = 9
COLUMNS = ("node", "seq", "at", "said_at", "kind", "subject", "body", "prev", "hash")


async def written(store: DatabaseStore) -> Head:
    """A chain with somebody in each entry, and one of another node."""
    for number in range(1, ENTRIES + 1):
        name = seal(f"user-{number}", number.to_bytes(16), 2**62)
        body = canonical({"people": {"caller": name.hash}, "number": number})
        await store.journal.append(Draft("decision", f"D-{number}", AT + number, body, (name,)))
    return await store.journal.head()


def edits() -> dict[str, tuple[str, int]]:
    """Every kind of edit at every place: SQL, and the entry that is then the first bad one."""
    found: dict[str, tuple[str, int]] = {}
    for seq in range(1, ENTRIES + 1):
        where = f"WHERE seq = {seq}"
        for column, value in {
            "at": "at - 1000000",
            "said_at": "said_at + 1",
            "kind": "'toggle'",
            "subject": "'D-0'",
            "body": "replace(body, 'number', 'numbers')",
            "prev": f"'{'0' * 63}1'",
            "hash": f"'{'f' * 64}'",
            "node": "'nobody'",
        }.items():
            found[f"{column} {seq}"] = (f"UPDATE journal_entry SET {column} = {value} {where}", seq)
        found[f"deleted {seq}"] = (f"DELETE FROM journal_entry {where}", seq)
        found[f"cut at {seq}"] = (f"DELETE FROM journal_entry WHERE seq >= {seq}", seq)
        found[f"moved {seq}"] = (f"UPDATE journal_entry SET seq = seq + 100 {where}", seq)
        if seq > 1:
            swapped = f"CASE seq WHEN {seq} THEN {-seq + 1} ELSE {-seq} END"
            found[f"swapped {seq}"] = (
                f"UPDATE journal_entry SET seq = {swapped} WHERE seq IN ({seq - 1}, {seq})",
                seq - 1,
            )
    return found


# As it was written; a swap passes by negative numbers, so that no two entries ever have the same.
KEEP = "CREATE TABLE spare AS SELECT * FROM journal_entry"
RESTORE = ("DELETE FROM journal_entry", f"INSERT INTO journal_entry SELECT {', '.join(COLUMNS)} FROM spare")
SWAPPED = "UPDATE journal_entry SET seq = -seq WHERE seq < 0"


@pytest.mark.parametrize("cores", [1, 2])
async def test_every_edit_at_every_place_is_found(
    url: str, direct: Direct, cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store(url)
    head = await written(store)
    await asyncio.to_thread(direct.disarm, "journal_entry")
    await asyncio.to_thread(direct.run, KEEP)
    if cores == 2:  # cut in two, as a long chain is; the pieces run here
        monkeypatch.setattr(pieces, "_aside", pieces.beside)
        monkeypatch.setattr("signaling.store.evidence.SMALL", 0)
        monkeypatch.setattr("signaling.store.evidence.cores", lambda: cores)

    async def broken_at() -> int | None:
        found = await store.journal.checked(beginning("local"), [head], names=True, tell=lambda done: None)
        assert found.broken is not None or found.head == head
        return None if found.broken is None else found.broken.seq

    assert await broken_at() is None
    wrong = {}
    for name, (statement, seq) in edits().items():
        await asyncio.to_thread(direct.run_all, *RESTORE, statement, SWAPPED)
        if (found := await broken_at()) != seq:
            wrong[name] = (found, seq)
    await asyncio.to_thread(direct.run_all, *RESTORE)
    assert wrong == {}
    assert await broken_at() is None
    await store.close()


async def test_an_entry_of_a_node_without_a_head_is_a_stray(url: str, direct: Direct) -> None:
    store = await open_store(url)
    await written(store)
    assert await store.journal.strays() == []
    moved = ", ".join("'another'" if name == "node" else name for name in COLUMNS)
    await asyncio.to_thread(
        direct.run,
        f"INSERT INTO journal_entry ({', '.join(COLUMNS)}) SELECT {moved} FROM journal_entry WHERE seq > 2",
    )
    assert [(each.node, each.seq) for each in await store.journal.strays()] == [("another", 3)]
    await store.close()


async def test_names_are_present_erased_or_altered(url: str, direct: Direct) -> None:
    store = await open_store(url)
    await written(store)
    await asyncio.to_thread(direct.run, "DELETE FROM clear_value WHERE value = 'user-2'")
    await asyncio.to_thread(direct.run, "UPDATE clear_value SET value = 'mallory' WHERE value = 'user-4'")
    found = await store.journal.checked(beginning("local"), [], names=True, tell=lambda done: None)
    assert found.broken is None and not found.sound
    assert (dict(found.clear), found.altered) == ({"present": 7, "erased": 1, "altered": 1}, [4])
    await store.close()


async def test_a_long_chain_is_verified_in_processes_that_say_how_far_they_are(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store(url)
    head = await written(store)
    monkeypatch.setattr("signaling.store.evidence.SMALL", 0)
    monkeypatch.setattr("signaling.store.evidence.cores", lambda: 2)
    done: list[int] = []
    found = await store.journal.checked(beginning("local"), [head], names=True, tell=done.append)
    assert (found.head, found.broken, sum(done)) == (head, None, ENTRIES)
    assert found.clear == {"present": ENTRIES}
    await store.close()


@pytest.mark.parametrize("statement", ["UPDATE checkpoint SET signature = 'A'", "DELETE FROM checkpoint"])
async def test_checkpoints_are_only_added_to(store: DatabaseStore, direct: Direct, statement: str) -> None:
    await store.database.write("add_checkpoint", 1, "{}", "A")
    assert await store.database.write("add_checkpoint", 1, "{}", "B") is False
    with pytest.raises(direct.error, match="only ever added"):
        await asyncio.to_thread(direct.run, statement)
