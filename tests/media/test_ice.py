"""Finding each other: servers that do not answer, names, relays, strangers, machines without a network."""

import asyncio
import socket
import subprocess
import sys
import time

import pytest
from aioice import ice

from tests.fakes.stun import Turn
from tests.media.ends import End, begin, close, end, negotiate, talk, until
from wephone.media import sdp
from wephone.media.devices import Tone
from wephone.media.errors import DescriptionError
from wephone.media.servers import IceServer, IceSettings, chosen
from wephone.protocol.messages import Candidate

pytestmark = [pytest.mark.usefixtures("nothing_left")]

NAMED = "candidate:1 1 udp 2113937151 5c9b2b2e-7b7c-4a54-9a86-0d9ad5c4bb33.local 54321 typ host"


def trickle(one: End, other: End) -> "list[asyncio.Task[None]]":
    """Hand over candidates as they are found, both ways."""
    tasks: list[asyncio.Task[None]] = []

    def hand_over(receiver: End, candidate: Candidate | None) -> None:
        found = [] if candidate is None else [candidate]
        work = receiver.peer.add_candidates(found, end=candidate is None)
        tasks.append(asyncio.ensure_future(work))

    one.told.candidate_sink = lambda candidate: hand_over(other, candidate)
    other.told.candidate_sink = lambda candidate: hand_over(one, candidate)
    return tasks


async def test_servers_that_do_not_answer_cost_no_time(silent_server: int) -> None:
    settings = IceSettings(
        (
            IceServer(f"stun:127.0.0.1:{silent_server}"),
            IceServer(f"turn:127.0.0.1:{silent_server}", "alice", "secret"),
        )
    )
    one, other = end(settings), end(settings)
    began = time.monotonic()
    await talk(one, other)
    assert time.monotonic() - began < 2.0  # stock aiortc waits for 5 s on each side, before it says anything
    assert one.told.candidates == []  # and still asks
    await close(one, other)


async def test_while_servers_are_asked_the_offer_promises_more_candidates(silent_server: int) -> None:
    asking = end(IceSettings((IceServer(f"stun:127.0.0.1:{silent_server}"),)))
    assert "a=end-of-candidates" not in await asking.peer.create_offer()
    knowing = end()
    assert "a=end-of-candidates" in await knowing.peer.create_offer()
    await close(asking, knowing)


async def test_an_address_that_a_server_sees_is_trickled_when_it_is_known() -> None:
    async with Turn(address_seen="192.0.2.77") as server:
        one = end(IceSettings((IceServer(f"stun:127.0.0.1:{server.port}"),)))
        offer = await one.peer.create_offer()
        await until(lambda: None in one.told.candidates)
        await close(one)
    found = [each.candidate for each in one.told.candidates if each is not None]
    assert found
    assert "192.0.2.77" not in offer
    assert all("192.0.2.77" in each and "srflx" in each for each in found)


async def test_only_the_relay_is_seen_when_that_is_asked_for() -> None:
    async with Turn() as server:
        relay = IceSettings((IceServer(f"turn:127.0.0.1:{server.port}", "alice", "secret"),), relay_only=True)
        one, other = end(relay), end(relay)
        tasks = trickle(one, other)
        offer = await one.peer.create_offer()
        assert "a=candidate" not in offer
        await one.peer.apply_answer(await other.peer.create_answer(offer))
        begin(one, Tone(440))
        begin(other, Tone(1000))
        await asyncio.gather(one.told.heard.wait(), other.told.heard.wait())
        said = [each.candidate for each in (*one.told.candidates, *other.told.candidates) if each is not None]
        assert said
        assert all(" typ relay raddr 0.0.0.0 " in each for each in said)
        assert server.relayed > 10
        await asyncio.gather(*tasks)
        await close(one, other)


async def test_a_relay_that_comes_late_still_finds_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two know addresses of each other at which nobody answers; the relay is all they have."""
    async with Turn() as server:
        settings = IceSettings((IceServer(f"turn:127.0.0.1:{server.port}", "alice", "secret"),))
        one, other = end(settings), end()
        trickled = trickle(one, other)
        offer = await one.peer.create_offer()
        answer = await other.peer.create_answer(without_candidates(offer))
        await one.peer.apply_answer(without_candidates(answer))
        begin(one)
        begin(other)
        address = next(line for line in answer.splitlines() if line.startswith("a=candidate"))
        await one.peer.add_candidates([Candidate(candidate=address.removeprefix("a="))], end=False)
        await asyncio.gather(one.told.heard.wait(), other.told.heard.wait())
        await asyncio.gather(*trickled)
        await close(one, other)


def without_candidates(description: str) -> str:
    return "".join(f"{line}\r\n" for line in description.splitlines() if "candidate" not in line)


async def test_a_name_that_nobody_knows_costs_no_time() -> None:
    one, other = end(), end()
    offer = await one.peer.create_offer()
    named = offer.replace("a=end-of-candidates", f"a={NAMED}\r\na=end-of-candidates")
    began = time.monotonic()
    answer = await other.peer.create_answer(named)
    await one.peer.apply_answer(answer)
    begin(one)
    begin(other)
    await asyncio.gather(one.told.heard.wait(), other.told.heard.wait())
    assert time.monotonic() - began < 0.9  # resolving it takes aioice a second
    await close(one, other)


async def test_without_any_way_the_media_fails_in_words() -> None:
    one, other = end(), end()
    answer = await other.peer.create_answer(without_candidates(await one.peer.create_offer()))
    await one.peer.apply_answer(without_candidates(answer))
    await one.peer.add_candidates([], end=True)
    assert await one.told.failed == "no way to the far end was found"
    await close(one, other)


async def test_what_strangers_send_is_dropped_and_the_call_goes_on() -> None:
    one, other = end(), end()
    await talk(one, other, Tone(440), Tone(1000))
    await negotiate(one, other)
    address = other.peer._connection.local_candidates[0]
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as stranger:
        before = other.peer.stats().strangers
        datagrams = [
            b"",  # stock aiortc's DTLS dies of it
            bytes([22, 254, 253, 0, 0]) + bytes(40),  # a DTLS handshake: the ClientHello race
            bytes([21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 0]),  # a DTLS alert
            bytes([128, 96, 0, 1]) + bytes(40),  # RTP
            bytes([129, 203, 0, 1]) + bytes(4),  # an RTCP goodbye
            bytes(range(256)),
            b"\x00\x01\x00\x08\x21\x12\xa4\x42" + bytes(12),  # STUN that lies about its length
            b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12),  # a check by somebody without our password
        ]
        for datagram in datagrams:
            stranger.sendto(datagram, (address.host, address.port))
        await until(lambda: other.peer.stats().strangers >= before + len(datagrams) - 2)
    received = other.peer.stats().received
    await until(lambda: other.peer.stats().received > received + 10)
    assert not other.told.failed.done()
    assert not other.told.closed.is_set()
    await close(one, other)


async def test_a_machine_without_network_calls_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ice, "get_host_addresses", lambda use_ipv4, use_ipv6: [])
    one, other = end(), end()
    assert "127.0.0.1" in await one.peer.create_offer()
    await one.peer.roll_back()
    await talk(one, other)
    await close(one, other)


async def test_a_machine_with_a_network_does_not_offer_127_0_0_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.2"])
    one = end()
    candidates = [
        line
        for line in sdp.parse(await one.peer.create_offer()).sections[0].lines
        if line.startswith("a=candidate:")
    ]
    assert len(candidates) == 1
    assert "127.0.0.2" in candidates[0]
    await close(one)


ALONE = """
import asyncio
from tests.media.ends import close, end, talk
from wephone.media.devices import Tone

async def main():
    one, other = end(), end()
    await talk(one, other, Tone(440), Tone(1000))
    print([each.host for each in one.peer._connection.local_candidates])
    await close(one, other)

asyncio.run(main())
"""


def namespaces() -> bool:
    """May this user make a network of its own?"""
    try:
        made = subprocess.run(("unshare", "-rn", "true"), capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return made.returncode == 0


def test_a_real_network_namespace_with_loopback_alone_is_enough() -> None:
    """Where namespaces are not allowed the test above stands for it."""
    call = [sys.executable, "-c", ALONE]
    if namespaces():
        call = ["unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *call]
    done = subprocess.run(call, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    if namespaces():
        assert done.stdout == "['127.0.0.1']\n"


def test_one_stun_and_one_turn_server_are_chosen_udp_first() -> None:
    servers = tuple(
        IceServer(url)
        for url in ("turns:c", "turn:b?transport=tcp", "stun:x", "turn:a", "stun:y", "turn:d?transport=udp")
    )
    assert [each.url for each in chosen(servers)] == ["stun:x", "turn:a"]
    assert chosen(()) == ()


async def test_a_server_without_an_address_is_refused_in_words() -> None:
    for url in ("stun:", "turn:host:port:port", "stun:host:99x"):
        with pytest.raises(DescriptionError, match="no address of a STUN or TURN server"):
            end(IceSettings((IceServer(url),)))
