"""A leg that no carrier has confirmed is settled by an operator, who says why; the alarm stands till then."""

import json

from signaling.ports.legs import BegunLeg, LegEnd
from tests.web.console.desk import WITHIN, Clerk
from wephone.protocol.ids import CallId, UserId
from wephone.testing.kit import Kit

LEG, CALL = "leg-1", CallId("6f1c1e6e-5d0e-4a55-8b58-3f1c7f4b9c11")


async def test_a_leg_is_settled_with_its_carrier(boss: Clerk, wephone: Kit) -> None:
    parts = wephone.server.running.parts
    now = parts.now_us()
    begun = BegunLeg(
        leg=LEG, call=CALL, trunk="carrier_a", account=UserId("boss"), outgoing=True, decision="D-1", at=now,
        most_seconds=60,
    )  # fmt: skip
    await parts.store.begin_leg(begun)
    await parts.store.end_leg(LEG, LegEnd(now, "it was hung up", None, 408, "nobody answered our BYE"))
    await wephone.server.restart()
    parts = wephone.server.running.parts
    await boss.page.reload()
    await boss.page.get_by_role("link", name="A carrier has not confirmed").click()
    await boss.sees("nobody answered our BYE")
    await boss.button("Confirmed with the carrier").click()
    await boss.proves("their mail of today", "Confirmed with the carrier")
    await boss.sees("There is none.")
    [entry] = await parts.licence.journal.about(LEG)
    assert json.loads(entry.body)["why"] == "their mail of today"
    await boss.opens("overview")
    await boss.page.get_by_text("Nothing needs a decision").wait_for(timeout=WITHIN)
