"""A session can be resumed from any event it still holds, and from no other."""

import json

from signaling.core.replay import MAX_BYTES, MAX_EVENTS, Replay


def numbers(frames: list[bytes] | None) -> list[int] | None:
    """The event numbers in these frames."""
    return None if frames is None else [json.loads(frame)["n"] for frame in frames]


def test_events_are_counted_from_one() -> None:
    replay = Replay()
    assert replay.number(b'{"type":"x"}') == b'{"type":"x","n":1}'
    assert replay.number(b'{"type":"x"}') == b'{"type":"x","n":2}'


def test_what_was_not_acknowledged_comes_again() -> None:
    replay = Replay()
    for _ in range(5):
        replay.number(b'{"a":1}')
    assert replay.acknowledge(2)
    assert numbers(replay.after(2)) == [3, 4, 5]
    assert numbers(replay.after(4)) == [5]
    assert numbers(replay.after(5)) == []


def test_an_acknowledgement_of_the_future_is_refused() -> None:
    replay = Replay()
    replay.number(b'{"a":1}')
    assert not replay.acknowledge(2)
    assert replay.after(2) is None


def test_a_device_that_saw_less_than_we_hold_cannot_resume() -> None:
    replay = Replay()
    for _ in range(MAX_EVENTS + 1):
        replay.number(b'{"a":1}')
    assert replay.after(0) is None
    assert numbers(replay.after(1)) == list(range(2, MAX_EVENTS + 2))


def test_large_events_are_bounded_by_bytes() -> None:
    replay = Replay()
    for _ in range(4):
        replay.number(b'{"a":"' + b"x" * (MAX_BYTES // 3) + b'"}')
    assert replay.after(1) is None
    assert numbers(replay.after(2)) == [3, 4]
