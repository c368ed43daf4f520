"""A password for one use: what README has one type, and the command that changes a password."""

import os
import shlex
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Commands, Running
from tests.cli.office import Office
from wephone.cli.demonstration import sample

README = (Path(__file__).parents[2] / "README.md").read_text()
OWN = "correct horse battery"


@pytest.fixture
async def office(commands: Commands, tmp_path: Path) -> AsyncIterator[Office]:
    office = Office(commands, tmp_path)
    await office.serve()
    office.environment["WEPHONE_URL"] = office.ready["url"]
    yield office
    await office.close()


class Terminal:
    """Where somebody types. Each answer waits for its question: what is typed before it is thrown away."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._ours, self._theirs = os.openpty()

    async def start(self, *arguments: str) -> Running:
        """Begin a command here."""
        start = self._office.commands.start_at_terminal
        return await start(self._theirs, *arguments, **self._office.environment)

    async def answers(self, running: Running, *answers: tuple[str, str]) -> None:
        """To its questions, in order."""
        asked = Counter[str]()
        for question, answer in answers:
            asked[question] += 1
            await running.says(question, times=asked[question])
            os.write(self._ours, f"{answer}\n".encode())

    def close(self) -> None:
        """Leave."""
        os.close(self._ours)
        os.close(self._theirs)


@pytest.fixture
def terminal(office: Office) -> Iterator[Terminal]:
    terminal = Terminal(office)
    yield terminal
    terminal.close()


def steps() -> list[list[str]]:
    """What README has one type in a terminal, in order."""
    block = README.partition("Or from a terminal:\n\n")[2].partition("\n\n")[0]
    words = [shlex.split(line, comments=True)[1:] for line in block.splitlines()]
    return [[str(sample("alice")) if word == "hello.wav" else word for word in line] for line in words]


async def test_the_steps_of_the_readme_work_as_they_stand(office: Office, terminal: Terminal) -> None:
    add_alice, add_bob, listen, call, message, forward = steps()
    once = [(await office.run(*add)).out.split()[-1] for add in (add_alice, add_bob)]

    bob = await terminal.start(*listen)
    new, again = "New password of bob: ", "Once more: "
    mistyped = ((new, "one thing"), (again, "another"))
    too_short = ((new, "short"), (again, "short"))
    await terminal.answers(
        bob, ("Password of bob: ", once[1]), *mistyped, *too_short, (new, OWN), (again, OWN)
    )
    await bob.says("bob can be called")

    alice = await terminal.start(*call)
    await terminal.answers(
        alice, ("Password of alice: ", once[0]), ("New password of alice: ", OWN), (again, OWN)
    )
    done = await alice.ends()
    assert done.code == 0, done.err
    assert "this password was for one use: choose another" in done.err

    alice = await terminal.start(*message)
    await terminal.answers(alice, ("Password of alice: ", OWN))
    assert (await alice.ends()).code == 0
    await bob.says("alice writes: are you there?")
    bob.interrupt()
    assert (await bob.ends()).code == 0

    await office.does("user", "add", "carol")
    owner = await terminal.start(*forward)
    await terminal.answers(owner, ("Password of bob: ", OWN))
    done = await owner.ends()
    assert done.code == 0, done.err
    assert "carol" in done.out and "+4930123456" in done.out


async def test_a_script_changes_a_password_with_two_lines(office: Office) -> None:
    once = (await office.does("user", "add", "carol"))["password"]
    sign_in = ("--user", "carol", "--password-stdin")
    refused = await office.run("message", "carol", "hello", *sign_in, stdin=f"{once}\n")
    assert refused.code == 1
    assert "choose another first, with `wephone password --user carol`" in refused.err

    for stdin, why in (
        (f"{once}\n", "there is no password on stdin"),
        (f"{once}\nshort\n", "password"),
        (f"wrong {once}\n{OWN}\n", "password"),
    ):
        kept = await office.run("password", *sign_in, stdin=stdin)
        assert kept.code == 1 and why in kept.err
    assert await office.does("password", *sign_in, stdin=f"{once}\n{OWN}\n") == {"name": "carol"}

    done = await office.run("message", "carol", "hello", *sign_in, stdin=f"{OWN}\n")
    assert "change the password" not in done.err and "for one use" not in done.err


async def test_a_password_is_not_looked_for_where_nobody_types(office: Office) -> None:
    done = await office.run("password", "--user", "carol")
    assert (done.code, done.out) == (1, "")
    assert "--password-stdin with two lines, or a terminal" in done.err
