"""Transactions on the wire: what they want to send goes out, what comes in finds its transaction, timers run.

A message that needs a lease is sent under the tenure of its leg alone (`outlet.py`), also when a transaction
sends it again.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Protocol

from licensing.instant import SECOND
from signaling.ports.clock import Clock
from signaling.pstn.sip.answer import respond
from signaling.pstn.sip.door import Turned
from signaling.pstn.sip.exchange import Exchange, Key, Steps, server_key
from signaling.pstn.sip.headers import Address, Via
from signaling.pstn.sip.hop import LARGEST_DATAGRAM, Flow, Hop, Transport, bracketed
from signaling.pstn.sip.message import Request, Response, build
from signaling.pstn.sip.outlet import Outlet
from signaling.pstn.sip.problem import CarrierError
from signaling.pstn.sip.route import Hops, Routes
from signaling.pstn.sip.selection import next_uri
from signaling.pstn.sip.sockets import Sockets
from signaling.pstn.sip.tenure import Tenure
from signaling.pstn.sip.timers import Alarm, Timers
from signaling.pstn.sip.transaction import Deliver, Failed, Send
from signaling.pstn.sip.uri import Uri
from signaling.pstn.sip.values import replace

MOST_OPEN = 20_000  # transactions; beyond that new requests are told to come later
REMEMBERED = 3600 * SECOND  # how long an address that we wrote to may write to us, within a dialog
MOST_REMEMBERED = 4096
NEVER = 2**63


class Asker(Protocol):
    """Whoever sent a request, and hears what becomes of it."""

    def heard(self, request: Request, response: Response) -> None: ...

    def failed(self, request: Request, failed: Failed) -> None: ...


class Receiver(Protocol):
    """Who is told of what the peers ask."""

    def request(self, request: Request, key: Key | None, flow: Flow) -> None:
        """A new request; the ACK of a 2xx has no key."""
        ...

    def late(self, response: Response) -> None:
        """A 2xx to an INVITE whose transaction is over."""
        ...


# Of what tells what was heard, says whose words count, and tells of connections that are gone.
MakeSockets = Callable[
    [Callable[[Request | Response, Flow], None], Callable[[str], bool], Callable[[Hop], None]], Sockets
]


@dataclass(slots=True)
class Business:
    """One open transaction: which way it goes, whose it is, where else it may go, what it may say."""

    to: Hop | Flow
    asker: Asker | None = None
    request: Request | None = None  # as its asker made it
    rest: Hops = ()
    tenure: Tenure | None = None
    wakes: int = NEVER  # when its transaction is next told that a timer has run out
    alarm: Alarm | None = None  # that rings then


class Traffic:
    """The transactions of one user agent and the sockets that they use."""

    def __init__(
        self,
        clock: Clock,
        receiver: Receiver,
        routes: Routes,
        peers: Callable[[str], bool],
        make_sockets: MakeSockets,
    ) -> None:
        """`peers`: is this address a configured carrier's? Others may only answer what was sent to them."""
        self._clock, self._receiver, self._routes, self._peers = clock, receiver, routes, peers
        self._exchange = Exchange()
        self._business: dict[Key, Business] = {}
        self._written: dict[str, int] = {}  # address -> until when it may write to us
        self.timers = Timers(clock)
        self._wake = self._woken  # one method for all alarms
        self.sockets = make_sockets(self._heard, self._may_write, self._lost)
        self.outlet = Outlet(self.sockets)

    def __len__(self) -> int:
        """Open transactions."""
        return len(self._exchange)

    async def close(self) -> None:
        """Nothing is sent or heard any more."""
        self.timers.close()
        await self._routes.close()
        await self.sockets.close()

    # Out

    def via(self, hop: Hop) -> Via:
        """How we are reached by that hop, without a branch; CarrierError if we have no socket for it."""
        try:
            place = self.sockets.place(hop)
        except OSError as error:
            raise CarrierError(str(error)) from error
        return _via(hop.transport, place.host, place.port)

    def ask(self, request: Request, hops: Hops, asker: Asker, tenure: Tenure | None = None) -> bool:
        """Start a client transaction at the first hop; false, and nothing is sent, if it needs a lease and
        has none. An INVITE's Via must be made for that hop."""
        if not self.outlet.may_send(request, tenure):
            return False
        sent = self._addressed(request, hops[0])
        now = self._clock.now()
        key, effects = self._exchange.ask(sent, now, reliable=hops[0].transport.reliable)
        self._business[key] = Business(hops[0], asker, request, hops[1:], tenure)
        self._remember(hops[0].host, now.mono_ns)
        self._carry_out((key, effects))
        return True

    def ask_within(
        self, request: Request, routes: tuple[Address, ...], asker: Asker, tenure: Tenure | None = None
    ) -> None:
        """A request within a dialog, whose route set `routes` is."""

        def go_on(hops: Hops) -> None:
            hops = sized(request, hops)
            try:
                sent = bool(hops) and self.ask(request, hops, asker, tenure)
            except CarrierError:
                sent = False
            if not sent:
                asyncio.get_running_loop().call_soon(asker.failed, request, Failed("transport"))

        self._go(request, routes, go_on)

    def towards(self, uri: Uri, go_on: Callable[[Hops], None]) -> None:
        """Go on with the hops of a URI; with none if there are none."""
        self._routes.then(uri, go_on)

    def acknowledge(self, ack: Request, routes: tuple[Address, ...]) -> None:
        """The ACK of a 2xx: sent once, by no transaction."""

        def go_on(hops: Hops) -> None:
            for hop in sized(ack, hops)[:1]:
                self._remember(hop.host, self._clock.mono_ns())
                self.outlet.send(self._addressed(ack, hop), hop, lambda: None)

        self._go(ack, routes, go_on)

    def reply(self, key: Key, response: Response, tenure: Tenure | None = None) -> bool:
        """Answer a request; false, and nothing is said, if it needs a lease and has none."""
        business = self._business.get(key)
        if business is None:
            return False
        business.tenure = tenure or business.tenure
        if not self.outlet.may_send(response, business.tenure):
            return False
        self._carry_out(self._exchange.say(key, response, self._clock.now()))
        return True

    def invited(self, cancel: Request) -> bool:
        """Is the INVITE of this CANCEL still known?"""
        return self._exchange.invited(cancel) is not None

    def _go(self, request: Request, routes: tuple[Address, ...], go_on: Callable[[Hops], None]) -> None:
        try:
            uri = next_uri(request, routes)
        except CarrierError:
            go_on(())
            return
        self._routes.then(uri, go_on)

    def _addressed(self, request: Request, hop: Hop) -> Request:
        """With a Via for that hop, and the branch that it has."""
        via, own = self.via(hop), request.vias[0]
        if own.is_branch_of(via) and len(request.vias) == 1:
            return request
        return replace(request, vias=(via.branched(own.branch) if own.branch else via,))

    def _remember(self, host: str, now: int) -> None:
        if len(self._written) >= MOST_REMEMBERED and host not in self._written:
            self._written = {h: until for h, until in self._written.items() if until > now}
        self._written[host] = now + REMEMBERED

    # In

    def _may_write(self, host: str) -> bool:
        return self._peers(host) or self._written.get(host, 0) > self._clock.mono_ns()

    def _heard(self, message: Request | Response, flow: Flow) -> None:
        if isinstance(message, Response):
            if len(message.vias) > 1:  # it is for somebody who asked through us, and nobody does (§8.1.3.3)
                return
            self._carry_out(self._exchange.heard_response(message, self._clock.now()), flow)
            return
        if message.to.tag is None and not self._peers(flow.hop.host):
            self.sockets.door.turned(Turned.STRANGER, flow.hop.host)
            return
        key = server_key(message)
        is_new = message.method != "ACK" and self._exchange.get(key) is None
        if is_new and len(self._exchange) >= MOST_OPEN:
            busy = respond(message, 503, tag="busy", fields=(("Retry-After", "10"),))
            self.outlet.send(busy, flow, lambda: None)
            return
        reliable = flow.hop.transport.reliable
        steps = self._exchange.heard(message, self._clock.now(), reliable=reliable)
        if is_new and self._exchange.get(key) is not None:
            self._business[key] = Business(flow)
        self._carry_out(steps, flow)

    def _carry_out(self, steps: Steps, flow: Flow | None = None) -> None:
        key, effects = steps
        business = self._business.get(key) if key else None
        for effect in effects:
            if isinstance(effect, Send):
                to = business.to if business else flow
                assert to is not None
                failed = partial(self._unsendable, key)
                self.outlet.send(effect.message, to, failed, business.tenure if business else None)
            elif isinstance(effect, Deliver):
                self._deliver(key, business, effect.message, flow)
            else:
                self._failed(business, effect)
        if key:
            self._tend(key)

    def _deliver(
        self, key: Key | None, business: Business | None, message: Request | Response, flow: Flow | None
    ) -> None:
        if isinstance(message, Request):
            assert flow is not None
            self._receiver.request(message, None if message.method == "ACK" else key, flow)
        elif business is None:
            self._receiver.late(message)
        elif business.asker and business.request:
            business.asker.heard(business.request, message)

    def _failed(self, business: Business | None, failure: Failed) -> None:
        if business is None or business.asker is None or business.request is None:
            return
        request = business.request
        if failure.cause == "transport" and business.rest and request.method != "INVITE":
            try:
                self.ask(request, business.rest, business.asker, business.tenure)
                return
            except CarrierError:
                pass
        business.asker.failed(request, failure)

    def _tend(self, key: Key) -> None:
        """One alarm for all timers of a transaction: for the first of them."""
        transaction, business = self._exchange.get(key), self._business.get(key)
        if business is None:
            return
        first = NEVER
        for _, at in transaction.timers if transaction else ():
            if at < first:
                first = at
        if first != business.wakes:
            if business.alarm is not None:
                self.timers.cancel(business.alarm)
            business.wakes = first
            business.alarm = self.timers.at(first, self._wake, key, business) if first != NEVER else None
        if transaction is None:
            del self._business[key]

    def _woken(self, key: Key, business: Business) -> None:
        now = self._clock.now()
        business.wakes = NEVER
        transaction = self._exchange.get(key)
        due = [one for one in transaction.timers if one[1] <= now.mono_ns] if transaction else ()
        for timer, at in due:
            self._carry_out(self._exchange.timed_out(key, timer, at, now))

    def _lost(self, hop: Hop) -> None:
        """A connection is gone, and perhaps nobody heard the BYE or CANCEL written to it: that is sent
        again, and does no harm twice. Others wait for their answer, which may come by a new connection."""
        gone = replace(hop, name="")
        for key, business in tuple(self._business.items()):
            request, to = business.request, business.to
            if request is None or request.method not in ("BYE", "CANCEL"):
                continue
            if isinstance(to, Hop) and replace(to, name="") == gone:
                self._unsendable(key)

    def _unsendable(self, key: Key | None) -> None:
        if key is not None:
            self._carry_out(self._exchange.unsendable(key, self._clock.now()))


@lru_cache(maxsize=1024)  # of our own addresses
def _via(transport: Transport, host: str, port: int) -> Via:
    alias = (("alias", None),) if transport.reliable else ()  # RFC 5923 §5
    return Via(transport, bracketed(host), port, (("rport", None), *alias))


def sized(request: Request, hops: Hops) -> Hops:
    """One too large for a datagram goes over TCP first, and by UDP if nobody listens there (§18.1.1)."""
    if len(build(request)) <= LARGEST_DATAGRAM:
        return hops
    larger = [replace(hop, transport=Transport.TCP) for hop in hops if hop.transport is Transport.UDP]
    return (*larger, *hops) if larger else hops
