"""What the media of one call came to, in numbers. Loads nothing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stats:
    """Since the call began. Packets hold 20 ms of sound, unless the far end makes longer ones."""

    sent: int = 0  # packets
    received: int = 0  # packets
    lost: int = 0  # packets, by the network
    late: int = 0  # packets that came after their turn
    recovered: int = 0  # frames of 20 ms restored from the copy in the packet after
    concealed: int = 0  # frames of 20 ms made up
    skipped: int = 0  # packets left out to catch up
    delay: float = 0.0  # seconds that the quickest packet waits before it is played
    jitter: float = 0.0  # seconds, of how packets arrive (RFC 3550 §6.4.1)
    round_trip: float | None = None  # seconds, to the far end and back, by its reports
    strangers: int = 0  # datagrams dropped, as they came from nobody we had met
    connected: float | None = None  # seconds from the first description to ICE and DTLS done
    heard: float | None = None  # seconds from the start of media to the first decoded frame

    @property
    def loss(self) -> float:
        """The share of packets that the network lost, 0 to 1."""
        return self.lost / (self.received + self.lost) if self.received + self.lost > 0 else 0.0
