"""The real coturn, on loopback and free to reach it: two callers of one machine meet there."""

import asyncio
import secrets
import socket
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

READY = "IPv4. UDP listener opened on"


@dataclass(slots=True)
class Coturn:
    """A relay that runs."""

    port: int
    secret: str
    lines: list[str] = field(default_factory=list)  # of its log
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def settings(self) -> dict[str, object]:
        """For the server of a test."""
        return {"turn_urls": [f"turn:127.0.0.1:{self.port}?transport=udp"], "turn_secret": self.secret}

    async def read(self, log: asyncio.StreamReader) -> None:
        """Keep what it says, until it ends."""
        while line := await log.readline():
            self.lines.append(line.decode(errors="replace"))
            if READY in self.lines[-1]:
                self.ready.set()


@asynccontextmanager
async def coturn(before: Coturn | None = None) -> AsyncIterator[Coturn]:
    """While the block runs. Tests may run beside each other: a port that is taken coturn passes over.

    `before`: one that is gone, and whose address and secret this one has.
    """
    relay = (
        Coturn(free_port(), secrets.token_hex(32)) if before is None else Coturn(before.port, before.secret)
    )
    program = which("turnserver", path="/usr/bin:/usr/sbin:/usr/local/bin")
    assert program, "coturn is not installed: scripts/packages.txt"
    with TemporaryDirectory(prefix="wephone-coturn-") as folder:
        file = write_configuration(relay, folder)
        process = await asyncio.create_subprocess_exec(
            program, "-c", file, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL
        )
        assert process.stdout is not None
        reader = asyncio.create_task(relay.read(process.stdout))
        try:
            ready = asyncio.create_task(relay.ready.wait())
            await asyncio.wait((ready, reader), return_when=asyncio.FIRST_COMPLETED)
            ready.cancel()
            assert relay.ready.is_set(), relay.lines
            yield relay
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            await reader


def write_configuration(relay: Coturn, folder: str) -> str:
    """The file that coturn reads: a secret on a command line would be everybody's."""
    file = Path(folder, "turnserver.conf")
    file.write_text(f"""
listening-ip=127.0.0.1
relay-ip=127.0.0.1
listening-port={relay.port}
realm=wephone.test
use-auth-secret
static-auth-secret={relay.secret}
allow-loopback-peers
no-tls
no-dtls
no-cli
no-rfc5780
simple-log
verbose
log-file=stdout
pidfile={folder}/pid
userdb={folder}/db
""")
    return str(file)


def free_port() -> int:
    """Free for UDP and TCP at this moment."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port: int = tcp.getsockname()[1]
            try:
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
