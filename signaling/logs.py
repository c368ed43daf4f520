"""Logs as JSON lines. Whatever they are told, no number, secret, description or text leaves in clear."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from aiohttp.http_exceptions import HttpProcessingError

from licensing.numbering import mask

# What a LogRecord has of its own; all else was given as `extra`.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

LONGEST = 2_000  # characters of one value
HIDDEN = "[hidden]"

# Fields that are never shown, by their names.
SECRET_FIELDS = frozenset(
    [
        "password",
        "token",
        "ticket",
        "secret",
        "credential",
        "cookie",
        "authorization",
        "sdp",
        "text",
        "body",
        "nonce",
        "invitation",
    ]
)

# Seven or more digits of any script, perhaps with separators: no id, date, address or part of a word.
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_DATE = r"(?<![0-9])[12][0-9]{3}-[01][0-9]-[0-3][0-9](?:[T ][0-9:.]+)?(?![0-9])"
_IPV4 = r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?::[0-9]+)?(?![0-9.])"
_NUMBER = re.compile(
    rf"{_UUID}|{_DATE}|{_IPV4}"
    r"|(?:(?<![0-9A-Za-z])|(?<=%2[Bb]))(?P<number>\+?\d(?:[ ()/.-]{0,2}\d){6,14})(?![0-9A-Za-z])"
)
_SDP = re.compile(r"v=0(?:\s|\\r|\\n).*", re.DOTALL)  # also as `repr` shows one
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+\S+")
_TOKEN = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")  # 256 bits in base64url
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")


def clean(text: str) -> str:
    """The text without what must not be in a log."""
    text = _SDP.sub(HIDDEN, text)
    text = _BEARER.sub(rf"\1 {HIDDEN}", text)
    text = _TOKEN.sub(HIDDEN, text)
    text = _NUMBER.sub(lambda found: masked(found["number"]) if found["number"] else found[0], text)
    return _CONTROL.sub("?", text)[:LONGEST]


def masked(number: str) -> str:
    """A telephone number as records show it too, so that the two together say no more: `+86138****8000`."""
    digits = "".join(str(int(each)) for each in number if each.isdecimal())
    return mask(("+" if number.startswith("+") else "") + digits)


class JsonLines(logging.Formatter):
    """One line for each record: time, level, logger, message, and the fields it came with."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": clean(record.getMessage()),
        }
        for name, value in vars(record).items():
            if name not in _OWN and name not in line:
                line[name] = HIDDEN if name in SECRET_FIELDS else shown(value)
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = f"{record.exc_info[0].__name__}: {clean(str(record.exc_info[1]))}"
            line["trace"] = clean(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def shown(value: object) -> object:
    """A field's value, fit for a log."""
    return value if isinstance(value, bool | int | float | None) else clean(str(value))


def is_ours(record: logging.LogRecord) -> bool:
    """Not what aiohttp says of requests that were no HTTP: anybody can send them, and it quotes them."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


def log_to(stream: TextIO | None = None, level: str = "info") -> None:
    """Send all of the process's logs there, stderr if none is named."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # aiohttp's own lines repeat the request line, and with it what somebody put into a query.
    logging.getLogger("aiohttp.access").setLevel(logging.ERROR)
    handler.addFilter(is_ours)
