"""What a telephone call costs the media bridge, beside others in the same run:  python -m benchmarks.bridge

The others are a bare UDP forwarder (`forwarder.py`), the least that asyncio can cost, and two that are
written in C, where they are installed: rtpengine (Debian: rtpengine-daemon), and Janus as our other
backend, for G.711 alone. Apps and far ends are in this process: 50 packets a second each way and call, the
far end says back what it hears. CPU is that of the one process that is measured, for each packet that went
there and back, 50 times a second. "Added delay" is the way there and back through the bridge, less the
forwarder's median, halved. On a machine that is busy elsewhere it shows the wait for a processor, and so do
the others'. Rounds alternate; medians count.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from shutil import which

import numpy as np
from aioice.ice import get_host_addresses

from benchmarks.processes import own_cpu_seconds, started
from benchmarks.rtpengine import PROGRAM, engine
from signaling.media import CandidatesFound, Connected, Event, MediaBackend, TrunkMedia
from signaling.pstn.echo import Echo, answered, open_echo
from signaling.pstn.media import app_sdp
from signaling.pstn.media.app_sdp import Means
from signaling.pstn.media.app_side import MID, AppSide
from signaling.pstn.media.embedded import EmbeddedBackend
from signaling.pstn.media.janus import JanusBackend
from signaling.pstn.media.place import Place
from signaling.pstn.media.rtp import Format, Stream, is_report
from tests.fakes.janus import janus
from wephone.media.opus import Encoder
from wephone.media.secure import SecureLine
from wephone.media.servers import IceSettings
from wephone.protocol.messages import Candidate

HOST = "127.0.0.1"
TRUNK = TrunkMedia(("PCMU",), networks=("127.0.0.0/8",))
STEP = 0.02  # seconds
LEASE_S = 10.0  # seconds, as the gate gives it
TARGETS = {"PCMU": 0.5, "opus": 1.0}  # percent of a core for each call
DELAY_MS = 5.0  # added, one way, p99


@dataclass
class Caller:
    """One call's app: sends every 20 ms, and knows when each came back."""

    send: Callable[[bytes], object]
    payload_type: int
    payloads: list[bytes]
    step: int
    stamped: bool  # the payload comes back as it was
    stream: Stream = field(default_factory=lambda: Stream(7, 0, 0))
    trips: list[float] = field(default_factory=list)  # ms
    sent: deque[int] = field(default_factory=deque)

    def say(self) -> None:
        now = time.monotonic_ns()
        payload = self.payloads[self.stream.packets % len(self.payloads)]
        if self.stamped:
            payload = now.to_bytes(8) + payload[8:]
        self.sent.append(now)
        sequence, timestamp = self.stream.make(self.step, now)
        self.send(self.stream.pack(self.payload_type, False, sequence, timestamp, payload))

    def came(self, packet: bytes) -> None:
        if is_report(packet) or not self.sent:
            return
        began = int.from_bytes(packet[12:20]) if self.stamped else self.sent.popleft()
        self.trips.append((time.monotonic_ns() - began) / 1e6)


class App:
    """One WebRTC side, by the same line as the bridge's own."""

    def __init__(self, name: str) -> None:
        self.line = SecureLine(self, IceSettings(), offers=True, mid=MID)
        self.side = AppSide(self.line, 7)
        self.codec = name
        self.caller: Caller | None = None
        self.connected = asyncio.Event()

    async def offer(self) -> str:
        await self.side.offer(("PCMU",))
        wanted = {0: Format("PCMU", 8_000)} if self.codec == "PCMU" else {111: Format("opus", 48_000)}
        self.side._formats = wanted
        ice = self.line.connection
        found = tuple(each.to_sdp() for each in ice.local_candidates)
        means = Means(
            ice.local_username, ice.local_password, self.line.fingerprint, found, True, "actpass", MID, 7, "x"
        )
        return str(app_sdp.described(wanted, "sendrecv", means, 1, 1))

    def line_found(self, candidate: Candidate | None) -> None:
        pass

    def line_connected(self) -> None:
        self.connected.set()

    def line_failed(self, reason: str) -> None:
        raise SystemExit(reason)

    def line_closed(self) -> None:
        pass

    def packet_came(self, packet: bytes) -> None:
        if self.caller is not None:
            self.caller.came(packet)


class Plain(asyncio.DatagramProtocol):
    """One app of the forwarder's."""

    caller: Caller

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.DatagramTransport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.caller.came(data)


@dataclass(frozen=True)
class Round:
    """One measurement: percent of a core for each call, packets that came back, and trips in ms."""

    percent: float
    came_back: float
    trips: list[float]


async def measure(pid: int, callers: list[Caller], seconds: float) -> Round:
    """All of them speak for so long."""
    loop = asyncio.get_running_loop()
    begin, cpu = loop.time() + 0.1, own_cpu_seconds(pid)
    for turn in range(int(seconds / STEP)):
        for index, caller in enumerate(callers):
            wait = begin + (turn + index / len(callers)) * STEP - loop.time()
            if wait > 0.0005:
                await asyncio.sleep(wait)
            caller.say()
        await asyncio.sleep(0)
    await asyncio.sleep(0.2)
    used = own_cpu_seconds(pid) - cpu
    trips = [trip for caller in callers for trip in caller.trips]
    back = len(trips) / (len(callers) * int(seconds / STEP))
    return Round(used / len(trips) / STEP * 100, back, trips)


def spoken(codec: str) -> tuple[int, list[bytes], int]:
    """Payload type, a second of payloads and the timestamp's step."""
    times = np.arange(8_000) / 8_000
    sound = np.asarray(9_000 * np.sin(2 * np.pi * 300 * times) * np.sin(2 * np.pi * 3 * times), np.int16)
    if codec == "PCMU":
        return 0, [bytes([index]) * 160 for index in range(50)], 160
    encoder = Encoder(rate=8_000)
    return 111, [encoder.encode(sound[n * 160 : (n + 1) * 160]) for n in range(50)], 960


class Waiting:
    """Hears a backend, and knows which apps it has found."""

    def __init__(self) -> None:
        self.connected: dict[str, asyncio.Event] = {}

    def __call__(self, event: Event, /) -> None:
        if isinstance(event, Connected):
            self.connected[event.leg].set()
        elif not isinstance(event, CandidatesFound):
            assert event.leg in self.connected


@contextlib.asynccontextmanager
async def spoken_over(
    backend: MediaBackend, waiting: Waiting, codec: str, calls: int
) -> AsyncIterator[list[Caller]]:
    """So many calls over a backend, each with a lease that outlasts the measurement."""
    callers, apps, echoes, legs = [], [], [], []
    for number in range(calls):
        leg, app = f"call/{number}", App(codec)
        waiting.connected[leg] = asyncio.Event()
        echo = await open_echo(HOST)
        opened = await backend.open_outgoing(leg, await app.offer(), TRUNK)
        await app.side.take_answer(app_sdp.read(opened.app))
        answer = answered(opened.trunk.encode(), HOST, echo.port)
        assert answer is not None
        await backend.trunk_answered(leg, answer.decode())
        await asyncio.gather(waiting.connected[leg].wait(), app.connected.wait())
        app.caller = Caller(app.line.send, *spoken(codec), codec == "PCMU")
        callers.append(app.caller)
        apps.append(app)
        echoes.append(echo)
        legs.append(leg)
    renewing = asyncio.create_task(renew(backend, legs))
    for leg in legs:
        backend.lease(leg, in_seconds(LEASE_S))
        await backend.statistics(leg)
    yield callers
    renewing.cancel()
    await asyncio.wait((renewing,))
    await asyncio.gather(*(backend.close(leg) for leg in legs))
    await asyncio.gather(*(app.line.close() for app in apps))
    close(echoes)


async def renew(backend: MediaBackend, legs: list[str]) -> None:
    """As the gate does it."""
    while True:
        await asyncio.sleep(LEASE_S / 2)
        for leg in legs:
            backend.lease(leg, in_seconds(LEASE_S))


def in_seconds(seconds: float) -> int:
    return time.monotonic_ns() + int(seconds * 1e9)


@contextlib.asynccontextmanager
async def bridged(codec: str, calls: int) -> AsyncIterator[tuple[int, list[Caller]]]:
    """So many calls over a bridge of their own."""
    waiting = Waiting()
    backend = EmbeddedBackend(Place(HOST, None, 30_000, 30_999), waiting)
    await backend.start()
    async with spoken_over(backend, waiting, codec, calls) as callers:
        assert backend.pid is not None
        yield backend.pid, callers
    await backend.stop()


@contextlib.asynccontextmanager
async def over_janus(calls: int) -> AsyncIterator[tuple[int, list[Caller]]]:
    """So many calls of G.711 over a Janus of their own, with the configuration of docker-compose.yml."""
    waiting = Waiting()
    async with janus() as running:
        backend = JanusBackend(running.place, waiting)
        await backend.start()
        async with spoken_over(backend, waiting, "PCMU", calls) as callers:
            yield running.process.pid, callers
        await backend.stop()


@contextlib.asynccontextmanager
async def engined(codec: str, calls: int) -> AsyncIterator[tuple[int, list[Caller]]]:
    """So many calls over rtpengine."""
    callers, apps, echoes = [], [], []
    addresses = [*get_host_addresses(use_ipv4=True, use_ipv6=False), HOST]
    async with engine(addresses[0]) as (pid, asked):
        for number in range(calls):
            app, echo = App(codec), await open_echo(HOST)
            offer = await asked.trunk_offer(f"c{number}", await app.offer(), transcode=codec == "opus")
            answer = answered(offer.encode(), HOST, echo.port)
            assert answer is not None
            said = await asked.app_answer(f"c{number}", answer.decode())
            await app.side.take_answer(app_sdp.read(said))
            await app.connected.wait()
            app.caller = Caller(app.line.send, *spoken(codec), codec == "PCMU")
            callers.append(app.caller)
            apps.append(app)
            echoes.append(echo)
        yield pid, callers
        await asyncio.gather(*(app.line.close() for app in apps))
        close(echoes)


@contextlib.asynccontextmanager
async def forwarded(calls: int) -> AsyncIterator[tuple[int, list[Caller]]]:
    """So many calls over the bare forwarder."""
    loop = asyncio.get_running_loop()
    callers, plains, echoes = [], [], []
    with started([sys.executable, "-m", "benchmarks.forwarder"], stdin=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(calls):
            transport, plain = await loop.create_datagram_endpoint(Plain, local_addr=(HOST, 0))
            echo = await open_echo(HOST)
            process.stdin.write(f"{transport.get_extra_info('sockname')[1]} {echo.port}\n".encode())
            process.stdin.flush()
            to = (HOST, int(process.stdout.readline().split()[0]))
            plain.caller = Caller(partial(transport.sendto, addr=to), *spoken("PCMU"), True)
            callers.append(plain.caller)
            plains.append(transport)
            echoes.append(echo)
        yield process.pid, callers
        for each in plains:
            each.close()
        close(echoes)


def close(echoes: list[Echo]) -> None:
    for echo in echoes:
        echo.close()


def percentile(trips: list[float], share: float) -> float:
    return sorted(trips)[min(len(trips) - 1, int(len(trips) * share))]


async def compare(codec: str, calls: int, seconds: float, rounds: int) -> dict[str, object]:
    """Bridge, forwarder, rtpengine and Janus, in turns."""
    ours, bare, engines, januses = [], [], [], []
    for _ in range(rounds):
        async with bridged(codec, calls) as (pid, callers):
            await measure(pid, callers, 1)  # codecs and caches are warm after that
            for caller in callers:
                caller.trips.clear()
            ours.append(await measure(pid, callers, seconds))
        async with forwarded(calls) as (pid, callers):
            bare.append(await measure(pid, callers, seconds))
        if which(PROGRAM):
            async with engined(codec, calls) as (pid, callers):
                engines.append(await measure(pid, callers, seconds))
        if codec == "PCMU" and which("janus"):  # it translates nothing
            async with over_janus(calls) as (pid, callers):
                januses.append(await measure(pid, callers, seconds))
    percent = statistics.median(each.percent for each in ours)
    base = statistics.median(each.percent for each in bare)
    direct = statistics.median(percentile(each.trips, 0.5) for each in bare)
    return {
        "codec": codec,
        "calls": calls,
        "percent_of_a_core_per_call": round(percent, 3),
        "forwarder_percent": round(base, 3),
        "ratio": round(percent / base, 2),
        "came_back": round(statistics.median(each.came_back for each in ours), 4),
        "added_delay_ms_p50": round(
            statistics.median((percentile(e.trips, 0.5) - direct) / 2 for e in ours), 2
        ),
        "added_delay_ms_p99": round(
            statistics.median((percentile(e.trips, 0.99) - direct) / 2 for e in ours), 2
        ),
        "forwarder_delay_ms_p99": round(statistics.median(percentile(e.trips, 0.99) / 2 for e in bare), 2),
        **({"rtpengine": compared(engines, percent, direct)} if engines else {}),
        **({"janus": compared(januses, percent, direct)} if januses else {}),
        "target_percent": TARGETS[codec],
        "target_delay_ms_p99": DELAY_MS,
    }


def compared(rounds: list[Round], ours: float, direct: float) -> dict[str, float]:
    """The same figures of another, and our share of its cost."""
    percent = statistics.median(each.percent for each in rounds)
    late = statistics.median((percentile(each.trips, 0.99) - direct) / 2 for each in rounds)
    back = statistics.median(each.came_back for each in rounds)
    return {
        "percent_of_a_core_per_call": round(percent, 3),
        "ratio": round(ours / percent, 2),
        "came_back": round(back, 4),
        "added_delay_ms_p99": round(late, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--codec", choices=sorted(TARGETS), action="append")
    chosen = parser.parse_args()
    for codec in chosen.codec or ["PCMU", "opus"]:
        print(
            json.dumps(asyncio.run(compare(codec, chosen.calls, chosen.seconds, chosen.rounds))), flush=True
        )


if __name__ == "__main__":
    main()
