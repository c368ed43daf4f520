"""Calls through a proxy that challenges and stays on the way: none is left behind at the far end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from signaling.clock import SystemClock
from signaling.pstn.sip import call_events as told
from signaling.pstn.sip.cause import Cause
from signaling.pstn.sip.digest import Credentials
from signaling.pstn.sip.headers import Address
from signaling.pstn.sip.hop import Transport, bracketed
from signaling.pstn.sip.outgoing import OutgoingCall
from signaling.pstn.sip.standing import Account, Registration
from signaling.pstn.sip.uri import Uri
from tests.fakes.certificates import certify
from tests.interop.kamailio import Kamailio, kamailio
from tests.interop.played import Deed, Peer, Way, cases
from tests.interop.sipp import sipp
from tests.signaling.pstn.sip.agents import ANSWER, WAIT, Party, party, uri

US = Credentials("us", "secret")


@asynccontextmanager
async def between(way: Way, folder: Path) -> AsyncIterator[tuple[Party, Kamailio]]:
    """Us, and the proxy."""
    certificate = certify(folder) if way.transport is Transport.TLS else None
    async with (
        party(SystemClock(), certificate=certificate) as us,
        kamailio(way.host, certificate) as proxy,
    ):
        await us.agent.listen(way.transport, way.host)
        yield us, proxy


@pytest.mark.parametrize("way", cases(Deed.CALLED, Peer.KAMAILIO))
async def test_a_call_through_a_proxy_is_ended_at_the_far_end(way: Way, tmp_path: Path) -> None:
    async with (
        between(way, tmp_path) as (us, proxy),
        sipp("answers behind a proxy", host=way.host, port=proxy.behind) as peer,
    ):
        made, talk = await us.call(uri(proxy.place(way.transport)), credentials=US)
        assert isinstance(made, OutgoingCall)
        await talk.until(told.Answered)
        assert made.session
        assert made.session.dialog.routes
        made.hang_up()
        assert (await talk.until(told.Ended)).confirmed
        await peer.done()


@pytest.mark.parametrize("way", cases(Deed.CALLING, Peer.KAMAILIO))
async def test_who_is_registered_is_called_through_the_proxy(way: Way, tmp_path: Path) -> None:
    async with between(way, tmp_path) as (us, proxy):
        until: asyncio.Queue[int | Cause] = asyncio.Queue()
        host = bracketed(way.host)
        account = Account(
            uri(proxy.place(way.transport), "us"), Address(Uri("sip", host, "us", port=proxy.port)), US
        )
        registration = Registration(us.agent, account, until.put_nowait)
        registration.start()
        assert isinstance(await asyncio.wait_for(until.get(), WAIT), int)
        place = proxy.place(Transport.UDP)
        async with sipp("calls", host=way.host, target=place, port=proxy.behind) as peer:
            theirs, talk = await us.called()
            grant = us.licence.grant()
            assert theirs.accept(ANSWER, grant, grant.attempt) is None
            assert (await talk.until(told.Ended)).by_peer
            await peer.done()
        registration.stop()
        assert isinstance(await asyncio.wait_for(until.get(), WAIT), int)
