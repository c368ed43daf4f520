"""A device on a wire: its session as it is, its clocks, its line, and what its person was told."""

from collections import deque
from dataclasses import dataclass, field

from signaling.core.party import Party
from tests.simulation.device import Broken
from wephone.core import events, inputs
from wephone.core.session import Session
from wephone.protocol import messages
from wephone.protocol.ids import CallId, SessionId
from wephone.protocol.reasons import EndReason


@dataclass(slots=True)
class Phone:
    """A device: its session, its clocks, its line to the server, and what its person was told."""

    party: Party
    session: Session
    timers: set[tuple[CallId, inputs.Timer]] = field(default_factory=set)
    connected: bool = False
    up: deque[bytes] = field(default_factory=deque)
    down: deque[bytes] = field(default_factory=deque)
    ended: dict[CallId, EndReason] = field(default_factory=dict)
    goes_on: set[CallId] = field(default_factory=set)  # calls that became others
    knows: set[CallId] = field(default_factory=set)  # calls that its person was shown
    alone: set[CallId] = field(default_factory=set)  # ended by its own clock, or for want of a server

    def told(self, event: object) -> None:
        """The person hears of its calls: of each end once."""
        match event:
            case events.Rings(call):
                self.knows.add(call)
            case events.GoesOn(call, survivor):
                self.goes_on.add(call)
                self.knows.add(survivor)
            case events.Ended(call, reason):
                if call in self.ended:
                    raise Broken(f"{self.party.user} was told twice that a call ended")
                self.ended[call] = reason
            case _:
                pass


def welcome(phone: Phone, name: SessionId, resumed: bool) -> messages.Welcome:
    """What a device hears first."""
    return messages.Welcome(
        user=phone.party.user,
        device=phone.party.device,
        session=name,
        resumed=resumed,
        now=0,
        heartbeat=20.0,
        resume_for=60.0,
    )
