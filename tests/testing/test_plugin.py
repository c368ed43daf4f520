"""The plugin as others use it: in a pytest of its own, in a folder of their own."""

import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

TALK = """\
async def test_they_talk(wephone):
    alice, bob = await wephone.peers("alice", "bob")
    call = await alice.call(bob)
    await call.hangup()
"""


def run(folder: Path, test: str, *options: str) -> "subprocess.CompletedProcess[str]":
    """pytest on one file, with nothing of this project's configuration."""
    (folder / "test_it.py").write_text(dedent(test))
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", *options, "."]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_two_peers_talk_in_three_lines(tmp_path: Path) -> None:
    done = run(tmp_path, TALK, "--asyncio-mode=auto")
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_they_talk_in_strict_mode_too(tmp_path: Path) -> None:
    done = run(tmp_path, f"import pytest\n\n\n@pytest.mark.asyncio\n{TALK}", "--asyncio-mode=strict")
    assert done.returncode == 0, done.stdout


def test_a_test_that_fails_shows_what_happened_to_whom(tmp_path: Path) -> None:
    test = f"{TALK}    assert False, 'to see the report'\n"
    done = run(tmp_path, test, "--asyncio-mode=auto")
    assert done.returncode == 1
    report = done.stdout[done.stdout.index("wephone: what happened to whom") :]
    for line in (
        r"alice +sent +invite .*to=bob",
        r"bob +told +Rings .*peer=alice",
        r"alice +received +answered",
        r"bob +received +ended .*reason=hangup by=caller",
    ):
        assert re.search(line, report), report
    for hidden in ("v=0", "fingerprint", "candidate:", "ticket"):
        assert hidden not in report


def test_a_test_that_passes_shows_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, TALK, "--asyncio-mode=auto", "-rA")
    assert "what happened" not in done.stdout


def test_the_plugin_costs_nothing_until_its_fixture_is_used(tmp_path: Path) -> None:
    test = """
        import sys

        def test_nothing_is_loaded():
            packages = ("wephone", "signaling", "licensing")
            ours = {name for name in sys.modules if name.partition(".")[0] in packages}
            assert ours == {"wephone", "wephone.testing", "wephone.testing.plugin"}
            assert not {"aiohttp", "aiortc", "av", "numpy", "pydantic", "sqlalchemy"} & set(sys.modules)
    """
    done = run(tmp_path, test)
    assert done.returncode == 0, done.stdout


def test_a_test_may_choose_the_servers_settings(tmp_path: Path) -> None:
    settings = """
        import pytest

        @pytest.fixture
        def wephone_settings():
            return {"no_such_setting": 1}
    """
    done = run(tmp_path, dedent(settings) + TALK, "--asyncio-mode=auto")
    assert done.returncode == 1
    assert "no_such_setting" in done.stdout
