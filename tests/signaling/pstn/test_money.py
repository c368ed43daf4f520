"""What a carrier may charge is in the record as it is, whatever crosses on the way: the rows of legs."""

import asyncio
import secrets
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from licensing.alarms import Alarm
from licensing.instant import MILLISECOND
from signaling.ports.legs import BegunLeg, LegRow, Usage
from signaling.ports.store import Store, StoreError
from signaling.pstn.kept import kept, read
from signaling.pstn.network import RANG, RESTARTED
from signaling.pstn.sip import invitation, transaction
from signaling.pstn.sip.dialog import Dialog
from tests.interop.witness import line, tcp_witness, witness
from tests.signaling.device import SDP
from tests.signaling.pstn.telephony import (
    DID,
    NUMBER,
    Office,
    Trunks,
    after_options,
    answered,
    calling,
    office,
    request,
)
from wephone.protocol.ids import CallId, UserId


async def used(here: Office) -> Usage:
    """What alice's caps count, a minute from now."""
    at = here.server.parts.clock.now().utc_us + 60_000_000
    return await here.server.parts.store.used_by_account(UserId("alice"), at)


async def at_work(here: Office) -> list[LegRow]:
    """The legs that are not over, whatever dialogs a server after this one has to end."""
    return [replace(row, dialog=None) for row in await here.server.parts.store.open_legs()]


async def both_dialogs(here: Office) -> tuple[Dialog, ...]:
    """Of the only leg there is, once that of a second phone is kept too."""
    while True:
        [row] = await here.server.parts.store.open_legs()
        if row.dialog is not None and len(dialogs := read(row.dialog)) == 2:
            return dialogs
        await asyncio.sleep(0.01)


def held_up(store: Store, monkeypatch: pytest.MonkeyPatch) -> tuple[asyncio.Event, asyncio.Event]:
    """Dialogs are not written from here on: set once one is to be, and to be set for them all to go on."""
    asked, may, keep = asyncio.Event(), asyncio.Event(), store.keep_leg

    async def late(*row: Any) -> None:
        asked.set()
        await may.wait()
        await keep(*row)

    monkeypatch.setattr(store, "keep_leg", late)
    return asked, may


async def stray_over(here: Office) -> None:
    """Every phone that nobody wanted has confirmed its end."""
    assert here.server.network is not None
    while True:
        if not sum(here.server.network.telephones.desk.strays.values()):
            return
        await asyncio.sleep(0.01)


async def test_a_second_phone_that_is_answered_leaves_the_call_with_the_first_as_it_is(
    tmp_path: Path,
) -> None:
    async with calling(tmp_path, concurrent_calls=1) as (phone, here, alice):
        call, invite = await answered(alice, phone)
        before, open_before = await used(here), await at_work(here)
        phone.answer(invite, "200 OK", tag="other", sdp=True)
        bye = await phone.hear("BYE")
        assert "tag=other" in line(bye, "To")
        assert await at_work(here) == open_before
        phone.answer(bye, "200 OK")
        await stray_over(here)
        assert ((await used(here)).calls, before.calls) == (1, 1)
        assert await at_work(here) == open_before
        await alice.invite(NUMBER)
        assert (await alice.hears("ended"))["refusal"]["code"] == "CAP_CONCURRENT_CALLS"
        await alice.say(type="hangup", call=call)
        phone.answer(await phone.hear("BYE"), "200 OK")
        [leg] = await here.legs(call)
        assert leg["confirmed"]
        assert leg["cause"] != "a phone was answered after the call was given up"


async def test_a_second_phone_is_acknowledged_and_ended_once_its_dialog_is_durable_or_after_4_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the server after one that dies meanwhile would not know of it."""
    async with calling(tmp_path) as (phone, here, alice):
        _, invite = await answered(alice, phone)
        store = here.server.parts.store
        asked, may = held_up(store, monkeypatch)
        heard = len(phone.packets)
        phone.answer(invite, "200 OK", tag="other", sdp=True)
        await asked.wait()
        phone.answer(invite, "200 OK", tag="other", sdp=True)
        phone.send(request("OPTIONS", here.sip, phone.place), here.sip)
        await phone.hear("SIP/2.0 200")
        assert not [packet for packet in phone.packets[heard:] if packet.startswith(("ACK", "BYE"))]
        may.set()
        assert "tag=other" in line(await phone.hear("ACK"), "To")
        assert len(await both_dialogs(here)) == 2
        phone.answer(await phone.hear("BYE"), "200 OK")
        await stray_over(here)

        monkeypatch.setattr("signaling.pstn.phone.KEEPING", 0.1)
        may.clear()
        phone.answer(invite, "200 OK", tag="third", sdp=True)
        assert "tag=third" in line(await phone.hear("ACK"), "To")
        phone.answer(await phone.hear("BYE"), "200 OK")
        may.set()


async def test_a_second_phone_that_is_answered_after_the_call_is_ended_and_listed_until_it_confirms(
    tmp_path: Path,
) -> None:
    async with calling(tmp_path) as (phone, here, alice):
        call, invite = await answered(alice, phone)
        await alice.say(type="hangup", call=call)
        phone.answer(await phone.hear("BYE"), "200 OK")
        assert (await here.legs(call))[0]["confirmed"]
        phone.answer(invite, "200 OK", tag="other", sdp=True)
        assert "tag=other" in line(await phone.hear("ACK"), "To")
        bye = await phone.hear("BYE")
        await here.unconfirmed(1)
        phone.answer(bye, "200 OK")
        await here.unconfirmed(0)


async def test_a_second_phone_that_does_not_confirm_its_end_is_listed_once_the_call_is_over(
    tmp_path: Path,
) -> None:
    async with calling(tmp_path) as (phone, here, alice):
        call = await alice.invite(NUMBER)
        invite = await phone.hear("INVITE")
        phone.answer(invite, "200 OK", sdp=True)
        phone.answer(invite, "200 OK", tag="other", sdp=True)
        await alice.hears("answered")
        stray = await phone.hear("BYE")
        [leg] = await here.legs(call, over=False)
        assert leg["ended_at"] is None
        await alice.say(type="hangup", call=call)
        while "tag=other" in line(bye := await phone.hear("BYE"), "To"):
            pass
        phone.answer(bye, "200 OK")
        [listed] = await here.unconfirmed(1)
        assert listed["call"] == call
        phone.answer(stray, "200 OK")
        assert await here.unconfirmed(0) == []


async def test_a_cancel_that_nobody_answers_is_listed_and_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invitation, "GIVE_UP", 200 * MILLISECOND)
    async with calling(tmp_path) as (phone, here, alice):
        call = await alice.invite(NUMBER)
        phone.answer(await phone.hear("INVITE"), "180 Ringing")
        while (await alice.hears("progress"))["progress"] != "alerting":
            pass
        await alice.say(type="hangup", call=call)
        await phone.hear("CANCEL")
        [leg] = await here.unconfirmed(1)
        assert (leg["call"], leg["confirmed"]) == (call, False)
        assert Alarm.LEG_UNCONFIRMED in here.server.parts.licence.alarms.raised


async def test_an_answer_is_acknowledged_once_it_is_durable_and_ended_if_it_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever dies before that leaves a carrier that repeats its answer, and then hangs up by itself."""
    async with calling(tmp_path, dids={DID: "alice"}) as (phone, here, alice):
        store = here.server.parts.store

        async def hang(*_: object) -> None:
            await asyncio.Event().wait()

        async def fail(*_: object) -> None:
            raise StoreError("the disk is full")

        asked, may = held_up(store, monkeypatch)
        call = await alice.invite(NUMBER)
        invite = await phone.hear("INVITE")
        phone.answer(invite, "200 OK", sdp=True)
        await asked.wait()
        phone.answer(invite, "200 OK", sdp=True)
        phone.send(request("OPTIONS", here.sip, phone.place), here.sip)
        await phone.hear("SIP/2.0 200")
        assert not [packet for packet in phone.packets if packet.startswith("ACK")]
        may.set()
        await phone.hear("ACK")
        [row] = await store.open_legs()
        assert row.dialog is not None
        await alice.hears("answered")
        await alice.say(type="hangup", call=call)
        phone.answer(await phone.hear("BYE"), "200 OK")
        await alice.hears("ended")
        await here.legs(call)

        monkeypatch.setattr("signaling.pstn.phone.KEEPING", 0.1)
        for broken in (hang, fail):
            monkeypatch.setattr(store, "keep_leg", broken)
            call = await alice.invite(NUMBER)
            phone.answer(await phone.hear("INVITE"), "200 OK", sdp=True)
            await phone.hear("ACK")
            phone.answer(await phone.hear("BYE"), "200 OK")
            assert (await alice.hears("ended"))["reason"] == "not_recorded"
            assert (await here.legs(call))[0]["confirmed"]

        phone.send(request("INVITE", here.sip, phone.place), here.sip)
        call = (await alice.hears("incoming"))["call"]
        await alice.say(type="answer", call=call, sdp=SDP, nonce=secrets.token_hex(32))
        assert (await phone.hear("SIP/2.0 5")).startswith("SIP/2.0 503")
        assert (await alice.hears("ended"))["reason"] == "not_recorded"


async def test_a_carrier_may_ask_who_ends_a_call_that_it_brought_and_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEPHONE_TRUNK_ONE_PASSWORD", "secret")
    async with witness() as phone:
        trunks = Trunks().add("one", phone.place, dids={DID: "alice"})
        trunks.text = trunks.text.replace('sign_in = "address"', 'sign_in = "digest"\nusername = "us"')
        async with office(tmp_path, trunks) as here:
            await after_options(phone)
            await here.permit()
            alice = await here.person("alice")
            phone.send(request("INVITE", here.sip, phone.place), here.sip)
            call = (await alice.hears("incoming"))["call"]
            await alice.say(type="answer", call=call, sdp=SDP, nonce=secrets.token_hex(32))
            to = line(await phone.hear("SIP/2.0 200"), "To")
            ack = request("ACK", here.sip, phone.place)
            phone.send(ack.replace(line(ack, "To"), to), here.sip)
            await alice.hears("select_answer")
            await alice.say(type="hangup", call=call)
            who = '407 Who\r\nProxy-Authenticate: Digest realm="c", nonce="n", qop="auth"'
            phone.answer(await phone.hear("BYE"), who)
            while "Proxy-Authorization" not in (bye := await phone.hear("BYE")):
                pass
            phone.answer(bye, "503 Service Unavailable")
            while line(again := await phone.hear("BYE"), "CSeq") == line(bye, "CSeq"):
                pass
            assert "Proxy-Authorization" in again
            phone.answer(again, "200 OK")
            assert (await here.legs(call))[0]["confirmed"]


async def test_a_second_phone_is_ended_too_by_the_server_after_one_that_was_killed(tmp_path: Path) -> None:
    async with witness() as phone:
        trunks = Trunks().add("one", phone.place)
        async with office(tmp_path, trunks) as here:
            await after_options(phone)
            await here.permit()
            alice, store = await here.person("alice"), here.server.parts.store
            call = await alice.invite(NUMBER)
            invite = await phone.hear("INVITE")
            phone.answer(invite, "200 OK", sdp=True)
            await alice.hears("answered")
            phone.answer(invite, "200 OK", tag="other", sdp=True)
            phone.answer(await phone.hear("BYE"), "200 OK")
            dialogs = await both_dialogs(here)
            killed = BegunLeg("killed", CallId(str(uuid.uuid4())), "one", UserId("alice"), True, "d", 60, 1)
            await store.begin_leg(killed)
            await store.keep_leg(killed.leg, kept(*dialogs), 2)
            await alice.say(type="hangup", call=call)
            phone.answer(await phone.hear("BYE"), "200 OK")
            await here.legs(call)
        async with office(tmp_path, trunks) as here:
            byes: dict[str, str] = {}
            while len(byes) < 2:
                bye = await phone.hear("BYE")
                byes[line(bye, "To").partition("tag=")[2]] = bye
            assert set(byes) == {"w", "other"}
            phone.answer(byes["w"], "200 OK")
            phone.answer(byes["other"], "481 Gone")
            assert (await here.legs(killed.call))[0]["confirmed"]


async def test_a_bye_that_no_connection_takes_is_said_again_until_one_does(tmp_path: Path) -> None:
    async with tcp_witness() as phone, office(tmp_path, Trunks().add("one", phone.place)) as here:
        await after_options(phone)
        await here.permit()
        alice = await here.person("alice")
        call, _ = await answered(alice, phone)
        await phone.go()
        await alice.say(type="hangup", call=call)
        await alice.hears("ended")
        [leg] = await here.legs(call, over=False)
        assert leg["ended_at"] is None
        await phone.come()
        phone.answer(await phone.hear("BYE"), "200 OK")
        [leg] = await here.legs(call)
        assert leg["confirmed"]
        assert Alarm.LEG_UNCONFIRMED not in here.server.parts.licence.alarms.raised


async def test_a_call_that_a_carrier_took_and_never_answered_is_listed_and_one_that_nobody_heard_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a carrier that is away the record and the alarm about its trunk tell, not each call anew."""
    async with witness() as away, tcp_witness() as silent:
        trunks = Trunks().add("away", away.place).add("silent", silent.place)
        async with office(tmp_path, trunks) as here:
            await after_options(away)
            await after_options(silent)
            await here.permit()
            alice = await here.person("alice")
            alarms = here.server.parts.licence.alarms
            monkeypatch.setattr(transaction, "GIVE_UP", 200 * MILLISECOND)
            call = await alice.invite(NUMBER)
            await away.hear("INVITE")
            await silent.hear("INVITE")
            assert Alarm.LEG_UNCONFIRMED not in alarms.raised
            assert (await alice.hears("ended"))["reason"] == "carrier_failed"
            legs = {leg["trunk"]: leg for leg in await here.legs(call)}
            assert (legs["away"]["confirmed"], legs["silent"]["confirmed"]) == (True, False)
            assert legs["away"]["cause"] == "nothing came back from the carrier"
            assert legs["silent"]["cause"] in alarms.raised[Alarm.LEG_UNCONFIRMED]


async def test_what_rang_when_the_server_was_killed_is_listed_and_told_of(tmp_path: Path) -> None:
    """Of it there is no dialog to end."""
    async with witness() as phone:
        trunks = Trunks().add("one", phone.place)
        async with office(tmp_path, trunks) as here:
            call = CallId(str(uuid.uuid4()))
            row = BegunLeg(f"{call}:callee", call, "one", UserId("alice"), True, "d", 60, 1)
            await here.server.parts.store.begin_leg(row)
        async with office(tmp_path, trunks) as here:
            [leg] = await here.unconfirmed(1)
            assert (leg["leg"], leg["cause"]) == (row.leg, f"{RESTARTED.words}; {RANG}")
            assert Alarm.LEG_UNCONFIRMED in here.server.parts.licence.alarms.raised
