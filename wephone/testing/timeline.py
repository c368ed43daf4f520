"""Who sent, received and was told what, and when: shown under a test that failed."""

import time
from collections import deque
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from pydantic import BaseModel

MOST = 2_000  # lines kept: a test that needs more is read from its end
LONGEST = 160  # characters of one line's text
SHORT = 8  # characters by which an id is known in one test

# Descriptions of media, addresses of machines and secrets have no place in a report.
HIDDEN = frozenset(
    {
        "sdp",
        "nonce",
        "commitment",
        "ticket",
        "session",
        "type",
        "n",
        "ref",
        "features",
        "heartbeat",
        "resume_for",
    }
)


@dataclass(frozen=True, slots=True)
class Line:
    """Something that happened to one party."""

    at: int  # ns, monotonic
    who: str
    kind: str  # sent, received, told, did
    what: str


class Timeline:
    """What happened to all parties of one test, in order."""

    def __init__(self) -> None:
        self._begun = time.monotonic_ns()
        self._lines: deque[Line] = deque(maxlen=MOST)

    def add(self, who: str, kind: str, what: object) -> None:
        """Note it, now. Frames and events are put into words, without descriptions and secrets."""
        text = what if isinstance(what, str) else in_words(what)
        self._lines.append(Line(time.monotonic_ns(), who, kind, text[:LONGEST]))

    def __str__(self) -> str:
        width = max((len(line.who) for line in self._lines), default=0)
        return "\n".join(
            f"{(line.at - self._begun) / 1e9:8.3f} s  {line.who:{width}}  {line.kind:8}  {line.what}"
            for line in self._lines
        )


def in_words(what: object) -> str:
    """A frame or event on one line."""
    if isinstance(what, BaseModel):
        name = str(getattr(what, "type", type(what).__name__))
        values = {field: getattr(what, field) for field in type(what).model_fields}
    elif is_dataclass(what):
        name = type(what).__name__
        values = {field.name: getattr(what, field.name) for field in fields(what)}
    else:
        return str(what)
    said = [f"{key}={word(key, value)}" for key, value in values.items() if is_shown(key, value)]
    return " ".join([name, *said])


def is_shown(key: str, value: Any) -> bool:
    """Worth a word, and fit to be shown."""
    return key not in HIDDEN and value is not None and value not in ((), "", False)


def word(key: str, value: Any) -> str:
    """A value as short as it is clear."""
    if key == "candidates":
        return str(len(value))
    if isinstance(value, BaseModel):
        return in_words(value).partition(" ")[2]
    if isinstance(value, tuple | list):
        return ",".join(word("", each) for each in value)
    text = str(value)
    return text[:SHORT] if len(text) == 36 and text.count("-") == 4 else text
