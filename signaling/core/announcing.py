"""Steps of a call that was refused: it ends, or ends once its caller has been told so aloud.

Whoever tells it stands in the telephone's place as a party, and can do nothing but be heard: no row of this
phase leads anywhere but to the end.
"""

from dataclasses import replace

from licensing.instant import Instant
from signaling.core.branch import Branch, Outcome, Standing
from signaling.core.effects import Announce, Effect, Send
from signaling.core.events import Cut, DeviceLost, HungUp, Refused, TimedOut
from signaling.core.party import Party
from signaling.core.state import ANNOUNCE, CallState, Step, end, timed
from signaling.core.table import Phase
from wephone.protocol.reasons import EndReason


def refuse(call: CallState, event: Refused, now: Instant) -> Step:
    """The gate's no reaches the caller with its reason; the callee never hears of the call."""
    call = replace(call, refusal=event.refusal)
    if event.teller is None or call.selected is not None:
        return end_refused(call, event, now)
    timers, effects = timed(call, "notice", now.after(ANNOUNCE))
    branches = (Branch(event.teller, Standing.INVITED),)  # in the place of all who would have rung
    call = replace(call, phase=Phase.ANNOUNCING, branches=branches, timers=timers)
    teller = Party(call.callee, event.teller)
    candidates = call.trickle.message(call.id)
    found: tuple[Effect, ...] = () if candidates is None else (Send(teller, candidates),)
    return call, (*effects, Announce(call.id), *found)


def end_refused(call: CallState, event: Refused | HungUp | Cut | DeviceLost | TimedOut, now: Instant) -> Step:
    """It has been told, or cannot be, or is not listened to: the end that a refusal has anyhow."""
    return end(call, Outcome(EndReason.REFUSED, refusal=call.refusal), now)


def lose_listener(call: CallState, event: DeviceLost, now: Instant) -> Step:
    """Without its caller nobody listens; no device of the callee has ever heard of it."""
    return end_refused(call, event, now) if event.by == call.caller else (call, ())


def stop_announcing(call: CallState, event: TimedOut, now: Instant) -> Step:
    """It takes too long. A timer that was stopped too late is none of ours."""
    return end_refused(call, event, now) if event.timer in call.timers else (call, ())
