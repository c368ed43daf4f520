"""A server with trunks that is there to be killed: `python -m tests.signaling.pstn.victim FOLDER SIP`."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from signaling.app.server import start
from tests.fakes.relay import Relay
from tests.signaling.device import Device
from tests.signaling.pstn.telephony import PASSWORD, settings_in

ANYWHERE = "127.0.0.1:0"


async def serve(folder: Path, sip: str) -> None:
    """Until it is killed."""
    server = await start(settings_in(folder, sip_listen=sip), sound=Relay)
    sys.stdout.write(json.dumps(server.ready) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


@dataclass
class Victim:
    """That server, and the writer of its database, which is a process of its own."""

    process: Process
    url: str

    def write_no_more(self) -> None:
        """The writer stands still: what the server asks it for from here on is not durable."""
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                os.kill(int(child), signal.SIGSTOP)

    async def die(self) -> None:
        """Both at once, as if the power had failed."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.communicate()  # until the writer's end of its pipe is closed too

    @asynccontextmanager
    async def person(self, name: str) -> AsyncIterator[Device]:
        """Somebody who has an account there, at a device."""
        async with aiohttp.ClientSession() as http:
            device = Device(http, self.url, name)
            signed_in = await device.post("/api/session", {"name": name, "password": PASSWORD})
            device.token = signed_in["token"]
            await device.open()
            try:
                yield device
            finally:
                await device.close()


@asynccontextmanager
async def victim(folder: Path, sip: str = ANYWHERE, before: Sequence[str] = ()) -> AsyncIterator[Victim]:
    """One on this folder; dead after the block at the latest. `before`: what stands before its command."""
    process = await asyncio.create_subprocess_exec(
        *(*before, sys.executable, "-m", "tests.signaling.pstn.victim", str(folder), sip),
        stdout=PIPE,
        start_new_session=True,  # its process group: itself and its writer
    )
    assert process.stdout is not None
    made = Victim(process, "")
    try:
        made.url = json.loads(await process.stdout.readline())["url"]
        yield made
    finally:
        await made.die()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2]))
