"""From the library to a telephone and back, heard: client, server, its media process, a carrier's echo."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from licensing.instant import MILLISECOND
from signaling.clock import SystemClock
from signaling.ports import Entitlement
from signaling.pstn.carrier import Carrier
from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.uri import Uri
from tests.signaling.pstn.telephony import BOSS, DID, NUMBER, PERMIT, Trunks
from wephone.protocol.ids import UserId
from wephone.testing.kit import Kit
from wephone.testing.peer import Heard

HOUR = 3600 * 1_000_000  # microseconds


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
    carrier = Carrier(SystemClock(), {}, peers=lambda host: True, picked_up_after=50 * MILLISECOND)
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
        assert carrier.calls == 1
    finally:
        await carrier.close()
