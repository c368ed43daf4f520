"""Logs: one JSON object a line, and nothing in them that is somebody's own."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from signaling.logs import JsonLines, clean, log_to
from signaling.tokens import new_token

SDP = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """All logs of the test, as a server writes them."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    log_to(stream, "debug")
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_record_is_one_line_with_its_fields(stream: io.StringIO) -> None:
    logging.getLogger("x").info("call %s\nforged: line", "ended", extra={"calls": 3, "user": "alice"})
    [line] = lines(stream)
    assert line["message"] == "call ended\nforged: line"
    assert (line["level"], line["logger"], line["calls"], line["user"]) == ("info", "x", 3, "alice")
    assert stream.getvalue().count("\n") == 1


def test_secrets_and_descriptions_are_hidden_wherever_they_stand(stream: io.StringIO) -> None:
    token = new_token()
    log = logging.getLogger("x")
    log.info("an offer: %s", SDP)
    log.info("a header: Authorization: Bearer %s", token, extra={"token": token, "sdp": SDP, "text": "hi"})
    try:
        raise ValueError(f"bad token {token} of +8613812345678")
    except ValueError:
        log.exception("it failed")
    written = stream.getvalue()
    for secret in (token, "ice-pwd", "192.0.2.7", '"hi"', "13812345678"):
        assert secret not in written


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("to +8613812345678 now", "to +86138****5678 now"),
        ("to +1 202-555-0123.", "to +120****0123."),
        ("to (020) 7946 0018", "to (020****0018"),
        ("tel:+442079460018", "tel:+4420****0018"),
        ("tel:12025550123", "tel:120****0123"),
        ("+12025550123: no trunk", "+120****0123: no trunk"),
        ("sip:12025550123@carrier", "sip:120****0123@carrier"),
        ("to %2B12025550123&x", "to %2B120****0123&x"),
        ("leg +12025550123_x", "leg +120****0123_x"),
        (
            "to \uff0b\uff11\uff12\uff10\uff12\uff15\uff15\uff15\uff10\uff11\uff12\uff13",
            "to \uff0b120****0123",
        ),
        (
            "CN@2026-11-23+140fe1f90661 at 2026-11-25T20:00:00.123",
            "CN@2026-11-23+140fe1f90661 at 2026-11-25T20:00:00.123",
        ),
        ("from 192.168.100.123:5060", "from 192.168.100.123:5060"),
        (repr("v=0\r\na=ice-pwd:abcdef"), "'[hidden]"),
        ("call 6a1f3a3e-61a1-4d0c-9a55-0f5f6f0c0001", "call 6a1f3a3e-61a1-4d0c-9a55-0f5f6f0c0001"),
        ("call 12345678-1234-4123-8123-123456789012", "call 12345678-1234-4123-8123-123456789012"),
        ("took 1.234 s at 127.0.0.1:45678", "took 1.234 s at 127.0.0.1:45678"),
        ("decision D-01M89EST7YEBV9JPMBQ8BKJ3AB", "decision D-01M89EST7YEBV9JPMBQ8BKJ3AB"),
        ("a\x1b[31mb\x00", "a?[31mb?"),
    ],
)
def test_numbers_are_masked_and_ids_are_not(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_the_formatter_never_fails_a_log_call(stream: io.StringIO) -> None:
    logging.getLogger("x").info("odd", extra={"what": object(), "many": {"a": 1}, "none": None})
    [line] = lines(stream)
    assert line["none"] is None
    assert JsonLines().format(logging.makeLogRecord({"msg": "%s", "args": ("ok",)}))
