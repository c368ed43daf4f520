"""What is touched by nobody but the modules that are named here: with it anybody could go round the gate.

`paths.py` follows who leads to what. This looks at single expressions, so that it also sees what cannot be
followed: a private method on an object of an unknown class, a socket or program of one's own, a frame made
by hand. What it guards is known by its own name alone: nobody imports it under another.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tests.house.flow import Edge, House, Module

SIP, MEDIA, STORE = "signaling.pstn.sip.sockets", "signaling.pstn.media", "signaling.store"


@dataclass(frozen=True, slots=True)
class Guard:
    """What may be done with a name, and the modules that may: these, and those below them."""

    said: str
    modules: tuple[str, ...]

    def allows(self, module: str) -> bool:
        return any(module == each or module.startswith(f"{each}.") for each in self.modules)


# A datagram may be an INVITE, and a connection may carry one.
DATAGRAMS = Guard(
    "sends datagrams of its own", (SIP, MEDIA, "signaling.pstn.echo", "signaling.pstn.speaking")
)
CONNECTIONS = Guard("connects to others by itself", (SIP, "signaling.pstn.trial"))
SOCKETS = Guard("opens a socket of its own", (SIP, MEDIA, STORE, "signaling.local", "signaling.child"))
FRAMES = Guard(
    "hands a device a frame past the messages",
    ("signaling.lines", "signaling.exchange", "signaling.api.websocket"),
)
PROGRAMS = Guard(
    "starts programs of its own",
    ("signaling.child", "signaling.store.pieces", MEDIA, "wephone.cli.by_telephone"),
)
LOADED = Guard("loads code by a name made up", ("licensing", "wephone.cli.main", "wephone.testing"))
SYSTEM = Guard("reaches into C", ("signaling.clock", "signaling.tuning"))
FROZEN = Guard("changes what is frozen", (SIP.rpartition(".")[0],))
UNFOLLOWED = Guard("calls a method by a name that nobody can follow", ())
NAMES = {
    "create_datagram_endpoint": DATAGRAMS,
    "sendto": DATAGRAMS,
    "sendmsg": DATAGRAMS,
    "create_connection": CONNECTIONS,
    "open_connection": CONNECTIONS,
    "socket.socket": SOCKETS,
    "create_subprocess_exec": PROGRAMS,
    "create_subprocess_shell": PROGRAMS,
    "os.system": PROGRAMS,
    "import_module": LOADED,
    "__setattr__": FROZEN,
    "methodcaller": UNFOLLOWED,
    "attrgetter": UNFOLLOWED,
    "send_body": FRAMES,
    "outlet": FRAMES,
    "outbox": FRAMES,
}
MODULES = {  # who imports these at all
    "socket": Guard(
        "uses sockets", (*SOCKETS.modules, "signaling.api.listener", "signaling.pstn.sip.resolver")
    ),
    "subprocess": PROGRAMS,
    "asyncio.subprocess": PROGRAMS,
    "multiprocessing": PROGRAMS,
    "ctypes": SYSTEM,
}
# Whose private methods act on legs; only their own module calls them.
OWNERS = ("licensing.gate:Gate", "licensing.grant:Book", "signaling.switch:Switch")
BOOK = "licensing.grant:Book"  # what issues grants and makes leases: of the gate, and of a network for tests
KEEPERS = ("licensing.gate", "licensing.grant", "signaling.pstn.carrier")


def faults(house: House, kit: House, edges: list[Edge]) -> Iterator[str]:
    """One sentence for each place."""
    private = {
        name.rpartition(".")[2]: name.partition(":")[0]
        for name in house.functions
        if name.rpartition(".")[0] in OWNERS and _is_private(name.rpartition(".")[2])
    }
    for module in (*house.modules.values(), *kit.modules.values()):
        for where, node in _attributes(module):
            yield from _touched(module, where, node, private)
        yield from _imported(module)
    for edge in edges:
        keeper = edge.source.partition(":")[0] in KEEPERS
        if edge.called and edge.target.startswith(BOOK) and not keeper:
            yield f"{edge.source} uses {edge.target.partition(':')[2]} (line {edge.line}): only the gate may"


def _touched(module: Module, where: str, node: ast.Attribute, private: dict[str, str]) -> Iterator[str]:
    own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
    guard = NAMES.get(ast.unparse(node)) or NAMES.get(node.attr)
    if guard is not None and not own and not guard.allows(module.name):
        yield f"{where} {guard.said} (`{node.attr}`, line {node.lineno}): only {', '.join(guard.modules)} may"
    owner = private.get(node.attr)
    if owner is not None and not own and owner != module.name:
        yield f"{where} calls the private `{node.attr}` of {owner} (line {node.lineno})"


def _imported(module: Module) -> Iterator[str]:
    """What it imports that is guarded, and what it calls otherwise than by its name."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        within = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
        for alias in node.names:
            name = f"{within}{alias.name}"
            guards = (NAMES.get(name), NAMES.get(alias.name), MODULES.get(name), MODULES.get(within[:-1]))
            guard = next(filter(None, guards), None)
            if guard is None:
                continue
            if not guard.allows(module.name):
                only = f"only {', '.join(guard.modules)} may" if guard.modules else "nobody may"
                yield f"{module.name} {guard.said} (imports `{name}`, line {node.lineno}): {only}"
            elif alias.asname is not None:
                yield f"{module.name} imports `{name}` under another name (line {node.lineno})"


def _attributes(module: Module) -> Iterator[tuple[str, ast.Attribute]]:
    """Every attribute, with the function that it is in."""
    for node in module.tree.body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        for each in inner:
            name = getattr(each, "name", "")
            owner = node.name if isinstance(node, ast.ClassDef) else ""
            where = f"{module.name}:{'.'.join(filter(None, (owner, name)))}"
            yield from ((where, found) for found in ast.walk(each) if isinstance(found, ast.Attribute))


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")
