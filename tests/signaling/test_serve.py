"""`wephone serve` and `wephone user` as processes of their own."""

import asyncio
import json
import os
import signal
import socket
import stat
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.command import Done
from tests.signaling.device import Device

PASSWORD = "correct horse battery"


class Serving:
    """A server in a process of its own."""

    def __init__(self, process: Process, said: list[str], ready: dict[str, Any]) -> None:
        self.process, self.said, self.ready = process, said, ready

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> Done:
        """Ask it to stop, and wait until it has."""
        if self.process.returncode is None:
            self.process.send_signal(how)
        out, err = await self.process.communicate()
        return Done(self.process.returncode or 0, out.decode(), err.decode())


class Machine:
    """Runs `wephone` with a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.data = home / "data"
        self._processes: list[Process] = []

    async def begin(self, *arguments: str, stdin: bytes = b"", **environment: str) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "error", "-m", "wephone.cli.main", *arguments,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            cwd=self.home,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.home),
                "PYTHONUTF8": "1",
                "WEPHONE_DATA": str(self.data),
                "WEPHONE_LISTEN": "127.0.0.1:0",
                "WEPHONE_OPERATOR_LISTEN": "127.0.0.1:0",
                **environment,
            },
        )  # fmt: skip
        self._processes.append(process)
        assert process.stdin is not None
        process.stdin.write(stdin)
        process.stdin.close()
        return process

    async def run(self, *arguments: str, stdin: bytes = b"", **environment: str) -> Done:
        process = await self.begin(*arguments, stdin=stdin, **environment)
        out, err = await process.communicate()
        return Done(process.returncode or 0, out.decode(), err.decode())

    async def serve(self, **environment: str) -> Serving:
        process = await self.begin("serve", stdin=b"", **environment)
        assert process.stdout is not None and process.stderr is not None
        said: list[str] = []
        while line := (await process.stdout.readline()).decode():
            said.append(line)
            if line.startswith("ready "):
                return Serving(process, said, json.loads(line.removeprefix("ready ")))
        raise AssertionError((await process.stderr.read()).decode())

    async def close(self) -> None:
        for process in self._processes:
            if process.returncode is None:
                process.kill()
                await process.communicate()


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    await machine.close()


Connect = Callable[[Serving, str], Awaitable[Device]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Opens an account on a server, and a device of it."""
    devices: list[Device] = []
    async with aiohttp.ClientSession() as http:

        async def connected(server: Serving, name: str) -> Device:
            device = await Device.of_new_account(http, server.ready["url"], name, PASSWORD)
            devices.append(device)
            return device

        yield connected
        for device in devices:
            await device.close()


async def test_the_first_start_says_all_that_a_person_and_a_program_need(machine: Machine) -> None:
    server = await machine.serve()
    ready = server.ready
    assert set(ready) >= {"url", "ws", "operator_url", "database", "data", "pid", "version"}
    assert ready["ws"] == ready["url"].replace("http", "ws", 1) + "/api/socket"
    assert ready["pid"] == server.process.pid
    assert any(ready["url"] in line for line in server.said[:-1])
    [password] = [line.rpartition(" ")[2].strip() for line in server.said if "password" in line]
    async with aiohttp.ClientSession() as http:
        body = {"name": "operator", "password": password}
        async with http.post(f"{ready['operator_url']}/api/session", json=body) as response:
            assert (await response.json())["password_change_required"] is True
        async with http.get(f"{ready['url']}/healthz") as response:
            assert (await response.json())["version"] == ready["version"]
    for path in (machine.data, machine.data / "operator.sock"):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    done = await server.stop()
    assert done.code == 0, done.err
    for line in done.err.splitlines():
        assert json.loads(line)["level"] == "info", line
    assert not (machine.data / "operator.sock").exists()
    again = await machine.serve()
    assert not any("password" in line for line in again.said)


async def test_a_server_that_is_told_to_stop_waits_for_the_calls(machine: Machine, connect: Connect) -> None:
    server = await machine.serve()
    alice, bob = await connect(server, "alice"), await connect(server, "bob")
    call = await alice.talk_to(bob)
    server.process.send_signal(signal.SIGTERM)
    assert (await alice.hears("draining"))["within"] == 30
    refused = await alice.invite("bob")
    assert (await alice.hears("error"))["code"] == "draining"
    assert refused != call
    await alice.say(type="hangup", call=call)
    assert (await bob.hears("ended"))["call"] == call
    assert await alice.closed() == await bob.closed() == 1001
    assert (await server.stop()).code == 0


async def test_calls_that_go_on_are_left_to_their_ends(machine: Machine, connect: Connect) -> None:
    server = await machine.serve(WEPHONE_DRAIN="0.2")
    alice, bob = await connect(server, "alice"), await connect(server, "bob")
    await alice.talk_to(bob)
    done, *codes = await asyncio.gather(server.stop(), alice.closed(), bob.closed())
    assert (done.code, codes) == (0, [1001, 1001])
    assert "ended" not in alice.kinds


async def test_a_second_signal_ends_the_waiting(machine: Machine, connect: Connect) -> None:
    server = await machine.serve(WEPHONE_DRAIN="3600")
    alice, bob = await connect(server, "alice"), await connect(server, "bob")
    await alice.talk_to(bob)
    server.process.send_signal(signal.SIGINT)
    await alice.hears("draining")
    assert (await server.stop(signal.SIGINT)).code == 0


async def test_what_prevents_a_start_is_one_line(machine: Machine, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        done = await machine.run("serve", WEPHONE_LISTEN=listen)
        assert (done.code, last(done)) == (1, f"wephone: cannot listen on {listen}: address already in use")
        done = await machine.run("serve", WEPHONE_OPERATOR_LISTEN=listen)
        assert (done.code, last(done)) == (1, f"wephone: cannot listen on {listen}: address already in use")
    nowhere = "no-such-host.invalid:80"
    done = await machine.run("serve", WEPHONE_LISTEN=nowhere)
    assert last(done) == f"wephone: cannot listen on {nowhere}: there is no host `no-such-host.invalid`"
    file = tmp_path / "file"
    file.write_text("")
    done = await machine.run("serve", WEPHONE_DATA=str(file / "data"))
    assert done.code == 1
    assert done.err.startswith("wephone: cannot write to the data folder")
    done = await machine.run("serve", WEPHONE_LISTN="127.0.0.1:0")
    assert (done.code, "did you mean `listen`?" in done.err) == (1, True)
    done = await machine.run("serve", WEPHONE_PROFILES="baselin")
    assert (done.code, "did you mean `baseline`?" in last(done)) == (1, True)
    done = await machine.run("serve", "--config", str(tmp_path / "none.toml"))
    assert done.code == 1
    server = await machine.serve()
    done = await machine.run("serve")
    assert (done.code, "is in use by another program" in done.err) == (1, True)
    assert server.process.returncode is None


async def test_a_database_that_cannot_be_reached_is_named_without_its_password(machine: Machine) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{deaf.getsockname()[1]}/calls"
        done = await machine.run("serve", WEPHONE_DATABASE=f"postgresql://wephone:pearl-and-ash@{place}")
    said = f"wephone: cannot open the database postgresql://wephone@{place}: connection refused"
    assert (done.code, last(done)) == (1, said)


async def test_a_certificate_that_cannot_be_read_is_named(machine: Machine, tmp_path: Path) -> None:
    empty, missing = tmp_path / "empty.pem", tmp_path / "missing.pem"
    empty.write_text("")
    for authority, said in (
        (missing, f"wephone: cannot read {missing}: no such file or directory"),
        (empty, f"wephone: {empty} and {empty} are no certificate with its key: "),
    ):
        done = await machine.run(
            "serve",
            WEPHONE_OPERATOR_TLS_CERTIFICATE=str(empty),
            WEPHONE_OPERATOR_TLS_KEY=str(empty),
            WEPHONE_OPERATOR_TLS_CLIENT_CA=str(authority),
        )
        assert done.code == 1
        assert last(done).startswith(said)
    assert any("password for one use" in line for line in (await machine.serve()).said)


def last(done: Done) -> str:
    """The one sentence; log lines may stand before it."""
    lines = [line for line in done.err.splitlines() if not line.startswith("{")]
    assert len(lines) == 1, done.err
    return lines[0]


async def test_another_package_of_the_name_licensing_is_not_believed(
    machine: Machine, tmp_path: Path
) -> None:
    (tmp_path / "other" / "licensing").mkdir(parents=True)
    (tmp_path / "other" / "licensing" / "__init__.py").write_text("")
    done = await machine.run("serve", PYTHONPATH=str(tmp_path / "other"))
    assert (done.code, done.out) == (1, "")
    assert "is not WePhone's" in last(done)


async def test_a_port_that_was_taken_leaves_nothing_behind(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        await machine.run("serve", WEPHONE_LISTEN=address)
        await machine.run("serve", WEPHONE_OPERATOR_LISTEN=address)
    assert not (machine.data / "operator.sock").exists()
    # Nor an operator whose password nobody has seen.
    assert any("password for one use" in line for line in (await machine.serve()).said)


async def test_accounts_are_kept_with_and_without_a_running_server(machine: Machine) -> None:
    made = await machine.run("user", "add", "alice", "--json")
    assert made.code == 0, made.err
    assert "operator's account made" in made.err
    server = await machine.serve()
    assert not any("password" in line for line in server.said)
    password = f"{PASSWORD}\n".encode()
    added = await machine.run(
        "user", "add", "bob", "--operator", "--password-stdin", "--json", stdin=password
    )
    assert added.json == {"name": "bob", "password": None, "operator": True, "auditor": False}
    async with aiohttp.ClientSession() as http:
        for name, secret in (("alice", made.json["password"]), ("bob", PASSWORD)):
            body = {"name": name, "password": secret}
            async with http.post(f"{server.ready['url']}/api/session", json=body) as response:
                assert response.status == 201
    listed = (await machine.run("user", "list", "--json")).json["accounts"]
    assert {account["name"]: account["operator"] for account in listed} == {
        "alice": False,
        "bob": True,
        "operator": True,
    }
    assert (await machine.run("user", "disable", "alice", "--as", "bob")).out == "alice is disabled\n"
    assert (await machine.run("user", "enable", "alice", "--json")).json == {
        "name": "alice",
        "disabled": False,
    }
    reset = (await machine.run("user", "reset-password", "alice", "--json")).json
    assert reset["name"] == "alice" and reset["password"]
    assert (await machine.run("user", "invite", "--json")).json["link"].startswith("http")
    held = (await machine.run("user", "export", "alice", "--json")).json
    assert json.loads((await machine.run("user", "export", "alice")).out) == held
    assert held["account"]["name"] == "alice"
    await server.stop()
    assert "alice" in (await machine.run("user", "list")).out
    assert (await machine.run("user", "delete", "alice", "--as", "bob")).out == "alice is deleted\n"
    assert "alice" not in (await machine.run("user", "list")).out


async def test_what_is_refused_is_said_on_stderr(machine: Machine) -> None:
    await machine.serve()
    for arguments, said in (
        (("disable", "nobody"), "there is no such account: `nobody`"),
        (("add", "operator"), "this name is taken: `operator`"),
        (("add", "+4930123456"), "`name`: must be one of a to z, then at most 31 of a to z, 0 to 9,"),
        (("add", "Bob"), "`name`: must be one of a to z,"),
        (("list", "--as", "nobody"), "'nobody' is no operator's account"),
        (("disable", "operator"), "the only operator's account"),
        (("delete", "operator"), "the only operator's account"),
        (("export", "nobody"), "there is no such account: `nobody`"),
    ):
        done = await machine.run("user", *arguments)
        assert (done.code, done.out) == (1, ""), arguments
        assert said in done.err
    assert (await machine.run("user", "add", "alice", "--password-stdin")).code == 1
    assert (await machine.run("user", "add", "eve", "--operator", "--auditor")).code == 2
    assert (await machine.run("user", "fly")).code == 2
    assert (await machine.run("user")).code == 2


async def test_an_operator_elsewhere_signs_in_by_a_token(machine: Machine) -> None:
    server = await machine.serve()
    password = f"{PASSWORD}\n".encode()
    await machine.run("user", "add", "boss", "--operator", "--password-stdin", stdin=password)
    url = server.ready["operator_url"]
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{url}/api/session", json={"name": "boss", "password": PASSWORD}) as response,
    ):
        token = (await response.json())["token"]
    done = await machine.run("user", "list", "--url", url, "--json", WEPHONE_OPERATOR_TOKEN=token)
    assert len(done.json["accounts"]) == 2
    done = await machine.run("user", "list", "--url", url, WEPHONE_OPERATOR_TOKEN="x" * 43)
    assert (done.code, "the session is unknown" in done.err) == (1, True)
    assert (await machine.run("user", "list", "--url", url)).code == 1


async def test_a_data_folder_with_a_long_path_works_too(machine: Machine) -> None:
    machine.data = machine.home / ("deep" * 20) / ("deeper" * 10)
    await machine.serve()
    assert (await machine.run("user", "list")).code == 0


async def test_the_settings_are_listed(machine: Machine) -> None:
    settings = (await machine.run("serve", "--settings", "--json")).json["settings"]
    assert {"name", "variable", "default", "text"} == set(settings[0])
    assert "WEPHONE_DRAIN" in (await machine.run("serve", "--settings")).out


async def test_nothing_of_a_call_or_a_text_is_in_the_logs(machine: Machine, connect: Connect) -> None:
    server = await machine.serve(WEPHONE_LOG_LEVEL="debug")
    alice, bob = await connect(server, "alice"), await connect(server, "bob")
    call = await alice.talk_to(bob)
    await alice.say(type="hangup", call=call)
    await alice.hears("ended")
    await alice.say(type="text", message=alice.new_id(), to="bob", text="meet me at the old mill")
    await bob.hears("text")
    await alice.invite("+8613812345678")
    assert (await alice.hears("ended"))["reason"] == "refused"
    await alice.post("/api/calls", {"to": "+8613812345678"})
    await alice.send(b'{"type": "text", "to": "+8613812345678", "text": "the old mill"')
    await alice.hears("error")
    done = await server.stop()
    assert done.code == 0
    assert len(done.err.splitlines()) > 3
    for line in done.err.splitlines():
        json.loads(line)
    secrets = [alice.token, bob.token, alice.ticket, bob.ticket, PASSWORD, "13812345678", "old mill"]
    for secret in (*secrets, "a=fingerprint", "a=ice-pwd", "v=0"):
        assert secret not in done.err
        assert secret not in done.out
