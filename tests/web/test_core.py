"""The browser's half of a call and session does what Python's does, step by step."""

import random
from pathlib import Path

from playwright.async_api import Page

from tests.core.people import DEVICE
from tests.web import transcripts
from wephone.core.call import TRANSITIONS
from wephone.protocol.messages import ServerMessage

REPLAY = (Path(__file__).parent / "replay.js").read_text().partition("*/\n")[2]


async def replayed(page: Page, histories: list[object]) -> list[dict[str, str]]:
    """What differs."""
    told = {
        "calls": transcripts.of_calls(),
        "beginnings": transcripts.beginnings() | {"device": DEVICE},
        "histories": histories,
    }
    differences: list[dict[str, str]] = await page.evaluate(REPLAY, told)
    return differences


async def test_both_halves_do_the_same(page: Page, dice: random.Random, full_size: bool) -> None:
    histories = [transcripts.of_session(dice, 60) for _ in range(3000 if full_size else 60)]
    assert await replayed(page, list(histories)) == []


async def test_a_difference_is_seen(page: Page, dice: random.Random) -> None:
    history = transcripts.of_session(dice, 5)
    history[2]["effects"].append({"effect": "Drop"})
    (difference,) = await replayed(page, [history])
    assert difference["name"].startswith("history 0, step 2")


async def test_the_table_has_the_same_rows(page: Page) -> None:
    rows = await page.evaluate(
        "import('/web/core/call.js').then(({TRANSITIONS}) => Object.entries(TRANSITIONS)"
        ".flatMap(([phase, row]) => Object.keys(row).map((event) => `${phase} ${event}`)).sort())"
    )
    assert rows == sorted(f"{phase} {name(kind)}" for phase, row in TRANSITIONS.items() for kind in row)


def name(kind: type) -> str:
    """What the browser calls an input, or a message by its type."""
    return str(kind.model_fields["type"].default) if issubclass(kind, ServerMessage) else kind.__name__
