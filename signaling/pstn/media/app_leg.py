"""What every leg has: an app at one end, that is looked for, found, and goes."""

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeAlias

from signaling.media import CandidatesFound, Connected, Ended, Ending, Event
from signaling.pstn.media.app_side import AppSide
from signaling.pstn.media.rtp import Stream
from wephone.protocol.messages import Candidate

Over: TypeAlias = Callable[["AppLeg", Ended], None]


class AppLeg(ABC):
    """Listens to the app's line. `over` is called once if the app's side ends by itself."""

    app: AppSide

    def __init__(self, name: str, tell: Callable[[Event], None], over: Over) -> None:
        self.name = name
        self._tell, self._over = tell, over
        self._connected = False

    @abstractmethod
    def packet_came(self, packet: bytes) -> None:
        """From the app, decrypted."""

    def line_found(self, candidate: Candidate | None) -> None:
        found = () if candidate is None else (candidate,)
        self._tell(CandidatesFound(self.name, found, candidate is None))

    def line_connected(self) -> None:
        self._connected = True
        self._tell(Connected(self.name))

    def line_failed(self, reason: str) -> None:
        why = Ending.APP_GONE if self._connected else Ending.APP_FAILED
        self._over(self, Ended(self.name, why, reason))

    def line_closed(self) -> None:
        self._over(
            self, Ended(self.name, Ending.APP_GONE, "the app has closed its side, or cannot be reached")
        )


def new_stream() -> Stream:
    """Numbers that nobody can guess (RFC 3550 §5.1)."""
    return Stream(secrets.randbits(32), secrets.randbits(15), secrets.randbits(32))
