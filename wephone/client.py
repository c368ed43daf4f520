"""The public client: call, be called, write and read, over connections that break and come back.

async with Client("https://phone.example", "alice", password="...") as client:
    call = await client.call("bob", source="hello.wav", sink="heard.wav")
    await call.answered()
    await call.hangup()
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal, Self

from pydantic import ValidationError

from wephone.calls import Call
from wephone.core import events, inputs
from wephone.core.effects import LinkLost, SessionEvent
from wephone.core.events import CallEvent, Rings
from wephone.core.session import Session
from wephone.errors import MessageFailed, NotSignedIn
from wephone.inbox import Inbox
from wephone.protocol.codec import wrong
from wephone.protocol.ids import CallId, DeviceId, MessageId, UserId
from wephone.protocol.messages import (
    Dial,
    DialOver,
    Draining,
    Error,
    Missed,
    Receipt,
    Role,
    SendText,
    SignedOut,
    TextAccepted,
    TextMessage,
    Welcome,
)
from wephone.protocol.reasons import ErrorCode
from wephone.sound import StartSound, start_sound
from wephone.stay import Stay, Trace
from wephone.transport import Credentials, Server

CLIENT = "wephone"
FEATURES = ("hold", "texts", "receipts", "safety-code", "transfer")
DIAL = "dial"
SPEAK = "speak-"  # and the language
HAS_ITS_PLACE = TextMessage | Receipt | Missed | TextAccepted | Dial | DialOver  # not among the `events`


class Client:
    """One device of a user, signed in between `async with` and its end."""

    def __init__(
        self,
        url: str,
        name: str,
        *,
        password: str | None = None,
        token: str | None = None,
        device: str | None = None,
        device_name: str = "",
        relay_only: bool = False,
        dials: bool = False,
        language: Literal["en", "zh-CN"] | None = None,
        start_sound: StartSound = start_sound,
        trace: Trace | None = None,
    ) -> None:
        """`url` is the server's address, http(s). Give a password, or a token of an earlier sign-in.

        `device` (UUIDv4) tells the server that this is the same device as last time; without it each
        client is a new one. `relay_only` lets those in a call see no address of this device, only that
        of the server's relay (RFC 8828, mode 4); a server without a relay then means no calls.
        `dials`: this device is asked when the account clicks to call over HTTP, see `Client.dials`.
        `language`: in which the server may tell something aloud; if none, in its usual one.
        `trace` is told every frame and event. ValueError for a bad name or device.
        """
        if password is None and token is None:
            raise ValueError("a client needs a password or a token")
        self.user = UserId.parse(name)
        self.device = DeviceId.parse(device or str(uuid.uuid4()))
        self._server = Server(url)
        self._credentials = Credentials(self.user, password, token)
        features = (*FEATURES, DIAL) if dials else FEATURES
        features = features if language is None else (*features, SPEAK + language)
        session = Session(self.device, device_name=device_name, client=CLIENT, features=features)
        self._stay = Stay(
            self._server, self._credentials, session, self, start_sound, trace, relay_only=relay_only
        )
        self._incoming: Inbox[Call] = Inbox("incoming calls")
        self._messages: Inbox[TextMessage] = Inbox("texts")
        self._receipts: Inbox[Receipt] = Inbox("receipts")
        self._missed: Inbox[Missed] = Inbox("missed calls")
        self._dials: Inbox[Dial] = Inbox("clicks to call")
        self._dials_over: dict[CallId, asyncio.Event] = {}
        self._events: Inbox[SessionEvent] = Inbox("events")
        self._writing: dict[MessageId, asyncio.Future[TextAccepted]] = {}
        self._asked: dict[int, MessageId] = {}
        self._watched = self._closed = False
        self._furthest: dict[tuple[str, UserId], int] = {}  # receipts: kind and peer -> seq
        self._over: SignedOut | None = None

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        try:
            await self._stay.arrive()
        except BaseException:
            await self._server.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Hang up, say goodbye, and let go of everything. The end of `async with` does it for you."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._stay.leave()
        finally:
            self._end()
            await self._server.__aexit__(None, None, None)

    # Calls

    async def call(self, to: str, *, source: Any = None, sink: Any = None) -> Call:
        """Call a user or a telephone number; returns when the server has taken the call.

        `source` and `sink`: see `Call`. CallRefused if the operator may not offer it, CallEnded if it
        cannot be placed. Cancelled, it hangs up.
        """
        call = self.place(to, source=source, sink=sink)
        try:
            await call.sent()
        except asyncio.CancelledError:
            self._stay.tell_call(call.id, inputs.HangUp())
            raise
        return call

    def place(self, to: str, *, source: Any = None, sink: Any = None) -> Call:
        """Call somebody as `call` does, and wait for nothing: the call's events tell what becomes of it."""
        self._check()
        return self._placed(CallId(str(uuid.uuid4())), str(to), source, sink)

    def dials(self) -> AsyncIterator[Dial]:
        """Calls that the account asks for over HTTP (`POST /api/calls`), of a client made with `dials=True`.

        None of them is placed before `take` is called: ask the person, until it is over.
        """
        return aiter(self._dials)

    async def dial_over(self, dial: Dial) -> None:
        """Wait until another device has taken it, or its time is over."""
        if (over := self._dials_over.get(dial.call)) is not None:
            await over.wait()

    def take(self, dial: Dial, *, source: Any = None, sink: Any = None) -> Call:
        """Place a call that was asked for, as `place` does. It ends at once if another device has it."""
        self._check()
        self._dials_over.pop(dial.call, None)
        return self._placed(dial.call, dial.to, source, sink)

    async def incoming(self, *, ring: bool = True) -> AsyncIterator[Call]:
        """Calls to this user, each as it comes: taking one makes it ring. Answer or reject it.

        `ring=False`: whoever takes it says by `Call.ring` when the person really hears it.
        """
        async for call in self._incoming:
            if call.ended is None:
                if ring:
                    call.ring()
                yield call

    async def next_call(self) -> Call:
        """Wait for the next call to this user, and let it ring."""
        async for call in self.incoming():
            return call
        raise NotSignedIn("the client was closed while it waited for a call")

    @property
    def calls(self) -> Sequence[Call]:
        """The calls that are not over."""
        return tuple({id(call): call for call in self._stay.calls.values()}.values())

    # Texts

    async def send(self, to: str, text: str) -> TextAccepted:
        """Write to a user, who may be offline; returns when the server has stored it. MessageFailed if not.

        ValueError for a text that no server would take: empty, longer than 4096, with control characters.
        While the server is out of reach it waits; cancelled, the text may be sent none the less.
        """
        self._check()
        message = MessageId(str(uuid.uuid4()))
        check_text(message, to, text)
        answer: asyncio.Future[TextAccepted] = asyncio.get_running_loop().create_future()
        self._writing[message] = answer
        ref = self._stay.session.next_ref
        self._asked[ref] = message
        try:
            self._stay.ask(lambda session: session.write(message, to, text))
            return await answer
        finally:
            self._asked.pop(ref, None)
            self._writing.pop(message, None)

    def messages(self) -> AsyncIterator[TextMessage]:
        """Texts of this user's conversations, in order, also those that came while it was away."""
        return aiter(self._messages)

    def read(self, message: TextMessage) -> None:
        """The person has read the conversation up to this text; its sender gets a receipt."""
        self._stay.ask(lambda session: session.read(message.sender, message.seq))

    def receipts(self) -> AsyncIterator[Receipt]:
        """How far others have got with this user's texts."""
        return aiter(self._receipts)

    # Missed calls, and the rest

    def missed(self) -> AsyncIterator[Missed]:
        """Calls that nobody took; the server repeats them at each sign-in until `missed_seen`."""
        return aiter(self._missed)

    def missed_seen(self, *missed: Missed) -> None:
        """The person has seen that these were missed."""
        self._stay.ask(lambda session: session.missed_seen(tuple(each.call for each in missed)))

    def events(self) -> AsyncIterator[SessionEvent]:
        """What concerns the whole device, from now on: `Welcome`, `LinkLost`, `Draining`, `SignedOut`."""
        self._watched = True
        return aiter(self._events)

    @property
    def signed_out(self) -> SignedOut | None:
        """The server's word that ended this session, if it has."""
        return self._over

    @property
    def link(self) -> str:
        """What there is between this device and its server: "up", "down", ... ("over" for good)."""
        return self._stay.session.link

    # What the stay tells

    def call_happened(self, event: CallEvent) -> None:
        """One event of one call."""
        calls = self._stay.calls
        if isinstance(event, Rings):
            self._rings(event)
        call = calls.get(event.call)
        if call is None:
            return
        if isinstance(event, events.GoesOn):
            del calls[event.call]
            twin = calls.get(event.survivor)
            if twin is not None:
                self._incoming.discard(twin)
                call.twin = twin
            calls[event.survivor] = call
        call.happened(event)
        if isinstance(event, events.Transferred):
            call.replaced_by(self._follow(call, event.to))
        if isinstance(event, events.Ended):
            calls.pop(event.call, None)
            self._incoming.discard(call)

    def _rings(self, event: Rings) -> None:
        """Somebody calls, or is put through to whom a call of ours has been with."""
        calls = self._stay.calls
        old = None if event.replaces is None else calls.get(event.replaces)
        source, sink = (None, None) if old is None else (old.source, old.sink)
        calls[event.call] = new = Call(self._stay, event.call, Role.CALLEE, event.peer, source, sink)
        if old is None or old.state != "active" or old.held_here:  # it is not that one who is talked to now
            self._incoming.put(new)
            return
        new.replaces = old
        old.replaced_by(new)
        self._stay.tell_call(new.id, inputs.Accept(self._stay.new_nonce()))

    def _follow(self, call: Call, to: str) -> Call:
        """Call whom the other side of a call hands it over to. It ends when they answer."""
        return self._placed(CallId(str(uuid.uuid4())), to, call.source, call.sink, call)

    def _placed(self, id: CallId, to: str, source: Any, sink: Any, replaces: Call | None = None) -> Call:
        call = Call(self._stay, id, Role.CALLER, to, source, sink)
        call.replaces = replaces
        self._stay.place(call)
        return call

    def happened(self, event: SessionEvent) -> None:
        """One event of the session."""
        match event:
            case TextMessage():
                self._messages.put(event)
            case Receipt():
                self._take_receipt(event)
            case Missed():
                self._missed.put(event)
            case Dial():
                self._dials_over[event.call] = asyncio.Event()
                self._dials.put(event)
            case DialOver():
                self._dials.drop(lambda dial: dial.call == event.call)
                if (over := self._dials_over.pop(event.call, None)) is not None:
                    over.set()
            case TextAccepted():
                answer = self._writing.get(event.message)
                if answer is not None and not answer.done():
                    answer.set_result(event)
            case Error():
                self._answer_error(event)
            case SignedOut():
                self._over = event
                self._end()
            case Welcome() | LinkLost() | Draining():
                pass
        if self._watched and not isinstance(event, HAS_ITS_PLACE):
            self._events.put(event)

    def _take_receipt(self, receipt: Receipt) -> None:
        """Only ever further: the server says them again at each sign-in."""
        who = (receipt.kind, receipt.peer)
        if receipt.seq > self._furthest.get(who, 0):
            self._furthest[who] = receipt.seq
            self._receipts.put(receipt)

    def _answer_error(self, error: Error) -> None:
        message = error.message or (self._asked.get(error.ref) if error.ref is not None else None)
        answer = self._writing.get(message) if message is not None else None
        if answer is not None and not answer.done():
            answer.set_exception(MessageFailed(error))

    def _check(self) -> None:
        if self._over is not None:
            raise NotSignedIn(f"the server has ended this session ({self._over.reason})")
        if self._stay.session.user is None:
            raise NotSignedIn("the client is used before `async with` has signed it in")
        if self.link == "over":
            raise NotSignedIn("the client was closed")

    def _end(self) -> None:
        for inbox in (self._incoming, self._messages, self._receipts, self._missed):
            inbox.close()
        self._dials.close()
        self._events.close()
        for answer in self._writing.values():
            if not answer.done():
                text = "the session ended before the server took the text"
                answer.set_exception(MessageFailed(Error(code=ErrorCode.NOT_SIGNED_IN, text=text)))


def check_text(message: MessageId, to: str, text: str) -> None:
    """ValueError names what is wrong with it, in one sentence."""
    try:
        SendText(message=message, to=to, text=text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ValueError(f"`{first['loc'][0]}`: {wrong(first)}") from None
