"""A refused telephone call that is told aloud: the caller sees why at once, hears it, and reaches nobody."""

import asyncio
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from signaling.media import Capability, Sound
from signaling.ports.legs import Entitlement
from signaling.pstn.media.sounds import SHIPPED
from tests.interop.witness import Witness, witness
from tests.signaling.device import SDP, Device
from tests.signaling.pstn.telephony import BOSS, NUMBER, Office, Trunks, office
from tests.signaling.pstn.test_heard import TELEPHONE, TONE, has_tone
from wephone.calls import Call
from wephone.core import events
from wephone.media.audio import RATE, Samples
from wephone.media.devices import Ear, read_wav
from wephone.media.score import heard
from wephone.protocol.ids import UserId
from wephone.protocol.reasons import EndReason
from wephone.testing.kit import Kit
from wephone.testing.peer import Peer
from wephone.testing.voice import Mouth, voice

SECONDS = 1.5  # that a recording of the operator's own lasts
HELP = "112"
CHANGE = {"kind": "offer", "round": 1, "sdp": SDP}


@asynccontextmanager
async def town(tmp_path: Path, **settings: Any) -> AsyncIterator[tuple[Kit, Witness]]:
    """A server that tells of refusals, and what stands where its telephone network begins."""
    async with witness() as phone:
        (tmp_path / "trunks.toml").write_text(Trunks().add("one", phone.place).text)
        usual = {
            "trunks": tmp_path / "trunks.toml",
            "media": "embedded",
            "sip_listen": "127.0.0.1:0",
            "homes": ["DE"],
            "spoken_refusals": "en",
        }
        async with Kit({**usual, **settings}) as kit:
            yield kit, phone


async def dialled(kit: Kit, peer: Peer) -> tuple[Call, Mouth, Ear]:
    """A call to a number, that no permit covers."""
    store = kit.server.running.parts.store
    await store.entitle(UserId(peer.name), Entitlement(frozenset({"DE"}), BOSS, 1))
    mouth, ear = Mouth(voice(peer.name)), Ear()
    return peer.client.place(NUMBER, source=mouth, sink=ear), mouth, ear


def recording(folder: Path) -> None:
    """The operator's own, in Chinese: a tone."""
    samples = np.sin(2 * np.pi * TONE * np.arange(int(SECONDS * TELEPHONE)) / TELEPHONE) * 8000
    with wave.open(str(folder / "refused.zh-CN.wav"), "wb") as file:
        file.setparams((1, 2, TELEPHONE, 0, "NONE", ""))
        file.writeframes(samples.astype(np.int16).tobytes())


def shipped(language: str) -> Samples:
    """What comes with the program, without the silence around it."""
    said = read_wav(SHIPPED / f"refused.{language}.wav")
    loud = np.flatnonzero(np.abs(said.astype(int)) > 500)
    return said[loud[0] : loud[-1]]


def is_told(said: Samples, other: Samples, ear: Ear) -> None:
    """This, and not the other. Gaps are a busy machine's: each packet is looked at in `test_embedded.py`."""
    right, wrong = heard(said, ear.heard), heard(other, ear.heard)
    assert right.stoi > 0.6 and abs(right.level) < 6, right
    assert wrong.stoi < right.stoi - 0.2, (right, wrong)


async def test_who_dials_without_a_permit_sees_why_at_once_and_hears_it_in_the_operators_words(
    tmp_path: Path,
) -> None:
    recording(tmp_path)
    async with town(tmp_path, announcements=tmp_path) as (kit, phone):
        alice = await kit.peer("alice", language="zh-CN")
        call, mouth, ear = await dialled(kit, alice)
        told = await call.wait_for(events.EarlySound)
        assert call.ended is None and told.refusal is not None and told.refusal.code == "DENY_NO_PERMIT"
        ended = await call.wait_ended()
        assert (ended.reason, ended.refusal) == (EndReason.REFUSED, told.refusal)
        assert has_tone(ear.heard, RATE)
        assert mouth.seconds == 0, "the microphone is never opened"
        assert await kit.server.running.parts.store.legs_of_call(call.id) == []
        assert {packet.partition(" ")[0] for packet in phone.packets} <= {"OPTIONS"}


@pytest.mark.long
async def test_who_hangs_up_while_it_is_told_has_been_refused(tmp_path: Path) -> None:
    async with town(tmp_path, spoken_refusals="zh-CN") as (kit, _):
        call, _, ear = await dialled(kit, await kit.peer("alice"))
        told = await call.wait_for(events.EarlySound)
        while ear.heard.size < 2 * RATE:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.1)
        assert call.ended is None
        ended = await call.hangup()
        assert (ended.reason, ended.refusal) == (EndReason.REFUSED, told.refusal)
        is_told(shipped("zh-CN")[:RATE], shipped("en")[:RATE], ear)


@pytest.mark.long
@pytest.mark.parametrize(("language", "other"), [("en", "zh-CN"), ("zh-CN", "en")])
async def test_what_comes_with_the_program_is_heard_to_its_end(
    tmp_path: Path, language: Any, other: str
) -> None:
    async with town(tmp_path) as (kit, _):
        call, _, ear = await dialled(kit, await kit.peer("alice", language=language))
        assert (await call.wait_ended()).reason is EndReason.REFUSED
        is_told(shipped(language), shipped(other), ear)


@asynccontextmanager
async def refusing(tmp_path: Path, **settings: Any) -> AsyncIterator[tuple[Office, Device]]:
    """A server without a permit, and who dials there; its sound is carried by a relay of the tests."""
    async with (
        witness() as phone,
        office(tmp_path, Trunks().add("one", phone.place), **{"spoken_refusals": "en", **settings}) as here,
    ):
        yield here, await here.person("alice")
        assert phone.with_media() == []


async def ended_at_once(here: Office, alice: Device, call: str) -> dict[str, Any]:
    """The end, before which nothing was told aloud, as it is recorded too."""
    ended = await alice.hears("ended")
    assert "early" not in alice.kinds
    assert not here.relay.legs and not here.relay.announcements
    record = await here.record(call)
    assert record["reason"] == ended["reason"]
    return ended


async def test_the_end_of_a_call_that_was_told_of_is_the_one_that_it_has_anyhow(tmp_path: Path) -> None:
    async with refusing(tmp_path, spoken_refusals="off") as (here, alice):
        silent = await ended_at_once(here, alice, await alice.invite(NUMBER))
        assert silent["refusal"]["code"] == "DENY_NO_PERMIT"
    async with refusing(tmp_path) as (here, alice):
        await alice.close()
        await alice.open(features=["speak-zh-CN"])
        call = await alice.invite(NUMBER)
        early = await alice.hears("early")
        [leg] = here.relay.announcements
        while not here.relay.announcements[leg].sounds:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
        assert here.relay.announcements[leg].sounds == [(Sound.REFUSED, "zh-CN")]
        here.relay.finish(leg)
        ended = await alice.hears("ended")
        assert ended["refusal"] == early["refusal"]
        changes = {"call", "refusal", "n"}
        assert {k: v for k, v in ended.items() if k not in changes} == {
            k: v for k, v in silent.items() if k not in changes
        }
        assert ended["refusal"]["text"] == silent["refusal"]["text"]
        record = await here.record(call)
        assert (record["reason"], record["decision"]) == ("refused", ended["refusal"]["decision"])
        assert not here.relay.legs and not here.relay.announcements


async def test_while_it_is_told_nothing_the_caller_says_makes_a_call_of_it(tmp_path: Path) -> None:
    async with refusing(tmp_path) as (here, alice):
        call = await alice.invite(NUMBER)
        await alice.hears("early")
        [leg] = here.relay.announcements
        nonce = {"nonce": alice.nonces[call]}
        said: dict[str, dict[str, Any]] = {
            "alerting": {},
            "answer": {"sdp": SDP, **nonce},
            "reveal": nonce,
            "negotiate": CHANGE,
        }
        for kind, fields in said.items():
            await alice.say(type=kind, call=call, **fields)
            assert (await alice.hears("error"))["code"] == "out_of_place"
        await here.permit()  # too late for this call
        assert here.server.network is not None
        assert here.server.network.at_work() == 0
        await alice.say(type="hangup", call=call)
        assert (await alice.hears("ended"))["reason"] == "refused"
        while leg in here.relay.announcements:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)


async def test_where_it_cannot_be_told_and_to_who_asks_for_help_the_end_comes_at_once(tmp_path: Path) -> None:
    async with refusing(tmp_path) as (here, alice):
        ended = await ended_at_once(here, alice, await alice.invite(HELP))
        assert ended["refusal"]["code"] == "DENY_EMERGENCY_NOT_SUPPORTED"
        await alice.invite(NUMBER)
        await alice.hears("early")
        here.relay.die()
        assert (await alice.hears("ended"))["refusal"]["code"] == "DENY_NO_PERMIT"
        bob, carol = await here.person("bob"), await here.person("carol")
        assert (await ended_at_once(here, bob, await bob.invite(NUMBER)))["reason"] == "refused"
        here.relay.alive = True
        here.relay.capabilities = frozenset({Capability.DTMF})
        assert (await ended_at_once(here, carol, await carol.invite(NUMBER)))["reason"] == "refused"


@pytest.mark.long
async def test_who_cannot_be_found_and_who_is_gone_are_not_told_for_ever(tmp_path: Path) -> None:
    async with refusing(tmp_path, resume=1) as (here, alice):
        call = await alice.invite(NUMBER)
        await alice.hears("early")
        await alice.close()
        assert (await here.record(call))["reason"] == "refused"
        assert here.relay.announcements == {}


@pytest.mark.long
async def test_a_server_that_stops_ends_what_it_tells(tmp_path: Path) -> None:
    async with refusing(tmp_path) as (here, alice):
        await alice.invite(NUMBER)
        await alice.hears("early")
        await here.server.close()
        assert not here.relay.announcements
