"""The register: each change whole or not at all, journalled, and in force for the next decision."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from licensing.alarms import Alarm, Alarms
from licensing.audit import Draft, Verified, beginning, sealed_in, verify
from licensing.changes import Check
from licensing.checkers import opened, sealed_names
from licensing.documents import ChangeError
from licensing.instant import SECOND
from licensing.journal import EvidenceFile
from licensing.jurisdiction import load_profiles
from licensing.permit import Permit, Standing, standing
from licensing.ports import JournalError, RegisterRow
from licensing.register import Register
from licensing.snapshot import Proposal
from tests.fakes.clock import START, HandClock
from tests.licensing.conftest import BASIC, Kept
from tests.licensing.frail import FrailStore

CN: dict[str, Any] = {
    "id": "cn-a15",
    "jurisdiction": "CN",
    "categories": ["CN:A15-1"],
    "holder": "Example Operator Ltd",
    "issuer": "MIIT",
    "number": "A1-20260001",
    "regions": ["CN-BJ"],
    "valid_from": "2026-01-01",
    "valid_until": "2031-12-31",
    "conditions": ["no international traffic"],
    "renewal": {"applied_on": "2026-10-01"},
    "evidence": [{"sha256": "a" * 64, "checked_on": "2026-01-05", "checked_by": "li"}],
    "next_review_on": "2027-01-01",
}


def in_force(register: Register, id: str, clock: HandClock) -> bool:
    permit = register.snapshot.permit(id)
    return permit is not None and standing(permit, "UTC", clock.now().utc_ns) is Standing.IN_FORCE


async def test_a_permit_is_in_force_for_the_next_decision_at_once(kept: Kept, clock: HandClock) -> None:
    register = Register(kept.permits, clock)
    await register.open()
    permit = await register.add_permit(json.dumps(CN), by="root", why="granted today")
    assert register.snapshot.permits == (permit,)
    assert (register.snapshot.epoch, permit.version, permit.number) == (1, 1, "A1-20260001")
    await register.suspend("cn-a15", by="root", why="order 7 of the regulator", reference="MIIT 7")
    assert not in_force(register, "cn-a15", clock)
    await register.revoke("cn-a15", by="root", why="order 8 of the regulator")
    assert [row.version for row in await register.versions("cn-a15")] == [1, 2, 3]
    actions = [json.loads(entry.body)["action"] for entry in await kept.journal.about("cn-a15")]
    assert actions == ["added", "suspended", "revoked"]
    assert isinstance(verify(await kept.journal.entries(0, 99), after=beginning("local")), Verified)
    await register.close()


async def test_a_change_is_journalled_with_who_and_why_and_no_name_in_clear(
    register: Register, file: EvidenceFile
) -> None:
    await register.add_permit(BASIC, by="carol", why="first licence")
    [entry] = await file.entries(0, 9)
    body = json.loads(entry.body)
    assert (entry.kind, entry.subject, body["why"], body["epoch"]) == (
        "permit_event",
        "basic-1",
        "first licence",
        1,
    )
    assert "carol" not in entry.body
    assert [row.value for row in await file.clear_values([body["by"]])] == ["carol"]


@pytest.mark.parametrize(
    ("harm", "path", "fault"),
    [
        ({"colour": "red"}, "colour", "no field"),
        ({"valid_untill": "2030-01-01"}, "valid_untill", "did you mean `valid_until`"),
        ({"valid_from": "2026-02-30"}, "valid_from", "2026-02-30"),
        ({"valid_until": "2025-12-31"}, "valid_until", "is before valid_from, 2026-01-01 (found"),
        ({"id": "no spaces please"}, "id", "no spaces please"),
        ({"categories": []}, "categories", "at least 1"),
        ({"categories": ["baseline:basics"]}, "categories[0]", "the nearest that it has is `baseline:basic`"),
        ({"categories": ["basic"]}, "categories[0]", "must be a jurisdiction and a category of it"),
        (
            {"jurisdiction": "CN", "categories": ["CN:A15-1"], "regions": ["US-NY"]},
            "regions[0]",
            "is no region of CN",
        ),
        ({"regions": ["*", "Beijing"]}, "regions[1]", "Beijing"),
        ({"version": 7}, "version", "the first version is 1"),
        (
            {"status_events": [{"status": "suspended", "from": "2026-03-01T00:00:00"}]},
            "status_events[0].from",
            "2026-03-01T00:00:00",
        ),
        (
            {
                "status_events": [
                    {"status": "suspended", "from": "2026-03-01T00:00:00Z"},
                    {"status": "suspended", "from": "2026-04-01T00:00:00Z", "to": "2026-05-01T00:00:00Z"},
                ]
            },
            "status_events",
            "overlaps",
        ),
        (
            {
                "status_events": [
                    {"status": "revoked", "from": "2026-03-01T00:00:00Z"},
                    {"status": "surrendered", "from": "2026-04-01T00:00:00Z"},
                ]
            },
            "status_events",
            "once, for good",
        ),
        (
            {"status_events": [{"status": "suspended", "form": "2026-03-01T00:00:00Z"}]},
            "status_events[0].form",
            "did you mean `from`?",
        ),
        (
            {"status_events": [{"status": "suspended", "from": "2026-03-01T00:00:00+25:00"}]},
            "status_events[0].from",
            "+25:00",
        ),
        (
            {"jurisdiction": "ZW"},
            "jurisdiction",
            "neither its categories nor the zone of its dates are known (found 'ZW')",
        ),
    ],
)
async def test_a_bad_permit_is_refused_whole_naming_path_and_value(
    file: EvidenceFile, clock: HandClock, harm: dict[str, Any], path: str, fault: str
) -> None:
    register = Register(file, clock, profiles=load_profiles())
    await register.open()
    with pytest.raises(ChangeError) as refused:
        await register.add_permit(json.dumps(BASIC | harm), by="root", why="a test")
    assert refused.value.path == path
    assert fault in str(refused.value)
    assert (register.snapshot.permits, await file.epoch(), (await file.head()).seq) == ((), 0, 0)
    await register.close()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"id": "a", "id": "b"}', r"id: is there twice \(found 'b'\)"),
        (
            '{"id": "a", "status_events": [{}, {"from": "x", "reason": {"to": 1, "to": 2}}]}',
            r"status_events\[1\]\.reason\.to: is there twice \(found 2\)",
        ),
        (
            json.dumps(BASIC | {"valid_from": "2026-02-30"}),
            r"is no date of the calendar \(found '2026-02-30'\)",
        ),
        ("[" * 100_000, "longer than"),
        ("[" * 50_000, "no JSON"),
        ("{", "line 1 column"),
        (b"\xff\xfe", "no JSON"),
        ("[]", r"document: must be a JSON object \(found \[\]\)"),
    ],
)
async def test_what_is_no_document_is_refused(register: Register, text: str | bytes, fault: str) -> None:
    with pytest.raises(ChangeError, match=fault):
        await register.add_permit(text, by="root", why="a test")


async def test_a_change_needs_who_and_why(register: Register) -> None:
    with pytest.raises(ChangeError, match="by: has to be said"):
        await register.add_permit(BASIC, by=" ", why="because")
    with pytest.raises(ChangeError, match="why: has to be said"):
        await register.add_permit(BASIC, by="root", why="")
    with pytest.raises(ChangeError, match="no such permit; `basic-1`"):
        await register.add_permit(BASIC, by="root", why="x")
        await register.suspend("basic1", by="root", why="x")


async def test_an_edit_is_the_next_version_and_cannot_hide_a_suspension(register: Register) -> None:
    await register.add_permit(BASIC, by="root", why="granted")
    with pytest.raises(ChangeError, match="is there as version 1; a new version states 2"):
        await register.add_permit(BASIC, by="root", why="granted again")
    await register.add_permit(BASIC | {"version": 2, "issuer": "us"}, by="root", why="issuer was missing")
    suspended = await register.suspend("basic-1", by="root", why="order")
    with pytest.raises(ChangeError, match="status_events: those of the version before"):
        await register.add_permit(BASIC | {"version": 4}, by="root", why="a clean sheet")
    assert register.snapshot.permits == (suspended,)


async def test_verified_is_believed_only_with_a_recorded_check(register: Register) -> None:
    claimed = await register.add_permit(BASIC | {"verified": True}, by="root", why="says so")
    assert not claimed.verified
    check = Check("li", START.utc.date(), sha256="b" * 64)
    checked = await register.add_permit(BASIC | {"version": 2}, by="root", why="seen", check=check)
    assert checked.verified
    assert [e.sha256 for e in checked.evidence] == ["b" * 64]


async def test_who_checked_a_permit_is_in_chain_and_register_as_a_hash_that_can_be_erased(
    register: Register, file: EvidenceFile
) -> None:
    check = Check("Li Na", START.utc.date(), sha256="b" * 64)
    await register.add_permit(BASIC, by="root", why="seen", check=check)
    again = await register.add_permit(
        {**json.loads((await register.versions("basic-1"))[0].document), "version": 2},
        by="root",
        why="once more",
        check=check,
    )
    [first], both = sealed_names(register.snapshot.permits)[:1], sealed_names([again])
    assert both[0] == first != both[1], "a name that is sealed stays so, and each has a salt of its own"
    rows, entries = await register.versions("basic-1"), await file.about("basic-1")
    assert not any("Li Na" in text for text in (*(r.document for r in rows), *(e.body for e in entries)))
    assert [len(sealed_in(entry.body)) for entry in entries] == [2, 2], "who did it, and who checked"
    names = {row.hash: row for row in await file.clear_values(both)}
    assert [e.checked_by for e in opened(again, names).evidence] == ["Li Na", "Li Na"]
    forged = {both[0]: replace(names[both[0]], value="Wang")}
    assert [e.checked_by for e in opened(again, forged).evidence] == both
    await file.forget(2**62)
    assert await file.clear_values(both) == []
    assert opened(again, {}) == again


async def test_lifting_a_suspension_needs_two_operators(
    register: Register, file: EvidenceFile, clock: HandClock
) -> None:
    await register.add_permit(BASIC, by="alice", why="granted")
    with pytest.raises(ChangeError, match="not suspended"):
        await register.reinstate("basic-1", by="alice", why="in vain")
    await register.suspend("basic-1", by="alice", why="order")
    clock.advance(60)
    first = await register.reinstate("basic-1", by="alice", why="order lifted")
    assert isinstance(first, Proposal)
    assert register.waiting() == (first,)
    for same in ("alice", " Alice "):
        with pytest.raises(ChangeError, match="another operator has to agree"):
            await register.reinstate("basic-1", by=same, why="me again")
    assert not in_force(register, "basic-1", clock)
    lifted = await register.reinstate("basic-1", by="bob", why="I read the letter too")
    assert isinstance(lifted, Permit)
    assert in_force(register, "basic-1", clock)
    assert register.waiting() == ()
    assert lifted.status_events[0].end == START.utc + timedelta(seconds=60)
    actions = [json.loads(entry.body)["action"] for entry in await file.about("basic-1")]
    assert actions == ["added", "suspended", "proposed", "reinstated"]


async def test_a_proposal_lapses_with_what_it_was_about_and_with_time(
    register: Register, clock: HandClock
) -> None:
    await register.add_permit(BASIC, by="alice", why="granted")
    await register.suspend("basic-1", by="alice", why="order", end=START.utc + timedelta(days=9))
    await register.reinstate("basic-1", by="alice", why="order lifted")
    await register.suspend("basic-1", by="carol", why="another order", start=START.utc + timedelta(days=10))
    assert isinstance(await register.reinstate("basic-1", by="bob", why="agreed"), Proposal)
    clock.advance(25 * 3600)
    assert isinstance(await register.reinstate("basic-1", by="alice", why="agreed"), Proposal)
    await register.withdraw("reinstate:basic-1", by="alice", why="too early")
    assert isinstance(await register.reinstate("basic-1", by="bob", why="still"), Proposal)
    assert not in_force(register, "basic-1", clock)


async def test_a_revoked_permit_stays_revoked(register: Register) -> None:
    await register.add_permit(BASIC, by="alice", why="granted")
    await register.revoke("basic-1", by="alice", why="order")
    for change in (register.reinstate, register.suspend, register.revoke):
        with pytest.raises(ChangeError, match="was revoked and stays so"):
            await change("basic-1", by="bob", why="no")


async def test_the_panic_switch_is_thrown_by_one_survives_a_restart_and_is_lifted_by_two(
    file: EvidenceFile, clock: HandClock
) -> None:
    before = Register(file, clock)
    await before.open()
    await before.switch_telephone_off(by="alice", why="fraud")
    await before.switch_telephone_off(by="bob", why="fraud")  # it is off: nothing to change
    assert before.snapshot.epoch == 1
    await before.close()
    after = Register(file, clock)
    await after.open()
    assert after.snapshot.telephone_off
    assert isinstance(await after.switch_telephone_on(by="alice", why="over"), Proposal)
    assert after.snapshot.telephone_off
    assert await after.switch_telephone_on(by="bob", why="agreed") is None
    assert not after.snapshot.telephone_off
    await after.close()


async def test_a_toggle_is_set_changed_and_taken_away(register: Register) -> None:
    off = {"key": "no-phones", "enabled": False, "services": ["pstn_out"]}
    await register.set_toggle(off, by="alice", why="quiet")
    await register.set_toggle(off, by="alice", why="quiet")
    assert register.snapshot.epoch == 1
    await register.set_toggle(off | {"enabled": True}, by="alice", why="loud")
    assert [toggle.enabled for toggle in register.snapshot.toggles] == [True]
    await register.remove_toggle("no-phones", by="alice", why="gone")
    assert register.snapshot.toggles == ()
    with pytest.raises(ChangeError, match=r"services\[0\]: .*found 'pstn'"):
        await register.set_toggle(off | {"services": ["pstn"]}, by="alice", why="typo")


async def test_two_nodes_change_the_register_at_once_and_both_changes_stand(
    file: EvidenceFile, clock: HandClock
) -> None:
    nodes = [Register(file, clock) for _ in range(3)]
    for node in nodes:
        await node.open()
    await asyncio.gather(
        *(
            node.add_permit(BASIC | {"id": f"p-{n}-{k}"}, by=f"operator{n}", why="granted")
            for n, node in enumerate(nodes)
            for k in range(5)
        )
    )
    for node in nodes:
        assert await node.refresh()
        assert len(node.snapshot.permits) == 15
        assert node.snapshot.epoch == 15
        await node.close()


async def test_the_same_permit_added_twice_at_once_is_added_once(
    file: EvidenceFile, clock: HandClock
) -> None:
    nodes = [Register(file, clock) for _ in range(2)]
    for node in nodes:
        await node.open()
    adding = (node.add_permit(BASIC, by="root", why="granted") for node in nodes)
    answers = await asyncio.gather(*adding, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["ChangeError", "Permit"]
    for node in nodes:
        await node.close()


async def test_a_snapshot_goes_stale_when_its_epoch_cannot_be_confirmed(
    file: EvidenceFile, clock: HandClock
) -> None:
    frail, alarms = FrailStore(file), Alarms()
    register = Register(frail, clock, alarms=alarms)
    await register.open()
    assert register.is_fresh(clock.advance(3))
    assert not register.is_fresh(clock.advance(0.001))
    assert await register.refresh()
    frail.broken = True
    assert not await register.refresh()
    assert register.is_fresh(clock.now()), "3 s are not over yet"
    assert "the disk is gone" in alarms.raised[Alarm.REGISTER_STALE]
    clock.advance(4)
    assert not await register.refresh()
    frail.broken = False
    assert await register.refresh()
    assert alarms.raised == {}
    await register.close()


async def test_a_machine_that_slept_knows_it_by_the_wall_clock(register: Register, clock: HandClock) -> None:
    clock.set_utc(3600)
    assert not register.is_fresh(clock.now())


async def test_an_epoch_that_went_back_confirms_nothing(file: EvidenceFile, clock: HandClock) -> None:
    frail, alarms = FrailStore(file), Alarms()
    register = Register(frail, clock, alarms=alarms)
    await register.open()
    await register.add_permit(BASIC, by="root", why="granted")
    frail.earlier = 1
    clock.advance(4)
    assert not await register.refresh()
    assert "went back from epoch 1 to 0" in alarms.raised[Alarm.REGISTER_STALE]
    await register.close()


async def test_a_change_whose_fate_is_unknown_is_looked_for(file: EvidenceFile, clock: HandClock) -> None:
    frail = FrailStore(file)
    register = Register(frail, clock)
    await register.open()
    frail.broken = True
    with pytest.raises(JournalError):
        await register.add_permit(BASIC, by="root", why="granted")
    frail.broken = False
    await register.add_permit(BASIC, by="root", why="granted")
    assert register.snapshot.epoch == 1
    await register.close()


async def test_a_document_edited_in_the_database_is_not_decided_on(
    file: EvidenceFile, clock: HandClock, tmp_path: Path
) -> None:
    register = Register(file, clock)
    await register.open()
    row = RegisterRow("permit", "p", 1, '{"id": "q"}', "root", 1, 1)
    await file.change(0, [row], Draft("permit_event", "p", 1, "{}"))
    clock.advance(4)
    assert not await register.refresh()
    await register.close()


async def test_each_change_is_told_in_the_step_that_makes_it(register: Register) -> None:
    told: list[int] = []
    deaf = register.on_change(lambda taken: told.append(taken.epoch))
    await register.add_permit(BASIC, by="root", why="granted")
    assert told == [1]
    deaf()
    await register.suspend("basic-1", by="root", why="order")
    assert told == [1]


async def test_the_clock_of_the_register_is_the_one_it_was_given(
    register: Register, clock: HandClock
) -> None:
    await register.add_permit(BASIC, by="root", why="granted")
    assert register.snapshot.newest_at == clock.now().utc_us == int(START.utc.timestamp()) * SECOND // 1000


async def test_it_closes_at_the_very_moment_in_which_a_change_has_failed(
    file: EvidenceFile, clock: HandClock
) -> None:
    store = FrailStore(file)
    register = Register(store, clock)
    await register.open()
    await register.add_permit(BASIC, by="root", why="granted")
    await register.refresh()
    await asyncio.sleep(0)  # whoever watches waits again
    store.broken = True
    with pytest.raises(JournalError):
        await register.suspend("basic-1", by="root", why="order")
    async with asyncio.timeout(10):
        await register.close()


async def test_a_suspension_that_cannot_be_written_is_an_alarm_until_one_can(
    file: EvidenceFile, clock: HandClock
) -> None:
    store, alarms = FrailStore(file), Alarms()
    register = Register(store, clock, alarms=alarms)
    await register.open()
    await register.add_permit(BASIC, by="root", why="granted")
    store.broken = True
    with pytest.raises(JournalError):
        await register.suspend("basic-1", by="root", why="order")
    assert "the disk is gone" in alarms.raised[Alarm.JOURNAL_FAILED]
    store.broken = False
    await register.suspend("basic-1", by="root", why="order")
    assert Alarm.JOURNAL_FAILED not in alarms.raised
    await register.close()
