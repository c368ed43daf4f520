"""A database in which every table has rows: what export, deletion, backup and views are tried on."""

from licensing.audit import Draft, seal
from licensing.checkpoint import sign
from licensing.ports import RegisterRow
from licensing.signing import new_key
from signaling.core.holder import HolderFacts, OwnedNumber, Said
from signaling.ports.calls import Hearing
from signaling.ports.holders import FactsChange
from signaling.ports.legs import BegunLeg, Entitlement
from signaling.ports.push import Sleeper
from signaling.store.rows import DatabaseStore
from tests.signaling.store.people import (
    ALICE,
    AT,
    BOB,
    BOBS,
    account,
    offered,
    session,
    some_call,
    some_device,
    some_message,
)
from wephone.protocol.ids import UserId
from wephone.protocol.messages import Role
from wephone.protocol.reasons import EndReason

LATER = AT + 10**9
ENTRIES = 4  # of the journal, each with one clear value


async def fill(store: DatabaseStore) -> None:
    """Alice and Bob know, block and invite each other, talk, and change the register: all there can be."""
    for user, other in ((ALICE, BOB), (BOB, ALICE)):
        await store.add_account(account(user))
        await store.add_session(session(f"of-{user}", user), user.encode())
        device = some_device()
        await store.sign_in_device(user, device, "phone", AT)
        sleeper = Sleeper(device, f"https://push.example/{user}", "key", "secret", "en")
        await store.keep_push(user, sleeper, f"of-{user}", AT)
        await store.add_invitation(b"by " + user.encode(), user, AT, LATER)
        await store.add_invitation(b"to " + user.encode(), other, AT, LATER)
        await store.take_invitation(b"to " + user.encode(), user, AT + 1)
        await store.block(user, other, True)
        await store.set_contact(user, other, "a friend")
        await store.entitle(user, Entitlement(frozenset({"DE"}), other, AT))
    text, _ = await store.accept_text(some_message(), ALICE, BOB, "secret", AT)
    await store.read(BOB, ALICE, text.seq, AT + 1)
    await calls(store)
    await store.permits.change(
        0,
        [RegisterRow("permit", "P-1", 1, '{"id":"P-1"}', ALICE, AT, 1)],
        Draft("permit_event", "P-1", AT, '{"event":"added"}', (seal(ALICE, b"a" * 16, LATER),)),
    )
    await store.journal.append(
        Draft("decision", "D-1", AT, '{"outcome":"deny"}', (seal("+8613912345678", b"n" * 16, LATER),))
    )
    for user in (ALICE, BOB):
        await store.change_facts(*facts_of(user))
    reach, _, _ = await store.checkpoints.reach()
    await store.checkpoints.add(sign(reach, new_key(), number=1, at=AT, node="local", prev=None))


def facts_of(user: UserId) -> tuple[FactsChange, Draft]:
    """What makes a number this user's."""
    number = f"+86139{sum(user.encode()):08}"
    said = Said(user, AT, f"facts-of-{user}")
    sealed = seal(f"{user} says so", b"f" * 16, LATER)
    change = FactsChange(
        user, 0, HolderFacts(numbers=(OwnedNumber(number, said),)), (number,), (), said.entry, sealed.hash
    )
    return change, Draft("account_facts", said.entry, AT, '{"basis":"verified"}', (sealed,))


async def calls(store: DatabaseStore) -> None:
    """One call that was talked on, one that rings, one that was refused."""
    talked = offered()
    await store.offer(talked)
    await store.answer(talked.call, BOBS, AT + 1, 1)
    await store.end(talked.call, EndReason.HANGUP, AT + 2, missed=False)
    await store.heard(talked.call, Hearing(Role.CALLER, 500, 2, 900), AT + 3)
    await store.offer(offered(at=AT + 3))
    await store.begin_leg(BegunLeg("leg-1", some_call(), "carrier_a", ALICE, True, "D-1", 60, AT + 3))
    await store.refused(offered(some_call(), at=AT + 4, decision="D-1"), EndReason.REFUSED, "+86139••••5678")
