"""Running calls without a telephone leg, decided again when permits change. Their devices hold no lease.

What a call was told last stands until the law answers its facts otherwise. Only then is there a new decision
with an entry of its own: a change that does not concern a call costs it no entry.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from licensing.case import Decision
from licensing.facts import CallFacts
from licensing.identity import DecisionId
from licensing.record import allows
from licensing.snapshot import Ground


@dataclass(frozen=True, slots=True)
class Standing:
    """What a running call was told last, and what that rests on. A restart forgets all but its id."""

    facts: CallFacts
    id: DecisionId | None
    decision: Decision | None
    ground: Ground | None = None
    relied: tuple[str, ...] = ()  # the permits of the last yes, as `id@version`

    @property
    def refused(self) -> bool:
        """Does the call wind down?"""
        return self.decision is not None and not allows(self.decision)

    def still(self, decision: Decision) -> bool:
        """Is this the answer that the call has?"""
        if self.decision is None:
            return allows(decision) and not decision.permits
        return is_same(decision, self.decision)


@dataclass(frozen=True, slots=True)
class Review:
    """A call that is answered otherwise than before; its entry is being written."""

    before: Standing
    now: Standing
    seconds: int | None  # that it keeps if it is refused
    writing: "asyncio.Task[bool]"

    @property
    def refused(self) -> bool:
        return self.now.refused

    @property
    def returned(self) -> bool:
        """Is it allowed, after it was not?"""
        return self.before.refused and not self.now.refused

    @property
    def code(self) -> str:
        """The reason's."""
        return "" if self.now.decision is None else self.now.decision.reason.value


async def durable(reviews: Sequence[Review], within: float) -> frozenset[Review]:
    """Those whose entries are durable within so many seconds."""
    if reviews:
        await asyncio.wait({review.writing for review in reviews}, timeout=within)
    return frozenset(review for review in reviews if review.writing.done() and review.writing.result())


def is_same(one: Decision, other: Decision) -> bool:
    """Do both say the same of a call? What could be done instead is no part of it."""
    return _answer(one) == _answer(other)


def _answer(decision: Decision) -> tuple[object, ...]:
    return (
        decision.outcome,
        decision.reason,
        decision.jurisdiction,
        decision.service,
        decision.permits,
        decision.obligations,
        decision.profile_version,
        decision.uncertain,
        decision.permit_needed,
    )
