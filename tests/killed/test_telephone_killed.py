"""The server dies while a carrier answers: its call is ended by the next one, or told of, never forgotten."""

import asyncio
import itertools
import json
import shutil
from pathlib import Path

import pytest

from licensing.alarms import Alarm
from signaling.pstn.network import RANG, RESTARTED
from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.sockets import Place
from tests.fakes.strace import kill_at
from tests.interop.witness import Witness, line, witness
from tests.killed.mortal import free_port
from tests.signaling.pstn.telephony import NUMBER, Office, Trunks, after_options, office, request
from tests.signaling.pstn.victim import Victim, victim

WITHIN = 30.0  # seconds for what the next server has to do


async def test_an_answer_that_a_server_died_with_is_ended_by_the_next_one_and_told_of(tmp_path: Path) -> None:
    """It dies between the carrier's 200 and the commit of its dialog, and has acknowledged nothing."""
    us = Place(Transport.UDP, "127.0.0.1", free_port())  # to where the carrier repeats its answer
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


class Telephone(Witness):
    """It is answered as soon as it is called, and says so until that is acknowledged, as a carrier does."""

    def __init__(self) -> None:
        super().__init__()
        self.answered: dict[str, str] = {}  # the INVITE, by Call-ID
        self.acknowledged: set[str] = set()
        self.over: set[str] = set()

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        super().datagram_received(data, address)
        method, call = data.decode().partition(" ")[0], line(data.decode(), "Call-ID")
        match method:
            case "INVITE":
                self.answered[call] = data.decode()
                self.say_again()
            case "ACK":
                self.acknowledged.add(call)
            case "BYE":
                self.over.add(call)
                self.answer(data.decode(), "200 OK")
            case "OPTIONS":
                self.answer(data.decode(), "200 OK")

    def say_again(self) -> None:
        """Whatever was answered and not acknowledged."""
        for call, invite in self.answered.items():
            if call not in self.acknowledged:
                self.answer(invite, "200 OK", sdp=True)


async def a_call(server: Victim) -> None:
    """Somebody calls a telephone, and hangs up."""
    async with server.person("alice") as alice:
        call = await alice.invite(NUMBER)
        await alice.hears("answered")
        await alice.say(type="hangup", call=call)
        await alice.hears("ended")


async def dies_in_it(folder: Path, sip: str, nth: int) -> bool:
    """Is a server dead before the end of a call that is killed before its nth call that others can see?"""
    try:
        async with victim(folder, sip, kill_at(nth)) as server:
            story = asyncio.create_task(a_call(server))
            death = asyncio.create_task(server.process.wait())
            await asyncio.wait({story, death}, return_when=asyncio.FIRST_COMPLETED)
            if story.done() and story.exception() is None:
                return False
            async with asyncio.timeout(WITHIN):
                await death
            story.cancel()
            await asyncio.gather(story, return_exceptions=True)
    except json.JSONDecodeError:
        pass  # it did not live to say that it is ready
    return True


async def left_nothing_unknown(here: Office, phone: Telephone) -> None:
    """What its carrier was told that we have is ended; so is what it was not, or it is told of."""
    while not phone.acknowledged <= phone.over:
        await here.operator("GET", "trunks")
    while not phone.answered.keys() <= phone.over:
        if (await here.operator("GET", "telephone/unconfirmed"))["legs"]:
            return
        phone.say_again()


@pytest.mark.long
async def test_a_server_may_be_killed_at_any_call_of_a_telephone_call(tmp_path: Path) -> None:
    made, us = tmp_path / "made", Place(Transport.UDP, "127.0.0.1", free_port())
    sip = f"{us.host}:{us.port}"
    loop = asyncio.get_running_loop()
    transport, phone = await loop.create_datagram_endpoint(Telephone, ("127.0.0.1", 0))
    trunks, moments = Trunks().add("one", phone.place), set[tuple[bool, bool]]()
    made.mkdir()
    async with office(made, trunks) as here:
        await here.permit()
        await here.person("alice")
    for nth in itertools.count(1):
        shutil.copytree(made, folder := tmp_path / f"{nth}")
        if not await dies_in_it(folder, sip, nth):
            break
        async with office(folder, trunks, sip_listen=sip) as here, asyncio.timeout(WITHIN):
            moments.add((bool(phone.answered), bool(phone.acknowledged)))
            await left_nothing_unknown(here, phone)
        phone.answered.clear()
        phone.acknowledged.clear()
    assert moments == {(False, False), (True, False), (True, True)}, "before, within and after the answer"
    transport.close()
