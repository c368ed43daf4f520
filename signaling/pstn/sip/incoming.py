"""A call that a carrier brings: it rings, is answered or refused; no sound without a lease."""

from licensing.grant import Attempt, Grant
from licensing.reasons import Reason
from signaling.pstn.sip import answering as asked
from signaling.pstn.sip import call_events as told
from signaling.pstn.sip import sdes
from signaling.pstn.sip import session_events as happened
from signaling.pstn.sip.answering import Answering
from signaling.pstn.sip.cause import RECOVERY, Cause, ended_with
from signaling.pstn.sip.dialog import Dialog
from signaling.pstn.sip.exchange import Key
from signaling.pstn.sip.hop import Flow
from signaling.pstn.sip.leg import ABILITIES, UNENCRYPTED, Desk, Leg, sdp_of, timers, unlicensed
from signaling.pstn.sip.message import Fields, Request, Response
from signaling.pstn.sip.refresh import Watch
from signaling.pstn.sip.session import answered_by_us


class IncomingCall(Leg):
    """One INVITE of a carrier. `tell` is set by whoever takes it, in the step in which it is handed over."""

    def __init__(self, desk: Desk, answering: Answering, key: Key, flow: Flow) -> None:
        tag = answering.dialog.local.tag or ""
        super().__init__(desk, answering.invite.call_id, tag, lambda event: self.tell(event))
        self.tell: told.Tell = lambda event: None
        self.flow = flow
        self._answering = answering
        self._watched: tuple[Fields, Watch | None] = timers(answering.invite)
        self._wanted: tuple[bytes, Grant, Attempt] | None = None  # an answer that waits for a PRACK
        self._keys["INVITE", answering.invite.cseq.number] = key
        self.remote_sdp = sdp_of(answering.invite) or b""
        self.is_encrypted = sdes.is_encrypted(self.remote_sdp)

    @property
    def invite(self) -> Request:
        """As the carrier sent it."""
        return self._answering.invite

    @property
    def dialog(self) -> Dialog:
        """As it stands, or would once it is answered: to be made durable before that."""
        return self.session.dialog if self.session else self._answering.dialog

    @property
    def pending(self) -> bool:
        """Neither answered nor refused yet."""
        return self._answering.phase is asked.Phase.RINGING

    def demand_encryption(self) -> bool:
        """The trunk demands SRTP. False: the caller offers plain sound, and was refused."""
        if self.remote_sdp and not self.is_encrypted:
            self.refuse(488, UNENCRYPTED)
        self.is_encrypted = self.pending
        return self.pending

    def ring(self, status: int = 180) -> None:
        """A phone really rings; no sound goes with it."""
        self._in_answering(asked.Ring(status))

    def early(self, sdp: bytes, grant: Grant, attempt: Attempt) -> Reason | None:
        """183 with sound before the answer: the leg begins here, and its grant is consumed here."""
        if not self.pending:
            return None
        self._describe(sdp)
        if reason := self._hold(grant, attempt):
            return reason
        self._in_answering(asked.Ring(183, body=sdp, reliable=True))
        return None

    def accept(self, sdp: bytes, grant: Grant, attempt: Attempt) -> Reason | None:
        """200. The grant is consumed in the step that sends it, which may wait for the PRACK of a 183."""
        if not self.pending:
            return None
        self._describe(sdp)
        if not self._answering.may_accept:
            self._wanted = sdp, grant, attempt
            return None
        if reason := self._hold(grant, attempt):
            return reason
        self._in_answering(asked.Accept((*ABILITIES, *self._watched[0]), sdp))
        return None

    def refuse(self, status: int, cause: Cause | None = None, fields: Fields = ()) -> None:
        """A final no: 404 for an unknown number, 486, 603, 503 with Retry-After, 403 with the reason."""
        reason = (cause.header(),) if cause else ()
        if self.pending:
            self._leaving = self._leaving or cause
            self._in_answering(asked.Refuse(status, (*reason, *fields)))
            self._end(told.Failed(cause or Cause(f"refused with {status}", status=status)))

    def hang_up(self, cause: Cause | None = None) -> None:
        """BYE once it is answered, 480 before."""
        if self.session:
            super().hang_up(cause)
        else:
            self.refuse(480, cause)

    def came(self, request: Request, key: Key | None) -> None:
        """See `Leg`; before the answer to the other machine, and a PRACK or CANCEL always."""
        if self.session is not None and request.method not in ("CANCEL", "PRACK"):
            super().came(request, key)
            return
        if key is not None:
            self._keys[request.cseq.method, request.cseq.number] = key
        if request.method in ("CANCEL", "BYE") and self._leaving is None:
            self._leaving = Cause("the caller hung up", ended_with(request), 487)
        self._in_answering(asked.Came(request))

    def timed_out(self, event: object) -> None:
        """See `Leg`."""
        if isinstance(event, asked.TimedOut):
            self._in_answering(event)
        else:
            super().timed_out(event)

    def lapsed(self, reason: Reason) -> None:
        """See `Leg`; before the answer it is a 403."""
        if self.session:
            super().lapsed(reason)
        else:
            self.refuse(403, unlicensed(reason))

    def _hold(self, grant: Grant, attempt: Attempt) -> Reason | None:
        """The tenure, of this grant alone; one that the leg has already goes on."""
        if self.tenure and self.tenure.lease and self.tenure.lease.grant == grant:
            return None
        if self.tenure:
            self.tenure.let_go()
        tenure = self._desk.hold(grant, attempt, self)
        if isinstance(tenure, Reason):
            return tenure
        self.tenure = tenure
        return None

    def _in_answering(self, event: asked.Event) -> None:
        self._answering, effects = self._answering.receive(event, self._desk.now())
        for effect in effects:
            match effect:
                case asked.Reply(response) if self._is_answer(response):
                    self._answered(response)
                case asked.Reply(response):
                    self._reply(response)
                case asked.StartTimer(timer, at):
                    self._desk.at(at, self, asked.TimedOut(timer, at))
                case asked.Confirmed():
                    self._go_on()
                case asked.Ended():
                    default = Cause("the carrier never confirmed that it rings", RECOVERY, 504)
                    self._end(told.Failed(self._leaving or default))

    def _is_answer(self, response: Response) -> bool:
        return response.cseq.method == "INVITE" and 200 <= response.status < 300

    def _answered(self, response: Response) -> None:
        say = happened.Say(response, self._watched[1])
        state = self._answering
        self.session, effects = answered_by_us(state.dialog, state.invite, say, self._desk.now())
        self._tell(told.Answered(self.session.dialog, self.remote_sdp or None))
        self._carry_out(effects)

    def _go_on(self) -> None:
        """The PRACK came: an answer that waited for it is given now."""
        wanted, self._wanted = self._wanted, None
        if wanted and (reason := self.accept(*wanted)):
            self.lapsed(reason)
