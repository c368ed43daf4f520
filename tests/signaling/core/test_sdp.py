"""A session description is bounded before anything else, secured by DTLS, and passed on as it is."""

import pytest

from signaling.core.sdp import MAX_LINE, MAX_LINES, carried, check_sdp
from tests.protocol.frames import FINGERPRINT, SDP
from wephone.protocol.codec import PeerError
from wephone.protocol.messages import MAX_CANDIDATES, MAX_SDP, Media
from wephone.protocol.reasons import ErrorCode

CANDIDATE = "a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host\r\n"

VIDEO = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=sendrecv\r\n"


@pytest.mark.parametrize(
    "sdp",
    [
        SDP,
        SDP.replace("\r\n", "\n"),
        SDP + CANDIDATE * (MAX_CANDIDATES - 1),
        SDP.replace("sha-256", "sha-384").replace(FINGERPRINT[22:], ":".join(["0f"] * 48)),
        SDP + "a=x-name:grüße\r\n",
        SDP.replace("t=0 0\r\n", "t=0 0\r\na=group:BUNDLE 0 1\r\n") + VIDEO,
        SDP.replace(FINGERPRINT + "\r\n", "").replace("t=0 0\r\n", f"t=0 0\r\n{FINGERPRINT}\r\n") + VIDEO,
        SDP + VIDEO.replace("video 9", "video 0"),
    ],
    ids=[
        "as browsers make it",
        "bare line feeds",
        "all candidates",
        "sha-384",
        "other letters",
        "a bundle with one fingerprint",
        "the session's fingerprint",
        "video turned down",
    ],
)
def test_a_good_description_is_taken(sdp: str) -> None:
    check_sdp(sdp)


@pytest.mark.parametrize(
    ("sdp", "fault"),
    [
        ("", "v=0"),
        ("v=1\r\n" + SDP[5:], "v=0"),
        (SDP + "x" * MAX_SDP, "characters, at most"),
        (SDP + "a=b\n" * MAX_LINES, "lines, at most"),
        (SDP + "a=" + "x" * MAX_LINE + "\r\n", "a line of"),
        (SDP + "\r\n", "not a line"),
        (SDP + "rubbish\r\n", "not a line"),
        (SDP + "a=\0\r\n", "control"),
        (SDP + "a=\x1b[31m\r\n", "control"),
        (SDP + "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n", "SDES"),
        (SDP.replace(FINGERPRINT + "\r\n", ""), "no DTLS fingerprint"),
        (SDP + VIDEO, "no DTLS fingerprint"),
        (SDP.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"), "a media section over 'RTP/AVP'"),
        (SDP.replace("m=audio 9 UDP/TLS/RTP/SAVPF 111", "m=audio"), "a media section over ''"),
        (SDP.replace("sha-256", "sha-1"), "unusable fingerprint"),
        (SDP.replace("sha-256", "sha-512"), "unusable fingerprint"),
        (SDP.replace(":AB:AB", ""), "unusable fingerprint"),
        (SDP + CANDIDATE * MAX_CANDIDATES, "candidates, at most"),
        (SDP.replace("m=audio", "a=audio"), "0 media sections"),
        (SDP + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" * 8, "9 media sections"),
    ],
)
def test_a_bad_description_is_refused_with_what_is_wrong(sdp: str, fault: str) -> None:
    with pytest.raises(PeerError, match=fault) as caught:
        check_sdp(sdp)
    assert (caught.value.code, caught.value.field) == (ErrorCode.BAD_SDP, "sdp")
    assert len(caught.value.text) < 200


@pytest.mark.parametrize("crypto", ["A=crypto:1", "a=CRYPTO:1", " a=crypto:1", "a =crypto:1"])
def test_sdes_does_not_get_through_in_another_spelling(crypto: str) -> None:
    with pytest.raises(PeerError):
        check_sdp(SDP + f"{crypto} AES_CM_128_HMAC_SHA1_80 inline:x\r\n")


@pytest.mark.parametrize("end", ["\r", "\u2028", "\u2029", "\x85"])
def test_a_fingerprint_that_a_peer_would_not_see_does_not_count(end: str) -> None:
    hidden = SDP.replace(f"\r\n{FINGERPRINT}", f"{end}{FINGERPRINT}")
    with pytest.raises(PeerError):
        check_sdp(hidden)


@pytest.mark.parametrize(
    ("section", "shown"),
    [
        ("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=sendrecv\r\n", True),
        ("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=recvonly\r\n", True),
        ("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=inactive\r\n", False),
        ("m=video 0 UDP/TLS/RTP/SAVPF 96\r\n", False),
        ("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=x:m=video 9\r\n", False),
        ("", False),
    ],
)
def test_a_call_with_video_is_one_whatever_its_caller_says(section: str, shown: bool) -> None:
    media = (Media.AUDIO, Media.VIDEO) if shown else (Media.AUDIO,)
    assert carried(SDP + section, (Media.AUDIO,)) == media
    assert carried(SDP + section, (Media.AUDIO, Media.VIDEO)) == (Media.AUDIO, Media.VIDEO)
