"""Which trunk is tried next, or why none is. Pure.

Another carrier may be asked where the first one failed, and never where somebody was reached: whoever was
busy or declined has answered, and their phone is not to ring again.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from licensing.reasons import Obligation, Text
from signaling.pstn.sip.cause import Cause


class Health(StrEnum):
    """What OPTIONS and REGISTER say of a trunk."""

    UP = "up"
    UNKNOWN = "unknown"  # just configured: tried, after those that are known to be up
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Standing:
    """A trunk at this moment. Those of a lower `priority` go first. `wait`: seconds that calls per second or
    the carrier's Retry-After ask for."""

    name: str
    priority: int = 0
    health: Health = Health.UP
    calls: int = 0
    most_calls: int = 1
    wait: float = 0.0
    duties: frozenset[Obligation] = frozenset()
    emergency_in: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Need:
    """What a call needs of a trunk. `emergency_in`: the country of an emergency call's place."""

    duties: frozenset[Obligation] = frozenset()
    emergency: bool = False
    emergency_in: str | None = None


class NoTrunk(StrEnum):
    """Why none is tried. The last two are about a call that was tried."""

    NONE = "none"
    NO_DUTY = "no_duty"
    NO_EMERGENCY_ROUTE = "no_emergency_route"
    DOWN = "down"
    FULL = "full"
    TRIED = "tried"
    REACHED = "reached"


TEXTS = {
    NoTrunk.NONE: Text("No trunk is set up.", "尚未配置中继。"),
    NoTrunk.NO_DUTY: Text(
        "No trunk does what the law asks of this call.", "没有中继能满足法律对此通话的要求。"
    ),
    NoTrunk.NO_EMERGENCY_ROUTE: Text(
        "No trunk reaches the emergency services of this place.", "没有中继可接通当地的紧急服务。"
    ),
    NoTrunk.DOWN: Text("The carrier cannot be reached at this time.", "目前无法连接运营商。"),
    NoTrunk.FULL: Text("All lines are in use; try again shortly.", "线路全忙，请稍后再试。"),
    NoTrunk.TRIED: Text("No carrier could place the call.", "所有运营商均未能接通此通话。"),
    NoTrunk.REACHED: Text(
        "The call reached its destination and was not taken.", "呼叫已到达对方，但未被接听。"
    ),
}


def may_go_elsewhere(cause: Cause, *, rang: bool) -> bool:
    """Was it the carrier that failed, and not the callee who answered? `rang`: a phone was heard to ring."""
    return cause.elsewhere and not rang


def next_trunk(
    trunks: Iterable[Standing],
    need: Need,
    tried: Collection[str] = (),
    last: Cause | None = None,
    *,
    rang: bool = False,
) -> Standing | NoTrunk:
    """The trunk for the next attempt, which has a decision and a lease of its own; or why there is none.

    A call for help passes full and unhealthy trunks by only while another is left, and goes on to another
    whatever the last one said.
    """
    if last is not None and not need.emergency and not may_go_elsewhere(last, rang=rang):
        return NoTrunk.REACHED
    known = sorted(trunks, key=lambda trunk: (trunk.priority, trunk.name))
    if not known:
        return NoTrunk.NONE
    fit = [trunk for trunk in known if _fits(trunk, need)]
    if not fit:
        return NoTrunk.NO_EMERGENCY_ROUTE if need.emergency else NoTrunk.NO_DUTY
    left = [trunk for trunk in fit if trunk.name not in tried]
    if not left:
        return NoTrunk.TRIED
    return _best(left, need)


def soonest(trunks: Iterable[Standing], need: Need, tried: Collection[str] = ()) -> float | None:
    """Seconds until a trunk may be asked that only its pace forbids now; none if there is no such trunk."""
    fit = (trunk for trunk in trunks if _fits(trunk, need) and trunk.name not in tried)
    able = (trunk for trunk in fit if trunk.health is not Health.DOWN and trunk.calls < trunk.most_calls)
    return min((trunk.wait for trunk in able), default=None)


def _fits(trunk: Standing, need: Need) -> bool:
    """Does it do what this call needs, whatever its health?"""
    if not need.emergency:
        return need.duties <= trunk.duties
    if need.emergency_in is None:  # where help is needed is not known: any route is better than none
        return bool(trunk.emergency_in)
    return need.emergency_in in trunk.emergency_in


def _best(left: Sequence[Standing], need: Need) -> Standing | NoTrunk:
    alive = [trunk for trunk in left if trunk.health is not Health.DOWN]
    free = [trunk for trunk in alive if trunk.calls < trunk.most_calls and trunk.wait <= 0]
    if free:
        return min(free, key=lambda trunk: trunk.health is not Health.UP)
    if need.emergency:
        return (alive or left)[0]
    return NoTrunk.FULL if alive else NoTrunk.DOWN
