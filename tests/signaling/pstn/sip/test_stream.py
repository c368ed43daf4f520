"""SIP on a stream is cut where its messages end, however it arrives."""

import pytest

from signaling.pstn.sip.message import parse
from signaling.pstn.sip.problem import SipError
from signaling.pstn.sip.stream import Stream
from tests.signaling.pstn.sip.samples import options

FIRST = options("Content-Length: 5") + b"ab\r\nc"
SECOND = options("l : 0")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_messages_come_out_whole_whatever_the_pieces(size: int) -> None:
    data = b"\r\n" + FIRST + b"\r\n\r\n" + SECOND + b"\r\n\r\n\r\n\r\n" + FIRST
    stream = Stream()
    found = [message for at in range(0, len(data), size) for message in stream.feed(data[at : at + size])]
    assert found == [FIRST, SECOND, FIRST]
    assert stream.pings == 3
    assert [parse(message).body for message in found] == [b"ab\r\nc", b"", b"ab\r\nc"]


def test_without_one_content_length_nobody_knows_where_the_next_message_begins() -> None:
    for data in (options(), options("Content-Length: 1", "l: 2"), options("Content-Length: x")):
        with pytest.raises(SipError):
            list(Stream().feed(data))


def test_what_came_before_a_message_without_an_end_is_heard() -> None:
    messages = Stream().feed(FIRST + options())
    assert next(messages) == FIRST
    with pytest.raises(SipError):
        next(messages)


def test_a_stream_holds_no_more_than_one_message() -> None:
    with pytest.raises(SipError):
        list(Stream().feed(options("Content-Length: 70000")))
    stream = Stream()
    with pytest.raises(SipError):
        for _ in range(70):
            list(stream.feed(b"X" * 1000))
