"""The client: library, softphone, web app and test kit.

`wephone.Client` and the other names below are loaded when they are first used: the import costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wephone import events
    from wephone.calls import Call
    from wephone.client import Client
    from wephone.errors import (
        CallEnded,
        CallRefused,
        MessageFailed,
        NotPossible,
        NotSignedIn,
        ServerUnreachable,
        SignInRefused,
        WePhoneError,
    )

__all__ = [
    "Call",
    "CallEnded",
    "CallRefused",
    "Client",
    "MessageFailed",
    "NotPossible",
    "NotSignedIn",
    "ServerUnreachable",
    "SignInRefused",
    "WePhoneError",
    "events",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module `wephone` has no attribute `{name}`")
    if name == "events":
        return importlib.import_module("wephone.events")
    module = {"Call": "wephone.calls", "Client": "wephone.client"}.get(name, "wephone.errors")
    return getattr(importlib.import_module(module), name)


def __dir__() -> list[str]:
    return __all__
