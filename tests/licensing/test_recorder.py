"""Entries reach the journal in time, or later with their true time; none is dropped in silence."""

import asyncio
import json

import pytest

from licensing import recorder as recording
from licensing.alarms import Alarm, Alarms
from licensing.audit import Draft, Verified, beginning, verify
from licensing.journal import EvidenceFile
from licensing.recorder import Recorder
from tests.licensing.frail import FrailJournal


class Heard(Alarms):
    """Alarms, with an event for each that is over."""

    def __init__(self) -> None:
        super().__init__()
        self.over = {alarm: asyncio.Event() for alarm in Alarm}

    def tell(self, alarm: Alarm, text: str | None) -> None:
        if text is None:
            self.over[alarm].set()


@pytest.fixture
def alarms() -> Heard:
    return Heard()


@pytest.fixture
def journal(file: EvidenceFile) -> FrailJournal:
    return FrailJournal(file)


@pytest.fixture
def times() -> list[int]:
    return []


@pytest.fixture
def recorder(journal: FrailJournal, alarms: Heard, times: list[int]) -> Recorder:
    return Recorder(journal, alarms, times.append)


def draft(n: int) -> Draft:
    return Draft("decision", f"D-{n}", n, "{}")


async def test_an_entry_that_is_durable_in_time(recorder: Recorder, times: list[int]) -> None:
    assert await recorder.write(draft(1), 5)
    assert times == [1]


async def test_what_a_failed_journal_missed_is_chained_with_its_time_when_it_is_back(
    recorder: Recorder, journal: FrailJournal, alarms: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "AGAIN", 0.01)
    assert await recorder.write(draft(1000), 5)
    journal.broken = True
    assert not await recorder.write(draft(1), 5)
    assert not await recorder.write(draft(2), 5, keep=False)
    recorder.later(draft(3))
    assert recorder.spooled == 2
    assert "no space left" in alarms.raised[Alarm.JOURNAL_FAILED]
    journal.broken = False
    await asyncio.wait_for(alarms.over[Alarm.JOURNAL_FAILED].wait(), 30)
    entries = await journal.entries(0, 9)
    assert [(entry.subject, entry.said_at) for entry in entries] == [("D-1000", 1000), ("D-1", 1), ("D-3", 3)]
    assert isinstance(verify(entries, after=beginning("local")), Verified)


async def test_a_slow_entry_goes_on_being_written(
    recorder: Recorder, journal: FrailJournal, alarms: Heard
) -> None:
    journal.hanging = asyncio.Event()
    assert not await recorder.write(draft(1), 0.01)
    assert Alarm.JOURNAL_SLOW in alarms.raised
    journal.hanging.set()
    await asyncio.wait_for(alarms.over[Alarm.JOURNAL_SLOW].wait(), 30)
    assert [entry.subject for entry in await journal.entries(0, 9)] == ["D-1"]


async def test_an_entry_whose_caller_gave_up_is_written_all_the_same(
    recorder: Recorder, journal: FrailJournal
) -> None:
    journal.hanging = asyncio.Event()
    writing = asyncio.create_task(recorder.write(draft(1), 30))
    await asyncio.sleep(0)
    writing.cancel()
    journal.hanging.set()
    await recorder.close()
    assert [entry.subject for entry in await journal.entries(0, 9)] == ["D-1"]


async def test_what_finds_no_room_is_counted_in_the_chain(
    recorder: Recorder, journal: FrailJournal, alarms: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "AGAIN", 0.01)
    monkeypatch.setattr(recording, "MOST_SPOOLED", 2)
    journal.broken = True
    for n in (1, 2, 3, 4):
        assert not await recorder.write(draft(n), 5)
    journal.broken = False
    await recorder.close()
    entries = await journal.entries(0, 9)
    assert [entry.kind for entry in entries] == ["decision", "decision", "lost"]
    assert json.loads(entries[-1].body) == {"count": 2, "from": 3, "until": 4}
