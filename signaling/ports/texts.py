"""The rows of texts and their receipts."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

from wephone.protocol.ids import DeviceId, MessageId, UserId


@dataclass(frozen=True, slots=True)
class StoredText:
    """A text with its place in the server's order."""

    message: MessageId
    seq: int
    sender: UserId
    to: UserId
    text: str
    at: int
    delivered_at: int | None = None
    read_at: int | None = None


@dataclass(frozen=True, slots=True)
class LatestText:
    """A conversation in the list of them: its last text, and how many of the other's texts are unread."""

    peer: UserId
    text: StoredText
    unread: int


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """How far `by` has got with the texts that `sender` wrote."""

    sender: UserId
    by: UserId
    delivered_seq: int
    read_seq: int
    at: int


class TextRows(Protocol):
    """Texts: accepted once, in one order, kept until read by all the devices that asked."""

    def accept_text(
        self, message: MessageId, sender: UserId, to: UserId, text: str, at: int
    ) -> Awaitable[tuple[StoredText, bool]]:
        """Durable; the same id from its author again gives the same row and False.

        IdTakenError when the id is another author's or names other words.
        """
        ...

    def sign_in_device(self, user: UserId, device: DeviceId, name: str, at: int) -> Awaitable[int]:
        """The seq up to which this device has its texts; a new device starts at the oldest undelivered."""
        ...

    def leave_device(self, user: UserId, device: DeviceId, at: int) -> Awaitable[None]:
        """It was here until now."""
        ...

    def spare_devices(self, user: UserId, here: Sequence[DeviceId], most: int) -> Awaitable[None]:
        """Forget the devices beyond `most`: of those that are not `here`, the ones away for longest."""
        ...

    def texts_after(self, user: UserId, seq: int, limit: int) -> Awaitable[Sequence[StoredText]]:
        """Texts to this user, and by it, after `seq`, in order."""
        ...

    def received(self, user: UserId, device: DeviceId, seq: int, at: int) -> Awaitable[Sequence[ReceiptRow]]:
        """Move the device's mark; the receipts that this newly causes, one for each sender."""
        ...

    def read(self, user: UserId, peer: UserId, seq: int, at: int) -> Awaitable[ReceiptRow | None]:
        """Mark `peer`'s texts as read; the receipt if that is news."""
        ...

    def receipts(self, sender: UserId) -> Awaitable[Sequence[ReceiptRow]]:
        """How far everybody has got with this sender's texts."""
        ...

    def conversation(
        self, user: UserId, peer: UserId, before: int, limit: int
    ) -> Awaitable[Sequence[StoredText]]:
        """Texts between two users with a seq below `before`, newest first."""
        ...

    def conversations(self, user: UserId, before: int, limit: int) -> Awaitable[Sequence[LatestText]]:
        """The latest text with each other user, if its seq is below `before`, newest first."""
        ...
