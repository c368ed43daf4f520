"""Frames from nowhere: each is read, or refused by one typed error that names what was wrong, and quickly."""

import json
import random
import time
from collections import Counter

import pytest

from signaling.core.sdp import check_sdp
from tests.protocol.frames import CALL, FINGERPRINT, GOOD, ODD, SDP, generated, mutated_sdp
from wephone.protocol.codec import PeerError, decode_client, encode
from wephone.protocol.messages import MAX_FRAME
from wephone.protocol.reasons import ErrorCode, error_text

FRAMES, ALL_FRAMES = 10_000, 1_000_000  # the fast tier, the long run
DESCRIPTIONS, ALL_DESCRIPTIONS = 5_000, 500_000
QUICK = 0.005  # seconds of this process: longer would hold up the calls of others
READ_CODES = {
    ErrorCode.MALFORMED,
    ErrorCode.UNKNOWN_TYPE,
    ErrorCode.UNKNOWN_FIELD,
    ErrorCode.BAD_VALUE,
    ErrorCode.TOO_LARGE,
    ErrorCode.TOO_MANY,
}


def test_every_good_frame_is_good() -> None:
    for frame in GOOD:
        assert json.loads(encode(decode_client(json.dumps(frame)))).items() >= frame.items()
    check_sdp(SDP)


def test_a_generated_frame_is_read_or_refused_by_one_error_that_names_the_fault(
    full_size: bool, dice: random.Random
) -> None:
    seen: Counter[str] = Counter()
    for _ in range(ALL_FRAMES if full_size else FRAMES):
        frame = generated(dice)
        try:
            message = decode_client(frame)
        except PeerError as error:
            assert error.code in READ_CODES
            assert error.text.startswith(error_text(error.code))
            assert len(error.text) < 600
            assert error.text.isprintable()
            error.text.encode()  # no lone surrogate gets back onto the wire
            seen[error.code] += 1
        else:
            assert decode_client(encode(message)) == message
            seen["read"] += 1
    assert set(seen) == {*READ_CODES, "read"}, seen


def test_a_generated_description_is_taken_or_refused_as_bad_sdp(full_size: bool, dice: random.Random) -> None:
    refused = 0
    for _ in range(ALL_DESCRIPTIONS if full_size else DESCRIPTIONS):
        sdp = mutated_sdp(dice)
        try:
            check_sdp(sdp)
        except PeerError as error:
            assert (error.code, error.field) == (ErrorCode.BAD_SDP, "sdp")
            error.text.encode()
            refused += 1
        else:
            assert FINGERPRINT in sdp
            assert "a=crypto" not in sdp
    assert 0 < refused < (ALL_DESCRIPTIONS if full_size else DESCRIPTIONS)


@pytest.mark.parametrize("odd", ODD, ids=[value[:12] for value in ODD])
def test_an_odd_value_is_refused_at_once(odd: str) -> None:
    frames = [
        f'{{"type":"ack","n":{odd}}}',
        odd,
        f'{{"type":"candidates","call":"{CALL}","candidates":{odd}}}',
    ]
    for frame in frames:
        assert min(refusal_time(frame) for _ in range(3)) < QUICK


@pytest.mark.parametrize(
    "frame",
    [
        "[" * 100_000,
        '{"a":' * 20_000,
        '"' + "x" * 1_000_000 + '"',
        json.dumps({"type": "candidates", "call": CALL, "candidates": [{"candidate": "c"}] * 50_000}),
    ],
    ids=["deep", "deep objects", "a megabyte", "50 000 candidates"],
)
def test_what_is_too_large_is_refused_before_it_is_parsed(frame: str) -> None:
    assert len(frame) > MAX_FRAME
    with pytest.raises(PeerError) as caught:
        decode_client(frame)
    assert caught.value.code is ErrorCode.TOO_LARGE
    assert min(refusal_time(frame) for _ in range(3)) < QUICK


def refusal_time(frame: str) -> float:
    """Seconds of this process that it takes to read or refuse it."""
    before = time.process_time()
    try:
        decode_client(frame)
    except PeerError:
        pass
    return time.process_time() - before
