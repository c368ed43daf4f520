"""What a person does in a call: hold, mute, video, other devices; what the other hears and sees of it."""

from playwright.async_api import Page, expect

from tests.web.app import WITHIN, Someone
from tests.web.conftest import ALICES_TONE, BOBS_TONE

PLAYS = """() => {
  const video = document.querySelector("video.far");
  return video && video.videoWidth > 0 && video.getVideoPlaybackQuality().totalVideoFrames > 5;
}"""
CAMERAS = """(number) =>
  window.cameras.filter((track) => track.readyState === "live").length === number"""
# Every camera and microphone that the page opens, so that a test can see that it is let go of.
OPENED = """window.cameras = []; window.microphones = [];
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  const stream = await ask(wanted);
  window.cameras.push(...stream.getVideoTracks());
  window.microphones.push(...stream.getAudioTracks());
  return stream;
};
null"""

# The person takes the permission back, and the browser ends what the page has.
LOSES = """window.allowed = navigator.mediaDevices.getUserMedia;
navigator.mediaDevices.getUserMedia =
  () => Promise.reject(new DOMException("Permission denied", "NotAllowedError"));
for (const track of window.microphones) { track.stop(); track.dispatchEvent(new Event("ended")); }"""


async def talk(pair: tuple[Someone, Someone]) -> tuple[Someone, Someone]:
    """Alice calls, Bob answers, both are heard."""
    alice, bob = pair
    for person in pair:
        await person.page.evaluate(OPENED)
    await alice.calls("bob")
    await bob.answers()
    await alice.hears_tone(BOBS_TONE)
    await bob.hears_tone(ALICES_TONE)
    return pair


async def sees_pictures(page: Page) -> None:
    """Wait until pictures of the other side move."""
    await page.wait_for_function(PLAYS, timeout=WITHIN)


async def cameras(page: Page, number: int) -> None:
    """Wait until so many cameras are open."""
    await page.wait_for_function(CAMERAS, arg=number, timeout=WITHIN)


async def test_each_shows_itself_by_its_own_choice_and_the_camera_is_let_go_of(
    pair: tuple[Someone, Someone],
) -> None:
    alice, bob = await talk(pair)
    await alice.button("Video on").click()
    await sees_pictures(bob.page)
    await cameras(alice.page, 1)
    await cameras(bob.page, 0)  # nobody else opens it
    await expect(alice.page.locator(".stage .avatar")).to_be_visible()  # of Bob, who shows nothing
    await expect(alice.page.locator("video.near")).to_be_visible()
    await bob.button("Video on").click()
    await sees_pictures(alice.page)
    await alice.button("Video off").click()
    await cameras(alice.page, 0)
    await cameras(bob.page, 1)
    await sees_pictures(alice.page)
    await bob.button("Video off").click()
    await cameras(bob.page, 0)
    for person in pair:
        await expect(person.page.locator("video.far")).to_have_count(0, timeout=WITHIN)
    await alice.hears_tone(BOBS_TONE)
    await bob.hears_tone(ALICES_TONE)


async def test_a_video_call_is_answered_with_video(pair: tuple[Someone, Someone]) -> None:
    alice, bob = pair
    for person in pair:
        await person.page.evaluate(OPENED)
    await alice.page.get_by_role("searchbox").fill("bob")
    await alice.button("Message: bob").click()
    await alice.button("Video call").click()
    await bob.answers()
    for person in pair:
        await sees_pictures(person.page)
        await cameras(person.page, 1)
    await alice.button("End").click()
    for person in pair:
        await cameras(person.page, 0)


async def test_hold_is_silent_both_ways_until_resumed(pair: tuple[Someone, Someone]) -> None:
    alice, bob = await talk(pair)
    await alice.button("Hold").click()
    await bob.sees("alice has put you on hold")
    await alice.sees("On hold")
    await alice.hears_nothing()
    await bob.hears_nothing()
    await alice.button("Resume").click()
    await alice.hears_tone(BOBS_TONE)
    await bob.hears_tone(ALICES_TONE)


async def test_mute_is_silence_and_a_person_who_talks_is_reminded(pair: tuple[Someone, Someone]) -> None:
    alice, bob = await talk(pair)
    await alice.button("Mute").click()
    await bob.hears_nothing()
    await alice.sees("You are talking, but muted")  # the tone goes on
    await alice.hears_tone(BOBS_TONE)
    await alice.button("Unmute").click()
    await bob.hears_tone(ALICES_TONE)
    await alice.sees_no("You are talking, but muted")


async def test_another_microphone_and_loudspeaker_are_used_at_once(pair: tuple[Someone, Someone]) -> None:
    alice, _ = await talk(pair)
    await alice.button("Audio").click()
    microphone = alice.page.get_by_role("combobox", name="Microphone")
    await expect(microphone.locator("option")).not_to_have_count(1, timeout=WITHIN)
    await microphone.select_option(index=2)
    picked = await microphone.input_value()
    await alice.page.wait_for_function(
        """(id) => window.microphones.some((track) => track.readyState === "live"
             && track.getSettings().deviceId === id)""",
        arg=picked,
        timeout=WITHIN,
    )
    await alice.page.get_by_role("combobox", name="Speaker").select_option(index=1)
    spoken = await alice.page.get_by_role("combobox", name="Speaker").input_value()
    await alice.page.wait_for_function("(id) => window.voices[0].sinkId === id", arg=spoken, timeout=WITHIN)
    await expect(alice.page.get_by_role("meter", name="Microphone level")).not_to_have_attribute("value", "0")
    before = await alice.page.evaluate("window.tones")
    await alice.button("Play a test tone").click()
    assert await alice.page.evaluate("window.tones") == before + 2
    await alice.hears_tone(BOBS_TONE)


async def test_without_a_camera_or_a_microphone_a_call_goes_on_and_says_so(
    pair: tuple[Someone, Someone],
) -> None:
    alice, bob = await talk(pair)
    await alice.page.evaluate(
        """const ask = navigator.mediaDevices.getUserMedia;
        navigator.mediaDevices.getUserMedia = (wanted) => wanted.video
          ? Promise.reject(new DOMException("Requested device not found", "NotFoundError")) : ask(wanted);
        null"""
    )
    await alice.button("Video on").click()
    await alice.sees("No camera was found. Plug one in, then try again.")
    await bob.hears_tone(ALICES_TONE)
    await alice.page.evaluate(LOSES)
    await alice.sees("They cannot hear you: this page may no longer use the microphone.")
    await bob.hears_nothing()
    await alice.hears_tone(BOBS_TONE)
    await alice.page.evaluate("navigator.mediaDevices.getUserMedia = window.allowed; null")
    await alice.button("Try again").click()
    await bob.hears_tone(ALICES_TONE)
    await alice.sees_no("They cannot hear you")
