"""One call's media, driven by the effects of `wephone.core.call` and answering with its inputs."""

import asyncio
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.media.ends import until
from wephone.core import effects as out
from wephone.core import inputs
from wephone.core.events import CallEvent
from wephone.core.inputs import CallInput
from wephone.media.audio import RATE, Samples, peak
from wephone.media.devices import Ear, Tone, Voice
from wephone.media.score import heard
from wephone.media.servers import IceServer, IceSettings
from wephone.media.stats import Stats
from wephone.protocol.ids import CallId
from wephone.protocol.messages import Candidate, Heard, Media
from wephone.sound import Sound, preload, report, start_sound

pytestmark = [pytest.mark.usefixtures("nothing_left")]

AUDIO = (Media.AUDIO,)
I = TypeVar("I")  # noqa: E741 - an input


@dataclass
class Handle:
    """What a call is for its media."""

    source: Any = None
    sink: Any = None
    id: CallId = field(default_factory=lambda: CallId(str(uuid.uuid4())))
    sound: Sound | None = None
    muted: bool = False
    marks: list[str] = field(default_factory=list)

    def mark(self, name: str) -> None:
        self.marks.append(name)

    def happened(self, event: CallEvent) -> None:
        self.marks.append(repr(event))

    async def ready(self) -> None:
        """No other call has its devices."""


@dataclass
class Side:
    """One device's half of a call, without the rest of the device."""

    handle: Handle
    sound: Sound
    told: list[CallInput]
    news: asyncio.Event

    async def expect(self, kind: type[I]) -> I:
        """The next input of this kind; those before it are dropped."""
        while True:
            while self.told:
                if isinstance(found := self.told.pop(0), kind):
                    return found
            self.news.clear()
            await self.news.wait()

    def do(self, effect: Callable[..., Any], *arguments: Any, **named: Any) -> None:
        self.sound.do(effect(self.handle.id, *arguments, **named))


MakeSide = Callable[..., Side]


@pytest.fixture
async def side() -> AsyncIterator[MakeSide]:
    """Makes sides; they are closed at the end."""
    sides: list[Side] = []

    def make(source: Any = None, sink: Any = None, settings: IceSettings | None = None) -> Side:
        told: list[CallInput] = []
        news = asyncio.Event()

        def tell(call: CallId, event: CallInput) -> None:
            assert call == handle.id
            told.append(event)
            news.set()

        handle = Handle(source, sink)
        sound = start_sound(handle, tell, settings or IceSettings())
        sides.append(Side(handle, sound, told, news))
        return sides[-1]

    yield make
    await asyncio.gather(*(each.sound.close() for each in sides))


async def call(one: Side, other: Side) -> None:
    """From nothing to both connected."""
    one.do(out.CreateOffer, AUDIO)
    other.do(out.CreateAnswer, (await one.expect(inputs.OfferCreated)).sdp, AUDIO)
    one.do(out.ApplyAnswer, (await other.expect(inputs.AnswerCreated)).sdp)
    one.do(out.StartMedia)
    other.do(out.StartMedia)
    await asyncio.gather(one.expect(inputs.MediaConnected), other.expect(inputs.MediaConnected))


async def test_two_sounds_hear_each_other(
    side: MakeSide, alice: Samples, bob: Samples, tmp_path: Path
) -> None:
    samples = Path(__file__).parents[2] / "wephone" / "samples"
    one, other = (
        side(samples / "alice.wav", tmp_path / "alice-heard.wav"),
        side(str(samples / "bob.wav"), Ear()),
    )
    await call(one, other)
    await until(lambda: one.sound.said and other.sound.said)
    ear = other.handle.sink
    await until(lambda: ear.length > alice.size + RATE // 2)
    await asyncio.gather(one.sound.close(), other.sound.close())

    from wephone.media.files import read_wav

    assert heard(alice, ear.heard).good
    assert heard(bob, read_wav(tmp_path / "alice-heard.wav")).good
    assert one.handle.marks.count("connected") == one.handle.marks.count("heard") == 1
    assert "said" in one.handle.marks
    stats = one.sound.stats()
    assert stats.received > 200
    assert stats.loss == 0
    assert stats.heard is not None
    told = one.sound.heard(one.handle.id)
    assert told is not None and (told.call, told.packets, told.lost) == (one.handle.id, stats.received, 0)
    assert 0 < told.jitter_us < 1_000_000
    assert told.rtt_us is not None and told.rtt_us < 5_000_000


def test_what_a_call_came_to_is_told_of_all_its_connections() -> None:
    call = CallId(str(uuid.uuid4()))
    before = Stats(received=100, lost=4, jitter=0.003, round_trip=0.05)
    after = Stats(received=50, lost=-1, jitter=0.001)
    assert report(call, [before, after]) == Heard(
        call=call, packets=150, lost=4, jitter_us=3_000, rtt_us=50_000
    )
    assert report(call, [Stats(), Stats(sent=100)]) is None
    odd = Stats(received=10**9, lost=10**9, jitter=90.0, round_trip=-0.5)  # a clock that was set
    assert report(call, [odd]) == Heard(
        call=call, packets=100_000_000, lost=100_000_000, jitter_us=60_000_000
    )


async def test_hold_and_resume_go_through_offers_and_answers(side: MakeSide) -> None:
    one, other = side(Tone(440), Ear()), side(Tone(1000), Ear())
    await call(one, other)
    for hold in (True, False):
        one.do(out.CreateOffer, AUDIO, hold=hold)
        other.do(out.CreateAnswer, (await one.expect(inputs.OfferCreated)).sdp, AUDIO)
        one.do(out.ApplyAnswer, (await other.expect(inputs.AnswerCreated)).sdp)
        await until(lambda: one.sound._effects.empty())
        await asyncio.sleep(0.05)
        sent = other.sound.stats().sent
        if hold:
            await asyncio.sleep(0.2)
            assert other.sound.stats().sent == sent
        else:
            await until(lambda sent=sent: other.sound.stats().sent > sent + 5)  # type: ignore[misc]


async def test_an_offer_taken_back_makes_room_for_theirs(side: MakeSide) -> None:
    one, other = side(), side()
    await call(one, other)
    one.do(out.CreateOffer, AUDIO, hold=True)
    other.do(out.CreateOffer, AUDIO, hold=True)
    theirs = (await other.expect(inputs.OfferCreated)).sdp
    one.do(out.RollBack)
    one.do(out.CreateAnswer, theirs, AUDIO)
    other.do(out.ApplyAnswer, (await one.expect(inputs.AnswerCreated)).sdp)
    other.do(out.CreateOffer, AUDIO)
    await other.expect(inputs.OfferCreated)


async def test_a_senseless_offer_is_a_failed_description_and_the_call_goes_on(side: MakeSide) -> None:
    one, other = side(), side()
    await call(one, other)
    one.do(out.CreateAnswer, "v=0\r\n", AUDIO)
    await one.expect(inputs.DescriptionFailed)
    assert one.sound.failure is None


async def test_a_senseless_answer_is_the_end_of_it(side: MakeSide) -> None:
    one = side()
    one.do(out.CreateOffer, AUDIO)
    await one.expect(inputs.OfferCreated)
    one.do(out.ApplyAnswer, "v=0\r\n")
    await one.expect(inputs.MediaFailed)
    assert one.sound.failure == "the description carries no audio"


async def test_a_source_that_cannot_be_used_ends_the_call_in_words(side: MakeSide) -> None:
    one, other = side("/nowhere/hello.wav"), side()
    one.do(out.CreateOffer, AUDIO)
    other.do(out.CreateAnswer, (await one.expect(inputs.OfferCreated)).sdp, AUDIO)
    one.do(out.ApplyAnswer, (await other.expect(inputs.AnswerCreated)).sdp)
    one.do(out.StartMedia)
    await one.expect(inputs.MediaFailed)
    assert one.sound.failure == "`/nowhere/hello.wav` cannot be read: No such file or directory"


async def test_candidates_are_told_the_first_at_once_and_the_rest_together(side: MakeSide) -> None:
    one = side()
    found = [Candidate(candidate=f"candidate:{number}") for number in range(4)]
    one.sound.line_found(found[0])
    assert one.told == [inputs.CandidatesFound((found[0],))]
    for each in found[1:]:
        one.sound.line_found(each)
    one.sound.line_found(None)
    assert len(one.told) == 1
    await until(lambda: len(one.told) == 2)
    assert one.told[1] == inputs.CandidatesFound(tuple(found[1:]), end=True)


async def test_an_unreachable_server_delays_neither_offer_nor_sound(
    side: MakeSide, silent_server: int
) -> None:
    settings = IceSettings((IceServer(f"stun:127.0.0.1:{silent_server}"),))
    one, other = side(settings=settings), side(settings=settings)
    async with asyncio.timeout(4):
        await call(one, other)


async def test_a_server_without_an_address_fails_the_call_in_words(side: MakeSide) -> None:
    one = side(settings=IceSettings((IceServer("stun:"),)))
    one.do(out.CreateOffer, AUDIO)
    await one.expect(inputs.MediaFailed)
    assert "no address of a STUN or TURN server" in str(one.sound.failure)


async def test_the_far_end_going_without_a_word_is_a_failure_after_a_while(
    side: MakeSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wephone.sound.FAREWELL", 0.1)
    one, other = side(), side()
    await call(one, other)
    await other.sound.close()
    await one.expect(inputs.MediaFailed)
    assert one.sound.failure == "the far end has closed its media"


async def test_what_is_asked_at_once_is_done_in_order(side: MakeSide) -> None:
    one, other = side(), side()
    one.do(out.CreateOffer, AUDIO)
    offer = (await one.expect(inputs.OfferCreated)).sdp
    other.do(out.CreateAnswer, offer, AUDIO)
    other.do(out.AddCandidates, (Candidate(candidate="candidate:nonsense"),), True)
    other.do(out.StartMedia)
    one.do(out.ApplyAnswer, (await other.expect(inputs.AnswerCreated)).sdp)
    one.do(out.StartMedia)
    await asyncio.gather(one.expect(inputs.MediaConnected), other.expect(inputs.MediaConnected))
    await until(lambda: "heard" in one.handle.marks and "heard" in other.handle.marks)


async def test_muted_before_it_begins_it_is_muted_when_it_does(side: MakeSide, alice: Samples) -> None:
    one, other = side(Voice(alice)), side(None, Ear())
    one.handle.muted = True
    await call(one, other)
    await until(lambda: other.handle.sink.length > RATE // 2)
    assert peak(other.handle.sink.heard) < 50  # of 32768: what a codec makes of silence


async def test_a_device_that_opens_slowly_is_closed_all_the_same(side: MakeSide) -> None:
    class Slow(Tone):
        opened = closed = 0.0

        def open(self) -> None:
            time.sleep(0.2)
            self.opened = time.monotonic()

        def close(self) -> None:
            self.closed = time.monotonic()

    slow = Slow()
    one, other = side(slow), side()
    one.do(out.CreateOffer, AUDIO)
    other.do(out.CreateAnswer, (await one.expect(inputs.OfferCreated)).sdp, AUDIO)
    one.do(out.ApplyAnswer, (await other.expect(inputs.AnswerCreated)).sdp)
    one.do(out.StartMedia)
    await until(lambda: slow in one.sound._devices)
    await one.sound.close()
    assert 0 < slow.opened < slow.closed


async def test_closed_at_once_it_leaves_nothing(side: MakeSide) -> None:
    one = side()
    one.do(out.CreateOffer, AUDIO)
    await one.sound.close()
    one.do(out.StartMedia)
    assert one.told == []


async def test_what_is_ours_to_mend_is_loud_and_ends_the_call(
    side: MakeSide, caplog: pytest.LogCaptureFixture
) -> None:
    one = side()
    one.do(out.StopMedia)
    await one.expect(inputs.MediaFailed)
    assert "TypeError" in caplog.text


async def test_the_media_library_can_be_loaded_beforehand() -> None:
    await preload()
    assert "aiortc" in sys.modules


def test_importing_the_client_loads_no_media_library() -> None:
    heavy = "{'aiortc', 'aioice', 'av', 'numpy', 'sounddevice'}"
    check = f"import sys, wephone.client; print({heavy} & set(sys.modules))"
    done = subprocess.run((sys.executable, "-c", check), capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
