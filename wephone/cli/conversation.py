"""A call on the screen of whoever is in it: how far it has come, that it is held, how it ended and why."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from wephone.calls import Call
from wephone.cli.output import Progress, say
from wephone.cli.words import words
from wephone.errors import CallEnded, NotPossible, ending
from wephone.events import (
    Answered,
    CallEvent,
    Changed,
    EarlySound,
    Ending,
    EndingCancelled,
    EndReason,
    Forwarded,
    GoesOn,
    KeyHeard,
    Progressed,
    Refusal,
    Role,
    SafetyCode,
    Transferred,
)

TAIL = 0.5  # seconds for the last of what was said to be heard there, before we hang up
SECOND = 1_000_000_000


class Conversation:
    """One call, shown as it goes."""

    def __init__(self, call: Call, progress: Progress, tongue: str, missing: Sequence[str] = ()) -> None:
        """`missing`: what the call will lack, which matters once the server has taken it."""
        self._call = call
        self._progress, self._tongue = progress, tongue
        self._missing = missing
        self._was_held = False

    # While it lasts

    async def hold(self, *, until_said: bool, press: str | None = None) -> None:
        """Show the call until it is over. Hang up once all is said, if that is asked for, and at Ctrl-C.

        `press`: keys to send once sound passes.
        """
        helpers = [asyncio.create_task(self._show_connected(), name="show that sound passes")]
        if press is not None:
            helpers.append(asyncio.create_task(self._press(press), name="press keys"))
        if until_said:
            helpers.append(asyncio.create_task(self._hang_up_when_said(), name="hang up when all is said"))
        try:
            await self._show()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            assert task is not None
            task.uncancel()  # Ctrl-C ends the call, not the command: how it ended is still to be told
            self._progress.line(words("hanging up", self._tongue))
            await self._call.hangup()
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.wait(helpers)

    async def _show(self) -> None:
        async for event in self._call.events():
            line = self._line(event)
            if line is not None:
                self._progress.shown(line)
            if isinstance(event, Progressed | Answered):
                self._tell_missing()
        replacement, ended = self._call.replacement, self._call.ended
        if replacement is not None and ended is not None and ended.reason is EndReason.TRANSFERRED:
            self._call = replacement
            await self._show()

    def _tell_missing(self) -> None:
        for line in self._missing:
            self._progress.note(line)
        self._missing = ()

    def _line(self, event: CallEvent) -> str | None:
        peer, tongue = self._call.peer, self._tongue
        match event:
            case Progressed(progress=progress):
                return words(progress.value, tongue, peer=peer)
            case Forwarded():
                return words("forwarded", tongue, peer=peer)
            case EarlySound(refusal=None):
                return words("early", tongue)
            case EarlySound(refusal=Refusal(text=said)):
                return words("refused aloud", tongue, text=said.zh_cn if tongue == "zh" else said.en)
            case Answered():
                ours = self._call.role is Role.CALLEE
                return words("answered here" if ours else "answered", tongue, peer=peer)
            case SafetyCode(code=code):
                return words("code", tongue, code=code, peer=peer)
            case Ending(within=seconds, refusal=refusal):
                text = refusal.text.zh_cn if tongue == "zh" else refusal.text.en
                decision = refusal.decision or ""
                return words("ending", tongue, seconds=seconds, text=text, decision=decision)
            case EndingCancelled():
                return words("ending cancelled", tongue)
            case Transferred(to=to):
                return words("handed over", tongue, peer=peer, to=to)
            case KeyHeard(key=key):
                return words("key", tongue, peer=peer, key=key)
            case GoesOn():
                return words("glare", tongue, peer=peer)
            case Changed(held_there=held) if held is not self._was_held:
                self._was_held = held
                return words("held" if held else "talk on", tongue, peer=peer)
            case _:
                return None

    async def _show_connected(self) -> None:
        with suppress(CallEnded):
            await self._call.connected()
            self._progress.shown(words("connected", self._tongue))

    async def _press(self, keys: str) -> None:
        try:
            await self._call.connected()
            self._call.press(keys)
        except CallEnded:
            return
        except NotPossible as error:
            self._progress.note(str(error))
        else:
            self._progress.shown(words("pressed", self._tongue, keys=keys))

    async def _hang_up_when_said(self) -> None:
        with suppress(CallEnded):
            await self._call.said()
            await asyncio.sleep(TAIL)
            await self._call.hangup()

    # Afterwards

    @property
    def went_well(self) -> bool:
        """It was answered, and ended because somebody hung up."""
        ended = self._call.ended
        return self.answered and ended is not None and ended.reason is EndReason.HANGUP

    @property
    def answered(self) -> bool:
        """Somebody took it."""
        return self._call.find(Answered) is not None

    @property
    def reason(self) -> str:
        """How it ended, one sentence; of media that failed, also why."""
        return "" if self._call.ended is None else ending(self._call.ended, self._tongue)

    @property
    def seconds(self) -> float:
        """From the answer to the end; 0 if there was none."""
        times = self._call.times
        if "answered" not in times:
            return 0.0
        return (times.get("ended", time.monotonic_ns()) - times["answered"]) / SECOND

    def tell_end(self) -> None:
        """A call that went well ends with a line; one that did not, with its reason, on stderr."""
        if self.went_well:
            self._progress.shown(
                words("ended", self._tongue, reason=self.reason, duration=duration(self.seconds))
            )
        else:
            say(f"wephone: {self.reason}")
            ended = self._call.ended
            if ended is not None and ended.refusal is not None:
                explain(ended.refusal, self._tongue)

    def as_json(self) -> dict[str, Any]:
        """For machines. Times are seconds after the call was placed, or began to ring."""
        call, ended, times = self._call, self._call.ended, self._call.times
        refusal = ended.refusal if ended is not None else None
        stats = call.sound.stats() if call.sound is not None else None
        return {
            "call": call.id,
            "peer": call.peer,
            "role": call.role,
            "answered": self.answered,
            "ended": ended.reason if ended is not None else None,
            "by": ended.by if ended is not None else None,
            "error": ended.error if ended is not None else None,
            "text": self.reason,
            "refusal": refusal_json(refusal) if refusal is not None else None,
            "safety_code": call.safety_code,
            "seconds": round(self.seconds, 3),
            "times": {name: round((at - times["placed"]) / SECOND, 4) for name, at in times.items()},
            "media": {**asdict(stats), "loss": stats.loss} if stats is not None else None,
        }


def duration(seconds: float) -> str:
    """Minutes and seconds, as telephones show them."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def refusal_json(refusal: Refusal) -> dict[str, Any]:
    """As it is on the wire: {code, text, decision, permit_needed, alternative}."""
    return refusal.model_dump(mode="json")


def explain(refusal: Refusal, tongue: str) -> None:
    """What stands behind a refusal, under its sentence."""
    for key, value in (
        ("reason code", refusal.code),
        ("decision", refusal.decision),
        ("permit", refusal.permit_needed),
    ):
        if value is not None:
            say(f"  {words(key, tongue)}: {value}")
    if (instead := refusal.alternative) is not None:
        say(f"  {instead.zh_cn if tongue == 'zh' else instead.en}")
