"""A telephone that is called: one attempt after another, each with a decision, grant and row of its own."""

import asyncio
import logging
import secrets
from dataclasses import dataclass
from typing import Protocol

from licensing.grant import Grant
from licensing.numbering import Number
from licensing.reasons import Reason
from signaling.core import events
from signaling.core.party import Party
from signaling.media import MediaError, Problem
from signaling.ports.store import StoreError
from signaling.pstn.line import Line
from signaling.pstn.outcome import reason_for
from signaling.pstn.phone import Desk, Phone
from signaling.pstn.selection import NoTrunk
from signaling.pstn.sip import call_events as told
from signaling.pstn.sip.cause import TEMPORARY_FAILURE, Cause
from signaling.pstn.sip.dialog import Dialog
from signaling.pstn.sip.leg import unlicensed
from signaling.pstn.sip.outgoing import OutgoingCall
from signaling.pstn.sip.problem import CarrierError
from wephone.protocol.ids import CallId
from wephone.protocol.messages import Incoming, ServerMessage
from wephone.protocol.reasons import EndReason

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Route:
    """One attempt that may be made: by this trunk, under this grant, for so many seconds at most."""

    line: Line
    leg: str  # the id of its row, and of its sound
    grant: Grant
    to: Number
    own: str | None  # the caller's own number
    seconds: int | None


class Again(Protocol):
    """Who finds the next trunk: decided anew, with a row of its own."""

    async def __call__(
        self, tried: frozenset[str], last: Cause, *, rang: bool
    ) -> "Route | events.Refused | NoTrunk": ...


class Called(Phone):
    """See above. Nothing is sent before the machine says that the call may be offered."""

    def __init__(self, desk: Desk, call: CallId, party: Party, first: Route, again: Again) -> None:
        super().__init__(desk, call, party)
        self._first, self._again = first, again
        self._begun = False
        self._rang = False
        self._work(first.line, first.leg, first.grant)

    def _follow(self, message: ServerMessage) -> None:
        if isinstance(message, Incoming) and not self._begun:
            self._begun = True
            self._desk.errands.start(self._reach(message.sdp))

    def _leave(self, cause: Cause) -> None:
        if self._over:
            return
        self._over = True
        if self._sip is not None:
            if self._sip.session is None:
                self._desk.errands.start(self._fall_silent())
            self._sip.hang_up(cause)
        elif not self._begun:
            self._close(cause)

    async def _fall_silent(self) -> None:
        """What is heard before an answer ends with the call, and not when the carrier says so too."""
        try:
            self._figures = await self._desk.sound.close(self._leg)
        except MediaError as error:
            log.warning("the sound of a telephone call could not be closed: %s", error)

    async def _reach(self, offer: str) -> None:
        """Whatever goes wrong, the caller hears that it did."""
        try:
            await self._call_out(offer)
        except StoreError:
            log.exception("an attempt at a trunk could not be recorded")
            self._give_up(EndReason.NOT_RECORDED)
        except Exception:  # the last resort: nobody waits for a call that nobody makes
            log.exception("a telephone could not be called")
            self._give_up(EndReason.CARRIER_FAILED)

    def _reject(self, reason: EndReason) -> None:
        """Nobody is reached; who needs help hears what to do."""
        for_help = self._first.to.emergency
        self._say(events.Rejected(self.party, EndReason.HELP_NOT_REACHED if for_help else reason))

    def _give_up(self, reason: EndReason) -> None:
        self._reject(reason)
        if self._sip is None:
            self._close(Cause("the call could not be made", TEMPORARY_FAILURE))

    async def _call_out(self, offer: str) -> None:
        """One trunk after another, until somebody was reached."""
        route, tried = self._first, frozenset[str]()
        while True:
            failed = await self._try(route, offer)
            tried |= {route.line.name}
            if failed is None or self._over:
                return
            if failed.retry_after:
                route.line.rest(failed.retry_after, self._desk.clock.now())
            # What it took of the caps is known then; a call for help has none.
            if self._recording is not None and not route.to.emergency:
                await asyncio.wait((self._recording,))
            found = await self._again(tried, failed.cause, rang=self._rang)
            match found:
                case Route():
                    route = found
                    self._work(route.line, route.leg, route.grant)
                case events.Refused(refusal):
                    self._say(events.Withdrawn(refusal, self._desk.clock.now()))
                    return
                case NoTrunk():
                    self._reject(reason_for(found, failed.cause))
                    return

    async def _try(self, route: Route, offer: str) -> told.Failed | None:
        """One attempt; how it failed, if another trunk may be asked."""
        try:
            said = await self._desk.sound.open_outgoing(route.leg, offer, route.line.media)
        except MediaError as error:
            return self._without_sound(error)
        self._give_to_sound()
        if self._over:
            self._close(Cause("the call was given up"))
            return None
        outcome: asyncio.Future[told.Failed | None] = asyncio.get_running_loop().create_future()

        def tell(event: told.Event) -> None:
            self._told(event, route, said.app, outcome)

        refused = await self._invite(route, route.grant, said.trunk, tell)
        if refused is not None:
            return refused
        if self._over and self._sip is not None:
            self._sip.hang_up(Cause("the caller gave up"))
        failed = await outcome
        self._sip = self._sip if failed is None else None
        return failed

    async def _invite(self, route: Route, grant: Grant, offer: str, tell: told.Tell) -> told.Failed | None:
        """The INVITE, under its grant; why there is none."""
        wish = route.line.wish(route.to, route.own, offer)
        if wish is None:
            return self._fail(
                Cause("this trunk cannot be told the number", TEMPORARY_FAILURE, elsewhere=True)
            )
        try:
            leg = await self._desk.agent.call(wish, grant, grant.attempt, tell)
        except CarrierError as error:
            return self._fail(Cause(error.sentence, TEMPORARY_FAILURE, 503, elsewhere=True))
        if isinstance(leg, OutgoingCall):
            self._sip = leg
            self._desk.legs[leg.call_id] = route.leg
            return None
        return self._unlicensed(route, leg)

    def _unlicensed(self, route: Route, reason: Reason) -> told.Failed:
        """The grant was worth nothing any more: something has changed since the decision."""
        failed = self._fail(unlicensed(reason))
        why = self._desk.permission.why_not(route.grant, route.grant.decision)
        self._say(events.Withdrawn(why, self._desk.clock.now()))
        self._over = True
        return failed

    def _without_sound(self, error: MediaError) -> told.Failed | None:
        """The next trunk may speak what the app does; without a backend none does."""
        log.warning("a telephone call has no sound: %s", error)
        elsewhere = error.problem in (Problem.NO_COMMON_CODEC, Problem.NO_SRTP, Problem.LACKING)
        failed = self._fail(Cause("no sound can be exchanged", 31, 488, elsewhere=elsewhere))
        if elsewhere:
            return failed
        self._reject(EndReason.MEDIA_FAILED)
        return None

    def _fail(self, cause: Cause) -> told.Failed:
        self._close(cause)
        return told.Failed(cause)

    def _told(
        self, event: told.Event, route: Route, app: str, outcome: "asyncio.Future[told.Failed | None]"
    ) -> None:
        """What happens on this attempt's leg."""
        match event:
            case told.Trying():
                pass
            case told.Ringing(status, sdp):
                self._rings(status)
                if sdp:
                    self._desk.errands.start(self._let_hear(sdp, route, app))
            case told.Answered() if not outcome.done():
                outcome.set_result(None)
                self._dialog = event.dialog
                self._desk.errands.start(self._connect(event, route, app))
            case told.AnsweredBeside(dialog):
                self._desk.errands.start(self._part(dialog))
            case told.Failed(cause, doubt=doubt) if not outcome.done():
                if cause.elsewhere and doubt is None:  # of a doubt an alarm tells
                    where = {"trunk": route.line.name, "leg": route.leg}
                    log.info("a trunk could not place a telephone call: %s", cause.words, extra=where)
                self._close(cause, doubt=doubt)
                outcome.set_result(None if self._over else event)
            case _:
                self._talked(event)

    def _rings(self, status: int) -> None:
        self._rang = True
        if status == 180:
            self._say(events.Alerting(self.party))
        else:
            self._say(events.Delivered(self.party))

    async def _let_hear(self, sdp: bytes, route: Route, app: str) -> None:
        """The carrier sends sound before the answer, under the lease of its INVITE: the caller hears it.

        Not of a call for help, which may go on to another trunk after this one and its description.
        """
        theirs = sdp.decode(errors="replace")
        heard = await self._sound(self._desk.sound.trunk_answered(route.leg, theirs, early=True))
        if heard is None or route.to.emergency:
            return
        self._say(events.EarlySound(self.party, app))
        self._trickles = True
        self._trickle()

    async def _is_kept(self, dialog: Dialog, *, for_help: bool) -> bool:
        """Is the dialog durable, or goes the call on without that?"""
        try:
            await self._keep(dialog, for_help=for_help)
        except StoreError as error:
            log.error("the dialog of a telephone call could not be kept: %s", error)
            return for_help
        return True

    async def _part(self, beside: Dialog) -> None:
        """Another phone was answered: durable first here too, then acknowledged and ended."""
        await self._keep_beside(beside)
        if isinstance(self._sip, OutgoingCall):
            self._sip.part(beside)

    async def _connect(self, event: told.Answered, route: Route, app: str) -> None:
        """It was answered: durable first, or a server that dies leaves a call that nobody can end; then
        acknowledged (of a call for help it is already), then the caller is told."""
        is_kept = await self._is_kept(event.dialog, for_help=route.to.emergency)
        if isinstance(self._sip, OutgoingCall):
            self._sip.acknowledge()
        if not is_kept:
            self._reject(EndReason.NOT_RECORDED)
            self._leave(Cause("the call cannot be recorded as required", TEMPORARY_FAILURE, 503))
            return
        sdp = (event.sdp or b"").decode(errors="replace")
        if await self._sound(self._desk.sound.trunk_answered(route.leg, sdp)) is None:
            self._reject(EndReason.MEDIA_FAILED)
            self._leave(Cause("the answer has no sound that can be carried", 31, 488))
            return
        self._end_after(route.seconds)
        self._say(events.Answered(self.party, app, secrets.token_hex(32)))
        self._trickles = True
        self._trickle()
