"""`wephone audit` and `explain`: what they find whole, and what they find out."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cli.conftest import Commands
from tests.cli.office import BASIC, Office


@pytest.fixture
async def office(commands: Commands, tmp_path: Path) -> AsyncIterator[Office]:
    """Four entries, and no server."""
    office = Office(commands, tmp_path)
    await office.files(BASIC)
    for state in ("off", "on", "off"):
        await office.does("permit", "toggle", "pstn_out", state)
    yield office
    await office.close()


async def test_a_whole_journal_is_whole_and_its_head_is_to_be_kept(office: Office, tmp_path: Path) -> None:
    told = await office.does("audit", "verify")
    assert (told["ok"], told["entries"]) == (True, 4)
    [chain] = told["chains"]
    assert (chain["fault"], chain["names"]) == (None, {"present": 4, "erased": 0, "altered": 0})
    kept = tmp_path / "head.json"
    kept.write_text(json.dumps(told))
    await office.does("permit", "toggle", "pstn_out", "remove")
    assert (await office.does("audit", "verify", "--head", str(kept)))["entries"] == 5
    assert "5 entries, whole up to" in (await office.run("audit", "verify")).out


@pytest.mark.parametrize(
    ("statements", "fault"),
    [
        (
            ["UPDATE journal_entry SET body = replace(body, 'added', 'revoked') WHERE seq = 1"],
            "1: was altered",
        ),
        (["DELETE FROM journal_entry WHERE seq = 2"], "2: missing: the next entry is 3"),
        (["UPDATE journal_entry SET seq = 9 WHERE seq = 3"], "3: missing: the next entry is 4"),
        (["DELETE FROM journal_entry WHERE seq = 4"], "4: the chain ends before checkpoint 4"),
        (["UPDATE clear_value SET value = 'mallory'"], "1: a name or number beside it was altered"),
    ],
)
async def test_the_first_bad_entry_is_named(office: Office, statements: list[str], fault: str) -> None:
    office.change(*statements)
    done = await office.run("audit", "verify", "--json")
    assert done.code == 1
    assert f"wephone: local: entry {fault}" in done.err
    assert done.json["ok"] is False
    assert done.json["heads"] == []


async def test_a_chain_cut_short_with_its_head_is_found_by_a_head_kept_elsewhere(
    office: Office, tmp_path: Path
) -> None:
    export = tmp_path / "journal.jsonl"
    await office.does("audit", "export", "--out", str(export))
    office.change(
        "DELETE FROM journal_entry WHERE seq = 4",
        "UPDATE journal_head SET (seq, at, hash) = (SELECT seq, at, hash FROM journal_entry WHERE seq = 3)",
    )
    assert (await office.does("audit", "verify"))["ok"] is True
    done = await office.run("audit", "verify", "--head", str(export))
    assert done.code == 1
    assert "local: entry 4: the chain ends before checkpoint 4" in done.err


async def test_an_export_has_every_entry_and_no_name(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    told = await office.does("audit", "export", "--out", str(file))
    first, *entries = map(json.loads, file.read_text().splitlines())
    assert first["format"] == "wephone.audit/1"
    assert told == {"file": str(file), "entries": 4, "heads": first["heads"]}
    assert [entry["seq"] for entry in entries] == [1, 2, 3, 4]
    assert (entries[-1]["seq"], entries[-1]["hash"]) == (first["heads"][0]["seq"], first["heads"][0]["hash"])
    names = ("node", "seq", "at", "said_at", "kind", "subject", "body", "prev", "hash")
    stored = office.rows(f"SELECT {', '.join(names)} FROM v_audit ORDER BY seq")
    assert [tuple(entry[name] for name in names) for entry in entries] == stored
    assert "operator" not in file.read_text()
    done = await office.run("audit", "export", "--after", "3")
    assert [json.loads(line).get("seq") for line in done.out.splitlines()] == [None, 4]
    assert not file.with_name("journal.jsonl.part").exists()


async def test_a_file_of_heads_that_is_none_is_named(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "head.json"
    for text, fault in (
        ("", "is no JSON"),
        ("[1]", "heads: is no list"),
        ('{"heads": [{"node": "local"}]}', "heads.0.seq"),
    ):
        file.write_text(text)
        done = await office.run("audit", "verify", "--head", str(file))
        assert done.code == 1
        assert f"wephone: {file}: " in done.err and fault in done.err


async def test_what_cannot_be_explained_is_said(office: Office) -> None:
    assert "`D-12` is no decision id" in (await office.run("explain", "D-12")).err
    done = await office.run("explain", "D-00000000000000000000000000")
    assert done.code == 1 and "there is no entry about this decision" in done.err


async def test_what_is_not_built_says_so(office: Office) -> None:
    done = await office.run("audit", "reconcile", "carrier.csv")
    assert (done.code, done.err) == (2, "wephone: `audit reconcile` is not built yet\n")
