"""What a softphone that is not ours hears of an app across the media bridge, and the app of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import wephone
from signaling.clock import SystemClock
from signaling.media import Connected, Srtp
from signaling.pstn.media import g711
from signaling.pstn.media.embedded import EmbeddedBackend
from signaling.pstn.sip import call_events as told
from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.outgoing import OutgoingCall
from tests.interop.baresip import baresip
from tests.interop.phone import Said
from tests.interop.played import Way
from tests.signaling.pstn.media.ends import TRUNK, Told, free_place, in_seconds
from tests.signaling.pstn.media.web_app import WebApp
from tests.signaling.pstn.sip.agents import party, uri
from wephone.media.audio import Samples
from wephone.media.files import read_wav
from wephone.media.score import heard

RATE, FRAME, PCMA = 8_000, 160, 8
TONE = 440.0  # Hz
WAY = Way(Transport.UDP, "127.0.0.1")
LEG = "call/phone"


@pytest.fixture
async def bridge() -> AsyncIterator[tuple[EmbeddedBackend, Told]]:
    told = Told()
    backend = EmbeddedBackend(free_place(), told)
    await backend.start()
    yield backend, told
    await backend.stop()


async def echoed(
    bridge: tuple[EmbeddedBackend, Told], sound: Samples, srtp: Srtp, enough: Callable[[WebApp], bool]
) -> Samples:
    """An app says this to baresip, which says back what it hears: what the app heard of that, at 8 kHz."""
    backend, events = bridge
    app, trunk = WebApp("PCMA"), replace(TRUNK, codecs=("PCMA",), srtp=srtp)
    async with (
        party(SystemClock()) as us,
        baresip(WAY, encrypted=srtp is Srtp.ALWAYS) as far,
    ):
        await us.agent.listen(WAY.transport, WAY.host)
        opened = await backend.open_outgoing(LEG, await app.offer(), trunk)
        await app.answered(opened.app)
        made, talk = await us.call(uri(far.place, "far"), offer=opened.trunk.encode())
        assert isinstance(made, OutgoingCall)
        answer = (await talk.until(told.Answered)).sdp
        assert answer
        await backend.trunk_answered(LEG, answer.decode())
        await events.first(Connected)
        await app.connected()
        backend.lease(LEG, in_seconds(60))
        await backend.statistics(LEG)
        speaking = asyncio.create_task(speak(app, sound))
        await far.until(Said.UP)
        while not enough(app):
            await app.until(len(app.packets) + 1)
        speaking.cancel()
        await backend.close(LEG)
        made.hang_up()
        await talk.until(told.Ended)
    await app.close()
    return np.concatenate([g711.decode("PCMA", packet.payload) for packet in app.packets])


async def speak(app: WebApp, sound: Samples) -> None:
    """Again and again, 20 ms every 20 ms by the clock."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        for at in range(0, sound.size - FRAME + 1, FRAME):
            app.say(g711.encode("PCMA", sound[at : at + FRAME]), PCMA)
            due += 0.02
            await asyncio.sleep(max(0.0, due - loop.time()))


def loudest(sound: Samples) -> float:
    """The strongest frequency, Hz."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size)))
    return float(np.argmax(spectrum) * RATE / sound.size)


@pytest.mark.parametrize("srtp", Srtp)
async def test_a_tone_comes_back_from_baresip(bridge: tuple[EmbeddedBackend, Told], srtp: Srtp) -> None:
    tone = np.asarray(9_000 * np.sin(2 * np.pi * TONE * np.arange(RATE) / RATE), np.int16)

    def enough(app: WebApp) -> bool:
        """A second of it, silence before it apart."""
        loud = [p for p in app.packets if np.abs(g711.decode("PCMA", p.payload)).max() > 4_000]
        return len(loud) >= 50

    sound = await echoed(bridge, tone, srtp, enough)
    assert abs(loudest(sound[-RATE:]) - TONE) < 10


@pytest.mark.long
async def test_speech_comes_back_from_baresip_as_it_was_said(bridge: tuple[EmbeddedBackend, Told]) -> None:
    alice = Path(wephone.__file__).parent / "samples" / "alice.wav"
    said = read_wav(alice, RATE)
    sound = await echoed(bridge, said, Srtp.NEVER, lambda app: len(app.packets) > 2 * said.size // FRAME)
    score = heard(np.repeat(said, 6), np.repeat(sound, 6))  # at 48 kHz; what is above 4 kHz is in both alike
    assert score.stoi > 0.8, score
