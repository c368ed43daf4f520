"""An answered call on its SIP leg, until its end is confirmed (RFC 3261 §13.3, §14, §15; RFC 3311, RFC 4028).

It never starts or widens a leg by itself. `Change` (a re-INVITE) and a 2xx in `Say` are given to it by the
user agent in the step that redeemed a grant for them; a lease that ends comes in as `HungUp`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from licensing.instant import MILLISECOND, Instant
from signaling.pstn.sip.answer import respond
from signaling.pstn.sip.dialog import Dialog
from signaling.pstn.sip.info import TAKEN, key
from signaling.pstn.sip.message import Fields, Request, Response
from signaling.pstn.sip.problem import SipError
from signaling.pstn.sip.refresh import Watch, agreed, minimum
from signaling.pstn.sip.session_events import (
    Ask,
    Came,
    Change,
    Changed,
    Effect,
    Ended,
    Event,
    Heard,
    HungUp,
    Keyed,
    Offered,
    OurEnd,
    Parted,
    Reply,
    Say,
    SendAck,
    StartTimer,
    TimedOut,
    Timer,
    Unanswered,
    WantRefresh,
)
from signaling.pstn.sip.transaction import GIVE_UP, T1, T2
from signaling.pstn.sip.values import quick, replace

ALLOWED = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, PRACK, INFO"


class Phase(StrEnum):
    """How the leg stands."""

    UP = "up"
    ENDING = "ending"  # our BYE is under way
    ENDED = "ended"


@quick
@dataclass(frozen=True, slots=True)
class Session:
    """One leg's dialog once it is answered, by us or by the peer."""

    dialog: Dialog
    phase: Phase = Phase.UP
    updates: bool = False  # the peer's Allow has UPDATE
    watch: Watch | None = None
    said: Response | None = None  # our 2xx to an INVITE, repeated until its ACK
    interval: int = T1
    theirs: Request | None = None  # their offer that waits for our answer
    ours: Request | None = None  # our re-INVITE or UPDATE that waits for theirs
    retry: Change | None = None  # after a 491
    ack: Request | None = None  # of our last re-INVITE, for a repeated 2xx
    leaving: HungUp | None = None  # our BYE waits for their ACK
    cause: OurEnd = "bye"
    timers: tuple[tuple[Timer, int], ...] = ()

    def receive(self, event: Event, now: Instant) -> "tuple[Session, tuple[Effect, ...]]":
        """The session after this event, and what is to be done for it, in order."""
        if isinstance(event, TimedOut):
            if (event.timer, event.at) not in self.timers:
                return self, ()
            state = replace(self, timers=tuple(t for t in self.timers if t[0] != event.timer))
            return ON_TIMER[event.timer](state, now)
        return STEPS[type(event)](self, event, now)


Result = tuple[Session, tuple[Effect, ...]]


def answered_by_peer(dialog: Dialog, response: Response, now: Instant) -> Result:
    """Our INVITE got its 2xx."""
    session = Session(dialog, updates="update" in response.options("Allow"), watch=agreed(response))
    return _watched(session, now)


def answered_by_us(dialog: Dialog, invite: Request, say: Say, now: Instant) -> Result:
    """We answer an INVITE by a 2xx; its grant was redeemed in this step."""
    return _say(Session(dialog, updates="update" in invite.options("Allow"), theirs=invite), say, now)


# --- requests of the peer ---------------------------------------------------------------------------------


def _came(state: Session, event: Came, now: Instant) -> Result:
    request = event.request
    if request.method == "ACK":
        return _acked(state, request)
    try:
        state = replace(state, dialog=state.dialog.received(request))
    except SipError as error:
        return state, (Reply(respond(request, error.status or 500)),)
    if request.method == "BYE":
        return _peer_ended(state, request)
    if state.phase is not Phase.UP:
        return state, (Reply(respond(request, 481)),)
    match request.method:
        case "INVITE" | "UPDATE":
            return _offered(state, request, now)
        case "INFO":
            return _told(state, request)
        case "OPTIONS":
            return state, (Reply(respond(request, 200, fields=(("Allow", ALLOWED),))),)
        case _:
            return state, (Reply(respond(request, 405, fields=(("Allow", ALLOWED),))),)


def _told(state: Session, request: Request) -> Result:
    try:
        found = key(request)
    except SipError as error:
        fields = TAKEN if error.status == 415 else ()
        return state, (Reply(respond(request, error.status or 400, fields=fields)),)
    reply = Reply(respond(request, 200))
    return state, (reply, Keyed(found)) if found else (reply,)


def _acked(state: Session, ack: Request) -> Result:
    if state.said is None or ack.cseq.number != state.said.cseq.number:
        return state, ()
    timers = tuple(t for t in state.timers if t[0] not in ("repeat", "no_ack"))
    state = replace(state, said=None, timers=timers)
    return _bye(state, "bye", state.leaving.fields) if state.leaving else (state, ())


def _peer_ended(state: Session, request: Request) -> Result:
    reply = Reply(respond(request, 200))
    if state.phase is Phase.ENDED:
        return state, (reply,)
    waiting = (Reply(respond(state.theirs, 487)),) if state.theirs else ()  # RFC 3261 §15.1.2
    ended = replace(state, phase=Phase.ENDED, theirs=None, said=None, timers=())
    return ended, (reply, *waiting, Ended("peer"))


def _offered(state: Session, request: Request, now: Instant) -> Result:
    """One offer at a time (RFC 3261 §14.2, RFC 3311 §5.2)."""
    offers = request.method == "INVITE" or bool(request.body)
    if offers and state.ours is not None and (state.ours.method == "INVITE" or state.ours.body):
        return state, (Reply(respond(request, 491)),)
    if state.theirs is not None or (offers and state.said is not None):
        retry = ("Retry-After", str(request.cseq.number % 10))  # from 0 to 10 s, says the RFC, at random
        return state, (Reply(respond(request, 500, fields=(retry,))),)
    state = replace(state, dialog=state.dialog.refreshed(request), theirs=request)
    return state, (Offered(request),)


def _say(state: Session, event: Say, now: Instant) -> Result:
    request, response = state.theirs, event.response
    if request is None or response.cseq != request.cseq:
        return state, ()
    if response.status < 200:
        return state, (Reply(response),)
    state = replace(state, theirs=None)
    if response.status >= 300:
        return state, (Reply(response),)
    effects: tuple[Effect, ...] = (Reply(response),)
    if request.method == "INVITE":
        state = replace(state, said=response, interval=T1)
        state, started = _start(state, ("repeat", now.mono_ns + T1), ("no_ack", now.mono_ns + GIVE_UP))
        effects += started
    state, watched = _watched(replace(state, watch=event.watch or state.watch), now)
    return state, effects + watched


# --- requests of ours -------------------------------------------------------------------------------------


def _change(state: Session, event: Change, now: Instant) -> Result:
    """Nothing is sent while another offer is open: it waits, and is sent when that is over."""
    if state.phase is not Phase.UP:
        return state, ()
    if state.ours or state.theirs or state.said:
        return _start(replace(state, retry=event), ("retry", now.mono_ns + T1))
    fields = event.fields
    if state.watch:
        fields = (*fields, ("Supported", "timer"), ("Session-Expires", _expires(state.watch)))
    if event.body:
        fields = (*fields, ("Content-Type", "application/sdp"))
    dialog, request = state.dialog.request("INVITE", fields, event.body)
    return replace(state, dialog=dialog, ours=request, retry=None), (Ask(request),)


def _heard(state: Session, event: Heard, now: Instant) -> Result:
    request, response = event.request, event.response
    if response.status < 200:
        return state, ()
    if request != state.ours:
        repeated = state.ack and state.ack.cseq.number == request.cseq.number and response.status < 300
        return state, (SendAck(state.ack),) if repeated and state.ack else ()
    state = replace(state, ours=None)
    if response.status >= 300:
        return _refused(state, event, now)
    state = replace(state, dialog=state.dialog.refreshed(response), watch=agreed(response))
    effects: tuple[Effect, ...] = ()
    if request.method == "INVITE":
        state = replace(state, ack=state.dialog.acknowledge(request))
        assert state.ack is not None
        effects = (SendAck(state.ack), Changed(response))
    if state.phase is not Phase.UP:
        return state, effects
    state, watched = _watched(state, now)
    return state, effects + watched


def _parted(state: Session, event: Parted, now: Instant) -> Result:
    """It is over for us, whatever the far end says to it (RFC 3261 §15.1.1)."""
    if state.phase is not Phase.ENDING:
        return state, ()
    return replace(state, phase=Phase.ENDED, timers=()), (Ended(state.cause, event.doubt),)


def _refused(state: Session, event: Heard, now: Instant) -> Result:
    request, response = event.request, event.response
    if state.phase is not Phase.UP:
        return state, ()
    if response.status in (408, 481):  # RFC 3261 §12.2.1.2: the peer has no such dialog
        return _bye(state, "lost")
    if response.status == 491 and request.method == "INVITE":
        # RFC 3261 §14.1 has the owner of the Call-ID wait for longer, 2.1 s to 4 s: we always do.
        pause = 2100 * MILLISECOND + int(event.dice * 1900) * MILLISECOND
        state = replace(state, retry=Change(request.body, _own_fields(request)))
        return _start(state, ("retry", now.mono_ns + pause))
    if response.status == 422 and state.watch and minimum(response) > state.watch.seconds:
        state = replace(state, watch=Watch(minimum(response), ours=True))
        if request.method == "UPDATE":
            return _refresh(state)
        return _change(state, Change(request.body, _own_fields(request)), now)
    # The timer that ends an unrefreshed call runs on; by re-INVITE it may be refreshed yet.
    return state, (Changed(response) if request.method == "INVITE" else WantRefresh(),)


def _unanswered(state: Session, event: Unanswered, now: Instant) -> Result:
    if event.request != state.ours or state.phase is not Phase.UP:
        return state, ()
    if not event.unsent:
        return _bye(state, "silent")
    # It is no more than a 503 (RFC 3261 §8.1.3.1), and the call may be as it was: it is asked again.
    state, again = replace(state, ours=None), now.mono_ns + T2
    if event.request.method == "UPDATE":
        return _start(state, ("watch", again))
    change = Change(event.request.body, _own_fields(event.request))
    return _start(replace(state, retry=change), ("retry", again))


def _hung_up(state: Session, event: HungUp, now: Instant) -> Result:
    if state.phase is not Phase.UP:
        return state, ()
    if state.said is not None:  # RFC 3261 §15: the callee's BYE waits for the ACK, or for its absence
        return replace(state, leaving=event), ()
    return _bye(state, "bye", event.fields)


def _bye(state: Session, cause: OurEnd, fields: Fields = ()) -> Result:
    """What becomes of it is told by `Parted`."""
    waiting = (Reply(respond(state.theirs, 487)),) if state.theirs else ()
    dialog, bye = state.dialog.request("BYE", fields)
    ending = replace(
        state, dialog=dialog, phase=Phase.ENDING, theirs=None, said=None, retry=None, cause=cause, timers=()
    )
    return ending, (*waiting, Ask(bye))


# --- timers -----------------------------------------------------------------------------------------------


def _repeat(state: Session, now: Instant) -> Result:
    """A 2xx is repeated by its user, not by its transaction, also over TCP (RFC 3261 §13.3.1.4)."""
    if state.said is None:
        return state, ()
    interval = min(2 * state.interval, T2)
    reply = Reply(state.said)
    state, started = _start(replace(state, interval=interval), ("repeat", now.mono_ns + interval))
    return state, (reply, *started)


def _no_ack(state: Session, now: Instant) -> Result:
    return _bye(state, "no_ack")


def _on_watch(state: Session, now: Instant) -> Result:
    return _refresh(state)


def _on_expiry(state: Session, now: Instant) -> Result:
    return _bye(state, "expired")


def _on_retry(state: Session, now: Instant) -> Result:
    return _change(state, state.retry, now) if state.retry else (state, ())


ON_TIMER: dict[Timer, Callable[[Session, Instant], Result]] = {
    "repeat": _repeat,
    "no_ack": _no_ack,
    "watch": _on_watch,
    "retry": _on_retry,
    "expire": _on_expiry,
}


def _refresh(state: Session) -> Result:
    if state.watch is None or state.ours or state.theirs:
        return state, ()  # an offer that is open refreshes as well
    if not state.updates:
        return state, (WantRefresh(),)
    fields = (("Supported", "timer"), ("Session-Expires", _expires(state.watch)))
    dialog, update = state.dialog.request("UPDATE", fields)
    return replace(state, dialog=dialog, ours=update), (Ask(update),)


def _watched(state: Session, now: Instant) -> Result:
    """The session was refreshed: its timers start again, or there are none."""
    kept = [t for t in state.timers if t[0] not in ("watch", "expire")]
    timers: list[tuple[Timer, int]] = []
    if state.watch:
        timers.append(("expire", now.mono_ns + state.watch.end))
    if state.watch and state.watch.ours:
        timers.append(("watch", now.mono_ns + state.watch.half))
    if kept or timers or state.timers:
        state = replace(state, timers=(*kept, *timers))
    return state, tuple([StartTimer(*timer) for timer in timers])


def _expires(watch: Watch) -> str:
    return f"{watch.seconds};refresher={'uac' if watch.ours else 'uas'}"


def _own_fields(request: Request) -> Fields:
    """What a `Change` gave of a re-INVITE's headers."""
    made = {"Route", "Contact", "Supported", "Session-Expires", "Content-Type"}
    return tuple(f for f in request.fields if f[0] not in made)


def _start(state: Session, *timers: tuple[Timer, int]) -> Result:
    names = {name for name, _ in timers}
    kept = tuple(t for t in state.timers if t[0] not in names)
    return replace(state, timers=(*kept, *timers)), tuple(StartTimer(*timer) for timer in timers)


STEPS: dict[type[Event], Callable[..., Result]] = {
    Came: _came,
    Heard: _heard,
    Unanswered: _unanswered,
    Parted: _parted,
    Say: _say,
    Change: _change,
    HungUp: _hung_up,
}
