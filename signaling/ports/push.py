"""Waking devices that sleep."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from signaling.ports.texts import StoredText
from wephone.protocol.ids import CallId, DeviceId, UserId
from wephone.protocol.messages import Media


@dataclass(frozen=True, slots=True)
class Sleeper:
    """A device that can be woken: its browser's subscription, and the language of what it shows."""

    device: DeviceId
    endpoint: str = field(repr=False)
    p256dh: str = field(repr=False)
    auth: str = field(repr=False)
    language: str


class PushRows(Protocol):
    """Where devices can be woken."""

    def keep_push(self, user: UserId, sleeper: Sleeper, session: str, at: int) -> Awaitable[bool]:
        """In the place of what the device, or this browser, had; False if there is no such device."""
        ...

    def forget_push(self, endpoint: str) -> Awaitable[None]:
        """The push service says that it is no more."""
        ...

    def forget_device_push(self, user: UserId, device: DeviceId) -> Awaitable[None]: ...

    def sleepers(self, user: UserId, at: int) -> Awaitable[Sequence[Sleeper]]:
        """All that are signed in by a session that lasts."""
        ...


class Bell(Protocol):
    """Wakes devices that have no connection; what becomes of that nobody waits for."""

    def ring(
        self, call: CallId, caller: UserId, callee: UserId, media: tuple[Media, ...]
    ) -> Awaitable[Sequence[DeviceId]]:
        """Somebody is called: wake what sleeps. The devices that may now come."""
        ...

    def quiet(self, call: CallId, *, missed: bool = False) -> None:
        """It rings no more: it was answered, or is over."""
        ...

    def written(self, text: StoredText) -> None:
        """Somebody has a text: wake what sleeps."""
        ...
