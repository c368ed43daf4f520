"""One device's stay on a server: carries out, in order, what `wephone.core.session` decides.

It owns the socket, the timers and the media of the calls, and hands every outcome back in. Reconnecting,
resuming, saying again what may be lost: all that is the session's to decide.
"""

import asyncio
import logging
import random
import secrets
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Literal, Protocol

from wephone.calls import Call
from wephone.core import effects as out
from wephone.core import inputs
from wephone.core.effects import Effect, SessionEvent
from wephone.core.events import CallEvent, Rings
from wephone.core.session import Link, Session, Step
from wephone.errors import NotSignedIn, ServerUnreachable, SignInRefused
from wephone.media.servers import IceSettings
from wephone.protocol.ids import CallId
from wephone.protocol.messages import ClientMessage, Error, Media, ServerMessage, SignedOut
from wephone.relays import Named, Relays
from wephone.sound import Sound, StartSound
from wephone.transport import Credentials, Server, Socket

QUIET = 1.0  # seconds without events after which the last ones are acknowledged
FAREWELL = 2.0  # seconds that leaving may take: hang up, flush, close
SO_FAR = 10.0  # seconds between two words on what is heard of the calls that run
SECOND = 1_000_000_000

log = logging.getLogger(__name__)


class Application(Protocol):
    """Who is told what happens."""

    def call_happened(self, event: CallEvent) -> None: ...

    def happened(self, event: SessionEvent) -> None: ...


Trace = Callable[[str, object], None]
"""Told each frame and event: "sent", "received" or "told", and what."""


class Stay:
    """Runs a session until it is over or left. Everything happens in the loop's thread, in order."""

    def __init__(
        self,
        server: Server,
        credentials: Credentials,
        session: Session,
        application: Application,
        start_sound: StartSound,
        trace: Trace | None = None,
        *,
        relay_only: bool = False,
    ) -> None:
        self.session = session
        self.calls: dict[CallId, Call] = {}
        self._server, self._credentials = server, credentials
        self._application, self._start_sound = application, start_sound
        self._trace: Trace = trace or (lambda kind, what: None)
        self._token = credentials.token
        self._bought = False  # the token was bought with the password, so it is ours to end
        self._relays, self._relay_only = Relays(self._ask_relays), relay_only
        self._sounds: dict[CallId, Sound] = {}
        self._timers: dict[tuple[CallId, inputs.Timer], asyncio.TimerHandle] = {}
        self._quiet: asyncio.TimerHandle | None = None
        self._so_far: asyncio.TimerHandle | None = None  # while there is sound
        self._effects: deque[Effect] = deque()
        self._carrying_out = False
        self._outgoing: asyncio.Queue[ClientMessage] = asyncio.Queue()
        self._socket: Socket | None = None
        self._dropped = False
        self._retry_after = 0.0  # seconds
        self._runner: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._up: asyncio.Future[None] | None = None

    # The life of a stay

    async def arrive(self) -> None:
        """Sign in; returns when the server has said what there is. NotSignedIn or ServerUnreachable."""
        socket, ticket = await self._open()
        self._up = asyncio.get_running_loop().create_future()
        self._runner = asyncio.create_task(self._run(socket, ticket), name="wephone stay")
        try:
            await self._up
        except BaseException:
            await self.leave()
            raise

    async def leave(self) -> None:
        """Hang up, say goodbye, let go of everything."""
        try:
            async with asyncio.timeout(FAREWELL):
                await self._hang_up_all()
                if self._socket is not None:
                    await self._outgoing.join()
        except TimeoutError:
            log.info("left without the server's word on how the last calls ended")
        self._do(self.session.left(time.monotonic_ns()))
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.wait((self._runner,))
        for handle in self._timers.values():
            handle.cancel()
        for timer in (self._quiet, self._so_far):
            if timer is not None:
                timer.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self._relays.close()
        if self._bought and self._token is not None:
            try:
                await self._server.sign_out(self._token)
            except (ServerUnreachable, NotSignedIn):
                pass  # it ends by itself when it expires

    # What the application asks

    def place(self, call: Call) -> None:
        """Call somebody."""
        self.calls[call.id] = call
        media, nonce = (Media.AUDIO,), self.new_nonce()
        replaces = None if call.replaces is None else call.replaces.id
        self._do(self.session.place(call.id, call.peer, media, nonce, replaces))

    def tell_call(self, call: CallId, event: inputs.CallInput) -> None:
        """What a person, the media or a clock says of a call."""
        self._do(self.session.tell_call(call, event, time.monotonic_ns()))

    def ask(self, step: Callable[[Session], Step]) -> int:
        """Ask something of the server; the number that its answer will carry."""
        ref = self.session.next_ref
        self._do(step(self.session))
        return ref

    def new_nonce(self) -> str:
        """256 random bits, hex."""
        return secrets.token_hex(32)

    # The link

    async def _open(self) -> tuple[Socket, str]:
        """A socket that nothing has been said on, and the ticket to say first."""
        if self._token is None:
            await self._buy_token()
        try:
            ticket = await self._server.ticket(self._token or "")
        except NotSignedIn:
            if self._credentials.password is None:
                raise
            await self._buy_token()  # the old one has expired
            ticket = await self._server.ticket(self._token or "")
        return await self._server.connect(), ticket

    async def _buy_token(self) -> None:
        self._token = await self._server.sign_in(self._credentials, self.session.client)
        self._bought = True

    async def _ask_relays(self) -> Named | None:
        """The servers that help calls find their way; None if there is nobody to say which."""
        try:
            return await self._server.relays(self._token or "")
        except (ServerUnreachable, NotSignedIn) as error:
            log.info("no relay for the next calls: %s", error)
            return None

    async def _run(self, socket: Socket | None, ticket: str) -> None:
        """Serve one connection after the other until the session is over."""
        try:
            while True:
                if socket is not None:
                    await self._serve(socket, ticket)
                    if socket.replaced:
                        self._be_signed_out("replaced")
                self._do(self.session.closed(random.random()))
                if self.session.link is Link.OVER or not self._has_arrived:
                    return
                await asyncio.sleep(self._retry_after)
                socket, ticket = await self._open_again()
        except NotSignedIn as error:
            self._fail_first(error)
            self._be_signed_out("expired")
        finally:
            self._fail_first(ServerUnreachable(f"{self._server.url} closed the connection"))

    def _be_signed_out(self, reason: Literal["replaced", "expired"]) -> None:
        """What the server did not say in so many words."""
        self._do(self.session.left(time.monotonic_ns()))
        self._application.happened(SignedOut(reason=reason))

    async def _open_again(self) -> tuple[Socket | None, str]:
        """None if the server is still out of reach; NotSignedIn if it does not want us any more."""
        try:
            return await self._open()
        except ServerUnreachable as error:
            log.info("%s", error)
        except SignInRefused as error:
            if error.status not in (429, 502, 503, 504):
                raise
            log.info("%s", error)
        return None, ""

    async def _serve(self, socket: Socket, ticket: str) -> None:
        """Read and write until the connection is gone."""
        self._socket, self._dropped = socket, False
        self._outgoing = asyncio.Queue()
        self._relays.forget()  # a server that was started anew may name others
        writer = asyncio.create_task(self._write(socket), name="wephone writer")
        try:
            self._do(self.session.opened(ticket))
            while not self._dropped and (message := await socket.receive()) is not None:
                self._received(message)
        finally:
            self._socket = None
            writer.cancel()
            await asyncio.wait((writer,))
            await socket.close(for_good=self.session.link is Link.OVER)

    async def _write(self, socket: Socket) -> None:
        queue = self._outgoing
        while True:
            message = await queue.get()
            try:
                await socket.send(message)
            except ConnectionError:
                return  # the reader notices too
            finally:
                queue.task_done()

    def _received(self, message: ServerMessage) -> None:
        self._trace("received", message)
        self._do(self.session.received(message, time.monotonic_ns()))
        if message.n is not None:
            if self._quiet is not None:
                self._quiet.cancel()
            self._quiet = asyncio.get_running_loop().call_later(QUIET, self._acknowledge)
        if isinstance(message, Error) and self.session.link is Link.GREETING:
            self._fail_first(NotSignedIn(message.text))

    def _acknowledge(self) -> None:
        self._do(self.session.acknowledge())

    @property
    def _has_arrived(self) -> bool:
        """The first sign-in came to its end; a link that breaks before that is not opened again."""
        up = self._up
        return up is not None and up.done() and not up.cancelled() and up.exception() is None

    def _fail_first(self, error: Exception) -> None:
        if self._up is not None and not self._up.done():
            self._up.set_exception(error)

    # Effects

    def _do(self, step: Step) -> None:
        """Take the session's new value and do what it says; effects of effects come after."""
        self.session, effects = step
        self._effects.extend(effects)
        if self._carrying_out:
            return
        self._carrying_out = True
        try:
            while self._effects:
                self._carry_out(self._effects.popleft())
        finally:
            self._carrying_out = False
        if self.session.link is Link.UP and self._up is not None and not self._up.done():
            self._up.set_result(None)

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case out.Send(message):
                self._trace("sent", message)
                self._outgoing.put_nowait(message)
            case out.Tell(event):
                self._trace("told", event)
                self._tell(event)
            case out.StartTimer(call, timer, deadline):
                self._start_timer(call, timer, deadline)
            case out.StopTimer(call, timer):
                if (handle := self._timers.pop((call, timer), None)) is not None:
                    handle.cancel()
            case out.Drop():
                self._drop()
            case out.Reconnect(after):
                self._retry_after = after / SECOND
            case out.StopMedia(call):
                if (sound := self._sounds.pop(call, None)) is not None:
                    if (heard := sound.heard(call)) is not None:
                        self._do(self.session.report(heard))
                    self._start(sound.close())
            case _:
                self._sound(effect.call).do(effect)

    def _tell(self, event: CallEvent | SessionEvent) -> None:
        if isinstance(event, CallEvent):
            if isinstance(event, Rings):
                self._relays.servers()  # asked for while it rings, known when it is answered
            self._application.call_happened(event)
        else:
            self._application.happened(event)

    def _drop(self) -> None:
        self._dropped = True
        if self._socket is not None:
            self._start(self._socket.close(for_good=self.session.link is Link.OVER))

    def _start_timer(self, call: CallId, timer: inputs.Timer, deadline: int) -> None:
        if (old := self._timers.pop((call, timer), None)) is not None:
            old.cancel()
        delay = max(0.0, (deadline - time.monotonic_ns()) / SECOND)
        loop = asyncio.get_running_loop()
        self._timers[call, timer] = loop.call_later(delay, self._timed_out, call, timer)

    def _timed_out(self, call: CallId, timer: inputs.Timer) -> None:
        self._timers.pop((call, timer), None)
        self.tell_call(call, inputs.TimedOut(timer))

    def _sound(self, call: CallId) -> Sound:
        if call not in self._sounds:
            handle = self.calls[call]
            settings = IceSettings(self._relays.servers(), self._relay_only)
            self._sounds[call] = self._start_sound(handle, self.tell_call, settings)
            self._tell_so_far_later()
        return self._sounds[call]

    def _tell_so_far_later(self) -> None:
        if self._so_far is None:
            self._so_far = later(SO_FAR, self._tell_so_far)

    def _tell_so_far(self) -> None:
        """What is heard of each call that runs, to a server that asks; and again while there are any."""
        self._so_far = None
        for call, sound in self._sounds.items():
            if (heard := sound.heard(call)) is not None:
                self._do(self.session.report(heard.model_copy(update={"so_far": True})))
        if self._sounds:
            self._tell_so_far_later()

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("work of a call failed", exc_info=error)

    async def _hang_up_all(self) -> None:
        calls = [call for call in set(self.calls.values()) if call.ended is None]
        if self._socket is None or self.session.link is not Link.UP:
            return
        await asyncio.gather(*(call.hangup() for call in calls))


def later(seconds: float, then: Callable[[], None]) -> asyncio.TimerHandle:
    """Call back after so long."""
    return asyncio.get_running_loop().call_later(seconds, then)
