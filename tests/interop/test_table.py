"""The page of what was played names each test that plays, and no other; and all of them passed."""

import re

from tests.house.checkout import ROOT
from tests.interop.table import ELSEWHERE, PAGE, files, played_in, said

ROW = re.compile(r"^\| (.+) \| (\d+) of (\d+) \|$", re.MULTILINE)


def test_the_page_has_each_test_that_plays_and_no_other() -> None:
    """If this fails, run python -m tests.interop.table."""
    rows = [what for what, *_ in ROW.findall(PAGE.read_text())]
    tests = [said(test) for file in files() for test in played_in(file)]
    assert [row for row in rows if " | " not in row] == tests


def test_all_that_was_played_passed() -> None:
    rows = ROW.findall(PAGE.read_text())
    assert rows
    assert all(passed == total != "0" for _, passed, total in rows)


def test_what_is_played_elsewhere_is_there() -> None:
    text = PAGE.read_text()
    for name, (_, what) in ELSEWHERE.items():
        assert (ROOT / name).exists()
        assert f"| {what} | `{name}` |" in text
