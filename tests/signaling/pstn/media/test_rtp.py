"""Packets, their numbers, reports about them, and sound on its way from one codec to the other."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from signaling.pstn.media import g711, rtp
from signaling.pstn.media.reports import Reports, packets
from signaling.pstn.media.rtp import FRAME, Format, Hears, Packet, Stream
from signaling.pstn.media.transcode import FromOpus, ToOpus
from signaling.pstn.media.way import Way
from wephone.media import keys
from wephone.media.audio import Samples
from wephone.media.opus import Encoder

MS = 1_000_000
SECOND = 1000 * MS
PCMU = Format("PCMU", 8_000)
HEARS = Hears(PCMU, 0, 101)


def packet(sequence: int, timestamp: int, source: int = 9, payload: bytes = b"\x00" * FRAME) -> Packet:
    return Packet(0, False, sequence % 2**16, timestamp % 2**32, source, payload)


def tone(samples: int = FRAME, rate: int = 8_000) -> Samples:
    return np.asarray(8_000 * np.sin(np.arange(samples) * 2 * np.pi * 400 / rate), dtype=np.int16)


@given(st.binary(max_size=80))
def test_any_datagram_is_a_packet_or_none(data: bytes) -> None:
    read = rtp.parse(data)
    assert read is None or len(read.payload) <= len(data) - rtp.LEAST


def test_extensions_contributors_and_padding_are_not_sound() -> None:
    head = rtp.HEADER.pack(0x80 | 0x20 | 0x10 | 2, 0, 1, 2, 3)
    read = rtp.parse(head + bytes(8) + b"\xbe\xde\x00\x01" + b"extn" + b"sound" + b"\x00\x02")
    assert read is not None
    assert read.payload == b"sound"


def test_gaps_and_order_are_passed_on() -> None:
    stream = Stream(1, 65_530, 2**32 - 100)
    numbers = [stream.relay(packet(n, n * 160), 8_000, n * 20 * MS) for n in (10, 11, 14, 13)]
    sequences = [(sequence - 65_530) % 2**16 for sequence, _ in numbers]
    assert sequences == [0, 1, 4, 3]
    assert [(timestamp - numbers[0][1]) % 2**32 for _, timestamp in numbers] == [0, 160, 640, 480]


def test_another_source_goes_on_where_the_last_one_was_by_the_clock() -> None:
    stream = Stream(1, 100, 5_000)
    stream.relay(packet(7, 70_000), 8_000, 0)
    sequence, timestamp = stream.relay(packet(60_000, 9, source=4), 8_000, SECOND)
    assert sequence == 101
    assert timestamp == 5_000 + 8_000


def test_a_made_packet_and_a_passed_one_never_share_a_number() -> None:
    stream = Stream(1, 100, 0)
    first = stream.relay(packet(7, 0), 8_000, 0)
    made = stream.make(160, 20 * MS)
    again = stream.relay(packet(8, 160), 8_000, 40 * MS)
    assert [number for number, _ in (first, made, again)] == [100, 101, 102]
    assert [timestamp for _, timestamp in (first, made, again)] == [0, 160, 320]


def test_a_key_is_one_moment_and_sound_goes_on_after_it() -> None:
    pressed: list[str] = []
    way = Way(Stream(1, 0, 0), pressed.append)
    way.set_hearer(HEARS)
    way.pass_on(packet(1, 1_000), PCMU, 0)
    event = Format("events", 8_000)
    made = []
    for number, over in enumerate((0, 0, 0x80, 0x80)):
        payload = bytes((5, over | 10)) + (160 * min(number + 1, 3)).to_bytes(2)
        made += way.pass_on(packet(2 + number, 1_160, payload=payload), event, (20 + 20 * number) * MS)
    after = way.pass_on(packet(6, 1_640), PCMU, 100 * MS)
    read = [rtp.parse(data) for data in (*made, *after)]
    assert all(read)
    assert pressed == ["5"]
    assert [each.timestamp for each in read if each] == [160, 160, 160, 160, 160 + 480]
    assert [each.sequence for each in read if each] == [1, 2, 3, 4, 5]
    assert [each.marker for each in read if each] == [True, False, False, False, False]


def test_a_key_stays_one_key_with_sound_between_its_packets() -> None:
    """As baresip sends it."""
    pressed: list[str] = []
    way = Way(Stream(1, 0, 0), pressed.append)
    way.set_hearer(HEARS)
    event, made = Format("events", 8_000), []
    for number, over in enumerate((0, 0, 0x80)):
        payload, at = bytes((5, over | 10)) + (160 * (number + 1)).to_bytes(2), 20 * number * MS
        made += way.pass_on(packet(2 * number, 0, payload=payload), event, at)
        made += way.pass_on(packet(2 * number + 1, 160 * number), PCMU, at)
    read = [each for data in made if (each := rtp.parse(data))]
    assert pressed == ["5"]
    assert [each.sequence for each in read] == list(range(6))
    keys_at, sound_at = ([each.timestamp for each in read if each.payload_type == kind] for kind in (101, 0))
    assert keys_at == [0, 0, 0]
    assert [later - earlier for earlier, later in pairwise(sound_at)] == [160, 160]


def test_keys_are_no_lost_sound() -> None:
    reports = Reports("us@here")
    for number in range(6):
        reports.reception.count(packet(number, 0), None if number % 2 else 8_000, 20 * number * MS)
    assert (reports.reception.received, reports.reception.lost) == (6, 0)


def test_a_key_keeps_its_length_under_another_clock() -> None:
    way = Way(Stream(1, 0, 0), lambda digit: None)
    way.set_hearer(HEARS)
    (data,) = way.pass_on(
        packet(1, 0, payload=bytes(keys.KeyEvent("1", True, 10, 4_800))), Format("events", 48_000), 0
    )
    read = rtp.parse(data)
    assert read is not None
    assert keys.parse(read.payload) == keys.KeyEvent("1", True, 10, 800)


def test_lost_opus_packets_are_made_up_for() -> None:
    encoder = Encoder(rate=8_000)
    sound = tone(20 * FRAME)
    said = [encoder.encode(sound[n * FRAME : (n + 1) * FRAME]) for n in range(20)]
    decoder, frames = FromOpus(), []
    for number, payload in enumerate(said):
        if number not in (8, 12, 13):
            _, made = decoder.take(packet(number, number * 960, payload=payload))
            frames += made
    assert len(frames) == 20
    assert all(np.abs(frame).max() > 2_000 for frame in frames[2:])


def test_late_and_repeated_opus_packets_are_left_out() -> None:
    payload = Encoder(rate=8_000).encode(tone())
    decoder = FromOpus()
    counts = [len(decoder.take(packet(n, n * 960, payload=payload))[1]) for n in (1, 3, 2, 3, 4)]
    assert counts == [1, 2, 0, 0, 1]


def test_what_is_no_opus_costs_only_itself() -> None:
    way = Way(Stream(1, 0, 0), lambda digit: None)
    way.set_hearer(HEARS)
    opus = Format("opus", 48_000)
    assert way.pass_on(packet(1, 0, payload=b""), opus, 0) == []
    assert way.pass_on(packet(2, 960, payload=b"\xff\xff\xff"), opus, 0) == []
    assert len(way.pass_on(packet(3, 1920, payload=Encoder(rate=8_000).encode(tone())), opus, 0)) == 1


def test_trunks_that_send_other_lengths_are_put_into_frames_of_20_ms() -> None:
    coder = ToOpus()
    law = g711.encode("PCMU", tone(480))
    counts = [
        len(coder.take(packet(n, n * 240, payload=law[:240]), "PCMU")[2]) for n in range(4)
    ]  # 30 ms each
    assert counts == [1, 2, 1, 2]


def test_frames_that_a_trunk_lost_are_gaps_in_the_numbers_of_opus() -> None:
    way = Way(Stream(1, 0, 0), lambda digit: None)
    way.set_hearer(Hears(Format("opus", 48_000), 111, None))
    made = [way.pass_on(packet(n, n * 160), PCMU, n * 20 * MS) for n in (1, 2, 5)]
    read = [rtp.parse(data) for datagrams in made for data in datagrams]
    assert [each.sequence for each in read if each] == [0, 1, 4]
    assert [each.timestamp for each in read if each] == [0, 960, 3_840]


def test_both_laws_are_their_own_inverse_and_near_each_other() -> None:
    every = bytes(range(256))
    for law, other in (("PCMU", "PCMA"), ("PCMA", "PCMU")):
        sound = g711.decode(law, every)
        assert np.array_equal(g711.decode(law, g711.encode(law, sound)), sound)
        converted = g711.decode(other, g711.convert(law, other, every)).astype(int)
        assert np.all(np.abs(converted - sound) <= np.maximum(64, np.abs(sound.astype(int)) // 16))


def test_two_sides_tell_each_other_what_was_lost_and_how_long_it_takes() -> None:
    ours, theirs = Reports("a"), Reports("b")
    out, back = Stream(1, 0, 0), Stream(2, 0, 0)
    for number in range(10):
        made = out.pack(0, False, number, number * 160, b"\x00" * FRAME)
        read = rtp.parse(made)
        assert read is not None
        if number != 4:
            theirs.reception.count(read, 8_000, number * 20 * MS)
    utc = 1_764_000_000 * SECOND
    assert theirs.came(ours.ours(out, 8_000, utc, 0), back, utc, 0)
    assert ours.came(theirs.ours(back, 8_000, utc + 500 * MS, 500 * MS), out, utc + 530 * MS, 530 * MS)
    assert theirs.reception.lost == ours.reported_lost == 1
    assert ours.round_trip is not None
    assert abs(ours.round_trip - 0.03) < 0.001
    kinds = [kind for kind, _, _ in packets(ours.goodbye(out, 8_000, utc, SECOND))]
    assert kinds == [200, 202, 203]


@given(st.binary(max_size=120))
def test_any_datagram_is_a_report_or_none(data: bytes) -> None:
    Reports("a").came(data, Stream(1, 0, 0), 0, 0)
