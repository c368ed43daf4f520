"""A process that the kernel kills, or refuses something, at an exact system call: strace(1) does it."""

import shlex
import shutil
import sys
from pathlib import Path

NOT_INSTALLED = "strace is not installed: apt-get install -y --no-install-recommends strace"

# What can be seen outside of a process, in a file or at the other end of a socket.
WRITES = "write,writev,pwrite64,pwritev,ftruncate,fsync,fdatasync,rename,unlink,sendto,sendmsg"


def kill_at(nth: int, calls: str = WRITES, *, threads: bool = False) -> list[str]:
    """Arguments before a program's: SIGKILL before its nth such call.

    Without `threads` only the main one counts, and children are left alone; with it each thread and child
    counts for itself.
    """
    program, *arguments = inject(f"{calls}:signal=KILL:when={nth}")
    return [program, *(["-f"] if threads else []), *arguments]


def refuse(call: str, error: str, when: str) -> list[str]:
    """Arguments before a program's: the call fails with `error` (ENOSPC ...). `when`: 5, 5+ or 5..20."""
    return inject(f"{call}:error={error}:when={when}")


def inject(what: str) -> list[str]:
    strace = shutil.which("strace")
    if strace is None:
        raise RuntimeError(NOT_INSTALLED)
    calls = what.partition(":")[0]
    return [strace, "-qqq", "-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={what}"]


def interpreter(folder: Path, before: list[str]) -> str:
    """A program to use as `sys.executable`: this interpreter, started by what stands before it."""
    program = folder / "python-that-fails"
    program.write_text(f'#!/bin/sh\nexec {shlex.join([*before, sys.executable])} "$@"\n')
    program.chmod(0o755)
    return str(program)
