"""User agents of a test: real sockets, and what each of them hears in order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from licensing.grant import Grant
from licensing.reasons import Reason
from signaling.ports.clock import Clock
from signaling.pstn.sip import call_events as told
from signaling.pstn.sip.agent import Agent
from signaling.pstn.sip.dialog import Dialog
from signaling.pstn.sip.digest import Credentials
from signaling.pstn.sip.headers import Address
from signaling.pstn.sip.hop import Flow, Transport
from signaling.pstn.sip.incoming import IncomingCall
from signaling.pstn.sip.message import Fields, Request
from signaling.pstn.sip.outgoing import OutgoingCall, Wish
from signaling.pstn.sip.selection import Lookup
from signaling.pstn.sip.sockets import Place
from signaling.pstn.sip.tls import client_context, server_context
from signaling.pstn.sip.uri import Uri
from tests.fakes.certificates import Certificate
from tests.fakes.licence import Licensed

WAIT = 20.0  # seconds; for what must come
OFFER, ANSWER = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n", b"v=0\r\no=- 2 1 IN IP4 192.0.2.2\r\n"

E = TypeVar("E")


@dataclass
class Talk:
    """One call, and what was told of it."""

    events: "asyncio.Queue[told.Event]" = field(default_factory=asyncio.Queue)
    past: list[told.Event] = field(default_factory=list)

    def tell(self, event: told.Event) -> None:
        self.past.append(event)
        self.events.put_nowait(event)

    async def until(self, kind: type[E]) -> E:
        """The next event of this kind; others before it are passed over."""
        while True:
            event = await asyncio.wait_for(self.events.get(), WAIT)
            if isinstance(event, kind):
                return event


@dataclass
class Party:
    """One user agent and its handler."""

    licence: Licensed
    agent: Agent = field(init=False)
    calls: "asyncio.Queue[tuple[IncomingCall, Talk]]" = field(default_factory=asyncio.Queue)
    strays: list[Dialog] = field(default_factory=list)
    strays_over: "asyncio.Queue[bool]" = field(default_factory=asyncio.Queue)
    requests: list[Request] = field(default_factory=list)

    def incoming(self, call: IncomingCall) -> None:
        talk = Talk()
        call.tell = talk.tell
        self.calls.put_nowait((call, talk))

    def asked(self, request: Request, flow: Flow) -> tuple[int, Fields] | None:
        self.requests.append(request)
        return None

    def stray(self, dialog: Dialog) -> None:
        self.strays.append(dialog)

    def stray_over(self, bye: Request, doubt: str | None) -> None:
        self.strays_over.put_nowait(doubt is None)

    async def call(
        self,
        to: Uri,
        grant: Grant | None = None,
        *,
        fields: Fields = (),
        credentials: Credentials | None = None,
        session_expires: int = 1800,
        offer: bytes = OFFER,
    ) -> tuple[OutgoingCall | Reason, Talk]:
        grant = grant or self.licence.grant()
        caller = Address(Uri("sip", "wephone.example", "+442079460002"))
        wish = Wish(to, caller, offer, fields, credentials=credentials, session_expires=session_expires)
        talk = Talk()
        return await self.agent.call(wish, grant, grant.attempt, talk.tell), talk

    async def stray_ended(self) -> bool:
        """Was the end of the next stray call confirmed?"""
        return await asyncio.wait_for(self.strays_over.get(), WAIT)

    async def called(self) -> tuple[IncomingCall, Talk]:
        return await asyncio.wait_for(self.calls.get(), WAIT)


@asynccontextmanager
async def party(
    clock: Clock,
    peers: tuple[str, ...] = ("127.0.0.1", "::1"),
    certificate: Certificate | None = None,
    lookup: Lookup | None = None,
) -> AsyncIterator[Party]:
    """A user agent that takes calls of these addresses. It listens nowhere yet."""
    made = Party(Licensed(clock))
    made.agent = Agent(
        clock=clock,
        licence=made.licence,
        handler=made,
        peers=lambda address: address in peers,
        lookup=lookup,
        tls_client=client_context(certificate.authority) if certificate else None,
        tls_server=server_context(certificate.certificate, certificate.key) if certificate else None,
    )
    try:
        yield made
    finally:
        await made.agent.close()


def press(us: Party, call: OutgoingCall, keys: str) -> None:
    """Tell keys by INFO, as carriers do and we do not."""
    assert call.session
    dialog = call.session.dialog
    for key in keys:
        body = f"Signal={key}\r\nDuration=100\r\n".encode()
        dialog, request = dialog.request("INFO", (("Content-Type", "application/dtmf-relay"),), body)
        us.agent.traffic.ask_within(request, dialog.routes, call)
    call.session = replace(call.session, dialog=dialog)


def uri(place: Place, user: str = "+442079460001") -> Uri:
    """Somebody at that place."""
    transport = () if place.transport is Transport.UDP else (("transport", place.transport.lower()),)
    host = f"[{place.host}]" if place.is_ipv6 else place.host
    return Uri("sip", host, user, port=place.port, parameters=transport)
