"""How long a call waits for the store: until it answers, but a call for help only a moment (R8)."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any, TypeVar

from licensing.gate import WAIT_FOR_HELP
from signaling.ports.store import StoreError

Answer = TypeVar("Answer")

log = logging.getLogger(__name__)

_late: set[asyncio.Future[Any]] = set()  # held here, since nobody waits for them any more


async def in_time(answer: Awaitable[Answer], *, for_help: bool) -> Answer:
    """The store's answer. For a call for help StoreError if there is none in 250 ms, as if it had failed.

    What was asked goes on all the same: a row that is late is written when the store comes back.
    """
    if not for_help:
        return await answer
    asked = asyncio.ensure_future(answer)
    done, _ = await asyncio.wait((asked,), timeout=WAIT_FOR_HELP)
    if not done:
        _late.add(asked)
        asked.add_done_callback(_come)
        raise StoreError(f"no answer in {WAIT_FOR_HELP * 1000:.0f} ms")
    return asked.result()


def _come(asked: "asyncio.Future[Any]") -> None:
    _late.discard(asked)
    if not asked.cancelled() and asked.exception() is not None:
        log.error("what a call for help did not wait for has failed: %s", asked.exception())
