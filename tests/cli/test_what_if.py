"""`wephone permit what-if`: past calls counted under permits that are only supposed."""

import json
import sys
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from licensing.facts import CallFacts, Role, app_leg, facts_to_json, phone_leg
from licensing.numbering import Number, Place, canonicalise
from tests.cli.conftest import Commands
from tests.cli.office import BASIC, Office
from tests.cli.test_contract import fits, shapes
from tests.signaling.device import Device
from wephone.cli.what_if import Bar

NUMBER = "+12025550123"
PASSWORD = "correct horse battery"
SHIPPED = json.loads(resources.files("licensing").joinpath("jurisdictions/baseline.json").read_text())
NOBODY = {"decisions": 0, "seconds": 0, "users": 0}


@pytest.fixture
async def office(commands: Commands, tmp_path: Path) -> AsyncIterator[Office]:
    """No server runs until a test starts one."""
    office = Office(commands, tmp_path)
    yield office
    await office.close()


@pytest.fixture
async def past(office: Office) -> Office:
    """Alice and Bob talked once; then Alice dialled a number twice, and was refused."""
    await office.serve()
    async with aiohttp.ClientSession() as http:
        alice, bob = [
            await Device.of_new_account(http, office.ready["url"], name, PASSWORD)
            for name in ("alice", "bob")
        ]
        call = await alice.talk_to(bob)
        await alice.say(type="hangup", call=call)
        await bob.hears("ended")
        for _ in range(2):
            await alice.invite(NUMBER)
            await alice.hears("ended")
        for device in (alice, bob):
            await device.close()
    return office


def file(folder: Path, name: str, document: dict[str, Any]) -> str:
    path = folder / name
    path.write_text(json.dumps(document))
    return str(path)


async def test_who_supposes_nothing_finds_no_flip(past: Office) -> None:
    answer = await past.does("permit", "what-if")
    fits(answer, shapes("permit")["what-if"], "what-if")
    assert (answer["decisions"], answer["left_out"], answer["other_basis"]) == (3, 0, 0)
    assert (answer["users"], answer["flips"], answer["revenue"]) == (1, [], None)


async def test_a_permit_that_is_supposed_shows_the_calls_that_it_would_have_allowed(
    past: Office, tmp_path: Path
) -> None:
    permit = file(tmp_path, "basic.json", BASIC)
    answer = await past.does("permit", "what-if", "--add", permit)
    fits(answer, shapes("permit")["what-if"], "what-if")
    assert (answer["allowed"], answer["refused"]) == ({"decisions": 2, "seconds": 0, "users": 1}, NOBODY)
    [flip] = answer["flips"]
    assert (flip["before"]["reason"], flip["after"]["reason"]) == ("DENY_NO_PERMIT", "OK_PERMIT_COVERS")
    assert len(flip["examples"]) == 2
    assert (await past.does("explain", flip["examples"][0]))["reason"] == "DENY_NO_PERMIT"
    assert (await past.does("permit", "list"))["permits"] == []
    told = await past.run("permit", "what-if", "--add", permit)
    assert "would be allowed: 2 decisions, 0.0 minutes, 1 users" in told.out
    assert "pstn_out: DENY_NO_PERMIT -> OK_PERMIT_COVERS" in told.out


async def test_a_class_that_is_supposed_to_be_off_shows_the_calls_that_it_would_cost(past: Office) -> None:
    answer = await past.does("permit", "what-if", "--off", "app_voice")
    assert answer["refused"]["decisions"] == 1
    assert answer["flips"][0]["after"]["reason"] == "DENY_SERVICE_DISABLED"


async def test_the_same_is_answered_without_a_server_and_as_of_a_moment(past: Office, tmp_path: Path) -> None:
    await past.files(BASIC)
    await past.close()
    suspended = ("permit", "what-if", "--suspend", "basic-1")
    assert (await past.does(*suspended))["flips"] == []  # the permit was not there yet
    answer = await past.does(*suspended, "--at", "2026-12-01T00:00:00Z")
    assert answer["refused"]["decisions"] == 2
    assert answer["flips"][0]["after"]["reason"] == "DENY_PERMIT_SUSPENDED"


async def test_an_export_and_made_up_calls_are_replayed_from_a_file(past: Office, tmp_path: Path) -> None:
    export = tmp_path / "export.jsonl"
    await past.does("audit", "export", "--out", str(export))
    permit = file(tmp_path, "basic.json", BASIC)
    answer = await past.does("permit", "what-if", "--add", permit, "--from", str(export))
    assert (answer["decisions"], answer["allowed"]["decisions"]) == (3, 2)
    number = canonicalise("+861065551234", Place(homes=("CN",)))
    assert isinstance(number, Number)
    facts = CallFacts((app_leg(Role.ORIGIN), phone_leg(Role.DESTINATION, number)))
    made_up = tmp_path / "made-up.jsonl"
    line = json.dumps({"facts": facts_to_json(facts), "utc_ns": 1_795_000_000_000_000_000})
    made_up.write_text(f"{line}\n{line}\n")
    answer = await past.does("permit", "what-if", "--add", permit, "--from", str(made_up))
    assert (answer["decisions"], answer["allowed"]["decisions"]) == (2, 2)


async def test_another_edition_of_the_law_is_supposed_from_a_file(past: Office, tmp_path: Path) -> None:
    without = {**SHIPPED, "services": {k: v for k, v in SHIPPED["services"].items() if k != "app_voice"}}
    answer = await past.does("permit", "what-if", "--profile", file(tmp_path, "law.json", without))
    assert answer["flips"][0]["after"]["reason"] == "DENY_NO_RULE_FOR_CLASS"


async def test_what_makes_no_sense_is_one_sentence(office: Office, tmp_path: Path) -> None:
    await office.serve()
    bad = file(tmp_path, "bad.json", {**BASIC, "valid_from": "2026-02-30"})
    no_calls = tmp_path / "no.jsonl"
    no_calls.write_text("{}\n")
    for arguments, code, said in (
        (("--suspend", "basic-9"), 1, "there is no permit `basic-9`"),
        (("--judge", "ZZ"), 1, "there is no profile `ZZ`"),
        (("--add", bad), 1, f"{bad}: valid_from:"),
        (("--add", str(tmp_path / "none.json")), 1, "no such file"),
        (("--profile", bad), 1, f"{bad}: is no profile"),
        (("--from", str(no_calls)), 1, f"{no_calls}: line 1: is no decision, and has no `facts`"),
        (("--off", "pstn_outt"), 2, "`pstn_outt` is neither a service class nor a country"),
        (("--at", "tomorrow"), 2, "is no time with an offset"),
    ):
        done = await office.run("permit", "what-if", *arguments)
        assert (done.code, said in done.err) == (code, True), done.err


def test_a_terminal_sees_how_far_it_has_come_and_nothing_of_it_afterwards(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    bar = Bar(2_000)
    bar.passed(1_000)
    assert capsys.readouterr().err == f"\r[{'#' * 15}{'.' * 15}]  50 %  1000 of 2000 entries"
    bar.done()
    assert capsys.readouterr().err == "\r\x1b[K"


def test_what_is_no_terminal_sees_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    bar = Bar(2_000)
    bar.passed(2_000)
    bar.done()
    assert capsys.readouterr().err == ""
