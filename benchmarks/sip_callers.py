"""The two callers of `sip.py`, each a process of its own:  python -m benchmarks.sip_callers ours|bare PORT

It reads how many calls to make, one number a line, and answers each line with the CPU seconds of this process
that they took. `ours` is the user agent, with its grants and leases; `bare` fills the same messages into
strings, and does with what it hears no more than it must to know what to say next.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import cast

from licensing.classify import ServiceClass
from licensing.facts import CallFacts, Role, app_leg
from licensing.grant import Attempt, Book, Grant, Lease
from licensing.identity import DecisionId
from licensing.reasons import Reason
from signaling.clock import SystemClock
from signaling.pstn.sip import call_events as told
from signaling.pstn.sip.agent import Agent
from signaling.pstn.sip.dialog import Dialog
from signaling.pstn.sip.digest import Credentials
from signaling.pstn.sip.headers import Address
from signaling.pstn.sip.hop import Flow, Transport
from signaling.pstn.sip.incoming import IncomingCall
from signaling.pstn.sip.message import Fields, Request
from signaling.pstn.sip.outgoing import OutgoingCall, Wish
from signaling.pstn.sip.uri import Uri
from signaling.tuning import freeze, keep_memory

AT_ONCE = 20  # calls
HOST, USER, CALLER = "127.0.0.1", "+442079460001", "+442079460002"
SDP = "\r\n".join(
    [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "c=IN IP4 127.0.0.1",
        "t=0 0",
        "m=audio 40000 RTP/AVP 0 8 101",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-16",
        "",
    ]
)
FACTS = CallFacts(legs=(app_leg(Role.ORIGIN), app_leg(Role.DESTINATION)))

Call = Callable[[], Awaitable[None]]


class Licence:
    """The real book of grants and leases; the decisions before it are measured by `benchmarks.gate`."""

    def __init__(self, clock: SystemClock) -> None:
        self._clock, self._book, self._numbers = clock, Book(), 0

    def grant(self) -> Grant:
        self._numbers += 1
        attempt = Attempt(f"call-{self._numbers}", "far", ServiceClass.PSTN_OUT, USER)
        now = self._clock.now()
        grant = Grant(DecisionId(f"decision-{self._numbers}"), attempt, FACTS, 1, 2**63 - 1, now)
        self._book.issue(grant, now)
        return grant

    def redeem(self, grant: Grant, attempt: Attempt) -> Lease | Reason:
        return self._book.redeem(grant, attempt, self._clock.now()) or Reason.DENY_GRANT_NOT_VALID

    async def renew(self, lease: Lease) -> Lease | Reason:
        return self._book.renew(lease, self._clock.now()) or Reason.DENY_GRANT_NOT_VALID

    def ended(self, call: str, leg: str) -> None:
        self._book.end(call, leg)


class Ours:
    """The user agent, calling one carrier."""

    def __init__(self, port: int) -> None:
        clock = SystemClock()
        self.licence = Licence(clock)
        # One source may usually send 2 000 messages a second, which is what is to be measured, not to be met.
        self.agent = Agent(
            clock=clock,
            licence=self.licence,
            handler=self,
            peers=lambda address: True,
            pace=lambda address: 10**6,
        )
        self.wish = Wish(
            to=Uri("sip", HOST, USER, port=port),
            caller=Address(Uri("sip", "wephone.example", CALLER)),
            offer=SDP.encode(),
            fields=(("P-Asserted-Identity", f"<sip:{CALLER}@wephone.example>"),),
            credentials=Credentials("wephone", "a long password"),
        )

    async def open(self) -> Call:
        await self.agent.listen(Transport.UDP, HOST)
        return self.call

    async def call(self) -> None:
        """One call from INVITE to the answer to its BYE."""
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        early = False

        def tell(event: told.Event) -> None:
            nonlocal early
            if isinstance(event, told.Ringing):
                early = bool(event.sdp)
            elif isinstance(event, told.Answered):
                assert isinstance(made, OutgoingCall) and made.lease and early
                made.hang_up()
            elif over.done():
                pass  # the measurement has failed
            elif isinstance(event, told.Ended) and event.confirmed:
                over.set_result(None)
            elif isinstance(event, told.Ended | told.Failed):
                over.set_exception(RuntimeError(str(event)))

        grant = self.licence.grant()
        made = await self.agent.call(self.wish, grant, grant.attempt, tell)
        await over

    def incoming(self, call: IncomingCall) -> None:
        call.refuse(480)

    def asked(self, request: Request, flow: Flow) -> tuple[int, Fields] | None:
        return None

    def stray(self, dialog: Dialog) -> None:
        raise RuntimeError("a stray answer")

    def stray_over(self, bye: Request, doubt: str | None) -> None: ...


class Bare(asyncio.DatagramProtocol):
    """The same messages from strings. What it hears it looks at for its status, Call-ID and To."""

    def __init__(self, port: int) -> None:
        self._to, self._numbers = (HOST, port), 0
        self._calls: dict[str, asyncio.Future[None]] = {}

    async def open(self) -> Call:
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, local_addr=(HOST, 0))
        return self.call

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self._port = transport.get_extra_info("sockname")[1]

    async def call(self) -> None:
        """One call from INVITE to the answer to its BYE."""
        self._numbers += 1
        name = f"bare-{self._numbers}"
        over = self._calls[name] = asyncio.get_running_loop().create_future()
        self._invite(name, 1)
        await over

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        text = data.decode()
        name = text.partition("\r\nCall-ID: ")[2].partition("\r\n")[0]
        number, _, method = text.partition("\r\nCSeq: ")[2].partition("\r\n")[0].partition(" ")
        to = text.partition("\r\nTo: ")[2].partition("\r\n")[0]
        status = text[8:11]
        if status == "407":
            self._send("ACK", name, int(number), to)
            self._invite(name, 2)
        elif status == "200" and method == "INVITE":
            self._send("ACK", name, int(number), to)
            self._send("BYE", name, 3, to)
        elif status == "200":
            self._calls.pop(name).set_result(None)

    def _invite(self, name: str, number: int) -> None:
        proof = (
            'Proxy-Authorization: Digest username="wephone", realm="carrier.example", nonce="a,b", '
            f'uri="sip:{USER}@{HOST}:{self._to[1]}", response="{"0" * 32}", algorithm=MD5, qop=auth, '
            f'nc=00000001, cnonce="{"0" * 32}"\r\n'
        )
        fields = (
            "Supported: 100rel, timer\r\n"
            "Session-Expires: 1800\r\n"
            "Min-SE: 90\r\n"
            f"P-Asserted-Identity: <sip:{CALLER}@wephone.example>\r\n"
            "Content-Type: application/sdp\r\n"
        )
        whom = f"<sip:{USER}@{HOST}:{self._to[1]}>"
        self._send("INVITE", name, number, whom, fields + (proof if number == 2 else ""), SDP)

    def _send(self, method: str, name: str, number: int, to: str, fields: str = "", body: str = "") -> None:
        data = (
            f"{method} sip:{USER}@{HOST}:{self._to[1]} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {HOST}:{self._port};rport;branch=z9hG4bK{name}{number}{method}\r\n"
            f"Max-Forwards: 70\r\n"
            f"From: <sip:{CALLER}@wephone.example>;tag={name}\r\n"
            f"To: {to}\r\n"
            f"Call-ID: {name}\r\n"
            f"CSeq: {number} {method}\r\n"
            f"Contact: <sip:wephone@{HOST}:{self._port}>\r\n"
            "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, PRACK\r\n"
            f"{fields}"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )
        self._transport.sendto(data.encode(), self._to)


async def serve(side: Ours | Bare) -> None:
    """Until there are no more lines."""
    call = await side.open()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        each = int(line) // AT_ONCE

        async def one_after_the_other(each: int = each) -> None:
            for _ in range(each):
                await call()

        before = time.process_time()
        await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))
        spent = time.process_time() - before
        print(json.dumps({"calls": each * AT_ONCE, "cpu_seconds": spent}), flush=True)


def main() -> None:
    """Be one of the two."""
    side = Ours(int(sys.argv[2])) if sys.argv[1] == "ours" else Bare(int(sys.argv[2]))
    keep_memory()
    freeze()  # both as the server does
    with suppress(KeyboardInterrupt):
        try:
            import uvloop
        except ModuleNotFoundError:
            asyncio.run(serve(side))
        else:
            uvloop.run(serve(side))


if __name__ == "__main__":
    main()
