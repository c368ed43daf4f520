"""`wephone forward` against a real server, and a call that goes on between headless peers."""

from tests.cli.conftest import Softphone
from wephone.events import Forwarded
from wephone.testing.kit import Kit


async def test_calls_go_on_to_whom_the_command_names_and_both_sides_see_it(
    wephone: Kit, carol: Softphone
) -> None:
    alice, bob = await wephone.peers("alice", "bob")
    done = await carol.run("forward", "--always", "bob")
    assert (done.code, done.out) == (0, "all calls go on to bob\n")
    call = await alice.call("carol")
    await call.connected()
    assert call.peer == "bob" and call.find(Forwarded) is not None
    assert bob.talks[0].call.forwarded_by == "carol"
    await call.hangup()
    assert (await carol.run("forward", "--off", LANG="zh_CN.UTF-8")).out == "未设置呼叫转移\n"
    shown = await carol.run("forward", "--json")
    assert shown.json == {"always": None, "busy": None, "no_answer": None, "after": 20}


async def test_what_the_server_does_not_take_is_one_sentence(wephone: Kit, carol: Softphone) -> None:
    for wrong, sentence in (
        (["--busy", "carol"], "that is yourself"),
        (["--no-answer", "?"], "neither a user name"),
    ):
        done = await carol.run("forward", *wrong)
        assert done.code == 1 and sentence in done.err and "Traceback" not in done.err
    done = await carol.run("forward", "--after", "9")
    assert (done.code, done.err) == (1, "wephone: --after is of --no-answer\n")
