"""Saying who signs in, and what is said when that is missing or wrong."""

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Commands
from wephone.cli import account

SERVER = ("--server", "http://127.0.0.1:1")


async def test_a_user_must_be_named(commands: Commands) -> None:
    done = await commands.run("message", "bob", "hello")
    assert (done.code, done.err) == (1, "wephone: say who signs in: --user NAME, or WEPHONE_USER\n")


async def test_a_secret_must_be_given(commands: Commands) -> None:
    done = await commands.run("message", "bob", "hello", "--user", "carol")
    assert done.code == 1
    assert "say how to sign in: --password-stdin, --token-file FILE, or WEPHONE_TOKEN" in done.err


async def test_an_empty_password_is_named(commands: Commands) -> None:
    done = await commands.run("message", "bob", "hello", "--user", "carol", "--password-stdin")
    assert (done.code, done.err) == (1, "wephone: there is no password on stdin\n")


async def test_a_token_file_that_cannot_be_read_is_named(commands: Commands, tmp_path: Path) -> None:
    missing, empty = tmp_path / "missing", tmp_path / "empty"
    empty.touch()
    for path, why in ((missing, "no such file or directory"), (empty, "is empty")):
        done = await commands.run("message", "bob", "hello", "--user", "carol", "--token-file", str(path))
        assert done.code == 1
        assert f"token file `{path}`" in done.err and why in done.err


async def test_a_name_that_cannot_be_a_users_is_named(commands: Commands) -> None:
    done = await commands.run("message", "bob", "hello", "--user", "+336", WEPHONE_TOKEN="x")
    assert done.code == 1
    assert "`+336` is not a user's name" in done.err


async def test_a_server_that_is_not_there_is_one_sentence(commands: Commands) -> None:
    done = await commands.run("message", "bob", "hello", "--user", "carol", *SERVER, WEPHONE_TOKEN="x")
    assert done.code == 1
    assert done.err == "wephone: cannot reach http://127.0.0.1:1/: connection refused\n"


async def test_what_is_no_address_is_one_sentence(commands: Commands) -> None:
    done = await commands.run(
        "message", "bob", "hello", "--user", "carol", WEPHONE_URL="ftp://x", WEPHONE_TOKEN="x"
    )
    assert done.code == 1
    assert "`ftp://x` is not the address of a server" in done.err


def test_one_device_id_is_kept_for_a_user_on_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(account, "_locks", [])
    first = account.device_id("http://here", "alice")
    assert account.device_id("http://here", "bob") != first
    assert account.device_id("http://there", "alice") != first
    assert account.device_id("http://here/", "alice") != first  # two programs at once are two devices
    close_locks()
    assert account.device_id("http://here/", "alice") == first
    close_locks()


def test_a_device_id_that_was_damaged_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "_locks", [])
    path = tmp_path / "device"
    path.write_text("not an id")
    made = account.locked_id(path)
    close_locks()
    assert account.locked_id(path) == made
    close_locks()


def test_where_nothing_can_be_kept_each_run_is_a_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(file))
    assert account.device_id("http://here", "alice") != account.device_id("http://here", "alice")


def close_locks() -> None:
    for lock in account._locks:
        os.close(lock)
    account._locks.clear()
