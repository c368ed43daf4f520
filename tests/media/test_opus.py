"""libopus by ctypes: what goes in comes out, what is lost is made up, what is senseless is refused."""

import numpy as np
import pytest

from wephone.media import opus
from wephone.media.audio import FRAME, Samples, silence
from wephone.media.errors import CodecError
from wephone.media.score import heard


def encoded(samples: Samples) -> list[bytes]:
    """The packets of some speech."""
    encoder = opus.Encoder()
    count = samples.size // FRAME
    return [encoder.encode(samples[index * FRAME : (index + 1) * FRAME]) for index in range(count)]


def test_speech_survives_the_codec(alice: Samples) -> None:
    packets, decoder = encoded(alice), opus.Decoder()
    score = heard(alice, np.concatenate([decoder.decode(packet) for packet in packets] + [silence(FRAME)]))
    assert score.stoi > 0.97
    assert abs(score.level) < 1.0


def test_a_voice_takes_about_32_kilobits_a_second(alice: Samples) -> None:
    packets = encoded(alice)
    bits = sum(len(packet) for packet in packets) * 8 / (len(packets) * 0.02)
    assert 20_000 < bits < 36_000
    assert {opus.packet_samples(packet) for packet in packets} == {FRAME}


def test_most_packets_carry_a_copy_of_the_one_before(alice: Samples) -> None:
    packets = encoded(alice)
    assert sum(map(opus.has_copy, packets)) > len(packets) / 2


def test_the_copy_is_closer_to_what_was_said_than_a_guess(alice: Samples) -> None:
    packets = encoded(alice)
    recovering, guessing, original = opus.Decoder(), opus.Decoder(), opus.Decoder()
    whole = np.concatenate([original.decode(packet) for packet in packets])
    recovered, guessed = [], []
    for index, packet in enumerate(packets):
        lost = index % 5 == 3 and index + 1 < len(packets)
        if lost:
            recovered.append(recovering.recover(packets[index + 1], FRAME))
            guessed.append(guessing.conceal(FRAME))
        else:
            recovered.append(recovering.decode(packet))
            guessed.append(guessing.decode(packet))
    error = [np.mean((np.concatenate(each) - whole.astype(float)) ** 2) for each in (recovered, guessed)]
    assert error[0] < 0.7 * error[1]


def test_what_is_no_opus_is_refused_and_the_decoder_goes_on(alice: Samples) -> None:
    packets, decoder = encoded(alice), opus.Decoder()
    decoder.decode(packets[0])
    for garbage in (b"\xff", b"\xff\xff\xff", bytes([3, 255]) + bytes(50)):
        with pytest.raises(CodecError):
            decoder.decode(garbage)
    assert decoder.decode(packets[1]).size == FRAME


@pytest.mark.parametrize(
    ("first", "samples"),
    [
        (bytes([0 << 3]), 480),
        (bytes([1 << 3]), 960),
        (bytes([3 << 3 | 1]), 5760),
        (bytes([13 << 3]), 960),
        (bytes([16 << 3]), 120),
        (bytes([31 << 3 | 3, 3]), 2880),
        (bytes([31 << 3 | 3, 7]), 0),  # 140 ms: too long
        (bytes([31 << 3 | 3]), 0),
        (b"", 0),
    ],
)
def test_the_length_of_a_packet_is_read_from_its_first_bytes(first: bytes, samples: int) -> None:
    assert opus.packet_samples(first) == samples


def test_an_encoder_takes_whole_frames_only() -> None:
    with pytest.raises(CodecError, match="960 samples"):
        opus.Encoder().encode(silence(480))


def test_without_any_libopus_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opus, "libraries", lambda: ["/nowhere/libopus.so"])
    opus.library.cache_clear()
    try:
        with pytest.raises(CodecError, match="no libopus"):
            opus.Decoder()
    finally:
        opus.library.cache_clear()


def test_the_library_comes_with_pyav() -> None:
    assert "av.libs" in opus.libraries()[0] or ".dylibs" in opus.libraries()[0]
    assert opus.version().startswith("libopus 1.")
