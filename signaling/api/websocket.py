"""The callers' socket: `Handshake` signs a device in, `Connection` carries its frames."""

import asyncio
import logging
from dataclasses import dataclass
from typing import assert_never

from aiohttp import WSCloseCode, WSMsgType, web

from signaling.api.outbox import Outbox
from signaling.core import events
from signaling.core.events import Event
from signaling.core.party import Party
from signaling.core.sdp import check_sdp
from signaling.exchange import Arrival, Exchange
from signaling.lines import Line
from wephone.protocol import messages
from wephone.protocol.codec import PeerError, decode_client, encode
from wephone.protocol.messages import (
    SUBPROTOCOL,
    Ack,
    AnyClientMessage,
    Error,
    Heard,
    Hello,
    Invite,
    MissedSeen,
    Read,
    Received,
    SendText,
    SendTransfer,
)
from wephone.protocol.reasons import ErrorCode, error_text

CallMessage = (
    messages.Delivered
    | messages.Alerting
    | messages.Answer
    | messages.Reject
    | messages.SendCandidates
    | messages.SendReveal
    | messages.SendNegotiate
    | messages.Hangup
)

log = logging.getLogger(__name__)

HELLO_WITHIN = 10.0  # seconds from the upgrade to the first frame
# Bytes that aiohttp takes in before it closes with 1009. Far more than a frame may have, so that even fifty
# thousand candidates are read far enough to be refused by one error; not so much that a frame costs memory.
MAX_MESSAGE = 2 * 1024 * 1024
FLOODED = 64  # errors in a row that end a connection


@dataclass(frozen=True, slots=True)
class Handshake:
    """A socket that has been opened and by nobody yet. It becomes a connection, or is closed."""

    exchange: Exchange
    socket: web.WebSocketResponse
    request: web.Request
    address: str  # that limits are counted for

    async def receive(self) -> "Connection | None":
        """Read the first frame; None if it signs nobody in, and the socket is closed then."""
        if self.socket.ws_protocol != SUBPROTOCOL:
            await self.refuse(PeerError(ErrorCode.UNSUPPORTED_VERSION, f"`{SUBPROTOCOL}` is"))
            return None
        try:
            async with asyncio.timeout(HELLO_WITHIN):
                frame = await self.socket.receive()
        except TimeoutError:
            await self.refuse(PeerError(ErrorCode.NOT_SIGNED_IN, f"no hello within {HELLO_WITHIN:g} s"))
            return None
        if frame.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            return None
        try:
            return await self.greet(frame.data)
        except PeerError as error:
            await self.refuse(error)
            return None

    async def greet(self, frame: bytes) -> "Connection":
        """The connection that this first frame opens; PeerError if it opens none."""
        hello = decode_client(frame)
        if not isinstance(hello, Hello):
            raise PeerError(ErrorCode.NOT_SIGNED_IN, f"the first frame must be `hello`, not `{hello.type}`")
        transport = self.request.transport
        if transport is None:
            raise PeerError(ErrorCode.NOT_SIGNED_IN, "the connection is gone")
        outbox = Outbox(transport, self.exchange.counted_overrun)
        line = await self.exchange.arrive(Arrival(hello, outbox, self.close))
        return Connection(self.exchange, self.socket, outbox, line, self.address)

    def close(self, code: int, reason: str) -> None:
        """Close the socket from the server's side, without waiting for the peer."""
        self.exchange.start(self.socket.close(code=code, message=reason.encode()[:120]))

    async def refuse(self, error: PeerError) -> None:
        """Say why, and close with 1008 (policy violation)."""
        message = Error(code=error.code, text=error.text, field=error.field)
        try:
            await self.socket.send_str(encode(message).decode())
        except ConnectionResetError:
            return  # it did not wait for our answer
        await self.socket.close(code=WSCloseCode.POLICY_VIOLATION, message=error.code.encode())


@dataclass(slots=True)
class Connection:
    """A signed-in device's socket. Exists only after a good handshake."""

    exchange: Exchange
    socket: web.WebSocketResponse
    outbox: Outbox
    line: Line
    address: str
    bad_in_a_row: int = 0

    async def run(self) -> None:
        """Handle frames until the socket closes."""
        try:
            async for frame in self.socket:
                if frame.type is WSMsgType.ERROR:
                    break
                self.handle(frame.data)
        finally:
            for_good = self.socket.close_code == WSCloseCode.OK
            self.exchange.leave(self.line, self.outbox, for_good=for_good)
            self.outbox.close()

    def handle(self, frame: bytes) -> None:
        """One frame: its effects are carried out before the next is read."""
        wait = self.exchange.limits.frame(self.line.party, len(frame))
        try:
            message = decode_client(frame)
        except PeerError as error:
            self.complain(error, retry_after=wait or None)
            return
        if wait:  # read all the same, so that its sender hears which one has to be said again
            self.complain(slow_down(wait), retry_after=wait, about=message)
            return
        self.bad_in_a_row = 0
        self.exchange.counted_frame(message.type)
        try:
            self.dispatch(message)
        except PeerError as error:
            self.exchange.counted_error(error.code)
            self.line.answer(told(error, message))
        except Exception:
            # The last resort: a mistake of ours must not cost the peer its connection, and is loud.
            log.exception("a `%s` frame could not be handled", message.type)
            self.exchange.counted_error(ErrorCode.INTERNAL)
            text = error_text(ErrorCode.INTERNAL)
            self.line.answer(Error(code=ErrorCode.INTERNAL, text=text, ref=message.ref))

    def dispatch(self, message: AnyClientMessage) -> None:
        """Hand a message to whom it concerns; PeerError if it has no place here."""
        exchange, party = self.exchange, self.line.party
        match message:
            case Ack():
                if not self.line.replay.acknowledge(message.n):
                    raise PeerError(ErrorCode.BAD_VALUE, f"event {message.n} was never sent", "n")
            case Invite():
                keep_to(exchange.limits.invite_from(self.address))
                exchange.switch.place(party, message)
                exchange.clicks.taken(message.call, party)
            case SendTransfer():
                keep_to(exchange.limits.invite_from(self.address))
                exchange.switch.transfer(party, message)
            case SendText():
                keep_to(exchange.limits.text(party.user, self.address))
                exchange.texts.send(self.line, message)
            case Received():
                exchange.texts.received(self.line, message)
            case Read():
                exchange.texts.read(self.line, message)
            case MissedSeen():
                exchange.missed_seen(party, message.calls)
            case Heard():
                exchange.heard(party, message)
            case Hello():
                raise PeerError(ErrorCode.OUT_OF_PLACE, "already signed in")
            case _:
                exchange.switch.receive(message.call, claimed(message, party), message.ref)

    def complain(
        self, error: PeerError, retry_after: float | None, about: AnyClientMessage | None = None
    ) -> None:
        """Answer a frame that was not taken; too many of them in a row end the connection."""
        self.bad_in_a_row += 1
        self.exchange.counted_error(error.code)
        self.line.answer(told(error, about, retry_after))
        if self.bad_in_a_row >= FLOODED:
            self.outbox.close()
            self.exchange.start(self.socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"flood"))


def keep_to(wait: float) -> None:
    """PeerError if somebody has to wait."""
    if wait:
        raise slow_down(wait)


def slow_down(wait: float) -> PeerError:
    """What somebody hears who has to wait that many seconds."""
    return PeerError(ErrorCode.SLOW_DOWN, f"wait {wait:.1f} s")


def told(error: PeerError, about: AnyClientMessage | None, retry_after: float | None = None) -> Error:
    """The error as its sender hears it, with what the frame was about, if it could be read."""
    return Error(
        code=error.code,
        text=error.text,
        field=error.field,
        retry_after=retry_after,
        ref=None if about is None else about.ref,
        call=getattr(about, "call", None),
        message=getattr(about, "message", None),
    )


def claimed(message: CallMessage, by: Party) -> Event:
    """What happened, if what this party says is true of itself: the call decides whether it may."""
    match message:
        case messages.Delivered():
            return events.Delivered(by)
        case messages.Alerting():
            return events.Alerting(by)
        case messages.Answer():
            check_sdp(message.sdp)
            return events.Answered(by, message.sdp, message.nonce)
        case messages.Reject():
            return events.Rejected(by, message.reason)
        case messages.SendCandidates():
            return events.CandidatesFound(by, message.candidates, message.end)
        case messages.SendReveal():
            return events.Revealed(by, message.nonce)
        case messages.SendNegotiate():
            if message.sdp is not None:
                check_sdp(message.sdp)
            elif message.kind != "decline":
                raise PeerError(ErrorCode.BAD_VALUE, "an offer or answer needs `sdp`", "sdp")
            return events.Negotiated(
                by, message.kind, message.sdp, message.media, message.hold, message.round
            )
        case messages.Hangup():
            return events.HungUp(by, message.reason)
        case _:
            assert_never(message)
