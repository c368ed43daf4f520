"""What is touched by nobody but the modules that are named here: with it anybody could go round the gate.

`paths.py` follows who leads to what. This looks at single expressions, so that it also sees what cannot be
followed: a private method on an object of an unknown class, a socket of one's own, a frame made by hand.
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
DATAGRAMS = Guard("sends datagrams of its own", (SIP, MEDIA, "signaling.pstn.echo", "signaling.pstn.menu"))
CONNECTIONS = Guard("connects to others by itself", (SIP, "signaling.pstn.trial"))
SOCKETS = Guard("opens a socket of its own", (SIP, MEDIA, STORE, "signaling.local", "signaling.child"))
FRAMES = Guard(
    "hands a device a frame past the messages",
    ("signaling.lines", "signaling.exchange", "signaling.api.websocket"),
)
NAMES = {
    "create_datagram_endpoint": DATAGRAMS,
    "sendto": DATAGRAMS,
    "sendmsg": DATAGRAMS,
    "create_connection": CONNECTIONS,
    "open_connection": CONNECTIONS,
    "socket.socket": SOCKETS,
    "send_body": FRAMES,
    "outlet": FRAMES,
    "outbox": FRAMES,
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
