"""The gate as the SIP user agent asks it: whoever holds a leg hears of each lease that it gets or loses."""

from collections.abc import Callable

from licensing.gate import Attempt, Gate, Grant, Lease
from licensing.reasons import Reason

Told = Callable[[Lease | Reason], None]


class Leases:
    """See `signaling.pstn.sip.tenure.Licence`."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._told: dict[str, dict[str, Told]] = {}  # by call and leg

    def __len__(self) -> int:
        """Calls whose legs are watched."""
        return len(self._told)

    def watch(self, call: str, leg: str, told: Told) -> None:
        """Tell of this leg's leases; of a reason where none will follow and the last one is over."""
        self._told.setdefault(call, {})[leg] = told

    def redeem(self, grant: Grant, attempt: Attempt) -> Lease | Reason:
        """See `Licence`."""
        lease = self._gate.redeem(grant, attempt)
        if isinstance(lease, Lease):
            self._tell(lease, lease)
        return lease

    async def renew(self, lease: Lease) -> Lease | Reason:
        """See `Licence`. What cannot be said now is asked again, and runs out if it never can be."""
        answer = await self._gate.renew(lease)
        if isinstance(answer, Lease) or lease not in self._gate.leases:
            self._tell(lease, answer)
        return answer

    def ended(self, call: str, leg: str) -> None:
        """See `Licence`."""
        self._told.get(call, {}).pop(leg, None)
        self._gate.ended(call, leg)

    def forget(self, call: str) -> None:
        """The call is gone, with all that was granted for it, and with those that never had a lease."""
        self._told.pop(call, None)
        self._gate.forget(call)

    def _tell(self, lease: Lease, answer: Lease | Reason) -> None:
        call, leg = lease.leg
        told = self._told.get(call, {}).get(leg)
        if told is not None:
            told(answer)
