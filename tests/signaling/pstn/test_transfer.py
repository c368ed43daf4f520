"""Calls handed over to numbers, and telephones that are not: each leg by a decision of its own."""

from pathlib import Path

from tests.interop.witness import Witness, witness
from tests.signaling.device import SDP, Device
from tests.signaling.pstn.telephony import NUMBER, Trunks, after_options, office, one_carrier

OTHER = "+4930123457"


async def follow(bob: Device) -> str:
    """What a client does that is handed over; the new call."""
    asked = await bob.hears("transfer")
    call = bob.new_id()
    await bob.say(
        type="invite", call=call, to=asked["to"], sdp=SDP, commitment="ab" * 32, replaces=asked["call"]
    )
    return call


async def test_a_call_is_handed_over_to_a_number_at_the_cost_of_who_does_it(tmp_path: Path) -> None:
    async with witness() as phone, office(tmp_path, Trunks().add("one", phone.place)) as here:
        await after_options(phone)
        alice, bob = await here.person("alice"), await here.person("bob", entitled=False)
        await bob.open(features=["transfer"])
        call = await alice.talk_to(bob)
        await alice.say(type="transfer", call=call, to=NUMBER)
        await follow(bob)
        failed = await alice.hears("transfer_failed")
        assert (failed["reason"], failed["refusal"]["code"]) == ("refused", "DENY_NO_PERMIT")
        assert phone.with_media() == []
        await here.permit()
        await alice.say(type="transfer", call=call, to=NUMBER)
        new = await follow(bob)
        invite = await phone.hear("INVITE")
        assert "ended" not in alice.kinds, "until the number answers the two talk on"
        phone.answer(invite, "200 OK", sdp=True)
        await phone.hear("ACK")
        ended = await alice.hears("ended")
        assert (ended["call"], ended["reason"]) == (call, "transferred")
        await bob.hears("answered")
        await bob.say(type="hangup", call=new)
        phone.answer(await phone.hear("BYE"), "200 OK")
        [leg] = await here.legs(new)
        assert leg["account"] == "alice"
        assert (await here.record(new))["caller"] == "bob"


async def test_a_telephone_is_not_handed_over_and_hears_nothing_of_it(tmp_path: Path) -> None:
    async with one_carrier(tmp_path) as (phone, here):
        alice, bob = await here.person("alice", minutes_per_day=999), await here.person("bob")
        call, other = [await connected(alice, phone, to) for to in (NUMBER, OTHER)]
        with_bob = await alice.talk_to(bob)
        before = list(phone.packets)
        for wish, service in (
            ({"call": call, "to": "bob"}, "pstn_in"),
            ({"call": call, "to": OTHER}, "pstn_bridge"),
            ({"call": call, "to_call": with_bob}, "pstn_in"),
            ({"call": with_bob, "to_call": call}, "pstn_in"),
            ({"call": call, "to_call": other}, "pstn_bridge"),
        ):
            await alice.say(type="transfer", **wish)
            failed = await alice.hears("transfer_failed")
            assert (failed["reason"], failed["refusal"]["code"]) == ("refused", "NO_HANDOVER")
            decided = await here.operator("GET", f"decisions/{failed['refusal']['decision']}")
            assert decided["service"] == service
        assert [each for each in phone.packets if each not in before and not each.startswith("OPTIONS")] == []
        assert len(here.server.parts.licence.gate.leases) == 2, "the calls go on"
        assert not {"ended", "transfer"} & {*alice.kinds, *bob.kinds}
        for each in (call, other):
            await alice.say(type="hangup", call=each)
            phone.answer(await phone.hear("BYE"), "200 OK")
            await here.legs(each)


async def connected(alice: Device, phone: Witness, number: str) -> str:
    """Alice talks with that number; the call."""
    call = await alice.invite(number)
    phone.answer(await phone.hear("INVITE"), "200 OK", sdp=True)
    await phone.hear("ACK")
    await alice.hears("answered")
    return call


async def test_nobody_is_handed_over_to_an_emergency_number(tmp_path: Path) -> None:
    async with one_carrier(tmp_path) as (phone, here):
        alice, bob = await here.person("alice"), await here.person("bob")
        await bob.open(features=["transfer"])
        call = await alice.talk_to(bob)
        await alice.say(type="transfer", call=call, to="112")
        await follow(bob)
        failed = await alice.hears("transfer_failed")
        assert failed["refusal"]["code"] == "NOT_FOR_ANOTHER"
        assert phone.with_media() == []
