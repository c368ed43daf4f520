"""How long a call waits for the store: until it answers, or as long as is bearable; a call for help only a
moment (R8)."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any, TypeVar

from licensing.gate import WAIT_FOR_HELP
from signaling.ports.store import StoreError

Answer = TypeVar("Answer")

log = logging.getLogger(__name__)

_late: set[asyncio.Future[Any]] = set()  # held here, since nobody waits for them any more


async def in_time(answer: Awaitable[Answer], *, for_help: bool, most: float | None = None) -> Answer:
    """The store's answer. StoreError, as if it had failed, if there is none in time: 250 ms for a call for
    help, and for another `most` seconds, if that is given.

    What was asked goes on all the same: a row that is late is written when the store comes back.
    """
    patience = WAIT_FOR_HELP if for_help else most
    if patience is None:
        return await answer
    asked = asyncio.ensure_future(answer)
    done, _ = await asyncio.wait((asked,), timeout=patience)
    if not done:
        _late.add(asked)
        asked.add_done_callback(_come)
        raise StoreError(f"no answer in {patience * 1000:.0f} ms")
    return asked.result()


def _come(asked: "asyncio.Future[Any]") -> None:
    _late.discard(asked)
    if not asked.cancelled() and asked.exception() is not None:
        log.error("what a call did not wait for has failed: %s", asked.exception())
