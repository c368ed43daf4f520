"""Sound that cannot be: one clear end, one line in the log, everything back, and the next call works."""

import asyncio
import logging
import os
import random
import re
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from signaling.media import Ending, Tally
from signaling.pstn.media.embedded import EmbeddedBackend
from tests.interop.witness import SDP as SOUND
from tests.interop.witness import Witness, witness
from tests.signaling.device import SDP, Device
from tests.signaling.pstn.media.ends import open_wire
from tests.signaling.pstn.telephony import DID, NUMBER, Office, Trunks, office, request

G722_ALONE = SDP.replace("SAVPF 111", "SAVPF 9").replace("111 opus/48000/2", "9 G722/8000")
HOUR = 3600 * 1_000_000  # microseconds
ANSWERS = {
    "no common codec": SOUND.replace("AVP 0", "AVP 18"),
    "a private address": SOUND.replace("127.0.0.1", "10.0.0.1"),
    "a foreign address": SOUND.replace("127.0.0.1", "203.0.113.9"),
    "an address that is a name": SOUND.replace("c=IN IP4 127.0.0.1", "c=IN IP4 phone.example"),
    "keys that were not asked for": SOUND.replace("RTP/AVP", "RTP/SAVP"),
    "no audio": SOUND.replace("m=audio", "m=video"),
    "no description": "sound, please",
}


# One server for the tests of each kind of sound, and so one loop: it takes seconds to start.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Scene:
    """A server, and the far end of its trunk."""

    here: Office
    phone: Witness

    async def person(self, name: str) -> Device:
        return await self.here.person(name, calls_per_hour=100, minutes_per_day=9_999)


@asynccontextmanager
async def scene(folder: Path, **sound: Any) -> AsyncIterator[Scene]:
    async with witness() as phone:
        trunks = Trunks().add("one", phone.place, limits="minutes_per_day = 9999", dids={DID: "called"})
        trunks.text = trunks.text.replace("options_every = 5", "options_every = 3600")
        async with office(folder, trunks, **sound) as here:
            phone.answer(await phone.hear("OPTIONS"), "200 OK")
            await here.permit()
            yield Scene(here, phone)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def embedded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """With ports for one call: what is not given back is missing at once."""
    async with scene(tmp_path_factory.mktemp("embedded"), media="embedded", rtp_ports=ports(1)) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def relayed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """With sound that does as the test says."""
    async with scene(tmp_path_factory.mktemp("relayed")) as made:
        yield made


def ports(calls: int) -> str:
    """For so many calls at once; the system gives out none of these, nor do other tests take them."""
    first = 32_000 + 8 * random.randrange(90)
    return f"{first}-{first + 2 * calls - 1}"


async def answered(phone: Witness, alice: Device) -> tuple[str, str]:
    """A call that works; its id, and what the carrier was told of it."""
    call = await alice.invite(NUMBER)
    invite = await phone.hear("INVITE")
    phone.answer(invite, "200 OK", sdp=True)
    await alice.hears("answered")
    return call, invite


async def hung_up(phone: Witness, alice: Device, call: str) -> None:
    await alice.say(type="hangup", call=call)
    phone.answer(await phone.hear("BYE"), "200 OK")
    assert (await alice.hears("ended"))["call"] == call


async def nothing_is_left(here: Office, call: str) -> None:
    await here.legs(call)
    assert here.server.network is not None
    assert here.server.network.at_work() == 0
    assert here.server.parts.licence.gate.leases == ()


async def test_a_description_that_cannot_be_served_ends_its_call_alone(
    embedded: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    here, phone = embedded.here, embedded.phone
    alice = await embedded.person("alice")
    caplog.set_level(logging.WARNING)
    for why, answer in ANSWERS.items():
        caplog.clear()
        call = await alice.invite(NUMBER)
        phone.answer(await phone.hear("INVITE"), "200 OK", sdp=answer)
        phone.answer(await phone.hear("BYE"), "200 OK")
        end = await alice.hears("ended")
        assert (end["call"], end["reason"]) == (call, "media_failed"), why
        await nothing_is_left(here, call)
        assert len(caplog.records) == 1, (why, caplog.text)
        call, _ = await answered(phone, alice)
        await hung_up(phone, alice, call)
        await nothing_is_left(here, call)
    caplog.clear()
    invited = sum(packet.startswith("INVITE") for packet in phone.packets)
    call = await alice.invite(NUMBER, G722_ALONE)
    assert (await alice.hears("ended"))["reason"] == "media_failed"
    await nothing_is_left(here, call)
    assert len(caplog.records) == 1, caplog.text
    assert sum(packet.startswith("INVITE") for packet in phone.packets) == invited


async def test_without_ports_calls_are_refused_strangers_are_not_heard_and_a_death_ends_calls_in_two_seconds(
    embedded: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    here, phone = embedded.here, embedded.phone
    alice, bob = await embedded.person("carol"), await embedded.person("bob")
    call, invite = await answered(phone, alice)

    caplog.set_level(logging.WARNING)
    await bob.invite(NUMBER)
    assert (await bob.hears("ended"))["reason"] == "media_failed"
    assert [record.getMessage() for record in caplog.records] == [
        "a telephone call has no sound: all ports for sound are in use"
    ]

    assert here.server.network is not None
    backend = here.server.network.sound
    assert isinstance(backend, EmbeddedBackend)
    assert backend.pid is not None
    [leg] = await here.legs(call, over=False)
    stranger, place = await open_wire(), ("127.0.0.1", port_of(invite))
    stranger.transport.sendto(b"\x80\x00" + bytes(170), place)
    while (await backend.statistics(leg["leg"])).trunk.strangers < 1:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.005)
    stranger.transport.close()

    killed, pid = time.monotonic(), backend.pid
    os.kill(pid, signal.SIGKILL)
    phone.answer(await phone.hear("BYE"), "200 OK")
    assert (await alice.hears("ended"))["reason"] == "media_failed"
    assert time.monotonic() - killed < 2
    await nothing_is_left(here, call)
    while backend.pid in (None, pid):  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.01)
    call, _ = await answered(phone, bob)
    await hung_up(phone, bob, call)
    await nothing_is_left(here, call)


async def test_a_caller_whose_description_cannot_be_served_is_told_so_and_nobody_is_rung(
    relayed: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    here, phone = relayed.here, relayed.phone
    called = await relayed.person("called")
    caplog.set_level(logging.WARNING)
    for why, offer in ANSWERS.items():
        caplog.clear()
        phone.send(offered(here, phone, offer, why.replace(" ", "-")), here.sip)
        while why.replace(" ", "-") not in await phone.hear("SIP/2.0 488"):
            pass  # it is said again to those who were told before
        assert here.server.network is not None
        while here.server.network.at_work():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.005)
        assert here.relay.legs == {} and here.server.parts.licence.gate.leases == (), why
        assert len(caplog.records) == 1, (why, caplog.text)
    assert "incoming" not in called.kinds
    phone.send(offered(here, phone, SOUND, "good"), here.sip)
    incoming = await called.hears("incoming")
    await called.say(type="reject", call=incoming["call"], reason="declined")
    await phone.hear("SIP/2.0 603")


def offered(here: Office, phone: Witness, sdp: str, call: str) -> str:
    """An INVITE with this description."""
    text = request("INVITE", here.sip, phone.place, call=call)
    length = "Content-Length: {}\r\n".format
    return text.replace(SOUND, sdp).replace(length(len(SOUND)), length(len(sdp)))


def port_of(invite: str) -> int:
    """Where the carrier is told to send its sound."""
    found = re.search(r"m=audio (\d+)", invite)
    assert found is not None
    return int(found[1])


async def packets_of(here: Office) -> int:
    """In all that was kept of the sound of the last hour's legs."""
    now = here.server.parts.now_us()
    return sum(each.packets for each in (await here.server.parts.store.charts(now - HOUR, now, HOUR)).sound)


async def test_how_a_call_sounded_is_kept_where_its_app_lets_go_before_the_carrier_confirms_the_end(
    relayed: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    here, phone = relayed.here, relayed.phone
    alice = await relayed.person("keeper")
    before = await packets_of(here)
    call, _ = await answered(phone, alice)
    [leg] = await here.legs(call, over=False)
    here.relay.legs[leg["leg"]].tallies["trunk"] = Tally(received=70)
    caplog.set_level(logging.WARNING)
    await alice.say(type="hangup", call=call)
    bye = await phone.hear("BYE")
    here.relay.end(leg["leg"], Ending.APP_GONE)
    await here.legs(call, over=False)  # when this is answered the server knows of it
    phone.answer(bye, "200 OK")
    await nothing_is_left(here, call)
    assert await packets_of(here) == before + 70
    assert caplog.text == ""


@pytest.mark.parametrize("gone", ["trunk", "app", "vanished"])
async def test_a_call_of_which_nothing_is_heard_any_more_is_ended_at_both_ends(
    relayed: Scene, gone: str, caplog: pytest.LogCaptureFixture
) -> None:
    here, phone = relayed.here, relayed.phone
    alice = await relayed.person(gone)
    call, _ = await answered(phone, alice)
    [leg] = await here.legs(call, over=False)
    caplog.set_level(logging.WARNING)
    if gone == "vanished":
        here.relay.end(leg["leg"], Ending.APP_GONE)
    else:
        here.relay.fall_silent(leg["leg"], "trunk" if gone == "trunk" else "app")
    phone.answer(await phone.hear("BYE"), "200 OK")
    assert (await alice.hears("ended"))["reason"] == "media_failed"
    await nothing_is_left(here, call)
    assert here.relay.legs == {}
    assert len(caplog.records) == 1, caplog.text
    call, _ = await answered(phone, alice)
    await hung_up(phone, alice, call)
