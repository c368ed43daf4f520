"""`wephone audit` and `explain`: what they find whole, and what they find out."""

import base64
import json
import shutil
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

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
    written = told["entries"]
    assert told["ok"] and written >= 2
    assert told["checkpoints"]["fault"] is None
    [chain] = told["chains"]
    assert (chain["fault"], chain["names"]) == (None, {"present": 2, "erased": 0, "altered": 0})
    kept, file = tmp_path / "head.json", tmp_path / "journal.jsonl"
    kept.write_text(json.dumps(told))
    await office.does("permit", "toggle", "pstn_out", "remove")
    assert (
        f"{written + 1} entries, whole up to"
        in (await office.run("audit", "verify", "--head", str(kept))).out
    )

    exported = await office.does("audit", "export", "--out", str(file))
    first, *records = map(json.loads, file.read_text().splitlines())
    entries = [record for record in records if "seq" in record]
    assert first["format"] == "wephone.audit/1"
    assert exported == {"file": str(file), "entries": written + 1, "heads": first["heads"]}
    names = ("node", "seq", "at", "said_at", "kind", "subject", "body", "prev", "hash")
    stored = office.rows(f"SELECT {', '.join(names)} FROM v_audit ORDER BY seq")
    assert [tuple(entry[name] for name in names) for entry in entries] == stored
    assert first["heads"][0]["hash"] == entries[-1]["hash"]
    assert not any('"operator"' in entry["body"] for entry in entries if entry["kind"] != "decision")
    assert any("checkpoint" in record for record in records)
    assert not file.with_name("journal.jsonl.part").exists()
    done = await office.run("audit", "export", "--after", str(written))
    found = [json.loads(line).get("seq") for line in done.out.splitlines()]
    assert [seq for seq in found if seq is not None] == [written + 1]

    await office.close()
    office.change(
        f"DELETE FROM journal_entry WHERE seq > {written}",
        "UPDATE journal_head SET (seq, at, hash) = "
        f"(SELECT seq, at, hash FROM journal_entry WHERE seq = {written})",
    )
    done = await office.run("audit", "verify", "--head", str(file), "--json")
    assert (done.code, done.json["ok"], done.json["heads"]) == (1, False, [])
    assert f"wephone: local: entry {written + 1}: the chain ends before checkpoint" in done.err


def checked(folder: Path, *arguments: str) -> tuple[int, str]:
    """An export checked by its own verifier, which finds none of our packages."""
    done = subprocess.run(
        [sys.executable, "-I", str(folder / "verify.py"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


async def test_an_export_is_checked_without_any_of_our_code(office: Office, tmp_path: Path) -> None:
    folder = tmp_path / "handed over"
    kept = tmp_path / "checkpoint.json"
    await office.does("audit", "checkpoint", "--out", str(kept))
    await office.does("audit", "export", str(folder))
    key = (await office.does("audit", "key"))["key"]
    assert sorted(path.name for path in folder.iterdir()) == ["README.txt", "journal.jsonl", "verify.py"]
    code, said = checked(folder, "--key", key, "--head", str(kept))
    assert code == 0 and "are whole, signed up to" in said, said
    other = "ed25519:" + "A" * 43 + "="
    assert checked(folder, "--key", other)[0] == 1

    journal = folder / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    last = max(number for number, line in enumerate(lines) if '"seq":' in line and '"prev":' in line)
    for fault, edited in {
        "was altered": [line.replace("permit_event", "permit_other") for line in lines],
        "does not follow|missing": [lines[0], *lines[2:]],
        "missing|end before": lines[:last] + lines[last + 1 :],
        "is missing": [lines[0], lines[2], lines[1], *lines[3:]],
        "checkpoint 1 was altered": [
            line.replace('epoch\\":', 'epoch\\":1') if '"signature"' in line else line for line in lines
        ],
        "it is not what the entry": [line.replace("2026-01-01", "2025-01-01") for line in lines],
        "toggle pstn_out 1 is missing": [line for line in lines if '"register":"toggle"' not in line],
    }.items():
        assert edited != lines, fault
        journal.write_text("".join(edited))
        code, said = checked(folder, "--key", key)
        assert code == 1 and any(word in said for word in fault.split("|")), (fault, said)
    assert "exists already" in (await office.run("audit", "export", str(folder))).err


Json = dict[str, Any]


def entry_hash(entry: Json) -> str:
    """As the README of an export says."""
    told = {key: entry[key] for key in ("at", "kind", "node", "said_at", "seq", "subject")}
    text = json.dumps({**told, "body": json.loads(entry["body"])}, sort_keys=True, separators=(",", ":"))
    return sha256(bytes.fromhex(entry["prev"]) + text.encode()).hexdigest()


def forged(records: list[Json]) -> list[Json]:
    """The whole of an export anew, with another answer, signed by somebody else's key."""
    key, prev, line, hashes = Ed25519PrivateKey.generate(), "0" * 64, "0" * 64, {}
    public = "ed25519:" + base64.b64encode(key.public_key().public_bytes_raw()).decode()
    for record in records:
        if "seq" in record:
            record["prev"] = prev
            record["body"] = record["body"].replace('"order"', '"ordre"')
            prev = record["hash"] = hashes[record["seq"]] = entry_hash(record)
        elif "checkpoint" in record:
            fields = json.loads(record["document"]) | {"key": public, "prev": line}
            for head in fields["heads"]:
                head["hash"] = hashes[head["seq"]]
            record["document"] = json.dumps(fields, sort_keys=True, separators=(",", ":"))
            record["signature"] = base64.b64encode(key.sign(record["document"].encode())).decode()
            line = sha256(record["document"].encode()).hexdigest()
    for head in records[0]["heads"]:
        head["hash"] = hashes[head["seq"]]
    return records


async def test_a_forged_or_shortened_copy_does_not_pass_for_a_whole_one(
    office: Office, tmp_path: Path
) -> None:
    folder, kept = tmp_path / "copy", tmp_path / "checkpoint.json"
    await office.does("audit", "checkpoint", "--out", str(kept))
    await office.does("audit", "export", str(folder))
    key = (await office.does("audit", "key"))["key"]
    journal = folder / "journal.jsonl"
    whole = journal.read_text()
    end = json.loads(whole.splitlines()[0])["heads"][0]["seq"]

    def says(records: list[Json], *arguments: str) -> tuple[int, str]:
        journal.write_text("".join(json.dumps(record) + "\n" for record in records))
        return checked(folder, *arguments)

    def copy() -> list[Json]:
        return [json.loads(line) for line in whole.splitlines()]

    def cut(*, signed: bool = True) -> list[Json]:
        records = [
            each for each in copy() if each.get("seq", 0) <= 2 and (signed or "checkpoint" not in each)
        ]
        last = next(each for each in records if each.get("seq") == 2)
        records[0]["heads"] = [{name: last[name] for name in ("node", "seq", "at", "hash")}]
        records[0]["until"] = 4_000_000_000_000_000
        named = {f"{each['kind']} {each['key']}" for each in rows_of(records)}
        return [
            each for each in records if "register" not in each or f"{each['register']} {each['key']}" in named
        ]

    code, said = says(copy())
    assert code == 0 and f"local signs with {key}" in said and "compare the one that signs" in said
    code, said = says(forged(copy()))
    assert code == 1 and f"the first line names the key {key}, and the checkpoints are signed by" in said
    forgery = forged(copy())
    forgery[0]["key"] = json.loads(next(each for each in forgery if "checkpoint" in each)["document"])["key"]
    code, said = says(forgery)
    assert code == 0 and f"local signs with {forgery[0]['key']}" in said and key not in said
    assert says(forgery, "--key", key)[0] == 1

    for records, arguments in (
        (cut(), []),
        (cut(), ["--head", str(kept)]),
        (cut(signed=False), ["--head", str(kept)]),
    ):
        code, said = says(records, *arguments)
        assert code == 1 and "local: the export stops at entry 2, and" in said and f"goes up to {end}" in said
        code, said = says(records, *arguments, "--partial")
        assert code == 0 and "local: it stops at entry 2, and" in said, said
    code, said = says(cut(signed=False), "--key", key, "--partial")
    assert code == 1 and "it has no checkpoint" in said
    behind = [each for each in copy() if each.get("seq", 2) > 1]
    behind[0]["after"] = [
        {name: each[name] for name in ("node", "seq", "at", "hash")}
        for each in copy()
        if each.get("seq") == 1
    ]
    code, said = says(behind)
    assert code == 1 and "local: entries 1 to 1 are not in this export" in said
    for node in ("other", None):
        code, said = says([copy()[0] | {"after": [], "heads": [], "node": node}], "--partial")
        assert code == 1 and "names no chain" in said
    code, said = says([*copy(), {"foo": 1}])
    assert code == 1 and 'a record that no export has: {"foo": 1}' in said


def rows_of(records: list[Json]) -> Iterator[Json]:
    """What the entries say of the register."""
    for each in records:
        yield from json.loads(each["body"]).get("rows", []) if "seq" in each else []


async def test_an_entry_spliced_in_under_another_node_is_found_out(office: Office, tmp_path: Path) -> None:
    await office.close()
    office.change(
        "INSERT INTO journal_entry SELECT 'other', seq, at, said_at, kind, subject, body, prev, hash "
        "FROM journal_entry WHERE seq = 1"
    )
    done = await office.run("audit", "verify")
    assert done.code == 1
    assert "wephone: other: entry 1: is in no chain that this database has noted" in done.err
    await office.run("audit", "export", str(tmp_path / "copy"))
    code, said = checked(tmp_path / "copy")
    assert (code, said) == (1, "entry 1 belongs to node other, which is not exported\n")


async def test_a_part_of_the_journal_can_be_exported_by_its_days(office: Office, tmp_path: Path) -> None:
    for name, options, some in (
        ("all", ["--from", "2020-01-01", "--to", "2099-01-01"], True),
        ("before", ["--to", "2020-01-01"], False),
        ("after", ["--from", "2099-01-01"], False),
    ):
        told = await office.does("audit", "export", str(tmp_path / name), *options)
        assert (told["entries"] > 0) is some, name
        assert checked(tmp_path / name, "--partial")[0] == 0, name
    code, said = checked(tmp_path / "before")
    assert code == 1 and "there is no entry in this export" in said


async def test_an_old_backup_closes_the_telephone_until_an_operator_accepts_the_loss(
    office: Office, tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    await office.does("backup", str(backup))
    await office.does("permit", "toggle", "pstn_out", "remove")
    await office.does("audit", "checkpoint")
    await office.close()
    # Somebody puts the old file in the place of the new one, past `wephone restore`.
    database = office.data / "wephone.db"
    for suffix in ("", "-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    shutil.copy(backup, database)
    await office.serve()
    done = await office.run("audit", "verify", "--json")
    assert done.code == 1 and "the register is at epoch" in done.json["lost"]
    assert "evidence was lost" in (await office.run("audit", "checkpoint")).err
    told = await office.does("audit", "acknowledge", "--why", "the disk had failed")
    assert told["acknowledges"] is not None
    assert (await office.does("audit", "verify"))["ok"]
    assert office.rows("SELECT count(*) FROM v_audit WHERE kind = 'loss_acknowledged'") == [(1,)]
    assert "no evidence is known" in (await office.run("audit", "acknowledge", "--why", "again")).err


async def test_another_key_is_named_by_the_one_before_it(office: Office, tmp_path: Path) -> None:
    first = await office.does("audit", "key")
    second = await office.does("audit", "key", "--rotate")
    assert first["key"] != second["key"]
    await office.does("permit", "toggle", "pstn_out", "remove")
    await office.does("audit", "export", str(tmp_path / "copy"))
    assert (await office.does("audit", "verify"))["ok"]
    assert checked(tmp_path / "copy", "--key", first["key"])[0] == 0
    assert stat.S_IMODE((office.data / "checkpoint-key.pem").stat().st_mode) == 0o600


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


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        (
            "UPDATE register_version SET document = replace(document, '2026-01-01', '2025-01-01')",
            "permit `basic-1`, version 1, was altered: it is not what the entry of its change says",
        ),
        (
            "INSERT INTO register_version SELECT kind, 'texts', 1, document, changed_by, at, epoch "
            "FROM register_version WHERE kind = 'toggle'",
            "toggle `texts`, version 1, is there, and no entry says that it was filed",
        ),
        (
            "DELETE FROM register_version WHERE kind = 'permit' AND version = 1",
            "permit `basic-1`, version 1, is missing, and was filed",
        ),
        (
            "DELETE FROM register_version WHERE kind = 'toggle'",
            "toggle `pstn_out`, version 1, is missing, and was filed",
        ),
    ],
)
async def test_a_register_that_was_edited_behind_the_journal_is_found_out(
    office: Office, statement: str, fault: str
) -> None:
    await office.files(BASIC | {"version": 2, "issuer": "the regulator"})
    assert (await office.does("audit", "verify"))["ok"]
    await office.close()
    office.change(statement)
    done = await office.run("audit", "verify")
    assert (done.code, f"wephone: {fault}" in done.err) == (1, True), done.err
