"""A headless Firefox, driven by its own WebDriver BiDi over one WebSocket, with a sound server of its own.

Without a sound server Firefox plays nothing that arrives. Its microphone is a tone that it makes itself.
"""

import asyncio
import json
import os
import re
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

WITHIN = 30.0  # seconds for what a person would wait for; a machine may be busy
TONE = 1000.0  # Hz: what its microphone hears
LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
NOBODY = "http://127.0.0.1:9/"  # it asks nobody outside for anything
PREFERENCES = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,  # the person allows the microphone
    "media.autoplay.default": 0,
    "media.peerconnection.ice.loopback": True,  # a machine may have nothing else
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "app.update.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.push.connection.enabled": False,
    "intl.accept_languages": "en",
    "media.gmp-manager.url": NOBODY,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": NOBODY,
    "toolkit.telemetry.enabled": False,
}


def program() -> str:
    """The browser: Debian's, or the one that WEPHONE_FIREFOX names."""
    found = os.environ.get("WEPHONE_FIREFOX") or shutil.which("firefox-esr")
    assert found, "there is no firefox-esr; WEPHONE_FIREFOX names one"
    return found


class Firefox:
    """One page of it."""

    def __init__(self, socket: "aiohttp.ClientWebSocketResponse[bool]") -> None:
        self._socket = socket
        self._asked = 0
        self._page = ""

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """One command, and what it gives."""
        self._asked += 1
        await self._socket.send_json({"id": self._asked, "method": method, "params": params})
        async with asyncio.timeout(WITHIN):
            while True:
                answer = json.loads((await self._socket.receive()).data)
                if answer.get("id") == self._asked:
                    break
        assert answer["type"] == "success", answer
        result: dict[str, Any] = answer["result"]
        return result

    async def begin(self, script: str) -> None:
        """A session; each page that is opened runs this first."""
        await self.ask("session.new", capabilities={})
        self._page = (await self.ask("browsingContext.getTree"))["contexts"][0]["context"]
        await self.ask("script.addPreloadScript", functionDeclaration=f"() => {{ {script} }}")

    async def open(self, address: str) -> None:
        """Go there."""
        await self.ask("browsingContext.navigate", context=self._page, url=address, wait="complete")

    async def run(self, function: str) -> Any:
        """What this JavaScript function gives, awaited."""
        done = await self.ask(
            "script.evaluate",
            expression=f"({function})().then(JSON.stringify)",
            target={"context": self._page},
            awaitPromise=True,
            userActivation=True,
        )
        assert done["type"] == "success", done["exceptionDetails"]["text"]
        return json.loads(done["result"]["value"])

    async def sees(self, role: str, name: str) -> dict[str, Any]:
        """Wait for what a screen reader would call this."""
        locator = {"type": "accessibility", "value": {"role": role, "name": name}}
        async with asyncio.timeout(WITHIN):
            while True:
                found = await self.ask("browsingContext.locateNodes", context=self._page, locator=locator)
                if found["nodes"]:
                    node: dict[str, Any] = found["nodes"][0]
                    return {"sharedId": node["sharedId"]}
                await asyncio.sleep(0.05)  # a page does not tell what it draws

    async def presses(self, role: str, name: str) -> None:
        """A click in its middle."""
        middle = {"type": "element", "element": await self.sees(role, name)}
        steps = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": middle},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        await self._act({"type": "pointer", "id": "mouse", "actions": steps})

    async def types(self, role: str, name: str, text: str) -> None:
        """Key by key, into this field."""
        await self.presses(role, name)
        keys = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        await self._act({"type": "key", "id": "keyboard", "actions": keys})

    async def _act(self, source: dict[str, Any]) -> None:
        await self.ask("input.performActions", context=self._page, actions=[source])


@asynccontextmanager
async def running(*command: str, env: dict[str, str], stderr: int = DEVNULL) -> AsyncIterator[Process]:
    """A program with all that it starts, until it is left."""
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **env}, stdout=DEVNULL, stderr=stderr, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


@asynccontextmanager
async def sound_server(folder: Path) -> AsyncIterator[dict[str, str]]:
    """PulseAudio with a loudspeaker that nobody hears; the environment in which it is found."""
    socket = folder / "sound.socket"
    command = (
        *("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"),
        *("-L", f"module-native-protocol-unix auth-anonymous=1 socket={socket}"),
        *("-L", "module-null-sink sink_name=speaker"),
    )
    here = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    async with running(*command, env=here), asyncio.timeout(WITHIN):
        while not socket.exists():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.02)
        yield {**here, "PULSE_SERVER": f"unix:{socket}"}


@asynccontextmanager
async def firefox(folder: Path, script: str) -> AsyncIterator[Firefox]:
    """It runs; each of its pages begins with this script."""
    profile = folder / "profile"
    profile.mkdir()
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()]
    (profile / "user.js").write_text("\n".join(lines))
    command = (program(), "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port=0")
    async with sound_server(folder) as sound, running(*command, env=sound, stderr=PIPE) as process:
        assert process.stderr is not None
        async with asyncio.timeout(WITHIN):
            while not (found := LISTENING.search((await process.stderr.readline()).decode())):
                assert process.returncode is None
        rest = asyncio.create_task(process.stderr.read())  # it would stop at a full pipe
        address = f"{found[1]}/session"
        async with aiohttp.ClientSession() as http, http.ws_connect(address, max_msg_size=0) as socket:
            browser = Firefox(socket)
            await browser.begin(script)
            yield browser
        rest.cancel()
