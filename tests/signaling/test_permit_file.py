"""A signed file that is dropped in: watched, taken at once, and refused without a trace but the reason."""

import asyncio
import json
import os
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from licensing.alarms import Alarm, Alarms
from licensing.journal import EvidenceFile
from licensing.jurisdiction import load_profiles
from licensing.permit_file import sign, signed_bytes
from licensing.register import Register
from licensing.signing import PrivateKey, new_key
from licensing.snapshot import Snapshot
from signaling.permit_file import PermitFileWatch
from signaling.watch import EVERY
from tests.fakes.clock import START, HandClock
from tests.licensing.conftest import BASIC
from tests.licensing.frail import FrailStore

KEY, OTHER = new_key(), new_key()
PROFILES = load_profiles()
SUSPENDED = {"status": "suspended", "from": "2026-03-01T00:00:00Z"}


class Folder:
    """Where a file may be dropped, a register, and what watches over both."""

    def __init__(self, path: Path, file: EvidenceFile) -> None:
        self.path, self.clock, self.alarms = path, HandClock(), Alarms()
        self.store = FrailStore(file)
        self.register = Register(self.store, self.clock, profiles=PROFILES)
        keys = (KEY.public, OTHER.public)
        self.watch = PermitFileWatch(path, keys, self.register, self.alarms)

    def drops(self, *permits: dict[str, Any], minute: int = 0, key: PrivateKey = KEY, **more: Any) -> None:
        """Sign a file, and move it in place."""
        at = f"2026-11-25T11:{minute:02}:00Z"
        text = json.dumps({"made_at": at, "why": "a letter", "permits": permits, **more})
        self.lays(sign(text, key, START.utc))

    def lays(self, text: str | bytes) -> None:
        """Move this in place, whatever it is."""
        written = self.path.with_name("written")
        written.write_bytes(text if isinstance(text, bytes) else text.encode())
        written.replace(self.path)

    def state(self) -> tuple[str | None, list[tuple[str, int]]]:
        """Why the file was not taken, and what is in force."""
        return self.watch.fault, self.permits()

    def permits(self) -> list[tuple[str, int]]:
        return [(permit.id, permit.version) for permit in self.register.snapshot.permits]


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Folder]:
    file = EvidenceFile(tmp_path / "evidence.db")
    await file.open()
    folder = Folder(tmp_path / "permits.json", file)
    await folder.register.open()
    yield folder
    await folder.watch.close()
    await folder.register.close()
    await file.close()


async def test_a_file_is_in_force_a_second_after_it_was_dropped_in_and_again_when_it_is_swapped(
    folder: Folder,
) -> None:
    assert EVERY < 1
    news: asyncio.Queue[Snapshot] = asyncio.Queue()
    folder.register.on_change(news.put_nowait)
    folder.watch.start()
    folder.drops(BASIC)
    assert [permit.id for permit in (await news.get()).permits] == ["basic-1"]
    folder.drops(BASIC, {**BASIC, "id": "basic-2"}, minute=1)
    assert [permit.id for permit in (await news.get()).permits] == ["basic-1", "basic-2"]


BAD: list[tuple[str, dict[str, Any], str]] = [
    (
        "unknown field",
        {**BASIC, "version": 2, "valid_untl": "2030-01-01"},
        "permits[0].valid_untl: is no field",
    ),
    ("impossible date", {**BASIC, "version": 2, "valid_until": "2030-02-30"}, "permits[0].valid_until: "),
    (
        "no zone",
        {**BASIC, "status_events": [{**SUSPENDED, "from": "2026-03-01T00:00:00"}]},
        "a time with its offset",
    ),
    ("bad zone", {**BASIC, "status_events": [{**SUSPENDED, "from": "2026-03-01T00:00:00+30:00"}]}, "+30:00"),
    (
        "unknown zone",
        {**BASIC, "id": "x", "jurisdiction": "ZW"},
        "nor the zone of its dates are known (found 'ZW')",
    ),
    (
        "unknown category",
        {**BASIC, "id": "cn", "jurisdiction": "CN", "categories": ["CN:A15-9"]},
        "permits[0].categories[0]: CN has no such category; the nearest that it has is `CN:A15-",
    ),
    (
        "overlapping events",
        {**BASIC, "version": 2, "status_events": [SUSPENDED, SUSPENDED]},
        "permits[0].status_events: the suspension from 2026-03-01T00:00:00+00:00 overlaps",
    ),
    ("id that is there", BASIC | {"issuer": "us"}, "permits[0].version: `basic-1` is there as version 1"),
]


@pytest.mark.parametrize(("permit", "fault"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
async def test_a_bad_file_leaves_the_old_in_force_and_says_why(
    folder: Folder, permit: dict[str, Any], fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder.drops(BASIC)
    await folder.watch.look()
    unchecked = {"format": "wephone.permits/1", "made_at": "2026-11-25T11:01:00Z", "why": "x"}
    folder.lays(signed_unseen({**unchecked, "permits": [permit]}))
    await folder.watch.look()
    await folder.watch.look()
    said = folder.watch.fault
    assert said is not None and said.startswith(f"{folder.path}: ") and fault in said
    assert folder.alarms.raised == {Alarm.PERMIT_FILE_REFUSED: said}
    assert [r.message for r in caplog.records].count("permit file refused") == 1
    assert (folder.permits(), folder.register.snapshot.epoch) == ([("basic-1", 1)], 1)
    folder.drops(BASIC, {**BASIC, "id": "basic-2"}, minute=2)
    await folder.watch.look()
    assert (folder.watch.fault, folder.alarms.raised) == (None, {})
    assert folder.permits() == [("basic-1", 1), ("basic-2", 1)]


def signed_unseen(document: dict[str, Any]) -> str:
    """Signed by a program that does not look at what it signs."""
    made = b64encode(KEY.sign(signed_bytes(document))).decode()
    return json.dumps({**document, "signatures": [{"key": KEY.public.id, "signature": made}]})


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"", "document: is no JSON"),
        (b"\xff\xfe", "document: is no JSON"),
        (b'{"permits": [], "permits": []}', "permits: is there twice"),
        (b"[" * 200_000, "document: is no JSON"),
        (b" " * (2**20 + 1), "document: longer than 1048576 bytes"),
    ],
    ids=["empty", "no text", "one name twice", "deep", "long"],
)
async def test_what_is_no_document_is_refused(folder: Folder, text: bytes, fault: str) -> None:
    folder.lays(text)
    await folder.watch.look()
    assert folder.watch.fault is not None and folder.watch.fault.startswith(f"{folder.path}: {fault}")


async def test_what_cannot_be_read_is_said_and_what_can_be_again_is_taken(folder: Folder) -> None:
    folder.path.mkdir()
    await folder.watch.look()
    assert folder.watch.fault == f"{folder.path}: cannot be read: is a directory"
    folder.path.rmdir()
    folder.drops(BASIC)
    await folder.watch.look()
    assert folder.state() == (None, [("basic-1", 1)])


async def test_a_file_that_is_taken_away_takes_nothing_with_it(folder: Folder) -> None:
    folder.drops(BASIC)
    await folder.watch.look()
    folder.path.unlink()
    await folder.watch.look()
    assert folder.state() == (None, [("basic-1", 1)])
    folder.lays(b"{")
    await folder.watch.look()
    folder.path.unlink()
    await folder.watch.look()
    assert (folder.watch.fault, folder.alarms.raised) == (None, {})


async def test_a_file_that_could_not_be_stored_is_tried_again(folder: Folder) -> None:
    folder.drops(BASIC)
    folder.store.broken = True
    await folder.watch.look()
    assert folder.watch.fault == f"{folder.path}: cannot be taken now: the disk is gone"
    folder.store.broken = False
    assert await folder.register.refresh()
    await folder.watch.look()
    assert folder.state() == (None, [("basic-1", 1)])


async def test_a_file_that_came_too_early_is_taken_once_the_register_is_as_it_expects(folder: Folder) -> None:
    folder.drops({**BASIC, "version": 2, "issuer": "us"})
    await folder.watch.look()
    assert folder.watch.fault is not None and "the first version is 1" in folder.watch.fault
    await folder.register.add_permit(BASIC, by="alice", why="granted")
    await folder.watch.look()
    assert folder.state() == (None, [("basic-1", 2)])


async def test_a_change_that_keeps_size_and_time_is_seen(folder: Folder) -> None:
    folder.drops(BASIC)
    await folder.watch.look()
    about = folder.path.stat()
    folder.lays(folder.path.read_bytes().replace(b"a letter", b"a lettre"))
    os.utime(folder.path, ns=(about.st_atime_ns, about.st_mtime_ns))
    await folder.watch.look()
    assert folder.watch.fault is not None and "signatures[0].signature: is broken" in folder.watch.fault
