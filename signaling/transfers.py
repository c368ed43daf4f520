"""Transfers under way: one side of a running call asks that the other calls somebody else in its place.

The other side's client places that call, which is one like any other (MSC2746 `m.call.replaces`, RFC 5589
§6). When it is answered, the call that it replaces ends; if it is not, that goes on and who asked is told.
Who asks may have talked to the third before (RFC 5589 §7): that call ends with the first, and rings alone
where it was.
"""

from collections.abc import Callable
from dataclasses import dataclass

from licensing.instant import SECOND
from signaling.core.party import Party
from signaling.ports.clock import Cancel, Clock
from wephone.protocol.ids import CallId
from wephone.protocol.messages import Refusal, TransferFailed
from wephone.protocol.reasons import EndReason

TRANSFER = "transfer"  # the feature of a client that does that
PLACED_WITHIN = 20 * SECOND  # a client places the call by itself, at once


@dataclass(frozen=True, slots=True)
class Consulted:
    """The call in which who hands over has talked to whom it is handed over to, and that one's device."""

    call: CallId
    with_: Party


@dataclass(slots=True)
class Transfer:
    """`by` asks that `other` calls `to` in the place of this call, and of that with `to` if there is one."""

    call: CallId
    by: Party
    other: Party
    to: str
    forbid: Cancel  # the clock that ends it
    consulted: Consulted | None = None
    new: CallId | None = None  # the call in its place, once there is one

    def replaced(self) -> tuple[CallId, ...]:
        """The calls that end when it has come about."""
        return (self.call,) if self.consulted is None else (self.call, self.consulted.call)


class Transfers:
    """Those of one node, by the call that is to be replaced."""

    def __init__(self, clock: Clock, tell: Callable[[Party, TransferFailed], None]) -> None:
        self._clock, self._tell = clock, tell
        self._asked: dict[CallId, Transfer] = {}
        self._consulted: dict[CallId, Transfer] = {}
        self._placed: dict[CallId, Transfer] = {}  # by the new call

    def begin(
        self, call: CallId, by: Party, other: Party, to: str, consulted: Consulted | None = None
    ) -> bool:
        """Wait for the other side's call; False if one of the calls is part of a transfer already."""
        for each in (call,) if consulted is None else (call, consulted.call):
            if each in self._asked or each in self._consulted:
                return False
        deadline = self._clock.now().after(PLACED_WITHIN)
        forbid = self._clock.call_at(deadline, lambda: self.fail(call, EndReason.UNREACHABLE))
        self._asked[call] = asked = Transfer(call, by, other, to, forbid, consulted)
        if consulted is not None:
            self._consulted[consulted.call] = asked
        return True

    def place(self, replaces: CallId, new: CallId, by: Party, to: str) -> Transfer | None:
        """The transfer that this new call carries out; none if nobody has asked for it."""
        asked = self._asked.get(replaces)
        if asked is None or asked.new is not None or (asked.other, asked.to) != (by, to):
            return None
        asked.forbid()
        asked.new = new
        self._placed[new] = asked
        return asked

    def answered(self, new: CallId) -> Transfer | None:
        """The transfer that has come about with this call, whose old one is to end."""
        done = self._placed.get(new)
        if done is not None:
            self._forget(done)
        return done

    def rings(self, new: CallId, party: Party) -> bool:
        """May this device ring for that call? One that puts somebody through rings where they talked."""
        placed = self._placed.get(new)
        return placed is None or placed.consulted is None or placed.consulted.with_ == party

    def over(
        self, call: CallId, by: Party | None, reason: EndReason, refusal: Refusal | None
    ) -> CallId | None:
        """A call has ended: one that was to replace another, which goes on, or the other one.

        The answer is a call that has to end with it: who was to be put through by it has gone. If who hands
        over has gone, it comes about all the same.
        """
        if (tried := self._placed.get(call)) is not None:
            self.fail(tried.call, reason, refusal)
            return None
        asked = self._asked.get(call) or self._consulted.get(call)
        if asked is None or (asked.consulted is not None and by == asked.by and asked.new is not None):
            return None
        if asked.consulted is None:
            self._forget(asked)
            return None
        self.fail(asked.call, reason, refusal)
        return asked.new

    def fail(self, call: CallId, reason: EndReason, refusal: Refusal | None = None) -> None:
        """It does not come about: who asked for it is told, and the call goes on."""
        failed = self._asked.get(call)
        if failed is not None:
            self._forget(failed)
            self._tell(failed.by, TransferFailed(call=call, reason=reason, refusal=refusal))

    def close(self) -> None:
        """Stop waiting."""
        for asked in tuple(self._asked.values()):
            self._forget(asked)

    def _forget(self, transfer: Transfer) -> None:
        transfer.forbid()
        del self._asked[transfer.call]
        if transfer.consulted is not None:
            del self._consulted[transfer.consulted.call]
        if transfer.new is not None:
            del self._placed[transfer.new]
