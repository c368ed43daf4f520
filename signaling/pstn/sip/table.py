"""The tables of SIP transactions: what may happen in which phase, what is done, where it may lead.

Data, not code: `transaction.py` carries it out (RFC 3261 §17, RFC 6026).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from signaling.pstn.sip.message import Request, Response
from signaling.pstn.sip.values import quick


class Kind(StrEnum):
    """Which of the four machines."""

    INVITE_CLIENT = "invite_client"
    CLIENT = "client"
    INVITE_SERVER = "invite_server"
    SERVER = "server"


class Phase(StrEnum):
    """The states of RFC 3261 §17, with RFC 6026's Accepted."""

    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    ACCEPTED = "accepted"
    TERMINATED = "terminated"


Timer = Literal["A", "B", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M"]  # as the RFC calls them


# --- what happens -----------------------------------------------------------------------------------------


@quick
@dataclass(frozen=True, slots=True)
class Provisional:
    """A 1xx: a client transaction heard it, or a server transaction is to say it."""

    response: Response


@quick
@dataclass(frozen=True, slots=True)
class Success:
    """A 2xx, likewise."""

    response: Response


@quick
@dataclass(frozen=True, slots=True)
class Failure:
    """A final response from 300 on, likewise."""

    response: Response


@dataclass(frozen=True, slots=True)
class Asked:
    """The request of a server transaction came again."""


@dataclass(frozen=True, slots=True)
class Acked:
    """The ACK came that belongs to a server transaction."""

    request: Request


@quick
@dataclass(frozen=True, slots=True)
class TimedOut:
    """A timer has run out; `at` is the deadline it was started with."""

    timer: Timer
    at: int


@dataclass(frozen=True, slots=True)
class Unsendable:
    """The transport could not send what it was given last."""


Event = Provisional | Success | Failure | Asked | Acked | TimedOut | Unsendable


def answered(response: Response) -> Provisional | Success | Failure:
    """A response as the event that it is."""
    if response.status < 200:
        return Provisional(response)
    return Success(response) if response.status < 300 else Failure(response)


# --- the tables -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """What is done (a function of `STEPS`) and every phase it may lead to."""

    step: str
    to: tuple[Phase, ...]


def row(step: str, *to: Phase) -> Row:
    """A row, on one line."""
    return Row(step, to)


CALLING, TRYING, PROCEEDING = Phase.CALLING, Phase.TRYING, Phase.PROCEEDING
COMPLETED, CONFIRMED = Phase.COMPLETED, Phase.CONFIRMED
ACCEPTED, TERMINATED = Phase.ACCEPTED, Phase.TERMINATED

Table = dict[Phase, dict[type[Event] | Timer, Row]]

TRANSITIONS: dict[Kind, Table] = {
    Kind.INVITE_CLIENT: {
        CALLING: {
            Provisional: row("proceed", PROCEEDING),
            Success: row("accept", ACCEPTED),
            Failure: row("acknowledge", COMPLETED, TERMINATED),
            "A": row("ask_again", CALLING),
            "B": row("give_up", TERMINATED),
            Unsendable: row("lose", TERMINATED),
        },
        PROCEEDING: {
            Provisional: row("pass_on", PROCEEDING),
            Success: row("accept", ACCEPTED),
            Failure: row("acknowledge", COMPLETED, TERMINATED),
            Unsendable: row("lose", TERMINATED),
        },
        COMPLETED: {
            Provisional: row("stay", COMPLETED),
            # No RFC has this; but somewhere a phone was answered, and whoever hears of it must end that call.
            Success: row("pass_on", COMPLETED),
            Failure: row("acknowledge_again", COMPLETED),
            "D": row("end", TERMINATED),
            Unsendable: row("lose", TERMINATED),
        },
        ACCEPTED: {
            Provisional: row("stay", ACCEPTED),
            Success: row("pass_on", ACCEPTED),  # repeated, or of another fork
            Failure: row("stay", ACCEPTED),
            "M": row("end", TERMINATED),
            Unsendable: row("stay", ACCEPTED),
        },
        TERMINATED: {},
    },
    Kind.CLIENT: {
        TRYING: {
            Provisional: row("slow_down", PROCEEDING),
            Success: row("complete", COMPLETED, TERMINATED),
            Failure: row("complete", COMPLETED, TERMINATED),
            "E": row("ask_again", TRYING),
            "F": row("give_up", TERMINATED),
            Unsendable: row("lose", TERMINATED),
        },
        PROCEEDING: {
            Provisional: row("pass_on", PROCEEDING),
            Success: row("complete", COMPLETED, TERMINATED),
            Failure: row("complete", COMPLETED, TERMINATED),
            "E": row("ask_again", PROCEEDING),
            "F": row("give_up", TERMINATED),
            Unsendable: row("lose", TERMINATED),
        },
        COMPLETED: {
            Provisional: row("stay", COMPLETED),
            Success: row("stay", COMPLETED),
            Failure: row("stay", COMPLETED),
            "K": row("end", TERMINATED),
            Unsendable: row("stay", COMPLETED),
        },
        TERMINATED: {},
    },
    Kind.INVITE_SERVER: {
        PROCEEDING: {
            Asked: row("say_again", PROCEEDING),
            Acked: row("stay", PROCEEDING),
            Provisional: row("say", PROCEEDING),
            Success: row("say_yes", ACCEPTED),
            Failure: row("say_no", COMPLETED),
            Unsendable: row("report", PROCEEDING),
        },
        COMPLETED: {
            Asked: row("say_again", COMPLETED),
            Acked: row("confirm", CONFIRMED, TERMINATED),
            Provisional: row("stay", COMPLETED),
            Success: row("stay", COMPLETED),
            Failure: row("stay", COMPLETED),
            "G": row("repeat", COMPLETED),
            "H": row("give_up", TERMINATED),
            Unsendable: row("report", COMPLETED),
        },
        CONFIRMED: {
            Asked: row("stay", CONFIRMED),
            Acked: row("stay", CONFIRMED),
            Provisional: row("stay", CONFIRMED),
            Success: row("stay", CONFIRMED),
            Failure: row("stay", CONFIRMED),
            "I": row("end", TERMINATED),
            Unsendable: row("stay", CONFIRMED),
        },
        ACCEPTED: {
            Asked: row("stay", ACCEPTED),  # the user repeats its 2xx by itself (RFC 3261 §13.3.1.4)
            Acked: row("hand_over", ACCEPTED),
            Provisional: row("stay", ACCEPTED),
            Success: row("say", ACCEPTED),
            Failure: row("stay", ACCEPTED),
            "L": row("end", TERMINATED),
            Unsendable: row("report", ACCEPTED),
        },
        TERMINATED: {},
    },
    Kind.SERVER: {
        TRYING: {
            Asked: row("stay", TRYING),
            Provisional: row("say", PROCEEDING),
            Success: row("answer", COMPLETED, TERMINATED),
            Failure: row("answer", COMPLETED, TERMINATED),
            Unsendable: row("stay", TRYING),
        },
        PROCEEDING: {
            Asked: row("say_again", PROCEEDING),
            Provisional: row("say", PROCEEDING),
            Success: row("answer", COMPLETED, TERMINATED),
            Failure: row("answer", COMPLETED, TERMINATED),
            Unsendable: row("report", PROCEEDING),
        },
        COMPLETED: {
            Asked: row("say_again", COMPLETED),
            Provisional: row("stay", COMPLETED),
            Success: row("stay", COMPLETED),
            Failure: row("stay", COMPLETED),
            "J": row("end", TERMINATED),
            Unsendable: row("report", COMPLETED),
        },
        TERMINATED: {},
    },
}
