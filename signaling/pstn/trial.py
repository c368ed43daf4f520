"""A trunk tried out, step by step, before anybody calls by it: what is wrong is said in words.

Nothing that could cost is sent: no INVITE. What only a call can show (codecs, a password that is asked for
with each call) is said to be so.
"""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

from licensing.gate import Attempt, Grant, Lease
from licensing.reasons import Reason
from signaling.ports.clock import Clock
from signaling.pstn.line import Line
from signaling.pstn.sip.agent import Agent
from signaling.pstn.sip.cause import Cause
from signaling.pstn.sip.dialog import Dialog
from signaling.pstn.sip.digest import Credentials
from signaling.pstn.sip.hop import Flow, Hop, Transport
from signaling.pstn.sip.incoming import IncomingCall
from signaling.pstn.sip.message import Fields, Request
from signaling.pstn.sip.problem import CarrierError
from signaling.pstn.sip.route import Hops
from signaling.pstn.sip.standing import Account, Health, Registration
from signaling.pstn.trunk import Trunk

CONNECT = 10.0  # seconds
ANSWER = 35.0  # seconds: a request is given up after 32


@dataclass(frozen=True, slots=True)
class Finding:
    """What one step found. `ok` is none where nothing can be said without a call."""

    step: str
    ok: bool | None
    text: str


class Nobody:
    """The user agent of a trial: it makes no call, takes none, and has leave for none."""

    def incoming(self, call: IncomingCall) -> None:
        """See `sip.agent.Handler`."""
        call.refuse(480)

    def asked(self, request: Request, flow: Flow) -> tuple[int, Fields] | None:
        """See `sip.agent.Handler`."""
        return None

    def stray(self, dialog: Dialog) -> None:
        """See `sip.agent.Handler`."""

    def stray_over(self, bye: Request, doubt: str | None) -> None:
        """See `sip.agent.Handler`."""

    def redeem(self, grant: Grant, attempt: Attempt) -> Lease | Reason:
        """See `sip.tenure.Licence`."""
        return Reason.DENY_GRANT_NOT_VALID

    async def renew(self, lease: Lease) -> Lease | Reason:
        """See `sip.tenure.Licence`."""
        return Reason.DENY_GRANT_NOT_VALID

    def ended(self, call: str, leg: str) -> None:
        """See `sip.tenure.Licence`."""


async def tried(
    clock: Clock, name: str, trunk: Trunk, credentials: Credentials | None, tls: ssl.SSLContext, host: str
) -> tuple[Finding, ...]:
    """What each step found, up to the one that makes the next pointless. `host`: an address of ours."""
    nobody = Nobody()
    agent = Agent(clock=clock, licence=nobody, handler=nobody, peers=lambda address: False, tls_client=tls)
    try:
        await agent.listen(Transport.UDP, host)
        await agent.listen(Transport.TCP, host)
        return tuple([finding async for finding in Trial(agent, name, trunk, credentials, tls).steps()])
    finally:
        await agent.close()


class Trial:
    """The steps of one trunk."""

    def __init__(
        self, agent: Agent, name: str, trunk: Trunk, credentials: Credentials | None, tls: ssl.SSLContext
    ) -> None:
        self._agent, self._trunk, self._tls = agent, trunk, tls
        self._line = Line(name, trunk, credentials, agent, lambda line: None)
        self._account = Account(self._line.uri, self._line.identity, credentials)

    async def steps(self) -> AsyncIterator[Finding]:
        """One after another; none that could say nothing after what was found."""
        yield self._numbers()
        try:
            hops = await self._agent.locate(self._line.uri)
        except CarrierError as error:
            yield Finding("address", False, f"{self._line.uri.host} leads nowhere: {error.sentence}")
            return
        yield Finding("address", True, f"{self._line.uri.host} is at {', '.join(map(str, hops))}")
        if hops[0].transport.reliable:
            trouble = await connected(hops[0], self._tls)
            yield Finding("connection", trouble is None, trouble or f"{hops[0].transport} can be had")
            if trouble is not None:
                return
        cause = await self._answered()
        said = "it answers OPTIONS" if cause is None else unanswered(cause, hops[0])
        yield Finding("answer", cause is None, said)
        if cause is None:
            yield await self._signed_in()
            yield Finding("codecs", None, f"{', '.join(self._trunk.codecs)}: a call shows if it takes one")
        yield self._sources(hops)

    def _numbers(self) -> Finding:
        if self._line.shown(None) is None:
            return Finding("caller id", None, "no default: who owns no number calls nobody by this trunk")
        return Finding("caller id", True, f"{self._trunk.caller_id.default} for who owns no number")

    async def _answered(self) -> Cause | None:
        """Why it does not answer; none if it does."""
        heard: asyncio.Future[Cause | None] = asyncio.get_running_loop().create_future()

        def tell(cause: Cause | None) -> None:
            if not heard.done():
                heard.set_result(cause)

        watch = Health(self._agent, self._account, tell)
        watch.start()
        try:
            async with asyncio.timeout(ANSWER):
                return await heard
        finally:
            watch.stop()

    async def _signed_in(self) -> Finding:
        match self._trunk.sign_in:
            case "register":
                return await self._registered()
            case "digest":
                return Finding("password", None, "it is asked for with a call")
            case "address":
                return Finding("password", None, "none: the carrier knows our address, or refuses our calls")

    async def _registered(self) -> Finding:
        """With the password, and off again: the server's own registration is another one."""
        heard: asyncio.Queue[int | Cause] = asyncio.Queue()
        registration = Registration(self._agent, self._account, heard.put_nowait)
        registration.start()
        async with asyncio.timeout(ANSWER):
            outcome = await heard.get()
            registration.stop()
            if isinstance(outcome, Cause):
                return Finding("password", False, outcome.words)
            await heard.get()
        return Finding("password", True, "it registers us")

    def _sources(self, hops: Hops) -> Finding:
        """Are its calls taken for its own?"""
        if not self._trunk.dids:
            return Finding("calls in", None, "no number of ours is its: nobody is called by it")
        if self._trunk.sources:
            return Finding("calls in", True, f"from {', '.join(map(str, self._trunk.sources))}")
        hosts = ", ".join(sorted({hop.host for hop in hops}))
        return Finding("calls in", True, f"from {hosts} alone: say `sources` if they come from elsewhere")


def unanswered(cause: Cause, hop: Hop) -> str:
    """Why OPTIONS came to nothing, and what that may be where nothing at all came back."""
    if cause.status not in (None, 408):
        return f"{cause.words} ({cause.status} from {hop})"
    return (
        f"{cause.words}, at {hop}: the address may be wrong, a firewall in between, "
        "or it answers only addresses that it was told"
    )


async def connected(hop: Hop, tls: ssl.SSLContext) -> str | None:
    """Why no connection can be made, in words; none if one can."""
    context = tls if hop.transport is Transport.TLS else None
    name = (hop.name or hop.host) if context else None
    try:
        async with asyncio.timeout(CONNECT):
            _, writer = await asyncio.open_connection(hop.host, hop.port, ssl=context, server_hostname=name)
    except ssl.SSLCertVerificationError as error:
        return f"the certificate there is not for {name}, or not to be trusted: {error.verify_message}"
    except ssl.SSLError as error:
        return f"it does not speak TLS there: {error.reason}"
    except TimeoutError:
        return f"nobody answers at {hop.host} port {hop.port}: a firewall may be in between"
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        return f"no connection to {hop.host} port {hop.port}: {why.lower()}"
    writer.close()
    return None
