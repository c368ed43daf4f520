"""The operator's permits in a test: filed, suspended, revoked; each change is effective when it returns."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from licensing.permit import Permit
from licensing.register import Register
from wephone.testing.server import TestServer
from wephone.testing.timeline import Timeline

OPERATOR = "operator"
WHY = "a test"


class Permits:
    """What the operator of the test's server holds."""

    def __init__(self, server: TestServer, timeline: Timeline) -> None:
        self._server, self._timeline = server, timeline

    @property
    def register(self) -> Register:
        """The register itself, for toggles and the rest."""
        return self._server.running.parts.licence.register

    async def add(self, permit: Permit | Mapping[str, Any]) -> Permit:
        """File a permit, or its next version: the object that `wephone permit add` takes."""
        await self._server.start()
        filed = await self.register.add_permit(permit, by=OPERATOR, why=WHY)
        self._timeline.add(OPERATOR, "did", f"add permit {filed.id}")
        return filed

    async def suspend(self, id: str, *, start: datetime | None = None, end: datetime | None = None) -> Permit:
        """From `start` (now) until `end`, or until it is lifted."""
        self._timeline.add(OPERATOR, "did", f"suspend permit {id}")
        return await self.register.suspend(id, by=OPERATOR, why=WHY, start=start, end=end)

    async def revoke(self, id: str, *, start: datetime | None = None) -> Permit:
        """For good, from `start` (now) on."""
        self._timeline.add(OPERATOR, "did", f"revoke permit {id}")
        return await self.register.revoke(id, by=OPERATOR, why=WHY, start=start)
