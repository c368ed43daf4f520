"""A carrier that has several places is asked at the next one where nobody heard of a call, as one attempt."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from signaling.pstn.sip import call_events as told
from signaling.pstn.sip.digest import Credentials
from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.selection import SERVICES, Service
from signaling.pstn.sip.uri import Uri
from tests.fakes.clock import HandClock
from tests.interop.witness import Witness, line, tcp_witness, witness
from tests.signaling.pstn.sip.agents import Party, party
from tests.signaling.pstn.sip.test_agent import time_passes

DOMAIN = "carrier.example"
ASKED = 'Proxy-Authenticate: Digest realm="carrier.example", nonce="{}", qop="auth"'


class Places:
    """What the DNS knows of that carrier, in the order in which its places are to be asked."""

    def __init__(self, places: Sequence[Witness]) -> None:
        self._places = places

    async def services(self, name: str) -> Sequence[Service]:
        return [
            Service(rank, 1, phone.place.port, "sip.carrier.example")
            for rank, phone in enumerate(self._places)
            if name == SERVICES[phone.place.transport] + DOMAIN
        ]

    async def addresses(self, name: str) -> Sequence[str]:
        return ["127.0.0.1"]


def carrier(transport: Transport = Transport.UDP) -> Uri:
    return Uri("sip", DOMAIN, "+442079460001", parameters=(("transport", transport.lower()),))


@asynccontextmanager
async def at(clock: HandClock, *places: Witness) -> AsyncIterator[Party]:
    """Whoever calls a carrier with these places."""
    async with party(clock, lookup=Places(places)) as made:
        for transport in {phone.place.transport for phone in places}:
            await made.agent.listen(transport, "127.0.0.1")
        yield made


def number(packet: str) -> int:
    return int(line(packet, "CSeq").split()[1])


async def test_one_that_takes_no_calls_now_is_passed_by(clock: HandClock) -> None:
    async with witness() as first, witness() as second, at(clock, first, second) as near:
        _, heard = await near.call(carrier())
        refused = await first.hear("INVITE")
        first.answer(refused, "503 Service Unavailable")
        await first.hear("ACK")
        asked = await second.hear("INVITE")
        assert line(asked, "Call-ID") == line(refused, "Call-ID")
        assert number(asked) == number(refused) + 1
        assert line(asked, "Via") != line(refused, "Via")
        assert len(near.licence.leases) == 1, "one attempt, one lease"
        second.answer(asked, "486 Busy Here")
        assert (await heard.until(told.Failed)).cause.status == 486
        assert [event for event in heard.past if isinstance(event, told.Failed)] == heard.past[-1:]


async def test_the_last_one_says_what_became_of_the_call(clock: HandClock) -> None:
    async with witness() as first, witness() as second, at(clock, first, second) as near:
        _, heard = await near.call(carrier())
        for phone in (first, second):
            phone.answer(await phone.hear("INVITE"), "503 Service Unavailable")
        failed = await heard.until(told.Failed)
        assert (failed.cause.status, failed.cause.elsewhere) == (503, True)
        assert not near.licence.leases


async def test_each_may_ask_who_we_are(clock: HandClock) -> None:
    async with witness() as first, witness() as second, at(clock, first, second) as near:
        _, heard = await near.call(carrier(), credentials=Credentials("us", "secret"))
        for phone, nonce, end in ((first, "one", "503 Not now"), (second, "two", "486 Busy Here")):
            phone.answer(await phone.hear("INVITE"), f"407 Who\r\n{ASKED.format(nonce)}")
            said = await phone.hear("INVITE")
            assert f'nonce="{nonce}"' in line(said, "Proxy-Authorization")
            phone.answer(said, end)
        assert (await heard.until(told.Failed)).cause.status == 486


async def test_one_from_which_nothing_comes_is_passed_by_and_hung_up_on_if_it_answers_late(
    clock: HandClock,
) -> None:
    async with witness() as first, witness() as second, at(clock, first, second) as near:
        _, heard = await near.call(carrier())
        unheard = await first.hear("INVITE")
        await time_passes(clock, 33)
        second.answer(await second.hear("INVITE"), "180 Ringing")
        await heard.until(told.Ringing)
        first.answer(unheard, "200 OK", sdp=True)
        await first.hear("ACK")
        first.answer(await first.hear("BYE"), "200 OK")
        assert await near.stray_ended()
        assert len(near.licence.leases) == 1, "the other one rings"


@pytest.mark.parametrize("status", ["486 Busy Here", "603 Decline", "480 Away", "500 Trouble"])
async def test_another_no_is_the_carriers(clock: HandClock, status: str) -> None:
    async with witness() as first, witness() as second, at(clock, first, second) as near:
        _, heard = await near.call(carrier())
        first.answer(await first.hear("INVITE"), status)
        assert (await heard.until(told.Failed)).cause.status == int(re.findall(r"\d+", status)[0])
        assert not second.packets


async def test_after_it_rang_nobody_else_is_called(clock: HandClock) -> None:
    async with witness() as first, witness() as second, at(clock, first, second) as near:
        _, heard = await near.call(carrier())
        invite = await first.hear("INVITE")
        first.answer(invite, "180 Ringing")
        first.answer(invite, "503 Service Unavailable")
        failed = await heard.until(told.Failed)
        assert (failed.cause.status, failed.cause.elsewhere) == (503, False)
        assert not second.packets


async def test_one_that_a_connection_took_a_call_to_may_have_it_and_nobody_else_is_called(
    clock: HandClock,
) -> None:
    async with AsyncExitStack() as stack:
        first, second = [await stack.enter_async_context(tcp_witness()) for _ in range(2)]
        near = await stack.enter_async_context(at(clock, first, second))
        _, heard = await near.call(carrier(Transport.TCP))
        await first.hear("INVITE")
        await time_passes(clock, 33)
        assert (await heard.until(told.Failed)).doubt is not None
        assert not second.packets
