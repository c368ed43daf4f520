"""The processes that are measured, and what each costs with its children as the kernel counts it: proc(5)."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of the process and all its living descendants, all threads."""
    return sum(_ticks(each) for each in (pid, *descendants(pid))) / TICK


def own_cpu_seconds(pid: int) -> float:
    """The same of the process alone."""
    return _ticks(pid) / TICK


def descendants(pid: int) -> list[int]:
    """Children, their children, and so on."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    found = [int(child) for child in children]
    return found + [below for child in found for below in descendants(child)]


def resident_bytes(pid: int) -> int:
    """Memory of the process alone that is in RAM now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@contextlib.contextmanager
def served(folder: Path, program: str = "wephone.cli.main") -> Iterator[dict[str, Any]]:
    """`wephone serve` on free ports with its data in `folder`: what its ready line says."""
    settings = {
        "WEPHONE_DATA": str(folder),
        "WEPHONE_LISTEN": "127.0.0.1:0",
        "WEPHONE_OPERATOR_LISTEN": "127.0.0.1:0",
        "WEPHONE_LIMITS": "false",  # the load is one machine's, and far above what one caller may do
    }
    command = [sys.executable, "-m", program, "serve"]
    with (folder / "log").open("wb") as log, started(command, settings, log) as process:
        yield ready_line(process)


@contextlib.contextmanager
def relayed(*options: str) -> Iterator[tuple[int, str]]:
    """A relay of `relay.py`: its process id and its URL."""
    with started([sys.executable, "-m", "benchmarks.relay", *options]) as process:
        assert process.stdout is not None
        port = process.stdout.readline().decode().strip()
        yield process.pid, f"http://127.0.0.1:{port}/"


@contextlib.contextmanager
def started(
    command: list[str],
    settings: dict[str, str] | None = None,
    log: BinaryIO | None = None,
    *,
    stdin: bool = False,
) -> "Iterator[subprocess.Popen[bytes]]":
    """A process of this environment, ended with the block; `stdin`: it is told what to do."""
    environment = {**os.environ, **(settings or {})}
    pipe = subprocess.PIPE if stdin else None
    process = subprocess.Popen(command, env=environment, stdin=pipe, stdout=subprocess.PIPE, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def ready_line(process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    """What `wephone serve` says when it is ready."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(b"ready "):
            ready: dict[str, Any] = json.loads(line.removeprefix(b"ready "))
            return ready
    raise RuntimeError("the server ended before it was ready")
