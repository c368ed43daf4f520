"""Carries out what calls decide: in order, in line; slow work is started and returns as an event."""

import asyncio
import logging
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

from licensing.instant import SECOND
from licensing.numbering import Number
from signaling.core import events
from signaling.core.call import Call, Phase, place, restored
from signaling.core.effects import (
    Announce,
    AskChange,
    AskGate,
    Complain,
    Effect,
    GoOn,
    RecordAnswer,
    RecordCourse,
    RecordEnd,
    Send,
    StartTimer,
    StopTimer,
    Timer,
)
from signaling.core.events import (
    Allowed,
    AnswerNotRecorded,
    AnswerRecorded,
    ChangeAllowed,
    ChangeRefused,
    Cut,
    DeviceArrived,
    DeviceLost,
    Event,
    Glared,
    HungUp,
    LostGlare,
    OfferNotRecorded,
    Reinstated,
    Returned,
    TimedOut,
    Unroutable,
    Withdrawn,
)
from signaling.core.forwarding import NOWHERE, Forwarding, When
from signaling.core.glare import glare
from signaling.core.holder import Person
from signaling.core.onward import Onward, forwarded
from signaling.core.party import Party
from signaling.core.sdp import carried, check_sdp
from signaling.dialling import NO_HANDOVER, NOT_FOR_ANOTHER, is_telephone, party_named
from signaling.errands import Errands
from signaling.facts import Telephone, person_of
from signaling.lines import Lines
from signaling.metrics import Metrics
from signaling.patience import in_time
from signaling.permission import Permission, Permitted, Refused, masked_name
from signaling.ports.calls import LiveCall, OfferedCall
from signaling.ports.clock import Cancel, Clock
from signaling.ports.entry import Limits
from signaling.ports.holders import Ends
from signaling.ports.push import Bell
from signaling.ports.store import IdTakenError, Store, StoreError
from signaling.ports.telephones import CallingPhone, Phone, Reached, Telephones, Teller
from signaling.remembered import Remembered
from signaling.revocation import Revocation
from signaling.transfers import TRANSFER, Consulted, Transfers
from signaling.transfers import Transfer as UnderWay
from wephone.protocol.codec import PeerError
from wephone.protocol.ids import WITHHELD, CallId, DeviceId, Peer, UserId
from wephone.protocol.messages import (
    CallSnapshot,
    Ended,
    Error,
    Invite,
    Missed,
    Role,
    SendTransfer,
    ServerMessage,
    Transfer,
    TransferFailed,
)
from wephone.protocol.reasons import EndReason, ErrorCode, error_text

MOST_HOPS = 3  # of one call: whoever it comes to then is rung, whatever they have set

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Trail:
    """What the store and the journal hold of a call so far."""

    dialled: str | None = None  # as its caller wrote it, if it is a call to a number
    phone: Party | None = None  # the telephone that is one of its parties
    answer: Permitted | None = None  # of the gate, to a telephone that calls
    callee: str | None = None  # the number as records show it
    trunk: str | None = None
    for_help: bool = False  # no trouble with the store keeps or ends it
    decision: str | None = None
    offered: bool = False  # its row is there, and has to be closed
    routing: asyncio.Task[None] | None = None
    offering: asyncio.Future[None] | None = None  # its row is being written
    withheld_at: int | None = None  # when it would have been, were its caller not blocked
    calling: CallingPhone | None = None  # the telephone, if it is one that calls
    teller: Teller | None = None  # of a refusal, aloud
    rules: Forwarding = NOWHERE  # of whom it is called now
    passed: tuple[str, ...] = ()  # whom it was for and has come to since, by forwarding
    forwarded_by: UserId | None = None  # whose rule was the last
    payer: UserId | None = None  # who answers for a call to a number, if it is not its caller
    puts_through: bool = False  # to a device whose person talks to the one who asked for it

    def onward(self, caller: UserId, when: When) -> str | None:
        """Where the call goes on in this case: never back to where it was, and not without end."""
        to = self.rules.to(when)
        if to is None or to == caller or to in self.passed or len(self.passed) > MOST_HOPS:
            return None
        return to

    def goes_on(self, to: str) -> None:
        """Everything about whom it was called before is over."""
        self.passed += (to,)
        self.rules, self.offering, self.callee, self.dialled = NOWHERE, None, None, None


class Switch:
    """All calls of this node."""

    def __init__(
        self,
        *,
        node: str,
        epoch: int,
        clock: Clock,
        store: Store,
        lines: Lines,
        permission: Permission,
        telephones: Telephones,
        revocation: Revocation,
        bell: Bell,
        limits: Limits,
        metrics: Metrics,
    ) -> None:
        self._node, self._epoch = node, epoch
        self._clock, self._store, self._lines = clock, store, lines
        self._permission, self._revocation = permission, revocation
        self._telephones = telephones
        self._phones: dict[Party, Phone] = {}
        self._bell, self._limits, self._metrics = bell, limits, metrics
        self._calls: dict[CallId, Call] = {}
        self._of_user: defaultdict[UserId, dict[CallId, None]] = defaultdict(dict)  # not ended
        self._trails: dict[CallId, Trail] = {}
        self._timers: dict[tuple[CallId, Timer], Cancel] = {}
        self._live: set[CallId] = set()
        self._over = Remembered(clock)
        self._transfers = Transfers(clock, self._tell)
        self._errands = Errands("slow work of a call")
        self.draining = False
        self.idle = asyncio.Event()
        self.idle.set()

    # What the edges ask

    def place(self, caller: Party, invite: Invite) -> None:
        """Start a call to a user or a number; PeerError if it cannot even be tried."""
        if self._is_known(caller, invite):
            return
        if self.draining:
            raise PeerError(ErrorCode.DRAINING)
        if wait := self._limits.invite(caller.user):
            raise PeerError(ErrorCode.SLOW_DOWN, f"wait {wait:.1f} s")
        check_sdp(invite.sdp)
        invite = invite.model_copy(update={"media": carried(invite.sdp, invite.media)})
        callee = self._permission.callee(invite.to)
        if callee == caller.user:
            raise PeerError(ErrorCode.YOURSELF, field="to")
        asked = self._asked_for(caller, invite)
        payer = None if asked is None else asked.by.user
        if not isinstance(callee, UserId):
            phone = Party(party_named(callee, invite.to), DeviceId(str(uuid.uuid4())))
            self._trails[invite.call] = Trail(dialled=invite.to, phone=phone, payer=payer)
            self._place(caller, phone.user, invite, [phone.device])
        elif asked is not None and (consulted := asked.consulted) is not None:
            self._trails[invite.call] = Trail(payer=payer, puts_through=True)
            self._place(caller, callee, invite, [consulted.with_.device], consulted.call)
        else:
            self._trails[invite.call] = Trail(payer=payer)
            self._place(caller, callee, invite, [each.party.device for each in self._lines.of_user(callee)])

    def _asked_for(self, caller: Party, invite: Invite) -> UnderWay | None:
        """The transfer that this call carries out, if it replaces another; PeerError if there is none."""
        if invite.replaces is None:
            return None
        asked = self._transfers.place(invite.replaces, invite.call, caller, invite.to)
        if asked is None:
            raise PeerError(ErrorCode.OUT_OF_PLACE, field="replaces")
        return asked

    def transfer(self, by: Party, message: SendTransfer) -> None:
        """Somebody hands a running call over; PeerError if that cannot even be tried."""
        call = self._calls.get(message.call)
        if call is None or call.role(by) is None:
            raise PeerError(ErrorCode.UNKNOWN_CALL, message.call, "call")
        if not is_free_to_go(call, by):
            raise PeerError(ErrorCode.OUT_OF_PLACE)
        if (message.to is None) == (message.to_call is None):
            raise PeerError(ErrorCode.BAD_VALUE, "either `to` or `to_call`", "to")
        if self.draining:
            raise PeerError(ErrorCode.DRAINING)
        if wait := self._limits.invite(by.user):
            raise PeerError(ErrorCode.SLOW_DOWN, f"wait {wait:.1f} s")
        if message.to_call is not None:
            self._put_through(call, by, message.to_call)
        elif message.to is not None:
            self._hand_over(call, by, message.to)

    def _hand_over(self, call: Call, by: Party, dialled: str) -> None:
        """To somebody who is called then."""
        other, to = call.other(by), self._permission.callee(dialled)
        if to in (by.user, other.user):
            raise PeerError(ErrorCode.YOURSELF, field="to")
        if other in self._phones:
            self._errands.start(self._keep_telephone(call, by, other, dialled))
        else:
            self._ask_other(call, by, dialled, None)

    def _put_through(self, call: Call, by: Party, to_call: CallId) -> None:
        """To the other side of another call of who hands over."""
        second = self._calls.get(to_call)
        if second is not None and second.outcome is not None and second.is_between(by):
            self._tell(by, TransferFailed(call=call.id, reason=second.outcome.reason))
            return
        if second is None or second.id == call.id or not is_free_to_go(second, by):
            # Not `unknown_call`: that would be said of the call that goes on.
            raise PeerError(ErrorCode.OUT_OF_PLACE, to_call, "to_call")
        other, to = call.other(by), second.other(by)
        if other.user == to.user:
            raise PeerError(ErrorCode.YOURSELF, field="to_call")
        if other in self._phones:
            self._errands.start(self._keep_telephone(call, by, other, to))
        elif to in self._phones:
            self._errands.start(self._keep_telephone(call, by, to, other))
        else:
            self._ask_other(call, by, to.user, Consulted(second.id, to))

    def _ask_other(self, call: Call, by: Party, to: str, consulted: Consulted | None) -> None:
        """The other side is to call them, if its client knows how to."""
        other = call.other(by)
        if not self._transfers.begin(call.id, by, other, to, consulted):
            raise PeerError(ErrorCode.OUT_OF_PLACE)
        line = self._lines.get(other)
        if line is None or TRANSFER not in line.features:
            self._transfers.fail(call.id, EndReason.UNREACHABLE)
        else:
            line.send(Transfer(call=call.id, to=to))

    async def _keep_telephone(self, call: Call, by: Party, telephone: Party, to: Party | str) -> None:
        """A telephone stays with its app, since nothing moves its sound; what the law says is kept."""
        try:
            payer = await person_of(self._store, by.user)
            callee = await self._meant(to, payer)
        except StoreError:
            log.exception("what is known about the people of a call could not be read")
            self._tell(by, TransferFailed(call=call.id, reason=EndReason.NOT_RECORDED))
            return
        number = None if telephone.user == WITHHELD else self._number_of(telephone, payer)
        answer = await self._permission.may_hand_over(str(uuid.uuid4()), number, callee, payer)
        no = NO_HANDOVER.model_copy(update={"decision": answer.decision})
        why = answer.refusal if isinstance(answer, Refused) else no
        self._metrics.refused(why.code)
        self._tell(by, TransferFailed(call=call.id, reason=EndReason.REFUSED, refusal=why))

    async def _meant(self, to: Party | str, payer: Person) -> Person | Telephone:
        """Whom a call is handed over to, as decisions see them."""
        if isinstance(to, Party):
            return self._number_of(to, payer) if to in self._phones else await person_of(self._store, to.user)
        named = self._permission.callee(to)
        if isinstance(named, UserId):
            return await person_of(self._store, named)
        return self._permission.dialled(to, payer)

    def _number_of(self, telephone: Party, payer: Person) -> Telephone:
        """The number of a telephone that is a party of a call."""
        return self._permission.dialled("+" + telephone.user.lstrip("+"), payer)

    def _is_known(self, caller: Party, invite: Invite) -> bool:
        """The same invite again, after a broken link: the caller hears how far it has come."""
        known = self._calls.get(invite.call)
        if known is None:
            return False
        if known.caller != caller:
            raise PeerError(ErrorCode.ID_TAKEN, invite.call, "call")
        self._receive(known.id, Returned(caller))
        return True

    def ring(self, caller: Party, phone: CallingPhone, invite: Invite, answer: Permitted) -> None:
        """A telephone, which is `caller` in this call, calls a user; the gate has allowed it."""
        self._phones[caller] = phone
        trunk = None if answer.grant is None else answer.grant.attempt.trunk
        self._trails[invite.call] = Trail(phone=caller, answer=answer, trunk=trunk, calling=phone)
        callee = UserId(invite.to)
        self._place(caller, callee, invite, [line.party.device for line in self._lines.of_user(callee)])

    def phone_says(self, call: CallId, event: Event) -> None:
        """What a telephone did, as an event of its call."""
        self._receive(call, event)

    def receive(self, call: CallId, event: Event, ref: int | None) -> None:
        """Something a party says of a call; PeerError if there is no such call."""
        known = self._calls.get(call)
        if isinstance(event, HungUp) and (known is None or known.role(event.by) is None):
            self._errands.start(self._recall(call, event.by, ref))
        elif known is not None:
            self._receive(call, event, ref)
        else:
            raise PeerError(ErrorCode.UNKNOWN_CALL, call, "call")

    def snapshots(self, party: Party, alive: Sequence[CallId]) -> tuple[CallSnapshot, ...]:
        """The calls that this device and the server both hold."""
        known = (self._calls[call] for call in alive if call in self._of_user.get(party.user, ()))
        now = self._clock.now()
        return tuple(filter(None, (call.snapshot(party, now) for call in known)))

    def rejoin(self, party: Party, alive: Sequence[CallId], *, was_here: bool) -> None:
        """A device signed in without its session: heal the calls it has, end those it lost, ring.

        One that `was_here`, and has a call no more, heard of its end from a server that died before the row
        was closed; one that has only now been started knows of nothing.
        """
        for call in self._calls_of(party.user):
            if call.id in alive:
                self._receive(call.id, Returned(party))
            elif call.is_between(party):
                self._receive(call.id, HungUp(party) if was_here else DeviceLost(party))
            elif call.callee == party.user and self._transfers.rings(call.id, party):
                self._receive(call.id, DeviceArrived(party))

    def lost(self, party: Party) -> None:
        """A device did not come back in time."""
        for call in self._calls_of(party.user):
            if call.role(party) is not None:
                self._receive(call.id, DeviceLost(party))

    async def restore(self) -> None:
        """At start: calls that outlived the last server go on; what only rang has ended."""
        ended = await self._store.abandon_ringing(self._clock.now().utc_us)
        rows = await self._store.live_calls()
        for row in rows:
            self._enter(restored(row.call, row.caller, row.answered_by, row.media, self._clock.now()))
            self._trails[row.call] = Trail(offered=True)
            if row.trunk is not None:
                self._end_telephone_call(row)
                continue
            ends = await self._store.ends(row.caller.user, row.answered_by.user)
            caller = ends.caller or Person(row.caller.user)
            callee = ends.callee or Person(row.answered_by.user)
            self._revocation.found(row.call, caller, callee, row.media, row.decision, row.ends_by)
            for party in (row.caller, row.answered_by):
                self._lines.expect(party)
        if ended or rows:
            log.info("calls found at start", extra={"ended": ended, "restored": len(rows)})

    def _end_telephone_call(self, row: LiveCall) -> None:
        """The sound of a telephone call went through the server that died: it is over for all."""
        phone = row.caller if is_telephone(row.caller.user) else row.answered_by
        self._receive(row.call, HungUp(phone, EndReason.CONNECTION_LOST))

    def permit_changed(self, call: CallId, event: Withdrawn | Reinstated) -> None:
        """A call has lost its permit, or got it back."""
        self._receive(call, event)

    def call(self, id: CallId) -> Call | None:
        """The call as it is; none if it is not known here, or forgotten."""
        return self._calls.get(id)

    def cut(self, id: CallId) -> bool:
        """An operator ends a call, for both; False if it does not run here."""
        if id not in self._live:
            return False
        self._receive(id, Cut())
        return True

    def live(self) -> int:
        """How many calls have not ended."""
        return len(self._live)

    def talking(self) -> int:
        """How many of them have been answered."""
        return sum(self._calls[id].phase is Phase.ACTIVE for id in self._live)

    async def close(self) -> None:
        """Stop the timers and wait for what is being recorded."""
        for cancel in self._timers.values():
            cancel()
        self._timers.clear()
        self._transfers.close()
        await self._errands.close()

    # Calls and their effects

    def _place(
        self,
        caller: Party,
        callee: UserId,
        invite: Invite,
        devices: Sequence[DeviceId],
        replaces: CallId | None = None,
    ) -> None:
        call, effects = place(
            invite.call,
            caller,
            callee,
            invite.sdp,
            invite.commitment,
            invite.media,
            devices,
            self._clock.now(),
            replaces,
        )
        rivals = sorted(self._calls_of(callee), key=lambda rival: rival.id)
        verdict = next(filter(None, (glare(rival, call) for rival in rivals)), None)
        self._enter(call)
        self._carry_out(call, effects)
        if verdict is not None:  # the end that names the survivor comes first
            loser, survivor = verdict.loser, verdict.survivor
            self._receive(loser.id, LostGlare(survivor.id))
            self._receive(survivor.id, Glared(loser.caller, loser.id))

    def _enter(self, call: Call) -> None:
        self._forget_old()
        self._calls[call.id] = call
        self._live.add(call.id)
        for user in (call.caller.user, call.callee):
            self._of_user[user][call.id] = None
        self.idle.clear()

    def _calls_of(self, user: UserId) -> Iterable[Call]:
        return [self._calls[call] for call in self._of_user.get(user, ())]

    def _receive(self, id: CallId, event: Event, ref: int | None = None) -> None:
        call = self._calls.get(id)
        if call is None:
            return  # forgotten meanwhile: the event is late by a minute
        call, effects = call.receive(event, self._clock.now())
        self._calls[id] = call
        self._carry_out(call, effects, ref)

    def _forward(self, call: Call, when: When) -> None:
        """The call goes on to somebody else, and is decided on from the start."""
        trail = self._trails[call.id]
        to = trail.onward(call.caller.user, when)
        assert to is not None, "a call goes on where it can"
        trail.passed = trail.passed or (call.callee,)
        trail.forwarded_by = trail.payer = call.callee
        trail.goes_on(to)
        callee = self._permission.callee(to)
        if isinstance(callee, UserId):
            devices = tuple(line.party.device for line in self._lines.of_user(callee))
            onward = Onward(callee, devices, callee, call.callee)
        else:
            phone = Party(party_named(callee, to), DeviceId(str(uuid.uuid4())))
            trail.dialled = to
            if trail.calling is None:
                trail.phone = phone
            onward = Onward(phone.user, (phone.device,), Peer(masked_name(phone.user)), call.callee)
        self._bell.quiet(call.id)
        self._revocation.over(call.id, withdrawn=False)
        self._metrics.call_forwarded(when)
        self._not_of(call)
        state, effects = forwarded(call, onward, self._clock.now())
        self._calls[call.id] = call = cast(Call, state)
        self._of_user[call.caller.user][call.id] = self._of_user[call.callee][call.id] = None
        self._carry_out(call, effects)

    def _carry_out(self, call: Call, effects: Iterable[Effect], ref: int | None = None) -> None:
        for effect in effects:
            match effect:
                case Send(to, message):
                    self._tell(to, message)
                case Complain(to, code):
                    self._complain(call.id, to, code, ref)
                case AskGate():
                    trail = self._trails.setdefault(call.id, Trail())
                    trail.routing = self._errands.start(self._route(call))
                case GoOn(_, when):
                    self._forward(call, when)
                case Announce():
                    self._announce(call)
                case AskChange():
                    self._errands.start(self._ask_change(effect))
                case RecordAnswer():
                    self._bell.quiet(call.id)
                    self._errands.start(self._record_answer(effect))
                case RecordCourse():
                    self._revocation.carries(call.id, effect.media)
                    self._errands.start(self._record_course(effect))
                case StartTimer(timer, deadline):
                    self._stop_timer(call.id, timer)
                    ring = partial(self._receive, call.id, TimedOut(timer))
                    self._timers[call.id, timer] = self._clock.call_at(deadline, ring)
                case StopTimer(timer):
                    self._stop_timer(call.id, timer)
                case RecordEnd():
                    self._leave(call, effect)
                    self._errands.start(self._record_end(call, effect))

    def _announce(self, call: Call) -> None:
        """The machine was given a teller: it begins."""
        teller = self._trails[call.id].teller
        assert teller is not None, "a refusal is told by who is there for it"
        teller.announce(call.offer)

    def _tell(self, to: Party, message: ServerMessage) -> None:
        if (phone := self._phones.get(to)) is not None:
            phone.hear(message)
        elif (line := self._lines.get(to)) is not None:
            line.send(message)

    def _reply(self, to: Party, message: Ended | Error) -> None:
        if (line := self._lines.get(to)) is not None:
            (line.answer if isinstance(message, Error) else line.send)(message)

    def _stop_timer(self, call: CallId, timer: Timer) -> None:
        if (cancel := self._timers.pop((call, timer), None)) is not None:
            cancel()

    def _complain(self, call: CallId, to: Party, code: ErrorCode, ref: int | None) -> None:
        self._metrics.error(code)
        self._reply(to, Error(code=code, text=error_text(code), ref=ref, call=call))

    def _leave(self, call: Call, end: RecordEnd) -> None:
        """Out of the index; the ended call stays for late frames, for a minute."""
        self._metrics.call_ended(end.reason)
        self._bell.quiet(call.id, missed=end.missed)
        withdrawn = end.reason is EndReason.LICENCE_WITHDRAWN
        self._revocation.over(call.id, withdrawn=withdrawn)
        if withdrawn and call.outcome is not None and call.outcome.refusal is not None:
            self._metrics.call_withdrawn(call.outcome.refusal.code)
        self._not_of(call)
        self._live.discard(call.id)
        self._over.add(call.id)
        if not self._live:
            self.idle.set()
        self._leave_transfer(call, end)

    def _leave_transfer(self, call: Call, end: RecordEnd) -> None:
        """What its end means for a call that was handed over, or is to be."""
        assert call.outcome is not None
        by = call.caller if call.outcome.by is Role.CALLER else call.winner
        by = None if call.outcome.by is None else by
        useless = self._transfers.over(call.id, by, end.reason, call.outcome.refusal)
        if useless is not None:
            self._receive(useless, HungUp(self._calls[useless].caller))

    def _not_of(self, call: Call) -> None:
        """It is no call of its two users any more."""
        for user in (call.caller.user, call.callee):
            self._of_user[user].pop(call.id, None)
            if not self._of_user[user]:
                del self._of_user[user]

    def _forget_old(self) -> None:
        for call in self._over.forgotten():
            self._calls.pop(call, None)

    # Slow work, whose outcome is an event

    async def _route(self, call: Call) -> None:
        """Find the callee, ask the gate, make the offer durable."""
        try:
            event = await self._ended_before(call) or await self._offer(call, self._trails[call.id])
            if event is None:
                return  # it has gone on to somebody else
        except IdTakenError:
            event = await self._offered_before(call)
        except StoreError:
            log.exception("a call could not be recorded")
            event = OfferNotRecorded()
        self._receive(call.id, event)

    async def _ended_before(self, call: Call) -> Event | None:
        """It ended while an earlier server stopped, and its caller asks again: it is not decided twice."""
        for_help = self._asks_for_help(call, self._trails[call.id])
        try:
            reason = await in_time(self._store.how_it_ended(call.id, call.caller.user), for_help=for_help)
        except StoreError:  # it may be a call for help; any other is not offered without its row
            log.exception("whether a call has ended before could not be read")
            return None
        # A refusal says why, which the row does not: that is decided again.
        return None if reason in (None, EndReason.REFUSED) else Unroutable(reason)

    def _asks_for_help(self, call: Call, trail: Trail) -> bool:
        """Do the digits say so, before anything is read about who dialled them?"""
        if trail.dialled is None:
            return False
        to = self._permission.dialled(trail.dialled, Person(call.caller.user))
        return isinstance(to, Number) and to.emergency

    async def _offered_before(self, call: Call) -> Event:
        """The id was used. By this very call, before a restart: its caller hears how that ended."""
        reason = await self._store.how_it_ended(call.id, call.caller.user)
        if reason is not None:
            return Unroutable(reason)
        self._complain(call.id, call.caller, ErrorCode.ID_TAKEN, None)
        return OfferNotRecorded()

    async def _recall(self, call: CallId, by: Party, ref: int | None) -> None:
        """Somebody ends a call that is not held here any more: how it ended, if it was theirs."""
        reason = await self._store.how_it_ended(call, by.user)
        if reason is None:
            self._complain(call, by, ErrorCode.UNKNOWN_CALL, ref)
        else:
            self._tell(by, Ended(call=call, reason=reason))

    async def _offer(self, call: Call, trail: Trail) -> Event | None:
        """What becomes of it; none if it goes on to somebody else."""
        if trail.calling is not None and trail.answer is not None:
            return await self._offer_ringing(call, trail, trail.calling, trail.answer)
        if trail.dialled is not None and trail.phone is not None:
            return await self._dial(call, trail, trail.dialled, trail.phone)
        ends = await self._ends(call, trail, call.caller.user)
        if ends.caller is None or ends.callee is None:
            return Unroutable(EndReason.UNKNOWN_USER)
        if self._has_gone_on(call, trail):
            return None

        def offer(decision: str) -> None:
            """Begin to write the row, if the call is still there to be offered."""
            if ends.blocked:
                # For a record like any other's: its caller does not find out by it.
                trail.withheld_at = trail.withheld_at or self._clock.now().utc_us
            elif call.id in self._live:
                trail.offering = asyncio.ensure_future(self._write_offer(call, trail, decision))

        answer = await self._permission.may_call(call.id, ends.caller, ends.callee, call.media, offer)
        trail.decision = answer.decision
        if trail.offering is None and not isinstance(answer, Refused):
            offer(answer.decision)
        if trail.offering is not None:
            await trail.offering
        if isinstance(answer, Refused):
            self._metrics.refused(answer.refusal.code)
            return events.Refused(answer.refusal)
        if answer.standing is not None and call.id in self._live:
            self._revocation.runs(call.id, (call.caller.user, call.callee), answer.standing)
        if ends.blocked:
            return Unroutable(EndReason.UNREACHABLE)  # as for somebody who is away
        if ends.do_not_disturb and not trail.puts_through:
            return Unroutable(EndReason.DO_NOT_DISTURB)
        if not trail.puts_through:
            await self._wake(call)
        lost = await self._revocation.lost(call.id)
        if lost is not None:
            self._metrics.refused(lost.code)
            return events.Refused(lost)
        return self._may_ring(call, trail)

    async def _ends(self, call: Call, trail: Trail, caller: UserId) -> Ends:
        """The two accounts, and whoever the callee has blocked of those who bring the call to them."""
        ends = await self._store.ends(caller, call.callee)
        by = trail.payer
        if not ends.blocked and by is not None and await self._store.has_blocked(call.callee, by):
            ends = replace(ends, blocked=True)
        trail.passed = trail.passed or (call.callee,)
        stays = ends.blocked or ends.callee is None or trail.puts_through
        trail.rules = NOWHERE if stays else ends.forwarding
        return ends

    def _has_gone_on(self, call: Call, trail: Trail) -> bool:
        """Does whom it is for have all calls go on, and has this one?"""
        if trail.onward(call.caller.user, When.ALWAYS) is None:
            return False
        if call.id in self._live:
            self._forward(self._calls[call.id], When.ALWAYS)
        return True

    def _may_ring(self, call: Call, trail: Trail) -> Allowed:
        """For so long: if it can go on from here, not for the longest time."""
        goes_on = frozenset(when for when in When if trail.onward(call.caller.user, when) is not None)
        return Allowed(goes_on, trail.rules.after * SECOND if When.NO_ANSWER in goes_on else None)

    async def _write_offer(self, call: Call, trail: Trail, decision: str | None) -> None:
        """Its row, or in the row that it has, to whom it goes on."""
        row = self._row(call, decision)
        if trail.offered:
            await self._store.forward(row)
        else:
            await self._store.offer(row)
            trail.offered = True

    async def _wake(self, call: Call) -> None:
        """Devices that sleep are offered the call too: they have the resume time to come."""
        for device in await self._bell.ring(call.id, call.caller.user, call.callee, call.media):
            party = Party(call.callee, device)
            self._lines.expect(party)
            self._receive(call.id, DeviceArrived(party))
        if call.id not in self._live:  # its caller gave up meanwhile
            self._bell.quiet(call.id)

    async def _dial(self, call: Call, trail: Trail, dialled: str, phone: Party) -> Event:
        """The number that was dialled, if there is a way to it: then its row, and the phone may be called."""
        for_help = self._asks_for_help(call, trail)
        try:
            person = await in_time(person_of(self._store, call.caller.user), for_help=for_help)
            payer = person if trail.payer is None else await person_of(self._store, trail.payer)
        except StoreError:
            if trail.payer is not None:
                raise  # the caller does not answer for what somebody else has set or asked for
            log.exception("what is known about a caller could not be read")
            person = payer = Person(call.caller.user)
        to = self._permission.dialled(dialled, payer)
        if payer is not person and isinstance(to, Number) and to.emergency:
            self._metrics.refused(NOT_FOR_ANOTHER.code)
            return events.Refused(NOT_FOR_ANOTHER)
        found = await self._telephones.dial(call.id, phone, person, dialled, call.media, payer)
        trail.decision, trail.callee, trail.trunk = found.decision, found.callee, found.trunk
        if isinstance(found.outcome, events.Refused):
            self._metrics.refused(found.outcome.refusal.code)
            is_for_help = isinstance(to, Number) and to.emergency
            return found.outcome if is_for_help else self._told(call, trail, phone, found.outcome)
        if isinstance(found.outcome, Unroutable):
            return found.outcome
        self._phones[phone] = found.outcome
        trail.for_help = found.for_help
        try:
            await in_time(self._write_offer(call, trail, found.decision), for_help=found.for_help)
        except StoreError as error:
            if not found.for_help or isinstance(error, IdTakenError):
                raise
            log.exception("a call for help goes on without its record")
        return Allowed()

    def _told(self, call: Call, trail: Trail, phone: Party, refused: events.Refused) -> events.Refused:
        """The same, and told aloud if somebody does that: to who dialled the number, and to nobody who is in
        a call that was forwarded, or talks in one that is handed over."""
        line = self._lines.get(call.caller)
        if line is None or trail.payer is not None:
            return refused
        teller = self._telephones.teller(call.id, phone, line.features)
        if teller is None:
            return refused
        trail.teller = self._phones[phone] = teller
        return replace(refused, teller=phone.device)

    async def _offer_ringing(
        self, call: Call, trail: Trail, calling: CallingPhone, answer: Permitted
    ) -> Event | None:
        """A telephone that was allowed to call: the offer is durable before any device rings."""
        if (by := trail.forwarded_by) is not None:
            reached = await self._reached(call, trail, calling, by)
            trail.decision, trail.callee = reached.decision, reached.callee
            if reached.refused is not None:
                self._metrics.refused(reached.refused.refusal.code)
                return reached.refused
        else:
            trail.decision = answer.decision
        ends = await self._ends(call, trail, call.callee)
        if ends.callee is None:
            return Unroutable(EndReason.UNKNOWN_USER)
        if self._has_gone_on(call, trail):
            return None
        await self._write_offer(call, trail, trail.decision)
        if ends.blocked:
            return Unroutable(EndReason.UNREACHABLE)
        if ends.do_not_disturb:
            return Unroutable(EndReason.DO_NOT_DISTURB)
        await self._wake(call)
        return self._may_ring(call, trail)

    async def _reached(self, call: Call, trail: Trail, calling: CallingPhone, by: UserId) -> Reached:
        """May the telephone reach whom its call has come to?"""
        if trail.dialled is None:
            return await calling.may_reach(call.callee)
        return await calling.may_be_bridged(trail.dialled, await person_of(self._store, by))

    def _row(self, call: Call, decision: str | None) -> OfferedCall:
        trail, now = self._trails[call.id], self._clock.now().utc_us
        caller = self._shown(call.id, call.caller)
        callee = UserId(trail.callee or call.callee)
        row = OfferedCall(
            call.id, caller, callee, call.media, decision, self._node, self._epoch, now, trail.trunk
        )
        if trail.forwarded_by is None:
            return row
        first = UserId(trail.passed[0])
        return replace(row, callee=first, forwarded_to=callee, forwarded_by=trail.forwarded_by)

    def _shown(self, call: CallId, party: Party) -> Party:
        """A party as rows have it: numbers are masked there."""
        trail = self._trails.get(call)
        if trail is None or trail.phone != party:
            return party
        return Party(UserId(trail.callee or masked_name(party.user)), party.device)

    async def _record_answer(self, effect: RecordAnswer) -> None:
        trail = self._trails.get(effect.call)
        for_help = trail is not None and trail.for_help
        by = self._shown(effect.call, effect.by)
        try:
            answer = self._store.answer(effect.call, by, effect.at.utc_us, self._epoch)
            first = await in_time(answer, for_help=for_help)
        except StoreError:
            log.exception("an answer could not be recorded")
            first = for_help
        self._receive(effect.call, AnswerRecorded() if first else AnswerNotRecorded())
        call = self._calls.get(effect.call)
        done = self._transfers.answered(effect.call) if call and call.phase is Phase.ACTIVE else None
        if done is not None:
            for old in self._live.intersection(done.replaced()):
                self._receive(old, HungUp(done.by, EndReason.TRANSFERRED))

    async def _ask_change(self, change: AskChange) -> None:
        answer = await self._revocation.may_change(change.call, change.media)
        if isinstance(answer, Refused):
            self._metrics.refused(answer.refusal.code)
            self._receive(change.call, ChangeRefused(change.by, change.round, answer.refusal))
        else:
            self._receive(change.call, ChangeAllowed(change.by, change.round))

    async def _record_course(self, course: RecordCourse) -> None:
        ends_by = None if course.ends_by is None else course.ends_by.utc_us
        try:
            await self._store.course(course.call, course.media, ends_by)
        except StoreError:
            # Only a restart reads it: the next server decides again on what it has.
            log.exception("the course of a call could not be recorded")

    async def _record_end(self, call: Call, end: RecordEnd) -> None:
        """Close the call's row, or write one for a call that was never offered."""
        trail = self._trails[call.id]
        if trail.routing is not None:
            await asyncio.wait((trail.routing,))  # it may be writing that row
        try:
            await self._close_row(call, end, trail)
        finally:
            del self._trails[call.id]
            if trail.phone is not None:
                self._phones.pop(trail.phone, None)
                self._telephones.forget(call.id)

    async def _close_row(self, call: Call, end: RecordEnd, trail: Trail) -> None:
        try:
            if not trail.offered:
                row, over = self._row(call, trail.decision), None
                callee = row.callee
                if trail.withheld_at is not None:
                    row, over = replace(row, at=trail.withheld_at), end.at.utc_us
                await self._store.refused(row, end.reason, callee, over)
                return
            if trail.forwarded_by is not None:  # it may have gone on and been refused
                await self._store.forward(self._row(call, trail.decision))
            refusal = None if call.outcome is None else call.outcome.refusal
            by = None if refusal is None else refusal.decision  # the row and the chain name what ended it
            await self._store.end(call.id, end.reason, end.at.utc_us, end.missed, by)
        except IdTakenError:
            self._calls.pop(call.id, None)  # the row under this id is an earlier call's: ask that from now on
        except StoreError:
            # The row stays open; the next start closes it as SERVER_RESTARTED or finds it live.
            log.exception("the end of a call could not be recorded")
            return
        if end.missed:
            called = UserId(trail.passed[0]) if trail.passed else call.callee
            for line in self._lines.of_user(called):
                line.send(Missed(call=call.id, peer=call.caller.user, at=end.at.utc_us))


def is_free_to_go(call: Call, by: Party) -> bool:
    """Does this device talk in that call, which nothing is about to end?"""
    return call.phase is Phase.ACTIVE and call.is_between(by) and call.notice is None
