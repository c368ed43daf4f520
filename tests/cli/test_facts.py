"""`wephone user facts`: what an operator records about an account's holder, and who is told what."""

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.cli.conftest import Commands
from tests.cli.office import Office

NUMBER = "+8613912345678"


@pytest.fixture
async def office(commands: Commands, tmp_path: Path) -> AsyncIterator[Office]:
    """No server runs until a test starts one."""
    office = Office(commands, tmp_path)
    yield office
    await office.close()


async def test_what_was_verified_is_shown_with_who_when_and_on_what(office: Office, tmp_path: Path) -> None:
    await office.does("user", "add", "alice")
    assert (await office.does("user", "facts", "alice"))["identity"] == "unknown"
    card = tmp_path / "card.pdf"
    card.write_bytes(b"a scan")
    known = await office.does(
        "user", "facts", "alice", "--country", "CN", "--subdivision", "CN-BJ", "--identity", "verified",
        "--emergency-country", "CN", "--emergency-address", "1 Main St", "--add-number", NUMBER,
        "--note", "card shown", "--evidence", str(card),
    )  # fmt: skip
    assert known["residence"] == {"country": "CN", "subdivision": "CN-BJ", "basis": "verified"}
    assert known["numbers"] == [NUMBER]
    said = known["said"]["verified"]["residence"]["said"]
    assert (said["by"], said["note"]) == ("operator", "card shown")
    assert said["evidence"] == sha256(b"a scan").hexdigest()
    await office.does("user", "facts", "alice", "--unknown", "residence", "--remove-number", NUMBER)
    known = await office.does("user", "facts", "alice")
    assert (known["residence"], known["numbers"], len(known["history"])) == (None, [], 2)


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--country", "ZZ"), 1, "`residence.country`: must be a country of ISO 3166-1"),
        (("--subdivision", "CN-BJ"), 2, "--subdivision goes with --country"),
        (("--emergency-address", "1 Main St"), 2, "--emergency-country goes with --emergency-address"),
        (("--add-number", "13912345678"), 1, "must be a telephone number by E.164"),
        (("--note", "card shown"), 2, "--note and --evidence go with what was verified"),
        (("--identity", "verified", "--evidence", "/nowhere"), 1, "cannot read `/nowhere`"),
    ],
)
async def test_what_cannot_be_recorded_is_said_in_a_sentence(
    office: Office, options: tuple[str, ...], code: int, said: str
) -> None:
    await office.does("user", "add", "alice")
    done = await office.run("user", "facts", "alice", *options)
    assert (done.code, said in done.err) == (code, True), done.err
