"""Everything that may happen next in a world: to frames, to gate and store, to clocks, people and wires."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

from signaling.core import events
from signaling.core.call import Call, Phase, restored
from signaling.core.party import Party
from tests.simulation import device as devices
from tests.simulation.device import AUDIO
from tests.simulation.switch import absorbed, happen, said
from tests.simulation.world import LATER, NO, NOW, TELLER, End, Rules, World, known, new_device, put
from wephone.core import call as client
from wephone.core import inputs
from wephone.protocol import messages
from wephone.protocol.ids import CallId
from wephone.protocol.messages import Media

# Nobody calls out while answering another call.
BUSY = frozenset({client.Phase.ACCEPTED, client.Phase.ANSWERED, client.Phase.ACTIVE})


class Move(NamedTuple):
    """What happens, in words, and how to make the world after it."""

    name: str
    make: Callable[..., World]
    arguments: tuple[Any, ...]


def moves(world: World, rules: Rules) -> Iterator[Move]:
    """All that may happen next."""
    yield from people(world, rules)
    yield from frames(world)
    yield from server(world, rules)
    yield from wires(world)


def frames(world: World) -> Iterator[Move]:
    """The oldest frame of each device reaches the server."""
    for end in world.ends:
        if end.uplink and not end.deaf:
            first, *rest = end.uplink
            left = put(world, end._replace(uplink=tuple(rest)))
            kind = first.type  # type: ignore[attr-defined]  # every message has one
            yield Move(f"{end.party.user} {kind}", said, (left, end.party, first))


def server(world: World, rules: Rules) -> Iterator[Move]:
    """Gate and store answer, timers run out."""
    for call in world.calls:
        if call.id in world.asked:
            rest = world._replace(asked=world.asked - {call.id})
            yield from (Move(type(word).__name__, happen, (rest, call.id, word)) for word in rules.gate)
        if call.id in world.recording:
            rest = world._replace(recording=world.recording - {call.id})
            yield from (Move(type(word).__name__, happen, (rest, call.id, word)) for word in rules.store)
        if rules.timeouts:
            for timer in call.timers:
                yield Move(f"{timer} runs out", happen, (world, call.id, events.TimedOut(timer)))
    yield from permits(world, rules)
    for id, timer in sorted(world.late):
        rest = world._replace(late=world.late - {(id, timer)})
        if rest.call(id) is not None:
            yield Move(f"late {timer}", happen, (rest, id, events.TimedOut(timer)))


def permits(world: World, rules: Rules) -> Iterator[Move]:
    """A permit is lost, and found again; the operator ends a call; the gate answers, perhaps too late.

    And a telephone network, that stands here for the callee's device, is heard before the answer; so is
    whoever tells of a refusal.
    """
    for call in world.calls:
        if world.losses:
            rest = world._replace(losses=world.losses - 1)
            for deadline in (NOW, LATER):
                yield Move("the permit is lost", happen, (rest, call.id, events.Withdrawn(NO, deadline)))
        if world.returns and (call.notice is not None or call.phase is Phase.ENDED):
            rest = world._replace(returns=world.returns - 1)
            yield Move("the permit is back", happen, (rest, call.id, events.Reinstated("D-2")))
        if world.orders:
            rest = world._replace(orders=world.orders - 1)
            yield Move("the operator ends it", happen, (rest, call.id, events.Cut()))
        if call.phase is Phase.ANNOUNCING:
            teller = Party(call.callee, TELLER)
            yield Move("it has been told", happen, (world, call.id, events.HungUp(teller)))
        if world.sounds and call.phase not in (Phase.ROUTING, Phase.GLARED):
            rest = world._replace(sounds=world.sounds - 1)
            for branch in call.branches:
                said = events.EarlySound(Party(call.callee, branch.device), "a")
                yield Move("it can be heard", happen, (rest, call.id, said))
    for id, by, number in sorted(world.asking):
        rest = world._replace(asking=world.asking - {(id, by, number)})
        yield Move("the change is allowed", happen, (rest, id, events.ChangeAllowed(by, number)))
        yield Move("the change is refused", happen, (rest, id, events.ChangeRefused(by, number, NO)))


def people(world: World, rules: Rules) -> Iterator[Move]:
    """What persons may do: call, answer, decline, hang up, hold. And media may fail them."""
    for id, by, to in rules.places:
        end = world.end(by)
        engaged = any(call.phase in BUSY for call in end.device.session.calls)
        if id not in world.placed and not end.deaf and not engaged:
            rest = world._replace(placed=world.placed | {id})
            yield Move(f"{by.user} places {id[0]}", absorbed, (rest, by, devices.place(end.device, id, to)))
    for end in world.ends:
        for call in end.device.session.calls:
            for wish in wishes(call, rules, world.changes > 0, world.failures > 0):
                yield Move(f"{end.party.user} {type(wish).__name__}", wished, (world, end, call.id, wish))


def wished(world: World, end: End, id: CallId, wish: inputs.CallInput) -> World:
    """A person's wish, or a mishap of the media, reaches its call."""
    changes = isinstance(wish, inputs.Change)
    world = world._replace(
        changes=world.changes - changes,
        changed=world.changed or changes,
        failures=world.failures - isinstance(wish, inputs.MediaFailed),
    )
    return absorbed(world, end.party, devices.tell(end.device, id, wish))


@cache
def wishes(call: client.Call, rules: Rules, may_change: bool, may_fail: bool) -> tuple[inputs.CallInput, ...]:
    """What may come to this call from its person and its media."""
    wanted: list[inputs.CallInput] = []
    if call.phase is client.Phase.RINGING:
        wanted.append(inputs.Accept(devices.NONCE))
        if rules.declines:
            wanted.append(inputs.Decline())
    elif call.phase is client.Phase.ACTIVE or (rules.cancels and call.phase is not client.Phase.ENDING):
        wanted.append(inputs.HangUp())
    if may_change and call.phase is client.Phase.ACTIVE and call.change.wish is None:
        other = AUDIO if Media.VIDEO in call.media else (Media.AUDIO, Media.VIDEO)
        held = call.change.held_here
        wanted.append(inputs.Change(other, held) if rules.video else inputs.Change(AUDIO, hold=not held))
    if may_fail and call.phase in (client.Phase.ANSWERED, client.Phase.ACTIVE):
        wanted.append(inputs.MediaFailed())
    return tuple(wanted)


def wires(world: World) -> Iterator[Move]:
    """What connections and servers may do."""
    for end in world.ends:
        if end.deaf:
            yield from alone(world, end)
        elif world.cuts and (end.device.session.calls or world.calls):
            cut = world._replace(cuts=world.cuts - 1, broken=True)
            yield Move(f"{end.party.user} is cut", put, (cut, end._replace(uplink=(), deaf=True)))
            if end.uplink or end.device.session.calls:
                yield Move(f"{end.party.user} resumes", resume, (cut, end))
    if world.restarts and world.calls:
        for written in (True, False) if world.recording else (False,):
            yield Move("the server restarts", restart, (world, written))


def resume(world: World, end: End) -> World:
    """Another connection in time: the server lost nothing, the device all that was on its way."""
    world = put(world, end._replace(uplink=()))
    return absorbed(world, end.party, devices.come_back(end.device, None))


def alone(world: World, end: End) -> Iterator[Move]:
    """A device without the server comes back, comes back blank, is given up, or loses patience."""
    name = end.party.user
    yield Move(f"{name} returns", come_back, (world, end))
    yield Move(f"{name} returns blank", come_back_blank, (world, end))
    if not end.given_up:
        yield Move(f"{name} is given up", give_up, (world, end))
    for id, timer in sorted(end.device.timers):
        yield Move(f"{name}'s own {timer}", run_out, (world, end, id, timer))


def run_out(world: World, end: End, id: CallId, timer: inputs.Timer) -> World:
    """A clock of the device itself."""
    device = replace(end.device, timers=end.device.timers - {(id, timer)})
    return absorbed(world, end.party, devices.tell(device, id, inputs.TimedOut(timer)))


def give_up(world: World, end: End) -> World:
    """The resume time is over."""
    world = put(world, end._replace(given_up=True))
    for call in world.calls:
        if call.caller == end.party or call.callee == end.party.user:
            world = happen(world, call.id, events.DeviceLost(end.party))
    return world


def come_back_blank(world: World, end: End) -> World:
    """The application has restarted: it has no calls, and has been told nothing."""
    world = world._replace(
        told=frozenset(told for told in world.told if told[0] != end.party),
        alone=frozenset(key for key in world.alone if key[0] != end.party),
    )
    fresh = new_device(end.party, end.device.trickles, end.device.terse)
    return come_back(world, end._replace(device=fresh))


def come_back(world: World, end: End) -> World:
    """A new session: the server lists what both hold, then says to each call who is back."""
    alive = {call.id for call in end.device.session.calls}
    here = [call for call in world.calls if call.caller == end.party or call.callee == end.party.user]
    shown = [call.snapshot(end.party, NOW) for call in here if call.id in alive]
    resync = messages.Resync(calls=tuple(snapshot for snapshot in shown if snapshot is not None))
    world = put(world, end._replace(deaf=False, given_up=False, uplink=()))
    world = absorbed(world, end.party, devices.come_back(end.device, resync))
    for call in here:
        if event := rejoined(call, end.party, call.id in alive):
            world = happen(world, call.id, event)
    return world


def rejoined(call: Call, by: Party, alive: bool) -> events.Event | None:
    """What a call of the server is told of a device that signed in anew."""
    if alive:
        return events.Returned(by)
    if call.is_between(by):
        return events.DeviceLost(by)
    return events.DeviceArrived(by) if call.callee == by.user else None


def restart(world: World, written: bool) -> World:
    """The server dies. Answered calls come back from their rows; one being `written` may be there."""
    kept, forgotten = [], set(world.forgotten)
    for call in world.calls:
        durable = call.phase is Phase.ACTIVE or (written and call.id in world.recording)
        if durable and call.phase is not Phase.ENDED and call.winner is not None:
            kept.append(known(restored(call.id, call.caller, call.winner, call.media, NOW)))
        else:
            forgotten.add(call.id)
    nothing: frozenset[CallId] = frozenset()
    return world._replace(
        ends=tuple(end._replace(deaf=True, uplink=(), given_up=False) for end in world.ends),
        calls=tuple(kept),
        asked=nothing,
        recording=nothing,
        late=frozenset(),
        asking=frozenset(),
        forgotten=frozenset(forgotten),
        restarts=world.restarts - 1,
        broken=True,
        restarted=True,
    )
