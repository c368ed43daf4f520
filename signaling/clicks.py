"""Clicks to call: a call asked for over HTTP, which a device of the same account then places."""

from dataclasses import dataclass

from licensing.instant import SECOND
from signaling.core.party import Party
from signaling.core.state import RING
from signaling.lines import Line, Lines
from signaling.ports.clock import Cancel, Clock
from wephone.protocol.ids import CallId, UserId
from wephone.protocol.messages import Dial, DialOver, Media

LIFETIME = RING / SECOND  # seconds in which a device may take it: as long as a call rings
FEATURE = "dial"  # of a client that asks its person and then places the call


@dataclass(frozen=True, slots=True)
class Click:
    """A call that a device is to place."""

    user: UserId
    to: str  # as it was asked for: the invite that follows is read and decided on by itself
    media: tuple[Media, ...]


class Clicks:
    """Those that wait for a device. Nothing is granted here: the invite goes through the gate like any."""

    def __init__(self, clock: Clock, lines: Lines) -> None:
        self._clock, self._lines = clock, lines
        self._waiting: dict[CallId, tuple[Click, Cancel]] = {}

    def ring(self, call: CallId, click: Click) -> int:
        """Ask the account's own devices to place it; how many were asked. 0: nothing waits then."""
        devices = self._able(click.user)
        if not any(line.is_connected() for line in devices):
            return 0
        deadline = self._clock.now().after(RING)
        self._waiting[call] = click, self._clock.call_at(deadline, lambda: self._over(call))
        for line in devices:
            line.send(Dial(call=call, to=click.to, media=click.media, lifetime=LIFETIME))
        return len(devices)

    def taken(self, call: CallId, by: Party) -> None:
        """A device places this call: the others need not ask any longer."""
        found = self._waiting.get(call)
        if found is not None and found[0].user == by.user:
            self._over(call, but=by)

    def close(self) -> None:
        """Wait for none of them any longer."""
        for _, cancel in self._waiting.values():
            cancel()
        self._waiting.clear()

    def _over(self, call: CallId, but: Party | None = None) -> None:
        click, cancel = self._waiting.pop(call)
        cancel()
        for line in self._able(click.user):
            if line.party != but:
                line.send(DialOver(call=call))

    def _able(self, user: UserId) -> list[Line]:
        return [line for line in self._lines.of_user(user) if FEATURE in line.features]
