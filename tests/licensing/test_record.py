"""A decision's entry is canonical JSON, and says all that is needed to decide again."""

import json
from dataclasses import replace

import pytest

from licensing.audit import canonical, clear_state
from licensing.case import Operator, Policy
from licensing.facts import CallFacts, Role, app_leg
from licensing.identity import DecisionId
from licensing.instant import SECOND, Instant
from licensing.jurisdiction import load_profiles
from licensing.law import Law
from licensing.numbering import Number, Place, canonicalise
from licensing.record import Ask, Circumstances, answer, entry
from licensing.snapshot import Snapshot

NOW = Instant(1_795_608_000 * SECOND + 7_000, 0)
MADE = Circumstances(DecisionId("D-1"), NOW, 3)
LAW = Law(load_profiles(), Operator("Beispiel 电信 GmbH", ("DE",)), Policy(profiles=()))
FACTS = CallFacts((app_leg(Role.ORIGIN, "DE"), app_leg(Role.DESTINATION, "CN")), identity_verified=True)
PHONE = canonicalise("+4915112345678", Place(homes=("DE",)))
DECISION = LAW.decide(FACTS, Snapshot(3, {}), NOW)


def salt(length: int) -> bytes:
    return b"\x01" * length


@pytest.mark.parametrize(
    "ask",
    [
        Ask("call-1", FACTS),
        Ask("call-1", FACTS, {"z": "alice", "a": "张伟", 'a "b"\n': "bob", "a b": "carol", "é": "dora"}),
        Ask("电话", FACTS, {"caller": "alice"}, leg="l", caller_id="+49301234", trunk="main\u2028"),
    ],
)
def test_an_entry_is_canonical_whatever_its_names_are(ask: Ask) -> None:
    assert isinstance(PHONE, Number)
    ask = replace(ask, destination=PHONE)
    made = replace(MADE, again=DecisionId("D-0"), withheld=DECISION, winds_down=60, fault="late")
    for each in (MADE, made):
        draft = entry(ask, DECISION, each, LAW.basis_for(FACTS), salt)
        body = json.loads(draft.body)
        assert canonical(body) == draft.body
        assert {key: body.get(key) for key in answer(DECISION)} == answer(DECISION)
        rows = {row.hash: row for row in draft.clear}
        assert {role: rows[value].value for role, value in body["people"].items()} == dict(ask.people)
        assert clear_state(body["destination"], rows[body["destination"]]) == "present"
        assert (body["utc_ns"], body["epoch"], body.get("winds_down")) == (NOW.utc_ns, 3, each.winds_down)


def test_an_entry_names_the_profiles_that_judged_and_no_others() -> None:
    body = json.loads(entry(Ask("call-1", FACTS), DECISION, MADE, LAW.basis_for(FACTS), salt).body)
    assert body["profiles"] == [LAW.profiles.named("DE"), LAW.profiles.named("CN")]


def test_what_is_no_text_cannot_be_written_down() -> None:
    with pytest.raises(TypeError):
        entry(Ask(7, FACTS), DECISION, MADE, LAW.basis, salt)  # type: ignore[arg-type]
