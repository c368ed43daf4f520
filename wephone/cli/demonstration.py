"""What `wephone demo` shows, one thing after the other, each of them checked as it is shown."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from wephone.calls import Call
from wephone.cli.by_telephone import CUT_WITHIN, NUMBER, TAIL, Telephony, own_carrier
from wephone.cli.conversation import refusal_json
from wephone.cli.output import Progress
from wephone.cli.words import words
from wephone.client import Client
from wephone.errors import CallEnded, CallRefused, ending
from wephone.events import EndReason
from wephone.sound import StartSound, preload
from wephone.transport import Server

if TYPE_CHECKING:
    from signaling.app.server import Server as OwnServer
    from wephone.media.audio import Samples
    from wephone.media.score import Score

CALLER, CALLEE = "alice", "bob"
PATIENCE = 5.0  # seconds that saying something may take beyond its length
MS = 1_000_000  # ns


@dataclass(frozen=True, slots=True)
class Check:
    """Something shown, and whether it is so."""

    name: str
    text: str
    good: bool


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two who talk: what it says, what it hears, its handle of the call."""

    user: str
    said: "Samples"
    ear: Any
    call: Call


@asynccontextmanager
async def own_server() -> AsyncIterator["OwnServer"]:
    """A server on free ports of the loopback, that knows nobody and keeps nothing; beside it a carrier."""
    from signaling.app.server import start
    from signaling.configuration import made

    with TemporaryDirectory(prefix="wephone-demo-") as name:
        async with own_carrier(Path(name)) as by_carrier:
            here = {"listen": "127.0.0.1:0", "operator_listen": "127.0.0.1:0", "data": Path(name) / "data"}
            server = await start(made(here | by_carrier))
            try:
                yield server
            finally:
                await server.close()


class Demonstration:
    """A call that is heard; one to a telephone that is refused, then permitted and heard, then cut."""

    def __init__(self, progress: Progress, tongue: str, start_sound: StartSound) -> None:
        self._progress, self._tongue, self._start_sound = progress, tongue, start_sound
        self._begun = time.monotonic()
        self._checks: list[Check] = []
        self._sides: tuple[Side, ...] = ()
        self._echo: Samples | None = None  # what came back from the telephone
        self._figures: dict[str, Any] = {}

    @property
    def good(self) -> bool:
        """All that was shown is so."""
        return bool(self._checks) and all(check.good for check in self._checks)

    def check(self, name: str, good: bool, **values: object) -> None:
        """Show something, and remember whether it is so."""
        text = words(name, self._tongue, **values)
        self._checks.append(Check(name, text, good))
        self._progress.shown(text, good)

    # What is shown

    async def run(self) -> None:
        """All of it."""
        self._progress.heading(words("own server", self._tongue))
        async with own_server() as server:
            self.check("serves", True, url=server.url)
            loaded = preload()
            async with self._signed_in(server, CALLER) as alice, self._signed_in(server, CALLEE) as bob:
                await loaded
                await self._talk(alice, bob)
                await self._score()
                if not self.good:
                    return  # what is not so is to be looked at, before there is more of it
                telephony = Telephony(server, alice)
                await telephony.entitle()
                await self._dial(alice, server)
                await self._by_telephone(telephony)

    @asynccontextmanager
    async def _signed_in(self, server: "OwnServer", user: str) -> AsyncIterator[Client]:
        """A headless peer with an account of its own."""
        password = secrets.token_urlsafe(16)
        async with Server(server.url) as entrance:
            await entrance.register(user, password)
        client = Client(server.url, user, password=password, start_sound=self._start_sound)
        async with client:
            self.check("signed in", client.link == "up", user=user)
            yield client

    async def _talk(self, alice: Client, bob: Client) -> None:
        """One calls, it rings, it is answered, both speak, one hangs up."""
        from wephone.media.devices import Ear, Voice, read_wav

        said = {user: read_wav(sample(user)) for user in (CALLER, CALLEE)}
        ears = {user: Ear() for user in (CALLER, CALLEE)}
        self._progress.heading(words("calls", self._tongue, caller=CALLER, callee=CALLEE))
        call = alice.place(CALLEE, source=Voice(said[CALLER]), sink=ears[CALLER])
        await call.sent()
        self.check("sent", True)
        theirs = await bob.next_call()
        await call.ringing()
        self.check("alerting", theirs.peer == CALLER, peer=CALLEE)
        await theirs.answer(Voice(said[CALLEE]), ears[CALLEE])
        await call.answered()
        self.check("answered", call.id == theirs.id, peer=CALLEE)
        self._sides = (
            Side(CALLER, said[CALLER], ears[CALLER], call),
            Side(CALLEE, said[CALLEE], ears[CALLEE], theirs),
        )
        await self._speak(call, theirs)
        ended = await call.hangup()
        agreed = ended.reason is EndReason.HANGUP and await theirs.wait_ended() == ended
        self.check("hung up", agreed, caller=CALLER)

    async def _speak(self, call: Call, theirs: Call) -> None:
        await asyncio.gather(call.connected(), theirs.connected())
        self.check("both hear", True)
        codes = {await call.verified(), await theirs.verified()}
        self.check("same code", len(codes) == 1, code=" / ".join(sorted(codes)))
        from wephone.media.audio import RATE

        seconds = max(side.said.size for side in self._sides) / RATE
        try:
            async with asyncio.timeout(seconds + PATIENCE):
                await asyncio.gather(call.said(), theirs.said())
                await asyncio.sleep(TAIL)
        except TimeoutError:
            self.check("both spoke", False, seconds=seconds)
        else:
            self.check("both spoke", True, seconds=seconds)

    async def _score(self) -> None:
        """What each heard, over what the other said; and how long it took."""
        from wephone.media.score import heard

        alice, bob = self._sides
        scores = {}
        for listener, speaker in ((bob, alice), (alice, bob)):
            # Beside the loop: it takes a second, in which the call's media is to close.
            score = await asyncio.to_thread(heard, speaker.said, listener.ear.heard)
            scores[listener.user] = score.as_json()
            told = told_score(score, self._tongue)
            self.check("heard", score.good, listener=listener.user, speaker=speaker.user, score=told)
        times = alice.call.times
        set_up = (times["answered"] - times["placed"]) / MS
        self._progress.note(words("set-up", self._tongue, ms=set_up))
        self._figures |= {"call": alice.call.id, "set_up_ms": set_up, "heard": scores}
        self._figures |= {"first_audio_ms": {}, "loss": {}, "media": {}}
        for side in self._sides:
            self._count(side)

    def _count(self, side: Side) -> None:
        """One side's time to first audio, and what was lost on the way to it."""
        times, sound = side.call.times, side.call.sound
        if "heard" in times:
            first = (times["heard"] - times["answered"]) / MS
            self._figures["first_audio_ms"][side.user] = first
            self._progress.note(words("first audio", self._tongue, user=side.user, ms=first))
        if sound is not None:
            stats = sound.stats()
            self._figures["loss"][side.user] = stats.loss
            self._figures["media"][side.user] = asdict(stats)
            packets = stats.received + stats.lost
            self._progress.note(words("loss", self._tongue, user=side.user, loss=stats.loss, packets=packets))

    async def _dial(self, alice: Client, server: "OwnServer") -> None:
        """A telephone number: no permit, so no call, and a reason that the operator can be held to."""
        self._progress.heading(words("dials", self._tongue, caller=CALLER, number=NUMBER))
        try:
            call = await alice.call(NUMBER)
        except CallRefused as refused:
            await self._show_refusal(refused, server)
        except CallEnded as ended:
            self.check("not refused", False, outcome=ending(ended.ended, self._tongue))
        else:
            self.check("not refused", False, outcome=call.state)
            await call.hangup()

    async def _show_refusal(self, refused: CallRefused, server: "OwnServer") -> None:
        text = refused.text_zh if self._tongue == "zh" else refused.text
        self.check("refused", bool(text), text=text)
        decision = refused.decision or ""
        entries = await server.parts.licence.journal.about(decision)
        found = any(entry.kind == "decision" for entry in entries)
        self.check("decided", found, decision=decision, code=refused.code)
        self.check("needed", refused.permit_needed is not None, permit=refused.permit_needed)
        instead = refused.alternative_zh if self._tongue == "zh" else refused.alternative
        if instead is not None:
            self._progress.note(instead)
        self._figures["refusal"] = refusal_json(refused.refusal)

    async def _by_telephone(self, telephony: Telephony) -> None:
        """The permit is filed, and the telephone answers; it is suspended, and the call is cut."""
        from wephone.media.devices import Ear, read_wav

        self._progress.heading(words("by telephone", self._tongue, caller=CALLER, number=NUMBER))
        self.check("filed", True, permit=await telephony.file_permit())
        said, ear = read_wav(sample(CALLER)), Ear()
        call = telephony.place(said, ear)
        await call.answered()
        self.check("answered", True, peer=NUMBER)
        score = await telephony.say(call, said, ear)
        self._echo = ear.heard
        self.check("telephone heard", score.good, score=told_score(score, self._tongue))
        seconds, reason = await telephony.suspend(call)
        in_time = reason is EndReason.LICENCE_WITHDRAWN and seconds < CUT_WITHIN
        self.check("cut", in_time, ms=seconds * 1000, most=CUT_WITHIN * 1000)
        self.check("over there", await telephony.confirmed(call))
        checked = await telephony.verified()
        self.check("verified", checked.sound, entries=checked.head.seq)
        self._figures["telephone"] = {
            "call": call.id,
            "number": NUMBER,
            "heard": score.as_json(),
            "cut_ms": seconds * 1000,
            "reason": reason,
        }
        self._figures["audit"] = {"ok": checked.sound, "entries": checked.head.seq}

    # Afterwards

    def keep(self, folder: Path) -> list[str]:
        """Write what was said and heard there, and a picture of it. The files' paths."""
        from wephone.media.waveform import write_png

        paths, rows = [], {}
        for speaker, listener in zip(self._sides, reversed(self._sides), strict=True):
            for name, label, samples in (
                (f"{speaker.user}-said.wav", f"{speaker.user} said", speaker.said),
                (f"{listener.user}-heard.wav", f"{listener.user} heard {speaker.user}", listener.ear.heard),
            ):
                write_wav(folder / name, samples)
                paths.append(str(folder / name))
                rows[label] = samples
        if self._echo is not None:
            write_wav(folder / "telephone-heard.wav", self._echo)
            paths.append(str(folder / "telephone-heard.wav"))
            rows[f"{CALLER} heard the telephone"] = self._echo
        if rows:
            write_png(folder / "waveforms.png", rows)
            paths.append(str(folder / "waveforms.png"))
            self._progress.note(words("kept", self._tongue, folder=folder))
        return paths

    def tell_result(self) -> None:
        """One line to end with."""
        wrong = sum(not check.good for check in self._checks)
        key = "not so" if wrong else "all so"
        self._progress.heading(words(key, self._tongue, count=wrong))

    def as_json(self) -> dict[str, Any]:
        """For machines. Scores and losses are told by who heard."""
        return {
            "ok": self.good,
            "seconds": round(time.monotonic() - self._begun, 3),
            "checks": [asdict(check) for check in self._checks],
            **self._figures,
        }


def told_score(score: "Score", tongue: str) -> str:
    """A score for people."""
    key = "score" if score.pesq is None else "score with PESQ"
    return words(key, tongue, **score.as_json())


def write_wav(path: Path, samples: "Samples") -> None:
    """Mono, 16 bit, 48 kHz."""
    from wephone.media.devices import WavSink

    sink = WavSink(path)
    sink.open()
    sink.write(samples, 0)
    sink.close()


def sample(user: str) -> Path:
    """The shipped speech of this user, WAV."""
    return Path(str(files("wephone") / "samples" / f"{user}.wav"))
