"""Two user agents and a real wire between them: calls are made, held, ended, and never without a lease."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from licensing.reasons import Reason
from signaling.pstn.sip import call_events as told
from signaling.pstn.sip.digest import Credentials
from signaling.pstn.sip.farewell import SILENT
from signaling.pstn.sip.headers import Address
from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.incoming import IncomingCall
from signaling.pstn.sip.outgoing import SAID_NO_MORE, OutgoingCall, Wish
from signaling.pstn.sip.sockets import Place
from signaling.pstn.sip.transaction import Failed
from signaling.pstn.sip.uri import Uri
from signaling.pstn.sip.values import replace
from tests.fakes.certificates import certify
from tests.fakes.clock import HandClock
from tests.interop.witness import TcpWitness, line, tcp_witness, witness
from tests.signaling.pstn.sip.agents import ANSWER, OFFER, WAIT, Party, Talk, party, uri

PAI = ("P-Asserted-Identity", "<sip:+442079460002@wephone.example>")


async def talking(near: Party, far: Party, place: Place) -> tuple[OutgoingCall, Talk, IncomingCall, Talk]:
    """A call that is up at both ends."""
    ours, heard = await near.call(uri(place))
    assert isinstance(ours, OutgoingCall)
    theirs, there = await far.called()
    grant = far.licence.grant()
    assert theirs.accept(ANSWER, grant, grant.attempt) is None
    await heard.until(told.Answered)
    await there.until(told.Confirmed)
    return ours, heard, theirs, there


@asynccontextmanager
async def called_by_tcp(near: Party) -> AsyncIterator[TcpWitness]:
    """A carrier that this party reaches so, while the block runs."""
    await near.agent.listen(Transport.TCP, "127.0.0.1")
    async with tcp_witness() as far:
        yield far


async def said_again(far: TcpWitness, packet: str, clock: HandClock) -> None:
    """Once this has come a second time, while time passes."""
    async with asyncio.timeout(WAIT):
        while far.packets.count(packet) < 2:
            clock.advance(0.5)
            await asyncio.sleep(0.01)


async def time_passes(clock: HandClock, seconds: int) -> None:
    """As it does: what a timer starts comes to its end before the next second."""
    for _ in range(seconds):
        clock.advance(1)
        for _ in range(3):
            await asyncio.sleep(0)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize(
    ("transport", "scheme"), [*((each, "sip") for each in Transport), (Transport.TLS, "sips")]
)
async def test_a_call_is_made_answered_and_ended(
    transport: Transport, scheme: str, host: str, clock: HandClock, tmp_path: Path
) -> None:
    certificate = certify(tmp_path)
    async with party(clock, certificate=certificate) as near, party(clock, certificate=certificate) as far:
        await near.agent.listen(transport, host)
        place = await far.agent.listen(transport, host)
        to = replace(uri(place), scheme="sips", parameters=()) if scheme == "sips" else uri(place)
        call, heard = await near.call(to, fields=(PAI,))
        assert isinstance(call, OutgoingCall)
        theirs, there = await far.called()
        assert theirs.invite.get(PAI[0]) == PAI[1]
        for contact in (theirs.invite.contact, theirs.dialog.contact.uri):
            assert contact and contact.scheme == scheme, "RFC 3261 §8.1.1.8, §12.1.1"
        assert theirs.remote_sdp == OFFER
        theirs.ring()
        assert await heard.until(told.Ringing) == told.Ringing(180)
        grant = far.licence.grant()
        theirs.accept(ANSWER, grant, grant.attempt)
        assert (await heard.until(told.Answered)).sdp == ANSWER
        await there.until(told.Confirmed)
        call.hang_up()
        ended = await heard.until(told.Ended)
        assert (ended.confirmed, ended.by_peer) == (True, False)
        assert (await there.until(told.Ended)).by_peer
        assert not near.licence.leases
        assert not far.licence.leases


async def test_without_a_grant_no_invite_leaves(near: Party, far: Party, place: Place) -> None:
    used = near.licence.grant()
    near.licence.redeem(used, used.attempt)
    for grant in (near.licence.forged(), used):
        refused, _ = await near.call(uri(place), grant)
        assert refused is Reason.DENY_GRANT_NOT_VALID
    near.licence.lost = Reason.DENY_PERMIT_REVOKED
    assert (await near.call(uri(place)))[0] is Reason.DENY_PERMIT_REVOKED
    assert len(near.agent.traffic) == 0
    assert far.calls.empty()


async def test_a_grant_for_another_number_sends_nothing(near: Party, far: Party, place: Place) -> None:
    with pytest.raises(ValueError, match="another number"):
        await near.call(uri(place, "+33123456789"), near.licence.grant("+442079460001"))
    for written in ("+442079460001", "00442079460001", "02079460001"):
        call, _ = await near.call(uri(place, written), near.licence.grant("+442079460001"))
        assert isinstance(call, OutgoingCall)


async def test_without_a_grant_no_answer_and_no_early_sound(near: Party, far: Party, place: Place) -> None:
    _, heard = await near.call(uri(place))
    theirs, _ = await far.called()
    forged = far.licence.forged()
    assert theirs.accept(ANSWER, forged, forged.attempt) is Reason.DENY_GRANT_NOT_VALID
    assert theirs.early(ANSWER, forged, forged.attempt) is Reason.DENY_GRANT_NOT_VALID
    theirs.refuse(403)
    assert (await heard.until(told.Failed)).cause.status == 403
    assert [type(event) for event in heard.past] == [told.Trying, told.Failed]


async def test_early_sound_and_the_answer_are_under_one_grant(near: Party, far: Party, place: Place) -> None:
    _, heard = await near.call(uri(place))
    theirs, there = await far.called()
    grant = far.licence.grant()
    assert theirs.early(ANSWER, grant, grant.attempt) is None
    assert theirs.accept(ANSWER, grant, grant.attempt) is None  # waits for the PRACK
    assert await heard.until(told.Ringing) == told.Ringing(183, ANSWER)
    await heard.until(told.Answered)
    await there.until(told.Confirmed)
    assert len(far.licence.leases) == 1


async def test_a_lost_licence_ends_the_call(near: Party, far: Party, place: Place, clock: HandClock) -> None:
    _, heard, _, there = await talking(near, far, place)
    near.licence.lost = Reason.DENY_PERMIT_REVOKED
    await time_passes(clock, 11)
    ended = await heard.until(told.Ended)
    assert (ended.cause.q850, ended.confirmed) == (57, True)
    assert (await there.until(told.Ended)).cause.q850 == 57


async def test_a_licence_that_stands_keeps_the_call(
    near: Party, far: Party, place: Place, clock: HandClock
) -> None:
    call, heard, _, _ = await talking(near, far, place)
    await time_passes(clock, 60)
    assert call.lease
    assert not heard.past[2:] or not isinstance(heard.past[-1], told.Ended)


async def test_nothing_with_media_leaves_once_the_lease_is_over(
    near: Party, far: Party, place: Place, clock: HandClock
) -> None:
    call, heard, theirs, _ = await talking(near, far, place)
    assert call.tenure is not None
    monotonic = clock.now().mono_ns
    clock._now = clock.now().after(60_000_000_000)  # as after a process was stopped: no timer has run yet
    assert clock.now().mono_ns > monotonic
    call.change(OFFER + b"a=inactive\r\n")
    ended = await heard.until(told.Ended)
    assert near.agent.traffic.outlet.withheld == 1
    assert ended.confirmed
    assert theirs.remote_sdp == OFFER


async def test_who_hangs_up_before_the_answer_is_acknowledged_acknowledges_it_first(near: Party) -> None:
    async with witness() as phone:
        grant = near.licence.grant()
        talk, wish = Talk(), Wish(uri(phone.place), Address(Uri("sip", "here", "us")), OFFER, holds_ack=True)
        call = await near.agent.call(wish, grant, grant.attempt, talk.tell)
        assert isinstance(call, OutgoingCall)
        invite = await phone.hear("INVITE")
        phone.answer(invite, "200 OK", sdp=True)
        await talk.until(told.Answered)
        phone.answer(invite, "200 OK", sdp=True)
        call.hang_up()
        assert (await phone.hear("")).startswith("ACK")
        phone.answer(await phone.hear("BYE"), "200 OK")
        assert (await talk.until(told.Ended)).confirmed


async def test_whatever_is_challenged_of_a_call_is_said_again_with_our_name_under_the_next_number(
    near: Party,
) -> None:
    """The INVITE, its PRACK, a re-INVITE and the BYE; a wrong password is said once for each."""
    who = '407 Who\r\nProxy-Authenticate: Digest realm="c", nonce="n", qop="auth"'
    async with witness() as phone:
        call, talk = await near.call(uri(phone.place), credentials=Credentials("us", "secret"))
        assert isinstance(call, OutgoingCall)
        phone.answer(await phone.hear("INVITE"), who)
        invite = await phone.hear("INVITE")
        numbers = [line(invite, "CSeq")]
        phone.answer(invite, "183 It rings\r\nRequire: 100rel\r\nRSeq: 7", sdp=True)
        for method in ("PRACK", "INVITE", "BYE"):
            phone.answer(await phone.hear(method), who)
            again = await phone.hear(method)
            assert line(again, "Proxy-Authorization")
            numbers.append(line(again, "CSeq"))
            phone.answer(again, "200 OK", sdp=method == "INVITE")
            if method == "PRACK":
                phone.answer(invite, "200 OK", sdp=True)
                await talk.until(told.Answered)
                call.change(OFFER)
            elif method == "INVITE":
                await talk.until(told.Changed)
                call.hang_up()
        assert numbers == ["CSeq: 2 INVITE", "CSeq: 4 PRACK", "CSeq: 6 INVITE", "CSeq: 8 BYE"]
        assert (await talk.until(told.Ended)).confirmed


async def test_hold_and_resume_by_either_side(near: Party, far: Party, place: Place) -> None:
    call, heard, theirs, there = await talking(near, far, place)
    held = OFFER + b"a=sendonly\r\n"
    call.change(held)
    assert (await there.until(told.Offered)).sdp == held
    theirs.answer(ANSWER + b"a=recvonly\r\n")
    assert await heard.until(told.Changed) == told.Changed(ANSWER + b"a=recvonly\r\n")
    theirs.change(ANSWER)
    await heard.until(told.Offered)
    call.refuse_offer(488)
    assert await there.until(told.Changed) == told.Changed(None)
    theirs.hang_up()
    assert (await heard.until(told.Ended)).by_peer


async def test_a_caller_who_gives_up_stops_the_ringing(near: Party, far: Party, place: Place) -> None:
    call, heard = await near.call(uri(place))
    assert isinstance(call, OutgoingCall)
    theirs, there = await far.called()
    theirs.ring()
    await heard.until(told.Ringing)
    call.hang_up()
    assert (await heard.until(told.Failed)).cause.status == 487
    assert (await there.until(told.Failed)).cause.words == "the caller hung up"
    assert not near.licence.leases


async def test_a_cancel_that_a_connection_was_lost_with_is_said_by_another(
    near: Party, clock: HandClock
) -> None:
    """Or the phone rings on, for nobody."""
    async with called_by_tcp(near) as far:
        call, heard = await near.call(uri(far.place))
        assert isinstance(call, OutgoingCall)
        invite = await far.hear("INVITE")
        far.answer(invite, "180 Ringing")
        await heard.until(told.Ringing)
        call.hang_up()
        cancel = await far.hear("CANCEL")
        await far.go()
        for _ in range(10):
            clock.advance(1)
            await asyncio.sleep(0.01)
        await far.come()
        await said_again(far, cancel, clock)
        far.answer(cancel, "200 OK")
        far.answer(invite, "487 Request Terminated")
        assert (await heard.until(told.Failed)).confirmed


async def test_a_large_invite_goes_over_tcp(near: Party, far: Party, place: Place) -> None:
    identity = ("Identity", "e30.e30." + "A" * 1400 + ";info=<https://cert.example/c.pem>;alg=ES256")
    await far.agent.listen(Transport.TCP, "127.0.0.1", place.port)
    await near.call(uri(place), fields=(identity,))
    theirs, _ = await far.called()
    assert theirs.flow.hop.transport is Transport.TCP
    assert theirs.invite.get("Identity") == identity[1]


async def test_a_large_invite_goes_by_udp_where_nobody_listens_on_tcp(
    near: Party, far: Party, place: Place
) -> None:
    await near.call(uri(place), fields=(("Subject", "x" * 1400),))
    theirs, _ = await far.called()
    assert theirs.flow.hop.transport is Transport.UDP
    assert theirs.invite.contact
    assert theirs.invite.contact.parameter("transport") is None


async def test_an_acknowledgement_that_cannot_be_sent_is_no_reason_to_call_again(
    near: Party, far: Party, place: Place
) -> None:
    """Whatever else goes wrong, an INVITE that was heard is not said once more by another way."""
    call, heard = await near.call(uri(place), fields=(("Subject", "x" * 1400),))
    assert isinstance(call, OutgoingCall)
    theirs, _ = await far.called()
    theirs.refuse(486)
    await heard.until(told.Failed)
    call.failed(theirs.invite, Failed("transport"))
    call.failed(call._first, Failed("transport"))
    assert len(call._invitations) == 2  # over TCP, which nobody listened to, and by UDP


async def test_a_carrier_that_is_not_there_is_one_clear_failure(
    near: Party, place: Place, far: Party, clock: HandClock
) -> None:
    await far.agent.close()
    _, heard = await near.call(uri(place))
    await time_passes(clock, 33)
    failed = await heard.until(told.Failed)
    assert (failed.cause.q850, failed.cause.elsewhere, failed.confirmed) == (102, True, True)
    assert not near.licence.leases
    await time_passes(clock, 33)
    assert len(near.agent.traffic) == 0
    assert near.agent.legs == ()


async def test_a_carrier_that_took_a_call_and_says_nothing_may_have_it_still(
    near: Party, clock: HandClock
) -> None:
    """By TCP it was there; by UDP as well, if it said 100 at least, and then no more to our CANCEL."""
    async with called_by_tcp(near) as phone:
        _, heard = await near.call(uri(phone.place))
        await phone.hear("INVITE")
        await time_passes(clock, 33)
        assert (await heard.until(told.Failed)).doubt == "the carrier has not answered our INVITE in 32 s"
    async with witness() as phone:
        call, heard = await near.call(uri(phone.place))
        assert isinstance(call, OutgoingCall)
        phone.answer(await phone.hear("INVITE"), "100 Trying")
        await heard.until(told.Trying)
        call.hang_up()
        await time_passes(clock, 33)
        assert (await heard.until(told.Failed)).doubt == "the carrier has not answered our CANCEL in 32 s"


@pytest.mark.parametrize(
    ("says", "words", "elsewhere"),
    [
        ("487 Request Terminated", SAID_NO_MORE.words, True),
        ("486 Busy Here", "the callee is busy", False),
        ("200 OK", SAID_NO_MORE.words, False),  # somebody took the call, and is not to be rung again
    ],
)
async def test_a_carrier_that_takes_a_call_and_says_no_more_is_given_up_after_32_s(
    near: Party, clock: HandClock, says: str, words: str, elsewhere: bool
) -> None:
    async with witness() as phone:
        _, heard = await near.call(uri(phone.place))
        invite = await phone.hear("INVITE")
        phone.answer(invite, "100 Trying")
        await heard.until(told.Trying)
        await time_passes(clock, 31)
        assert not [packet for packet in phone.packets if packet.startswith("CANCEL")]
        await time_passes(clock, 2)
        phone.answer(await phone.hear("CANCEL"), "200 OK")
        phone.answer(invite, says, sdp=says.startswith("200"))
        failed = await heard.until(told.Failed)
        assert (failed.cause.words, failed.cause.elsewhere, failed.confirmed) == (words, elsewhere, True)
        assert len(near.strays) == says.startswith("200")


async def test_one_that_says_more_than_that_it_has_a_call_is_waited_for(
    near: Party, clock: HandClock
) -> None:
    async with witness() as phone:
        _, heard = await near.call(uri(phone.place))
        invite = await phone.hear("INVITE")
        phone.answer(invite, "100 Trying")
        phone.answer(invite, "181 Call Is Being Forwarded")
        await heard.until(told.Ringing)
        await time_passes(clock, 33)
        phone.answer(invite, "200 OK", sdp=True)
        await heard.until(told.Answered)
        assert not [packet for packet in phone.packets if packet.startswith("CANCEL")]


async def test_a_bye_that_is_never_answered_is_said_to_be_unconfirmed(
    near: Party, place: Place, far: Party, clock: HandClock
) -> None:
    call, heard, _, _ = await talking(near, far, place)
    await far.agent.close()
    call.hang_up()
    await time_passes(clock, 33)
    assert (await heard.until(told.Ended)).doubt == SILENT


@pytest.mark.parametrize("away", [True, False])
async def test_a_bye_that_a_connection_was_lost_with_is_said_by_another(clock: HandClock, away: bool) -> None:
    """It was written, and nobody will ever answer it; for a while, perhaps, nobody is there at all."""
    async with party(clock) as near, called_by_tcp(near) as far:
        call, heard = await near.call(uri(far.place))
        assert isinstance(call, OutgoingCall)
        far.answer(await far.hear("INVITE"), "200 OK", sdp=True)
        await heard.until(told.Answered)
        await far.hear("ACK")
        call.hang_up()
        lost = await far.hear("BYE")
        await far.go()
        for _ in range(20 if away else 0):
            clock.advance(0.5)
            await asyncio.sleep(0.01)
        assert not any(isinstance(event, told.Ended) for event in heard.past)
        await far.come()
        await said_again(far, lost, clock)
        far.answer(lost, "200 OK")
        assert (await heard.until(told.Ended)).confirmed
