"""Hearing: packets from aiortc's receiver through our jitter buffer and libopus to a sink, by the clock.

aiortc's own buffer loses 100 ms of speech for each packet lost and plays whatever comes whenever it comes.
Its place is taken by `Incoming`, so that RTCP, statistics and decryption stay aiortc's.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Protocol

import numpy as np

from wephone.media.audio import FRAME, FRAME_NS, Samples, peak, silence
from wephone.media.devices import Nowhere, Sink
from wephone.media.errors import CodecError, DeviceError
from wephone.media.jitter import (
    Conceal,
    Counts,
    Decode,
    JitterBuffer,
    Packet,
    Recover,
    Silence,
    Step,
    in_samples,
)
from wephone.media.keys import Listening
from wephone.media.opus import Decoder

SOFT = 300  # of 32768: -40 dB; a frame more or less of this goes unnoticed
BEHIND = 200_000_000  # ns: a loop that hung for longer does not play what it missed

log = logging.getLogger(__name__)


class RtpPacket(Protocol):
    """What aiortc's receiver hands over (aiortc.rtp.RtpPacket)."""

    sequence_number: int
    timestamp: int
    payload: bytes
    ssrc: int


class Playout:
    """One stream: packets in as they come, 960 samples out whenever they are due. Reads no clock."""

    def __init__(self) -> None:
        self._buffer = JitterBuffer()
        self._decoder = Decoder()
        self._ready = silence(0)  # decoded and not yet due
        self._soft = False

    @property
    def counts(self) -> Counts:
        return self._buffer.counts

    @property
    def begins(self) -> int | None:
        """When the first frame is due, ns; none before the first packet."""
        return self._buffer.begins

    def insert(self, packet: Packet, now: int) -> None:
        """Take in a packet that has just come."""
        self._buffer.insert(packet, now)

    def forget(self) -> None:
        """What comes next has no connection to what came."""
        self._buffer.forget()
        self._ready = silence(0)

    def frame(self, now: int) -> Samples:
        """What is to be heard for the next 20 ms."""
        while self._ready.size < FRAME:
            step = self._buffer.next(now, self._ready.size, self._soft)
            sound = self._decoded(step)
            self._soft = peak(sound) < SOFT
            self._ready = np.concatenate((self._ready, sound)) if self._ready.size else sound
        frame, self._ready = self._ready[:FRAME], self._ready[FRAME:]
        return frame

    def _decoded(self, step: Step) -> Samples:
        try:
            match step:
                case Decode(payload):
                    return self._decoder.decode(payload)
                case Recover(following, samples):
                    return self._decoder.recover(following, samples)
                case Conceal(samples):
                    return self._decoder.conceal(samples)
                case Silence(samples):
                    return silence(samples)
        except CodecError as error:
            log.info("a packet cannot be decoded: %s", error)
            return silence()


class Incoming:
    """The sound of one call that comes in. Until `start` and while paused, whatever arrives is dropped."""

    def __init__(
        self, first_frame: Callable[[], None], failed: Callable[[str], None], key_heard: Callable[[str], None]
    ) -> None:
        self._first_frame, self._failed, self._key_heard = first_frame, failed, key_heard
        self._playout = Playout()
        self._keys = Listening()
        self._sink: Sink = Nowhere()
        self._started = 0  # ns
        self._open = self._heard = False
        self._arrived = asyncio.Event()
        self._player: asyncio.Task[None] | None = None

    @property
    def counts(self) -> Counts:
        return self._playout.counts

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        """In place of aiortc's JitterBuffer.add: no picture to ask for, nothing for its decoder."""
        if self._open:
            sequence = self._keys.numbered(packet.sequence_number)
            ours = Packet(sequence, packet.timestamp, packet.payload, packet.ssrc)
            self._playout.insert(ours, time.monotonic_ns())
            if not self._arrived.is_set() and self._playout.begins is not None:
                self._arrived.set()
        return False, None

    def add_key(self, packet: RtpPacket) -> None:
        """A packet of telephone-event, which aiortc knows nothing of."""
        key = self._keys.take(packet.sequence_number, packet.timestamp, packet.payload)
        if key is not None and self._open:
            self._key_heard(key)

    def start(self, sink: Sink) -> None:
        """From here on what comes is heard; `sink` is told times since now."""
        self._sink = sink
        self._started = time.monotonic_ns()
        self._player = asyncio.create_task(self._play(), name="wephone player")

    def listen(self, on: bool) -> None:
        """Off: the call is held, and nothing is to come."""
        if on == self._open:
            return
        self._open = on
        if not on:
            self._arrived.clear()
            self._playout.forget()

    async def stop(self) -> None:
        """No more sound."""
        self._open = False
        if self._player is not None:
            self._player.cancel()
            await asyncio.wait((self._player,))
            self._player = None

    async def _play(self) -> None:
        """Every 20 ms, 20 ms of sound; and none at all while nothing is to come."""
        while True:
            await self._arrived.wait()
            due = max(self._playout.begins or 0, time.monotonic_ns())
            while self._arrived.is_set():
                delay = due - time.monotonic_ns()
                if delay > 0:
                    await asyncio.sleep(delay / 1e9)
                elif delay < -BEHIND:
                    due = time.monotonic_ns()
                if self._arrived.is_set() and not self._play_frame(due):
                    return
                due += FRAME_NS

    def _play_frame(self, due: int) -> bool:
        frame = self._playout.frame(due)
        if not self._heard and self._playout.counts.played:
            self._heard = True
            self._first_frame()
        try:
            self._sink.write(frame, in_samples(due - self._started))
        except (DeviceError, OSError) as error:
            self._failed(f"what is heard cannot be written: {error}")
            return False
        return True
