"""What devices say they heard of a call between apps, whose sound never comes here.

It is their word, and nobody here can check it. It is taken from the two devices that talked, once from each.
"""

from collections.abc import Callable

from signaling.core.call import Call
from signaling.core.party import Party
from signaling.ports.calls import Hearing
from signaling.ports.clock import Clock
from signaling.remembered import Remembered
from wephone.protocol.ids import CallId
from wephone.protocol.messages import Heard, Role

FEATURE = "heard"  # of a server that keeps it: others do not know the message


class Hearsay:
    """Who has said so lately."""

    def __init__(self, clock: Clock, call_of: Callable[[CallId], Call | None]) -> None:
        """`call_of`: the call of this id, also for a while after its end."""
        self._call_of = call_of
        self._said: dict[CallId, set[Role]] = {}
        self._lately = Remembered(clock)

    def taken(self, by: Party, said: Heard) -> Hearing | None:
        """What is to be kept; none of a stranger's, of a call that is not known, or said before."""
        for old in self._lately.forgotten():
            self._said.pop(old, None)
        call = self._call_of(said.call)
        if call is None or call.winner is None or not call.is_between(by):
            return None
        if said.call not in self._said:
            self._lately.add(said.call)
        roles = self._said.setdefault(said.call, set())
        role = Role.CALLER if by == call.caller else Role.CALLEE
        if role in roles:
            return None
        roles.add(role)
        return Hearing(role, said.packets, said.lost, said.jitter_us, said.rtt_us)
