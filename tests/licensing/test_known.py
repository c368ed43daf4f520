"""A permit that says what nobody can mean is refused whole, naming path and value."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from licensing.documents import ChangeError
from licensing.journal import EvidenceFile
from licensing.jurisdiction import load_profiles
from licensing.register import Register
from tests.fakes.clock import HandClock

CN: dict[str, Any] = {
    "id": "cn-b25",
    "jurisdiction": "CN",
    "categories": ["CN:B25"],
    "holder": "Example Operator Ltd",
    "valid_from": "2024-03-01",
}
EU: dict[str, Any] = {
    "id": "de-1",
    "jurisdiction": "DE",
    "categories": ["EU:GA-NIICS"],
    "valid_from": "2024-03-01",
}
REVOKED = {"status": "revoked", "from": "2026-01-01T00:00:00+08:00"}
AFTERWARDS = {"status": "suspended", "from": "2026-02-01T00:00:00+08:00"}
BEFORE = {"status": "suspended", "from": "2025-02-01T00:00:00+08:00"}


@pytest.fixture
async def register(file: EvidenceFile, clock: HandClock) -> AsyncIterator[Register]:
    """A register that knows the law."""
    opened = Register(file, clock, profiles=load_profiles())
    await opened.open()
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"valid_from": "2024-03-01T00:00:00-05:00"}, "valid_from: must be a date"),
        ({"valid_from": "2024-03-01T00:00:00"}, "valid_from: must be a date"),
        ({"valid_from": 1709251200}, "valid_from: must be a date"),
        ({"valid_until": "1909251200"}, "valid_until: must be a date"),
        ({"version": "1"}, "version: "),
        ({"version": 1.0}, "version: "),
        ({"verified": "yes"}, "verified: "),
        (
            {"status_events": [{"status": "suspended", "from": 1709251200}]},
            r"status_events\[0\]\.from: must be",
        ),
        (
            {"status_events": [{"status": "suspended", "start": "2026-01-01T00:00:00+08:00"}]},
            r"status_events\[0\]\.start: is no field of it",
        ),
        (
            {"status_events": [{**AFTERWARDS, "end": "2026-03-01T00:00:00+08:00"}]},
            r"status_events\[0\]\.end: is no field of it",
        ),
        (
            {"status_events": [REVOKED, AFTERWARDS]},
            r"status_events\[1\]\.from: begins when the permit has ended",
        ),
        ({"categories": ["CN:B25", "CN:B25"]}, r"categories\[1\]: is there twice \(found 'CN:B25'\)"),
        (
            {"categories": ["CN:B25#nonsense_part"]},
            r"categories\[0\]: .* the nearest that it has is `CN:B25#",
        ),
        ({"regions": ["CN-ZZ"]}, r"regions\[0\]: is no part of CN; the nearest .* \(found 'CN-ZZ'\)"),
        ({"regions": ["CN-BJ", "CN-HK"]}, r"regions\[1\]: is a country of its own here"),
        ({"regions": ["CN"]}, r"regions\[0\]: is all of it: that is `\*`"),
        ({"regions": ["US-NY"]}, r"regions\[0\]: is no region of CN"),
        ({"regions": ["CN-BJ", "CN-BJ"]}, r"regions\[1\]: is there twice"),
    ],
)
async def test_what_nobody_can_mean_is_refused(register: Register, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ChangeError, match=f"^{said}"):
        await register.add_permit(CN | wrong, by="root", why="a test")
    assert register.snapshot.permits == ()


@pytest.mark.parametrize(
    "right",
    [
        {"categories": ["CN:B25#internet", "CN:B25#non_internet"], "regions": ["CN-BJ", "CN-SH"]},
        {"status_events": [BEFORE | {"to": "2025-03-01T00:00:00+08:00"}, REVOKED]},
        {"status_events": [BEFORE, REVOKED]},
        {"valid_until": "9999-12-31"},
    ],
)
async def test_what_can_be_meant_is_taken(register: Register, right: dict[str, Any]) -> None:
    await register.add_permit(CN | right, by="root", why="a test")


async def test_regions_of_a_member_state_are_countries(register: Register) -> None:
    categories = [next(iter(load_profiles().by_code["DE"].categories))]
    permit = {**EU, "categories": categories}
    with pytest.raises(ChangeError, match=r"regions\[0\]: has to be a country there, as `DE`"):
        await register.add_permit({**permit, "regions": ["DE-BY"]}, by="root", why="a test")
    await register.add_permit({**permit, "regions": ["DE"]}, by="root", why="a test")
