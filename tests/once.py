"""What servers of one test run make alike is made once: their SQL, the law that they read, cheap hashes."""

import sys
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any


def share(patch: Callable[[Any, str, Any], None]) -> Any:
    """What hashes passwords where that matters, if anything does.

    `patch` sets an attribute of a module. What the tests have not loaded is not loaded for this.
    """
    if law := sys.modules.get("licensing.jurisdiction"):
        gathered = cache(law.gather)

        def gather(named: Iterable[tuple[str, bytes]]) -> Any:
            """Profiles cannot be changed, and are the same for the same bytes."""
            return gathered(tuple(named))

        patch(law, "gather", gather)
    if "signaling.store" in sys.modules:
        from signaling.store import compiled, sqlite  # whoever has loaded the package opens a store with it

        patch(sqlite, "sqlite_texts", cache(compiled.sqlite_texts))
    passwords = sys.modules.get("signaling.passwords")
    if passwords is None:
        return None
    from argon2 import PasswordHasher  # as above

    earnest = passwords._HASHER
    # 20 ms of a core for each sign-in in each test prove nothing.
    patch(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    return earnest
