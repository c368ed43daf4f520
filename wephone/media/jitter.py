"""A jitter buffer that decides what to play next, every 20 ms. It reads no clock and decodes nothing.

Two clocks meet here: the sender's, in timestamps, and ours. A packet's transit is its arrival on our
clock minus its timestamp on the sender's; only differences of transits mean anything. The play-out
delay is how far the cursor, the timestamp to be played next, lies behind the quickest packet of the
last seconds. It is held above the jitter that nearly all packets keep to: too shallow, and a frame is
concealed without moving the cursor; too deep, and a frame is left out, in a pause if there is one.

All media times are samples at 48 kHz, the RTP clock of Opus (RFC 7587 §4.1); `now` is nanoseconds.
"""

from collections import deque
from dataclasses import dataclass

from wephone.media.audio import FRAME
from wephone.media.opus import has_copy, packet_samples

START = 2 * FRAME  # held back at first: the second and third may come 40 ms late, as on a busy machine
LEAST = 480  # samples, 10 ms: what a socket and an event loop on an idle machine need
MOST = 14_400  # samples, 300 ms: beyond this, conceal rather than talk past each other
SLACK = 2 * FRAME  # how much too deep is still well
HISTORY = 250  # packets, 5 s, whose transits are remembered
QUICK = 0.98  # the share of packets that the delay is meant to wait for
LOSSY = 500  # packets, 10 s: after a loss keep one frame more, as FEC comes with the next packet
PATIENCE = 25  # ticks too deep before speech itself loses a frame
CAPACITY = 50  # packets: 1 s
REORDER = 500  # packets, 10 s: what comes later than that counts as lost
STRAY = 96_000  # samples, 2 s: a timestamp further off than this is another clock's
GRAIN = 120  # samples, 2.5 ms: libopus conceals no less
FADE = 10  # frames of concealment in a row, then silence: libopus would hum on


@dataclass(frozen=True, slots=True)
class Packet:
    """What matters of an RTP packet (RFC 3550 §5.1)."""

    sequence: int  # 16 bit
    timestamp: int  # 32 bit
    payload: bytes
    source: int = 0  # SSRC


@dataclass(frozen=True, slots=True)
class Decode:
    """Play this packet."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Recover:
    """A packet is lost, and the one after it is here: it may hold a copy."""

    following: bytes
    samples: int


@dataclass(frozen=True, slots=True)
class Conceal:
    """Nothing to play now: make up what it may have sounded like."""

    samples: int = FRAME


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing to play for long: be quiet."""

    samples: int = FRAME


Step = Decode | Recover | Conceal | Silence


@dataclass(slots=True)
class Counts:
    """Since the call began. `lost` is the network's; `late` came, but after their turn."""

    received: int = 0
    lost: int = 0
    late: int = 0
    duplicate: int = 0
    played: int = 0  # packets decoded
    recovered: int = 0  # frames from the FEC copy in the packet after
    concealed: int = 0  # frames of 20 ms made up, whether lost, late or stretched; recovered ones are not
    skipped: int = 0  # packets left out because the delay had grown
    restarts: int = 0  # times the sender's clock became another
    delay: int = 0  # samples between the quickest arrival and play-out, at the last packet
    jitter: float = 0.0  # samples, of interarrival (RFC 3550 §6.4.1)


def signed(difference: int, bits: int) -> int:
    """A difference of two wrapping counters, as the nearest signed number."""
    half = 1 << (bits - 1)
    return ((difference + half) & ((1 << bits) - 1)) - half


def in_samples(nanoseconds: int) -> int:
    return nanoseconds * 48 // 1_000_000


class JitterBuffer:
    """Packets in as they come, one step out whenever 20 ms of sound are wanted."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._held: dict[int, tuple[int, bytes]] = {}  # sequence -> timestamp, payload; both unwrapped
        self._source: int | None = None
        self._stray: Packet | None = None
        self._reset()

    def _reset(self) -> None:
        self._held.clear()
        self._transits: deque[int] = deque(maxlen=HISTORY)
        self._quickest = 0
        self._jitter = 0
        self._transit: int | None = None  # of the last packet
        self._first = 0  # when the first packet came, samples of our clock
        self._sequence: int | None = None  # highest so far
        self._timestamp = 0  # of that packet
        self._cursor: int | None = None  # timestamp to be played next; none before the first
        self._played = 0  # sequence last played or given up
        self._missing: set[int] = set()  # sequences not seen, of the last ones
        self._waited = 0  # samples concealed while there was nothing at all
        self._lossy_until = 0
        self._too_deep = 0
        self._since_stretch = 0

    def __len__(self) -> int:
        return len(self._held)

    @property
    def target(self) -> int:
        """The least play-out delay that suits what the network did lately, samples."""
        lossy = FRAME if (self._sequence or 0) < self._lossy_until else 0
        return min(MOST, max(LEAST, self._jitter) + lossy)

    def insert(self, packet: Packet, now: int) -> None:
        """Take in a packet that has just come. Any bytes may come: what does not fit is dropped."""
        length = packet_samples(packet.payload)
        if not length:
            return
        arrival = in_samples(now)
        if self._source != packet.source:
            self._begin(packet, arrival)
        elif self._is_stray(packet, arrival):
            before, self._stray = self._stray, packet
            if before is None or not follows(packet, before):
                return
            self._begin(packet, arrival)  # two in a row: the sender's clock has changed (RFC 3550 §A.1)
        self._stray = None
        self._keep(packet, arrival)

    def forget(self) -> None:
        """Start anew with the next packet, whatever it is."""
        self._reset()
        self._source = None

    def _begin(self, packet: Packet, arrival: int) -> None:
        if self._source is not None:
            self.counts.restarts += 1
        self._reset()
        self._source = packet.source
        self._first = arrival
        self._sequence = packet.sequence - 1
        self._timestamp = packet.timestamp

    def _is_stray(self, packet: Packet, arrival: int) -> bool:
        timestamp = self._timestamp + signed(packet.timestamp - self._timestamp, 32)
        if not self._transits:
            return False
        return abs(arrival - timestamp - self._quickest) > STRAY

    def _keep(self, packet: Packet, arrival: int) -> None:
        assert self._sequence is not None  # `_begin` came first
        step = signed(packet.sequence - self._sequence, 16)
        sequence = self._sequence + step
        timestamp = self._timestamp + signed(packet.timestamp - self._timestamp, 32)
        if step > 0:
            self._sequence, self._timestamp = sequence, timestamp
            self._miss(sequence, step - 1)
        elif sequence in self._missing:
            self._missing.discard(sequence)  # it came after all
            self.counts.lost -= 1
        else:
            self.counts.duplicate += 1
            return
        self.counts.received += 1
        self._learn(arrival - timestamp)
        if self._cursor is not None and (timestamp < self._cursor or sequence <= self._played):
            self.counts.late += 1
            return
        self._held[sequence] = (timestamp, packet.payload)
        while len(self._held) > CAPACITY:
            del self._held[min(self._held)]
            self.counts.skipped += 1

    def _miss(self, sequence: int, missing: int) -> None:
        """So many before this one have not come yet; the network may only have changed their order."""
        if missing:
            self.counts.lost += missing
            self._missing.update(range(sequence - min(missing, REORDER), sequence))
            self._lossy_until = sequence + LOSSY
        if len(self._missing) > 2 * REORDER:
            self._missing = {each for each in self._missing if each > sequence - REORDER}

    def _learn(self, transit: int) -> None:
        if self._transit is not None:
            self.counts.jitter += (abs(transit - self._transit) - self.counts.jitter) / 16
        self._transit = transit
        self._transits.append(transit)
        ordered = sorted(self._transits)
        self._quickest = ordered[0]
        self._jitter = ordered[int(QUICK * (len(ordered) - 1))] - ordered[0]

    @property
    def begins(self) -> int | None:
        """When to ask for the first step, nanoseconds; none before the first packet."""
        return (self._first + START) * 1_000_000 // 48 if self._held or self._cursor is not None else None

    def next(self, now: int, unplayed: int = 0, pause: bool = False) -> Step:
        """What to play next.

        `unplayed`: samples given out by earlier steps and not yet due. `pause`: the sound last
        played was so soft that a frame more or less goes unnoticed.
        """
        if self._cursor is None:
            if not self._held:
                return Silence()
            self._start()
        assert self._cursor is not None
        self._since_stretch += 1
        if not self._held:
            return self._dry()
        self._credit()
        delay = self.counts.delay = in_samples(now) - self._quickest - self._cursor + unplayed
        if self._should_stretch(delay, pause):
            self._since_stretch = 0
            self.counts.concealed += 1
            return Conceal()
        if self._should_skip(delay, pause):
            self._skip()
        return self._play() if self._held else self._dry()

    def _start(self) -> None:
        first = min(self._held)
        self._cursor = self._held[first][0]
        self._played = first - 1

    def _dry(self) -> Step:
        """Nothing is here. Whether this is loss, delay or a pause of the sender shows later."""
        self._waited += FRAME
        return Conceal() if self._waited <= FADE * FRAME else Silence()

    def _credit(self) -> None:
        """Something is here again: what was concealed meanwhile stands for what never came."""
        assert self._cursor is not None
        if not self._waited:
            return
        head = min(self._held)
        gap = max(0, self._held[head][0] - self._cursor)
        paused = head == self._played + 1 and gap > 0  # nothing missing: the sender was silent (DTX)
        if not paused:
            self.counts.concealed += min(self._waited // FRAME, FADE)
        self._cursor += min(self._waited, gap)
        self._waited = 0

    def _should_stretch(self, delay: int, pause: bool) -> bool:
        short = self.target - delay
        return short > 0 and (pause or short >= FRAME) and self._since_stretch > 5

    def _should_skip(self, delay: int, pause: bool) -> bool:
        deep = delay - self.target - SLACK
        self._too_deep = self._too_deep + 1 if deep > 0 else 0
        return deep > 0 and (pause or deep > MOST or self._too_deep > PATIENCE)

    def _skip(self) -> None:
        """Leave out the next packet, and come back for more after 10 ticks: a tenth faster."""
        head = min(self._held)
        timestamp, payload = self._held.pop(head)
        self._cursor = timestamp + packet_samples(payload)
        self._played = head
        self._too_deep -= 10
        self.counts.skipped += 1

    def _play(self) -> Step:
        assert self._cursor is not None
        head = min(self._held)
        timestamp, payload = self._held[head]
        gap = timestamp - self._cursor
        if gap <= 0:
            del self._held[head]
            self._cursor = timestamp + packet_samples(payload)
            self._played = head
            self.counts.played += 1
            return Decode(payload)
        if head == self._played + 1:  # the sender was silent: its next packet has its time
            samples = min(FRAME, gap)
            self._cursor += samples
            return Silence(samples)
        samples = min(FRAME, -(-gap // GRAIN) * GRAIN)
        self._cursor += samples
        if samples < gap or not has_copy(payload):
            self.counts.concealed += 1
            return Conceal(samples)
        self.counts.recovered += 1
        return Recover(payload, samples)


def follows(packet: Packet, before: Packet) -> bool:
    """Is this the packet right after that one?"""
    step = signed(packet.timestamp - before.timestamp, 32)
    return signed(packet.sequence - before.sequence, 16) == 1 and 0 < step <= STRAY
