"""Calls with SIPp at the other end, and what goes wrong between carriers and those who call by them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from licensing.reasons import Reason
from signaling.clock import SystemClock
from signaling.pstn.sip import call_events as told
from signaling.pstn.sip.cause import Cause
from signaling.pstn.sip.digest import Credentials
from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.leg import unlicensed
from signaling.pstn.sip.outgoing import OutgoingCall
from signaling.pstn.sip.sockets import Place
from tests.fakes.certificates import Certificate, certify
from tests.fakes.clock import HandClock
from tests.interop.conftest import Here
from tests.interop.front import tls_back, tls_front
from tests.interop.played import Deed, Peer, Way, cases
from tests.interop.sipp import Sipp, sipp
from tests.signaling.pstn.sip.agents import ANSWER, OFFER, Party, Talk, party, uri

WHO = (
    ("P-Asserted-Identity", "<sip:+442079460002@wephone.example>"),
    ("Privacy", "id"),
    ("Identity", "e30.e30.AAAA;info=<https://cert.example/c.pem>;alg=ES256"),
    ("Diversion", "<sip:+442079460009@wephone.example>;reason=unconditional"),
)


async def call(us: Party, peer: Sipp, **wish: object) -> tuple[OutgoingCall, Talk]:
    made, talk = await us.call(uri(peer.place), **wish)  # type: ignore[arg-type]
    assert isinstance(made, OutgoingCall)
    return made, talk


async def take(us: Party) -> Talk:
    """Answer the next call, under a grant."""
    theirs, talk = await us.called()
    grant = us.licence.grant()
    theirs.ring()
    assert theirs.accept(ANSWER, grant, grant.attempt) is None
    return talk


# --- every transport ------------------------------------------------------------------------------------


@asynccontextmanager
async def called(way: Way, certificate: Certificate) -> AsyncIterator[tuple[Sipp, Place]]:
    """SIPp, and where it is called. Debian's speaks no TLS: it is put behind a front that does."""
    if way.transport is not Transport.TLS:
        async with sipp("answers", host=way.host, transport=way.transport) as peer:
            yield peer, peer.place
        return
    async with tls_front(certificate, way.host) as front:
        contact = str(uri(front.place))
        async with sipp("answers", host=way.host, transport=Transport.TCP, contact=contact) as peer:
            front.behind = peer.place
            yield peer, front.place
            assert front.connections == 1


@asynccontextmanager
async def caller(way: Way, certificate: Certificate, target: Place) -> AsyncIterator[Sipp]:
    """SIPp, which calls; over TLS by what speaks it for it."""
    if way.transport is not Transport.TLS:
        async with sipp("calls", host=way.host, transport=way.transport, target=target) as peer:
            yield peer
        return
    async with (
        tls_back(certificate, way.host, target) as back,
        sipp("calls", host=way.host, transport=Transport.TCP, target=back.place) as peer,
    ):
        yield peer


@pytest.mark.parametrize("way", cases(Deed.CALLED, Peer.SIPP))
async def test_a_call_is_made(way: Way, tmp_path: Path) -> None:
    certificate = certify(tmp_path)
    async with (
        party(SystemClock(), certificate=certificate) as us,
        called(way, certificate) as (peer, place),
    ):
        await us.agent.listen(way.transport, way.host)
        made, talk = await us.call(uri(place))
        assert isinstance(made, OutgoingCall)
        await talk.until(told.Answered)
        made.hang_up()
        assert (await talk.until(told.Ended)).confirmed
        await peer.done()


@pytest.mark.parametrize("way", cases(Deed.CALLING, Peer.SIPP))
async def test_a_call_is_taken(way: Way, tmp_path: Path) -> None:
    certificate = certify(tmp_path)
    async with party(SystemClock(), certificate=certificate) as us:
        place = await us.agent.listen(way.transport, way.host)
        async with caller(way, certificate, place) as peer:
            talk = await take(us)
            assert (await talk.until(told.Ended)).by_peer
            await peer.done()


async def test_many_calls_at_once(here: Here, full_size: bool) -> None:
    many = 500 if full_size else 100
    async with sipp("answers many", calls=many) as peer:
        made = await asyncio.gather(*(call(here.us, peer) for _ in range(many)))
        for ours, talk in made:
            await talk.until(told.Answered)
            ours.hang_up()
        for _, talk in made:
            assert (await talk.until(told.Ended)).confirmed
    assert not here.us.licence.leases


# --- money: nobody is left in a call that nobody wants ---------------------------------------------------


async def test_an_answer_that_crosses_our_cancel_is_ended(here: Here) -> None:
    async with sipp("answers while it is cancelled") as peer:
        made, talk = await call(here.us, peer)
        await talk.until(told.Ringing)
        made.hang_up()
        assert (await talk.until(told.Failed)).cause.words == "the call was cancelled"
        assert await here.us.stray_ended()
        await peer.done()
        assert len(here.us.strays) == 1


async def test_ringing_stops_when_the_caller_has_enough(here: Here) -> None:
    async with sipp("stops ringing") as peer:
        made, talk = await call(here.us, peer)
        await talk.until(told.Ringing)
        made.hang_up(Cause("the caller hung up"))
        await talk.until(told.Failed)
        await peer.done()


async def test_lost_packets_leave_no_call_behind(here: Here, full_size: bool) -> None:
    many = 300 if full_size else 40
    async with sipp("answers many", calls=many, arguments=("-lost", "5")) as peer:
        made = await asyncio.gather(*(call(here.us, peer) for _ in range(many)))
        for ours, talk in made:
            await talk.until(told.Answered)
            ours.hang_up()
        for _, talk in made:
            assert (await talk.until(told.Ended)).confirmed
    assert not here.us.licence.leases


# --- who calls ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scene", ["asks for a password", "asks for a better password"])
async def test_a_challenge_is_answered_and_who_calls_is_said_again(here: Here, scene: str) -> None:
    async with sipp(scene) as peer:
        made, talk = await call(here.us, peer, fields=WHO, credentials=Credentials("us", "secret"))
        assert (await talk.until(told.Ringing)).sdp
        await talk.until(told.Answered)
        made.hang_up()
        await talk.until(told.Ended)
        await peer.done()
    assert here.us.agent.traffic.outlet.withheld == 0


async def test_a_wrong_password_is_not_said_twice(here: Here) -> None:
    async with sipp("knows another password") as peer:
        _, talk = await call(here.us, peer, credentials=Credentials("us", "wrong"))
        failed = await talk.until(told.Failed)
        assert failed.cause.words == "the carrier does not accept our name and password"
        await peer.done()


@pytest.mark.parametrize(
    ("scene", "words", "q850", "elsewhere", "retry_after"),
    [
        ("is busy", "the callee is busy", 34, False, None),
        ("redirects", "the carrier redirects the call, which is not followed", 23, False, None),
        ("is overloaded", "the carrier takes no more calls now", 41, True, 17),
    ],
)
async def test_a_refusal_is_told_in_words(
    here: Here, scene: str, words: str, q850: int, elsewhere: bool, retry_after: int | None
) -> None:
    async with sipp(scene) as peer:
        _, talk = await call(here.us, peer)
        failed = await talk.until(told.Failed)
        assert (failed.cause.words, failed.cause.q850) == (words, q850)
        assert (failed.cause.elsewhere, failed.retry_after) == (elsewhere, retry_after)
        await peer.done()
        assert [m for m in peer.heard() if m.startswith("INVITE")][1:] == []


# --- what carriers ask for ------------------------------------------------------------------------------


@pytest.mark.parametrize("scene", ["rings reliably", "wants longer sessions", "is behind two proxies"])
async def test_a_carrier_is_humoured(here: Here, scene: str) -> None:
    async with sipp(scene) as peer:
        made, talk = await call(here.us, peer)
        assert (await talk.until(told.Answered)).sdp
        made.hang_up()
        assert (await talk.until(told.Ended)).confirmed
        await peer.done()


@pytest.mark.parametrize(
    ("scene", "refreshes"), [("is refreshed by UPDATE", 2), ("is refreshed by INVITE", 1)]
)
async def test_a_call_is_refreshed(timeless: Here, clock: HandClock, scene: str, refreshes: int) -> None:
    async with sipp(scene) as peer:
        made, talk = await call(timeless.us, peer)
        await talk.until(told.Answered)
        for _ in range(refreshes):
            await minutes_pass(clock, made, 46)
        made.hang_up()
        assert (await talk.until(told.Ended)).confirmed
        await peer.done()


async def test_a_call_that_nobody_refreshes_is_ended(timeless: Here, clock: HandClock) -> None:
    async with sipp("falls silent") as peer:
        made, talk = await call(timeless.us, peer)
        await talk.until(told.Answered)
        await minutes_pass(clock, made, 61)
        ended = await talk.until(told.Ended)
        assert ended.cause.words == "the carrier stopped refreshing the call"
        await peer.done()


async def minutes_pass(clock: HandClock, made: OutgoingCall, seconds: int) -> None:
    """Until a refresh is due; it is answered before anything else happens."""
    for _ in range(seconds):
        clock.advance(1)
        await asyncio.sleep(0)
    while made.session and made.session.ours:  # noqa: ASYNC110 - it is told to nobody
        await asyncio.sleep(0.01)


async def test_a_change_that_meets_another_comes_again(here: Here) -> None:
    async with sipp("changes at the same time") as peer:
        made, talk = await call(here.us, peer)
        await talk.until(told.Answered)
        made.change(OFFER + b"a=sendonly\r\n")
        assert (await talk.until(told.Changed)).sdp
        made.hang_up()
        await talk.until(told.Ended)
        await peer.done()


# --- those who call us ----------------------------------------------------------------------------------


@pytest.mark.parametrize("scene", ["wants short sessions", "wants to transfer"])
async def test_a_caller_is_humoured(here: Here, scene: str) -> None:
    async with sipp(scene, target=here.place) as peer:
        talk = await take(here.us)
        assert (await talk.until(told.Ended)).by_peer
        await peer.done()
    assert here.us.calls.empty()
    assert here.us.requests == []


async def test_a_caller_who_wants_ringing_confirmed_gets_it(here: Here) -> None:
    async with sipp("wants ringing confirmed", target=here.place) as peer:
        theirs, talk = await here.us.called()
        grant = here.us.licence.grant()
        theirs.early(ANSWER, grant, grant.attempt)
        theirs.accept(ANSWER, grant, grant.attempt)
        assert (await talk.until(told.Ended)).by_peer
        await peer.done()


async def test_a_caller_who_gives_up_is_told_of(here: Here) -> None:
    async with sipp("gives up", target=here.place) as peer:
        theirs, talk = await here.us.called()
        theirs.ring()
        assert (await talk.until(told.Failed)).cause.words == "the caller hung up"
        await peer.done()


async def test_we_hang_up_on_a_caller(here: Here) -> None:
    async with sipp("calls and is left", target=here.place) as peer:
        theirs, talk = await here.us.called()
        grant = here.us.licence.grant()
        theirs.accept(ANSWER, grant, grant.attempt)
        await talk.until(told.Confirmed)
        theirs.hang_up()
        assert (await talk.until(told.Ended)).confirmed
        await peer.done()


async def test_an_unlicensed_call_is_refused_with_the_reason(here: Here) -> None:
    async with sipp("is refused", target=here.place) as peer:
        theirs, _ = await here.us.called()
        theirs.refuse(403, unlicensed(Reason.DENY_NO_PERMIT))
        await peer.done()


async def test_options_are_answered(here: Here) -> None:
    async with sipp("asks for options", target=here.place) as peer:
        await peer.done()
