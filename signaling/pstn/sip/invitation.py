"""An INVITE of ours and all that may come of it: forks, reliable ringing, a CANCEL that comes too late.

Starts after the user agent sent the INVITE in the step that redeemed its grant; nothing here sends one. What
it must never do is forget a 2xx: a phone was answered, somebody pays, and it is held or ended (RFC 3261 §13,
§9.1; RFC 3262).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from licensing.instant import Instant
from signaling.pstn.sip.dialog import Dialog, dialog_of_caller
from signaling.pstn.sip.invitation_events import (
    Accepted,
    Ask,
    AskedAgain,
    CancelUnanswered,
    Effect,
    Event,
    HungUp,
    Kept,
    KeptBeside,
    Lost,
    Progressed,
    Refused,
    SendAck,
    Stray,
    Unfit,
    WaitForCancel,
)
from signaling.pstn.sip.message import Request, Response
from signaling.pstn.sip.problem import SipError
from signaling.pstn.sip.table import Failure, Provisional, Success
from signaling.pstn.sip.transaction import GIVE_UP, Failed, cancellation
from signaling.pstn.sip.values import quick, replace

MAX_FORKS = 16  # early dialogs that are remembered; a 2xx of one more is ended all the same


class Phase(StrEnum):
    """How far it has come."""

    CALLING = "calling"  # nothing heard: a CANCEL may not be sent yet
    PROCEEDING = "proceeding"
    CANCEL_WANTED = "cancel_wanted"  # sent with the first provisional response
    CANCELLING = "cancelling"
    ANSWERED = "answered"  # its dialog is `session.py`'s now; other forks are ended here
    ENDED = "ended"  # a late 2xx is still ended


_P = Phase
TRANSITIONS: dict[Phase, dict[type[Event], str]] = {
    _P.CALLING: {
        Provisional: "progress",
        Success: "accept",
        Unfit: "undo",
        Failure: "refuse",
        Failed: "lose",
        HungUp: "want_cancel",
    },
    _P.PROCEEDING: {
        AskedAgain: "count",
        Provisional: "progress",
        Success: "accept",
        Unfit: "undo",
        Failure: "refuse",
        Failed: "lose",
        HungUp: "cancel",
    },
    _P.CANCEL_WANTED: {
        Provisional: "cancel",
        Success: "undo",
        Unfit: "undo",
        Failure: "refuse",
        Failed: "lose",
        HungUp: "stay",
    },
    _P.CANCELLING: {
        Provisional: "stay",
        Success: "undo",
        Unfit: "undo",
        Failure: "refuse",
        Failed: "lose",
        HungUp: "stay",
        CancelUnanswered: "stop_waiting",
    },
    _P.ANSWERED: {
        Provisional: "stay",
        Success: "undo",
        Unfit: "undo",
        Kept: "acknowledge",
        KeptBeside: "part",
        Failure: "stay",
        Failed: "stay",
        HungUp: "stay",
        CancelUnanswered: "stay",
    },
    _P.ENDED: {
        Provisional: "stay",
        Success: "undo",
        Unfit: "undo",
        KeptBeside: "part",
        Failure: "stay",
        Failed: "stay",
        HungUp: "stay",
        CancelUnanswered: "stay",
    },
}


@quick
@dataclass(frozen=True, slots=True)
class Fork:
    """One early dialog: the response that made it, the CSeq of our last request in it, and the last reliable
    provisional response of it that was taken."""

    first: Response
    local_cseq: int
    rseq: int = 0

    @property
    def tag(self) -> str | None:
        """The peer's."""
        return self.first.to.tag


@quick
@dataclass(frozen=True, slots=True)
class Invitation:
    """One INVITE that was sent, to a sip: or sips: URI. `seed` is the secret of its dialogs (`Dialog`).

    With `holds` an answer is acknowledged when it is durable. Until then the peer repeats it, for 32 s, so
    that a server which is started anew hears it, and then hangs up by itself (RFC 3261 §13.3.1.4). Of what
    is cancelled nothing has to be kept: that it was asked for is.
    """

    invite: Request
    seed: str
    holds: bool = False
    phase: Phase = Phase.CALLING
    forks: tuple[Fork, ...] = ()
    acks: tuple[Request, ...] = ()  # one for each fork that answered, said again for each repeated 2xx
    held: Request | None = None  # the ACK that waits
    beside: tuple[tuple[Request, Request], ...] = ()  # ACK and BYE of other phones, that wait

    def receive(self, event: Event, now: Instant) -> "tuple[Invitation, tuple[Effect, ...]]":
        """The invitation after this event, and what is to be done for it, in order."""
        step = TRANSITIONS[self.phase].get(type(event))
        return STEPS[step](self, event, now) if step else (self, ())

    def fork(self, tag: str | None) -> Fork | None:
        """The early dialog with this tag of the peer."""
        for fork in self.forks:
            if fork.tag == tag:
                return fork
        return None


Result = tuple[Invitation, tuple[Effect, ...]]
Told = Provisional | Success | Unfit | Failure  # what such rows alone have steps for that need a response


def _stay(state: Invitation, event: Event, now: Instant) -> Result:
    return state, ()


def _progress(state: Invitation, event: Told, now: Instant) -> Result:
    response = event.response
    if state.phase is not Phase.PROCEEDING:
        state = replace(state, phase=Phase.PROCEEDING)
    if response.status == 100:
        return state, ()
    if response.to.tag is None:
        return state, (Progressed(response),)
    fork = state.fork(response.to.tag)
    if fork is None:
        if len(state.forks) >= MAX_FORKS:
            return state, ()
        fork = Fork(response, state.invite.cseq.number)
    rseq = _reliable(response)
    if rseq is None:
        return _with(state, fork), (Progressed(response),)
    if fork.rseq and rseq != fork.rseq + 1:
        return state, ()  # repeated, or one before it is missing (RFC 3262 §4)
    dialog = replace(_dialog(state, fork.first), local_cseq=fork.local_cseq)
    dialog, prack = dialog.request("PRACK", (("RAck", f"{rseq} {response.cseq}"),))
    return _with(state, Fork(fork.first, dialog.local_cseq, rseq)), (Ask(prack), Progressed(response))


def _count(state: Invitation, event: Event, now: Instant) -> Result:
    assert isinstance(event, AskedAgain)
    fork = state.fork(event.request.to.tag)
    if fork is None:
        return state, ()
    return _with(state, replace(fork, local_cseq=event.request.cseq.number)), ()


def _accept(state: Invitation, event: Told, now: Instant) -> Result:
    response = event.response
    try:
        dialog = _confirmed(state, response)
    except SipError:
        return _undo(state, event, now)
    ack = dialog.acknowledge(state.invite)
    others = tuple([fork for fork in state.forks if fork.tag != response.to.tag])
    if state.holds:
        return replace(state, phase=Phase.ANSWERED, forks=others, held=ack), (Accepted(dialog, response),)
    state = replace(state, phase=Phase.ANSWERED, forks=others, acks=(ack,))
    return state, (SendAck(ack), Accepted(dialog, response))


def _acknowledge(state: Invitation, event: Event, now: Instant) -> Result:
    if state.held is None:
        return state, ()
    return replace(state, acks=(*state.acks, state.held), held=None), (SendAck(state.held),)


def _part(state: Invitation, event: Event, now: Instant) -> Result:
    assert isinstance(event, KeptBeside)
    for ack, bye in state.beside:
        if ack.to.tag == event.tag:
            rest = tuple([pair for pair in state.beside if pair[0] is not ack])
            return replace(state, acks=(*state.acks, ack), beside=rest), (SendAck(ack), Ask(bye))
    return state, ()


def _undo(state: Invitation, event: Told, now: Instant) -> Result:
    """Acknowledge, for the peer repeats its 2xx until then, and end, unless both were done before."""
    response = event.response
    waiting = (state.held, *[ack for ack, _ in state.beside])
    if any(ack and ack.to.tag == response.to.tag for ack in waiting):
        return state, ()
    known = next((ack for ack in state.acks if ack.to.tag == response.to.tag), None)
    if known:
        return state, (SendAck(known),)
    try:
        dialog = _confirmed(state, response)
    except SipError:  # no Contact: the only address we have is the one we called
        dialog = _dialog(state, replace(response, status=199))
    ack = dialog.acknowledge(state.invite)
    dialog, bye = dialog.request("BYE")
    if state.holds and state.phase in (Phase.ANSWERED, Phase.ENDED):
        return replace(state, beside=(*state.beside, (ack, bye))), (Stray(dialog),)
    phase = state.phase if state.phase is Phase.ANSWERED else Phase.ENDED
    lost = {
        Phase.CANCEL_WANTED: (Lost("cancelled"),),
        Phase.CANCELLING: (Lost("cancelled"),),
        Phase.CALLING: (Lost("unusable"),),
        Phase.PROCEEDING: (Lost("unusable"),),
    }.get(state.phase, ())
    return replace(state, phase=phase, acks=(*state.acks, ack)), (
        SendAck(ack),
        Ask(bye),
        Stray(dialog),
        *lost,
    )


def _refuse(state: Invitation, event: Told, now: Instant) -> Result:
    return replace(state, phase=Phase.ENDED), (Refused(event.response),)


def _lose(state: Invitation, event: Event, now: Instant) -> Result:
    assert isinstance(event, Failed)
    return replace(state, phase=Phase.ENDED), (Lost(event.cause),)


def _want_cancel(state: Invitation, event: Event, now: Instant) -> Result:
    return replace(state, phase=Phase.CANCEL_WANTED), ()


def _cancel(state: Invitation, event: Event, now: Instant) -> Result:
    wait = WaitForCancel(now.mono_ns + GIVE_UP)
    return replace(state, phase=Phase.CANCELLING), (Ask(cancellation(state.invite)), wait)


def _stop_waiting(state: Invitation, event: Event, now: Instant) -> Result:
    return replace(state, phase=Phase.ENDED), (Lost("not_cancelled"),)


def _dialog(state: Invitation, response: Response) -> Dialog:
    return dialog_of_caller(state.invite, response, state.seed)


def _confirmed(state: Invitation, response: Response) -> Dialog:
    """From the 2xx alone, but for the numbers that PRACKs have used (RFC 3261 §13.2.2.4)."""
    dialog = _dialog(state, response)
    fork = state.fork(response.to.tag)
    if fork is None or fork.local_cseq == dialog.local_cseq:
        return dialog
    return replace(dialog, local_cseq=fork.local_cseq)


def _with(state: Invitation, fork: Fork) -> Invitation:
    if fork in state.forks:
        return state
    others = [one for one in state.forks if one.tag != fork.tag]
    return replace(state, forks=(*others, fork))


def _reliable(response: Response) -> int | None:
    """Its RSeq, if it wants a PRACK (RFC 3262 §4, §7.1)."""
    text = response.get("RSeq") or ""
    if "100rel" not in response.options("Require") or not text.isascii() or not text.isdigit():
        return None
    return int(text) if len(text) <= 10 and 0 < int(text) < 2**32 else None


STEPS: dict[str, Callable[..., Result]] = {
    "stay": _stay,
    "progress": _progress,
    "count": _count,
    "accept": _accept,
    "acknowledge": _acknowledge,
    "part": _part,
    "undo": _undo,
    "refuse": _refuse,
    "lose": _lose,
    "want_cancel": _want_cancel,
    "cancel": _cancel,
    "stop_waiting": _stop_waiting,
}
