"""The embedded media backend: a process of its own, started anew whenever it dies."""

import asyncio
import logging
import secrets
import socket
import subprocess
from collections.abc import Callable
from ipaddress import ip_address
from itertools import chain, repeat
from typing import Literal, TypeVar

from signaling.child import start_child
from signaling.media import (
    Capability,
    Descriptions,
    Direction,
    Ended,
    Ending,
    Event,
    Helper,
    Language,
    Listener,
    MediaError,
    Problem,
    Side,
    Sound,
    Statistics,
    TrunkMedia,
)
from signaling.pstn.media import messages
from signaling.pstn.media.messages import Answer, Message, Request
from signaling.pstn.media.place import Place
from wephone.protocol.messages import Candidate

STARTS_S = 20.0  # seconds for the process to begin: it loads media libraries
ANSWERS_S = 5.0  # seconds for any answer
GRACE_S = 1.0  # seconds more, as it may be this process that stood still, and the answer lies there unread
PINGS_S = 1.0  # seconds between two looks at whether the process has answered
MOST_MISSED = 5  # looks in vain, one after the other, after which it is killed
AGAIN_S = (0.1, 0.5, 2.0, 5.0)  # seconds until it is started anew, the first time, the second ...
DIED = "the media process has died"

A = TypeVar("A", bound=Message)

log = logging.getLogger(__name__)


class EmbeddedBackend:
    """A `MediaBackend`. `tell` is called for each event, in order; `start` before use, `stop` after."""

    capabilities = frozenset(Capability)

    def __init__(
        self, place: Place, tell: Listener, helpers: Callable[[], tuple[Helper, ...]] = tuple
    ) -> None:
        """`helpers`: those for a leg that is opened now, as what lets it use a relay is soon over."""
        self._place, self._tell, self._helpers = place, tell, helpers
        self._key = secrets.token_bytes(32)  # of this boot
        self._serial = 0
        self._number = 0
        self._legs: set[str] = set()
        self._opening: dict[str, list[Event]] = {}  # legs whose descriptions nobody has yet, and what is told
        self._closing: dict[str, Statistics | None] = {}  # legs that may have ended by themselves meanwhile
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._running: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The process that there is now."""
        return self._process.pid if self._process and self._writer else None

    @property
    def is_there(self) -> bool:
        """Can calls be carried now?"""
        return self._writer is not None

    async def start(self) -> None:
        """Until it is ready. MediaError if it cannot be started."""
        self._check_place()
        reader = await self._begin()
        self._running = asyncio.create_task(self._run(reader), name="media process")

    def _check_place(self) -> None:
        place = self._place
        if place.told is None and ip_address(place.address).is_unspecified:
            raise MediaError(Problem.BAD_ADDRESS, "trunks have to be told one address, not all of them")
        if place.last_port <= place.first_port:
            raise MediaError(
                Problem.NO_PORTS, f"there are no two ports from {place.first_port} to {place.last_port}"
            )

    async def stop(self) -> None:
        """End all legs, without a word about them, and the process."""
        self._stopping = True
        if self._running is None:
            return
        if self._writer is not None:
            self._legs.clear()
            self._writer.close()  # by which it ends
        else:
            self._running.cancel()  # it waits to start the process again
        await asyncio.wait((self._running,))

    # The process

    async def _begin(self) -> asyncio.StreamReader:
        ours, theirs = socket.socketpair()
        with theirs:
            process = start_child("signaling.pstn.media", theirs, stdin=subprocess.PIPE)
        assert process.stdin is not None
        with process.stdin:
            process.stdin.write(messages.begins(self._key, self._place))
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=messages.LONGEST)
        try:
            async with asyncio.timeout(STARTS_S):
                if not await reader.readline():
                    raise MediaError(Problem.DOWN, "the media process does not start")
        except BaseException as error:
            writer.close()
            await ended(process)
            if isinstance(error, TimeoutError):
                raise MediaError(Problem.DOWN, "the media process does not begin in time") from None
            raise
        self._process, self._writer = process, writer
        return reader

    async def _run(self, reader: asyncio.StreamReader) -> None:
        """Listen to the process as long as it lives, and start another when it dies."""
        while True:
            pinging = asyncio.create_task(self._ping(), name="media ping")
            try:
                await self._listen(reader)
            finally:
                pinging.cancel()
                await asyncio.wait((pinging,))
                self._lose()
            assert self._process is not None
            await ended(self._process)
            if self._stopping:
                return
            log.error("%s, and is started anew", DIED)
            reader = await self._begin_again()

    async def _begin_again(self) -> asyncio.StreamReader:
        for wait in chain(AGAIN_S, repeat(AGAIN_S[-1])):
            await asyncio.sleep(wait)
            try:
                return await self._begin()
            except (MediaError, OSError) as error:
                log.error("%s", error)
        raise AssertionError("it is tried for ever")

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Until it is gone."""
        try:
            while line := await reader.readline():
                self._heard(line)
        except (ConnectionError, ValueError) as error:  # ValueError: a line that is none
            log.error("the media process said what cannot be read: %s", error)

    def _heard(self, line: bytes) -> None:
        said = messages.read_answer(line)
        if isinstance(said, messages.Told):
            event = messages.event_of(said)
            if event.leg in self._opening:
                self._opening[event.leg].append(event)
            elif event.leg in self._legs:
                self._pass_on(event)
            elif event.leg in self._closing and isinstance(event, Ended):
                self._closing[event.leg] = event.statistics
        elif not isinstance(said, messages.Ready):
            future = self._waiting.pop(said.number, None)
            if future is not None and not future.done():
                future.set_result(said)

    def _pass_on(self, event: Event) -> None:
        if isinstance(event, Ended):
            self._legs.discard(event.leg)
        self._tell(event)

    def _lose(self) -> None:
        """It is gone: everything that it held has ended."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(MediaError(Problem.DOWN, DIED))
        self._waiting.clear()
        legs, self._legs = self._legs, set()
        for leg in sorted(legs):
            died = Ended(leg, Ending.BACKEND_DIED, DIED)
            if leg in self._opening:
                self._opening[leg].append(died)
            else:
                self._tell(died)

    async def _ping(self) -> None:
        """A process that hangs is as good as dead. If it is we who hang, that counts as one look in vain."""
        missed, answer = 0, self._asked(messages.Ping(number=self._next()))
        try:
            while missed < MOST_MISSED:
                await asyncio.sleep(PINGS_S)
                if answer.done():
                    missed, answer = 0, self._asked(messages.Ping(number=self._next()))
                else:
                    missed += 1
        finally:
            answer.cancel()
        if self._process is not None and self._writer is not None:
            log.error("the media process does not answer, and is killed")
            self._process.kill()

    # Asking

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _asked(self, request: Request) -> "asyncio.Future[Answer]":
        """The answer to come. MediaError if there is nobody to be asked."""
        if self._writer is None:
            raise MediaError(Problem.DOWN, "there is no media process")
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[request.number] = future
        self._writer.write(messages.encoded(request))
        return future

    async def _ask(self, kind: type[A], request: Request) -> A:
        """Its answer. MediaError: it refuses, or is not there."""
        future = self._asked(request)
        try:
            for patience in (ANSWERS_S, GRACE_S):
                await asyncio.wait((future,), timeout=patience)
                if future.done():
                    break
            else:
                raise MediaError(Problem.DOWN, "the media process does not answer")
        finally:
            self._waiting.pop(request.number, None)
        answer = future.result()
        if isinstance(answer, messages.Refused):
            raise MediaError(answer.problem, answer.text)
        if not isinstance(answer, kind):
            raise MediaError(Problem.DOWN, f"the media process answers `{answer.type}`")
        return answer

    def _order(self, message: Message) -> None:
        if self._writer is not None:
            self._writer.write(messages.encoded(message))

    # The port

    async def open_outgoing(self, leg: str, app_offer: str, trunk: TrunkMedia) -> Descriptions:
        number, helpers = self._next(), self._helpers()
        request = messages.OpenOutgoing(
            number=number, leg=leg, app_offer=app_offer, trunk=trunk, helpers=helpers
        )
        said = await self._open(leg, messages.Described, request)
        return Descriptions(said.app, said.trunk)

    async def open_incoming(self, leg: str, trunk_offer: str | None, trunk: TrunkMedia) -> str:
        number, helpers = self._next(), self._helpers()
        request = messages.OpenIncoming(
            number=number, leg=leg, trunk_offer=trunk_offer, trunk=trunk, helpers=helpers
        )
        return (await self._open(leg, messages.Said, request)).sdp

    async def open_announcement(self, leg: str, app_offer: str) -> str:
        number, helpers = self._next(), self._helpers()
        request = messages.OpenAnnouncement(number=number, leg=leg, app_offer=app_offer, helpers=helpers)
        return (await self._open(leg, messages.Said, request)).sdp

    async def _open(self, leg: str, kind: type[A], request: Request) -> A:
        if leg in self._legs:
            raise MediaError(Problem.TAKEN, f"`{leg}` is open")
        self._legs.add(leg)
        self._opening[leg] = []
        try:
            answer = await self._ask(kind, request)
        except BaseException:
            self._legs.discard(leg)
            del self._opening[leg]
            self._order(messages.Close(number=self._next(), leg=leg))  # whatever may have come of it
            raise
        asyncio.get_running_loop().call_soon(self._opened, leg)  # once it knows its descriptions
        return answer

    def _opened(self, leg: str) -> None:
        """Whoever opened the leg hears of it from here on."""
        for event in self._opening.pop(leg):
            self._pass_on(event)

    async def app_offered(self, leg: str, offer: str) -> str:
        return await self._offered(leg, "app", offer)

    async def app_answered(self, leg: str, answer: str) -> str:
        request = messages.Describe(number=self._next(), leg=leg, side="app", kind="answer", sdp=answer)
        return (await self._ask(messages.Said, request)).sdp

    async def trunk_offered(self, leg: str, offer: str | None) -> str:
        return await self._offered(leg, "trunk", offer)

    async def trunk_answered(self, leg: str, answer: str, *, early: bool = False) -> None:
        kind: Literal["answer", "early"] = "early" if early else "answer"
        request = messages.Describe(number=self._next(), leg=leg, side="trunk", kind=kind, sdp=answer)
        await self._ask(messages.Done, request)

    async def _offered(self, leg: str, side: Side, sdp: str | None) -> str:
        request = messages.Describe(number=self._next(), leg=leg, side=side, kind="offer", sdp=sdp)
        return (await self._ask(messages.Said, request)).sdp

    async def offer_trunk(self, leg: str, direction: Direction) -> str:
        request = messages.OfferTrunk(number=self._next(), leg=leg, direction=direction)
        return (await self._ask(messages.Said, request)).sdp

    def candidates(self, leg: str, candidates: tuple[Candidate, ...], end: bool) -> None:
        self._order(messages.AddCandidates(leg=leg, candidates=candidates, end=end))

    def lease(self, leg: str, until_ns: int) -> None:
        self._serial += 1
        seal = messages.sealed(self._key, leg, until_ns, self._serial)
        self._order(messages.SetLease(leg=leg, until_ns=until_ns, serial=self._serial, seal=seal))

    async def press(self, leg: str, digits: str) -> None:
        await self._ask(messages.Done, messages.Press(number=self._next(), leg=leg, digits=digits))

    async def play(self, leg: str, side: Side, sound: Sound, language: Language = "en") -> None:
        request = messages.Play(number=self._next(), leg=leg, side=side, sound=sound, language=language)
        await self._ask(messages.Done, request)

    async def stop_playing(self, leg: str, side: Side) -> None:
        request = messages.Play(number=self._next(), leg=leg, side=side, sound=None)
        await self._ask(messages.Done, request)

    async def statistics(self, leg: str) -> Statistics:
        figures = (await self._ask(messages.Counted, messages.Count(number=self._next(), leg=leg))).statistics
        assert figures is not None
        return figures

    async def close(self, leg: str) -> Statistics | None:
        if leg not in self._legs:
            return None
        self._legs.discard(leg)
        self._closing[leg] = None
        try:
            answer = await self._ask(messages.Counted, messages.Close(number=self._next(), leg=leg))
            return answer.statistics or self._closing[leg]
        except MediaError:
            return None  # it died with the leg
        finally:
            del self._closing[leg]


async def ended(process: "subprocess.Popen[bytes]") -> None:
    """Wait for its end, which its closed socket has brought about; kill it if that takes too long."""
    try:
        await asyncio.to_thread(process.wait, ANSWERS_S)
    except subprocess.TimeoutExpired:
        process.kill()
        await asyncio.to_thread(process.wait)
