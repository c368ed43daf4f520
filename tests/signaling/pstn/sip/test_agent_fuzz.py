"""A user agent that hears mutated SIP amid real calls answers or is silent, and still works."""

import asyncio
import random
import select

import pytest

from signaling.pstn.sip import call_events as told
from signaling.pstn.sip.hop import Flow, Hop, Transport
from signaling.pstn.sip.incoming import IncomingCall
from signaling.pstn.sip.message import build
from signaling.pstn.sip.outgoing import OutgoingCall
from tests.fakes.clock import HandClock
from tests.signaling.pstn.sip.agents import ANSWER, Party, party, uri
from tests.signaling.pstn.sip.samples import options, wire
from tests.signaling.pstn.sip.test_agent import time_passes
from tests.signaling.pstn.sip.test_fuzz import SEEDS, mutated

MUTATIONS, ALL_MUTATIONS = 10_000, 1_000_000


def within(call: OutgoingCall, method: str, number: int) -> bytes:
    """A request of the far end in this call, as it might be."""
    assert call.session
    dialog = call.session.dialog
    return wire(
        f"{method} sip:wephone@127.0.0.1 SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK{method}{number};rport",
        f"From: {dialog.remote}",
        f"To: {dialog.local}",
        f"Call-ID: {dialog.call_id}",
        f"CSeq: {number} {method}",
        "Contact: <sip:far@127.0.0.1:5060>",
        "Session-Expires: 120;refresher=uac",
        "RAck: 1 1 INVITE",
        body=b"",
    )


class Everything:
    """Does whatever can be done with a call: rings, sends sound, answers, refuses, by turns."""

    def __init__(self, us: Party) -> None:
        self._licence, self._turn = us.licence, 0
        us.incoming = self.incoming  # type: ignore[method-assign]

    def incoming(self, call: IncomingCall) -> None:
        call.ring()
        grant = self._licence.grant()
        self._turn += 1
        match self._turn % 4:
            case 0:
                call.early(ANSWER, grant, grant.attempt)
            case 1:
                call.accept(ANSWER, grant, grant.attempt)
            case 2:
                call.refuse(486)


async def read_all(*parties: Party) -> None:
    """Until nothing waits in a socket: time that is turned by hand passes faster than these are read."""
    ends = [each.transport for one in parties for each in one.agent.traffic.sockets._datagrams.values()]
    sockets = [end.get_extra_info("socket").fileno() for end in ends]
    while True:
        if not select.select(sockets, [], [], 0)[0]:
            return
        await asyncio.sleep(0)


@pytest.mark.parametrize("kind", ["requests", "answers"])
async def test_mutated_sip_raises_nothing(kind: str, full_size: bool, dice: random.Random) -> None:
    clock = HandClock()
    async with party(clock) as us, party(clock) as far:
        Everything(us)
        await us.agent.listen(Transport.UDP, "127.0.0.1")
        place = await far.agent.listen(Transport.UDP, "127.0.0.1")
        made, talk = await us.call(uri(place))
        assert isinstance(made, OutgoingCall)
        theirs, _ = await far.called()
        grant = far.licence.grant()
        theirs.accept(ANSWER, grant, grant.attempt)
        await talk.until(told.Answered)
        seeds = [
            *SEEDS,
            options(),
            *(within(made, m, 9) for m in ("INVITE", "UPDATE", "PRACK", "INFO", "ACK")),
        ]
        if kind == "answers":
            yes = build(made._first).replace(b"INVITE sip:+442079460001@", b"SIP/2.0 200 ", 1)
            seeds = [yes, yes.replace(b"SIP/2.0 200", b"SIP/2.0 183", 1), yes.replace(b"INVITE", b"BYE")]
        receive = us.agent.traffic.sockets._datagram
        flow = Flow(Hop(Transport.UDP, "127.0.0.1", place.port), 1)
        for number in range(ALL_MUTATIONS if full_size else MUTATIONS):
            receive(mutated(dice.choice(seeds), dice), flow)
            if number % 500 == 499:
                await time_passes(clock, 5)
        assert us.agent.traffic.outlet.withheld == 0
        await time_passes(clock, 100)
        await read_all(us, far)
        await time_passes(clock, 5)  # or either end would be too fast for the other
        again, talk = await us.call(uri(place))
        assert isinstance(again, OutgoingCall)
        await talk.until(told.Trying)
