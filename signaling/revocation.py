"""Running calls and the permits in force: decided again when a permit changes, by a word or by its dates.

A review goes through all calls in slices, so that no frame waits long for it. A call whose answer has changed
is told when its entry is durable: who loses a permit hears of it after 50 ms at the latest, who gets one back
not before.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from licensing.instant import MICROSECOND, MILLISECOND, SECOND, Instant
from licensing.law import Law
from licensing.register import Register
from licensing.review import Review, Standing, durable
from licensing.snapshot import Ground
from signaling.core.events import Reinstated, Withdrawn
from signaling.core.holder import Person
from signaling.metrics import Metrics
from signaling.permission import Answer, Permission, Permitted, refusal
from signaling.ports.clock import Cancel, Clock
from wephone.protocol.ids import CallId, UserId
from wephone.protocol.messages import Media, Refusal

TICK = 1.0  # seconds between two looks at the calendar, which may be set forward
SLICE = 4 * MILLISECOND  # of the loop at a time, with what it starts well within the 20 that are allowed
WAIT_FOR_LOSS = 0.05  # seconds that a loss waits for its entry; then it is told, and chained later
WAIT_FOR_RETURN = (
    2.0  # seconds that a permit found again waits for its entry; if that is not durable, it is none
)
FAR = 24 * 3600 * SECOND  # a date beyond needs no timer yet: the next look at the calendar sets one

Tell = Callable[[CallId, Withdrawn | Reinstated], None]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wish:
    """Other media for a running call: allowed, and not yet agreed on by its two sides."""

    media: tuple[Media, ...]
    standing: Standing


@dataclass(slots=True)
class Running:
    """One call that was allowed: what it was told last."""

    users: tuple[UserId, UserId]
    standing: Standing
    wish: Wish | None = None
    ends_by: int | None = None  # UTC microseconds: an earlier server announced it
    since: int = 0  # UTC microseconds: when it was allowed, or found again after a restart


class Slices:
    """Work that gives everybody else a turn after each slice."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._begun = clock.now().mono_ns

    async def turn(self) -> None:
        """Go on at once, unless the slice is used up."""
        if self._clock.now().mono_ns - self._begun >= SLICE:
            await asyncio.sleep(0)
            self._begun = self._clock.now().mono_ns


class Revocation:
    """Keeps the running calls of a node to the permits in force. `start` before use, `close` after."""

    def __init__(
        self, permission: Permission, register: Register, law: Law, clock: Clock, metrics: Metrics
    ) -> None:
        self._permission, self._register, self._law = permission, register, law
        self._clock, self._metrics = clock, metrics
        self._running: dict[CallId, Running] = {}
        self._cut: dict[UserId, Standing] = {}  # whose last call ended for want of a permit
        self._tell: Tell = lambda call, event: None
        self._seen = Ground(-1, 0)
        self._unsure = False  # something could not be said, or has changed since it was
        self._woken = asyncio.Event()
        self._timer: Cancel | None = None
        self._watching: asyncio.Task[None] | None = None
        self._deaf: Callable[[], None] | None = None

    async def start(self, tell: Tell) -> None:
        """Review what is there, telling it by `tell`, and begin to watch."""
        self._tell = tell
        self._deaf = self._register.on_change(lambda taken: self._woken.set())
        await self._review()
        self._watching = asyncio.create_task(self._watch(), name="permits of running calls")

    async def close(self) -> None:
        """Stop watching."""
        if self._deaf is not None:
            self._deaf()
        self._disarm()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait((self._watching,))

    # What the switch says

    def runs(self, call: CallId, users: tuple[UserId, UserId], standing: Standing) -> None:
        """A call between these two was allowed; it rings when `lost` has been asked."""
        self._running[call] = Running(users, standing, since=self._clock.now().utc_us)
        for user in users:
            self._cut.pop(user, None)
        if standing.ground != self._seen:
            self._look()

    async def lost(self, call: CallId) -> Refusal | None:
        """Why a call that was allowed may not ring after all: what it rests on has changed meanwhile."""
        running = self._running.get(call)
        if running is None:
            return None
        ground = self._law.ground(self._register.snapshot, self._clock.now())
        review = None if running.standing.ground == ground else self._again(call)
        if review is not None and review.refused:
            await durable([review], WAIT_FOR_LOSS)
        told = running.standing
        return refusal(told.decision, told.id) if told.decision is not None and told.refused else None

    def found(
        self,
        call: CallId,
        caller: Person,
        callee: Person,
        media: tuple[Media, ...],
        decision: str | None,
        ends_by: int | None,
    ) -> None:
        """A call outlived the last server, which had announced its end if `ends_by` (UTC us) is given."""
        standing = self._permission.standing(caller, callee, media, decision)
        self._running[call] = Running(
            (caller.user, callee.user), standing, ends_by=ends_by, since=self._clock.now().utc_us
        )

    async def may_change(self, call: CallId, media: tuple[Media, ...]) -> Answer | None:
        """May the call carry that? None if it is over."""
        running = self._running.get(call)
        if running is None:
            return None
        answer = await self._permission.may_change(call, running.standing, media)
        if isinstance(answer, Permitted) and answer.standing is not None:
            running.wish = Wish(media, answer.standing)
        return answer

    def carries(self, call: CallId, media: tuple[Media, ...]) -> None:
        """Both sides have agreed on these media."""
        running = self._running.get(call)
        if running is None or self._permission.is_carrying(running.standing, media):
            return
        wish, running.wish = running.wish, None
        if wish is not None and set(wish.media) == set(media):
            running.standing = wish.standing
            if wish.standing.ground == self._seen:
                return
        else:  # fewer than before, as a call that winds down may
            running.standing = self._permission.carrying(running.standing, media)
        self._look()

    def _look(self) -> None:
        """Something has to be decided again, though the register is as it was seen last."""
        self._unsure = True
        self._woken.set()

    def over(self, call: CallId, *, withdrawn: bool) -> None:
        """The call has ended; `withdrawn`: for want of a permit."""
        running = self._running.pop(call, None)
        if running is not None and withdrawn:
            self._cut.update(dict.fromkeys(running.users, running.standing))

    def standings(self) -> tuple[tuple[CallId, tuple[UserId, UserId], Standing], ...]:
        """Every running call: between whom, and what it was told last."""
        return tuple((call, running.users, running.standing) for call, running in self._running.items())

    def running(self) -> Iterator[tuple[CallId, Running]]:
        """Every running call, the newest first."""
        return iter(reversed(self._running.items()))

    def winding_down(self) -> int:
        """How many running calls have lost their permit and come to an end."""
        return sum(running.standing.refused for running in self._running.values())

    def relay_refusal(self, user: UserId) -> Refusal | None:
        """Why this user gets no relay: their last call ended for want of a permit, and still would."""
        standing = self._cut.get(user)
        if standing is None:
            return None
        decision = self._permission.check_running(standing)
        if decision.allows:
            del self._cut[user]
            return None
        return refusal(decision, standing.id)

    # When

    async def _watch(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await self._woken.wait()
            self._woken.clear()
            if self._is_due():
                await self._review()

    def _is_due(self) -> bool:
        epoch, until = self._seen
        if self._unsure or epoch != self._register.snapshot.epoch or self._timer is None:
            return True
        return self._clock.now().utc_ns >= until

    def _arm(self, now: Instant, until: int) -> None:
        """Wake when a date changes something, rather than at the next look at the calendar."""
        self._disarm()
        wait = min(until - now.utc_ns, FAR)
        self._timer = self._clock.call_at(now.after(wait), self._rang)

    def _rang(self) -> None:
        self._timer = None
        self._woken.set()

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer()
            self._timer = None

    # How

    async def _review(self) -> None:
        """Decide every running call again, and tell those whose answer is another."""
        taken, now = self._register.snapshot, self._clock.now()
        self._seen = self._law.ground(taken, now)
        self._arm(now, self._seen.until_ns)
        self._unsure = self._permission.in_doubt()
        calls = tuple(self._running)
        reviewed = []
        slices = Slices(self._clock)
        for call in calls:
            await slices.turn()
            if (review := self._again(call)) is not None:
                reviewed.append((call, review))
        self._metrics.reviewed(len(calls), (self._clock.now().mono_ns - now.mono_ns) / SECOND)
        await self._act(reviewed, slices)

    def _again(self, call: CallId) -> Review | None:
        """The call decided again; None if its answer is as it was, or it ended meanwhile."""
        running = self._running.get(call)
        review = None if running is None else self._permission.review(call, running.standing)
        if running is not None and review is not None:
            running.standing = review.now
        return review

    async def _act(self, reviewed: Sequence[tuple[CallId, Review]], slices: Slices) -> None:
        lost = [(call, review) for call, review in reviewed if review.refused]
        back = [(call, review) for call, review in reviewed if review.returned]
        await durable([review for _, review in lost], WAIT_FOR_LOSS)
        for call, review in lost:
            await slices.turn()
            self._withdraw(call, review)
        written = await durable([review for _, review in back], WAIT_FOR_RETURN)
        for call, review in back:
            await slices.turn()
            self._reinstate(call, review, review in written)
        if lost:
            reasons = Counter(review.code for _, review in lost)
            log.warning("calls have lost their permit and come to an end", extra={"calls": dict(reasons)})
        if back:
            log.info("calls are permitted again and go on", extra={"calls": len(back)})

    def _withdraw(self, call: CallId, review: Review) -> None:
        running = self._running.get(call)
        if running is None or review.now.decision is None or review.now.id is None:
            return  # it ended meanwhile
        now = self._clock.now()
        left = (review.seconds or 0) * SECOND
        if running.ends_by is not None:
            left = min(left, (running.ends_by - now.utc_us) * MICROSECOND)
        self._tell(call, Withdrawn(refusal(review.now.decision, review.now.id), now.after(max(0, left))))

    def _reinstate(self, call: CallId, review: Review, written: bool) -> None:
        running = self._running.get(call)
        if running is None or review.now.id is None:
            return
        if not written:
            running.standing, self._unsure = review.before, True  # and once more at the next look
            return
        running.ends_by = None
        self._tell(call, Reinstated(review.now.id))
