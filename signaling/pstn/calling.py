"""A telephone that calls: decided before any device rings, and once more in the step that answers it (R4)."""

import hashlib
import logging
import secrets
import uuid
from dataclasses import dataclass, replace

from licensing.grant import Grant
from licensing.numbering import Number, Unplaced
from licensing.reasons import Reason
from signaling.core import events
from signaling.core.holder import Person
from signaling.core.party import Party
from signaling.dialling import NO_BRIDGE, party_named
from signaling.facts import person_of
from signaling.media import MediaError
from signaling.permission import Permitted, Refused, masked
from signaling.ports.calls import OfferedCall
from signaling.ports.legs import BegunLeg, LegEnd, leg_of
from signaling.ports.store import StoreError
from signaling.ports.telephones import Reached
from signaling.pstn.line import Line
from signaling.pstn.phone import SOUND, Desk, Phone
from signaling.pstn.sip import call_events as told
from signaling.pstn.sip.cause import NORMAL, NOT_AUTHORISED, TEMPORARY_FAILURE, Cause
from signaling.pstn.sip.incoming import IncomingCall
from signaling.switch import Switch
from wephone.protocol.ids import WITHHELD, CallId, DeviceId, UserId
from wephone.protocol.messages import (
    Answered,
    CallProgress,
    Invite,
    Progress,
    Refusal,
    RefusalText,
    ServerMessage,
)
from wephone.protocol.reasons import EndReason

LATER = (("Retry-After", "10"),)
NO_DUTY = Refusal(
    code="NO_DUTY",
    text=RefusalText(
        en="The line of this call does not do what the law asks for such calls.",
        zh_cn="此来电所经线路未履行法律对此类通话的要求。",
    ),
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Who:
    """Who calls whom: none is a caller who does not say their number."""

    caller: Number | Unplaced | None
    callee: UserId

    @property
    def name(self) -> UserId:
        """The caller as a party of the call."""
        return UserId(WITHHELD) if self.caller is None else party_named(self.caller, "")


class Calling(Phone):
    """See above. `begin` once it is known whom it calls."""

    def __init__(
        self, desk: Desk, switch: Switch, call: CallId, sip: IncomingCall, line: Line, who: Who
    ) -> None:
        super().__init__(desk, call, Party(who.name, DeviceId(str(uuid.uuid4()))))
        self._switch, self._who = switch, who
        self._incoming = self._sip = sip
        self._line = line
        self._answering = False
        self._trunk_sdp = ""
        self._nonce = secrets.token_hex(32)
        sip.tell = self._told

    async def begin(self, node: str, epoch: int) -> None:
        """Ask the gate, and let the user's devices ring if it allows that."""
        try:
            answer = await self._asked()
            if isinstance(answer, Refused):
                await self._refused(answer, node, epoch)
                return
            await self._offer(answer)
        except StoreError:
            log.exception("a telephone call could not be recorded")
            self._turn_away(503, Cause("the call cannot be recorded as required", TEMPORARY_FAILURE))
        except MediaError as error:
            log.warning("a telephone call has no sound: %s", error)
            self._turn_away(488, Cause("no sound can be exchanged", 31, 488))
        except Exception:  # the last resort: a carrier that hears nothing calls again and again
            log.exception("a telephone call could not be taken")
            self._turn_away(500, Cause("the call could not be taken", TEMPORARY_FAILURE))

    async def may_reach(self, callee: UserId) -> Reached:
        """See `signaling.ports.telephones.CallingPhone`."""
        self._who = replace(self._who, callee=callee)
        answer = await self._asked()
        if isinstance(answer, Refused):
            return Reached(callee, answer.decision, events.Refused(answer.refusal))
        self._grant = answer.grant  # none is no yes: the one for whom it was before is not good for this one
        return Reached(callee, answer.decision)

    async def may_be_bridged(self, dialled: str, payer: Person) -> Reached:
        """See `signaling.ports.telephones.CallingPhone`."""
        permission = self._desk.permission
        to = permission.dialled(dialled, payer)
        answer = await permission.may_bridge(self._call, self._who.caller, to, SOUND, payer)
        no = NO_BRIDGE.model_copy(update={"decision": answer.decision})
        why = answer.refusal if isinstance(answer, Refused) else no
        return Reached(masked(to), answer.decision, events.Refused(why))

    async def _asked(self) -> Permitted | Refused:
        """What the gate says; a no as well where the trunk does not do what the law asks for (R11)."""
        person = await person_of(self._desk.store, self._who.callee)
        trunk = "" if self._line is None else self._line.name
        answer = await self._desk.permission.may_ring(self._call, self._who.caller, person, SOUND, trunk)
        if isinstance(answer, Refused) or self._line is None or answer.duties <= self._line.trunk.duties:
            return answer
        log.warning(
            "a telephone call is refused: its trunk does not declare what has to be done for it",
            extra={"trunk": trunk, "duties": sorted(answer.duties - self._line.trunk.duties)},
        )
        return Refused(answer.decision, NO_DUTY.model_copy(update={"decision": answer.decision}))

    async def _refused(self, answer: Refused, node: str, epoch: int) -> None:
        """The carrier hears why, with the id of the decision; so does the record."""
        self._desk.metrics.refused(answer.refusal.code)
        words = f"{answer.refusal.text.en.rstrip('.')} ({answer.decision})"
        trunk = None if self._line is None else self._line.name
        self._turn_away(403, Cause(words, NOT_AUTHORISED, 403))
        caller = UserId(WITHHELD if self._who.caller is None else masked(self._who.caller))
        now = self._desk.clock.now().utc_us
        party = Party(caller, self.party.device)
        row = OfferedCall(
            self._call, party, self._who.callee, SOUND, answer.decision, node, epoch, now, trunk
        )
        await self._desk.store.refused(row, EndReason.REFUSED, self._who.callee)

    async def _offer(self, answer: Permitted) -> None:
        """Its row, its sound, and then the devices."""
        line, grant = self._line, answer.grant
        if line is None or grant is None:  # given up meanwhile
            return
        leg = leg_of(grant.attempt)
        now = self._desk.clock.now().utc_us
        done = line.trunk.carries_out(answer.duties)
        await self._desk.store.begin_leg(
            BegunLeg(leg, self._call, line.name, self._who.callee, False, answer.decision, None, now, done)
        )
        if self._over:  # its line was given back meanwhile: nothing of it is at work, and nothing began
            end = LegEnd(self._desk.clock.now().utc_us, "the caller hung up", NORMAL, 487)
            await self._desk.store.end_leg(leg, end)
            return
        self._work(line, leg, grant)
        offer = self._incoming.remote_sdp.decode(errors="replace") or None
        app_offer = await self._desk.sound.open_incoming(leg, offer, line.media)
        self._trickles = True
        if self._over or not self._incoming.pending:
            self._close(Cause("the caller hung up"))
            return
        invite = Invite(
            call=self._call,
            to=self._who.callee,
            sdp=app_offer,
            media=SOUND,
            commitment=hashlib.sha256(bytes.fromhex(self._nonce)).hexdigest(),
        )
        self._switch.ring(self.party, self, invite, answer)
        self._trickle()

    def _follow(self, message: ServerMessage) -> None:
        match message:
            case CallProgress(progress=Progress.ALERTING):
                if self._grant is not None:
                    self._ring(self._grant)
            case Answered() if not self._answering:
                self._answering = True
                self._desk.errands.start(self._answer(message.sdp))
            case _:
                pass

    def _ring(self, grant: Grant) -> None:
        """A device really rings; the call was granted before any did."""
        self._incoming.ring()

    async def _answer(self, sdp: str) -> None:
        """Somebody took the call: the 200, under the grant, which may have to be asked for anew."""
        try:
            self._trunk_sdp = await self._desk.sound.app_answered(self._leg, sdp)
        except MediaError as error:
            log.warning("a telephone call has no sound: %s", error)
            self._say(events.HungUp(self.party, EndReason.MEDIA_FAILED))
            return
        try:
            await self._keep(self._incoming.dialog)
        except StoreError as error:
            log.error("the dialog of a telephone call could not be kept: %s", error)
            self._say(events.HungUp(self.party, EndReason.NOT_RECORDED))
            return
        grant = self._grant
        if grant is not None and self._accept(grant) is not None:
            await self._accept_anew(grant)
        self._say(events.Revealed(self.party, self._nonce))

    def _accept(self, grant: Grant) -> Reason | None:
        return self._incoming.accept(self._trunk_sdp.encode(), grant, grant.attempt)

    async def _accept_anew(self, old: Grant) -> None:
        """The register has changed while it rang: what was granted then is decided again."""
        try:
            answer = await self._asked()
        except StoreError:
            log.exception("what is known about a callee could not be read")
            self._say(events.HungUp(self.party, EndReason.NOT_RECORDED))
            return
        if not isinstance(answer, Refused) and answer.grant is not None:
            self._grant = answer.grant
            if self._accept(answer.grant) is None:
                return
        why = answer.refusal if isinstance(answer, Refused) else None
        now = self._desk.clock.now()
        self._say(events.Withdrawn(why or self._desk.permission.why_not(old, old.decision), now))

    def _leave(self, cause: Cause) -> None:
        if self._over:
            return
        self._over = True
        if self._incoming.session is not None:
            self._incoming.hang_up(cause)
        else:
            self._turn_away(cause.status or 480, cause)

    def _turn_away(self, status: int, cause: Cause) -> None:
        """A final no, and nothing of the leg is left."""
        self._over = True
        self._incoming.refuse(status, cause, LATER if status == 503 else ())
        self._close(cause)

    def _told(self, event: told.Event) -> None:
        match event:
            case told.Failed(cause):
                self._say(events.HungUp(self.party))
                self._over = True
                self._close(cause)
            case _:
                self._talked(event)
