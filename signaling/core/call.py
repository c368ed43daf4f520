"""The server's half of one call between two users: a value, told what happened, that says what to do.

The legal moves are data (`table.py`); what each does is in `ringing.py`, `announcing.py`, `talking.py` and
`winding.py`. Conventions: MSC2746 (party id, `select_answer`, lifetime by the server's age), RingRTC (glare,
elsewhere), RFC 8838.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

from licensing.instant import Instant
from signaling.core import announcing, ringing, talking, winding
from signaling.core.branch import Branch, Standing, queued
from signaling.core.effects import AskGate, Complain, Effect, StartTimer
from signaling.core.events import (
    Alerting,
    Answered,
    CandidatesFound,
    Delivered,
    EarlySound,
    Event,
    HungUp,
    Negotiated,
    Rejected,
    Revealed,
)
from signaling.core.party import Party
from signaling.core.state import INVITE, CallState, Step
from signaling.core.table import TRANSITIONS, Phase
from wephone.protocol.ids import CallId, DeviceId, UserId
from wephone.protocol.messages import CallSnapshot, Media, Role
from wephone.protocol.reasons import ErrorCode

__all__ = ["TRANSITIONS", "Call", "Phase", "place", "restored"]

STEPS: dict[str, Callable[..., Step]] = {
    step.__name__: step
    for step in (
        ringing.stay,
        ringing.queue,
        ringing.lose_while_routing,
        ringing.fence_ahead,
        ringing.offer,
        announcing.refuse,
        ringing.fail_to_route,
        ringing.fail_to_record,
        ringing.deliver,
        ringing.alert,
        ringing.let_hear,
        ringing.ring,
        ringing.lose_while_ringing,
        ringing.reject,
        ringing.cancel,
        ringing.give_up,
        ringing.select,
        ringing.fence,
        ringing.give_way,
        ringing.dismiss,
        ringing.reject_glared,
        ringing.hang_up_early,
        ringing.lose_a_party,
        ringing.give_up_connecting,
        ringing.catch_up,
        ringing.say_again,
        announcing.end_refused,
        announcing.lose_listener,
        announcing.stop_announcing,
        talking.activate,
        talking.answer_again,
        talking.hang_up,
        talking.cut,
        talking.reveal,
        talking.catch_up_talking,
        talking.pass_on,
        talking.negotiate,
        talking.allow_change,
        talking.refuse_change,
        winding.run_out,
        winding.withdraw_unanswered,
        winding.withdraw,
        winding.reinstate,
    )
}

# Which role may say what. The other events are the switch's own word, which knows who is who.
SPEAKERS: dict[type[Event], frozenset[Role]] = {
    Delivered: frozenset({Role.CALLEE}),
    Alerting: frozenset({Role.CALLEE}),
    EarlySound: frozenset({Role.CALLEE}),
    Answered: frozenset({Role.CALLEE}),
    Rejected: frozenset({Role.CALLEE}),
    HungUp: frozenset(Role),
    CandidatesFound: frozenset(Role),
    Revealed: frozenset({Role.CALLER}),
    Negotiated: frozenset(Role),
}


@dataclass(frozen=True, slots=True)
class Call(CallState):
    """One call, from its invite to its end and, until it is forgotten, after it."""

    def receive(self, event: Event, now: Instant) -> "tuple[Call, tuple[Effect, ...]]":
        """The call after this event, and what is to be done for it, in order.

        An event from a stranger, or one without a row, is a Complain to its sender and nothing else.
        """
        row = TRANSITIONS[self.phase].get(type(event))
        speakers = SPEAKERS.get(type(event))
        if speakers is not None:
            by: Party = event.by  # type: ignore[union-attr]  # every event with speakers has one
            role = self.role(by)
            if role is None:
                return self, (Complain(by, ErrorCode.UNKNOWN_CALL),)
            if row is None or role not in speakers:
                return self, (Complain(by, ErrorCode.OUT_OF_PLACE),)
        elif row is None:
            return self, ()
        call, effects = STEPS[row.step](self, event, now)
        return cast(Call, call), effects

    def snapshot(self, party: Party, now: Instant) -> CallSnapshot | None:
        """The call as this device has it; None if it is not, or no longer, one of its calls."""
        role = self.role(party)
        branch = self.branch(party.device) if role is Role.CALLEE else None
        if role is None or self.phase is Phase.ENDED or (branch is not None and branch.told is not None):
            return None
        answered = self.phase is Phase.ACTIVE
        return CallSnapshot(
            call=self.id,
            role=role,
            peer=self.callee if role is Role.CALLER else self.caller.user,
            peer_device=self.caller.device if role is Role.CALLEE else self.selected if answered else None,
            answered=answered,
            media=self.media,
            ending=winding.announced(self, now),
        )


def place(
    call: CallId,
    caller: Party,
    callee: UserId,
    sdp: str,
    commitment: str,
    media: tuple[Media, ...],
    devices: Iterable[DeviceId],
    now: Instant,
    replaces: CallId | None = None,
) -> tuple[Call, tuple[Effect, ...]]:
    """A new call, not yet allowed. `devices` are the callee's that are online now; others may arrive.

    `replaces`: a call of the callee's, whose other side puts this caller through.

    A client that sends its invite again gets no second call: the switch tells the one there `Returned`.
    Right after this the switch looks for `glare` with the callee's own calls to this caller.
    """
    deadline = now.after(INVITE)
    others = (device for device in devices if Party(callee, device) != caller)
    placed = Call(
        id=call,
        caller=caller,
        callee=callee,
        media=media,
        phase=Phase.ROUTING,
        offer=sdp,
        commitment=commitment,
        deadline=deadline,
        branches=queued(others),
        timers=("invite",),
        replaces=replaces,
    )
    return placed, (StartTimer("invite", deadline), AskGate(call))


def restored(call: CallId, caller: Party, answered_by: Party, media: tuple[Media, ...], at: Instant) -> Call:
    """An answered call from its durable row, after a restart; `at` is when it was answered.

    The descriptions are gone and not needed: who comes back (`Returned`) and is not sure that the other
    side heard, says it again.
    """
    return Call(
        id=call,
        caller=caller,
        callee=answered_by.user,
        media=media,
        phase=Phase.ACTIVE,
        offer="",
        commitment="",
        deadline=at,
        branches=(Branch(answered_by.device, Standing.INVITED),),
        selected=answered_by.device,
    )
