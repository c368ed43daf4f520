"""Everything the server keeps: on SQLite through one writer process, or on PostgreSQL."""

from signaling.store.opening import open_store
from signaling.store.rows import DatabaseStore

__all__ = ["DatabaseStore", "open_store"]
