"""The app can be installed, opens without a network, and keeps nothing that its API has answered."""

import asyncio

from playwright.async_api import Page

from signaling.api.pages import Page as File
from signaling.api.pages import page as file
from signaling.api.pages import pages, shell
from tests.web.app import WITHIN
from tests.web.conftest import Town
from tests.web.icons import MADE
from wephone.testing.kit import Kit

OFFLINE = "No connection to the service. Trying again…"
KEPT = """async () => {
  const names = await caches.keys();
  const kept = await Promise.all(names.map(async (name) => (await (await caches.open(name)).keys())));
  return [names, kept.flat().map(({ url }) => new URL(url).pathname)];
}"""


async def is_kept(page: Page) -> tuple[list[str], list[str]]:
    """The caches of the app and the addresses in them, once its worker is at work."""
    async with asyncio.timeout(WITHIN / 1000):
        await page.evaluate("navigator.serviceWorker.ready")
        names, addresses = await page.evaluate(KEPT)
    return names, addresses


async def test_a_browser_finds_nothing_that_keeps_it_from_being_installed(town: Town) -> None:
    alice = await town.member("alice")
    await is_kept(alice.page)
    devtools = await alice.context.new_cdp_session(alice.page)
    manifest = await devtools.send("Page.getAppManifest")
    assert manifest["errors"] == []
    found = await devtools.send("Page.getInstallabilityErrors")
    # A test's window is private, and an app is not installed from one of those.
    assert [each["errorId"] for each in found["installabilityErrors"]] == ["in-incognito"]
    for name, (size, _, _) in MADE.items():
        width = await alice.page.evaluate(
            "async (address) => (await createImageBitmap(await (await fetch(address)).blob())).width",
            f"/web/icons/{name}",
        )
        assert width == size


async def test_it_opens_without_its_server_and_comes_back_with_it(town: Town, wephone: Kit) -> None:
    alice, bob = await town.member("alice"), await town.member("bob")
    await alice.page.get_by_role("searchbox").fill("bob")
    await alice.button("Message: bob").click()
    await alice.page.get_by_label("Write a message").fill("a word before")
    await alice.button("Send").click()
    await alice.sees("Delivered")
    names, addresses = await is_kept(alice.page)
    assert len(names) == 1
    assert {"/", "/web/app/main.js", "/web/app/views/call.js"} <= set(addresses)
    assert not [address for address in addresses if address.startswith("/api")]
    await wephone.server.stop()
    await alice.page.reload()
    await alice.sees("a word before")
    await alice.sees(OFFLINE)
    await alice.page.get_by_label("Write a message").fill("a word meanwhile")
    await alice.button("Send").click()
    await alice.sees("Waiting")
    await wephone.server.start()
    await alice.sees_no(OFFLINE)
    await alice.sees_no("Waiting")
    await bob.page.get_by_role("link", name="Messages").click()
    await bob.sees("a word meanwhile")


async def test_the_door_says_that_there_is_no_network(town: Town, wephone: Kit) -> None:
    alice = await town.newcomer("alice")
    await alice.page.goto(town.url)
    await alice.button("I need an account").wait_for(timeout=WITHIN)
    await is_kept(alice.page)
    await wephone.server.stop()
    await alice.page.reload()
    await alice.sees(OFFLINE)
    await wephone.server.start()
    await alice.button("I need an account").wait_for(timeout=WITHIN)


def test_the_worker_is_another_one_as_soon_as_any_file_is() -> None:
    assert pages()["worker.js"].body.startswith(b"const SHELL = ")
    assert b"worker.js" not in pages()["worker.js"].body.split(b"\n", 1)[0]
    one: dict[str, File] = {"a.js": file("text/javascript", b"1"), "index.html": file("text/html", b"2")}
    other = {**one, "a.js": file("text/javascript", b"3")}
    assert shell(one) != shell(other)
    assert b'"files": ["/web/a.js", "/"]' in shell(one)
