"""Two peers in one process, over real sockets."""

import asyncio
import re

import numpy as np
import pytest
from aiortc import (
    AudioStreamTrack,
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)

from tests.media.ends import begin, close, end, negotiate, talk, until
from wephone.media import sdp
from wephone.media.audio import RATE, Samples
from wephone.media.devices import Ear, Tone, Voice
from wephone.media.errors import DescriptionError, StateError
from wephone.media.score import heard
from wephone.protocol.messages import Candidate

pytestmark = [pytest.mark.usefixtures("nothing_left")]


def strength(samples: Samples, frequency: float) -> float:
    """How much of a tone there is, 1 for full scale."""
    if not samples.size:
        return 0.0
    wave = np.exp(-2j * np.pi * frequency / RATE * np.arange(samples.size))
    return float(abs(np.mean(samples * wave)) * 2 / 32768)


async def test_two_peers_hear_each_other_word_for_word(alice: Samples, bob: Samples) -> None:
    one, other = end(), end()
    await talk(one, other, Voice(alice), Voice(bob))
    await asyncio.gather(one.told.said.wait(), other.told.said.wait())
    await until(lambda: min(one.ear.length, other.ear.length) > alice.size + RATE // 2)
    await close(one, other)

    for said, ear in ((alice, other.ear), (bob, one.ear)):
        score = heard(said, ear.heard)
        assert score.good, score
        assert score.lost < 0.02, score
    assert not heard(alice, one.ear.heard).good  # nobody hears itself


async def test_the_first_frame_is_decoded_soon_after_the_answer() -> None:
    one, other = end(), end()
    await talk(one, other)
    stats = one.peer.stats()
    await close(one, other)
    assert stats.connected is not None
    assert stats.heard is not None
    assert stats.heard < 1.0  # some 60 ms on an idle machine; benchmarks measure it


async def test_keys_are_heard_once_each_in_place_of_the_sound_and_the_sound_goes_on() -> None:
    one, other = end(), end()
    await talk(one, other, Tone(440), Tone(1000))
    one.peer.press("12#")
    other.peer.press("9*")
    one.peer.press("A0")
    await until(lambda: len(other.told.keys) == 5 and len(one.told.keys) == 2)
    before = other.ear.length
    await until(lambda: other.ear.length > before + RATE)
    sound, counts = other.ear.heard[before + RATE // 2 : before + RATE], other.peer.stats()
    await close(one, other)

    assert "".join(other.told.keys) == "12#A0"
    assert "".join(one.told.keys) == "9*"
    assert strength(sound, 440) > 0.1
    assert counts.lost == 0  # the packets of keys are no gaps in the sound


async def test_what_is_no_key_or_goes_where_none_are_taken_is_said() -> None:
    one, other = end(), end()
    offer = await one.peer.create_offer()
    plain = re.sub(r"a=\w+:110 .*\r\n", "", offer).replace(" 110\r\n", "\r\n")
    await one.peer.apply_answer(await other.peer.create_answer(plain))
    with pytest.raises(StateError, match="the far end takes no keys"):
        one.peer.press("1")
    await close(one, other)

    one, other = end(), end()
    await negotiate(one, other)
    with pytest.raises(ValueError, match=r"`x` is no key of a telephone"):
        one.peer.press("1x")
    await close(one, other)


async def test_hold_silences_both_and_resume_brings_them_back() -> None:
    one, other = end(), end()
    await talk(one, other, Tone(440), Tone(1000))
    await negotiate(one, other, hold=True)
    await asyncio.sleep(0)
    sent = one.peer.stats().sent, other.peer.stats().sent
    before = one.ear.length, other.ear.length
    await asyncio.sleep(0.3)  # long enough for 15 packets each way, if they came
    assert (one.peer.stats().sent, other.peer.stats().sent) == sent
    assert (one.ear.length, other.ear.length) == before

    await negotiate(one, other, hold=False)
    await until(lambda: min(one.ear.length - before[0], other.ear.length - before[1]) > RATE)
    await close(one, other)
    assert strength(other.ear.heard[-RATE // 4 :], 440) > 0.2
    assert strength(one.ear.heard[-RATE // 4 :], 1000) > 0.2
    gap = other.ear.heard[before[1] + 960 : before[1] + RATE // 5]
    assert not gap.any()  # what was held is a gap in the recording, not cut out of it


async def test_the_other_side_can_hold_too_and_only_who_holds_can_resume() -> None:
    one, other = end(), end()
    await talk(one, other, Tone(440), Tone(1000))
    await negotiate(other, one, hold=True)
    offer = await one.peer.create_offer()
    answer = await other.peer.create_answer(offer, hold=True)
    assert "a=inactive" in answer
    await one.peer.apply_answer(answer)
    sent = one.peer.stats().sent
    await negotiate(other, one)
    await until(lambda: one.peer.stats().sent > sent + 5)
    await close(one, other)


async def test_mute_sends_silence_while_the_source_runs_on() -> None:
    one, other = end(), end()
    await talk(one, other, Tone(440))
    await until(lambda: strength(other.ear.heard[-RATE // 10 :], 440) > 0.2)
    one.peer.mute(True)
    received = other.peer.stats().received
    await until(lambda: other.peer.stats().received > received + 30)
    assert strength(other.ear.heard[-RATE // 10 :], 440) < 0.01
    one.peer.mute(False)
    await until(lambda: strength(other.ear.heard[-RATE // 10 :], 440) > 0.2)
    await close(one, other)


async def test_no_sound_leaves_before_both_sides_agree_to_talk() -> None:
    one, other = end(), end()
    await negotiate(one, other)
    await asyncio.gather(one.told.connected.wait(), other.told.connected.wait())
    begin(one, Tone(440))
    await until(lambda: one.peer.stats().sent > 10)
    stats = other.peer.stats()
    assert (stats.sent, stats.received, other.ear.length) == (0, 0, 0)
    assert one.peer.stats().received == 0
    begin(other, Tone(1000))
    await asyncio.gather(one.told.heard.wait(), other.told.heard.wait())
    await close(one, other)


async def test_candidates_may_come_after_the_answer() -> None:
    one, other = end(), end()
    offer = sdp.parse(await one.peer.create_offer())
    lines = [line for section in offer.sections for line in section.lines]
    candidates = [
        Candidate(candidate=line.removeprefix("a="), sdp_mid="0")
        for line in lines
        if line.startswith("a=candidate:")
    ]
    bare = str(offer).replace("a=end-of-candidates\r\n", "")
    for each in candidates:
        bare = bare.replace(f"a={each.candidate}\r\n", "")
    answer = sdp.parse(await other.peer.create_answer(bare))
    kept = [line for line in str(answer).split("\r\n") if "candidate" not in line]
    await one.peer.apply_answer("\r\n".join(kept))  # neither knows where the other is
    await other.peer.add_candidates(candidates, end=True)
    begin(one)
    begin(other)
    await asyncio.gather(one.told.heard.wait(), other.told.heard.wait())
    await close(one, other)


async def test_senseless_and_foreign_candidates_are_left_out() -> None:
    one, other = end(), end()
    offer = await one.peer.create_offer()
    await other.peer.create_answer(offer)
    nonsense = (
        "candidate:",
        "candidate:1 1 udp x 1.2.3.4 5 typ host",
        "candidate:1 2 udp 9 1.2.3.4 5 typ host",
        "candidate:1 1 tcp 9 1.2.3.4 5 typ host",
        "candidate:1 1 udp 9 example.org 5 typ host",
        "candidate:1 1 udp 9 1.2.3.4 70000 typ host",
        "candidate:1 1 udp 9 1.2.3.4 5",
        "",
    )
    await other.peer.add_candidates([Candidate(candidate=each) for each in nonsense], end=False)
    foreign = "candidate:1 1 udp 9 192.0.2.99 5 typ host"
    await other.peer.add_candidates([Candidate(candidate=foreign, sdp_mid="9")], end=False)
    await other.peer.add_candidates([Candidate(candidate=foreign, username_fragment="old")], end=False)
    assert "192.0.2.99" not in [each.host for each in other.peer._connection.remote_candidates]
    await close(one, other)


async def test_a_certificate_that_was_not_announced_ends_the_media() -> None:
    one, other = end(), end()
    offer = await one.peer.create_offer()
    wrong = sdp.parse(offer)
    forged = str(wrong).replace(sdp.fingerprints(wrong)[0].split(" ")[1], ":".join(["AB"] * 32))
    answer = await other.peer.create_answer(forged)
    await one.peer.apply_answer(answer)
    begin(one, Tone(440))
    begin(other, Tone(1000))
    assert "fingerprint" in await other.told.failed
    assert other.peer.stats().sent == 0
    assert other.ear.length == 0
    await close(one, other)


async def test_what_is_no_call_of_ours_is_declined_and_changes_nothing() -> None:
    one, other = end(), end()
    offer = await one.peer.create_offer()
    for bad in (
        "v=0",
        "hello",
        offer.replace("a=fingerprint", "a=finger"),
        offer.replace("opus/48000/2", "speex/8000"),
        offer.replace("m=audio", "m=video"),
        offer.replace("a=setup:actpass", "a=setup:actpass\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x"),
        offer.replace("a=ice-pwd:", "a=ice-p:"),
        offer + "a=x\r\n" * 20_000,
    ):
        with pytest.raises(DescriptionError):
            await other.peer.create_answer(bad)
    answer = await other.peer.create_answer(offer)
    await one.peer.apply_answer(answer)
    await asyncio.gather(one.told.connected.wait(), other.told.connected.wait())
    await close(one, other)


async def test_video_and_data_beside_the_sound_are_declined() -> None:
    one, other = end(), end()
    offer = await one.peer.create_offer()
    audio = offer[offer.index("m=audio") :]
    video = (
        audio.replace("m=audio", "m=video").replace("a=mid:0", "a=mid:v").replace("opus/48000/2", "VP8/90000")
    )
    data = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:d\r\n"
    whole = offer.replace("BUNDLE 0", "BUNDLE v 0 d").replace(audio, video + audio + data)
    answer = sdp.parse(await other.peer.create_answer(whole))
    assert [(section.kind, section.declined) for section in answer.sections] == [
        ("video", True),
        ("audio", False),
        ("application", True),
    ]
    assert "a=group:BUNDLE 0" in answer.session
    later = sdp.parse(await other.peer.create_offer(hold=True))
    assert [section.lines[0].split(" ")[:2] for section in later.sections] == [
        section.lines[0].split(" ")[:2] for section in answer.sections
    ]
    alone = str(sdp.audio_alone(answer))
    await one.peer.apply_answer(alone)
    await asyncio.gather(one.told.connected.wait(), other.told.connected.wait())
    await close(one, other)


async def test_either_side_may_be_the_one_that_opens_dtls() -> None:
    one, other = end(), end()
    offer = await one.peer.create_offer()
    answer = await other.peer.create_answer(offer.replace("a=setup:actpass", "a=setup:active"))
    assert "a=setup:passive" in answer
    await other.peer.close()
    await one.peer.close()

    one, other = end(), end()
    await talk(one, other)
    again = await other.peer.create_answer(await one.peer.create_offer())
    assert "a=setup:active" in again  # the part it had before
    await one.peer.apply_answer(again)
    again = await one.peer.create_answer(await other.peer.create_offer())
    assert "a=setup:passive" in again
    await close(one, other)


async def test_an_offer_can_be_taken_back_and_theirs_answered_instead() -> None:
    one, other = end(), end()
    await talk(one, other)
    await one.peer.create_offer(hold=True)
    with pytest.raises(StateError):
        await one.peer.create_answer(await other.peer.create_offer(hold=True))
    await one.peer.roll_back()
    await other.peer.roll_back()
    await negotiate(other, one, hold=True)
    await close(one, other)


async def test_asked_out_of_turn_it_says_so() -> None:
    one, other = end(), end()
    offer = await one.peer.create_offer()
    answer = await other.peer.create_answer(offer)
    with pytest.raises(StateError):
        await other.peer.apply_answer(answer)
    begin(one)
    with pytest.raises(StateError):
        begin(one)
    await close(one, other)
    with pytest.raises(StateError):
        await one.peer.create_offer()


async def test_an_ice_restart_is_declined_and_the_call_goes_on() -> None:
    one, other = end(), end()
    await talk(one, other)
    offer = await one.peer.create_offer()
    ufrag = sdp.ufrag(sdp.parse(offer))
    with pytest.raises(DescriptionError):
        await other.peer.create_answer(offer.replace(f"a=ice-ufrag:{ufrag}", "a=ice-ufrag:other"))
    received = other.peer.stats().received
    await until(lambda: other.peer.stats().received > received + 5)
    await close(one, other)


async def test_the_far_end_closing_is_no_failure() -> None:
    one, other = end(), end()
    await talk(one, other)
    await one.peer.close()
    await other.told.closed.wait()
    assert not other.told.failed.done()
    await close(other)


async def test_each_call_has_a_certificate_of_its_own() -> None:
    ends = [end() for _ in range(3)]
    offers = [sdp.parse(await each.peer.create_offer()) for each in ends]
    assert len({sdp.fingerprints(offer) for offer in offers}) == 3
    await close(*ends)


@pytest.mark.parametrize("stage", ["made", "offered", "answered", "negotiated", "talking"])
async def test_it_can_be_closed_at_any_moment(stage: str) -> None:
    one, other = end(), end()
    if stage != "made":
        offer = await one.peer.create_offer()
        if stage != "offered":
            answer = await other.peer.create_answer(offer)
            if stage != "answered":
                await one.peer.apply_answer(answer)
                if stage == "talking":
                    begin(one)
                    begin(other)
                    await one.told.heard.wait()
    await close(one, other)
    await close(one, other)


async def test_a_sink_that_cannot_be_written_ends_the_media() -> None:
    class Full(Ear):
        def write(self, samples: Samples, at: int) -> None:
            raise OSError(28, "No space left on device")

    one, other = end(), end()
    await negotiate(one, other)
    begin(one, sink=Full())
    begin(other)
    assert "No space left" in await one.told.failed
    await close(one, other)


async def test_a_far_end_that_vanishes_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aioice.ice.CONSENT_INTERVAL", 0.05)  # RFC 7675 asks for 5 s
    monkeypatch.setattr("aioice.ice.CONSENT_FAILURES", 2)
    one, other = end(), end()
    await talk(one, other)
    for each in other.peer._connection._protocols:  # from now on it hears and answers nothing
        monkeypatch.setattr(each, "datagram_received", lambda data, addr: None)
    assert await one.told.failed == "the far end can no longer be reached"
    assert not one.told.closed.is_set()
    await close(one, other)


async def test_stock_aiortc_understands_every_description_of_ours() -> None:
    stock = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    stock.addTrack(AudioStreamTrack())
    heard: list[object] = []

    @stock.on("track")
    def on_track(track: MediaStreamTrack) -> None:
        heard.append(track)

    ours = end()
    await stock.setLocalDescription(await stock.createOffer())
    answer = await ours.peer.create_answer(stock.localDescription.sdp)
    await stock.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    begin(ours, Tone(440))
    await ours.told.heard.wait()
    frame = await heard[0].recv()  # type: ignore[attr-defined]
    assert frame.sample_rate == RATE

    for hold, direction in ((True, "inactive"), (False, "sendrecv")):
        offer = await ours.peer.create_offer(hold=hold)
        await stock.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await stock.setLocalDescription(await stock.createAnswer())
        await ours.peer.apply_answer(stock.localDescription.sdp)
        assert stock.getTransceivers()[0].currentDirection == direction
    received = ours.peer.stats().received
    await until(lambda: ours.peer.stats().received > received + 5)
    await close(ours)
    await stock.close()
