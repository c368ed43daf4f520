"""Where a bridge is. Loads nothing: the server says it, the media process lives by it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bridge is on the trunks' network. `told`: the address that they hear of, if another."""

    address: str = "127.0.0.1"
    told: str | None = None
    first_port: int = 20_000
    last_port: int = 21_999
    announcements: str | None = None  # a folder with the operator's own recordings
