"""An operator ends a call: written down with who and why before it is done."""

import os

from licensing.audit import SALT, Draft, canonical, seal
from licensing.ports import Journal
from licensing.register import KEEP_OPERATORS
from signaling.ports.clock import Clock
from signaling.switch import Switch
from wephone.protocol.ids import CallId, UserId


async def cut(call: CallId, switch: Switch, journal: Journal, clock: Clock, *, by: UserId, why: str) -> None:
    """End it for both. JournalError, and the call goes on, if it cannot be written down."""
    now = clock.now()
    who = seal(by, os.urandom(SALT), now.utc_us + KEEP_OPERATORS)
    body = {"action": "cut", "by": who.hash, "call": call, "why": why}
    await journal.append(Draft("call_cut", call, now.utc_us, canonical(body), (who,)))
    switch.cut(call)
