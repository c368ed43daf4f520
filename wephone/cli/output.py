"""How commands speak: facts on stdout, reasons and progress on stderr, JSON last for machines."""

import json
import os
import sys
from datetime import UTC, datetime
from typing import Any
from unicodedata import category

TICK, CROSS = "✓", "✗"
JOINERS = "\u200c\u200d"  # no marks of their own, but Persian, Hindi and emoji are written with them


class Failure(Exception):
    """The command could not do it; the text is the reason, one sentence. Exit code 1."""


def printable(text: str) -> str:
    """Text for a terminal: what would move its cursor, hide or turn words around is spelt out."""
    return "".join(
        c if c.isprintable() or c in JOINERS or category(c) == "Zs" else c.encode("unicode_escape").decode()
        for c in text
    )


def say(text: str) -> None:
    """A line on stderr, or several."""
    print("\n".join(map(printable, text.split("\n"))), file=sys.stderr, flush=True)


def print_json(document: dict[str, Any]) -> None:
    """One JSON document on one line of stdout, the last thing a command prints."""
    print(json.dumps(document, ensure_ascii=False), flush=True)


def language() -> str:
    """ "zh" or "en", as the environment asks (POSIX: LC_ALL, LC_MESSAGES, LANG)."""
    asked = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if asked.lower().startswith("zh") else "en"


class Progress:
    """Lines for a person: on stdout, or on stderr when stdout belongs to JSON. Colour on a terminal only."""

    def __init__(self, *, to_stderr: bool) -> None:
        self._stream = sys.stderr if to_stderr else sys.stdout
        self._colour = self._stream.isatty() and "NO_COLOR" not in os.environ
        encoding = (getattr(self._stream, "encoding", None) or "ascii").lower()
        self._unicode = encoding.startswith("utf")

    def line(self, text: str = "") -> None:
        """A line as it is."""
        self._print(printable(text))

    def heading(self, text: str) -> None:
        """The name of what follows."""
        self._print(self._in("1", printable(text)))

    def shown(self, text: str, good: bool = True) -> None:
        """Something that was checked, with a tick or a cross."""
        mark = (TICK if good else CROSS) if self._unicode else ("ok" if good else "NO")
        self._print(f"  {self._in('32' if good else '31', mark)} {printable(text)}")

    def note(self, text: str) -> None:
        """Something said, not checked."""
        self.line(f"    {text}")

    def ring(self) -> None:
        """The terminal's bell, where somebody may hear it."""
        if self._stream.isatty():
            print("\a", end="", file=self._stream, flush=True)

    def _print(self, line: str) -> None:
        if not self._unicode:
            line = line.encode("ascii", "replace").decode()
        print(line, file=self._stream, flush=True)

    def _in(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text


def time_of(microseconds: int) -> str:
    """A moment, in UTC."""
    return f"{datetime.fromtimestamp(microseconds / 1e6, UTC):%Y-%m-%d %H:%M:%SZ}"
