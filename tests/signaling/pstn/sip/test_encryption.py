"""A leg whose sound is encrypted stays so: whoever answers, offers or says back less is left or refused."""

import random
from dataclasses import dataclass

import pytest

from signaling.pstn.sip import call_events as told
from signaling.pstn.sip.incoming import IncomingCall
from signaling.pstn.sip.leg import UNENCRYPTED
from signaling.pstn.sip.outgoing import OutgoingCall
from signaling.pstn.sip.sdes import Key, Suite, agreed, chosen, drawn, encrypted
from signaling.pstn.sip.sockets import Place
from tests.signaling.pstn.sip.agents import Party, Talk, uri
from tests.signaling.pstn.sip.test_sdes import PLAIN

OFFER = encrypted(PLAIN, drawn(random.Random(1).randbytes))
ANSWER = encrypted(PLAIN, [chosen(OFFER, random.Random(2).randbytes)])
AGAIN = encrypted(PLAIN, [Key(9, Suite.AES_CM_128_HMAC_SHA1_80, bytes(30))])  # a new offer of either
FOREIGN = encrypted(PLAIN, [Key(7, Suite.AES_CM_128_HMAC_SHA1_80, bytes(range(30)))])  # nobody offered that


@dataclass
class Call:
    """Both ends of one, before it is answered."""

    ours: OutgoingCall
    heard: Talk
    theirs: IncomingCall
    there: Talk

    def accept(self, sdp: bytes, far: Party) -> None:
        """Answer without scruples."""
        self.theirs.is_encrypted = False
        grant = far.licence.grant()
        assert self.theirs.accept(sdp, grant, grant.attempt) is None


async def ringing(near: Party, far: Party, place: Place, offer: bytes = OFFER) -> Call:
    ours, heard = await near.call(uri(place), offer=offer)
    assert isinstance(ours, OutgoingCall)
    theirs, there = await far.called()
    return Call(ours, heard, theirs, there)


async def talking(near: Party, far: Party, place: Place) -> Call:
    call = await ringing(near, far, place)
    assert call.theirs.demand_encryption()
    grant = far.licence.grant()
    assert call.theirs.accept(ANSWER, grant, grant.attempt) is None
    await call.heard.until(told.Answered)
    await call.there.until(told.Confirmed)
    return call


async def test_both_ends_of_a_call_have_the_same_keys(near: Party, far: Party, place: Place) -> None:
    call = await talking(near, far, place)
    here = agreed(call.ours.local_sdp, call.ours.remote_sdp)
    there = agreed(call.theirs.local_sdp, call.theirs.remote_sdp)
    assert (here.ours, here.theirs) == (there.theirs, there.ours)
    call.ours.hang_up()
    assert (await call.heard.until(told.Ended)).confirmed


@pytest.mark.parametrize("answer", [PLAIN, FOREIGN, OFFER, b""])
async def test_an_answer_without_the_encryption_ends_the_call(
    answer: bytes, near: Party, far: Party, place: Place
) -> None:
    """It may be charged, for a phone was picked up: its end is awaited and told."""
    call = await ringing(near, far, place)
    call.accept(answer, far)
    assert (await call.heard.until(told.Failed)).cause == UNENCRYPTED
    assert await near.stray_ended()
    assert len(near.strays) == 1
    assert (await call.there.until(told.Ended)).by_peer
    assert not any(isinstance(event, told.Answered) for event in call.heard.past)
    assert not near.licence.leases


async def test_plain_early_sound_ends_the_call_before_it_is_answered(
    near: Party, far: Party, place: Place
) -> None:
    call = await ringing(near, far, place)
    call.theirs.is_encrypted = False
    grant = far.licence.grant()
    call.theirs.early(PLAIN, grant, grant.attempt)
    assert (await call.heard.until(told.Failed)).cause == UNENCRYPTED
    await call.there.until(told.Failed)
    assert not any(isinstance(event, told.Ringing) for event in call.heard.past)


async def test_a_plain_offer_to_a_trunk_that_demands_encryption_is_refused(
    near: Party, far: Party, place: Place
) -> None:
    call = await ringing(near, far, place, PLAIN)
    assert not call.theirs.demand_encryption()
    failed = await call.heard.until(told.Failed)
    assert (failed.cause.status, failed.cause.q850) == (488, 88)
    assert (await call.there.until(told.Failed)).cause == UNENCRYPTED


async def test_a_plain_offer_within_a_call_is_refused_and_the_call_goes_on(
    near: Party, far: Party, place: Place
) -> None:
    call = await talking(near, far, place)
    call.theirs.is_encrypted = False
    call.theirs.change(PLAIN)
    assert (await call.there.until(told.Changed)).sdp is None
    assert call.theirs.local_sdp == ANSWER
    assert not any(isinstance(event, told.Offered) for event in call.heard.past)
    call.ours.hang_up()
    assert (await call.heard.until(told.Ended)).confirmed


async def test_new_keys_are_agreed_on_within_a_call(near: Party, far: Party, place: Place) -> None:
    call = await talking(near, far, place)
    call.ours.change(AGAIN)
    offer = (await call.there.until(told.Offered)).sdp
    answer = encrypted(PLAIN, [chosen(offer, random.Random(3).randbytes)])
    call.theirs.answer(answer)
    assert (await call.heard.until(told.Changed)).sdp == answer
    assert agreed(call.ours.local_sdp, call.ours.remote_sdp).ours == bytes(30)


async def test_a_plain_answer_within_a_call_ends_it(near: Party, far: Party, place: Place) -> None:
    call = await talking(near, far, place)
    call.theirs.is_encrypted = False
    call.ours.change(AGAIN)
    await call.there.until(told.Offered)
    call.theirs.answer(PLAIN)
    ended = await call.heard.until(told.Ended)
    assert (ended.cause, ended.confirmed) == (UNENCRYPTED, True)


async def test_an_offer_in_our_answer_that_nobody_answers_ends_the_call(
    near: Party, far: Party, place: Place
) -> None:
    """The carrier's INVITE has no offer, so that its ACK must have the answer."""
    call = await ringing(near, far, place, b"")
    assert call.theirs.demand_encryption()
    grant = far.licence.grant()
    call.theirs.accept(OFFER, grant, grant.attempt)
    ended = await call.there.until(told.Ended)
    assert ended.cause == UNENCRYPTED
    assert not any(isinstance(event, told.Confirmed) for event in call.there.past)


async def test_a_plain_description_of_ours_never_leaves_an_encrypted_leg(
    near: Party, far: Party, place: Place
) -> None:
    call = await ringing(near, far, place)
    grant = far.licence.grant()
    for say in (call.theirs.accept, call.theirs.early):
        with pytest.raises(ValueError, match="encrypted leg"):
            say(PLAIN, grant, grant.attempt)
    assert not far.licence.leases


async def test_what_is_logged_of_a_call_has_no_key(
    near: Party, far: Party, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    call = await talking(near, far, place)
    shown = [repr(event) for event in (*call.heard.past, *call.there.past)]
    shown += [repr(call.ours.session), repr(call.theirs.invite), repr(call.ours._wish), caplog.text]
    for sdp in (OFFER, ANSWER):
        key = sdp.partition(b"inline:")[2][:16].decode()
        assert not any(key in text for text in shown)
