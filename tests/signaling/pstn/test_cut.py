"""How soon telephones hear nothing more once calls are to end at once, by the server's own bridge."""

import asyncio
import time
from pathlib import Path

import pytest

from licensing.instant import MILLISECOND
from signaling.clock import SystemClock
from signaling.media import Sound
from signaling.pstn import carrier as the_carrier
from signaling.pstn.carrier import Carrier
from signaling.pstn.echo import Line, open_line
from signaling.pstn.sip.hop import Transport
from tests.signaling.pstn.telephony import NUMBER, PERMIT, Trunks, office


class Ear(Line):
    """A telephone that says nothing, and knows when it last heard something."""

    def __init__(self) -> None:
        self.packets = 0
        self.last = 0.0

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self.packets += 1
        self.last = time.monotonic()


async def heard(ears: list[Ear], packets: int) -> None:
    """Once each of these has heard so many more."""
    before = [ear.packets for ear in ears]
    while True:
        if all(ear.packets - had >= packets for ear, had in zip(ears, before, strict=True)):
            return
        await asyncio.sleep(0.02)


async def test_no_telephone_hears_a_packet_a_second_after_the_command(
    full_size: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `at_once`. Each BYE is confirmed, and a call between two apps goes on."""
    calls, ears = 50 if full_size else 3, list[Ear]()

    async def opened(host: str) -> Ear:
        ears.append(await open_line(Ear, host))
        return ears[-1]

    monkeypatch.setattr(the_carrier, "open_echo", opened)
    carrier = Carrier(SystemClock(), {}, peers=lambda host: True, picked_up_after=50 * MILLISECOND)
    place = await carrier.listen(Transport.UDP, "127.0.0.1")
    trunks = Trunks().add("one", place, limits="concurrent_calls = 100\nminutes_per_day = 9999")
    try:
        async with office(tmp_path, trunks, media="embedded", on_loss_suspended=0) as here:
            await here.permit()
            bob, carol = await here.person("bob"), await here.person("carol")
            between_apps = await bob.talk_to(carol)
            alice = await here.person("alice", concurrent_calls=100, calls_per_hour=99, minutes_per_day=9999)
            made = []
            for _ in range(calls):
                made.append(await alice.invite(NUMBER))
                await alice.hears("answered")
            assert here.server.network is not None
            for call in made:
                await here.server.network.sound.play(f"{call}:callee", "trunk", Sound.MUSIC)
            await heard(ears, 20)
            commanded = time.monotonic()
            await here.operator("POST", f"permits/{PERMIT['id']}/suspend", {"why": "a test"})
            for _ in made:
                assert (await alice.hears("ended"))["reason"] == "licence_withdrawn"
            legs = [leg for call in made for leg in await here.legs(call)]
            assert len(legs) == calls and all(leg["confirmed"] for leg in legs)
            late = sorted(ear.last - commanded for ear in ears)
            assert late[-1] < 1.0, late
            assert "ended" not in bob.kinds + carol.kinds
            await bob.say(type="hangup", call=between_apps)
            assert (await carol.hears("ended"))["reason"] == "hangup"
    finally:
        await carrier.close()
