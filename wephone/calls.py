"""A call as a program sees it: what it can do with it, and what it is told."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, cast

from wephone.core import events, inputs
from wephone.core.events import CallEvent, Ended
from wephone.errors import NotPossible, call_error
from wephone.media.errors import StateError
from wephone.protocol.ids import CallId
from wephone.protocol.messages import Media, Progress, Role
from wephone.protocol.reasons import EndReason, end_text, error_text

if TYPE_CHECKING:
    from wephone.sound import Sound

FREED_WITHIN = 5.0  # seconds

E = TypeVar("E", bound=CallEvent)


def why_not(failed: events.TransferFailed) -> str:
    """Why somebody was not reached, in one sentence."""
    if failed.refusal is not None:
        return failed.refusal.text.en
    if failed.error is not None:
        return error_text(failed.error)
    return "" if failed.reason is None else end_text(failed.reason)


class Owner(Protocol):
    """Who carries out what a call is asked: the device's stay on the server."""

    def tell_call(self, call: CallId, event: inputs.CallInput) -> None: ...

    def new_nonce(self) -> str: ...


class Call:
    """One call of this device. Whatever happens to it is in `history`, in order, from the first moment.

    `source` is what this side says and `sink` where that what it hears goes: a path of a WAV file, an
    object of `wephone.media.devices`, or None for silence and nowhere. Both can be set until the call
    is answered, the sink until a telephone network is heard before that (`EarlySound`).
    """

    def __init__(self, owner: Owner, call: CallId, role: Role, peer: str, source: Any, sink: Any) -> None:
        self.id = call
        self.role = role
        self.peer = peer  # a user's name, or what was dialled; once it was forwarded, who is called instead
        self.source = source
        self.sink = sink
        self.history: list[CallEvent] = []
        self.times: dict[str, int] = {"placed": time.monotonic_ns()}  # first of each event, ns
        self.sound: Sound | None = None  # its media, once there is some
        self.replaces: Call | None = None  # the call whose other side asked for this one
        self.replacement: Call | None = None  # the call to whom the other side has handed this one over
        self.twin: Call | None = None  # by glare: the other handle of what is now the same call
        self._owner = owner
        self._waiting: list[asyncio.Future[None]] = []
        self._held = False
        self._muted = False

    def __repr__(self) -> str:
        return f"<Call {self.id} {self.role} {self.peer} {self.state}>"

    # What is so

    @property
    def state(self) -> Literal["calling", "ringing", "active", "ended"]:
        """How far the call has come; "ringing" for the caller once a device really rings."""
        if self.ended is not None:
            return "ended"
        if self.find(events.Answered) is not None:
            return "active"
        progressed = self.find(events.Progressed)
        if self.role is Role.CALLEE or (progressed and progressed.progress is Progress.ALERTING):
            return "ringing"
        return "calling"

    @property
    def ended(self) -> events.Ended | None:
        """How it ended, if it has."""
        return self.find(events.Ended)

    @property
    def ending(self) -> events.Ending | None:
        """The end that the server has announced and not taken back: the call is no longer permitted."""
        for event in reversed(self.history):
            if isinstance(event, events.Ending):
                return event
            if isinstance(event, events.EndingCancelled | events.Ended):
                return None
        return None

    @property
    def forwarded_by(self) -> str | None:
        """Whom a call that came here was for, if it was for somebody else."""
        rings = self.find(events.Rings)
        return None if rings is None else rings.forwarded_by

    @property
    def safety_code(self) -> str | None:
        """Eight digits; if both people read the same, nobody sits between them."""
        code = self.find(events.SafetyCode)
        return code.code if code is not None else None

    @property
    def held_here(self) -> bool:
        """This side holds the call."""
        changed = self.find(events.Changed)
        return changed is not None and changed.held_here

    @property
    def held_there(self) -> bool:
        """The other side holds the call."""
        changed = self.find(events.Changed)
        return changed is not None and changed.held_there

    @property
    def muted(self) -> bool:
        """This side's sound is withheld."""
        return self._muted

    def find(self, kind: type[E]) -> E | None:
        """The latest event of this kind."""
        for event in reversed(self.history):
            if isinstance(event, kind):
                return event
        return None

    # What can be done

    async def answer(self, source: Any = None, sink: Any = None) -> None:
        """Take the call; returns when both sides agree that it is answered, or raises CallEnded."""
        self.source = source if source is not None else self.source
        self.sink = sink if sink is not None else self.sink
        self._owner.tell_call(self.id, inputs.Accept(self._owner.new_nonce()))
        await self.answered()

    async def reject(self, reason: EndReason | str = EndReason.DECLINED) -> events.Ended:
        """Turn it down, on all devices of this user: declined, busy or do_not_disturb."""
        self.decline(reason)
        return await self.wait_ended()

    def decline(self, reason: EndReason | str = EndReason.DECLINED) -> None:
        """As `reject`, without waiting for the end."""
        reason = EndReason(reason)
        if reason not in (EndReason.DECLINED, EndReason.BUSY, EndReason.DO_NOT_DISTURB):
            raise ValueError(f"a call is rejected as declined, busy or do_not_disturb, not as `{reason}`")
        self._owner.tell_call(self.id, inputs.Decline(cast(Any, reason)))

    async def hangup(self) -> events.Ended:
        """End it, at any moment of its life; returns how it ended, as the server says."""
        self._owner.tell_call(self.id, inputs.HangUp())
        return await self.wait_ended()

    async def hold(self) -> None:
        """Neither play nor send until `resume`; returns when the other side has agreed."""
        await self._change(hold=True)

    async def resume(self) -> None:
        """Talk on; returns when the other side has agreed."""
        await self._change(hold=False)

    async def transfer(self, to: "str | Call") -> Ended:
        """Hand the call over: the other side calls this user or number, and this call ends when they answer.

        To another call of this device: the two other sides talk to each other, and both calls end.
        NotPossible if they are not reached, which says why; the calls go on then.
        """
        for call in (self, to) if isinstance(to, Call) else (self,):
            if call.state != "active":
                raise NotPossible(f"a call that is {call.state} cannot be handed over")
        seen = len(self.history)
        wish = inputs.Transfer(None, to.id) if isinstance(to, Call) else inputs.Transfer(to)
        self._owner.tell_call(self.id, wish)
        while True:
            for event in self.history[seen:]:
                if isinstance(event, events.TransferFailed):
                    raise NotPossible(f"the call was not handed over: {why_not(event)}")
                if isinstance(event, events.Ended):
                    return event
            seen = len(self.history)
            await self._news()

    def mute(self, on: bool = True) -> None:
        """Send silence instead of the source, which runs on. Nobody is told."""
        self._muted = on
        if self.sound is not None:
            self.sound.mute(on)

    def press(self, keys: str) -> None:
        """Send keys of a telephone, 0-9 * # A-D, one after the other in place of what is said (RFC 4733).

        A comma waits a second. Returns at once. ValueError for what is no key; NotPossible before the answer,
        and if the other side takes no keys.
        """
        if self.state != "active" or self.sound is None:
            raise NotPossible(f"a call that is {self.state} sends no keys")
        try:
            self.sound.press(keys)
        except StateError as error:
            raise NotPossible(str(error)) from error

    def ring(self) -> None:
        """Tell the caller that this device really rings. `Client.incoming` does it for you."""
        self._owner.tell_call(self.id, inputs.Ring())

    # What can be waited for

    async def events(self) -> AsyncIterator[CallEvent]:
        """Everything that has happened and will, from the first event to the end."""
        seen = 0
        while True:
            while seen < len(self.history):
                event = self.history[seen]
                seen += 1
                yield event
                if isinstance(event, events.Ended):
                    return
            await self._news()

    async def sent(self) -> None:
        """Wait until the server has taken the call. CallEnded (CallRefused) if it does not."""
        await self._reached(Progress.SENT)

    async def ringing(self) -> None:
        """Wait until a device of the callee really rings. CallEnded if it never does."""
        await self._reached(Progress.ALERTING)

    async def answered(self) -> None:
        """Wait until somebody answers. CallEnded if nobody does, CallRefused if it is not allowed."""
        await self.wait_for(events.Answered)

    async def verified(self) -> str:
        """Wait for the safety code."""
        return (await self.wait_for(events.SafetyCode)).code

    async def connected(self) -> None:
        """Wait until sound can pass both ways: it is answered, ICE and DTLS are done."""
        await self.answered()
        while self.sound is None or not self.sound.connected.is_set():
            if (ended := self.ended) is not None:
                raise call_error(ended)
            await self._news()

    async def said(self) -> None:
        """Wait until the source has been said to its end. CallEnded if the call is over first."""
        while "said" not in self.times:
            if (ended := self.ended) is not None:
                raise call_error(ended)
            await self._news()

    async def wait_ended(self) -> Ended:
        """Wait for the end; returns how it ended."""
        return await self.wait_for(events.Ended)

    async def wait_for(self, kind: type[E]) -> E:
        """The latest event of this kind, or the next one if there was none. CallEnded if the call is over."""
        while (event := self.find(kind)) is None:
            if (ended := self.ended) is not None:
                raise call_error(ended)
            await self._news()
        return event

    # What the device's stay tells it

    async def ready(self) -> None:
        """Source and sink may be opened: the call that this one replaces has let go of them."""
        if self.replaces is None:
            return
        with suppress(
            TimeoutError
        ):  # its end may be lost with the link: whoever answered is not kept waiting
            async with asyncio.timeout(FREED_WITHIN):
                await self.replaces.wait_ended()
                if self.replaces.sound is not None:
                    await self.replaces.sound.closed.wait()

    def replaced_by(self, call: "Call") -> None:
        """The other side hands it over."""
        self.replacement = call
        self.mark("transferred")

    def happened(self, event: CallEvent) -> None:
        """Something new; `GoesOn` gives the call another id."""
        if isinstance(event, events.GoesOn):
            self.id = event.survivor
        if isinstance(event, events.Forwarded):
            self.peer = event.to
        self.history.append(event)
        name = event.progress if isinstance(event, events.Progressed) else type(event).__name__.lower()
        self.mark(name)
        if self.twin is not None:
            self.twin.happened(event)

    def mark(self, name: str) -> None:
        """Note when something happened for the first time, and wake those who wait for news."""
        self.times.setdefault(name, time.monotonic_ns())
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def _news(self) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await future
        finally:
            if future in self._waiting:
                self._waiting.remove(future)

    async def _reached(self, progress: Progress) -> None:
        order = list(Progress)
        while True:
            done = self.find(events.Progressed)
            if done is not None and order.index(done.progress) >= order.index(progress):
                return
            if self.find(events.Answered) is not None:
                return
            if (ended := self.ended) is not None:
                raise call_error(ended)
            await self._news()

    async def _change(self, hold: bool) -> None:
        if self.state != "active":
            raise NotPossible(f"a call that is {self.state} can neither be held nor resumed")
        seen = len(self.history)
        self._owner.tell_call(self.id, inputs.Change((Media.AUDIO,), hold))
        while True:
            for event in self.history[seen:]:
                if isinstance(event, events.Changed) and event.held_here is hold:
                    return
                if isinstance(event, events.ChangeDeclined):
                    raise NotPossible(f"the other side declined to {'hold' if hold else 'resume'}")
                if isinstance(event, events.Ended):
                    raise call_error(event)
            seen = len(self.history)
            await self._news()
