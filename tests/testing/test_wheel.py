"""The test kit from the built wheel, where nothing else of this project is."""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.fakes.network import loopback_alone
from tests.house.checkout import ROOT
from tests.testing.test_plugin import TALK

INI = """\
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has the wheel, and of the others' packages those that are installed here."""
    python = new_environment(tmp_path_factory.mktemp("environment"))
    packages = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    with ZipFile(wheel) as archive:
        archive.extractall(packages)
    others = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    Path(packages, "others.pth").write_text("\n".join(others))
    return python


def new_environment(folder: Path, *options: str) -> Path:
    """The Python of a new, empty environment."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", *options, str(folder)], check=True)
    return folder / "bin" / "python"


def outside() -> dict[str, str]:
    """Our environment without what leads to this checkout, and would hide what the wheel lacks."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTEST") and name != "PYTHONPATH"
    }


def run(python: Path, folder: Path, *before: str) -> str:
    """The three lines in a folder of their own; what pytest says."""
    (folder / "test_it.py").write_text(TALK)
    (folder / "pytest.ini").write_text(INI)
    done = subprocess.run(
        [*before, python, "-m", "pytest", "-p", "no:cacheprovider", "-v", "."],
        cwd=folder,
        env=outside(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_carries_what_the_kit_needs(wheel: Path) -> None:
    names = set(ZipFile(wheel).namelist())
    assert {"wephone/samples/alice.wav", "wephone/samples/bob.wav", "licensing/numbers.json"} <= names
    assert not [name for name in names if name.startswith("tests/")]


def test_the_three_lines_are_green_from_the_wheel(python: Path, tmp_path: Path) -> None:
    where = subprocess.run(
        [python, "-c", "import wephone; print(wephone.__file__)"],
        cwd=tmp_path,
        env=outside(),
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert where.startswith(str(python.parents[1]))
    assert "1 passed" in run(python, tmp_path)


def test_a_machine_with_loopback_alone_will_do(python: Path, tmp_path: Path) -> None:
    assert "1 passed" in run(python, tmp_path, *loopback_alone())


@pytest.mark.long
def test_the_test_extra_is_all_that_an_empty_environment_needs(wheel: Path, tmp_path: Path) -> None:
    """What the wheel asks for and nothing else, in the versions of the lock file."""
    python = new_environment(tmp_path / "environment")
    versions = tmp_path / "versions.txt"
    lock = (ROOT / "requirements-test.lock").read_text()
    versions.write_text("\n".join(re.findall(r"(?m)^[a-z0-9][^\\\n]*", lock)))
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    subprocess.run([*command, "--constraint", str(versions), f"{wheel}[test]"], check=True)
    folder = tmp_path / "theirs"
    folder.mkdir()
    assert "1 passed" in run(python, folder)
