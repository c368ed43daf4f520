"""The pytest plugin: `wephone`, a fixture that has a server and as many headless peers as a test asks for.

async def test_they_talk(wephone):
    alice, bob = await wephone.peers("alice", "bob")
    call = await alice.call(bob)
    await call.hangup()

Nothing of WePhone is loaded until a test asks for the fixture. Works with pytest-asyncio, in both its modes.
"""

from collections.abc import AsyncIterator, Callable, Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from wephone.testing.kit import Kit

TITLE = "wephone: what happened to whom"


def async_fixture(function: Callable[..., AsyncIterator[Any]]) -> Any:
    """pytest-asyncio's, or one that says how to get it: the plugin may be loaded where the extra is not."""
    try:
        from pytest_asyncio import fixture
    except ImportError:

        def missing() -> None:
            pytest.fail("the fixture `wephone` needs pytest-asyncio: pip install 'wephone[test]'")

        return pytest.fixture(missing, name=function.__name__)
    return fixture(function)


@pytest.fixture
def wephone_settings() -> dict[str, Any]:
    """Settings of the server under test, by name; a test or a conftest.py may override this fixture."""
    return {}


async def wephone(request: pytest.FixtureRequest, wephone_settings: dict[str, Any]) -> AsyncIterator["Kit"]:
    """A server, peers, permits and a clock under the test's hand; started when first asked for."""
    from wephone.testing.kit import Kit

    async with Kit(wephone_settings) as kit:
        request.node.stash[TIMELINE] = kit.timeline
        yield kit


TIMELINE = pytest.StashKey[Any]()
wephone = async_fixture(wephone)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: "pytest.CallInfo[None]"
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under a test that failed, what all its parties sent, received and were told."""
    report = yield
    if report.failed and (timeline := str(item.stash.get(TIMELINE, ""))):
        report.sections.append((TITLE, timeline))
    return report
