"""What whoever carries the sound of telephone legs must do: one contract, for every backend."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine

import pytest
import pytest_asyncio

from signaling.media import (
    Capability,
    Connected,
    DigitHeard,
    Heard,
    LeaseOver,
    MediaError,
    Played,
    Problem,
    Sound,
    Srtp,
    Statistics,
    Tally,
    TrunkMedia,
)
from signaling.pstn.media import trunk_sdp
from tests.fakes.relay import Relay
from tests.signaling.pstn.media.conftest import AtJanus, Embedded
from tests.signaling.pstn.media.ends import (
    TRUNK,
    Far,
    Packet,
    PlainApp,
    Stage,
    Told,
    Wire,
    in_seconds,
    open_wire,
)
from tests.signaling.pstn.media.web_app import WebApp

LEG = "call/phone"
LONG = 60.0  # seconds: a lease that does not end while a test runs
A, B, C = b"\x11" * 160, b"\x22" * 160, b"\x33" * 160  # 20 ms of G.711 each


# One process for all tests of it, and so one loop: it takes a second to start.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", params=["relay", "embedded", "janus"])
async def stage(
    request: pytest.FixtureRequest, embedded: Embedded, at_janus: AtJanus
) -> AsyncIterator[Stage]:
    far = Far(await open_wire())
    if request.param == "relay":
        told = Told()
        made = Stage(Relay(told), told, PlainApp(Far(await open_wire())), far)
    else:
        backend, fresh = embedded if request.param == "embedded" else at_janus
        made = Stage(backend, fresh(), WebApp("PCMU"), far)
    yield made
    await made.backend.close(LEG)
    await made.app.close()
    made.far.close()


async def call(stage: Stage, seconds: float = LONG) -> None:
    """An outgoing leg that was answered; with a lease, if it is to have one."""
    opened = await stage.backend.open_outgoing(LEG, await stage.app.offer(), TRUNK)
    stage.far.learn(opened.trunk)
    await stage.app.answered(opened.app)
    await stage.backend.trunk_answered(LEG, stage.far.describe())
    await stage.told.first(Connected)
    await stage.app.connected()
    if seconds:
        await lease(stage, seconds)


async def lease(stage: Stage, seconds: float) -> None:
    """Until the backend has it: packets may be faster than orders."""
    stage.backend.lease(LEG, in_seconds(seconds) if seconds else 0)
    await stage.backend.statistics(LEG)


async def until_counted(stage: Stage, side: str, name: str, count: int) -> Statistics:
    """Wait for a figure of one side."""
    while getattr(getattr(figures := await stage.backend.statistics(LEG), side), name) < count:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.005)
    return figures


def looks(stage: Stage) -> bool:
    """Does the backend look at each packet?"""
    return Capability.PACKETS in stage.backend.capabilities


async def until_dropped(stage: Stage, side: str, name: str, count: int) -> None:
    """Wait for so many packets to be dropped, as far as the backend sees them."""
    if looks(stage):
        await until_counted(stage, side, name, count)
    else:
        await asyncio.sleep(0.25)  # they are dropped by a thread that may be late, and tells nobody


async def there(stage: Stage, payload: bytes, wire: Wire | None = None) -> None:
    """Say it until it has come to the far end: what comes while Janus takes up an address may be lost."""
    wire = wire or stage.far.wire
    count = len(wire.came) + 1
    while len(wire.came) < count:
        stage.app.say(payload)
        await at_once(stage, wire.until(count))


async def here(stage: Stage, payload: bytes, wire: Wire | None = None) -> None:
    """The same the other way."""
    count = len(stage.app.payloads) + 1
    while len(stage.app.payloads) < count:
        stage.far.say(payload, wire=wire)
        await at_once(stage, stage.app.until(count))


async def at_once(stage: Stage, arrival: Coroutine[None, None, None]) -> None:
    """Wait for it, for half a second if it may be lost."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(None if looks(stage) else 0.5):
            await arrival


async def nothing_was_kept(stage: Stage, heard_there: list[bytes], heard_here: list[bytes]) -> None:
    """Under a new lease the next packets are the next that are heard."""
    await lease(stage, LONG)
    await there(stage, C)
    await here(stage, C)
    assert [packet.payload for packet in stage.far.packets] == [*heard_there, C]
    assert stage.app.payloads == [*heard_here, C]


async def test_both_hear_each_other_under_a_lease(stage: Stage) -> None:
    await call(stage)
    await there(stage, A)
    await here(stage, B)
    assert [packet.payload for packet in stage.far.packets] == [A]
    assert stage.app.payloads == [B]
    heard = {event.side for event in stage.told.of(Heard) if isinstance(event, Heard)}
    assert heard == ({"app", "trunk"} if looks(stage) else set())
    await until_counted(stage, "trunk", "sent", 1)  # it may be counted a little later than it is heard
    figures = await until_counted(stage, "app", "sent", 1)
    assert (figures.trunk.received, figures.trunk.sent, figures.trunk_codec) == (1, 1, "PCMU")
    assert (figures.app.received, figures.app.sent) == (1, 1)


async def test_not_one_packet_passes_without_a_lease(stage: Stage) -> None:
    await call(stage, seconds=0)
    for _ in range(5):
        stage.app.say(A)
        stage.far.say(B)
    # That the app's have come can be seen with any backend.
    await until_counted(stage, "app", "unleased" if looks(stage) else "received", 5)
    await until_dropped(stage, "trunk", "unleased", 5)
    assert stage.far.packets == []
    assert stage.app.payloads == []
    await nothing_was_kept(stage, [], [])


async def test_a_lease_that_is_over_stops_the_sound_and_is_told(stage: Stage) -> None:
    await call(stage)
    await there(stage, A)
    await lease(stage, 0.1)
    assert await stage.told.first(LeaseOver) == LeaseOver(LEG)
    stage.app.say(A)
    stage.far.say(B)
    await until_dropped(stage, "app", "unleased", 1)
    await until_dropped(stage, "trunk", "unleased", 1)
    assert len(stage.far.packets) == 1
    assert stage.app.payloads == []
    await nothing_was_kept(stage, [A], [])


async def test_a_renewed_lease_goes_on(stage: Stage) -> None:
    await call(stage, seconds=1)
    await lease(stage, LONG)
    await asyncio.sleep(1.1)  # the first one is over by now
    await there(stage, A)
    assert stage.told.of(LeaseOver) == []


async def test_a_lease_that_ends_now_stops_the_sound_now(stage: Stage) -> None:
    await call(stage)
    await lease(stage, 0)
    stage.app.say(A)
    await stage.told.first(LeaseOver)
    await until_dropped(stage, "app", "unleased", 1)
    assert stage.far.packets == []
    await nothing_was_kept(stage, [], [])


async def test_strangers_are_not_heard_and_counted(stage: Stage) -> None:
    await call(stage)
    stranger = await open_wire()
    stage.far.say(C, wire=stranger)
    await until_dropped(stage, "trunk", "strangers", 1)
    await here(stage, B)
    assert stage.app.payloads == [B]
    stranger.transport.close()


async def test_a_trunk_that_holds_hears_nothing_and_resumes_at_another_address(stage: Stage) -> None:
    await call(stage)
    held = await stage.backend.trunk_offered(LEG, stage.far.describe("sendonly"))
    assert trunk_sdp.parse(held, TRUNK).direction == "recvonly"
    stage.app.say(A)
    await until_dropped(stage, "app", "received", 1)
    await here(stage, B)  # its music
    elsewhere = await open_wire()
    await stage.backend.trunk_offered(LEG, stage.far.describe(wire=elsewhere))
    await there(stage, C, elsewhere)
    assert [Packet.parse(data).payload for data, _ in elsewhere.came] == [C]
    assert stage.far.packets == []
    await here(stage, B, elsewhere)
    elsewhere.transport.close()


async def test_an_app_that_holds_hears_nothing_until_it_resumes(stage: Stage) -> None:
    await call(stage)
    answer = await stage.backend.app_offered(LEG, await stage.app.offer_again("inactive"))
    await stage.app.answered(answer)
    assert "a=inactive\r\n" in answer
    stage.far.say(B)
    await until_dropped(stage, "trunk", "received", 1)
    answer = await stage.backend.app_offered(LEG, await stage.app.offer_again("sendrecv"))
    await stage.app.answered(answer)
    assert "a=sendrecv\r\n" in answer
    await here(stage, C)
    assert stage.app.payloads == [C]
    await there(stage, A)


async def test_before_the_answer_the_trunk_is_heard_and_hears_nothing(stage: Stage) -> None:
    """Under a lease, as ever. What the app says before the answer is nobody's to hear, also after it."""
    opened = await stage.backend.open_outgoing(LEG, await stage.app.offer(), TRUNK)
    stage.far.learn(opened.trunk)
    await stage.app.answered(opened.app)
    await stage.backend.trunk_answered(LEG, stage.far.describe(), early=True)
    await stage.told.first(Connected)
    await stage.app.connected()
    await lease(stage, LONG)
    stage.app.say(C)
    await here(stage, B)
    assert stage.far.packets == []
    await stage.backend.trunk_answered(LEG, stage.far.describe())
    await there(stage, A)
    assert [packet.payload for packet in stage.far.packets] == [A]


async def test_the_answer_may_come_from_elsewhere_than_the_early_sound(stage: Stage) -> None:
    await call(stage)
    answered: Wire = await open_wire()
    await here(stage, A)
    await stage.backend.trunk_answered(LEG, stage.far.describe(wire=answered))
    await here(stage, B, answered)
    await there(stage, C, answered)
    assert stage.far.packets == []
    answered.transport.close()


async def test_our_hold_is_offered_to_the_trunk(stage: Stage) -> None:
    await call(stage)
    said = trunk_sdp.parse(await stage.backend.offer_trunk(LEG, "inactive"), TRUNK)
    assert said.direction == "inactive"
    again = trunk_sdp.parse(await stage.backend.offer_trunk(LEG, "sendrecv"), TRUNK)
    assert (again.direction, again.port) == ("sendrecv", said.port)


@pytest.mark.parametrize("with_offer", [True, False])
async def test_a_trunk_may_begin_the_call(stage: Stage, with_offer: bool) -> None:
    offer = stage.far.describe() if with_offer else None
    opened = await stage.backend.open_incoming(LEG, offer, TRUNK)
    stage.far.learn(await stage.backend.app_answered(LEG, await stage.app.answer(opened)))
    if not with_offer:
        await stage.backend.trunk_answered(LEG, stage.far.describe())
    await stage.told.first(Connected)
    await stage.app.connected()
    await lease(stage, LONG)
    await here(stage, B)
    await there(stage, A)


async def test_an_app_may_have_said_that_no_more_follows_before_its_answer_is_here(stage: Stage) -> None:
    opened = await stage.backend.open_incoming(LEG, stage.far.describe(), TRUNK)
    answer = await stage.app.answer(opened)
    stage.backend.candidates(LEG, (), end=True)
    stage.far.learn(await stage.backend.app_answered(LEG, answer))
    await stage.told.first(Connected)
    await stage.app.connected()
    await lease(stage, LONG)
    await here(stage, B)


async def lacks(asked: Coroutine[None, None, object]) -> None:
    """The backend says that it cannot do this."""
    with pytest.raises(MediaError) as refused:
        await asked
    assert refused.value.problem is Problem.LACKING


async def test_keys_that_the_telephone_tells_of_by_signaling_reach_the_app(stage: Stage) -> None:
    await call(stage)
    if Capability.DTMF not in stage.backend.capabilities:
        await lacks(stage.backend.press(LEG, "7#"))
        return
    await stage.backend.press(LEG, "7#")
    while 11 not in (heard := [event[0] for event in stage.app.payloads if len(event) == 4]):
        await stage.app.until(len(stage.app.payloads) + 1)
    assert list(dict.fromkeys(heard)) == [7, 11]
    assert stage.far.packets == []


async def test_keys_pressed_there_are_told_once(stage: Stage) -> None:
    await call(stage)
    key = bytes((5, 0x8A, 3, 32))
    for _ in range(3):  # each event is sent several times under one timestamp (RFC 4733 §2.5.1.3)
        stage.far.say(key, payload_type=101)
        stage.far.voice.timestamp -= 160
    if not looks(stage):  # the app hears of it all the same
        await stage.app.until(3)
        assert stage.app.payloads == [key] * 3
        return
    assert await stage.told.first(DigitHeard) == DigitHeard(LEG, "trunk", "5")
    await until_counted(stage, "trunk", "received", 3)
    assert len(stage.told.of(DigitHeard)) == 1


async def test_what_is_played_takes_the_place_of_what_the_other_says(stage: Stage) -> None:
    await call(stage)
    if Capability.ANNOUNCE not in stage.backend.capabilities:
        await lacks(stage.backend.play(LEG, "trunk", Sound.MUSIC))
        return
    await stage.backend.play(LEG, "trunk", Sound.MUSIC)
    await stage.far.wire.until(1)
    stage.app.say(A)
    await until_counted(stage, "app", "received", 1)
    await stage.backend.stop_playing(LEG, "trunk")
    assert await stage.told.first(Played) == Played(LEG, "trunk", Sound.MUSIC)
    assert A not in [packet.payload for packet in stage.far.packets]
    stage.app.say(A)
    while A not in [packet.payload for packet in stage.far.packets]:
        await stage.far.wire.until(len(stage.far.wire.came) + 1)


async def test_an_app_is_told_something_and_no_trunk_is_part_of_it(stage: Stage) -> None:
    if Capability.ANNOUNCE not in stage.backend.capabilities:
        await lacks(stage.backend.open_announcement(LEG, await stage.app.offer()))
        return
    answer = await stage.backend.open_announcement(LEG, await stage.app.offer())
    assert "a=sendonly" in answer.splitlines()
    await stage.app.answered(answer)
    await stage.backend.play(LEG, "app", Sound.REFUSED)
    await stage.app.connected()
    await stage.app.until(1)
    stage.backend.lease(LEG, in_seconds(LONG))
    stage.app.say(A)
    for asked in (
        stage.backend.trunk_offered(LEG, None),
        stage.backend.trunk_answered(LEG, stage.far.describe()),
        stage.backend.offer_trunk(LEG, "sendrecv"),
        stage.backend.app_offered(LEG, await stage.app.offer()),
        stage.backend.press(LEG, "1"),
    ):
        with pytest.raises(MediaError) as refused:
            await asked
        assert refused.value.problem is Problem.UNKNOWN_LEG
    with pytest.raises(MediaError):
        await stage.backend.play(LEG, "trunk", Sound.REFUSED)
    with pytest.raises(MediaError) as refused:
        await stage.backend.open_outgoing(LEG, await stage.app.offer(), TRUNK)
    assert refused.value.problem is Problem.TAKEN
    await stage.backend.stop_playing(LEG, "app")
    assert await stage.told.first(Played) == Played(LEG, "app", Sound.REFUSED)
    figures = await stage.backend.close(LEG)
    assert figures is not None
    assert figures.app.sent >= 1
    assert (figures.trunk, figures.trunk_codec) == (Statistics(Tally(), Tally()).trunk, None)
    assert stage.told.of(LeaseOver) == stage.told.of(Heard) == []
    assert stage.far.wire.came == []
    assert await stage.backend.close(LEG) is None


async def test_closing_gives_the_figures_once_and_lets_go(stage: Stage) -> None:
    await call(stage)
    await there(stage, A)
    await until_counted(stage, "trunk", "sent", 1)
    figures = await stage.backend.close(LEG)
    assert figures is not None
    assert figures.trunk.sent == 1
    assert await stage.backend.close(LEG) is None
    stage.backend.lease(LEG, in_seconds(LONG))  # too late, and no harm
    stage.backend.candidates(LEG, (), end=True)
    with pytest.raises(MediaError) as refused:
        await stage.backend.statistics(LEG)
    assert refused.value.problem is Problem.UNKNOWN_LEG


async def test_an_id_is_opened_once(stage: Stage) -> None:
    await call(stage)
    with pytest.raises(MediaError) as refused:
        await stage.backend.open_outgoing(LEG, await stage.app.offer(), TRUNK)
    assert refused.value.problem is Problem.TAKEN
    await there(stage, A)


OFFERS = [
    ("v=0", Problem.NO_COMMON_CODEC),
    ("hello", Problem.BAD_DESCRIPTION),
    (
        "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n",
        Problem.NO_COMMON_CODEC,
    ),
    ("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 8\r\n", Problem.NO_COMMON_CODEC),
    ("v=0\r\nc=IN IP4 10.1.2.3\r\nm=audio 9 RTP/AVP 0\r\n", Problem.BAD_ADDRESS),
    ("v=0\r\nc=IN IP4 phone.example\r\nm=audio 9 RTP/AVP 0\r\n", Problem.BAD_ADDRESS),
    ("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 99999 RTP/AVP 0\r\n", Problem.BAD_DESCRIPTION),
    ("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/SAVP 0\r\n", Problem.NO_SRTP),
]


@pytest.mark.parametrize(("offer", "problem"), OFFERS)
async def test_what_a_trunk_cannot_mean_is_refused_and_leaves_nothing(
    stage: Stage, offer: str, problem: Problem
) -> None:
    trunk = TrunkMedia(("PCMU",), Srtp.NEVER, TRUNK.networks)
    with pytest.raises(MediaError) as refused:
        await stage.backend.open_incoming(LEG, offer, trunk)
    assert refused.value.problem is problem
    assert await stage.backend.close(LEG) is None
    await call(stage)  # the next call works


async def test_a_change_that_is_refused_leaves_the_call_as_it_was(stage: Stage) -> None:
    await call(stage)
    with pytest.raises(MediaError):
        await stage.backend.trunk_offered(LEG, "v=0\r\nc=IN IP4 10.1.2.3\r\nm=audio 9 RTP/AVP 0\r\n")
    await here(stage, B)
    await there(stage, A)
