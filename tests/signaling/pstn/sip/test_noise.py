"""Random bytes are given once each, and the source is seldom asked."""

from signaling.pstn.sip.noise import PAGE, Noise


def test_each_byte_is_given_once_and_the_source_is_asked_a_page_at_a_time() -> None:
    asked: list[int] = []

    def source(count: int) -> bytes:
        asked.append(count)
        return bytes([len(asked)]) + b"." * (count - 1)

    noise = Noise(source)
    assert noise(2) == b"\x01."
    assert all(noise(16) == b"." * 16 for _ in range(PAGE // 16 - 1))
    assert asked == [PAGE]
    assert noise(16)[:1] == b"\x02"
    assert len(noise(3 * PAGE)) == 3 * PAGE
    assert asked == [PAGE, PAGE, 3 * PAGE]
