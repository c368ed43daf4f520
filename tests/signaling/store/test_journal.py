"""The journal's chain and the register, on both databases."""

import asyncio

import pytest

from licensing.audit import GENESIS, Broken, ClearValue, Draft, Head, Verified, beginning, seal, verify
from licensing.ports import EpochMovedError, RegisterRow
from signaling.store import open_store
from signaling.store.rows import DatabaseStore
from tests.signaling.store.database import Direct
from tests.signaling.store.people import AT


def draft(subject: str, at: int = AT, *clear: ClearValue) -> Draft:
    return Draft("decision", subject, at, '{"outcome":"deny"}', clear)


async def whole_chain(store: DatabaseStore, node: str = "local") -> Verified | Broken:
    return verify(await store.journal.entries_of(node, 0, 1_000_000), after=beginning(node))


async def test_entries_are_linked_in_the_order_of_the_calls(store: DatabaseStore) -> None:
    assert await store.journal.head() == beginning("local")
    assert await store.journal.append(draft("D-0")) == 1
    numbers = await asyncio.gather(*(store.journal.append(draft(f"D-{n}", AT + n)) for n in range(1, 1500)))
    assert numbers == list(range(2, 1501))
    entries = await store.journal.entries(0, 2000)
    assert [entry.subject for entry in entries] == [f"D-{n}" for n in range(1500)]
    assert entries[0].prev == GENESIS
    head = await store.journal.head()
    assert head == entries[-1].head == Head("local", 1500, AT + 1499, entries[-1].hash)
    assert verify(entries, after=beginning("local")) == Verified(head)
    assert [entry.seq for entry in await store.journal.entries(1495, 3)] == [1496, 1497, 1498]


async def test_what_was_refused_is_found_among_the_rest(store: DatabaseStore) -> None:
    said = ('{"outcome":"deny"}', '{"outcome":"allow"}', '{"call":"c","outcome":"deny","reason":"x"}')
    for number in range(9):
        kind = "decision" if number < 6 else "call_cut"
        await store.journal.append(Draft(kind, f"D-{number}", AT, said[number % 3]))
    refusals = store.journal.refusals_of
    assert [entry.seq for entry in await refusals("local", 0, 10, 9)] == [6, 4, 3, 1]
    assert [entry.seq for entry in await refusals("local", 1, 6, 9)] == [4, 3]
    assert [entry.seq for entry in await refusals("local", 0, 10, 1)] == [6]
    assert await refusals("two", 0, 10, 9) == []


async def test_a_late_draft_keeps_its_own_time_and_the_chain_its_order(store: DatabaseStore) -> None:
    await store.journal.append(draft("now"))
    await store.journal.append(draft("spooled", AT - 1000))
    [_, late] = await store.journal.entries(0, 9)
    assert (late.at, late.said_at) == (AT, AT - 1000)


async def test_a_chain_goes_on_after_a_restart_and_each_node_has_its_own(url: str) -> None:
    for round_ in range(2):
        for node in ("one", "two"):
            store = await open_store(url, node=node)
            await store.journal.append(draft(f"D-{round_}"))
            heads = await store.journal.heads()
            await store.close()
    assert [(head.node, head.seq) for head in heads] == [("one", 2), ("two", 2)]
    store = await open_store(url)
    for head in heads:
        assert await whole_chain(store, head.node) == Verified(head)
    assert [entry.node for entry in await store.journal.about("D-1")] == ["one", "two"]
    await store.close()


async def test_clear_values_lie_beside_the_chain_until_their_date(store: DatabaseStore) -> None:
    number, name = seal("+8613912345678", b"s" * 16, AT + 10), seal("alice", b"t" * 16, AT + 30)
    await store.journal.append(draft("D-1", AT, number, name))
    await store.journal.append(draft("D-2", AT, seal("+8613912345678", b"s" * 16, AT + 20)))
    both = [number.hash, name.hash]
    kept = await store.journal.clear_values([*both, "0" * 64])
    assert {row.value: row.delete_after for row in kept} == {"+8613912345678": AT + 20, "alice": AT + 30}
    assert await store.journal.forget(AT + 21) == 1
    assert [row.value for row in await store.journal.clear_values(both)] == ["alice"]
    assert await store.purge("clear_values", AT + 31) == 1
    assert await store.journal.clear_values(both) == []
    assert isinstance(await whole_chain(store), Verified)


def version(
    key: str, number: int, epoch: int, document: str = '{"id":"P-1"}', kind: str = "permit"
) -> RegisterRow:
    return RegisterRow(kind, key, number, document, "root", AT, epoch)


async def test_the_register_changes_by_versions_and_each_change_is_an_entry(store: DatabaseStore) -> None:
    assert await store.permits.epoch() == 0
    assert await store.permits.change(0, [version("P-1", 1, 1), version("P-2", 1, 1)], draft("P-1")) == 1
    assert await store.permits.change(1, [version("P-1", 2, 2, "null")], draft("P-1")) == 2
    loaded = await store.permits.load()
    assert (loaded.epoch, loaded.rows) == (2, (version("P-1", 2, 2, "null"), version("P-2", 1, 1)))
    assert [row.version for row in await store.permits.versions("permit", "P-1")] == [1, 2]
    assert [entry.seq for entry in await store.journal.about("P-1")] == [1, 2]
    assert await store.permits.epoch() == 2


async def test_a_change_on_an_old_epoch_leaves_no_trace(store: DatabaseStore) -> None:
    await store.permits.change(0, [version("P-1", 1, 1)], draft("P-1"))
    with pytest.raises(EpochMovedError):
        await store.permits.change(0, [version("P-2", 1, 1)], draft("P-2"))
    assert (await store.permits.load()).rows == (version("P-1", 1, 1),)
    assert (await store.journal.head()).seq == 1


async def test_of_changes_made_at_once_one_wins(store: DatabaseStore) -> None:
    async def change(n: int) -> bool:
        try:
            await store.permits.change(0, [version(f"P-{n}", 1, 1)], draft(f"P-{n}"))
        except EpochMovedError:
            return False
        return True

    won = await asyncio.gather(*(change(n) for n in range(8)))
    assert won.count(True) == 1
    assert len((await store.permits.load()).rows) == 1
    assert (await store.journal.head()).seq == 1


async def test_a_change_stands_after_the_entries_that_came_before_it(store: DatabaseStore) -> None:
    entry = asyncio.create_task(store.journal.append(draft("D-1")))
    await asyncio.sleep(0)
    await store.permits.change(0, [version("P-1", 1, 1)], draft("P-1"))
    assert await entry == 1
    assert isinstance(await whole_chain(store), Verified)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal_entry SET body = '{}'",
        "DELETE FROM journal_entry WHERE seq = 2",
        "UPDATE register_version SET document = 'null'",
        "DELETE FROM register_version",
        "INSERT OR REPLACE INTO journal_entry SELECT node, seq, at, said_at, kind, subject, '{}', prev, hash "
        "FROM journal_entry",
        "TRUNCATE journal_entry",
        "TRUNCATE register_version",
    ],
)
async def test_evidence_is_only_added_to(store: DatabaseStore, direct: Direct, statement: str) -> None:
    if not direct.speaks(statement):
        return
    for n in range(3):
        await store.permits.change(n, [version("P-1", n + 1, n + 1)], draft("P-1"))
    with pytest.raises(direct.error, match=r"permission denied: rows of \w+ are only ever added"):
        direct.run(statement)
    assert isinstance(await whole_chain(store), Verified)
    assert len(await store.permits.versions("permit", "P-1")) == 3


@pytest.mark.parametrize(
    ("harm", "first_bad", "fault"),
    [
        ('UPDATE journal_entry SET body = \'{"outcome":"allow"}\' WHERE seq = 3', 3, "altered"),
        ("DELETE FROM journal_entry WHERE seq = 4", 4, "missing"),
        ("UPDATE journal_entry SET seq = seq + 100 WHERE seq = 2", 2, "missing"),
        ("DELETE FROM journal_entry WHERE seq > 5", 6, "ends before"),
    ],
)
async def test_a_superuser_who_alters_the_chain_is_found_out(
    store: DatabaseStore, direct: Direct, harm: str, first_bad: int, fault: str
) -> None:
    for n in range(8):
        await store.journal.append(draft(f"D-{n}"))
    kept = await store.journal.head()
    direct.disarm("journal_entry")
    direct.run(harm)
    entries = await store.journal.entries(0, 100)
    found = verify(entries, after=beginning("local"), kept=[kept])
    assert isinstance(found, Broken)
    assert found.seq == first_bad
    assert fault in found.fault


async def test_a_chain_whose_head_was_set_back_accepts_nothing(store: DatabaseStore, direct: Direct) -> None:
    from licensing.ports import JournalError

    for n in range(3):
        await store.journal.append(draft(f"D-{n}"))
    direct.run(f"UPDATE journal_head SET seq = 1, hash = '{'1' * 64}'")
    with pytest.raises(JournalError):
        await store.journal.append(draft("D-4"))
