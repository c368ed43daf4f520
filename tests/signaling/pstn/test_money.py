"""What a carrier may charge is in the record as it is, whatever crosses on the way: the rows of legs."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from licensing.alarms import Alarm
from licensing.instant import MILLISECOND
from signaling.ports.legs import BegunLeg, Usage
from signaling.pstn.network import RANG, RESTARTED
from signaling.pstn.sip import invitation
from tests.interop.witness import Witness, line, tcp_witness, witness
from tests.signaling.device import Device
from tests.signaling.pstn.telephony import NUMBER, Office, Trunks, office
from tests.signaling.pstn.test_witness import after_options
from wephone.protocol.ids import CallId, UserId


@asynccontextmanager
async def calling(folder: Path) -> AsyncIterator[tuple[Witness, Office, Device]]:
    """A phone at the far end, a server, and somebody at it who may have one call at once."""
    async with witness() as phone, office(folder, Trunks().add("one", phone.place)) as here:
        await after_options(phone)
        await here.permit()
        yield phone, here, await here.person("alice", concurrent_calls=1)


async def used(here: Office) -> Usage:
    """What alice's caps count, a minute from now."""
    at = here.server.parts.clock.now().utc_us + 60_000_000
    return await here.server.parts.store.used_by_account(UserId("alice"), at)


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
    async with calling(tmp_path) as (phone, here, alice):
        call = await alice.invite(NUMBER)
        invite = await phone.hear("INVITE")
        phone.answer(invite, "200 OK", sdp=True)
        await alice.hears("answered")
        before, open_before = await used(here), await here.server.parts.store.open_legs()
        phone.answer(invite, "200 OK", tag="other", sdp=True)
        bye = await phone.hear("BYE")
        assert "tag=other" in line(bye, "To")
        assert await here.server.parts.store.open_legs() == open_before
        phone.answer(bye, "200 OK")
        await stray_over(here)
        assert ((await used(here)).calls, before.calls) == (1, 1)
        assert await here.server.parts.store.open_legs() == open_before
        await alice.invite(NUMBER)
        assert (await alice.hears("ended"))["refusal"]["code"] == "CAP_CONCURRENT_CALLS"
        await alice.say(type="hangup", call=call)
        phone.answer(await phone.hear("BYE"), "200 OK")
        [leg] = await here.legs(call)
        assert leg["confirmed"]
        assert leg["cause"] != "a phone was answered after the call was given up"


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


async def test_a_bye_that_no_connection_takes_is_said_again_until_one_does(tmp_path: Path) -> None:
    async with tcp_witness() as phone, office(tmp_path, Trunks().add("one", phone.place)) as here:
        await after_options(phone)
        await here.permit()
        alice = await here.person("alice")
        call = await alice.invite(NUMBER)
        phone.answer(await phone.hear("INVITE"), "200 OK", sdp=True)
        await alice.hears("answered")
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
