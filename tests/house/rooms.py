"""Who may import whom: the rules of the house, as data.

A room is a module or a package with everything below it that has no entry of its own; a module belongs to the
nearest entry above it. Rooms that are not built yet may have their entry already.
"""

# What the server's edges share.
_SERVER = {"signaling", "signaling.core", "signaling.ports", "licensing", "wephone.protocol"}

# Room -> the other rooms it may import. Imports point inward: edges -> switch -> core -> protocol.
MAY_IMPORT: dict[str, set[str]] = {
    # The client does not know the server ...
    "wephone.protocol": set(),
    "wephone.core": {"wephone.protocol"},
    "wephone.media": {"wephone.protocol", "wephone.core"},
    "wephone": {"wephone.protocol", "wephone.core", "wephone.media"},
    # ... but its commands start one, and its test kit too.
    "wephone.testing": {"*"},
    "wephone.cli": {"*"},
    # Inward of the server's edges.
    "signaling.core": {"licensing", "wephone.protocol"},
    "signaling.ports": {"signaling.core", "licensing", "wephone.protocol"},
    "signaling": {"signaling.core", "signaling.ports", "signaling.switch", "licensing", "wephone.protocol"},
    "signaling.switch": _SERVER,
    # Edges, none of which imports another.
    "signaling.api": _SERVER | {"signaling.switch", "licensing.middleware"},
    "signaling.pstn": _SERVER | {"signaling.switch", "signaling.pstn.sip.sdes"},
    "signaling.pstn.sip.sdes": {"signaling.pstn"},  # how keys are said, for the bridge as well
    # A carrier that grants to itself: no part of a server. Its menu hears keys as the bridge does.
    "signaling.pstn.carrier": _SERVER | {"signaling.pstn", "signaling.pstn.menu", "signaling.pstn.speaking"},
    "signaling.pstn.menu": {
        "signaling.pstn",
        "signaling.pstn.media",
        "signaling.pstn.speaking",
        "wephone.media",
    },
    "signaling.pstn.speaking": {"signaling.pstn", "signaling.pstn.media", "wephone.media"},
    # One wrapper of aiortc's private names.
    "signaling.pstn.media": _SERVER | {"wephone.media", "signaling.pstn.sip.sdes"},
    "signaling.store": _SERVER,
    "signaling.bus": _SERVER,
    # The one room that knows every part of the server.
    "signaling.app": _SERVER
    | {"signaling.switch", "signaling.api", "signaling.pstn", "signaling.pstn.media", "signaling.store"}
    | {"signaling.bus", "licensing.middleware"},
    # Licensing knows neither of the other two, nor its own edge.
    "licensing": set(),
    "licensing.middleware": {"licensing"},
}

# Rooms that only the outermost ones enter.
OUTERMOST: dict[str, set[str]] = {
    "wephone.cli": set(),
    "wephone.testing": {"wephone.cli"},
    "signaling.app": {"wephone.cli", "wephone.testing"},
    "signaling.pstn.carrier": {"wephone.cli", "wephone.testing"},
    "signaling.pstn.menu": {"signaling.pstn.carrier"},
    "signaling.pstn.speaking": {"signaling.pstn.carrier", "signaling.pstn.menu"},
}

# Told what happened and when, they answer what should be done: no I/O, no clock, no dice.
PURE = {
    "wephone.core",
    "signaling.core",
    "signaling.pstn.caps",
    "signaling.pstn.media.nosip",
    "signaling.pstn.numbers",
    "signaling.pstn.outcome",
    "signaling.pstn.selection",
    "signaling.pstn.sip.answer",
    "signaling.pstn.sip.answering",
    "signaling.pstn.sip.exchange",
    "signaling.pstn.sip.hop",
    "signaling.pstn.sip.info",
    "signaling.pstn.sip.invitation",
    "signaling.pstn.sip.session",
    "signaling.pstn.sip.message",
    "signaling.pstn.sip.requirements",
    "signaling.pstn.sip.sdes",
    "signaling.pstn.sip.selection",
    "signaling.pstn.sip.stream",
    "signaling.pstn.sip.transaction",
    "signaling.pstn.sip.dialog",
    "signaling.pstn.sip.digest",
    "licensing.numbering",
    "licensing.classify",
    "licensing.permit",
    "licensing.documents",
    "licensing.changes",
    "licensing.snapshot",
    "licensing.permit_file",
    "licensing.expiry",
    "licensing.case",
    "licensing.decision",
    "licensing.progress",
    "licensing.graph",
    "licensing.whatif",
    "licensing.audit",
    "licensing.checkpoint",
    "licensing.instant",
    "licensing.reconcile",
}
_WAITING = {"asyncio", "concurrent", "multiprocessing", "subprocess", "threading", "uvloop"}
_NETWORK = {
    "aiohttp",
    "aioice",
    "aiortc",
    "av",
    "http",
    "select",
    "selectors",
    "socket",
    "socketserver",
    "ssl",
}
_CLOCK_DICE_AND_FILES = {"logging", "random", "secrets", "sounddevice", "sqlalchemy", "sqlite3", "time"}
IMPURE = _WAITING | _NETWORK | _CLOCK_DICE_AND_FILES

# Calls by which pure code would read a clock, roll dice or open a file without any of the imports above.
IMPURE_CALLS = {"now", "utcnow", "today", "uuid1", "uuid4", "urandom", "open", "print", "input"}

# Room -> the packages from outside that it may import. Where there is no entry, any that pyproject.toml
# declares.
OUTSIDE: dict[str, set[str]] = {
    "wephone.protocol": {"pydantic", "pydantic_core"},
    "wephone.protocol.codec": {"pydantic", "pydantic_core", "msgspec"},
}

# Module from outside that a package brings with it, and shows in its own interface -> the package's module.
COMES_WITH = {
    "pydantic_core": "pydantic",  # schemas of our own types, and what a validator raises
    "pylibsrtp": "aiortc",  # what a DTLS transport encrypts with; a trunk's keys need the same
    "yarl": "aiohttp",  # every URL that aiohttp takes or returns
}

# Package from outside -> the only rooms under `within` that may import it.
ONLY_IN: list[tuple[str, str, set[str]]] = [  # package, within, rooms
    ("aiohttp", "licensing", {"licensing.middleware"}),
]
