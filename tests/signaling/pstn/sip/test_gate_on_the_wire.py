"""The real gate and real SIP: what it allows is sent, what it takes back is ended, with the reason."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from licensing.case import Operator, Policy
from licensing.gate import Gate
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
