"""Peers have voices that can be told apart, also after a way through a call."""

import asyncio
import itertools

import numpy as np
import pytest

from wephone.media.audio import FRAME, RATE
from wephone.media.score import heard
from wephone.testing.voice import Mouth, voice

NAMES = ("alice", "bob", "carol", "dave", "erin")


@pytest.mark.parametrize(("speaker", "listener"), [*itertools.permutations(NAMES, 2)])
def test_no_voice_passes_for_another(speaker: str, listener: str) -> None:
    said = np.tile(voice(speaker), 3)[: 2 * RATE]
    assert heard(said, np.tile(voice(listener), 3)).stoi < 0.7


@pytest.mark.parametrize("name", NAMES)
def test_a_voice_is_recognised_late_and_with_a_gap(name: str) -> None:
    said = np.tile(voice(name), 3)[RATE : 4 * RATE]
    later = np.concatenate((np.zeros(RATE // 3, np.int16), said[: 2 * RATE], said[2 * RATE + FRAME :]))
    assert heard(said, later).good


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("start", range(0, 4))
def test_any_two_seconds_of_a_voice_hold_enough_to_be_recognised(name: str, start: int) -> None:
    said = np.tile(voice(name), 4)[start * RATE : (start + 2) * RATE]
    assert heard(said, said).good


async def test_a_mouth_says_its_samples_over_and_over_and_remembers() -> None:
    samples = np.arange(FRAME + 1, dtype=np.int16)
    mouth = Mouth(samples)
    waiting = asyncio.create_task(mouth.spoke(3 * FRAME / RATE))
    await asyncio.sleep(0)
    frames = [mouth.read() for _ in range(3)]
    await waiting
    assert np.array_equal(np.concatenate(frames), np.tile(samples, 3)[: 3 * FRAME])
    assert np.array_equal(mouth.said, np.concatenate(frames))
