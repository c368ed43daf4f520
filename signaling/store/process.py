"""The server's end of the writer process: commands go there, and come back when they are on the disk."""

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from signaling.child import start_child
from signaling.ports.store import IdTakenError, StoreError
from signaling.store.frames import DONE, READY, TAKEN, UNWRITTEN, Unpacker, packed

MOST_WAITING = 20_000  # commands: a disk that is this far behind will not catch up in time for a call
LAST_COMMITS_S = 30.0  # how long the writer may take to finish when the server stops


class WriterProcess(asyncio.Protocol):
    """One process that writes one file, and the commands that it has not answered yet."""

    def __init__(self, path: Path, wrote: Callable[[str | None], None], ended: Callable[[], None]) -> None:
        """`wrote` is told after each commit why it failed, if it did; `ended` that the process died."""
        self._path = path
        self._wrote = wrote
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._number = READY
        self._outgoing: list[bytes] = []
        self._unpacker = Unpacker()
        self._ready = False
        self._closing = False
        self._died = False
        self._gone: asyncio.Future[None] = self._loop.create_future()

    async def start(self) -> None:
        """Until it is ready. StoreError in one line if it cannot open or lock the file."""
        ours, theirs = socket.socketpair()
        with theirs:
            arguments = (str(self._path), str(os.getpid()))
            self._process = start_child("signaling.store.writer", theirs, arguments)
        ready = self._waiting[READY] = self._loop.create_future()
        try:
            self._transport, _ = await self._loop.create_unix_connection(lambda: self, sock=ours)
        except BaseException:
            ours.close()  # by which it ends
            await asyncio.to_thread(self._process.wait)
            raise
        try:
            await ready
        except BaseException:
            await self.close()
            raise
        self._ready = True

    def write(self, command: str, arguments: tuple[object, ...]) -> "asyncio.Future[Any]":
        """Send the command with all others of this turn of the loop."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if self._closing or self._gone.done() or len(self._waiting) >= MOST_WAITING:
            future.set_exception(StoreError(self._refusal()))
            return future
        self._number += 1
        frame = packed((self._number, command, arguments))
        self._waiting[self._number] = future
        if not self._outgoing:
            self._loop.call_soon(self._send)
        self._outgoing.append(frame)
        return future

    def _refusal(self) -> str:
        if self._died:
            return f"the process that writes {self._path} has ended"
        if self._closing:
            return f"the database {self._path} is closed"
        return f"the disk of {self._path} is {len(self._waiting)} commands behind"

    def _send(self) -> None:
        if self._outgoing:
            self._transport.write(b"".join(self._outgoing))
            self._outgoing.clear()

    def data_received(self, data: bytes) -> None:
        for replies in self._unpacker.feed(data):
            _, kind, answer = replies[0]
            self._wrote(answer if kind == UNWRITTEN else None)
            for number, kind, answer in replies:
                future = self._waiting.pop(number)
                if future.done():  # whoever asked has given up; the row is there all the same
                    continue
                if kind == DONE:
                    future.set_result(answer)
                else:
                    future.set_exception(IdTakenError(answer) if kind == TAKEN else StoreError(answer))

    def connection_lost(self, error: Exception | None) -> None:
        # Fail at once what waits: a telephone call is not made on a hope.
        self._died = not self._closing
        self._gone.set_result(None)
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(StoreError(self._refusal()))
        self._waiting.clear()
        if self._ready and self._died:
            self._ended()

    async def close(self) -> None:
        """Let it commit what it was sent, and wait for its end."""
        if not self._closing:
            self._send()
            self._closing = True
            if self._transport.can_write_eof() and not self._transport.is_closing():
                self._transport.write_eof()  # it answers what it has, then closes its end
        try:
            async with asyncio.timeout(LAST_COMMITS_S):
                await asyncio.shield(self._gone)
        except TimeoutError:
            self._process.kill()
            await self._gone
        self._transport.close()
        await asyncio.to_thread(self._process.wait)
