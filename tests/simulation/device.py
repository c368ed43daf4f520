"""A device for the search: the client's real session, a person and media that react at once."""

from dataclasses import dataclass, field, replace
from functools import cache

from wephone.core import effects as out
from wephone.core import events, inputs
from wephone.core.call import TRANSITIONS, Call, Phase
from wephone.core.negotiation import Negotiation
from wephone.core.session import Link, Session, Step
from wephone.protocol import messages
from wephone.protocol.ids import CallId, SessionId, UserId
from wephone.protocol.messages import Candidate, ClientMessage, Media, ServerMessage, Welcome

AUDIO = (Media.AUDIO,)
NONCE = "0" * 64
FOUND = (Candidate(candidate="candidate:1"),)
# Which clock of its own a call must have in each phase, so that it ends though the server is gone.
CLOCKS: dict[Phase, frozenset[inputs.Timer]] = {
    Phase.CALLING: frozenset({"ring"}),
    Phase.AWAITED: frozenset({"answer"}),
    Phase.RINGING: frozenset({"ring"}),
    Phase.ACCEPTED: frozenset({"ring", "answer"}),
    Phase.ANSWERED: frozenset({"answer"}),
    Phase.ENDING: frozenset({"ending"}),
}
# Where a message finds no row: our word to end the call has crossed it, or it was sent before a break.
LATE = {
    Phase.ENDING: {
        messages.CallProgress,
        messages.Early,
        messages.Candidates,
        messages.Reveal,
        messages.Negotiate,
        messages.Ending,
        messages.EndingCancelled,
    },
}
# What a terse device leaves out.
UNSAID: dict[bool, tuple[type, ...]] = {True: (messages.Delivered,), False: ()}


class Broken(AssertionError):
    """Something that must never be so is so."""


@dataclass(frozen=True, slots=True)
class Device:
    """A session that is always up while the device hears, and the timers its calls have armed."""

    session: Session
    timers: frozenset[tuple[CallId, inputs.Timer]] = frozenset()
    trickles: bool = False
    terse: bool = False
    hashed: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hashed", hash((self.session, self.timers)))

    def __hash__(self) -> int:
        """Made once: the search asks for it all the time."""
        return self.hashed


KNOWN: dict[Device, Device] = {}  # one object for equal devices: they are compared all the time


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a device is after something happened to it, what it did and what its person is told."""

    device: Device
    sent: tuple[ClientMessage, ...]
    told: tuple[events.CallEvent, ...]
    opened: tuple[CallId, ...]  # calls whose sound may leave from now on


def signed_in(device: Device) -> Device:
    """With a link that is up, nothing counted."""
    return replace(device, session=replace(device.session, link=Link.UP))


@cache
def place(device: Device, call: CallId, to: str) -> Reaction:
    """The person calls somebody."""
    return react(device, device.session.place(call, to, AUDIO, NONCE))


@cache
def tell(device: Device, call: CallId, event: inputs.CallInput) -> Reaction:
    """The person, the media or a clock says something of one call."""
    require_row(device.session, call, event)
    return react(device, device.session.tell_call(call, event, 0))


@cache
def hear(device: Device, message: ServerMessage) -> Reaction:
    """A message of the server arrives."""
    if not isinstance(message, messages.Error):  # errors are outside the count
        message = message.model_copy(update={"n": device.session.seen + 1})
    call = getattr(message, "call", None)
    glared = isinstance(message, messages.Ended) and message.survivor is not None
    if call is not None and not glared:
        require_row(device.session, call, message)
    return react(device, device.session.received(message, 0))


@cache
def come_back(device: Device, resync: messages.Resync | None) -> Reaction:
    """On a new connection: with the old session, or with what the server still holds."""
    session, _ = replace(device.session, link=Link.DOWN).opened("t" * 16)
    welcome = Welcome(
        user=UserId("alice"),
        device=session.device,
        session=SessionId("s" * 8),
        resumed=resync is None,
        now=0,
        heartbeat=20.0,
        resume_for=60.0,
    )
    reaction = react(device, session.received(welcome, 0))
    if resync is None:
        return reaction
    second = hear(reaction.device, resync)
    return replace(second, sent=reaction.sent + second.sent, told=reaction.told + second.told)


def require_row(session: Session, id: CallId, event: object) -> None:
    """Broken if the client's table has no row for this, though the call is there and it is not late."""
    call, kind = session.call(id), type(event)
    if call is None or kind in TRANSITIONS[call.phase] or kind in LATE.get(call.phase, ()):
        return
    raise Broken(f"a device has no row for {kind.__name__} in {call.phase}")


def react(device: Device, step: Step) -> Reaction:
    """Carry out what can be done at once: describe, ring, find a candidate, run timers."""
    session, effects = step
    timers = set(device.timers)
    sent: list[ClientMessage] = []
    told: list[events.CallEvent] = []
    opened: list[CallId] = []
    queue = list(effects)
    while queue:
        effect = queue.pop(0)
        match effect:
            case out.Send(message):
                if not isinstance(message, (messages.Hello, *UNSAID[device.terse])):
                    sent.append(message)
            case out.StartTimer(call, timer, _):
                timers.add((call, timer))
            case out.StopTimer(call, timer):
                timers.discard((call, timer))
            case out.StartMedia(call):
                opened.append(call)
            case out.Tell(event) if isinstance(event, events.CallEvent):
                told.append(event)
            case _:
                pass
        for id, said in answers(effect, device.trickles):
            require_row(session, id, said)
            session, more = session.tell_call(id, said, 0)
            queue.extend(more)
    calls = tuple(plain(call) for call in session.calls)
    session = replace(session, seen=0, acked=0, next_ref=1, failures=0, user=None, session=None, calls=calls)
    after = replace(device, session=session, timers=frozenset(timers))
    return Reaction(KNOWN.setdefault(after, after), tuple(sent), tuple(told), tuple(opened))


def answers(effect: out.Effect, trickles: bool) -> list[tuple[CallId, inputs.CallInput]]:
    """What media and ringer say to this at once."""
    found: tuple[inputs.CallInput, ...] = (inputs.CandidatesFound(FOUND, True),) if trickles else ()
    match effect:
        case out.CreateOffer(call):
            return [(call, said) for said in (inputs.OfferCreated("o"), *found)]
        case out.CreateAnswer(call):
            return [(call, said) for said in (inputs.AnswerCreated("a"), *found)]
        case out.Tell(events.Rings(call)):
            return [(call, inputs.Ring())]
        case _:
            return []


def plain(call: Call) -> Call:
    """A call that is ending, without what no step of its end reads: its last word is what counts."""
    if call.phase is not Phase.ENDING:
        return call
    bare = Call(call.id, call.role, call.peer, call.phase, Negotiation(AUDIO))
    return replace(bare, theirs="o" if call.theirs else "", last_word=call.last_word, over=call.over)


def without_clock(device: Device) -> list[str]:
    """Calls of this device that could go on for ever if the server fell silent."""
    return [
        f"{call.phase} has no clock"
        for call in device.session.calls
        if call.phase in CLOCKS and not any((call.id, timer) in device.timers for timer in CLOCKS[call.phase])
    ]
