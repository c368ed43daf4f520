"""A telephone leg whose end no carrier had confirmed is settled with that carrier: an operator says so."""

import os

from licensing.alarms import Alarm, Alarms
from licensing.audit import SALT, Draft, canonical, seal
from licensing.ports import Journal
from licensing.register import KEEP_OPERATORS
from signaling.ports.clock import Clock
from signaling.ports.store import Store
from wephone.protocol.ids import UserId


def warn(leg: str, why: str, alarms: Alarms) -> None:
    """Of a leg that is on the list now."""
    said = f"no carrier has confirmed the end of telephone leg {leg}: it may charge ({why})"
    alarms.sound(Alarm.LEG_UNCONFIRMED, said)


async def recall(store: Store, alarms: Alarms) -> None:
    """Raise the alarm again where an earlier server left such legs. StoreError."""
    if legs := await store.unconfirmed_legs(1):
        warn(legs[0].leg, legs[0].words or "", alarms)


async def settle(
    leg: str, store: Store, journal: Journal, alarms: Alarms, clock: Clock, *, by: UserId, why: str
) -> bool:
    """Take it off the list, after who said why is written down; the alarm ends with the last one.

    False if it is not on the list. JournalError, and it stays there, if it cannot be written down.
    """
    row = await store.unconfirmed_leg(leg)
    if row is None:
        return False
    now = clock.now()
    who = seal(by, os.urandom(SALT), now.utc_us + KEEP_OPERATORS)
    body = {"action": "settle", "by": who.hash, "cause": row.words, "leg": leg, "why": why}
    await journal.append(Draft("leg_settled", leg, now.utc_us, canonical(body), (who,)))
    await store.settle_leg(leg)
    if not await store.unconfirmed_legs(1):
        alarms.clear(Alarm.LEG_UNCONFIRMED)
    return True
