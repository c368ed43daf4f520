"""What the media tests share: two voices, and what is left over when a test is done."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

import wephone
from wephone.media.audio import Samples
from wephone.media.files import read_wav

SAMPLES = Path(wephone.__file__).parent / "samples"


@pytest.fixture(scope="session")
def alice() -> Samples:
    """4.4 s of Alice."""
    return read_wav(SAMPLES / "alice.wav")


@pytest.fixture(scope="session")
def bob() -> Samples:
    """4.5 s of Bob: other words, another voice."""
    return read_wav(SAMPLES / "bob.wav")


def open_sockets() -> int:
    """How many sockets this process holds."""
    count = 0
    for entry in Path("/proc/self/fd").iterdir():
        try:
            count += entry.readlink().name.startswith("socket:")
        except FileNotFoundError:
            pass  # the descriptor of this very listing
    return count


@pytest.fixture
async def nothing_left() -> AsyncIterator[None]:
    """Fails the test if it leaves tasks, sockets or threads of calls behind."""
    sockets, threads = open_sockets(), decoders()
    yield
    for _ in range(100):  # a transport closes its socket in the loop's next turn
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        if not tasks and open_sockets() <= sockets:
            break
        await asyncio.sleep(0)
    assert tasks == []
    assert open_sockets() <= sockets
    assert decoders() <= threads


def decoders() -> int:
    """How many of aiortc's decoder threads run."""
    return sum(thread.name.endswith("-decoder") for thread in threading.enumerate())


@pytest.fixture
def silent_server() -> Iterator[int]:
    """The port of a server that never says a word."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        yield server.getsockname()[1]
