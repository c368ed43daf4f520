"""The client's half of a session: one device's stay on a server, over connections that break.

Told what arrives and what the application wants, it answers with effects and its next value. A thin
edge (`wephone/client.py`) opens sockets, runs timers and media, and hands every outcome back in.
Everything an application hears, it hears once: events have numbers, texts have sequence numbers.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from wephone.core import call as calls
from wephone.core import effects as out
from wephone.core import events, inputs
from wephone.core.call import Call, Phase
from wephone.core.effects import CallEffect, Effect, Send, StartTimer, Tell
from wephone.core.state import ANSWER, INVITE
from wephone.protocol import messages
from wephone.protocol.ids import CallId, DeviceId, MessageId, SessionId, UserId
from wephone.protocol.messages import Media, ServerMessage
from wephone.protocol.reasons import EndReason, ErrorCode

HEARD = "heard"  # a server that lists it among its features asks what calls came to
SO_FAR = "heard-so-far"  # and this, what those that run have come to by now
ACK_EVERY = 8  # events: the server keeps at most 64 for us
FIRST_DELAY = 100_000_000  # ns
LONGEST_DELAY = 10_000_000_000  # ns
MAX_CALLS = 64  # as many as a hello may name

# The server's word on one call goes to that call.
CALL_MESSAGES = (
    messages.CallProgress,
    messages.Early,
    messages.Answered,
    messages.SelectAnswer,
    messages.Candidates,
    messages.Reveal,
    messages.Negotiate,
    messages.Ending,
    messages.EndingCancelled,
    messages.Transfer,
    messages.TransferFailed,
)
FINAL = frozenset({ErrorCode.UNSUPPORTED_VERSION})


class Link(StrEnum):
    """What there is between us and the server."""

    DOWN = "down"
    GREETING = "greeting"  # hello is out
    CATCHING_UP = "catching_up"  # welcome without our old session; the resync is to come
    UP = "up"
    OVER = "over"  # for good


@dataclass(frozen=True, slots=True)
class Request:
    """Something asked once that must arrive: sent again on every new connection until it is answered."""

    ref: int
    message: messages.SendText | messages.Read | messages.MissedSeen


@dataclass(frozen=True, slots=True)
class Session:
    """All that a device keeps of its stay. `text_seq`: the last text its application has, ever."""

    device: DeviceId
    device_name: str = ""
    client: str = ""
    features: tuple[str, ...] = ()
    text_seq: int = 0
    user: UserId | None = None
    session: SessionId | None = None
    seen: int = 0  # the last event of the session
    acked: int = 0
    link: Link = Link.DOWN
    failures: int = 0  # connections lost since the last welcome
    next_ref: int = 1
    calls: tuple[Call, ...] = ()
    requests: tuple[Request, ...] = ()
    asks: bool = False  # the server, what was heard of calls
    asks_on: bool = False  # and of those that run

    def call(self, id: CallId) -> Call | None:
        """The call of this name, if it is not over."""
        for call in self.calls:
            if call.id == id:
                return call
        return None

    # The link

    def opened(self, ticket: str) -> "Step":
        """A connection is open: say who we are, what we saw last and which calls we have."""
        resume = messages.Resume(session=self.session, n=self.seen) if self.session else None
        alive = tuple(call.id for call in self.calls if call.phase is not Phase.PREPARING)
        hello = messages.Hello(
            ticket=ticket,
            device=self.device,
            device_name=self.device_name,
            client=self.client,
            features=self.features,
            resume=resume,
            calls=alive[:MAX_CALLS],
        )
        return replace(self, link=Link.GREETING), (Send(hello),)

    def closed(self, jitter: float) -> "Step":
        """The connection is gone, or none could be opened. `jitter`, 0 to 1, spreads who comes back."""
        if self.link is Link.OVER:
            return self, ()
        lost: tuple[Effect, ...] = (Tell(out.LinkLost()),) if self.link is not Link.DOWN else ()
        reconnect = out.Reconnect(delay(self.failures, jitter))
        return replace(self, link=Link.DOWN, failures=self.failures + 1), (*lost, reconnect)

    def left(self, now: int) -> "Step":
        """The application leaves: its calls end here and now."""
        return over(self, now)

    # The server

    def received(self, message: ServerMessage, now: int) -> "Step":
        """One frame from the server. What was seen is dropped; a gap costs the connection."""
        if self.link is Link.OVER:
            return self, ()
        if message.n is None:
            return outside_the_count(self, message, now)
        if self.link is Link.GREETING:
            return self, (out.Drop(),)  # which session it counts in, only a welcome says
        if message.n <= self.seen:
            return self, ()
        if message.n != self.seen + 1:
            return self, (out.Drop(),)
        session, effects = event(replace(self, seen=message.n), message, now)
        if session.seen - session.acked >= ACK_EVERY and session.link is not Link.OVER:
            return replace(session, acked=session.seen), (*effects, Send(messages.Ack(n=session.seen)))
        return session, effects

    def acknowledge(self) -> "Step":
        """When all is quiet: what arrived need not be kept by the server any longer."""
        if self.seen == self.acked or self.link is not Link.UP:
            return self, ()
        return replace(self, acked=self.seen), (Send(messages.Ack(n=self.seen)),)

    # The application

    def place(
        self, call: CallId, to: str, media: tuple[Media, ...], nonce: str, replaces: CallId | None = None
    ) -> "Step":
        """Call somebody; both id and nonce are new and random. `replaces`: the call that asked for this."""
        placed, effects = calls.place(call, to, media, nonce, replaces)
        return replace(self, calls=(*self.calls, placed)), effects

    def tell_call(self, call: CallId, event: inputs.CallInput, now: int) -> "Step":
        """What a person, the media or a clock says of one call; nothing if that call is over."""
        known = self.call(call)
        return into(self, known, event, now) if known is not None else (self, ())

    def write(self, message: MessageId, to: str, text: str) -> "Step":
        """Send a text; TextAccepted, or an Error that names it, says what became of it."""
        return request(self, messages.SendText(message=message, to=to, text=text))

    def read(self, peer: UserId, seq: int) -> "Step":
        """The person has read the conversation so far. Only the furthest is kept for later."""
        others = tuple(
            each
            for each in self.requests
            if not (isinstance(each.message, messages.Read) and each.message.peer == peer)
        )
        return request(replace(self, requests=others), messages.Read(peer=peer, seq=seq))

    def missed_seen(self, missed: tuple[CallId, ...]) -> "Step":
        """The person has seen that these were missed."""
        return request(self, messages.MissedSeen(calls=missed))

    def report(self, heard: messages.Heard) -> "Step":
        """What was heard of a call, in all once it is over here. Lost with the link if that is down."""
        asks = self.asks_on if heard.so_far else self.asks
        return self, (Send(heard),) if asks and self.link is Link.UP else ()


Step = tuple[Session, tuple[Effect, ...]]


def delay(failures: int, jitter: float) -> int:
    """Nanoseconds before the next try: 0.1 s, doubled up to 10 s, of which half is left to chance."""
    longest = min(LONGEST_DELAY, FIRST_DELAY << min(failures, 10))
    return longest // 2 + int(longest // 2 * jitter)


def request(session: Session, message: messages.SendText | messages.Read | messages.MissedSeen) -> Step:
    """Ask now if the link is up, and again on each new one until answered."""
    message = message.model_copy(update={"ref": session.next_ref})
    asked = replace(session, next_ref=session.next_ref + 1)
    if session.link is Link.UP and isinstance(message, messages.MissedSeen):
        return asked, (Send(message),)  # if it is lost, the server asks again at the next sign-in
    asked = replace(asked, requests=(*session.requests, Request(session.next_ref, message)))
    return asked, (Send(message),) if session.link is Link.UP else ()


# Outside the count: welcome and what is lost with the connection


def outside_the_count(session: Session, message: ServerMessage, now: int) -> Step:
    """Answers to what we said on this very connection."""
    match message:
        case messages.Welcome():
            return welcomed(session, message, now)
        case messages.Error(call=call) if call is not None and session.call(call) is not None:
            return to_call(session, call, message, now)
        case messages.Error():
            if message.code in FINAL:
                session, effects = over(session, now)
                return session, (Tell(message), *effects)
            return without_request(session, message.ref), (Tell(message),)
        case _:
            return event(session, message, now)


def welcomed(session: Session, message: messages.Welcome, now: int) -> Step:
    """Signed in. With our old session nothing was missed; else the resync says what there is."""
    session = replace(
        session,
        user=message.user,
        session=message.session,
        failures=0,
        asks=HEARD in message.features,
        asks_on=SO_FAR in message.features,
    )
    if not message.resumed:
        return replace(session, link=Link.CATCHING_UP, seen=0, acked=0), (Tell(message),)
    session, effects = said_again(replace(session, link=Link.UP), now)
    return session, (Tell(message), *effects)


def said_again(session: Session, now: int) -> Step:
    """Each call and each request says again what may have been lost with the old link."""
    effects: list[Effect] = [Send(each.message) for each in session.requests]
    for call in session.calls:
        session, more = into(session, call, inputs.Reconnected(), now)
        effects.extend(more)
    # A read mark or a missed call is never answered: once on a link that works is all there can be.
    session = replace(
        session, requests=tuple(r for r in session.requests if isinstance(r.message, messages.SendText))
    )
    return session, tuple(effects)


def without_request(session: Session, ref: int | None) -> Session:
    """This request was answered."""
    if ref is None:
        return session
    return replace(session, requests=tuple(each for each in session.requests if each.ref != ref))


# In the count: events


def event(session: Session, message: ServerMessage, now: int) -> Step:
    """One event, for the first time."""
    match message:
        case messages.Resync():
            return resynced(session, message, now)
        case messages.Incoming():
            return incoming(session, message, now)
        case messages.Ended(reason=EndReason.GLARE, survivor=survivor) if survivor is not None:
            return lost_glare(session, message, survivor, now)
        case messages.Ended():
            return to_call(session, message.call, message, now)
        case messages.TextMessage():
            return text(session, message)
        case messages.TextAccepted():
            rest = tuple(
                each
                for each in session.requests
                if not (
                    isinstance(each.message, messages.SendText) and each.message.message == message.message
                )
            )
            return replace(session, requests=rest), (Tell(message),)
        case messages.SignedOut():
            session, effects = over(session, now)
            return session, (Tell(message), *effects)
        case messages.Missed() | messages.Receipt() | messages.Draining() | messages.Error():
            return session, (Tell(message),)
        case messages.Dial() | messages.DialOver():
            return session, (Tell(message),)
        case _ if isinstance(message, CALL_MESSAGES):
            return to_call(session, message.call, message, now)
        case _:
            return session, ()


def resynced(session: Session, message: messages.Resync, now: int) -> Step:
    """What is listed goes on, what is not is over there; what we never had we hang up."""
    listed = {snapshot.call for snapshot in message.calls}
    effects: list[Effect] = []
    unlisted = [call for call in session.calls if call.id not in listed]
    session, said = said_again(
        replace(session, link=Link.UP, calls=tuple(call for call in session.calls if call.id in listed)), now
    )
    effects.extend(said)
    session = replace(session, calls=(*session.calls, *unlisted))
    for call in unlisted:
        session, more = into(session, call, inputs.Unlisted(), now)
        effects.extend(more)
    for snapshot in message.calls:
        session, more = to_call(session, snapshot.call, how_it_stands(snapshot), now)
        effects.extend(more)
    known = {call.id for call in session.calls}
    effects.extend(Send(messages.Hangup(call=call)) for call in sorted(listed - known))
    return session, tuple(effects)


def how_it_stands(snapshot: messages.CallSnapshot) -> messages.Ending | messages.EndingCancelled:
    """The notice that this device may have missed, or that it was taken back."""
    ending = snapshot.ending
    if ending is None:
        return messages.EndingCancelled(call=snapshot.call)
    return messages.Ending(call=snapshot.call, within=ending.within, refusal=ending.refusal)


def incoming(session: Session, message: messages.Incoming, now: int) -> Step:
    """A call: a new one, one that we have, or the one our own became by glare."""
    known = session.call(message.call)
    if known is not None:
        return into(session, known, message, now)
    if message.answer_now:
        # Nobody here placed the call that this one is said to answer: no microphone opens for it.
        return session, (Send(messages.Reject(call=message.call)),)
    call, effects = calls.ring(message, now)
    return replace(session, calls=(*session.calls, call)), effects


def lost_glare(session: Session, message: messages.Ended, survivor: CallId, now: int) -> Step:
    """Ours gives way to theirs. If the person still wants it, it goes on under the other name."""
    ours, theirs = session.call(message.call), session.call(survivor)
    if ours is None:
        return session, ()
    if ours.role is not messages.Role.CALLER or ours.phase is not Phase.CALLING:
        # It rang here and gave way to a call of another device of this user, or we had hung it up.
        session, effects = to_call(session, message.call, message, now)
        if ours.phase is Phase.ENDING and ours.role is messages.Role.CALLER:
            session, more = unwanted(session, survivor, ours.peer, now)
            return session, (*effects, *more)
        return session, effects
    goes_on = calls.awaited(survivor, ours.peer, ours.nonce, ours.media) if theirs is None else theirs
    if goes_on.phase is Phase.RINGING:
        goes_on = replace(goes_on, nonce=ours.nonce)
    others = tuple(each for each in session.calls if each.id not in (message.call, survivor))
    return replace(session, calls=(*others, goes_on)), (
        out.StopTimer(message.call, "ring"),
        out.StopMedia(message.call),
        StartTimer(survivor, "answer", now + ANSWER + INVITE),
        Tell(events.GoesOn(message.call, survivor)),
    )


def unwanted(session: Session, survivor: CallId, peer: str, now: int) -> Step:
    """The person had hung up before our call became this one: hang this one up too."""
    known = session.call(survivor) or calls.awaited(survivor, peer, "", (Media.AUDIO,))
    others = tuple(each for each in session.calls if each.id != survivor)
    silent = events.Ended(survivor, EndReason.CANCELLED)  # the application never heard of it
    if known.phase is Phase.AWAITED:
        known = replace(known, over=silent)
    return into(replace(session, calls=(*others, known)), known, inputs.HangUp(), now)


def text(session: Session, message: messages.TextMessage) -> Step:
    """Once to the application, in order; and the server learns that it arrived."""
    received = Send(messages.Received(seq=max(message.seq, session.text_seq)))
    if message.seq <= session.text_seq:
        return session, (received,)
    return replace(session, text_seq=message.seq), (Tell(message), received)


# Calls


def to_call(session: Session, id: CallId, message: object, now: int) -> Step:
    """Hand it to the call it names; for one that is over here it is late."""
    known = session.call(id)
    return into(session, known, message, now) if known is not None else (session, ())


def into(session: Session, call: Call, event: object, now: int) -> Step:
    """The call takes it in; an ended one is forgotten. Frames leave only while the link is up."""
    after, effects = call.receive(event, now)
    if after.phase is Phase.ENDED:
        kept = tuple(each for each in session.calls if each.id != call.id)
    else:
        kept = tuple(after if each.id == call.id else each for each in session.calls)
    return replace(session, calls=kept), sendable(session, effects)


def sendable(session: Session, effects: tuple[CallEffect, ...]) -> tuple[Effect, ...]:
    """Without the frames if there is no link: each call says them again when there is."""
    if session.link is Link.UP:
        return effects
    return tuple(effect for effect in effects if not isinstance(effect, Send))


def over(session: Session, now: int) -> Step:
    """No more of this session: every call ends, for want of a server."""
    session = replace(session, link=Link.OVER)
    effects: list[Effect] = []
    for call in session.calls:
        session, more = into(session, call, inputs.LinkGone(), now)
        effects.extend(more)
    return session, (*effects, out.Drop())
