"""The rows of what is known about the holders of accounts."""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from licensing.audit import Draft
from signaling.core.forwarding import NOWHERE, Forwarding
from signaling.core.holder import HolderFacts, Person
from wephone.protocol.ids import UserId


@dataclass(frozen=True, slots=True)
class Ends:
    """The two accounts of a call or text as they are now; none where there is none that may be used."""

    caller: Person | None
    callee: Person | None
    do_not_disturb: bool  # the callee
    blocked: bool  # the callee has blocked the caller
    forwarding: Forwarding = NOWHERE  # the callee's rules


@dataclass(frozen=True, slots=True)
class FactsChange:
    """What is known about a holder from now on, made from `version` of it (0: nothing was known)."""

    user: UserId
    version: int
    facts: HolderFacts
    owned: tuple[str, ...]  # numbers that become this account's
    disowned: tuple[str, ...]
    entry: str  # the subject of the journal's entry
    hash: str  # what stands there for what was said


@dataclass(frozen=True, slots=True)
class FactsEntry:
    """One thing that was said about a holder; `said` is none once its time in clear is over."""

    entry: str
    at: int
    said: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class StatedEntry:
    """One statement. `at`, `body`: of its entry in the chain, if there is one; `said`: none once erased."""

    entry: str
    at: int | None
    body: str | None
    said: str | None


@dataclass(frozen=True, slots=True)
class StatedFacts:
    """The facts of one account as they are used, and all that was said about it, oldest first."""

    account: str
    document: str
    entries: tuple[StatedEntry, ...]


class HolderRows(Protocol):
    """What is known about the holders of accounts."""

    def ends(self, caller: UserId, callee: UserId) -> Awaitable[Ends]:
        """Everything about two accounts that a call or text between them is begun with, in one look."""
        ...

    def facts(self, user: UserId) -> Awaitable[tuple[HolderFacts, int] | None]:
        """What is known now, and its version; none if there is no such account."""
        ...

    def change_facts(self, change: FactsChange, draft: Draft) -> Awaitable[bool]:
        """In one transaction with the journal's entry; False, and no trace, if the version has passed.

        IdTakenError if a number is another account's.
        """
        ...

    def stated(self, after: str, most: int) -> Awaitable[Sequence[StatedFacts]]:
        """Everybody's facts beside the entries that say so, in the order of the accounts, after this one."""
        ...

    def facts_history(self, user: UserId, most: int) -> Awaitable[Sequence[FactsEntry]]:
        """What was said, newest first."""
        ...
