"""docs/contract.md says what `wephone serve` and `wephone user` really take and print."""

import argparse
import re
from pathlib import Path
from typing import Any

import pytest

from tests.signaling.test_serve import Machine, machine
from wephone.cli import serve, user

CONTRACT = (Path(__file__).parents[2] / "docs" / "contract.md").read_text()
SERVE, AFTER = CONTRACT.split("## `wephone user`")
USER = AFTER.partition("\n## ")[0]

INNER = r"(\w+): \[?\{([^}]+)\}\]?"  # a field whose value has fields

__all__ = ["machine"]  # the fixture


def parser_of(command: Any, name: str) -> argparse.ArgumentParser:
    top = argparse.ArgumentParser()
    subparsers = top.add_subparsers()
    command.register(subparsers)
    found: argparse.ArgumentParser = subparsers.choices[name]
    return found


def actions_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    [found] = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(found.choices)


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    return {option for action in parser._actions for option in action.option_strings} - {"-h", "--help"}


def test_serve_takes_the_options_that_are_written_down() -> None:
    written = set(re.findall(r"^\| `(--[a-z-]+)", SERVE, re.MULTILINE))
    assert options_of(parser_of(serve, "serve")) == written


def test_user_takes_the_commands_and_options_that_are_written_down() -> None:
    shared = set(re.findall(r"^\| `(--[a-z-]+)", USER, re.MULTILINE))
    lines = re.findall(r"^\| `wephone user ([^`]+)` \|", USER, re.MULTILINE)
    written = {}
    for line in lines:
        name, _, rest = line.partition(" ")
        written[name] = set(re.findall(r"--[a-z-]+", rest)), "NAME" in rest
    actions = actions_of(parser_of(user, "user"))
    assert set(actions) == set(written)
    for name, parser in actions.items():
        options, takes_name = written[name]
        assert options_of(parser) == options | shared, name
        positional = [action.metavar for action in parser._actions if not action.option_strings]
        assert positional == (["NAME"] if takes_name else []), name


@pytest.mark.parametrize(
    ("command", "fields"), re.findall(r"^\| ((?:`[a-z-]+`(?:, )?)+) \| `\{(.+?)\}`", USER, re.MULTILINE)
)
async def test_a_command_prints_the_fields_that_are_written_down(
    command: str, fields: str, machine: Machine
) -> None:
    await machine.run("user", "add", "alice")
    for name in re.findall(r"`([a-z-]+)`", command):
        given = {"list": [], "invite": [], "add": ["bob"]}.get(name, ["alice"])
        done = await machine.run("user", name, *given, "--json")
        assert done.code == 0, done.err
        assert set(done.json) == set(re.sub(INNER, r"\1", fields).split(", "))
        for outer, inner in re.findall(INNER, fields):
            value = done.json[outer]
            for each in value if isinstance(value, list) else filter(None, [value]):
                assert set(each) == set(inner.split(", "))


async def test_the_ready_line_has_the_fields_that_are_written_down(machine: Machine) -> None:
    written = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.+?`) \|", ready_table(), re.MULTILINE))))
    assert set((await machine.serve()).ready) == written


def ready_table() -> str:
    begin = SERVE.index("and a JSON object with")
    return SERVE[begin : SERVE.index("The first operator's account")]
