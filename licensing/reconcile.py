"""The carrier's records of calls beside ours: what one side alone knows, and where they differ. Pure.

Nothing of ours can show that every telephone call went through the gate; whoever carried the calls can. Their
numbers and ours meet as the canonical address, masked as our records keep it, so that this works as well when
clear numbers were deleted long ago.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from licensing.numbering import Number, mask

SECOND = 1_000_000  # µs
NEAREST = 32  # of our calls that are looked at for one row; a number that all the world calls has many


@dataclass(frozen=True, slots=True)
class Carried:
    """A row of the carrier's: `line` of its file, `at` in µs UTC, `seconds` it charges for."""

    line: int
    at: int
    number: Number
    seconds: int
    caller: str | None = None  # canonical


@dataclass(frozen=True, slots=True)
class Placed:
    """A telephone call of ours; moments in µs UTC. `callee` is masked. `callers`: the numbers that it may
    show, empty if that is not known. `refused`: it must never have reached the carrier."""

    call: str
    callee: str
    offered_at: int
    answered_at: int | None
    ended_at: int | None
    refused: bool = False
    decision: str | None = None
    callers: frozenset[str] = frozenset()

    @property
    def seconds(self) -> float:
        """How long it was talked; 0 if nobody answered."""
        if self.answered_at is None or self.ended_at is None:
            return 0.0
        return max(0, self.ended_at - self.answered_at) / SECOND


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far apart both may be and still agree. The carrier rounds up to whole `increment` seconds."""

    start: float = 30.0
    duration: float = 2.0
    increment: int = 1

    def early_or_late(self, theirs: Carried, ours: Placed) -> int:
        """µs between the carrier's start and ours. Some note the attempt, some the answer: both are right."""
        latest = ours.offered_at if ours.answered_at is None else ours.answered_at
        return max(ours.offered_at - theirs.at, theirs.at - latest, 0)

    def agree(self, theirs: Carried, ours: Placed) -> bool:
        """Do they say the same of how long it was?"""
        whole = -(-ours.seconds // self.increment) * self.increment
        return ours.seconds - self.duration <= theirs.seconds <= whole + self.duration


@dataclass(frozen=True, slots=True)
class Pair:
    """One call, as both know it."""

    theirs: Carried
    ours: Placed


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. Each list is in the order of time."""

    pairs: tuple[Pair, ...]
    carrier_alone: tuple[Carried, ...]  # they carried it, and we know nothing of it
    ours_alone: tuple[Placed, ...]  # it was talked, and they know nothing of it
    unanswered: int  # calls of ours that nobody answered, which many a carrier does not list
    refused: tuple[Pair, ...]  # the gate refused it, and they carried it
    durations: tuple[Pair, ...]
    callers: tuple[Pair, ...]  # it showed a number that is not the caller's

    @property
    def whole(self) -> bool:
        """Does everything match?"""
        return not (self.carrier_alone or self.ours_alone or self.refused or self.durations or self.callers)


def reconcile(theirs: Iterable[Carried], ours: Iterable[Placed], tolerance: Tolerance) -> Outcome:
    """Which row of theirs is which call of ours: as many as can be, those that agree in duration first.

    A call that the gate refused is the last to be taken for one that was carried.
    """
    rows = sorted(theirs, key=lambda row: (row.at, row.line))
    calls = sorted(ours, key=lambda call: (call.offered_at, call.call))
    found: dict[int, int] = {}  # index of ours -> index of theirs
    near = _near(rows, calls, tolerance)
    conditions: tuple[Callable[[Carried, Placed], bool], ...] = (
        lambda row, call: not call.refused and tolerance.agree(row, call),
        lambda row, call: not call.refused,
        lambda row, call: True,
    )
    for holds in conditions:
        edges = [[n for n in near[i] if holds(row, calls[n])] for i, row in enumerate(rows)]
        _assign(edges, found)
    pairs = [Pair(rows[i], calls[n]) for n, i in sorted(found.items(), key=lambda item: item[1])]
    matched = set(found.values())
    left = [call for n, call in enumerate(calls) if n not in found and not call.refused]
    carried = [pair for pair in pairs if not pair.ours.refused]
    return Outcome(
        pairs=tuple(pairs),
        carrier_alone=tuple(row for i, row in enumerate(rows) if i not in matched),
        ours_alone=tuple(call for call in left if call.seconds > 0),
        unanswered=sum(call.seconds == 0 for call in left),
        refused=tuple(pair for pair in pairs if pair.ours.refused),
        durations=tuple(pair for pair in carried if not tolerance.agree(pair.theirs, pair.ours)),
        callers=tuple(pair for pair in pairs if not _shows_its_own(pair)),
    )


def _shows_its_own(pair: Pair) -> bool:
    """Is the number that the carrier saw one of the caller's, as far as both are known?"""
    return pair.theirs.caller is None or not pair.ours.callers or pair.theirs.caller in pair.ours.callers


def _near(rows: Sequence[Carried], calls: Sequence[Placed], tolerance: Tolerance) -> list[list[int]]:
    """For each row the calls that it may be, likeliest first."""
    to: dict[str, list[int]] = {}
    for n, call in enumerate(calls):
        to.setdefault(call.callee, []).append(n)
    return [[n for _, n in sorted(_candidates(row, to, calls, tolerance))[:NEAREST]] for row in rows]


def _candidates(
    row: Carried, to: Mapping[str, list[int]], calls: Sequence[Placed], tolerance: Tolerance
) -> Iterator[tuple[tuple[bool, int, int], int]]:
    """Calls to that number at that time, by how unlikely they are."""
    for n in to.get(mask(row.number.address), ()):
        gap = tolerance.early_or_late(row, calls[n])
        if gap <= tolerance.start * SECOND:
            yield (not tolerance.agree(row, calls[n]), gap, abs(row.at - calls[n].offered_at)), n


def _assign(edges: Sequence[Sequence[int]], found: dict[int, int]) -> None:
    """Add to `found` until no more can be matched; what is matched stays so (Berge 1957)."""
    has = {left: right for right, left in found.items()}
    for start, rights in enumerate(edges):
        if start not in has and rights:
            _augment(start, edges, found, has)


def _augment(start: int, edges: Sequence[Sequence[int]], found: dict[int, int], has: dict[int, int]) -> None:
    came: dict[int, int] = {}
    waiting = deque([start])
    while waiting:
        left = waiting.popleft()
        for right in edges[left]:
            if right in came:
                continue
            came[right] = left
            if right in found:
                waiting.append(found[right])
                continue
            _flip(right, came, found, has)
            return


def _flip(last: int, came: dict[int, int], found: dict[int, int], has: dict[int, int]) -> None:
    """Give each call on the path to the row that came to it, up to the row that had none."""
    right: int | None = last
    while right is not None:
        left = came[right]
        before = has.get(left)
        found[right], has[left] = left, right
        right = before
