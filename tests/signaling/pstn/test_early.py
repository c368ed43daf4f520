"""What a carrier sends before the answer: heard by a caller whom it does not hear, until the call is cut."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from signaling.media import MediaError
from signaling.ports.legs import Entitlement
from signaling.pstn.media import g711
from tests.interop.witness import Witness, witness
from tests.signaling.pstn.media.ends import Far, open_wire
from tests.signaling.pstn.media.web_app import WebApp
from tests.signaling.pstn.telephony import BOSS, NUMBER, PERMIT, Office, Trunks, office
from tests.signaling.pstn.test_heard import has_tone
from wephone.core import events
from wephone.media.audio import RATE
from wephone.protocol.ids import UserId
from wephone.protocol.reasons import EndReason
from wephone.testing.kit import Kit

PITCH = 1000  # Hz
A, B = b"\x11" * 160, b"\x22" * 160  # 20 ms of G.711 each


async def rung(phone: Witness, far: Far) -> str:
    """The next INVITE, to which the carrier says that it sends sound already."""
    invite = await phone.hear("INVITE")
    far.learn(invite.partition("\r\n\r\n")[2])
    phone.answer(invite, "183 Session Progress", sdp=far.describe())
    return invite


@asynccontextmanager
async def tone(far: Far) -> AsyncIterator[None]:
    """The far end says a tone while the block runs."""

    async def say() -> None:
        for frame in count():
            at = np.arange(frame * 160, frame * 160 + 160)
            samples = (8000 * np.sin(2 * math.pi * PITCH * at / 8000)).astype(np.int16)
            far.say(g711.encode("PCMU", samples))
            await asyncio.sleep(0.02)

    saying = asyncio.create_task(say())
    yield
    saying.cancel()
    await asyncio.wait((saying,))


async def test_a_caller_hears_the_carrier_before_the_answer_and_is_heard_after_it(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "trunks": tmp_path / "trunks.toml",
        "media": "embedded",
        "sip_listen": "127.0.0.1:0",
        "homes": ["DE"],
    }
    far = Far(await open_wire())
    async with witness() as phone:
        (tmp_path / "trunks.toml").write_text(Trunks().add("one", phone.place).text)
        async with Kit(settings) as kit:
            (alice,) = await kit.peers("alice")
            phone.answer(await phone.hear("OPTIONS"), "200 OK")
            await kit.permits.add(PERMIT)
            store = kit.server.running.parts.store
            await store.entitle(UserId("alice"), Entitlement(frozenset({"DE"}), BOSS, 1))
            call = await alice.call(NUMBER)
            invite = await rung(phone, far)
            async with tone(far):
                await call.wait_for(events.EarlySound)
                ear = alice.talks[-1].ear
                while not has_tone(ear.heard, RATE):  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0.02)
            assert call.state == "calling" and alice.talks[-1].mouth.seconds == 0
            assert far.packets == []
            phone.answer(invite, "200 OK", sdp=far.describe())
            await call.answered()
            await alice.talks[-1].mouth.spoke(0.2)
            while not far.packets:  # noqa: ASYNC110 - reports come too
                await asyncio.sleep(0.02)
            ended = asyncio.ensure_future(call.hangup())
            phone.answer(await phone.hear("BYE"), "200 OK")
            assert (await ended).reason is EndReason.HANGUP
    far.close()


async def silenced(here: Office, leg: str) -> None:
    """Once the sound of this leg is closed."""
    assert here.server.network is not None
    with pytest.raises(MediaError, match="is not open"):
        while await here.server.network.sound.statistics(leg):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.02)


async def said_until_heard(say: Callable[[], None], heard: Callable[[], int]) -> None:
    """Again and again, as sound comes: a bridge that is still at its half of DTLS drops it until then."""
    before = heard()
    while heard() == before:
        say()
        await asyncio.sleep(0.02)


async def test_what_is_heard_before_the_answer_stops_with_the_permit(tmp_path: Path) -> None:
    far, app = Far(await open_wire()), WebApp("PCMU")
    async with (
        witness() as phone,
        office(tmp_path, Trunks().add("one", phone.place), media="embedded") as here,
    ):
        phone.answer(await phone.hear("OPTIONS"), "200 OK")
        await here.permit()
        alice = await here.person("alice")
        call = await alice.invite(NUMBER, await app.offer())
        invite = await rung(phone, far)
        await app.answered((await alice.hears("early"))["sdp"])
        await app.connected()
        await said_until_heard(lambda: far.say(A), lambda: len(app.packets))
        for _ in range(3):
            app.say(B)  # as a client might that knows no rules
        await said_until_heard(lambda: far.say(A), lambda: len(app.packets))
        assert "answered" not in alice.kinds and far.packets == []
        await here.operator("POST", f"permits/{PERMIT['id']}/suspend", {"why": "a test"})
        assert (await alice.hears("ended"))["reason"] == "licence_withdrawn"
        cancel = await phone.hear("CANCEL")
        await silenced(here, f"{call}:callee")
        heard = len(app.packets)
        far.say(A)
        phone.answer(cancel, "200 OK")
        phone.answer(invite, "487 Request Terminated")
        [leg] = await here.legs(call)
        assert leg["answered_at"] is None
        assert len(app.packets) == heard and far.packets == []
    await app.close()
    far.close()


async def test_a_client_that_knows_no_early_sound_is_answered_as_ever(tmp_path: Path) -> None:
    far, app = Far(await open_wire()), WebApp("PCMU")
    async with (
        witness() as phone,
        office(tmp_path, Trunks().add("one", phone.place), media="embedded") as here,
    ):
        phone.answer(await phone.hear("OPTIONS"), "200 OK")
        await here.permit()
        alice = await here.person("alice")
        await alice.invite(NUMBER, await app.offer())
        invite = await rung(phone, far)
        early = await alice.hears("early")
        phone.answer(invite, "183 Session Progress", sdp=far.describe())
        phone.answer(invite, "200 OK", sdp=far.describe())
        answered = await alice.hears("answered")
        assert (answered["sdp"], alice.kinds.count("early")) == (early["sdp"], 1)
        await app.answered(answered["sdp"])
        await app.connected()
        await said_until_heard(lambda: app.say(B), lambda: len(far.packets))
        await said_until_heard(lambda: far.say(A), lambda: len(app.packets))
    await app.close()
    far.close()
