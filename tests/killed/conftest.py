"""PostgreSQL, for the long run."""

from tests.signaling.store.conftest import postgres

__all__ = ["postgres"]
