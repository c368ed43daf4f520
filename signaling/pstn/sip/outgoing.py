"""A call that we make: its INVITEs, one after another, under one grant and its lease (RFC 3261 §13)."""

import re
from dataclasses import dataclass, field
from typing import Literal

from licensing.grant import Attempt, Grant
from licensing.reasons import Reason
from signaling.pstn.sip import call_events as told
from signaling.pstn.sip import invitation_events as asked
from signaling.pstn.sip import sdes
from signaling.pstn.sip.again import renumbered, retry_after
from signaling.pstn.sip.cause import RECOVERY, TEMPORARY_FAILURE, Cause, refused_with
from signaling.pstn.sip.dialog import Dialog
from signaling.pstn.sip.digest import Credentials
from signaling.pstn.sip.headers import Address, Via, numbered
from signaling.pstn.sip.invitation import Invitation, Phase
from signaling.pstn.sip.leg import ABILITIES, UNENCRYPTED, Desk, Leg, sdp_of
from signaling.pstn.sip.message import Fields, Request, Response, with_fields
from signaling.pstn.sip.refresh import MIN_SE, USUAL, minimum
from signaling.pstn.sip.route import Hops
from signaling.pstn.sip.session import answered_by_peer
from signaling.pstn.sip.table import Success, answered
from signaling.pstn.sip.transaction import GIVE_UP, T2
from signaling.pstn.sip.transaction import Failed as TransactionFailed
from signaling.pstn.sip.uri import AnyUri, Uri
from signaling.pstn.sip.values import replace

MOST_INVITES = 4  # of one attempt: challenged, too short an interval, challenged by another proxy
_NO_DIGIT = re.compile(r"[^0-9]")
_TAIL = 6  # digits that every way to write a number has in common


@dataclass(frozen=True, slots=True)
class Wish:
    """What to ask a carrier for. `routes`: an outbound proxy.

    An `offer` of SRTP (`sdes.encrypted`) takes no plain answer: whoever gives one is left. `fields` may hold
    P-Asserted-Identity, Privacy, Identity, Diversion: they are in every INVITE of the call. With `holds_ack`
    the answer is acknowledged when `OutgoingCall.acknowledge` says so, at the latest with the BYE; that of
    another phone, and its BYE, when `OutgoingCall.part` does.
    """

    to: Uri
    caller: Address
    offer: bytes = field(repr=False)
    fields: Fields = ()
    routes: tuple[Address, ...] = ()
    credentials: Credentials | None = None
    session_expires: int = USUAL  # seconds
    max_forwards: int = 70  # one less than the INVITE had that this call comes of
    holds_ack: bool = False

    @property
    def first(self) -> AnyUri:
        """Who is asked first."""
        return self.routes[0].uri if self.routes else self.to


@dataclass(frozen=True, slots=True)
class NothingMore:
    """32 s after the 100 of the INVITE with this CSeq."""

    number: int


class OutgoingCall(Leg):
    """One attempt at one carrier."""

    def __init__(self, desk: Desk, invite: Request, tell: told.Tell, wish: Wish, hops: Hops) -> None:
        super().__init__(desk, invite.call_id, invite.sender.tag or "", tell)
        self._first = invite
        self._wish, self._hops = wish, hops
        self.sign_in(wish.credentials)
        self._seed = desk.token()
        self._invitations: dict[int, Invitation] = {}  # by CSeq
        self._newest = 0
        self._tried = False
        self._progress = False  # the carrier has said more than that it has the call
        self._rang = False
        self.local_sdp = wish.offer
        self.is_encrypted = sdes.is_encrypted(wish.offer)

    def begin(self, grant: Grant, attempt: Attempt) -> Reason | None:
        """Redeem the grant and send the INVITE, in one step; a reason if it is not worth anything."""
        if attempt.destination and not names(self._wish.to, attempt.destination):
            raise ValueError(f"the INVITE is for {self._wish.to.user}, its grant for another number")
        tenure = self._desk.hold(grant, attempt, self)
        if isinstance(tenure, Reason):
            return tenure
        self.tenure = tenure
        self._invite(self._first)
        return None

    def acknowledge(self) -> None:
        """The answer is durable, or nobody waits for that any longer: the carrier hears that we have it."""
        self._in_invitation(self._newest, asked.Kept())

    def part(self, beside: Dialog) -> None:
        """The same of another phone, of which `AnsweredBeside` told: it is acknowledged, and ended."""
        for number in tuple(self._invitations):
            self._in_invitation(number, asked.KeptBeside(beside.remote.tag))

    def hang_up(self, cause: Cause | None = None) -> None:
        """CANCEL while it rings, BYE once it is answered."""
        if self.session:
            self.acknowledge()  # RFC 3261 §13.2.2.4: before it is ended
            super().hang_up(cause)
            return
        self._leaving = self._leaving or cause
        self._in_invitation(self._newest, asked.HungUp())

    def heard(self, request: Request, response: Response) -> None:
        """See `Leg`; an INVITE's go to its own machine."""
        if request.method == "INVITE" and request.cseq.number in self._invitations:
            if response.status == 100:
                self._taken(request.cseq.number)
            self._in_invitation(request.cseq.number, self._answered(response))
        elif self.session or request.method not in ("PRACK", "CANCEL"):
            super().heard(request, response)
        elif request.method == "PRACK" and response.status in (401, 407):
            self._ask_again_early(request, response)

    def heard_late(self, response: Response) -> bool:
        """A 2xx whose transaction is over. Is it one of ours?"""
        if response.cseq.number not in self._invitations:
            return False
        self._in_invitation(response.cseq.number, self._answered(response))
        return True

    def failed(self, request: Request, failed: TransactionFailed) -> None:
        """See `Leg`."""
        state = self._invitations.get(request.cseq.number) if request.method == "INVITE" else None
        if request.method == "CANCEL":
            if failed.cause == "transport":  # by another connection, until `WaitForCancel` is over
                self._desk.at(self._desk.now().mono_ns + T2, self, request)
        elif state is None:
            super().failed(request, failed)
        elif state.phase is Phase.CALLING and (hops := self._next_hops(failed.cause)):
            self._invitations[request.cseq.number] = replace(state, phase=Phase.ENDED)
            self._try_again(request, hops)
        else:
            self._in_invitation(request.cseq.number, failed)

    def timed_out(self, event: object) -> None:
        """See `Leg`."""
        if isinstance(event, asked.CancelUnanswered):
            self._in_invitation(self._newest, event)
        elif isinstance(event, NothingMore):
            waits = self._invitations[event.number].phase is Phase.PROCEEDING
            if event.number == self._newest and waits and not self._progress:
                self.hang_up(SAID_NO_MORE)
        elif isinstance(event, Request):
            if self._invitations[event.cseq.number].phase is Phase.CANCELLING:
                self._traffic.ask(event, self._hops[:1], self)
        else:
            super().timed_out(event)

    def _taken(self, number: int) -> None:
        """The carrier has the INVITE. If it says no more in 32 s, it very probably does nothing about it."""
        if not self._tried:
            self._tried = True
            self._tell(told.Trying())
        if self._invitations[number].phase is Phase.CALLING:
            end = self._desk.now().mono_ns + GIVE_UP
            self._alarms.append(self._desk.at(end, self, NothingMore(number)))

    def _invite(self, invite: Request) -> None:
        """Give it to the network, under the lease. It is not sent if that is over."""
        self._newest = invite.cseq.number
        self._invitations[self._newest] = Invitation(invite, self._seed, self._wish.holds_ack)
        if not self._traffic.ask(invite, self._hops[:1], self, self.tenure):
            del self._invitations[self._newest]
            self._end(told.Failed(Cause("the leave to make this call is over", TEMPORARY_FAILURE)))

    def _next_hops(self, why: Literal["transport", "timeout", "refused"]) -> Hops:
        """Other places of this carrier (RFC 3263 §4.3), where nobody has heard of the call: they are asked as
        the same attempt. None after a connection took it: a phone may ring, though nobody says so."""
        here, *rest = self._hops
        match why:
            case "transport":
                return tuple(rest)
            case "timeout" if here.transport.reliable:
                return ()
            case "timeout" | "refused":
                return tuple([hop for hop in rest if (hop.host, hop.port) != (here.host, here.port)])

    def _try_again(self, invite: Request, hops: Hops) -> None:
        """By the first of these, in its own words of where we are; it may ask anew who we are."""
        self._hops = hops
        self._login = self._login.fresh() if self._login else None
        again = renumbered(invite, invite.cseq.number + 1, self._desk.branch())
        contact = str(self._desk.contact(self._hops[0], self._wish.first))
        self._invite(with_fields(again, ("Contact", contact)))

    def _ask_again_early(self, request: Request, response: Response) -> None:
        """Whoever challenges a PRACK is told once more who we are, as to an INVITE: or it never rings on."""
        state = self._invitations[self._newest]
        fork = state.fork(request.to.tag)
        if self._login is None or fork is None or state.phase is not Phase.PROCEEDING:
            return
        retry = self._login.retry(request, response, self._desk.branch(), self._desk.token())
        if retry is not None:
            self._login = retry.login
            again = replace(retry.request, cseq=numbered(fork.local_cseq + 1, request.method))
            self._in_invitation(self._newest, asked.AskedAgain(again))
            self._traffic.ask_within(again, again.addresses("Route"), self)

    def _answered(self, response: Response) -> asked.Event:
        """A response as what it is to our INVITE: a 2xx is none if its sound is not encrypted as ours is."""
        event = answered(response)
        if not self.is_encrypted or not isinstance(event, Success):
            return event
        if self._fits(sdp_of(response) or self.remote_sdp):
            return event
        if self.session is None:
            self._leaving = self._leaving or UNENCRYPTED
        return asked.Unfit(response)

    def _in_invitation(self, number: int, event: asked.Event) -> None:
        state = self._invitations.get(number)
        if state is None:
            return
        self._invitations[number], effects = state.receive(event, self._desk.now())
        for effect in effects:
            self._do(state.invite, effect)

    def _do(self, invite: Request, effect: asked.Effect) -> None:
        match effect:
            case asked.SendAck(ack):
                self._traffic.acknowledge(ack, ack.addresses("Route"))
            case asked.Ask(request) if request.method == "CANCEL":
                reason = (self._leaving.header(),) if self._leaving else ()
                self._traffic.ask(with_fields(request, *reason), self._hops[:1], self)
            case asked.Ask(request) if request.method == "BYE":
                self._desk.part(request, self._login)
            case asked.Ask(request):
                self._login = self._login.fresh() if self._login else None
                self._traffic.ask_within(request, request.addresses("Route"), self)
            case asked.WaitForCancel(at):
                self._desk.at(at, self, asked.CancelUnanswered())
            case asked.Progressed(response):
                self._progressed(response)
            case asked.Accepted(dialog, response):
                self.remote_sdp = sdp_of(response) or self.remote_sdp
                self.session, effects = answered_by_peer(dialog, response, self._desk.now())
                self._tell(told.Answered(dialog, self.remote_sdp or None))
                self._carry_out(effects)
            case asked.Refused(response):
                self._refused(invite, response)
            case asked.Lost(cause):
                self._lost(cause)
            case asked.Stray(dialog):
                self._desk.stray(dialog)
                if self.session and not self.over:
                    self._tell(told.AnsweredBeside(dialog))
                else:  # nobody holds a call, and a dialog of it
                    self.part(dialog)

    def _lost(self, cause: str) -> None:
        """No final answer. One by UDP that got not so much as a 100, seven times, very probably nobody heard;
        one that a connection took may ring a phone, though nobody says so."""
        if cause == "timeout" and not self._hops[0].transport.reliable:
            cause = "unheard"
        left = self._leaving or _LOST[cause]
        if cause == "cancelled":  # by a phone that was answered all the same: it is not to ring again
            left = replace(left, elsewhere=False)
        self._end(told.Failed(left, doubt=_DOUBTS.get(cause)))

    def _progressed(self, response: Response) -> None:
        self._progress = True
        self._rang = self._rang or response.status in (180, 183)
        sdp = sdp_of(response)
        if sdp and not self._fits(sdp):
            self.hang_up(UNENCRYPTED)
            return
        self.remote_sdp = sdp or self.remote_sdp
        self._tell(told.Ringing(response.status, sdp))

    def _refused(self, invite: Request, response: Response) -> None:
        again = None if self._leaving or self.over else self._amended(invite, response)
        if again is not None and len(self._invitations) < MOST_INVITES:
            self._invite(again)
            return
        wanted = not (self._leaving or self.over or self._rang)
        if response.status == 503 and wanted and (hops := self._next_hops("refused")):
            self._try_again(invite, hops)
            return
        self._end(told.Failed(self._why(response), retry_after(response)))

    def _why(self, response: Response) -> Cause:
        """How it was refused; or why we gave it up, if its carrier says just that it was cancelled."""
        if self._leaving is None or (self._leaving is SAID_NO_MORE and response.status != 487):
            return refused_with(response, rang=self._rang)
        return self._leaving

    def _amended(self, invite: Request, response: Response) -> Request | None:
        """The INVITE once more, with what the carrier asked for and all that says who calls."""
        branch, cnonce = self._desk.branch(), self._desk.token()
        if response.status in (401, 407) and self._login:
            retry = self._login.retry(invite, response, branch, cnonce)
            if retry is not None:
                self._login = retry.login
                return retry.request
        if response.status == 422 and minimum(response) > self._wish.session_expires:
            seconds = str(minimum(response))
            again = renumbered(invite, invite.cseq.number + 1, branch)
            again = with_fields(again, ("Session-Expires", seconds), ("Min-SE", seconds))
            if self._login:
                self._login, again = self._login.authorize(again, cnonce)
            return again
        return None


SAID_NO_MORE = Cause("the carrier took the call and said no more", RECOVERY, 408, elsewhere=True)
_LOST = {
    "timeout": Cause("the carrier did not answer in time", RECOVERY, 408, elsewhere=True),
    "unheard": Cause("nothing came back from the carrier", RECOVERY, 408, elsewhere=True),
    "transport": Cause("the carrier cannot be reached", TEMPORARY_FAILURE, 503, elsewhere=True),
    "cancelled": Cause("the call was cancelled", status=487),
    "not_cancelled": Cause("the carrier never confirmed that the call was cancelled", RECOVERY, 487),
    "unusable": Cause("the carrier's answer cannot be used", TEMPORARY_FAILURE),
}
_DOUBTS = {
    "timeout": "the carrier has not answered our INVITE in 32 s",
    "not_cancelled": "the carrier has not answered our CANCEL in 32 s",
}


def first_invite(wish: Wish, call_id: str, tag: str, via: Via, contact: Address) -> Request:
    """The INVITE that a wish becomes; `via` has its branch."""
    return Request(
        (via,),
        wish.caller.tagged(tag),
        Address(wish.to),
        call_id,
        numbered(1, "INVITE"),
        method="INVITE",
        uri=wish.to,
        max_forwards=wish.max_forwards,
        fields=(
            *(("Route", str(route)) for route in wish.routes),
            ("Contact", str(contact)),
            *ABILITIES,
            ("Session-Expires", str(wish.session_expires)),
            ("Min-SE", str(MIN_SE)),
            *wish.fields,
            ("Content-Type", "application/sdp"),
        ),
        body=wish.offer,
    )


def names(uri: Uri, destination: str) -> bool:
    """Can this be the canonical number, in the carrier's format? Wiring gone wrong is noticed."""
    dialled, wanted = _NO_DIGIT.sub("", uri.user or ""), _NO_DIGIT.sub("", destination)
    return bool(dialled) and dialled[-_TAIL:] == wanted[-_TAIL:][-len(dialled) :]
