"""Options that all tests share: the size of the run and its seed."""

import gc
import os
import random
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from signaling import child
from tests import once
from tests.nursery import Starting

# Now, before anything of a server is loaded that names it.
STARTING = child.start_child = Starting()

# While modules are loaded and tests collected there is no garbage to speak of, and much to look at in vain.
gc.disable()

# How quickly examples are made is the machine's affair, which may be busy.
EVERY: dict[str, Any] = {
    "deadline": None,
    "print_blob": True,
    "suppress_health_check": [HealthCheck.too_slow],
}
settings.register_profile("fast", **EVERY)
settings.register_profile("long", max_examples=5_000, **EVERY)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--long",
        action="store_true",
        default=os.environ.get("WEPHONE_LONG", "0") not in ("", "0"),
        help="run at full size, and the tests marked long too (also: WEPHONE_LONG=1)",
    )
    parser.addoption(
        "--seed",
        type=int,
        default=int(os.environ.get("WEPHONE_SEED") or random.SystemRandom().randrange(2**32)),
        help="repeat a run by the seed that it printed (also: WEPHONE_SEED=N)",
    )


@pytest.hookimpl(tryfirst=True)  # before Hypothesis reads its own options
def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts what it puts in the background so, and every program started here would inherit it:
        # the softphones that a test interrupts would talk on.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ["WEPHONE_SEED"] = str(config.getoption("--seed"))  # for the workers, if there are some
    settings.load_profile("long" if config.getoption("--long") else "fast")
    config.option.hypothesis_seed = str(config.getoption("--seed"))


def pytest_report_header(config: pytest.Config) -> str:
    return describe(config)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.write_line(describe(config))  # again: whoever sees a failure sees the end of the output


def describe(config: pytest.Config) -> str:
    size = "full size (--long)" if config.getoption("--long") else "the fast tier"
    return f"wephone: {size}, repeat with --seed {config.getoption('--seed')}"


# Rooms whose files take longest: they begin first, so that no worker is alone with one of them at the end.
SLOW = ("tests/killed", "tests/web", "tests/signaling/store", "tests/cli")


def slowness(item: pytest.Item) -> int:
    room = item.path.relative_to(item.config.rootpath).as_posix()
    return next((rank for rank, slow in enumerate(SLOW) if room.startswith(slow)), len(SLOW))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=slowness)
    if config.getoption("--long"):
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """What is there now stays: from here on the collector looks at what the tests make alone."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def full_size(pytestconfig: pytest.Config) -> bool:
    """Is this the long run? Tests with a size ask, and state both sizes."""
    return bool(pytestconfig.getoption("--long"))


@pytest.fixture
def dice(pytestconfig: pytest.Config, request: pytest.FixtureRequest) -> random.Random:
    """Randomness of one test: the same for the same seed, whichever other tests run."""
    return random.Random(f"{pytestconfig.getoption('--seed')} {request.node.nodeid}")


@pytest.fixture(scope="session", autouse=True)
def made_once() -> Iterator[Any]:
    """All servers of this process share what they would make alike. What hashes passwords in earnest."""
    with pytest.MonkeyPatch.context() as patch:
        yield once.share(patch.setattr)
    STARTING.close()


@pytest.fixture(scope="module")
def real_processes() -> Iterator[None]:
    """Servers start their processes as programs of their own, as they do outside of tests."""
    with STARTING.all_real():
        yield
