"""Calls with softphones that are not ours: each way, each transport; sound is described and ends agree."""

import random
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from signaling.clock import SystemClock
from signaling.pstn.sip import call_events as told
from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.incoming import IncomingCall
from signaling.pstn.sip.outgoing import OutgoingCall
from signaling.pstn.sip.sdes import agreed, chosen, encrypted
from signaling.pstn.sip.sockets import Place
from signaling.pstn.sip.uri import Uri
from tests.fakes.certificates import Certificate, certify
from tests.interop.baresip import baresip
from tests.interop.linphone import linphone
from tests.interop.phone import Phone, Said
from tests.interop.played import Deed, Peer, Way, cases
from tests.signaling.pstn.sip.agents import Party, Talk, party, uri

PHONES = (Peer.BARESIP, Peer.LINPHONE)


def sdp(host: str, port: int = 40_000) -> bytes:
    """What we describe: as a trunk is described to."""
    family = "IP6" if ":" in host else "IP4"
    lines = ("v=0", f"o=- 1 1 IN {family} {host}", "s=-", f"c=IN {family} {host}", "t=0 0")
    media = (f"m=audio {port} RTP/AVP 8 101", "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000")
    return "\r\n".join([*lines, *media, ""]).encode()


def phone(
    peer: Peer, way: Way, certificate: Certificate, *, encrypted: bool = False
) -> AbstractAsyncContextManager[Phone]:
    """One of that kind."""
    over_tls = certificate if way.transport is Transport.TLS else None
    if peer is Peer.BARESIP:
        return baresip(way, over_tls, encrypted=encrypted)
    return linphone(way, over_tls, encrypted=encrypted)


@asynccontextmanager
async def ours(way: Way, certificate: Certificate) -> AsyncIterator[tuple[Party, Place]]:
    """Our side of it."""
    async with party(SystemClock(), certificate=certificate) as us:
        yield us, await us.agent.listen(way.transport, way.host)


async def take(us: Party, answer: bytes) -> tuple[IncomingCall, Talk]:
    """Answer the next call, under a grant, and hear that the caller knows."""
    theirs, talk = await us.called()
    grant = us.licence.grant()
    theirs.ring()
    assert theirs.accept(answer, grant, grant.attempt) is None
    await talk.until(told.Confirmed)
    return theirs, talk


@pytest.mark.parametrize(("peer", "way"), cases(Deed.CALLED, *PHONES))
async def test_a_phone_is_called(peer: Peer, way: Way, tmp_path: Path) -> None:
    certificate = certify(tmp_path)
    async with ours(way, certificate) as (us, _), phone(peer, way, certificate) as far:
        made, talk = await us.call(uri(far.place, "far"), offer=sdp(way.host))
        assert isinstance(made, OutgoingCall)
        answer = (await talk.until(told.Answered)).sdp
        assert answer
        assert b"RTP/AVP 8 101" in answer
        await far.until(Said.UP)
        made.hang_up()
        assert (await talk.until(told.Ended)).confirmed
        await far.until(Said.OVER)


@pytest.mark.parametrize(("peer", "way"), cases(Deed.CALLING, *PHONES))
async def test_a_phone_calls(peer: Peer, way: Way, tmp_path: Path) -> None:
    certificate = certify(tmp_path)
    async with ours(way, certificate) as (us, here), phone(peer, way, certificate) as far:
        await far.call(uri(here))
        theirs, talk = await take(us, sdp(way.host))
        assert isinstance(theirs.invite.uri, Uri)
        assert theirs.invite.uri.user == "+442079460001"
        await far.until(Said.UP)
        await far.hang_up()
        assert (await talk.until(told.Ended)).by_peer
        await far.until(Said.OVER)


@pytest.mark.parametrize(("peer", "way"), cases(Deed.CALLING, *PHONES))
async def test_a_phone_that_called_is_hung_up_on(peer: Peer, way: Way, tmp_path: Path) -> None:
    """Also one that cannot be reached where it says: by the connection that it has made."""
    certificate = certify(tmp_path)
    async with ours(way, certificate) as (us, here), phone(peer, way, certificate) as far:
        await far.call(uri(here))
        theirs, talk = await take(us, sdp(way.host))
        await far.until(Said.UP)
        theirs.hang_up()
        assert (await talk.until(told.Ended)).confirmed
        await far.until(Said.OVER)


@pytest.mark.parametrize(("peer", "way"), cases(Deed.ENCRYPTED, *PHONES))
async def test_a_phone_agrees_on_keys_with_us(
    peer: Peer, way: Way, tmp_path: Path, dice: random.Random
) -> None:
    """It calls, and demands encryption as we do."""
    certificate = certify(tmp_path)
    async with ours(way, certificate) as (us, here), phone(peer, way, certificate, encrypted=True) as far:
        await far.call(uri(here))
        theirs, talk = await us.called()
        assert theirs.demand_encryption()
        grant = us.licence.grant()
        answer = encrypted(sdp(way.host), [chosen(theirs.remote_sdp, dice.randbytes)])
        assert theirs.accept(answer, grant, grant.attempt) is None
        await talk.until(told.Confirmed)
        assert agreed(theirs.local_sdp, theirs.remote_sdp)
        await far.until(Said.UP)
        await far.hang_up()
        assert (await talk.until(told.Ended)).by_peer
        await far.until(Said.OVER)


@pytest.mark.parametrize("way", cases(Deed.HELD, Peer.BARESIP))
async def test_a_phone_holds_us_and_comes_back(way: Way, tmp_path: Path) -> None:
    async with ours(way, certify(tmp_path)) as (us, here), baresip(way) as far:
        await far.call(uri(here))
        theirs, talk = await take(us, sdp(way.host))
        for command, direction in (("hold", b"a=sendonly"), ("resume", b"a=sendrecv")):
            await far.do(command)
            assert direction in (await talk.until(told.Offered)).sdp
            theirs.answer(sdp(way.host))
        await far.hang_up()
        assert (await talk.until(told.Ended)).by_peer


@pytest.mark.parametrize("way", cases(Deed.KEYED, Peer.LINPHONE))
async def test_a_phone_tells_its_keys_by_info(way: Way, tmp_path: Path) -> None:
    async with ours(way, certify(tmp_path)) as (us, here), linphone(way, info=True) as far:
        await far.call(uri(here))
        _, talk = await take(us, sdp(way.host))
        await far.until(Said.UP)
        await far.press("4#")
        assert [(await talk.until(told.Keyed)).digit for _ in range(2)] == ["4", "#"]
        await far.hang_up()
        assert (await talk.until(told.Ended)).by_peer
