"""A gate of a test: grants what is asked for, and takes it back when it is told to."""

from dataclasses import replace

from licensing.classify import ServiceClass
from licensing.facts import CallFacts, Role, app_leg
from licensing.grant import Attempt, Book, Grant, Lease
from licensing.identity import DecisionId
from licensing.reasons import Reason
from signaling.ports.clock import Clock

FACTS = CallFacts(legs=(app_leg(Role.ORIGIN), app_leg(Role.DESTINATION)))
FOR_EVER = 2**63 - 1


class Licensed:
    """A `signaling.pstn.sip.tenure.Licence` on the real book of grants and leases."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._book = Book()
        self._numbers = 0
        self.lost: Reason | None = None  # why nothing is renewed or redeemed any more

    def grant(self, destination: str | None = None) -> Grant:
        """For one attempt, of a call of its own."""
        self._numbers += 1
        attempt = Attempt(f"call-{self._numbers}", "far", ServiceClass.PSTN_OUT, destination)
        now = self._clock.now()
        grant = Grant(DecisionId(f"decision-{self._numbers}"), attempt, FACTS, 1, FOR_EVER, now)
        self._book.issue(grant, now)
        return grant

    def forged(self) -> Grant:
        """One that nobody issued."""
        return replace(self.grant(), epoch=2)

    @property
    def leases(self) -> tuple[Lease, ...]:
        return self._book.leases()

    def redeem(self, grant: Grant, attempt: Attempt) -> Lease | Reason:
        lease = None if self.lost else self._book.redeem(grant, attempt, self._clock.now())
        return lease or self.lost or Reason.DENY_GRANT_NOT_VALID

    async def renew(self, lease: Lease) -> Lease | Reason:
        renewed = None if self.lost else self._book.renew(lease, self._clock.now())
        return renewed or self.lost or Reason.DENY_GRANT_NOT_VALID

    def ended(self, call: str, leg: str) -> None:
        self._book.end(call, leg)
