"""What is known about people is said by them and by operators, and it is what real law decides by."""

import json
from typing import Any

import pytest

from licensing.audit import clear_state
from signaling.evidence import walk
from tests.signaling.api.conftest import PASSWORD, Begin, Somebody, World
from tests.signaling.device import Device

OWN = "/api/account/facts"
NUMBER = "+8613912345678"
BEIJING = {"country": "CN", "subdivision": "CN-BJ"}
CALIFORNIA = {"country": "US", "subdivision": "US-CA"}
CHINA: dict[str, Any] = {"profiles": ["CN"], "homes": ["CN"], "legal_entity": "Example Ltd"}
PERMIT = {
    "id": "cn-b25",
    "jurisdiction": "CN",
    "categories": ["CN:B25#internet"],
    "holder": "Example Ltd",
    "basis": "own",
    "regions": ["CN-BJ"],
    "valid_from": "2020-01-01",
}
UNKNOWN: dict[str, Any] = {
    "residence": None,
    "identity": "unknown",
    "emergency_address": None,
    "numbers": [],
    "said": {},
}


async def outcome(somebody: Somebody, to: str) -> str:
    """What would come of a call now: `allowed`, or why not."""
    answer = await somebody.post("/api/calls/check", {"to": to})
    assert answer.status == 200, answer.text
    return "allowed" if answer.json["allowed"] else str(answer.json["refusal"]["code"])


async def declare(somebody: Somebody, **said: Any) -> Any:
    answer = await somebody.ask("PATCH", OWN, said)
    assert answer.status == 200, answer.text
    return answer.json


async def verify(boss: Somebody, user: str, **said: Any) -> Any:
    answer = await boss.ask("PATCH", f"/api/operator/accounts/{user}/facts", said)
    assert answer.status == 200, answer.text
    return answer.json


async def test_in_china_a_call_is_decided_by_where_two_people_live_and_who_they_are(begin: Begin) -> None:
    world = await begin(**CHINA)
    boss, alice, bob = await world.operator(), await world.user("alice"), await world.user("bob")
    checked = {"by": "Li Na", "sha256": "ab" * 32}
    added = await boss.post("/api/operator/permits", {"permit": PERMIT, "checked": checked, "why": "a test"})
    assert added.status == 201, added.text
    assert await outcome(alice, "bob") == "DENY_FACTS_INSUFFICIENT"
    await declare(alice, residence=BEIJING)
    assert await outcome(alice, "bob") == "DENY_FACTS_INSUFFICIENT"
    await declare(bob, residence={"country": "CN"})
    assert await outcome(alice, "bob") == "DENY_REGION_NOT_COVERED"
    await declare(bob, residence=BEIJING)
    assert await outcome(alice, "bob") == "DENY_IDENTITY_NOT_VERIFIED"
    await verify(boss, "alice", identity="verified", note="identity card", evidence="a" * 64)
    assert await outcome(alice, "bob") == "DENY_IDENTITY_NOT_VERIFIED"
    await verify(boss, "bob", identity="verified")
    assert await outcome(alice, "bob") == "allowed"
    # Verified beats declared, whatever the holder says afterwards; once taken back, declared counts again.
    await verify(boss, "bob", residence={"country": "CN", "subdivision": "CN-SH"})
    await declare(bob, residence=BEIJING)
    assert await outcome(alice, "bob") == "DENY_REGION_NOT_COVERED"
    await verify(boss, "bob", residence=None)
    assert await outcome(alice, "bob") == "allowed"
    await verify(boss, "bob", identity="failed")
    assert await outcome(alice, "bob") == "DENY_IDENTITY_NOT_VERIFIED"
    assert await outcome(alice, "nobody") == "DENY_FACTS_INSUFFICIENT"


async def test_in_the_united_states_the_callers_address_and_state_are_facts(begin: Begin) -> None:
    world = await begin(profiles=[], homes=["US"])
    alice, bob = await world.user("alice"), await world.user("bob")
    assert await outcome(alice, "bob") == "DENY_FACTS_INSUFFICIENT"
    for somebody in (alice, bob):
        await declare(somebody, residence=CALIFORNIA)
    assert await outcome(alice, "bob") == "allowed"
    assert await outcome(alice, "911") == "DENY_EMERGENCY_NOT_SUPPORTED"
    # A number is read as in the country where its caller lives.
    national = await alice.post("/api/calls/check", {"to": "2025550123"})
    assert (national.json["to"], national.json["refusal"]["code"]) == ("+12025550123", "DENY_NO_PERMIT")
    # Where somebody lives is not where they are: who is at home may ask for help by its number there.
    await declare(alice, residence=BEIJING)
    assert (await alice.post("/api/calls/check", {"to": "911"})).json["to"] == "911;phone-context=US"


@pytest.mark.parametrize(
    ("profiles", "homes", "reason"),
    [
        (["baseline"], [], "allowed"),
        ([], [], "allowed"),
        (["CN"], [], "DENY_NO_PERMIT"),  # which then judges every call, of whomever
        ([], ["CN"], "DENY_NO_PERMIT"),
    ],
)
async def test_a_profile_that_is_named_judges_every_call(
    begin: Begin, profiles: list[str], homes: list[str], reason: str
) -> None:
    world = await begin(profiles=profiles, homes=homes)
    alice, bob = await world.user("alice"), await world.user("bob")
    for somebody in (alice, bob):
        await declare(somebody, residence=CALIFORNIA)
    assert await outcome(alice, "bob") == reason


async def test_calls_and_texts_on_the_socket_are_decided_by_the_same_facts(begin: Begin) -> None:
    world = await begin(profiles=[], homes=["US"])
    boss = await world.operator()
    alice = await Device.of_new_account(world.http, world.callers, "alice", PASSWORD)
    bob = await Device.of_new_account(world.http, world.callers, "bob", PASSWORD)
    try:
        await alice.invite("bob")
        assert (await alice.hears("ended"))["refusal"]["code"] == "DENY_FACTS_INSUFFICIENT"
        await alice.say(type="text", message=alice.new_id(), to="bob", text="hello")
        refused = await alice.hears("error")
        assert refused["refusal"]["code"] == "DENY_FACTS_INSUFFICIENT"
        for name in ("alice", "bob"):
            await verify(boss, name, residence=CALIFORNIA)
        await alice.talk_to(bob)
        await alice.say(type="text", message=alice.new_id(), to="bob", text="hello")
        await alice.hears("text_accepted")
    finally:
        for device in (alice, bob):
            await device.close()
    past = (await boss.get("/api/operator/decisions")).json["decisions"]
    assert {(each["service"], each["reason"]) for each in past} >= {
        ("app_voice", "DENY_FACTS_INSUFFICIENT"),
        ("text_app", "DENY_FACTS_INSUFFICIENT"),
        ("app_voice", past[1]["reason"]),
    }
    allowed = next(each for each in past if each["outcome"] != "deny" and each["service"] == "app_voice")
    facts = (await boss.get(f"/api/operator/decisions/{allowed['decision']}")).json["entry"]["facts"]
    assert [(leg["country"], leg["subdivision"], leg["located_by"]) for leg in facts["legs"]] == [
        ("US", "US-CA", "account")
    ] * 2


async def test_a_telephone_is_shown_a_number_only_if_it_was_verified_to_be_the_callers(begin: Begin) -> None:
    world = await begin(**CHINA)
    boss, alice = await world.operator(), await world.user("alice")
    await declare(alice, residence=BEIJING)

    async def decided() -> Any:
        answer = await alice.post("/api/calls", {"to": "13912345678"})
        assert answer.status == 451
        entry = (await boss.get(f"/api/operator/decisions/{answer.json['decision']}")).json
        shown = [person for person in entry["people"] if person["role"] == "caller_id"]
        return entry["entry"]["facts"], [person["value"] for person in shown]

    facts, shown = await decided()
    assert ("presented_cli" in facts, shown) == (False, [])
    assert (await alice.ask("PATCH", OWN, {"add_numbers": [NUMBER]})).code == "unknown_field"
    await verify(boss, "alice", add_numbers=[NUMBER], residence=BEIJING)
    facts, shown = await decided()
    assert facts["presented_cli"] == {
        "country": "CN",
        "right_to_use": "verified",
        "domestic_customer_evidence": True,
    }
    assert shown == [NUMBER]
    await verify(boss, "alice", remove_numbers=[NUMBER])
    assert (await decided())[1] == []


async def test_a_number_is_one_accounts_alone(begin: Begin) -> None:
    world = await begin()
    boss, alice, _ = await world.operator(), await world.user("alice"), await world.user("bob")
    await verify(boss, "alice", add_numbers=[NUMBER])
    taken = await boss.ask("PATCH", "/api/operator/accounts/bob/facts", {"add_numbers": [NUMBER]})
    assert (taken.status, taken.code, taken.json["field"]) == (409, "number_taken", "add_numbers")
    assert NUMBER in taken.json["detail"]
    assert (await alice.get(OWN)).json["numbers"] == [NUMBER]
    await verify(boss, "alice", remove_numbers=[NUMBER])
    assert (await verify(boss, "bob", add_numbers=[NUMBER]))["numbers"] == [NUMBER]


async def test_the_holder_and_operators_read_who_said_what_and_the_journal_holds_it_sealed(
    begin: Begin,
) -> None:
    world = await begin()
    boss, alice = await world.operator(), await world.user("alice")
    assert (await alice.get(OWN)).json == {"name": "alice", **UNKNOWN}
    await declare(alice, emergency_address={"country": "CN", "text": "长安街 1 号"})
    known = await verify(boss, "alice", identity="verified", note="identity card", evidence="a" * 64)
    assert known == (await alice.get(OWN)).json
    said = known["said"]["verified"]["identity"]["said"]
    assert (said["by"], said["note"], said["evidence"]) == ("boss", "identity card", "a" * 64)
    assert known["emergency_address"] == {"country": "CN", "text": "长安街 1 号", "basis": "declared"}
    history = (await boss.get("/api/operator/accounts/alice/facts")).json["history"]
    assert {entry["entry"] for entry in history} >= {said["entry"]}
    journal = world.server.parts.licence.journal
    [entry] = await journal.about(said["entry"])
    assert entry.kind == "account_facts"
    assert "alice" not in entry.body
    assert "identity card" not in entry.body
    body = json.loads(entry.body)
    [clear] = await journal.clear_values([body["people"]["facts"]])
    assert clear_state(body["people"]["facts"], clear) == "present"
    assert json.loads(clear.value)["words"] == {"identity": {"status": "verified"}}


async def test_an_export_holds_the_facts_and_a_deletion_erases_them_and_leaves_the_chain_whole(
    begin: Begin,
) -> None:
    world = await begin()
    boss, alice, _ = await world.operator(), await world.user("alice"), await world.user("bob")
    await declare(alice, residence=BEIJING)
    await verify(boss, "alice", add_numbers=[NUMBER])
    export = (await alice.get("/api/account/export")).json
    assert export["numbers"] == [{"number": NUMBER}]
    assert "CN-BJ" in export["facts"][0]["document"]
    assert len(export["facts_history"]) == 2
    assert (await alice.ask("DELETE", "/api/account", {"password": PASSWORD})).status == 204
    assert (await boss.get("/api/operator/accounts/alice/facts")).code == "no_such_account"
    assert (await verify(boss, "bob", add_numbers=[NUMBER]))["numbers"] == [NUMBER]
    walked = await walk(world.server.parts.licence.journal, "local")
    assert walked.sound
    assert walked.clear["erased"] == 2


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        ({"residence": {"country": "ZZ"}}, "residence.country", "'ZZ'"),
        ({"residence": {"country": "cn"}}, "residence.country", "'cn'"),
        ({"residence": {"country": "CN", "subdivision": "BJ"}}, "residence.subdivision", "'BJ'"),
        (
            {"residence": {"country": "CN", "subdivision": "US-CA"}},
            "residence",
            "`US-CA` is no part of country",
        ),
        ({"emergency_address": {"country": "CN", "text": ""}}, "emergency_address.text", "at least 1"),
        (
            {"emergency_address": {"country": "CN", "text": "x" * 257}},
            "emergency_address.text",
            "at most 256",
        ),
        ({"emergency_address": {"country": "CN", "text": "a\0b"}}, "emergency_address.text", "control"),
        ({"identity": "perhaps"}, "identity", "'verified' or 'failed'"),
        ({"add_numbers": ["13912345678"]}, "add_numbers.0", "'13912345678'"),
        ({"add_numbers": ["+86110"]}, "add_numbers.0", "E.164"),
        ({"add_numbers": [NUMBER] * 65}, "add_numbers", "at most 64"),
        ({"identity": "verified", "evidence": "card.pdf"}, "evidence", "64 hexadecimal digits"),
        ({"nationality": "CN"}, "nationality", "no field"),
        ({"note": "nothing else"}, None, "must say something"),
        ({}, None, "must say something"),
    ],
)
async def test_a_fact_that_cannot_be_is_refused_by_field_and_value(
    world: World, body: dict[str, Any], field: str | None, said: str
) -> None:
    boss, alice = await world.operator(), await world.user("alice")
    answer = await boss.ask("PATCH", "/api/operator/accounts/alice/facts", body)
    assert answer.status == 400
    assert answer.json.get("field") == field
    assert said in answer.json["detail"]
    assert (await alice.get(OWN)).json["said"] == {}


async def test_nobody_declares_without_end(begin: Begin) -> None:
    world = await begin()
    alice = await world.user("alice")
    for _ in range(20):
        await declare(alice, residence=BEIJING)
    assert (await alice.ask("PATCH", OWN, {"residence": None})).status == 429
