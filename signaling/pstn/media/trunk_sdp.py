"""Descriptions as trunks speak them: RTP over UDP with G.711 and telephone-event, keys in it or none.

RFC 8866 is the format, RFC 3264 offer and answer, RFC 4733 telephone-event, RFC 4568 `a=crypto`. Only what a
telephone call needs is said, and nothing that a browser said gets through to a carrier.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from signaling.media import Direction, MediaError, Problem, Srtp, TrunkMedia
from signaling.pstn.sip.sdes import SRTP, Key, Suite, keys_in

CODECS = {0: "PCMU", 8: "PCMA"}  # static payload types (RFC 3551 §6)
PAYLOADS = {name: payload for payload, name in CODECS.items()}
EVENTS = 101  # our payload type of telephone-event in an offer; what everybody uses
SUITE = Suite.AES_CM_128_HMAC_SHA1_80  # RFC 4568 §6.2.1, the one that everybody has
LARGEST = 16 * 1024  # bytes of a description
NOWHERE = ("0.0.0.0", "::")  # how hold was said before directions (RFC 3264 §8.4)
DIRECTIONS: dict[str, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "sendonly",
    "recvonly": "recvonly",
    "inactive": "inactive",
}
REVERSED: dict[Direction, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}

_MEDIA = re.compile(r"(\w+) (\d{1,5})(?:/1)? (\S+) (.+)")
_REPORTS = re.compile(r"rtcp:([0-9]{1,5})(?: |$)")
_MAP = re.compile(r"rtpmap:(\d{1,3}) ([\w.-]+)/(\d+)(?:/1)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Section:
    """One m= line and what holds for it."""

    kind: str
    port: int
    profile: str
    payloads: tuple[str, ...]
    lines: tuple[str, ...]  # without "a=" and the rest of their kind
    host: str
    keys: tuple[Key, ...]  # those that can be used, in its order


@dataclass(frozen=True, slots=True)
class Trunk:
    """What a trunk says about its side, as far as it matters."""

    host: str
    port: int
    control: int  # the port of its reports
    codecs: tuple[str, ...]  # those that we know, in its order
    events: int | None  # its payload type of telephone-event/8000
    direction: Direction  # as it sees it
    crypto: Key | None
    sections: tuple[Section, ...]
    chosen: int  # which of them is the call's

    @property
    def sends(self) -> bool:
        return self.direction in ("sendrecv", "sendonly")

    @property
    def hears(self) -> bool:
        return self.direction in ("sendrecv", "recvonly")


@dataclass(frozen=True, slots=True)
class Ours:
    """What we say about our side."""

    host: str
    port: int
    codecs: Sequence[str]
    direction: Direction
    session: int
    version: int
    events: int | None = EVENTS
    crypto: Key | None = None


def parse(sdp: str, trunk: TrunkMedia) -> Trunk:
    """What this description says. MediaError if it cannot be a call over this trunk."""
    sections = read(sdp)
    chosen = next((i for i, each in enumerate(sections) if each.kind == "audio" and each.port), None)
    if chosen is None:
        raise MediaError(Problem.NO_COMMON_CODEC, "the trunk's description has no audio")
    section = sections[chosen]
    said = (DIRECTIONS[line] for line in section.lines if line in DIRECTIONS)
    direction: Direction = next(said, "sendrecv")
    if section.host in NOWHERE:
        direction = "sendonly" if direction == "sendrecv" else "inactive"
    else:
        check_address(section.host, trunk.networks)
    codecs, events = formats(section)
    if not codecs:
        named = " ".join(section.payloads)[:60]
        raise MediaError(Problem.NO_COMMON_CODEC, f"the trunk speaks neither PCMU nor PCMA (`{named}`)")
    return Trunk(
        section.host,
        section.port,
        control_port(section),
        codecs,
        events,
        direction,
        key(section, trunk.srtp),
        sections,
        chosen,
    )


def read(sdp: str) -> tuple[Section, ...]:
    """The sections of a description. MediaError if it is none."""
    if len(sdp) > LARGEST:
        raise MediaError(Problem.BAD_DESCRIPTION, f"the trunk's description is larger than {LARGEST} bytes")
    groups: list[list[str]] = [[]]
    for line in sdp.splitlines():
        if line.startswith("m="):
            groups.append([])
        groups[-1].append(line.rstrip())
    if groups[0][:1] != ["v=0"]:
        raise MediaError(Problem.BAD_DESCRIPTION, "the trunk's description does not begin with `v=0`")
    return tuple(_section(group, groups[0]) for group in groups[1:])


def _section(lines: list[str], session: list[str]) -> Section:
    match = _MEDIA.fullmatch(lines[0][2:])
    if not match or int(match[2]) > 65535:
        raise MediaError(Problem.BAD_DESCRIPTION, f"`{lines[0][:80]}` is no section of media")
    host = next((line[2:] for line in (*lines, *session) if line.startswith("c=")), "")
    attributes = tuple(line[2:] for line in (*lines, *session) if line.startswith("a="))
    return Section(
        match[1].lower(),
        int(match[2]),
        match[3],
        tuple(match[4].split()),
        attributes,
        host.split(" ")[-1].partition("/")[0],
        tuple(keys_in(lines[1:])),
    )


def check_address(host: str, networks: Sequence[str]) -> None:
    """MediaError unless a trunk's sound may go there."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise MediaError(Problem.BAD_ADDRESS, f"`{host[:80]}` is no address") from None
    allowed = [ipaddress.ip_network(each) for each in networks]
    if any(address in network for network in allowed if network.version == address.version):
        return
    if allowed:
        raise MediaError(Problem.BAD_ADDRESS, f"`{address}` is none of this trunk's media networks")
    if not address.is_global or address.is_multicast:
        raise MediaError(Problem.BAD_ADDRESS, f"`{address}` is not a public address, and not configured")


def control_port(section: Section) -> int:
    """Where the reports go: the next port, unless it says otherwise (RFC 3605)."""
    said = next((m for line in section.lines if (m := _REPORTS.match(line))), None)
    return int(said[1]) if said and 0 < int(said[1]) < 65536 else section.port + 1


def formats(section: Section) -> tuple[tuple[str, ...], int | None]:
    """The codecs that we know, in its order, and the payload type of its telephone-event."""
    maps = {m[1]: (m[2].upper(), m[3]) for line in section.lines if (m := _MAP.fullmatch(line))}
    static = {str(payload): (name, "8000") for payload, name in CODECS.items()}
    # A static type under another name would be odd; G.711 under a dynamic type is not what carriers do.
    known = [static[each][0] for each in section.payloads if each in static]
    events = next(
        (int(each) for each in section.payloads if maps.get(each) == ("TELEPHONE-EVENT", "8000")), None
    )
    return tuple(dict.fromkeys(known)), events if events is None or 96 <= events <= 127 else None


def key(section: Section, srtp: Srtp) -> Key | None:
    """The trunk's key, if there is to be one. MediaError if the two do not go together."""
    secured = section.profile in SRTP
    if not secured and section.profile not in ("RTP/AVP", "RTP/AVPF"):
        raise MediaError(Problem.BAD_DESCRIPTION, f"`{section.profile[:40]}` is no way to speak with a trunk")
    match srtp:
        case Srtp.NEVER:
            if secured:
                raise MediaError(
                    Problem.NO_SRTP, "the trunk wants keys in its description, which are not set up"
                )
            return None
        case Srtp.ALWAYS:
            if not secured:
                raise MediaError(
                    Problem.NO_SRTP, "the trunk would speak in clear, which is not allowed to it"
                )
            first = next((each for each in section.keys if each.suite is SUITE), None)
            if first is None:
                raise MediaError(Problem.NO_SRTP, f"the trunk's description has no key for {SUITE}")
            return first


def written(ours: Ours, offer: Trunk | None = None) -> str:
    """Our description: an answer to this offer, or an offer."""
    family = "IP6" if ":" in ours.host else "IP4"
    lines = [
        "v=0",
        f"o=- {ours.session} {ours.version} IN {family} {ours.host}",
        "s=-",
        f"c=IN {family} {ours.host}",
        "t=0 0",
    ]
    if offer is None:
        lines += spoken(ours, "RTP/SAVP" if ours.crypto else "RTP/AVP")
    else:
        for index, section in enumerate(offer.sections):
            if index == offer.chosen:
                lines += spoken(ours, section.profile)
            else:  # RFC 3264 §6: every section is answered
                lines.append(f"m={section.kind} 0 {section.profile} {' '.join(section.payloads)}")
    return "".join(f"{line}\r\n" for line in lines)


def spoken(ours: Ours, profile: str) -> list[str]:
    """The section of the call."""
    payloads = [PAYLOADS[name] for name in ours.codecs]
    numbers = [*payloads, *([ours.events] if ours.events is not None else [])]
    return [
        f"m=audio {ours.port} {profile} {' '.join(map(str, numbers))}",
        *(f"a=rtpmap:{PAYLOADS[name]} {name}/8000" for name in ours.codecs),
        *(
            [f"a=rtpmap:{ours.events} telephone-event/8000", f"a=fmtp:{ours.events} 0-15"]
            if ours.events is not None
            else []
        ),
        *([ours.crypto.line()] if ours.crypto else []),
        "a=ptime:20",
        f"a={ours.direction}",
    ]


def common(theirs: Trunk, trunk: TrunkMedia) -> str:
    """The codec to speak: the first of theirs that this trunk may have. MediaError if there is none."""
    for name in theirs.codecs:
        if name in trunk.codecs:
            return name
    raise MediaError(
        Problem.NO_COMMON_CODEC,
        f"the trunk speaks {', '.join(theirs.codecs)}, and may speak {', '.join(trunk.codecs)}",
    )
