"""The trunk's side of a leg: RTP over UDP, plain or with keys from the descriptions."""

import secrets
from collections.abc import Sequence

from signaling.media import Direction, Srtp, TrunkMedia
from signaling.pstn.media import trunk_sdp
from signaling.pstn.media.ports import Address, Pair
from signaling.pstn.media.rtp import Format
from signaling.pstn.media.trunk_sdp import EVENTS, NOWHERE, PAYLOADS, REVERSED, SUITE, Ours, Trunk
from signaling.pstn.media.way import Hears
from signaling.pstn.sip.sdes import Key
from wephone.media.srtp import LARGEST, Error, Protection

RATE = 8_000


class TrunkSide:
    """Whom we speak with, and how. Only who was named in the description is heard."""

    def __init__(self, spec: TrunkMedia, host: str, pair: Pair) -> None:
        """`host`: the address that the trunk is told."""
        self.spec = spec
        self._host, self._pair = host, pair
        self.theirs: Trunk | None = None
        self.codec: str | None = None
        self._events = EVENTS  # our payload type
        self._direction: Direction = "sendrecv"  # as we see it
        self._session, self._version = secrets.randbits(32), 0
        self._key = secrets.token_bytes(SUITE.octets) if spec.srtp is Srtp.ALWAYS else None
        self._tag = 1
        self._protection: Protection | None = None

    # Descriptions

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
        before, self.theirs, self.codec = self.theirs, theirs, codec
        if theirs.crypto is None or self._key is None:
            return
        if self._protection is None:
            self._protection = Protection(self._key, theirs.crypto.master)
        elif before is None or before.crypto is None or before.crypto.master != theirs.crypto.master:
            self._protection.expect(theirs.crypto.master)

    def _say(self, codecs: Sequence[str], offer: Trunk | None = None) -> str:
        self._version += 1
        crypto = Key(self._tag, SUITE, self._key) if self._key else None
        events = offer.events if offer else self._events
        ours = Ours(
            self._host, self._pair.port, codecs, self._direction, self._session, self._version, events, crypto
        )
        return trunk_sdp.written(ours, offer)

    # What they mean

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
        name = trunk_sdp.CODECS.get(payload_type)
        if name is not None and name in self.spec.codecs:
            return Format(name, RATE)
        if payload_type == self._events or (self.theirs and payload_type == self.theirs.events):
            return Format("events", RATE)
        return None

    # Packets

    def accept(self, data: bytes, address: Address, *, report: bool = False) -> bytes | None:
        """The packet that came from there; none if it is a stranger's."""
        if self.theirs is None or not self._is_theirs(address, report):
            return None
        if self._protection is None:
            return data if self._key is None else None
        try:
            return self._protection.unprotect(data, report=report)
        except (Error, ValueError):  # forged, repeated, or longer than libsrtp takes
            return None

    def _is_theirs(self, address: Address, report: bool) -> bool:
        """By the address that was negotiated; from another port than it listens on nobody is heard."""
        assert self.theirs is not None
        port = self.theirs.control if report else self.theirs.port
        return address[0] == self.theirs.host and address[1] == port

    def send(self, packet: bytes) -> bool:
        """Send sound; False if there is nobody to send it to, or more of it than a packet should hold."""
        if self.theirs is None or self.theirs.host in NOWHERE or len(packet) > LARGEST:
            return False
        data = self._protection.protect(packet) if self._protection else packet
        self._pair.sound.sendto(data, (self.theirs.host, self.theirs.port))
        return True

    def send_report(self, packet: bytes) -> None:
        """Send a report, if there is somebody to send it to."""
        if self.theirs is None or self.theirs.host in NOWHERE:
            return
        data = self._protection.protect(packet, report=True) if self._protection else packet
        self._pair.reports.sendto(data, (self.theirs.host, self.theirs.control))
