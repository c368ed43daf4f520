"""The modelled switch: frames become events, effects are carried out, and what must hold is looked at."""

from functools import cache
from typing import cast

from signaling.core import effects, events
from signaling.core.call import TRANSITIONS, Call, Phase, place
from signaling.core.glare import glare
from signaling.core.party import Party
from tests.signaling.core.collision import resolved
from tests.simulation import device as devices
from tests.simulation.device import Broken, Reaction
from tests.simulation.world import NOW, TELLER, End, World, known, plain, put
from wephone.core import call as client
from wephone.core import events as told_events
from wephone.protocol import messages
from wephone.protocol.ids import CallId, UserId
from wephone.protocol.messages import ClientMessage, Role, ServerMessage
from wephone.protocol.reasons import ErrorCode

Row = tuple[Phase, type[events.Event]]
USED: set[Row] = set()  # the rows of the table that were needed since this was last cleared
# What only a caller may hear of an answer that counts, and only then.
AFTER_ANSWER = (messages.Answered, messages.Candidates)


def said(world: World, by: Party, message: ClientMessage) -> World:
    """A frame arrives."""
    if isinstance(message, messages.Invite):
        return invited(world, by, message)
    id = call_of(message)
    if world.call(id) is None:
        if id not in world.forgotten and not isinstance(message, messages.Hangup):
            raise Broken(
                f"{type(message).__name__} for a call that never was"
            )  # a lost invite may be hung up
        return deliver(world, by, messages.Error(code=ErrorCode.UNKNOWN_CALL, text="", call=id))
    return happen(world, id, event_of(message, by))


def call_of(message: ClientMessage) -> CallId:
    """The call that a frame names."""
    return cast(CallId, message.call)  # type: ignore[attr-defined]


@cache
def event_of(message: ClientMessage, by: Party) -> events.Event:
    """As the server's edge makes it."""
    match message:
        case messages.Delivered():
            return events.Delivered(by)
        case messages.Alerting():
            return events.Alerting(by)
        case messages.Answer():
            return events.Answered(by, message.sdp, message.nonce)
        case messages.Reject():
            return events.Rejected(by, message.reason)
        case messages.Hangup():
            return events.HungUp(by, message.reason)
        case messages.SendCandidates():
            return events.CandidatesFound(by, message.candidates, message.end)
        case messages.SendReveal():
            return events.Revealed(by, message.nonce)
        case messages.SendNegotiate():
            return events.Negotiated(
                by, message.kind, message.sdp, message.media, message.hold, message.round
            )
        case _:
            raise Broken(f"no event for {message}")


def invited(world: World, by: Party, message: messages.Invite) -> World:
    """A call is placed, once; right then glare is looked for."""
    if world.call(message.call) is not None:
        return happen(world, message.call, events.Returned(by))
    if message.call in world.forgotten:
        return deliver(world, by, messages.Error(code=ErrorCode.ID_TAKEN, text="", call=message.call))
    callee = UserId(message.to)
    online = [end.party.device for end in world.ends if end.party.user == callee and not end.given_up]
    placed, todo = place(
        message.call, by, callee, message.sdp, message.commitment, message.media, online, NOW
    )
    call = known(placed)
    rivals = sorted((c for c in world.calls if glare(c, call) is not None), key=lambda c: c.id)
    world = carry_out(world._replace(calls=ordered((*world.calls, call))), call.id, todo)
    return collided(world, rivals[0], call) if rivals else world


def collided(world: World, rival: Call, placed: Call) -> World:
    """Two calls cross: exactly one goes on."""
    verdict = glare(rival, placed)
    assert verdict is not None
    survivor, loser, todo = resolved(verdict, NOW)
    require_row(verdict.loser, events.LostGlare(survivor.id))
    require_row(verdict.survivor, events.Glared(loser.caller, loser.id))
    if loser.phase is not Phase.ENDED or survivor.phase is Phase.ENDED:
        raise Broken("after glare there is not exactly one call")
    if survivor.winner != loser.caller:
        raise Broken("the device that placed the loser has not answered by that act")
    return carry_out(world._replace(calls=ordered((survivor, plain(loser)))), survivor.id, todo)


def ordered(calls: tuple[Call, ...]) -> tuple[Call, ...]:
    """By name, so that the order they were placed in makes no difference."""
    return tuple(sorted(calls, key=lambda call: call.id))


def require_row(call: Call, event: events.Event) -> None:
    """In an honest world nothing is out of place."""
    if type(event) not in TRANSITIONS[call.phase]:
        raise Broken(f"{type(event).__name__} has no row in {call.phase}")
    USED.add((call.phase, type(event)))


@cache
def receive(call: Call, event: events.Event) -> tuple[Call, tuple[effects.Effect, ...]]:
    """The real machine, its answers remembered."""
    before, kind = call.phase, type(event).__name__
    call, todo = call.receive(event, NOW)
    if call.phase not in TRANSITIONS[before][type(event)].to:
        raise Broken(f"{kind} led from {before} to {call.phase}, which its row does not say")
    ends = [effect for effect in todo if isinstance(effect, effects.RecordEnd)]
    if len(ends) != int(call.phase is Phase.ENDED and before is not Phase.ENDED):
        raise Broken(f"{len(ends)} records on the way from {before} to {call.phase}")
    waiting = call.phase not in (Phase.ACTIVE, Phase.ENDED)
    if waiting and not call.timers:
        raise Broken(f"{call.phase} waits without a timer")
    if call.phase is Phase.ENDED and call.timers:
        raise Broken("a call that has ended holds a timer")
    return plain(call), todo


def happen(world: World, id: CallId, event: events.Event) -> World:
    """The call receives the event, and its effects are carried out in order."""
    before = world.call(id)
    assert before is not None
    require_row(before, event)
    after, todo = receive(before, event)
    if after is not before:
        world = world._replace(calls=tuple(after if call.id == id else call for call in world.calls))
    world = carry_out(world, id, todo)
    require_notice(world, after)
    return world


def require_notice(world: World, call: Call) -> None:
    """Both who talk know whether their call is to be ended, as far as the server reaches them."""
    if call.phase is not Phase.ACTIVE:
        return
    for end in world.ends:
        here = end.device.session.call(call.id)
        if (
            end.deaf
            or here is None
            or here.phase is not client.Phase.ACTIVE
            or not call.is_between(end.party)
        ):
            continue
        if (here.ending is None) != (call.notice is None):
            raise Broken(f"{end.party.user} does not know that the call winds down, or goes on")


def carry_out(world: World, id: CallId, todo: tuple[effects.Effect, ...]) -> World:
    """Every effect, in order."""
    for effect in todo:
        match effect:
            case effects.Send(to, message):
                world = deliver(world, to, message)
            case effects.Complain(to, code):
                complained(world, code)
                world = deliver(world, to, messages.Error(code=code, text="", call=id))
            case effects.AskGate():
                world = world._replace(asked=world.asked | {id})
            case effects.RecordAnswer(_, by, _):
                world = recorded(world, id, by)
            case effects.AskChange(_, by, number, _):
                world = world._replace(asking=world.asking | {(id, by, number)})
            case effects.StopTimer(timer) if world.late_timers:
                world = world._replace(late=world.late | {(id, timer)}, late_timers=world.late_timers - 1)
            case _:
                pass
    return world


def complained(world: World, code: ErrorCode) -> None:
    """An honest device is told off in these cases only.

    Of two changes that cross one waits. An answer to a change finds no offer that the server gave up, or
    forgot in a restart. After a restart the server knows the winner of a call, and no other device that rang.
    """
    if code is ErrorCode.NEGOTIATION_PENDING:
        return
    if code is ErrorCode.OUT_OF_PLACE and world.changed:
        return
    if code is ErrorCode.UNKNOWN_CALL and world.restarted:
        return
    raise Broken(f"an honest device is told {code}")


def recorded(world: World, id: CallId, by: Party) -> World:
    """This device's answer is on its way to the disk; no other device's ever was."""
    if any(call == id and other != by for call, other in world.answered_by):
        raise Broken("two devices answered one call")
    return world._replace(
        recording=world.recording | {id},
        answered_by=world.answered_by | {(id, by)},
    )


def deliver(world: World, to: Party, message: ServerMessage) -> World:
    """At once, unless the device is out of reach: then it is lost with the session."""
    if to.device == TELLER:
        return told_teller(world, message)
    if isinstance(message, AFTER_ANSWER):
        call = world.call(message.call)
        early = call is not None and call.early is not None and isinstance(message, messages.Candidates)
        if call is not None and to == call.caller and call.phase is not Phase.ACTIVE and not early:
            raise Broken(f"the caller hears {message.type} before the answer counts")
    end = world.end(to)
    return world if end.deaf else absorbed(world, to, devices.hear(end.device, message))


def told_teller(world: World, message: ServerMessage) -> World:
    """Who tells of a refusal hears what the caller found, and the end: it is never asked to answer."""
    if not isinstance(message, messages.Candidates | messages.Ended):
        raise Broken(f"{message} to who tells that there will be no call")
    return world


def absorbed(world: World, by: Party, reaction: Reaction) -> World:
    """The device has changed, has sent, and has told its person things."""
    end = world.end(by)
    for call in reaction.device.session.calls:
        if call.phase is client.Phase.ACTIVE and call.role is Role.CALLEE:
            require_only(world, by, call.id)
    for id in reaction.opened:
        here = world.call(id)
        if here is None or here.phase is not Phase.ACTIVE or not here.is_between(by):
            raise Broken(f"{by.user} opens the microphone before the answer counts")
    if flaws := devices.without_clock(reaction.device):
        raise Broken(f"{by.user}: {flaws}")
    for event in reaction.told:
        if isinstance(event, told_events.Ended):
            world = ended(world, end, event)
    uplink = () if end.deaf else end.uplink + reaction.sent
    return put(world, end._replace(device=reaction.device, uplink=uplink))


def ended(world: World, end: End, event: told_events.Ended) -> World:
    """A person is told how a call ended: once, and what the server says, unless there is no server."""
    key = (end.party, event.call)
    if any(told[:2] == key for told in world.told) or key in world.alone:
        raise Broken(f"{end.party.user} was told twice that a call ended")
    call = world.call(event.call)
    if end.deaf or call is None:
        return world._replace(alone=world.alone | {key})
    if call.phase is not Phase.ENDED and call.selected is None:
        raise Broken(f"{end.party.user} was told {event.reason} of a call that goes on")
    return world._replace(told=world.told | {(*key, event.reason)})


def require_only(world: World, by: Party, id: CallId) -> None:
    """Nobody else is in this call as the one who answered."""
    for end in world.ends:
        for call in end.device.session.calls:
            talking = call.phase is client.Phase.ACTIVE and call.role is Role.CALLEE
            if call.id == id and talking and end.party != by and not end.deaf:
                raise Broken("two devices talk as the one who answered")


def settled(world: World) -> World:
    """Without the frames on their way that can do nothing any more, each handled as it would be then.

    Such a frame is for a call that has ended, which stays so, from a device that no longer has it. It
    changes nothing whenever it arrives: to let it wait would multiply the states and show nothing new.
    """
    for end in world.ends:
        if end.uplink:
            kept = tuple(frame for frame in end.uplink if not is_idle(world, end, frame))
            if len(kept) < len(end.uplink):
                world = put(world, end._replace(uplink=kept))
    return world


def is_idle(world: World, end: End, frame: ClientMessage) -> bool:
    """True if this frame can no longer change anything; Broken if it would not be taken quietly."""
    call = world.call(call_of(frame))
    if call is None or call.phase is not Phase.ENDED or end.device.session.call(call.id) is not None:
        return False
    event = events.Returned(end.party) if isinstance(frame, messages.Invite) else event_of(frame, end.party)
    require_row(call, event)
    after, todo = receive(call, event)
    answers = (effects.Send, effects.Complain)
    if after != call or not all(isinstance(each, answers) and each.to == end.party for each in todo):
        raise Broken(f"{type(event).__name__} changed a call that had ended")
    return True
