"""One telephone leg as SIP has it: what `OutgoingCall` and `IncomingCall` share, from the answer on.

The leg carries out what `session.py` decides. Nothing that adds media leaves it but under its tenure.
"""

from typing import Protocol

from licensing.grant import Attempt, Grant, Lease
from licensing.instant import Instant
from licensing.reasons import Reason, reason_text
from signaling.pstn.sip import call_events as told
from signaling.pstn.sip import sdes
from signaling.pstn.sip import session_events as happened
from signaling.pstn.sip.answer import respond
from signaling.pstn.sip.cause import NOT_AUTHORISED, RECOVERY, TEMPORARY_FAILURE, Cause, ended_with
from signaling.pstn.sip.dialog import Dialog
from signaling.pstn.sip.digest import Credentials, Login
from signaling.pstn.sip.exchange import Key
from signaling.pstn.sip.farewell import Farewell
from signaling.pstn.sip.headers import Address
from signaling.pstn.sip.hop import Hop
from signaling.pstn.sip.message import Fields, Message, Request, Response
from signaling.pstn.sip.problem import SipError
from signaling.pstn.sip.refresh import Watch, accepted
from signaling.pstn.sip.session import ALLOWED, Phase, Session
from signaling.pstn.sip.tenure import Tenure
from signaling.pstn.sip.timers import Alarm
from signaling.pstn.sip.traffic import Traffic
from signaling.pstn.sip.transaction import GIVE_UP
from signaling.pstn.sip.transaction import Failed as TransactionFailed
from signaling.pstn.sip.uri import AnyUri
from signaling.pstn.sip.values import replace

ABILITIES: Fields = (("Allow", ALLOWED), ("Supported", "100rel, timer"))

_ENDS = {
    "bye": Cause("the call was hung up"),
    "peer": Cause("the far end hung up"),
    "expired": Cause("the carrier stopped refreshing the call", RECOVERY),
    "no_ack": Cause("the carrier never confirmed the answer", RECOVERY),
    "lost": Cause("the carrier knows the call no longer", TEMPORARY_FAILURE),
    "silent": Cause("the carrier answers nothing within the call any more", RECOVERY),
}


UNENCRYPTED = Cause("the other end does not encrypt the sound, which this trunk demands", 88, 488)


class Desk(Protocol):
    """What a leg asks of its user agent (`agent.Agent`)."""

    @property
    def traffic(self) -> Traffic: ...

    def now(self) -> Instant: ...

    def at(self, when: int, leg: "Leg", event: object) -> Alarm: ...

    def dice(self) -> float: ...

    def token(self) -> str: ...

    def branch(self) -> str: ...

    def hold(self, grant: Grant, attempt: Attempt, leg: "Leg") -> Tenure | Reason: ...

    def forget(self, leg: "Leg") -> None: ...

    def contact(self, hop: Hop, asked: AnyUri) -> Address: ...

    def part(self, bye: Request, login: Login | None) -> None: ...

    def stray(self, dialog: Dialog) -> None: ...


class Leg:
    """One call to or from a carrier. `tell` is called for each event, in order."""

    def __init__(self, desk: Desk, call_id: str, local_tag: str, tell: told.Tell) -> None:
        self._desk, self._traffic, self._tell = desk, desk.traffic, tell
        self.call_id, self.local_tag = call_id, local_tag
        self.tenure: Tenure | None = None
        self.session: Session | None = None
        self.local_sdp: bytes = b""
        self.remote_sdp: bytes = b""
        self._stood: bytes | None = None  # our description before a change that is not answered yet
        self.is_encrypted = False  # by SDES from its first description on, and never less
        self.over = False
        self._login: Login | None = None
        self._leaving: Cause | None = None
        self._keys: dict[tuple[str, int], Key] = {}  # of the peer's requests
        self._alarms: list[Alarm] = []

    # What whoever holds the call may do

    def sign_in(self, credentials: Credentials | None) -> None:
        """By these a challenge is answered, also within a call that the carrier brought."""
        self._login = Login(credentials) if credentials else None

    def hang_up(self, cause: Cause | None = None) -> None:
        """End it, at whatever moment of its life."""
        if self.session and not self.over:
            self._leaving = self._leaving or cause
            fields = (cause.header(),) if cause else ()
            self._in_session(happened.HungUp(fields))

    def change(self, sdp: bytes) -> None:
        """Offer other media (hold, codec, address) by re-INVITE, under the lease that the leg has."""
        if self.session:
            before = self.local_sdp
            self._describe(sdp)
            self._stood = before if self._stood is None else self._stood
            self._in_session(happened.Change(sdp, ABILITIES))

    def answer(self, sdp: bytes) -> None:
        """Accept what `Offered` told of."""
        if self.session and self.session.theirs:
            self._describe(sdp)
            self.remote_sdp = self.session.theirs.body or self.remote_sdp
            self._accept_offer(self.session.theirs, sdp)

    def refuse_offer(self, status: int = 488) -> None:
        """Do not accept what `Offered` told of."""
        if self.session and self.session.theirs:
            self._in_session(happened.Say(respond(self.session.theirs, status)))

    @property
    def lease(self) -> Lease | None:
        """What the leg lives on now."""
        return self.tenure.lease if self.tenure else None

    # What the user agent tells it

    def heard(self, request: Request, response: Response) -> None:
        """A response to a request of ours within the dialog."""
        if response.status in (401, 407) and self._authenticate(request, response):
            return
        if response.status >= 200:
            dice = self._desk.dice() if response.status == 491 else 0.5  # nothing else asks for it
            self._in_session(happened.Heard(request, response, dice))

    def failed(self, request: Request, failed: TransactionFailed) -> None:
        """Nobody answered it, or it could not be sent: for want of a connection, or of a lease."""
        unsent = failed.cause == "transport" and self.lease is not None
        self._in_session(happened.Unanswered(request, unsent))

    def unsaid(self, key: Key) -> None:
        """A response of ours could not be sent; the peer asks again, or gives up."""

    def came(self, request: Request, key: Key | None) -> None:
        """A request of the peer within the dialog, or an ACK."""
        if key is not None:
            self._keys[request.cseq.method, request.cseq.number] = key
        if self.session is None:
            self._too_early(request)
            return
        acked = self.session.said is not None
        if request.method == "BYE" and self._leaving is None:
            self._leaving = Cause("the far end hung up", ended_with(request))
        self._in_session(happened.Came(request))
        if request.method == "ACK" and acked and self.session.said is None:
            self._confirmed(request)

    def _confirmed(self, ack: Request) -> None:
        """Our 2xx was heard; where it made the offer, its answer is here (RFC 3261 §13.2.1)."""
        sdp = sdp_of(ack)
        if (sdp or not self.remote_sdp) and not self._fits(sdp):
            self.hang_up(UNENCRYPTED)
            return
        self.remote_sdp = sdp or self.remote_sdp
        self._tell(told.Confirmed(sdp))

    def timed_out(self, event: object) -> None:
        """A timer that this leg asked for."""
        if isinstance(event, happened.TimedOut):
            self._in_session(event)

    def lapsed(self, reason: Reason) -> None:
        """Its lease is over: the leg ends now."""
        self.hang_up(unlicensed(reason))

    # Carrying out

    def _in_session(self, event: happened.Event) -> None:
        if self.session is None:
            return
        self.session, effects = self.session.receive(event, self._desk.now())
        self._carry_out(effects)

    def _carry_out(self, effects: tuple[happened.Effect, ...]) -> None:
        assert self.session is not None
        for effect in effects:
            match effect:
                case happened.Reply(response):
                    self._reply(response)
                case happened.SendAck(ack):
                    self._traffic.acknowledge(ack, self.session.dialog.routes)
                case happened.Ask(request) if request.method == "BYE":
                    Farewell(
                        self._desk, request, self.session.dialog.routes, self._login, self._parted
                    ).send()
                case happened.Ask(request):
                    self._ask_within(request)
                case happened.StartTimer(timer, at):
                    self._alarms.append(self._desk.at(at, self, happened.TimedOut(timer, at)))
                case happened.Offered(request):
                    self._offered(request)
                case happened.Keyed(key):
                    self._tell(told.Keyed(key.digit, key.lasted))
                case happened.Changed(response):
                    self._changed(sdp_of(response) if response.status < 300 else None)
                case happened.WantRefresh():
                    self._in_session(happened.Change(self.local_sdp, ABILITIES))
                case happened.Ended(cause, doubt):
                    self._end(told.Ended(self._leaving or _ENDS[cause], doubt, cause == "peer"))

    def _parted(self, doubt: str | None) -> None:
        self._in_session(happened.Parted(doubt))

    def _describe(self, sdp: bytes) -> None:
        """The next description of ours. ValueError if it is plain where it may not be: a fault of ours."""
        if self.is_encrypted and not sdes.is_encrypted(sdp):
            raise ValueError("a plain description on an encrypted leg")
        self.local_sdp = sdp

    def _fits(self, sdp: bytes | None) -> bool:
        """Does an answer of the peer encrypt the sound, where ours does?"""
        return not self.is_encrypted or sdes.agree(self.local_sdp, sdp or b"")

    def _changed(self, sdp: bytes | None) -> None:
        if self._stood is not None and sdp is None:
            self.local_sdp = self._stood
        self._stood = None
        if sdp and not self._fits(sdp):
            self.hang_up(UNENCRYPTED)
            return
        self.remote_sdp = sdp or self.remote_sdp
        self._tell(told.Changed(sdp))

    def _ask_within(self, request: Request) -> None:
        assert self.session is not None
        self._login = self._login.fresh() if self._login else None
        self._traffic.ask_within(request, self.session.dialog.routes, self, self.tenure)

    def _too_early(self, request: Request) -> None:
        """Within an early dialog of ours nothing is to be changed yet (RFC 3311 §5.2)."""
        if request.method == "UPDATE":
            self._reply(respond(request, 500, fields=(("Retry-After", "5"),)))
        elif request.method != "ACK":
            self._reply(respond(request, 481))

    def _reply(self, response: Response) -> None:
        key = self._keys.get((response.cseq.method, response.cseq.number))
        if key is not None:
            self._traffic.reply(key, response, self.tenure)

    def _offered(self, request: Request) -> None:
        """What changes nothing is answered at once; all else is for whoever holds the call."""
        sdp = sdp_of(request)
        if request.method == "UPDATE" and not request.body:
            self._accept_offer(request, b"")
        elif sdp is None and request.body:
            self._in_session(happened.Say(respond(request, 415, fields=(("Accept", "application/sdp"),))))
        elif sdp is None or sdp == self.remote_sdp:
            self._accept_offer(request, self.local_sdp)
        elif self.is_encrypted and not sdes.is_encrypted(sdp):
            self.refuse_offer()  # the call goes on as it is
        else:
            self._tell(told.Offered(sdp))

    def _accept_offer(self, request: Request, sdp: bytes) -> None:
        assert self.session is not None
        try:
            watched, watch = timers(request)
        except SipError as error:
            self._in_session(happened.Say(respond(request, error.status or 500, fields=(("Min-SE", "90"),))))
            return
        self.local_sdp = sdp or self.local_sdp
        contact = ("Contact", str(self.session.dialog.contact))
        content = (("Content-Type", "application/sdp"),) if sdp else ()
        fields = (contact, *ABILITIES, *watched, *content)
        response = respond(request, 200, fields=fields, body=sdp)
        self._in_session(happened.Say(response, watch))

    def _authenticate(self, request: Request, response: Response) -> bool:
        """Ask once more with our credentials; the dialog counts that request too."""
        if self._login is None or self.session is None or self.session.phase is not Phase.UP:
            return False
        retry = self._login.retry(request, response, self._desk.branch(), self._desk.token())
        if retry is None:
            return False
        self._login = retry.login
        dialog, again = self.session.dialog.renumbered(retry.request)
        ours = again if self.session.ours == request else self.session.ours
        self.session = replace(self.session, dialog=dialog, ours=ours)
        self._traffic.ask_within(again, dialog.routes, self, self.tenure)
        return True

    def _end(self, event: told.Failed | told.Ended) -> None:
        """Told once; whatever comes late is still heard for as long as the RFC lets it come."""
        if self.over:
            return
        self.over = True
        if self.tenure:
            self.tenure.let_go()
        self._stop_watching()
        self._desk.at(self._desk.now().mono_ns + GIVE_UP, self, FORGET)
        tell, self._tell, self._login = self._tell, _nobody, None
        tell(event)

    def _stop_watching(self) -> None:
        """A session is watched for half an hour; a call that is over is not to be kept so long."""
        for alarm in self._alarms:
            self._traffic.timers.cancel(alarm)
        self._alarms.clear()


class Forget:
    """The timer after which nothing of a leg that is over can come any more."""


FORGET = Forget()


def _nobody(event: told.Event) -> None:
    """Who is told of a call that is over: it keeps neither its user nor what it is known as."""


def sdp_of(message: Message) -> bytes | None:
    """The description that a message carries."""
    kind = (message.get("Content-Type") or "application/sdp").partition(";")[0].strip().lower()
    return message.body if message.body and kind == "application/sdp" else None


def timers(request: Request) -> tuple[Fields, Watch | None]:
    """What our 2xx says of session timers, and what we then do. SipError(422): the interval is too short."""
    if "timer" not in request.options("Supported") and request.get("Session-Expires") is None:
        return (), None
    expiry, watch = accepted(request)
    required = (("Require", "timer"),) if expiry.refresher == "uac" else ()
    return (("Session-Expires", str(expiry)), *required), watch


def unlicensed(reason: Reason) -> Cause:
    """The gate's no, as a carrier and a caller hear it (Q.850 57: not authorised)."""
    return Cause(reason_text(reason).en.rstrip("."), NOT_AUTHORISED, 403)
