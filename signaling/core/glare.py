"""Two people call each other at once: one of the two calls goes on (RingRTC; RFC 3261 has no cure)."""

from dataclasses import dataclass

from signaling.core.call import Call
from signaling.core.state import RINGING
from signaling.core.table import Phase

UNANSWERED = RINGING | {Phase.ROUTING}


@dataclass(frozen=True, slots=True)
class Glare:
    """Which of two calls goes on. The device that placed the loser has answered by that act."""

    survivor: Call
    loser: Call


def glare(existing: Call, placed: Call) -> Glare | None:
    """The verdict over a call just placed and one the other way round; None if they do not collide.

    The switch asks once for each placed call, right after `place`, with the calls from the callee to the
    caller in order of their ids, and stops at the first verdict.

    They collide when each is from a user to the other and neither is answered or bound to a device.
    The smaller id survives, so that two nodes that see both would agree.
    """
    opposite = existing.caller.user == placed.callee and placed.caller.user == existing.callee
    if not opposite or existing.caller.user == existing.callee:
        return None
    for call in (existing, placed):
        if call.phase not in UNANSWERED or call.selected is not None:
            return None
    if existing.id < placed.id:
        return Glare(survivor=existing, loser=placed)
    return Glare(survivor=placed, loser=existing)
