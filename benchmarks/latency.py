"""How long a caller waits, wall clock, against references of the same run:  python -m benchmarks.latency

Two headless peers with real media, on the loopback, call each other through `wephone serve` in a process of
its own; the callee answers as soon as it rings. Printed are the median and the 95th percentile of

* invite to answer: the invite's frame leaves, and the caller is told that it was answered. Beside it the
  round trip of one frame over a bare aiohttp relay; a call is three of those, two commits and one SDP answer;
* answer to sound: told that it was answered, and the first frame of the callee's sound is decoded. Beside it
  two stock aiortc connections in one process, from the offer to the first decoded frame.
"""

import argparse
import asyncio
import json
import secrets
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
from aiortc import RTCPeerConnection
from aiortc.mediastreams import AudioStreamTrack

from benchmarks.processes import relayed, served
from wephone import Client
from wephone.media.audio import Samples
from wephone.media.devices import Nowhere, Silence
from wephone.protocol.messages import Invite
from wephone.sound import preload
from wephone.transport import Server

MS = 1_000_000  # ns
FRAME = json.dumps({"to": "me", "sdp": "x" * 2500})  # as large as an invite


class Dialling:
    """Notes when the frame of the latest invite left."""

    def __init__(self) -> None:
        self.at = 0

    def __call__(self, kind: str, what: object) -> None:
        if kind == "sent" and isinstance(what, Invite):
            self.at = time.monotonic_ns()


class FirstSound:
    """A sink that notes when the first decoded frame reaches it."""

    def __init__(self) -> None:
        self.at = 0
        self.heard = asyncio.Event()

    def open(self) -> None:
        pass

    def write(self, frame: Samples, at: int) -> None:
        if not self.heard.is_set():
            self.at = time.monotonic_ns()
            self.heard.set()

    def close(self) -> None:
        pass


async def call(alice: Client, bob: Client, dialling: Dialling) -> dict[str, float]:
    """One call until both hear each other: its spans in milliseconds."""
    sink = FirstSound()
    placed = alice.place(bob.user, source=Silence(), sink=sink)
    theirs = await bob.next_call()
    await theirs.answer(Silence(), Nowhere())
    await placed.answered()
    await sink.heard.wait()
    await placed.hangup()
    await theirs.wait_ended()
    times = placed.times
    return {
        "invite_to_answer": (times["answered"] - dialling.at) / MS,
        "answer_to_sound": (sink.at - times["answered"]) / MS,
        "placed_to_sound": (sink.at - times["placed"]) / MS,
    }


async def stock() -> float:
    """Two aiortc connections as its examples make them: offer to first decoded frame, in milliseconds."""
    caller, callee = RTCPeerConnection(), RTCPeerConnection()
    heard: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    tasks: list[asyncio.Task[None]] = []

    async def listen(track: Any) -> None:
        await track.recv()
        heard.set_result(time.monotonic_ns())

    caller.on("track", lambda track: tasks.append(asyncio.create_task(listen(track))))
    caller.addTrack(AudioStreamTrack())
    callee.addTrack(AudioStreamTrack())
    begun = time.monotonic_ns()
    await caller.setLocalDescription(await caller.createOffer())
    await callee.setRemoteDescription(caller.localDescription)
    await callee.setLocalDescription(await callee.createAnswer())
    await caller.setRemoteDescription(callee.localDescription)
    took = (await heard - begun) / MS
    await asyncio.gather(caller.close(), callee.close(), *tasks)
    return took


async def round_trip(socket: "aiohttp.ClientWebSocketResponse[Any]") -> float:
    """One frame to the relay and back, in milliseconds."""
    begun = time.monotonic_ns()
    await socket.send_str(FRAME)
    await socket.receive_str()
    return (time.monotonic_ns() - begun) / MS


async def registered(stack: AsyncExitStack, url: str, name: str, trace: Dialling | None = None) -> Client:
    """A signed-in device of a new account."""
    password = secrets.token_urlsafe(16)
    async with Server(url) as entrance:
        await entrance.register(name, password)
    return await stack.enter_async_context(Client(url, name, password=password, trace=trace))


async def measure(calls: int) -> None:
    """Calls and references in turn, so that all meet the same machine."""
    dialling = Dialling()
    spans: dict[str, list[float]] = {}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ready = stack.enter_context(served(folder))
        _, relay = stack.enter_context(relayed())
        http = await stack.enter_async_context(aiohttp.ClientSession())
        socket = await stack.enter_async_context(http.ws_connect(f"{relay}?user=me"))
        await preload()
        alice = await registered(stack, ready["url"], "alice", dialling)
        bob = await registered(stack, ready["url"], "bob")
        for number in range(calls + 1):  # the first warms up
            took = await call(alice, bob, dialling)
            took |= {"round_trip": await round_trip(socket), "stock": await stock()}
            for name, span in took.items() if number else ():
                spans.setdefault(name, []).append(span)
    report("invite to answer", spans["invite_to_answer"], "aiohttp round trip", spans["round_trip"])
    report("answer to sound", spans["answer_to_sound"], "stock aiortc, offer to sound", spans["stock"])
    report("placed to sound", spans["placed_to_sound"], "stock aiortc, offer to sound", spans["stock"])


def report(name: str, ours: Sequence[float], reference: str, theirs: Sequence[float]) -> None:
    """One line of JSON; milliseconds."""
    facts = {
        "span": name,
        "ms": summary(ours),
        "reference": reference,
        "reference_ms": summary(theirs),
        "ratio_of_p50": round(statistics.median(ours) / statistics.median(theirs), 2),
        "calls": len(ours),
    }
    print(json.dumps(facts), flush=True)


def summary(spans: Sequence[float]) -> dict[str, float]:
    """The least, the median and the 95th percentile."""
    p95 = statistics.quantiles(spans, n=20, method="inclusive")[-1]
    return {
        "least": round(min(spans), 2),
        "p50": round(statistics.median(spans), 2),
        "p95": round(p95, 2),
    }


def main() -> None:
    """Parse the number of calls and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20)
    asyncio.run(measure(parser.parse_args().calls))


if __name__ == "__main__":
    main()
