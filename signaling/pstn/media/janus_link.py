"""Janus while it can be reached: kept awake, watched, and connected to anew whenever it is gone."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from itertools import chain, repeat

from aiohttp import ClientSession

from signaling.media import MediaError
from signaling.pstn.media import nosip
from signaling.pstn.media.janus_line import JanusPlace, Line, open_line
from signaling.pstn.media.nosip import Said

PINGS_S = 1.0  # seconds between two looks at whether Janus has said anything
MOST_MISSED = 5  # looks in vain, one after the other, after which it counts as gone
KEEPS = 2  # looks between two signs of life for what carries nothing
AGAIN_S = (0.1, 0.5, 2.0, 5.0)  # seconds until it is tried again, the first time, the second ...
DIED = "Janus is gone"

log = logging.getLogger(__name__)


class Reached:
    """Janus while it can be reached: its lines, and the port there that nobody reads."""

    def __init__(self, calls: Line, admin: Line) -> None:
        self.calls, self.admin = calls, admin
        self.sink = ("", 0)
        self.sink_session = 0
        self.over = asyncio.Event()  # Janus has ended the sink

    async def open_sink(self) -> None:
        """A leg that nobody ever joins, for its port. MediaError."""
        self.sink_session = await self.begin()
        handle = await self.attach(self.sink_session)
        made = await self.tell(self.sink_session, handle, nosip.generate("offer", nosip.sink_offer()))
        self.sink = nosip.place_of(nosip.generated(made))

    async def check_admin(self) -> None:
        """Does the other interface take the secret? MediaError."""
        await self.admin.ask({"janus": "list_sessions"})

    async def begin(self) -> int:
        """A new session."""
        return int((await self.calls.ask({"janus": "create"}))["data"]["id"])

    async def attach(self, session: int) -> int:
        """Its place in the plugin."""
        return int((await self.calls.ask(nosip.attach(session)))["data"]["id"])

    async def tell(self, session: int, handle: int, request: Said) -> Said:
        """The plugin's answer."""
        return await self.calls.ask({**request, "session_id": session, "handle_id": handle})

    async def keep(self, session: int) -> None:
        """A sign of life."""
        await self.calls.order({"janus": "keepalive", "session_id": session})

    async def destroy(self, session: int) -> None:
        """With all that it holds; no harm if it is gone."""
        with contextlib.suppress(MediaError):
            await self.calls.ask({"janus": "destroy", "session_id": session})


class Link:
    """`reached` while Janus can be. `lost` is called as soon as it no longer can."""

    def __init__(
        self,
        place: JanusPlace,
        happened: Callable[[Said], None],
        lost: Callable[[], None],
        idle: Callable[[], list[int]],
    ) -> None:
        """`happened`: what Janus says by itself. `idle`: sessions to be kept alive from here."""
        self._place, self._happened, self._lost, self._idle = place, happened, lost, idle
        self.reached: Reached | None = None
        self._tried = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Until it was tried once."""
        self._running = asyncio.create_task(self._run(), name="janus")
        await self._tried.wait()

    async def stop(self) -> None:
        """Leave, by which Janus ends all that there is."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait((self._running,))

    async def _run(self) -> None:
        waits = chain(AGAIN_S, repeat(AGAIN_S[-1]))
        async with ClientSession() as http:
            while True:
                try:
                    async with self._connected(http) as tasks:
                        waits = chain(AGAIN_S, repeat(AGAIN_S[-1]))
                        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                    log.error("%s: telephone calls are refused until it is back", DIED)
                except MediaError as error:
                    log.error("%s", error)
                self._tried.set()
                await asyncio.sleep(next(waits))

    @contextlib.asynccontextmanager
    async def _connected(self, http: ClientSession) -> AsyncIterator[set[asyncio.Task[None]]]:
        """Both lines are open and listened to, until one of these tasks ends. MediaError."""
        async with contextlib.AsyncExitStack() as stack:
            calls = await stack.enter_async_context(open_line(http, self._place, "janus"))
            admin = await stack.enter_async_context(open_line(http, self._place, "admin"))
            janus = Reached(calls, admin)
            tasks = {
                asyncio.create_task(calls.listen(lambda said: self._hear(janus, said)), name="janus calls"),
                asyncio.create_task(admin.listen(lambda said: None), name="janus admin"),
            }
            stack.push_async_callback(ended, tasks)
            await janus.open_sink()
            await janus.check_admin()
            tasks.add(asyncio.create_task(self._watch(janus), name="janus watch"))
            stack.callback(self._lose)
            self.reached = janus
            self._tried.set()
            yield tasks

    def _hear(self, janus: Reached, said: Said) -> None:
        if said.get("session_id") == janus.sink_session and said["janus"] in ("timeout", "hangup"):
            janus.over.set()  # where would sound go that has no lease?
        else:
            self._happened(said)

    def _lose(self) -> None:
        self.reached = None
        self._lost()

    async def _watch(self, janus: Reached) -> None:
        """Until nothing has come for too long, however often it was asked, or there is no sink any more."""
        missed = passed = 0
        while missed < MOST_MISSED and not janus.over.is_set():
            janus.calls.heard_from = False
            with contextlib.suppress(MediaError):  # if it is gone, others hear of it
                await janus.calls.order({"janus": "ping"})
                for session in (janus.sink_session, *self._idle()) if passed % KEEPS == 0 else ():
                    await janus.keep(session)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PINGS_S):
                    await janus.over.wait()
            passed += 1
            missed = 0 if janus.calls.heard_from else missed + 1
        log.error("Janus does not answer, or has ended what it was not told to end")


async def ended(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel them all."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
