"""All commands and queries: importing this module registers them."""

from signaling.store import (
    accounts,
    calls,
    charts,
    checkpoints,
    heard,
    held,
    holders,
    journal,
    presence,
    push,
    register,
    telephone,
    texts,
    upkeep,
)

__all__ = [
    "accounts",
    "calls",
    "charts",
    "checkpoints",
    "heard",
    "held",
    "holders",
    "journal",
    "presence",
    "push",
    "register",
    "telephone",
    "texts",
    "upkeep",
]
