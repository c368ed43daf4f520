"""What was played with programs that are not ours, and what passed, for docs/interop.md.

To play it all, and write the page anew by what came of it:  python -m tests.interop.table
"""

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest

from tests.browser.chromium import PROGRAM
from tests.house.checkout import ROOT
from tests.interop.played import Peer

PAGE = ROOT / "docs/interop.md"
ROOM = ROOT / "tests/interop"
OF_THE_PAGES = ("test_played.py", "test_table.py")  # they play nothing
ELSEWHERE = {  # file -> which of its cases, and what they are
    "tests/signaling/pstn/media/test_chromium.py": ("", "Chromium as the app, at the media bridge"),
    "tests/signaling/pstn/media/test_backend.py": ("janus", "Janus, by the contract of every media backend"),
    "tests/signaling/pstn/media/test_janus.py": ("", "Janus, what it alone does"),
    "tests/signaling/pstn/test_over_janus.py": ("", "Telephone calls by Janus, through a whole server"),
}
COMMANDS: dict[str, tuple[str, ...]] = {
    Peer.SIPP: ("sipp", "-v"),
    Peer.KAMAILIO: ("kamailio", "-v"),
    Peer.BARESIP: ("baresip", "-h"),
    Peer.LINPHONE: ("linphonec", "--version"),
    "Janus (`janus`)": ("janus", "--version"),
    "Chromium (`chromium`)": (os.environ.get("WEPHONE_CHROMIUM", PROGRAM), "--version"),
}
LIBRARIES = ("aiortc", "aioice")
HEAD = """# Played with what is not ours

Made by `python -m tests.interop.table`, which plays all of this and writes down what came of it; a test holds
that each test of `tests/interop` has its line here. How calls are spoken is in [sip.md](sip.md#played-with),
by transport; how they sound, in [media.md](media.md).

"""

Counts = dict[str, tuple[int, int]]  # test or file -> cases that passed, and all


class Results:
    """What pytest tells of each case."""

    def __init__(self) -> None:
        self.outcomes: dict[str, bool] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A case has passed if its beginning and its end have, too."""
        self.outcomes[report.nodeid] = self.outcomes.get(report.nodeid, True) and report.passed

    def counted(self, depth: int) -> Counts:
        """By file, or by file and test."""
        names = {case: "::".join(case.partition("[")[0].split("::")[:depth]) for case in self.outcomes}
        every = Counter(names.values())
        good = Counter(names[case] for case, passed in self.outcomes.items() if passed)
        return {name: (good[name], total) for name, total in every.items()}


def version(name: str) -> str:
    """Of a program of COMMANDS, as it says itself."""
    command, *arguments = COMMANDS[name]
    program = which(command, path="/usr/bin:/usr/sbin:/usr/local/bin")
    assert program, f"{command} is not installed: scripts/packages.txt"
    said = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    found = re.search(r"[0-9]+(\.[0-9]+){2,3}", said.stdout + said.stderr)
    assert found, f"{command} says no version"
    return found[0]


def versions() -> Iterator[tuple[str, str]]:
    """Of all that took part, and of the system."""
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if line)
    yield "system", release["PRETTY_NAME"].strip('"')
    for name in COMMANDS:
        yield name, version(name)
    for library in LIBRARIES:
        yield f"{library}, in the app of the tests", importlib.metadata.version(library)


def played_in(file: Path) -> list[str]:
    """The names of its tests, but for those of the long run."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [
        each.name
        for each in ast.parse(file.read_text()).body
        if isinstance(each, functions) and each.name.startswith("test_") and not is_long(each)
    ]


def is_long(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(ast.unparse(each) == "pytest.mark.long" for each in function.decorator_list)


def files() -> list[Path]:
    """Those that play."""
    return [file for file in sorted(ROOM.glob("test_*.py")) if file.name not in OF_THE_PAGES]


def said(name: str) -> str:
    """A test as the sentence that it is."""
    sentence = name.removeprefix("test_").replace("_", " ")
    return sentence[0].upper() + sentence[1:]


def page(results: Results) -> str:
    """As it should be after this run."""
    lines = ["| Program | Version |", "|---|---|", *(f"| {name} | {text} |" for name, text in versions())]
    by_test, by_file = results.counted(2), results.counted(1)
    for file in files():
        name = str(file.relative_to(ROOT))
        title = (ast.get_docstring(ast.parse(file.read_text())) or "").partition("\n")[0].rstrip(".")
        lines += ["", f"## {title}", "", f"`{name}`", "", "| Test | Passed |", "|---|---|"]
        lines += [f"| {said(test)} | {of(by_test, f'{name}::{test}')} |" for test in played_in(file)]
    lines += ["", "## Elsewhere", "", "| What | File | Passed |", "|---|---|---|"]
    lines += [f"| {what} | `{name}` | {of(by_file, name)} |" for name, (_, what) in ELSEWHERE.items()]
    return HEAD + "\n".join([*lines, ""])


def of(counts: Counts, name: str) -> str:
    """As the page says it."""
    passed, total = counts.get(name, (0, 0))
    return f"{passed} of {total}"


def main() -> int:
    """Play it, and write what came of it; whether all passed."""
    results, status = Results(), 0
    rounds = [(str(ROOM.relative_to(ROOT)), ""), *((name, case) for name, (case, _) in ELSEWHERE.items())]
    for name, case in rounds:
        deselected = [f"--ignore={ROOM / each}" for each in OF_THE_PAGES]
        status |= pytest.main(["-q", name, *(("-k", case) if case else ()), *deselected], plugins=[results])
    PAGE.write_text(page(results))
    return status


if __name__ == "__main__":
    sys.exit(main())
