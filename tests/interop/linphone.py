"""linphone, a softphone that is not ours, on loopback; it is told what to do on its standard input."""

import asyncio
import os
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.sockets import Place
from tests.fakes.certificates import Certificate
from tests.fakes.coturn import free_port
from tests.interop.phone import Phone, Said, end, ready
from tests.interop.played import Way
from tests.interop.sipp import listens

CONFIGURATION = """
[sip]
bind_address={host}
sip_port={udp}
sip_tcp_port={tcp}
sip_tls_port={tls}
root_ca={authority}
media_encryption={encryption}
media_encryption_mandatory={mandatory}
use_info={info}
use_rfc2833={events}
[rtp]
audio_rtp_port=-1
[video]
enabled=0
[misc]
ipv6={ipv6}
"""
SIGNS = {" connected.\n": Said.UP, " ended (": Said.OVER}


class Linphone(Phone):
    """One that runs."""

    async def call(self, uri: object) -> None:
        # It looks for the names of a certificate, not for its addresses.
        tls = self.place.transport is Transport.TLS
        await self.do(f"call {str(uri).replace('127.0.0.1', 'localhost') if tls else uri}")

    async def hang_up(self) -> None:
        await self.do("terminate")

    async def press(self, keys: str) -> None:
        """One after the other."""
        for key in keys:
            await self.do(key)

    async def do(self, command: str) -> None:
        """One of its own commands."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\n".encode())
        await self.process.stdin.drain()

    async def listen(self) -> None:
        """Keep what it prints."""
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self.keep(line.decode(errors="replace"), SIGNS)


@asynccontextmanager
async def linphone(
    way: Way, certificate: Certificate | None = None, *, encrypted: bool = False, info: bool = False
) -> AsyncIterator[Linphone]:
    """While the block runs. `encrypted`: SRTP by SDES, or no call. `info`: that is how it tells its keys.

    Nobody can call it over TLS.
    """
    program = which("linphonec")
    assert program, "linphone is not installed: scripts/packages.txt"
    with TemporaryDirectory(prefix="wephone-linphone-") as name:
        folder = Path(name)
        for part in (".local/share/linphone", ".config/linphone"):  # it makes its files there, not these
            (folder / part).mkdir(parents=True)
        place = Place(way.transport, way.host, await asyncio.to_thread(free_port))
        (folder / "settings").write_text(configured(way, place.port, certificate, encrypted, info))
        process = await asyncio.create_subprocess_exec(
            *(program, "-c", str(folder / "settings"), "-a", "-d", "0"),
            cwd=name,
            env={**os.environ, "HOME": name},
            stdin=PIPE,
            stdout=PIPE,
            stderr=STDOUT,
        )
        phone = Linphone(place, process)
        reading = asyncio.create_task(phone.listen())
        try:
            udp = Transport.UDP if way.transport is Transport.TLS else way.transport
            assert await ready(lambda: listens(udp, way.host, place.port), process), phone.log
            await phone.do("soundcard use files")  # there is none
            yield phone
        except Exception as error:
            error.add_note("".join(phone.log))
            raise
        finally:
            await end(process)
            await reading


def configured(way: Way, port: int, certificate: Certificate | None, encrypted: bool, info: bool) -> str:
    """Its file of settings; 0 is no socket, -1 one on any port."""
    return CONFIGURATION.format(
        host=way.host,
        udp=port if way.transport is not Transport.TCP else 0,
        tcp=port if way.transport is Transport.TCP else 0,
        tls=-1 if way.transport is Transport.TLS else 0,
        authority=certificate.authority if certificate else "",
        encryption="srtp" if encrypted else "none",
        mandatory=int(encrypted),
        info=int(info),
        events=int(not info),
        ipv6=int(":" in way.host),
    )
