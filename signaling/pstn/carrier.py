"""A small honest carrier for development, tests and demos: it stands for the telephone network, and is none.

It registers and challenges those who have a password, and its telephones do what the end of their number
says: they say what they hear, and one hears keys. The grants of this network are its own: it is never part
of a server.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from licensing.classify import ServiceClass
from licensing.facts import CallFacts, Role, app_leg
from licensing.grant import Attempt, Book, Grant, Lease
from licensing.identity import DecisionId
from licensing.instant import SECOND
from licensing.reasons import Reason
from signaling.errands import Errands
from signaling.ports.clock import Clock
from signaling.pstn.challenger import Challenger
from signaling.pstn.echo import Line, answered, open_echo, open_line
from signaling.pstn.menu import Menu
from signaling.pstn.sip import call_events as told
from signaling.pstn.sip.agent import Agent
from signaling.pstn.sip.cause import Cause
from signaling.pstn.sip.dialog import Dialog
from signaling.pstn.sip.headers import Address
from signaling.pstn.sip.hop import Flow, Transport
from signaling.pstn.sip.incoming import IncomingCall
from signaling.pstn.sip.message import Fields, Request
from signaling.pstn.sip.outgoing import OutgoingCall, Wish
from signaling.pstn.sip.sockets import Place
from signaling.pstn.sip.uri import Uri
from signaling.pstn.speaking import RingBack, Speaking

REALM = "carrier.example"
EXPIRES = 300  # seconds of a registration
FOR_EVER = 2**63 - 1
PICKED_UP_AFTER = 1 * SECOND

log = logging.getLogger(__name__)


class Act(StrEnum):
    """What a telephone does when it is called."""

    ANSWER = "answer"
    EARLY = "early"  # says that it rings, before the answer
    MENU = "menu"  # hears keys, and says them back
    BUSY = "busy"
    DECLINE = "decline"
    RING = "ring"  # nobody is at home
    UNKNOWN = "unknown"  # there is no such number
    OVERLOADED = "overloaded"  # the network takes no call


# The last two digits of a number say what its telephone does; all others answer.
ENDINGS = {
    "01": Act.BUSY,
    "02": Act.RING,
    "03": Act.EARLY,
    "04": Act.UNKNOWN,
    "05": Act.DECLINE,
    "06": Act.OVERLOADED,
    "07": Act.MENU,
}
_REFUSALS = {
    Act.BUSY: (486, Cause("user busy", 17)),
    Act.DECLINE: (603, Cause("call rejected", 21)),
    Act.UNKNOWN: (404, Cause("unallocated number", 1)),
    Act.OVERLOADED: (503, Cause("no circuit available", 34)),
}


class OwnNetwork:
    """Grants and leases of a network that asks nobody: see `sip.tenure.Licence`."""

    def __init__(self, clock: Clock, token: Callable[[], str]) -> None:
        self._clock, self._token = clock, token
        self._book = Book()

    def grant(self) -> Grant:
        """For one leg of its own."""
        now = self._clock.now()
        legs = CallFacts(legs=(app_leg(Role.ORIGIN), app_leg(Role.DESTINATION)))
        attempt = Attempt(self._token(), "telephone", ServiceClass.PSTN_IN)
        grant = Grant(DecisionId(self._token()), attempt, legs, 0, FOR_EVER, now)
        self._book.issue(grant, now)
        return grant

    def redeem(self, grant: Grant, attempt: Attempt) -> Lease | Reason:
        return self._book.redeem(grant, attempt, self._clock.now()) or Reason.DENY_GRANT_NOT_VALID

    async def renew(self, lease: Lease) -> Lease | Reason:
        return self._book.renew(lease, self._clock.now()) or Reason.DENY_GRANT_NOT_VALID

    def ended(self, call: str, leg: str) -> None:
        self._book.end(call, leg)


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a registered user is, until when (monotonic ns)."""

    contact: Uri
    until: int


class Carrier:
    """See above. `listen` before use, `close` after."""

    def __init__(
        self,
        clock: Clock,
        accounts: dict[str, str],
        *,
        peers: Callable[[str], bool],
        host: str = "127.0.0.1",
        picked_up_after: int = PICKED_UP_AFTER,
        keyed: Callable[[str, str], None] = lambda number, keys: None,
    ) -> None:
        """`accounts`: user -> password; without any nobody is challenged. `host`: of the sound. `keyed` hears
        the number of a menu and the keys that were pressed there, up to a `#` or the end of the call."""
        self._clock, self._accounts, self._host = clock, accounts, host
        self._picked_up_after, self._keyed = picked_up_after, keyed
        self._bindings: dict[str, Binding] = {}
        self._lines: dict[IncomingCall, Line] = {}
        self._errands = Errands("a telephone of the carrier")
        self.calls = 0  # that were answered
        self._network = OwnNetwork(clock, lambda: self.agent.token())
        self.agent = Agent(clock=clock, licence=self._network, handler=self, peers=peers, user="carrier")
        self._challenger = Challenger(clock, REALM, accounts, self.agent.token)

    async def listen(self, transport: Transport, host: str, port: int = 0) -> Place:
        """Be reachable there; OSError if that can't be."""
        return await self.agent.listen(transport, host, port)

    async def close(self) -> None:
        """Stop, with whatever is under way."""
        await self._errands.close()
        await self.agent.close()
        for line in self._lines.values():
            line.close()

    def binding(self, user: str) -> Uri | None:
        """Where a registered user is now."""
        found = self._bindings.get(user)
        return found.contact if found and found.until > self._clock.now().mono_ns else None

    async def dial(self, to: Uri, caller: str, tell: told.Tell = lambda event: None) -> OutgoingCall | Reason:
        """One of our telephones calls somebody; CarrierError if that can't be reached."""
        echo = await open_echo(self._host)
        offer = answered(b"", self._host, echo.port)
        assert offer is not None
        wish = Wish(to, Address(Uri("sip", REALM, caller)), offer)
        grant = self._network.grant()

        def heard(event: told.Event) -> None:
            if isinstance(event, told.Ended | told.Failed):
                echo.close()
            tell(event)

        return await self.agent.call(wish, grant, grant.attempt, heard)

    # What the user agent tells: see `sip.agent.Handler`

    def incoming(self, call: IncomingCall) -> None:
        """See `sip.agent.Handler`."""
        if self._accounts and self._challenger.who(call.invite, proxy=True) is None:
            call.refuse(407, fields=(self._challenger.challenge(proxy=True),))
            return
        number = call.invite.uri.user if isinstance(call.invite.uri, Uri) else None
        act = ENDINGS.get((number or "")[-2:], Act.ANSWER)
        log.info("a call for %s: %s", number, act)
        if act in _REFUSALS:
            call.refuse(*_REFUSALS[act])
            return
        call.tell = partial(self._heard, call)
        call.ring()
        if act is not Act.RING:
            self._errands.start(self._pick_up(call, number or "", act))

    def asked(self, request: Request, flow: Flow) -> tuple[int, Fields] | None:
        """See `sip.agent.Handler`: a registrar (RFC 3261 §10.3) of one binding for each user."""
        if request.method != "REGISTER":
            return None
        user = request.to.uri.user if isinstance(request.to.uri, Uri) else None
        if self._accounts:
            proved = self._challenger.who(request, proxy=False)
            if proved is None:
                return 401, (self._challenger.challenge(proxy=False),)
            if proved != user:
                return 403, ()
        contact = request.contact
        if user is None or contact is None:
            return 400, ()
        seconds = min(_expires(request), EXPIRES)
        self._bindings[user] = Binding(contact, self._clock.now().mono_ns + seconds * SECOND)
        if not seconds:
            del self._bindings[user]
            return 200, ()
        return 200, (("Contact", f"<{contact}>;expires={seconds}"), ("Expires", str(seconds)))

    def stray(self, dialog: Dialog) -> None:
        """See `sip.agent.Handler`."""
        log.warning("call %s was answered when nobody wanted it any more", dialog.call_id)

    def stray_over(self, bye: Request, doubt: str | None) -> None:
        """See `sip.agent.Handler`."""

    async def _pick_up(self, call: IncomingCall, number: str, act: Act) -> None:
        """With its telephone on the line, as soon as there is one."""
        line = await self._line(number, act)
        sdp = answered(call.remote_sdp, self._host, line.port)
        if sdp is None or not call.pending:
            line.close()
            call.refuse(488)
            return
        self._lines[call] = line
        if isinstance(line, Speaking):
            line.agree(call.remote_sdp, sdp)
        grant = self._network.grant()
        if isinstance(line, RingBack):
            call.early(sdp, grant, grant.attempt)
            line.ring()
        self.agent.traffic.timers.at(
            self._clock.now().mono_ns + self._picked_up_after,
            lambda: self._answer(call, sdp, grant),
        )

    async def _line(self, number: str, act: Act) -> Line:
        """The telephone of this number."""
        if act is Act.MENU:
            return await open_line(lambda: Menu(partial(self._pressed, number)), self._host)
        if act is Act.EARLY:
            return await open_line(RingBack, self._host)
        return await open_echo(self._host)

    def _answer(self, call: IncomingCall, sdp: bytes, grant: Grant) -> None:
        call.accept(sdp, grant, grant.attempt)

    def _heard(self, call: IncomingCall, event: told.Event) -> None:
        match event:
            case told.Answered():
                self.calls += 1
            case told.Offered(sdp):
                line = self._lines[call]
                answer = answered(sdp, self._host, line.port)
                if answer and isinstance(line, Speaking):
                    line.agree(sdp, answer)
                call.answer(answer) if answer else call.refuse_offer()
            case told.Keyed(digit) if isinstance(menu := self._lines.get(call), Menu):
                menu.press(digit)
            case told.Ended() | told.Failed():
                log.info("a call is over: %s", event.cause.words)
                if (over := self._lines.pop(call, None)) is not None:
                    over.close()

    def _pressed(self, number: str, keys: str) -> None:
        log.info("%s heard %s", number, keys)
        self._keyed(number, keys)


def _expires(request: Request) -> int:
    """What a REGISTER asks for: by its Contact, or by the header for all."""
    found = request.addresses("Contact")[0].parameter("expires") or request.get("Expires") or ""
    return int(found) if found.isascii() and found.isdigit() and len(found) < 10 else EXPIRES
