"""Debian's PostgreSQL, started for tests: an ordinary user, a Unix socket, no TCP, a folder of its own."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

NOT_INSTALLED = "PostgreSQL is not installed: apt-get install -y --no-install-recommends postgresql"
START_S = 30.0  # seconds for a first start on a busy machine
ROLE = "wephone"


def programs() -> Path:
    """The folder of the newest PostgreSQL's programs, which Debian keeps off the PATH."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int(path.parent.parent.name) if path.parent.parent.name.isdigit() else 0,
    )
    elsewhere = shutil.which("initdb")
    if not found and not elsewhere:
        raise RuntimeError(NOT_INSTALLED)
    return found[-1].parent if found else Path(str(elsewhere)).parent


class Postgres:
    """One cluster, in a context: started at entry, stopped and removed at exit."""

    def __init__(self, **settings: str) -> None:
        self._programs = programs()
        self._settings = {
            "listen_addresses": "",
            "shared_buffers": "16MB",
            "max_connections": "100",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "logging_collector": "off",
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.folder = Path()

    def __enter__(self) -> Self:
        # Not in pytest's folder: that is closed to others, and initdb refuses to run as root.
        self.folder = Path(tempfile.mkdtemp(prefix="wephone-postgres-"))
        owner = server_user()
        if owner is not None:
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        try:
            self.run(
                "initdb", "-D", "data", "-U", ROLE, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"
            )
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, settings: Mapping[str, str] | None = None) -> None:
        """Start the server and wait until it answers."""
        chosen = {**self._settings, **(settings or {}), "unix_socket_directories": str(self.folder)}
        options = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                # It ends with its parent, even if that is killed.
                ["setpriv", "--pdeathsig", "QUIT", self._programs / "postgres", "-D", "data", *options],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **as_user(),
            )
        deadline = time.monotonic() + START_S
        while self._call("pg_isready", "-q", "-h", str(self.folder)).returncode != 0:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{self.log()[-2000:]}")
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT in order, SIGQUIT without ceremony, SIGKILL as a crash would."""
        if self._process is None:
            return
        if how == signal.SIGKILL:
            os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.send_signal(how)
        self._process.wait(START_S)
        self._process = None

    def log(self) -> str:
        """What the server wrote."""
        return (self.folder / "log").read_text(errors="replace") if (self.folder / "log").exists() else ""

    def url(self, database: str, role: str = ROLE) -> str:
        """Where a client finds a database."""
        return f"postgresql:///{database}?host={self.folder}&user={role}"

    def sql(self, statement: str, database: str = "postgres", role: str = ROLE) -> str:
        """What a role, by default the superuser, gets from a statement: rows by line, columns by `|`."""
        return self.run(
            "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder), "-U", role,
            "-d", database, "-c", statement,
        )  # fmt: skip

    def run(self, program: str, *arguments: str) -> str:
        """One of PostgreSQL's own programs; what it printed."""
        done = self._call(program, *arguments)
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout.decode().strip()

    def _call(self, program: str, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            [self._programs / program, *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            # Clients stay who they are: to change that, Python forks all of itself instead of using vfork.
            **(as_user() if program == "initdb" else {}),
        )


def server_user() -> pwd.struct_passwd | None:
    """Whom the server runs as when we are root; none when we are not."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL cannot run as root, and there is neither a user `postgres` nor `nobody`")


def as_user() -> dict[str, Any]:
    user = server_user()
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
