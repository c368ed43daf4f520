"""What a test sees of a command that was run as a process of its own."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document that is the last line of stdout."""
        return json.loads(self.out.splitlines()[-1])
