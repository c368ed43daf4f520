"""The one way to a telephone leg: decide, write it down, grant, lease, decide again.

What cannot be evaluated is refused, and nothing here raises at its caller. App calls go on while register,
clock or journal are in trouble, as long as no permit is what allows them. Calls for help go on whatever
fails.
"""

import asyncio
import logging
import os
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from licensing.alarms import Alarm, Alarms
from licensing.audit import Draft, canonical
from licensing.case import Decision, Outcome
from licensing.facts import CallFacts
from licensing.grant import Again, Attempt, Book, Grant, Lease
from licensing.identity import RANDOM, DecisionId, decision_id
from licensing.instant import Instant
from licensing.law import Law
from licensing.lawbook import unkept
from licensing.ports import Clock, Journal
from licensing.reasons import Reason, reason_text
from licensing.record import KEEP, Ask, Circumstances, Random, allows, entry
from licensing.recorder import Recorder
from licensing.register import Register
from licensing.review import Review, Standing, is_same
from licensing.snapshot import Ground, Snapshot
from licensing.soundness import ClockWatch, Synchronised

__all__ = ["Ask", "Attempt", "Begun", "Gate", "Grant", "Lease", "Review", "Standing", "Verdict"]

# Seconds that an effect waits for its entry to be durable.
WAIT_FOR_PHONES = 2.0  # a caller takes that for ringing; a disk that needs longer is in trouble
WAIT_FOR_APPS = 0.05
WAIT_FOR_HELP = 0.25
WAIT_FOR_REGISTER = 0.25  # one last look before a stale register refuses
MOST_SAID = 10_000  # answers kept for those who write to each other over and over
MOST_DECISIONS = 3  # of one attempt, while the register changes under it

Begun = Callable[[DecisionId], None]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to an ask. The grant is there for an allowed telephone leg alone, and is consumed once."""

    id: DecisionId
    decision: Decision
    ground: Ground  # a change of the register since then has to be looked at
    grant: Grant | None = None

    @property
    def allowed(self) -> bool:
        return allows(self.decision)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A decision, on which snapshot it was made, and what the law said where the gate said otherwise."""

    decision: Decision
    taken: Snapshot
    withheld: Decision | None = None
    fault: str | None = None  # what was in doubt, also where it changed nothing

    def binding(self, facts: CallFacts) -> bool:
        """Does its effect need register, clock and journal to be in order?"""
        return facts.telephone or bool(self.decision.permits)


class Gate:
    """Decides for one node. `open` before use, `close` after; the register has its own."""

    def __init__(
        self,
        *,
        register: Register,
        journal: Journal,
        clock: Clock,
        law: Law,
        alarms: Alarms | None = None,
        keep: int = KEEP,
        random: Random = os.urandom,
        synchronised: Synchronised | None = None,
    ) -> None:
        """`keep`: microseconds that names and numbers stay in clear. `synchronised`: the kernel's view."""
        self._register, self._journal, self._clock, self._law = register, journal, clock, law
        self._alarms = alarms or Alarms()
        self._keep, self._random = keep, random
        self._watch = ClockWatch(synchronised)
        self._recorder = Recorder(journal, self._alarms, self._watch.wrote)
        self._book = Book()
        self._said: OrderedDict[tuple[object, CallFacts], Verdict] = OrderedDict()
        self._graphs: dict[str, CallFacts] = {}  # of calls with a leg that holds a lease
        self._overridden: set[str] = set()  # calls for help that no permit covers, until they are gone
        self._judged_at = (-1, -1)  # an epoch, and until when by its dates
        self._lost: str | None = None  # what the database lacks of a checkpoint kept elsewhere
        self._known: dict[CallFacts, _Judged] = {}  # what was judged there, beyond doubt

    async def open(self) -> None:
        """Learn how far the journal has got, and keep the law in it. JournalError if it cannot be read."""
        self._watch.wrote((await self._journal.head()).at)
        now = self._clock.now()
        self._watch.fault(now)
        for draft in await unkept(self._journal, self._law.profiles, self._law.judges, now):
            await self._recorder.write(draft, WAIT_FOR_PHONES)

    def distrust(self, lost: str | None) -> None:
        """Refuse telephone legs: the evidence lacks what it once had. None: an operator has accepted it."""
        self._lost = lost
        if lost is None:
            self._alarms.clear(Alarm.EVIDENCE_LOST)
        else:
            self._alarms.sound(Alarm.EVIDENCE_LOST, lost)

    async def close(self) -> None:
        """Chain what is still to be chained, as far as the journal lets."""
        await self._recorder.close()

    # Deciding

    async def authorize(self, ask: Ask, begun: Begun | None = None) -> Verdict:
        """Decide and write it down; a yes may be acted on when this returns. Never raises (R3).

        `begun` is told the id of a yes that needs no permit, while its entry is being written: what it starts
        to write itself may then be in the same commit, and must not be acted on before this returns.
        """
        try:
            overtaken = None
            for _ in range(MOST_DECISIONS):
                answer = await self._attempt(ask, overtaken, begun)
                if isinstance(answer, Verdict):
                    return answer
                overtaken = answer
            return self._gave_up(ask, Reason.DENY_REGISTER_STALE, "the register changed again and again")
        except Exception as error:  # the last resort: what cannot be evaluated is refused
            log.exception("the gate failed on %s", ask.subject)
            self._alarms.sound(Alarm.GATE_FAILED, type(error).__name__)
            return self._gave_up(ask, Reason.DENY_GATE_FAILED, type(error).__name__)

    def check(self, facts: CallFacts) -> Decision:
        """What `authorize` would decide now. Nothing is written down and nothing granted."""
        return self._judge(facts, self._clock.now()).decision

    async def authorize_again(self, ask: Ask) -> Verdict:
        """`authorize`, for texts: one decision for the same people, while facts and register are the same."""
        key = (tuple(ask.people.items()), ask.facts)
        known = self._said.get(key)
        now = self._clock.now()
        holds = known is not None and known.ground.holds(self._register.snapshot.epoch, now)
        if known is not None and holds and not (known.decision.permits and self._doubt(now)):
            return known
        verdict = await self.authorize(ask)
        if verdict.allowed and verdict.grant is None:
            self._said[key] = verdict
            if len(self._said) > MOST_SAID:
                self._said.popitem(last=False)
        return verdict

    async def _attempt(
        self, ask: Ask, overtaken: DecisionId | None, begun: Begun | None
    ) -> Verdict | DecisionId:
        """One decision; its id alone if the register changed before it could take effect."""
        judged, now = await self._judged(ask.facts)
        id = decision_id(now, self._random(RANDOM))
        draft = self._entry(ask, judged, id, now, overtaken)
        if not allows(judged.decision):
            await self._recorder.write(draft, WAIT_FOR_PHONES if ask.facts.telephone else WAIT_FOR_APPS)
            return Verdict(id, judged.decision, self._law.ground(judged.taken, now))
        if ask.facts.emergency:
            await self._recorder.write(draft, WAIT_FOR_HELP)
            return self._allow(ask, judged, id, now)
        if not judged.binding(ask.facts):
            writing = self._recorder.begin(draft)
            if begun is not None and overtaken is None:
                begun(id)
            await self._recorder.durable(writing, WAIT_FOR_APPS)
            return self._allow(ask, judged, id, now) if self._stands(ask.facts, judged) else id
        if not await self._recorder.write(draft, WAIT_FOR_PHONES, keep=False):
            refused = self._refused(judged, Reason.DENY_JOURNAL_UNAVAILABLE, "not durable in time")
            self._recorder.later(self._entry(ask, refused, id, now, overtaken))
            return Verdict(id, refused.decision, self._law.ground(judged.taken, now))
        if self._register.snapshot.epoch != judged.taken.epoch:
            return id
        return self._allow(ask, judged, id, now)

    def _stands(self, facts: CallFacts, judged: _Judged) -> bool:
        """Is it the answer still, on the register as it has become meanwhile?

        A change that does not concern an app call must not hold it up, however many follow each other.
        """
        if self._register.snapshot.epoch == judged.taken.epoch:
            return True
        return is_same(self._judge_known(facts, self._clock.now()).decision, judged.decision)

    async def _judged(self, facts: CallFacts) -> tuple[_Judged, Instant]:
        """Judge; a register that is stale gets one more look first."""
        now = self._clock.now()
        judged = self._judge(facts, now)
        if judged.decision.reason is Reason.DENY_REGISTER_STALE:
            await self._look_again()
            now = self._clock.now()
            judged = self._judge(facts, now)
        return judged, now

    async def _look_again(self) -> None:
        """Before a stale register refuses, look whether it can be confirmed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(WAIT_FOR_REGISTER):
                await self._register.refresh()

    def _judge(self, facts: CallFacts, now: Instant) -> _Judged:
        """What the law says, unless it may not be acted on."""
        taken = self._register.snapshot
        doubt = self._doubt(now)
        judged = _Judged(
            self._law.decide(facts, taken, now), taken, fault=None if doubt is None else doubt[1]
        )
        if facts.emergency:
            return self._helped(facts, judged)
        if doubt is not None and (facts.telephone or (allows(judged.decision) and judged.decision.permits)):
            return self._refused(judged, *doubt)
        if facts.telephone and taken.telephone_off:
            return self._refused(judged, Reason.DENY_TELEPHONE_SWITCHED_OFF, None)
        if facts.telephone and self._lost is not None:
            return self._refused(judged, Reason.DENY_EVIDENCE_LOST, self._lost)
        return judged

    def _helped(self, facts: CallFacts, judged: _Judged) -> _Judged:
        """Nothing but the want of a route refuses a call for help, whatever the profiles say (R8)."""
        refused = not allows(judged.decision)
        if not refused or judged.decision.reason is Reason.DENY_EMERGENCY_NOT_SUPPORTED:
            return judged
        if not self._law.can_help:
            return judged
        override = self._law.unasked(facts, Reason.EMERGENCY_OVERRIDE)
        return _Judged(override, judged.taken, judged.decision, judged.fault)

    def _doubt(self, now: Instant) -> tuple[Reason, str] | None:
        """Why nothing that needs a permit may be allowed now, whatever the law says."""
        self._watch.wrote(self._register.snapshot.newest_at)
        if fault := self._watch.fault(now):
            self._alarms.sound(Alarm.CLOCK_UNSOUND, fault)
            return Reason.DENY_CLOCK_UNSOUND, fault
        self._alarms.clear(Alarm.CLOCK_UNSOUND)
        if not self._register.is_fresh(now):
            return Reason.DENY_REGISTER_STALE, "the register's epoch could not be confirmed for 3 s"
        return None

    def _refused(self, judged: _Judged, reason: Reason, fault: str | None) -> _Judged:
        """The gate's own refusal in place of what the law said."""
        decision = replace(
            judged.decision,
            outcome=Outcome.DENY,
            reason=reason,
            text=reason_text(reason),
            obligations=(),
            permits=(),
            uncertain=False,
            permit_needed=None,
            alternative=None,
        )
        return _Judged(decision, judged.taken, judged.decision, fault)

    def _gave_up(self, ask: Ask, reason: Reason, fault: str) -> Verdict:
        """Refuse without asking the law, and without waiting for anything that may be what failed."""
        now = self._clock.now()
        id = decision_id(now, self._random(RANDOM))
        refused = self._law.unasked(ask.facts, reason)
        if ask.facts.emergency and self._law.can_help:
            refused = self._law.unasked(ask.facts, Reason.EMERGENCY_OVERRIDE)
        judged = _Judged(refused, self._register.snapshot, fault=fault)
        try:
            draft = self._entry(ask, judged, id, now)
        except (TypeError, ValueError):  # the ask itself cannot be written down
            draft = Draft(
                "decision", id, now.utc_us, canonical({"reason": refused.reason.value, "fault": fault})
            )
        self._recorder.later(draft)
        if allows(refused):
            return self._allow(ask, judged, id, now)
        return Verdict(id, refused, Ground(judged.taken.epoch, now.utc_ns))

    def _entry(
        self,
        ask: Ask,
        judged: _Judged,
        id: DecisionId,
        now: Instant,
        again: DecisionId | None = None,
        winds_down: int | None = None,
    ) -> Draft:
        zone = self._law.zone(judged.withheld or judged.decision)
        taken = judged.taken
        made = Circumstances(id, now, taken.epoch, again, judged.withheld, winds_down, judged.fault, zone)
        return entry(ask, judged.decision, made, self._law.basis_for(ask.facts), self._random, self._keep)

    def _allow(self, ask: Ask, judged: _Judged, id: DecisionId, now: Instant) -> Verdict:
        """The yes, with the grant for its leg; without one it is about a call as it already is."""
        ground = self._law.ground(judged.taken, now)
        if judged.decision.reason is Reason.EMERGENCY_OVERRIDE:
            self._overridden.add(ask.subject)
            self._alarms.sound(Alarm.EMERGENCY_OVERRIDE, f"a call for help goes on without a permit: {id}")
        if ask.leg is None or not ask.facts.telephone:
            if ask.subject in self._graphs:
                self._graphs[ask.subject] = ask.facts
            return Verdict(id, judged.decision, ground)
        attempt = Attempt(
            ask.subject,
            ask.leg,
            judged.decision.service,
            None if ask.destination is None else ask.destination.address,
            ask.caller_id,
            ask.trunk,
        )
        grant = Grant(
            id,
            attempt,
            ask.facts,
            ground.epoch,
            ground.until_ns,
            now,
            ask.facts.emergency,
            judged.decision.permits,
        )
        self._book.issue(grant, now)
        return Verdict(id, judged.decision, ground, grant)

    # Running app calls

    def review(self, subject: str, standing: Standing) -> Review | None:
        """Decide a running app call again; None if its last decision stands, or nothing can be said now.

        A doubt about clock or register takes nothing from a call that runs: `in_doubt` says to ask again.
        """
        now = self._clock.now()
        judged = self._judge_known(standing.facts, now)
        decision = judged.decision
        if judged.withheld is not None or standing.still(decision):
            return None
        id = decision_id(now, self._random(RANDOM))
        seconds = None if allows(decision) else self._left(judged, standing.relied, now)
        ask = Ask(subject, standing.facts)  # the people are in the decision that this one follows
        writing = self._recorder.begin(self._entry(ask, judged, id, now, standing.id, seconds))
        relied = standing.relied if seconds is not None else decision.permits
        told = Standing(standing.facts, id, decision, self._law.ground(judged.taken, now), relied)
        return Review(standing, told, seconds, writing)

    def _left(self, judged: _Judged, relied: tuple[str, ...], now: Instant) -> int:
        """Seconds that something keeps which runs, and is refused now."""
        return self._law.seconds_left(judged.decision, relied, judged.taken.permits, now)

    def in_doubt(self) -> bool:
        """Is it unknown now whether calls that rely on permits may go on?"""
        return self._doubt(self._clock.now()) is not None

    def _judge_known(self, facts: CallFacts, now: Instant) -> _Judged:
        """As `_judge`: calls of the same facts are judged once, as long as no permit changes."""
        taken = self._register.snapshot
        at = (taken.epoch, self._law.stands_until(taken, now))
        if at != self._judged_at:
            self._judged_at = at
            self._known.clear()
        judged = self._known.get(facts)
        if judged is None:
            judged = self._judge(facts, now)
            if judged.fault is None:
                self._known[facts] = judged
        return judged

    # Legs

    def redeem(self, grant: Grant, attempt: Attempt) -> Lease | Reason:
        """Consume a grant in the step that sends its INVITE or 2xx: a lease, or why not."""
        now = self._clock.now()
        if not grant.emergency:
            if doubt := self._doubt(now):
                return doubt[0]
            taken = self._register.snapshot
            if taken.telephone_off:
                return Reason.DENY_TELEPHONE_SWITCHED_OFF
            if self._lost is not None:
                return Reason.DENY_EVIDENCE_LOST
            if grant.epoch != taken.epoch or now.utc_ns >= grant.stands_until:
                return Reason.DENY_GRANT_NOT_VALID
        lease = self._book.redeem(grant, attempt, now)
        if lease is None:
            return Reason.DENY_GRANT_NOT_VALID
        self._graphs[attempt.call] = grant.facts
        return lease

    async def renew(self, lease: Lease) -> Lease | Reason:
        """The leg's next lease. A reason means that this one runs out at its end; the edge enforces that.

        While register and decision are as they were this writes nothing. A changed epoch, or a permit that
        began or ended by its dates, is a new decision.
        """
        now = self._clock.now()
        if not self._book.is_live(lease, now):
            return Reason.DENY_GRANT_NOT_VALID
        if lease.grant.emergency:
            return self._book.renew(lease, now) or Reason.DENY_GRANT_NOT_VALID
        if not self._register.is_fresh(now):
            await self._look_again()
            now = self._clock.now()
        doubt = self._doubt(now)
        if doubt is not None:
            return doubt[0]
        if self._lost is not None:
            return Reason.DENY_EVIDENCE_LOST
        if lease.epoch == self._register.snapshot.epoch and now.utc_ns < lease.stands_until:
            return self._book.renew(lease, now) or Reason.DENY_GRANT_NOT_VALID
        try:
            return await self._decide_again(lease)
        except Exception as error:  # as in `authorize`
            log.exception("the gate failed on a leg of %s", lease.grant.attempt.call)
            self._alarms.sound(Alarm.GATE_FAILED, type(error).__name__)
            return Reason.DENY_GATE_FAILED

    async def _decide_again(self, lease: Lease) -> Lease | Reason:
        facts = self._graphs.get(lease.grant.attempt.call, lease.grant.facts)
        judged, now = await self._judged(facts)
        if judged.withheld is not None and judged.decision.reason is not Reason.DENY_TELEPHONE_SWITCHED_OFF:
            return judged.decision.reason
        seconds = None if allows(judged.decision) else self._left(judged, lease.relied, now)
        id = decision_id(now, self._random(RANDOM))
        ask = Ask(lease.grant.attempt.call, facts, {}, lease.grant.attempt.leg)
        draft = self._entry(ask, judged, id, now, lease.decision, seconds)
        durable = await self._recorder.write(draft, WAIT_FOR_PHONES)
        until = self._law.stands_until(judged.taken, now)
        again = Again(id, judged.taken.epoch, until, judged.decision.permits)
        now = self._clock.now()
        if seconds is not None:
            return self._book.wind_down(lease, again, seconds, now) or judged.decision.reason
        if not durable:
            return Reason.DENY_JOURNAL_UNAVAILABLE
        # A change that came meanwhile has its own decision at the next renewal, at once if the edge asks.
        return self._book.stand(lease, again, now) or Reason.DENY_GRANT_NOT_VALID

    def ended(self, call: str, leg: str) -> None:
        """The leg is gone."""
        self._book.end(call, leg)

    def forget(self, call: str) -> None:
        """The call is gone, with its legs and whatever was granted for it."""
        self._book.withdraw(call)
        self._graphs.pop(call, None)
        self._overridden.discard(call)
        if not self._overridden:
            self._alarms.clear(Alarm.EMERGENCY_OVERRIDE)

    @property
    def leases(self) -> tuple[Lease, ...]:
        """Of the telephone legs that are up."""
        return self._book.leases()
