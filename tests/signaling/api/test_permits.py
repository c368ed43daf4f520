"""Operators' routes: permits, toggles, the panic switch, decisions and the journal, by HTTP."""

import json
from typing import Any

import aiohttp
import pytest

from licensing.audit import Entry
from licensing.ports import JournalError
from tests.signaling.api.conftest import PASSWORD, Begin, Somebody, World
from tests.signaling.test_evidence import edit

NUMBER = "+12025550123"
PERMITS = "/api/operator/permits"
BASIC: dict[str, Any] = {
    "id": "basic-1",
    "jurisdiction": "baseline",
    "categories": ["baseline:basic"],
    "valid_from": "2020-01-01",
}
WHY = {"why": "a test"}
SUSPENDED = {"status": "suspended", "from": "2026-03-01T00:00:00Z"}
NO_ZONE = {"status": "suspended", "from": "2026-03-01T00:00:00"}


async def files(operator: Somebody, **changes: Any) -> Any:
    """File the permit, with these changes."""
    answer = await operator.post(PERMITS, {"permit": {**BASIC, **changes}, **WHY})
    assert answer.status == 201, answer.text
    return answer.json


async def test_a_permit_is_filed_shown_and_kept_in_every_version(world: World) -> None:
    boss = await world.operator()
    assert (await files(boss))["standing"] == "in_force"
    checked = {"by": "Li Na", "sha256": "ab" * 32}
    body = {"permit": {**BASIC, "version": 2}, "checked": checked, **WHY}
    second = (await boss.post(PERMITS, body)).json
    assert (second["permit"]["verified"], second["warnings"]) == (True, [])
    listed = (await boss.get(PERMITS)).json
    assert (listed["epoch"], listed["permits"]) == (2, [second])
    path = str(world.server.settings.data / "permits.json")
    assert listed["file"] == {"path": path, "sha256": None, "made_at": None, "keys": [], "fault": None}
    assert listed["profiles_past_review"] == []
    assert (await boss.get(f"{PERMITS}/basic-1")).json == second
    versions = (await boss.get(f"{PERMITS}/basic-1/versions")).json["versions"]
    assert [(each["version"], each["by"], each["epoch"]) for each in versions] == [
        (1, "boss", 1),
        (2, "boss", 2),
    ]
    assert [each["permit"]["verified"] for each in versions] == [False, True]


async def test_what_needs_somebody_comes_first_page_by_page(world: World) -> None:
    boss = await world.operator()
    for id, until in (
        ("a-far", None),
        ("b-far", "2099-12-31"),
        ("c-over", "2021-01-01"),
        ("d-stopped", None),
    ):
        await files(boss, id=id, valid_until=until)
    await boss.post(f"{PERMITS}/d-stopped/suspend", WHY)
    everything = (await boss.get(PERMITS)).json
    assert [each["permit"]["id"] for each in everything["permits"]] == [
        "a-far",
        "b-far",
        "c-over",
        "d-stopped",
    ]
    assert (everything["of"], everything["skip"]) == (4, None)
    found, skip = [], 0
    while skip is not None:
        page = (await boss.get(f"{PERMITS}?urgent=true&skip={skip}&limit=3")).json
        found += [each["permit"]["id"] for each in page["permits"]]
        skip = page["skip"]
    assert found == ["d-stopped", "c-over", "b-far", "a-far"]


async def test_what_is_wrong_is_answered_by_path_and_nothing_changes(world: World) -> None:
    boss = await world.operator()
    for changes, status, code, field in (
        ({"valid_until": "2030-02-30"}, 400, "bad_value", "permit.valid_until"),
        ({"valid_until": "2019-12-31"}, 400, "bad_value", "permit.valid_until"),
        ({"valid_form": "2020-01-01"}, 400, "unknown_field", "permit.valid_form"),
        ({"status_events": [NO_ZONE]}, 400, "bad_value", "permit.status_events.0.from"),
        ({"status_events": [SUSPENDED, SUSPENDED]}, 400, "bad_value", "permit.status_events"),
        ({"jurisdiction": "ZW"}, 400, "not_changed", "jurisdiction"),
        ({"categories": ["baseline:advanced"]}, 400, "not_changed", "categories[0]"),
        ({"version": 7}, 409, "not_changed", "version"),
    ):
        answer = await boss.post(PERMITS, {"permit": {**BASIC, **changes}, **WHY})
        assert (answer.status, answer.code, answer.json["field"]) == (status, code, field)
    assert (await boss.post(PERMITS, {"permit": BASIC})).json["field"] == "why"
    assert (await boss.post(PERMITS, {"permit": BASIC, "why": " "})).status == 400
    assert (await boss.get(f"{PERMITS}/basic-1")).code == "no_such_permit"
    assert (await boss.post(f"{PERMITS}/basic-1/suspend", WHY)).status == 409
    listed = (await boss.get(PERMITS)).json
    assert (listed["epoch"], listed["permits"]) == (0, [])


async def test_the_nearest_category_and_the_value_found_are_named(world: World) -> None:
    boss = await world.operator()
    for changes, told in (
        (
            {"categories": ["baseline:basics"]},
            "the nearest that it has is `baseline:basic` (found 'baseline:ba",
        ),
        ({"valid_until": "2019-12-31"}, "is before valid_from, 2020-01-01"),
        ({"status_events": [SUSPENDED, SUSPENDED]}, "overlaps the one before it"),
        ({"jurisdiction": "ZW"}, "neither its categories nor the zone of its dates are known"),
    ):
        answer = await boss.post(PERMITS, {"permit": {**BASIC, **changes}, **WHY})
        assert answer.status == 400 and told in answer.json["detail"]
    await files(boss)
    again = await boss.post(PERMITS, {"permit": {**BASIC, "issuer": "us"}, **WHY})
    assert (again.status, again.json["field"]) == (409, "version")
    assert (await boss.get(f"{PERMITS}/basic-1")).json["permit"]["issuer"] is None


async def test_days_left_are_shown_and_warned_of(world: World) -> None:
    boss = await world.operator()
    filed = await files(boss, valid_until="2026-12-24", next_review_on="2026-11-20")
    assert filed["days_left"] == 29
    assert filed["warnings"][1:] == [
        "permit `basic-1` is valid until 2026-12-24 and no longer: 29 days left",
        "it had to be reviewed by 2026-11-20",
    ]
    assert (await files(boss, id="endless"))["days_left"] is None
    shown = (await boss.get("/metrics")).text
    assert 'wephone_permit_days_left{permit="basic-1"} 29.0' in shown
    assert "wephone_permit_file_refused 0.0" in shown


async def test_a_permit_file_that_was_not_taken_is_shown(world: World) -> None:
    boss, path = await world.operator(), world.server.settings.data / "permits.json"
    path.write_text('{"why": "x"}')
    await world.server.parts.licence.file.look()
    fault = (await boss.get(PERMITS)).json["file"]["fault"]
    assert fault == f"{path}: signatures: the setting `permit_file_keys` names no key for them"
    shown = (await boss.get("/metrics")).text
    assert (
        "wephone_permit_file_refused 1.0" in shown
        and 'wephone_alarms{alarm="permit_file_refused"} 1.0' in shown
    )
    assert 'wephone_alarms{alarm="journal_failed"} 0.0' in shown


async def test_two_sessions_of_one_operator_are_one_operator(world: World) -> None:
    boss, vera = await world.operator(), await world.operator("vera")
    again = Somebody(world.http, world.operators)
    await again.sign_in("boss")
    await files(boss)
    assert (await boss.post(f"{PERMITS}/basic-1/suspend", WHY)).json["standing"] == "suspended"
    asked = (await boss.post(f"{PERMITS}/basic-1/reinstate", WHY)).json
    assert (asked["done"], asked["waiting"]["by"]) == (False, "boss")
    assert (await again.post(f"{PERMITS}/basic-1/reinstate", WHY)).status == 409
    assert (await vera.get("/api/operator/waiting")).json["waiting"] == [asked["waiting"]]
    assert (await vera.post(f"{PERMITS}/basic-1/reinstate", WHY)).json["done"] is True

    telephone = "/api/operator/telephone"
    assert (await boss.ask("PUT", telephone, {"on": False, **WHY})).json == {"on": False, "waiting": None}
    assert (await boss.ask("PUT", telephone, {"on": True, **WHY})).json["on"] is False
    assert (await again.ask("PUT", telephone, {"on": True, **WHY})).status == 409
    assert (await boss.get(telephone)).json["waiting"]["key"] == "switch_on:telephone"
    assert (await vera.ask("DELETE", "/api/operator/waiting/switch_on:telephone?why=no")).status == 204
    assert (await vera.ask("PUT", telephone, {"on": True, **WHY})).json["on"] is False
    assert (await boss.ask("PUT", telephone, {"on": True, **WHY})).json == {"on": True, "waiting": None}


async def test_a_toggle_is_set_replaced_and_removed(world: World) -> None:
    boss = await world.operator()
    toggle = "/api/operator/toggles/CN:pstn_out"
    off = {"enabled": False, "services": ["pstn_out"], "jurisdictions": ["CN"], "regions": ["CN-BJ"]}
    assert (await boss.ask("PUT", toggle, {**off, **WHY})).json == {"key": "CN:pstn_out", **off}
    assert (await boss.ask("PUT", toggle, {**off, "enabled": True, **WHY})).json["enabled"] is True
    assert [each["enabled"] for each in (await boss.get("/api/operator/toggles")).json["toggles"]] == [True]
    assert (await boss.ask("DELETE", toggle)).json["field"] == "why"
    assert (await boss.ask("DELETE", f"{toggle}?why=over")).status == 204
    assert (await boss.ask("DELETE", f"{toggle}?why=over")).status == 409
    for wrong, code in (
        ({"services": ["video"]}, "bad_value"),
        ({"regions": ["Beijing"]}, "bad_value"),
        ({"jurisdictions": ["ZZ"]}, "not_changed"),
        ({"regions": ["ZZ-1"]}, "not_changed"),
    ):
        answer = await boss.ask("PUT", toggle, {**off, **wrong, **WHY})
        assert (answer.status, answer.code) == (400, code)


async def test_decisions_are_listed_newest_first_and_explained(world: World) -> None:
    boss, alice = await world.operator(), await world.user("alice")
    ids = [(await alice.post("/api/calls", {"to": NUMBER})).json["decision"] for _ in range(3)]
    await files(boss)
    first = (await boss.get("/api/operator/decisions?limit=1")).json
    assert [each["decision"] for each in first["decisions"]] == [ids[2]]
    assert (first["decisions"][0]["reason"], first["decisions"][0]["service"]) == (
        "DENY_NO_PERMIT",
        "pstn_out",
    )
    rest = (await boss.get(f"/api/operator/decisions?limit=2&before={first['before']}")).json
    assert [each["decision"] for each in rest["decisions"]] == [ids[1], ids[0]]
    last = (await boss.get(f"/api/operator/decisions?before={rest['before']}")).json  # what the law was
    assert (last["decisions"], last["before"]) == ([], None)
    assert last["looked_to"] <= rest["decisions"][-1]["at"]
    for written in (ids[0], ids[0].lower(), ids[0].removeprefix("D-")):
        told = (await boss.get(f"/api/operator/decisions/{written}")).json
        assert (told["decision"], told["sound"]) == (ids[0], True)
    assert told["again"]["reason"] == told["reason"] == "DENY_NO_PERMIT"
    assert (await boss.get("/api/operator/decisions/D-1")).code == "bad_value"
    assert (await boss.get("/api/operator/decisions/D-00000000000000000000000000")).code == "no_such_decision"
    assert (await boss.get("/api/operator/decisions?node=elsewhere")).json == {
        "decisions": [],
        "before": None,
        "looked_to": None,
    }


async def test_an_answer_that_was_edited_is_not_sound(world: World) -> None:
    boss, alice = await world.operator(), await world.user("alice")
    made, other = [(await alice.post("/api/calls", {"to": NUMBER})).json["decision"] for _ in range(2)]
    for id, old, new in (
        (made, '"reason":"DENY_NO_PERMIT"', '"reason":"DENY_WHATEVER"'),
        (other, '"outcome":"deny"', '"outcome":"allow"'),
    ):
        edit(
            world.server.settings.data / "wephone.db",
            f"UPDATE journal_entry SET body = replace(body, '{old}', '{new}') WHERE subject = '{id}'",
        )
        told = (await boss.get(f"/api/operator/decisions/{id}")).json
        assert told["sound"] is False
        assert "entry" in told["faults"][0] and "was altered" in told["faults"][0]
        assert "decided again it is" in told["faults"][1]


async def test_the_journal_is_verified_and_exported_against_its_head(world: World) -> None:
    boss, alice = await world.operator(), await world.user("alice")
    await alice.post("/api/calls", {"to": NUMBER})
    heads = (await boss.get("/api/operator/audit/head")).json["heads"]
    await files(boss)
    verified = (await boss.post("/api/operator/audit/verify", {"heads": heads})).json
    assert (verified["ok"], verified["entries"]) == (True, heads[0]["seq"] + 1)
    other = [{**heads[0], "hash": "0" * 64}]
    [chain] = (await boss.post("/api/operator/audit/verify", {"heads": other})).json["chains"]
    assert chain["fault"] == {"seq": heads[0]["seq"], "fault": "differs from the checkpoint kept elsewhere"}
    answer = await boss.get("/api/operator/audit/export")
    assert answer.headers["content-type"] == "application/x-ndjson"
    first, *entries = map(json.loads, answer.text.splitlines())
    kinds = [entry["kind"] for entry in entries if "kind" in entry]  # not the checkpoints
    assert kinds == ["profile", "decision", "permit_event"]
    assert first["heads"] == verified["heads"]
    assert NUMBER not in answer.text
    assert (await boss.get("/api/operator/audit/export?after=-1")).code == "bad_value"


async def test_an_export_that_cannot_be_finished_does_not_look_whole(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    boss = await world.operator()
    await files(boss)

    async def fails(*_: object) -> list[Entry]:
        raise JournalError("the disk is gone")

    monkeypatch.setattr(world.server.parts.licence.journal, "entries_of", fails)
    with pytest.raises(aiohttp.ClientError):
        await boss.get("/api/operator/audit/export")


async def test_the_description_has_the_models(world: World) -> None:
    boss = await world.operator()
    described = (await boss.get("/api/openapi.json")).json
    assert described["paths"][PERMITS]["post"]["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/AddedPermit"
    }
    assert "valid_from" in described["components"]["schemas"]["Permit"]["properties"]
    assert "from" in described["components"]["schemas"]["Window"]["properties"]
    assert PERMITS not in (await world.stranger().get("/api/openapi.json")).text


async def test_an_operator_who_opens_another_ones_account_is_no_second_person(world: World) -> None:
    boss, vera = await world.operator(), await world.operator("vera")
    opened = await boss.post(
        "/api/operator/accounts", {"name": "pet", "operator": True, "password": PASSWORD}
    )
    assert opened.status == 201
    pet = Somebody(world.http, world.operators)
    await pet.sign_in("pet")
    await files(boss)
    await boss.post(f"{PERMITS}/basic-1/suspend", WHY)
    await pet.post(f"{PERMITS}/basic-1/reinstate", WHY)
    refused = await boss.post(f"{PERMITS}/basic-1/reinstate", WHY)
    assert (refused.status, refused.code) == (409, "not_changed")
    await vera.post("/api/operator/accounts/boss/password", {"password": "another good password"})
    events = [each for each in await entries_of(world) if each.kind == "account_event"]
    assert [json.loads(each.body)["action"] for each in events] == ["opened", "password_reset"]
    assert (await vera.post(f"{PERMITS}/basic-1/reinstate", WHY)).status == 409, "she may be the boss now"


async def entries_of(world: World) -> list[Entry]:
    """All entries of the server's chain."""
    return list(await world.server.parts.licence.journal.entries(0, 999))


@pytest.mark.parametrize(
    ("holder", "said"),
    [
        ("Somebody Else", "`Somebody Else` holds it, and the operator here is `Example Telecom`"),
        ("Example Telecom", None),
        (None, "it names no holder, and the operator here is `Example Telecom`"),
    ],
)
async def test_a_permit_that_somebody_else_holds_is_listed_with_a_warning(
    begin: Begin, holder: str | None, said: str | None
) -> None:
    boss = await (await begin(legal_entity="Example Telecom", profiles=())).operator()
    filed = await files(boss, id="cn", jurisdiction="CN", categories=["CN:B25"], holder=holder)
    assert filed["standing"] == "in_force"
    warned = [each for each in filed["warnings"] if "covers nothing here" in each]
    assert warned == ([] if said is None else [f"{said}: it covers nothing here"])
