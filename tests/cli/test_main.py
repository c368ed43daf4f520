"""What the command says of itself, and to who mistypes it."""

import subprocess
import sys

import pytest

from tests.cli.conftest import Commands
from wephone.cli.main import COMMANDS


async def test_help_lists_every_command(commands: Commands) -> None:
    done = await commands.run("--help")
    assert done.code == 0
    for command, summary in COMMANDS.items():
        assert command in done.out and summary in done.out


@pytest.mark.parametrize(("typed", "meant"), [("cal", "call"), ("listn", "listen"), ("audt", "audit")])
async def test_a_mistyped_command_is_told_the_nearest_one(commands: Commands, typed: str, meant: str) -> None:
    done = await commands.run(typed, "bob")
    assert done.code == 2
    assert f"there is no command `{typed}`: did you mean `{meant}`?" in done.err


async def test_a_command_that_is_like_no_other_is_told_all_there_are(commands: Commands) -> None:
    done = await commands.run("zzz")
    assert done.code == 2
    assert "serve, demo, call" in done.err


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("permit", "suspnd", "basic-1"), "there is no action `suspnd`: did you mean `suspend`?"),
        (("user", "lst"), "there is no action `lst`: did you mean `list`?"),
        (("user", "zzz"), "there is no action `zzz`: there are add, list, disable, enable,"),
        (("pstn", "of"), "there is no state `of`: did you mean `off`?"),
    ],
)
async def test_a_mistyped_action_is_told_the_nearest_one(
    commands: Commands, typed: tuple[str, ...], told: str
) -> None:
    done = await commands.run(*typed)
    assert (done.code, done.out) == (2, "")
    assert told in done.err


async def test_no_command_at_all_is_wrong_usage(commands: Commands) -> None:
    done = await commands.run()
    assert (done.code, done.out) == (2, "")


async def test_the_version_is_the_packages(commands: Commands) -> None:
    from importlib.metadata import version

    assert (await commands.run("--version")).out == f"wephone {version('wephone')}\n"


@pytest.mark.parametrize("code", ["import wephone", "import wephone.cli.main"])
def test_what_is_imported_first_loads_nothing_heavy(code: str) -> None:
    check = f"{code}; import sys; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    heavy = {"aiohttp", "aiortc", "asyncio", "av", "numpy", "pydantic", "sqlalchemy", "ssl"}
    assert not heavy & set(loaded.stdout.split())


def test_the_client_loads_no_media_until_there_is_a_call() -> None:
    check = "import sys; from wephone import Client; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert not {"aiortc", "aioice", "av", "numpy", "scipy"} & set(loaded.stdout.split())


def test_a_name_that_the_package_does_not_have_is_named() -> None:
    import wephone

    with pytest.raises(AttributeError, match="no attribute `Cleint`"):
        _ = wephone.Cleint
    assert set(dir(wephone)) >= {"Client", "CallRefused", "events"}
