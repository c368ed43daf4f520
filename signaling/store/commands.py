"""All commands and queries: importing this module registers them."""

from signaling.store import accounts, calls, texts, upkeep

__all__ = ["accounts", "calls", "texts", "upkeep"]
