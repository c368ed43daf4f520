"""What the gate costs a call, and how fast a permit change counts:  python -m benchmarks.gate

Two servers as `wephone serve` starts them, on SQLite, are given the same calls over real sockets (the eight
messages of `benchmarks.signaling`). One has the gate: it decides each call and writes the decision into the
hash chain, durably, before the call rings. The other's gate says yes and does nothing. Both write the call's
record. CPU is that of the server and of its writer process together; rounds alternate, and the ratio of each
round's pair counts.

Then one node's register and gate in process: from the moment that a change of the register is durable to the
first decision that is made by it, and what the whole change takes, which is the disk's.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import aiohttp

from benchmarks.signaling import Cost, report, round_of, wephone
from licensing.audit import Draft
from licensing.case import Operator, Policy
from licensing.facts import CallFacts, Role, app_leg
from licensing.gate import Gate
from licensing.journal import EvidenceFile
from licensing.jurisdiction import load_profiles
from licensing.law import Law
from licensing.ports import RegisterRow
from licensing.reasons import Reason
from licensing.register import Register
from signaling.clock import SystemClock

GATED, UNGATED = "with the gate", "with a gate that does nothing"


async def calls(number: int, pairs: int, rounds: int) -> None:
    """Alternate the two servers, and print each round, then the medians."""
    connector = aiohttp.TCPConnector(limit=0)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None), connector=connector) as http,
            wephone(http, pairs, Path(one)) as gated,
            wephone(http, pairs, Path(other), "benchmarks.ungated") as ungated,
        ):
            kept: list[tuple[Cost, Cost]] = []
            for turn in range(rounds + 1):  # the first warms up
                order = (gated, ungated) if turn % 2 else (ungated, gated)
                cost = {side.pid: await round_of(side, number) for side in order}
                if turn:
                    kept.append((cost[gated.pid], cost[ungated.pid]))
                    report({GATED: asdict(cost[gated.pid]), UNGATED: asdict(cost[ungated.pid])})
    for name, place in ((GATED, 0), (UNGATED, 1)):
        median = statistics.median(pair[place].both for pair in kept)
        report({"cpu_us_per_call": name, "server and writer, median": round(median)})
    more = [100 * (gated.both / ungated.both - 1) for gated, ungated in kept]
    report(
        {
            "the gate costs, percent of a call": round(statistics.median(more), 1),
            "of": [round(each, 1) for each in more],
        }
    )


class Watched(EvidenceFile):
    """A register on its own file that says when the last change was durable."""

    durable_at = 0

    async def change(self, epoch: int, rows: Sequence[RegisterRow], draft: Draft) -> int:
        answer = await super().change(epoch, rows, draft)
        self.durable_at = time.perf_counter_ns()
        return answer


async def changes(number: int) -> None:
    """Switch a class off and on; after each change the next decision has to know."""
    clock, profiles = SystemClock(), load_profiles()
    facts = CallFacts((app_leg(Role.ORIGIN), app_leg(Role.DESTINATION)))
    seen, whole = [], []
    with tempfile.TemporaryDirectory() as folder:
        file = Watched(Path(folder) / "evidence.db")
        await file.open()
        register = Register(file, clock, profiles=profiles)
        await register.open()
        gate = Gate(register=register, journal=file, clock=clock, law=Law(profiles, Operator(), Policy()))
        await gate.open()
        for turn in range(number):
            off = turn % 2 == 0
            begun = time.perf_counter_ns()
            await register.set_toggle({"key": "calls", "enabled": not off}, by="root", why="a measurement")
            reason = gate.check(facts).reason
            ended = time.perf_counter_ns()
            if (reason is Reason.DENY_SERVICE_DISABLED) is not off:
                raise RuntimeError(f"after change {turn} the answer is {reason}")
            seen.append((ended - file.durable_at) / 1000)
            whole.append((ended - begun) / 1000)
        await gate.close()
        await register.close()
        await file.close()
    report(
        {
            "from a durable change to the decision by it, us": round(statistics.median(seen)),
            "at worst": round(max(seen)),
            "the whole change": round(statistics.median(whole)),
            "changes": number,
        }
    )


def main() -> None:
    """Parse the sizes and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2000, help="in a round")
    parser.add_argument("--pairs", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--changes", type=int, default=200)
    args = parser.parse_args()
    asyncio.run(changes(args.changes))
    asyncio.run(calls(args.calls, args.pairs, args.rounds))


if __name__ == "__main__":
    main()
