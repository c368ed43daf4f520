"""Descriptions as lines: what is refused, declined, turned round and left out."""

import pytest

from wephone.media import sdp
from wephone.media.errors import DescriptionError

BROWSER = """v=0
o=- 123 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE v a d
a=msid-semantic: WMS stream
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=mid:v
a=ice-ufrag:abcd
a=ice-pwd:0123456789012345678901
a=fingerprint:sha-256 AA:BB
a=setup:actpass
a=sendrecv
m=audio 9 UDP/TLS/RTP/SAVPF 111 9 0
c=IN IP4 0.0.0.0
a=mid:a
a=ice-ufrag:abcd
a=ice-pwd:0123456789012345678901
a=fingerprint:sha-256 aa:bb
a=fingerprint:sha-512 cc:dd
a=setup:actpass
a=sendonly
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtpmap:9 G722/8000
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=mid:d
a=sctp-port:5000
"""


def test_the_audio_is_found_wherever_it_stands() -> None:
    description = sdp.checked(sdp.parse(BROWSER))
    assert sdp.spoken(description) == 1
    assert description.sections[1].direction == "sendonly"
    assert description.sections[1].mid == "a"
    assert sdp.ufrag(description) == "abcd"
    assert sdp.fingerprints(description) == ("sha-256 AA:BB", "sha-512 CC:DD")


def test_what_is_written_is_what_was_read_with_the_right_line_ends() -> None:
    assert str(sdp.parse(BROWSER)) == BROWSER.replace("\n", "\r\n")


def test_only_the_audio_is_shown_to_aiortc() -> None:
    alone = sdp.audio_alone(sdp.parse(BROWSER))
    assert [section.kind for section in alone.sections] == ["audio"]
    assert "a=group:BUNDLE a" in alone.session


def test_other_sections_are_declined_in_their_places() -> None:
    offer = sdp.parse(BROWSER)
    answer = sdp.declining(sdp.audio_alone(offer), offer)
    assert [section.lines[0] for section in answer.sections] == [
        "m=video 0 UDP/TLS/RTP/SAVPF 96",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 9 0",
        "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
    ]
    assert [section.mid for section in answer.sections] == ["v", "a", "d"]
    assert "a=group:BUNDLE a" in answer.session


def test_direction_and_part_in_dtls_are_rewritten_in_the_audio_alone() -> None:
    turned = sdp.directed(sdp.parse(BROWSER), "inactive", "passive")
    assert turned.sections[1].direction == "inactive"
    assert "a=setup:passive" in turned.sections[1].lines
    assert turned.sections[0].direction == "sendrecv"
    assert "a=setup:actpass" in turned.sections[0].lines


def test_what_is_said_asks_for_fec_and_tells_of_trickling_and_has_one_fingerprint() -> None:
    said = sdp.outgoing(sdp.parse(BROWSER + "a=end-of-candidates\n"), more_candidates=True).sections[1].lines
    assert "a=fmtp:111 minptime=10;useinbandfec=1" in said
    assert said.count("a=ice-options:trickle") == 1
    assert [line for line in said if line.startswith("a=fingerprint")] == ["a=fingerprint:sha-256 aa:bb"]
    again = sdp.outgoing(sdp.parse(BROWSER), more_candidates=True)
    assert sdp.outgoing(again, more_candidates=True) == again


def test_the_end_of_candidates_is_said_only_when_it_is_true() -> None:
    whole = sdp.parse(BROWSER.replace("a=rtcp-mux", "a=rtcp-mux\na=end-of-candidates"))
    assert "a=end-of-candidates" in str(sdp.outgoing(whole, more_candidates=False))
    assert "a=end-of-candidates" not in str(sdp.outgoing(whole, more_candidates=True))


def test_one_session_has_versions_that_grow() -> None:
    first, second = (sdp.versioned(sdp.parse(BROWSER), 7, version) for version in (0, 1))
    assert first.session[1] == "o=- 7 0 IN IP4 0.0.0.0"
    assert second.session[1] == "o=- 7 1 IN IP4 0.0.0.0"


def test_a_section_that_shares_anothers_port_is_not_declined() -> None:
    shared = BROWSER.replace("m=audio 9", "m=audio 0").replace("a=mid:a", "a=mid:a\na=bundle-only")
    assert sdp.spoken(sdp.parse(shared)) == 1


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (("v=0", "v=1"), "does not begin with `v=0`"),
        (("m=audio 9", "m=audio"), "is no section of media"),
        (("m=audio 9", "m=audio 0"), "carries no audio"),
        (("a=fingerprint", "a=print"), "no DTLS fingerprint"),
        (("a=rtcp-mux", "a=crypto:1 x"), "keys in clear"),
        (("a=ice-ufrag", "a=ufrag"), "no `a=ice-ufrag`"),
        (("a=setup", "a=set"), "no `a=setup`"),
        (("opus/48000/2", "speex/16000"), "no codec that we speak"),
        (("a=rtcp-mux", "a=x:" + "y" * 40_000), "larger than"),
        (("s=-", "s=-\n" + "m=audio 9 X 1\n" * 20), "sections of media"),
    ],
)
def test_what_cannot_be_a_call_of_ours_is_refused_in_words(spoil: tuple[str, str], text: str) -> None:
    with pytest.raises(DescriptionError, match=text):
        sdp.checked(sdp.parse(BROWSER.replace(*spoil)))
