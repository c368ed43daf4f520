"""SIPp, a SIP peer that is not ours, playing a scene of `scenes.py` on loopback."""

import asyncio
import re
import socket
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from signaling.pstn.sip.hop import Transport, bracketed
from signaling.pstn.sip.sockets import Place
from tests.fakes.coturn import free_port
from tests.interop.scenes import written

WAIT = 60.0  # seconds for a whole scene
MODES = {Transport.UDP: "u1", Transport.TCP: "t1"}


@dataclass(slots=True)
class Sipp:
    """One SIPp that runs."""

    place: Place
    folder: Path
    process: asyncio.subprocess.Process

    async def done(self) -> None:
        """Wait until its scene was played to the end as often as asked; it says what went wrong."""
        output, _ = await asyncio.wait_for(self.process.communicate(), WAIT)
        errors = self.read("errors")
        assert self.process.returncode == 0, f"{errors}\n{self.read('messages')}\n{output.decode()[-2000:]}"

    def read(self, what: str) -> str:
        """One of its logs: messages, errors."""
        file = self.folder / what
        return file.read_text(errors="replace") if file.exists() else ""

    def heard(self) -> list[str]:
        """Every message that came, as it came."""
        parts = re.split(r"-{20,} [^\n]*\n", self.read("messages"))
        came = [part.partition("\n\n") for part in parts if " message received [" in part]
        return [message.strip() for _, _, message in came]


@asynccontextmanager
async def sipp(
    scene: str,
    *,
    host: str = "127.0.0.1",
    transport: Transport = Transport.UDP,
    target: Place | None = None,
    calls: int = 1,
    contact: str = "",
    arguments: tuple[str, ...] = (),
    port: int = 0,
) -> AsyncIterator[Sipp]:
    """While the block runs. With a `target` it calls, without one it is called. `contact`: its own, where
    something stands before it."""
    program = which("sipp")
    assert program, "SIPp is not installed: scripts/packages.txt"
    port = port or (await asyncio.to_thread(free_port))
    contact = contact or f"sip:sipp@{bracketed(host)}:{port};transport={transport.lower()}"
    with TemporaryDirectory(prefix="wephone-sipp-") as name:
        folder = Path(name)
        (folder / "scene.xml").write_text(written(scene))
        process = await asyncio.create_subprocess_exec(
            program,
            *([f"{bracketed(target.host)}:{target.port}"] if target else []),
            *("-sf", str(folder / "scene.xml"), "-i", bracketed(host), "-p", str(port)),
            *("-t", MODES[transport], "-m", str(calls), "-nostdin", "-timeout", "50s", "-timeout_error"),
            *("-trace_msg", "-message_file", str(folder / "messages"), "-message_overwrite", "true"),
            *("-trace_err", "-error_file", str(folder / "errors"), "-recv_timeout", "45000"),
            *("-key", "contact", contact, *arguments),
            cwd=folder,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            while target is None and not listens(transport, host, port):
                assert process.returncode is None, await process.communicate()
                await asyncio.sleep(0.02)
            peer = Sipp(Place(transport, host, port), folder, process)
            yield peer
        except Exception as error:
            error.add_note(peer.read("errors") + peer.read("messages"))
            raise
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            await process.communicate()


def listens(transport: Transport, host: str, port: int) -> bool:
    """Has somebody taken this port?"""
    kind = socket.SOCK_DGRAM if transport is Transport.UDP else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return True
        return False
