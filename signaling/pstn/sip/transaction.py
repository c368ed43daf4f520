"""SIP transactions: one request and its responses, over a wire that loses and repeats (RFC 3261 §17, 6026).

Four machines, as tables. Each is a value that is told what happened and answers with what should be done.
Its timers are values in it (`mono_ns`): whoever holds it looks at them after each event and says when one has
run out; one that was replaced or dropped is not heard. An INVITE client
transaction is started by the user agent alone, in the step that redeemed the grant for that very INVITE; the
Success a server transaction is given comes from that step as well.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from licensing.instant import MILLISECOND, SECOND, Instant
from signaling.pstn.sip.answer import respond
from signaling.pstn.sip.headers import numbered
from signaling.pstn.sip.message import Message, Request, Response
from signaling.pstn.sip.table import (
    ACCEPTED,
    CALLING,
    COMPLETED,
    CONFIRMED,
    PROCEEDING,
    TERMINATED,
    TRANSITIONS,
    TRYING,
    Acked,
    Event,
    Failure,
    Kind,
    Phase,
    Provisional,
    Success,
    TimedOut,
    Timer,
)
from signaling.pstn.sip.values import quick, replace

T1 = 500 * MILLISECOND  # an estimate of the round trip (RFC 3261 §17.1.1.1)
T2 = 4 * SECOND  # the longest pause between two sendings
T4 = 5 * SECOND  # how long a message may be under way
GIVE_UP = 64 * T1  # timers B, F, H, J, L, M; and D, which must be 32 s at least


# --- what is to be done -----------------------------------------------------------------------------------


@quick
@dataclass(frozen=True, slots=True)
class Send:
    """Give this to the transport."""

    message: Request | Response


@quick
@dataclass(frozen=True, slots=True)
class Deliver:
    """The user of the transaction must hear this."""

    message: Request | Response


@dataclass(frozen=True, slots=True)
class Failed:
    """Nobody answered, or nothing could be sent. For a client it is a 408 or a 503 (RFC 3261 §8.1.3.1)."""

    cause: Literal["timeout", "transport"]


Effect = Send | Deliver | Failed


# --- the machine ------------------------------------------------------------------------------------------


@quick
@dataclass(frozen=True, slots=True)
class Transaction:
    """One of the four machines, at one moment."""

    kind: Kind
    request: Request
    reliable: bool  # TCP or TLS: nothing is repeated, nothing is waited for
    phase: Phase
    said: Request | Response  # what goes out again when asked for or when a timer says so
    interval: int = T1
    timers: tuple[tuple[Timer, int], ...] = ()  # each with the moment at which to say `TimedOut`

    def receive(self, event: Event, now: Instant) -> "tuple[Transaction, tuple[Effect, ...]]":
        """The transaction after this event, and what is to be done for it, in order.

        A timer that does not run any more, and an event without a row, change nothing.
        """
        key: type[Event] | Timer = type(event)
        if isinstance(event, TimedOut):
            if (event.timer, event.at) not in self.timers:
                return self, ()
            key = event.timer
        found = TRANSITIONS[self.kind][self.phase].get(key)
        if found is None:
            return self, ()
        return STEPS[found.step](self, event, now)


Result = tuple[Transaction, tuple[Effect, ...]]
Told = Provisional | Success | Failure  # what such rows alone have steps for that need a response


def start_client(request: Request, now: Instant, *, reliable: bool) -> Result:
    """Send a request and keep at it. An ACK for a 2xx has no transaction: it is just sent."""
    invites = request.method == "INVITE"
    kind, phase = (Kind.INVITE_CLIENT, CALLING) if invites else (Kind.CLIENT, TRYING)
    repeat: Timer = "A" if invites else "E"
    limit: Timer = "B" if invites else "F"
    timers = [] if reliable else [(repeat, now.mono_ns + T1)]
    timers.append((limit, now.mono_ns + GIVE_UP))
    transaction = Transaction(kind, request, reliable, phase, request, timers=tuple(timers))
    return transaction, (Send(request),)


def start_server(request: Request, now: Instant, *, reliable: bool) -> Result:
    """A new request. An INVITE is answered by 100 at once, so that nobody repeats it while we decide."""
    if request.method != "INVITE":
        return Transaction(Kind.SERVER, request, reliable, TRYING, request), (Deliver(request),)
    trying = respond(request, 100)
    transaction = Transaction(Kind.INVITE_SERVER, request, reliable, PROCEEDING, trying)
    return transaction, (Send(trying), Deliver(request))


def acknowledgement(request: Request, response: Response) -> Request:
    """The ACK for a final response other than 2xx: part of the INVITE's transaction (RFC 3261 §17.1.1.3)."""
    return _beside(request, "ACK", response)


def cancellation(request: Request) -> Request:
    """The CANCEL of an INVITE, to be sent once a provisional response was heard (RFC 3261 §9.1)."""
    return _beside(request, "CANCEL", request)


def _beside(request: Request, method: str, whose_to: Message) -> Request:
    return Request(
        request.vias[:1],
        request.sender,
        whose_to.to,
        request.call_id,
        numbered(request.cseq.number, method),
        method=method,
        uri=request.uri,
        fields=tuple(f for f in request.fields if f[0] == "Route"),
    )


def _stay(state: Transaction, event: Event, now: Instant) -> Result:
    return state, ()


def _pass_on(state: Transaction, event: Told, now: Instant) -> Result:
    return state, (Deliver(event.response),)


def _proceed(state: Transaction, event: Told, now: Instant) -> Result:
    return replace(state, phase=PROCEEDING, timers=()), (Deliver(event.response),)


def _slow_down(state: Transaction, event: Told, now: Instant) -> Result:
    return replace(state, phase=PROCEEDING, interval=T2), (Deliver(event.response),)


def _accept(state: Transaction, event: Told, now: Instant) -> Result:
    return _wait(state, ACCEPTED, "M", GIVE_UP, now, Deliver(event.response))


def _acknowledge(state: Transaction, event: Told, now: Instant) -> Result:
    response = event.response
    ack = acknowledgement(state.request, response)
    pause = 0 if state.reliable else GIVE_UP
    return _wait(state, COMPLETED, "D", pause, now, Send(ack), Deliver(response), said=ack)


def _complete(state: Transaction, event: Told, now: Instant) -> Result:
    pause = 0 if state.reliable else T4
    return _wait(state, COMPLETED, "K", pause, now, Deliver(event.response))


def _ask_again(state: Transaction, event: Event, now: Instant) -> Result:
    timer: Timer = "A" if state.kind is Kind.INVITE_CLIENT else "E"
    return _once_more(state, timer, GIVE_UP if timer == "A" else T2, now)


def _repeat(state: Transaction, event: Event, now: Instant) -> Result:
    return _once_more(state, "G", T2, now)


def _say_again(state: Transaction, event: Event, now: Instant) -> Result:
    return state, (Send(state.said),)


def _say(state: Transaction, event: Told, now: Instant) -> Result:
    response = event.response
    phase = PROCEEDING if state.phase is TRYING else state.phase
    return replace(state, phase=phase, said=response), (Send(response),)


def _say_yes(state: Transaction, event: Told, now: Instant) -> Result:
    response = event.response
    return _wait(state, ACCEPTED, "L", GIVE_UP, now, Send(response), said=response)


def _say_no(state: Transaction, event: Told, now: Instant) -> Result:
    response = event.response
    timers: list[tuple[Timer, int]] = [] if state.reliable else [("G", now.mono_ns + T1)]
    timers.append(("H", now.mono_ns + GIVE_UP))
    state = replace(state, phase=COMPLETED, said=response, interval=T1, timers=tuple(timers))
    return state, (Send(response),)


def _answer(state: Transaction, event: Told, now: Instant) -> Result:
    response = event.response
    pause = 0 if state.reliable else GIVE_UP
    return _wait(state, COMPLETED, "J", pause, now, Send(response), said=response)


def _confirm(state: Transaction, event: Event, now: Instant) -> Result:
    return _wait(state, CONFIRMED, "I", 0 if state.reliable else T4, now)


def _hand_over(state: Transaction, event: Event, now: Instant) -> Result:
    assert isinstance(event, Acked)
    return state, (Deliver(event.request),)


def _report(state: Transaction, event: Event, now: Instant) -> Result:
    return state, (
        Failed("transport"),
    )  # RFC 6026 §7.1: the state stays, or a repeated INVITE were a new one


def _lose(state: Transaction, event: Event, now: Instant) -> Result:
    return replace(state, phase=TERMINATED, timers=()), (Failed("transport"),)


def _give_up(state: Transaction, event: Event, now: Instant) -> Result:
    return replace(state, phase=TERMINATED, timers=()), (Failed("timeout"),)


def _end(state: Transaction, event: Event, now: Instant) -> Result:
    return replace(state, phase=TERMINATED, timers=()), ()


def _wait(
    state: Transaction,
    phase: Phase,
    timer: Timer,
    pause: int,
    now: Instant,
    *effects: Effect,
    said: Request | Response | None = None,
) -> Result:
    """Into a phase that ends by its one timer; at once where there is nothing to wait for."""
    said = said or state.said
    if not pause:
        return replace(state, phase=TERMINATED, said=said, timers=()), effects
    return replace(state, phase=phase, said=said, timers=((timer, now.mono_ns + pause),)), effects


def _once_more(state: Transaction, timer: Timer, longest: int, now: Instant) -> Result:
    """Send again, and wait twice as long for the next time."""
    interval = min(2 * state.interval, longest)
    timers = (*(t for t in state.timers if t[0] != timer), (timer, now.mono_ns + interval))
    return replace(state, interval=interval, timers=timers), (Send(state.said),)


STEPS: dict[str, Callable[..., Result]] = {
    "stay": _stay,
    "pass_on": _pass_on,
    "proceed": _proceed,
    "slow_down": _slow_down,
    "accept": _accept,
    "acknowledge": _acknowledge,
    "acknowledge_again": _say_again,
    "complete": _complete,
    "ask_again": _ask_again,
    "repeat": _repeat,
    "say": _say,
    "say_again": _say_again,
    "say_yes": _say_yes,
    "say_no": _say_no,
    "answer": _answer,
    "confirm": _confirm,
    "hand_over": _hand_over,
    "report": _report,
    "lose": _lose,
    "give_up": _give_up,
    "end": _end,
}
