"""The real gate and real SIP: what it allows is sent, what it takes back is ended, with the reason."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from licensing.case import Operator, Policy
from licensing.gate import Gate
from licensing.instant import SECOND
from licensing.journal import EvidenceFile
from licensing.jurisdiction import load_profiles
from licensing.law import Law
from signaling.pstn.sip import call_events as told
from signaling.pstn.sip.agent import Agent
from signaling.pstn.sip.headers import Address
from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.outgoing import OutgoingCall, Wish
from signaling.pstn.sip.uri import Uri
from tests.fakes.clock import HandClock
from tests.interop.witness import SDP, Witness, line, witness
from tests.licensing.conftest import Office
from tests.licensing.test_gate import PHONE, phone_call
from tests.signaling.pstn.sip.agents import ANSWER, OFFER, Party, Talk, uri


@pytest.fixture
async def office(clock: HandClock, tmp_path: Path) -> AsyncIterator[Office]:
    file = EvidenceFile(tmp_path / "evidence.db")
    await file.open()
    opened = Office(file, clock, Law(load_profiles(), Operator(), Policy()))
    await opened.open()
    yield await opened.licensed()
    await opened.close()
    await file.close()


@pytest.fixture
async def us(clock: HandClock, office: Office, far: Party) -> AsyncIterator[Agent]:
    """A user agent whose licence is the gate itself."""
    agent = Agent(clock=clock, licence=office.gate, handler=far, peers=lambda address: True)
    await agent.listen(Transport.UDP, "127.0.0.1")
    yield agent
    await agent.close()


async def talking(us: Agent, gate: Gate, far: Party) -> tuple[OutgoingCall, Talk]:
    """A call that the gate allowed and that was answered."""
    place = await far.agent.listen(Transport.UDP, "127.0.0.1")
    verdict = await gate.authorize(phone_call())
    assert verdict.grant
    wish = Wish(uri(place, PHONE.address), Address(Uri("sip", "wephone.example", "+862112345678")), OFFER)
    talk = Talk()
    call = await us.call(wish, verdict.grant, verdict.grant.attempt, talk.tell)
    assert isinstance(call, OutgoingCall)
    theirs, _ = await far.called()
    grant = far.licence.grant()
    theirs.accept(ANSWER, grant, grant.attempt)
    await talk.until(told.Answered)
    again = await us.call(wish, verdict.grant, verdict.grant.attempt, talk.tell)
    assert not isinstance(again, OutgoingCall)  # a grant is good once
    return call, talk


async def renewed(call: OutgoingCall) -> None:
    """Until the gate has said what becomes of the lease."""
    assert call.tenure and call.tenure._renewing
    await asyncio.wait_for(asyncio.shield(call.tenure._renewing), 10)


async def test_a_revoked_permit_ends_a_running_call_when_its_wind_down_is_over(
    us: Agent, office: Office, far: Party, clock: HandClock
) -> None:
    call, talk = await talking(us, office.gate, far)
    await office.register.suspend("basic-1", by="root", why="ordered")
    us.reconsider()
    await renewed(call)
    assert call.lease
    assert call.lease.winding_down
    left = (call.lease.until_ns - clock.now().mono_ns) / 1e9
    clock.advance(left - 0.1)
    assert call.session
    assert talk.events.empty()
    clock.advance(0.2)
    ended = await talk.until(told.Ended)
    assert (ended.cause.q850, ended.confirmed) == (57, True)
    assert office.gate.leases == ()


async def test_a_call_goes_on_while_its_permit_stands(
    us: Agent, office: Office, far: Party, clock: HandClock
) -> None:
    call, talk = await talking(us, office.gate, far)
    for _ in range(6):
        await office.register.refresh()
        clock.advance(5)
        await renewed(call)
    assert call.lease
    assert talk.events.empty()
    call.hang_up()
    assert (await talk.until(told.Ended)).confirmed


def update(invite: str, phone: Witness, number: int) -> str:
    """Whoever took this call holds it without an INVITE (RFC 3311)."""
    where, body = f"{phone.place.host}:{phone.place.port}", SDP + "a=sendonly\r\n" * number
    head = (
        "UPDATE sip:us@127.0.0.1 SIP/2.0",
        f"Via: SIP/2.0/UDP {where};branch=z9hG4bK{number}",
        line(invite, "To").replace("To", "From", 1) + ";tag=w",
        line(invite, "From").replace("From", "To", 1),
        line(invite, "Call-ID"),
        f"CSeq: {number} UPDATE",
        f"Contact: <sip:w@{where}>",
        "Content-Type: application/sdp",
        f"Content-Length: {len(body)}",
        "",
        "",
    )
    return "\r\n".join(head) + body


async def test_an_update_of_the_carrier_with_media_is_answered_under_the_lease_alone(
    near: Party, clock: HandClock
) -> None:
    async with witness() as phone:
        call, heard = await near.call(uri(phone.place))
        assert isinstance(call, OutgoingCall)
        invite = await phone.hear("INVITE")
        phone.answer(invite, "200 OK", sdp=True)
        await heard.until(told.Answered)
        phone.send(update(invite, phone, 1))
        await heard.until(told.Offered)
        call.answer(ANSWER)
        assert ANSWER.decode() in await phone.hear("SIP/2.0 200")
        clock._now = clock.now().after(60 * SECOND)  # as after a process was stopped: no timer has run yet
        phone.send(update(invite, phone, 2))
        await heard.until(told.Offered)
        call.answer(ANSWER)
        assert near.agent.traffic.outlet.withheld == 1
        assert len([packet for packet in phone.packets if packet.startswith("SIP/2.0 2")]) == 1
