"""Rows held against the entries that say the same: what is edited in the database is found out, on both."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from signaling.clock import SystemClock
from signaling.evidence import row_faults
from signaling.holders import Holders, Statement
from signaling.store.rows import DatabaseStore
from tests.signaling.store.database import Direct
from tests.signaling.store.people import ALICE, AT, BOB, account, offered
from wephone.protocol.ids import CallId
from wephone.protocol.reasons import EndReason

NUMBER = "+8613912345678"
CALL = CallId("4be0643f-1d98-473b-97cd-ca98a65347dd")
OTHER = CallId("5be0643f-1d98-473b-97cd-ca98a65347dd")


def living(country: str) -> Mapping[str, Any]:
    return {"residence": {"country": country, "subdivision": None}}


@pytest.fixture
async def stated(store: DatabaseStore) -> DatabaseStore:
    """Two calls that ended, and what an operator and a holder said, one thing twice, one taken back."""
    for user in (ALICE, BOB):
        await store.add_account(account(user))
    for place, call in enumerate((CALL, OTHER)):
        await store.offer(offered(call, decision=f"D-{place}"))
        await store.end(call, EndReason.CANCELLED, AT + 5, missed=True)
    holders = Holders(store, SystemClock(), 2**50)
    await holders.declare(ALICE, Statement(living("US")))
    await holders.verify(BOB, ALICE, Statement(living("CN"), (NUMBER,), note="passport", evidence="a" * 64))
    await holders.verify(BOB, ALICE, Statement(living("FR"), ("+33612345678",), (NUMBER,)))
    await holders.declare(BOB, Statement(living("US")))
    await holders.declare(BOB, Statement({"residence": None}))
    return store


async def test_what_nobody_edited_agrees_also_once_it_is_erased(
    stated: DatabaseStore, direct: Direct
) -> None:
    assert await row_faults(stated) == []
    await asyncio.to_thread(direct.run, "DELETE FROM clear_value")
    assert await row_faults(stated) == []


KNOWN = "what is known about `alice`"


@pytest.mark.parametrize(
    ("statement", "faults"),
    [
        ("UPDATE account_facts SET document = replace(document, 'FR', 'HK')", ["(verified residence)"]),
        ("UPDATE account_facts SET document = replace(document, 'US', 'HK')", ["(declared residence)"]),
        ("UPDATE account_facts SET document = replace(document, '+336', '+337')", ["(number)"]),
        (
            "UPDATE account_facts SET document = '{}' WHERE account = 'alice'",
            ["(declared residence)", "(verified residence)"],
        ),
        (
            "DELETE FROM facts_entry",
            ["(declared residence)", "(verified residence)", "(number)"],
        ),
    ],
)
async def test_edited_facts_are_named(
    stated: DatabaseStore, direct: Direct, statement: str, faults: list[str]
) -> None:
    await asyncio.to_thread(direct.run, statement)
    assert await row_faults(stated) == [f"{KNOWN} {each} is not what its entry says" for each in faults]


@pytest.mark.parametrize(
    "edit", ["ended_at = ended_at + 1", "answered_at = 7", "decision = NULL", "reason = 'busy'"]
)
async def test_an_edited_end_of_a_call_is_named(stated: DatabaseStore, direct: Direct, edit: str) -> None:
    await asyncio.to_thread(direct.run, f"UPDATE call SET {edit} WHERE call_id = '{CALL}'")
    assert await row_faults(stated) == [f"call {CALL}: its row is not what the entry of its end says"]
