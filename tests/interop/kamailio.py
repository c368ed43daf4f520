"""Kamailio as the proxy of a carrier: a registrar that challenges, and stays on the way of each call."""

import asyncio
import secrets
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.sockets import Place
from tests.fakes.coturn import free_port
from tests.interop.sipp import listens

CONFIGURATION = """
debug=0
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
listen=udp:127.0.0.1:{port}
listen=tcp:127.0.0.1:{port}
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
        $ru = "sip:us@127.0.0.1";
        if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
        t_relay();
        exit;
    }}
    if (!pv_proxy_authenticate("kamailio", "secret", "0")) {{ proxy_challenge("kamailio", "1"); exit; }}
    consume_credentials();
    $du = "sip:127.0.0.1:{behind}";
    t_relay();
}}
"""
MODULES = ("tm", "sl", "rr", "pv", "maxfwd", "textops", "siputils", "auth", "usrloc", "registrar")


@dataclass(slots=True)
class Kamailio:
    """One that runs, on UDP and TCP; the telephones that it brings calls to are behind it on UDP."""

    port: int
    behind: int

    def place(self, transport: Transport) -> Place:
        return Place(transport, "127.0.0.1", self.port)


@asynccontextmanager
async def kamailio() -> AsyncIterator[Kamailio]:
    """While the block runs."""
    program = which("kamailio", path="/usr/bin:/usr/sbin:/usr/local/sbin")
    assert program, "kamailio is not installed: scripts/packages.txt"
    proxy = Kamailio(free_port(), free_port())
    with TemporaryDirectory(prefix="wephone-kamailio-") as folder:
        file = write_configuration(proxy, folder)
        process = await asyncio.create_subprocess_exec(
            *(program, "-f", file, "-DD", "-E", "-m", "64", "-M", "8", "-Y", folder),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
        )
        try:
            while not all(listens(each, "127.0.0.1", proxy.port) for each in (Transport.UDP, Transport.TCP)):
                assert process.returncode is None, await process.communicate()
                await asyncio.sleep(0.02)
            yield proxy
        finally:
            if process.returncode is None:
                process.terminate()  # its children too
            await process.communicate()


def write_configuration(proxy: Kamailio, folder: str) -> str:
    """The file that kamailio reads."""
    file = Path(folder, "kamailio.cfg")
    loaded = "\n".join(f'loadmodule "{module}.so"' for module in MODULES)
    secret = secrets.token_hex(16)
    file.write_text(CONFIGURATION.format(port=proxy.port, behind=proxy.behind, modules=loaded, secret=secret))
    return str(file)
