"""What really is on the wire, as somebody sees it who only looks: nothing with media without a lease."""

from licensing.reasons import Reason
from signaling.pstn.sip import call_events as told
from signaling.pstn.sip.digest import Credentials
from signaling.pstn.sip.outgoing import OutgoingCall
from signaling.pstn.sip.sockets import Place
from tests.fakes.clock import HandClock
from tests.interop.conftest import Here
from tests.interop.witness import SDP, Witness, line, witness
from tests.signaling.pstn.sip.agents import ANSWER, OFFER, Talk, uri
from tests.signaling.pstn.sip.test_agent import time_passes


async def answered(here: Here, far: Witness) -> tuple[OutgoingCall, Talk, str]:
    """A call of ours that the witness answered, and its INVITE."""
    made, talk = await here.us.call(uri(far.place))
    assert isinstance(made, OutgoingCall)
    invite = await far.hear("INVITE")
    far.answer(invite, "200 OK", sdp=True)
    await talk.until(told.Answered)
    return made, talk, invite


def calls(place: Place, *, branch: str = "z9hG4bK1", call_id: str = "w1", fields: str = "") -> str:
    """An INVITE as anybody can write one."""
    return (
        f"INVITE sip:+442079460001@{place.host}:{place.port} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 127.0.0.1;branch={branch};rport\r\nMax-Forwards: 70\r\n"
        f"From: <sip:+33123456789@carrier.example>;tag=w\r\nTo: <sip:+442079460001@{place.host}>\r\n"
        f"Call-ID: {call_id}\r\nCSeq: 1 INVITE\r\nContact: <sip:w@127.0.0.1>\r\n{fields}"
        f"Content-Type: application/sdp\r\nContent-Length: {len(SDP)}\r\n\r\n{SDP}"
    )


# --- lost, late, twice ----------------------------------------------------------------------------------


async def test_each_repeated_answer_is_acknowledged_again(here: Here) -> None:
    async with witness() as far:
        made, _, invite = await answered(here, far)
        for _ in range(3):
            ack = await far.hear("ACK")
            far.answer(invite, "200 OK", sdp=True)
        assert await far.hear("ACK") == ack
        made.hang_up()
        far.answer(await far.hear("BYE"), "200 OK")


async def test_a_bye_is_said_until_it_is_answered(here: Here) -> None:
    async with witness() as far:
        made, talk, _ = await answered(here, far)
        made.hang_up()
        byes = {await far.hear("BYE") for _ in range(3)}
        assert len(byes) == 1
        far.answer(byes.pop(), "481 Gone")
        assert (await talk.until(told.Ended)).confirmed


async def test_a_challenge_within_a_call_is_answered(here: Here) -> None:
    """To a re-INVITE and to a BYE: a 407 to it is not the end of the call."""
    who = '407 Who\r\nProxy-Authenticate: Digest realm="c", nonce="n", qop="auth"'
    async with witness() as far:
        made, talk = await here.us.call(uri(far.place), credentials=Credentials("us", "secret"))
        assert isinstance(made, OutgoingCall)
        far.answer(await far.hear("INVITE"), "200 OK", sdp=True)
        await talk.until(told.Answered)
        made.change(OFFER)
        far.answer(await far.hear("INVITE"), who)
        again = await far.hear("INVITE")
        assert line(again, "CSeq") == "CSeq: 3 INVITE"
        far.answer(again, "200 OK", sdp=True)
        assert (await talk.until(told.Changed)).sdp
        made.hang_up()
        bye = await far.hear("BYE")
        far.answer(bye, who)
        while (again := await far.hear("BYE")) == bye:
            pass  # said again before the challenge came
        assert line(again, "CSeq") == "CSeq: 5 BYE"
        assert line(again, "Proxy-Authorization")
        far.answer(again, "200 OK")
        assert (await talk.until(told.Ended)).confirmed


async def test_the_second_phone_that_answers_is_hung_up_on(here: Here) -> None:
    async with witness() as far:
        made, talk, invite = await answered(here, far)
        far.answer(invite, "200 OK", tag="other", sdp=True)
        bye = await far.hear("BYE")
        assert line(bye, "To").endswith(";tag=other")
        far.answer(bye, "200 OK")
        assert await here.us.stray_ended()
        made.hang_up()
        bye = await far.hear("BYE")
        assert line(bye, "To").endswith(";tag=w")
        far.answer(bye, "200 OK")
        assert (await talk.until(told.Ended)).confirmed


async def test_an_answer_to_a_call_of_before_a_restart_is_ended(here: Here) -> None:
    """Nobody here knows the call any more, but somewhere a phone was picked up."""
    async with witness() as far:
        _, _, invite = await answered(here, far)
        forgotten = invite.replace(line(invite, "Call-ID"), "Call-ID: forgotten").replace("bK", "bKold")
        far.answer(forgotten, "200 OK", sdp=True)
        ack = await far.hear("ACK")
        while line(ack, "Call-ID") != "Call-ID: forgotten":
            ack = await far.hear("ACK")
        far.answer(await far.hear("BYE"), "200 OK")
        assert await here.us.stray_ended()
        assert [dialog.call_id for dialog in here.us.strays] == ["forgotten"]


async def test_an_invite_that_comes_twice_is_one_call(here: Here) -> None:
    async with witness() as far:
        for _ in range(3):
            far.send(calls(here.place), here.place)
        theirs, _ = await here.us.called()
        theirs.ring()
        await far.hear("SIP/2.0 180")
        assert here.us.calls.empty()


async def test_our_answer_is_said_until_it_is_acknowledged(here: Here) -> None:
    async with witness() as far:
        far.send(calls(here.place), here.place)
        theirs, talk = await here.us.called()
        grant = here.us.licence.grant()
        theirs.accept(ANSWER, grant, grant.attempt)
        for _ in range(3):
            yes = await far.hear("SIP/2.0 200")
        to, contact = line(yes, "To"), line(yes, "Contact").partition("<")[2].partition(">")[0]
        far.send(
            f"ACK {contact} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK2;rport\r\n"
            f"{line(yes, 'From')}\r\n{to}\r\n{line(yes, 'Call-ID')}\r\nCSeq: 1 ACK\r\n\r\n",
            here.place,
        )
        await talk.until(told.Confirmed)


# --- no lease, no media ---------------------------------------------------------------------------------


async def test_no_invite_is_seen_without_its_lease(here: Here) -> None:
    async with witness() as far:
        licence = here.us.licence
        refused = [await here.us.call(uri(far.place), licence.forged()) for _ in range(3)]
        licence.lost = Reason.DENY_TELEPHONE_SWITCHED_OFF
        refused.append(await here.us.call(uri(far.place)))
        assert all(isinstance(answer, Reason) for answer, _ in refused)
        licence.lost = None
        _, talk = await here.us.call(uri(far.place), credentials=Credentials("us", "secret"))
        invite = await far.hear("INVITE")
        assert far.packets == [invite]  # none of the refused ones was before it
        far.answer(invite, "302 Elsewhere")
        assert (await talk.until(told.Failed)).cause.q850 == 23
        assert [p for p in far.packets if p.startswith("INVITE")] == [invite]


async def test_a_challenge_is_not_answered_once_the_lease_is_over(timeless: Here, clock: HandClock) -> None:
    async with witness() as far:
        _, talk = await timeless.us.call(uri(far.place), credentials=Credentials("us", "secret"))
        invite = await far.hear("INVITE")
        clock._now = clock.now().after(11_000_000_000)  # the process stood still: no timer has run yet
        far.answer(invite, '401 Who\r\nWWW-Authenticate: Digest realm="c", nonce="n"')
        assert "leave" in (await talk.until(told.Failed)).cause.words
        assert far.with_media() == [invite]


async def test_a_lost_lease_ends_the_call_and_nothing_more_is_offered(
    timeless: Here, clock: HandClock
) -> None:
    async with witness() as far:
        made, talk, invite = await answered(timeless, far)
        timeless.us.licence.lost = Reason.DENY_PERMIT_SUSPENDED
        await time_passes(clock, 11)
        bye = await far.hear("BYE")
        assert "cause=57" in line(bye, "Reason")
        made.change(OFFER)
        far.answer(bye, "200 OK")
        assert (await talk.until(told.Ended)).confirmed
        assert set(far.with_media()) == {invite}


async def test_raw_sip_to_our_port_brings_nothing_with_media(here: Here) -> None:
    """Headers that claim an identity or a licence move nothing; a REFER starts no call."""
    async with witness() as far:
        claims = "P-Asserted-Identity: <sip:operator@wephone.example>\r\nX-Lease: live\r\nRequire: 100rel\r\n"
        far.send(calls(here.place, fields=claims), here.place)
        theirs, _ = await here.us.called()
        theirs.ring()
        await far.hear("SIP/2.0 180")
        refer = calls(here.place, branch="z9hG4bK3", call_id="w2").replace("INVITE", "REFER")
        far.send(refer.replace("Contact:", "Refer-To: <sip:+15551234567@127.0.0.1>\r\nContact:"), here.place)
        await far.hear("SIP/2.0 405")
        theirs.refuse(403)
        await far.hear("SIP/2.0 403")
        assert far.with_media() == []


async def test_a_stranger_sees_nothing_at_all(here: Here) -> None:
    async with witness("127.0.0.2") as stranger, witness() as far:
        stranger.send(calls(here.place, call_id="stranger"), here.place)
        far.send(calls(here.place), here.place)
        theirs, _ = await here.us.called()
        assert theirs.call_id == "w1"
        theirs.refuse(404)
        await far.hear("SIP/2.0 404")
        assert stranger.packets == []
