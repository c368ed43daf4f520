"""What is Janus's own about its backend: gone and back again, whose clock ends a leg, and what it lacks."""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from signaling.media import (
    Connected,
    Ended,
    Ending,
    LeaseOver,
    MediaError,
    Problem,
    Srtp,
    TimedOut,
    TrunkMedia,
)
from signaling.pstn.media import janus as backends
from signaling.pstn.media import janus_link
from signaling.pstn.media.janus import JanusBackend
from signaling.pstn.media.janus_line import JanusPlace, Line
from tests.fakes.coturn import free_port
from tests.fakes.janus import Janus, janus
from tests.signaling.pstn.media.ends import TRUNK, Far, Told, in_seconds, measured, open_wire
from tests.signaling.pstn.media.web_app import WebApp

pytestmark = pytest.mark.asyncio(loop_scope="module")

A, B = b"\x11" * 160, b"\x22" * 160
LEASE = 10.0  # seconds, as the gate gives it


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Janus]:
    async with janus() as one:
        yield one


@pytest_asyncio.fixture(loop_scope="module")
async def told() -> Told:
    return Told()


@pytest_asyncio.fixture(loop_scope="module")
async def backend(running: Janus, told: Told) -> AsyncIterator[JanusBackend]:
    made = JanusBackend(running.place, told)
    await made.start()
    yield made
    await made.stop()


class Call:
    """One that both hear each other in, under a lease."""

    def __init__(self, backend: JanusBackend, app: WebApp, far: Far, leg: str) -> None:
        self.backend, self.app, self.far, self.leg = backend, app, far, leg

    @classmethod
    async def begun(
        cls, backend: JanusBackend, told: Told, leg: str = "a/1", trunk: TrunkMedia = TRUNK
    ) -> "Call":
        app, far = WebApp("PCMU"), Far(await open_wire())
        try:
            opened = await backend.open_outgoing(leg, await app.offer(), trunk)
        except MediaError:
            await app.close()
            far.close()
            raise
        far.learn(opened.trunk)
        await app.answered(opened.app)
        await backend.trunk_answered(leg, far.describe())
        await told.first(Connected, skip=len(told.of(Connected)))
        await app.connected()
        backend.lease(leg, in_seconds(LEASE))
        call = cls(backend, app, far, leg)
        await backend.statistics(leg)
        await call.heard()
        return call

    async def heard(self) -> None:
        """Each by the other, who say it again: what comes while Janus takes up an address may be lost."""
        there, here = len(self.far.wire.came), len(self.app.packets)
        while len(self.far.wire.came) == there or len(self.app.packets) == here:
            self.app.say(A)
            self.far.say(B)
            await asyncio.sleep(0.02)

    async def last_packet(self) -> float:
        """Speak until nothing arrives any more for a second; when the last one came (monotonic seconds)."""
        last, count = time.monotonic(), len(self.far.packets)
        while time.monotonic() - last < 1.0:
            if self.app._dtls.state == "connected":
                self.app.say(A)
            await asyncio.sleep(0.02)
            if len(self.far.packets) > count:
                last, count = time.monotonic(), len(self.far.packets)
        return last

    async def close(self) -> None:
        await self.backend.close(self.leg)
        await self.app.close()
        self.far.close()


async def refusal(backend: JanusBackend, codec: str = "PCMU", trunk: TrunkMedia = TRUNK) -> MediaError:
    """Why a call cannot be begun."""
    app = WebApp(codec)
    with pytest.raises(MediaError) as refused:
        await backend.open_outgoing("a/2", await app.offer(), trunk)
    await app.close()
    return refused.value


async def test_a_janus_that_is_killed_ends_its_legs_at_once_and_the_next_call_works_when_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = Told()
    async with janus() as first:
        backend = JanusBackend(first.place, told)
        await backend.start()
        call = await Call.begun(backend, told)
        with measured() as seconds:
            first.process.kill()
            ended = await told.first(Ended)
        assert ended == Ended("a/1", Ending.BACKEND_DIED, "Janus is gone")
        assert seconds[0] < 2
        assert (await refusal(backend)).problem is Problem.DOWN
        await call.close()
    async with janus(first):
        while backend._link.reached is None:  # noqa: ASYNC110 - it is tried again now and then
            await asyncio.sleep(0.02)
        await (await Call.begun(backend, told, "a/3")).close()
        await backend.stop()
    assert "telephone calls are refused until it is back" in caplog.text


async def test_sound_ends_with_the_server_that_allowed_it(running: Janus) -> None:
    told = Told()
    backend = JanusBackend(running.place, told)
    await backend.start()
    call = await Call.begun(backend, told)
    await backend.stop()  # as if its process had gone: its connection is closed
    gone = time.monotonic()
    assert await call.last_packet() - gone < 1
    assert told.of(Ended) == []  # nobody is left to be told
    await call.app.close()
    call.far.close()


@pytest.mark.long
async def test_janus_s_own_clock_ends_the_sound_of_a_server_that_hangs(
    running: Janus, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told()
    backend = JanusBackend(running.place, told)
    await backend.start()
    call = await Call.begun(backend, told)
    backend.lease(call.leg, in_seconds(LEASE))
    await backend.statistics(call.leg)
    leased = time.monotonic()

    async def silent(line: Line, request: object) -> None:
        """A server that hangs says nothing, and its connection stays."""

    monkeypatch.setattr(Line, "_send", silent)
    monkeypatch.setattr(janus_link, "MOST_MISSED", 1000)  # nor does it look whether anybody answers
    last = await call.last_packet() - leased
    assert 7 < last < LEASE + 0.5  # renewed every 5 s, it lives; and it does not outlive its lease
    monkeypatch.undo()
    await backend.stop()
    await call.app.close()
    call.far.close()


async def test_a_secret_that_is_not_janus_s_leaves_one_line_and_no_calls(
    running: Janus, caplog: pytest.LogCaptureFixture
) -> None:
    backend = JanusBackend(replace(running.place, secret="another"), Told())
    await backend.start()
    assert (await refusal(backend)).problem is Problem.DOWN
    assert "Janus does not accept the secret that it is told" in caplog.text
    await backend.stop()


async def test_a_janus_that_is_not_there_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    backend = JanusBackend(JanusPlace(f"ws://127.0.0.1:{free_port()}", "ws://127.0.0.1:1", "x"), Told())
    with measured() as seconds:
        await backend.start()
    assert seconds[0] < 2
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "cannot be reached at ws://127.0.0.1:" in errors[0].getMessage()
    await backend.stop()


async def test_an_app_that_speaks_opus_alone_is_refused_in_words(backend: JanusBackend) -> None:
    error = await refusal(backend, "opus")
    assert error.problem is Problem.NO_COMMON_CODEC
    assert "Janus translates nothing" in str(error)


async def test_a_trunk_that_wants_keys_is_refused_in_words(backend: JanusBackend) -> None:
    error = await refusal(backend, trunk=replace(TRUNK, srtp=Srtp.ALWAYS))
    assert error.problem is Problem.LACKING


async def test_ports_that_are_all_taken_refuse_one_call_and_the_next_works() -> None:
    told = Told()
    first = 18_000 + 2 * random.randrange(1000)  # likely nobody else's
    async with janus(JANUS_TRUNK_PORTS=f"{first}-{first + 4}") as small:  # for nobody's sound, and one leg
        backend = JanusBackend(small.place, told)
        await backend.start()
        call = await Call.begun(backend, told)
        assert (await refusal(backend)).problem is Problem.NO_PORTS
        await call.heard()
        await call.close()
        while True:
            try:
                await (await Call.begun(backend, told, "a/3")).close()
                break
            except MediaError as error:  # Janus gives ports back in its own time
                assert error.problem is Problem.NO_PORTS
        await backend.stop()


async def test_a_side_that_should_send_and_does_not_is_told_of_once(
    running: Janus, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "LOOKS_S", 0.05)
    backend = JanusBackend(running.place, told)
    await backend.start()
    call = await Call.begun(backend, told, trunk=replace(TRUNK, patience=0.3))
    silent = {await told.first(TimedOut), await told.first(TimedOut, skip=1)}
    assert silent == {TimedOut("a/1", "app"), TimedOut("a/1", "trunk")}
    await call.heard()
    assert await told.first(TimedOut, skip=3)  # a new silence
    await call.close()
    await backend.stop()


async def test_a_lease_is_renewed_in_place_and_its_end_may_be_undone(
    backend: JanusBackend, told: Told
) -> None:
    call = await Call.begun(backend, told)
    backend.lease(call.leg, 0)
    await told.first(LeaseOver)
    backend.lease(call.leg, in_seconds(LEASE))
    await backend.statistics(call.leg)
    await call.heard()
    await call.close()
