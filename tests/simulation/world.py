"""Two users, their devices, a server and the wires between, as one value that the search can compare.

The server's half of every call and the client's half of every device are the real ones. The switch is
modelled (`switch.py`): it turns frames into events, runs effects, finds glare, and keeps ended calls for
ever. What the server sends arrives at once, what devices send waits in a queue for as long as one likes: a
device that acts on old news is one whose frame is still on its way, so no order of events is left out.
"""

from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import NamedTuple

from licensing.instant import SECOND, Instant
from signaling.core import events
from signaling.core.call import Call, Phase
from signaling.core.effects import Timer
from signaling.core.party import Party
from tests.simulation.device import Broken, Device, signed_in
from wephone.core.session import Session
from wephone.protocol.ids import CallId, DeviceId, UserId
from wephone.protocol.messages import ClientMessage, Refusal, RefusalText
from wephone.protocol.reasons import EndReason

NOW = Instant(0, 0)
LATER = NOW.after(60 * SECOND)  # when a call has to end whose permit is lost
NO: Refusal = Refusal(code="no", text=RefusalText(en="", zh_cn=""))
ALICE, BOB = UserId("alice"), UserId("bob")
X = CallId("00000000-0000-4000-8000-000000000001")
Y = CallId("ffffffff-0000-4000-8000-000000000002")


# Who tells alice aloud that she is refused, as a device of bob's that is none of his.
TELLER = DeviceId("7e11e700-0000-4000-8000-000000000000")


def party(user: UserId, number: int) -> Party:
    """The user's device of this number."""
    return Party(user, DeviceId(f"{user[:3].encode().hex():0>8}-0000-4000-8000-{number:012}"))


@dataclass(frozen=True, slots=True)
class Rules:
    """Which freedoms this world has; each is bounded, so that the search comes to its end."""

    name: str
    parties: tuple[Party, ...]
    places: tuple[tuple[CallId, Party, UserId], ...]
    gate: tuple[events.Event, ...] = (events.Allowed(),)
    store: tuple[events.Event, ...] = (events.AnswerRecorded(),)
    absent: tuple[Party, ...] = ()  # who signs in some time later
    cuts: int = 0
    restarts: int = 0
    late_timers: int = 0
    changes: int = 0
    failures: int = 0  # of media
    losses: int = 0  # of the permit
    returns: int = 0  # of the permit
    orders: int = 0  # of the operator, who ends a call
    sounds: int = 0  # that the one who is called sends before the answer
    video: bool = False  # changes turn it on and off
    trickles: bool = False
    terse: bool = False  # devices do not say that they have a call, only that they ring
    declines: bool = True
    cancels: bool = True  # people hang up before the answer too
    timeouts: bool = True


class End(NamedTuple):
    """One device: itself, its frames on the way, whether the server can reach it."""

    party: Party
    device: Device
    uplink: tuple[ClientMessage, ...] = ()
    deaf: bool = False  # its connection is gone; what is sent to it is lost
    given_up: bool = False  # and the server has stopped waiting for it


@dataclass(frozen=True, slots=True)
class KnownCall(Call):
    """A call of the server, its hash made once: the search asks for it all the time."""

    hashed: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hashed", Call.__hash__(self))

    def __hash__(self) -> int:
        return self.hashed


def known(call: Call) -> Call:
    """The call as the search keeps it."""
    values = {each.name: getattr(call, each.name) for each in fields(Call)}
    return KnownCall(**values)


def plain(call: Call) -> Call:
    """Without what no step reads any more: two histories that differ in nothing else are one state."""
    if call.phase is Phase.ACTIVE:
        return replace(call, commitment="", deadline=NOW)
    if call.phase is Phase.ENDED:
        return replace(call, commitment="", deadline=NOW, nonce=None)
    return call


class World(NamedTuple):
    """Everything at one moment."""

    ends: tuple[End, ...]
    calls: tuple[Call, ...] = ()
    placed: frozenset[CallId] = frozenset()
    asked: frozenset[CallId] = frozenset()  # the gate owes an answer
    recording: frozenset[CallId] = frozenset()  # the store owes an answer
    answered_by: frozenset[tuple[CallId, Party]] = frozenset()
    told: frozenset[tuple[Party, CallId, EndReason]] = frozenset()
    alone: frozenset[tuple[Party, CallId]] = frozenset()  # ended by a device that had lost the server
    late: frozenset[tuple[CallId, Timer]] = frozenset()
    asking: frozenset[tuple[CallId, Party, int]] = frozenset()  # the gate owes an answer about a change
    forgotten: frozenset[CallId] = frozenset()  # by a restart
    cuts: int = 0
    restarts: int = 0
    late_timers: int = 0
    changes: int = 0
    failures: int = 0
    losses: int = 0
    returns: int = 0
    orders: int = 0
    sounds: int = 0
    broken: bool = False  # a connection was cut, or the server restarted
    restarted: bool = False
    changed: bool = False  # somebody wished to change a call

    def call(self, id: CallId) -> Call | None:
        """The call of this name, as the server has it."""
        for call in self.calls:
            if call.id == id:
                return call
        return None

    def end(self, party: Party) -> End:
        """The device of this name."""
        return next(end for end in self.ends if end.party == party)


def put(world: World, end: End) -> World:
    """With this end in its place."""
    return world._replace(ends=tuple(end if each.party == end.party else each for each in world.ends))


def start(rules: Rules) -> World:
    """All signed in but the absent, nothing placed."""
    ends = (
        End(
            each,
            new_device(each, rules.trickles, rules.terse),
            deaf=each in rules.absent,
            given_up=each in rules.absent,
        )
        for each in rules.parties
    )
    return World(
        tuple(ends),
        cuts=rules.cuts,
        restarts=rules.restarts,
        late_timers=rules.late_timers,
        changes=rules.changes,
        failures=rules.failures,
        losses=rules.losses,
        returns=rules.returns,
        orders=rules.orders,
        sounds=rules.sounds,
    )


@cache
def new_device(party: Party, trickles: bool, terse: bool) -> Device:
    """A device with nothing on it."""
    return signed_in(Device(Session(party.device), trickles=trickles, terse=terse))


def is_over(world: World) -> bool:
    """Every call that was placed has ended, and every device knows."""
    if any(call.phase is not Phase.ENDED for call in world.calls):
        return False
    return not any(end.device.session.calls for end in world.ends)


def agreed(world: World) -> None:
    """When all is over: everybody was told, and what the server has; nobody rang in vain without a reason."""
    for call in world.calls:
        assert call.outcome is not None
        for end in world.ends:
            told = [reason for who, id, reason in world.told if (who, id) == (end.party, call.id)]
            branch = call.branch(end.party.device) if end.party.user == call.callee else None
            if branch is None and end.party != call.caller:
                continue  # it never had the call, or told so before a restart
            expected = call.outcome.reason if branch is None else branch.told
            if told and told != [expected]:
                raise Broken(f"{end.party.user} was told {told} where the server has {expected}")
            if told and end.party == call.winner and told != [call.outcome.reason]:
                raise Broken("caller and winner do not agree how it ended")
            excused = world.broken or call.outcome.reason is EndReason.GLARE or glared(world, call, end)
            if not told and not excused:
                raise Broken(f"{end.party.user} was never told that {call.id} ended")


def glared(world: World, call: Call, end: End) -> bool:
    """Did this device get the call by glare? One that had hung up its own never hears of the other."""
    return end.party == call.winner and len(world.placed) > 1
