"""Chinese sentences have Chinese punctuation: full-width, wherever people read them."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.house.checkout import ROOT

HALF_WIDTH = re.compile(r"[\u4e00-\u9fff][,:;!?()]|[,:;!?()][\u4e00-\u9fff]")


def sentences(part: Any) -> Iterator[str]:
    """What a JSON file says in Chinese; titles of laws are quoted as their sources write them."""
    if isinstance(part, dict):
        yield from (text for key, text in part.items() if key == "zh-CN")
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from sentences(each)


def faults() -> Iterator[str]:
    """Each file and sentence with half-width punctuation at a Chinese character."""
    for file in (ROOT / "licensing").rglob("*.json"):
        for text in sentences(json.loads(file.read_bytes())):
            yield from (f"{file.name}: {text}" for _ in HALF_WIDTH.findall(text)[:1])
    for room in ("wephone", "signaling", "licensing"):
        for file in (each for kind in ("py", "js", "html") for each in (ROOT / room).rglob(f"*.{kind}")):
            lines = file.read_text().splitlines()
            yield from (f"{file.name}: {line.strip()}" for line in lines if HALF_WIDTH.search(line))


def test_chinese_has_full_width_punctuation() -> None:
    assert list(faults()) == []
