"""What goes wrong at a carrier has one clear end for the caller and leaves nothing; the next call works."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from licensing.alarms import Alarm
from signaling.clock import SystemClock
from signaling.pstn.carrier import Carrier
from signaling.pstn.sip.farewell import SILENT
from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.outgoing import SAID_NO_MORE
from signaling.pstn.sip.sockets import Place
from tests.fakes.certificates import Certificate, certify
from tests.interop.sipp import sipp
from tests.interop.witness import Witness, line, witness
from tests.signaling.device import Device
from tests.signaling.pstn.telephony import (
    NUMBER,
    Office,
    Trunks,
    after_options,
    answered,
    calling,
    office,
    request,
)
from wephone.testing.clock import TestClock

UNHEARD = "nothing came back from the carrier"


@pytest.fixture(autouse=True)
def logged(caplog: pytest.LogCaptureFixture) -> None:
    """As much as a server logs unless it is told otherwise."""
    caplog.set_level(logging.INFO)


@asynccontextmanager
async def carrier() -> AsyncIterator[tuple[Carrier, Place]]:
    """One that takes calls, while the block runs."""
    made = Carrier(SystemClock(), {}, peers=lambda address: True, picked_up_after=10_000_000)
    try:
        yield made, await made.listen(Transport.UDP, "127.0.0.1")
    finally:
        await made.close()


async def is_answered(here: Office, device: Device, number: str = NUMBER) -> str:
    """A call is made, and hung up: the trunk that it went by."""
    call = await device.invite(number)
    await device.hears("answered")
    await device.say(type="hangup", call=call)
    assert (await device.hears("ended"))["reason"] == "hangup"
    return str((await here.legs(call))[-1]["trunk"])


async def nothing_stays(here: Office, *, trunks: int = 1) -> None:
    """Until there is no lease, no place taken at a trunk, no sound."""
    assert here.server.network is not None
    while True:
        taken = [state.calls for state in here.server.network.states()]
        if taken == [0] * trunks and here.server.parts.licence.gate.leases == () and not here.relay.legs:
            return
        await asyncio.sleep(0.02)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def failures(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Why trunks could not place calls, as the log has it: one line for each attempt."""
    texts = [record.getMessage() for record in caplog.records]
    return [text.partition(": ")[2] for text in texts if text.startswith("a trunk could not place")]


@asynccontextmanager
async def renewed_badly(right: Certificate, wrong: Certificate) -> AsyncIterator[Place]:
    """A carrier over TLS that answers the OPTIONS of one connection, and then shows another certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(right.certificate, right.key)

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = (await reader.readuntil(b"\r\n\r\n")).decode()
        except (asyncio.IncompleteReadError, OSError):
            return  # who does not like the certificate says so after a handshake that is done here
        kept = [line(asked, name) for name in ("Via", "From", "To", "Call-ID", "CSeq")]
        context.load_cert_chain(wrong.certificate, wrong.key)
        writer.write("\r\n".join(("SIP/2.0 200 OK", *kept, "Content-Length: 0", "", "")).encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(met, "127.0.0.1", 0, ssl=context)
    try:
        host, port = server.sockets[0].getsockname()[:2]
        yield Place(Transport.TLS, host, port)
    finally:
        server.close()


async def is_there(here: Office) -> None:
    """The first trunk has answered our OPTIONS."""
    while (await here.operator("GET", "trunks"))["trunks"][0]["health"] != "up":
        pass


async def test_a_certificate_that_is_for_somebody_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("right", "wrong"):
        (tmp_path / name).mkdir()
    right, wrong = certify(tmp_path / "right", "127.0.0.1"), certify(tmp_path / "wrong", "sip.example")
    async with renewed_badly(right, wrong) as place, carrier() as (_, other):
        trunks = Trunks().add("one", place).add("two", other)
        trunks.text = trunks.text.replace("options_every = 5", "options_every = 3600")
        async with office(tmp_path, trunks, sip_tls_ca=right.authority) as here:
            await here.permit()
            alice = await here.person("alice")
            await is_there(here)
            call = await alice.invite(NUMBER)
            await alice.hears("answered")
            await alice.say(type="hangup", call=call)
            assert (await alice.hears("ended"))["reason"] == "hangup"
            first, _ = await here.legs(call)
            assert (first["trunk"], first["cause"]) == ("one", "the carrier cannot be reached")
            [said] = warnings(caplog)
            assert "no SIP connection to tls:127.0.0.1" in said and "certificate verify failed" in said
            assert await is_answered(here, alice) == "two"
            await nothing_stays(here, trunks=2)


async def test_a_call_that_comes_back_to_us(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with calling(tmp_path) as (phone, here, alice):
        await alice.invite(NUMBER)
        invite = await phone.hear("INVITE")
        via = f"Via: SIP/2.0/UDP 127.0.0.1:{phone.place.port};branch=z9hG4bKback\r\n"
        phone.send(invite.replace("Via: ", f"{via}Via: ", 1).replace("Max-Forwards: 70", "Max-Forwards: 69"))
        loop = await phone.hear("SIP/2.0 482")
        assert line(loop, "Via").startswith(via.strip())
        phone.send(request("INVITE", here.sip, phone.place).replace("Max-Forwards: 70", "Max-Forwards: 0"))
        await phone.hear("SIP/2.0 483")
        phone.answer(invite, "482 Loop Detected")
        end = await alice.hears("ended")
        assert end["reason"] == "carrier_failed"
        await nothing_stays(here)
        call = await alice.invite(NUMBER)
        phone.answer(await phone.hear("INVITE"), "486 Busy Here")
        assert (await alice.hears("ended"))["call"] == call
        assert warnings(caplog) == []


async def test_calls_at_once_that_an_account_has_no_room_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with calling(tmp_path, concurrent_calls=1) as (phone, here, alice):
        devices = [alice, await here.another(alice), await here.another(alice)]
        calls = [(each, await each.invite(NUMBER)) for each in devices]
        invite = await phone.hear("INVITE")
        ends = [asyncio.ensure_future(refused(each)) for each, _ in calls]
        done, [goes_on] = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        while len(done) < 2:
            more, [goes_on] = await asyncio.wait({goes_on, *set(ends) - done - {goes_on}})
            done |= more
        assert [each.result() for each in done] == ["CAP_CONCURRENT_CALLS"] * 2
        phone.answer(invite, "486 Busy Here")
        assert await goes_on is None
        assert len([packet for packet in phone.packets if packet.startswith("INVITE")]) == 1
        await nothing_stays(here)
        await alice.invite(NUMBER)
        phone.answer(await phone.hear("INVITE"), "486 Busy Here")
        assert (await alice.hears("ended"))["reason"] == "busy"


async def test_a_wrong_password_and_a_flood_of_rubbish(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEPHONE_TRUNK_ONE_PASSWORD", "wrong")
    async with witness() as phone:
        trunks = Trunks().add("one", phone.place)
        trunks.text = trunks.text.replace('sign_in = "address"', 'sign_in = "digest"\nusername = "us"')
        async with office(tmp_path, trunks) as here:
            await after_options(phone)
            await here.permit()
            alice = await here.person("alice")
            call = await alice.invite(NUMBER)
            who = '407 Who\r\nProxy-Authenticate: Digest realm="c", nonce="n", qop="auth"'
            phone.answer(await phone.hear("INVITE"), who)
            said = await phone.hear("INVITE")
            assert "Proxy-Authorization" in said
            phone.answer(said, who)
            assert (await alice.hears("ended"))["reason"] == "carrier_failed"
            [leg] = await here.legs(call)
            assert leg["cause"] == "the carrier does not accept our name and password"
            await nothing_stays(here)
            assert len([packet for packet in phone.packets if packet.startswith("INVITE")]) == 2
            assert (warnings(caplog), failures(caplog)) == ([], [leg["cause"]])

            call, _ = await answered(alice, phone)
            rubbish = request("OPTIONS", here.sip, phone.place).replace("CSeq:", "C-Seq:")
            for _ in range(300):
                phone.send(rubbish, here.sip)
            await alice.say(type="hangup", call=call)
            phone.answer(await phone.hear("BYE"), "200 OK")
            assert (await alice.hears("ended"))["reason"] == "hangup"
            assert (await here.legs(call))[0]["confirmed"]
            await nothing_stays(here)
            assert b'sip_turned_away_total{why="malformed"} 300.0' in here.server.parts.metrics.text()
            assert len(warnings(caplog)) == 3, "and one more in 20 s"


async def refused(device: Device) -> Any:
    """The code with which its call is refused, once it is over."""
    return ((await device.hears("ended")).get("refusal") or {}).get("code")


async def test_a_trunk_that_takes_no_calls_now_is_passed_by_for_another(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with sipp("is overloaded", calls=2, arguments=("-aa",)) as full, carrier() as (_, other):
        trunks = Trunks().add("one", full.place).add("two", other)
        trunks.text = trunks.text.replace("options_every = 5", "options_every = 3600")
        async with office(tmp_path, trunks) as here:
            await here.permit()
            alice = await here.person("alice")
            call = await alice.invite(NUMBER)
            await alice.hears("answered")
            await alice.say(type="hangup", call=call)
            assert (await alice.hears("ended"))["reason"] == "hangup"
            legs = await here.legs(call)
            assert [(leg["trunk"], leg["q850"]) for leg in legs] == [("one", 41), ("two", 16)]
            assert len({leg["decision"] for leg in legs}) == 2
            assert await is_answered(here, alice) == "two", "which asked to be left alone for 17 s"
            await nothing_stays(here, trunks=2)
            assert (warnings(caplog), failures(caplog)) == ([], ["the carrier takes no more calls now"])


async def seconds_pass(here: Office, clock: TestClock, seconds: int) -> None:
    """One by one, and each with a look at the register: or the leave to call would be over meanwhile."""
    for _ in range(seconds):
        await clock.advance(1)
        await here.server.parts.licence.register.refresh()
        await here.operator("GET", "trunks")


@asynccontextmanager
async def patient(folder: Path, *carriers: Witness) -> AsyncIterator[tuple[Office, Device, TestClock]]:
    """A server with trunks to these, by a clock that a test moves, and alice at it."""
    trunks, clock = Trunks(), TestClock()
    for number, phone in enumerate(carriers):
        trunks.add(f"t{number}", phone.place)
    trunks.text = trunks.text.replace("options_every = 5", "options_every = 3600")
    async with office(folder, trunks, clock, on_loss_suspended=0) as here:
        for phone in carriers:
            await after_options(phone)
        await here.permit()
        yield here, await here.person("alice"), clock


@pytest.mark.parametrize("says", ["nothing", "100 Trying"])
async def test_a_carrier_that_never_answers_is_passed_by_for_another(
    tmp_path: Path, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        witness() as silent,
        witness() as other,
        patient(tmp_path, silent, other) as (here, alice, clock),
    ):
        call = await alice.invite(NUMBER)
        invite = await silent.hear("INVITE")
        if says != "nothing":
            silent.answer(invite, says)
        await seconds_pass(here, clock, 33)
        if says != "nothing":
            silent.answer(await silent.hear("CANCEL"), "200 OK")
            silent.answer(invite, "487 Request Terminated")
        other.answer(await other.hear("INVITE"), "200 OK", sdp=True)
        await alice.hears("answered")
        await alice.say(type="hangup", call=call)
        other.answer(await other.hear("BYE"), "200 OK")
        assert (await alice.hears("ended"))["reason"] == "hangup"
        legs = await here.legs(call)
        assert [(leg["trunk"], leg["confirmed"]) for leg in legs] == [("t0", True), ("t1", True)]
        assert legs[0]["cause"] in (UNHEARD, SAID_NO_MORE.words)
        assert len({leg["decision"] for leg in legs}) == 2
        await nothing_stays(here, trunks=2)
        assert (warnings(caplog), failures(caplog)) == ([], [legs[0]["cause"]])


async def test_a_carrier_that_answers_no_cancel_and_no_bye_is_told_of_after_32_s(tmp_path: Path) -> None:
    """Whatever ended the call: here its caller heard nothing more, and then the permit was gone."""
    async with witness() as phone, patient(tmp_path, phone) as (here, alice, clock):
        call = await alice.invite(NUMBER)
        phone.answer(await phone.hear("INVITE"), "100 Trying")
        await seconds_pass(here, clock, 66)
        await phone.hear("CANCEL")
        assert (await alice.hears("ended"))["reason"] == "carrier_failed"
        [leg] = await here.unconfirmed(1)
        assert (leg["call"], leg["cause"].partition(";")[0]) == (call, SAID_NO_MORE.words)
        assert Alarm.LEG_UNCONFIRMED in here.server.parts.licence.alarms.raised
        await nothing_stays(here)

        call, _ = await answered(alice, phone)
        await here.operator("POST", "permits/basic/suspend", {"why": "a test"})
        assert (await alice.hears("ended"))["reason"] == "licence_withdrawn"
        await phone.hear("BYE")
        await seconds_pass(here, clock, 31)
        assert [leg["ended_at"] for leg in await here.legs(call, over=False)] == [None]
        await seconds_pass(here, clock, 2)
        assert call in {leg["call"] for leg in await here.unconfirmed(2)}
        assert SILENT in here.server.parts.licence.alarms.raised[Alarm.LEG_UNCONFIRMED]
