"""Telephones call people through the server: decided before anything rings, and again when it is answered."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from licensing.instant import SECOND
from licensing.jurisdiction import SHIPPED
from signaling.clock import SystemClock
from signaling.ports.legs import BegunLeg, LegEnd
from signaling.pstn.carrier import Carrier
from signaling.pstn.sip import call_events as told
from signaling.pstn.sip.agent import Agent
from signaling.pstn.sip.hop import Hop, Transport
from signaling.pstn.sip.outgoing import OutgoingCall
from signaling.pstn.sip.sockets import Place
from signaling.pstn.sip.uri import Uri
from tests.fakes.push_service import push_service
from tests.interop.witness import witness
from tests.signaling.device import SDP
from tests.signaling.pstn.telephony import DID, Office, Trunks, office
from wephone.protocol.ids import UserId

CALLER = "+4915112345678"


@dataclass
class Telephone:
    """Somebody's, at the far end: what it heard of its call."""

    call: OutgoingCall
    heard: "asyncio.Queue[told.Event]" = field(default_factory=asyncio.Queue)

    async def hears(self, kind: type[told.Event]) -> told.Event:
        while True:
            event = await asyncio.wait_for(self.heard.get(), 20)
            if isinstance(event, kind):
                return event


@dataclass
class Far:
    """A carrier, and where it is."""

    carrier: Carrier
    place: Place

    async def dial(self, here: Office, number: str = DID, caller: str = CALLER) -> Telephone:
        heard: asyncio.Queue[told.Event] = asyncio.Queue()
        to = Uri("sip", here.sip.host, number, port=here.sip.port)
        call = await self.carrier.dial(to, caller, heard.put_nowait)
        assert isinstance(call, OutgoingCall)
        return Telephone(call, heard)


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    carrier = Carrier(SystemClock(), {}, peers=lambda address: True, picked_up_after=SECOND)
    yield Far(carrier, await carrier.listen(Transport.UDP, "127.0.0.1"))
    await carrier.close()


async def records(here: Office) -> list[dict[str, Any]]:
    """Of all calls, once there is one."""
    while True:
        kept: list[dict[str, Any]] = (await here.operator("GET", "calls"))["calls"]
        if kept:
            return kept
        await asyncio.sleep(0.02)


def trunks(far: Far, limits: str = "") -> Trunks:
    return Trunks().add("one", far.place, dids={DID: "alice"}, limits=limits)


async def test_plain_sound_from_a_trunk_that_demands_encryption_is_refused_before_anything_rings(
    far: Far, tmp_path: Path
) -> None:
    demanding = trunks(far)
    demanding.text = demanding.text.replace('"\nsign_in', ';transport=tls"\nsrtp = true\nsign_in', 1)
    async with office(tmp_path, demanding) as here:
        await here.permit()
        await here.person("alice")
        telephone = await far.dial(here)
        failed = await telephone.hears(told.Failed)
        assert isinstance(failed, told.Failed)
        assert (failed.cause.status, failed.cause.q850) == (488, 88)
        assert here.relays == [] or not here.relay.legs


async def test_a_telephone_rings_all_devices_of_whom_it_calls_and_talks_with_one(
    far: Far, tmp_path: Path
) -> None:
    async with office(tmp_path, trunks(far)) as here:
        await here.permit()
        alice = await here.person("alice")
        other = await here.another(alice)
        telephone = await far.dial(here)
        incoming = await alice.hears("incoming")
        assert (incoming["peer"], (await other.hears("incoming"))["call"]) == (CALLER, incoming["call"])
        await alice.say(type="alerting", call=incoming["call"])
        ringing = await telephone.hears(told.Ringing)
        assert isinstance(ringing, told.Ringing) and (ringing.status, ringing.sdp) == (180, None)
        await alice.say(type="answer", call=incoming["call"], sdp=SDP, nonce=secrets.token_hex(32))
        await telephone.hears(told.Answered)
        await alice.hears("select_answer")
        await alice.hears("reveal")
        assert (await other.hears("ended"))["reason"] == "answered_elsewhere"
        telephone.call.hang_up()
        assert (await alice.hears("ended"))["reason"] == "hangup"
        record = await here.record(incoming["call"])
        assert (record["caller"], record["callee"], record["trunk"]) == ("+49151****5678", "alice", "one")
        [leg] = await here.legs(incoming["call"])
        assert (leg["outgoing"], leg["account"], leg["confirmed"]) == (False, "alice", True)


async def test_a_device_that_sleeps_is_woken_by_a_telephone_and_takes_its_call(
    far: Far, tmp_path: Path
) -> None:
    async with push_service() as service, office(tmp_path, trunks(far), push_services=(service.url,)) as here:
        await here.permit()
        alice, browser = await here.person("alice"), service.browser()
        wake = {**browser.subscription, "language": "en"}
        headers = {"Authorization": f"Bearer {alice.token}"}
        path = f"{alice.url}/api/push/{alice.id}"
        assert (await here.http.put(path, json=wake, headers=headers)).status == 204
        await alice.close()
        while here.server.parts.exchange.lines.is_here(UserId("alice")):  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.01)
        telephone = await far.dial(here)
        news = await browser.hears()
        assert (news["type"], news["from"], news["video"]) == ("call", CALLER, False)
        await alice.open()
        call = (await alice.hears("incoming"))["call"]
        assert news["call"] == call
        await alice.say(type="alerting", call=call)
        await telephone.hears(told.Ringing)
        await alice.say(type="answer", call=call, sdp=SDP, nonce=secrets.token_hex(32))
        await telephone.hears(told.Answered)
        assert (await browser.hears())["type"] == "over"
        telephone.call.hang_up()
        await alice.hears("ended")


async def test_without_a_permit_nothing_rings_and_the_carrier_hears_the_decision(
    far: Far, tmp_path: Path
) -> None:
    async with office(tmp_path, trunks(far)) as here:
        alice = await here.person("alice")
        telephone = await far.dial(here)
        failed = await telephone.hears(told.Failed)
        assert isinstance(failed, told.Failed)
        assert (failed.cause.status, failed.cause.q850) == (403, 57)
        [record] = await records(here)
        assert (record["reason"], record["trunk"], record["answered_at"]) == ("refused", "one", None)
        assert record["decision"].startswith("D-")
        assert "incoming" not in alice.kinds
        assert telephone.heard.empty()


def law_with_a_duty(folder: Path) -> Path:
    """The baseline, if it asked for something to be done for each call from a telephone."""
    baseline = json.loads(SHIPPED.joinpath("baseline.json").read_text())
    baseline["services"]["pstn_in"]["per_call"] = ["CLI_TRUTHFUL"]
    folder.mkdir()
    (folder / "baseline.json").write_text(json.dumps(baseline))
    return folder


async def test_a_call_whose_trunk_does_not_do_what_the_law_asks_for_rings_nobody(
    far: Far, tmp_path: Path
) -> None:
    async with office(tmp_path, trunks(far), profiles_folder=law_with_a_duty(tmp_path / "law")) as here:
        await here.permit()
        alice = await here.person("alice")
        failed = await (await far.dial(here)).hears(told.Failed)
        assert isinstance(failed, told.Failed)
        assert (failed.cause.status, failed.cause.q850) == (403, 57)
        [record] = await records(here)
        assert (record["reason"], record["decision"][:2]) == ("refused", "D-")
        assert "incoming" not in alice.kinds


async def test_a_call_whose_trunk_does_what_the_law_asks_for_rings(far: Far, tmp_path: Path) -> None:
    lines = trunks(far)
    lines.text = lines.text.replace("options_every", 'duties = ["CLI_TRUTHFUL"]\noptions_every')
    async with office(tmp_path, lines, profiles_folder=law_with_a_duty(tmp_path / "law")) as here:
        await here.permit()
        alice = await here.person("alice")
        await far.dial(here)
        incoming = await alice.hears("incoming")
        assert incoming["peer"] == CALLER
        assert await here.duties(incoming["call"]) == {"CLI_TRUTHFUL": "done"}


async def test_more_calls_than_the_trunk_may_have_are_told_to_come_later(far: Far, tmp_path: Path) -> None:
    async with office(tmp_path, trunks(far, "concurrent_calls = 1")) as here:
        await here.permit()
        alice = await here.person("alice")
        await far.dial(here)
        await alice.hears("incoming")
        failed = await (await far.dial(here)).hears(told.Failed)
        assert isinstance(failed, told.Failed)
        assert (failed.cause.status, failed.retry_after) == (503, 10)
        failed = await (await far.dial(here, "+49301111112")).hears(told.Failed)
        assert isinstance(failed, told.Failed) and failed.cause.status == 404, "nobody has that number"


async def test_a_caller_who_gives_up_is_a_missed_call(far: Far, tmp_path: Path) -> None:
    async with office(tmp_path, trunks(far)) as here:
        await here.permit()
        alice = await here.person("alice")
        telephone = await far.dial(here)
        call = (await alice.hears("incoming"))["call"]
        telephone.call.hang_up()
        assert (await alice.hears("ended"))["reason"] == "cancelled"
        missed = await alice.hears("missed")
        assert (missed["call"], missed["peer"]) == (call, CALLER)


async def test_nothing_is_kept_of_calls_that_nobody_took(far: Far, tmp_path: Path) -> None:
    async with office(tmp_path, trunks(far)) as here:
        await here.permit()
        alice = await here.person("alice")
        assert here.server.network is not None
        for _ in range(2):
            telephone = await far.dial(here)
            incoming = await alice.hears("incoming")
            telephone.call.hang_up()
            await here.legs(incoming["call"])
            await here.record(incoming["call"])
        while True:
            if not len(here.server.network.telephones.desk.leases):
                break
            await asyncio.sleep(0.01)


async def test_who_declines_is_heard_to_decline(far: Far, tmp_path: Path) -> None:
    async with office(tmp_path, trunks(far)) as here:
        await here.permit()
        alice = await here.person("alice")
        telephone = await far.dial(here)
        await alice.say(type="reject", call=(await alice.hears("incoming"))["call"])
        failed = await telephone.hears(told.Failed)
        assert isinstance(failed, told.Failed) and failed.cause.status == 603


async def test_who_is_not_to_be_disturbed_is_busy(far: Far, tmp_path: Path) -> None:
    async with office(tmp_path, trunks(far)) as here:
        await here.permit()
        await here.person("alice")
        await here.server.parts.store.set_do_not_disturb(UserId("alice"), True)
        failed = await (await far.dial(here)).hears(told.Failed)
        assert isinstance(failed, told.Failed) and failed.cause.status == 486


async def test_a_permit_that_ends_while_it_rings_leaves_nothing_to_answer(far: Far, tmp_path: Path) -> None:
    async with office(tmp_path, trunks(far)) as here:
        await here.permit()
        alice = await here.person("alice")
        telephone = await far.dial(here)
        call = (await alice.hears("incoming"))["call"]
        await here.operator("POST", "permits/basic/suspend", {"why": "a test"})
        await alice.say(type="answer", call=call, sdp=SDP, nonce=secrets.token_hex(32))
        failed = await telephone.hears(told.Failed)
        assert isinstance(failed, told.Failed)
        assert (failed.cause.status, failed.cause.q850) == (403, 57)
        assert (await alice.hears("ended"))["reason"] == "licence_withdrawn"


async def test_a_register_that_changed_in_another_place_is_decided_on_anew(far: Far, tmp_path: Path) -> None:
    async with office(tmp_path, trunks(far)) as here:
        await here.permit()
        alice = await here.person("alice")
        telephone = await far.dial(here)
        call = (await alice.hears("incoming"))["call"]
        await here.permit("another")
        await alice.say(type="answer", call=call, sdp=SDP, nonce=secrets.token_hex(32))
        await telephone.hears(told.Answered)
        await alice.hears("select_answer")


async def test_a_caller_who_gives_up_while_the_row_is_written_gives_one_place_back(
    far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office(tmp_path, trunks(far, "concurrent_calls = 1")) as here:
        await here.permit()
        alice = await here.person("alice")
        assert here.server.network is not None
        store, line = here.server.parts.store, here.server.network.lines["one"]
        begin, end = store.begin_leg, store.end_leg
        begun: asyncio.Queue[BegunLeg] = asyncio.Queue()
        go_on, over = asyncio.Event(), asyncio.Event()

        async def slow(row: BegunLeg) -> None:
            begun.put_nowait(row)
            await go_on.wait()
            await begin(row)

        async def ended(leg: str, how: LegEnd) -> None:
            await end(leg, how)
            if leg:
                over.set()

        monkeypatch.setattr(store, "begin_leg", slow)
        monkeypatch.setattr(store, "end_leg", ended)
        telephone = await far.dial(here)
        row = await asyncio.wait_for(begun.get(), 20)
        telephone.call.hang_up()
        await telephone.hears(told.Failed)
        go_on.set()
        await asyncio.wait_for(over.wait(), 20)
        assert (line.calls, here.server.network.at_work()) == (0, 0)
        [leg] = await store.legs_of_call(row.call)
        assert (leg.words, leg.confirmed) == ("the caller hung up", True)
        await far.dial(here)
        await alice.hears("incoming")
        failed = await (await far.dial(here)).hears(told.Failed)
        assert isinstance(failed, told.Failed) and failed.cause.status == 503, "it takes one call at once"


async def test_a_carrier_is_known_by_where_its_name_leads_to_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses, looked = ["192.0.2.1", "192.0.2.2"], asyncio.Queue[str]()

    async def locate(*_: object) -> tuple[Hop, ...]:
        looked.put_nowait(addresses[0])
        return (Hop(Transport.UDP, addresses[0], 5060),)

    monkeypatch.setattr(Agent, "locate", locate)
    monkeypatch.setattr("signaling.pstn.network.AWAY", 0.01)
    async with witness() as phone, office(tmp_path, Trunks().add("one", phone.place)) as here:
        network = here.server.network
        assert network is not None
        assert [network.is_peer(each) for each in ("192.0.2.1", "192.0.2.2")] == [True, False]
        addresses.pop(0)
        for _ in range(2):  # it is looked up, and once more when that has been taken in
            while await looked.get() != "192.0.2.2":
                pass
        assert [network.is_peer(each) for each in ("192.0.2.1", "192.0.2.2")] == [False, True]
