"""Calls that go on to numbers, and calls of telephones that go on: each leg by a decision of its own."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from signaling.core.holder import Person
from signaling.facts import person_of
from signaling.ports.store import Store, StoreError
from tests.interop.witness import line, witness
from tests.signaling.device import SDP, Device
from tests.signaling.pstn.telephony import (
    DID,
    NUMBER,
    Office,
    Trunks,
    after_options,
    office,
    one_carrier,
    request,
)
from wephone.protocol.ids import UserId

OTHER_DID = "+49301111112"


async def rule(device: Device, **rules: str | None) -> dict[str, Any]:
    """Set by the person's own route, as any client would."""
    headers = {"Authorization": f"Bearer {device.token}"}
    url = f"{device.url}/api/account/forwarding"
    async with device.http.put(url, json=rules, headers=headers) as response:
        answer: dict[str, Any] = await response.json()
        return answer


async def only_record(here: Office) -> dict[str, Any]:
    """The record of the one call there was, once it is there."""
    while True:
        for each in (await here.operator("GET", "calls"))["calls"]:
            return await here.record(each["call"])
        await asyncio.sleep(0.02)


async def test_an_app_that_is_had_to_go_on_to_a_number_is_carried_at_the_cost_of_whose_rule_it_is(
    tmp_path: Path,
) -> None:
    async with one_carrier(tmp_path) as (phone, here):
        alice, bob = await here.person("alice", entitled=False), await here.person("bob")
        assert (await rule(bob, always="+49 30 123456"))["always"] == NUMBER
        call = await alice.invite("bob")
        invite = await phone.hear("INVITE")
        assert NUMBER in invite.split("\r\n")[0]
        progress = await alice.hears("progress")
        assert (progress["progress"], progress["forwarded_to"]) == ("sent", "+4930****56")
        phone.answer(invite, "200 OK", sdp=True)
        await phone.hear("ACK")
        await alice.hears("answered")
        await alice.say(type="hangup", call=call)
        phone.answer(await phone.hear("BYE"), "200 OK")
        [leg] = await here.legs(call)
        assert leg["account"] == "bob"
        record = await here.record(call)
        assert (record["callee"], record["forwarded_by"], record["forwarded_to"]) == (
            "bob", "bob", "+4930****56",
        )  # fmt: skip
        assert "incoming" not in bob.kinds


async def test_a_number_that_the_rules_owner_may_not_call_gets_no_packet(tmp_path: Path) -> None:
    async with witness() as phone, office(tmp_path, Trunks().add("one", phone.place)) as here:
        await after_options(phone)
        alice, bob = await here.person("alice"), await here.person("bob", entitled=False)
        await rule(bob, busy=NUMBER)
        for code in ("DENY_NO_PERMIT", "CAP_NOT_ENTITLED"):
            call = await alice.invite("bob")
            await bob.hears("incoming")
            await bob.say(type="reject", call=call, reason="busy")
            ended = await alice.hears("ended")
            assert (ended["reason"], ended["refusal"]["code"]) == ("refused", code)
            if code == "DENY_NO_PERMIT":
                await here.permit()
        assert phone.with_media() == []


async def test_nobody_else_answers_for_a_number_when_its_payer_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with one_carrier(tmp_path) as (phone, here):
        alice, bob = await here.person("alice"), await here.person("bob")
        await rule(bob, always=NUMBER)

        async def only_alice(store: Store, user: UserId) -> Person:
            if user == "bob":
                raise StoreError("the disk is gone")
            return await person_of(store, user)

        monkeypatch.setattr("signaling.switch.person_of", only_alice)
        await alice.invite("bob")
        assert (await alice.hears("ended"))["reason"] == "not_recorded"
        assert phone.with_media() == []


async def test_a_telephone_call_goes_on_to_another_user_by_a_decision_of_its_own(tmp_path: Path) -> None:
    async with witness() as phone:
        trunks = Trunks().add("one", phone.place, dids={DID: "alice"})
        async with office(tmp_path, trunks) as here:
            await after_options(phone)
            await here.permit()
            alice, bob = await here.person("alice"), await here.person("bob")
            await rule(alice, busy="bob")
            phone.send(request("INVITE", here.sip, phone.place), here.sip)
            call = (await alice.hears("incoming"))["call"]
            await alice.say(type="reject", call=call, reason="busy")
            incoming = await bob.hears("incoming")
            assert (incoming["call"], incoming["forwarded_by"]) == (call, "alice")
            await bob.say(type="answer", call=call, sdp=SDP, nonce="ab" * 32)
            answer = await phone.hear("SIP/2.0 200")
            assert "m=audio" in answer
            ack = request("ACK", here.sip, phone.place)
            phone.send(ack.replace(line(ack, "To"), line(answer, "To")), here.sip)
            await bob.hears("select_answer")
            await bob.say(type="hangup", call=call)
            phone.answer(await phone.hear("BYE"), "200 OK")
            record = await here.record(call)
            assert (record["callee"], record["forwarded_to"], record["reason"]) == ("alice", "bob", "hangup")
            [leg] = await here.legs(call)
            assert leg["decision"] != record["decision"], "each of the two has one of its own"


async def test_a_telephone_that_is_had_to_go_on_to_a_number_is_refused_after_its_decision(
    tmp_path: Path,
) -> None:
    """From trunk to trunk: nothing joins the two, and not one packet of the second leaves."""
    async with witness() as phone, witness() as elsewhere:
        trunks = Trunks().add("one", phone.place, dids={DID: "alice", OTHER_DID: "bob"})
        trunks.add("two", elsewhere.place)
        async with office(tmp_path, trunks) as here:
            await after_options(phone)
            await here.permit()
            alice = await here.person("alice")
            await rule(alice, always=NUMBER)
            phone.send(request("INVITE", here.sip, phone.place), here.sip)
            refused = await phone.hear("SIP/2.0 4")
            assert refused.startswith("SIP/2.0 403")
            assert "joins no two telephones" in line(refused, "Reason") and "D-" in line(refused, "Reason")
            record = await only_record(here)
            assert (record["reason"], record["forwarded_by"]) == ("refused", "alice")
            told = await here.operator("GET", f"decisions/{record['decision']}")
            assert told["service"] == "pstn_bridge"
            assert [each for each in phone.with_media() if not each.startswith("SIP/2.0 4")] == []
            assert elsewhere.with_media() == []
            assert here.server.parts.licence.gate.leases == ()


async def test_no_rule_leads_to_an_emergency_number_or_to_none(tmp_path: Path) -> None:
    async with witness() as phone, office(tmp_path, Trunks().add("one", phone.place)) as here:
        alice = await here.person("alice")
        for wrong in ("112", "+49", "alice", "?"):
            assert (await rule(alice, no_answer=wrong))["status"] == 400, wrong
        assert (await rule(alice))["always"] is None
