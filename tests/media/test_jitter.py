"""The jitter buffer decides what to play, from packets and times alone."""

import random

from tests.media.network import BASE, MILLISECOND
from wephone.media.audio import FRAME, FRAME_NS
from wephone.media.jitter import MOST, Conceal, Decode, JitterBuffer, Packet, Silence, Step

TICK = FRAME_NS
PAYLOAD = bytes([31 << 3]) + bytes(30)  # 20 ms of CELT, without a copy of anything


def packet(number: int, *, payload: bytes = PAYLOAD, source: int = 1, timestamp: int | None = None) -> Packet:
    """The n-th packet of a stream that wraps both counters soon."""
    at = number * FRAME if timestamp is None else timestamp
    return Packet(
        (65_530 + number) % 2**16, (2**32 - 4_800 + at) % 2**32, payload + bytes([number % 256]), source
    )


def at(number: float) -> int:
    """The time at which the n-th packet leaves."""
    return BASE + int(number * TICK)


def numbers(steps: list[Step]) -> list[int | str]:
    """Which packets were played; a letter for the rest."""
    return [step.payload[-1] if isinstance(step, Decode) else type(step).__name__[0] for step in steps]


def test_packets_are_played_in_order_a_fixed_time_after_they_left() -> None:
    buffer = JitterBuffer()
    steps = []
    for number in range(50):
        buffer.insert(packet(number), at(number))
        if number >= 2:
            steps.append(buffer.next(at(number)))
    assert numbers(steps) == list(range(48))
    assert buffer.counts.played == buffer.counts.received - 2 == 48
    assert buffer.counts.concealed == buffer.counts.lost == 0


def test_before_the_first_packet_there_is_silence_and_no_beginning() -> None:
    buffer = JitterBuffer()
    assert buffer.begins is None
    assert isinstance(buffer.next(at(0)), Silence)


def test_changed_order_is_put_right_and_is_no_loss() -> None:
    buffer = JitterBuffer()
    for number in (0, 2, 1, 4, 3):
        buffer.insert(packet(number), at(number))
    assert numbers([buffer.next(at(5 + tick)) for tick in range(5)]) == [0, 1, 2, 3, 4]
    assert (buffer.counts.lost, buffer.counts.duplicate) == (0, 0)


def test_what_comes_twice_is_played_once() -> None:
    buffer = JitterBuffer()
    for number in range(5):
        for _ in range(3):
            buffer.insert(packet(number), at(number))
    assert numbers([buffer.next(at(5 + tick)) for tick in range(5)]) == [0, 1, 2, 3, 4]
    buffer.insert(packet(1), at(10))
    assert buffer.counts.duplicate == 11
    assert buffer.counts.lost == 0


def test_a_hole_is_concealed_and_what_follows_keeps_its_time() -> None:
    buffer = JitterBuffer()
    for number in range(10):
        if number not in (4, 5):
            buffer.insert(packet(number), at(number))
    assert numbers([buffer.next(at(10 + tick)) for tick in range(10)]) == [0, 1, 2, 3, "C", "C", 6, 7, 8, 9]
    assert (buffer.counts.lost, buffer.counts.concealed) == (2, 2)


def test_what_comes_after_its_turn_is_late_and_not_lost() -> None:
    buffer = JitterBuffer()
    steps = []
    for number in range(12):
        if number != 5:
            buffer.insert(packet(number), at(number))
        if number == 10:
            buffer.insert(packet(5), at(number))
        if number >= 2:
            steps.append(buffer.next(at(number)))
    assert numbers(steps)[:6] == [0, 1, 2, 3, 4, "C"]
    assert (buffer.counts.lost, buffer.counts.late) == (0, 1)


def test_a_network_that_becomes_slower_is_waited_for_and_nothing_is_left_out() -> None:
    buffer = JitterBuffer()
    arrivals = [(at(n) + (100 * MILLISECOND if n >= 50 else 0), packet(n)) for n in range(150)]
    steps = run(buffer, arrivals, 160)
    heard = [each for each in numbers(steps) if not isinstance(each, str)]
    assert heard == list(range(150))
    assert 1 <= buffer.counts.concealed <= 6


def test_a_delay_that_is_no_longer_needed_shrinks_in_pauses() -> None:
    buffer = JitterBuffer()
    arrivals = [(at(n) + (200 * MILLISECOND if 20 <= n < 40 else 0), packet(n)) for n in range(600)]
    run(buffer, sorted(arrivals, key=lambda each: each[0]), 600, pause=True)
    assert buffer.counts.delay <= buffer.target + 3 * FRAME


def test_after_the_worst_of_networks_the_delay_comes_back() -> None:
    buffer = JitterBuffer()
    dice = random.Random(3)
    wild = [(at(n) + dice.randrange(800) * MILLISECOND, packet(n)) for n in range(500)]
    run(buffer, sorted(wild, key=lambda each: each[0]), 480)
    assert buffer.target <= MOST
    calm = [(at(n), packet(n)) for n in range(600, 1200)]
    for number, (due, each) in enumerate(calm):
        buffer.insert(each, due)
        buffer.next(due)
        if number > 450:
            assert buffer.counts.delay <= buffer.target + 4 * FRAME


def test_a_clock_that_runs_fast_or_slow_is_followed() -> None:
    for drift in (1.002, 0.998):
        buffer = JitterBuffer()
        arrivals = [(at(n * drift), packet(n)) for n in range(3000)]
        run(buffer, arrivals, int(3000 * drift) - 5)
        assert buffer.counts.delay < 6 * FRAME
        assert len(buffer) < 10


def test_a_pause_of_the_sender_is_silence_and_no_loss() -> None:
    """DTX, or a hold: the sequence goes on, the timestamp jumps."""
    buffer = JitterBuffer()
    arrivals = [(at(n), packet(n)) for n in range(20)]
    arrivals += [(at(n + 50), packet(n, timestamp=(n + 50) * FRAME)) for n in range(20, 60)]
    steps = run(buffer, arrivals, 115)
    assert [each for each in numbers(steps) if not isinstance(each, str)] == list(range(60))
    assert (buffer.counts.lost, buffer.counts.concealed) == (0, 0)


def test_another_sender_or_another_clock_starts_anew() -> None:
    buffer = JitterBuffer()
    arrivals = [(at(n), packet(n)) for n in range(20)]
    arrivals += [(at(n), packet(n, source=2, timestamp=10**9 + n * FRAME)) for n in range(20, 40)]
    arrivals += [(at(n), packet(n, source=2, timestamp=2 * 10**9 + n * FRAME)) for n in range(40, 60)]
    steps = run(buffer, arrivals, 70)
    heard = [each for each in numbers(steps) if not isinstance(each, str)]
    assert heard[-15:] == list(range(45, 60))
    assert buffer.counts.restarts == 2


def test_one_stray_timestamp_disturbs_nothing() -> None:
    buffer = JitterBuffer()
    arrivals = [(at(n), packet(n, timestamp=10**9 if n == 10 else None)) for n in range(40)]
    heard = [each for each in numbers(run(buffer, arrivals, 45)) if not isinstance(each, str)]
    assert heard == [each for each in range(40) if each != 10]


def test_when_nothing_comes_for_long_it_falls_silent() -> None:
    buffer = JitterBuffer()
    steps = run(buffer, [(at(n), packet(n)) for n in range(10)], 40)
    assert numbers(steps[-15:]) == ["S"] * 15


def test_a_flood_is_bounded() -> None:
    buffer = JitterBuffer()
    for number in range(5000):
        buffer.insert(packet(number), at(0))
    assert len(buffer) <= 50


def test_any_bytes_at_any_time_break_nothing() -> None:
    dice = random.Random(11)
    buffer = JitterBuffer()
    now = BASE
    for _ in range(20_000):
        now += dice.choice((0, 1, TICK // 2, TICK, 3 * TICK, 10**10 if dice.random() < 0.001 else 0))
        payload = dice.randbytes(dice.choice((0, 1, 2, 5, 60)))
        sequence, timestamp = dice.randrange(2**16), dice.randrange(2**32)
        buffer.insert(Packet(sequence, timestamp, payload, dice.choice((1, 1, 1, 2))), now)
        step = buffer.next(now, dice.choice((0, 480)), dice.random() < 0.5)
        if isinstance(step, Conceal | Silence):
            assert 0 < step.samples <= FRAME


def run(
    buffer: JitterBuffer, arrivals: list[tuple[int, Packet]], ticks: int, *, pause: bool = False
) -> list[Step]:
    """What is played, tick by tick from the first packet on."""
    waiting, steps = list(arrivals), []
    buffer.insert(waiting[0][1], waiting.pop(0)[0])
    begins = buffer.begins
    assert begins is not None
    for tick in range(ticks):
        now = begins + tick * TICK
        while waiting and waiting[0][0] <= now:
            due, each = waiting.pop(0)
            buffer.insert(each, due)
        steps.append(buffer.next(now, 0, pause))
    return steps


def test_jitter_is_how_much_the_way_differs_from_packet_to_packet() -> None:
    even, uneven = JitterBuffer(), JitterBuffer()
    for number in range(400):
        even.insert(packet(number), at(number))
        uneven.insert(packet(number), at(number) + number % 2 * 8 * MILLISECOND)
    assert even.counts.jitter == 0
    assert abs(uneven.counts.jitter - 8 * 48) < 1  # samples of 8 ms (RFC 3550 A.8)
    uneven.insert(packet(0, source=2), at(9_000))  # another sender, whose clock is its own
    assert abs(uneven.counts.jitter - 8 * 48) < 1
