"""Telephone calls of a real server over Debian's Janus: heard both ways, cut in time, refused in words."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from licensing.instant import MILLISECOND
from signaling.clock import SystemClock
from signaling.pstn.carrier import Carrier
from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.uri import Uri
from tests.fakes.janus import Janus, janus
from tests.signaling.device import SDP, Device
from tests.signaling.pstn.media.web_app import WebApp
from tests.signaling.pstn.telephony import DID, NUMBER, PERMIT, Office, Trunks, office

A, B = b"\x11" * 160, b"\x22" * 160  # 20 ms of PCMU each


@dataclass
class Scene:
    """The server with its Janus, a carrier whose telephones say back what they hear, and who calls."""

    here: Office
    janus: Janus
    carrier: Carrier
    alice: Device


@asynccontextmanager
async def scene(folder: Path, **settings: Any) -> AsyncIterator[Scene]:
    carrier = Carrier(SystemClock(), {}, peers=lambda host: True, picked_up_after=20 * MILLISECOND)
    place = await carrier.listen(Transport.UDP, "127.0.0.1")
    trunks = Trunks().add("one", place, dids={DID: "alice"})
    try:
        async with janus() as running, office(folder, trunks, **over(running), **settings) as here:
            await here.permit()
            yield Scene(here, running, carrier, await here.person("alice"))
    finally:
        await carrier.close()


def over(running: Janus) -> dict[str, Any]:
    """The settings of a server that has this Janus."""
    place = running.place
    return {
        "media": "janus",
        "janus_url": place.url,
        "janus_admin_url": place.admin_url,
        "janus_secret_file": running.folder / "secret",
    }


async def calling(scene: Scene) -> tuple[str, WebApp]:
    """A call of alice's in which she hears what she says."""
    app = WebApp("PCMU")
    call = await scene.alice.invite(NUMBER, await app.offer())
    await app.answered((await scene.alice.hears("answered"))["sdp"])
    await app.connected()
    await echoed(app, A)
    return call, app


async def echoed(app: WebApp, payload: bytes) -> None:
    """Speak until it is heard: telephones pick up when they like."""
    while payload not in app.payloads:
        app.say(payload)
        await asyncio.sleep(0.02)


async def test_a_telephone_is_heard_both_ways_and_no_call_outlives_janus(tmp_path: Path) -> None:
    async with scene(tmp_path) as on:
        await calls_a_telephone(on)
        await is_called_by_a_telephone(on)
        await is_refused_without_g711(on)
        await loses_janus(on)


async def calls_a_telephone(on: Scene) -> None:
    call, app = await calling(on)
    await on.alice.say(type="hangup", call=call)
    assert (await on.alice.hears("ended"))["reason"] == "hangup"
    [leg] = await on.here.legs(call)
    assert leg["confirmed"]
    await app.close()


async def is_called_by_a_telephone(on: Scene) -> None:
    await on.carrier.dial(Uri("sip", on.here.sip.host, DID, port=on.here.sip.port), NUMBER)
    incoming = await on.alice.hears("incoming")
    app = WebApp("PCMU")
    answer = await app.answer(incoming["sdp"])
    await on.alice.say(type="alerting", call=incoming["call"])
    await on.alice.say(type="answer", call=incoming["call"], sdp=answer, nonce=secrets.token_hex(32))
    await on.alice.hears("select_answer")
    await app.connected()
    await echoed(app, B)
    await on.alice.say(type="hangup", call=incoming["call"])
    assert (await on.alice.hears("ended"))["reason"] == "hangup"
    await on.here.legs(incoming["call"])
    await app.close()


async def is_refused_without_g711(on: Scene) -> None:
    call = await on.alice.invite(NUMBER, SDP)  # Opus alone
    assert (await on.alice.hears("ended"))["reason"] == "media_failed"
    [leg] = await on.here.legs(call)
    assert (leg["answered_at"], leg["q850"]) == (None, 31)


async def loses_janus(on: Scene) -> None:
    call, app = await calling(on)
    died = time.monotonic()
    on.janus.process.kill()
    assert (await on.alice.hears("ended"))["reason"] == "media_failed"
    assert time.monotonic() - died < 2
    [leg] = await on.here.legs(call)
    assert leg["confirmed"], "the carrier has been told"
    async with on.here.http.get(f"{on.here.server.operator_url}/metrics") as answer:
        assert "wephone_media_down 1.0\n" in await answer.text()
    await app.close()


async def test_a_permit_that_is_suspended_cuts_the_sound_and_ends_the_call(tmp_path: Path) -> None:
    async with scene(tmp_path, on_loss_suspended=0) as on:
        call, app = await calling(on)
        talking = asyncio.create_task(talk(app))
        await on.here.operator("POST", f"permits/{PERMIT['id']}/suspend", {"why": "a test"})
        assert (await on.alice.hears("ended"))["reason"] == "licence_withdrawn"
        told = time.monotonic()
        [leg] = await on.here.legs(call)
        assert leg["confirmed"]
        talking.cancel()
        await asyncio.wait((talking,))
        assert app.packets[-1].at / 1e9 - told < 1
        await app.close()


async def talk(app: WebApp) -> None:
    """As long as there is somebody to hear it."""
    while not app.failed.is_set():
        app.say(A)
        await asyncio.sleep(0.02)
