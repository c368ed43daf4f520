"""How soon running calls are decided again when a permit changes:  python -m benchmarks.revocation

China's profile, calls between apps that one permit allows; it is suspended and reinstated, and then an own
profile that prohibits them is laid down and taken away (`profile_`). Everything but the sockets is real:
register, law, journal on disk, the calls' machines, the frames for both devices as they are written. Beside
it, in the same run, what the standard library alone needs for the same number of entries: `json.dumps`,
SHA-256, and one transaction of sqlite3 (WAL, synchronous=FULL).

`decided_ms`: from the change of the register to the last new decision; `told_ms`: to the last frame.
`longest_slice_ms`: the longest time for which nothing else had a turn on the loop. Those with `cpu` are the
CPU time of the loop's thread, which other programs on this machine do not lengthen. Of a few rounds the least
disturbed one counts.
"""

import argparse
import asyncio
import json
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Awaitable
from contextlib import AsyncExitStack, closing
from dataclasses import astuple, dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

from licensing.changes import Check
from licensing.instant import Instant
from licensing.jurisdiction import SHIPPED
from signaling.clock import SystemClock
from signaling.core.call import Call, restored
from signaling.core.effects import Send
from signaling.core.events import Reinstated, Withdrawn
from signaling.core.holder import HolderFacts, Identity, IdentityStatus, Person, Residence, Said, Words
from signaling.core.party import Party
from signaling.licence import Licence
from signaling.metrics import Metrics
from signaling.permission import Permitted
from signaling.revocation import Revocation
from signaling.settings import Settings
from signaling.store import open_store
from tests.signaling.residents import HOLDER, permit_in
from wephone.protocol.codec import encode
from wephone.protocol.ids import CallId, DeviceId, UserId
from wephone.protocol.messages import Media

AUDIO = (Media.AUDIO,)


@dataclass(frozen=True, slots=True)
class Measured:
    """One change: seconds, and how many calls were told."""

    decided: float
    told: float
    longest: float
    decided_cpu: float
    longest_cpu: float


class Calls:
    """Running calls, told of what becomes of them."""

    def __init__(self) -> None:
        self.calls: dict[CallId, Call] = {}
        self.told = 0
        self.last = 0.0
        self.all = asyncio.Event()

    def add(self, call: CallId, caller: UserId, callee: UserId, now: Instant) -> None:
        placed, taken = (Party(user, DeviceId(str(uuid.uuid4()))) for user in (caller, callee))
        self.calls[call] = restored(call, placed, taken, AUDIO, now)

    def tell(self, call: CallId, event: Withdrawn | Reinstated) -> None:
        """As the switch does, but for the sockets."""
        self.calls[call], effects = self.calls[call].receive(event, SystemClock().now())
        for effect in effects:
            if isinstance(effect, Send):
                encode(effect.message)
        self.told += 1
        self.last = time.perf_counter()
        if self.told == len(self.calls):
            self.all.set()


class Timed(Metrics):
    """Notes when all decisions were made."""

    decided = decided_cpu = 0.0

    def reviewed(self, calls: int, seconds: float) -> None:
        super().reviewed(calls, seconds)
        self.decided, self.decided_cpu = time.perf_counter(), time.thread_time()


class Turns:
    """Takes a turn of the loop as often as it can, and notes the longest wait for one."""

    def __init__(self) -> None:
        self.longest = self.longest_cpu = 0.0
        self._task = asyncio.create_task(self._take())

    async def _take(self) -> None:
        last, last_cpu = time.perf_counter(), time.thread_time()
        while True:
            await asyncio.sleep(0)
            now, cpu = time.perf_counter(), time.thread_time()
            self.longest = max(self.longest, now - last)
            self.longest_cpu = max(self.longest_cpu, cpu - last_cpu)
            last, last_cpu = now, cpu

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])


def resident(name: str) -> Person:
    """Somebody in China whose identity was verified."""
    said = Said("operator", 0, "entry")
    words = Words(residence=Residence("CN", said), identity=Identity(IdentityStatus.VERIFIED, said))
    return Person(UserId(name), HolderFacts(verified=words))


async def measure(folder: Path, number: int, rounds: int) -> tuple[list[Measured], list[Measured]]:
    """Suspend and reinstate, over and over; then prohibit by law and permit again."""
    own = folder / "law"
    own.mkdir()
    settings = Settings(data=folder, profiles=(), legal_entity=HOLDER, profiles_folder=own)
    clock, metrics, calls = SystemClock(), Timed(), Calls()
    async with AsyncExitStack() as stack:
        store = await open_store(settings.database_url, node="local")
        stack.push_async_callback(store.close)
        licence = await stack.enter_async_context(Licence(settings, store.journal, store.permits, clock))
        check = Check("carol", date(2020, 1, 1))
        await licence.register.add_permit(permit_in("CN"), by="operator", why="a benchmark", check=check)
        revocation = Revocation(licence.permission, licence.register, licence.law, clock, metrics)
        alice, bob = resident("alice"), resident("bob")
        for _ in range(number):
            call = CallId(str(uuid.uuid4()))
            answer = await licence.permission.may_call(call, alice, bob, AUDIO)
            if not isinstance(answer, Permitted) or answer.standing is None:
                raise RuntimeError(f"the call was not permitted: {answer}")
            calls.add(call, alice.user, bob.user, clock.now())
            revocation.runs(call, (alice.user, bob.user), answer.standing)
        await revocation.start(calls.tell)
        stack.push_async_callback(revocation.close)
        by_permit, by_law = [], []
        for _ in range(rounds):
            suspended = licence.register.suspend("cn", by="operator", why="a benchmark")
            by_permit.append(await one_loss(licence, calls, metrics, suspended))
            for operator in ("operator", "second"):
                await licence.register.reinstate("cn", by=operator, why="a benchmark")
            await all_told(calls)
        assert licence.profiles is not None
        for _ in range(rounds):
            (own / "CN.json").write_text(prohibiting())
            by_law.append(await one_loss(licence, calls, metrics, licence.profiles.look()))
            (own / "CN.json").unlink()
            await licence.profiles.look()
            await all_told(calls)
        return by_permit, by_law


def prohibiting() -> str:
    """China's law, if calls between apps were prohibited."""
    document = json.loads(SHIPPED.joinpath("CN.json").read_text())
    document["services"]["app_voice"]["domestic"] = {"kind": "prohibited"}
    return json.dumps(document)


async def one_loss(licence: Licence, calls: Calls, metrics: Timed, loss: Awaitable[object]) -> Measured:
    """What allows the calls is lost; until every call has been told."""
    changed: list[tuple[float, float]] = []
    deaf = licence.register.on_change(lambda taken: changed.append((time.perf_counter(), time.thread_time())))
    turns = Turns()
    await loss
    await all_told(calls)
    deaf()
    await turns.stop()
    [(at, at_cpu)] = changed
    return Measured(
        metrics.decided - at,
        calls.last - at,
        turns.longest,
        metrics.decided_cpu - at_cpu,
        turns.longest_cpu,
    )


def least(measured: list[Measured]) -> Measured:
    """Of a few rounds the least disturbed one."""
    return Measured(*(min(values) for values in zip(*map(astuple, measured), strict=True)))


async def all_told(calls: Calls) -> None:
    """Wait until every call was told."""
    await calls.all.wait()
    calls.all.clear()
    calls.told = 0


def reference(folder: Path, number: int, body: dict[str, object]) -> float:
    """Seconds for as many entries, by the standard library alone."""
    with closing(sqlite3.connect(folder / "raw.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE entry (seq INTEGER PRIMARY KEY, body TEXT, hash TEXT)")
        begun = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        for seq in range(number):
            text = json.dumps(body | {"seq": seq}, sort_keys=True)
            digest = sha256(text.encode()).hexdigest()
            connection.execute("INSERT INTO entry VALUES (?, ?, ?)", (seq, text, digest))
        connection.execute("COMMIT")
        return time.perf_counter() - begun


def in_milliseconds(measured: Measured, about: str) -> dict[str, float]:
    """The figures of one kind of change, each by its name."""
    figures = {
        "decided_ms": measured.decided,
        "decided_cpu_ms": measured.decided_cpu,
        "told_ms": measured.told,
        "longest_slice_ms": measured.longest,
        "longest_slice_cpu_ms": measured.longest_cpu,
    }
    return {f"{about}{name}": round(seconds * 1000, 1) for name, seconds in figures.items()}


def main() -> None:
    """Parse the size, measure both, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    size = parser.parse_args()
    body: dict[str, object] = {"facts": "f" * 900, "outcome": "deny", "reason": "DENY_PERMIT_SUSPENDED"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        by_permit, by_law = map(least, asyncio.run(measure(folder, size.calls, size.rounds)))
        plain = reference(folder, size.calls, body)
    facts = {
        "calls": size.calls,
        **in_milliseconds(by_permit, ""),
        **in_milliseconds(by_law, "profile_"),
        "plain_sqlite_ms": round(plain * 1000, 1),
        "ratio_decided_to_plain": round(by_permit.decided / plain, 2),
        "ratio_told_to_plain": round(by_permit.told / plain, 2),
    }
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main()
