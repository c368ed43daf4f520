"""The operator's permits in a test: filed, suspended, revoked; each change is effective when it returns."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from licensing.changes import Check
from licensing.documents import ChangeError
from licensing.permit import Permit
from licensing.register import Register
from wephone.testing.server import TestServer
from wephone.testing.timeline import Timeline

OPERATOR, SECOND_OPERATOR = "operator", "second-operator"
CHECKED_ON = date(2020, 1, 1)
WHY = "a test"


class Permits:
    """What the operator of the test's server holds."""

    def __init__(self, server: TestServer, timeline: Timeline) -> None:
        self._server, self._timeline = server, timeline

    @property
    def register(self) -> Register:
        """The register itself, for toggles and the rest."""
        return self._server.running.parts.licence.register

    async def add(self, permit: Permit | Mapping[str, Any], *, verified_by: str | None = None) -> Permit:
        """File a permit, or its next version: the object that `wephone permit add` takes.

        `verified_by`: who looked at the permit itself. Most profiles want that somebody did. What takes the
        place of a permit that is suspended or revoked is filed by two operators.
        """
        await self._server.start()
        check = None if verified_by is None else Check(verified_by, CHECKED_ON)
        try:
            filed = await self.register.add_permit(permit, by=OPERATOR, why=WHY, check=check)
        except ChangeError as error:
            if error.path:
                raise
            filed = await self.register.add_permit(permit, by=SECOND_OPERATOR, why=WHY, check=check)
        self._timeline.add(OPERATOR, "did", f"add permit {filed.id}")
        return filed

    async def suspend(self, id: str, *, start: datetime | None = None, end: datetime | None = None) -> Permit:
        """From `start` (now) until `end`, or until it is lifted."""
        self._timeline.add(OPERATOR, "did", f"suspend permit {id}")
        return await self.register.suspend(id, by=OPERATOR, why=WHY, start=start, end=end)

    async def reinstate(self, id: str) -> None:
        """Lift a suspension, as two operators do."""
        self._timeline.add(OPERATOR, "did", f"reinstate permit {id}")
        for operator in (OPERATOR, SECOND_OPERATOR):
            await self.register.reinstate(id, by=operator, why=WHY)

    async def toggle(self, key: str, enabled: bool, **narrowed: Any) -> None:
        """Switch calls off or on again: the fields of `wephone permit toggle`, `services` among them."""
        self._timeline.add(OPERATOR, "did", f"toggle {key} {'on' if enabled else 'off'}")
        toggle = {"key": key, "enabled": enabled, **narrowed}
        await self.register.set_toggle(toggle, by=OPERATOR, why=WHY)

    async def revoke(self, id: str, *, start: datetime | None = None) -> Permit:
        """For good, from `start` (now) on."""
        self._timeline.add(OPERATOR, "did", f"revoke permit {id}")
        return await self.register.revoke(id, by=OPERATOR, why=WHY, start=start)
