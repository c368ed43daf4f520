"""The chains in the server's database walked from outside, whole and after somebody has edited them."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from licensing.audit import Draft, Head, canonical, link, seal
from signaling.evidence import IN_NO_CHAIN, nodes, unlinked, walk
from signaling.store import open_store
from signaling.store.rows import DatabaseStore

ENTRIES = 5
FAR = 2**62


def draft(number: int) -> Draft:
    """An entry about somebody."""
    name = seal(f"user-{number}", number.to_bytes(16), FAR)
    return Draft("decision", f"D-{number}", number, canonical({"people": {"caller": name.hash}}), (name,))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DatabaseStore]:
    """A database with a few entries."""
    opened = await open_store(f"sqlite:///{tmp_path / 'wephone.db'}")
    for number in range(1, ENTRIES + 1):
        await opened.journal.append(draft(number))
    yield opened
    await opened.close()


def edit(path: Path, *statements: str) -> None:
    """Behind everybody's back, triggers and all."""
    connection = sqlite3.connect(path)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        assert connection.execute(statement).rowcount > 0, statement
    connection.commit()
    connection.close()


async def test_a_whole_chain_is_whole_up_to_its_head(store: DatabaseStore) -> None:
    walked = await walk(store.journal, "local", [await store.journal.head()])
    assert walked.sound
    assert walked.head == await store.journal.head()
    assert walked.clear == {"present": ENTRIES}


async def test_a_chain_of_nothing_is_whole(tmp_path: Path) -> None:
    empty = await open_store(f"sqlite:///{tmp_path / 'empty.db'}")
    walked = await walk(empty.journal, "local")
    assert (walked.sound, walked.head.seq) == (True, 0)
    await empty.close()


@pytest.mark.parametrize(
    ("statement", "seq", "fault"),
    [
        ("UPDATE journal_entry SET body = replace(body, 'caller', 'callee') WHERE seq = 2", 2, "was altered"),
        ("UPDATE journal_entry SET kind = 'toggle_event' WHERE seq = 5", 5, "was altered"),
        ("DELETE FROM journal_entry WHERE seq = 1", 1, "missing: the next entry is 2"),
        ("DELETE FROM journal_entry WHERE seq IN (2, 3)", 2, "missing: the next entry is 4"),
        ("DELETE FROM journal_entry WHERE seq = 5", 5, "the chain ends before checkpoint 5"),
        (
            "UPDATE journal_entry SET seq = CASE seq WHEN 4 THEN 6 ELSE seq - 1 END WHERE seq >= 4",
            4,
            "does not follow from the entry before it",
        ),
        (
            "UPDATE journal_head SET hash = prev FROM journal_entry AS e WHERE e.seq = 3",
            5,
            "differs from the",
        ),
    ],
)
async def test_the_first_bad_entry_is_named(
    store: DatabaseStore, tmp_path: Path, statement: str, seq: int, fault: str
) -> None:
    edit(tmp_path / "wephone.db", statement)
    broken = (await walk(store.journal, "local")).broken
    assert broken is not None
    assert broken.seq == seq
    assert broken.fault.startswith(fault)


async def test_a_chain_cut_short_with_its_head_ends_before_a_head_kept_elsewhere(
    store: DatabaseStore, tmp_path: Path
) -> None:
    kept = await store.journal.head()
    edit(
        tmp_path / "wephone.db",
        "DELETE FROM journal_entry WHERE seq = 5",
        "UPDATE journal_head SET (seq, at, hash) = (SELECT seq, at, hash FROM journal_entry WHERE seq = 4)",
    )
    assert (await walk(store.journal, "local")).sound
    broken = (await walk(store.journal, "local", [kept])).broken
    assert broken is not None and broken.fault == "the chain ends before checkpoint 5"


async def test_a_node_that_is_gone_with_all_its_entries_is_missed(store: DatabaseStore) -> None:
    kept = Head("elsewhere", 7, 7, "a" * 64)
    assert await nodes(store.journal, "local", [kept]) == ["elsewhere", "local"]
    broken = (await walk(store.journal, "elsewhere", [kept])).broken
    assert broken is not None and (broken.seq, broken.fault) == (1, "the chain ends before checkpoint 7")


SPLICED = "node, seq, at, said_at, kind, subject, body, prev, hash"


@pytest.mark.parametrize(
    ("statement", "node", "seq"),
    [
        ("SELECT 'other', 1, at, said_at, kind, 'D-9', body, prev, hash", "other", 1),
        ("SELECT '', 7, at, said_at, kind, 'D-9', body, prev, hash", "", 7),
        ("SELECT node, 0, at, said_at, kind, 'D-9', body, prev, hash", "local", 0),
    ],
)
async def test_an_entry_beside_every_chain_is_a_fault(
    store: DatabaseStore, tmp_path: Path, statement: str, node: str, seq: int
) -> None:
    assert await store.journal.strays() == []
    edit(
        tmp_path / "wephone.db",
        f"INSERT INTO journal_entry ({SPLICED}) {statement} FROM journal_entry WHERE seq = 1",
    )
    assert node in await nodes(store.journal, "local")
    broken = (await walk(store.journal, node)).broken
    assert broken is not None and (broken.seq, broken.fault) == (seq, IN_NO_CHAIN)
    [fault] = await unlinked(store.journal, await store.journal.about("D-9"))
    assert fault == f"entry {seq} of {node} is in no chain that this database has noted"


async def test_an_entry_written_anew_is_not_what_the_chain_goes_on_from(
    store: DatabaseStore, tmp_path: Path
) -> None:
    for seq in (2, ENTRIES):  # the next entry tells the first, the head the last
        [entry] = await store.journal.about(f"D-{seq}")
        assert await unlinked(store.journal, [entry]) == []
        body = entry.body.replace("caller", "callee")
        new = link(Head("local", seq - 1, entry.at, entry.prev), Draft(entry.kind, entry.subject, seq, body))
        edit(
            tmp_path / "wephone.db",
            f"UPDATE journal_entry SET body = '{new.body}', hash = '{new.hash}' WHERE seq = {seq}",
        )
        [fault] = await unlinked(store.journal, await store.journal.about(f"D-{seq}"))
        assert fault == f"entry {seq} of local was altered: the chain does not go on from it"


async def test_names_are_present_erased_or_altered_and_the_chain_holds(
    store: DatabaseStore, tmp_path: Path
) -> None:
    edit(
        tmp_path / "wephone.db",
        "DELETE FROM clear_value WHERE value = 'user-2'",
        "UPDATE clear_value SET value = 'mallory' WHERE value = 'user-4'",
    )
    walked = await walk(store.journal, "local")
    assert walked.broken is None and not walked.sound
    assert walked.clear == {"present": 3, "erased": 1, "altered": 1}
    assert walked.altered == [4]
    assert (await walk(store.journal, "local", names=False)).sound
