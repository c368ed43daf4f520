"""`wephone demo` shows what is so, and fails when something that it shows is not."""

import argparse
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Commands
from wephone.cli.demo import demo
from wephone.cli.demonstration import sample, told_score
from wephone.cli.output import Progress
from wephone.media.devices import Voice, read_wav
from wephone.media.score import Score, heard
from wephone.media.servers import IceSettings
from wephone.sound import Handle, Sound, StartSound, Tell, start_sound


async def test_it_shows_a_call_that_is_heard_and_a_telephone_call_that_obeys_its_permit(
    commands: Commands, tmp_path: Path
) -> None:
    folder = tmp_path / "recorded"
    done = await commands.run("demo", "--json", "--record", str(folder))
    assert done.code == 0, done.err
    told = done.json
    assert told["ok"] and all(check["good"] for check in told["checks"])
    assert told["seconds"] < 120
    for user in ("alice", "bob"):
        assert told["heard"][user]["stoi"] >= 0.9
        assert abs(told["heard"][user]["level"]) <= 6
        assert told["first_audio_ms"][user] >= 0
        assert 0 <= told["loss"][user] < 0.1
    assert told["set_up_ms"] > 0
    refusal = told["refusal"]
    assert refusal["decision"].startswith("D-") and refusal["permit_needed"]
    for shown in (
        refusal["text"]["en"],
        refusal["alternative"]["en"],
        refusal["decision"],
        refusal["permit_needed"],
    ):
        assert shown in done.err
    telephone = told["telephone"]
    assert telephone["heard"]["stoi"] >= 0.9 and telephone["reason"] == "licence_withdrawn"
    assert 0 < telephone["cut_ms"] < 1000
    assert told["audit"]["ok"] and told["audit"]["entries"] > 5
    kept = {f"{user}-{did}.wav" for user in ("alice", "bob") for did in ("said", "heard")}
    kept |= {"telephone-heard.wav", "waveforms.png"}
    assert names(folder) == kept
    assert {Path(path).name for path in told["recorded"]} == kept
    assert (folder / "waveforms.png").read_bytes().startswith(b"\x89PNG")
    assert heard(read_wav(sample("alice")), read_wav(folder / "bob-heard.wav")).good


async def test_it_leaves_nothing_behind(commands: Commands, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    done = await commands.run("demo", LANG="zh_CN.UTF-8", TMPDIR=str(temporary))
    assert done.code == 0, done.err
    assert "以上全部属实" in done.out
    assert "音量" in done.out and "gaps" not in done.out
    assert names(tmp_path) == {"temporary"}
    assert names(temporary) == set()


async def test_a_far_end_that_is_muted_fails_it(capsys: pytest.CaptureFixture[str]) -> None:
    def muted(call: Any, tell: Tell, settings: IceSettings) -> Sound:
        if call.peer == "alice":
            call.mute()
        return start_sound(call, tell, settings)

    told = await shown(muted, capsys)
    assert not told["ok"]
    assert told["heard"]["alice"]["stoi"] < 0.5
    assert told["heard"]["bob"]["good"]


@pytest.mark.long
async def test_a_telephone_that_is_silent_fails_it(capsys: pytest.CaptureFixture[str]) -> None:
    def mute(call: Any, tell: Tell, settings: IceSettings) -> Sound:
        if call.peer.startswith("+"):
            call.mute()
        return start_sound(call, tell, settings)

    told = await shown(mute, capsys)
    assert [check["name"] for check in told["checks"] if not check["good"]] == ["telephone heard"]


async def test_a_far_end_that_says_something_else_fails_it(capsys: pytest.CaptureFixture[str]) -> None:
    def swapped(call: Any, tell: Tell, settings: IceSettings) -> Sound:
        call.source = Voice(read_wav(sample("alice" if call.peer == "alice" else "bob")))
        return start_sound(call, tell, settings)

    told = await shown(swapped, capsys)
    assert not told["ok"]
    assert told["heard"]["alice"]["stoi"] < 0.9 and told["heard"]["bob"]["stoi"] < 0.9


@pytest.mark.long
async def test_a_far_end_that_is_far_too_soft_fails_it(capsys: pytest.CaptureFixture[str]) -> None:
    def soft(call: Any, tell: Tell, settings: IceSettings) -> Sound:
        if call.peer == "bob":
            call.source = Voice(read_wav(sample("alice")) // 4)
        return start_sound(call, tell, settings)

    told = await shown(soft, capsys)
    assert not told["ok"]
    assert told["heard"]["bob"]["level"] < -6


async def test_media_that_does_not_connect_fails_it(capsys: pytest.CaptureFixture[str]) -> None:
    class Cut(Sound):
        def line_found(self, candidate: Any) -> None:
            pass

    def cut(call: Handle, tell: Tell, settings: IceSettings) -> Sound:
        return Cut(call, tell, settings)

    told = await shown(cut, capsys, within=4.0)
    assert not told["ok"]
    assert told["checks"][-1]["good"] is False


async def test_a_folder_that_cannot_be_made_is_one_sentence(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = await commands.run("demo", "--record", str(tmp_path / "file" / "folder"))
    assert done.code == 1
    assert done.err == f"wephone: `{tmp_path / 'file' / 'folder'}` cannot be made: not a directory\n"


async def test_a_folder_that_cannot_be_written_is_one_sentence_before_the_call(commands: Commands) -> None:
    done = await commands.run("demo", "--record", "/proc", "--json")  # nobody writes there, root neither
    assert done.code == 1
    assert re.fullmatch("wephone: nothing can be written to `/proc`: [a-z ]+\n", done.err)
    assert done.json == {"ok": False, "error": done.err.removeprefix("wephone: ").rstrip()}


@pytest.mark.parametrize(
    ("tongue", "pesq", "line"),
    [
        ("en", None, "STOI 0.98, level -1.2 dB, gaps in 3% of the speech"),
        ("en", 4.25, "STOI 0.98, PESQ 4.2, level -1.2 dB, gaps in 3% of the speech"),
        ("zh", None, "STOI 0.98，音量 -1.2 dB，3% 的语音有缺失"),
    ],
)
def test_a_score_is_a_line_for_people(tongue: str, pesq: float | None, line: str) -> None:
    assert told_score(Score(0.98, -1.2, 0.03, 0.1, 4.0, pesq), tongue) == line


def names(folder: Path) -> set[str]:
    """What is in it."""
    return {path.name for path in folder.iterdir()}


async def shown(start_sound: StartSound, capsys: pytest.CaptureFixture[str], within: float = 60.0) -> Any:
    """What the demonstration tells machines, with this media; it has failed, and says so by its exit code."""
    args = argparse.Namespace(json=True, record=None)
    code = await demo(args, Progress(to_stderr=True), "en", start_sound=start_sound, within=within)
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert code == (0 if told["ok"] else 1)
    return told
