"""Texts: decided once for two people, for as long as the answer holds."""

import asyncio

from licensing.facts import CallFacts, Medium, Role, app_leg
from licensing.gate import Ask
from tests.licensing.conftest import BASIC, Office


def text(subject: str, recipient: str = "bob") -> Ask:
    facts = CallFacts((app_leg(Role.ORIGIN), app_leg(Role.DESTINATION)), (Medium.TEXT,))
    return Ask(subject, facts, {"sender": "alice", "recipient": recipient})


async def test_two_people_who_write_on_and_on_are_decided_once(office: Office) -> None:
    first = await office.gate.authorize_again(text("text-1"))
    second = await office.gate.authorize_again(text("text-2"))
    assert first.allowed and second.id == first.id
    assert len(await office.entries(first.id)) == 1


async def test_other_people_have_a_decision_of_their_own(office: Office) -> None:
    first = await office.gate.authorize_again(text("text-1"))
    assert (await office.gate.authorize_again(text("text-2", "carol"))).id != first.id


async def test_a_change_of_the_register_is_a_new_decision(office: Office) -> None:
    first = await office.gate.authorize_again(text("text-1"))
    await office.register.add_permit(BASIC, by="root", why="granted")
    assert (await office.gate.authorize_again(text("text-2"))).id != first.id


async def test_a_class_that_is_switched_off_is_refused_at_once(office: Office) -> None:
    assert (await office.gate.authorize_again(text("text-1"))).allowed
    toggle = {"key": "texts", "enabled": False, "services": ["text_app"]}
    await office.register.set_toggle(toggle, by="root", why="maintenance")
    assert not (await office.gate.authorize_again(text("text-2"))).allowed


async def test_a_yes_that_a_change_overtook_is_not_given_again(office: Office) -> None:
    office.journal.hanging = asyncio.Event()
    asked = asyncio.create_task(office.gate.authorize_again(text("text-1")))
    await asyncio.sleep(0)
    toggle = {"key": "texts", "enabled": False, "services": ["text_app"]}
    await office.register.set_toggle(toggle, by="root", why="maintenance")
    office.journal.hanging.set()
    assert not (await asked).allowed
    assert not (await office.gate.authorize_again(text("text-2"))).allowed


async def test_a_change_that_does_not_concern_a_text_costs_no_second_decision(office: Office) -> None:
    office.journal.hanging = asyncio.Event()
    asked = asyncio.create_task(office.gate.authorize_again(text("text-1")))
    await asyncio.sleep(0)
    await office.register.add_permit(BASIC, by="root", why="granted")
    office.journal.hanging.set()
    first = await asked
    assert len(await office.entries(first.id)) == 1
    assert (await office.gate.authorize_again(text("text-2"))).id != first.id
