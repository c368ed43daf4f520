"""The telephone calls that run here, by the leases of their legs."""

from collections.abc import Iterable
from dataclasses import dataclass

from licensing.classify import ServiceClass
from licensing.grant import Lease
from licensing.review import Standing
from signaling.core.call import Call, Phase
from signaling.dialling import is_telephone
from signaling.permission import masked_name
from signaling.ports.legs import leg_of
from signaling.switch import Switch
from wephone.protocol.ids import CallId, UserId


@dataclass(frozen=True, slots=True)
class TelephoneCall:
    """One of them, with the newest lease of its telephone leg."""

    call: Call
    lease: Lease

    @property
    def is_incoming(self) -> bool:
        """Does the telephone call?"""
        return self.lease.grant.attempt.service is ServiceClass.PSTN_IN

    @property
    def users(self) -> tuple[str, str]:
        """Caller and callee; of a telephone the masked number."""
        return shown(self.call.caller.user), shown(self.call.callee)

    @property
    def leg(self) -> str:
        """The id of its telephone leg."""
        return leg_of(self.lease.grant.attempt)

    @property
    def standing(self) -> Standing:
        """What its leg rests on."""
        lease = self.lease
        return Standing(lease.grant.facts, lease.decision, None, relied=lease.relied)


def telephone_calls(leases: Iterable[Lease], switch: Switch) -> list[TelephoneCall]:
    """The newest first. A call that is ending has a lease until the carrier has confirmed that."""
    newest = {lease.grant.attempt.call: lease for lease in leases}
    found = []
    for id, lease in newest.items():
        call = switch.call(CallId(id))
        if call is not None and call.phase is not Phase.ENDED:
            found.append(TelephoneCall(call, lease))
    return found[::-1]


def shown(party: UserId) -> str:
    """A number without its middle; a user's name as it is."""
    return masked_name(party) if is_telephone(party) else party
