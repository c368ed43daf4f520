"""An INVITE that a carrier sent us, until it is answered, refused or cancelled (RFC 3261 §13.3, 3262).

It says nothing by itself but what the peer is owed. `Ring` with a description and `Accept` are given to it by
the user agent in the step that redeemed the grant; `Accept` only while `may_accept`, so that no grant is
consumed for a 2xx that must wait for a PRACK.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from licensing.instant import Instant
from signaling.pstn.sip.answer import respond
from signaling.pstn.sip.dialog import Dialog
from signaling.pstn.sip.message import Fields, Request, Response
from signaling.pstn.sip.problem import SipError
from signaling.pstn.sip.transaction import GIVE_UP, T1
from signaling.pstn.sip.values import quick, replace

Timer = Literal["repeat", "no_prack"]


class Phase(StrEnum):
    """How far it has come."""

    RINGING = "ringing"  # or about to
    ANSWERED = "answered"  # its dialog is `session.py`'s now
    ENDED = "ended"


# --- what happens -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ring:
    """Say a 1xx; reliably if the peer requires or supports it and `reliable` asks for it."""

    status: int
    fields: Fields = ()
    body: bytes = field(default=b"", repr=False)
    reliable: bool = False


@dataclass(frozen=True, slots=True)
class Accept:
    """Say a 2xx."""

    fields: Fields = ()
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Refuse:
    """Say a final response from 300 on."""

    status: int
    fields: Fields = ()


@dataclass(frozen=True, slots=True)
class Came:
    """A PRACK, CANCEL, BYE or other request of the peer that belongs to this INVITE."""

    request: Request


@dataclass(frozen=True, slots=True)
class TimedOut:
    """A timer has run out; `at` is the deadline it was started with."""

    timer: Timer
    at: int


Event = Ring | Accept | Refuse | Came | TimedOut


# --- what is to be done -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer this request by its server transaction, whose method the response's CSeq names."""

    response: Response


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Say `TimedOut(timer, at)` at that moment of the monotonic clock."""

    timer: Timer
    at: int


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The PRACK came: the next reliable response, or the 2xx, may follow."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The caller hung up, or never confirmed what it had to (`no_prack`): the phones stop ringing."""

    cause: Literal["cancelled", "no_prack"]


Effect = Reply | StartTimer | Confirmed | Ended


@quick
@dataclass(frozen=True, slots=True)
class Answering:
    """One INVITE that came. `rseq` is the number of the next reliable response, at first one below 2^31 drawn
    by whoever makes this (RFC 3262 §3)."""

    invite: Request
    dialog: Dialog
    rseq: int
    phase: Phase = Phase.RINGING
    waiting: Response | None = None  # a reliable response without its PRACK yet
    interval: int = T1
    timers: tuple[tuple[Timer, int], ...] = ()

    @property
    def may_accept(self) -> bool:
        """May a 2xx be said now? Not while an unconfirmed response holds a description (RFC 3262 §3)."""
        return self.phase is Phase.RINGING and not (self.waiting and self.waiting.body)

    def receive(self, event: Event, now: Instant) -> "tuple[Answering, tuple[Effect, ...]]":
        """The state after this event, and what is to be done for it, in order."""
        if isinstance(event, TimedOut) and (event.timer, event.at) not in self.timers:
            return self, ()
        return STEPS[type(event)](self, event, now)

    def say(self, status: int, fields: Fields = (), body: bytes = b"") -> Response:
        """A response to the INVITE, with our tag and, where a dialog begins, our Contact."""
        contact = (("Contact", str(self.dialog.contact)),) if 100 < status < 300 else ()
        content = (("Content-Type", "application/sdp"),) if body else ()
        tag = self.dialog.local.tag
        return respond(self.invite, status, tag=tag, fields=(*contact, *fields, *content), body=body)


Result = tuple[Answering, tuple[Effect, ...]]


def _ring(state: Answering, event: Ring, now: Instant) -> Result:
    """One reliable response at a time: while one waits for its PRACK, the next is not said (RFC 3262 §3)."""
    if state.phase is not Phase.RINGING:
        return state, ()
    required = "100rel" in state.invite.options("Require")
    supported = required or "100rel" in state.invite.options("Supported")
    if not (required or (event.reliable and supported)) or event.status == 100:
        return state, (Reply(state.say(event.status, event.fields, event.body)),)
    if state.waiting:
        return state, ()
    fields = (("Require", "100rel"), ("RSeq", str(state.rseq)), *event.fields)
    response = state.say(event.status, fields, event.body)
    timers: tuple[tuple[Timer, int], ...] = (
        ("repeat", now.mono_ns + T1),
        ("no_prack", now.mono_ns + GIVE_UP),
    )
    state = replace(state, waiting=response, rseq=state.rseq + 1, interval=T1, timers=timers)
    return state, (Reply(response), *(StartTimer(*timer) for timer in timers))


def _accept(state: Answering, event: Accept, now: Instant) -> Result:
    if not state.may_accept:
        raise ValueError("a 2xx that must wait for a PRACK, or comes after the end")
    answered = replace(state, phase=Phase.ANSWERED, waiting=None, timers=())
    return answered, (Reply(state.say(200, event.fields, event.body)),)


def _refuse(state: Answering, event: Refuse, now: Instant) -> Result:
    if state.phase is not Phase.RINGING:
        return state, ()
    return _ended(state), (Reply(state.say(event.status, event.fields)),)


def _came(state: Answering, event: Came, now: Instant) -> Result:
    request = event.request
    if request.method == "CANCEL":
        return _cancelled(state, Reply(respond(request, 200, tag=state.dialog.local.tag)))
    try:
        state = replace(state, dialog=state.dialog.received(request))
    except SipError as error:
        return state, (Reply(respond(request, error.status or 500)),)
    match request.method:
        case "ACK":  # of our refusal, or of a 2xx that `session.py` waits for
            return state, ()
        case "PRACK":
            return _pracked(state, request)
        case "BYE":  # RFC 3261 §15: the caller may leave an early dialog so
            return _cancelled(state, Reply(respond(request, 200)))
        case "UPDATE" if request.body:  # its INVITE's own offer is not answered yet (RFC 3311 §5.2)
            return state, (Reply(respond(request, 500, fields=(("Retry-After", "5"),))),)
        case "UPDATE" | "OPTIONS":
            return state, (Reply(respond(request, 200, fields=(("Contact", str(state.dialog.contact)),))),)
        case _:
            return state, (Reply(respond(request, 405)),)


def _cancelled(state: Answering, reply: Reply) -> Result:
    """A CANCEL after our final answer changes nothing (RFC 3261 §9.2)."""
    if state.phase is not Phase.RINGING:
        return state, (reply,)
    return _ended(state), (reply, Reply(state.say(487)), Ended("cancelled"))


def _pracked(state: Answering, prack: Request) -> Result:
    expected = f"{state.rseq - 1} {state.invite.cseq}"
    if state.waiting is None or " ".join((prack.get("RAck") or "").split()) != expected:
        return state, (Reply(respond(prack, 481)),)
    state = replace(state, waiting=None, timers=())
    return state, (Reply(respond(prack, 200)), Confirmed())


def _timed_out(state: Answering, event: TimedOut, now: Instant) -> Result:
    if event.timer == "no_prack":  # RFC 3262 §3: a 5xx
        return _ended(state), (Reply(state.say(504)), Ended("no_prack"))
    assert state.waiting is not None
    interval = 2 * state.interval
    repeat: tuple[Timer, int] = ("repeat", now.mono_ns + interval)
    timers = (*(t for t in state.timers if t[0] != "repeat"), repeat)
    return replace(state, interval=interval, timers=timers), (Reply(state.waiting), StartTimer(*repeat))


def _ended(state: Answering) -> Answering:
    return replace(state, phase=Phase.ENDED, waiting=None, timers=())


STEPS: dict[type[Event], Callable[..., Result]] = {
    Ring: _ring,
    Accept: _accept,
    Refuse: _refuse,
    Came: _came,
    TimedOut: _timed_out,
}
