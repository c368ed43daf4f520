"""A telephone as a party of a call: its SIP leg, its sound, its row, and what the call's machine hears of it.

`called.py` and `calling.py` are its two kinds. To the call it is one more device: what happens on the trunk
becomes that device's events, and what the machine sends to the device is done on the trunk.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from licensing.alarms import Alarms
from licensing.case import Operator
from licensing.grant import Grant, Lease
from licensing.instant import SECOND
from licensing.reasons import Reason
from signaling.core import events
from signaling.core.party import Party
from signaling.errands import Errands
from signaling.media import (
    CandidatesFound,
    Capability,
    Direction,
    MediaBackend,
    MediaError,
    Side,
    Sound,
    Statistics,
    TimedOut,
)
from signaling.media import Ended as SoundEnded
from signaling.media import Event as SoundEvent
from signaling.metrics import Metrics
from signaling.patience import in_time
from signaling.permission import Permission
from signaling.ports.clock import Cancel, Clock
from signaling.ports.legs import LegEnd, LegSound
from signaling.ports.store import Store, StoreError
from signaling.pstn.kept import kept
from signaling.pstn.leases import Leases
from signaling.pstn.line import Line
from signaling.pstn.outcome import cause_of
from signaling.pstn.sip import call_events as told
from signaling.pstn.sip.agent import Agent
from signaling.pstn.sip.cause import NOT_AUTHORISED, Cause
from signaling.pstn.sip.dialog import Dialog
from signaling.pstn.sip.incoming import IncomingCall
from signaling.pstn.sip.outgoing import OutgoingCall
from signaling.settling import warn
from wephone.protocol.ids import CallId
from wephone.protocol.messages import (
    Candidate,
    Candidates,
    Ended,
    Ending,
    EndingCancelled,
    Media,
    Negotiate,
    ServerMessage,
)
from wephone.protocol.reasons import EndReason

SOUND = (Media.AUDIO,)
SIDES: tuple[Side, ...] = ("app", "trunk")
KEEPING = 4.0  # seconds that an answer waits for its row; the carrier repeats it, and nobody hears anything
STRAYS = 120 * SECOND  # in which a second phone may still be answered and ended
BESIDE = "a second phone was answered and has not confirmed its end"

log = logging.getLogger(__name__)


class Sounding(Protocol):
    """Whoever has a leg of sound."""

    def sounded(self, event: SoundEvent) -> None:
        """What became of it."""
        ...

    def stop(self) -> None:
        """The server stops, and with it the sound."""
        ...


@dataclass(slots=True)
class Desk:
    """What telephones share."""

    clock: Clock
    store: Store
    permission: Permission
    leases: Leases
    agent: Agent
    sound: MediaBackend
    operator: Operator
    alarms: Alarms
    metrics: Metrics
    errands: Errands
    say: Callable[[CallId, events.Event], None]
    phones: "dict[str, Phone]" = field(default_factory=dict)  # by the id of the leg that is at work
    tellers: "dict[str, Sounding]" = field(
        default_factory=dict
    )  # the same, of legs that no telephone is part of
    legs: dict[str, str] = field(default_factory=dict)  # SIP's Call-ID -> the id of the leg
    # By leg: how many phones were answered that nobody wanted, and have not confirmed their end.
    strays: Counter[str] = field(default_factory=Counter)
    ends: dict[str, LegEnd] = field(default_factory=dict)  # of legs that were answered, for as long as strays
    idle: asyncio.Event = field(default_factory=asyncio.Event)  # no leg is at work

    def __post_init__(self) -> None:
        self.idle.set()


class Phone(ABC):
    """See above. One leg at a time; `over` once the call has ended for it."""

    def __init__(self, desk: Desk, call: CallId, party: Party) -> None:
        self._desk, self._call, self.party = desk, call, party
        self._sip: OutgoingCall | IncomingCall | None = None
        self._line: Line | None = None
        self._grant: Grant | None = None
        self._leg = ""
        self._over = False
        self._trickles = False  # what our side of the sound finds may be told
        self._found: list[CandidatesFound] = []
        self._heard: list[tuple[tuple[Candidate, ...], bool]] = []  # what the app's side found
        self._held = False  # by the app
        self._notice: int | None = None  # until when it winds down, as was told
        self._limit: Cancel | None = None
        self._recording: asyncio.Task[None] | None = None  # the end of the last leg
        self._dialog: Dialog | None = None
        self._beside: tuple[Dialog, ...] = ()  # of phones that were answered too
        self._figures: Statistics | None = None  # of a leg whose sound ended before it

    def hear(self, message: ServerMessage) -> None:
        """What the call's machine sends to this party."""
        match message:
            case Candidates():
                self._heard.append((message.candidates, message.end))
                if self._leg:
                    self._desk.sound.candidates(self._leg, message.candidates, message.end)
            case Negotiate(kind="offer"):
                self._desk.errands.start(self._negotiate(message))
            case Ending():
                self._desk.errands.start(self._tell_of_the_end())
            case EndingCancelled():
                self._desk.errands.start(self._let_talk())
            case Ended():
                self._leave(cause_of(message))
            case _:
                self._follow(message)

    def sounded(self, event: SoundEvent) -> None:
        """What became of the sound of the leg that is at work."""
        match event:
            case CandidatesFound():
                self._found.append(event)
                self._trickle()
            case SoundEnded() | TimedOut():
                if isinstance(event, SoundEnded):
                    self._figures = event.statistics
                if self._over:
                    return  # the app lets go of its sound, and the carrier has yet to confirm the end
                log.warning("the sound of a telephone call is gone: %s", getattr(event, "text", "silence"))
                self._say(events.HungUp(self.party, EndReason.MEDIA_FAILED))
                self._leave(Cause("no sound comes any more", 41))

    def stop(self) -> None:
        """The server stops, and with it the sound."""
        self._say(events.HungUp(self.party, EndReason.CONNECTION_LOST))
        self.drop()

    def drop(self) -> None:
        """The call is over, and it may be that this party never heard of it."""
        self._leave(Cause("the call was given up"))

    @property
    def is_answered(self) -> bool:
        """The leg at work was, and is not over."""
        return self._sip is not None and self._sip.session is not None

    # What its two kinds do

    @abstractmethod
    def _follow(self, message: ServerMessage) -> None:
        """How the call goes on for this party."""

    @abstractmethod
    def _leave(self, cause: Cause) -> None:
        """The call is over for this party, if it was not yet."""

    # The leg at work

    def _work(self, line: Line, leg: str, grant: Grant) -> None:
        """From here on this is the leg."""
        self._line, self._leg, self._grant = line, leg, grant
        self._found.clear()
        self._desk.phones[leg] = self
        self._desk.idle.clear()
        self._desk.leases.watch(grant.attempt.call, grant.attempt.leg, self._leased)

    def _give_to_sound(self) -> None:
        """The app's side was told of before there was anything to tell."""
        for candidates, end in self._heard:
            self._desk.sound.candidates(self._leg, candidates, end)

    def _trickle(self) -> None:
        if not self._trickles:
            return
        for each in self._found:
            self._say(events.CandidatesFound(self.party, each.candidates, each.end))
        self._found.clear()

    def _say(self, event: events.Event) -> None:
        if not self._over:
            self._desk.say(self._call, event)

    def _leased(self, answer: Lease | Reason) -> None:
        """The leg has another lease, or none any more."""
        if self._grant is None:
            return
        now = self._desk.clock.now()
        if not isinstance(answer, Lease):
            self._say(events.Withdrawn(self._desk.permission.why_not(self._grant, self._grant.decision), now))
            return
        self._desk.sound.lease(self._leg, answer.until_ns)
        if answer.hard_end_ns is not None and answer.hard_end_ns != self._notice:
            why = self._desk.permission.why_not(self._grant, answer.decision)
            self._say(events.Withdrawn(why, now.after(max(0, answer.hard_end_ns - now.mono_ns))))
        elif answer.hard_end_ns is None and self._notice is not None:
            self._say(events.Reinstated(answer.decision))
        self._notice = answer.hard_end_ns

    async def _keep(self, dialog: Dialog, *, for_help: bool = False) -> None:
        """The dialog, for the server that comes after this one; before the carrier is told. StoreError."""
        self._dialog = dialog
        await in_time(self._write(dialog), for_help=for_help, most=KEEPING)

    async def _keep_beside(self, stray: Dialog) -> None:
        """A second phone was answered, and is to be ended: by the server after this one, if need be."""
        self._beside += (stray,)
        if self._dialog is None or self._line is None:
            return  # the leg is over, and its row says of the other phone what it has to
        try:
            await in_time(self._write(self._dialog), for_help=False, most=KEEPING)
        except StoreError:
            log.exception("the dialog of a second phone could not be kept")

    def _write(self, dialog: Dialog) -> Awaitable[None]:
        text, at = kept(dialog, *self._beside), self._desk.clock.now().utc_us
        return self._desk.store.keep_leg(self._leg, text, at)

    def _end_after(self, seconds: int | None) -> None:
        """However long the two may talk."""
        if seconds is not None and not self._over:
            deadline = self._desk.clock.now().after(seconds * SECOND)
            self._limit = self._desk.clock.call_at(deadline, self._time_is_up)

    def _time_is_up(self) -> None:
        self._say(events.HungUp(self.party, EndReason.TIME_LIMIT))

    def _ended(self, event: told.Ended) -> None:
        """It was answered, and the leg is over; the call may be, or this ends it."""
        if event.cause.q850 == NOT_AUTHORISED and self._grant is not None:
            why = self._desk.permission.why_not(self._grant, self._grant.decision)
            self._say(events.Withdrawn(why, self._desk.clock.now()))
        self._say(events.HungUp(self.party, EndReason.HANGUP if event.by_peer else EndReason.CONNECTION_LOST))
        self._over = True
        self._close(event.cause, doubt=event.doubt)

    def _close(self, cause: Cause, *, doubt: str | None = None) -> None:
        """Nothing of the leg is at work any more: its line, its sound, its row. `doubt`: see `LegEnd`."""
        line, leg = self._line, self._leg
        if line is None:
            return
        self._line = None
        line.give_back()
        if self._limit is not None:
            self._limit()
        self._desk.phones.pop(leg, None)
        if not self._desk.phones:
            self._desk.idle.set()
        if self._sip is not None:
            forget = partial(self._forget, self._sip.call_id, leg)
            self._desk.clock.call_at(self._desk.clock.now().after(STRAYS), forget)
        end = LegEnd(self._desk.clock.now().utc_us, cause.words, cause.q850, cause.status, doubt)
        if doubt is not None:
            warn(leg, end.cause, self._desk.alarms)
        if self.is_answered:
            self._desk.ends[leg] = end
        if leg:  # there was one
            self._recording = self._desk.errands.start(self._record(leg, end))

    def _forget(self, call_id: str, leg: str) -> None:
        self._desk.legs.pop(call_id, None)
        self._desk.ends.pop(leg, None)
        self._desk.strays.pop(leg, None)

    async def _record(self, leg: str, end: LegEnd) -> None:
        try:
            end = replace(end, sound=heard(await self._desk.sound.close(leg) or self._figures))
        except MediaError as error:
            log.warning("the sound of a leg could not be closed: %s", error)
        if self._desk.strays[leg]:
            if leg not in self._desk.ends:
                return  # its row says so, and waits for the carrier's word
            end = replace(end, doubt=end.doubt or BESIDE)
        try:
            await self._desk.store.end_leg(leg, end)
        except StoreError:
            log.exception("the end of a telephone leg could not be recorded")

    # What is told by recordings

    async def _tell_of_the_end(self) -> None:
        """Both ends hear that the call will end, and why, in place of each other."""
        if self._line is not None and self._announces:
            language = self._line.trunk.language
            for side in SIDES:
                await self._sound(self._desk.sound.play(self._leg, side, Sound.REVOKED, language))

    async def _let_talk(self) -> None:
        """It will not, after all."""
        if self._line is not None:
            for side in SIDES:
                await self._sound(self._desk.sound.stop_playing(self._leg, side))
            if self._held:
                await self._entertain()

    # Changes of a call that runs

    async def _negotiate(self, offer: Negotiate) -> None:
        """The app holds, resumes or moves; more than sound is not carried."""
        answer = None
        if offer.sdp is not None and set(offer.media) <= set(SOUND):
            answer = await self._sound(self._desk.sound.app_offered(self._leg, offer.sdp))
        if answer is None:
            self._say(events.Negotiated(self.party, "decline", None, SOUND, False, offer.round))
            return
        self._say(events.Negotiated(self.party, "answer", answer, SOUND, False, offer.round))
        lease = None if self._sip is None else self._sip.lease
        if lease is not None:
            await self._hold(lease, offer.hold)

    async def _hold(self, lease: Lease, hold: bool) -> None:
        """The carrier is told, under the lease that the leg has; whoever is held hears music, if there is
        some."""
        direction: Direction = ("sendonly" if self._announces else "inactive") if hold else "sendrecv"
        sdp = await self._sound(self._desk.sound.offer_trunk(self._leg, direction))
        if sdp is not None and self._sip is not None:
            self._sip.change(sdp.encode())
        changes, self._held = hold != self._held, hold
        if changes and self._notice is None:  # why the call will end is told in place of music
            await self._entertain()

    @property
    def _announces(self) -> bool:
        return Capability.ANNOUNCE in self._desk.sound.capabilities

    async def _entertain(self) -> None:
        """Music for the telephone while it is held, and none from then on."""
        if self._line is None or not self._announces:
            return
        sound = self._desk.sound
        if self._held:
            await self._sound(sound.play(self._leg, "trunk", Sound.MUSIC))
        else:
            await self._sound(sound.stop_playing(self._leg, "trunk"))

    async def _offered(self, lease: Lease, sdp: bytes) -> None:
        """The carrier holds, moves or takes another codec."""
        answer = await self._sound(self._desk.sound.trunk_offered(self._leg, sdp.decode(errors="replace")))
        if self._sip is None:
            return
        if answer is None:
            self._sip.refuse_offer()
        else:
            self._sip.answer(answer.encode())

    async def _changed(self, sdp: bytes) -> None:
        await self._sound(self._desk.sound.trunk_answered(self._leg, sdp.decode(errors="replace")))

    async def _press(self, digit: str) -> None:
        """The telephone has pressed a key, and its carrier says so by INFO."""
        if Capability.DTMF in self._desk.sound.capabilities:
            await self._sound(self._desk.sound.press(self._leg, digit))

    async def _sound(self, asked: Awaitable[str | None]) -> str | None:
        """What the backend says; none if it does not do it. An answer without words is empty."""
        try:
            return await asked or ""
        except MediaError as error:
            log.warning("the sound of a telephone call: %s", error)
            return None

    def _talked(self, event: told.Event) -> None:
        """What happens on a leg that was answered."""
        match event:
            case told.Offered(sdp):
                if self._sip is not None and (lease := self._sip.lease) is not None:
                    self._desk.errands.start(self._offered(lease, sdp))
            case told.Changed(sdp) | told.Confirmed(sdp):
                if sdp:
                    self._desk.errands.start(self._changed(sdp))
            case told.Keyed(digit):
                self._desk.errands.start(self._press(digit))
            case told.Ended():
                self._ended(event)
            case _:
                pass


def heard(said: Statistics | None) -> LegSound | None:
    """What is kept of a leg's sound; none if nothing came."""
    if said is None or not said.app.received + said.trunk.received:
        return None
    sides = (said.app, said.trunk)
    return LegSound(
        packets=sum(side.received for side in sides),
        lost=sum(side.lost for side in sides),
        jitter=round(max(side.jitter for side in sides) * 1_000_000),
    )
