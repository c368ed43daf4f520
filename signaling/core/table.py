"""The table of a call: which event is legal in which phase, what is done, and where it may lead.

Data, not code: `call.py` carries it out, `diagram.py` draws it, the search in `tests/simulation` walks it.
An event without a row answers its sender with a typed error and changes nothing.
"""

from dataclasses import dataclass
from enum import StrEnum

from signaling.core.events import (
    Alerting,
    Allowed,
    Answered,
    AnswerNotRecorded,
    AnswerRecorded,
    CandidatesFound,
    ChangeAllowed,
    ChangeRefused,
    Cut,
    Delivered,
    DeviceArrived,
    DeviceLost,
    EarlySound,
    Event,
    Glared,
    HungUp,
    LostGlare,
    Negotiated,
    OfferNotRecorded,
    Refused,
    Reinstated,
    Rejected,
    Returned,
    Revealed,
    TimedOut,
    Unroutable,
    Withdrawn,
)


class Phase(StrEnum):
    """How far a call has come, as the server knows it."""

    ROUTING = "routing"  # the gate is deciding, the offer is being made durable
    ANNOUNCING = "announcing"  # refused; the caller is told so aloud
    OFFERED = "offered"  # sent to the callee's devices
    DELIVERED = "delivered"  # a device has it
    ALERTING = "alerting"  # a device rings
    GLARED = "glared"  # answered by a call the other way; only the SDP is missing
    SELECTED = "selected"  # one device has won; the answer is being made durable
    ACTIVE = "active"  # answered
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Row:
    """What is done (a function of `steps` in `call.py`) and every phase it may lead to."""

    step: str
    to: tuple[Phase, ...]


def row(step: str, *to: Phase) -> Row:
    """A row, on one line."""
    return Row(step, to)


ROUTING, ANNOUNCING = Phase.ROUTING, Phase.ANNOUNCING
OFFERED, DELIVERED, ALERTING = Phase.OFFERED, Phase.DELIVERED, Phase.ALERTING
GLARED, SELECTED, ACTIVE, ENDED = Phase.GLARED, Phase.SELECTED, Phase.ACTIVE, Phase.ENDED

Table = dict[Phase, dict[type[Event], Row]]

TRANSITIONS: Table = {
    ROUTING: {
        Allowed: row("offer", OFFERED, GLARED, ROUTING, ENDED),
        Refused: row("refuse", ANNOUNCING, ENDED),
        Unroutable: row("fail_to_route", ENDED),
        OfferNotRecorded: row("fail_to_record", ENDED),
        HungUp: row("cancel", ENDED),
        CandidatesFound: row("pass_on", ROUTING),
        Glared: row("fence_ahead", ROUTING),
        LostGlare: row("give_way", ENDED),
        DeviceArrived: row("queue", ROUTING),
        DeviceLost: row("lose_while_routing", ROUTING, ENDED),
        Returned: row("catch_up", ROUTING),
        TimedOut: row("give_up", ROUTING, ENDED),
        Withdrawn: row("withdraw_unanswered", ENDED),
        Cut: row("cut", ENDED),
    },
    ANNOUNCING: {
        EarlySound: row("let_hear", ANNOUNCING),
        HungUp: row("end_refused", ENDED),
        CandidatesFound: row("pass_on", ANNOUNCING),
        DeviceArrived: row("stay", ANNOUNCING),
        DeviceLost: row("lose_listener", ANNOUNCING, ENDED),
        Returned: row("catch_up", ANNOUNCING),
        TimedOut: row("stop_announcing", ANNOUNCING, ENDED),
        Withdrawn: row("stay", ANNOUNCING),
        Cut: row("end_refused", ENDED),
    },
    OFFERED: {
        Delivered: row("deliver", DELIVERED),
        Alerting: row("alert", ALERTING),
        EarlySound: row("let_hear", OFFERED),
        Answered: row("select", SELECTED),
        Rejected: row("reject", ROUTING, ENDED),
        HungUp: row("cancel", OFFERED, ENDED),
        CandidatesFound: row("pass_on", OFFERED),
        Glared: row("fence", GLARED),
        LostGlare: row("give_way", ENDED),
        DeviceArrived: row("ring", OFFERED),
        DeviceLost: row("lose_while_ringing", OFFERED, ENDED),
        Returned: row("catch_up", OFFERED),
        TimedOut: row("give_up", OFFERED, ROUTING, ENDED),
        Withdrawn: row("withdraw_unanswered", ENDED),
        Cut: row("cut", ENDED),
    },
    DELIVERED: {
        Delivered: row("stay", DELIVERED),
        Alerting: row("alert", ALERTING),
        EarlySound: row("let_hear", DELIVERED),
        Answered: row("select", SELECTED),
        Rejected: row("reject", ROUTING, ENDED),
        HungUp: row("cancel", DELIVERED, ENDED),
        CandidatesFound: row("pass_on", DELIVERED),
        Glared: row("fence", GLARED),
        LostGlare: row("give_way", ENDED),
        DeviceArrived: row("ring", DELIVERED),
        DeviceLost: row("lose_while_ringing", DELIVERED, ENDED),
        Returned: row("catch_up", DELIVERED),
        TimedOut: row("give_up", DELIVERED, ROUTING, ENDED),
        Withdrawn: row("withdraw_unanswered", ENDED),
        Cut: row("cut", ENDED),
    },
    ALERTING: {
        Delivered: row("stay", ALERTING),
        Alerting: row("stay", ALERTING),
        EarlySound: row("let_hear", ALERTING),
        Answered: row("select", SELECTED),
        Rejected: row("reject", ROUTING, ENDED),
        HungUp: row("cancel", ALERTING, ENDED),
        CandidatesFound: row("pass_on", ALERTING),
        Glared: row("fence", GLARED),
        LostGlare: row("give_way", ENDED),
        DeviceArrived: row("ring", ALERTING),
        DeviceLost: row("lose_while_ringing", ALERTING, ENDED),
        Returned: row("catch_up", ALERTING),
        TimedOut: row("give_up", ALERTING, ROUTING, ENDED),
        Withdrawn: row("withdraw_unanswered", ENDED),
        Cut: row("cut", ENDED),
    },
    GLARED: {
        Delivered: row("stay", GLARED),
        Alerting: row("stay", GLARED),
        Answered: row("select", GLARED, SELECTED),
        Rejected: row("reject_glared", GLARED, ENDED),
        HungUp: row("hang_up_early", GLARED, ENDED),
        CandidatesFound: row("pass_on", GLARED),
        DeviceArrived: row("stay", GLARED),
        DeviceLost: row("lose_a_party", GLARED, ENDED),
        Returned: row("catch_up", GLARED),
        TimedOut: row("give_up_connecting", GLARED, ENDED),
        Withdrawn: row("withdraw_unanswered", ENDED),
        Cut: row("cut", ENDED),
    },
    SELECTED: {
        AnswerRecorded: row("activate", ACTIVE),
        AnswerNotRecorded: row("fail_to_record", ENDED),
        Delivered: row("stay", SELECTED),
        Alerting: row("stay", SELECTED),
        EarlySound: row("stay", SELECTED),
        Answered: row("answer_again", SELECTED),
        Rejected: row("dismiss", SELECTED),
        HungUp: row("hang_up_early", SELECTED, ENDED),
        CandidatesFound: row("pass_on", SELECTED),
        DeviceArrived: row("stay", SELECTED),
        DeviceLost: row("lose_a_party", SELECTED, ENDED),
        Returned: row("catch_up", SELECTED),
        TimedOut: row("give_up_connecting", SELECTED, ENDED),
        Withdrawn: row("withdraw_unanswered", ENDED),
        Cut: row("cut", ENDED),
    },
    ACTIVE: {
        Delivered: row("stay", ACTIVE),
        Alerting: row("stay", ACTIVE),
        EarlySound: row("stay", ACTIVE),
        Answered: row("answer_again", ACTIVE),
        Rejected: row("dismiss", ACTIVE),
        HungUp: row("hang_up", ACTIVE, ENDED),
        CandidatesFound: row("pass_on", ACTIVE),
        Revealed: row("reveal", ACTIVE),
        Negotiated: row("negotiate", ACTIVE),
        DeviceArrived: row("stay", ACTIVE),
        DeviceLost: row("lose_a_party", ACTIVE, ENDED),
        Returned: row("catch_up_talking", ACTIVE),
        TimedOut: row("run_out", ACTIVE, ENDED),
        ChangeAllowed: row("allow_change", ACTIVE),
        ChangeRefused: row("refuse_change", ACTIVE),
        Withdrawn: row("withdraw", ACTIVE, ENDED),
        Reinstated: row("reinstate", ACTIVE),
        Cut: row("cut", ENDED),
    },
    ENDED: {
        Allowed: row("stay", ENDED),
        Refused: row("stay", ENDED),
        Unroutable: row("stay", ENDED),
        OfferNotRecorded: row("stay", ENDED),
        AnswerRecorded: row("stay", ENDED),
        AnswerNotRecorded: row("stay", ENDED),
        Delivered: row("stay", ENDED),
        Alerting: row("stay", ENDED),
        EarlySound: row("stay", ENDED),
        Answered: row("say_again", ENDED),
        Rejected: row("say_again", ENDED),
        HungUp: row("say_again", ENDED),
        CandidatesFound: row("stay", ENDED),
        Revealed: row("stay", ENDED),
        Negotiated: row("stay", ENDED),
        DeviceArrived: row("stay", ENDED),
        DeviceLost: row("stay", ENDED),
        Returned: row("say_again", ENDED),
        TimedOut: row("stay", ENDED),
        ChangeAllowed: row("stay", ENDED),
        ChangeRefused: row("stay", ENDED),
        Withdrawn: row("stay", ENDED),
        Reinstated: row("stay", ENDED),
        Cut: row("stay", ENDED),
    },
}
