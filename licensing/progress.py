"""What becomes of a running call: when a permit is lost, or when its graph would change. Pure.

A loss is answered as the operator's policy says; a change of the call is a new decision about the graph as it
would be. An emergency call is never cut.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from licensing.case import Decision
from licensing.reasons import Obligation, Reason


class Event(StrEnum):
    """What happened: to a permit or a toggle, or to this one call."""

    PERMIT_SUSPENDED = "permit_suspended"
    PERMIT_REVOKED = "permit_revoked"
    PERMIT_EXPIRED = "permit_expired"
    PERMIT_REINSTATED = "permit_reinstated"
    TOGGLED_OFF = "toggled_off"
    PROFILE_CHANGED = "profile_changed"
    ADD_LEG = "add_leg"
    REMOVE_LEG = "remove_leg"
    RECORDING_REQUESTED = "recording_requested"

    @property
    def re_decides(self) -> bool:
        """Does its outcome rest on a decision about the call as it would be?"""
        return self in _RE_DECIDES


class Fate(StrEnum):
    """What the call does next."""

    CONTINUE = "continue"
    TERMINATE_AFTER_NOTICE = "terminate_after_notice"
    LET_FINISH = "let_finish"
    REJECT_CHANGE_KEEP_CALL = "reject_change_keep_call"
    STOP_RECORDING_KEEP_CALL = "stop_recording_keep_call"


@dataclass(frozen=True, slots=True)
class Loss:
    """What a call keeps when its permit is lost."""

    fate: Fate
    seconds: int


_RE_DECIDES = {Event.PROFILE_CHANGED, Event.ADD_LEG, Event.REMOVE_LEG, Event.RECORDING_REQUESTED}
_LOSSES = {
    Event.PERMIT_SUSPENDED: Reason.DENY_PERMIT_SUSPENDED,
    Event.PERMIT_REVOKED: Reason.DENY_PERMIT_REVOKED,
    Event.PERMIT_EXPIRED: Reason.DENY_PERMIT_EXPIRED,
    Event.TOGGLED_OFF: Reason.DENY_SERVICE_DISABLED,
}
ON_LOSS = {
    Event.PERMIT_SUSPENDED: Loss(Fate.TERMINATE_AFTER_NOTICE, 60),
    Event.PERMIT_REVOKED: Loss(Fate.TERMINATE_AFTER_NOTICE, 30),
    Event.PERMIT_EXPIRED: Loss(Fate.LET_FINISH, 900),
    Event.TOGGLED_OFF: Loss(Fate.TERMINATE_AFTER_NOTICE, 60),
    Event.PROFILE_CHANGED: Loss(Fate.TERMINATE_AFTER_NOTICE, 60),
}


@dataclass(frozen=True, slots=True)
class Progress:
    """The answer for calls to come and for this one. `seconds` is None where it simply goes on."""

    new_calls: str
    this_call: Fate
    seconds: int | None
    audit: tuple[str, ...]
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """The call as the event finds it."""

    emergency: bool = False
    on_loss: Mapping[Event, Loss] = field(default_factory=lambda: ON_LOSS)


def progress(call: Running, event: Event, after: Decision | None = None) -> Progress:
    """What becomes of the call. `after` decides the call as it would be, for events that re-decide."""
    if event is Event.PERMIT_REINSTATED:
        return Progress("allow", Fate.CONTINUE, None, ("permit_event", "termination_cancelled"))
    if event in _LOSSES:
        return _lost(call, event)
    if after is None:
        raise ValueError(f"`{event}` needs the decision on the call as it would be")
    return _changed(call, event, after)


def _lost(call: Running, event: Event) -> Progress:
    new_calls = f"deny:{_LOSSES[event]}"
    first = "toggle_event" if event is Event.TOGGLED_OFF else "permit_event"
    if call.emergency:
        return Progress(new_calls, Fate.CONTINUE, None, (first, "emergency_call_kept"))
    loss = call.on_loss.get(event, ON_LOSS[event])
    audit = (first,) if loss.fate is Fate.LET_FINISH else (first, "call_terminated")
    return Progress(new_calls, loss.fate, loss.seconds, audit)


def _changed(call: Running, event: Event, after: Decision) -> Progress:
    new_calls = "unchanged"
    if event is Event.PROFILE_CHANGED:
        new_calls = "allow" if after.allows else f"deny:{after.reason}"
    if after.allows and event is not Event.RECORDING_REQUESTED and _may_not_record(after):
        # What it is now does not stop for the recording: that does, until all have consented again.
        audit = ("re_evaluated", "recording_refused")
        return Progress(new_calls, Fate.STOP_RECORDING_KEEP_CALL, None, audit)
    if event is Event.RECORDING_REQUESTED and _may_not_record(after):
        return Progress(
            new_calls,
            Fate.STOP_RECORDING_KEEP_CALL,
            None,
            ("re_evaluated", "recording_refused"),
            None if after.allows else after.reason,
        )
    if after.allows:
        return Progress(new_calls, Fate.CONTINUE, None, ("re_evaluated",))
    if event is Event.ADD_LEG:
        audit = ("re_evaluated", "change_rejected")
        return Progress(new_calls, Fate.REJECT_CHANGE_KEEP_CALL, None, audit, after.reason)
    if call.emergency:
        audit = ("re_evaluated", "emergency_call_kept")
        return Progress(new_calls, Fate.CONTINUE, None, audit, after.reason)
    # What remains is not lawful: it ends as a suspended call does.
    kind = Event.PROFILE_CHANGED if event is Event.PROFILE_CHANGED else Event.PERMIT_SUSPENDED
    loss = call.on_loss.get(kind, ON_LOSS[kind])
    ended = () if loss.fate is Fate.LET_FINISH else ("call_terminated",)
    return Progress(new_calls, loss.fate, loss.seconds, ("re_evaluated", *ended), after.reason)


def _may_not_record(after: Decision) -> bool:
    return not after.allows or Obligation.RECORDING_BLOCKED_UNTIL_ALL_CONSENT in after.obligations
