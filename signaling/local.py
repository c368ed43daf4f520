"""The Unix socket in the data folder, by which commands on this machine reach the running server."""

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST = 100  # bytes: sun_path takes 107 (unix(7))


@contextmanager
def reachable(path: Path) -> Iterator[str]:
    """The socket's address, also where the folder's path is longer than an address may be (proc(5))."""
    if len(os.fsencode(path)) <= LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def listening(path: Path, backlog: int) -> socket.socket:
    """A socket at the path that only our own user can open; one that is left over is removed. OSError."""
    try:
        if stat.S_ISSOCK(path.lstat().st_mode):
            path.unlink()
    except FileNotFoundError:
        pass
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Bound under a mask: between bind and chmod nobody else may connect.
    before = os.umask(0o177)
    try:
        with reachable(path) as address:
            made.bind(address)
    except OSError:
        made.close()
        raise
    finally:
        os.umask(before)
    made.listen(backlog)
    made.setblocking(False)
    return made
