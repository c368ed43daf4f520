"""What an auditor does at the console: explains a refusal by its link, verifies the log, without the docs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.async_api import Download

from tests.web.console.conftest import Hire
from tests.web.console.desk import WITHIN, Clerk
from wephone.errors import CallRefused
from wephone.testing.kit import Kit

NUMBER = "+12025550123"


async def refused(wephone: Kit, name: str = "alice") -> str:
    """A call to a telephone that was refused: its decision."""
    alice = await wephone.peer(name)
    with pytest.raises(CallRefused) as refused:
        await alice.call(NUMBER)
    assert refused.value.refusal.decision is not None
    return refused.value.refusal.decision


async def test_an_auditor_finds_a_refusal_and_follows_its_chain(hire: Hire, wephone: Kit) -> None:
    decision = await refused(wephone)
    eyes = await hire("eyes", auditor=True)
    await eyes.page.get_by_role("link", name="Decisions").click()
    await eyes.page.get_by_role("link", name=decision).wait_for(timeout=WITHIN)
    later = await refused(wephone, "bob")
    await eyes.page.get_by_role("link", name=later).wait_for(timeout=WITHIN)  # by itself
    await eyes.page.get_by_label("Outcome").select_option(label="Refused")
    await eyes.page.wait_for_url("**/#decisions?outcome=deny")
    await eyes.page.get_by_role("link", name=decision).click()
    await eyes.page.wait_for_url(f"**/#decisions/{decision}")
    await eyes.sees("Decided again from what was kept: the same answer.")
    for step in ("Facts", "Class", "Rule", "Permit", "Outcome", "What became of it"):
        await eyes.page.get_by_role("heading", name=step, exact=True).wait_for(timeout=WITHIN)
    await eyes.sees("Call to a telephone")
    await eyes.page.get_by_role("link", name="Evidence").click()
    await eyes.button("Verify now").click()
    await eyes.sees("All is whole")
    await eyes.sees("by eyes")


@pytest.mark.long
async def test_the_copy_is_checked_without_wephone(boss: Clerk, wephone: Kit, tmp_path: Path) -> None:
    await refused(wephone)
    await boss.opens("evidence")
    await boss.button("Sign now").click()
    await boss.button("Save it").wait_for(timeout=WITHIN)

    async def saved(name: str, press: str) -> Download:
        async with boss.page.expect_download() as waiting:
            await boss.page.get_by_text(press, exact=True).click()
        file = await waiting.value
        assert file.suggested_filename == name
        await file.save_as(tmp_path / name)
        return file

    await saved("checkpoint.json", "Save it")
    await saved("journal.jsonl", "Save journal.jsonl")
    await saved("verify.py", "Save verify.py")
    checked = subprocess.run(  # noqa: ASYNC221 - nothing else runs meanwhile
        [sys.executable, "-I", "verify.py", "--head", "checkpoint.json"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr


@pytest.mark.long
async def test_a_table_is_saved_and_nothing_in_it_is_a_formula(boss: Clerk) -> None:
    cells = ["=1+1", "+49", "-2", "@x", 'a "b"', "plain", -3]
    made = await boss.page.evaluate(
        "async (row) => (await import('/web/console/csv.js')).csv([row])", json.loads(json.dumps(cells))
    )
    assert made == '\ufeff\'=1+1,\'+49,\'-2,\'@x,"a ""b""",plain,-3\r\n'
