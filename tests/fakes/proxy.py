"""A TCP proxy that a test can cut, for connections that break in the middle of a call."""

import asyncio
from types import TracebackType
from typing import Self


class Proxy:
    """Passes bytes between whoever connects to `port` and one server on the loopback."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._let_in = True
        self.port = 0

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._listener is not None
        self._listener.close()
        self.cut()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._listener.wait_closed()

    def cut(self) -> None:
        """Reset every connection that passes through now."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def shut(self) -> None:
        """Cut, and let nobody in until `open`."""
        self._let_in = False
        self.cut()

    def open(self) -> None:
        """Let them in again."""
        self._let_in = True

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._let_in:
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._server_port)
        except OSError:  # the server is down, and so is the way to it
            writer.transport.abort()
            return
        if not self._let_in:
            writer.transport.abort()
            back.transport.abort()
            return
        self._writers |= {writer, back}
        for source, target in ((reader, back), (there, writer)):
            task = asyncio.create_task(pass_on(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until either end is gone; the other is closed then."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()
