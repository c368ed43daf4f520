"""Telephone legs and who may have any, on both databases."""

import json
from dataclasses import replace

from licensing.reasons import Obligation
from signaling.ports.legs import BegunLeg, Entitlement, LegEnd, Usage
from signaling.store import open_store
from signaling.store.rows import DatabaseStore
from tests.signaling.store.database import Direct
from tests.signaling.store.people import ALICE, AT, BOB, CAROL, account, offered, some_call
from wephone.protocol.reasons import EndReason

SECOND, HOUR = 1_000_000, 3600 * 1_000_000
GRANTED = Entitlement(frozenset({"DE", "AT"}), BOB, AT, calls_per_hour=5)
HUNG_UP = LegEnd(AT + 40 * SECOND, "the far end hung up", 16, None)


def leg(name: str, *, at: int = AT, trunk: str = "carrier_a", outgoing: bool = True) -> BegunLeg:
    return BegunLeg(name, some_call(), trunk, ALICE, outgoing, "D-1", 300, at)


async def test_what_was_granted_holds_until_it_is_granted_anew_or_taken_back(store: DatabaseStore) -> None:
    await store.add_account(account(ALICE))
    assert await store.entitlement(ALICE) is None
    assert await store.entitle(ALICE, GRANTED)
    assert await store.entitlement(ALICE) == GRANTED
    assert await store.entitle(ALICE, replace(GRANTED, concurrent_calls=9))
    assert await store.entitlement(ALICE) == replace(GRANTED, concurrent_calls=9)
    assert not await store.entitle(CAROL, GRANTED), "there is no such account"
    assert await store.unentitle(ALICE)
    assert not await store.unentitle(ALICE)
    assert await store.entitlement(ALICE) is None


async def test_what_was_used_is_counted_from_the_rows_also_by_the_next_server(
    store: DatabaseStore, url: str
) -> None:
    await store.begin_leg(leg("talks"))
    await store.begin_leg(leg("talked"))
    await store.keep_leg("talked", "{}", AT + 10 * SECOND)
    await store.end_leg("talked", HUNG_UP)
    await store.begin_leg(leg("called us", outgoing=False))
    await store.begin_leg(leg("yesterday", at=AT - 30 * HOUR, trunk="carrier_b"))
    await store.end_leg("yesterday", replace(HUNG_UP, at=AT - 29 * HOUR))
    await store.close()
    async with await open_store(url) as store:
        assert await store.used_by_account(ALICE, AT) == Usage(1, 2, 330)
        assert await store.used_by_account(ALICE, AT + 2 * HOUR) == Usage(1, 0, 330)
        assert await store.used_by_account(BOB, AT) == Usage()
        assert await store.used_by_trunk("carrier_a", AT) == Usage(1, 2, 330)
        assert await store.used_by_trunk("carrier_b", AT) == Usage()


async def test_what_its_trunk_does_for_the_law_is_an_entry_of_the_chain(store: DatabaseStore) -> None:
    first = leg("first")
    duties = ((Obligation.CLI_TRUTHFUL, True), (Obligation.NO_CHARGE, False))
    await store.begin_leg(replace(first, duties=duties))
    await store.begin_leg(leg("without"))
    [entry] = await store.journal.entries(0, 9)
    assert (entry.kind, entry.subject) == ("leg_duties", "first")
    assert json.loads(entry.body) == {
        "call": first.call,
        "decision": "D-1",
        "trunk": "carrier_a",
        "duties": {"CLI_TRUTHFUL": "done", "NO_CHARGE": "failed"},
    }


async def test_several_attempts_are_one_call(store: DatabaseStore) -> None:
    first = leg("first")
    await store.begin_leg(first)
    await store.end_leg("first", replace(HUNG_UP, words="the carrier has trouble", q850=41, status=503))
    await store.begin_leg(replace(first, leg="second", trunk="carrier_b"))
    assert (await store.used_by_account(ALICE, AT)).attempts == 1
    assert [each.trunk for each in await store.legs_of_call(first.call)] == ["carrier_a", "carrier_b"]


async def test_a_leg_is_open_until_it_ends_and_listed_until_the_carrier_confirms_that(
    store: DatabaseStore,
) -> None:
    row = offered()
    await store.offer(row)
    begun = replace(leg("leg-1"), call=row.call)
    await store.begin_leg(begun)
    await store.keep_leg("leg-1", '{"call_id":"x"}', AT + SECOND)
    [found] = await store.open_legs()
    assert (found.dialog, found.answered_at, found.confirmed) == ('{"call_id":"x"}', AT + SECOND, True)
    await store.end_leg("leg-1", replace(HUNG_UP, doubt="nobody has answered our BYE"))
    assert await store.open_legs() == []
    [found] = await store.unconfirmed_legs(10)
    assert await store.unconfirmed_leg("leg-1") == found
    assert (found.words, found.q850, found.ended_at, found.confirmed) == (
        "the far end hung up; nobody has answered our BYE",
        16,
        AT + 40 * SECOND,
        False,
    )
    await store.end_leg("leg-1", replace(HUNG_UP, at=AT + 50 * SECOND))
    assert await store.unconfirmed_legs(10) == []
    assert await store.unconfirmed_leg("leg-1") is None
    [found] = await store.legs_of_call(row.call)
    assert found.ended_at == AT + 40 * SECOND, "it ended when it ended"
    [record] = await store.history(ALICE, AT + HOUR, 1)
    assert record.trunk == "carrier_a"


async def test_the_record_of_a_call_names_the_trunk_that_was_tried_last(
    store: DatabaseStore, direct: Direct
) -> None:
    row = replace(offered(), trunk="carrier_a")
    await store.offer(row)
    await store.begin_leg(replace(leg("leg-2", trunk="carrier_b"), call=row.call))
    await store.end(row.call, EndReason.BUSY, AT + 9, missed=False)
    assert direct.run("SELECT trunk FROM v_cdr") == [("carrier_b",)]


async def test_a_database_from_before_there_were_telephones_gets_them(url: str, direct: Direct) -> None:
    await (await open_store(url)).close()
    for statement in (
        "DROP TABLE leg",
        "DROP TABLE entitlement",
        "DROP VIEW v_cdr",
        "ALTER TABLE call DROP COLUMN trunk",
        "CREATE VIEW v_cdr AS SELECT call_id AS call FROM call",
        "UPDATE alembic_version SET version_num = '0007'",
    ):
        direct.run(statement)
    async with await open_store(url) as store:
        await store.begin_leg(leg("leg-3"))
    assert direct.run("SELECT trunk FROM v_cdr") == []
