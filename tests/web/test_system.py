"""What the system has for a call: a headset's buttons, and a screen that stays on while somebody talks."""

from playwright.async_api import Page

from tests.web.app import Someone
from tests.web.conftest import BOBS_TONE

# The keys of a headset cannot be pressed here, and whether the screen is on is not told: what the page has
# asked of the browser is written down where it is asked.
WATCHED = """() => {
  window.buttons = {};
  const set = MediaSession.prototype.setActionHandler;
  MediaSession.prototype.setActionHandler = function (name, handler) {
    window.buttons[name] = handler;
    return set.call(this, name, handler);
  };
  window.locks = [];
  const request = WakeLock.prototype.request;
  WakeLock.prototype.request = async function (kind) {
    const lock = await request.call(this, kind);
    window.locks.push(lock);
    return lock;
  };
}"""
HELD = "() => window.locks.some((lock) => !lock.released)"
FREE = "() => window.locks.length && window.locks.every((lock) => lock.released)"


async def press(page: Page, button: str) -> None:
    """A button of the system's own."""
    await page.evaluate("(name) => window.buttons[name]()", button)


async def test_a_headset_mutes_and_hangs_up_and_the_screen_stays_on_until_then(
    pair: tuple[Someone, Someone],
) -> None:
    alice, bob = pair
    await alice.context.grant_permissions(["microphone", "camera", "screen-wake-lock"])
    await alice.page.evaluate(WATCHED)
    await alice.calls("bob")
    await bob.answers()
    await alice.hears_tone(BOBS_TONE)
    await alice.page.wait_for_function(HELD)
    assert await alice.page.evaluate("navigator.mediaSession.metadata.title") == "bob"
    await press(alice.page, "togglemicrophone")
    await alice.sees("You are muted")
    await press(alice.page, "togglemicrophone")
    await alice.sees_no("You are muted")
    await press(alice.page, "hangup")
    await bob.sees("Call ended")
    await alice.page.wait_for_function(FREE)
    assert await alice.page.evaluate("window.buttons.hangup") is None
    assert await alice.page.evaluate("navigator.mediaSession.metadata") is None
