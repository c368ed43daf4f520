"""What Janus's NoSIP plugin is told, and what it says: messages and descriptions. No socket and no clock.

The plugin joins an app's WebRTC with one plain peer, whose address it takes from a description. So the
address is what a lease decides on: without one the peer is a port of Janus's own that nobody reads. It passes
packets on as they are: payload types and the codec are the same on both sides, and chosen here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from signaling.media import Direction, MediaError, Problem, Tally
from signaling.pstn.media import app_sdp, trunk_sdp
from signaling.pstn.media.trunk_sdp import DIRECTIONS, PAYLOADS, Ours, Trunk
from wephone.media import sdp
from wephone.media.sdp import Description, Section
from wephone.protocol.messages import Candidate

PLUGIN = "janus.plugin.nosip"
# Lines of an app's section that mean nothing to a trunk, and that Janus would pass on or act upon.
LEFT_OUT = ("a=extmap:", "a=extmap-allow-mixed", "a=rtcp-fb:", "a=candidate:", "a=end-of-candidates", "b=")
NO_PORTS = "Could not allocate RTP/RTCP ports"  # in these words

Said = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Peer:
    """Where the plain side's sound goes, and comes from: an address, and a direction as it sees it."""

    host: str
    port: int
    direction: Direction = "sendrecv"


@dataclass(frozen=True, slots=True)
class Agreed:
    """What is spoken on both sides: a codec of G.711, and the payload type of keys if there are any."""

    codec: str
    events: int | None


# Choosing


def chosen(app: Description, codecs: Sequence[str]) -> Agreed:
    """The first codec of the trunk's that the app has too, and its keys. MediaError if there is none."""
    theirs = app_sdp.formats(app)
    for name in codecs:
        known = theirs.get(PAYLOADS[name])
        if known is not None and known.codec == name:
            return Agreed(name, next(iter(app_sdp.keys(theirs, known)), None))
    raise MediaError(
        Problem.NO_COMMON_CODEC,
        f"the app does not speak what the trunk does ({', '.join(codecs)}), and Janus translates nothing",
    )


def check_codec(theirs: Trunk, agreed: Agreed) -> None:
    """MediaError unless the trunk can go on in the codec that the app speaks."""
    if agreed.codec not in theirs.codecs:
        said = ", ".join(theirs.codecs)
        raise MediaError(
            Problem.NO_COMMON_CODEC,
            f"the trunk takes {said}, the app speaks {agreed.codec}, and Janus translates nothing",
        )


# Descriptions


def plain(peer: Peer, agreed: Agreed, version: int = 1) -> str:
    """The plain side, as the plugin is told of it."""
    ours = Ours(peer.host, peer.port, (agreed.codec,), peer.direction, 1, version, agreed.events)
    return trunk_sdp.written(ours)


def place_of(generated: str) -> tuple[str, int]:
    """Where the plugin listens for the plain side, by the description that it made."""
    audio = next(each for each in trunk_sdp.read(generated) if each.kind == "audio")
    return audio.host, audio.port


def of_app(description: Description, agreed: Agreed) -> str:
    """An app's description as Janus is to see it: its sound alone, in what was agreed."""
    alone = sdp.audio_alone(description)
    (section,) = alone.sections
    payloads = [str(PAYLOADS[agreed.codec]), *([] if agreed.events is None else [str(agreed.events)])]
    _, port, profile, *_ = section.lines[0].split(" ")
    kept = [line for line in section.lines[1:] if not line.startswith(LEFT_OUT) and _is_of(line, payloads)]
    lines = (f"m=audio {port} {profile} {' '.join(payloads)}", *kept)
    head = tuple(line for line in alone.session if not line.startswith("a=extmap"))
    return str(replace(alone, session=head, sections=(Section(lines),)))


def _is_of(line: str, payloads: list[str]) -> bool:
    """Is this no line about another payload type?"""
    for kind in ("a=rtpmap:", "a=fmtp:"):
        if line.startswith(kind):
            return line.removeprefix(kind).split(" ")[0] in payloads
    return True


def for_app(said: str, direction: Direction, offer: Description | None = None) -> str:
    """Janus's description as the app is to see it: in this direction, an answer to the whole of its offer."""
    ours = sdp.directed(sdp.parse(said), direction)
    return str(ours if offer is None else sdp.declining(ours, offer))


def direction_of(app: Description) -> Direction:
    """As the app sees it."""
    return DIRECTIONS[app.sections[sdp.spoken(app)].direction]


def joined(*, sends: bool, hears: bool) -> Direction:
    """The direction of one who does both, one or neither."""
    if sends:
        return "sendrecv" if hears else "sendonly"
    return "recvonly" if hears else "inactive"


def sink_offer() -> str:
    """An app that never comes: for its sake a port is opened that nobody reads."""
    fingerprint = ":".join(["00"] * 32)
    lines = [
        *("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0"),
        *("m=audio 9 UDP/TLS/RTP/SAVPF 0", "c=IN IP4 0.0.0.0", "a=inactive", "a=mid:0", "a=rtcp-mux"),
        *("a=rtpmap:0 PCMU/8000", "a=ice-ufrag:none", "a=ice-pwd:nobodywillevercomehere00"),
        *(f"a=fingerprint:sha-256 {fingerprint}", "a=setup:actpass"),
    ]
    return "".join(f"{line}\r\n" for line in lines)


# Requests


def attach(session: int) -> Said:
    """A leg's place in the plugin."""
    return {"janus": "attach", "session_id": session, "plugin": PLUGIN}


def generate(kind: str, description: str, *, update: bool = False) -> Said:
    """The app has said this; the answer has the plain side's place."""
    jsep: Said = {"type": kind, "sdp": description, **({"update": True} if update else {})}
    return {"janus": "message", "body": {"request": "generate"}, "jsep": jsep}


def process(kind: str, description: str, *, update: bool = False) -> Said:
    """The plain side has said this; the answer has what the app is to be told."""
    body: Said = {"request": "process", "type": kind, "sdp": description}
    return {"janus": "message", "body": {**body, **({"update": True} if update else {})}}


def trickle(candidates: Sequence[Candidate], *, end: bool) -> Said:
    """Candidates of the app."""
    said: list[Said] = [
        {
            "candidate": each.candidate,
            "sdpMid": each.sdp_mid,
            "sdpMLineIndex": each.sdp_mline_index or 0,
        }
        for each in candidates
    ]
    return {"janus": "trickle", "candidates": [*said, *([{"completed": True}] if end else [])]}


# Answers


def figures(answer: Said) -> tuple[Tally, Tally]:
    """The app's side and the trunk's, by what Janus counted on the app's: it counts on no other."""
    media: Said = answer["info"].get("webrtc", {}).get("media", {})
    audio: Said = next(iter(media.values()), {})
    stats, reports = audio.get("stats", {}), audio.get("rtcp", {}).get("main", {})
    came, went = (int(stats.get(way, {}).get("packets", 0)) for way in ("in", "out"))
    rate, trip = int(reports.get("base") or 8_000), int(reports.get("rtt", 0))
    app = Tally(
        received=came,
        sent=went,
        lost=int(reports.get("lost", 0)),
        reported_lost=int(reports.get("lost-by-remote", 0)),
        jitter=int(reports.get("jitter-local", 0)) / rate,
        round_trip=trip / 1000 if trip else None,
    )
    return app, Tally(received=went, sent=came)


def generated(answer: Said) -> str:
    """The plain side's description. MediaError if the plugin refused."""
    return str(_result(answer)["sdp"])


def processed(answer: Said) -> str:
    """What the app is to be told. MediaError if the plugin refused."""
    _result(answer)
    return str(answer["jsep"]["sdp"])


def _result(answer: Said) -> Said:
    data: Said = answer["plugindata"]["data"]
    if "result" in data:
        result: Said = data["result"]
        return result
    words = str(data.get("error", "it said nothing"))
    raise MediaError(
        Problem.NO_PORTS if words == NO_PORTS else Problem.BAD_DESCRIPTION, f"Janus: {words[:200]}"
    )
