"""docs/licensing.md: its reasons are the engine's, its commands are real, and its verifier works."""

import asyncio
import json
import re
import sys
from pathlib import Path

import pytest

from licensing.audit import Draft, canonical
from licensing.permit import Permit
from licensing.reasons import Reason, reason_text
from signaling.api.audit import head_of
from signaling.api.export import FORMAT, exported, line
from signaling.store import open_store
from wephone.cli.main import register, top_parser

PAGE = (Path(__file__).parents[2] / "docs" / "licensing.md").read_text()


def test_the_page_has_every_reason_in_the_engines_words() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.+) \|$", PAGE, re.MULTILINE)
    assert dict(rows) == {reason.value: reason_text(reason).en for reason in Reason}


@pytest.mark.parametrize("command", re.findall(r"^    (wephone .+)$", PAGE, re.MULTILINE))
def test_each_command_is_one_that_there_is(command: str) -> None:
    words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', command.partition(" > ")[0])]
    parser = top_parser()
    assert register(words[1], parser.add_subparsers(dest="command"))
    parser.parse_args(words[1:])


def test_the_example_of_a_permit_is_one() -> None:
    Permit.model_validate_json(PAGE.partition("```json\n")[2].partition("```")[0])


async def test_an_export_is_checked_by_the_page_alone(tmp_path: Path) -> None:
    verifier, export = tmp_path / "verifier.py", tmp_path / "journal.jsonl"
    verifier.write_text(PAGE.partition("```python\n")[2].partition("```")[0])
    store = await open_store(f"sqlite:///{tmp_path / 'wephone.db'}")
    for number, why in enumerate(("granted", "许可证 \u2028 \ud83d\ude00", 'a "quote" \\ and \x7f'), 1):
        await store.journal.append(Draft("permit_event", f"p-{number}", number, canonical({"why": why})))
    heads = [head_of(head).model_dump() for head in await store.journal.heads()]
    entries = [exported(entry) for entry in await store.journal.entries(0, 10)]
    await store.close()

    async def says(*documents: object) -> str:
        export.write_bytes(b"".join(line(document) for document in documents if isinstance(document, dict)))
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", str(verifier), str(export)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        return (await process.communicate())[0].decode().strip()

    first = {"format": FORMAT, "heads": heads}
    assert await says(first, *entries) == "whole"
    edited = {**entries[1], "body": json.dumps({"why": "revoked"})}
    assert await says(first, entries[0], edited, entries[2]) == "local: entry 2 is bad"
    assert await says(first, entries[0], entries[2]) == "local: entry 2 is bad"
    assert await says(first, *entries[:2]) == "local: the chain ends before entry 3"
