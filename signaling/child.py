"""Processes of the server's own, that live as long as one end of a socket is open."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import signaling


def start_child(
    module: str, end: socket.socket, arguments: Sequence[str] = (), *, stdin: int = subprocess.DEVNULL
) -> "subprocess.Popen[bytes]":
    """Run this module of ours, with nothing of ours open but its end of the socket: its first argument."""
    packages = str(Path(signaling.__file__).parent.parent)
    inherited = os.environ.get("PYTHONPATH")
    environment = {**os.environ, "PYTHONPATH": packages + (os.pathsep + inherited if inherited else "")}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, str(end.fileno()), *arguments],
        pass_fds=[end.fileno()],
        stdin=stdin,
        env=environment,
    )
