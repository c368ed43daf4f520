"""From a number that was dialled to a trunk that may be asked: the licence, the caps, the choice, the grant.

Each attempt goes this way anew. The gate's word on the very attempt is the last: what is looked at before it
writes nothing down and grants nothing.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Set
from contextlib import nullcontext
from functools import partial

from licensing.alarms import Alarm
from licensing.case import Decision
from licensing.grant import Grant
from licensing.instant import SECOND
from licensing.numbering import Number
from signaling.core import events
from signaling.core.holder import Person
from signaling.core.party import Party
from signaling.facts import Telephone, caller_id
from signaling.media import Language
from signaling.patience import in_time
from signaling.permission import Answer, Refused, Way, duties, in_words, masked
from signaling.ports.legs import BegunLeg, Duties, Entitlement, leg_of
from signaling.ports.store import StoreError
from signaling.ports.telephones import Dialled
from signaling.pstn.called import Called, Route
from signaling.pstn.caps import Allowed, Cap, Capped, Caps, Used, Whose, within
from signaling.pstn.line import Line
from signaling.pstn.outcome import reason_for
from signaling.pstn.phone import SOUND, Desk
from signaling.pstn.selection import Need, NoTrunk, Standing, next_trunk, soonest
from signaling.pstn.sip.cause import Cause
from signaling.pstn.telling import Telling, can_tell, language_of
from wephone.protocol.ids import CallId, UserId
from wephone.protocol.messages import Media, Refusal
from wephone.protocol.reasons import EndReason

PATIENCE = 3.0  # seconds that a call waits for its turn at a trunk, all its attempts together
QUIET = 3600 * SECOND  # after which an alarm about caps is over by itself
WORTH_AN_ALARM = frozenset({Cap.CALLS_PER_HOUR, Cap.MINUTES_PER_DAY, Cap.RANGE_CLOSED})

log = logging.getLogger(__name__)


class Dialling:
    """See `signaling.ports.telephones.Telephones`."""

    def __init__(self, desk: Desk, lines: Mapping[str, Line], told_in: Language | None = None) -> None:
        """`told_in`: refusals are told aloud, in this language to clients that name none."""
        self._desk, self._lines, self._told_in = desk, lines, told_in
        # One attempt of an account at a time: two at once would each see the other's room.
        self._turns: defaultdict[UserId, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._alive: dict[CallId, Called | Telling] = {}

    async def dial(
        self,
        call: CallId,
        phone: Party,
        caller: Person,
        dialled: str,
        media: tuple[Media, ...],
        payer: Person | None = None,
    ) -> Dialled:
        """See `signaling.ports.telephones.Telephones`."""
        payer = payer or caller
        to = self._desk.permission.dialled(dialled, payer)
        attempt = Attempts(self, call, caller, payer, to)
        found = await attempt.first()
        decision = attempt.decision
        match found:
            case Route():
                self._alive[call] = called = Called(self._desk, call, phone, found, attempt.next)
                for_help = found.to.emergency
                return Dialled(masked(to), decision, called, found.line.name, for_help)
            case NoTrunk():
                for_help = isinstance(to, Number) and to.emergency
                reason = EndReason.HELP_NOT_REACHED if for_help else reason_for(found)
                return Dialled(masked(to), decision, events.Unroutable(reason))
            case refused:
                return Dialled(masked(to), decision, refused)

    def teller(self, call: CallId, phone: Party, features: Set[str]) -> Telling | None:
        """See `signaling.ports.telephones.Telephones`."""
        if self._told_in is None or not can_tell(self._desk):
            return None
        language = language_of(features, self._told_in)
        self._alive[call] = telling = Telling(self._desk, call, phone, language)
        return telling

    def forget(self, call: CallId) -> None:
        """See `signaling.ports.telephones.Telephones`."""
        party = self._alive.pop(call, None)
        if party is not None:
            party.drop()
        self._desk.leases.forget(call)

    async def room(self, caller: UserId, to: Number, line: Line) -> Allowed | Capped:
        """What the account's caps and the trunk's leave, for a call that has its place there.

        Others that ask just now count with all they might use. A call for help asks nobody.
        """
        if to.emergency:
            return Allowed(None)
        limits, others = line.trunk.limits.caps(), line.asking - 1
        store, now = self._desk.store, self._desk.clock.now().utc_us
        granted = await store.entitlement(caller)
        used = await store.used_by_account(caller, now)
        by_all = await store.used_by_trunk(line.name, now)
        return within(
            to,
            None if granted is None else caps_of(granted),
            Used(used.calls, used.attempts, used.seconds),
            limits,
            Used(line.calls - 1, by_all.attempts + others, by_all.seconds + others * limits.call_seconds),
        )

    def capped(self, capped: Capped) -> events.Refused:
        """Refused, counted, and, where somebody may be stealing calls, an operator is told."""
        code = f"CAP_{capped.cap.upper()}"
        self._desk.metrics.capped(capped.cap, capped.whose)
        if capped.cap in WORTH_AN_ALARM:
            self._desk.alarms.sound(Alarm.CALLS_CAPPED, f"telephone calls are refused: {capped.text.en}")
            over = partial(self._desk.alarms.clear, Alarm.CALLS_CAPPED)
            self._desk.clock.call_at(self._desk.clock.now().after(QUIET), over)
        return events.Refused(Refusal(code=code, text=in_words(capped.text)))

    @property
    def desk(self) -> Desk:
        return self._desk

    @property
    def lines(self) -> Mapping[str, Line]:
        return self._lines

    def turn(self, caller: UserId) -> asyncio.Lock:
        """Held from the look at what was used until the attempt's row is there."""
        return self._turns[caller]


class Attempts:
    """The attempts of one call, one after another."""

    def __init__(
        self, dialling: Dialling, call: CallId, caller: Person, payer: Person, to: Telephone
    ) -> None:
        """`payer`: whose number is shown and whose calls they count with; the decision is about `caller`."""
        self._dialling, self._call, self._caller, self._to = dialling, call, caller, to
        self._payer = payer
        self._desk = dialling.desk
        self._own = caller_id(payer)
        self._number = 0
        self._patience = PATIENCE
        self.decision: str | None = None  # the gate's last

    async def first(self) -> Route | events.Refused | NoTrunk:
        """The way of the first attempt. Whatever comes of it, the gate has decided and written that down."""
        decision = self._desk.permission.check(self._caller, self._to, SOUND, self._payer)
        why = NoTrunk.NONE
        if isinstance(self._to, Number) and decision.allows:
            found = await self._find(self._to, decision, frozenset(), None, rang=False)
            if isinstance(found, Capped):
                return self._dialling.capped(found)
            if not isinstance(found, NoTrunk):
                return found
            why = found
        answer = await self._desk.permission.may_dial(
            self._call, self._caller, self._to, SOUND, payer=self._payer
        )
        return self._noted(answer) or why

    async def next(
        self, tried: frozenset[str], last: Cause, *, rang: bool
    ) -> Route | events.Refused | NoTrunk:
        """The way of another attempt after one that failed, if there may be one."""
        decision = self._desk.permission.check(self._caller, self._to, SOUND, self._payer)
        assert isinstance(self._to, Number), "there was a first attempt"
        found = await self._find(self._to, decision, tried, last, rang=rang)
        return NoTrunk.FULL if isinstance(found, Capped) else found

    async def _find(
        self, to: Number, decision: Decision, tried: frozenset[str], last: Cause | None, *, rang: bool
    ) -> Route | events.Refused | NoTrunk | Capped:
        need = Need(duties(decision), to.emergency, self._helping_country() if to.emergency else None)
        # A call for help has no caps, and waits for no other whose row the store may be slow to take.
        async with nullcontext() if to.emergency else self._dialling.turn(self._payer.user):
            full: Capped | None = None
            while True:
                choice = next_trunk(self._standings(to), need, tried, last, rang=rang)
                if choice is NoTrunk.FULL and await self._waited(to, need, tried):
                    continue
                if isinstance(choice, NoTrunk):
                    return choice if full is None else full
                line = self._dialling.lines[choice.name]
                found = await self._at(to, line)
                if not isinstance(found, Capped) or found.whose is Whose.ACCOUNT:
                    return found
                full, tried = found, tried | {line.name}

    async def _at(self, to: Number, line: Line) -> Route | events.Refused | NoTrunk | Capped:
        """The way by this trunk, if caps and law allow it."""
        found: Route | events.Refused | NoTrunk | Capped | None = None
        line.take(self._desk.clock.now())
        try:
            room = await self._dialling.room(self._payer.user, to, line)
            found = await self._grant(to, line, room.seconds) if isinstance(room, Allowed) else room
            return found
        finally:
            line.asked(came_to_something=isinstance(found, Route))

    async def _waited(self, to: Number, need: Need, tried: frozenset[str]) -> bool:
        """The carrier takes so many calls a second: it may be asked again now, if that was not too long."""
        wait = soonest(self._standings(to), need, tried)
        if wait is None or self._patience < wait:
            return False
        self._patience -= wait
        await asyncio.sleep(wait)
        return True

    def _helping_country(self) -> str | None:
        """Where help is asked for, as the law takes it: not always where the digits are a number for it."""
        home = self._caller.facts.residence
        return self._desk.operator.helping_country(None if home is None else home.country)

    def _standings(self, to: Number) -> list[Standing]:
        """Of the trunks that can be told this number and the caller's."""
        now = self._desk.clock.now()
        lines = self._dialling.lines.values()
        return [line.standing(now) for line in lines if line.wish(to, self._own, "") is not None]

    async def _grant(self, to: Number, line: Line, seconds: int | None) -> Route | events.Refused | NoTrunk:
        """The decision on this attempt, durable, and its row."""
        self._number += 1
        name = "callee" if self._number == 1 else f"callee-{self._number}"
        shown = line.shown(self._own)
        way = Way(line.name, name, None if shown is None else shown.address)
        answer = await self._desk.permission.may_dial(self._call, self._caller, to, SOUND, way, self._payer)
        refused = self._noted(answer)
        if refused is not None:
            return refused
        assert not isinstance(answer, Refused)
        if answer.grant is None or (not answer.duties <= line.trunk.duties and not to.emergency):
            return NoTrunk.NO_DUTY
        done = line.trunk.carries_out(answer.duties)
        return await self._begin(to, line, answer.grant, seconds, done)

    async def _begin(self, to: Number, line: Line, grant: Grant, seconds: int | None, done: Duties) -> Route:
        """The attempt's row, and what is done for the law, before anything of it is sent."""
        leg = leg_of(grant.attempt)
        at = self._desk.clock.now().utc_us
        row = BegunLeg(leg, self._call, line.name, self._payer.user, True, grant.decision, seconds, at, done)
        try:
            await in_time(self._desk.store.begin_leg(row), for_help=to.emergency)
        except StoreError:
            if not to.emergency:
                raise
            log.exception("a call for help goes on without its row")
        return Route(line, leg, grant, to, self._own, seconds)

    def _noted(self, answer: Answer) -> events.Refused | None:
        self.decision = answer.decision
        return events.Refused(answer.refusal) if isinstance(answer, Refused) else None


def caps_of(granted: Entitlement) -> Caps:
    """An account's entitlement as the rule of caps takes it."""
    return Caps(
        granted.concurrent_calls,
        granted.calls_per_hour,
        granted.minutes_per_day,
        granted.call_minutes * 60,
        granted.countries,
    )
