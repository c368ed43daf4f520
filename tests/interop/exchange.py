"""A whole server with trunks to telephones that are not ours, and a headless peer who calls and is called.

Of the three trunks one leads to whoever listens, one through a proxy that challenges and stays on the way,
and one demands TLS and SRTP. The country of the number that is called says which is taken.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from signaling.media import MediaBackend
from signaling.ports.legs import Entitlement
from signaling.pstn.sip.sockets import Place
from tests.fakes.certificates import certify
from tests.interop.baresip import Baresip, baresip
from tests.interop.kamailio import Kamailio, kamailio
from tests.interop.played import TLS, UDP
from tests.signaling.pstn.telephony import BOSS, DID, PERMIT
from wephone.calls import Call
from wephone.protocol.ids import UserId
from wephone.testing.kit import Kit
from wephone.testing.peer import Peer

DIRECT, PROXIED, ENCRYPTED = "+4930123456", "+33123456789", "+390612345678"  # whose telephones are where
TRUNKS = """
[trunks.direct]
uri = "sip:127.0.0.1:{direct}"
sign_in = "address"
sources = ["127.0.0.0/8"]
media_networks = ["127.0.0.0/8"]
caller_id = {{ default = "{did}", header = "from" }}
limits = {{ countries = ["DE"], calls_per_second = 1000, minutes_per_day = 9999 }}
dids = {{ "{did}" = "alice" }}

[trunks.proxied]
uri = "sip:127.0.0.1:{proxied}"
sign_in = "digest"
username = "us"
password_file = "password"
media_networks = ["127.0.0.0/8"]
caller_id = {{ default = "{did}" }}
limits = {{ countries = ["FR"], calls_per_second = 1000, minutes_per_day = 9999 }}

[trunks.encrypted]
uri = "sip:127.0.0.1:{encrypted};transport=tls"
sign_in = "address"
sources = ["127.0.0.0/8"]
media_networks = ["127.0.0.0/8"]
srtp = true
caller_id = {{ default = "{did}" }}
limits = {{ countries = ["IT"], calls_per_second = 1000, minutes_per_day = 9999 }}
"""


@dataclass
class Exchange:
    """The server, who calls, and those at the far ends that are always there."""

    kit: Kit
    alice: Peer
    direct: Baresip
    encrypted: Baresip
    proxy: Kamailio

    @property
    def sound(self) -> MediaBackend:
        """What carries it."""
        network = self.kit.server.running.network
        assert network is not None
        return network.sound

    @property
    def place(self) -> Place:
        """Where carriers reach us."""
        network = self.kit.server.running.network
        assert network is not None and network.place is not None
        return network.place

    async def leg(self, call: Call) -> str:
        """The id of the leg of a call."""
        [leg] = await self.kit.server.running.parts.store.legs_of_call(call.id)
        return leg.leg


@asynccontextmanager
async def exchange(folder: Path) -> AsyncIterator[Exchange]:
    """While the block runs."""
    certificate = certify(folder)
    settings = {
        "trunks": folder / "trunks.toml",
        "media": "embedded",
        "sip_listen": "127.0.0.1:0",
        "sip_tls_ca": certificate.authority,
        "homes": ["DE"],
    }
    async with (
        baresip(UDP, user=DIRECT) as direct,
        baresip(TLS, certificate, user=ENCRYPTED, encrypted=True) as encrypted,
        kamailio() as proxy,
        Kit(settings) as kit,
    ):
        places = {"direct": direct.place.port, "proxied": proxy.port, "encrypted": encrypted.place.port}
        (folder / "trunks.toml").write_text(TRUNKS.format(did=DID, **places))
        (folder / "password").write_text("secret")
        (folder / "password").chmod(0o600)
        (alice,) = await kit.peers("alice")
        await kit.permits.add(PERMIT)
        granted = Entitlement(
            frozenset({"DE", "FR", "IT"}), BOSS, 1, calls_per_hour=100, minutes_per_day=9999
        )
        await kit.server.running.parts.store.entitle(UserId("alice"), granted)
        yield Exchange(kit, alice, direct, encrypted, proxy)
