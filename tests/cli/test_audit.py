"""`wephone audit` and `explain`: what they find whole, and what they find out."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cli.conftest import Commands
from tests.cli.office import BASIC, Office


@pytest.fixture
async def office(commands: Commands, tmp_path: Path) -> AsyncIterator[Office]:
    """A server, and two entries in its journal."""
    office = Office(commands, tmp_path)
    await office.serve()
    await office.files(BASIC)
    await office.does("permit", "toggle", "pstn_out", "off")
    yield office
    await office.close()


async def test_a_whole_journal_is_verified_exported_and_held_against_its_head(
    office: Office, tmp_path: Path
) -> None:
    told = await office.does("audit", "verify")
    assert (told["ok"], told["entries"]) == (True, 2)
    [chain] = told["chains"]
    assert (chain["fault"], chain["names"]) == (None, {"present": 2, "erased": 0, "altered": 0})
    kept, file = tmp_path / "head.json", tmp_path / "journal.jsonl"
    kept.write_text(json.dumps(told))
    await office.does("permit", "toggle", "pstn_out", "remove")
    assert "3 entries, whole up to" in (await office.run("audit", "verify", "--head", str(kept))).out

    exported = await office.does("audit", "export", "--out", str(file))
    first, *entries = map(json.loads, file.read_text().splitlines())
    assert first["format"] == "wephone.audit/1"
    assert exported == {"file": str(file), "entries": 3, "heads": first["heads"]}
    names = ("node", "seq", "at", "said_at", "kind", "subject", "body", "prev", "hash")
    stored = office.rows(f"SELECT {', '.join(names)} FROM v_audit ORDER BY seq")
    assert [tuple(entry[name] for name in names) for entry in entries] == stored
    assert first["heads"][0]["hash"] == entries[-1]["hash"]
    assert "operator" not in file.read_text()
    assert not file.with_name("journal.jsonl.part").exists()
    done = await office.run("audit", "export", "--after", "2")
    assert [json.loads(line).get("seq") for line in done.out.splitlines()] == [None, 3]

    await office.close()
    office.change(
        "DELETE FROM journal_entry WHERE seq = 3",
        "UPDATE journal_head SET (seq, at, hash) = (SELECT seq, at, hash FROM journal_entry WHERE seq = 2)",
    )
    done = await office.run("audit", "verify", "--head", str(file), "--json")
    assert (done.code, done.json["ok"], done.json["heads"]) == (1, False, [])
    assert "wephone: local: entry 3: the chain ends before checkpoint 3" in done.err


async def test_what_is_wrong_is_said_in_one_sentence(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "head.json"
    file.write_text("[1]")
    done = await office.run("audit", "verify", "--head", str(file))
    assert (done.code, done.err) == (1, f"wephone: {file}: heads: is no list (found None)\n")
    file.write_text('{"heads": [{"node": "local"}]}')
    done = await office.run("audit", "verify", "--head", str(file))
    assert done.code == 1 and f"wephone: {file}: " in done.err and "heads.0.seq" in done.err
    assert "`D-12` is no decision id" in (await office.run("explain", "D-12")).err
    done = await office.run("explain", "D-00000000000000000000000000")
    assert done.code == 1 and "there is no entry about this decision" in done.err


async def test_what_is_not_built_says_so(commands: Commands) -> None:
    done = await commands.run("audit", "reconcile", "carrier.csv")
    assert (done.code, done.err) == (2, "wephone: `audit reconcile` is not built yet\n")
