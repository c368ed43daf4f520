"""What takes two people: nobody lifts a suspension alone, by another document or by another account."""

import json
from typing import Any

import pytest

from licensing.changes import Check
from licensing.documents import ChangeError
from licensing.journal import EvidenceFile
from licensing.register import Register
from licensing.snapshot import Proposal
from tests.fakes.clock import START, HandClock
from tests.licensing.conftest import BASIC

CN: dict[str, Any] = {
    "id": "cn-a15",
    "jurisdiction": "CN",
    "categories": ["CN:A15-1"],
    "holder": "Example Operator Ltd",
    "number": "A1-2026 0001",
    "valid_from": "2026-01-01",
}
CHECK = Check("li", START.utc.date(), register_address="https://register.example/1")


@pytest.fixture(params=["suspended", "suspended from tomorrow", "revoked"])
async def lost(request: pytest.FixtureRequest, register: Register, clock: HandClock) -> Register:
    """A register whose one permit is lost."""
    await register.add_permit(CN, by="ann", why="granted")
    tomorrow = clock.now().after(24 * 3600 * 10**9).utc
    match request.param:
        case "revoked":
            await register.revoke("cn-a15", by="ann", why="order")
        case _:
            start = tomorrow if "tomorrow" in request.param else None
            await register.suspend("cn-a15", by="ann", why="order", start=start)
    return register


@pytest.mark.parametrize(
    "likeness",
    [
        {},
        {"categories": ["CN:A15"], "number": None},
        {"categories": ["CN:A15-1#domestic"], "number": None},
        {"holder": None, "number": None},
        {"categories": ["CN:A11"], "number": "a1-20260001"},
    ],
    ids=["a copy", "the parent", "another part", "no holder", "its number"],
)
async def test_what_takes_the_place_of_a_lost_permit_is_filed_by_two(
    lost: Register, likeness: dict[str, Any]
) -> None:
    copy = {**CN, "id": "cn-copy", **likeness}
    for _ in range(2):
        with pytest.raises(ChangeError, match=r"another operator has to (file|agree)"):
            await lost.add_permit(copy, by="ann", why="it is needed")
    assert [each.by for each in lost.waiting()] == ["ann"]
    with pytest.raises(ChangeError, match="another operator has to file"):
        await lost.add_permit({**copy, "issuer": "another"}, by="bob", why="not the same document")
    assert lost.snapshot.permit("cn-copy") is None
    filed = await lost.add_permit(copy, by="bob", why="the order was lifted", check=CHECK)
    assert filed.verified and lost.snapshot.permit("cn-copy") == filed


@pytest.mark.parametrize(
    "other",
    [
        {"categories": ["CN:B25"]},
        {"holder": "Somebody Else"},
        {"jurisdiction": "US", "categories": ["US:214"]},
    ],
    ids=["another category", "another holder", "another country"],
)
async def test_another_permit_is_filed_by_one(lost: Register, other: dict[str, Any]) -> None:
    await lost.add_permit({**CN, "id": "other", "number": None, **other}, by="ann", why="granted")


async def test_the_next_version_of_a_permit_must_not_grow_into_a_lost_one(register: Register) -> None:
    other = {**CN, "id": "old", "number": None, "valid_until": "2026-06-30"}
    await register.add_permit(other, by="ann", why="what we had before")
    await register.add_permit(CN, by="ann", why="granted")
    await register.suspend("cn-a15", by="ann", why="order")
    for growth in ({"valid_until": None}, {"valid_from": "2020-01-01"}, {"categories": ["CN:A15"]}):
        with pytest.raises(ChangeError, match="another operator has to file"):
            await register.add_permit({**other, "version": 2, **growth}, by="ann", why="more")
    with pytest.raises(ChangeError, match="another operator has to file"):
        await register.add_permit({**other, "version": 2}, by="ann", why="checked now", check=CHECK)
    await register.add_permit({**other, "version": 2, "issuer": "MIIT"}, by="ann", why="who issued it")


async def asked(register: Register, by: str) -> Proposal:
    await register.add_permit(BASIC, by="root", why="granted")
    await register.suspend("basic-1", by="root", why="order")
    proposal = await register.reinstate("basic-1", by=by, why="please")
    assert isinstance(proposal, Proposal)
    return proposal


@pytest.mark.parametrize(
    ("opened", "first", "second"),
    [
        ([("bob", "ann")], "ann", "bob"),
        ([("bob", "ann")], "bob", "ann"),
        ([("bob", "ann"), ("carol", "bob")], "ann", "carol"),
        ([("bob", "ann"), ("carol", "ann")], "bob", "carol"),
        ([("bob", "ann"), ("ann", "bob")], "ann", "bob"),
    ],
    ids=["opened by the first", "by the second", "at one remove", "both by a third", "by each other"],
)
async def test_accounts_that_one_person_may_use_do_not_agree(
    register: Register, clock: HandClock, opened: list[tuple[str, str]], first: str, second: str
) -> None:
    for name, by in opened:
        await register.note_password(name, by=by, opened=True)
    clock.advance(1)
    await asked(register, first)
    with pytest.raises(ChangeError, match="may be one person's"):
        await register.reinstate("basic-1", by=second, why="please")
    assert not isinstance(await register.reinstate("basic-1", by="vera", why="please"), Proposal)


async def test_what_was_opened_on_the_machine_is_nobody_elses(register: Register, clock: HandClock) -> None:
    await register.note_password("bob", by="ann", opened=True)
    await register.note_password("bob", by="ann", on_machine=True)
    clock.advance(1)
    await asked(register, "ann")
    assert not isinstance(await register.reinstate("basic-1", by="bob", why="please"), Proposal)


@pytest.mark.parametrize("opened", [True, False])
async def test_an_account_that_came_after_the_wish_does_not_agree_to_it(
    register: Register, clock: HandClock, opened: bool
) -> None:
    await asked(register, "ann")
    clock.advance(1)
    await register.note_password("bob", by="carol", opened=opened, on_machine=True)
    with pytest.raises(ChangeError, match="after this was asked for"):
        await register.reinstate("basic-1", by="bob", why="please")


async def test_who_was_given_a_password_is_in_the_journal_and_no_name_is(
    register: Register, file: EvidenceFile
) -> None:
    await register.note_password("bob", by="ann", opened=True)
    await register.note_password("bob", by="ann")
    entries = await file.entries(0, 9)
    assert [(each.kind, json.loads(each.body)["action"]) for each in entries] == [
        ("account_event", "opened"),
        ("account_event", "password_reset"),
    ]
    assert not any(name in f"{each.body}{each.subject}" for each in entries for name in ("bob", "ann"))
    body = json.loads(entries[0].body)
    known = {each.hash: each.value for each in await file.clear_values([body["by"], body["about"]])}
    assert (known[body["by"]], known[body["about"]]) == ("ann", "bob")


async def test_no_name_of_an_account_is_in_the_register_in_clear(register: Register) -> None:
    await register.note_password("Mallory", by="ann", opened=True)
    documents = [row.document for row in await register.history()]
    assert documents and not any("mallory" in document.casefold() for document in documents)
    assert register.snapshot.given_to(" mallory ") is not None
