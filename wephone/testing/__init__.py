"""The test kit: a pytest plugin with a server, headless peers, permits and a clock under the test's hand.

`Kit` and `Peer`, for annotations, are loaded when they are first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wephone.testing.kit import Kit
    from wephone.testing.peer import Peer

__all__ = ["Kit", "Peer"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module `wephone.testing` has no attribute `{name}`")
    return getattr(importlib.import_module(f"wephone.testing.{name.lower()}"), name)
