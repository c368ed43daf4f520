"""What Janus is told, and what apps and trunks are told of it: pure texts."""

import pytest

from signaling.media import MediaError, Problem
from signaling.pstn.media import app_sdp, nosip, trunk_sdp
from signaling.pstn.media.nosip import Agreed, Peer
from tests.signaling.pstn.media.ends import TRUNK

HEAD = ("v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=extmap-allow-mixed", "a=group:BUNDLE 0 1")
ICE = (f"a=fingerprint:sha-256 {':'.join(['AB'] * 32)}", "a=ice-ufrag:u", "a=ice-pwd:p", "a=setup:actpass")
AUDIO = (
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8 126 110",
    "c=IN IP4 0.0.0.0",
    "a=mid:0",
    "a=sendrecv",
    "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "a=rtpmap:111 opus/48000/2",
    "a=rtcp-fb:111 transport-cc",
    "a=fmtp:111 minptime=10",
    "a=rtpmap:0 PCMU/8000",
    "a=rtpmap:8 PCMA/8000",
    "a=rtpmap:126 telephone-event/8000",
    "a=rtpmap:110 telephone-event/48000",
    "a=ssrc:77 cname:x",
    "a=candidate:1 1 udp 1 192.0.2.7 9 typ host",
    *ICE,
)
VIDEO = ("m=video 9 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0", "a=mid:1", "a=rtpmap:96 VP8/90000", *ICE)


def offer(*lines: str) -> str:
    return "".join(f"{line}\r\n" for line in lines)


BROWSER = app_sdp.read(offer(*HEAD, *AUDIO, *VIDEO))


def test_of_what_the_trunk_speaks_the_first_that_the_app_speaks_is_chosen() -> None:
    assert nosip.chosen(BROWSER, ("PCMA", "PCMU")) == Agreed("PCMA", 126)
    assert nosip.chosen(BROWSER, ("PCMU",)) == Agreed("PCMU", 126)


@pytest.mark.parametrize("payloads", ["111", "110 111", "96"])
def test_an_app_that_speaks_no_g711_is_refused_in_words(payloads: str) -> None:
    lines = [line.replace("111 0 8 126 110", payloads) for line in AUDIO]
    with pytest.raises(MediaError, match="Janus translates nothing") as refused:
        nosip.chosen(app_sdp.read(offer(*HEAD, *lines)), TRUNK.codecs)
    assert refused.value.problem is Problem.NO_COMMON_CODEC


def test_g711_under_another_number_than_its_own_cannot_be_passed_on() -> None:
    lines = [line.replace(" 0 ", " 96 ").replace(":0 PCMU", ":96 PCMU") for line in AUDIO]
    with pytest.raises(MediaError):
        nosip.chosen(app_sdp.read(offer(*HEAD, *lines)), ("PCMU",))


def test_janus_sees_of_an_app_its_sound_and_nothing_else() -> None:
    said = nosip.of_app(BROWSER, Agreed("PCMU", 126)).splitlines()
    assert "m=audio 9 UDP/TLS/RTP/SAVPF 0 126" in said
    assert [line for line in said if line.startswith(("m=", "a=rtpmap", "a=fmtp"))] == [
        "m=audio 9 UDP/TLS/RTP/SAVPF 0 126",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:126 telephone-event/8000",
    ]
    assert not [line for line in said if line.startswith(("a=extmap", "a=rtcp-fb"))]
    assert "a=ssrc:77 cname:x" in said  # by which it knows whose packets these are
    assert "a=group:BUNDLE 0" in said


def test_the_app_is_answered_in_every_section() -> None:
    answer = offer(*HEAD[:4], "a=group:BUNDLE 0", "m=audio 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0", "a=inactive")
    said = nosip.for_app(answer, "sendrecv", BROWSER)
    assert "a=sendrecv" in said
    assert "a=inactive" in said.partition("m=video 0 ")[2]


def test_the_trunk_s_place_is_read_as_it_is_written() -> None:
    peer = Peer("192.0.2.9", 4_000, "recvonly")
    said = nosip.plain(peer, Agreed("PCMA", None))
    assert nosip.place_of(said) == ("192.0.2.9", 4_000)
    read = trunk_sdp.parse(said, TRUNK.__class__(networks=("192.0.2.0/24",)))
    assert (read.codecs, read.events, read.direction) == (("PCMA",), None, "recvonly")


def test_what_the_plugin_refuses_is_told_in_its_words() -> None:
    for words, problem in (
        ("Could not allocate RTP/RTCP ports", Problem.NO_PORTS),
        ("Missing SDP", Problem.BAD_DESCRIPTION),
    ):
        with pytest.raises(MediaError, match=words) as refused:
            nosip.generated({"plugindata": {"data": {"error_code": 1, "error": words}}})
        assert refused.value.problem is problem


def test_a_leg_without_an_app_yet_has_no_figures() -> None:
    app, trunk = nosip.figures({"info": {}})
    assert (app.received, app.sent, trunk.received, trunk.sent) == (0, 0, 0, 0)
    assert app.round_trip is None


def test_figures_of_the_app_s_side_stand_for_both() -> None:
    audio = {
        "rtcp": {"main": {"base": 8000, "rtt": 20, "lost": 3, "lost-by-remote": 1, "jitter-local": 80}},
        "stats": {"in": {"packets": 7}, "out": {"packets": 5}},
    }
    app, trunk = nosip.figures({"info": {"webrtc": {"media": {"0": audio}}}})
    assert (app.received, app.sent, app.lost, app.reported_lost) == (7, 5, 3, 1)
    assert (app.jitter, app.round_trip) == (0.01, 0.02)
    assert (trunk.received, trunk.sent) == (5, 7)
