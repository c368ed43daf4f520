"""Other law takes the place of the law in force in one step, on an epoch of its own, or not at all."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date

import pytest

from licensing.documents import ChangeError
from licensing.journal import EvidenceFile
from licensing.jurisdiction import SHIPPED, Profiles, beside, load_profiles, texts_in
from licensing.ports import JournalError
from licensing.register import Register
from tests.fakes.clock import HandClock
from tests.licensing.frail import FrailStore

PERMIT = {"id": "my", "jurisdiction": "MY", "categories": ["SG:SBO-CLASS"], "valid_from": "2026-01-01"}


def with_malaysia() -> Profiles:
    """What comes with WePhone, and one country more."""
    document = json.loads(SHIPPED.joinpath("SG.json").read_text()) | {"code": "MY"}
    own = [("MY.json", json.dumps(document).encode())]
    return beside(texts_in(SHIPPED), own, date(2026, 11, 25))


class Bench:
    """A register that is given other law, and when that was installed."""

    def __init__(self, file: EvidenceFile, clock: HandClock) -> None:
        self.store, self.profiles = FrailStore(file), with_malaysia()
        self.register = Register(self.store, clock, profiles=load_profiles())
        self.steps: list[tuple[str, int]] = []

    async def open(self) -> None:
        await self.register.open()
        self.register.on_change(lambda taken: self.steps.append(("told", taken.epoch)))

    async def decide(self) -> None:
        own = {"MY": self.profiles.versions["MY"]}
        await self.register.decide_by(
            self.profiles, "local", own, self.installed, anew=True, by="folder", why="another country"
        )

    def installed(self) -> None:
        self.steps.append(("installed", self.register.snapshot.epoch))


@pytest.fixture
async def bench(file: EvidenceFile, clock: HandClock) -> AsyncIterator[Bench]:
    made = Bench(file, clock)
    await made.open()
    yield made
    await made.register.close()


async def test_other_law_is_installed_with_the_epoch_that_notes_it_before_anybody_hears_of_it(
    bench: Bench,
) -> None:
    deciding = asyncio.ensure_future(bench.decide())
    await asyncio.sleep(0)
    assert bench.steps == []  # it is being written
    await deciding
    assert bench.steps == [("installed", 1), ("told", 1)]
    await bench.register.add_permit(PERMIT, by="root", why="held against the law in force")


async def test_law_of_which_nobody_knows_that_it_is_noted_decides_nothing_and_then_begins_an_epoch(
    bench: Bench,
) -> None:
    bench.store.unsure = True
    with pytest.raises(JournalError):
        await bench.decide()
    await bench.register.refresh()  # the change was made, and is found
    bench.store.unsure = False
    with pytest.raises(ChangeError, match="there is no law of it here"):
        await bench.register.add_permit(PERMIT, by="root", why="too early")
    await bench.decide()
    assert bench.steps == [("told", 1), ("installed", 2), ("told", 2)]
