"""`licensing.graph` and the oracle agree on every graph of up to four parties and every sequence of changes.

The oracle (`tests/licensing/graph_oracle.py`) was written from the documents alone. What a change comes to
depends on the call as it is, so that a call that two sequences lead to is looked at once.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from licensing.case import Decision
from licensing.cases import DecisionCase, facts_of
from licensing.facts import Leg, LegKind, PresentedCli, Role, facts_to_json
from licensing.graph import (
    Add,
    AttendedTransfer,
    BlindTransfer,
    Drop,
    Forward,
    Graph,
    GraphError,
    Member,
    Merge,
    Record,
    StopRecording,
    Video,
    settle,
)
from licensing.graph import Change as EngineChange
from licensing.jurisdiction import Profiles, gather
from licensing.numbering import NumberType
from tests.licensing import graph_oracle, oracle, oracle_facts
from tests.licensing.graph_oracle import Change
from tests.licensing.oracle_rows import SUSPENDED, input_of, permit_for

Dict = dict[str, Any]

LARGEST = 4  # parties
STATED = {"audience": "public", "identity_verified": True, "registered_location": True}

CONFERENCES, OPEN = "China, B22 and B25", "the United States"
# Changes in a row in the fast tier, else four: where most is allowed a fourth takes a minute. Long: six.
FAST = {OPEN: 3}

# Under which law and permits: each allows other graphs.
WORLDS: dict[str, tuple[str, list[Dict]]] = {
    "China, A15-1 and B25": ("CN", [permit_for("CN", ["CN:A15-1", "CN:B25"])]),
    CONFERENCES: ("CN", [permit_for("CN", ["CN:B22", "CN:B25"])]),
    "China, B25, the rest suspended": (
        "CN",
        [
            permit_for("CN", ["CN:B25"]),
            permit_for("CN", ["CN:A15", "CN:B22"], id="q", status_events=[SUSPENDED]),
        ],
    ),
    "the baseline without a permit": ("baseline", []),
    OPEN: ("US", [permit_for("US", ["US:499", "US:RMD"])]),
}


@pytest.fixture(scope="module")
def stated() -> Dict:
    return oracle_facts.profiles_in(oracle_facts.PROFILES)


@pytest.fixture(scope="module")
def law() -> Profiles:
    return gather((file.name, file.read_bytes()) for file in sorted(oracle_facts.PROFILES.glob("*.json")))


class Judge:
    """One world's answers to facts, by both engines. The same facts are decided once."""

    def __init__(self, world: str, law: Profiles, stated: Dict) -> None:
        self.scope, self.permits = WORLDS[world]
        self.law, self.stated = law, stated
        self.by_oracle: dict[str, Dict] = {}
        self.by_engine: dict[str, Decision] = {}

    def oracle(self, facts: Dict) -> Dict:
        key = json.dumps(facts)
        if key not in self.by_oracle:
            told = input_of(self.scope, facts, self.permits, "conservative")
            self.by_oracle[key] = oracle.decide(told, self.scope, self.stated)
        return self.by_oracle[key]

    def engine(self, facts: Dict) -> Decision:
        key = json.dumps(facts)
        if key not in self.by_engine:
            whole = {
                "identity_verified": None,
                "equipment_in": None,
                **facts,
            }  # what is not known was left out
            told = input_of(self.scope, whole, self.permits, "conservative")
            expected = {"decision": "deny", "reason": "DENY_NO_PERMIT"}
            case = {"id": "graph", "scope": self.scope, "input": told, "expected": expected}
            self.by_engine[key] = DecisionCase.model_validate(case).decided(self.law)
        return self.by_engine[key]


# The same call, and the same change, for both


def leg(id: str, role: str, kind: str, country: str = "CN", number_type: str = "mobile") -> Dict:
    plain: Dict = {"id": id, "role": role, "kind": kind, "country": country}
    return {**plain, "number_type": number_type} if kind == "pstn" else plain


def call_of(*legs: Dict) -> Dict:
    return {"legs": list(legs), "media": ["audio"], "recorded": False, "agreed": set(), "stated": STATED}


def member(told: Dict) -> Member:
    number = NumberType(told["number_type"]) if "number_type" in told else None
    end = Leg(Role(told["role"]), LegKind(told["kind"]), told["country"], None, number)
    shown = told.get("shows")
    return Member(told["id"], end, PresentedCli(**shown) if shown else None)


def graph_of(call: Dict) -> Graph:
    """A call that nobody has changed yet."""
    facts = facts_of({**graph_oracle.facts_of(call), "presented_cli": None, "recording": None})
    legs = tuple(member(told).leg for told in call["legs"])  # a number for help is one from the beginning
    return Graph.of(replace(facts, legs=legs), tuple(told["id"] for told in call["legs"]))


def change_of(change: Change) -> EngineChange:
    match change:
        case ("add", new):
            return Add(member(new))
        case ("drop", who):
            return Drop(who)
        case ("blind", who, new):
            return BlindTransfer(who, member(new))
        case ("forward", who, new):
            return Forward(who, member(new))
        case ("attended", who, other, who_there):
            return AttendedTransfer(who, graph_of(other), who_there)
        case ("merge", other, leaving):
            return Merge(graph_of(other), leaving)
        case ("video on",):
            return Video(True)
        case ("video off",):
            return Video(False)
        case ("record", agreed):
            return Record(frozenset(agreed))
        case _:
            return StopRecording()


def starts() -> Iterator[Dict]:
    """Every graph of two to four parties, and some with a mailbox, a recorder, a private end, a call for
    help."""
    for size in range(2, LARGEST + 1):
        for kinds in product(("app", "pstn"), repeat=size):
            roles = ("origin", *["participant"] * (size - 1))
            yield call_of(
                *(
                    leg(f"s{nth}", role, kind)
                    for nth, (role, kind) in enumerate(zip(roles, kinds, strict=True))
                )
            )
    origin = leg("s0", "origin", "app")
    yield call_of(origin, leg("s1", "participant", "private"))
    yield call_of(origin, leg("s1", "participant", "app"), leg("s2", "participant", "media"))
    yield call_of(origin, leg("s1", "participant", "pstn", number_type="emergency"))
    yield {**call_of(leg("s0", "origin", "pstn"), leg("s1", "participant", "app")), "media": ["voicemail"]}


def changes(call: Dict, depth: int) -> Iterator[Change]:
    """Whatever may happen to a call, with ids that it has not had."""
    news = [leg(f"n{depth}", "participant", kind) for kind in ("app", "pstn")]
    own: Dict = {"country": "CN", "right_to_use": "verified", "domestic_customer_evidence": False}
    abroad = {**leg(f"n{depth}", "participant", "pstn", "GB"), "shows": {**own, "right_to_use": "none"}}
    dials_in = {**leg(f"n{depth}", "origin", "pstn"), "shows": own}
    ends = [told for told in call["legs"] if told["kind"] != "media"]
    yield from (("add", new) for new in (*news, abroad, dials_in))
    yield from (("drop", told["id"]) for told in call["legs"])
    yield from (("blind", told["id"], new) for told in ends for new in news)
    yield from (("forward", told["id"], new) for told in ends if told["role"] != "origin" for new in news)
    for kinds in (("app", "app"), ("app", "pstn"), ("pstn", "app")):
        other = call_of(leg(f"x{depth}", "origin", kinds[0]), leg(f"y{depth}", "participant", kinds[1]))
        if kinds == ("app", "app") and depth == 0:
            other["stated"] = {**STATED, "audience": "own_organisation", "identity_verified": False}
        mine = f"{'xy'[kinds.index('app')]}{depth}"
        yield from (("attended", told["id"], other, mine) for told in ends if told["kind"] == "app")
        yield ("merge", other, (mine,))
    yield ("video off",) if "video" in call["media"] else ("video on",)
    yield ("record", tuple(told["id"] for told in ends))
    yield ("record", ())
    if call["recorded"]:
        yield ("stop",)


def key_of(call: Dict) -> str:
    """The call without the names of its legs."""
    legs = [
        [*(told.get(name) for name in ("role", "kind", "country", "number_type"))] for told in call["legs"]
    ]
    agreed = [told["id"] in call["agreed"] for told in call["legs"]] if call["recorded"] else []
    shown = [told.get("shows") for told in call["legs"]]
    return json.dumps([legs, shown, sorted(call["media"]), call["recorded"], agreed, call["stated"]])


def told_of(graph: Graph) -> Dict:
    """A graph as the oracle tells a call, with what can be compared."""
    return {
        "legs": [each.id for each in graph.legs],
        "media": sorted(str(medium) for medium in graph.facts().media),
        "recorded": graph.recorded,
        "agreed": graph.all_consented if graph.recorded else None,
    }


def told_call(call: Dict) -> Dict:
    everybody = all(told["id"] in call["agreed"] for told in graph_oracle.parties(call))
    return {
        "legs": [told["id"] for told in call["legs"]],
        "media": sorted(call["media"]),
        "recorded": call["recorded"],
        "agreed": everybody if call["recorded"] else None,
    }


def known(facts: Any) -> Any:
    """Facts as the journal writes them: what is not known is left out."""
    if isinstance(facts, list):
        return [known(each) for each in facts]
    if not isinstance(facts, dict):
        return facts
    return {name: known(value) for name, value in facts.items() if value is not None}


def both_answer(graph: Graph, call: Dict, change: Change, judge: Judge) -> tuple[Dict, Dict, Graph, Dict]:
    """Engine's and oracle's answer to one change, in the same words; then the call as each leaves it."""
    theirs = graph_oracle.after(call, change, judge.oracle)
    step = change_of(change)
    after = graph.after(step)
    facts = {} if after.over else facts_to_json(after.facts())
    decision = judge.engine(facts) if facts else None
    settled = settle(graph, step, decision)
    ours: Dict = {"made": settled.made, "call": told_of(settled.graph), "fate": None}
    if settled.progress is not None and decision is not None:
        progress = settled.progress
        ours |= {"fate": progress.this_call.value, "seconds": progress.seconds, "audit": list(progress.audit)}
        ours |= {"reason": progress.reason and progress.reason.value, "service": decision.service.value}
        ours["asked"] = {**facts, "media": sorted(facts["media"])}
    expected = {**theirs, "call": told_call(theirs["call"])}
    if "asked" in theirs:
        media = sorted(theirs["asked"]["media"])
        expected["asked"] = {**known(theirs["asked"]), "media": media, "equipment_in": []}
    return ours, expected, settled.graph, theirs["call"]


def search(judge: Judge, first: list[Dict], depth: int, seen: Counter[str]) -> None:
    """Breadth first: each call once, every change of it, until so many changes have been made."""
    visited = {key_of(call) for call in first}
    calls = [(graph_of(call), call) for call in first]
    for level in range(depth):
        following = []
        for graph, call in calls:
            for change in changes(call, level):
                if len(graph_oracle.parties(graph_oracle.would_be(call, change))) > LARGEST:
                    continue
                ours, theirs, next_graph, next_call = both_answer(graph, call, change, judge)
                if ours != theirs:
                    differs = {name: (ours.get(name), theirs.get(name)) for name in {*ours, *theirs}}
                    pytest.fail(f"{change} of {call}: {differs}")
                seen.update(["changes", str(theirs["fate"]), str(theirs.get("service")), change[0]])
                key = key_of(next_call)
                if theirs["fate"] not in (None, "terminate_after_notice") and key not in visited:
                    visited.add(key)
                    following.append((next_graph, next_call))
        calls = following
    seen["calls"] += len(visited)


def lawful(judge: Judge) -> list[Dict]:
    """Calls that may be, to begin with."""
    return [call for call in starts() if judge.oracle(graph_oracle.facts_of(call))["decision"] != "deny"]


@pytest.mark.parametrize("world", WORLDS)
def test_every_sequence_of_changes_agrees(
    world: str, law: Profiles, stated: Dict, full_size: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    judge = Judge(world, law, stated)
    depth = 6 if full_size else FAST.get(world, 4)
    seen: Counter[str] = Counter()
    search(judge, lawful(judge), depth, seen)
    with capsys.disabled():
        sys.stdout.write(f"\n{world}: {seen['calls']} calls, {seen['changes']} changes\n")
    assert seen["changes"] > 800


def test_every_outcome_and_class_is_reached(law: Profiles, stated: Dict) -> None:
    seen: Counter[str] = Counter()
    for world in WORLDS:
        judge = Judge(world, law, stated)
        search(judge, lawful(judge), 1, seen)
    fates = {
        "continue",
        "reject_change_keep_call",
        "stop_recording_keep_call",
        "terminate_after_notice",
        "None",
    }
    of_calls = {"app_voice", "app_video", "pstn_out", "pstn_in", "pstn_bridge", "conf_app", "conf_pstn"}
    assert (fates | of_calls) - set(seen) == set()


NONSENSE: list[Change] = [
    ("drop", "nobody"),
    ("blind", "nobody", leg("new", "participant", "app")),
    ("forward", "nobody", leg("new", "participant", "app")),
    ("forward", "s0", leg("new", "participant", "app")),
    ("add", leg("s1", "participant", "app")),
    ("attended", "s1", call_of(leg("s0", "origin", "app"), leg("x", "participant", "app")), "x"),
    ("attended", "s1", call_of(leg("x", "origin", "app"), leg("y", "participant", "app")), "nobody"),
]


@pytest.mark.parametrize("change", NONSENSE, ids=lambda change: "-".join(map(str, change[:2])))
def test_nobody_is_asked_about_a_change_that_makes_no_sense(change: Change) -> None:
    """0019: no id comes back or is shared; the origin is never forwarded."""
    graph = graph_of(call_of(leg("s0", "origin", "app"), leg("s1", "participant", "app")))
    with pytest.raises(GraphError):
        graph.after(change_of(change))


WRONG: dict[str, tuple[str, Any]] = {
    "a transfer keeps who transfers": ("left", lambda call, *who: call),
    "a new leg joins first": ("joined", lambda call, new: {**call, "legs": [new, *call["legs"]]}),
    "two calls stay apart": ("united", lambda one, other: one),
    "what is true of one is true of both": ("both", lambda one, other, fact: one["stated"][fact]),
    "recorders are parties": ("PARTIES", ("app", "pstn", "private", "media")),
    "nobody is ever alone": ("is_over", lambda call: False),
    "anything can be refused": ("CANNOT_BE_REFUSED", ()),
    "nothing can be refused": (
        "CANNOT_BE_REFUSED",
        ("add", "blind", "forward", "attended", "merge", "video on"),
    ),
    "help is cut": ("reaches_help", lambda call: False),
    "all help is kept": ("reaches_help", lambda call: True),
    "the class is that of the call before": ("service_class", lambda facts: "app_voice"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_changed_rule_of_graphs_is_noticed(
    wrong: str, law: Profiles, stated: Dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = Judge(CONFERENCES, law, stated)
    first = lawful(judge)
    monkeypatch.setattr(graph_oracle, *WRONG[wrong])
    with pytest.raises((pytest.fail.Exception, GraphError)):
        search(judge, first, 2, Counter())


@pytest.mark.parametrize("fact", ["presented_cli", "recording", "legs"])
def test_a_wrong_fact_is_noticed(
    fact: str, law: Profiles, stated: Dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the call was when it began: legs as they joined, nothing shown, nothing recorded."""
    judge = Judge(CONFERENCES, law, stated)
    first = lawful(judge)
    right = graph_oracle.facts_of
    plain = ("role", "kind", "country", "number_type")

    def facts_of(call: Dict) -> Dict:
        legs = [{name: told.get(name) for name in plain} for told in call["legs"]]
        return {**right(call), fact: legs if fact == "legs" else None}

    monkeypatch.setattr(graph_oracle, "facts_of", facts_of)
    with pytest.raises(pytest.fail.Exception):
        search(judge, first, 2, Counter())
