"""Calls through a proxy that challenges and stays on the way: none is left behind at the far end."""

import asyncio

import pytest

from signaling.clock import SystemClock
from signaling.pstn.sip import call_events as told
from signaling.pstn.sip.cause import Cause
from signaling.pstn.sip.digest import Credentials
from signaling.pstn.sip.headers import Address
from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.outgoing import OutgoingCall
from signaling.pstn.sip.standing import Account, Registration
from signaling.pstn.sip.uri import Uri
from tests.interop.kamailio import kamailio
from tests.interop.sipp import sipp
from tests.signaling.pstn.sip.agents import ANSWER, WAIT, party, uri

US = Credentials("us", "secret")


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
async def test_a_call_through_a_proxy_is_ended_at_the_far_end(transport: Transport) -> None:
    async with (
        party(SystemClock()) as us,
        kamailio() as proxy,
        sipp("answers behind a proxy", port=proxy.behind) as peer,
    ):
        await us.agent.listen(transport, "127.0.0.1")
        made, talk = await us.call(uri(proxy.place(transport)), credentials=US)
        assert isinstance(made, OutgoingCall)
        await talk.until(told.Answered)
        assert made.session
        assert made.session.dialog.routes
        made.hang_up()
        assert (await talk.until(told.Ended)).confirmed
        await peer.done()


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
async def test_who_is_registered_is_called_through_the_proxy(transport: Transport) -> None:
    async with party(SystemClock()) as us, kamailio() as proxy:
        await us.agent.listen(transport, "127.0.0.1")
        until: asyncio.Queue[int | Cause] = asyncio.Queue()
        account = Account(
            uri(proxy.place(transport), "us"), Address(Uri("sip", "127.0.0.1", "us", port=proxy.port)), US
        )
        registration = Registration(us.agent, account, until.put_nowait)
        registration.start()
        assert isinstance(await asyncio.wait_for(until.get(), WAIT), int)
        place = proxy.place(Transport.UDP)
        async with sipp("calls", target=place, port=proxy.behind) as peer:
            theirs, talk = await us.called()
            grant = us.licence.grant()
            assert theirs.accept(ANSWER, grant, grant.attempt) is None
            assert (await talk.until(told.Ended)).by_peer
            await peer.done()
        registration.stop()
        assert isinstance(await asyncio.wait_for(until.get(), WAIT), int)
