"""`wephone serve` in a process that may die at any moment, and is started again on the same data and port."""

import asyncio
import json
import os
import random
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from signaling.settings import Settings
from wephone.cli import operating
from wephone.cli.operating import Refused
from wephone.cli.output import Failure
from wephone.errors import ServerUnreachable
from wephone.transport import Server

T = TypeVar("T")

AGAIN = 0.02  # seconds between attempts to reach a server that is being started
PORTS = range(15_000, 32_000)  # below those that the kernel gives to whoever connects (ip_local_port_range)


class MortalServer:
    """In a context: it serves, and whenever it has been killed another one takes its place."""

    def __init__(
        self, home: Path, database: str | None = None, before: Sequence[str] = (), cut_at: int = 0
    ) -> None:
        """`before`: what stands before the command of the first server alone, as of `strace.kill_at`.

        `cut_at`: the power fails when the clients have said and heard so many frames.
        """
        self.home, self.database = home, database
        self._frames, self._cut_at = 0, cut_at
        self.url = f"http://127.0.0.1:{free_port()}"
        self.deaths = 0
        self._before = list(before)
        self._servers = 0
        self._process: Process | None = None
        self._stopping = False

    async def __aenter__(self) -> Self:
        self.home.mkdir()
        self._keeper = asyncio.create_task(self._keep())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._keeper.cancel()
        await asyncio.wait([self._keeper])
        if self._process is not None and self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    # Its life

    async def _keep(self) -> None:
        """Start one, and the next when that has ended; an end with an error is ours to see."""
        while True:
            self._servers += 1
            self._process = await self._start()
            self._before = []
            code = await self._process.wait()
            assert code in (0, -signal.SIGKILL), self.log()
            if code == 0 and self._stopping:
                return
            self.deaths += 1

    async def _start(self) -> Process:
        out = self.home / f"out-{self._servers}"
        with out.open("wb") as said, (self.home / f"log-{self._servers}").open("wb") as log:
            return await asyncio.create_subprocess_exec(
                *self._before,
                *(sys.executable, "-W", "error", "-m", "wephone.cli.main", "serve"),
                stdin=DEVNULL,
                stdout=said,
                stderr=log,
                start_new_session=True,  # its process group: itself and its writer
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": str(self.home),
                    "PYTHONUTF8": "1",
                    "WEPHONE_DATA": str(self.data),
                    "WEPHONE_LISTEN": self.url.removeprefix("http://"),
                    "WEPHONE_OPERATOR_LISTEN": "127.0.0.1:0",
                    "WEPHONE_DRAIN": "0.2",
                    **({} if self.database is None else {"WEPHONE_DATABASE": self.database}),
                },
            )

    def log(self) -> str:
        """What the servers wrote."""
        return "\n".join(path.read_text() for path in sorted(self.home.glob("log-*")))

    @property
    def data(self) -> Path:
        return self.home / "data"

    def cut_power(self) -> None:
        """SIGKILL to it and its writer at once; another one starts."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)

    def count(self, kind: str, what: object) -> None:
        """The trace of a client: where it is in what it says and hears."""
        self._frames += 1
        if self._frames == self._cut_at:
            self.cut_power()

    async def killed(self, by: signal.Signals = signal.SIGKILL) -> None:
        """The server alone, not its writer; returns when another one has taken its place and is ready."""
        ready, server = await self.ready(), self._servers
        os.kill(ready["pid"], by)
        await self._end_of(server)
        await self.ready()

    async def stopped(self) -> None:
        """By SIGTERM, until no server is left. One that is killed while it stops has a successor."""
        self._stopping = True
        while not self._keeper.done():
            ready = await self.ready()
            with suppress(ProcessLookupError):  # killed meanwhile
                os.kill(ready["pid"], signal.SIGTERM)
            await self._end_of(self._servers)
        self._keeper.result()

    async def _end_of(self, server: int) -> None:
        await self.until(lambda: self._servers > server or self._keeper.done())

    async def ready(self) -> dict[str, Any]:
        """What the present server said when it was ready."""
        await self.until(lambda: self._said() is not None)
        return self._said() or {}

    def _said(self) -> dict[str, Any] | None:
        out = self.home / f"out-{self._servers}"
        for line in (out.read_text() if out.exists() else "").splitlines(keepends=True):
            if line.startswith("ready ") and line.endswith("\n"):
                found: dict[str, Any] = json.loads(line.removeprefix("ready "))
                return found
        return None

    async def until(self, so: Callable[[], bool]) -> None:
        """Wait for something that nobody tells; what has ended the servers is raised."""
        while not so():
            await self._a_moment()

    async def _a_moment(self) -> None:
        if self._keeper.done():
            self._keeper.result()
            raise AssertionError("no server is left")
        await asyncio.sleep(AGAIN)

    # What is asked of it

    async def reached(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it, and as often again as there is no server to do it."""
        while True:
            try:
                return await work()
            except ServerUnreachable:
                await self._a_moment()

    async def door(self, work: Callable[[Server], Awaitable[T]]) -> T:
        """One request to its HTTP interface."""
        async with Server(self.url) as door:
            return await self.reached(lambda: work(door))

    async def operate(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """A request of the operator on this machine."""
        settings = Settings(data=self.data)

        async def request() -> dict[str, Any]:
            try:
                async with operating.on_this_machine(settings, "operator") as api:
                    return await api.request(method, path, body)
            except Refused:
                raise
            except (Failure, OSError) as error:
                raise ServerUnreachable(str(error)) from None

        return await self.reached(request)


def free_port() -> int:
    """A port that nobody listens at, and that nobody gets by connecting while the server is away."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
