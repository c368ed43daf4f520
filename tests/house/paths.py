"""Every function that can make, join, redirect or change a leg, derived from the code.

    python -m tests.house.paths            compares the code with paths.txt, and prints what is wrong
    python -m tests.house.paths --write    writes paths.txt anew; new functions wait there for their test

It reads the rooms below and follows who calls whom, who makes which event, and what a table or a `match` does
with it (`flow.py`, `tables.py`). A way to a leg is open if nobody on it asks the gate and looks at the
answer, or holds a proof of its yes, or starts in a phase that no call reaches without `Allowed`.

Limits. It does not see what it cannot follow: a name made up for getattr, a function kept under a computed
key, a method of an unknown object that files or containers have too, or whose class the module does not
import; `guarded.py` forbids what of that goes
round the gate: its private methods, sockets, frames made by hand. That the gate is asked about the right
facts, and what is done with a no, is for the tests that paths.txt names; that the SIP room needs a live lease
for what it sends, for those of its outlet.
"""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from tests.house import guarded, tables
from tests.house.flow import Edge, House, edges

ROOMS = ("signaling", "licensing", "wephone/cli", "wephone/protocol")
KIT = ("wephone/testing",)  # starts a server and has its parts at hand
LIST = Path(__file__).with_name("paths.txt")
UNTESTED = "?"
FRAMES = "wephone.protocol.messages:"
SIP = "signaling.pstn.sip."  # in this room the outlet lets no leg out without a live lease
OUTLET = {f"{SIP}outlet:Outlet.send"}
WRITE = "run `python -m tests.house.paths --write`"
HEAD = """\
# What can act on a leg, by `python -m tests.house.paths --write`. After the bars: what it may bring about,
# who is asked on its ways (or why nobody has to be), and, by hand, a test that goes this way."""

GATE = {
    f"licensing.gate:Gate.{name}" for name in ("authorize", "authorize_again", "redeem", "renew", "review")
}
ASKS = "signaling.permission:Permission.may_"  # who asks the gate for the switch and the routes
ACTS = {  # what is done to a leg by whoever makes or calls this
    "wephone.protocol.messages:Incoming": "rings",
    "wephone.protocol.messages:Answered": "joins",
    "wephone.protocol.messages:SelectAnswer": "joins",
    "wephone.protocol.messages:Negotiate": "changes",
    "signaling.core.events:ChangeAllowed": "changes",
    "signaling.core.events:Reinstated": "takes an end back",
    "signaling.core.call:restored": "goes on after a restart",
    "signaling.ports.texts:TextRows.accept_text": "takes a text",
    f"{SIP}agent:Agent.call": "sends INVITE",
    "signaling.media:MediaBackend.lease": "lets sound pass",
    "signaling.media:MediaBackend.open_announcement": "tells an app",
    "signaling.pstn.carrier:Carrier.dial": "calls from a network without permits",
    f"{SIP}incoming:IncomingCall.ring": "says 1xx",
    f"{SIP}incoming:IncomingCall.early": "says 1xx",
    f"{SIP}incoming:IncomingCall.accept": "says 2xx",
    f"{SIP}leg:Leg.change": "sends re-INVITE",
    f"{SIP}leg:Leg.answer": "says 2xx",
    f"{SIP}answering:Ring": "says 1xx",
    f"{SIP}answering:Accept": "says 2xx",
    f"{SIP}session_events:Say": "says 2xx",
    f"{SIP}session_events:Change": "sends re-INVITE",
    f"{SIP}sockets:Sockets.send": "sends SIP past the outlet",
    "SIP INVITE": "sends INVITE",
    "SIP REFER": "sends REFER",
}
# Stands for somebody else's network: its own grants are worth nothing to a server, which may not know it.
FAR_END, ITS_COMMAND = "signaling.pstn.carrier:", "wephone.cli.carrier:"
PROOF = {  # of a yes, and the one module that may make it
    "licensing.grant:Grant": "licensing.gate",
    "licensing.grant:Lease": "licensing.grant",
    "licensing.review:Review": "licensing.gate",
    "signaling.permission:Permitted": "signaling.permission",
}
LATER = "only in phases after Allowed"
CLOSED = {  # ways that are open by the letter, and why nothing unasked comes of them
    ("signaling.core.ringing:catch_up", "signaling.core.ringing:ring"): LATER,
    ("signaling.core.ringing:catch_up", "signaling.core.state:offered"): LATER,
    ("signaling.pstn.telling:Telling._tell", "signaling.media:MediaBackend.open_announcement"): (
        "no telephone is part of it, and no lease"
    ),
    ("signaling.switch:Switch._dial", "signaling.core.events:Allowed"): "a phone is given only with a yes",
    ("signaling.switch:Switch.restore", "signaling.core.call:restored"): "its row was written after Allowed",
}


class Paths:
    """The ways to legs in the code below a folder."""

    def __init__(self, root: Path) -> None:
        self.house = House().read(root, ROOMS)
        self.kit = House().read(root, KIT)
        self.every = [*edges(self.house, asks, PROOF.__contains__), *tables.edges(self.house)]
        self.edges = [
            edge for edge in self.every if not is_let_out(edge) and not edge.source.startswith(FAR_END)
        ]
        self.to, self.of = defaultdict[str, list[Edge]](list), defaultdict[str, list[Edge]](list)
        for edge in self.edges:
            self.to[edge.target].append(edge)
            self.of[edge.source].append(edge)
        self.leading = self.before(ACTS) - set(ACTS)
        self.beginnings = self.begin()

    def listed(self) -> dict[str, tuple[str, str]]:
        """Each function, or frame of a client, that can act on a leg: how, and what covers it."""
        acts: dict[str, set[str]] = defaultdict(set)
        for act, said in ACTS.items():
            for name in self.before([act]):
                acts[name].add(said)
        named = [n for n in self.leading if n in self.house.functions or n.startswith(FRAMES)]
        return {name: (", ".join(sorted(acts[name])), self.cover(name)) for name in sorted(named)}

    def broken(self) -> Iterator[str]:
        """Each open way to an act, by where it begins; each proof of a yes that the wrong module makes."""
        for begin in self.beginnings:
            reached = self.after([begin], is_open)
            for act in ACTS.keys() & reached.keys():
                way = " -> ".join(reversed([*back(reached, reached[act])]))
                yield (
                    f"{way}: {ACTS[act]}, and nobody on this way has asked the gate. "
                    "Ask it and look at the answer, or take a Grant or Lease"
                )
        for edge in self.every:
            if edge.target.startswith(FAR_END) and not edge.source.startswith((FAR_END, ITS_COMMAND)):
                yield f"{edge.source} knows the carrier for tests ({edge.target}): its command alone may"
        for edge in self.edges:
            owner = PROOF.get(edge.target)
            if owner is not None and edge.called and edge.source.partition(":")[0] != owner:
                yield f"{edge.source} makes a yes by itself (line {edge.line}): only {owner} may"

    def before(self, targets: Iterable[str]) -> set[str]:
        """These nodes and all that lead to them."""
        found, todo = set(targets), list(targets)
        while todo:
            for edge in self.to[todo.pop()]:
                if edge.source not in found:
                    found.add(edge.source)
                    todo.append(edge.source)
        return found

    def begin(self) -> list[str]:
        """Where ways begin: what nobody in the code leads to, and all that only lead to each other."""
        nodes = dict.fromkeys([*self.house.functions, *self.house.classes])
        first = [node for node in nodes if not self.to[node]]
        led_to = self.after(first, lambda edge: True)
        return [node for node in nodes if node in self.leading and (not self.to[node] or node not in led_to)]

    def after(self, begin: Iterable[str], way: Callable[[Edge], bool]) -> dict[str, str]:
        """All that these nodes lead to by such edges, and from where."""
        found, todo = dict.fromkeys(begin, ""), list(begin)
        while todo:
            for edge in self.of[todo.pop()]:
                if edge.target not in found and way(edge):
                    found[edge.target] = edge.source
                    todo.append(edge.target)
        return found

    def cover(self, name: str) -> str:
        """Who is asked on the ways through this node, or why nobody has to be."""
        around = {name, *self.before([name]), *self.after([name], lambda edge: True)} & self.leading
        ways = [edge for node in around for edge in self.of[node]]
        asked = {edge.target.partition(":")[2] for edge in ways if asks(edge.target)}
        if any(edge.gated and edge.source in self.house.classes and edge.target in around for edge in ways):
            asked.add("after Allowed")  # by the table of calls
        pairs = ((edge.source, edge.target) for edge in ways)
        because = {CLOSED[pair] for pair in pairs if pair in CLOSED}
        return ", ".join(sorted(asked or because))


def back(reached: Mapping[str, str], node: str) -> Iterator[str]:
    """From a node that was reached to where the way began."""
    while node:
        yield node
        node = reached[node]


def asks(function: str) -> bool:
    return function in GATE or function.startswith(ASKS)


def is_let_out(edge: Edge) -> bool:
    """Is it within the SIP room, where the outlet asks for the lease, and not past the outlet?"""
    if edge.target == f"{SIP}sockets:Sockets.send":
        return edge.source in OUTLET
    return edge.source.startswith(SIP) and edge.target.startswith((SIP, "SIP INVITE"))


def is_open(edge: Edge) -> bool:
    return not edge.gated and (edge.source, edge.target) not in CLOSED


def read(text: str) -> dict[str, tuple[str, str, str]]:
    """The lines of paths.txt: function -> how it acts, what covers it, its test."""
    rows = [line.split(" | ") for line in text.splitlines() if line and not line.startswith("#")]
    return {name: (acts, cover, test) for name, acts, cover, test in rows}


def written(paths: Paths, known: dict[str, tuple[str, str, str]]) -> str:
    """paths.txt as it should be. What was known keeps its test."""
    rows = [
        " | ".join((name, *row, known[name][2] if name in known else UNTESTED))
        for name, row in paths.listed().items()
    ]
    return "\n".join([HEAD, *rows, ""])


def faults(paths: Paths, known: dict[str, tuple[str, str, str]]) -> Iterator[str]:
    """All that is wrong, one sentence each: what was found, and what to do."""
    yield from paths.broken()
    yield from guarded.faults(paths.house, paths.kit, paths.every)
    there = {(edge.source, edge.target) for edge in paths.edges}
    yield from (f"{' -> '.join(pair)} is in CLOSED and no way any more" for pair in CLOSED.keys() - there)
    found = paths.listed()
    for name, row in found.items():
        if name not in known:
            yield f"{name} can act on a leg ({row[0]}) and is not in paths.txt: {WRITE}, and name its test"
        elif known[name][:2] != row:
            yield f"{name}: paths.txt says {known[name][:2]}, and the code {row}: look at it, then {WRITE}"
        elif known[name][2] == UNTESTED:
            yield f"{name} is in paths.txt without a test: name one that goes this way"
    for name in known.keys() - found.keys():
        yield f"{name} is in paths.txt and acts on no leg any more: {WRITE}"


def main(arguments: list[str]) -> int:
    """The command."""
    paths, known = Paths(Path()), read(LIST.read_text()) if LIST.exists() else {}
    if "--write" in arguments:
        LIST.write_text(written(paths, known))
        known = read(LIST.read_text())
    wrong = sorted(faults(paths, known))
    print(*wrong, sep="\n")  # noqa: T201
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
