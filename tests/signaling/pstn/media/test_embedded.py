"""What the embedded backend does beyond the contract: its process, its leases, its sound."""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio

from signaling.media import (
    CandidatesFound,
    Connected,
    DigitHeard,
    Ended,
    Ending,
    Helper,
    Language,
    LeaseOver,
    MediaError,
    Problem,
    Sound,
    Srtp,
    TimedOut,
    TrunkMedia,
)
from signaling.pstn.media import g711, messages, trunk_sdp
from signaling.pstn.media.embedded import EmbeddedBackend
from signaling.pstn.media.place import Place
from signaling.pstn.media.playing import frames
from signaling.pstn.media.sounds import shipped
from signaling.pstn.media.trunk_sdp import Ours
from signaling.pstn.sip.sdes import Key
from tests.fakes.stun import Turn
from tests.signaling.pstn.media.conftest import Embedded
from tests.signaling.pstn.media.ends import (
    HOST,
    TRUNK,
    Far,
    Told,
    free_place,
    in_seconds,
    open_wire,
)
from tests.signaling.pstn.media.web_app import WebApp

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("real_processes")]

A, B = b"\x11" * 160, b"\x22" * 160
LONG = 60.0


@dataclass
class Call:
    """One leg of the embedded backend."""

    backend: EmbeddedBackend
    told: Told
    app: WebApp
    far: Far
    leg: str = "call/phone"

    async def begin(self, trunk: TrunkMedia = TRUNK, seconds: float = LONG) -> None:
        """From nothing to sound both ways."""
        opened = await self.backend.open_outgoing(self.leg, await self.app.offer(), trunk)
        self.far.learn(opened.trunk)
        await self.app.answered(opened.app)
        await self.backend.trunk_answered(self.leg, self.far.describe())
        await self.told.first(Connected)
        await self.app.connected()
        await self.lease(seconds)

    async def lease(self, seconds: float) -> None:
        self.backend.lease(self.leg, in_seconds(seconds))
        await self.backend.statistics(self.leg)

    async def until_unleased(self, count: int) -> None:
        """Wait until so many packets of the app were dropped for want of a lease."""
        while (await self.backend.statistics(self.leg)).app.unleased < count:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.005)

    async def end(self) -> None:
        await self.backend.close(self.leg)
        await self.app.close()
        self.far.close()


@pytest_asyncio.fixture(loop_scope="module")
async def call(embedded: Embedded) -> AsyncIterator[Call]:
    backend, fresh = embedded
    made = Call(backend, fresh(), WebApp("PCMU"), Far(await open_wire()))
    yield made
    await made.end()


async def test_a_killed_process_ends_its_legs_within_two_seconds_and_the_next_call_works() -> None:
    told = Told()
    backend = EmbeddedBackend(free_place(), told)
    await backend.start()
    one = Call(backend, told, WebApp("PCMU"), Far(await open_wire()))
    await one.begin()
    pid, killed = backend.pid, time.monotonic()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert await told.first(Ended) == Ended(one.leg, Ending.BACKEND_DIED, "the media process has died")
    assert time.monotonic() - killed < 2
    with pytest.raises(MediaError) as refused:
        await backend.open_outgoing("another", await one.app.offer(), TRUNK)
    assert refused.value.problem is Problem.DOWN
    await one.end()
    while backend.pid in (None, pid):  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.01)
    told.events.clear()
    other = Call(backend, told, WebApp("PCMU"), Far(await open_wire()), "next/phone")
    await other.begin()
    other.app.say(A)
    await other.far.wire.until(1)
    await other.end()
    await backend.stop()


async def test_a_process_whose_server_has_gone_sends_nothing_more_and_ends() -> None:
    told = Told()
    backend = EmbeddedBackend(free_place(), told)
    await backend.start()
    one = Call(backend, told, WebApp("PCMU"), Far(await open_wire()))
    await one.begin()
    process = backend._process
    assert process is not None
    stopping = asyncio.create_task(backend.stop())
    await one.app.failed.wait()  # the process has said goodbye to the app
    one.app.say(A)
    await stopping
    assert process.returncode == 0
    assert one.far.packets == []
    await one.end()


@pytest.mark.long
async def test_a_process_that_hangs_is_killed_and_one_whose_server_hangs_is_not() -> None:
    told = Told()
    backend = EmbeddedBackend(free_place(), told)
    await backend.start()
    one = Call(backend, told, WebApp("PCMU"), Far(await open_wire()))
    await one.begin()
    pid = backend.pid
    assert pid is not None
    time.sleep(8)  # noqa: ASYNC251 - the server stands still
    await asyncio.sleep(1.5)
    assert backend.pid == pid
    await backend.statistics(one.leg)
    os.kill(pid, signal.SIGSTOP)
    assert await told.first(Ended) == Ended(one.leg, Ending.BACKEND_DIED, "the media process has died")
    await one.end()
    await backend.stop()


async def test_a_lease_without_the_servers_seal_is_not_obeyed(call: Call) -> None:
    await call.begin(seconds=0)
    await call.told.first(LeaseOver)
    until = in_seconds(LONG)
    seal = messages.sealed(b"another key", call.leg, until, 10_000)
    call.backend._order(messages.SetLease(leg=call.leg, until_ns=until, serial=10_000, seal=seal))
    call.app.say(A)
    await call.until_unleased(1)
    assert call.far.packets == []


async def test_an_older_lease_does_not_come_back(call: Call) -> None:
    await call.begin(seconds=0)
    serial, until = call.backend._serial, in_seconds(LONG)
    seal = messages.sealed(call.backend._key, call.leg, until, serial)
    call.backend._order(messages.SetLease(leg=call.leg, until_ns=until, serial=serial, seal=seal))
    call.app.say(A)
    await call.until_unleased(1)
    assert call.far.packets == []


async def test_sound_ends_with_the_lease_to_the_moment(call: Call) -> None:
    await call.begin()
    talking = asyncio.create_task(talk(call))
    await call.far.wire.until(5)
    until = in_seconds(0.2)
    call.backend.lease(call.leg, until)
    await call.told.first(LeaseOver)
    await call.until_unleased(5)
    talking.cancel()
    assert max(int.from_bytes(packet.payload[:8]) for packet in call.far.packets) < until


async def talk(call: Call) -> None:
    """20 ms of sound every 20 ms, that says when it was sent."""
    while True:
        call.app.say(time.monotonic_ns().to_bytes(8) + A[8:])
        await asyncio.sleep(0.02)


async def test_numbers_go_on_when_the_trunk_speaks_from_elsewhere(call: Call) -> None:
    await call.begin()
    for _ in range(2):
        call.far.say(A)
    await call.app.until(2)
    elsewhere = await open_wire()
    await call.backend.trunk_offered(call.leg, call.far.describe(wire=elsewhere))
    call.far.voice.ssrc, call.far.voice.sequence, call.far.voice.timestamp = 5, 40_000, 3_000_000
    for _ in range(2):
        call.far.say(B, wire=elsewhere)
    await call.app.until(4)
    elsewhere.transport.close()
    first, *_, last = call.app.packets
    assert len({packet.ssrc for packet in call.app.packets}) == 1
    assert (last.sequence - first.sequence) % 2**16 == 3
    passed = (last.timestamp - first.timestamp) % 2**32
    assert 480 <= passed < 8_000 * 10  # the pause between is in it, and no leap


async def test_keys_of_the_app_reach_the_trunk_and_are_told(call: Call) -> None:
    await call.begin()
    for over in (0, 0x80, 0x80, 0x80):
        call.app.voice.timestamp = 7_000
        call.app.say(bytes((9, over | 10, 1, 64)), payload_type=101)
    await call.far.wire.until(4)
    assert await call.told.first(DigitHeard) == DigitHeard(call.leg, "app", "9")
    assert [packet.payload_type for packet in call.far.packets] == [101] * 4
    assert len({packet.timestamp for packet in call.far.packets}) == 1
    assert [packet.marker for packet in call.far.packets] == [True, False, False, False]
    assert len(call.told.of(DigitHeard)) == 1


async def test_keys_are_heard_as_tones_by_a_trunk_that_takes_no_events(call: Call) -> None:
    call.far.events = None
    await call.begin()
    for over in (0, 0x80, 0x80, 0x80):
        call.app.voice.timestamp = 7_000
        call.app.say(bytes((5, over | 10, 1, 64)), payload_type=101)
    await call.far.wire.until(9)
    assert {packet.payload_type for packet in call.far.packets} == {0}
    assert len(set(call.far.packets[0].payload)) > 10


async def test_silence_is_told_of_once_and_hold_is_no_silence(call: Call) -> None:
    await call.begin(replace(TRUNK, patience=0.2))
    call.app.say(A)
    assert isinstance(await call.told.first(TimedOut, skip=1), TimedOut)  # of either side
    await call.backend.trunk_offered(call.leg, call.far.describe("inactive"))
    call.told.events.clear()
    talking = asyncio.create_task(talk(call))
    await asyncio.sleep(1.2)  # longer than two looks at it
    talking.cancel()
    assert [event for event in call.told.of(TimedOut) if getattr(event, "side", "") == "trunk"] == []


async def test_an_app_that_says_goodbye_ends_its_leg_and_gives_everything_back(call: Call) -> None:
    await call.begin()
    await call.app.close()
    ended = await call.told.first(Ended)
    assert isinstance(ended, Ended)
    assert ended.why is Ending.APP_GONE
    assert ended.statistics is not None and ended.statistics.app_codec == "PCMU"
    assert await call.backend.close(call.leg) is None


async def test_figures_are_there_though_the_app_says_goodbye_while_its_leg_is_closed(call: Call) -> None:
    await call.begin()
    assert call.backend.pid is not None
    os.kill(call.backend.pid, signal.SIGSTOP)
    try:
        await call.app.close()
        closing = asyncio.create_task(call.backend.close(call.leg))
        await asyncio.sleep(0)  # it has asked
    finally:
        os.kill(call.backend.pid, signal.SIGCONT)
    assert await closing is not None


async def test_an_app_that_vanishes_without_a_word_is_told_of(call: Call) -> None:
    await call.begin(replace(TRUNK, patience=0.3))
    call.app.vanish()
    while TimedOut(call.leg, "app") not in call.told.events:
        await call.told.first(TimedOut, skip=len(call.told.of(TimedOut)))
    assert await call.backend.close(call.leg) is not None


@pytest.mark.long
async def test_an_app_that_vanishes_without_a_word_is_gone_when_nobody_consents_any_more(call: Call) -> None:
    await call.begin()
    began = time.monotonic()
    call.app.vanish()
    ended = await call.told.first(Ended)
    assert isinstance(ended, Ended)
    assert ended.why is Ending.APP_GONE
    assert 20 < time.monotonic() - began < 60  # 30 s, by six checks (RFC 7675 §5.1)
    assert await call.backend.close(call.leg) is None


def ports_of(pid: int) -> set[int]:
    """The UDP ports that a process has (proc(5))."""
    own = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            own.add(each.readlink().name)
    rows = [line.split() for line in Path(f"/proc/{pid}/net/udp").read_text().splitlines()[1:]]
    return {int(row[1].partition(":")[2], 16) for row in rows if f"socket:[{row[9]}]" in own}


async def test_an_announcement_says_what_is_on_file_and_has_no_socket_for_a_trunk() -> None:
    place, told = free_place(), Told()
    backend = EmbeddedBackend(place, told)
    await backend.start()
    languages: tuple[Language, ...] = ("en", "zh-CN")
    try:
        for language in languages:
            app = WebApp("PCMU")
            await app.answered(await backend.open_announcement(language, await app.offer()))
            await backend.play(language, "app", Sound.REFUSED, language)
            backend.lease(language, in_seconds(LONG))
            await app.until(20)
            assert backend.pid is not None
            ports = ports_of(backend.pid)
            assert ports and not ports & set(range(place.first_port, place.last_port + 1))
            said = list(frames(shipped(f"refused.{language}.wav"), again=False))[:20]
            assert app.payloads[:20] == [g711.encode("PCMU", frame) for frame in said]
            await app.close()
            assert (await told.first(Ended, languages.index(language))).leg == language
            while ports_of(backend.pid) & ports:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)
        assert told.of(LeaseOver) == []
    finally:
        await backend.stop()


async def test_an_announcement_for_who_speaks_no_codec_of_ours_takes_nothing(call: Call) -> None:
    offer = (await call.app.offer()).replace("PCMU", "G729").replace("SAVPF 0", "SAVPF 96")
    with pytest.raises(MediaError) as refused:
        await call.backend.open_announcement("refusal", offer.replace("rtpmap:0", "rtpmap:96"))
    assert refused.value.problem is Problem.NO_COMMON_CODEC
    assert await call.backend.close("refusal") is None


async def test_an_app_with_another_certificate_than_it_announced_gets_no_sound(call: Call) -> None:
    offer = await call.app.offer()
    lines = [line for line in offer.splitlines() if not line.startswith("a=fingerprint:")]
    lines.insert(lines.index(next(each for each in lines if each.startswith("a=ice-ufrag"))), FORGED)
    opened = await call.backend.open_outgoing(call.leg, "\r\n".join([*lines, ""]), TRUNK)
    await call.app.answered(opened.app)
    await call.backend.trunk_answered(call.leg, call.far.describe())
    ended = await call.told.first(Ended)
    assert isinstance(ended, Ended)
    assert ended.why is Ending.APP_FAILED
    assert "fingerprint" in ended.text


FORGED = f"a=fingerprint:sha-256 {':'.join(['AB'] * 32)}"


async def test_a_trunk_may_be_spoken_to_in_srtp(call: Call) -> None:
    from wephone.media.srtp import Protection

    spec = replace(TRUNK, srtp=Srtp.ALWAYS)
    opened = await call.backend.open_outgoing(call.leg, await call.app.offer(), spec)
    theirs = trunk_sdp.parse(opened.trunk, spec)
    assert theirs.crypto is not None
    key = b"k" * trunk_sdp.SUITE.octets
    mine = Ours(HOST, call.far.wire.port, ("PCMU",), "sendrecv", 1, 1, crypto=Key(1, trunk_sdp.SUITE, key))
    answer = trunk_sdp.written(mine)
    await call.app.answered(opened.app)
    await call.backend.trunk_answered(call.leg, answer)
    await call.told.first(Connected)
    await call.app.connected()
    await call.lease(LONG)
    protection = Protection(key, theirs.crypto.master)
    call.app.say(A)
    await call.far.wire.until(1)
    assert A not in call.far.wire.came[0][0]
    assert protection.unprotect(call.far.wire.came[0][0]).endswith(A)
    sound = protection.protect(call.far.voice.packet(B))
    call.far.wire.transport.sendto(sound[:-1] + b"?", (theirs.host, theirs.port))
    call.far.wire.transport.sendto(sound, (theirs.host, theirs.port))
    await call.app.until(1)
    assert call.app.payloads == [B]
    assert (await call.backend.statistics(call.leg)).trunk.strangers == 1


@pytest.mark.parametrize(
    ("place", "problem"),
    [(Place("0.0.0.0"), Problem.BAD_ADDRESS), (Place(first_port=30_000, last_port=30_000), Problem.NO_PORTS)],
)
async def test_a_place_that_cannot_be_is_said_at_the_start(place: Place, problem: Problem) -> None:
    backend = EmbeddedBackend(place, Told())
    with pytest.raises(MediaError) as refused:
        await backend.start()
    assert refused.value.problem is problem
    await backend.stop()


async def test_each_leg_asks_the_servers_that_help_it_to_be_found() -> None:
    told, app = Told(), WebApp("PCMU")
    async with Turn(address_seen="203.0.113.9") as stun:
        backend = EmbeddedBackend(free_place(), told, lambda: (Helper(f"stun:127.0.0.1:{stun.port}"),))
        await backend.start()
        await backend.open_outgoing("one", await app.offer(), TRUNK)
        found = await told.first(CandidatesFound)
        assert isinstance(found, CandidatesFound)
        assert "203.0.113.9" in found.candidates[0].candidate
        assert await told.first(CandidatesFound, skip=1) == CandidatesFound("one", (), True)
        await backend.stop()
    await app.close()


async def test_nothing_is_told_of_a_leg_before_its_descriptions_are_there(call: Call) -> None:
    seen: list[bool] = []
    opened = False
    call.told.sinks.append(lambda event: seen.append(opened))
    await call.backend.open_outgoing(call.leg, await call.app.offer(), TRUNK)
    opened = True
    assert await call.told.first(CandidatesFound) == CandidatesFound(call.leg, (), True)
    assert seen == [True]


async def test_when_all_ports_are_taken_a_call_is_refused_and_the_next_one_works() -> None:
    told = Told()
    place = free_place()
    backend = EmbeddedBackend(replace(place, last_port=place.first_port + 3), told)
    await backend.start()
    app = WebApp("PCMU")
    offer = await app.offer()
    for leg in ("one", "two"):
        await backend.open_outgoing(leg, offer, TRUNK)
    with pytest.raises(MediaError) as refused:
        await backend.open_outgoing("three", offer, TRUNK)
    assert refused.value.problem is Problem.NO_PORTS
    await backend.close("one")
    await backend.open_outgoing("three", offer, TRUNK)
    await backend.stop()
    await app.close()


async def test_twenty_calls_leave_nothing_behind(embedded: Embedded) -> None:
    backend, fresh = embedded
    told = fresh()
    held: list[int] = []
    for number in range(20):
        call = Call(backend, told, WebApp("PCMU"), Far(await open_wire()), f"{number}/phone")
        told.events.clear()
        await call.backend.open_outgoing(call.leg, await call.app.offer(), TRUNK)
        await call.backend.play(call.leg, "app", Sound.MUSIC)
        await call.end()
        assert backend.pid is not None
        held.append(open_files(backend.pid))
    assert held[-1] <= held[0] + 2  # what was closed last may not have gone yet


def open_files(pid: int) -> int:
    """How many files and sockets a process holds."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


async def test_packets_of_any_kind_disturb_nobody(call: Call) -> None:
    await call.begin()
    dice = random.Random(7)
    for size in (0, 1, 11, 12, 13, 40, 172, 1_400, 4_000):
        junk = dice.randbytes(size)
        for first in (b"", b"\x80", b"\xb0", b"\x80\x00", b"\x80\xc8", b"\x80\x65"):
            call.far.wire.transport.sendto((first + junk)[:size], call.far.to)
            call.far.wire.transport.sendto((first + junk)[:size], (HOST, call.far.to[1] + 1))
        if size > 12:
            call.app.send(b"\x80\x00" + junk[:1_200])
    call.far.say(B)
    while B not in call.app.payloads:
        await call.app.until(len(call.app.packets) + 1)
    call.app.say(A)
    while A not in [packet.payload for packet in call.far.packets]:
        await call.far.wire.until(len(call.far.wire.came) + 1)
