"""The evidence that licensing keeps: on a file of its own, and on the server's database."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from licensing.alarms import Alarms
from licensing.case import Operator, Policy
from licensing.gate import Gate
from licensing.journal import EvidenceFile
from licensing.jurisdiction import load_profiles
from licensing.law import Law
from licensing.ports import Journal, PermitStore
from licensing.register import Register
from signaling.store import open_store
from tests.fakes.clock import HandClock
from tests.licensing.frail import FrailJournal, FrailStore

BASIC: dict[str, Any] = {
    "id": "basic-1",
    "jurisdiction": "baseline",
    "categories": ["baseline:basic"],
    "valid_from": "2026-01-01",
}


@dataclass(frozen=True)
class Kept:
    """A journal and a register in one place."""

    journal: Journal
    permits: PermitStore


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[EvidenceFile]:
    """The default journal, empty."""
    opened = EvidenceFile(tmp_path / "evidence.db")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture(params=["a file of its own", "the server's database"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kept]:
    """Both places where evidence can be kept."""
    if request.param == "a file of its own":
        file: EvidenceFile = EvidenceFile(tmp_path / "evidence.db")
        await file.open()
        yield Kept(file, file)
        await file.close()
    else:
        store = await open_store(f"sqlite:///{tmp_path / 'wephone.db'}")
        yield Kept(store.journal, store.permits)
        await store.close()


@pytest.fixture
async def register(file: EvidenceFile, clock: HandClock) -> AsyncIterator[Register]:
    """A register on the default journal, open."""
    opened = Register(file, clock)
    await opened.open()
    yield opened
    await opened.close()


class Office:
    """A register, a journal and a gate on them, with a clock and disks in the test's hand."""

    def __init__(self, file: EvidenceFile, clock: HandClock, law: Law) -> None:
        self.file, self.clock, self.law = file, clock, law
        self.store, self.journal, self.alarms = FrailStore(file), FrailJournal(file), Alarms()
        self.register = Register(self.store, clock, alarms=self.alarms)
        self.gate = Gate(
            register=self.register, journal=self.journal, clock=clock, law=law, alarms=self.alarms
        )

    async def open(self) -> None:
        await self.register.open()
        await self.gate.open()

    async def close(self) -> None:
        await self.gate.close()
        await self.register.close()

    async def licensed(self) -> "Office":
        """With a permit that covers telephone calls."""
        await self.register.add_permit(BASIC, by="root", why="granted")
        return self

    async def entries(self, subject: str) -> list[dict[str, Any]]:
        """The bodies of the entries about a decision or a permit."""
        return [json.loads(entry.body) for entry in await self.file.about(subject)]


@pytest.fixture
def law() -> Law:
    """What a fresh install decides by, with a route for emergency calls."""
    return Law(load_profiles(), Operator(emergency_route=("CN",)), Policy())


@pytest.fixture
async def office(file: EvidenceFile, clock: HandClock, law: Law) -> AsyncIterator[Office]:
    opened = Office(file, clock, law)
    await opened.open()
    yield opened
    await opened.close()
