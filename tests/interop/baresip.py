"""baresip, a softphone that is not ours, on loopback; it is told what to do over a socket of its own."""

import asyncio
import json
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from signaling.pstn.sip.hop import Transport, bracketed
from signaling.pstn.sip.sockets import Place
from tests.fakes.certificates import Certificate
from tests.fakes.coturn import free_port
from tests.interop.phone import Phone, Said, end, ready
from tests.interop.played import Way
from tests.interop.sipp import listens

MODULES = ("g711", "aubridge", "aufile", "srtp")
ECHO = "aubridge,loop"  # it says what it hears
APPLICATIONS = ("account", "menu", "ctrl_tcp")
CONFIGURATION = """
sip_listen {listen}
sip_verify_server yes
{tls}
net_interface {host}
audio_player aubridge,loop
audio_source {source}
audio_alert aubridge,bell
ringback_disabled yes
ctrl_tcp_listen 127.0.0.1:{control}
module_path {modules}
{loaded}
"""
SIGNS = {'"CALL_ESTABLISHED"': Said.UP, '"CALL_CLOSED"': Said.OVER}


@dataclass
class Baresip(Phone):
    """One that runs."""

    writer: asyncio.StreamWriter | None = None
    keys: "asyncio.Queue[str]" = field(default_factory=asyncio.Queue)  # that the other side has pressed

    async def call(self, uri: object) -> None:
        await self.do("dial", str(uri))

    async def hang_up(self) -> None:
        await self.do("hangup")

    async def do(self, command: str, parameters: str = "") -> None:
        """One of its own commands, as a netstring of JSON."""
        assert self.writer is not None
        text = json.dumps({"command": command, "params": parameters})
        self.writer.write(f"{len(text)}:{text},".encode())
        await self.writer.drain()

    async def listen(self, reader: asyncio.StreamReader) -> None:
        """Keep what it tells of."""
        while True:
            try:
                length = int((await reader.readuntil(b":"))[:-1])
                event = (await reader.readexactly(length + 1))[:-1].decode(errors="replace")
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            self.keep(event, SIGNS)
            if '"CALL_DTMF_START"' in event:
                self.keys.put_nowait(json.loads(event)["param"])


@asynccontextmanager
async def baresip(
    way: Way,
    certificate: Certificate | None = None,
    *,
    encrypted: bool = False,
    user: str = "far",
    port: int = 0,
    source: str = ECHO,
) -> AsyncIterator[Baresip]:
    """While the block runs, as that user, who takes calls for nobody else. `encrypted`: SRTP by SDES, or no
    call. `port`: where it has to be. `source`: what it says, by module and device."""
    program = which("baresip")
    assert program, "baresip is not installed: scripts/packages.txt"
    with TemporaryDirectory(prefix="wephone-baresip-") as name:
        folder = Path(name)
        port = port or await asyncio.to_thread(two_free_ports)
        control = await asyncio.to_thread(free_port)
        # It takes the port for UDP and TCP, and the next one for TLS.
        place = Place(way.transport, way.host, port + (way.transport is Transport.TLS))
        (folder / "config").write_text(configured(way, port, control, source, certificate, folder))
        # Without a transport: what it calls has one, and it would add its own.
        media = ";mediaenc=srtp-mand" if encrypted else ""
        (folder / "accounts").write_text(
            f"<sip:{user}@{bracketed(way.host)}:{port}>;regint=0;answermode=auto;audio_codecs=PCMA{media}\n"
        )
        (folder / "contacts").write_text("")
        process = await asyncio.create_subprocess_exec(
            program, "-f", name, "-s", cwd=name, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT
        )
        phone = Baresip(place, process)
        assert process.stdout is not None
        reading = [asyncio.create_task(keep(phone, process.stdout))]
        try:
            is_up = lambda: listens(Transport.TCP, "127.0.0.1", control)  # noqa: E731
            assert await ready(is_up, process), phone.log
            reader, phone.writer = await asyncio.open_connection("127.0.0.1", control)
            reading.append(asyncio.create_task(phone.listen(reader)))
            yield phone
        except Exception as error:
            error.add_note("".join(phone.log))
            raise
        finally:
            await end(process)
            if phone.writer:
                phone.writer.close()
            await asyncio.gather(*reading)


async def keep(phone: Phone, output: asyncio.StreamReader) -> None:
    """What it prints, for whoever wants to know what went wrong."""
    while line := await output.readline():
        phone.log.append(line.decode(errors="replace"))


def configured(
    way: Way, port: int, control: int, source: str, certificate: Certificate | None, folder: Path
) -> str:
    """Its file of settings."""
    tls = ""
    if certificate:
        both = folder / "certificate.pem"
        both.write_bytes(certificate.certificate.read_bytes() + certificate.key.read_bytes())
        tls = f"sip_certificate {both}\nsip_cafile {certificate.authority}"
    loaded = [f"module {name}.so" for name in MODULES] + [f"module_app {name}.so" for name in APPLICATIONS]
    return CONFIGURATION.format(
        listen=f"{bracketed(way.host)}:{port}",
        tls=tls,
        host=way.host,
        control=control,
        source=source,
        modules="/usr/lib/baresip/modules",
        loaded="\n".join(loaded),
    )


def two_free_ports() -> int:
    """The first of two, one after the other, that are free at this moment."""
    while True:
        port = free_port()
        if not listens(Transport.TCP, "127.0.0.1", port + 1):
            return port
