"""An explanation decides again from what was kept, and does not agree with an edited answer."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from licensing.audit import Draft, Entry, Head, canonical, link
from licensing.case import Operator, Policy
from licensing.explain import Explanation, UnexplainedError, explain, profiles_named
from licensing.facts import CallFacts, Role, app_leg
from licensing.gate import Ask, Gate
from licensing.journal import EvidenceFile
from licensing.jurisdiction import Profiles, gather, load_profiles
from licensing.law import Law
from licensing.lawbook import PROFILE, profiles_then
from licensing.ports import RegisterRow
from licensing.register import Register
from licensing.snapshot import PERMIT, SWITCH, TELEPHONE
from tests.fakes.clock import HandClock
from tests.licensing.conftest import Office
from tests.licensing.test_gate import HELP, PHONE, app_call, phone_call

Edit = Callable[[dict[str, Any]], None]
EUROPEAN = Operator("Beispiel GmbH", ("DE",))
ALL = Policy(profiles=())


def call_between(one: str, other: str) -> Ask:
    return Ask("call-1", CallFacts((app_leg(Role.ORIGIN, one), app_leg(Role.DESTINATION, other))))


def changed_profiles() -> Profiles:
    """What is shipped, with a later date in every file."""
    texts = load_profiles().texts
    later = {code: text.replace('"as_of": "2', '"as_of": "3') for code, text in texts.items()}
    return gather((f"{code}.json", text.encode()) for code, text in later.items())


async def versions_of(office: Office) -> list[RegisterRow]:
    rows = [*await office.file.versions(PERMIT, "basic-1"), *await office.file.versions("toggle", "x")]
    return [*rows, *await office.file.versions(SWITCH, TELEPHONE)]


async def explained(office: Office, decision: str, profiles: Profiles | None = None) -> Explanation:
    entries = await office.file.about(decision)
    body = json.loads(entries[-1].body)
    sealed = [*body["people"].values(), *(body[k] for k in ("destination", "caller_id") if k in body)]
    clear = await office.file.clear_values(sealed)
    here = load_profiles() if profiles is None else profiles
    then = await profiles_then(office.file, profiles_named(entries), here)
    return explain(entries, clear, await versions_of(office), then)


async def test_an_allowed_call_names_its_permit_rule_and_people(office: Office) -> None:
    await office.licensed()
    verdict = await office.gate.authorize(phone_call())
    await office.register.revoke("basic-1", by="root", why="order")
    explanation = await explained(office, verdict.id)
    assert explanation.sound, explanation.faults
    assert [(p.id, p.version, len(p.status_events)) for p in explanation.permits] == [("basic-1", 1, 0)]
    assert explanation.rule is not None
    assert explanation.rule.domestic.any_of == (("baseline:basic",),)
    people = {datum.role: (datum.state, datum.value) for datum in explanation.people}
    assert people["caller"] == ("present", "alice")
    assert people["destination"] == ("present", PHONE.address)


async def test_every_kind_of_answer_is_decided_again_to_the_same(office: Office) -> None:
    decisions = [
        (await office.gate.authorize(ask)).id for ask in (app_call(), phone_call(), phone_call(HELP))
    ]
    await office.licensed()
    await office.register.set_toggle({"key": "x", "enabled": False}, by="root", why="quiet")
    decisions.append((await office.gate.authorize(phone_call())).id)
    await office.register.switch_telephone_off(by="root", why="fraud")
    decisions.append((await office.gate.authorize(phone_call())).id)
    office.clock.advance(3600)
    office.store.broken = True
    decisions.append((await office.gate.authorize(phone_call())).id)
    for decision in decisions:
        explanation = await explained(office, decision)
        assert explanation.sound, (explanation.body, explanation.faults)
        assert explanation.again is not None


async def test_a_call_that_was_switched_off_names_the_toggle_and_the_reach(office: Office) -> None:
    await office.licensed()
    for key, services in (("texts", ["sms_out"]), ("x", []), ("phones", ["pstn_out"])):
        toggle = {"key": key, "enabled": False, "services": services}
        await office.register.set_toggle(toggle, by="root", why="quiet")
    off = await office.gate.authorize(phone_call())
    await office.register.remove_toggle("x", by="root", why="over")
    entries, rows = await office.file.about(off.id), await office.register.history()
    explanation = explain(entries, [], rows, load_profiles())
    assert explanation.sound and explanation.body["reason"] == "DENY_SERVICE_DISABLED"
    assert (explanation.toggles, explanation.reach) == (("phones", "x"), "domestic")


async def test_which_half_of_the_rule_applied_is_told(
    file: EvidenceFile, clock: HandClock, register: Register
) -> None:
    gate = Gate(register=register, journal=file, clock=clock, law=Law(load_profiles(), EUROPEAN, ALL))
    await gate.open()
    for places, reach in (
        (("CN", "CN"), "domestic"),
        (("DE", "DE"), "domestic"),
        (("CN", "US"), "international"),
    ):
        verdict = await gate.authorize(call_between(*places))
        told = explain(await file.about(verdict.id), [], [], load_profiles())
        if "+" not in told.body["jurisdiction"]:
            assert (told.reach, told.toggles) == (reach, ()), places
    await gate.close()


async def test_erased_clear_values_do_not_break_it(office: Office) -> None:
    verdict = await office.gate.authorize(phone_call())
    await office.file.forget(2**62)
    explanation = await explained(office, verdict.id)
    assert explanation.sound
    assert {datum.state for datum in explanation.people} == {"erased"}


async def test_an_altered_clear_value_is_told(office: Office) -> None:
    verdict = await office.gate.authorize(phone_call())
    entries = await office.file.about(verdict.id)
    [caller] = await office.file.clear_values([json.loads(entries[0].body)["people"]["caller"]])
    forged = replace(caller, value="mallory")
    explanation = explain(entries, [forged], await versions_of(office), load_profiles())
    assert explanation.faults == ("the clear value of `caller` was altered",)


def edited(entry: Entry, edit: Edit) -> Entry:
    """As somebody would edit who can also write the hashes anew."""
    body = json.loads(entry.body)
    edit(body)
    draft = Draft(entry.kind, entry.subject, entry.said_at, canonical(body))
    return link(Head(entry.node, entry.seq - 1, entry.at, entry.prev), draft)


def with_changes(changes: dict[str, Any], body: dict[str, Any]) -> None:
    body.update(changes)


@pytest.mark.parametrize(
    "edit",
    [
        lambda body: body.update(outcome="allow"),
        lambda body: body.update(reason="OK_PERMIT_COVERS"),
        lambda body: body.update(permits=["basic-1@1"]),
        lambda body: body.update(uncertain=True),
        lambda body: body["facts"]["legs"][1].update(kind="app"),
        lambda body: body.update(epoch=1),
    ],
)
async def test_an_edited_entry_does_not_agree_even_with_new_hashes(office: Office, edit: Edit) -> None:
    verdict = await office.gate.authorize(phone_call())
    await office.licensed()
    entries = await office.file.about(verdict.id)
    forged = [edited(entry, edit) for entry in entries]
    assert not explain(forged, [], await versions_of(office), load_profiles()).sound


async def test_an_edited_refusal_of_the_gate_does_not_agree(office: Office) -> None:
    """The law's answer is kept beside it and agrees; the gate's own cannot be decided again."""
    await office.licensed()
    await office.register.switch_telephone_off(by="root", why="fraud")
    off = await office.gate.authorize(phone_call())
    assert (await explained(office, off.id)).sound
    entries, versions = await office.file.about(off.id), await versions_of(office)
    for changes, fault in (
        (
            {"outcome": "allow"},
            "`outcome` was stored as 'allow', and in place of the law's answer it is 'deny'",
        ),
        ({"reason": "OK_PERMIT_COVERS"}, "OK_PERMIT_COVERS is no reason of the gate"),
        ({"permits": ["basic-1@1"]}, "`permits` was stored as ['basic-1@1'], and in place"),
        (
            {"reason": "EMERGENCY_OVERRIDE"},
            "the gate does not answer EMERGENCY_OVERRIDE to a call that is none",
        ),
        ({"service": "sms"}, "`service` was stored as 'sms', and in place"),
        ({"profile_version": ""}, "`profile_version` was stored as '', and in place"),
    ):
        forged = [edited(entry, partial(with_changes, changes)) for entry in entries]
        faults = explain(forged, [], versions, load_profiles()).faults
        assert any(each.startswith(fault) for each in faults), (changes, faults)
    before = [row for row in versions if row.kind != SWITCH]
    faults = explain(entries, [], before, load_profiles()).faults
    assert "the answer was DENY_TELEPHONE_SWITCHED_OFF, and calls with phones were not switched off" in faults


async def test_an_edited_answer_of_a_gate_that_gave_up_does_not_agree(office: Office) -> None:
    verdict = await office.gate.authorize(phone_call())
    entries = await office.file.about(verdict.id)
    entries = [edited(entry, partial(with_changes, {"profile_version": None})) for entry in entries]
    forged = [edited(entry, partial(with_changes, {"outcome": "allow"})) for entry in entries]
    faults = explain(forged, [], await versions_of(office), load_profiles()).faults
    assert "DENY_NO_PERMIT is no reason of the gate" in faults


async def test_an_entry_edited_in_the_file_was_altered(office: Office, tmp_path: Path) -> None:
    verdict = await office.gate.authorize(phone_call())
    connection = sqlite3.connect(tmp_path / "evidence.db")
    with connection:
        connection.execute("DROP TRIGGER journal_entry_update")
        connection.execute("UPDATE journal_entry SET body = replace(body, '\"call-1\"', '\"call-2\"')")
    connection.close()
    assert (await explained(office, verdict.id)).faults == ("entry 2 of local was altered",)


async def test_a_decision_is_replayed_by_the_profiles_of_its_time(
    file: EvidenceFile, clock: HandClock, register: Register
) -> None:
    """Two jurisdictions judged, one of which extends a third; since then no shipped file is what it was."""
    gate = Gate(register=register, journal=file, clock=clock, law=Law(load_profiles(), EUROPEAN, ALL))
    await gate.open()
    verdicts = [await gate.authorize(call_between(*places)) for places in (("DE", "US"), ("CN", "US"))]
    await gate.close()
    for verdict, codes in zip(verdicts, (["DE", "US"], ["DE", "CN", "US"]), strict=True):
        entries = await file.about(verdict.id)
        assert [name.partition("@")[0] for name in profiles_named(entries)] == codes
        then = await profiles_then(file, profiles_named(entries), changed_profiles())
        explanation = explain(entries, [], [], then)
        assert explanation.again is not None
        assert [fault for fault in explanation.faults if "decided again" in fault] == []


async def test_the_law_is_kept_once(file: EvidenceFile, clock: HandClock, register: Register) -> None:
    for law in (Law(load_profiles(), EUROPEAN, ALL), Law(load_profiles(), EUROPEAN, ALL)):
        gate = Gate(register=register, journal=file, clock=clock, law=law)
        await gate.open()
        await gate.close()
    kept = [entry for entry in await file.entries(0, 1000) if entry.kind == PROFILE]
    assert sorted(entry.subject for entry in kept) == sorted(map(law.profiles.named, law.profiles.versions))


async def test_a_profile_that_is_nowhere_any_more_is_told(office: Office) -> None:
    verdict = await office.gate.authorize(app_call())
    [name] = profiles_named(await office.file.about(verdict.id))
    explanation = explain(await office.file.about(verdict.id), [], [], gather(()))
    assert explanation.again is None
    assert explanation.faults == (
        f"the bytes of profile {name} are not here: it cannot be decided again",
        *explanation.faults[1:],
    )


async def test_an_altered_profile_counts_as_lost(office: Office, tmp_path: Path) -> None:
    verdict = await office.gate.authorize(app_call())
    connection = sqlite3.connect(tmp_path / "evidence.db")
    with connection:
        connection.execute("DROP TRIGGER journal_entry_update")
        connection.execute(
            "UPDATE journal_entry SET body = replace(body, 'none', 'permit') WHERE kind = 'profile'"
        )
    connection.close()
    faults = (await explained(office, verdict.id, gather(()))).faults
    assert len(faults) == 1 and "cannot be decided again" in faults[0]


async def test_another_engine_has_to_agree_on_outcome_reason_and_duties_alone(office: Office) -> None:
    verdict = await office.gate.authorize(app_call())
    entries = await office.file.about(verdict.id)
    then = await profiles_then(office.file, profiles_named(entries), gather(()))

    def by_another(**changes: object) -> Explanation:
        forged = [
            edited(entry, lambda body: body.update(engine="wephone-licensing/0", **changes))
            for entry in entries
        ]
        return explain(forged, [], [], then)

    assert by_another(uncertain=True).sound
    assert by_another(outcome="deny").faults == (
        "`outcome` was stored as 'deny', and decided again by wephone-licensing/1, after "
        "wephone-licensing/0, it is 'allow'",
    )


async def test_what_was_never_decided_cannot_be_explained(office: Office) -> None:
    await office.licensed()
    with pytest.raises(UnexplainedError, match="no entry"):
        explain(await office.file.about("basic-1"), [], [], load_profiles())
