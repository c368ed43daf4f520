"""All rows of one database, and what keeps them in order."""

from collections.abc import Awaitable
from typing import Protocol

from signaling.ports.accounts import AccountRows
from signaling.ports.calls import CallRows
from signaling.ports.holders import HolderRows
from signaling.ports.legs import TelephoneRows
from signaling.ports.push import PushRows
from signaling.ports.texts import TextRows


class StoreError(Exception):
    """A row could not be made durable; nothing was acknowledged."""


class IdTakenError(StoreError):
    """The id or name belongs to somebody else."""


class Upkeep(Protocol):
    """What keeps the store itself in order."""

    def purge(self, kind: str, before: int) -> Awaitable[int]:
        """Delete what a class of retention no longer needs.

        Classes: "texts", "calls", "sessions", "devices", "clear_values".
        """
        ...

    def purged_at(self) -> Awaitable[int | None]:
        """When all classes were last gone through; none if nobody has noted that yet."""
        ...

    def note_purge(self, at: int) -> Awaitable[None]:
        """All classes were gone through."""
        ...

    def ready(self) -> Awaitable[None]:
        """StoreError unless a row could be written now."""
        ...

    def durability_problem(self) -> Awaitable[str | None]:
        """Why what is committed may be lost with the power, in one sentence; none if it may not."""
        ...

    def close(self) -> Awaitable[None]: ...


class Store(CallRows, TelephoneRows, TextRows, AccountRows, HolderRows, PushRows, Upkeep, Protocol):
    """All rows of one database; the gate's journal and permits are `licensing.ports` on the same one."""
