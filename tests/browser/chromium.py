"""A headless Chromium, driven by the Chrome DevTools Protocol over one WebSocket."""

import asyncio
import base64
import json
import os
import re
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

PROGRAM = "chromium"  # WEPHONE_CHROMIUM names another
LISTENING = re.compile(r"DevTools listening on (ws://\S+)")
FLAGS = (
    "--headless=new",
    "--remote-debugging-port=0",
    "--no-sandbox",  # it loads our own page alone; root has no sandbox, nor has a container
    "--disable-dev-shm-usage",  # containers give it 64 MB
    "--disable-gpu",
    # A page that the protocol hands in counts as one from far away, which may not speak to this machine.
    "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # it asks nobody outside for anything
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",  # the person allows the microphone; addresses are shown then
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",  # a machine may have nothing else
)


class PageError(Exception):
    """What the page threw, or the browser refused to do."""


class Page:
    """A page that the test serves under an address of the server's own, so that it is one of its pages."""

    def __init__(self, browser: "Chromium", session: str) -> None:
        self._browser, self.session = browser, session

    async def run(self, expression: str) -> Any:
        """The value of this JavaScript, awaited. PageError if it throws."""
        done = await self._browser.ask(
            "Runtime.evaluate",
            self.session,
            expression=f"Promise.resolve({expression}).then((value) => JSON.stringify(value))",
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in done:
            raise PageError(done["exceptionDetails"]["exception"].get("description", done))
        value = done["result"].get("value")
        return None if value is None else json.loads(value)


class Chromium:
    """A browser that runs."""

    def __init__(self, socket: "aiohttp.ClientWebSocketResponse[bool]") -> None:
        self._socket = socket
        self._number = 0
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._served: dict[
            str, tuple[str, asyncio.Event]
        ] = {}  # by session: a page's text, and when it is there
        self._tasks: set[asyncio.Task[Any]] = set()

    async def open(self, url: str, script: str) -> Page:
        """A page of this address, with this script, in a window that shares no cookie with others."""
        context = (await self.ask("Target.createBrowserContext"))["browserContextId"]
        target = await self.ask("Target.createTarget", url="about:blank", browserContextId=context)
        attached = await self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        page = Page(self, attached["sessionId"])
        loaded = asyncio.Event()
        text = f"<!doctype html><title>a telephone</title><script>{script}</script>"
        self._served[page.session] = (text, loaded)
        await self.ask("Page.enable", page.session)
        await self.ask("Fetch.enable", page.session, patterns=[{"urlPattern": url}])
        await self.ask("Page.navigate", page.session, url=url)
        await loaded.wait()
        return page

    async def ask(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """One command, and its result."""
        self._number += 1
        number = self._number
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        command = {"id": number, "method": method, "params": parameters}
        await self._socket.send_json(command if session is None else {**command, "sessionId": session})
        told = await answer
        if "error" in told:
            raise PageError(f"{method}: {told['error']['message']}")
        result: dict[str, Any] = told["result"]
        return result

    async def read(self) -> None:
        """Answers and events, until it ends."""
        async for frame in self._socket:
            told = frame.json()
            if "id" in told:
                self._asked.pop(told["id"]).set_result(told)
            elif told["method"] == "Fetch.requestPaused":
                task = asyncio.create_task(self._serve(told["sessionId"], told["params"]["requestId"]))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            elif told["method"] == "Page.loadEventFired" and told.get("sessionId") in self._served:
                self._served[told["sessionId"]][1].set()
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(PageError("the browser has ended"))

    async def _serve(self, session: str, request: str) -> None:
        """The page, in place of whatever the server has there."""
        await self.ask(
            "Fetch.fulfillRequest",
            session,
            requestId=request,
            responseCode=200,
            responseHeaders=[{"name": "Content-Type", "value": "text/html; charset=utf-8"}],
            body=base64.b64encode(self._served[session][0].encode()).decode(),
        )


@asynccontextmanager
async def chromium(folder: Path, microphone: Path) -> AsyncIterator[Chromium]:
    """A browser with a profile in this folder; its microphone hears this WAV file, over and over."""
    program = os.environ.get("WEPHONE_CHROMIUM") or PROGRAM
    process = await asyncio.create_subprocess_exec(
        program,
        *FLAGS,
        f"--user-data-dir={folder}",
        f"--use-file-for-fake-audio-capture={microphone}",
        "about:blank",
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=PIPE,
        env={**os.environ, "HOME": str(folder)},
        start_new_session=True,  # it starts many processes: they end together
    )
    try:
        url, reading = await address(process)
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(url, max_msg_size=0) as socket,
        ):
            browser = Chromium(socket)
            listening = asyncio.create_task(browser.read())
            try:
                yield browser
            finally:
                await browser.ask("Browser.close")
                await listening
        await reading
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        await process.wait()


async def address(process: Process) -> tuple[str, "asyncio.Task[bytes]"]:
    """Where it listens for commands, as it says itself; what else it says is read and forgotten."""
    assert process.stderr is not None
    said = ""
    while line := await process.stderr.readline():
        said += line.decode(errors="replace")
        if found := LISTENING.search(said):
            return found[1], asyncio.create_task(process.stderr.read())
    raise PageError(f"the browser did not start: {said}")
