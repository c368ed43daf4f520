"""Debian's Janus as docker-compose.yml configures it, as a process on ports of the test's own."""

import asyncio
import contextlib
import random
import secrets
import socket
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from aioice.ice import get_host_addresses

from signaling.pstn.media.janus_line import JanusPlace
from tests.deploy.compose import Service
from tests.fakes.coturn import free_port


@dataclass(frozen=True, slots=True)
class Janus:
    """One that runs, and how to start it again."""

    place: JanusPlace
    process: "subprocess.Popen[bytes]"
    folder: Path
    environment: dict[str, str]

    @property
    def log(self) -> str:
        return (self.folder / "janus.log").read_text()

    async def ready(self) -> None:
        """Until it can be asked."""
        for port in (self.environment["JANUS_PORT"], self.environment["JANUS_ADMIN_PORT"]):
            while self.process.poll() is None:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", int(port))):
                    break
                await asyncio.sleep(0.02)
        assert self.process.poll() is None, self.log


@contextlib.asynccontextmanager
async def janus(before: Janus | None = None, **instead: str) -> AsyncIterator[Janus]:
    """While the block runs; `before`: one that is gone, in whose place this one comes."""
    assert which("janus"), "Janus is not installed: scripts/packages.txt"
    addresses = get_host_addresses(use_ipv4=True, use_ipv6=False)
    assert addresses, "Janus finds apps over no loopback address, and this machine has no other"
    with TemporaryDirectory(prefix="wephone-janus-") as name:
        folder = Path(name)
        secret = secrets.token_hex(32) if before is None else before.place.secret
        (folder / "secret").write_text(f"{secret}\n")
        environment = {**(fresh(addresses[0]) if before is None else before.environment), **instead}
        environment |= {"JANUS_RUN": name}
        ports = (environment["JANUS_PORT"], environment["JANUS_ADMIN_PORT"])
        url, admin_url = (f"ws://127.0.0.1:{port}" for port in ports)
        service = Service.read("janus", {"TURN_ADDRESS": addresses[0]}, {"janus_secret": folder / "secret"})
        with service.running(folder, **environment) as process:
            running = Janus(JanusPlace(url, admin_url, secret), process, folder, environment)
            await running.ready()
            yield running


def fresh(address: str) -> dict[str, str]:
    """Ports that nobody else is likely to have: the system gives out none of the two ranges."""
    first = 10_000 + 400 * random.randrange(20)
    return {
        "JANUS_LISTEN": "127.0.0.1",
        "JANUS_PORT": str(free_port()),
        "JANUS_ADMIN_PORT": str(free_port()),
        "JANUS_ADDRESS": address,
        "JANUS_TRUNK_ADDRESS": "127.0.0.1",
        "JANUS_APP_PORTS": f"{first}-{first + 199}",
        "JANUS_TRUNK_PORTS": f"{first + 200}-{first + 399}",
    }
