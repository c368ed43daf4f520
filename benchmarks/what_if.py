"""How long a million past decisions take under supposed permits:  python -m benchmarks.what_if

A stream of records as the server sends it, of 200 kinds of call (countries, number types, an identity that is
verified or not) spread over a year in which a permit begins, is suspended and ends, is read, counted and
decided under a suspension that is supposed. Beside it, what reading the same lines by the standard library's
`json.loads` alone costs. CPU time of one process; the server that streams the records has another core.
"""

import argparse
import json
import random
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime

from licensing.case import Case, Operator, Policy
from licensing.decision import decide
from licensing.facts import CallFacts, Leg, LegKind, Role, Source
from licensing.identity import RANDOM, DecisionId, decision_id
from licensing.instant import SECOND, Instant
from licensing.jurisdiction import load_profiles
from licensing.law import Law
from licensing.numbering import NumberType
from licensing.permit import Permit
from licensing.ports import RegisterRow
from licensing.record import Ask, Circumstances, entry, local
from licensing.snapshot import document_of
from licensing.whatif import Changes, Kinds, Replay, Supposed, read_line

TOGETHER = 1_000  # records that are counted at a time, as the server sends them
KINDS, USERS = 200, 5_000
YEAR = 365 * 24 * 3600
BEGIN = round(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
PERMIT = Permit.model_validate(
    {
        "id": "basic-1",
        "jurisdiction": "baseline",
        "categories": ["baseline:basic"],
        "valid_from": date(2026, 2, 1),
        "valid_until": date(2026, 11, 30),
        "status_events": [{"status": "suspended", "from": "2026-05-01T00:00Z", "to": "2026-05-08T00:00Z"}],
        "verified": True,
    }
)


def kinds_of_calls(chance: random.Random) -> list[CallFacts]:
    """Calls that the law may tell apart."""
    made: dict[CallFacts, None] = {}
    while len(made) < KINDS:
        far = Leg(
            Role.DESTINATION,
            chance.choice((LegKind.APP, LegKind.PSTN)),
            chance.choice(("CN", "US", "DE", "FR", "JP", "IN", "BR")),
            None,
            chance.choice((NumberType.MOBILE, NumberType.GEOGRAPHIC, NumberType.VOIP, NumberType.PREMIUM)),
            Source.NUMBER,
        )
        origin = Leg(Role.ORIGIN, LegKind.APP, chance.choice(("CN", "US", "DE")), located_by=Source.ACCOUNT)
        made[CallFacts((origin, far), identity_verified=chance.choice((True, False, None)))] = None
    return list(made)


def lines(number: int, chance: random.Random) -> Iterator[str]:
    """So many records, each of another call, person and moment."""
    profiles = load_profiles()
    law = Law(profiles, Operator(), Policy())
    calls = kinds_of_calls(chance)
    bodies = []
    for facts in calls:
        now = Instant((BEGIN + YEAR // 2) * SECOND, 0)
        decision = decide(Case(facts, profiles, (PERMIT,)), now)
        ask = Ask("CALL", facts, {"caller": "alice", "callee": "bob"}, leg="callee")
        body = entry(ask, decision, Circumstances(DecisionId("D"), now, 1), law.basis, chance.randbytes).body
        before, _, after = body.partition(moment(now))
        bodies.append((before, after))
    for _ in range(number):
        before, after = chance.choice(bodies)
        now = Instant((BEGIN + chance.randrange(YEAR)) * SECOND, 0)
        body = f"{before}{moment(now)}{after}".replace("CALL", f"{chance.getrandbits(128):032x}", 1)
        yield (
            f'{{"decision":"{decision_id(now, chance.randbytes(RANDOM))}","seconds":{chance.randrange(300)},'
            f'"user":"{chance.randrange(USERS):016x}","entry":{body}}}'
        )


def moment(now: Instant) -> str:
    """When it was decided, as an entry has it."""
    utc = now.utc.isoformat()
    return f'"utc":"{utc}","utc_local":"{local(now, "UTC")}","utc_ns":{now.utc_ns}'


def main() -> None:
    """Parse the number of records and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    number: int = parser.parse_args().records
    row = RegisterRow("permit", PERMIT.id, 1, json.dumps(document_of(PERMIT)), "vera", 0, 1)
    supposed = Changes(suspended=frozenset({PERMIT.id}))
    replay = Replay(Supposed(supposed, (row,), load_profiles(), Operator(), Policy()))
    counted: Kinds = {}
    ours = reading = 0.0
    source = lines(number, random.Random(7))
    while some := [line for _, line in zip(range(TOGETHER), source, strict=False)]:
        begun = time.process_time()
        told = [record for record in map(read_line, some) if record is not None]
        replay.count(told, counted)
        ours += time.process_time() - begun
        if len(told) != len(some):
            raise RuntimeError("some of the records that were made up are none")
        begun = time.process_time()
        for line in some:
            json.loads(line)
        reading += time.process_time() - begun
    begun = time.process_time()
    outlook = replay.outlook(counted)
    ours += time.process_time() - begun
    print(
        json.dumps(
            {
                "records": number,
                "distinct": len(counted),
                "flips": outlook.flipped(lost=True).decisions,
                "seconds": round(ours, 1),
                "json_loads_seconds": round(reading, 1),
                "ratio_to_json_loads": round(ours / reading, 2),
            }
        ),
        flush=True,
    )


if __name__ == "__main__":
    main()
