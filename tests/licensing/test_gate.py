"""The gate: audit first, fail closed for telephones, help goes through, and legs live by leases."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from licensing.alarms import Alarm
from licensing.audit import Verified, beginning, verify
from licensing.case import Decision, Operator, Outcome, Policy
from licensing.facts import CallFacts, Role, app_leg, phone_leg
from licensing.gate import Ask, Attempt, Lease, Verdict
from licensing.grant import LEASE
from licensing.instant import SECOND
from licensing.journal import EvidenceFile
from licensing.jurisdiction import load_profiles
from licensing.law import Law
from licensing.numbering import Number, Place, canonicalise
from licensing.reasons import Obligation, Reason
from licensing.record import KEEP
from tests.fakes.clock import START, HandClock
from tests.licensing.conftest import BASIC, Office


def number(text: str) -> Number:
    found = canonicalise(text, Place("CN", ("CN",)))
    assert isinstance(found, Number)
    return found


PHONE = number("+8613912345678")
HELP = number("110")


def app_call() -> Ask:
    facts = CallFacts((app_leg(Role.ORIGIN), app_leg(Role.DESTINATION)))
    return Ask("call-1", facts, {"caller": "alice", "callee": "bob"})


def phone_call(to: Number = PHONE, call: str = "call-1") -> Ask:
    facts = CallFacts((app_leg(Role.ORIGIN, "CN"), phone_leg(Role.DESTINATION, to)))
    people = {"caller": "alice", "callee": to.address}
    return Ask(call, facts, people, leg="callee", destination=to, caller_id="+862112345678", trunk="main")


def attempt_of(verdict: Verdict) -> Attempt:
    assert verdict.grant is not None
    return verdict.grant.attempt


async def lease_of(office: Office, ask: Ask) -> Lease:
    verdict = await office.gate.authorize(ask)
    assert verdict.grant is not None, verdict.decision
    lease = office.gate.redeem(verdict.grant, attempt_of(verdict))
    assert isinstance(lease, Lease), lease
    return lease


# Audit first


async def test_an_app_call_is_allowed_and_written_down(office: Office) -> None:
    verdict = await office.gate.authorize(app_call())
    assert (verdict.allowed, verdict.grant) == (True, None)
    [body] = await office.entries(verdict.id)
    assert (body["reason"], body["call"], body["epoch"]) == ("OK_NO_PERMIT_REQUIRED", "call-1", 0)


async def test_a_phone_call_without_a_permit_is_refused_by_name_of_what_is_missing(office: Office) -> None:
    verdict = await office.gate.authorize(phone_call())
    assert (verdict.allowed, verdict.grant) == (False, None)
    assert verdict.decision.reason is Reason.DENY_NO_PERMIT
    assert verdict.decision.permit_needed == "baseline:basic"
    [body] = await office.entries(verdict.id)
    assert (body["outcome"], body["reason"]) == ("deny", "DENY_NO_PERMIT")


async def test_an_entry_has_all_that_the_decision_was_made_by(office: Office) -> None:
    await office.licensed()
    verdict = await office.gate.authorize(phone_call())
    [body] = await office.entries(verdict.id)
    assert body["permits"] == ["basic-1@1"]
    assert body["utc"] == START.utc.isoformat()
    assert body["utc_local"] == f"{START.utc.isoformat()}[UTC]"
    assert body["facts"]["legs"][1]["kind"] == "pstn"
    assert body["profile_version"] in body["profiles"][0]
    for key in ("engine", "policy", "operator", "obligations", "uncertain", "service", "trunk"):
        assert key in body


async def test_no_name_or_number_is_chained_in_clear(office: Office) -> None:
    await office.licensed()
    verdict = await office.gate.authorize(phone_call())
    [entry] = await office.file.about(verdict.id)
    for datum in ("alice", "13912345678", "2112345678"):
        assert datum not in entry.body
    body = (await office.entries(verdict.id))[0]
    sealed = body["people"] | {key: body[key] for key in ("destination", "caller_id")}
    rows = {row.hash: row for row in await office.file.clear_values(list(sealed.values()))}
    assert {key: rows[value].value for key, value in sealed.items()} == {
        "caller": "alice",
        "callee": PHONE.address,
        "destination": PHONE.address,
        "caller_id": "+862112345678",
    }
    assert all(row.delete_after == office.clock.now().utc_us + KEEP for row in rows.values())


async def test_every_decision_is_one_entry_of_a_sound_chain(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("licensing.gate.WAIT_FOR_PHONES", 60.0)  # however busy this machine's disk is
    await office.licensed()
    verdicts = await asyncio.gather(*(office.gate.authorize(phone_call(call=f"c{n}")) for n in range(200)))
    entries = await office.file.entries(0, 1000)
    assert sorted(e.subject for e in entries if e.kind == "decision") == sorted(v.id for v in verdicts)
    assert isinstance(verify(entries, after=beginning("local")), Verified)


# Fail closed for telephones, while app calls go on


async def test_a_stale_register_refuses_phones_and_lets_apps_talk(office: Office) -> None:
    await office.licensed()
    office.store.broken = True
    office.clock.advance(3)
    assert (await office.gate.authorize(phone_call())).allowed
    office.clock.advance(0.001)
    refused = await office.gate.authorize(phone_call())
    assert refused.decision.reason is Reason.DENY_REGISTER_STALE
    [body] = await office.entries(refused.id)
    assert (body["reason"], body["withheld"]["reason"]) == ("DENY_REGISTER_STALE", "OK_PERMIT_COVERS")
    assert (await office.gate.authorize(app_call())).allowed
    office.store.broken = False
    assert (await office.gate.authorize(phone_call())).allowed, "one more look confirms it"


@pytest.mark.parametrize("back", [-10.0, -86_400.0])
async def test_a_clock_that_was_set_back_refuses_phones_and_lets_apps_talk(
    office: Office, back: float
) -> None:
    await office.licensed()
    office.clock.set_utc(back)
    refused = await office.gate.authorize(phone_call())
    assert refused.decision.reason is Reason.DENY_CLOCK_UNSOUND
    assert Alarm.CLOCK_UNSOUND in office.alarms.raised
    assert (await office.gate.authorize(app_call())).allowed
    office.clock.set_utc(-back)
    assert (await office.gate.authorize(phone_call())).allowed
    assert Alarm.CLOCK_UNSOUND not in office.alarms.raised


async def test_a_clock_behind_the_journal_is_unsound_after_a_restart_too(office: Office) -> None:
    await office.licensed()
    await office.gate.authorize(app_call())
    office.clock.set_utc(-60)
    again = Office(office.file, office.clock, office.law)
    await again.open()
    assert (await again.gate.authorize(phone_call())).decision.reason is Reason.DENY_CLOCK_UNSOUND
    office.clock.set_utc(60)
    assert (await again.gate.authorize(phone_call())).allowed
    await again.close()


async def test_a_journal_that_cannot_be_written_refuses_phones_and_lets_apps_talk(office: Office) -> None:
    await office.licensed()
    office.journal.broken = True
    refused = await office.gate.authorize(phone_call())
    assert refused.decision.reason is Reason.DENY_JOURNAL_UNAVAILABLE
    assert refused.grant is None
    allowed = await office.gate.authorize(app_call())
    assert allowed.allowed
    assert Alarm.JOURNAL_FAILED in office.alarms.raised
    office.clock.advance(1)
    office.journal.broken = False
    await office.gate.close()
    said = {e.subject: e.said_at for e in await office.file.entries(0, 99) if e.kind == "decision"}
    assert said == dict.fromkeys((refused.id, allowed.id), int(START.utc.timestamp()) * 1_000_000)
    [body] = await office.entries(refused.id)
    assert (body["outcome"], body["withheld"]["outcome"]) == ("deny", "allow")


async def test_what_goes_with_an_app_call_is_begun_while_its_entry_is_being_written(office: Office) -> None:
    office.journal.hanging = asyncio.Event()
    begun: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    asking = asyncio.create_task(office.gate.authorize(app_call(), begun.set_result))
    id = await begun
    assert not asking.done()
    office.journal.hanging.set()
    assert (await asking).id == id


async def test_nothing_is_begun_for_a_telephone_leg_before_its_decision_is_durable(office: Office) -> None:
    begun: list[str] = []
    await office.gate.authorize(phone_call(), begun.append)
    assert begun == []


async def test_an_app_call_waits_for_a_slow_journal_no_longer_than_it_has_to(office: Office) -> None:
    office.journal.hanging = asyncio.Event()
    verdict = await office.gate.authorize(app_call())
    assert verdict.allowed
    assert await office.entries(verdict.id) == []
    assert Alarm.JOURNAL_SLOW in office.alarms.raised
    office.journal.hanging.set()
    await office.gate.close()
    assert len(await office.entries(verdict.id)) == 1


async def test_a_phone_call_waits_until_its_entry_is_durable(office: Office) -> None:
    await office.licensed()
    office.journal.hanging = asyncio.Event()
    asking = asyncio.create_task(office.gate.authorize(phone_call()))
    await asyncio.wait([asking], timeout=0.2)
    assert not asking.done()
    office.journal.hanging.set()
    verdict = await asking
    assert verdict.allowed
    assert len(await office.entries(verdict.id)) == 1


async def test_an_engine_that_fails_refuses_with_a_reason_and_never_raises(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> Decision:
        raise ZeroDivisionError("a fault in the engine")

    monkeypatch.setattr(office.law, "decide", fails)
    for ask in (phone_call(), app_call()):
        refused = await office.gate.authorize(ask)
        assert refused.decision.reason is Reason.DENY_GATE_FAILED
    helped = await office.gate.authorize(phone_call(HELP))
    assert helped.decision.reason is Reason.EMERGENCY_OVERRIDE
    assert isinstance(office.gate.redeem(helped.grant, attempt_of(helped)), Lease)  # type: ignore[arg-type]
    await office.gate.close()
    assert [body["fault"] for body in await office.entries(refused.id)] == ["ZeroDivisionError"]


async def test_the_panic_switch_refuses_phones_at_once_and_lets_apps_talk(office: Office) -> None:
    await office.licensed()
    await office.register.switch_telephone_off(by="alice", why="fraud")
    refused = await office.gate.authorize(phone_call())
    assert refused.decision.reason is Reason.DENY_TELEPHONE_SWITCHED_OFF
    assert (await office.gate.authorize(app_call())).allowed
    assert (await office.gate.authorize(phone_call(HELP))).allowed


async def test_what_changes_while_the_entry_is_written_is_decided_again(office: Office) -> None:
    await office.licensed()
    office.journal.hanging = asyncio.Event()
    asking = asyncio.create_task(office.gate.authorize(phone_call()))
    await asyncio.sleep(0)
    await office.register.revoke("basic-1", by="root", why="order")
    office.journal.hanging.set()
    verdict = await asking
    assert verdict.decision.reason is Reason.DENY_PERMIT_REVOKED
    first, last = [e for e in await office.file.entries(0, 99) if e.kind == "decision"]
    assert (await office.entries(last.subject))[0]["again"] == first.subject


async def test_checking_writes_nothing_and_grants_nothing(office: Office) -> None:
    before = await office.file.head()
    assert office.gate.check(phone_call().facts).reason is Reason.DENY_NO_PERMIT
    assert office.gate.check(app_call().facts).outcome is not Outcome.DENY
    assert await office.file.head() == before


# Help goes through


@pytest.mark.parametrize(
    "trouble", ["register", "clock", "journal", "slow journal", "panic", "toggle", "all"]
)
async def test_nothing_of_ours_stops_a_call_for_help(office: Office, trouble: str) -> None:
    if trouble in ("panic", "all"):
        await office.register.switch_telephone_off(by="alice", why="fraud")
    if trouble in ("toggle", "all"):
        await office.register.set_toggle({"key": "all", "enabled": False}, by="alice", why="quiet")
    if trouble in ("register", "all"):
        office.store.broken = True
        office.clock.advance(60)
    if trouble in ("clock", "all"):
        office.clock.set_utc(-86_400)
    if trouble in ("journal", "all"):
        office.journal.broken = True
    if trouble == "slow journal":
        office.journal.hanging = asyncio.Event()
    lease = await lease_of(office, phone_call(HELP))
    for _ in range(10):
        office.clock.advance(8)
        renewed = await office.gate.renew(lease)
        assert isinstance(renewed, Lease)
        lease = renewed
    office.journal.broken = False
    if office.journal.hanging:
        office.journal.hanging.set()
    await office.gate.close()
    assert len(await office.entries(lease.decision)) == 1


async def test_help_without_a_permit_is_an_alert_until_the_call_is_gone(office: Office) -> None:
    await office.licensed()
    covered = await office.gate.authorize(phone_call(HELP, "covered"))
    assert covered.decision.reason is Reason.EMERGENCY_CARRIED
    assert Alarm.EMERGENCY_OVERRIDE not in office.alarms.raised
    await office.register.suspend("basic-1", by="root", why="order")
    overridden = await office.gate.authorize(phone_call(HELP, "overridden"))
    assert overridden.decision.reason is Reason.EMERGENCY_OVERRIDE
    assert overridden.id in office.alarms.raised[Alarm.EMERGENCY_OVERRIDE]
    office.gate.forget("covered")
    assert Alarm.EMERGENCY_OVERRIDE in office.alarms.raised
    office.gate.forget("overridden")
    assert Alarm.EMERGENCY_OVERRIDE not in office.alarms.raised


async def test_the_gates_own_override_has_the_alert_among_its_duties(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> Decision:
        raise RuntimeError("a bug in the engine")

    monkeypatch.setattr(office.law, "decide", fails)
    helped = await office.gate.authorize(phone_call(HELP))
    assert helped.decision.reason is Reason.EMERGENCY_OVERRIDE
    assert Obligation.AUDIT_ALERT in helped.decision.obligations
    assert Alarm.EMERGENCY_OVERRIDE in office.alarms.raised


async def test_a_call_for_help_without_a_route_is_refused_with_that_reason(
    file: EvidenceFile, clock: HandClock
) -> None:
    office = Office(file, clock, Law(load_profiles(), Operator(), Policy()))
    await office.open()
    refused = await office.gate.authorize(phone_call(HELP))
    assert refused.decision.reason is Reason.DENY_EMERGENCY_NOT_SUPPORTED
    assert len(await office.entries(refused.id)) == 1
    await office.close()


# Grants and leases


async def test_a_grant_makes_one_lease(office: Office) -> None:
    await office.licensed()
    verdict = await office.gate.authorize(phone_call())
    attempt = attempt_of(verdict)
    assert attempt.destination == PHONE.address
    assert verdict.grant is not None
    assert office.gate.redeem(verdict.grant, replace(attempt, trunk="spare")) is Reason.DENY_GRANT_NOT_VALID
    assert isinstance(office.gate.redeem(verdict.grant, attempt), Lease)
    assert office.gate.redeem(verdict.grant, attempt) is Reason.DENY_GRANT_NOT_VALID


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ("revoked", Reason.DENY_GRANT_NOT_VALID),
        ("expired", Reason.DENY_GRANT_NOT_VALID),
        ("panic", Reason.DENY_TELEPHONE_SWITCHED_OFF),
        ("stale", Reason.DENY_REGISTER_STALE),
        ("clock", Reason.DENY_CLOCK_UNSOUND),
    ],
)
async def test_a_grant_is_worth_nothing_once_its_ground_is_gone(
    office: Office, trouble: str, reason: Reason
) -> None:
    expiring = BASIC | {"valid_until": START.utc.date().isoformat()}
    await office.register.add_permit(expiring, by="root", why="granted")
    if trouble == "expired":
        office.clock.advance(12 * 3600 - 1)
        await office.register.refresh()
    verdict = await office.gate.authorize(phone_call())
    match trouble:
        case "revoked":
            await office.register.revoke("basic-1", by="root", why="order")
        case "panic":
            await office.register.switch_telephone_off(by="root", why="fraud")
        case "stale":
            office.clock.advance(4)
        case "expired":
            office.clock.advance(1)
        case "clock":
            office.clock.set_utc(-60)
    assert verdict.grant is not None
    assert office.gate.redeem(verdict.grant, attempt_of(verdict)) is reason


async def test_a_lease_is_renewed_without_an_entry_while_nothing_changes(office: Office) -> None:
    lease = await lease_of(await office.licensed(), phone_call())
    before = await office.file.head()
    for _ in range(5):
        office.clock.advance(8)
        renewed = await office.gate.renew(lease)
        assert isinstance(renewed, Lease)
        assert renewed.until_ns == office.clock.now().mono_ns + LEASE
        lease = renewed
    assert await office.file.head() == before
    office.clock.advance(10)
    assert await office.gate.renew(lease) is Reason.DENY_GRANT_NOT_VALID


async def test_a_stale_register_renews_no_lease(office: Office) -> None:
    lease = await lease_of(await office.licensed(), phone_call())
    office.store.broken = True
    office.clock.advance(4)
    assert await office.gate.renew(lease) is Reason.DENY_REGISTER_STALE
    office.store.broken = False
    assert isinstance(await office.gate.renew(lease), Lease), "while it lives it may be asked again"


async def test_a_change_is_a_new_decision_about_each_leg(office: Office) -> None:
    lease = await lease_of(await office.licensed(), phone_call())
    await office.register.set_toggle({"key": "x", "enabled": True}, by="root", why="nothing much")
    renewed = await office.gate.renew(lease)
    assert isinstance(renewed, Lease)
    assert (renewed.epoch, renewed.winding_down) == (2, False)
    [body] = await office.entries(renewed.decision)
    assert (body["again"], body["outcome"], body["leg"]) == (lease.decision, "allow", "callee")


@pytest.mark.parametrize(
    ("loss", "seconds"), [("suspended", 60), ("revoked", 30), ("expired", 900), ("toggled off", 60)]
)
async def test_a_leg_that_lost_its_permit_has_one_hard_end(office: Office, loss: str, seconds: int) -> None:
    expiring = BASIC | {"valid_until": START.utc.date().isoformat()}
    await office.register.add_permit(expiring, by="root", why="granted")
    if loss == "expired":
        office.clock.advance(12 * 3600 - 1)
        await office.register.refresh()
    lease = await lease_of(office, phone_call())
    match loss:
        case "suspended":
            await office.register.suspend("basic-1", by="root", why="order")
        case "revoked":
            await office.register.revoke("basic-1", by="root", why="order")
        case "expired":
            office.clock.advance(1)
        case "toggled off":
            await office.register.set_toggle({"key": "x", "enabled": False}, by="root", why="quiet")
    down = await office.gate.renew(lease)
    assert isinstance(down, Lease)
    assert down.hard_end_ns == down.until_ns == office.clock.now().mono_ns + seconds * SECOND
    [body] = await office.entries(down.decision)
    assert (body["outcome"], body["winds_down"]) == ("deny", seconds)
    office.clock.advance(1)
    await office.register.refresh()
    assert await office.gate.renew(down) == down, "it stays as it is"
    await office.register.set_toggle({"key": "y", "enabled": True}, by="root", why="nothing much")
    later = await office.gate.renew(down)
    assert isinstance(later, Lease)
    assert later.hard_end_ns == down.hard_end_ns, "deciding again moves no end"
    assert not (await office.gate.authorize(phone_call(call="call-2"))).allowed
    office.clock.advance(seconds)
    assert await office.gate.renew(later) is Reason.DENY_GRANT_NOT_VALID


async def test_an_old_permit_on_file_gives_no_leg_more_time(office: Office) -> None:
    old = BASIC | {"id": "basic-0", "valid_from": "2019-01-01", "valid_until": "2020-12-31"}
    await office.register.add_permit(old, by="root", why="what we had before")
    await office.licensed()
    lease = await lease_of(office, phone_call())
    for loss, seconds in ((office.register.suspend, 60), (office.register.revoke, 30)):
        await loss("basic-1", by="root", why="order")
        renewed = await office.gate.renew(lease)
        assert isinstance(renewed, Lease)
        lease = renewed
        assert lease.hard_end_ns == office.clock.now().mono_ns + seconds * SECOND
        [body] = await office.entries(lease.decision)
        assert body["winds_down"] == seconds


async def test_the_panic_switch_ends_legs_at_once(office: Office) -> None:
    lease = await lease_of(await office.licensed(), phone_call())
    await office.register.switch_telephone_off(by="root", why="fraud")
    assert await office.gate.renew(lease) is Reason.DENY_TELEPHONE_SWITCHED_OFF
    assert office.gate.leases == ()


async def test_a_permit_that_comes_back_in_time_cancels_the_end(office: Office) -> None:
    lease = await lease_of(await office.licensed(), phone_call())
    await office.register.suspend("basic-1", by="alice", why="order")
    down = await office.gate.renew(lease)
    assert isinstance(down, Lease)
    office.clock.advance(2)
    await office.register.reinstate("basic-1", by="alice", why="lifted")
    await office.register.reinstate("basic-1", by="bob", why="lifted")
    back = await office.gate.renew(down)
    assert isinstance(back, Lease)
    assert not back.winding_down


async def test_an_unwritable_journal_renews_nothing_after_a_change(office: Office) -> None:
    lease = await lease_of(await office.licensed(), phone_call())
    await office.register.set_toggle({"key": "x", "enabled": True}, by="root", why="nothing much")
    office.journal.broken = True
    assert await office.gate.renew(lease) is Reason.DENY_JOURNAL_UNAVAILABLE
    office.journal.broken = False
    assert isinstance(await office.gate.renew(lease), Lease)


async def test_an_ended_call_leaves_nothing_behind(office: Office) -> None:
    await office.licensed()
    lease = await lease_of(office, phone_call())
    unused = await office.gate.authorize(phone_call())
    office.gate.forget("call-1")
    assert office.gate.leases == ()
    assert await office.gate.renew(lease) is Reason.DENY_GRANT_NOT_VALID
    assert unused.grant is not None
    assert office.gate.redeem(unused.grant, attempt_of(unused)) is Reason.DENY_GRANT_NOT_VALID


async def test_a_suspension_that_was_filed_for_later_begins_by_itself(office: Office) -> None:
    await office.licensed()
    start = START.utc + timedelta(seconds=30)
    await office.register.suspend("basic-1", by="root", why="order", start=start)
    assert (await office.gate.authorize(phone_call())).allowed
    office.clock.advance(30)
    await office.register.refresh()
    assert (await office.gate.authorize(phone_call())).decision.reason is Reason.DENY_PERMIT_SUSPENDED


async def test_lost_evidence_closes_the_telephone_alone_until_it_is_accepted(office: Office) -> None:
    lease = await lease_of(await office.licensed(), phone_call())
    granted = await office.gate.authorize(phone_call())
    assert granted.grant is not None
    office.gate.distrust("the register is at epoch 1, and was at 2")
    refused = await office.gate.authorize(phone_call())
    assert refused.decision.reason is Reason.DENY_EVIDENCE_LOST
    assert office.gate.redeem(granted.grant, granted.grant.attempt) is Reason.DENY_EVIDENCE_LOST
    assert await office.gate.renew(lease) is Reason.DENY_EVIDENCE_LOST
    assert (await office.gate.authorize(app_call())).allowed
    assert (await office.gate.authorize(phone_call(HELP))).allowed
    office.gate.distrust(None)
    assert (await office.gate.authorize(phone_call())).allowed
