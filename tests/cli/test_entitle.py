"""`wephone user entitle`: who may call telephones, and how much."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cli.conftest import Commands
from tests.cli.office import Office


@pytest.fixture
async def office(commands: Commands, tmp_path: Path) -> AsyncIterator[Office]:
    """No server runs until a test starts one."""
    office = Office(commands, tmp_path)
    yield office
    await office.close()


async def test_who_may_call_telephones_is_granted_shown_and_taken_back(office: Office) -> None:
    await office.does("user", "add", "alice")
    nothing = {"calls": 0, "calls_of_hour": 0, "seconds_of_day": 0}
    none = {"name": "alice", "granted": None, "by": None, "at": None, "used": nothing}
    assert await office.does("user", "entitle", "alice") == none
    granted = await office.does(
        "user", "entitle", "alice", "--country", "DE", "--country", "AT", "--calls-per-hour", "7"
    )
    assert granted["granted"] == {
        "countries": ["AT", "DE"],
        "concurrent_calls": 2,
        "calls_per_hour": 7,
        "minutes_per_day": 60,
        "call_minutes": 60,
    }
    assert granted["by"] == "operator"
    assert await office.does("user", "entitle", "alice") == granted
    assert "countries        AT, DE" in (await office.run("user", "entitle", "alice")).out
    assert await office.does("user", "entitle", "alice", "--off") == none


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--country", "ZZ"), 1, "must be a country of ISO 3166-1"),
        (("--calls-per-hour", "7"), 2, "say which countries: --country"),
        (("--country", "DE", "--off"), 2, "--off goes with nothing else"),
        (("--country", "DE", "--call-minutes", "0"), 1, "`call_minutes`"),
    ],
)
async def test_what_cannot_be_granted_is_said_in_a_sentence(
    office: Office, options: tuple[str, ...], code: int, said: str
) -> None:
    await office.does("user", "add", "alice")
    done = await office.run("user", "entitle", "alice", *options)
    assert (done.code, said in done.err) == (code, True), done.err


async def test_nobody_is_granted_anything_who_has_no_account(office: Office) -> None:
    done = await office.run("user", "entitle", "nobody", "--country", "DE")
    assert (done.code, "nobody" in done.err) == (1, True), done.err
