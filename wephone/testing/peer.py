"""A headless peer: a signed-in device that answers, speaks with its own voice and keeps what it heard."""

import asyncio
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from wephone.calls import Call
from wephone.client import Client
from wephone.errors import CallEnded
from wephone.inbox import Inbox
from wephone.media.audio import RATE, Samples
from wephone.media.devices import Ear
from wephone.media.score import Score
from wephone.media.score import heard as score
from wephone.protocol.messages import TextAccepted, TextMessage
from wephone.testing.voice import Mouth, voice

UNDERWAY = 0.5  # seconds: what was said since then may not have arrived
PATIENCE = 15.0  # seconds in which enough must have been said and heard
TRIES = 3  # pieces of speech, of which one has to be heard well


@dataclass(frozen=True, slots=True)
class Talk:
    """A call of this peer, with what it said and heard in it."""

    call: Call
    mouth: Mouth
    ear: Ear


def now(talk: Talk) -> Talk:
    """In the call that has taken its place, if it was handed over: they say and hear the same on."""
    call = talk.call
    while call.ended is not None and call.replacement is not None:
        call = call.replacement
    return replace(talk, call=call)


class Peer:
    """One device of one user. `answers` says whether it takes calls by itself, at once."""

    def __init__(self, client: Client, answers: bool) -> None:
        self.client = client
        self.answers = answers
        self.talks: list[Talk] = []
        self._rang: Inbox[Call] = Inbox("calls that rang")
        self._texts: AsyncIterator[TextMessage] = client.messages()
        self._answering: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<Peer {self.name}>"

    @property
    def name(self) -> str:
        """The user's name."""
        return self.client.user

    # Calls

    async def call(self, to: "Peer | str") -> Call:
        """Call another peer, a name or a number, and speak.

        Returns when the two can hear each other if `to` is a peer that answers, else when the server has
        taken the call. CallEnded, CallRefused if it comes to nothing.
        """
        talk = self._talk()
        name = to.name if isinstance(to, Peer) else to
        call = await self.client.call(name, source=talk[0], sink=talk[1])
        self.talks.append(Talk(call, *talk))
        if isinstance(to, Peer) and to.answers:
            await call.answered()
            await call.connected()
        return call

    async def next_call(self) -> Call:
        """The next call to this peer, ringing or, if it answers by itself, perhaps answered."""
        call = await self._rang.get()
        if call is None:
            raise RuntimeError(f"{self.name} was closed while it waited for a call")
        return call

    def heard(self, other: "Peer", seconds: float = 2.0) -> "Heard":
        """How well this peer hears the other in their latest call: the last `seconds` that the other spoke.

        True or false as things are now; `await` it to let them speak for so long first.
        """
        theirs = {now(talk).call.id: now(talk) for talk in other.talks}
        for talk in map(now, reversed(self.talks)):
            if talk.call.id in theirs:
                return Heard(self.name, other.name, theirs[talk.call.id], talk, seconds)
        raise ValueError(f"{self.name} and {other.name} have had no call with each other")

    # Texts

    async def send(self, to: "Peer | str", text: str) -> TextAccepted:
        """Write to another peer or user; returns when the server has stored it."""
        return await self.client.send(to.name if isinstance(to, Peer) else to, text)

    async def next_text(self) -> TextMessage:
        """The next text of this user's conversations, by whomever it is."""
        return await anext(self._texts)

    # Its life

    @asynccontextmanager
    async def signed_in(self) -> "AsyncIterator[Peer]":
        """Answers, or rings, until left."""
        async with self.client:
            door = asyncio.create_task(self._open_door(), name=f"{self.name} answers")
            try:
                yield self
            finally:
                for task in (door, *self._answering):
                    task.cancel()
                await asyncio.wait((door, *self._answering))
                self._rang.close()

    async def _open_door(self) -> None:
        async for call in self.client.incoming():
            call.source, call.sink = self._talk()
            self.talks.append(Talk(call, call.source, call.sink))
            if self.answers:
                task = asyncio.create_task(self._answer(call), name=f"{self.name} answers {call.id}")
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)
            self._rang.put(call)

    async def _answer(self, call: Call) -> None:
        try:
            await call.answer()
        except CallEnded:
            pass  # the caller gave up first

    def _talk(self) -> tuple[Mouth, Ear]:
        return Mouth(voice(self.name)), Ear()


class Heard:
    """What one peer heard of another. Its truth is that it was heard as it was said."""

    def __init__(self, listener: str, speaker: str, said: Talk, heard: Talk, seconds: float) -> None:
        self._listener, self._speaker = listener, speaker
        self._said, self._heard, self._seconds = said, heard, seconds

    def __bool__(self) -> bool:
        return self.score.good

    def __repr__(self) -> str:
        figures = (
            f"STOI {self.score.stoi:.2f}, level {self.score.level:+.1f} dB, gaps in {self.score.lost:.0%}"
        )
        return f"{self._listener} heard {self._speaker}: {figures}"

    def __await__(self) -> Generator[Any, None, "Heard"]:
        return self._wait().__await__()

    @cached_property
    def score(self) -> Score:
        """The figures, of what had been said and heard when they were first asked for."""
        return score(self._piece(), self._heard.ear.heard)

    def _piece(self) -> Samples:
        said = self._said.mouth.said
        end = said.size - int(UNDERWAY * RATE)
        return said[max(0, end - int(self._seconds * RATE)) : max(0, end)]

    async def _wait(self) -> "Heard":
        """Let them speak for so long; again if some was lost, since a machine may be busy for a moment."""
        for _ in range(TRIES - 1):
            if not await self._spoke() or self.score.good:
                return self
            del self.score
        await self._spoke()
        return self

    async def _spoke(self) -> bool:
        """For so long; not for ever, since a muted or held side never does."""
        enough = self._said.mouth.seconds + self._seconds + UNDERWAY
        spoke = asyncio.ensure_future(self._said.mouth.spoke(enough))
        ended = asyncio.ensure_future(self._heard.call.wait_ended())
        try:
            timeout = self._seconds + PATIENCE
            done, _ = await asyncio.wait((spoke, ended), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            return spoke in done
        finally:
            spoke.cancel()
            ended.cancel()
