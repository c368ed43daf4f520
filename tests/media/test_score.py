"""The score tells a good call from a muted, swapped, soft or broken one."""

import importlib
import importlib.util
import json
import sys
import types
from pathlib import Path

import av
import numpy as np
import pytest

from wephone.media.audio import FRAME, RATE, Samples, silence
from wephone.media.errors import DeviceError
from wephone.media.glyphs import GLYPHS, written
from wephone.media.score import heard, resampled
from wephone.media.waveform import AXIS, EDGE, HEIGHT, MARGIN, PAPER, SCALE, WIDTH, drawn, write_png


def later(samples: Samples, by: int) -> Samples:
    """The same, after some silence and before some."""
    return np.concatenate((silence(by), samples, silence(RATE)))


@pytest.mark.parametrize("by", [0, 1, 4_801, 3 * RATE])
def test_the_same_words_however_late_are_perfect(alice: Samples, by: int) -> None:
    score = heard(alice, later(alice, by))
    assert score.good
    assert score.stoi > 0.99
    assert abs(score.level) < 0.1
    assert score.lost == 0
    assert abs(score.delay - by / RATE) < 0.001


def test_words_whose_beginning_is_cut_off_are_found_too(alice: Samples) -> None:
    score = heard(alice, alice[RATE // 10 :])
    assert score.delay == pytest.approx(-0.1, abs=0.001)
    assert score.stoi > 0.9


def test_another_voice_or_other_words_are_not_what_was_said(alice: Samples, bob: Samples) -> None:
    for said, recorded in ((alice, bob), (bob, alice)):
        score = heard(said, later(recorded, 4_000))
        assert not score.good
        assert score.stoi < 0.5


def test_nothing_heard_is_as_bad_as_it_gets(alice: Samples) -> None:
    for recorded in (silence(alice.size), silence(0), silence(10)):
        score = heard(alice, recorded)
        assert (score.good, score.stoi, score.lost) == (False, 0.0, 1.0)
        assert score.level < -90


def test_noise_and_the_hum_of_silence_are_no_speech(alice: Samples) -> None:
    noise = np.random.default_rng(5).normal(size=alice.size)
    assert not heard(alice, (noise * 3000).astype(np.int16)).good
    assert not heard(alice, np.sign(noise).astype(np.int16)).good


def test_too_soft_or_too_loud_is_not_good(alice: Samples) -> None:
    soft = heard(alice, later(alice // 4, 1_000))
    assert soft.stoi > 0.95
    assert soft.level == pytest.approx(-12, abs=0.3)
    assert not soft.good
    assert heard(alice, later(alice // 2 + alice // 8, 1_000)).good


def test_a_hole_shows_as_lost(alice: Samples) -> None:
    spoiled = alice.copy()
    spoiled[RATE : 2 * RATE] = 0
    score = heard(alice, later(spoiled, 1_000))
    assert not score.good
    assert 0.1 < score.lost < 0.4


def test_a_delay_that_changes_in_the_middle_is_followed(alice: Samples) -> None:
    middle = alice.size // 2
    stretched = np.concatenate((alice[:middle], silence(2 * FRAME), alice[middle:]))
    assert heard(alice, later(stretched, 500)).good


def test_a_score_is_json_for_machines(alice: Samples) -> None:
    score = heard(alice, later(alice, 480))
    told = json.loads(json.dumps(score.as_json()))
    assert set(told) == {"stoi", "level", "lost", "delay", "seconds", "pesq", "good"}
    assert told["good"] is True
    assert told["seconds"] == pytest.approx(alice.size / RATE)
    json.dumps(heard(alice, silence(0)).as_json(), allow_nan=False)


def test_pesq_is_asked_where_it_is_installed(alice: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = types.ModuleType("pesq")

    class PesqError(RuntimeError):
        pass

    def measure(rate: int, said: Samples, recorded: Samples, mode: str) -> float:
        assert (rate, mode) == (16_000, "wb")
        assert abs(said.size - alice.size // 3) < 10
        if not recorded.any():
            raise PesqError("No utterances detected")
        return 4.2

    fake.__dict__.update(pesq=measure, PesqError=PesqError, __spec__=importlib.util.find_spec("json"))
    monkeypatch.setitem(sys.modules, "pesq", fake)
    assert heard(alice, later(alice, 480)).pesq == 4.2


def test_resampling_keeps_length_and_level(alice: Samples) -> None:
    narrow = resampled(alice, 16_000)
    assert abs(narrow.size - alice.size / 3) < 5
    levels = [np.sqrt(np.mean(np.square(each.astype(float)))) for each in (alice, narrow)]
    assert levels[1] == pytest.approx(levels[0], rel=0.05)


def test_a_picture_shows_each_row_of_sound(alice: Samples, bob: Samples, tmp_path: Path) -> None:
    path = tmp_path / "heard.png"
    write_png(path, {"alice said": alice, "bob": bob[: RATE // 2], "": silence(0)})
    assert path.read_bytes().startswith(b"\x89PNG")
    with av.open(str(path)) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert picture.shape == (EDGE + 3 * HEIGHT + AXIS, MARGIN + WIDTH + EDGE, 3)
    inked = picture.min(axis=2) < 150
    rows = [inked[EDGE + row * HEIGHT : EDGE + (row + 1) * HEIGHT] for row in range(3)]
    names, sounds = [row[:, :MARGIN] for row in rows], [row[:, MARGIN:] for row in rows]
    assert sounds[0].sum() > 2000
    assert sounds[1][:, : WIDTH // 10].sum() > 100
    assert not sounds[1][:, WIDTH // 4 :].any()  # half a second, on the scale of the longest
    assert not sounds[2].any()
    for name, text in zip(names, ("alice said", "bob", ""), strict=True):
        assert name.sum() == written(text, SCALE).sum()
    seconds = int(alice.size / RATE)
    assert inked[EDGE + 3 * HEIGHT :].sum() == sum(
        written(f"{second} s", SCALE).sum() for second in range(seconds + 1)
    )


def test_a_long_call_has_only_as_many_marks_as_can_be_read() -> None:
    marks = drawn({"": silence(0), "a long call": silence(100 * RATE)})[EDGE, MARGIN:, 0] != PAPER[0]
    assert marks.sum() == 11  # each ten seconds


def test_each_glyph_is_another() -> None:
    assert len({glyph.tobytes() for glyph in GLYPHS.values()}) == len(GLYPHS)
    assert set("alice said bob heard 0123456789 s") - {" "} <= set(GLYPHS)


def test_a_picture_that_cannot_be_written_is_an_error_in_words(alice: Samples, tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="cannot be written"):
        write_png(tmp_path / "no" / "where.png", {"alice said": alice})


def test_the_samples_are_two_people_saying_different_things(alice: Samples, bob: Samples) -> None:
    for samples in (alice, bob):
        assert 3 <= samples.size / RATE <= 5
        assert 8_000 < np.abs(samples).max() < 32_000
