"""The set-up says what it lacks, and touches nothing that it did not make."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house.checkout import ROOT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose scripts may be changed, and a path on which nobody is root."""
    shutil.copytree(ROOT / "scripts", tmp_path / "checkout/scripts")
    for name, body in {"id": "echo 1000", "sudo": "exit 1"}.items():
        command = tmp_path / "bin" / name
        command.parent.mkdir(exist_ok=True)
        command.write_text(f"#!/bin/sh\n{body}\n")
        command.chmod(0o755)
    return tmp_path / "checkout"


@pytest.mark.parametrize("script", ["run", "test"])
def test_who_asks_how_a_command_is_used_is_told_so_before_anything_is_set_up(
    checkout: Path, script: str
) -> None:
    told = subprocess.check_output([checkout / "scripts" / script, "--help"], text=True, cwd=checkout.parent)
    assert f"scripts/{script} [" in told
    assert not (checkout / ".venv").exists()


def set_up(checkout: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """From a folder of its own, as anybody would who has no checkout underfoot."""
    path = f"{checkout.parent / 'bin'}:{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WEPHONE_")}
    return subprocess.run(
        [checkout / "scripts/setup", *arguments],
        cwd=checkout.parent,
        env={**kept, "PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_an_ordinary_user_has_to_install_is_listed_at_once(checkout: Path) -> None:
    with (checkout / "scripts/packages.txt").open("a") as packages:
        packages.write("run  wonder-tool   no-such-command-1   a test\n")
        packages.write("run  wonder-files  /no/such/file-*     a test\n")
        packages.write("run  wonder-mod    import:no_such_mod  a test\n")
        packages.write("test wonder-test   no-such-command-2   a test\n")
    done = set_up(checkout, "run")
    assert done.returncode == 1
    assert "please install" in done.stderr
    assert "apt-get install wonder-tool wonder-files wonder-mod)" in done.stderr
    assert "wonder-test" not in done.stderr
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize("named", ["an executable", "a file", "nothing"])
def test_a_browser_that_a_variable_names_is_not_asked_for(checkout: Path, named: str) -> None:
    tests = (checkout / "scripts/packages.txt").read_text().splitlines()
    browsers = {"WEPHONE_CHROMIUM": "chromium", "WEPHONE_FIREFOX": "firefox-esr"}
    written = [line for line in tests if line.startswith("test") and line.split()[1] in browsers.values()]
    absent = [
        line.replace(":chromium ", ":none-such ").replace(":firefox-esr ", ":none-such ") for line in written
    ]
    other = "test wonder no-such-command a test"  # or the set-up would go on to the lock
    (checkout / "scripts/packages.txt").write_text("\n".join([*absent, other, ""]))
    browser = checkout.parent / "a browser"
    browser.touch(0o755 if named == "an executable" else 0o644)
    given = dict.fromkeys(browsers, "" if named == "nothing" else str(browser))
    done = set_up(checkout, "test", **given)
    missing = [] if named == "an executable" else ["chromium", "firefox-esr"]
    assert f"please install {' '.join([*missing, 'wonder'])} (" in done.stderr


def test_somebody_elses_folder_is_left_alone(checkout: Path) -> None:
    (checkout / "scripts/packages.txt").write_text("")
    (checkout / "requirements.lock").write_text("wonder==1.0 --hash=sha256:00\n")
    theirs = checkout.parent / "theirs"
    theirs.mkdir()
    (theirs / "novel.txt").write_text("It was a dark and stormy night")
    done = set_up(checkout, "run", WEPHONE_VENV=str(theirs))
    assert done.returncode == 1
    assert f"{theirs} was made by someone else" in done.stderr
    assert (theirs / "novel.txt").exists()


@pytest.mark.parametrize("arguments", [(), ("everything",)])
def test_a_purpose_has_to_be_named(checkout: Path, arguments: tuple[str, ...]) -> None:
    done = set_up(checkout, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert "scripts/setup run, or scripts/setup test" in done.stderr


@pytest.mark.parametrize("script", ["run", "test", "check", "lock", "setup"])
def test_scripts_can_be_started(script: str) -> None:
    assert os.access(ROOT / "scripts" / script, os.X_OK)
    subprocess.run(["bash", "-n", ROOT / "scripts" / script], check=True)


def test_the_build_runs_the_tests_from_any_folder() -> None:
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert "scripts/test" in (ROOT / ".ci/run").read_text()
