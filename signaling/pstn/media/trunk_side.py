"""The trunk's side of a leg: RTP over UDP, plain or with keys from the descriptions."""

from signaling.media import TrunkMedia
from signaling.pstn.media.ports import Address, Pair
from signaling.pstn.media.trunk_said import TrunkSaid
from signaling.pstn.media.trunk_sdp import NOWHERE, Trunk
from wephone.media.srtp import LARGEST, Error, Protection


class TrunkSide(TrunkSaid):
    """Whom we speak with, and how. Only who was named in the description is heard."""

    def __init__(self, spec: TrunkMedia, host: str, pair: Pair) -> None:
        """`host`: the address that the trunk is told."""
        super().__init__(spec, host, pair.port)
        self._pair = pair
        self._to: Address | None = None  # where it hears sound
        self._protection: Protection | None = None

    def _learn(self, theirs: Trunk, codec: str) -> None:
        before = self.theirs
        super()._learn(theirs, codec)
        self._to = None if theirs.host in NOWHERE else (theirs.host, theirs.port)
        if theirs.crypto is None or self._key is None:
            return
        if self._protection is None:
            self._protection = Protection(self._key, theirs.crypto.master)
        elif before is None or before.crypto is None or before.crypto.master != theirs.crypto.master:
            self._protection.expect(theirs.crypto.master)

    # Packets

    def accept(self, data: bytes, address: Address, *, report: bool = False) -> bytes | None:
        """The packet that came from there; none if it is a stranger's.

        By the address that was negotiated; from another port than it listens on nobody is heard.
        """
        theirs = self.theirs
        if theirs is None or address[0] != theirs.host:
            return None
        if address[1] != (theirs.control if report else theirs.port):
            return None
        if self._protection is None:
            return data if self._key is None else None
        try:
            return self._protection.unprotect(data, report=report)
        except (Error, ValueError):  # forged, repeated, or longer than libsrtp takes
            return None

    def send(self, packet: bytes) -> bool:
        """Send sound; False if there is nobody to send it to, or more of it than a packet should hold."""
        if self._to is None or len(packet) > LARGEST:
            return False
        data = self._protection.protect(packet) if self._protection else packet
        return self._pair.sound.send(data, self._to)

    def send_report(self, packet: bytes) -> None:
        """Send a report, if there is somebody to send it to."""
        if self.theirs is None or self._to is None:
            return
        data = self._protection.protect(packet, report=True) if self._protection else packet
        self._pair.reports.send(data, (self.theirs.host, self.theirs.control))
