"""Descriptions as apps speak them, of a bridge's side: one section of audio with the codecs of a telephone.

RFC 8829 is JSEP, RFC 7587 Opus's payload, RFC 4733 telephone-event. `wephone.media.sdp` reads and joins them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from signaling.media import MediaError, Problem
from signaling.pstn.media.rtp import Format
from wephone.media import sdp
from wephone.media.errors import DescriptionError
from wephone.media.sdp import Description, Direction, Section, Setup

OPUS = Format("opus", 48_000)
KNOWN = {
    ("PCMU", "8000"): Format("PCMU", 8_000),
    ("PCMA", "8000"): Format("PCMA", 8_000),
    ("OPUS", "48000"): OPUS,
    ("TELEPHONE-EVENT", "8000"): Format("events", 8_000),
    ("TELEPHONE-EVENT", "48000"): Format("events", 48_000),
}
NAMES = {"PCMU": "PCMU/8000", "PCMA": "PCMA/8000", "opus": "opus/48000/2"}
STATIC = {"0": Format("PCMU", 8_000), "8": Format("PCMA", 8_000)}
_MAP = re.compile(r"a=rtpmap:(\d{1,3}) ([\w.-]+)/(\d+)(?:/[12])?", re.IGNORECASE)

Formats: TypeAlias = dict[int, Format]
"""Payload types and what they stand for, best first."""

# What we offer: types as browsers use them.
OFFERED: Formats = {
    0: Format("PCMU", 8_000),
    8: Format("PCMA", 8_000),
    111: OPUS,
    126: Format("events", 8_000),
    110: Format("events", 48_000),
}


@dataclass(frozen=True, slots=True)
class Means:
    """How our side is found and known."""

    ufrag: str
    password: str
    fingerprint: str  # SHA-256
    candidates: tuple[str, ...]
    complete: bool  # no more candidates follow
    setup: Setup
    mid: str
    ssrc: int
    name: str  # CNAME


def read(text: str) -> Description:
    """An app's description. MediaError if it cannot be a call of ours."""
    try:
        return sdp.encrypted(sdp.parse(text))
    except DescriptionError as error:
        raise MediaError(Problem.BAD_DESCRIPTION, f"the app's offer or answer: {error}") from error


def check_same(before: Description, offer: Description) -> None:
    """MediaError unless a later offer comes over the same connection: it may change the direction alone."""
    same = sdp.ufrag(offer) == sdp.ufrag(before)
    if not same or sdp.fingerprints(offer) != sdp.fingerprints(before):
        raise MediaError(Problem.BAD_DESCRIPTION, "the app restarts ICE or DTLS, which needs a new call")


def formats(description: Description) -> Formats:
    """What the audio of a description can be, in its order, as far as we know it."""
    section = description.sections[sdp.spoken(description)]
    maps = {m[1]: (m[2].upper(), m[3]) for line in section.lines if (m := _MAP.fullmatch(line))}
    found: Formats = {}
    for payload in section.lines[0].split(" ")[3:]:
        known = KNOWN.get(maps[payload]) if payload in maps else STATIC.get(payload)
        if known is not None and int(payload) < 128:
            found[int(payload)] = known
    return found


def answered(theirs: Formats, codecs: Sequence[str]) -> Formats:
    """What we take of an offer: one codec, of the trunk's or else Opus, and its keys. MediaError."""
    for name in (*codecs, "opus"):
        for payload, known in theirs.items():
            if known.codec == name:
                return {payload: known, **keys(theirs, known)}
    raise MediaError(
        Problem.NO_COMMON_CODEC, f"the app speaks neither opus nor what the trunk does ({', '.join(codecs)})"
    )


def keys(theirs: Formats, codec: Format) -> Formats:
    """The telephone-event that goes with a codec: the one with its clock (RFC 4733 §2.6.1.1)."""
    same = [payload for payload, known in theirs.items() if known == Format("events", codec.rate)]
    return {same[0]: theirs[same[0]]} if same else {}


def offered(codecs: Sequence[str]) -> Formats:
    """What we offer: the trunk's codecs in this order, then Opus, and keys for either clock."""
    ordered = [payload for name in codecs for payload, known in OFFERED.items() if known.codec == name]
    return {payload: OFFERED[payload] for payload in (*ordered, 111, 126, 110)}


def agreed(ours: Formats, answer: Formats) -> Formats:
    """What an answer took of our offer, its best first. MediaError if that is no codec."""
    taken = {payload: ours[payload] for payload, known in answer.items() if ours.get(payload) == known}
    codec = next((known for known in taken.values() if known.codec != "events"), None)
    if codec is None:
        raise MediaError(Problem.NO_COMMON_CODEC, "the app took none of the codecs that were offered")
    return taken


def described(taken: Formats, direction: Direction, means: Means, session: int, version: int) -> Description:
    """Our side of it."""
    numbers = " ".join(map(str, taken))
    lines = [
        f"m=audio 9 UDP/TLS/RTP/SAVPF {numbers}",
        "c=IN IP4 0.0.0.0",
        f"a={direction}",
        f"a=mid:{means.mid}",
        "a=msid:wephone telephone",
        "a=rtcp-mux",
        *(line for payload, known in taken.items() for line in _mapped(payload, known)),
        "a=ptime:20",
        f"a=ssrc:{means.ssrc} cname:{means.name}",
        f"a=ice-ufrag:{means.ufrag}",
        f"a=ice-pwd:{means.password}",
        "a=ice-options:trickle",
        f"a=fingerprint:sha-256 {means.fingerprint}",
        f"a=setup:{means.setup}",
        *(f"a=candidate:{each}" for each in means.candidates),
        *(["a=end-of-candidates"] if means.complete else []),
    ]
    head = (
        "v=0",
        f"o=- {session} {version} IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {means.mid}",
        "a=msid-semantic:WMS *",
    )
    return Description(head, (Section(tuple(lines)),))


def _mapped(payload: int, known: Format) -> list[str]:
    if known.codec == "events":
        return [f"a=rtpmap:{payload} telephone-event/{known.rate}", f"a=fmtp:{payload} 0-15"]
    lines = [f"a=rtpmap:{payload} {NAMES[known.codec]}"]
    return [*lines, f"a=fmtp:{payload} {sdp.OPUS_OPTIONS}"] if known == OPUS else lines
