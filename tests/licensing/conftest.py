"""The evidence that licensing keeps: on a file of its own, and on the server's database."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from licensing.journal import EvidenceFile
from licensing.ports import Journal, PermitStore
from licensing.register import Register
from signaling.store import open_store
from tests.licensing.clock import HandClock


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
