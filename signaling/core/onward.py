"""A call that did not reach whom it was for, and goes on to somebody else.

It keeps its id, its caller and the offer; who is called, and which devices ring, are new. It is decided on
again from the start (R1).
"""

from dataclasses import dataclass, replace

from licensing.instant import Instant
from signaling.core.branch import Outcome, queued
from signaling.core.effects import AskGate, Effect, GoOn, RecordEnd, Send, StartTimer
from signaling.core.forwarding import When
from signaling.core.party import Party
from signaling.core.state import INVITE, CallState, Step, end
from signaling.core.table import Phase
from wephone.protocol.ids import DeviceId, Peer, UserId


@dataclass(frozen=True, slots=True)
class Onward:
    """Who is called now: `shown` is what the caller sees of that, `by` whose rule it was."""

    to: UserId
    devices: tuple[DeviceId, ...]
    shown: Peer
    by: UserId


def miss(
    call: CallState, when: When, outcome: Outcome, now: Instant, declined_on: DeviceId | None = None
) -> Step:
    """Nobody takes it here: it goes on, if there is somewhere to go, or that is its end.

    If it goes on it is over for the devices that rang, and for its caller it is not. A caller who heard
    somebody's sound stays there: whoever is called next would answer by another description.
    """
    ended, effects = end(call, outcome, now, declined_on)
    if when not in call.goes_on or call.early is not None:
        return ended, effects
    only_here = (
        effect
        for effect in effects
        if not isinstance(effect, RecordEnd) and not (isinstance(effect, Send) and effect.to == call.caller)
    )
    return replace(call, phase=Phase.ROUTING, branches=(), timers=()), (*only_here, GoOn(call.id, when))


def forwarded(call: CallState, onward: Onward, now: Instant) -> tuple[CallState, tuple[Effect, ...]]:
    """The call on its way to somebody else."""
    deadline = now.after(INVITE)
    others = (device for device in onward.devices if Party(onward.to, device) != call.caller)
    call = replace(
        call,
        callee=onward.to,
        phase=Phase.ROUTING,
        deadline=deadline,
        branches=queued(others),
        timers=("invite",),
        goes_on=frozenset(),
        forwarded_to=onward.shown,
        forwarded_by=onward.by,
    )
    return call, (StartTimer("invite", deadline), AskGate(call.id))
