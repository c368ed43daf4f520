"""Kamailio as the proxy of a carrier: a registrar that challenges, and stays on the way of each call."""

import asyncio
import os
import secrets
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from signaling.pstn.sip.hop import Transport, bracketed
from signaling.pstn.sip.sockets import Place
from tests.fakes.certificates import Certificate
from tests.fakes.coturn import free_port
from tests.interop.sipp import listens

CONFIGURATION = """
debug=0
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
enable_tls={tls}
{listen}
{modules}
modparam("rr", "append_fromtag", 1)
modparam("auth", "secret", "{secret}")
modparam("usrloc", "db_mode", 0)

request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    if (has_totag()) {{
        if (loose_route()) {{ t_relay(); exit; }}
        if (is_method("ACK")) {{ if (t_check_trans()) t_relay(); exit; }}
        sl_send_reply("404", "Not here");
        exit;
    }}
    t_check_trans();
    if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("kamailio", "secret", "0")) {{ www_challenge("kamailio", "1"); exit; }}
        save("location");
        exit;
    }}
    record_route();
    if ($sp == {behind}) {{ # from the telephones behind it, to whoever is registered
        $ru = "sip:us@{host}";
        if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
        t_relay();
        exit;
    }}
    if (!pv_proxy_authenticate("kamailio", "secret", "0")) {{ proxy_challenge("kamailio", "1"); exit; }}
    consume_credentials();
    $du = "sip:{host}:{behind}";
    t_relay();
}}
"""
MODULES = ("tm", "sl", "rr", "pv", "maxfwd", "textops", "siputils", "auth", "usrloc", "registrar")
TLS = """
modparam("tls", "private_key", "{key}")
modparam("tls", "certificate", "{certificate}")
modparam("tls", "tls_method", "TLSv1.2+")
"""


@dataclass(slots=True)
class Kamailio:
    """One that runs, on UDP and TCP, perhaps on TLS; the telephones that it brings calls to are behind it on
    UDP."""

    host: str
    port: int
    tls: int
    behind: int

    def place(self, transport: Transport) -> Place:
        return Place(transport, self.host, self.tls if transport is Transport.TLS else self.port)


@asynccontextmanager
async def kamailio(
    host: str = "127.0.0.1", certificate: Certificate | None = None
) -> AsyncIterator[Kamailio]:
    """While the block runs; with a certificate it speaks TLS."""
    program = which("kamailio", path="/usr/bin:/usr/sbin:/usr/local/sbin")
    assert program, "kamailio is not installed: scripts/packages.txt"
    proxy = Kamailio(host, free_port(), free_port(), free_port())
    used = (Transport.UDP, Transport.TCP, *((Transport.TLS,) if certificate else ()))
    with TemporaryDirectory(prefix="wephone-kamailio-") as folder:
        file = write_configuration(proxy, used, certificate, folder)
        process = await asyncio.create_subprocess_exec(
            *(program, "-f", file, "-DD", "-E", "-m", "64", "-M", "8", "-Y", folder),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            start_new_session=True,
        )
        try:
            while not all(listens(each, host, proxy.place(each).port) for each in used):
                assert process.returncode is None, await process.communicate()
                await asyncio.sleep(0.02)
            yield proxy
        finally:
            # With its children: asked to end, it sometimes waits a minute for them.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.communicate()


def write_configuration(
    proxy: Kamailio, used: tuple[Transport, ...], certificate: Certificate | None, folder: str
) -> str:
    """The file that kamailio reads."""
    file = Path(folder, "kamailio.cfg")
    loaded = [f'loadmodule "{module}.so"' for module in (*(("tls",) if certificate else ()), *MODULES)]
    if certificate:
        loaded.append(TLS.format(key=certificate.key, certificate=certificate.certificate))
    places = [proxy.place(transport) for transport in used]
    listen = [f"listen={place.transport.lower()}:{bracketed(place.host)}:{place.port}" for place in places]
    file.write_text(
        CONFIGURATION.format(
            tls="yes" if certificate else "no",
            listen="\n".join(listen),
            host=bracketed(proxy.host),
            behind=proxy.behind,
            modules="\n".join(loaded),
            secret=secrets.token_hex(16),
        )
    )
    return str(file)
