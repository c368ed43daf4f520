"""People of whom it is known where they live, and the permits that their calls need there."""

from typing import Any

from signaling.holders import Statement
from wephone.protocol.ids import UserId
from wephone.testing.kit import Kit
from wephone.testing.peer import Peer

OPERATOR = UserId("operator")
HOLDER = "Example Telecom"
CATEGORIES = {"CN": "CN:B25#internet", "AE": "AE:VOIP-APPROVAL"}


def permit_in(country: str) -> dict[str, Any]:
    """A permit for calls between apps there, whose id is the country's code."""
    return {
        "id": country.lower(),
        "jurisdiction": country,
        "categories": [CATEGORIES[country]],
        "holder": HOLDER,
        "regions": ["*"],
        "valid_from": "2020-01-01",
        "valid_until": "2099-12-31",
    }


async def permitted(wephone: Kit, country: str, **more: Any) -> None:
    """The operator holds such a permit, and it was checked."""
    await wephone.permits.add(permit_in(country) | more, verified_by="carol")


async def settled(wephone: Kit, name: str, country: str) -> None:
    """An operator has verified that this user lives there, and who they are."""
    said: dict[str, dict[str, Any]] = {
        "residence": {"country": country, "subdivision": None},
        "identity": {"status": "verified"},
    }
    await wephone.server.running.parts.holders.verify(OPERATOR, UserId(name), Statement(said))


async def resident(wephone: Kit, name: str, country: str, *, answer: bool = True) -> Peer:
    """A peer who lives there, and whose identity was verified."""
    peer = await wephone.peer(name, answer=answer)
    await settled(wephone, name, country)
    return peer
