"""Sound between an app and telephones that are not ours, across a whole server: who hears what."""

import asyncio
import os
import signal
import time
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from signaling.media import Statistics
from signaling.pstn.echo import Echo, open_echo
from signaling.pstn.media.embedded import EmbeddedBackend
from signaling.pstn.sip.uri import Uri
from tests.fakes.coturn import free_port
from tests.interop.baresip import ECHO, Baresip, baresip
from tests.interop.exchange import DIRECT, ENCRYPTED, PROXIED, Exchange, exchange
from tests.interop.phone import Said
from tests.interop.played import UDP
from tests.interop.sipp import Sipp, sipp
from tests.signaling.pstn.telephony import DID
from tests.signaling.pstn.test_heard import TONE, has_tone
from wephone.core.events import KeyHeard
from wephone.media.audio import RATE, Samples
from wephone.media.devices import Ear, Tone
from wephone.media.score import heard as score
from wephone.protocol.reasons import EndReason
from wephone.testing.peer import Heard, Talk
from wephone.testing.voice import Mouth, voice

# One server for all tests of it, and so one loop.
pytestmark = pytest.mark.asyncio(loop_scope="module")

WAIT = 20.0  # seconds, for what must come
G711_RATE = 8_000
LONG = 60  # seconds of a tone that a phone says which does not listen
TRIES = 2
SOON = 2.0  # seconds within which a call ends that has lost its sound


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Exchange]:
    speech = voice("alice")[:RATE]
    assert score(speech, speech).good  # what it needs is loaded before anybody speaks: that takes seconds
    async with exchange(tmp_path_factory.mktemp("exchange")) as made:
        yield made


def tone() -> Mouth:
    """One that says nothing else."""
    return Mouth(tone_of(1, RATE))


def tone_of(seconds: int, rate: int) -> Samples:
    """A steady sine."""
    return np.asarray(9_000 * np.sin(2 * np.pi * TONE * np.arange(seconds * rate) / rate), np.int16)


class TonedMouth(Mouth):
    """Says a tone first, and then speech; only that counts as said."""

    def __init__(self, samples: Samples, frames: int) -> None:
        super().__init__(samples)
        self._tone, self._left = Tone(TONE), frames

    def read(self) -> Samples:
        if not self._left:
            return super().read()
        self._left -= 1
        tone = self._tone.read()
        assert tone is not None
        return tone


@asynccontextmanager
async def talking(here: Exchange, number: str, mouth: Mouth) -> AsyncIterator[Talk]:
    """Alice calls this number, is answered, and speaks; she hangs up at last."""
    ear = Ear()
    call = await here.alice.client.call(number, source=mouth, sink=ear)
    try:
        await call.answered()
        await call.connected()
        yield Talk(call, mouth, ear)
    finally:
        if call.ended is None:
            await call.hangup()


async def until(true: Callable[[], bool]) -> None:
    """Nothing tells when it is."""
    async with asyncio.timeout(WAIT):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def speech_heard(talk: Talk) -> None:
    """As it was said; tried again, for a machine that has much to do loses some."""
    heard = await Heard("alice", "the phone", talk, talk, 1.0)
    for _ in range(TRIES):
        heard = heard or await Heard("alice", "the phone", talk, talk, 1.0)
    assert heard


async def tone_heard(talk: Talk) -> None:
    """From now on, for half a second."""
    since = talk.ear.heard.size
    await until(lambda: has_tone(talk.ear.heard[since:], RATE))


@asynccontextmanager
async def phone_at(here: Exchange, number: str, source: str = ECHO) -> AsyncIterator[Baresip]:
    """Whose number this is."""
    if number != PROXIED:
        yield here.direct if number == DIRECT else here.encrypted
        return
    async with baresip(UDP, user=PROXIED, port=here.proxy.behind, source=source) as phone:
        yield phone


@pytest.mark.parametrize("number", [DIRECT, PROXIED, ENCRYPTED], ids=["directly", "by Kamailio", "SRTP"])
async def test_a_tone_and_speech_come_back_from_baresip(here: Exchange, number: str) -> None:
    async with phone_at(here, number) as phone:
        async with talking(here, number, TonedMouth(voice("alice"), 40)) as talk:
            await tone_heard(talk)
            await speech_heard(talk)
        await phone.until(Said.OVER)
        said = "".join(phone.log)
        assert ("RTP/SAVP" in said) == (number == ENCRYPTED)
        assert (f"Record-Route: <sip:127.0.0.1:{here.proxy.port};" in said) == (number == PROXIED)


async def test_who_calls_from_baresip_is_heard_and_ends_it(here: Exchange) -> None:
    await here.direct.call(Uri("sip", here.place.host, DID, port=here.place.port))
    call = await here.alice.next_call()
    assert call.peer == DIRECT
    await call.connected()
    [talk] = [each for each in here.alice.talks if each.call is call]
    await speech_heard(talk)
    await here.direct.hang_up()
    await here.direct.until(Said.OVER)
    assert (await call.wait_ended()).reason is EndReason.HANGUP


async def test_keys_pressed_at_either_end_are_heard_once_at_the_other(here: Exchange) -> None:
    async with talking(here, DIRECT, Mouth(voice("alice"))) as talk:
        talk.call.press("12*0#")
        assert [await asyncio.wait_for(here.direct.keys.get(), WAIT) for _ in range(5)] == list("12*0#")
        for number, key in enumerate("5#"):
            await here.direct.do("sndcode", key)
            await until(lambda: len(keys(talk)) > number)  # noqa: B023 - it is asked at once
    await here.direct.until(Said.OVER)
    assert keys(talk) == ["5", "#"]
    assert here.direct.keys.empty()


def keys(talk: Talk) -> list[str]:
    """That the other side has pressed."""
    return [event.key for event in talk.call.history if isinstance(event, KeyHeard)]


async def test_who_holds_is_heard_and_hears_no_more_until_they_come_back_and_the_held_phone_has_music(
    here: Exchange, tmp_path: Path
) -> None:
    """Baresip first, then we; what each is told of the other's direction is what it does."""
    recording = tmp_path / "tone.wav"
    with wave.open(str(recording), "wb") as file:
        file.setparams((1, 2, G711_RATE, 0, "NONE", ""))
        file.writeframes(tone_of(LONG, G711_RATE).tobytes())
    async with phone_at(here, PROXIED, f"aufile,{recording}") as phone:
        async with talking(here, PROXIED, Mouth(voice("alice"))) as talk:
            await tone_heard(talk)
            assert directions(phone) == ["sendrecv"] * 2
            await phone.do("hold")
            await until(lambda: directions(phone)[2:] == ["sendonly", "recvonly"])
            await nothing_is_said_to_the_phone(here, talk)
            await phone.do("resume")
            await until(lambda: directions(phone)[4:] == ["sendrecv"] * 2)
            await tone_heard(talk)
            await talk.call.hold()
            await until(lambda: directions(phone)[6:] == ["sendonly", "recvonly"])
            await music_is_played_to_the_phone(here, talk)
            await talk.call.resume()
            await until(lambda: directions(phone)[8:] == ["sendrecv"] * 2)
            await tone_heard(talk)
        await phone.until(Said.OVER)


def directions(phone: Baresip) -> list[str]:
    """Of its sound, in the descriptions that it sent and got."""
    lines = "".join(phone.log).splitlines()
    return [line.removeprefix("a=") for line in lines if line in DIRECTIONS]


DIRECTIONS = ("a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive")


async def nothing_is_said_to_the_phone(here: Exchange, talk: Talk) -> None:
    """Though the app may well speak on."""
    leg = await here.leg(talk.call)
    before = await here.sound.statistics(leg)
    await asyncio.sleep(0.2)
    after: Statistics = await here.sound.statistics(leg)
    assert after.trunk.sent == before.trunk.sent


async def music_is_played_to_the_phone(here: Exchange, talk: Talk) -> None:
    """While the app sends nothing."""
    leg = await here.leg(talk.call)
    before = await here.sound.statistics(leg)
    async with asyncio.timeout(WAIT):
        while (after := await here.sound.statistics(leg)).trunk.sent < before.trunk.sent + 10:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert after.app.received - before.app.received < 3  # on their way


async def test_an_echo_of_sipp_is_heard_where_it_was_wherever_it_moves(here: Exchange) -> None:
    """It speaks early, answers at another port, is held, comes back at an address of others, holds, and moves
    again: each time sound goes there, and is heard from there alone."""
    elsewhere: Echo = await open_echo("127.0.0.1")
    sound = ("-rtp_echo", "-mi", "127.0.0.1", "-mp", str(free_port()), "-key", "moved", str(elsewhere.port))
    scene = "speaks before it answers, and moves"
    async with sipp(scene, port=here.proxy.behind, arguments=sound) as peer:
        async with talking(here, PROXIED, tone()) as talk:
            await tone_heard(talk)
            assert elsewhere.packets == 0
            await held_and_back(talk, peer, 1)
            await tone_heard(talk)
            assert elsewhere.packets > 0
            await held_and_back(talk, peer, 2)
            await until(lambda: len(answers(peer, "INVITE")) == 2)
            there = elsewhere.packets
            await tone_heard(talk)
            assert elsewhere.packets - there < 3  # on the way when it moved
        await peer.done()
    elsewhere.close()


def answers(peer: Sipp, method: str) -> list[str]:
    """With a yes, to what it has asked."""
    return [text for text in peer.heard() if text.startswith("SIP/2.0 200") and f" {method}\n" in text]


async def held_and_back(talk: Talk, peer: Sipp, times: int) -> None:
    """So often by now."""
    for change, direction in ((talk.call.hold, "a=sendonly"), (talk.call.resume, "a=sendrecv")):
        await change()
        await until(lambda: offers(peer, direction) >= times)  # noqa: B023 - it is asked at once


def offers(peer: Sipp, direction: str) -> int:
    """Of this direction, within the call."""
    asked = [message for message in peer.heard() if message.startswith("INVITE") and "To: <" in message]
    return sum(direction in message for message in asked if ";tag=far" in message)


async def test_a_phone_is_hung_up_on_when_the_media_process_is_killed_and_heard_in_the_next_call(
    here: Exchange,
) -> None:
    backend = here.sound
    assert isinstance(backend, EmbeddedBackend) and backend.pid is not None
    async with talking(here, DIRECT, tone()) as talk:
        await here.direct.until(Said.UP)
        killed, pid = time.monotonic(), backend.pid
        os.kill(pid, signal.SIGKILL)
        await here.direct.until(Said.OVER)
        assert time.monotonic() - killed < SOON
        assert (await talk.call.wait_ended()).reason is EndReason.MEDIA_FAILED
    await until(lambda: backend.pid not in (None, pid))
    async with talking(here, DIRECT, tone()) as talk:
        await tone_heard(talk)
    await here.direct.until(Said.OVER)
