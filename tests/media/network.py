"""A network on paper: packets with the times at which they leave and arrive, if they do."""

import random
from dataclasses import dataclass, field

import numpy as np

from wephone.media.audio import FRAME, FRAME_NS, Samples
from wephone.media.jitter import Packet
from wephone.media.opus import Encoder
from wephone.media.receive import Playout

BASE = 1_000_000_000_000  # ns: a clock that does not begin at 0
MILLISECOND = 1_000_000  # ns


@dataclass
class Network:
    """Loses, delays and repeats, by a seed."""

    loss: float = 0.0
    burst: int = 1  # packets lost in a row, each time
    delay: float = 40.0  # ms
    jitter: float = 0.0  # ms, up and down
    repeat: float = 0.0  # share of packets that come twice
    drift: float = 0.0  # by which the sender's clock is faster than ours
    dice: random.Random = field(default_factory=lambda: random.Random(7), repr=False)

    def arrivals(self, packets: list[Packet]) -> list[tuple[int, Packet]]:
        """When each packet arrives, in that order."""
        arrived, gone = [], 0
        for index, packet in enumerate(packets):
            if gone == 0 and self.dice.random() < self.loss / self.burst:
                gone = self.burst
            if gone:
                gone -= 1
                continue
            left = BASE + int(index * FRAME_NS / (1 + self.drift))
            for _ in range(1 + (self.dice.random() < self.repeat)):
                late = self.delay + self.dice.uniform(-self.jitter, self.jitter)
                arrived.append((left + int(late * MILLISECOND), packet))
        return sorted(arrived, key=lambda each: each[0])


def packets(samples: Samples, sequence: int = 65_000, timestamp: int = 2**32 - 48_000) -> list[Packet]:
    """Speech as a sender makes packets of it; both counters wrap on the way."""
    encoder = Encoder()
    return [
        Packet(
            (sequence + index) % 2**16,
            (timestamp + index * FRAME) % 2**32,
            encoder.encode(samples[index * FRAME : (index + 1) * FRAME]),
            source=99,
        )
        for index in range(samples.size // FRAME)
    ]


def played(playout: Playout, arrivals: list[tuple[int, Packet]], until: int | None = None) -> Samples:
    """What is heard when the clock asks for a frame every 20 ms."""
    waiting, frames = list(arrivals), []
    end = until if until is not None else arrivals[-1][0] + 15 * FRAME_NS
    due: int | None = None
    while due is None or due < end:
        while waiting and (due is None or waiting[0][0] <= due):
            at, packet = waiting.pop(0)
            playout.insert(packet, at)
            if due is None:
                due = playout.begins
        assert due is not None
        frames.append(playout.frame(due))
        due += FRAME_NS
    return np.concatenate(frames)
