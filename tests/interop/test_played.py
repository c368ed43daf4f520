"""What the page says of peers is what the tests play, with the versions that are here."""

import re
import subprocess
from pathlib import Path
from shutil import which

import pytest

from tests.interop.played import PAGE, VERSIONS, Peer, with_table

COMMANDS = {
    Peer.SIPP: ("sipp", "-v"),
    Peer.KAMAILIO: ("kamailio", "-v"),
    Peer.BARESIP: ("baresip", "-h"),
    Peer.LINPHONE: ("linphonec", "--version"),
}


def test_the_page_has_the_table_of_the_tests() -> None:
    """If this fails, run python -m tests.interop.played."""
    assert PAGE.read_text() == with_table(PAGE.read_text())


@pytest.mark.parametrize("peer", Peer)
def test_a_peer_has_the_version_of_the_page(peer: Peer) -> None:
    """On Debian 12, whose packages the page names; another system has its own."""
    name, *arguments = COMMANDS[peer]
    program = which(name, path="/usr/bin:/usr/sbin:/usr/local/bin")
    assert program, f"{name} is not installed: scripts/packages.txt"
    said = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    found = re.search(r"[0-9]+\.[0-9]+\.[0-9]+", said.stdout + said.stderr)
    assert found
    system = Path("/etc/os-release").read_text()
    assert found[0] == VERSIONS[peer] or 'VERSION_ID="12"' not in system
