"""What `wephone demo` goes on with: a permit is filed and a telephone answers; suspended, the call is cut.

The telephone network is a carrier of its own on this machine, which reaches no telephone.
"""

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wephone.calls import Call
from wephone.cli.output import Failure
from wephone.client import Client
from wephone.events import EndReason

if TYPE_CHECKING:
    from licensing.audit import Checked
    from signaling.app.server import Server as OwnServer
    from wephone.media.audio import Samples
    from wephone.media.devices import Ear
    from wephone.media.score import Score

NUMBER = "+12025550123"  # 555-01xx is kept for fiction: it rings nowhere
OWN_NUMBER = "+12025550100"  # the trunk's
OPERATOR, WHY = "operator", "the demonstration"
CUT_WITHIN = 1.0  # seconds from the command to the end of the call
LOOKS = 50  # within that time, for the carrier's word
TAIL = 0.5  # seconds for the last of what was said to come back
PERMIT = {
    "id": "demonstration",
    "jurisdiction": "baseline",
    "categories": ["baseline:basic"],
    "holder": "the demonstration",
    "basis": "own",
    "issuer": "nobody: it is good for this demonstration alone",
    "number": "0",
    "regions": ["*"],
    "valid_from": "2020-01-01",
    "valid_until": "2099-12-31",
}
TRUNK = """[trunks.demonstration]
uri = "{uri}"
sign_in = "address"
sources = ["127.0.0.0/8"]
media_networks = ["127.0.0.0/8"]
caller_id = {{ default = "{own}", header = "from" }}
[trunks.demonstration.limits]
countries = ["US"]
"""


@asynccontextmanager
async def own_carrier(folder: Path) -> "AsyncIterator[dict[str, Any]]":
    """A `wephone carrier` of its own: what a server has to be set to for calls by it. Failure without one."""
    command = (sys.executable, "-m", "wephone.cli.main", "carrier", "--port", "0")
    carrier = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    try:
        place = await told_ready(carrier)
        trunks = folder / "trunks.toml"
        trunks.write_text(TRUNK.format(uri=place["uri"], own=OWN_NUMBER))
        yield {
            "trunks": trunks,
            "media": "embedded",
            "sip_listen": "127.0.0.1:0",
            "on_loss_suspended": 0,  # a call that has lost its permit is cut at once
        }
    finally:
        with suppress(ProcessLookupError):
            carrier.terminate()
        await carrier.communicate()


async def told_ready(carrier: asyncio.subprocess.Process) -> dict[str, Any]:
    """What the carrier's ready line says. Failure if it ends before."""
    assert carrier.stdout is not None and carrier.stderr is not None
    while line := await carrier.stdout.readline():
        if line.startswith(b"ready "):
            told: dict[str, Any] = json.loads(line.removeprefix(b"ready "))
            return told
    raise Failure(f"the carrier did not start: {(await carrier.stderr.read()).decode().strip()}")


class Telephony:
    """Calls by telephone on the demonstration's server, and what its operator does about them."""

    def __init__(self, server: "OwnServer", caller: Client) -> None:
        self._server, self._caller = server, caller
        self._register = server.parts.licence.register

    async def entitle(self) -> None:
        """The operator lets the caller call telephones; whether one may be called is still the law's."""
        from signaling.ports.legs import Entitlement
        from wephone.protocol.ids import UserId

        parts = self._server.parts
        granted = Entitlement(frozenset({"US"}), UserId(OPERATOR), parts.now_us())
        await parts.store.entitle(UserId(self._caller.user), granted)

    async def file_permit(self) -> str:
        """File the permit that was missing; what it is for."""
        filed = await self._register.add_permit(PERMIT, by=OPERATOR, why=WHY)
        return ", ".join(filed.categories)

    def place(self, said: "Samples", ear: "Ear") -> Call:
        """Call the telephone, say this, hear that."""
        from wephone.media.devices import Voice

        return self._caller.place(NUMBER, source=Voice(said), sink=ear)

    async def say(self, call: Call, said: "Samples", ear: "Ear") -> "Score":
        """Let all be said; how well it came back from the telephone."""
        from wephone.media.score import heard

        await call.connected()
        await call.said()
        await asyncio.sleep(TAIL)
        return await asyncio.to_thread(heard, said, ear.heard)

    async def suspend(self, call: Call) -> tuple[float, EndReason]:
        """Suspend the permit: after how many seconds the call was over, and by what."""
        begun = time.monotonic()
        await self._register.suspend(str(PERMIT["id"]), by=OPERATOR, why=WHY)
        ended = await call.wait_ended()
        return time.monotonic() - begun, ended.reason

    async def confirmed(self, call: Call) -> bool:
        """Has the carrier said that the call is over there? Its row is the last to know."""
        for _ in range(LOOKS):
            legs = await self._server.parts.store.legs_of_call(call.id)
            if legs and all(leg.ended_at is not None for leg in legs):
                return all(leg.confirmed for leg in legs)
            await asyncio.sleep(CUT_WITHIN / LOOKS)
        return False

    async def verified(self) -> "Checked":
        """The journal of all this, verified as `wephone audit verify` does."""
        from signaling.evidence import walk

        journal = self._server.parts.licence.journal
        return await walk(journal, self._server.settings.node)
