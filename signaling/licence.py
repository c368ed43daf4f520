"""The licence engine of this server: register and gate on its database, and the law it decides by."""

from types import TracebackType
from typing import Self

from licensing.decision import Operator, Policy

from licensing.alarms import Alarms
from licensing.gate import Gate
from licensing.jurisdiction import load_profiles
from licensing.law import Law
from licensing.ports import Clock, Journal, PermitStore
from licensing.register import Register
from signaling.permission import Offer, Permission
from signaling.settings import DAY, Settings


class Licence:
    """In a context: open. JournalError if register or journal cannot be read."""

    def __init__(self, settings: Settings, journal: Journal, permits: PermitStore, clock: Clock) -> None:
        self.alarms = Alarms()
        self.journal = journal
        profiles = load_profiles()
        self.law = Law(profiles, Operator(), Policy())
        self.register = Register(permits, clock, profiles=profiles, alarms=self.alarms)
        self.gate = Gate(
            register=self.register,
            journal=journal,
            clock=clock,
            law=self.law,
            alarms=self.alarms,
            keep=settings.keep_clear_days * DAY * 1_000_000,
        )
        self.permission = Permission(self.gate, Offer(homes=settings.homes))

    async def __aenter__(self) -> Self:
        await self.register.open()
        try:
            await self.gate.open()
        except BaseException:
            await self.register.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.register.close()
        await self.gate.close()
