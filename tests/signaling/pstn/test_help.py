"""Calls for help go out by any route there is, whatever fails here; or whoever calls hears what to do."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from licensing.alarms import Alarm, Alarms
from licensing.ports import JournalError
from signaling.app.server import start
from signaling.ports.store import StoreError
from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.sockets import Place
from signaling.store.rows import DatabaseStore
from tests.interop.witness import line, witness
from tests.signaling.pstn.telephony import Office, Trunks, after_options, office, settings_in
from wephone.protocol.reasons import end_text

ROWS = (
    *("how_it_ended", "facts", "entitlement", "used_by_account", "used_by_trunk"),
    *("offer", "answer", "course", "begin_leg", "keep_leg", "end_leg", "end"),
)
NOWHERE = Place(Transport.UDP, "127.0.0.1", 9)


def that_help(trunks: Trunks, country: str = "DE") -> Trunks:
    """The same, and all of them reach the emergency services there."""
    trunks.text = trunks.text.replace("options_every", f'emergency_in = ["{country}"]\noptions_every')
    return trunks


async def over(alarms: Alarms, alarm: Alarm) -> None:
    """Once this alarm is over."""
    while True:
        if alarm not in alarms.raised:
            return
        await asyncio.sleep(0.02)


async def test_the_route_is_of_the_place_that_the_law_has_found(tmp_path: Path) -> None:
    """112 is a number of both homes; where the caller is is not known, and only one of them has a route."""
    async with witness() as phone:
        trunks = that_help(Trunks().add("help", phone.place))
        async with office(tmp_path, trunks, homes=["FR", "DE"]) as here:
            await after_options(phone)
            alice = await here.person("alice", entitled=False)
            call = await alice.invite("112")
            invite = await phone.hear("INVITE sip:112@")
            phone.answer(invite, "200 OK", sdp=True)
            await alice.hears("answered")
            assert Alarm.EMERGENCY_OVERRIDE in here.server.parts.licence.alarms.raised
            assert set((await here.duties(call)).values()) == {"failed"}, "but it went out"
            [listed] = (await here.operator("GET", "live"))["calls"]
            assert (listed["call"], listed["for_help"]) == (call, True)
            cut = f"{here.server.operator_url}/api/operator/live/{call}/cut"
            boss = {"Authorization": f"Bearer {here.boss}"}
            async with here.http.post(cut, json={"why": "a test"}, headers=boss) as refused:
                assert (refused.status, (await refused.json())["code"]) == (409, "call_for_help")
            await alice.say(type="hangup", call=call)
            phone.answer(await phone.hear("BYE"), "200 OK")
            assert (await here.record(call))["reason"] == "hangup"


async def test_who_has_no_number_calls_for_help_all_the_same(tmp_path: Path) -> None:
    async with witness() as phone:
        trunks = that_help(Trunks().add("help", phone.place))
        trunks.text = trunks.text.replace('default = "+49301111111", ', "")
        async with office(tmp_path, trunks) as here:
            await after_options(phone)
            alice = await here.person("alice", entitled=False)
            call = await alice.invite("112")
            invite = await phone.hear("INVITE sip:112@")
            assert "P-Asserted-Identity" not in invite
            phone.answer(invite, "180 Ringing")
            assert (await alice.hears("progress"))["progress"] == "sent"
            await alice.say(type="hangup", call=call)
            cancel = await phone.hear("CANCEL")
            phone.answer(cancel, "200 OK")
            phone.answer(invite, "487 Request Terminated")
            await phone.hear("ACK")


@pytest.mark.parametrize("refusal", ["404 Not Found", "603 Decline"])
async def test_every_route_is_tried_and_then_it_is_said_what_to_do(refusal: str, tmp_path: Path) -> None:
    async with witness() as one, witness() as two:
        trunks = that_help(Trunks().add("one", one.place).add("two", two.place))
        async with office(tmp_path, trunks) as here:
            await after_options(one)
            await after_options(two)
            alice = await here.person("alice", entitled=False)
            call = await alice.invite("112")
            for phone in (one, two):
                invite = await phone.hear("INVITE sip:112@")
                phone.answer(invite, "180 Ringing")
                phone.answer(invite, refusal)
                await phone.hear("ACK")
            assert (await alice.hears("ended"))["reason"] == "help_not_reached"
            assert "dial from another telephone now" in end_text((await here.record(call))["reason"])
            legs = await here.legs(call)
            assert {leg["trunk"] for leg in legs} == {"one", "two"}
            assert len({leg["decision"] for leg in legs}) == 2


async def test_without_a_route_the_law_says_what_to_do_and_nothing_is_sent(tmp_path: Path) -> None:
    async with witness() as phone, office(tmp_path, Trunks().add("no_help", phone.place)) as here:
        await after_options(phone)
        await here.permit()
        alice = await here.person("alice")
        await alice.invite("112")
        end = await alice.hears("ended")
        assert (end["reason"], end["refusal"]["code"]) == ("refused", "DENY_EMERGENCY_NOT_SUPPORTED")
        assert "your phone's own dialler" in end["refusal"]["text"]["en"]
        assert phone.with_media() == []


async def test_without_anything_that_carries_sound_it_is_said_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "trunks.toml").write_text(that_help(Trunks().add("one", NOWHERE)).text)
    server = await start(settings_in(tmp_path))
    async with aiohttp.ClientSession() as http:
        alice = await Office(server, http, []).person("alice", entitled=False)
        await alice.invite("112")
        assert (await alice.hears("ended"))["reason"] == "help_not_reached"
        await alice.close()
    await server.close()


async def test_a_store_that_takes_nothing_keeps_no_call_for_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decided, carried and answered past a full disk; the decision is chained when there is room again."""
    async with witness() as phone:
        trunks = that_help(Trunks().add("help", phone.place))
        async with office(tmp_path, trunks) as here:
            await after_options(phone)
            alice = await here.person("alice", entitled=False)
            store, licence = here.server.parts.store, here.server.parts.licence
            assert isinstance(store, DatabaseStore)
            append, at = store.journal.append, here.server.parts.clock.now().utc_us

            async def full(*_: object) -> Any:
                raise StoreError("the disk is full")

            async def shut(_: object) -> int:
                raise JournalError("the disk is full")

            for name in ROWS:
                monkeypatch.setattr(store, name, full)
            monkeypatch.setattr(store.journal, "append", shut)
            call = await alice.invite("112")
            phone.answer(await phone.hear("INVITE sip:112@"), "200 OK", sdp=True)
            assert "ACK" in line(await phone.hear("ACK"), "CSeq")
            await alice.hears("answered")
            until = here.server.parts.clock.now().utc_us
            assert Alarm.JOURNAL_FAILED in licence.alarms.raised
            monkeypatch.setattr(store.journal, "append", append)
            await over(licence.alarms, Alarm.JOURNAL_FAILED)
            decided = [entry for entry in await store.journal.entries(0, 100) if entry.kind == "decision"]
            assert decided and all(at <= entry.at <= until for entry in decided)
            await alice.say(type="hangup", call=call)
            phone.answer(await phone.hear("BYE"), "200 OK")
            assert (await alice.hears("ended"))["reason"] == "hangup"


async def test_a_store_that_does_not_answer_keeps_no_call_for_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does a call of the same account that waits for that store, nor a route that fails meanwhile."""
    async with witness() as one, witness() as two:
        trunks = that_help(Trunks().add("one", one.place).add("two", two.place))
        async with office(tmp_path, trunks) as here:
            await after_options(one)
            await after_options(two)
            await here.permit()
            alice = await here.person("alice")
            store, licence = here.server.parts.store, here.server.parts.licence
            assert isinstance(store, DatabaseStore)
            append, asked, back = store.journal.append, asyncio.Event(), asyncio.Event()

            async def hang(*_: object) -> Any:
                asked.set()
                await back.wait()
                raise StoreError("the disk was away")

            monkeypatch.setattr(store, "entitlement", hang)
            waiting = await alice.invite("+49301234567")
            await asked.wait()
            for name in ROWS:
                monkeypatch.setattr(store, name, hang)
            monkeypatch.setattr(store.journal, "append", hang)
            call = await alice.invite("112")
            one.answer(await one.hear("INVITE sip:112@"), "503 Service Unavailable")
            await one.hear("ACK")
            two.answer(await two.hear("INVITE sip:112@"), "200 OK", sdp=True)
            await two.hear("ACK")
            assert (await alice.hears("answered"))["call"] == call
            assert Alarm.JOURNAL_SLOW in licence.alarms.raised
            await alice.say(type="hangup", call=call)
            two.answer(await two.hear("BYE"), "200 OK")
            assert (await alice.hears("ended"))["call"] == call
            monkeypatch.setattr(store.journal, "append", append)
            back.set()
            assert (await alice.hears("ended"))["call"] == waiting
            await over(licence.alarms, Alarm.JOURNAL_FAILED)  # all that was kept is chained
            assert Alarm.JOURNAL_SLOW not in licence.alarms.raised
            decided = [entry for entry in await store.journal.entries(0, 100) if entry.kind == "decision"]
            assert len(decided) >= 2, "one for each route"
