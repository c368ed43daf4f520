"""The lines to devices: who can be reached now, and what has been said to them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from signaling.core.party import Party
from signaling.core.replay import Replay
from signaling.ports.clock import Cancel, Clock
from wephone.protocol.codec import encode
from wephone.protocol.ids import SessionId, UserId
from wephone.protocol.messages import Resume, ServerMessage

NO_SESSION = "expected"  # shorter than any real one: nobody can resume it


class Outlet(Protocol):
    """Where frames leave: a connection's outbox."""

    def send(self, payload: bytes) -> None: ...

    def close(self) -> None: ...


@dataclass(slots=True, eq=False)
class Line:
    """One stay of one device: it outlives its connection by the resume time."""

    party: Party
    session: SessionId
    sign_in: str  # the account session behind it, for revoking
    features: frozenset[str] = frozenset()  # that its client has said it has
    replay: Replay = field(default_factory=Replay)
    outlet: Outlet | None = None
    hang_up: Callable[[int, str], None] | None = None  # closes the connection: code, reason
    text_seq: int = 0  # the last text handed to this line
    pumping: bool = False  # its texts are being read
    more_texts: bool = False  # and others have come since
    expiry: Cancel | None = None
    end_of_session: Cancel | None = None  # the sign-in behind it ends by itself

    def send(self, message: ServerMessage) -> None:
        """An event that the device must get: numbered, kept until acknowledged."""
        self.send_body(encode(message))

    def send_body(self, body: bytes) -> None:
        """The same for a message that is encoded already."""
        frame = self.replay.number(body)
        if self.outlet is not None:
            self.outlet.send(frame)

    def is_connected(self) -> bool:
        """Is there a connection now?"""
        return self.outlet is not None

    def answer(self, message: ServerMessage) -> None:
        """Outside the count, to the connection that is open now; lost with it."""
        if self.outlet is not None:
            self.outlet.send(encode(message))


class Lines:
    """All lines of this node, by party and by user."""

    def __init__(self, clock: Clock, resume_ns: int, lost: Callable[[Party], None]) -> None:
        self._clock = clock
        self._resume_ns = resume_ns
        self._lost = lost
        self._by_user: dict[UserId, dict[Party, Line]] = {}

    def get(self, party: Party) -> Line | None:
        """The party's line, connected or within its resume time."""
        return self._by_user.get(party.user, {}).get(party)

    def of_user(self, user: UserId) -> Iterable[Line]:
        """All lines of a user; empty if none of its devices can be reached."""
        return tuple(self._by_user.get(user, {}).values())

    def all(self) -> Iterable[Line]:
        """Every line, in no order."""
        return [line for lines in self._by_user.values() for line in lines.values()]

    def connected(self) -> int:
        """How many devices have an open connection."""
        return sum(line.is_connected() for line in self.all())

    def is_here(self, user: UserId) -> bool:
        """Has any device of this user a connection now?"""
        return any(line.is_connected() for line in self.of_user(user))

    def resume(self, party: Party, resume: Resume) -> tuple[Line, list[bytes]] | None:
        """The line and the frames it missed, if nothing it needs is gone."""
        line = self.get(party)
        if line is None or line.session != resume.session:
            return None
        missed = line.replay.after(resume.n)
        if missed is None:
            return None
        line.replay.acknowledge(resume.n)
        return line, missed

    def open(self, line: Line) -> Line | None:
        """Put a new line in the place of the party's old one, which is returned."""
        lines = self._by_user.setdefault(line.party.user, {})
        old = lines.pop(line.party, None)
        if old is not None:
            self.stop_waiting(old)
        lines[line.party] = line
        return old

    def spare(self, user: UserId, most: int) -> Line | None:
        """If a user has more lines than `most`: one without a connection, or else the oldest."""
        lines = self._by_user.get(user, {})
        return min(lines.values(), key=Line.is_connected) if len(lines) > most else None

    def expect(self, party: Party) -> None:
        """A party of a restored call has the resume time to connect, though it has no session here."""
        if self.get(party) is None:
            line = Line(party, SessionId(NO_SESSION), sign_in="")
            self.open(line)
            self.wait_for(line)

    def wait_for(self, line: Line) -> None:
        """The line has no connection: give it the resume time to come back."""
        self.stop_waiting(line)
        deadline = self._clock.now().after(self._resume_ns)
        line.expiry = self._clock.call_at(deadline, lambda: self.drop(line))

    def stop_waiting(self, line: Line) -> None:
        """It is back."""
        if line.expiry is not None:
            line.expiry()
            line.expiry = None

    def drop(self, line: Line) -> None:
        """The device has gone for good; whatever it took part in is told."""
        self.stop_waiting(line)
        if line.end_of_session is not None:
            line.end_of_session()
        lines = self._by_user.get(line.party.user, {})
        if lines.get(line.party) is not line:
            return
        del lines[line.party]
        if not lines:
            del self._by_user[line.party.user]
        self._lost(line.party)
