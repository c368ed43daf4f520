"""The server dies while a carrier answers: its call is ended by the next one, or told of, never forgotten."""

from pathlib import Path

from licensing.alarms import Alarm
from signaling.pstn.network import RANG, RESTARTED
from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.sockets import Place
from tests.interop.witness import line, witness
from tests.killed.mortal import free_port
from tests.signaling.pstn.telephony import NUMBER, Trunks, after_options, office, request
from tests.signaling.pstn.victim import victim


async def test_an_answer_that_a_server_died_with_is_ended_by_the_next_one_and_told_of(tmp_path: Path) -> None:
    """It dies between the carrier's 200 and the commit of its dialog, and has acknowledged nothing."""
    us = Place(
        Transport.UDP, "127.0.0.1", free_port()
    )  # the carrier repeats its answer to where it was asked
    sip = f"{us.host}:{us.port}"
    async with witness() as phone:
        trunks = Trunks().add("one", phone.place)
        async with office(tmp_path, trunks) as here:
            await after_options(phone)
            await here.permit()
            await here.person("alice")
        async with victim(tmp_path, sip) as server, server.person("alice") as alice:
            await after_options(phone)
            call = await alice.invite(NUMBER)
            invite = await phone.hear("INVITE")
            phone.answer(invite, "180 Ringing")
            while (await alice.hears("progress"))["progress"] != "alerting":
                pass
            server.write_no_more()
            phone.answer(invite, "200 OK", sdp=True)
            phone.send(request("OPTIONS", us, phone.place))  # what came before it was heard then
            await phone.hear("SIP/2.0 200")
            await server.die()
        assert not [packet for packet in phone.packets if packet.startswith("ACK")]
        async with office(tmp_path, trunks, sip_listen=sip) as here:
            phone.answer(invite, "200 OK", sdp=True)
            assert ";tag=w" in line(await phone.hear("ACK"), "To")
            bye = await phone.hear("BYE")
            assert line(bye, "Call-ID") == line(invite, "Call-ID")
            phone.answer(bye, "200 OK")
            [leg] = await here.unconfirmed(1)
            assert (leg["call"], leg["cause"]) == (call, f"{RESTARTED.words}; {RANG}")
            assert Alarm.LEG_UNCONFIRMED in here.server.parts.licence.alarms.raised
            assert (await here.record(call))["reason"] == "server_restarted"
