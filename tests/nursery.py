"""Where the processes of tests' servers come from: they are forked off one that has loaded their modules.

A server starts a process that writes its database and, with trunks, one for its media; to load their modules
costs each of them more than most tests do otherwise. What comes from here runs the same `main` with the same
arguments, environment and open files. A test that is about such a process as a program of its own, e.g. how
it dies and has a successor, asks for `real_processes`.
"""

import gc
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from io import BufferedWriter, FileIO
from pathlib import Path
from typing import Any, NoReturn

from signaling import child

LARGEST = 256 * 1024  # bytes of a request: all of an environment
MOST_FILES = 5  # that go with a request
FROM_HERE = ("signaling.store.writer", "signaling.pstn.media")
INTERPRETER = sys.executable  # a test may name another, that stands between it and the kernel

start_real_child = child.start_child


class Forked:
    """What a server knows of its process, as of `subprocess.Popen`."""

    def __init__(self, status: socket.socket, stdin: BufferedWriter | None) -> None:
        self.stdin = stdin
        self.returncode: int | None = None
        self._status = status
        self.pid = int(status.recv(64))

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            self._status.settimeout(timeout)
            try:
                self.returncode = int(self._status.recv(64))
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired("a forked process", timeout or 0) from None
            self._status.close()
        return self.returncode

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


class Nursery:
    """Our end of the process that forks."""

    def __init__(self) -> None:
        self._end, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = start_real_child("tests.nursery", theirs)

    def start(self, module: str, end: socket.socket, arguments: Sequence[str], stdin: int) -> Forked:
        request = {
            "module": module,
            "arguments": list(arguments),
            "folder": str(Path.cwd()),
            "environment": dict(os.environ),
        }
        writing = None
        if stdin == subprocess.PIPE:
            reads, writes = os.pipe()
            writing = os.fdopen(writes, "wb")
        else:
            reads = os.open(os.devnull, os.O_RDONLY)
        status, told = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with told, FileIO(reads):
            given = [told.fileno(), end.fileno(), reads, 1, 2]
            socket.send_fds(self._end, [json.dumps(request).encode()], given)
        return Forked(status, writing)

    def close(self) -> None:
        self._end.close()
        self._process.wait()


class Starting:
    """In the place of `signaling.child.start_child`."""

    def __init__(self) -> None:
        self.real = False  # does a test want processes that nobody has loaded anything for?
        self._nursery: Nursery | None = None

    def __call__(
        self,
        module: str,
        end: socket.socket,
        arguments: Sequence[str] = (),
        *,
        stdin: int = subprocess.DEVNULL,
    ) -> Any:
        if self.real or module not in FROM_HERE or sys.executable != INTERPRETER:
            return start_real_child(module, end, arguments, stdin=stdin)
        if self._nursery is None:
            self._nursery = Nursery()
        return self._nursery.start(module, end, arguments, stdin)

    def close(self) -> None:
        if self._nursery is not None:
            self._nursery.close()
            self._nursery = None

    @contextmanager
    def all_real(self) -> Iterator[None]:
        """None is forked meanwhile."""
        before, self.real = self.real, True
        try:
            yield
        finally:
            self.real = before


# In the nursery


Main = Callable[[int, list[str]], int | None]  # an open socket, and the other arguments


def loaded() -> dict[str, Main]:
    """What the processes run, by module, with all that they need in memory."""
    import alembic.command  # all of this here alone: the tests' own process starts without it
    import alembic.config

    from signaling.pstn.media import __main__ as media
    from signaling.store import compiled, writer

    assert alembic
    texts = cache(compiled.sqlite_texts)
    texts()
    vars(writer)["sqlite_texts"] = texts
    return {
        "signaling.store.writer": lambda end, given: writer.main(end, Path(given[0]), int(given[1])),
        "signaling.pstn.media": lambda end, given: media.main(end),
    }


def become(mains: dict[str, Main], request: dict[str, Any], end: int, files: list[int]) -> NoReturn:
    """In the child: what was asked for, with nothing of the nursery's open."""
    code = 1
    try:
        for number, file in enumerate(files):
            os.dup2(file, number)
        os.closerange(3, end)
        os.closerange(end + 1, os.sysconf("SC_OPEN_MAX"))
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["environment"])
        code = mains[request["module"]](end, request["arguments"]) or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # past what is the nursery's to clean up


def serve(end: socket.socket, mains: dict[str, Main]) -> None:
    """Fork until the tests close their end; tell of each child its number, and then how it ended."""
    waiting = selectors.DefaultSelector()
    waiting.register(end, selectors.EVENT_READ)
    while True:
        for key, _ in waiting.select():
            if key.fileobj is not end:
                waiting.unregister(key.fd)
                tell_end(key.fd, *key.data)
                continue
            said, given, _, _ = socket.recv_fds(end, LARGEST, MOST_FILES)
            if not said:
                return
            status, theirs, *files = given
            pid = os.fork()
            if pid == 0:
                become(mains, json.loads(said), theirs, files)
            for file in (theirs, *files):
                os.close(file)
            told = socket.socket(fileno=status)
            told.send(b"%d" % pid)
            waiting.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, told))


def tell_end(file: int, pid: int, told: socket.socket) -> None:
    os.close(file)
    _, status = os.waitpid(pid, 0)
    with told, suppress(ConnectionError):  # nobody waits for it any more
        told.send(b"%d" % os.waitstatus_to_exitcode(status))


def main(descriptor: int) -> None:
    """The process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the tests end it
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # whoever forks has no other thread
    mains = loaded()
    gc.collect()
    gc.freeze()  # a collection in a child would write to, and so copy, all that it shares
    with socket.socket(fileno=descriptor) as end:
        serve(end, mains)


if __name__ == "__main__":
    main(int(sys.argv[1]))
