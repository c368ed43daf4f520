"""The exchange: devices arrive and leave, and what they say reaches calls and texts."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from licensing.instant import MICROSECOND
from signaling.clicks import Clicks
from signaling.core.party import Party
from signaling.errands import Errands
from signaling.hearsay import FEATURE, SO_FAR, Hearsay
from signaling.lines import Line, Lines, Outlet
from signaling.metrics import Metrics
from signaling.ports.clock import Clock
from signaling.ports.entry import Limits, SignedIn, Tickets
from signaling.ports.store import Store
from signaling.switch import Switch
from signaling.texts import Texts
from wephone.protocol.codec import PeerError, encode
from wephone.protocol.ids import CallId, SessionId, UserId
from wephone.protocol.messages import (
    Draining,
    Heard,
    Hello,
    Missed,
    Resync,
    ServerMessage,
    SignedOut,
    Welcome,
)
from wephone.protocol.reasons import ErrorCode

REPLACED = 4001  # close code: the same device has connected again, or a further one takes its place
SIGNED_OUT = 4002  # close code: the session was ended; do not come back with it
MOST_DEVICES = 16  # of an account: each rings, is a row, and keeps up to 64 KiB of what it has to hear
FEATURES = ("hold", "texts", "receipts", "safety-code", FEATURE, SO_FAR)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A device at the door: what it says, where to answer it, how to close its socket."""

    hello: Hello
    outlet: Outlet
    hang_up: Callable[[int, str], None]


@dataclass(frozen=True, slots=True)
class Timing:
    """What a device is told of our clocks, in seconds."""

    heartbeat: float
    resume: float


class Exchange:
    """What the callers' socket talks to."""

    def __init__(
        self,
        *,
        clock: Clock,
        store: Store,
        tickets: Tickets,
        limits: Limits,
        lines: Lines,
        switch: Switch,
        clicks: Clicks,
        hearsay: Hearsay,
        texts: Texts,
        metrics: Metrics,
        timing: Timing,
    ) -> None:
        self.clock, self.store, self.tickets, self.limits = clock, store, tickets, limits
        self.lines, self.switch, self.clicks = lines, switch, clicks
        self.hearsay, self.texts, self.metrics = hearsay, texts, metrics
        self._timing = timing
        self._errands = Errands("work beside a connection")

    async def arrive(self, arrival: Arrival) -> Line:
        """Sign a device in by its ticket and connect it; PeerError if the ticket is no good."""
        hello = arrival.hello
        signed_in = self.tickets.redeem(hello.ticket)
        if signed_in is None:
            raise PeerError(ErrorCode.NOT_SIGNED_IN, field="ticket")
        party = Party(signed_in.user, hello.device)
        resumed = self.lines.resume(party, hello.resume) if hello.resume else None
        if resumed is not None:
            line, missed = resumed
            line.sign_in = signed_in.session
            self._plug_in(line, arrival)
            self._expire(line, signed_in)
            line.answer(self._welcome(line, resumed=True))
            for frame in missed:
                arrival.outlet.send(frame)
            return line
        session = SessionId(secrets.token_urlsafe(16))
        line = Line(party, session, signed_in.session, features=frozenset(hello.features))
        old = self.lines.open(line)
        self._plug_in(line, arrival)
        self._expire(line, signed_in)
        if old is not None:
            self._unplug(old, REPLACED, "replaced")
        if (spared := self.lines.spare(party.user, MOST_DEVICES)) is not None:
            self._unplug(spared, REPLACED, "replaced")
            self.lines.drop(spared)
        line.answer(self._welcome(line, resumed=False))
        line.send(Resync(calls=self.switch.snapshots(party, hello.calls)))
        self.switch.rejoin(party, hello.calls, was_here=hello.resume is not None)
        self.start(self._catch_up(line, hello.device_name))
        return line

    def leave(self, line: Line, outlet: Outlet, for_good: bool) -> None:
        """A connection closed. Unless it said goodbye, the device may resume."""
        if line.outlet is not outlet:
            return
        line.outlet = line.hang_up = None
        party = line.party
        self.start(self.store.leave_device(party.user, party.device, self.clock.now().utc_us))
        if for_good:
            self.lines.drop(line)
        else:
            self.lines.wait_for(line)

    def missed_seen(self, party: Party, calls: Sequence[CallId]) -> None:
        """The person has seen these missed calls."""
        self.start(self.store.missed_seen(party.user, calls))

    def heard(self, party: Party, said: Heard) -> None:
        """What a device heard of its call: written if it is to be kept."""
        if (hearing := self.hearsay.taken(party, said)) is not None:
            self.start(self.store.heard(said.call, hearing, self.clock.now().utc_us))

    def sign_out(self, user: UserId, session: str | None, why: Literal["revoked", "disabled"]) -> None:
        """End the lines of a session that has ended, or of all a user's."""
        for line in self.lines.of_user(user):
            if session is None or line.sign_in == session:
                self._sign_out(line, why)

    def announce_drain(self, within: float) -> None:
        """Tell every device that the server is about to stop."""
        body = encode(Draining(within=within))
        for line in self.lines.all():
            line.send_body(body)

    def hang_up_all(self, code: int, reason: str) -> None:
        """Close every connection; devices come back to whoever runs next."""
        for line in self.lines.all():
            self._unplug(line, code, reason)

    def start(self, work: Awaitable[object]) -> None:
        """Run something slow beside the connection; a failure of it is logged."""
        self._errands.start(work)

    async def close(self) -> None:
        """Wait for what has been started."""
        self.clicks.close()
        await self._errands.close()

    def counted_overrun(self) -> None:
        """A peer did not read and was cut off."""
        self.metrics.outbox_closed()

    def counted_frame(self, kind: str) -> None:
        """A frame came in."""
        self.metrics.frame_in(kind)

    def counted_error(self, code: ErrorCode) -> None:
        """A frame was answered with an error."""
        self.metrics.error(code)

    def _plug_in(self, line: Line, arrival: Arrival) -> None:
        if line.hang_up is not None:
            self._unplug(line, REPLACED, "replaced")
        self.lines.stop_waiting(line)
        line.outlet, line.hang_up = arrival.outlet, arrival.hang_up

    def _unplug(self, line: Line, code: int, reason: str) -> None:
        if line.outlet is not None:
            line.outlet.close()
        if line.hang_up is not None:
            line.hang_up(code, reason)
        line.outlet = line.hang_up = None

    def _expire(self, line: Line, signed_in: SignedIn) -> None:
        """A session that is over by its date ends its connection too, not only its next one."""
        if line.end_of_session is not None:
            line.end_of_session()
        now = self.clock.now()
        deadline = now.after((signed_in.expires_at - now.utc_us) * MICROSECOND)
        line.end_of_session = self.clock.call_at(deadline, partial(self._sign_out, line, "expired"))

    def _sign_out(self, line: Line, reason: Literal["revoked", "disabled", "expired"]) -> None:
        line.answer(SignedOut(reason=reason))
        self._unplug(line, SIGNED_OUT, "signed out")
        self.lines.drop(line)

    def _welcome(self, line: Line, resumed: bool) -> ServerMessage:
        return Welcome(
            user=line.party.user,
            device=line.party.device,
            session=line.session,
            resumed=resumed,
            now=self.clock.now().utc_us,
            heartbeat=self._timing.heartbeat,
            resume_for=self._timing.resume,
            features=FEATURES,
        )

    async def _catch_up(self, line: Line, device_name: str) -> None:
        await self.texts.catch_up(line, device_name)
        here = [other.party.device for other in self.lines.of_user(line.party.user)]
        await self.store.spare_devices(line.party.user, here, MOST_DEVICES)
        for record in await self.store.missed_calls(line.party.user):
            line.send(Missed(call=record.call, peer=record.caller, at=record.offered_at))
