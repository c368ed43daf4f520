"""A line to Janus: requests over one WebSocket, each with its answer, and what Janus says by itself."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, ClientWSTimeout, WSMsgType

from signaling.media import MediaError, Problem
from signaling.pstn.media.nosip import Said

ANSWERS_S = 5.0  # seconds for any answer
LARGEST = 1 << 20  # bytes of a message
GONE = (458, 459)  # no such session, no such handle: Janus has ended it
SEALED = 403  # a wrong secret

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JanusPlace:
    """Where Janus is, as the server reaches it, and the secret that opens both of its interfaces."""

    url: str = "ws://127.0.0.1:8188"
    admin_url: str = "ws://127.0.0.1:7188"  # for figures
    secret: str = field(default="", repr=False)
    told: str | None = None  # the address that trunks hear of, if another than Janus has


class Line:
    """One interface of Janus: `janus` carries calls, `admin` tells of them."""

    def __init__(
        self, socket: ClientWebSocketResponse, kind: Literal["janus", "admin"], place: JanusPlace
    ) -> None:
        self._socket = socket
        self._sealed = {"apisecret" if kind == "janus" else "admin_secret": place.secret}
        self._waiting: dict[str, asyncio.Future[Said]] = {}
        self.heard_from = False  # has anything come since somebody looked?

    async def ask(self, request: Said) -> Said:
        """The answer. MediaError: Janus refuses, does not answer, or is gone."""
        transaction = secrets.token_hex(12)
        future: asyncio.Future[Said] = asyncio.get_running_loop().create_future()
        self._waiting[transaction] = future
        try:
            await self._send({**request, "transaction": transaction})
            async with asyncio.timeout(ANSWERS_S):
                return await future
        except TimeoutError:
            raise MediaError(Problem.DOWN, "Janus does not answer") from None
        finally:
            self._waiting.pop(transaction, None)

    async def order(self, request: Said) -> None:
        """The same, without waiting for what comes of it."""
        await self._send({**request, "transaction": secrets.token_hex(12)})

    async def _send(self, request: Said) -> None:
        try:
            await self._socket.send_json({**request, **self._sealed})
        except ConnectionError:
            raise MediaError(Problem.DOWN, "Janus is gone") from None

    async def listen(self, happened: Callable[[Said], None]) -> None:
        """Until it is closed; whoever waits for an answer then learns that there is none."""
        try:
            async for message in self._socket:
                if message.type is not WSMsgType.TEXT:
                    break
                self.heard_from = True
                self._take(message.json(), happened)
        except (ClientError, ValueError) as error:  # ValueError: what came is no JSON
            log.error("Janus said what cannot be read: %s", error)
        finally:
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(MediaError(Problem.DOWN, "Janus is gone"))
            self._waiting.clear()

    def _take(self, said: Said, happened: Callable[[Said], None]) -> None:
        kind = said.get("janus")
        if kind == "ack":
            return  # the answer follows, or none is waited for
        future = self._waiting.get(str(said.get("transaction")))
        if future is None or future.done():
            happened(said)
        elif kind == "error":
            future.set_exception(_refusal(said["error"]))
        else:
            future.set_result(said)

    async def close(self) -> None:
        """With it Janus ends every session that was begun over it."""
        await self._socket.close()


def _refusal(error: Said) -> MediaError:
    code, words = int(error["code"]), str(error["reason"])[:200]
    if code in GONE:
        return MediaError(Problem.UNKNOWN_LEG, f"Janus: {words}")
    if code == SEALED:
        return MediaError(Problem.DOWN, "Janus does not accept the secret that it is told")
    return MediaError(Problem.BAD_DESCRIPTION, f"Janus: {words}")


@contextlib.asynccontextmanager
async def open_line(
    http: ClientSession, place: JanusPlace, kind: Literal["janus", "admin"]
) -> AsyncIterator[Line]:
    """Closed after the block; MediaError if nobody is there."""
    url = place.url if kind == "janus" else place.admin_url
    protocol = "janus-protocol" if kind == "janus" else "janus-admin-protocol"
    timeout = ClientWSTimeout(ws_close=1.0)
    try:
        socket = await http.ws_connect(url, protocols=(protocol,), timeout=timeout, max_msg_size=LARGEST)
    except (ClientError, OSError, TimeoutError) as error:
        why = str(error) or type(error).__name__
        raise MediaError(Problem.DOWN, f"Janus cannot be reached at {url}: {why}") from None
    line = Line(socket, kind, place)
    try:
        yield line
    finally:
        await line.close()
