"""One way of a leg: what comes from one side, as it goes to the other. Reads no clock and holds no socket."""

import logging
from collections.abc import Callable, Iterator

from signaling.pstn.media import g711
from signaling.pstn.media.rtp import Format, Hears, Packet, Stream
from signaling.pstn.media.transcode import FromOpus, ToOpus
from wephone.media import keys
from wephone.media.audio import Samples
from wephone.media.errors import CodecError
from wephone.media.keys import KeyEvent

log = logging.getLogger(__name__)


class Way:
    """Whatever it is made of, it is one stream for whoever hears it."""

    def __init__(self, stream: Stream, key_pressed: Callable[[str], None]) -> None:
        """`key_pressed` is called once for each key of the side that speaks."""
        self.stream = stream
        self.hears: Hears | None = None
        self.busy = False  # something of ours is heard in place of the other side
        self._key_pressed = key_pressed
        self._from_opus: FromOpus | None = None
        self._to_opus: ToOpus | None = None
        self._key: int | None = None  # timestamp of the newest key, by the clock of the side that speaks
        self._lasted = 0  # of a key that is being passed on
        self._in_key = False
        self._key_at: int | None = None  # timestamp of that key, by ours; none: nobody has heard of it

    def set_hearer(self, hears: Hears | None) -> None:
        """From here on packets are made for this; none: nothing is to be heard for now."""
        self._end_key()
        self.break_off()
        if hears is not None and hears.format.rate != self.stream.rate:
            self.stream.change_rate(hears.format.rate)
        self.hears = hears

    def break_off(self) -> None:
        """The side that speaks pauses, or speaks from elsewhere: what comes does not belong to what came."""
        self.stream.break_off()
        for codec in (self._from_opus, self._to_opus):
            if codec is not None:
                codec.forget()

    # The other side's

    def pass_on(self, packet: Packet, said: Format, now: int) -> list[bytes]:
        """The datagrams that this packet becomes."""
        if said.codec == "events":
            return self._pass_key(packet, said, now)
        if self.hears is None or self.busy:
            return []
        if self._in_key:
            self._end_key()
        wanted = self.hears.format.codec
        if said.codec == "opus":
            return self._pass_opus(packet, now) if wanted != "opus" else []
        if wanted == "opus":
            return self._pass_to_opus(packet, said, now)
        payload = packet.payload
        if said.codec != wanted:
            payload = g711.convert(said.codec, wanted, payload)
        sequence, timestamp = self.stream.relay(packet, said.rate, now)
        return [self.stream.pack(self.hears.payload_type, packet.marker, sequence, timestamp, payload)]

    def _pass_opus(self, packet: Packet, now: int) -> list[bytes]:
        if self._from_opus is None:
            self._from_opus = FromOpus()
        try:
            fresh, frames = self._from_opus.take(packet)
        except CodecError as error:
            log.info("a packet cannot be decoded: %s", error)
            return []
        if fresh:
            self.stream.catch_up(now)
        return [self._say(frame, now) for frame in frames]

    def _pass_to_opus(self, packet: Packet, said: Format, now: int) -> list[bytes]:
        assert self.hears is not None
        fresh, lost, payloads = self._encoder.take(packet, said.codec)
        if fresh:
            self.stream.catch_up(now)
        return [
            self._made(payload, self.hears.format.frame, now, lost=lost if index == 0 else 0)
            for index, payload in enumerate(payloads)
        ]

    @property
    def _encoder(self) -> ToOpus:
        if self._to_opus is None:
            self._to_opus = ToOpus()
        return self._to_opus

    def _pass_key(self, packet: Packet, said: Format, now: int) -> list[bytes]:
        event = keys.parse(packet.payload)
        if event is None:
            return []
        fresh = packet.timestamp != self._key
        if fresh:
            self._key, self._key_at = packet.timestamp, None
            self._key_pressed(event.digit)
        if self.hears is None or self.hears.events is None or self.busy:
            return []
        begins = self._key_at is None
        if begins:
            self._end_key()
            self.stream.catch_up(now)
            self._in_key, self._key_at = True, self.stream.next_timestamp
        lasted = event.lasted * self.hears.format.rate // said.rate
        if self._in_key:
            self._lasted = max(self._lasted, lasted)
        event = KeyEvent(event.digit, event.over, event.volume, lasted)
        return [self._key_packet(event, begins, now, self._key_at)]

    def _end_key(self) -> None:
        if self._in_key:
            self.stream.pass_time(self._lasted)
            self._in_key, self._lasted = False, 0

    def _key_packet(self, event: KeyEvent, first: bool, now: int, at: int | None = None) -> bytes:
        """`at`: of a key that began before the sound that came meanwhile, as some phones send both."""
        assert self.hears is not None
        assert self.hears.events is not None
        sequence, timestamp = self.stream.make_part(now)
        timestamp = timestamp if at is None else at
        return self.stream.pack(self.hears.events, first, sequence, timestamp, bytes(event))

    # Ours

    def say(self, frame: Samples, now: int) -> bytes | None:
        """20 ms of ours at 8 kHz; none while nobody can hear it."""
        if self.hears is None:
            return None
        self._end_key()
        self.stream.catch_up(now)
        return self._say(frame, now)

    def press(self, digit: str, clock: Callable[[], int]) -> Iterator[bytes] | None:
        """The packets of one key, each made when it is asked for; none if the side takes no such events."""
        if self.hears is None or self.hears.events is None:
            return None
        return self._press(keys.pressed(digit, self.hears.format.rate), clock)

    def _press(self, events: tuple[KeyEvent, ...], clock: Callable[[], int]) -> Iterator[bytes]:
        self._end_key()
        self.stream.catch_up(clock())
        for index, event in enumerate(events):
            if self.hears is None or self.hears.events is None:
                break  # the side has been put on hold
            yield self._key_packet(event, index == 0, clock())
        self.stream.pass_time(events[-1].lasted)

    def _say(self, frame: Samples, now: int) -> bytes:
        assert self.hears is not None
        codec = self.hears.format.codec
        payload = self._encoder.encode(frame) if codec == "opus" else g711.encode(codec, frame)
        return self._made(payload, self.hears.format.frame, now)

    def _made(self, payload: bytes, step: int, now: int, *, lost: int = 0) -> bytes:
        assert self.hears is not None
        sequence, timestamp = self.stream.make(step, now, lost=lost)
        return self.stream.pack(self.hears.payload_type, False, sequence, timestamp, payload)
