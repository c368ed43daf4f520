"""Calls are seen as they run, and one of them is ended by an operator, who says why."""

from tests.web.console.conftest import Hire
from tests.web.console.desk import WITHIN
from wephone.calls import Call
from wephone.protocol.reasons import EndReason


async def test_a_call_is_seen_and_ended_and_an_auditor_only_sees(call: Call, hire: Hire) -> None:
    boss, eyes = await hire("boss"), await hire("eyes", auditor=True)
    await eyes.opens("live?user=bob")
    await eyes.sees("talking")
    assert await eyes.button("End the call of alice and bob").count() == 0
    await boss.page.get_by_role("link", name="Live calls").click()
    await boss.button("End the call of alice and bob").click()
    await boss.proves("a nuisance", "End")
    ended = await call.wait_ended()
    assert (ended.reason, ended.by) == (EndReason.HANGUP, None)
    for clerk in (boss, eyes):
        await clerk.page.get_by_text("No call runs now").wait_for(timeout=WITHIN)
