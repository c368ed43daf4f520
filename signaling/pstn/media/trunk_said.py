"""What has been said with a trunk about a leg's sound, and what it means: who sends, and who hears."""

import secrets
from collections.abc import Sequence

from signaling.media import Direction, Srtp, TrunkMedia
from signaling.pstn.media import trunk_sdp
from signaling.pstn.media.rtp import Format, Hears
from signaling.pstn.media.trunk_sdp import EVENTS, PAYLOADS, REVERSED, SUITE, Ours, Trunk
from signaling.pstn.sip.sdes import Key

RATE = 8_000
FORMATS = {payload: Format(name, RATE) for payload, name in trunk_sdp.CODECS.items()}
KEYS = Format("events", RATE)


class TrunkSaid:
    """One leg's. A description is taken as a whole or not at all."""

    def __init__(self, spec: TrunkMedia, host: str, port: int, events: int | None = EVENTS) -> None:
        """`host` and `port`: where our side is, as the trunk is told. `events`: our payload type of keys."""
        self.spec = spec
        self._host, self._port = host, port
        self.theirs: Trunk | None = None
        self.codec: str | None = None
        self._events = events
        self._direction: Direction = "sendrecv"  # as we see it
        self._session, self._version = secrets.randbits(32), 0
        self._key = secrets.token_bytes(SUITE.octets) if spec.srtp is Srtp.ALWAYS else None
        self._tag = 1

    def offer(self, direction: Direction, first: str | None = None) -> str:
        """Our offer; the codec in use, or else this one, stands first."""
        self._direction = direction
        first = self.codec or first
        codecs = sorted(self.spec.codecs, key=lambda name: name != first)
        return self._say(codecs)

    def answer(self, offer: Trunk) -> str:
        """Take an offer that has been parsed, and answer it. MediaError."""
        codec = trunk_sdp.common(offer, self.spec)
        self._direction = REVERSED[offer.direction]
        self._events = offer.events if offer.events is not None else EVENTS
        self._tag = offer.crypto.tag if offer.crypto else 1
        self._learn(offer, codec)
        return self._say([codec], offer)

    def take_answer(self, answer: Trunk) -> None:
        """What our offer has come to. MediaError."""
        self._learn(answer, trunk_sdp.common(answer, self.spec))

    def _learn(self, theirs: Trunk, codec: str) -> None:
        self.theirs, self.codec = theirs, codec

    def _say(self, codecs: Sequence[str], offer: Trunk | None = None) -> str:
        self._version += 1
        crypto = Key(self._tag, SUITE, self._key) if self._key else None
        events = offer.events if offer else self._events
        ours = Ours(
            self._host, self._port, codecs, self._direction, self._session, self._version, events, crypto
        )
        return trunk_sdp.written(ours, offer)

    @property
    def sends(self) -> bool:
        """Is sound to come?"""
        return self.theirs is not None and self.theirs.sends and self._direction in ("sendrecv", "recvonly")

    @property
    def hears(self) -> Hears | None:
        """What it wants to get; none while it is to hear nothing."""
        theirs = self.theirs
        if theirs is None or self.codec is None:
            return None
        if not theirs.hears or self._direction not in ("sendrecv", "sendonly"):
            return None
        return Hears(Format(self.codec, RATE), PAYLOADS[self.codec], theirs.events)

    def format(self, payload_type: int) -> Format | None:
        """What a packet with this type holds; none if it was not agreed on."""
        format = FORMATS.get(payload_type)
        if format is not None and format.codec in self.spec.codecs:
            return format
        if payload_type == self._events or (self.theirs and payload_type == self.theirs.events):
            return KEYS
        return None
