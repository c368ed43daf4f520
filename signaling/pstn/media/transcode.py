"""Between Opus and G.711, packet by packet and at once: the jitter buffer is where it is played.

libopus codes at 8 kHz, all that a telephone line holds. Lost packets of the app are made up for here (from
the copy in the packet after, RFC 6716 §2.1.7, or by concealment), since G.711 can do neither.
"""

from collections.abc import Iterator

import numpy as np

from signaling.pstn.media import g711
from signaling.pstn.media.rtp import FRAME, Packet, ahead
from wephone.media.audio import Samples, silence
from wephone.media.opus import Decoder, Encoder, has_copy, packet_samples

RATE = 8_000
FACTOR = 6  # Opus's clock over G.711's
MOST_MADE_UP = 5  # packets in a row; more is a pause, not a loss
BITRATE = 20_000  # bit/s, with the copy of the packet before: narrow band needs no more
COMPLEXITY = 0  # of 10: a quarter of the processor time of 5, and STOI finds no difference at 8 kHz


class FromOpus:
    """What an app says, as frames of 20 ms at 8 kHz."""

    def __init__(self) -> None:
        self._decoder = Decoder(RATE)
        self._newest: Packet | None = None
        self._lasts = FRAME  # samples of the newest packet
        self._ready = silence(0)

    def forget(self) -> None:
        """What comes next does not belong to what came."""
        self._newest, self._ready = None, silence(0)

    def take(self, packet: Packet) -> tuple[bool, list[Samples]]:
        """Does it begin anew, after a pause; and the frames that it completes. CodecError: it is no Opus.

        One that comes after its turn is left out: it has been made up for.
        """
        newest = self._newest if self._newest and self._newest.source == packet.source else None
        step = ahead(packet.sequence, newest.sequence, 16) if newest else 1
        lasts = packet_samples(packet.payload) // FACTOR
        if not lasts or step <= 0:
            return False, []
        missing = step - 1 if step <= MOST_MADE_UP + 1 else 0
        pieces = [self._ready, *self._made_up(packet.payload, missing), self._decoder.decode(packet.payload)]
        fresh = newest is None or self._paused(packet, newest, missing)
        self._newest, self._lasts = packet, lasts
        sound = np.concatenate(pieces) if missing or self._ready.size else pieces[-1]
        whole = sound.size // FRAME
        self._ready = sound[whole * FRAME :]
        return fresh, [sound[i * FRAME : (i + 1) * FRAME] for i in range(whole)]

    def _made_up(self, following: bytes, missing: int) -> Iterator[Samples]:
        """What so many lost packets may have held."""
        for left in range(missing, 0, -1):
            if left == 1 and has_copy(following):
                yield self._decoder.recover(following, self._lasts)
            else:
                yield self._decoder.conceal(self._lasts)

    def _paused(self, packet: Packet, newest: Packet, missing: int) -> bool:
        """Was nothing said for a while (RFC 6716 §2.1.9), or nothing heard?"""
        passed = ahead(packet.timestamp, newest.timestamp, 32) // FACTOR
        return passed >= (missing + 1) * self._lasts + FRAME


class ToOpus:
    """What a trunk says, as packets of 20 ms."""

    def __init__(self) -> None:
        self._encoder = Encoder(BITRATE, complexity=COMPLEXITY, rate=RATE)
        self._newest: Packet | None = None
        self._ready = silence(0)

    def forget(self) -> None:
        """What comes next does not belong to what came."""
        self._newest, self._ready = None, silence(0)

    def take(self, packet: Packet, law: str) -> tuple[bool, int, list[bytes]]:
        """Does it begin anew, after a pause; how many frames are lost before it; the packets it completes."""
        newest = self._newest if self._newest and self._newest.source == packet.source else None
        if newest and ahead(packet.sequence, newest.sequence, 16) <= 0:
            return False, 0, []  # after its turn: the app has concealed it
        passed = ahead(packet.timestamp, newest.timestamp, 32) - len(newest.payload) if newest else 0
        lost = max(0, passed // FRAME)
        fresh = newest is None or lost > MOST_MADE_UP
        self._newest = packet
        sound = g711.decode(law, packet.payload)
        if self._ready.size:
            sound = np.concatenate((self._ready, sound))
        whole = sound.size // FRAME
        self._ready = sound[whole * FRAME :]
        payloads = [self._encoder.encode(sound[i * FRAME : (i + 1) * FRAME]) for i in range(whole)]
        return fresh, 0 if fresh else lost, payloads

    def encode(self, frame: Samples) -> bytes:
        """20 ms of another source."""
        return self._encoder.encode(frame)
