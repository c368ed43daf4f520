"""The house is as its rules say, and a broken rule is noticed."""

import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.house.checkout import ROOT, run_python, tracked_files

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = ["wephone", "signaling", "licensing"]


def test_imports_point_inward() -> None:
    checked = run_python("-m", "tests.house.imports")
    assert checked.stdout.strip() == "", checked.stdout
    assert checked.returncode == 0, checked.stderr


# A rule, a module that breaks it, and what must be said of it.
PLANTED = [
    (
        "the wire imports pydantic alone",
        "wephone/protocol/wire.py",
        "import aiohttp",
        "may not import aiohttp",
    ),
    (
        "the client does not know the server",
        "wephone/line.py",
        "import signaling",
        "may not import signaling",
    ),
    ("nor the licences", "wephone/permit.py", "import licensing", "may not import licensing"),
    ("licences do not know the server", "licensing/a.py", "import signaling", "may not import signaling"),
    ("nor the client's wire", "licensing/b.py", "import wephone.protocol", "may not import wephone.protocol"),
    ("HTTP stays in the middleware", "licensing/c.py", "import aiohttp", "may import aiohttp"),
    ("nobody enters the middleware", "licensing/d.py", "import licensing.middleware", "licensing.middleware"),
    ("edges do not know each other", "signaling/api/e.py", "import signaling.store", "signaling.store"),
    (
        "a store does not know the switch",
        "signaling/store/s.py",
        "import signaling.switch",
        "signaling.switch",
    ),
    ("nobody but a command starts the app", "signaling/f.py", "import signaling.app", "signaling.app"),
    (
        "no server is its own telephone network",
        "signaling/pstn/n.py",
        "import signaling.pstn.carrier",
        "may not import signaling.pstn.carrier",
    ),
    ("the app knows nothing of the client", "signaling/app/a.py", "import wephone.media", "wephone.media"),
    (
        "a core does not wait",
        "signaling/core/g.py",
        "import asyncio",
        "g is pure: signaling.core.g -> asyncio",
    ),
    (
        "nor through another module",
        "wephone/core/h.py",
        "import wephone.protocol.t",
        "wephone.protocol.t -> time",
    ),
    ("nor the SIP parts", "signaling/pstn/sip/message.py", "import socket", "message is pure"),
    ("nor a decision", "licensing/decision.py", "import random", "decision is pure"),
    (
        "a core reads no clock",
        "signaling/core/i.py",
        "import datetime as d\nd.datetime.now()",
        "calls now()",
    ),
    ("what is imported is declared", "signaling/j.py", "import hypothesis", "does not declare"),
    ("there is no cycle", "wephone/k.py", "import wephone.l", "import cycle"),
]
# What the planted modules import; these break nothing themselves.
BESIDE = {
    "wephone/l.py": "import wephone.k",
    "wephone/protocol/t.py": "import time",
    "wephone/media/__init__.py": "",
    "licensing/middleware.py": "import aiohttp",
    "signaling/switch.py": "",
    "signaling/pstn/carrier.py": "",
    "signaling/store/__init__.py": "",
}


@pytest.fixture(scope="module")
def said_of_planted(tmp_path_factory: pytest.TempPathFactory) -> str:
    house = tmp_path_factory.mktemp("house")
    shutil.copytree(ROOT / "tests/house", house / "tests/house")
    for name, source in {**BESIDE, **{name: source for _, name, source, _ in PLANTED}}.items():
        plant(house, Path(name), source)
    return run_python("-m", "tests.house.imports", cwd=house).stdout


def plant(house: Path, name: Path, source: str) -> None:
    file = house / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source)
    for package in name.parents[:-1]:
        (house / package / "__init__.py").touch()


@pytest.mark.parametrize(("name", "said"), [p[1::2] for p in PLANTED], ids=[p[0] for p in PLANTED])
def test_a_broken_rule_is_noticed(said_of_planted: str, name: str, said: str) -> None:
    assert [line for line in said_of_planted.splitlines() if line.startswith(name) and said in line]


def test_what_breaks_no_rule_is_left_alone(said_of_planted: str) -> None:
    planted = {name for _, name, _, _ in PLANTED} | {"wephone/l.py"}
    assert {line.partition(":")[0] for line in said_of_planted.splitlines()} <= planted


# --- what an import costs ------------------------------------------------------------------------------

MEDIA = {"aioice", "aiortc", "av", "numpy", "pylibsrtp", "pystoi", "scipy", "sounddevice"}
SERVER = {"alembic", "argon2", "licensing", "phonenumbers", "prometheus_client", "signaling", "sqlalchemy"}


def loaded_by(source: str, cwd: Path = ROOT) -> set[str]:
    """The top-level modules that a fresh interpreter has after it ran this."""
    ran = run_python(
        "-c", f"{source}\nimport sys; print(*{{m.partition('.')[0] for m in sys.modules}})", cwd=cwd
    )
    assert ran.returncode == 0, ran.stderr
    return set(ran.stdout.splitlines()[-1].split())


def test_the_client_loads_no_media_library_until_there_is_sound() -> None:
    loaded = loaded_by("import wephone; wephone.Client")
    assert "wephone" in loaded
    assert not loaded & (MEDIA | SERVER)


def test_a_server_loads_no_media_library() -> None:
    """With Janus none is needed, and else the process for it loads them."""
    assert not loaded_by("import signaling.app.server") & MEDIA


def test_the_licence_engine_is_loaded_name_by_name() -> None:
    nothing = loaded_by("import licensing")
    assert not nothing & (MEDIA | SERVER - {"licensing"} | {"aiohttp", "pydantic"})
    every_name = "import licensing; assert all(hasattr(licensing, name) for name in licensing.__all__)"
    assert not loaded_by(every_name) & (MEDIA | SERVER - {"licensing", "phonenumbers"} | {"aiohttp"})


def test_the_wire_loads_pydantic_alone() -> None:
    loaded = loaded_by("import wephone.protocol.codec")
    assert "pydantic" in loaded
    assert not loaded & (MEDIA | SERVER | {"aiohttp"})


def test_the_test_kit_loads_nothing_heavy_until_a_fixture_is_used(tmp_path: Path) -> None:
    (tmp_path / "test_nothing.py").write_text("def test_nothing() -> None: ...")
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    collect = "import pytest; assert pytest.main(['-q', '-p', 'no:cacheprovider', 'test_nothing.py']) == 0"
    loaded = loaded_by(collect, cwd=tmp_path)
    assert "wephone" in loaded
    assert not loaded & (MEDIA | SERVER | {"aiohttp", "pydantic"})


# --- names and files -----------------------------------------------------------------------------------


def test_the_seven_entries_have_their_names() -> None:
    named = {
        "pyproject.toml",
        "README.md",
        "wephone",
        "signaling",
        "licensing",
        "tests",
        "docker-compose.yml",
    }
    assert named <= {entry.name for entry in ROOT.iterdir()}


def test_the_wheel_has_the_three_packages() -> None:
    assert PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == PACKAGES
    with_code = {file.relative_to(ROOT).parts[0] for file in tracked_files() if file.name == "__init__.py"}
    assert with_code - {"tests", "benchmarks"} == set(PACKAGES)


def test_the_wheel_carries_every_file_of_the_packages(tmp_path: Path) -> None:
    """Samples, migrations, jurisdictions, number tables and pages too."""
    built = run_python("-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path))
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = {str(file.relative_to(ROOT)) for file in tracked_files()}
    ours = {name for name in names if name.partition("/")[0] in PACKAGES}
    assert "licensing/numbers.json" in ours
    assert ours <= set(ZipFile(wheel).namelist())


# Written so that no pattern finds itself here.
FORBIDDEN = {
    "a path of somebody's machine": r"/(?:home|Users)/[a-z]|/roo[t]/|(?<![\w.])/wor[k]/",
    "a host of a registry": r"\b(?:pypi|npmjs|deb[.]debian)[.]org|pythonhosted[.]org|registry[.]npmjs",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KE[Y]-----",
    "a token of a service": r"\b(?:gh[opsu]_[A-Za-z0-9]{30}|AKIA[A-Z0-9]{16}|xox[abp]-[0-9]{6}|glpat-\w{9})",
    "a secret": r"""(?ix) (?:secret|password|token|api_?key) ["']? \s* [=:] \s*
                    ["'] (?=[^"']*\d) [A-Za-z0-9+/_-]{24,} =* ["']""",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    assert list(findings(pattern)) == []


def findings(pattern: re.Pattern[str]) -> Iterator[str]:
    for file in tracked_files():
        text = file.read_bytes().decode("utf-8", errors="ignore")
        for found in pattern.finditer(text):
            yield f"{file.relative_to(ROOT)}:{text.count(chr(10), 0, found.start()) + 1}: {found[0]}"


# --- pyproject.toml ------------------------------------------------------------------------------------


def test_every_dependency_has_its_reason() -> None:
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    dependencies = [line for line in lines if re.match(r'    "[a-z0-9-]+(\[[a-z]+\])?[><=~;]', line)]
    assert len(dependencies) == len(declared())
    assert [line for line in dependencies if not re.search(r'",\s+# \S', line)] == []


def declared() -> list[str]:
    project, groups = PROJECT["project"], PROJECT["dependency-groups"]
    extras = (*project["optional-dependencies"].values(), *groups.values())
    return [*project["dependencies"], *(text for extra in extras for text in extra)]


def test_warnings_are_errors_but_for_those_that_are_named() -> None:
    """A named one says which message or which module of somebody else's it lets pass."""
    strict, *named = PROJECT["tool"]["pytest"]["ini_options"]["filterwarnings"]
    assert strict == "error"
    for text in named:
        action, message, category, module = (*text.split(":"), "", "", "")[:4]
        assert action in ("ignore", "default"), text
        assert category, text
        assert message or module, text
        assert module.partition(".")[0] not in PACKAGES, text
