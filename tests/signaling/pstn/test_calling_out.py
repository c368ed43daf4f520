"""People call telephones through the server: a real one, with carriers of ours at the far end."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from licensing.alarms import Alarm
from signaling.app.server import start
from signaling.clock import SystemClock
from signaling.media import Descriptions, MediaError, Problem
from signaling.pstn.carrier import Carrier
from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.sockets import Place
from tests.interop.witness import witness
from tests.signaling.device import Device
from tests.signaling.pstn.telephony import NUMBER, Office, Trunks, calling, office, settings_in
from tests.signaling.pstn.victim import victim

SOON_NS = 10_000_000


@dataclass
class Far:
    """A carrier, and where it is."""

    carrier: Carrier
    place: Place


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    carrier = Carrier(SystemClock(), {}, peers=lambda address: True, picked_up_after=SOON_NS)
    yield Far(carrier, await carrier.listen(Transport.UDP, "127.0.0.1"))
    await carrier.close()


@pytest.fixture
async def other() -> AsyncIterator[Far]:
    carrier = Carrier(SystemClock(), {}, peers=lambda address: True, picked_up_after=SOON_NS)
    yield Far(carrier, await carrier.listen(Transport.UDP, "127.0.0.1"))
    await carrier.close()


async def test_a_number_is_called_rings_is_answered_and_hung_up(far: Far, tmp_path: Path) -> None:
    async with office(tmp_path, Trunks().add("one", far.place)) as here:
        await here.permit()
        alice = await here.person("alice")
        call = await alice.invite(NUMBER)
        assert (await alice.hears("progress"))["progress"] == "sent"
        assert (await alice.hears("progress"))["progress"] == "alerting"
        answered = await alice.hears("answered")
        assert "m=audio" in answered["sdp"]
        await alice.say(type="hangup", call=call)
        assert (await alice.hears("ended"))["reason"] == "hangup"
        record = await here.record(call)
        assert (record["callee"], record["trunk"], record["reason"]) == ("+4930****56", "one", "hangup")
        [leg] = await here.legs(call)
        assert (leg["trunk"], leg["confirmed"], leg["account"]) == ("one", True, "alice")
        assert far.carrier.calls == 1
        assert here.server.parts.licence.gate.leases == ()


async def ended(office: Office, device: Device, number: str) -> dict[str, Any]:
    """How a call to this number ends, with its record."""
    call = await device.invite(number)
    end = await device.hears("ended")
    return {**end, "record": await office.record(call), "call": call}


async def test_how_a_call_fails_is_told_as_it_is(far: Far, tmp_path: Path) -> None:
    async with office(tmp_path, Trunks().add("one", far.place)) as here:
        await here.permit()
        alice = await here.person("alice")
        for ending, reason, q850 in (
            ("01", "busy", 17),
            ("04", "unknown_number", 1),
            ("05", "declined", 21),
            ("06", "lines_busy", 34),
        ):
            end = await ended(here, alice, f"+49301234{ending}")
            assert (end["reason"], end["record"]["reason"]) == (reason, reason)
            [leg] = await here.legs(end["call"])
            assert (leg["q850"], leg["answered_at"]) == (q850, None)


async def test_another_trunk_is_asked_after_a_failure_by_a_decision_of_its_own(
    far: Far, other: Far, tmp_path: Path
) -> None:
    trunks = Trunks().add("one", far.place).add("two", other.place)
    async with office(tmp_path, trunks) as here:
        await here.permit()
        alice = await here.person("alice")
        call = await alice.invite("+493012345606")
        end = await alice.hears("ended")
        assert end["reason"] == "lines_busy"
        legs = await here.legs(call)
        assert [leg["trunk"] for leg in legs] == ["one", "two"]
        assert len({leg["decision"] for leg in legs}) == 2
        assert (await here.record(call))["trunk"] == "two"


async def test_calls_at_once_reach_the_carrier_at_the_pace_that_it_takes(tmp_path: Path) -> None:
    async with witness() as phone:
        trunks = Trunks().add("one", phone.place)
        trunks.text = trunks.text.replace("calls_per_second = 1000", "calls_per_second = 2")
        async with office(tmp_path, trunks) as here:
            phone.answer(await phone.hear("OPTIONS"), "200 OK")
            await here.permit()
            people = [await here.person(name) for name in ("alice", "bob", "carol")]
            calls = [(each, await each.invite(NUMBER)) for each in people]
            came = []
            for _ in calls:
                invite = await phone.hear("INVITE")
                came.append(time.monotonic())
                phone.answer(invite, "486 Busy Here")
            assert came[2] - came[0] > 0.5, "a second at two a second, less what the first was read late"
            assert [(await each.hears("ended"))["reason"] for each, _ in calls] == ["busy"] * 3
            assert here.server.network is not None
            assert here.server.network.pace("127.0.0.1") == 2000, "as many messages as anybody may send"


async def test_two_who_call_at_once_do_not_both_get_the_last_place(tmp_path: Path) -> None:
    async with witness() as phone:
        trunks = Trunks().add("one", phone.place, limits="concurrent_calls = 1")
        async with office(tmp_path, trunks) as here:
            phone.answer(await phone.hear("OPTIONS"), "200 OK")
            await here.permit()
            alice, bob = await here.person("alice"), await here.person("bob")
            calls = [await alice.invite(NUMBER), await bob.invite(NUMBER)]
            invite = await phone.hear("INVITE")
            records = [asyncio.ensure_future(here.record(call)) for call in calls]
            [busy], _ = await asyncio.wait(records, return_when=asyncio.FIRST_COMPLETED)
            assert busy.result()["reason"] == "lines_busy"
            phone.answer(invite, "486 Busy Here")
            assert {(await record)["reason"] for record in records} == {"lines_busy", "busy"}
            assert len([packet for packet in phone.packets if packet.startswith("INVITE")]) == 1


async def test_a_caller_who_gives_up_cancels_at_the_carrier(far: Far, tmp_path: Path) -> None:
    async with office(tmp_path, Trunks().add("one", far.place)) as here:
        await here.permit()
        alice = await here.person("alice")
        call = await alice.invite("+493012345602")
        while (await alice.hears("progress"))["progress"] != "alerting":
            pass
        await alice.say(type="hangup", call=call)
        assert (await alice.hears("ended"))["reason"] == "cancelled"
        [leg] = await here.legs(call)
        assert leg["answered_at"] is None
        assert [each.over for each in far.carrier.agent.legs] == [True]


async def test_without_a_permit_nothing_is_sent_and_the_reason_is_the_laws(far: Far, tmp_path: Path) -> None:
    async with office(tmp_path, Trunks().add("one", far.place)) as here:
        end = await ended(here, await here.person("alice"), NUMBER)
        assert (end["reason"], end["refusal"]["code"]) == ("refused", "DENY_NO_PERMIT")
        assert end["record"]["decision"] == end["refusal"]["decision"]
        assert far.carrier.agent.legs == ()


async def test_who_is_not_entitled_or_has_used_it_up_is_refused_in_words(far: Far, tmp_path: Path) -> None:
    async with office(tmp_path, Trunks().add("one", far.place)) as here:
        await here.permit()
        nobody = await here.person("nobody", entitled=False)
        assert (await ended(here, nobody, NUMBER))["refusal"]["code"] == "CAP_NOT_ENTITLED"
        alice = await here.person("alice", calls_per_hour=1)
        assert (await ended(here, alice, "+43123456789"))["refusal"]["code"] == "CAP_COUNTRY_CLOSED"
        assert (await ended(here, alice, "+49900123456"))["reason"] == "refused"
        assert (await ended(here, alice, "+493012345601"))["reason"] == "busy"
        assert (await ended(here, alice, NUMBER))["refusal"]["code"] == "CAP_CALLS_PER_HOUR"
        assert len(far.carrier.agent.legs) == 1
        assert (
            b'calls_capped_total{cap="calls_per_hour",whose="account"} 1.0'
            in here.server.parts.metrics.text()
        )


async def test_a_permit_that_is_suspended_ends_a_running_call_by_bye(far: Far, tmp_path: Path) -> None:
    async with office(tmp_path, Trunks().add("one", far.place), on_loss_suspended=1) as here:
        await here.permit()
        alice = await here.person("alice")
        call = await alice.invite(NUMBER)
        await alice.hears("answered")
        await here.operator("POST", "permits/basic/suspend", {"why": "a test"})
        ending = await alice.hears("ending")
        assert 0 < ending["within"] <= 1
        assert (await alice.hears("ended"))["reason"] == "licence_withdrawn"
        [leg] = await here.legs(call)
        assert leg["confirmed"]


async def test_the_switch_ends_calls_at_once(far: Far, tmp_path: Path) -> None:
    async with office(tmp_path, Trunks().add("one", far.place)) as here:
        await here.permit()
        alice = await here.person("alice")
        call = await alice.invite(NUMBER)
        await alice.hears("answered")
        await here.operator("PUT", "telephone", {"on": False, "why": "a test"})
        assert (await alice.hears("ended"))["reason"] == "licence_withdrawn"
        assert (await here.legs(call))[0]["confirmed"]


async def test_the_far_end_hangs_up(far: Far, tmp_path: Path) -> None:
    async with office(tmp_path, Trunks().add("one", far.place)) as here:
        await here.permit()
        alice = await here.person("alice")
        await alice.invite(NUMBER)
        await alice.hears("answered")
        [leg] = far.carrier.agent.legs
        leg.hang_up()
        end = await alice.hears("ended")
        assert (end["reason"], end["by"]) == ("hangup", "callee")


async def test_a_server_that_is_killed_is_followed_by_one_that_says_bye(far: Far, tmp_path: Path) -> None:
    """Nobody else can: the carrier would charge on and on."""
    trunks = Trunks().add("one", far.place)
    async with office(tmp_path, trunks) as here:
        await here.permit()
        await here.person("alice")
    async with victim(tmp_path) as server, server.person("alice") as alice:
        call = await alice.invite(NUMBER)
        await alice.hears("answered")
        [leg] = far.carrier.agent.legs
        assert not leg.over
        await server.die()
    async with office(tmp_path, trunks) as survivor:
        [row] = await survivor.legs(call)
        assert (row["cause"], row["confirmed"]) == ("the server was started anew", True)
        assert leg.over
        assert (await survivor.record(call))["reason"] == "connection_lost"
        assert (await survivor.operator("GET", "telephone/unconfirmed"))["legs"] == []


async def test_the_switch_between_a_decision_and_its_invite_keeps_it_from_being_sent(
    far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The grant is looked at once more in the step that gives the INVITE to the network."""
    async with office(tmp_path, Trunks().add("one", far.place)) as here:
        await here.permit()
        alice = await here.person("alice")
        opened = here.relay.open_outgoing

        async def switched_off(*args: Any) -> Descriptions:
            await here.operator("PUT", "telephone", {"on": False, "why": "a test"})
            return await opened(*args)

        monkeypatch.setattr(here.relay, "open_outgoing", switched_off)
        end = await ended(here, alice, NUMBER)
        assert (end["reason"], end["refusal"]["code"]) == (
            "licence_withdrawn",
            "DENY_TELEPHONE_SWITCHED_OFF",
        )
        assert far.carrier.agent.legs == ()
        [leg] = await here.legs(end["call"])
        assert leg["answered_at"] is None


async def test_a_call_for_help_goes_out_without_permit_entitlement_or_room(
    far: Far, other: Far, tmp_path: Path
) -> None:
    trunks = Trunks().add("no_help", far.place).add("help", other.place, limits="concurrent_calls = 1")
    head, _, tail = trunks.text.rpartition("options_every = 5\n")
    trunks.text = f'{head}options_every = 5\nemergency_in = ["DE"]\n{tail}'
    async with office(tmp_path, trunks) as here:
        alice = await here.person("alice", entitled=False)
        bob = await here.person("bob", entitled=False)
        calls = [await alice.invite("112"), await bob.invite("112")]
        await alice.hears("answered")
        await bob.hears("answered")
        for device, call in zip((alice, bob), calls, strict=True):
            await device.say(type="hangup", call=call)
            assert [leg["trunk"] for leg in await here.legs(call)] == ["help"]
        assert (far.carrier.calls, other.carrier.calls) == (0, 2)


async def test_without_anything_that_carries_sound_the_reason_is_said(tmp_path: Path) -> None:
    trunks = Trunks().add("one", Place(Transport.UDP, "127.0.0.1", 9))
    (tmp_path / "trunks.toml").write_text(trunks.text)
    server = await start(settings_in(tmp_path))
    async with aiohttp.ClientSession() as http:
        here = Office(server, http, [])
        await here.permit()
        alice = await here.person("alice")
        end = await ended(here, alice, NUMBER)
        assert (end["reason"], end["refusal"]["code"]) == ("refused", "NO_MEDIA_BACKEND")
        assert end["record"]["decision"].startswith("D-")
        await alice.close()
    await server.close()


async def test_a_phone_that_is_answered_after_the_call_was_given_up_is_ended_and_kept(tmp_path: Path) -> None:
    async with calling(tmp_path) as (phone, here, alice):
        call = await alice.invite(NUMBER)
        invite = await phone.hear("INVITE")
        phone.answer(invite, "180 Ringing")
        while (await alice.hears("progress"))["progress"] != "alerting":
            pass
        await alice.say(type="hangup", call=call)
        cancel = await phone.hear("CANCEL")
        phone.answer(invite, "200 OK", sdp=True)
        phone.answer(cancel, "200 OK")
        await phone.hear("ACK")
        bye = await phone.hear("BYE")
        [leg] = await here.unconfirmed(1)
        assert leg["cause"].startswith("a phone was answered after the call was given up; ")
        phone.answer(bye, "200 OK")
        assert await here.unconfirmed(0) == []


async def test_a_trunk_that_does_not_let_us_in_is_told_of_and_passed_by(
    other: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEPHONE_TRUNK_ONE_PASSWORD", "not the one")
    strict = Carrier(SystemClock(), {"us": "another"}, peers=lambda address: True, picked_up_after=SOON_NS)
    place = await strict.listen(Transport.UDP, "127.0.0.1")
    trunks = Trunks().add("one", place).add("two", other.place)
    trunks.text = trunks.text.replace('sign_in = "address"', 'sign_in = "register"\nusername = "us"', 1)
    async with office(tmp_path, trunks) as here:
        await here.permit()
        alice = await here.person("alice")
        alarms = here.server.parts.licence.alarms
        while Alarm.TRUNK_DOWN not in alarms.raised:
            [one, _] = (await here.operator("GET", "trunks"))["trunks"]
        [one, _] = (await here.operator("GET", "trunks"))["trunks"]
        assert (one["health"], one["trouble"]) == (
            "down",
            "the carrier does not accept our name and password",
        )
        call = await alice.invite(NUMBER)
        await alice.hears("answered")
        await alice.say(type="hangup", call=call)
        assert [leg["trunk"] for leg in await here.legs(call)] == ["two"]
    await strict.close()


async def test_a_permit_that_is_back_in_time_takes_the_end_back(far: Far, tmp_path: Path) -> None:
    async with office(tmp_path, Trunks().add("one", far.place)) as here:
        await here.permit()
        alice = await here.person("alice")
        call = await alice.invite(NUMBER)
        await alice.hears("answered")
        register = here.server.parts.licence.register
        await register.suspend("basic", by="boss", why="a test")
        assert 50 < (await alice.hears("ending"))["within"] <= 60
        for operator in ("boss", "vera"):
            await register.reinstate("basic", by=operator, why="a test")
        await alice.hears("ending_cancelled")
        await alice.say(type="hangup", call=call)
        assert (await alice.hears("ended"))["reason"] == "hangup"
        assert (await here.legs(call))[0]["confirmed"]


async def test_a_caller_hears_of_an_attempt_that_cannot_be_made(
    far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office(tmp_path, Trunks().add("one", far.place)) as here:
        await here.permit()
        alice = await here.person("alice")

        async def broken(*args: Any) -> Descriptions:
            raise RuntimeError("nobody thought of this")

        monkeypatch.setattr(here.relay, "open_outgoing", broken)
        end = await ended(here, alice, NUMBER)
        assert end["reason"] == "carrier_failed"
        assert (await here.legs(end["call"]))[0]["cause"] == "the call could not be made"

        async def down(*args: Any) -> Descriptions:
            raise MediaError(Problem.DOWN, "nothing carries sound")

        monkeypatch.setattr(here.relay, "open_outgoing", down)
        assert (await ended(here, alice, NUMBER))["reason"] == "media_failed"
        assert here.server.network is not None and here.server.network.states()[0].calls == 0


async def test_a_server_that_stops_ends_its_telephone_calls(far: Far, tmp_path: Path) -> None:
    trunks = Trunks().add("one", far.place)
    async with office(tmp_path, trunks) as here:
        await here.permit()
        alice = await here.person("alice")
        call = await alice.invite(NUMBER)
        await alice.hears("answered")
    [leg] = far.carrier.agent.legs
    assert leg.over
    async with office(tmp_path, trunks) as after:
        assert (await after.record(call))["reason"] == "connection_lost"
        [row] = await after.legs(call)
        assert (row["confirmed"], row["cause"]) == (True, "the connection to a party was lost")
