"""Is this session description one we pass on? Looked at, never altered (RFC 8866, RFC 8829)."""

import re

from wephone.protocol.codec import PeerError
from wephone.protocol.messages import MAX_CANDIDATES, MAX_SDP, Media
from wephone.protocol.reasons import ErrorCode

MAX_LINES = 1024
MAX_LINE = 2048  # characters
MAX_SECTIONS = 8  # audio, video and room for what browsers add
BY_DTLS = ("UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "UDP/DTLS/SCTP", "TCP/DTLS/RTP/SAVPF", "TCP/DTLS/SCTP")
# RFC 8122 §5. SHA-1 and MD5 are refused: RFC 8827 §6.5 wants a fingerprint that binds.
FINGERPRINT = re.compile(r"a=fingerprint:(sha-(?:256|384|512)) ((?:[0-9A-Fa-f]{2}:){31,63}[0-9A-Fa-f]{2})")
DIGEST_PAIRS = {"sha-256": 32, "sha-384": 48, "sha-512": 64}


def check_sdp(sdp: str) -> None:
    """Raise PeerError(BAD_SDP) unless the description is bounded, secured by DTLS and free of SDES."""
    if len(sdp) > MAX_SDP:
        raise bad(f"{len(sdp)} characters, at most {MAX_SDP}")
    if not sdp.isprintable() and re.search(r"[^\x20-\x7e\r\n\t\u0080-\U0010ffff]", sdp):
        raise bad("control characters")
    # As peers split it: not at what else Unicode calls an end of line, where they would see no line of ours.
    lines = [line.removesuffix("\r") for line in sdp.removesuffix("\n").split("\n")]
    if len(lines) > MAX_LINES:
        raise bad(f"{len(lines)} lines, at most {MAX_LINES}")
    if lines[0] != "v=0":
        raise bad("it must begin with v=0")
    check_lines(lines)


def carried(sdp: str, said: tuple[Media, ...]) -> tuple[Media, ...]:
    """The media that a call has with this description: what its sender says, and what is in it all the same.

    Which kind of call it is in law is no matter of words.
    """
    return said if Media.VIDEO in said or not offers_video(sdp) else (*said, Media.VIDEO)


def offers_video(sdp: str) -> bool:
    """Is there a section for video that is neither turned down (port 0) nor inactive (RFC 8866 §6.7)?"""
    sections = re.split(r"^m=", sdp, flags=re.MULTILINE)[1:]
    return any(
        section.startswith("video ")
        and not section.startswith("video 0 ")
        and not re.search(r"^a=inactive\r?$", section, re.MULTILINE)
        for section in sections
    )


def check_lines(lines: list[str]) -> None:
    """Every line on its own, then what must be there at least once."""
    sections = candidates = 0
    for line in lines:
        if len(line) > MAX_LINE:
            raise bad(f"a line of {len(line)} characters, at most {MAX_LINE}")
        if len(line) < 2 or line[1] != "=" or not "a" <= line[0] <= "z" or "\r" in line:
            raise bad(f"not a line of SDP: {line[:32]!a}")
        if line[:8].lower() == "a=crypto":  # names are case-sensitive, but a lenient peer might not know
            raise bad("a=crypto (SDES) is not allowed in WebRTC (RFC 8827 §6.5)")
        sections += line.startswith("m=")
        candidates += line.startswith("a=candidate:")
    if not 1 <= sections <= MAX_SECTIONS:
        raise bad(f"{sections} media sections, from 1 to {MAX_SECTIONS}")
    if candidates > MAX_CANDIDATES:
        raise bad(f"{candidates} candidates, at most {MAX_CANDIDATES}")
    check_security(lines)


def check_security(lines: list[str]) -> None:
    """Each section that is not turned down is secured by DTLS: with a fingerprint of its own, that of the
    session, or that of the bundle it is in (RFC 8827 §6.5, RFC 8843 §9)."""
    fingerprints = [0]  # of the session, then of each section
    turned_down = set[int]()
    for line in lines:
        if line.startswith("m="):
            if is_turned_down(line):
                turned_down.add(len(fingerprints))
            fingerprints.append(0)
        fingerprints[-1] += is_fingerprint(line)
    live = [count for place, count in enumerate(fingerprints) if place and place not in turned_down]
    is_shared = fingerprints[0] > 0 or any(line.startswith("a=group:BUNDLE ") for line in lines)
    if not any(fingerprints) or not (is_shared or all(live)):
        raise bad("no DTLS fingerprint (RFC 8122)")


def is_turned_down(line: str) -> bool:
    """Has this section port 0? PeerError for one that DTLS does not secure (RFC 8827 §6.5)."""
    _, port, protocol = (*line.split(" ")[:3], "", "")[:3]
    if protocol not in BY_DTLS:
        raise bad(f"a media section over {protocol[:32]!a}, not one of {', '.join(BY_DTLS)}")
    return port == "0"


def is_fingerprint(line: str) -> bool:
    """True for a whole fingerprint; PeerError for one that is broken or of a weak hash."""
    if not line.startswith("a=fingerprint"):
        return False
    found = FINGERPRINT.fullmatch(line)
    if not found or found[2].count(":") + 1 != DIGEST_PAIRS[found[1]]:
        raise bad(f"unusable fingerprint {line[:40]!a}")
    return True


def bad(what: str) -> PeerError:
    """The one error a description can cause."""
    return PeerError(ErrorCode.BAD_SDP, what, "sdp")
