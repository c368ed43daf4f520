"""What the softphone says, in both languages."""

import re
import string
from pathlib import Path

import pytest

from tests.core.people import ID
from wephone.calls import Call
from wephone.cli import devices, output
from wephone.cli.conversation import Conversation, duration
from wephone.cli.listen import numbered
from wephone.cli.output import Failure, Progress
from wephone.cli.words import WORDS, words
from wephone.events import EarlySound, Ended, EndReason, Refusal, Role
from wephone.protocol.ids import CallId
from wephone.protocol.messages import RefusalText


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_say_the_same_values(key: str) -> None:
    english, chinese = ({name for _, name, _, _ in string.Formatter().parse(text)} for text in WORDS[key])
    assert english - {None} == chinese - {None}
    assert re.search("[\u4e00-\u9fff]", WORDS[key][1])


def test_the_environment_chooses_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    assert output.language() == "en"
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert output.language() == "zh"
    assert words("calls", "zh", caller="alice", callee="bob") == "alice 呼叫 bob"
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    assert output.language() == "en"


def test_progress_goes_to_stdout_unless_json_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    Progress(to_stderr=False).shown("it rings")
    Progress(to_stderr=True).shown("it does not", good=False)
    out, err = capsys.readouterr()
    assert "it rings" in out and "it does not" in err


def test_files_are_checked_before_anybodys_telephone_rings(tmp_path: Path) -> None:
    text = tmp_path / "text.wav"
    text.write_text("no sound")
    for play, why in ((tmp_path / "missing.wav", "cannot be read"), (text, "is no sound file")):
        with pytest.raises(Failure, match=f"`{re.escape(str(play))}` {why}"):
            devices.check(play, None)
    with pytest.raises(Failure, match="cannot be written"):
        devices.check(None, tmp_path / "no folder" / "heard.wav")
    with pytest.raises(Failure, match="cannot be written"):
        devices.check(None, tmp_path)
    devices.check(None, tmp_path / "heard.wav")
    assert not (tmp_path / "heard.wav").exists()


def test_each_call_has_a_recording_of_its_own() -> None:
    heard = Path("here/heard.wav")
    assert [numbered(heard, number) for number in (1, 2, 3)] == [
        heard,
        Path("here/heard-2.wav"),
        Path("here/heard-3.wav"),
    ]
    assert numbered(None, 2) is None


def test_a_duration_is_shown_as_telephones_show_it() -> None:
    assert [duration(seconds) for seconds in (0, 59.9, 61, 3600)] == ["0:00", "0:59", "1:01", "60:00"]


def test_what_others_wrote_cannot_move_the_cursor_or_pass_for_our_lines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    progress = Progress(to_stderr=False)
    progress.line("bob writes: hi\n  \u2713 bob answered \x1b[2J \x9b2J \u202eabc\u200b")
    progress.shown("你好\u3000👩\u200d👩")
    output.say("wephone: first\nsecond\x07")
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "bob writes: hi\\n  \u2713 bob answered \\x1b[2J \\x9b2J \\u202eabc\\u200b",
        "  \u2713 你好\u3000👩\u200d👩",
    ]
    assert err == "wephone: first\nsecond\\x07\n"


class Nobody:
    """Who carries out nothing that a call is asked."""

    def tell_call(self, call: CallId, event: object) -> None: ...

    def new_nonce(self) -> str:
        return ""


async def test_that_a_carrier_is_heard_before_the_answer_is_no_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    call = Call(Nobody(), ID, Role.CALLER, "+4930123456", None, None)
    for event in (EarlySound(ID), Ended(ID, EndReason.UNKNOWN_NUMBER)):
        call.happened(event)
    shown = Conversation(call, Progress(to_stderr=False), "en")
    await shown.hold(until_said=True)
    out, _ = capsys.readouterr()
    assert "the carrier can be heard; it does not hear you yet" in out and "you can hear" not in out
    assert not shown.answered


@pytest.mark.parametrize(
    ("tongue", "words"), [("en", "refused, as you are told: no"), ("zh", "呼叫被拒绝，正在语音告知：不")]
)
async def test_why_a_call_is_refused_is_shown_while_it_is_told(
    capsys: pytest.CaptureFixture[str], tongue: str, words: str
) -> None:
    call = Call(Nobody(), ID, Role.CALLER, "+4930123456", None, None)
    refusal = Refusal(code="no", text=RefusalText(en="no", zh_cn="不"))
    for event in (EarlySound(ID, refusal), Ended(ID, EndReason.REFUSED, refusal=refusal)):
        call.happened(event)
    await Conversation(call, Progress(to_stderr=False), tongue).hold(until_said=True)
    assert words in capsys.readouterr()[0]
