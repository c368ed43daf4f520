"""Nobody can act on a leg unless paths.txt lists them, the gate is asked on their way, and a test goes it."""

import shutil

import pytest

from tests.house.checkout import ROOT, run_python
from tests.house.paths import KIT, LIST, ROOMS, Paths, faults, read

KNOWN = read(LIST.read_text())


def test_every_function_that_can_act_on_a_leg_is_listed_and_asks_the_gate() -> None:
    assert sorted(faults(Paths(ROOT), KNOWN)) == []


def test_every_test_that_is_named_is_there() -> None:
    named = {test for _, _, test in KNOWN.values()}
    files = sorted({test.partition("::")[0] for test in named})
    collected = run_python("-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files)
    assert collected.returncode == 0, collected.stdout
    there = {line.partition("[")[0] for line in collected.stdout.splitlines()}
    assert named - there == set()


# What somebody might add, where, and what has to be said of it.
PLANTED = [
    (
        "an event that only the gate's yes may bring about",
        "signaling/pushing.py",
        """
from signaling.core.events import Allowed
from signaling.switch import Switch

def push(switch: Switch, call: str) -> None:
    switch._receive(call, Allowed())
""",
        "signaling.pushing:push -> signaling.core.events:Allowed -> signaling.core.ringing:offer",
    ),
    (
        "an answer of the gate that nobody looks at",
        "signaling/hasty.py",
        """
from signaling.core.events import Allowed
from signaling.permission import Permission, Telephone
from signaling.switch import Switch

async def hurry(switch: Switch, permission: Permission, to: Telephone) -> None:
    answer = await permission.may_dial("call", "alice", to, ())
    switch._receive("call", Allowed())
""",
        "signaling.hasty:hurry -> signaling.core.events:Allowed -> signaling.core.ringing:offer",
    ),
    (
        "a route that rings a device by itself",
        "signaling/api/ringing.py",
        """
from signaling.lines import Line
from wephone.protocol import messages

async def ring_back(line: Line, sdp: str) -> None:
    line.send(messages.Incoming(call="c", peer="bob", sdp=sdp))
""",
        "signaling.api.ringing:ring_back: rings, and nobody",
    ),
    (
        "a timer that changes a running call",
        "signaling/core/sliding.py",
        """
from wephone.protocol.messages import Negotiate

def slide(call: str) -> Negotiate:
    return Negotiate(call=call, kind="offer")
""",
        "signaling.core.sliding:slide: changes, and nobody",
    ),
    (
        "a carrier's INVITE that is answered unasked",
        "signaling/pstn/willing.py",
        """
from licensing.instant import Instant
from signaling.pstn.sip.answering import Accept, Answering

def take(call: Answering, now: Instant) -> object:
    return call.receive(Accept(), now)
""",
        "signaling.pstn.willing:take: says 2xx, and nobody",
    ),
    (
        "a message that goes out past the outlet",
        "signaling/pstn/sip/past.py",
        """
from signaling.pstn.sip.hop import Hop
from signaling.pstn.sip.message import Request
from signaling.pstn.sip.sockets import Sockets

def slip(sockets: Sockets, invite: Request, to: Hop) -> None:
    sockets.send(invite, to, lambda: None)
""",
        "signaling.pstn.sip.past:slip: sends SIP past the outlet, and nobody",
    ),
    (
        "a change that nobody allowed",
        "signaling/widening.py",
        """
from signaling.core.events import ChangeAllowed
from signaling.core.party import Party

def widen(by: Party) -> ChangeAllowed:
    return ChangeAllowed(by, 1)
""",
        "signaling.widening:widen: changes, and nobody",
    ),
    (
        "a server with a network of its own, that asks nobody",
        "signaling/own.py",
        """
from signaling.pstn.carrier import Carrier
from signaling.pstn.sip.uri import Uri

async def reach(carrier: Carrier, to: Uri) -> None:
    await carrier.dial(to, "alice")
""",
        "signaling.own:reach knows the carrier for tests",
    ),
    (
        "a leg that is redirected to another number",
        "signaling/pstn/following.py",
        """
from signaling.pstn.sip.dialog import Dialog

def follow(dialog: Dialog, contact: str) -> object:
    return dialog.request("REFER", (("Refer-To", contact),))
""",
        "signaling.pstn.following:follow: sends REFER, and nobody",
    ),
    (
        "sound that passes without a lease",
        "signaling/sounding.py",
        """
from signaling.media import MediaBackend

def sound(media: MediaBackend, leg: str) -> None:
    media.lease(leg, 2**62)
""",
        "signaling.sounding:sound: lets sound pass, and nobody",
    ),
    (
        "an app that is told something by somebody else",
        "signaling/saying.py",
        """
from signaling.media import MediaBackend

async def say(media: MediaBackend, offer: str) -> str:
    return await media.open_announcement("leg", offer)
""",
        "signaling.saying:say: tells an app, and nobody",
    ),
    (
        "functions that only call each other",
        "signaling/turning.py",
        """
from signaling.pstn.sip.dialog import Dialog

def one(dialog: Dialog) -> None:
    other(dialog)

def other(dialog: Dialog) -> None:
    dialog.request("INVITE")
    one(dialog)
""",
        "signaling.turning:other: sends INVITE, and nobody",
    ),
    (
        "a yes that somebody makes for themselves",
        "signaling/forging.py",
        """
from licensing.grant import Lease

def forge(old: Lease) -> Lease:
    return Lease(old.grant, old.decision, old.epoch, old.stands_until, 2**62)
""",
        "signaling.forging:forge makes a yes by itself",
    ),
    (
        "a lease that somebody makes longer",
        "signaling/longer.py",
        """
from dataclasses import replace
from licensing.grant import Lease

def longer(lease: Lease) -> Lease:
    return replace(lease, until_ns=2**62)
""",
        "signaling.longer:longer makes a yes by itself",
    ),
    (
        "a grant that is issued and used past the gate",
        "signaling/booking.py",
        """
from licensing.grant import Book, Grant, Lease
from licensing.instant import Instant

def book_it(book: Book, grant: Grant, now: Instant) -> Lease | None:
    book.issue(grant, now)
    return book.redeem(grant, grant.attempt, now)
""",
        "signaling.booking:book_it uses Book.redeem",
    ),
    (
        "the gate's own yes, taken from inside of it",
        "licensing/inside.py",
        """
def verdict(gate, ask, judged, id, now):
    return gate._allow(ask, judged, id, now)
""",
        "licensing.inside:verdict calls the private `_allow` of licensing.gate",
    ),
    (
        "an INVITE that is sent as bare bytes",
        "signaling/raw.py",
        """
import asyncio

async def raw(host: str) -> None:
    loop = asyncio.get_running_loop()
    made, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=(host, 5060))
    made.sendto(b"INVITE sip:+861@x SIP/2.0")
""",
        "signaling.raw:raw sends datagrams of its own (`create_datagram_endpoint`",
    ),
    (
        "an INVITE over a connection of one's own",
        "signaling/connecting.py",
        """
import asyncio

async def connect(host: str) -> None:
    _, writer = await asyncio.open_connection(host, 5060)
    writer.write(b"INVITE sip:+861@x SIP/2.0")
""",
        "signaling.connecting:connect connects to others by itself",
    ),
    (
        "an INVITE over a connection that is called by its bare name",
        "signaling/bare.py",
        """
from asyncio import open_connection

async def bare(host: str) -> None:
    _, writer = await open_connection(host, 5060)
    writer.write(b"INVITE sip:+861@x SIP/2.0")
""",
        "signaling.bare connects to others by itself (imports `asyncio.open_connection`",
    ),
    (
        "an INVITE from a socket under another name",
        "signaling/disguised.py",
        """
import socket as plug

def disguised(host: str) -> None:
    with plug.socket(plug.AF_INET, plug.SOCK_DGRAM) as made:
        made.connect((host, 5060))
        made.send(b"INVITE sip:+861@x SIP/2.0")
""",
        "signaling.disguised uses sockets (imports `socket`",
    ),
    (
        "a program that calls",
        "signaling/running.py",
        """
import asyncio

async def run(number: str) -> None:
    await asyncio.create_subprocess_exec("sipp", "-s", number)
""",
        "signaling.running:run starts programs of its own (`create_subprocess_exec`",
    ),
    (
        "an INVITE under another name",
        "signaling/aliased.py",
        """
from signaling.pstn.sip.agent import Agent

go = Agent.call

async def aliased(agent: Agent, wish, grant, tell) -> None:
    await go(agent, wish, grant, grant.attempt, tell)
""",
        "signaling.aliased:aliased can act on a leg (sends INVITE)",
    ),
    (
        "an INVITE by the name of a method",
        "signaling/named.py",
        """
from signaling.pstn.sip.agent import Agent

async def named(agent: Agent, wish, grant, tell) -> None:
    await getattr(agent, "call")(wish, grant, grant.attempt, tell)
""",
        "signaling.named:named can act on a leg (sends INVITE)",
    ),
    (
        "a method that is called by a name made up",
        "signaling/calling_by_name.py",
        """
from operator import methodcaller

def call(agent) -> object:
    return methodcaller("call")(agent)
""",
        "signaling.calling_by_name calls a method by a name that nobody can follow",
    ),
    (
        "a module that is loaded by its name",
        "signaling/loading.py",
        """
import importlib

def load(agent) -> object:
    return importlib.import_module("signaling.pstn.sip.agent").Agent.call(agent)
""",
        "signaling.loading:load loads code by a name made up (`import_module`",
    ),
    (
        "a lease that is changed where it is",
        "signaling/thawing.py",
        """
from licensing.grant import Lease

def thaw(lease: Lease) -> None:
    object.__setattr__(lease, "until_ns", 2**62)
""",
        "signaling.thawing:thaw changes what is frozen (`__setattr__`",
    ),
    (
        "a lease that is copied longer",
        "signaling/copying.py",
        """
import copy
from licensing.grant import Lease

def longer(lease: Lease) -> object:
    return copy.replace(lease, until_ns=2**62)
""",
        "signaling.copying:longer makes a yes by itself",
    ),
    (
        "a frame that is written by hand",
        "signaling/handmade.py",
        """
def go(line) -> None:
    line.outbox.put('{"type":"incoming","call":"c"}')
    line.send_body(b'{"type":"incoming","call":"c"}')
""",
        "signaling.handmade:go hands a device a frame past the messages (`send_body`",
    ),
    (
        "an event from a table that nobody can follow",
        "signaling/tabled.py",
        """
from signaling.core.events import Allowed

MAKE = {"yes": Allowed}

def push(switch, call: str, what: str) -> None:
    switch._receive(call, MAKE[what]())
""",
        "signaling.tabled:push calls the private `_receive` of signaling.switch",
    ),
    (
        "a test kit that pushes a call on",
        "wephone/testing/pushing.py",
        """
from signaling.core.events import Allowed

def push(switch, call: str) -> None:
    switch._receive(call, Allowed())
""",
        "wephone.testing.pushing:push calls the private `_receive` of signaling.switch",
    ),
    (
        "a yes under another name",
        "signaling/renaming.py",
        """
from signaling.core.call import Call
from signaling.core.events import Allowed as Yes

def late(call: Call, now: float):
    return call.receive(Yes(), now)
""",
        "signaling.renaming:late -> signaling.core.events:Allowed",
    ),
    (
        "a function that asks first, and is not listed",
        "signaling/asking.py",
        """
from signaling.core.events import Allowed
from signaling.permission import Permission, Refused, Telephone

async def ask(permission: Permission, to: Telephone) -> Allowed | None:
    answer = await permission.may_dial("call", "alice", to, ())
    if isinstance(answer, Refused):
        return None
    return Allowed()
""",
        "signaling.asking:ask can act on a leg (changes, rings, says 1xx, sends re-INVITE)",
    ),
    (
        "a route that places calls through the switch, and is not listed",
        "signaling/api/placing.py",
        """
from signaling.core.party import Party
from signaling.exchange import Exchange
from wephone.protocol.messages import Invite

async def place(exchange: Exchange, party: Party, invite: Invite) -> None:
    exchange.switch.place(party, invite)
""",
        "signaling.api.placing:place can act on a leg",
    ),
]


@pytest.fixture(scope="module")
def said_of_planted(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    root = tmp_path_factory.mktemp("paths")
    for room in (*ROOMS, *KIT):
        shutil.copytree(ROOT / room, root / room, ignore=shutil.ignore_patterns("__pycache__", "*.json"))
    for _, name, source, _ in PLANTED:
        (root / name).write_text(source)
    return sorted(faults(Paths(root), KNOWN))


@pytest.mark.parametrize("said", [each[3] for each in PLANTED], ids=[each[0] for each in PLANTED])
def test_what_is_added_fails_the_build_by_name(said_of_planted: list[str], said: str) -> None:
    assert [line for line in said_of_planted if said in line], "\n".join(said_of_planted)


def test_who_asks_and_looks_at_the_answer_is_told_of_the_list_alone(said_of_planted: list[str]) -> None:
    said = [line for line in said_of_planted if "signaling.asking:ask" in line]
    assert len(said) == 1, said


def test_no_way_is_called_open_that_was_not_planted(said_of_planted: list[str]) -> None:
    planted = {name.removesuffix(".py").replace("/", ".") for _, name, _, _ in PLANTED}
    begin = {line.partition(":")[0] for line in said_of_planted if "nobody on this way" in line}
    assert begin <= planted


def test_a_line_that_says_what_is_so_no_more_is_noticed() -> None:
    gone = {**KNOWN, "signaling.switch:Switch.gone": ("rings", "Permission.may_call", "a test")}
    said = list(faults(Paths(ROOT), gone))
    assert [line.partition(" is in")[0] for line in said] == ["signaling.switch:Switch.gone"]
