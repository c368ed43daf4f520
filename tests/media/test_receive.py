"""Speech over a bad network, on paper: what the buffer and libopus make of it, against a plain decoder."""

import asyncio

import numpy as np
import pytest

from tests.media.ends import until
from tests.media.network import BASE, Network, packets, played
from wephone.media.audio import FRAME, RATE, Samples, silence
from wephone.media.devices import Ear, Tone
from wephone.media.jitter import Packet
from wephone.media.opus import Decoder
from wephone.media.receive import Incoming, Playout
from wephone.media.score import heard


def plainly_decoded(arrivals: list[tuple[int, Packet]], sent: list[Packet]) -> Samples:
    """What a decoder gives that leaves a hole where a packet is lost."""
    decoder = Decoder()
    here = {packet.sequence for _, packet in arrivals}
    frames = [decoder.decode(each.payload) if each.sequence in here else silence() for each in sent]
    return np.concatenate(frames)


def test_a_good_network_costs_nothing(alice: Samples) -> None:
    playout = Playout()
    score = heard(alice, played(playout, Network().arrivals(packets(alice))))
    assert score.stoi > 0.97
    counts = playout.counts
    assert (counts.lost, counts.late, counts.concealed, counts.recovered, counts.skipped) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("network", "least"),
    [
        (Network(loss=0.02), 0.97),
        (Network(loss=0.05), 0.95),
        (Network(loss=0.1), 0.92),
        (Network(loss=0.2), 0.85),
        (Network(loss=0.1, burst=3), 0.85),
        (Network(jitter=20), 0.95),
        (Network(delay=60, jitter=50), 0.92),
        (Network(loss=0.05, jitter=20), 0.92),
        (Network(repeat=0.3, jitter=10), 0.95),
    ],
    ids=str,
)
def test_speech_stays_intelligible(alice: Samples, bob: Samples, network: Network, least: float) -> None:
    said = np.concatenate((alice, bob, alice))
    playout = Playout()
    score = heard(said, played(playout, network.arrivals(packets(said))))
    assert score.stoi >= least, (score, playout.counts)
    assert abs(score.level) < 3.0


@pytest.mark.parametrize("loss", [0.05, 0.1, 0.2])
def test_concealment_is_better_than_holes(alice: Samples, bob: Samples, loss: float) -> None:
    said = np.concatenate((alice, bob))
    sent = packets(said)
    arrivals = Network(loss=loss).arrivals(sent)
    playout = Playout()
    ours, plain = heard(said, played(playout, arrivals)), heard(said, plainly_decoded(arrivals, sent))
    assert 1 - ours.stoi < 0.6 * (1 - plain.stoi), (ours, plain)
    assert ours.lost < 0.5 * plain.lost + 0.01
    assert playout.counts.recovered > playout.counts.concealed  # more by FEC copies than by guesses


def test_the_delay_stays_near_what_the_network_needs(alice: Samples) -> None:
    playout = Playout()
    played(playout, Network(loss=0.05, jitter=10).arrivals(packets(np.concatenate([alice] * 4))))
    assert playout.counts.delay / 48 < 120  # ms; stock aiortc stays at 280 after the first loss


def test_packets_of_other_lengths_fill_the_same_frames(alice: Samples) -> None:
    """A far end may send 40 ms a packet; here two frames are joined as one packet (RFC 6716 §3.2.2)."""
    sent = []
    for index, (one, two) in enumerate(zip(*[iter(packets(alice))] * 2, strict=False)):
        first, second = one.payload, two.payload
        size = (
            bytes([len(first)])
            if len(first) < 252
            else bytes([252 + len(first) % 4, (len(first) - 252) // 4])
        )
        joined = bytes([first[0] | 2]) + size + first[1:] + second[1:]
        size = bytes([len(first) - 1])
        joined = bytes([first[0] & 0xFC | 2]) + size + first[1:] + second[1:]
        if first[0] == second[0] and len(first) < 252:
            sent.append(Packet(index, one.timestamp, joined, 1))
        else:
            sent.append(Packet(index, one.timestamp, first, 1))
    arrivals = [(BASE + index * 40_000_000, each) for index, each in enumerate(sent)]
    playout = Playout()
    sound = played(playout, arrivals)
    assert heard(alice, sound).stoi > 0.8
    assert sound.size % FRAME == 0


async def test_what_is_heard_lies_where_it_belongs_in_time() -> None:
    ear = Ear()
    first = asyncio.Event()
    incoming = Incoming(first.set, pytest.fail, pytest.fail)
    incoming.start(ear)
    incoming.listen(True)
    await asyncio.sleep(0.1)
    tone = Tone(440)
    frames = [tone.read() for _ in range(10)]
    for packet in packets(np.concatenate([frame for frame in frames if frame is not None])):
        incoming.add(RtpPacket(packet))
    await first.wait()
    await until(lambda: ear.length > RATE // 4)
    await incoming.stop()
    assert not ear.heard[: RATE // 10].any()  # nothing was said in the first 100 ms
    assert ear.heard.any()


class RtpPacket:
    """As aiortc hands it over."""

    def __init__(self, packet: Packet) -> None:
        self.sequence_number, self.timestamp = packet.sequence, packet.timestamp
        self.payload, self.ssrc = packet.payload, packet.source


async def test_before_the_start_and_on_hold_packets_are_dropped(alice: Samples) -> None:
    incoming = Incoming(lambda: None, pytest.fail, pytest.fail)
    sent = packets(alice)
    assert incoming.add(RtpPacket(sent[0])) == (False, None)
    assert incoming.counts.received == 0
    incoming.listen(True)
    incoming.add(RtpPacket(sent[1]))
    incoming.listen(False)
    incoming.add(RtpPacket(sent[2]))
    assert incoming.counts.received == 1
    await incoming.stop()


def test_garbage_that_claims_to_be_opus_is_silence_and_no_error(alice: Samples) -> None:
    playout = Playout()
    sent = packets(alice)[:60]
    spoiled = [
        Packet(each.sequence, each.timestamp, bytes([31 << 3 | 3, 255]) if index % 3 else each.payload, 1)
        for index, each in enumerate(sent)
    ]
    arrivals = [(BASE + index * 20_000_000, each) for index, each in enumerate(spoiled)]
    assert played(playout, arrivals).size > 0
