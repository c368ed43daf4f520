"""What the bridge says to browsers and to carriers, and what it makes of what they say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.media import MediaError, Problem, Srtp, TrunkMedia
from signaling.pstn.media import app_sdp, trunk_sdp
from signaling.pstn.media.app_sdp import Means
from signaling.pstn.media.rtp import Format
from signaling.pstn.media.trunk_sdp import Ours
from signaling.pstn.sip.sdes import Key, Suite
from tests.signaling.pstn.media.ends import TRUNK
from wephone.media import sdp

# As Chromium 156 offers sound, but for its keys and addresses.
CHROMIUM = """v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=extmap-allow-mixed
a=msid-semantic: WMS 0f
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:4ZcD
a=ice-pwd:2/1muCWoOi3uLifh0NuRHlum
a=ice-options:trickle
a=fingerprint:sha-256 {fingerprint}
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=sendrecv
a=msid:0f 1e
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
a=ssrc:37 cname:x
""".format(fingerprint=":".join(["AB"] * 32))
OPUS_ALONE = CHROMIUM.replace("111 63 9 0 8 13 110 126", "111 110")
PCMU_ALONE = CHROMIUM.replace("111 63 9 0 8 13 110 126", "0 126")
MEANS = Means("u", "p" * 22, "AB", ("1 1 udp 1 192.0.2.1 9 typ host",), True, "active", "0", 5, "name")


@pytest.mark.parametrize(
    ("offer", "taken"),
    [
        (CHROMIUM, {0: Format("PCMU", 8_000), 126: Format("events", 8_000)}),
        (OPUS_ALONE, {111: Format("opus", 48_000), 110: Format("events", 48_000)}),
        (PCMU_ALONE, {0: Format("PCMU", 8_000), 126: Format("events", 8_000)}),
    ],
    ids=["both", "opus alone", "PCMU alone"],
)
def test_a_browser_is_answered_with_one_codec_and_the_keys_of_its_clock(
    offer: str, taken: dict[int, Format]
) -> None:
    read = app_sdp.read(offer)
    assert app_sdp.answered(app_sdp.formats(read), ("PCMU", "PCMA")) == taken
    answer = sdp.declining(app_sdp.described(taken, "sendrecv", MEANS, 1, 1), read)
    assert app_sdp.formats(app_sdp.read(str(answer))) == taken


def test_what_the_trunk_likes_best_decides() -> None:
    formats = app_sdp.formats(app_sdp.read(CHROMIUM))
    assert next(iter(app_sdp.answered(formats, ("PCMA", "PCMU")))) == 8


def test_a_browser_without_our_codecs_is_refused() -> None:
    formats = app_sdp.formats(app_sdp.read(CHROMIUM.replace("111 63 9 0 8 13 110 126", "9 13")))
    with pytest.raises(MediaError) as refused:
        app_sdp.answered(formats, ("PCMU",))
    assert refused.value.problem is Problem.NO_COMMON_CODEC


def test_video_is_declined_and_the_call_goes_on() -> None:
    video = "m=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:1\na=rtpmap:96 VP8/90000\n"
    read = app_sdp.read(CHROMIUM.replace("BUNDLE 0", "BUNDLE 0 1") + video)
    taken = app_sdp.answered(app_sdp.formats(read), ("PCMU",))
    answer = str(sdp.declining(app_sdp.described(taken, "sendrecv", MEANS, 1, 1), read))
    assert "m=video 0 " in answer
    assert "a=group:BUNDLE 0\r\n" in answer


def test_nothing_that_a_browser_said_gets_through_to_a_carrier() -> None:
    said = trunk_sdp.written(Ours("192.0.2.1", 20_000, ("PCMU", "PCMA"), "sendrecv", 7, 1))
    assert said.splitlines() == [
        "v=0",
        "o=- 7 1 IN IP4 192.0.2.1",
        "s=-",
        "c=IN IP4 192.0.2.1",
        "t=0 0",
        "m=audio 20000 RTP/AVP 0 8 101",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=ptime:20",
        "a=sendrecv",
    ]


def test_a_key_is_read_as_it_was_written() -> None:
    key = Key(3, Suite.AES_CM_128_HMAC_SHA1_80, bytes(range(30)))
    said = trunk_sdp.written(Ours("127.0.0.1", 9, ("PCMU",), "sendrecv", 7, 1, crypto=key))
    spec = TrunkMedia(srtp=Srtp.ALWAYS, networks=TRUNK.networks)
    assert trunk_sdp.parse(said, spec).crypto == key
    assert "m=audio 9 RTP/SAVP " in said


@pytest.mark.parametrize(
    "crypto",
    [
        "",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2hvcnQ=\r\n",
        "a=crypto:1 F8_128_HMAC_SHA1_80 inline:x\r\n",
        f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{'A' * 40}|1:4\r\n",
        f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{'A' * 40} UNENCRYPTED_SRTP\r\n",
        f"m=video 9 RTP/SAVP 96\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{'A' * 40}\r\n",
    ],
    ids=["none", "too short", "another suite", "with an index", "half encrypted", "of another section"],
)
def test_a_trunk_that_must_encrypt_needs_a_key_that_we_can_use(crypto: str) -> None:
    said = f"v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/SAVP 0\r\n{crypto}"
    with pytest.raises(MediaError) as refused:
        trunk_sdp.parse(said, TrunkMedia(srtp=Srtp.ALWAYS, networks=TRUNK.networks))
    assert refused.value.problem is Problem.NO_SRTP


def test_an_old_hold_is_a_hold() -> None:
    said = trunk_sdp.parse("v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 9 RTP/AVP 0\r\n", TRUNK)
    assert (said.sends, said.hears) == (True, False)


@pytest.mark.parametrize(
    ("said", "port"),
    [("4000", 4000), ("4000 IN IP4 127.0.0.1", 4000), ("9" * 5000, 10), ("²", 10), ("0", 10)],
)
def test_reports_go_to_the_port_that_is_named_or_else_to_the_next(said: str, port: int) -> None:
    sdp = f"v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 0\r\na=rtcp:{said}\r\n"
    assert trunk_sdp.parse(sdp, TRUNK).control == port


def test_other_sections_of_a_trunk_are_declined_in_their_places() -> None:
    offer = trunk_sdp.parse(
        "v=0\r\nc=IN IP4 127.0.0.1\r\nm=video 7 RTP/AVP 96\r\nm=audio 9 RTP/AVP 8 0\r\n", TRUNK
    )
    answer = trunk_sdp.written(Ours("127.0.0.1", 11, ("PCMA",), "sendrecv", 1, 1, events=None), offer)
    assert [line for line in answer.splitlines() if line[0] == "m"] == [
        "m=video 0 RTP/AVP 96",
        "m=audio 11 RTP/AVP 8",
    ]


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "192.168.1.1", "127.0.0.1", "169.254.1.1", "224.0.0.1", "::1"]
)
def test_without_networks_no_private_address_is_spoken_to(address: str) -> None:
    with pytest.raises(MediaError) as refused:
        trunk_sdp.check_address(address, ())
    assert refused.value.problem is Problem.BAD_ADDRESS
    trunk_sdp.check_address("8.8.8.8", ())


def test_with_networks_no_other_address_is_spoken_to() -> None:
    trunk_sdp.check_address("10.0.0.1", ("10.0.0.0/8",))
    with pytest.raises(MediaError):
        trunk_sdp.check_address("8.8.8.8", ("10.0.0.0/8",))


LINES = st.sampled_from(
    [
        *CHROMIUM.splitlines(),
        "m=audio 9 RTP/AVP 0",
        "c=IN IP4 127.0.0.1",
        "a=crypto:1 X inline:===",
        "m=",
        "c=",
        "a=",
    ]
)


@given(st.lists(LINES | st.text(max_size=30), max_size=12).map("\r\n".join))
def test_whatever_is_said_is_read_or_refused_in_one_way(text: str) -> None:
    for read in (
        lambda: trunk_sdp.parse("v=0\r\n" + text, TRUNK),
        lambda: app_sdp.formats(app_sdp.read(text)),
    ):
        try:
            read()
        except MediaError:
            pass
