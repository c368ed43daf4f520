"""What the page says of peers is what the tests play, with the versions that are here."""

from pathlib import Path

import pytest

from tests.interop.played import PAGE, VERSIONS, Peer, with_table
from tests.interop.table import version


def test_the_page_has_the_table_of_the_tests() -> None:
    """If this fails, run python -m tests.interop.played."""
    assert PAGE.read_text() == with_table(PAGE.read_text())


@pytest.mark.parametrize("peer", Peer)
def test_a_peer_has_the_version_of_the_page(peer: Peer) -> None:
    """On Debian 12, whose packages the page names; another system has its own."""
    system = Path("/etc/os-release").read_text()
    assert version(peer) == VERSIONS[peer] or 'VERSION_ID="12"' not in system
