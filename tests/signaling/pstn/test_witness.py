"""A witness at the far end keeps every packet: nothing that begins, answers or widens a leg comes unasked."""

import json
from pathlib import Path
from typing import Any

from licensing.alarms import Alarm
from signaling.media import Sound
from tests.fakes.relay import Relay
from tests.interop.witness import SDP as SOUND
from tests.interop.witness import line, witness
from tests.signaling.device import SDP, Device
from tests.signaling.pstn.telephony import (
    DID,
    NUMBER,
    Trunks,
    after_options,
    answered,
    calling,
    office,
    request,
)

HOLD = SOUND + "a=sendonly\r\n"


async def test_a_call_that_is_not_permitted_leaves_no_packet(tmp_path: Path) -> None:
    async with witness() as phone, office(tmp_path, Trunks().add("one", phone.place)) as here:
        await after_options(phone)
        alice = await here.person("alice")
        await alice.invite(NUMBER)
        assert (await alice.hears("ended"))["reason"] == "refused"
        assert phone.with_media() == []


async def test_a_redirect_is_not_followed_and_a_refer_is_refused(tmp_path: Path) -> None:
    async with witness() as phone, witness() as elsewhere:
        async with office(tmp_path, Trunks().add("one", phone.place)) as here:
            await after_options(phone)
            await here.permit()
            alice = await here.person("alice")
            await alice.invite(NUMBER)
            invite = await phone.hear("INVITE")
            phone.answer(invite, "302 Moved Temporarily")
            await phone.hear("ACK")
            assert (await alice.hears("ended"))["reason"] == "carrier_failed"
            call = await alice.invite(NUMBER)
            invite = await phone.hear("INVITE")
            phone.answer(invite, "200 OK", sdp=True)
            await phone.hear("ACK")
            await alice.hears("answered")
            to = elsewhere.place
            refer = request("REFER", here.sip, phone.place, extra=f"Refer-To: <sip:x@{to.host}:{to.port}>")
            ours = line(invite, "From").replace("From", "To")
            refer = refer.replace(line(refer, "To"), ours).replace("Call-ID: raw", line(invite, "Call-ID"))
            phone.send(refer, here.sip)
            assert (await phone.hear("SIP/2.0")).startswith("SIP/2.0 405")
            await alice.say(type="hangup", call=call)
            phone.answer(await phone.hear("BYE"), "200 OK")
            await here.legs(call)
        assert elsewhere.packets == []


async def test_hold_at_either_side_is_told_to_the_other_under_the_lease(tmp_path: Path) -> None:
    async with calling(tmp_path) as (phone, here, alice):
        call, _ = await answered(alice, phone)
        await alice.say(type="negotiate", call=call, kind="offer", round=1, sdp=SDP, hold=True)
        answer = await alice.hears("negotiate")
        assert (answer["kind"], answer["round"]) == ("answer", 1)
        held = await phone.hear("INVITE")
        assert "a=sendonly" in held
        phone.answer(held, "200 OK", tag="w", sdp=True)
        await phone.hear("ACK")
        [leg] = here.relay.legs.values()
        assert leg.playing == {"trunk": Sound.MUSIC}
        await alice.say(type="negotiate", call=call, kind="offer", round=2, sdp=SDP)
        again = await phone.hear("INVITE")
        assert "a=sendrecv" in again
        phone.answer(again, "200 OK", tag="w", sdp=True)
        await phone.hear("ACK")
        assert leg.playing == {}
        theirs = request("INVITE", here.sip, phone.place).replace(SOUND, HOLD)
        theirs = theirs.replace(f"Content-Length: {len(SOUND)}", f"Content-Length: {len(HOLD)}")
        theirs = theirs.replace(line(theirs, "To"), line(again, "From").replace("From", "To"))
        theirs = theirs.replace(line(theirs, "From"), line(again, "To").replace("To", "From"))
        theirs = theirs.replace("Call-ID: raw", line(again, "Call-ID"))
        phone.send(theirs, here.sip)
        taken = await phone.hear("SIP/2.0 200")
        assert "m=audio" in taken
        await alice.say(type="negotiate", call=call, kind="offer", round=3, sdp=SDP, media=["audio", "video"])
        assert (await answer_to(alice, 3))["kind"] == "decline"
        # The carrier's offer is over with its ACK, and ours follows (RFC 3261 §14.1); alice does not wait.
        await alice.say(type="negotiate", call=call, kind="offer", round=4, sdp=SDP, hold=True)
        assert (await answer_to(alice, 4))["kind"] == "answer"
        assert await phone.hear("SIP/2.0 200") == taken
        ack = theirs.partition("\r\n\r\n")[0].replace("INVITE", "ACK").replace("z9hG4bK", "z9hG4bKa")
        phone.send(ack.replace(f"Content-Length: {len(HOLD)}", "Content-Length: 0") + "\r\n\r\n", here.sip)
        assert "a=sendonly" in await phone.hear("INVITE")


async def answer_to(alice: Device, number: int) -> dict[str, Any]:
    """What becomes of her offer of this round."""
    while (said := await alice.hears("negotiate"))["round"] != number:
        pass
    return said


async def test_a_key_that_the_carrier_tells_of_by_info_is_for_the_app(tmp_path: Path) -> None:
    async with calling(tmp_path) as (phone, here, alice):
        _, invite = await answered(alice, phone)
        [leg] = here.relay.legs.values()
        for number, key in enumerate("5#", 1):
            info = request("INFO", here.sip, phone.place, extra="Content-Type: application/dtmf")
            info = info.replace(line(info, "To"), line(invite, "From").replace("From", "To"))
            info = info.replace("Call-ID: raw", line(invite, "Call-ID")).replace("CSeq: 1", f"CSeq: {number}")
            phone.send(info.replace("Content-Length: 0", "Content-Length: 1") + key, here.sip)
            await phone.hear("SIP/2.0 200")
        assert leg.pressed == "5#"


async def test_a_request_with_forged_headers_is_a_call_like_any_other(tmp_path: Path) -> None:
    """What it says of itself is no permit: the number that it is for decides whom it may reach."""
    async with witness() as phone:
        trunks = Trunks().add("one", phone.place, dids={DID: "alice"})
        async with office(tmp_path, trunks) as here:
            await after_options(phone)
            alice = await here.person("alice")
            forged = "X-WePhone-Grant: D-1\r\nP-Asserted-Identity: <sip:+493011@wephone>\r\nReplaces: raw"
            phone.send(request("INVITE", here.sip, phone.place, extra=forged), here.sip)
            refused = await phone.hear("SIP/2.0 4")
            assert refused.startswith("SIP/2.0 403") and "Q.850;cause=57" in line(refused, "Reason")
            assert "D-" in line(refused, "Reason")
            phone.send(request("INVITE", here.sip, phone.place, uri=NUMBER, call="out"), here.sip)
            assert (await phone.hear("SIP/2.0 4")).startswith("SIP/2.0 404")
            assert "incoming" not in alice.kinds
            assert phone.with_media() == []


async def test_a_number_that_its_caller_withholds_is_told_to_nobody_and_ours_is_never_withheld(
    tmp_path: Path,
) -> None:
    async with calling(tmp_path, dids={DID: "alice"}) as (phone, here, alice):
        asserted = "P-Asserted-Identity: <sip:+4915112345678@witness>"
        invite = request("INVITE", here.sip, phone.place, extra=asserted)
        anonymous = invite.replace(
            "<sip:+4915112345678@witness>;tag", "<sip:anonymous@anonymous.invalid>;tag"
        )
        for number, (withheld, peer) in enumerate(
            (
                (invite.replace(asserted, f"{asserted}\r\nPrivacy: id"), "(withheld)"),  # RFC 3325 §9.3
                (anonymous.replace(asserted, "Privacy: user;critical"), "(withheld)"),  # RFC 3323 §4.1
                (anonymous.replace(asserted, "Subject: none"), "(withheld)"),
                (anonymous, "+4915112345678"),
            )
        ):
            named = withheld.replace("Call-ID: raw", f"Call-ID: {number}").replace(
                "z9hG4bK", f"z9hG4bK{number}"
            )
            phone.send(named, here.sip)
            incoming = await alice.hears("incoming")
            assert incoming["peer"] == peer
            await alice.say(type="reject", call=incoming["call"], reason="declined")
            record = await here.record(incoming["call"])
            assert ("12345678" in json.dumps([record, incoming])) == (peer != "(withheld)"), record
            await phone.hear("SIP/2.0 603")
        await alice.invite(NUMBER)
        assert "\r\nPrivacy:" not in await phone.hear("INVITE")


async def test_a_call_that_leaves_the_offer_to_us_hears_none_without_a_permit(tmp_path: Path) -> None:
    async with witness() as phone:
        trunks = Trunks().add("one", phone.place, dids={DID: "alice"})
        async with office(tmp_path, trunks) as here:
            await after_options(phone)
            late = request("INVITE", here.sip, phone.place).removesuffix(SOUND)
            late = late.replace(f"Content-Length: {len(SOUND)}", "Content-Length: 0")
            phone.send(late.replace("Content-Type: application/sdp\r\n", ""), here.sip)
            assert (await phone.hear("SIP/2.0 4")).startswith("SIP/2.0 403")
            await here.permit()
            alice = await here.person("alice")
            phone.send(
                late.replace("Call-ID: raw", "Call-ID: late").replace("branch=z9hG4bK", "branch=z9hG4bKx")
            )
            call = (await alice.hears("incoming"))["call"]
            assert phone.with_media() == [], "no offer before somebody answers under the grant"
            await alice.say(type="hangup", call=call)
            assert (await phone.hear("SIP/2.0 6")).startswith("SIP/2.0 603")


async def test_a_stranger_gets_no_answer_and_is_counted(tmp_path: Path) -> None:
    async with witness() as phone, witness("127.0.0.7") as stranger:
        trunks = Trunks().add("one", phone.place, dids={DID: "alice"})
        trunks.text = trunks.text.replace('sources = ["127.0.0.0/8"]', 'sources = ["127.0.0.1"]')
        async with office(tmp_path, trunks) as here:
            await after_options(phone)
            await here.permit()
            stranger.send(request("INVITE", here.sip, stranger.place), here.sip)
            stranger.send(request("OPTIONS", here.sip, stranger.place), here.sip)
            phone.send(request("OPTIONS", here.sip, phone.place), here.sip)
            await phone.hear("SIP/2.0 200")
            assert stranger.packets == []
            assert b'sip_turned_away_total{why="stranger"} 2.0' in here.server.parts.metrics.text()


async def test_a_carrier_that_never_confirms_an_end_is_told_of_and_listed(tmp_path: Path) -> None:
    async with calling(tmp_path) as (phone, here, alice):
        call, _ = await answered(alice, phone)
        await alice.say(type="hangup", call=call)
        phone.answer(await phone.hear("BYE"), "407 Proxy Authentication Required")
        [leg] = await here.legs(call)
        [listed] = (await here.operator("GET", "telephone/unconfirmed"))["legs"]
        assert (listed["leg"], listed["confirmed"]) == (leg["leg"], False)
        assert listed["cause"].endswith("; the carrier has answered our BYE with 407")
        licence = here.server.parts.licence
        assert listed["cause"] in licence.alarms.raised[Alarm.LEG_UNCONFIRMED]
        await here.operator(
            "POST", f"telephone/unconfirmed/{leg['leg']}/settle", {"why": "their mail of today"}
        )
        assert "leg_unconfirmed" not in licence.alarms.raised
        assert (await here.operator("GET", "telephone/unconfirmed"))["legs"] == []
        [entry] = await licence.journal.about(leg["leg"])
        body = json.loads(entry.body)
        assert (entry.kind, body["why"]) == ("leg_settled", "their mail of today")
        assert body["cause"] == listed["cause"]


async def test_the_death_of_what_carries_the_sound_ends_the_call(tmp_path: Path) -> None:
    async with calling(tmp_path) as (phone, here, alice):
        call, _ = await answered(alice, phone)
        relay: Relay = here.relay
        relay.die()
        phone.answer(await phone.hear("BYE"), "200 OK")
        assert (await alice.hears("ended"))["reason"] == "media_failed"
        await here.legs(call)
