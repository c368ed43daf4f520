"""What one licence decision costs, CPU time:  python -m benchmarks.decision

Two calls: app to app under the baseline profile, which needs no permit, and app to telephone in China under
ten permits of its operator, of which one covers it. Beside each, what reading the same facts from JSON costs
with the standard library, and eight plain comparisons. Facts are typed and checked already, as the gate has
them. Every check is made each time; what is remembered are pure parts: the instants at which days begin,
which scope covers which, and the finished value of an answer that was given before.
"""

import argparse
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from licensing.case import Case, Operator, Policy
from licensing.decision import decide
from licensing.facts import CallFacts as Facts
from licensing.facts import Role, app_leg, facts_from_json, facts_to_json, phone_leg
from licensing.instant import MICROSECOND, Instant
from licensing.jurisdiction import load_profiles
from licensing.numbering import Number, Place, canonicalise
from licensing.permit import Permit
from licensing.reasons import Reason

HOLDER = "Example Telecom (Beijing) Co., Ltd"
AT = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)
NOW = Instant(round(AT.timestamp()) * 1_000_000 * MICROSECOND, 0)
# The one that covers is the last; the others are of another category, region, holder or time.
CATEGORIES = ("A11", "A12-1", "A13-1", "A14", "B21", "B22", "B23", "B24-1", "B25", "A15-1")


def app_call() -> tuple[str, Case, Reason]:
    """Two users of the service, wherever they are."""
    facts = Facts((app_leg(Role.ORIGIN), app_leg(Role.DESTINATION)))
    return "app, baseline", Case(facts, load_profiles()), Reason.OK_NO_PERMIT_REQUIRED


def chinese_call() -> tuple[str, Case, Reason]:
    """A user in Beijing calls a telephone in Beijing; the operator holds ten permits."""
    number = canonicalise("+861065551234", Place(homes=("CN",)))
    assert isinstance(number, Number)
    facts = facts_from_json(
        {
            **facts_to_json(Facts((app_leg(Role.ORIGIN, "CN"), phone_leg(Role.DESTINATION, number)))),
            "identity_verified": True,
        }
    )
    permits = tuple(
        Permit.model_validate(
            {
                "id": f"permit-{place}",
                "jurisdiction": "CN",
                "categories": [f"CN:{category}"],
                "holder": HOLDER,
                "valid_from": "2024-01-01",
                "valid_until": "2028-12-31",
                "verified": True,
            }
        )
        for place, category in enumerate(CATEGORIES)
    )
    operator = Operator(HOLDER, ("CN",), "CN-BJ", emergency_route=("CN",))
    case = Case(facts, load_profiles(), permits, (), operator, Policy(profiles=()))
    return "telephone, CN, 10 permits", case, Reason.OK_PERMIT_COVERS


def eight_comparisons(facts: Facts) -> bool:
    """What the least of rule tables would ask of the same facts."""
    if facts.number_fault is not None or facts.purpose is not None:
        return False
    if len(facts.legs) != 2 or len(facts.media) != 1:
        return False
    origin, destination = facts.legs
    if origin.role is not Role.ORIGIN or destination.role is Role.ORIGIN:
        return False
    return origin.country == destination.country and facts.service_offer.audience == "public"


def microseconds(work: Callable[[], object], number: int) -> float:
    """CPU time of one execution: the least of seven rounds, which is the one that was disturbed least."""
    rounds = []
    for _ in range(7):
        begun = time.process_time_ns()
        for _ in range(number):
            work()
        rounds.append((time.process_time_ns() - begun) / number / 1000)
    return min(rounds)


def main() -> None:
    """Parse the number of decisions and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=2_000, help="in a round")
    number = parser.parse_args().decisions
    for name, case, reason in (app_call(), chinese_call()):
        decision = decide(case, NOW)
        if decision.reason is not reason:
            raise RuntimeError(f"{name}: decided {decision.reason}, not {reason}")
        text = json.dumps(facts_to_json(case.facts))
        ours = microseconds(partial(decide, case, NOW), number)
        reading = microseconds(partial(json.loads, text), number)
        plain = microseconds(partial(eight_comparisons, case.facts), number)
        facts = {
            "call": name,
            "decision": decision.reason,
            "us": round(ours, 2),
            "json_loads_us": round(reading, 2),
            "ratio_to_json_loads": round(ours / reading, 2),
            "eight_comparisons_us": round(plain, 2),
        }
        print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main()
