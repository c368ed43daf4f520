"""From the library to a telephone and back, heard: client, server, its media process, a carrier's echo."""

import asyncio
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from licensing.instant import MILLISECOND
from signaling.clock import SystemClock
from signaling.ports.legs import Entitlement
from signaling.pstn import carrier as the_carrier
from signaling.pstn.carrier import Carrier
from signaling.pstn.echo import Echo, open_line
from signaling.pstn.media import g711
from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.uri import Uri
from tests.signaling.pstn.telephony import BOSS, DID, NUMBER, PERMIT, Trunks
from wephone.media.audio import RATE, Samples
from wephone.protocol.ids import UserId
from wephone.protocol.reasons import EndReason
from wephone.testing.kit import Kit
from wephone.testing.peer import Heard

MENU = "+49-30-123407"  # hears keys
HOUR = 3600 * 1_000_000  # microseconds
TONE = 1000  # Hz
TELEPHONE = 8_000  # samples a second
HALF = 0.5  # seconds


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    return {
        "trunks": tmp_path / "trunks.toml",
        "media": "embedded",
        "sip_listen": "127.0.0.1:0",
        "homes": ["DE"],
    }


async def test_who_calls_a_telephone_is_heard_there_and_who_is_called_by_one_too(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    keys: asyncio.Queue[str] = asyncio.Queue()
    carrier = Carrier(
        SystemClock(),
        {},
        peers=lambda host: True,
        picked_up_after=50 * MILLISECOND,
        keyed=lambda number, said: keys.put_nowait(said),
    )
    place = await carrier.listen(Transport.UDP, "127.0.0.1")
    (tmp_path / "trunks.toml").write_text(Trunks().add("one", place, dids={DID: "alice"}).text)
    try:
        async with Kit(settings) as kit:
            (alice,) = await kit.peers("alice")
            await kit.permits.add(PERMIT)
            store = kit.server.running.parts.store
            await store.entitle(UserId("alice"), Entitlement(frozenset({"DE"}), BOSS, 1))
            call = await alice.call(NUMBER)
            await call.answered()
            await call.connected()
            [talk] = alice.talks
            assert await Heard("alice", "the telephone", talk, talk, 1.0)
            [sound] = (await kit.server.running.parts.figures([f"{call.id}:callee"])).values()
            assert min(sound.app.received, sound.trunk.received) >= 50, "a second of 20 ms, from each side"
            await call.hangup()
            while True:
                [leg] = await store.legs_of_call(call.id)
                if leg.ended_at is not None:
                    break
                await asyncio.sleep(0.02)
            now = kit.server.running.parts.now_us()
            [kept] = (await store.charts(now - HOUR, now + HOUR, 2 * HOUR)).sound
            assert kept.packets >= 50, "a second of 20 ms, from each side"
            sip = kit.server.running.network
            assert sip is not None and sip.place is not None
            await carrier.dial(Uri("sip", sip.place.host, DID, port=sip.place.port), NUMBER)
            call = await alice.next_call()
            assert call.peer == NUMBER
            await call.connected()
            assert await Heard("alice", "the telephone", alice.talks[-1], alice.talks[-1], 1.0)
            await call.hangup()
            call = await alice.call(MENU)
            await call.connected()
            call.press("12*0#")
            assert await keys.get() == "12*0#"
            await call.hangup()
        assert carrier.calls == 2
    finally:
        await carrier.close()


class Listening(Echo):
    """A telephone that also keeps what it hears."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Samples] = []

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        super().datagram_received(data, address)
        if data[1] & 0x7F in (0, 8):
            self.heard.append(g711.decode("PCMU" if data[1] & 0x7F == 0 else "PCMA", data[12:]))


def has_tone(sound: Samples, rate: int) -> bool:
    """Is there half a second in which hardly anything but the tone is heard?"""
    length = int(rate * HALF)
    for begin in range(0, sound.size - length, length // 2):
        power = np.abs(np.fft.rfft(sound[begin : begin + length].astype(float) * np.hanning(length))) ** 2
        at = int(TONE * HALF)
        if power.sum() > 0 and power[at - 5 : at + 6].sum() > 0.8 * power.sum():
            return True
    return False


def recording(folder: Path) -> None:
    """The operator's own, of a permit that has ended: two seconds of a tone."""
    samples = np.sin(2 * np.pi * TONE * np.arange(2 * TELEPHONE) / TELEPHONE) * 8000
    with wave.open(str(folder / "revoked.zh-CN.wav"), "wb") as file:
        file.setparams((1, 2, TELEPHONE, 0, "NONE", ""))
        file.writeframes(samples.astype(np.int16).tobytes())


async def test_both_hear_in_the_operators_words_that_the_permit_has_ended(
    settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    telephone = await open_line(Listening, "127.0.0.1")

    async def opened(host: str) -> Listening:
        return telephone

    monkeypatch.setattr(the_carrier, "open_echo", opened)
    recording(tmp_path)
    carrier = Carrier(SystemClock(), {}, peers=lambda host: True, picked_up_after=50 * MILLISECOND)
    place = await carrier.listen(Transport.UDP, "127.0.0.1")
    trunks = Trunks().add("one", place).text.replace("options_every", 'language = "zh-CN"\noptions_every')
    (tmp_path / "trunks.toml").write_text(trunks)
    try:
        async with Kit({**settings, "announcements": tmp_path, "on_loss_suspended": 4}) as kit:
            (alice,) = await kit.peers("alice")
            await kit.permits.add(PERMIT)
            store = kit.server.running.parts.store
            await store.entitle(UserId("alice"), Entitlement(frozenset({"DE"}), BOSS, 1))
            call = await alice.call(NUMBER)
            await call.answered()
            await call.connected()
            ear = alice.talks[-1].ear
            await alice.talks[-1].mouth.spoke(0.5)
            assert not has_tone(ear.heard, RATE)
            await kit.permits.suspend("basic")
            assert (await call.wait_ended()).reason is EndReason.LICENCE_WITHDRAWN
            assert has_tone(ear.heard, RATE)
            assert has_tone(np.concatenate(telephone.heard), TELEPHONE)
    finally:
        await carrier.close()
