"""How commands speak: facts on stdout, reasons and progress on stderr, JSON last for machines."""

import json
import os
import sys
from typing import Any

TICK, CROSS = "✓", "✗"


class Failure(Exception):
    """The command could not do it; the text is the reason, one sentence. Exit code 1."""


def say(text: str) -> None:
    """One line on stderr."""
    print(text, file=sys.stderr, flush=True)


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
        if not self._unicode:
            text = text.encode("ascii", "replace").decode()
        print(text, file=self._stream, flush=True)

    def heading(self, text: str) -> None:
        """The name of what follows."""
        self.line(self._in("1", text))

    def shown(self, text: str, good: bool = True) -> None:
        """Something that was checked, with a tick or a cross."""
        mark = (TICK if good else CROSS) if self._unicode else ("ok" if good else "NO")
        self.line(f"  {self._in('32' if good else '31', mark)} {text}")

    def note(self, text: str) -> None:
        """Something said, not checked."""
        self.line(f"    {text}")

    def _in(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text
