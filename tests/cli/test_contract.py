"""docs/contract.md says what the commands really take and print."""

import argparse
import importlib
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Commands
from tests.cli.office import BASIC, Office

CONTRACT = (Path(__file__).parents[2] / "docs" / "contract.md").read_text()
CASES = Path(__file__).parents[1] / "licensing" / "data" / "decision-vectors.json"
COMMANDS = ("user", "permit", "trunk", "pstn", "explain", "audit", "licence", "backup", "restore")
NO_SERVER = {"licence", "backup", "restore", "permit key", "permit sign"}  # they speak to none
OF_EACH = {"--config", "--as", "--url", "--json"}

Shape = dict[str, Any]  # a field -> the shape of what is in it, or none


def section(command: str) -> str:
    """What the page says of one command."""
    return CONTRACT.partition(f"\n## `wephone {command}`\n")[2].partition("\n## ")[0]


def usages(command: str) -> dict[str, str]:
    """Its actions, or the command itself, and what the page says they take."""
    lines = re.findall(rf"^\| `wephone {command} ?([^`]*)` \|", section(command), re.MULTILINE)
    named = command in ("user", "permit", "trunk", "audit", "licence")
    return {line.split()[0]: line.partition(" ")[2] for line in lines} if named else {command: lines[0]}


def parsers(command: str) -> dict[str, argparse.ArgumentParser]:
    """Its actions, or the command itself, and their parsers."""
    subparsers = argparse.ArgumentParser().add_subparsers()
    importlib.import_module(f"wephone.cli.{command}").register(subparsers)
    found: argparse.ArgumentParser = subparsers.choices[command]
    for action in found._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {command: found}


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_takes_what_is_written_down(command: str) -> None:
    written = usages(command)
    taken = parsers(command)
    assert set(taken) == set(written)
    for name, parser in taken.items():
        options = {option for action in parser._actions for option in action.option_strings}
        shared = set() if {command, f"{command} {name}"} & NO_SERVER else OF_EACH
        assert options - {"-h", "--help"} == set(re.findall(r"--[a-z-]+", written[name])) | shared, name
        written[name] = re.sub(r"--(key KEY|why TEXT)", "", written[name])  # those that have to be said
        positional = [
            action.metavar or action.dest.upper()
            for action in parser._actions
            if not action.option_strings and action.nargs != "?"
        ]
        assert positional == re.sub(r"\[.*?\]", "", written[name]).split(), name


@pytest.mark.parametrize("command", ["call", "listen", "message", "password", "forward", "demo"])
def test_each_option_of_the_softphone_is_written_down(command: str) -> None:
    written = CONTRACT.partition("\n## The softphone's commands\n")[2]
    (parser,) = parsers(command).values()
    options = {option for action in parser._actions for option in action.option_strings if option[1] == "-"}
    assert options - {"--help"} <= set(re.findall(r"`(--[a-z-]+)", written))


def shapes(command: str) -> dict[str, Shape]:
    """Action -> the fields that the page promises."""
    rows = re.findall(r"^\| ((?:`[a-z-]+`(?:, )?)+) \| `(\{.+?\})`", section(command), re.MULTILINE)
    return {name: shape(text) for names, text in rows for name in re.findall(r"`([a-z-]+)`", names)}


def shape(text: str) -> Shape:
    """`{a, b: [{c}]}` as a tree."""
    tokens = re.findall(r"[{}]|\w+", text)[1:]
    top: Shape = {}
    stack, last = [top], ""
    for token in tokens:
        if token == "{":
            stack[-1][last] = {}
            stack.append(stack[-1][last])
        elif token == "}":
            stack.pop()
        else:
            last = token
            stack[-1][last] = None
    return top


def fits(document: Any, promised: Shape, where: str) -> None:
    """Has it these fields and no other, all the way down?"""
    assert set(document) == set(promised), where
    for field, inner in promised.items():
        value = document[field]
        for each in value if isinstance(value, list) else [value]:
            if inner is not None and each is not None:
                fits(each, inner, f"{where}.{field}")


@pytest.fixture
async def office(commands: Commands, tmp_path: Path) -> AsyncIterator[Office]:
    office = Office(commands, tmp_path)
    await office.serve()
    yield office
    await office.close()


async def test_each_command_prints_the_fields_that_are_written_down(office: Office, tmp_path: Path) -> None:
    permit = shapes("permit")

    async def promises(action: str, *arguments: str, stdin: str = "") -> Any:
        told = await office.does("permit", action, *arguments, stdin=stdin)
        fits(told, permit.pop(action), action)
        return told

    example = section("permit").partition("```json\n")[2].partition("```")[0]
    await promises("add", "-", stdin=example)
    await promises("toggle", "pstn_out", "off")
    await promises("suspend", "basic-1")
    await promises("reinstate", "basic-1")
    await promises("list")
    await promises("withdraw", "reinstate:basic-1")
    await promises("revoke", "basic-1")
    await promises("show", "basic-1")
    await promises("what-if", "--off", "pstn_out")
    key, file = str(tmp_path / "key"), tmp_path / "permits.json"
    await promises("key", key)
    signed = section("permit").split("```json\n")[2].partition("```")[0]
    file.write_text(json.dumps({**json.loads(signed), "signatures": []}))
    await promises("sign", str(file), "--key", key)
    assert not permit

    for state in ("off", "on"):
        fits(await office.does("pstn", state), shapes("pstn")[state], state)
    fits(await office.does("audit", "verify"), shapes("audit")["verify"], "verify")
    exported = await office.does("audit", "export", "--out", str(tmp_path / "journal.jsonl"))
    fits(exported, shapes("audit")["export"], "export")
    fits(await office.does("audit", "checkpoint"), shapes("audit")["checkpoint"], "checkpoint")
    fits(await office.does("audit", "key"), shapes("audit")["key"], "key")
    carrier = tmp_path / "carrier.csv"
    carrier.write_text("start,number,seconds\n")
    fits(await office.does("audit", "reconcile", str(carrier)), shapes("audit")["reconcile"], "reconcile")
    fits(await office.does("licence", "check", str(CASES)), shapes("licence")["check"], "check")
    copy = str(tmp_path / "copy")
    fits(await office.does("backup", copy), shapes("backup")["backup"], "backup")
    await office.close()
    fits(await office.does("restore", copy), shapes("restore")["restore"], "restore")


def test_the_documented_permit_is_the_one_that_the_tests_file() -> None:
    example = json.loads(section("permit").partition("```json\n")[2].partition("```")[0])
    assert {key: example[key] for key in BASIC} == BASIC
