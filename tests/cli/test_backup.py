"""`wephone backup` and `restore`: while a server runs and while none does, and never silently to less."""

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Commands
from tests.cli.office import BASIC, Office


@pytest.fixture
async def office(commands: Commands, tmp_path: Path) -> AsyncIterator[Office]:
    """A server with a permit: epoch 1, one entry in the journal."""
    office = Office(commands, tmp_path)
    await office.serve()
    await office.files(BASIC)
    yield office
    await office.close()


def reach(told: dict[str, Any]) -> tuple[int, list[int]]:
    """The epoch and the newest entries that a command speaks of."""
    return told["epoch"], [head["seq"] for head in told["heads"]]


def bytes_of(folder: Path) -> dict[str, bytes]:
    """The database, and all that lies beside it but the name of who locked it last."""
    files = [path for path in folder.iterdir() if path.is_file() and path.suffix != ".lock"]
    return {path.name: path.read_bytes() for path in files}


async def test_what_is_backed_up_under_a_running_server_comes_back(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "copy"
    told = await office.does("backup", str(file))
    assert set(told) == {"file", "epoch", "heads"}
    assert reach(told) == (1, [2])
    verified = await office.does("audit", "verify")
    assert told["heads"] == verified["heads"]
    await office.close()
    shutil.rmtree(office.data)
    assert await office.does("restore", str(file)) == {**told, "telephone_off": False}
    await office.serve()
    again = await office.does("audit", "verify")
    assert again["ok"] and again["chains"] == verified["chains"]  # signed with another key: that one is gone
    [filed] = (await office.does("permit", "list"))["permits"]
    assert filed["permit"]["id"] == "basic-1"
    done = await office.run("backup", str(tmp_path / "second"))
    assert (
        done.out
        == f"all rows are in {tmp_path / 'second'}: register at epoch 1, journal of `local` up to entry 2\n"
    )


async def test_nothing_is_restored_under_a_running_server(office: Office, tmp_path: Path) -> None:
    await office.does("backup", str(tmp_path / "copy"))
    for option in ([], ["--lower-epoch"]):
        done = await office.run("restore", str(tmp_path / "copy"), *option)
        assert (done.code, done.out) == (1, "")
        assert done.err == f"wephone: the data folder `{office.data}` is in use by another program\n"
    assert (await office.does("audit", "verify"))["entries"] == 2


async def test_an_older_backup_is_restored_when_asked_outright_and_telephone_calls_are_off(
    office: Office, tmp_path: Path
) -> None:
    file = str(tmp_path / "copy")
    await office.does("backup", file)
    await office.does("permit", "revoke", "basic-1")
    await office.close()
    before = bytes_of(office.data)
    done = await office.run("restore", file)
    assert (done.code, done.out) == (1, "")
    refused = "its register is at epoch 1, and that of the checkpoint at epoch 2"
    assert done.err == f"wephone: cannot restore {file}: {refused}\n"
    assert bytes_of(office.data) == before

    told = await office.does("restore", file, "--lower-epoch")
    assert (told["file"], told["telephone_off"], reach(told)) == (file, True, (2, [3]))
    assert not list(office.data.glob("restore-*"))
    await office.serve()
    listed = await office.does("permit", "list")
    assert (listed["permits"][0]["standing"], listed["telephone"]) == ("in_force", {"on": False})
    assert "there once was" in (await office.run("audit", "verify", "--json")).json["lost"]
    await office.does("audit", "acknowledge", "--why", "it was asked for")
    assert (await office.does("audit", "verify"))["ok"]
    assert (await office.does("pstn", "on"))["on"] is False  # one operator's word is not enough


async def test_a_backup_without_the_end_of_the_journal_is_refused(office: Office, tmp_path: Path) -> None:
    await office.does("backup", str(tmp_path / "copy"))
    await office.does("permit", "toggle", "pstn_out", "off")
    await office.close()
    office.change("UPDATE counter SET value = 1 WHERE name = 'register'")
    (office.data / "checkpoint.json").unlink()
    done = await office.run("restore", str(tmp_path / "copy"))
    assert done.code == 1
    assert "its chain of node `local` is at entry 2, and that of the database at entry 3" in done.err


async def test_a_checkpoint_shows_what_a_new_machine_cannot_know(office: Office, tmp_path: Path) -> None:
    old, new, exported, printed = (tmp_path / name for name in ("old", "new", "exported", "printed"))
    await office.does("backup", str(old))
    await office.does("permit", "revoke", "basic-1")
    printed.write_text((await office.run("backup", str(new), "--json")).out)
    await office.does("audit", "export", "--out", str(exported))
    await office.close()
    shutil.rmtree(office.data)
    for checkpoint, lacks in (
        (exported, "its chain of node `local` is at entry 2, and that of the checkpoint at entry 3"),
        (printed, "its register is at epoch 1, and that of the checkpoint at epoch 2"),
    ):
        done = await office.run("restore", str(old), "--checkpoint", str(checkpoint))
        assert (done.code, lacks in done.err) == (1, True), done.err
        assert not (office.data / "wephone.db").exists()
    assert reach(await office.does("restore", str(new), "--checkpoint", str(printed))) == (2, [3])


async def test_what_cannot_be_done_is_said_in_one_sentence(office: Office, tmp_path: Path) -> None:
    taken, wrong = tmp_path / "taken", tmp_path / "wrong"
    taken.write_text("mine")
    done = await office.run("backup", str(taken))
    assert (done.code, done.err) == (1, f"wephone: cannot back up to {taken}: the file exists already\n")
    assert taken.read_text() == "mine"
    await office.close()
    before = bytes_of(office.data)
    for option in ([], ["--lower-epoch"]):
        for file, why in ((taken, "file is not a database"), (tmp_path / "none", "unable to open")):
            done = await office.run("restore", str(file), *option)
            assert (done.code, done.out, done.err.count("\n")) == (1, "", 1), done.err
            assert done.err.startswith(f"wephone: cannot restore {file}: {why}")
    for heads in ("[1]", '[{"node": "local"}]', '[{"node": "local", "seq": "2", "at": 1, "hash": "x"}]'):
        wrong.write_text(f'{{"heads": {heads}}}')
        done = await office.run("restore", str(taken), "--checkpoint", str(wrong))
        assert (done.code, f"{wrong}: heads: is no list of heads" in done.err) == (1, True)
    wrong.write_text(json.dumps({"heads": [], "epoch": "2"}))
    done = await office.run("restore", str(taken), "--checkpoint", str(wrong))
    assert done.err == f"wephone: {wrong}: epoch: is no number (found '2')\n"
    done = await office.run("restore", str(taken), "--checkpoint", str(tmp_path / "none"))
    assert "cannot read" in done.err
    assert bytes_of(office.data) == before
