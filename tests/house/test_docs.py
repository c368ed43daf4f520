"""The pages say what the code says, and lead somewhere."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.house.checkout import ROOT
from tests.house.settings import PAGE, with_table

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_table_of_settings_is_the_model() -> None:
    """If this fails, run python -m tests.house.settings."""
    assert PAGE.read_text() == with_table(PAGE.read_text())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_opens_with_one_sentence_and_the_two_commands() -> None:
    _, sentence, *rest = (ROOT / "README.md").read_text().split("\n\n")
    assert re.fullmatch(r"WePhone is [^.]+(?:\.\d[^.]*)*\.", sentence.replace("\n", " "))
    assert "scripts/run" in "".join(rest[:2])
    assert "scripts/test" in "".join(rest[:2])


def test_the_readme_says_who_can_read_messages() -> None:
    assert "operator can read stored messages" in (ROOT / "README.md").read_text().replace("\n", " ")


def test_the_changelog_knows_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert re.search(
        rf"^## (Unreleased|{re.escape(version)})", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
