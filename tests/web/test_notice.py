"""A permit is withdrawn under a call between two browsers: both see it end, and why."""

from typing import Any

import pytest

from tests.signaling.residents import HOLDER, permitted, settled
from tests.web.app import Someone
from tests.web.conftest import BOBS_TONE
from wephone.testing.kit import Kit


@pytest.fixture
def wephone_settings() -> dict[str, Any]:
    return {"profiles": (), "legal_entity": HOLDER}


@pytest.fixture
async def talking(pair: tuple[Someone, Someone], wephone: Kit) -> tuple[Someone, Someone]:
    """Two residents of a country that wants a permit, in a call."""
    await permitted(wephone, "CN")
    for person in pair:
        await settled(wephone, person.name, "CN")
    alice, bob = pair
    await alice.calls("bob")
    await bob.answers()
    await alice.hears_tone(BOBS_TONE)
    return pair


async def test_both_count_down_and_read_why_it_ended(talking: tuple[Someone, Someone], wephone: Kit) -> None:
    await wephone.permits.suspend("cn")
    for person in talking:
        await person.sees("This call ends in 5")
        await person.sees("suspended")
        await person.page.get_by_role("alert").get_by_text("Decision").wait_for()
    await wephone.clock.advance(60)
    for person in talking:
        await person.button("Close").wait_for()
        await person.sees("suspended")
        assert await person.button("Call again").count() == 0  # it would be refused again


async def test_a_permit_that_is_back_takes_the_notice_away(
    talking: tuple[Someone, Someone], wephone: Kit
) -> None:
    alice, _ = talking
    await wephone.permits.suspend("cn")
    for person in talking:
        await person.sees("This call ends in")
    await wephone.permits.reinstate("cn")
    for person in talking:
        await person.sees_no("This call ends in")
    await alice.hears_tone(BOBS_TONE)
