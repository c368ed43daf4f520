"""What the scripts install is what pyproject.toml asks for, to the byte."""

import re
import tomllib
from dataclasses import dataclass

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.checkout import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
RUN = [
    *PROJECT["project"]["dependencies"],
    *EXTRAS["fast"],
    *EXTRAS["postgres"],
    *PROJECT["build-system"]["requires"],
]
WANTED = {
    "requirements.lock": RUN,
    "requirements-test.lock": [
        *RUN,
        *EXTRAS["test"],
        *PROJECT["dependency-groups"]["dev"],
    ],
}


@dataclass(frozen=True, slots=True)
class Pin:
    name: str
    version: str
    marker: str
    hashes: frozenset[str]


def pins(lock: str) -> set[Pin]:
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    return {read_pin(line) for line in text.splitlines() if line and not line.lstrip().startswith("#")}


def read_pin(line: str) -> Pin:
    requirement, *hashes = line.split("--hash=")
    wanted = Requirement(requirement.strip())
    versions = [specifier.version for specifier in wanted.specifier if specifier.operator == "=="]
    assert len(versions) == 1, line
    return Pin(
        canonicalize_name(wanted.name),
        versions[0],
        str(wanted.marker or ""),
        frozenset(h.strip() for h in hashes),
    )


@pytest.mark.parametrize("lock", WANTED)
def test_each_package_is_pinned_and_hashed(lock: str) -> None:
    for pin in pins(lock):
        assert pin.hashes, pin.name
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", text) for text in pin.hashes), pin.name


@pytest.mark.parametrize("lock", WANTED)
def test_what_pyproject_asks_for_is_in_the_lock(lock: str) -> None:
    """If this fails, run scripts/lock."""
    locked = pins(lock)
    for text in WANTED[lock]:
        wanted = Requirement(text)
        found = [pin for pin in locked if pin.name == canonicalize_name(wanted.name)]
        assert found, f"{lock} does not name {wanted.name}"
        assert all(wanted.specifier.contains(pin.version) for pin in found), f"{lock}: {text}"


def test_the_test_lock_holds_the_other_one() -> None:
    """One environment serves both, so that scripts/run after scripts/test installs nothing."""
    assert pins("requirements.lock") <= pins("requirements-test.lock")


@pytest.mark.parametrize("lock", WANTED)
def test_a_lock_names_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert not re.search("^-", text, re.MULTILINE)  # --index-url, --find-links, -e
