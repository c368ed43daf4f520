"""All commands and queries: importing this module registers them."""

from signaling.store import accounts, calls, journal, register, texts, upkeep

__all__ = ["accounts", "calls", "journal", "register", "texts", "upkeep"]
