"""No microphone: the call ends with a sentence that says what to do, and the other side never rings."""

from collections.abc import Sequence

import pytest
from playwright.async_api import expect

from tests.web.app import ELSEWHERE, WITHIN
from tests.web.conftest import FLAGS, Town
from wephone.testing.kit import Kit

WITHOUT_DEVICE = [flag for flag in FLAGS if flag != "--use-fake-device-for-media-stream"]
REFUSED = "This page may not use the microphone. Allow it in the browser's address bar, then call again."
ABSENT = "No microphone was found. Plug one in, then call again."
IN_USE = "Another program is using the microphone. Close it, then call again."
# What a browser says whose microphone another program holds: no flag of Chromium makes it so.
HELD = """navigator.mediaDevices.getUserMedia =
    () => Promise.reject(new DOMException("Could not start audio source", "NotReadableError"));"""


async def never_rang(wephone: Kit) -> bool:
    """Was nobody called?"""
    return "incoming" not in str(wephone.timeline)


@pytest.mark.parametrize(
    ("flags", "script", "sentence"),
    [
        (FLAGS, "", REFUSED),
        (WITHOUT_DEVICE, "", ABSENT),
        (FLAGS, HELD, IN_USE),
    ],
    ids=["refused", "absent", "in use"],
)
async def test_a_caller_without_a_microphone_is_told_what_to_do(
    town: Town, wephone: Kit, flags: Sequence[str], script: str, sentence: str
) -> None:
    await wephone.peers("bob")
    alice = await town.newcomer("alice", flags=flags)
    if sentence == REFUSED:
        await alice.context.clear_permissions()
    await alice.context.add_init_script(script)
    await alice.sign_up(town.url)
    await alice.calls("bob")
    await alice.sees(sentence)
    await alice.button("Call again").wait_for(timeout=WITHIN)
    assert await never_rang(wephone)


async def test_somebody_called_without_a_microphone_is_told_too(town: Town) -> None:
    alice = await town.member("alice")
    bob = await town.newcomer("bob", flags=WITHOUT_DEVICE)
    await bob.sign_up(town.url)
    await alice.calls("bob")
    await bob.answers()
    await bob.sees(ABSENT)
    await alice.button("Call again").wait_for(timeout=WITHIN)


async def test_whoever_hides_where_there_is_no_relay_is_told_what_to_do(town: Town, wephone: Kit) -> None:
    await wephone.peers("bob")
    alice = await town.member("alice")
    await alice.page.evaluate("location.hash = 'settings'")
    await alice.page.get_by_label("Hide my address from callers").check()
    await alice.page.get_by_role("link", name="People").click()
    await alice.calls("bob")
    await alice.sees("This service has no relay.")
    assert await never_rang(wephone)


@pytest.mark.long
async def test_a_call_that_finds_no_way_is_given_up(town: Town, wephone: Kit) -> None:
    await wephone.peers("bob")
    alice = await town.newcomer("alice")
    # It has nothing to try, which Chromium takes for no reason to fail.
    await alice.context.add_init_script("""const Old = RTCPeerConnection;
        window.RTCPeerConnection = class extends Old {
          constructor(given) { super({ ...given, iceServers: [], iceTransportPolicy: "relay" }); }
        };""")
    await alice.sign_up(town.url)
    await alice.calls("bob")
    await alice.sees("No sound could be exchanged", 45_000)


async def test_a_page_without_https_says_what_to_do_before_anything_is_typed(
    town: Town, wephone: Kit
) -> None:
    resolved = [flag for flag in FLAGS if "resolver" not in flag]
    alice = await town.newcomer("alice", flags=[*resolved, "--host-resolver-rules=MAP * 127.0.0.1"])
    await alice.page.goto(f"http://{ELSEWHERE}:{wephone.server.port}")
    await alice.sees("Open it by its https address.")
    await expect(alice.page.get_by_role("textbox")).to_have_count(0)
