"""Is what one side says what the other hears: real speech, in real time, scored."""

import asyncio
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import av
import numpy as np
import pytest
import pytest_asyncio

import wephone
from signaling.media import Connected, Played, Sound
from signaling.pstn.media import g711, trunk_sdp
from signaling.pstn.media.embedded import EmbeddedBackend
from signaling.pstn.media.rtp import FRAME
from signaling.pstn.media.sounds import Sounds
from signaling.pstn.media.trunk_sdp import PAYLOADS
from tests.signaling.pstn.media.conftest import Embedded
from tests.signaling.pstn.media.ends import TRUNK, Far, Told, in_seconds, open_wire
from tests.signaling.pstn.media.web_app import WebApp
from wephone.media.audio import Samples
from wephone.media.files import read_wav
from wephone.media.opus import Decoder, Encoder
from wephone.media.score import heard

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAMPLES = Path(wephone.__file__).parent / "samples"
LEG = "call/phone"
RATE = 8_000
OPUS = 96  # aiortc's payload type


def widened(samples: Samples) -> Samples:
    """From 8 to 48 kHz."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000)
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = RATE
    pieces = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([np.asarray(each.to_ndarray()[0], np.int16) for each in pieces])


class Phone(Far):
    """A far end that speaks and hears G.711."""

    law = "PCMU"

    async def speak(self, samples: Samples, step: float) -> None:
        """Samples at 8 kHz, a frame each `step` seconds. The bridge has no clock of its own to be told by."""
        for at in range(0, samples.size - FRAME, FRAME):
            self.say(g711.encode(self.law, samples[at : at + FRAME]), PAYLOADS[self.law])
            await asyncio.sleep(step)

    @property
    def heard(self) -> Samples:
        """What came, each packet at its own time, at 48 kHz."""
        packets = [packet for packet in self.packets if packet.payload_type == PAYLOADS[self.law]]
        begin = packets[0].timestamp
        sound = np.zeros(10 * RATE, dtype=np.int16)
        for packet in packets:
            at = (packet.timestamp - begin) % 2**32
            sound[at : at + len(packet.payload)] = g711.decode(self.law, packet.payload)
        return widened(sound)


@pytest_asyncio.fixture(loop_scope="module")
async def phone() -> AsyncIterator[Phone]:
    made = Phone(await open_wire())
    yield made
    made.close()


async def connect(backend: EmbeddedBackend, told: Told, app: WebApp, phone: Phone) -> None:
    """An outgoing call to this phone, answered and leased."""
    opened = await backend.open_outgoing(LEG, await app.offer(), TRUNK)
    phone.learn(opened.trunk)
    await app.answered(opened.app)
    await backend.trunk_answered(LEG, phone.describe(codecs=(phone.law,)))
    await told.first(Connected)
    await app.connected()
    backend.lease(LEG, in_seconds(60))
    await backend.statistics(LEG)


def decoded(app: WebApp) -> Samples:
    """What an app heard in Opus, in the order of its numbers."""
    decoder = Decoder()
    packets = sorted(app.packets, key=lambda packet: packet.sequence - app.packets[0].sequence)
    return np.concatenate([decoder.decode(packet.payload) for packet in packets])


async def test_an_app_that_speaks_opus_alone_and_a_telephone_hear_each_other(
    embedded: Embedded, phone: Phone
) -> None:
    backend, fresh = embedded
    told, app = fresh(), WebApp("opus", keys=False)
    alice, bob = read_wav(SAMPLES / "alice.wav"), read_wav(SAMPLES / "bob.wav")
    await connect(backend, told, app, phone)
    encoder = Encoder()
    speaking = asyncio.create_task(phone.speak(read_wav(SAMPLES / "bob.wav", RATE), 0.004))
    for at in range(0, alice.size - 960, 960):
        app.say(encoder.encode(alice[at : at + 960]), OPUS, step=960)
        await asyncio.sleep(0.004)
    await speaking
    await phone.wire.until(alice.size // 960 - 1)
    await app.until(bob.size // 960 - 1)
    figures = await backend.close(LEG)
    await app.close()
    assert figures is not None
    assert (figures.app_codec, figures.trunk_codec) == ("opus", "PCMU")
    said, answered = heard(alice, phone.heard), heard(bob, decoded(app))
    assert said.good, said
    assert answered.good, answered


@pytest.mark.parametrize(("offered", "spoken"), [(("PCMU",), "PCMU"), (("opus", "PCMA"), "PCMA")])
async def test_what_an_app_says_in_g711_arrives_bit_by_bit(
    embedded: Embedded, phone: Phone, offered: tuple[str, ...], spoken: str
) -> None:
    backend, fresh = embedded
    told, app = fresh(), WebApp(*offered)
    phone.law = spoken
    opened = await backend.open_outgoing(LEG, await app.offer(), TRUNK)
    phone.learn(opened.trunk)
    assert trunk_sdp.parse(opened.trunk, TRUNK).codecs[0] == spoken  # so that nothing need be converted
    await app.answered(opened.app)
    await backend.trunk_answered(LEG, phone.describe(codecs=(spoken,)))
    await told.first(Connected)
    await app.connected()
    backend.lease(LEG, in_seconds(60))
    await backend.statistics(LEG)
    said = [bytes([index]) * 160 for index in range(50)]
    for payload in said:
        app.say(payload, PAYLOADS[spoken])
    await phone.wire.until(50)
    phone.say(said[7], PAYLOADS[spoken])
    await app.until(1)
    await backend.close(LEG)
    await app.close()
    assert [packet.payload for packet in phone.packets] == said
    assert app.payloads == [said[7]]


async def test_from_one_law_to_the_other_it_stays_the_same_sound(embedded: Embedded, phone: Phone) -> None:
    backend, fresh = embedded
    told, app = fresh(), WebApp("PCMU")
    phone.law = "PCMA"
    await connect(backend, told, app, phone)
    bob = read_wav(SAMPLES / "bob.wav", RATE)[:FRAME]
    app.say(g711.encode("PCMU", bob))
    await phone.wire.until(1)
    await backend.close(LEG)
    await app.close()
    assert phone.packets[0].payload_type == 8
    assert np.abs(g711.decode("PCMA", phone.packets[0].payload).astype(int) - bob).max() < 1024


async def test_a_refusal_is_heard_by_an_app_that_has_no_lease(embedded: Embedded, phone: Phone) -> None:
    backend, fresh = embedded
    told, app = fresh(), WebApp("opus", keys=False)
    opened = await backend.open_outgoing(LEG, await app.offer(), TRUNK)
    await backend.play(LEG, "app", Sound.REVOKED, "zh-CN")  # it begins when the app can hear it
    await app.answered(opened.app)
    assert await told.first(Played) == Played(LEG, "app", Sound.REVOKED)
    said = Sounds(None).samples(Sound.REVOKED, "zh-CN")
    await app.until(said.size // FRAME - 10)  # what was sent before its half of DTLS was done is lost
    await backend.close(LEG)
    await app.close()
    score = heard(widened(said), decoded(app))
    assert score.stoi > 0.8, score
    assert phone.packets == []


async def test_the_operators_own_recording_takes_the_place_of_ours(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "refused.en.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(b"\x00\x10" * 16_000)
    (tmp_path / "revoked.en.wav").write_text("no sound at all")
    sounds = Sounds(tmp_path)
    assert sounds.samples(Sound.REFUSED, "en").size == RATE
    ours = Sounds(None)
    for sound in Sound:
        for language in ("en", "zh-CN"):
            assert ours.samples(sound, language).size > RATE
    assert np.array_equal(sounds.samples(Sound.REVOKED, "en"), ours.samples(Sound.REVOKED, "en"))
