"""What is known about holders: version by version, each number with one account, alike on both databases."""

import asyncio
from dataclasses import replace

import pytest

from licensing.audit import Draft, seal
from signaling.core.holder import UNKNOWN, Basis, Change, HolderFacts, OwnedNumber, Residence, Said, changed
from signaling.ports.holders import FactsChange
from signaling.ports.store import IdTakenError
from signaling.store.rows import DatabaseStore
from tests.signaling.store.database import Direct
from tests.signaling.store.people import ALICE, AT, BOB, CAROL, account
from wephone.protocol.ids import UserId

NUMBER = "+8613912345678"


def said(entry: str) -> Said:
    return Said("boss", AT, entry)


def a_change(
    user: UserId, version: int, facts: HolderFacts, entry: str, *, owned: tuple[str, ...] = ()
) -> tuple[FactsChange, Draft]:
    sealed = seal(f'{{"entry":"{entry}"}}', b"s" * 16, AT + 10**9)
    change = FactsChange(user, version, facts, owned, (), entry, sealed.hash)
    return change, Draft("account_facts", entry, AT, "{}", (sealed,))


def living_in(country: str, entry: str) -> HolderFacts:
    return changed(UNKNOWN, Basis.VERIFIED, Change({"residence": Residence(country, said(entry), None)}))


async def test_nothing_is_known_until_it_is_said(store: DatabaseStore) -> None:
    assert await store.facts(ALICE) is None
    await store.add_account(account(ALICE))
    assert await store.facts(ALICE) == (UNKNOWN, 0)
    home = living_in("CN", "e-1")
    assert await store.change_facts(*a_change(ALICE, 0, home, "e-1"))
    assert await store.facts(ALICE) == (home, 1)
    assert not await store.change_facts(*a_change(CAROL, 0, home, "e-2"))  # there is no such account
    assert [entry.entry for entry in await store.facts_history(ALICE, 9)] == ["e-1"]


async def test_a_change_of_a_version_that_has_passed_leaves_no_trace(store: DatabaseStore) -> None:
    await store.add_account(account(ALICE))
    for version in (0, 1):
        many = [
            a_change(ALICE, version, living_in(country, f"{country}-{version}"), f"{country}-{version}")
            for country in ("CN", "US", "FR")
        ]
        done = await asyncio.gather(*(store.change_facts(*one) for one in many))
        assert sorted(done) == [False, False, True]
        assert (await store.journal.head()).seq == len(await store.facts_history(ALICE, 9)) == version + 1


async def test_a_number_is_one_accounts_and_free_again_without_it(
    store: DatabaseStore, direct: Direct
) -> None:
    for user in (ALICE, BOB):
        await store.add_account(account(user))
    facts = HolderFacts(numbers=(OwnedNumber(NUMBER, said("e-1")),))
    assert await store.change_facts(*a_change(ALICE, 0, facts, "e-1", owned=(NUMBER,)))
    with pytest.raises(IdTakenError, match=r"\+8613912345678"):
        await store.change_facts(*a_change(BOB, 0, facts, "e-2", owned=(NUMBER,)))
    assert await store.facts(BOB) == (UNKNOWN, 0)
    assert (await store.journal.head()).seq == 1
    change, draft = a_change(ALICE, 1, UNKNOWN, "e-3")
    assert await store.change_facts(replace(change, disowned=(NUMBER,)), draft)
    assert await store.change_facts(*a_change(BOB, 0, facts, "e-4", owned=(NUMBER,)))
    await store.delete_account(BOB, AT + 1)
    for table in ("account_facts", "owned_number", "facts_entry"):
        assert direct.run(f"SELECT 1 FROM {table} WHERE account = 'bob'") == []
    assert [row.value for row in await store.journal.clear_values([change.hash])] == ['{"entry":"e-3"}']


async def test_the_ends_of_a_call_are_seen_in_one_look(store: DatabaseStore) -> None:
    nobody = await store.ends(ALICE, BOB)
    assert (nobody.caller, nobody.callee, nobody.do_not_disturb, nobody.blocked) == (None, None, False, False)
    for user in (ALICE, BOB):
        await store.add_account(account(user))
    home = living_in("CN", "e-1")
    await store.change_facts(*a_change(BOB, 0, home, "e-1"))
    await store.set_do_not_disturb(BOB, True)
    await store.block(BOB, ALICE, True)
    there = await store.ends(ALICE, BOB)
    assert there.caller is not None
    assert there.callee is not None
    assert (there.caller.facts, there.callee.facts) == (UNKNOWN, home)
    assert (there.do_not_disturb, there.blocked) == (True, True)
    back = await store.ends(BOB, ALICE)
    assert (back.do_not_disturb, back.blocked) == (False, False)
    await store.set_disabled(BOB, True)
    assert (await store.ends(ALICE, BOB)).callee is None
