"""People of whom it is known where they live."""

from typing import Any

from signaling.holders import Statement
from wephone.protocol.ids import UserId
from wephone.testing.kit import Kit
from wephone.testing.peer import Peer

OPERATOR = UserId("operator")


async def resident(wephone: Kit, name: str, country: str, *, answer: bool = True) -> Peer:
    """A peer who lives there, and whose identity was verified."""
    peer = await wephone.peer(name, answer=answer)
    said: dict[str, dict[str, Any]] = {
        "residence": {"country": country, "subdivision": None},
        "identity": {"status": "verified"},
    }
    await wephone.server.running.parts.holders.verify(OPERATOR, UserId(name), Statement(said))
    return peer
