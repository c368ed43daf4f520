"""A signed file of permits: taken whole and once, or refused with what is wrong, and the old stays."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from licensing.documents import ChangeError
from licensing.journal import EvidenceFile
from licensing.jurisdiction import load_profiles
from licensing.permit_file import read_permit_file, sign
from licensing.register import Register
from licensing.signing import KeyFormatError, new_key, read_private_key, read_public_key
from tests.fakes.clock import START, HandClock
from tests.licensing.conftest import BASIC

ONE, TWO, STRANGER = new_key(), new_key(), new_key()
KEYS = [ONE.public, TWO.public]
PROFILES = load_profiles()
CHECKED = {"checked_by": "li", "checked_on": "2026-01-05", "sha256": "a" * 64}
SUSPENDED = {"status": "suspended", "from": "2026-03-01T00:00:00Z"}
REVOKED = {"status": "revoked", "from": "2026-03-01T00:00:00Z"}
OFF = {"key": "texts", "enabled": False, "services": ["text_app"]}


def made(*permits: dict[str, Any], minute: int = 0, **more: Any) -> str:
    """The file as somebody writes it, of this minute."""
    at = START.utc + timedelta(minutes=minute - 60)
    document = {"made_at": at.isoformat(), "why": "the regulator's letter", "permits": permits, **more}
    return json.dumps(document)


def signed(text: str, *keys: Any) -> str:
    for key in keys or (ONE,):
        text = sign(text, key, START.utc)
    return text


@pytest.fixture
async def register(file: EvidenceFile, clock: HandClock) -> AsyncIterator[Register]:
    """An open register that knows the law."""
    opened = Register(file, clock, profiles=PROFILES)
    await opened.open()
    yield opened
    await opened.close()


async def take(register: Register, text: str) -> bool:
    return await register.take_file(read_permit_file(text, KEYS))


async def test_a_file_is_one_change_in_the_name_of_its_key(register: Register, file: EvidenceFile) -> None:
    second = {**BASIC, "id": "basic-2", "verified": True, "evidence": [CHECKED]}
    assert await take(register, signed(made(BASIC, second, toggles=[OFF])))
    taken = register.snapshot
    assert (taken.epoch, [(each.id, each.verified) for each in taken.permits]) == (
        1,
        [("basic-1", False), ("basic-2", True)],
    )
    assert [toggle.key for toggle in taken.toggles] == ["texts"]
    [entry] = await file.entries(0, 9)
    body = json.loads(entry.body)
    assert (entry.kind, body["action"], body["why"]) == ("permit_event", "filed", "the regulator's letter")
    assert [(row["kind"], row["key"]) for row in body["rows"]] == [
        ("permit", "basic-1"),
        ("permit", "basic-2"),
        ("toggle", "texts"),
        ("file", "permits"),
    ]
    [who] = await file.clear_values([body["by"]])
    assert who.value == f"file:{ONE.public.id}"
    assert taken.signed_file is not None and taken.signed_file.keys == (ONE.public.id,)


async def test_the_same_file_again_changes_nothing_not_even_what_was_changed_since(
    register: Register,
) -> None:
    text = signed(made(BASIC, toggles=[OFF]))
    assert await take(register, text)
    await register.set_toggle({**OFF, "enabled": True}, by="alice", why="over")
    assert not await take(register, text)
    assert [toggle.enabled for toggle in register.snapshot.toggles] == [True]


async def test_a_file_that_was_made_before_the_one_in_force_brings_nothing_back(register: Register) -> None:
    old = signed(made(BASIC))
    assert await take(register, old)
    assert await take(register, signed(made({**BASIC, "version": 2, "status_events": [REVOKED]}, minute=1)))
    with pytest.raises(
        ChangeError, match=r"made_at: is not after .*, when the file was made that was taken last"
    ):
        await take(register, old)
    assert register.snapshot.permits[0].version == 2


async def test_what_a_file_does_not_name_stays_and_what_is_there_as_it_says_is_left_alone(
    register: Register,
) -> None:
    await register.add_permit({**BASIC, "id": "other"}, by="alice", why="granted")
    await take(register, signed(made(BASIC)))
    assert await take(register, signed(made(BASIC, {**BASIC, "id": "basic-2"}, minute=1)))
    assert [(each.id, each.version) for each in register.snapshot.permits] == [
        ("basic-1", 1),
        ("basic-2", 1),
        ("other", 1),
    ]


async def test_a_file_that_does_not_know_of_a_suspension_is_refused(register: Register) -> None:
    await take(register, signed(made(BASIC)))
    await register.suspend("basic-1", by="alice", why="order")
    with pytest.raises(ChangeError, match=r"permits\[0\]\.version: `basic-1` is there as version 2"):
        await take(register, signed(made(BASIC, minute=1)))
    with pytest.raises(ChangeError, match=r"permits\[0\]\.status_events: those of the version before"):
        await take(register, signed(made({**BASIC, "version": 3}, minute=1), ONE, TWO))


async def test_a_suspension_is_lifted_by_two_keys_and_not_by_one(register: Register) -> None:
    suspended = {**BASIC, "status_events": [SUSPENDED]}
    await take(register, signed(made(suspended)))
    lifted = {**BASIC, "version": 2, "status_events": [{**SUSPENDED, "to": "2026-04-01T00:00:00Z"}]}
    text = made(lifted, minute=1)
    for keys in ((ONE,), (ONE, ONE)):
        with pytest.raises(ChangeError, match="a suspension is lifted by two"):
            await take(register, signed(text, *keys))
    once = json.loads(signed(text))
    once["signatures"] *= 2
    with pytest.raises(ChangeError, match=r"signatures\[1\]\.key: is there twice"):
        await take(register, json.dumps(once))
    assert await take(register, signed(text, ONE, TWO))
    [permit] = register.snapshot.permits
    assert (permit.version, permit.status_events[0].end) == (2, datetime(2026, 4, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "events",
    [
        [],
        [{**SUSPENDED, "to": "2026-06-01T00:00:00Z"}],
        [{**SUSPENDED, "to": "2026-04-01T00:00:00Z", "reference": "another"}],
        [{**SUSPENDED, "from": "2026-03-02T00:00:00Z", "to": "2026-04-01T00:00:00Z"}],
    ],
    ids=["forgotten", "longer", "another one", "begins later"],
)
async def test_two_keys_may_end_a_suspension_and_do_nothing_else_to_it(
    register: Register, events: list[dict[str, Any]]
) -> None:
    await take(
        register, signed(made({**BASIC, "status_events": [{**SUSPENDED, "to": "2026-05-01T00:00:00Z"}]}))
    )
    with pytest.raises(ChangeError, match="those of the version before have to stay"):
        await take(
            register, signed(made({**BASIC, "version": 2, "status_events": events}, minute=1), ONE, TWO)
        )


async def test_two_keys_bring_no_revoked_permit_back(register: Register) -> None:
    await take(register, signed(made({**BASIC, "status_events": [REVOKED]})))
    with pytest.raises(ChangeError, match="those of the version before have to stay"):
        await take(register, signed(made({**BASIC, "version": 2}, minute=1), ONE, TWO))


async def test_a_permit_whose_checker_is_sealed_is_left_alone_as_it_stands(register: Register) -> None:
    checked = {**BASIC, "evidence": [CHECKED], "verified": True}
    await take(register, signed(made(checked)))
    [permit] = register.snapshot.permits
    assert permit.evidence[0].checked_by not in (None, "li")
    assert await take(register, signed(made(checked, minute=1)))
    assert register.snapshot.permits == (permit,)
    with pytest.raises(ChangeError, match="is there as version 1; a new version states 2"):
        await take(register, signed(made({**checked, "evidence": [CHECKED, CHECKED]}, minute=2)))


BAD: list[tuple[dict[str, Any], str]] = [
    ({"permits": [{**BASIC, "colour": "red"}]}, "permits[0].colour: is no field of it (found 'red')"),
    (
        {"permits": [BASIC, {**BASIC, "id": "b", "valid_form": "2026-01-01"}]},
        "permits[1].valid_form: is no field of it; did you mean `valid_from`?",
    ),
    ({"permits": [{**BASIC, "valid_from": "2026-02-30"}]}, "permits[0].valid_from: "),
    ({"permits": [{**BASIC, "valid_until": "2025-12-31"}]}, "permits[0].valid_until: is before valid_from"),
    ({"permits": [BASIC, BASIC]}, "permits[1].id: is there twice (found 'basic-1')"),
    ({"toggles": [OFF, OFF]}, "toggles[1].key: is there twice (found 'texts')"),
    (
        {"permits": [{**BASIC, "status_events": [{"status": "revoked", "from": "2026-03-01T00:00:00"}]}]},
        "permits[0].status_events[0].from: must be a time with its offset, as `2026-11-30T00:00:00+08:00` "
        "(found '2026-03-01T00:00:00')",
    ),
    (
        {"permits": [{**BASIC, "status_events": [SUSPENDED, {**SUSPENDED, "from": "2026-04-01T00:00:00Z"}]}]},
        "permits[0].status_events: the suspension from 2026-04-01T00:00:00+00:00 overlaps the one before it",
    ),
    ({"premits": []}, "premits: is no field of it; did you mean `permits`?"),
    (
        {"format": "wephone.permits/2"},
        "format: Input should be 'wephone.permits/1' (found 'wephone.permits/2')",
    ),
    ({"made_at": "2026-11-25T12:00:00"}, "made_at: must be a time with its offset"),
    ({"why": 1.5}, "why: Input should be a valid string (found 1.5)"),
]


@pytest.mark.parametrize(("harm", "fault"), BAD)
def test_a_file_that_says_something_wrong_is_refused_by_path_and_value_before_it_is_signed(
    harm: dict[str, Any], fault: str
) -> None:
    with pytest.raises(ChangeError) as refused:
        signed(made(**harm) if "permits" in harm else made(BASIC, **harm))
    assert str(refused.value).startswith(fault)


@pytest.mark.parametrize(("harm", "fault"), BAD)
async def test_and_also_when_somebody_signed_it_all_the_same(
    register: Register, harm: dict[str, Any], fault: str
) -> None:
    document = json.loads(signed(made(BASIC))) | harm
    with pytest.raises(ChangeError) as refused:
        await take(register, json.dumps(document))
    assert str(refused.value).startswith((fault, "signatures[0].signature: is broken"))
    assert register.snapshot.epoch == 0


STATE: list[tuple[dict[str, Any], str]] = [
    (
        {"permits": [BASIC, {**BASIC, "id": "b", "categories": ["baseline:basics"]}]},
        "permits[1].categories[0]: baseline has no such category; the nearest that it has is `baseline:b",
    ),
    ({"permits": [{**BASIC, "jurisdiction": "ZW"}]}, "permits[0].jurisdiction: there is no law of it here"),
    ({"permits": [{**BASIC, "version": 3}]}, "permits[0].version: the first version is 1 (found 3)"),
    ({"permits": [{**BASIC, "verified": True}]}, "permits[0].verified: no evidence has checked_by"),
    ({"toggles": [{**OFF, "jurisdictions": ["ZZ"]}]}, "toggles[0].jurisdictions[0]: is neither a country"),
    ({"made_at": "2026-11-26T12:00:00Z"}, "made_at: is in the future"),
]


@pytest.mark.parametrize(("harm", "fault"), STATE)
async def test_a_part_that_cannot_be_taken_keeps_out_all_of_it(
    register: Register, harm: dict[str, Any], fault: str
) -> None:
    with pytest.raises(ChangeError) as refused:
        await take(register, signed(json.dumps(json.loads(made(BASIC)) | harm)))
    assert str(refused.value).startswith(fault)
    assert (register.snapshot.epoch, register.snapshot.permits) == (0, ())


def test_only_what_was_signed_by_keys_that_are_known_is_taken() -> None:
    text = signed(made(BASIC))
    assert read_permit_file(text, KEYS).signed_by == (ONE.public.id,)
    respaced = json.dumps(json.loads(text), sort_keys=True, indent=4)
    assert read_permit_file(respaced, KEYS) == read_permit_file(text, KEYS)
    for broken, fault in (
        (text.replace("basic-1", "basic-9"), r"signatures\[0\]\.signature: is broken"),
        (text.replace("letter", "order"), r"signatures\[0\]\.signature: is broken"),
        (text.replace('"signature": "', '"signature": "x'), r"signatures\[0\]\.signature: is broken"),
        (signed(made(BASIC), STRANGER), r"signatures\[0\]\.key: is none of `permit_file_keys`"),
        (signed(made(BASIC), ONE, STRANGER), r"signatures\[1\]\.key: is none of `permit_file_keys`"),
        (json.dumps(json.loads(text) | {"signatures": []}), "signatures: there is none"),
        ('{"permits": [], "permits": []}', "permits: is there twice"),
        ("[]", "document: "),
        ("x" * 2**20 + "x", "document: longer than 1048576 bytes"),
    ):
        with pytest.raises(ChangeError, match=fault):
            read_permit_file(broken, KEYS)


def test_keys_are_read_as_they_are_written_and_nothing_else_is_a_key() -> None:
    assert read_public_key(str(ONE.public)) == ONE.public
    assert read_private_key(ONE.pem()).public == ONE.public
    assert ONE.pem().decode() not in repr(ONE)
    for text in ("", "ed25519:", "ed25519:AAAA", "rsa:AAAA", str(ONE.public)[:-4]):
        with pytest.raises(KeyFormatError):
            read_public_key(text)
    for pem in (b"", ONE.pem()[:-40], str(ONE.public).encode()):
        with pytest.raises(KeyFormatError):
            read_private_key(pem)


async def test_one_key_files_no_permit_in_the_place_of_one_that_is_suspended(register: Register) -> None:
    await take(register, signed(made({**BASIC, "status_events": [SUSPENDED]})))
    text = made({**BASIC, "id": "basic-2"}, minute=1)
    with pytest.raises(ChangeError, match=r"permits\[0\]\.id: takes the place of `basic-1`"):
        await take(register, signed(text))
    assert await take(register, signed(text, ONE, TWO))
