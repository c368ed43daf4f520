"""Checkpoints of a server: made when they are due, kept outside the database, and held against it."""

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from licensing.alarms import Alarm
from licensing.audit import Draft, canonical
from licensing.checkpoint import read_file, verify_line
from licensing.ports import JournalError
from licensing.reasons import Reason
from signaling.checkpoints import EVERY, LOOK, Checkpoints, NothingLostError, Places, UnsignedError
from signaling.licence import Licence
from signaling.settings import Settings
from signaling.store import open_store
from signaling.store.rows import DatabaseStore
from tests.fakes.clock import HandClock
from tests.licensing.test_gate import app_call, phone_call
from tests.signaling.test_evidence import edit


class Bureau:
    """One node's database and data folder, opened and closed as a server does."""

    def __init__(self, home: Path) -> None:
        self.home, self.elsewhere = home, home / "elsewhere"
        self.elsewhere.mkdir()
        self.database = home / "wephone.db"
        self.clock = HandClock()
        self.number = 0  # of decisions; the chain begins with the profile that judges
        self._stack = AsyncExitStack()
        self.store: DatabaseStore
        self.licence: Licence
        self.checkpoints: Checkpoints

    async def open(self) -> None:
        """As at the start of a server."""
        self.store = await open_store(f"sqlite:///{self.database}")
        self._stack.push_async_callback(self.store.close)
        settings = Settings(data=self.home)
        licence = Licence(settings, self.store.journal, self.store.permits, self.clock)
        self.licence = await self._stack.enter_async_context(licence)
        places = Places(self.home, "local", self.elsewhere)
        self.checkpoints = Checkpoints(
            self.store.checkpoints,
            self.store.journal,
            self.clock,
            self.licence.gate,
            self.licence.alarms,
            places,
        )
        await self.checkpoints.open()
        self._stack.push_async_callback(self.checkpoints.close)

    async def close(self) -> None:
        """As at its end."""
        await self._stack.aclose()
        self._stack = AsyncExitStack()

    async def write(self, count: int = 1) -> None:
        """So many entries."""
        for _ in range(count):
            self.number += 1
            body = canonical({"number": self.number})
            await self.store.journal.append(
                Draft("decision", f"D-{self.number}", self.clock.now().utc_us, body)
            )

    @property
    def alarms(self) -> dict[Alarm, str]:
        """What is raised."""
        return self.licence.alarms.raised


@pytest.fixture
async def bureau(tmp_path: Path) -> AsyncIterator[Bureau]:
    """Open, with nothing written."""
    opened = Bureau(tmp_path)
    await opened.open()
    yield opened
    await opened.close()


async def test_what_is_signed_is_kept_outside_the_database(bureau: Bureau) -> None:
    await bureau.write(2)
    made = await bureau.checkpoints.make()
    assert made is not None and made.reach.heads == (await bureau.store.journal.head(),)
    assert await bureau.checkpoints.make() == made
    assert read_file((bureau.home / "checkpoint.json").read_bytes()) == made
    assert read_file((bureau.elsewhere / "checkpoint-local-000000001.json").read_bytes()) == made


async def test_one_is_made_at_the_start_each_hour_and_at_the_end(bureau: Bureau) -> None:
    await bureau.write()
    await bureau.checkpoints.start()
    assert bureau.checkpoints.newest is not None and bureau.checkpoints.newest.number == 1
    await bureau.write()
    bureau.clock.advance(LOOK)
    await bureau.checkpoints.close()
    assert bureau.checkpoints.newest.number == 2  # at the end: an hour had not gone
    await bureau.checkpoints.start()
    await bureau.write()
    bureau.clock.advance(EVERY)
    task = bureau.checkpoints._task
    assert task is not None
    await task
    assert bureau.checkpoints.newest.number == 3
    assert verify_line(await bureau.checkpoints.all()) is None


async def test_what_does_not_follow_from_the_last_one_is_not_signed(bureau: Bureau) -> None:
    await bureau.write(2)
    await bureau.checkpoints.make()
    await bureau.write(2)
    edit(bureau.database, "UPDATE journal_entry SET kind = 'toggle' WHERE seq = 4")
    with pytest.raises(UnsignedError, match="broken at entry 4, which was altered"):
        await bureau.checkpoints.make()
    await bureau.checkpoints.start()
    assert "broken at entry 4" in bureau.alarms[Alarm.CHECKPOINT_FAILED]


@pytest.mark.parametrize("how", ["an old file", "cut with its checkpoints", "cut"])
async def test_less_than_there_once_was_is_noticed_and_can_be_accepted(bureau: Bureau, how: str) -> None:
    await bureau.write(2)
    await bureau.checkpoints.make()
    await bureau.close()
    old = shutil.copy(bureau.database, bureau.home / "old.db")
    await bureau.open()
    await bureau.write(2)
    await bureau.checkpoints.make()
    await bureau.close()
    if how == "an old file":
        shutil.copy(old, bureau.database)
    else:
        edit(
            bureau.database,
            "DELETE FROM journal_entry WHERE seq > 3",
            "UPDATE journal_head SET (seq, at, hash) = "
            "(SELECT seq, at, hash FROM journal_entry WHERE seq = 3)",
            *(["DELETE FROM checkpoint WHERE number > 1"] if how == "cut with its checkpoints" else []),
        )
    await bureau.open()
    assert "ends before entry 5" in bureau.alarms[Alarm.EVIDENCE_LOST]
    with pytest.raises(UnsignedError, match="evidence was lost"):
        await bureau.checkpoints.make()
    made = await bureau.checkpoints.acknowledge("alice", "a disk failed")
    assert (made.number, bureau.checkpoints.lost) == (3, None)
    assert Alarm.EVIDENCE_LOST not in bureau.alarms
    [entry] = [each for each in await bureau.store.journal.entries(0, 9) if each.kind == "loss_acknowledged"]
    assert json.loads(entry.body)["why"] == "a disk failed"
    with pytest.raises(NothingLostError):
        await bureau.checkpoints.acknowledge("alice", "again")
    await bureau.close()
    await bureau.open()
    assert bureau.checkpoints.lost is None


ALTERED = "UPDATE register_version SET document = replace(document, '{}', '{}') WHERE kind = 'permit'"


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        (ALTERED.format("2026-01-01", "2025-01-01"), "permit `basic-1`, version 1, was altered"),
        ("DELETE FROM register_version", "permit `basic-1`, version 1, is missing, and was filed"),
    ],
)
async def test_an_edited_register_closes_the_telephone_at_the_start_until_an_operator_accepts_it(
    bureau: Bureau, statement: str, fault: str
) -> None:
    permit = {"id": "basic-1", "jurisdiction": "baseline", "categories": ["baseline:basic"]}
    await bureau.licence.register.add_permit(permit | {"valid_from": "2026-01-01"}, by="alice", why="new")
    await bureau.close()
    edit(bureau.database, statement)
    await bureau.open()
    assert bureau.alarms[Alarm.EVIDENCE_LOST].startswith(fault)
    assert bureau.licence.gate.check(phone_call().facts).reason is Reason.DENY_EVIDENCE_LOST
    assert bureau.licence.gate.check(app_call().facts).reason is not Reason.DENY_EVIDENCE_LOST
    with pytest.raises(UnsignedError, match="evidence was lost"):
        await bureau.checkpoints.make()
    await bureau.checkpoints.acknowledge("alice", "it was I")
    assert Alarm.EVIDENCE_LOST not in bureau.alarms
    await bureau.close()
    await bureau.open()
    assert bureau.checkpoints.lost is None
    await bureau.checkpoints.start()
    assert verify_line(await bureau.checkpoints.all()) is None
    await bureau.close()
    edit(bureau.database, "INSERT INTO register_version VALUES ('toggle', 'texts', 1, 'null', 'eve', 0, 1)")
    await bureau.open()
    assert bureau.alarms[Alarm.EVIDENCE_LOST].startswith("toggle `texts`, version 1, is there")


async def test_a_register_that_is_edited_while_the_server_runs_is_not_decided_on(bureau: Bureau) -> None:
    register = bureau.licence.register
    permit = {"id": "basic-1", "jurisdiction": "baseline", "categories": ["baseline:basic"]}
    await register.add_permit(permit | {"valid_from": "2026-01-01"}, by="alice", why="new")
    await register.revoke("basic-1", by="alice", why="order")
    edit(
        bureau.database,
        "UPDATE register_version SET document = replace(document, 'revoked', 'suspended'), epoch = epoch + 1"
        " WHERE version = 2 AND kind = 'permit'",
        "UPDATE counter SET value = value + 1 WHERE name = 'register'",
    )
    assert not await register.refresh()
    assert bureau.alarms[Alarm.REGISTER_STALE].startswith("permit `basic-1`, version 2, was altered")
    assert "revoked" in str(register.snapshot.permits[0].status_events)
    bureau.clock.advance(4)
    assert bureau.licence.gate.check(phone_call().facts).reason is Reason.DENY_REGISTER_STALE
    with pytest.raises(JournalError, match="the register cannot be read: permit `basic-1`"):
        await register.switch_telephone_off(by="alice", why="I saw it")
    await bureau.checkpoints.acknowledge("alice", "it was I")
    assert await register.refresh()
    assert Alarm.REGISTER_STALE not in bureau.alarms


async def test_the_data_folder_going_back_too_is_noticed_by_what_lies_elsewhere(bureau: Bureau) -> None:
    await bureau.write()
    await bureau.checkpoints.make()
    await bureau.close()
    old = {name: (bureau.home / name).read_bytes() for name in ("wephone.db", "checkpoint.json")}
    await bureau.open()
    await bureau.write()
    await bureau.checkpoints.make()
    await bureau.close()
    for name, content in old.items():
        (bureau.home / name).write_bytes(content)
    await bureau.open()
    assert bureau.checkpoints.lost is not None


async def test_a_checkpoint_that_cannot_be_read_counts_as_one_that_reached_further(bureau: Bureau) -> None:
    await bureau.write()
    await bureau.checkpoints.make()
    await bureau.close()
    (bureau.home / "checkpoint.json").write_text("{}")
    await bureau.open()
    assert "cannot be read" in bureau.alarms[Alarm.EVIDENCE_LOST]
    await bureau.checkpoints.acknowledge("alice", "the disk lost it")
    assert bureau.checkpoints.lost is None


async def test_a_folder_elsewhere_that_is_away_raises_an_alarm(bureau: Bureau) -> None:
    bureau.elsewhere.rmdir()
    await bureau.write()
    with pytest.raises(JournalError, match="cannot keep checkpoint 1"):
        await bureau.checkpoints.make()
    await bureau.checkpoints.start()
    assert Alarm.CHECKPOINT_FAILED in bureau.alarms
