"""`wephone call`, `listen` and `message` against a real server, real media and the test kit's peers."""

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Commands, Softphone
from wephone.cli.demonstration import sample
from wephone.events import EndReason, KeyHeard
from wephone.media.devices import read_wav
from wephone.media.score import heard
from wephone.testing.kit import Kit
from wephone.testing.voice import voice


async def test_a_file_is_said_and_what_is_heard_is_kept(
    wephone: Kit, carol: Softphone, tmp_path: Path
) -> None:
    (bob,) = await wephone.peers("bob")
    record = tmp_path / "heard.wav"
    sound = ("--play", str(sample("alice")), "--record", str(record))
    done = await carol.run("call", "bob", *sound, "--json")
    assert done.code == 0, done.err
    told = done.json
    assert (told["answered"], told["ended"], told["by"], told["peer"]) == (True, "hangup", "caller", "bob")
    assert told["recorded"] == str(record)
    assert told["media"]["received"] > 0 and told["media"]["loss"] < 0.05
    assert list(told["times"])[:3] == ["placed", "sent", "delivered"]
    assert heard(voice("bob"), read_wav(record)).stoi >= 0.9
    assert heard(read_wav(sample("alice")), bob.talks[0].ear.heard).good


async def test_progress_is_shown_as_it_is(wephone: Kit, carol: Softphone) -> None:
    (bob,) = await wephone.peers("bob", answer=False)
    phone = await carol.start("call", "bob", "--play", str(sample("alice")))
    await phone.says("it rings at bob")
    assert "bob answered" not in phone.said
    call = await bob.next_call()
    await call.answer()
    await phone.says(f"safety code {call.safety_code or await call.verified()}")
    done = await phone.ends()
    assert done.code == 0, done.err
    lines = [
        "calling bob",
        "the server has taken",
        "a device of bob",
        "it rings",
        "bob answered",
        "you can hear",
    ]
    places = [done.out.index(line) for line in lines]
    assert places == sorted(places)


async def test_ctrl_c_hangs_up_and_tells_how_it_ended(wephone: Kit, carol: Softphone) -> None:
    (bob,) = await wephone.peers("bob")
    phone = await carol.start("call", "bob", "--press", "1,#", "--json")
    call = await bob.next_call()
    await call.answered()
    await phone.says("keys sent: 1,#")
    keys: list[str] = []
    async for event in call.events():
        if isinstance(event, KeyHeard):
            keys.append(event.key)
        if len(keys) == 2:
            break
    assert keys == ["1", "#"]
    phone.interrupt()
    assert (await call.wait_ended()).reason is EndReason.HANGUP
    done = await phone.ends()
    assert (done.code, done.json["ended"], done.json["by"]) == (0, "hangup", "caller")
    assert "Traceback" not in done.err


async def test_what_no_telephone_has_a_key_for_is_named(commands: Commands) -> None:
    done = await commands.run("call", "bob", "--press", "1x")
    assert done.code == 2
    assert "argument --press: `x` is no key of a telephone: 0-9, *, # and A-D are" in done.err


async def test_ctrl_c_while_it_rings_cancels(wephone: Kit, carol: Softphone) -> None:
    (bob,) = await wephone.peers("bob", answer=False)
    phone = await carol.start("call", "bob", "--json")
    call = await bob.next_call()
    await phone.says("it rings at bob")
    phone.interrupt()
    assert (await call.wait_ended()).reason is EndReason.CANCELLED
    done = await phone.ends()
    assert (done.code, done.json["ended"]) == (1, "cancelled")
    assert "wephone: the caller gave up before an answer" in done.err


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en_GB.UTF-8", "the other person is in another call"), ("zh_CN.UTF-8", "对方正在通话中")],
)
async def test_a_call_that_is_not_taken_says_why_and_exits_with_1(
    wephone: Kit, carol: Softphone, language: str, sentence: str
) -> None:
    (bob,) = await wephone.peers("bob", answer=False)
    phone = await carol.start("call", "bob", LANG=language)
    await (await bob.next_call()).reject(EndReason.BUSY)
    done = await phone.ends()
    assert done.code == 1
    assert f"wephone: {sentence}\n" in done.err


@pytest.mark.parametrize("language", ["en_GB.UTF-8", "zh_CN.UTF-8"])
async def test_a_refusal_shows_all_that_stands_behind_it(
    wephone: Kit, carol: Softphone, language: str
) -> None:
    done = await carol.run("call", "+12025550123", "--json", LANG=language)
    assert done.code == 1
    refusal = done.json["refusal"]
    assert (done.json["ended"], done.json["answered"]) == ("refused", False)
    tongue = "zh-CN" if language.startswith("zh") else "en"
    text, instead = refusal["text"][tongue], refusal["alternative"][tongue]
    for shown in (text, instead, refusal["code"], refusal["decision"], refusal["permit_needed"]):
        assert shown in done.err
    assert refusal["decision"].startswith("D-")


@pytest.mark.parametrize(
    ("address", "language", "sentence"),
    [
        ("carol", "en_GB.UTF-8", "that is yourself"),
        ("carol", "zh_CN.UTF-8", "这是你自己"),
        ("ca rol", "en_GB.UTF-8", "neither a user name nor a telephone number"),
    ],
)
async def test_an_address_that_cannot_be_called_is_all_that_is_told(
    wephone: Kit, carol: Softphone, address: str, language: str, sentence: str
) -> None:
    done = await carol.run("call", address, LANG=language)
    assert (done.code, done.err) == (1, f"wephone: {sentence}\n")
    assert "--play" not in done.out and "--record" not in done.out


async def test_a_machine_without_sound_says_what_to_do(wephone: Kit, carol: Softphone) -> None:
    (bob,) = await wephone.peers("bob", answer=False)
    phone = await carol.start("call", "bob")
    await (await bob.next_call()).reject()
    done = await phone.ends()
    assert "--play FILE says a file" in done.out
    assert "--record FILE keeps" in done.out


async def test_without_a_relay_nothing_else_is_shown_and_the_call_ends_in_words(
    wephone: Kit, carol: Softphone
) -> None:
    await wephone.peers("bob")
    done = await carol.run("call", "bob", "--relay-only", "--play", str(sample("alice")), "--json")
    assert (done.code, done.json["ended"]) == (1, "media_failed")
    assert done.json["text"] in done.err
    assert "no sound could be exchanged: this device has no address to be found at" in done.err


async def test_listening_answers_keeps_and_shows(wephone: Kit, carol: Softphone, tmp_path: Path) -> None:
    record = tmp_path / "heard.wav"
    phone = await carol.start(
        "listen", "--answer", "--once", "--play", str(sample("bob")), "--record", str(record), "--json"
    )
    await phone.says("carol can be called")
    (alice,) = await wephone.peers("alice")
    await alice.send("carol", "are you there?")
    await phone.says("alice writes: are you there?")
    receipt = await anext(alice.client.receipts())
    while receipt.kind != "read":
        receipt = await anext(alice.client.receipts())
    call = await alice.call("carol")
    await call.answered()
    await call.connected()
    talk = alice.talks[0]
    await talk.mouth.spoke(3)
    await call.hangup()
    done = await phone.ends()
    assert done.code == 0, done.err
    (told,) = done.json["calls"]
    assert (told["peer"], told["role"], told["ended"], told["recorded"]) == (
        "alice",
        "callee",
        "hangup",
        str(record),
    )
    assert [text["text"] for text in done.json["texts"]] == ["are you there?"]
    assert heard(talk.mouth.said[: 2 * 48_000], read_wav(record)).good
    assert heard(read_wav(sample("bob"))[: 2 * 48_000], talk.ear.heard).good


async def test_a_second_caller_hears_that_it_is_busy(wephone: Kit, carol: Softphone) -> None:
    phone = await carol.start("listen", "--answer")
    await phone.says("carol can be called")
    alice, bob = await wephone.peers("alice", "bob")
    first = await alice.call("carol")
    await first.answered()
    second = await bob.call("carol")
    assert (await second.wait_ended()).reason is EndReason.BUSY
    assert first.ended is None
    phone.interrupt()
    assert (await first.wait_ended()).reason is EndReason.HANGUP
    assert (await phone.ends()).code == 0


async def test_listening_without_a_terminal_rings_until_the_caller_gives_up(
    wephone: Kit, carol: Softphone
) -> None:
    phone = await carol.start("listen", "--once", "--json")
    await phone.says("carol can be called")
    (alice,) = await wephone.peers("alice")
    call = await alice.call("carol")
    await call.ringing()
    await call.hangup()
    done = await phone.ends()
    assert done.code == 1
    assert done.json["calls"][0]["ended"] == "cancelled"


@pytest.mark.parametrize(("typed", "ended"), [(b"\n", EndReason.HANGUP), (b"n\n", EndReason.DECLINED)])
async def test_a_person_at_a_terminal_is_asked(
    wephone: Kit, carol: Softphone, typed: bytes, ended: EndReason
) -> None:
    ours, theirs = os.openpty()
    try:
        phone = await carol.start_at_terminal(theirs, "listen", "--once", "--json")
        await phone.says("carol can be called")
        (alice,) = await wephone.peers("alice")
        call = await alice.call("carol")
        await phone.says("Enter answers, n and Enter declines")
        os.write(ours, typed)
        if ended is EndReason.HANGUP:
            await call.answered()
            await call.hangup()
        assert (await call.wait_ended()).reason is ended
        assert (await phone.ends()).json["calls"][0]["ended"] == ended
    finally:
        os.close(ours)
        os.close(theirs)


async def test_listening_ends_with_its_session(wephone: Kit, carol: Softphone) -> None:
    phone = await carol.start("listen")
    await phone.says("carol can be called")
    await wephone.server.sign_out_everywhere("carol")
    done = await phone.ends()
    assert (done.code, done.err) == (1, "wephone: the server has ended this session (revoked)\n")


async def test_a_call_that_was_missed_is_told(wephone: Kit, carol: Softphone) -> None:
    (alice,) = await wephone.peers("alice")
    await wephone.server.add_user("carol")
    ended = await alice.client.place("carol").wait_ended()
    assert ended.reason is EndReason.UNREACHABLE
    phone = await carol.start("listen", "--json")
    await phone.says("a call by alice was missed at")
    phone.interrupt()
    done = await phone.ends()
    assert [missed["from"] for missed in done.json["missed"]] == ["alice"]


async def test_a_text_is_stored_for_somebody_who_is_away(wephone: Kit, carol: Softphone) -> None:
    await wephone.server.start()
    await wephone.server.add_user("bob")
    done = await carol.run("message", "bob", "你好", "--json")
    assert done.code == 0, done.err
    bob = await wephone.peer("bob")
    text = await bob.next_text()
    assert (text.sender, text.text, text.message) == ("carol", "你好", done.json["message"])


async def test_a_text_that_is_not_taken_says_why(wephone: Kit, carol: Softphone) -> None:
    done = await carol.run("message", "nobody", "hello", "--json")
    assert (done.code, done.json["error"]) == (1, "unknown_user")
    assert "wephone: there is no such user" in done.err
    done = await carol.run("message", "+12025550123", "hello", "--json")
    assert (done.code, done.json["error"]) == (1, "refused")
    for shown in ("code", "decision"):
        assert done.json["refusal"][shown] in done.err
    done = await carol.run("message", "bob", "x" * 5000)
    assert done.code == 1
    assert "`text`: must have at most 4096 characters" in done.err


async def test_a_token_from_a_file_signs_in(wephone: Kit, commands: Commands, tmp_path: Path) -> None:
    await wephone.server.start()
    for name in ("bob", "carol"):
        await wephone.server.add_user(name)
    token = tmp_path / "token"
    token.write_text(f"{await wephone.server.token('carol')}\n")
    options = ("--server", wephone.server.url, "--user", "carol", "--token-file", str(token))
    for _ in range(2):  # a command that did not buy the token leaves it as it is
        done = await commands.run("message", "bob", "hello", *options)
        assert done.code == 0, done.err


async def test_a_wrong_password_is_one_sentence(wephone: Kit, commands: Commands) -> None:
    await wephone.server.start()
    await wephone.server.add_user("carol")
    options = ("--server", wephone.server.url, "--user", "carol", "--password-stdin")
    done = await commands.run("message", "bob", "hello", *options, stdin="wrong\n")
    assert done.code == 1
    assert done.err.startswith("wephone: ") and len(done.err.splitlines()) == 1
