"""Our SIP user agent: calls out and in, over the sockets, by the machines, under leases (RFC 3261 §8).

What is not to a call of ours is refused here: dialogs that we do not know, REFER, methods that we do not
have. Everything that waits has a bound.
"""

import os
import ssl
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

from licensing.grant import Attempt, Grant, Lease
from licensing.reasons import Reason
from signaling.ports.clock import Clock
from signaling.pstn.sip import call_events as told
from signaling.pstn.sip import invitation_events as asked
from signaling.pstn.sip.answer import respond
from signaling.pstn.sip.answering import Answering
from signaling.pstn.sip.dialog import Dialog, dialog_of_callee
from signaling.pstn.sip.digest import Login
from signaling.pstn.sip.door import USUAL_PACE, Count, Door, Pace
from signaling.pstn.sip.exchange import Key
from signaling.pstn.sip.farewell import Done, Farewell
from signaling.pstn.sip.headers import MAGIC, Address, Via
from signaling.pstn.sip.hop import Flow, Hop, Transport
from signaling.pstn.sip.incoming import IncomingCall
from signaling.pstn.sip.invitation import Invitation, Phase
from signaling.pstn.sip.leg import ABILITIES, Forget, Leg, sdp_of
from signaling.pstn.sip.message import Fields, Request, Response
from signaling.pstn.sip.noise import Noise
from signaling.pstn.sip.outgoing import OutgoingCall, Wish, first_invite
from signaling.pstn.sip.problem import CarrierError, SipError
from signaling.pstn.sip.requirements import check_supported, unsupported
from signaling.pstn.sip.resolver import Resolver
from signaling.pstn.sip.route import Hops, Routes
from signaling.pstn.sip.selection import Lookup
from signaling.pstn.sip.session import ALLOWED
from signaling.pstn.sip.sockets import Place, Sockets
from signaling.pstn.sip.table import Success
from signaling.pstn.sip.tenure import Licence, Tenure
from signaling.pstn.sip.timers import Alarm
from signaling.pstn.sip.traffic import Traffic, sized
from signaling.pstn.sip.uri import AnyUri, Uri

EXTENSIONS = frozenset({"100rel", "timer"})
SCHEMES = frozenset({"sip", "sips", "tel"})
MOST_PENDING = 100  # calls of one source that are neither answered nor refused
OURS: Fields = (("Accept", "application/sdp"), *ABILITIES)


class Handler(Protocol):
    """What the user agent tells whoever runs it."""

    def incoming(self, call: IncomingCall) -> None:
        """An INVITE: take it now (set `call.tell`); answer or refuse it whenever that is known."""
        ...

    def asked(self, request: Request, flow: Flow) -> tuple[int, Fields] | None:
        """A request outside of any call, other than OPTIONS: status and headers of its answer, or none."""
        ...

    def stray(self, dialog: Dialog) -> None:
        """A phone was answered that nobody wanted any more: it is being ended, and may be charged."""
        ...

    def stray_over(self, bye: Request, doubt: str | None) -> None:
        """The end of a stray call was confirmed; or why it may go on, in words."""
        ...


class Agent:
    """See above. `listen` before use, `close` after."""

    def __init__(
        self,
        *,
        clock: Clock,
        licence: Licence,
        handler: Handler,
        peers: Callable[[str], bool],
        lookup: Lookup | None = None,
        tls_client: ssl.SSLContext | None = None,
        tls_server: ssl.SSLContext | None = None,
        count: Count = lambda turned: None,
        pace: Pace = lambda address: USUAL_PACE,
        random: Callable[[int], bytes] = os.urandom,
        user: str = "wephone",
    ) -> None:
        """`peers`: is this IP address a configured carrier's? `pace`: how many messages a second it may send;
        twice as many at once. `user`: of our Contact."""
        self._clock, self._licence, self._handler, self._random = clock, licence, handler, Noise(random)
        self.now, self.token = clock.now, self._random.token
        self._user = user
        self._legs: dict[str, list[Leg]] = {}  # by Call-ID
        self._ringing: dict[str, set[IncomingCall]] = {}  # by source
        self._routes = Routes(lookup or Resolver(), clock, self.dice)
        self.traffic = Traffic(
            clock,
            self,
            self._routes,
            peers,
            lambda heard, may_write, lost: Sockets(
                clock,
                Door(clock, may_write, count, pace=pace),
                heard,
                tls_client=tls_client,
                tls_server=tls_server,
                tag=self.token(),
                lost=lost,
            ),
        )

    async def listen(self, transport: Transport, host: str, port: int = 0) -> Place:
        """Be reachable there; OSError if that can't be."""
        return await self.traffic.sockets.listen(transport, host, port)

    async def close(self) -> None:
        """Stop at once; calls that live are not ended by this."""
        for leg in self.legs:
            if leg.tenure:
                leg.tenure.let_go()
        await self.traffic.close()

    @property
    def legs(self) -> tuple[Leg, ...]:
        """All calls, also those that are over and may still hear something."""
        return tuple([leg for legs in self._legs.values() for leg in legs])

    # Calling

    async def call(
        self, wish: Wish, grant: Grant, attempt: Attempt, tell: told.Tell
    ) -> OutgoingCall | Reason:
        """Call. CarrierError if there is nobody to ask; a reason if the grant is not worth anything.

        The grant is redeemed in the step that gives the INVITE to the network. `tell` may be called before
        this returns.
        """
        hops = await self.locate(wish.first)
        call_id, tag = self.token(), self.token()
        invite = self._invite(wish, call_id, tag, hops[0])
        if (larger := sized(invite, hops)) is not hops:
            hops = larger
            invite = self._invite(wish, call_id, tag, hops[0])
        call = OutgoingCall(self, invite, tell, wish, hops)
        self._legs.setdefault(call_id, []).append(call)
        refused = call.begin(grant, attempt)
        if refused:
            self.forget(call)
            return refused
        return call

    async def locate(self, uri: AnyUri) -> Hops:
        """Where a URI is served; CarrierError."""
        if not isinstance(uri, Uri):
            raise CarrierError(f"{uri.scheme}: cannot be reached without a proxy")
        return await self._routes.find(uri)

    def end(self, dialog: Dialog, done: Done, login: Login | None = None, fields: Fields = ()) -> None:
        """BYE in a dialog that was kept durably, of a server that died."""
        _, bye = dialog.request("BYE", fields)
        Farewell(self, bye, dialog.routes, login, done).send()

    def reconsider(self) -> None:
        """The register may have changed: every leg asks for its next lease now."""
        for leg in self.legs:
            if leg.tenure:
                leg.tenure.renew_now()

    def contact(self, hop: Hop, asked: AnyUri) -> Address:
        """Where a peer at that hop finds us: by sips: alone where that is what was asked for (§8.1.1.8)."""
        scheme = "sips" if asked.scheme == "sips" else "sip"
        return _contact(scheme, self._user, self.traffic.via(hop), hop.transport)

    def _invite(self, wish: Wish, call_id: str, tag: str, hop: Hop) -> Request:
        via = self.traffic.via(hop).branched(self.branch())
        return first_invite(wish, call_id, tag, via, self.contact(hop, wish.first))

    # What legs ask: see `leg.Desk`

    def at(self, when: int, leg: Leg, event: object) -> Alarm:
        return self.traffic.timers.at(when, self._timed_out, leg, event)

    def dice(self) -> float:
        return int.from_bytes(self._random(4)) / 2**32

    def branch(self) -> str:
        return MAGIC + self.token()

    def hold(self, grant: Grant, attempt: Attempt, leg: Leg) -> Tenure | Reason:
        lease = self._licence.redeem(grant, attempt)
        if not isinstance(lease, Lease):
            return lease
        return Tenure(self._licence, lease, self.traffic.timers, leg.lapsed)

    def forget(self, leg: Leg) -> None:
        legs = self._legs.get(leg.call_id, [])
        if leg in legs:
            legs.remove(leg)
        if not legs:
            self._legs.pop(leg.call_id, None)

    def part(self, bye: Request, login: Login | None) -> None:
        def done(doubt: str | None) -> None:
            self._handler.stray_over(bye, doubt)

        Farewell(self, bye, bye.addresses("Route"), login, done).send()

    def stray(self, dialog: Dialog) -> None:
        self._handler.stray(dialog)

    def _timed_out(self, leg: Leg, event: object) -> None:
        if isinstance(event, Forget):
            self.forget(leg)
        else:
            leg.timed_out(event)

    # What comes: see `traffic.Receiver`

    def request(self, request: Request, key: Key | None, flow: Flow) -> None:
        """See `traffic.Receiver`."""
        if request.method == "CANCEL":
            self._cancelled(request, key)
        elif request.to.tag is not None:
            self._within(request, key)
        elif key is None:
            pass  # an ACK that belongs to nothing
        elif request.method == "INVITE":
            self._invited(request, key, flow)
        else:
            self._outside(request, key, flow)

    def late(self, response: Response) -> None:
        """See `traffic.Receiver`: a call is up somewhere; if nobody knows it, it is ended."""
        for leg in self._legs.get(response.call_id, []):
            if isinstance(leg, OutgoingCall) and leg.heard_late(response):
                return
        self._end_unknown(response)

    def _within(self, request: Request, key: Key | None) -> None:
        for leg in self._legs.get(request.call_id, []):
            if leg.local_tag == request.to.tag:
                leg.came(request, key)
                return
        if key is not None:
            self._say(request, key, 481)

    def _cancelled(self, cancel: Request, key: Key | None) -> None:
        for leg in self._legs.get(cancel.call_id, []):
            if isinstance(leg, IncomingCall) and leg.invite.via.branch == cancel.via.branch:
                leg.came(cancel, key)
                return
        if key is not None:
            self._say(cancel, key, 481)

    def _invited(self, invite: Request, key: Key, flow: Flow) -> None:
        host = flow.hop.host
        ringing = self._ringing.setdefault(host, set())
        if len(ringing) >= MOST_PENDING:
            ringing = self._ringing[host] = {call for call in ringing if call.pending}
        if len(ringing) >= MOST_PENDING:
            self._say(invite, key, 503, ("Retry-After", "10"))
            return
        try:
            call = self._take(invite, key, flow)
        except SipError as error:
            self._say(invite, key, error.status or 400, *_explained(invite, error))
            return
        except CarrierError:  # it came by a connection of ours, and nobody could reach us in return
            self._say(invite, key, 503)
            return
        ringing.add(call)
        self._legs.setdefault(invite.call_id, []).append(call)
        self._handler.incoming(call)

    def _take(self, invite: Request, key: Key, flow: Flow) -> IncomingCall:
        """SipError for one that cannot be taken: a loop, an extension that we lack, too short an interval."""
        check_supported(invite, EXTENSIONS, SCHEMES)
        if invite.body and sdp_of(invite) is None:
            raise SipError(415, "a body that is no SDP")
        if invite.max_forwards == 0:
            raise SipError(483, "no hop is left")
        if any(leg.local_tag == invite.sender.tag for leg in self._legs.get(invite.call_id, [])):
            raise SipError(482, "our own call came back")
        via = self.traffic.via(flow.hop)
        dialog = dialog_of_callee(invite, self.token(), via, self.contact(flow.hop, invite.uri), self.token())
        rseq = 1 + int.from_bytes(self._random(4)) % (2**31 - 1)
        return IncomingCall(self, Answering(invite, dialog, rseq), key, flow)

    def _outside(self, request: Request, key: Key, flow: Flow) -> None:
        if request.method in ("BYE", "PRACK", "UPDATE", "INFO"):
            self._say(request, key, 481)
            return
        try:
            check_supported(request, EXTENSIONS, SCHEMES)
        except SipError as error:
            self._say(request, key, error.status or 400, *_explained(request, error))
            return
        if request.method == "OPTIONS":
            self._say(request, key, 200, *OURS)
            return
        status, fields = self._handler.asked(request, flow) or (405, (("Allow", ALLOWED),))
        self._say(request, key, status, *fields)

    def _say(self, request: Request, key: Key, status: int, *fields: tuple[str, str]) -> None:
        self.traffic.reply(key, respond(request, status, tag=self.token(), fields=fields))

    def _end_unknown(self, response: Response) -> None:
        """From the 2xx alone: acknowledge and hang up. Perhaps its INVITE was sent before a restart."""
        uri = response.contact or response.to.uri
        if not isinstance(uri, Uri):
            return
        invite = Request(
            response.vias[:1],
            response.sender,
            response.to.untagged(),
            response.call_id,
            response.cseq,
            method="INVITE",
            uri=uri,
            fields=(("Contact", str(Address(Uri("sip", response.via.host, self._user)))),),
        )
        state = Invitation(invite, self.token(), phase=Phase.ENDED)
        for effect in state.receive(Success(response), self.now())[1]:
            match effect:
                case asked.SendAck(ack):
                    self.traffic.acknowledge(ack, ack.addresses("Route"))
                case asked.Ask(bye):
                    self.part(bye, None)
                case asked.Stray(dialog):
                    self._handler.stray(dialog)


@lru_cache(maxsize=1024)  # of our own addresses
def _contact(scheme: str, user: str, via: Via, transport: Transport) -> Address:
    is_plain = transport is Transport.UDP or scheme == "sips"
    parameters = () if is_plain else (("transport", transport.lower()),)
    return Address(Uri(scheme, via.host, user, port=via.port, parameters=parameters))


def _explained(request: Request, error: SipError) -> Fields:
    """What an answer with that status must name."""
    match error.status:
        case 420:
            return (("Unsupported", ", ".join(unsupported(request, EXTENSIONS))),)
        case 422:
            return (("Min-SE", "90"),)
        case 415:
            return (("Accept", "application/sdp"), ("Accept-Encoding", "identity"))
        case _:
            return ()
