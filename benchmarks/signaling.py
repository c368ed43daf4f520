"""Server CPU per call, against two bare aiohttp relays run beside it:  python -m benchmarks.signaling

A call is the same eight messages on both: invite with an SDP, delivered, alerting, answer with an SDP,
candidates from each side in one batch, reveal, hang-up; it is complete when the other side has heard of the
hang-up. The relays pass strings on; the second gathers its writes as WePhone does. WePhone validates, runs
the call's machine, decides the licence question, writes the decision into its hash chain and the call's
record to disk before it rings, fences the answer, and keeps what a device may have to be told again. Rounds
alternate; the ratio of each round's pair is what counts.
"""

import argparse
import asyncio
import contextlib
import json
import secrets
import statistics
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.processes import cpu_seconds, own_cpu_seconds, relayed, served

PASSWORD = "correct horse battery staple"
FINGERPRINT = ":".join(["AB"] * 32)
SDP = "\r\n".join(
    [
        "v=0",
        "o=- 1 1 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 96",
        "c=IN IP4 0.0.0.0",
        "a=mid:0",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:abcdefghijklmnopqrstuv",
        f"a=fingerprint:sha-256 {FINGERPRINT}",
        "a=setup:actpass",
        "a=rtpmap:96 opus/48000/2",
        *(f"a=extmap:{number} urn:ietf:params:rtp-hdrext:filler-{number}" for number in range(1, 30)),
        "",
    ]
)
CANDIDATES = [
    {"candidate": f"candidate:{n} 1 udp 2130706431 192.0.2.{n} {50_000 + n} typ host", "sdp_mid": "0"}
    for n in range(4)
]

Socket = aiohttp.ClientWebSocketResponse[Any]
PlaceCall = Callable[[Socket, Socket, str, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are compared: its process, its sockets in pairs, and how a call goes on it."""

    name: str
    pid: int
    pairs: list[tuple[Socket, Socket, str, str]]
    call: PlaceCall
    operator_url: str = ""  # of a WePhone server


async def call_on_relay(alice: Socket, bob: Socket, a: str, b: str) -> None:
    """The eight messages, each read by the other side before the next is sent."""
    call = str(uuid.uuid4())
    talk: list[tuple[Socket, Socket, str, dict[str, Any]]] = [
        (alice, bob, b, {"type": "invite", "sdp": SDP}),
        (bob, alice, a, {"type": "delivered"}),
        (bob, alice, a, {"type": "alerting"}),
        (bob, alice, a, {"type": "answer", "sdp": SDP}),
        (bob, alice, a, {"type": "candidates", "candidates": CANDIDATES}),
        (alice, bob, b, {"type": "candidates", "candidates": CANDIDATES}),
        (alice, bob, b, {"type": "reveal"}),
        (alice, bob, b, {"type": "hangup"}),
    ]
    for sender, receiver, to, message in talk:
        await sender.send_str(json.dumps({"to": to, "call": call, **message}))
        await receiver.receive()


async def call_on_wephone(alice: Socket, bob: Socket, a: str, b: str) -> None:
    """The same as WePhone's protocol has it."""
    call, nonce = str(uuid.uuid4()), secrets.token_hex(32)
    commitment = sha256(bytes.fromhex(nonce)).hexdigest()
    send(alice, {"type": "invite", "call": call, "to": b, "sdp": SDP, "commitment": commitment})
    await heard(bob, "incoming", call)
    send(bob, {"type": "delivered", "call": call})
    await heard(alice, "progress", call)
    send(bob, {"type": "alerting", "call": call})
    send(bob, {"type": "answer", "call": call, "sdp": SDP, "nonce": nonce})
    send(bob, {"type": "candidates", "call": call, "candidates": CANDIDATES})
    await heard(alice, "answered", call)
    send(alice, {"type": "candidates", "call": call, "candidates": CANDIDATES})
    send(alice, {"type": "reveal", "call": call, "nonce": nonce})
    await heard(bob, "reveal", call)
    send(alice, {"type": "hangup", "call": call})
    await heard(alice, "ended", call)
    last = await heard(bob, "ended", call)
    send(bob, {"type": "ack", "n": last["n"]})


def send(socket: Socket, message: dict[str, object]) -> None:
    """Hand one frame to the kernel; a loopback socket takes it."""
    task = asyncio.ensure_future(socket.send_str(json.dumps(message)))
    task.add_done_callback(lambda done: done.result())


async def heard(socket: Socket, kind: str, call: str) -> dict[str, object]:
    """Read up to the message of this type about this call."""
    while True:
        message: dict[str, object] = json.loads(await socket.receive_str())
        if message["type"] == "error" or (message["type"] == "ended" and kind != "ended"):
            raise RuntimeError(f"the server answers {message}")
        if message["type"] == kind and message.get("call") == call:
            return message


@contextlib.asynccontextmanager
async def relay(http: aiohttp.ClientSession, pairs: int, *options: str) -> AsyncIterator[Side]:
    """A reference, with its users connected."""
    with relayed(*options) as (pid, url):

        async def connected(user: str) -> Socket:
            return await http.ws_connect(f"{url}?user={user}")

        named = [(f"a{n}", f"b{n}") for n in range(pairs)]
        sockets = [(await connected(a), await connected(b), a, b) for a, b in named]
        name = " ".join(("bare aiohttp relay", *options))
        yield Side(name, pid, sockets, call_on_relay)


@contextlib.asynccontextmanager
async def wephone(
    http: aiohttp.ClientSession, pairs: int, folder: Path, program: str = "wephone.cli.main"
) -> AsyncIterator[Side]:
    """A server as `wephone serve` starts it, on SQLite, with its users signed in."""
    with served(folder, program) as ready:

        async def connected(user: str) -> Socket:
            body = {"name": user, "password": PASSWORD}
            await posted(http, f"{ready['url']}/api/account", body)
            token = (await posted(http, f"{ready['url']}/api/session", body))["token"]
            ticket = (await posted(http, f"{ready['url']}/api/ticket", {}, token))["ticket"]
            socket = await http.ws_connect(ready["ws"], protocols=("wephone.v1",))
            hello = {"type": "hello", "ticket": ticket, "device": str(uuid.uuid4())}
            await socket.send_str(json.dumps(hello))
            while json.loads(await socket.receive_str())["type"] != "resync":
                pass
            return socket

        named = [(f"a{n}", f"b{n}") for n in range(pairs)]
        sockets = [(await connected(a), await connected(b), a, b) for a, b in named]
        yield Side("wephone serve", ready["pid"], sockets, call_on_wephone, ready["operator_url"])


async def posted(
    http: aiohttp.ClientSession, url: str, body: dict[str, str], token: str = ""
) -> dict[str, str]:
    """POST JSON, get JSON; loud if it is refused."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with http.post(url, json=body, headers=headers) as response:
        if response.status >= 400:
            raise RuntimeError(f"{url} answers {response.status}: {await response.text()}")
        text = await response.read()
        answer: dict[str, str] = json.loads(text) if text else {}
        return answer


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU microseconds per call: of the process that serves, and of the one that writes the database."""

    server: float
    writer: float

    @property
    def both(self) -> float:
        return self.server + self.writer


async def round_of(side: Side, calls: int) -> Cost:
    """All pairs calling at once, each one call after the other. Signing in is over and not counted."""
    each = calls // len(side.pairs)
    all_before, own_before = cpu_seconds(side.pid), own_cpu_seconds(side.pid)

    async def one_after_the_other(pair: tuple[Socket, Socket, str, str]) -> None:
        for _ in range(each):
            await side.call(*pair)

    await asyncio.gather(*(one_after_the_other(pair) for pair in side.pairs))
    whole, own = cpu_seconds(side.pid) - all_before, own_cpu_seconds(side.pid) - own_before
    per_call = 1e6 / (each * len(side.pairs))
    return Cost(own * per_call, (whole - own) * per_call)


async def measure(calls: int, pairs: int, rounds: int) -> None:
    """Alternate, and print each round, then the medians of costs and ratios."""
    timeout = aiohttp.ClientTimeout(total=None)
    connector = aiohttp.TCPConnector(limit=0)
    with tempfile.TemporaryDirectory() as folder:
        async with (
            aiohttp.ClientSession(timeout=timeout, connector=connector) as http,
            relay(http, pairs) as bare,
            relay(http, pairs, "--cork") as corked,
            wephone(http, pairs, Path(folder)) as ours,
        ):
            report({"signed_in": len(ours.pairs) * 2, "server": ours.pid})
            kept: list[dict[str, Cost]] = []
            for number in range(rounds + 1):  # the first warms up
                order = (bare, corked, ours) if number % 2 else (ours, corked, bare)
                cost = {side.name: await round_of(side, calls) for side in order}
                if number:
                    kept.append(cost)
                    report({"round": number, **{name: asdict(each) for name, each in cost.items()}})
    for name, part in ((ours.name, "server"), (ours.name, "writer"), (bare.name, "server")):
        values = [getattr(cost[name], part) for cost in kept]
        report({"cpu_us_per_call": f"{name}, {part}", "median": round(statistics.median(values))})
    for reference in (bare, corked):
        ratios = [cost[ours.name].both / cost[reference.name].both for cost in kept]
        report({"ratio_to": reference.name, "median": statistics.median(ratios), "of": ratios})


def report(facts: dict[str, object]) -> None:
    """One line of JSON."""
    print(json.dumps(facts), flush=True)


def main() -> None:
    """Parse the sizes and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2000, help="in a round")
    parser.add_argument("--pairs", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    asyncio.run(measure(args.calls, args.pairs, args.rounds))


if __name__ == "__main__":
    main()
