"""What devices say they heard of a call between apps, whose sound never comes here.

It is their word, and nobody here can check it. It is taken from the two devices that talked, once from each
when the call is over; what they say while it runs is remembered for whoever looks, and never written.
"""

from collections.abc import Callable
from dataclasses import dataclass

from licensing.instant import SECOND
from signaling.core.call import Call, Phase
from signaling.core.party import Party
from signaling.dialling import is_telephone
from signaling.ports.calls import Hearing
from signaling.ports.clock import Clock
from signaling.remembered import Remembered
from wephone.protocol.ids import CallId
from wephone.protocol.messages import Heard, Role

FEATURE = "heard"  # of a server that keeps it: others do not know the message
SO_FAR = "heard-so-far"  # of one that takes it while a call runs: others would keep that as the last word
OFTENEST = 5 * SECOND  # between two words of a device about a call that runs: clients say one every ten
LONGEST = 60 * SECOND  # that such a word stands for how the call sounds now


@dataclass(frozen=True, slots=True)
class Word:
    """What was said, and when (monotonic ns)."""

    hearing: Hearing
    at: int


class Hearsay:
    """Who has said so lately, and the last word of each about the calls that run."""

    def __init__(self, clock: Clock, call_of: Callable[[CallId], Call | None]) -> None:
        """`call_of`: the call of this id, also for a while after its end."""
        self._clock, self._call_of = clock, call_of
        self._said: dict[CallId, set[Role]] = {}
        self._lately = Remembered(clock)
        self._so_far: dict[tuple[CallId, Role], Word] = {}  # in the order in which they were said

    def taken(self, by: Party, said: Heard) -> Hearing | None:
        """What is to be kept; none of a stranger's, of a call that is not known, or said before."""
        for old in self._lately.forgotten():
            self._said.pop(old, None)
        call = self._call_of(said.call)
        if call is None or call.winner is None or not call.is_between(by):
            return None
        hearing = heard_by(Role.CALLER if by == call.caller else Role.CALLEE, said)
        if said.so_far:
            self._remember(call, hearing)
            return None
        self._so_far.pop((call.id, hearing.role), None)
        if said.call not in self._said:
            self._lately.add(said.call)
        roles = self._said.setdefault(said.call, set())
        if hearing.role in roles:
            return None
        roles.add(hearing.role)
        return hearing

    def so_far(self, call: CallId, role: Role) -> Hearing | None:
        """What this side said last of a call that runs; none if it has said nothing for long."""
        word = self._so_far.get((call, role))
        return None if word is None or word.at + LONGEST < self._clock.now().mono_ns else word.hearing

    def _remember(self, call: Call, hearing: Hearing) -> None:
        """In the place of what it said before, unless that was only just."""
        now, key = self._clock.now().mono_ns, (call.id, hearing.role)
        self._forget(now)
        last = self._so_far.get(key)
        if call.phase is not Phase.ACTIVE or has_telephone(call) or (last and now - last.at < OFTENEST):
            return
        self._so_far.pop(key, None)  # so that it becomes the youngest
        self._so_far[key] = Word(hearing, now)

    def _forget(self, now: int) -> None:
        """Words that stand for nothing any more: of calls that are over, and of devices that are gone."""
        while self._so_far:
            oldest = next(iter(self._so_far))
            if self._so_far[oldest].at + LONGEST >= now:
                return
            del self._so_far[oldest]


def heard_by(role: Role, said: Heard) -> Hearing:
    """The word of this side."""
    return Hearing(role, said.packets, said.lost, said.jitter_us, said.rtt_us)


def has_telephone(call: Call) -> bool:
    """Is its sound counted here, so that nobody has to say it?"""
    return is_telephone(call.caller.user) or is_telephone(call.callee)
