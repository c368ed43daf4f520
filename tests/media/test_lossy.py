"""A call over a real network that loses packets: a relay between two peers, which drops on request."""

import asyncio
import random
from functools import partial
from typing import Any

import pytest

from tests.fakes.datagrams import Datagrams
from tests.media.ends import End, begin, close, end, until
from wephone.media.audio import RATE, Samples
from wephone.media.devices import Voice
from wephone.media.score import heard

pytestmark = [pytest.mark.usefixtures("nothing_left")]


class Path(Datagrams):
    """One address of the relay: what comes here leaves by the other one."""

    def __init__(self, dice: random.Random) -> None:
        self.dice, self.loss = dice, 0.0
        self.other: Path
        self.near: tuple[str, int] | None = None  # who is at this side
        self.passed = self.dropped = 0

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self.near = (addr[0], addr[1])
        is_rtp = 128 <= data[0] < 192 and not 64 <= data[1] & 0x7F < 96  # RFC 5761 §4
        if is_rtp and self.dice.random() < self.loss:
            self.dropped += 1
            return
        self.passed += 1
        if self.other.near is not None:
            self.other.transport.sendto(data, self.other.near)


def given(path: Path) -> Path:
    """What asyncio wants to make is made already."""
    return path


async def relay(dice: random.Random) -> tuple[Path, Path]:
    """Two addresses on loopback, joined."""
    loop = asyncio.get_running_loop()
    left, right = Path(dice), Path(dice)
    left.other, right.other = right, left
    for path in (left, right):
        await loop.create_datagram_endpoint(partial(given, path), local_addr=("127.0.0.1", 0))
    return left, right


def by_way_of(description: str, path: Path) -> str:
    """The description with one candidate, the relay's address."""
    port = path.transport.get_extra_info("sockname")[1]
    kept = [line for line in description.splitlines() if not line.startswith("a=candidate")]
    where = next(index for index, line in enumerate(kept) if line.startswith("a=ice-ufrag"))
    kept.insert(where, f"a=candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host")
    return "".join(f"{line}\r\n" for line in kept)


async def joined(one: End, other: End, left: Path, right: Path) -> None:
    """A call between the two, each knowing the other only by its side of the relay."""
    offer = await one.peer.create_offer()
    left.near = address(one)
    answer = await other.peer.create_answer(by_way_of(offer, right))
    right.near = address(other)
    await one.peer.apply_answer(by_way_of(answer, left))


def address(each: End) -> tuple[str, int]:
    """Where a peer can be reached."""
    candidate = each.peer._connection.local_candidates[0]
    return candidate.host, candidate.port


LOSS = 0.1


async def test_speech_comes_through_a_network_that_loses_packets(
    alice: Samples, dice: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    left, right = await relay(dice)
    one, other = end(), end()
    await joined(one, other, left, right)
    left.loss = LOSS
    begin(one, Voice(alice))
    begin(other)
    await one.told.said.wait()
    await until(lambda: other.ear.length > alice.size + RATE)
    stats = other.peer.stats()
    await close(one, other)
    for path in (left, right):
        path.transport.close()
    assert 0 < stats.lost <= left.dropped
    assert 0.02 < stats.loss < 0.25
    assert stats.recovered + stats.concealed > 0
    score = heard(alice, other.ear.heard)
    assert score.stoi >= 0.85, (score, stats)
