"""What licensing asks of the world: a clock, a durable journal, a store of permits, hints of change."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from licensing.audit import Checked, ClearValue, Draft, Entry, Head
from licensing.checkpoint import Checkpoint, Reach
from licensing.instant import Instant


class JournalError(Exception):
    """The entry is not durable, or the journal cannot be read."""


class EpochMovedError(Exception):
    """Somebody else changed the register first: read it again, then decide anew what to change."""


class Clock(Protocol):
    def now(self) -> Instant: ...


class Journal(Protocol):
    """One node's chain of entries. Its implementer owns the chain and links drafts with `audit.link`."""

    def append(self, draft: Draft) -> Awaitable[int]:
        """Link the draft, keep its clear values beside it, and answer its sequence number once it is durable.

        JournalError if it is not; it may nevertheless have been written. Entries keep the order of the calls.
        """
        ...

    def head(self) -> Awaitable[Head]:
        """The newest durable entry of this node, `audit.beginning` if there is none."""
        ...

    def entries(self, after: int, limit: int) -> Awaitable[Sequence[Entry]]:
        """This node's entries with a sequence number above `after`, in order."""
        ...

    def about(self, subject: str) -> Awaitable[Sequence[Entry]]:
        """All entries about a decision or permit, oldest first."""
        ...

    def clear_values(self, hashes: Sequence[str]) -> Awaitable[Sequence[ClearValue]]:
        """The rows beside the chain that are still there, in any order."""
        ...

    def forget(self, before: int) -> Awaitable[int]:
        """Delete clear values whose `delete_after` is before this UTC microsecond; how many."""
        ...


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """One version of one thing in the register. A change is a higher version; none is ever overwritten.

    `kind` is "permit", "toggle", "switch", "proposal", "file", "account" or "law"; `document` is canonical
    JSON, and "null" once the thing is gone.
    """

    kind: str
    key: str
    version: int  # from 1
    document: str
    by: str  # the operator's account
    at: int  # UTC microseconds
    epoch: int  # the epoch that began with it


@dataclass(frozen=True, slots=True)
class Filed:
    """The register's epoch and every version in it, beside the entries of all its changes."""

    epoch: int
    rows: tuple[RegisterRow, ...]
    entries: tuple[Entry, ...]  # and those by which an operator accepted a loss; oldest first


class Chains(Journal, Protocol):
    """A journal that also shows the chains of other nodes in its database, to verify and export them."""

    def heads(self) -> Awaitable[Sequence[Head]]:
        """The newest entry of every node, as the database has noted it."""
        ...

    def entries_of(self, node: str, after: int, limit: int) -> Awaitable[Sequence[Entry]]:
        """That node's entries with a sequence number above `after`, in order."""
        ...

    def refusals_of(self, node: str, after: int, before: int, limit: int) -> Awaitable[Sequence[Entry]]:
        """Its decisions between these numbers that refused something, the newest first."""
        ...

    def checked(
        self, after: Head, kept: Sequence[Head], *, names: bool, tell: Callable[[int], None]
    ) -> Awaitable[Checked]:
        """A node's chain verified from `after` on, without keeping anybody waiting.

        It has to agree with the heads in `kept`, which may be kept elsewhere. `names`: the clear values too.
        `tell` hears from time to time how many entries more are done.
        """
        ...

    def strays(self) -> Awaitable[Sequence[Entry]]:
        """Entries outside of every chain: the lowest of a node that has no head, or of a number below 1.

        Whoever writes past the journal can put them there; no walk along a chain meets them.
        """
        ...

    def filed(self) -> Awaitable[Filed]:
        """The register beside the entries of its changes, of one moment; quick on chains of any length."""
        ...


class CheckpointRows(Protocol):
    """The signed checkpoints in the database, beside the chains. JournalError when it cannot answer."""

    def reach(
        self, asked: Sequence[tuple[str, int]] = ()
    ) -> Awaitable[tuple[Reach, Checkpoint | None, Mapping[tuple[str, int], str]]]:
        """How far everything reaches now, the last checkpoint, and the hashes of the entries asked for.

        All of one moment. CheckpointError if the last one was altered.
        """
        ...

    def add(self, checkpoint: Checkpoint) -> Awaitable[bool]:
        """False, and no trace, if another has its number."""
        ...

    def after(self, number: int, limit: int) -> Awaitable[Sequence[Checkpoint]]:
        """Those with a higher number, in order. CheckpointError if one was altered."""
        ...


@dataclass(frozen=True, slots=True)
class RegisterRows:
    """The newest version of every thing in the register, and the epoch at which that was so."""

    epoch: int  # 0 for an empty register; one more with every change
    rows: tuple[RegisterRow, ...]


class PermitStore(Protocol):
    """The register in the database. Every method raises JournalError when the database cannot answer."""

    def epoch(self) -> Awaitable[int]:
        """The current epoch: one cheap read, done each second."""
        ...

    def load(self) -> Awaitable[RegisterRows]:
        """The whole register as of one epoch."""
        ...

    def change(self, epoch: int, rows: Sequence[RegisterRow], draft: Draft) -> Awaitable[int]:
        """In one transaction: move `epoch` on by one, add `rows`, append `draft` to the chain. The new epoch.

        A guarded statement, no read-then-write: EpochMovedError, and no trace, if `epoch` has passed.
        """
        ...

    def versions(self, kind: str, key: str) -> Awaitable[Sequence[RegisterRow]]:
        """Every version of one thing, oldest first."""
        ...


class Hints(Protocol):
    """Fast and unreliable: a node that misses one still reads the epoch within a second."""

    def publish(self, epoch: int) -> None: ...

    def subscribe(self, told: Callable[[int], None]) -> Callable[[], None]:
        """Call `told` with each epoch heard of; calling the result ends that."""
        ...
