"""A carrier that connects to us over TLS is answered, and hung up on, by its own connection."""

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest

from signaling.app.errors import StartError
from signaling.app.server import start
from signaling.configuration import SettingsError
from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.sockets import Place
from tests.fakes.certificates import certify
from tests.interop.witness import line, witness
from tests.signaling.device import SDP
from tests.signaling.pstn.telephony import DID, Trunks, after_options, office, request, settings_in


@dataclass
class Connection:
    """One that the carrier has made: text goes and comes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def place(self) -> Place:
        """Our end of it."""
        host, port = self.writer.get_extra_info("sockname")[:2]
        return Place(Transport.TLS, host, port)

    def say(self, text: str) -> None:
        self.writer.write(text.encode())

    async def hear(self, start: str) -> str:
        """The next message that begins so."""
        while True:
            async with asyncio.timeout(10):
                head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
                size = int(line(head, "Content-Length").partition(": ")[2])
                body = (await self.reader.readexactly(size)).decode()
            if head.startswith(start):
                return head + body

    def answer(self, asked: str) -> None:
        kept = [line(asked, name) for name in ("Via", "From", "To", "Call-ID", "CSeq")]
        self.say("\r\n".join(("SIP/2.0 200 OK", *kept, "Content-Length: 0", "", "")))


def over_tls(text: str) -> str:
    return text.replace("SIP/2.0/UDP", "SIP/2.0/TLS").replace(">\r\nMax", ";transport=tls>\r\nMax")


async def test_a_call_over_the_carriers_connection_is_taken_and_ended_on_it(tmp_path: Path) -> None:
    made = certify(tmp_path, "sip.example")
    own = {"sip_tls_listen": "127.0.0.1:0", "sip_tls_certificate": made.certificate, "sip_tls_key": made.key}
    async with witness() as phone:
        trunks = Trunks().add("one", phone.place, dids={DID: "alice"})
        async with office(tmp_path, trunks, **own) as here:
            await after_options(phone)
            await here.permit()
            alice = await here.person("alice")
            assert here.server.network is not None and here.server.network.tls_place is not None
            place = here.server.network.tls_place
            context = ssl.create_default_context(cafile=made.authority)
            carrier = Connection(
                *await asyncio.open_connection(
                    place.host, place.port, ssl=context, server_hostname="sip.example"
                )
            )
            invite = over_tls(request("INVITE", place, carrier.place))
            carrier.say(invite)
            call = (await alice.hears("incoming"))["call"]
            await alice.say(type="alerting", call=call)
            await alice.say(type="answer", call=call, sdp=SDP, nonce="ab" * 32)
            answer = await carrier.hear("SIP/2.0 200")
            ack = over_tls(request("ACK", place, carrier.place))
            carrier.say(ack.replace(line(ack, "To"), line(answer, "To")))
            await alice.hears("select_answer")
            await alice.say(type="hangup", call=call)
            carrier.answer(await carrier.hear("BYE"))
            [leg] = await here.legs(call)
            assert leg["confirmed"]
            carrier.writer.close()


async def test_a_certificate_that_cannot_be_used_is_said_at_the_start(tmp_path: Path) -> None:
    made = certify(tmp_path)
    (tmp_path / "trunks.toml").write_text(Trunks().add("one", Place(Transport.UDP, "127.0.0.1", 9)).text)
    for certificate, key, said in (
        (tmp_path / "none.pem", made.key, "cannot read"),
        (made.certificate, made.authority, "no certificate with its key"),
    ):
        own = {"sip_tls_listen": "127.0.0.1:0", "sip_tls_certificate": certificate, "sip_tls_key": key}
        with pytest.raises(StartError, match=said):
            await start(settings_in(tmp_path, media="embedded", **own))
    with pytest.raises(SettingsError, match="go together"):
        settings_in(tmp_path, sip_tls_listen="127.0.0.1:0")
