"""Calls over a wire that loses, doubles and reorders packets: each is made, and ended at both ends."""

import asyncio
import random

from signaling.clock import SystemClock
from signaling.pstn.sip import call_events as told
from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.outgoing import OutgoingCall
from signaling.pstn.sip.sockets import Place
from tests.fakes.bad_wire import BadWire, bad_wire
from tests.interop.conftest import Here
from tests.interop.sipp import sipp
from tests.signaling.pstn.sip.agents import ANSWER, Party, Talk, party, uri


def near_end(wire: BadWire) -> Place:
    return Place(Transport.UDP, "127.0.0.1", wire.port)


async def all_calls(us: Party, wire: BadWire, many: int) -> list[tuple[OutgoingCall, Talk]]:
    """So many calls at once, each hung up when it was answered, its end confirmed."""
    made = await asyncio.gather(*(us.call(uri(near_end(wire))) for _ in range(many)))
    calls = [(call, talk) for call, talk in made if isinstance(call, OutgoingCall)]
    for call, talk in calls:
        await talk.until(told.Answered)
        call.hang_up()
    for _, talk in calls:
        assert (await talk.until(told.Ended)).confirmed
    return calls


def was_bad(wire: BadWire) -> bool:
    return all(wire.done[what] for what in ("lost", "doubled", "overtaken"))


async def test_sipp_at_the_other_end_of_a_bad_wire(here: Here, dice: random.Random, full_size: bool) -> None:
    many = 200 if full_size else 40
    async with bad_wire(dice) as wire:
        contact = str(uri(near_end(wire)))
        async with sipp("answers on a bad wire", calls=many, contact=contact) as peer:
            wire.behind = (peer.place.host, peer.place.port)
            assert len(await all_calls(here.us, wire, many)) == many
        assert was_bad(wire)
    assert not here.us.licence.leases
    assert here.us.agent.traffic.outlet.withheld == 0


async def test_two_of_ours_at_the_ends_of_a_bad_wire(
    here: Here, dice: random.Random, full_size: bool
) -> None:
    """Each call is taken once, however often its INVITE comes, and no side has one left."""
    many = 200 if full_size else 40
    async with party(SystemClock()) as far, bad_wire(dice) as wire:
        place = await far.agent.listen(Transport.UDP, "127.0.0.1")
        wire.behind = (place.host, place.port)
        taken: list[Talk] = []

        async def take() -> None:
            while len(taken) < many:
                theirs, talk = await far.called()
                grant = far.licence.grant()
                theirs.ring()
                assert theirs.accept(ANSWER, grant, grant.attempt) is None
                taken.append(talk)

        taking = asyncio.create_task(take())
        assert len(await all_calls(here.us, wire, many)) == many
        await taking
        for talk in taken:
            await talk.until(told.Ended)
        assert far.calls.empty()
        assert was_bad(wire)
        assert not far.licence.leases
    assert not here.us.licence.leases
