"""Session descriptions as lists of lines: what aiortc cannot say or must not see is settled here.

A headless peer speaks audio alone. Other sections are declined with port 0 (RFC 3264 §6) and kept
out of aiortc, which knows no declined section. RFC 8829 is JSEP, RFC 8866 the format.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal

from wephone.media.errors import DescriptionError

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
Setup = Literal["actpass", "active", "passive"]
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")

LARGEST = 32 * 1024  # bytes of a description, as the server holds it too
SECTIONS = 16  # sections of media: more than any browser offers
FINGERPRINT = re.compile(r"^a=fingerprint:([\w-]+) ([0-9A-Fa-f:]+)$")  # RFC 8122 §5
OPUS = re.compile(r"^a=rtpmap:(\d+) opus/48000/2$", re.IGNORECASE)
EVENTS = re.compile(
    r"^a=rtpmap:(\d+) telephone-event/48000$", re.IGNORECASE
)  # at Opus's clock: RFC 4733 §2.6.1.1
OPUS_OPTIONS = "minptime=10;useinbandfec=1"  # RFC 7587 §6.1: without it browsers send no FEC copies

Lines = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One m= line and all that belongs to it."""

    lines: Lines

    @property
    def kind(self) -> str:
        return self.lines[0][2:].split(" ", 1)[0]

    @property
    def declined(self) -> bool:
        """Port 0, unless it shares another's port (`a=bundle-only`, RFC 9143 §6)."""
        return self.lines[0].split(" ")[1] == "0" and "a=bundle-only" not in self.lines

    @property
    def mid(self) -> str | None:
        return next((line[6:] for line in self.lines if line.startswith("a=mid:")), None)

    @property
    def direction(self) -> str:
        """As written; sendrecv if it does not say (RFC 3264 §5.1)."""
        return next((line[2:] for line in self.lines if line[2:] in DIRECTIONS), "sendrecv")


@dataclass(frozen=True, slots=True)
class Description:
    """What stands before the first m= line, and the sections."""

    session: Lines
    sections: tuple[Section, ...]

    def __str__(self) -> str:
        lines = [*self.session, *(line for section in self.sections for line in section.lines)]
        return "".join(f"{line}\r\n" for line in lines)


def parse(sdp: str) -> Description:
    """Split a description. DescriptionError if it is too large or has no audio that we could speak."""
    if len(sdp.encode(errors="replace")) > LARGEST:
        raise DescriptionError(f"the description is larger than {LARGEST} bytes")
    groups: list[list[str]] = [[]]
    for line in sdp.splitlines():
        if line.startswith("m="):
            groups.append([])
        if line.strip():
            groups[-1].append(line.rstrip())
    if not groups[0] or groups[0][0] != "v=0":
        raise DescriptionError("the description does not begin with `v=0`")
    if len(groups) - 1 > SECTIONS:
        raise DescriptionError(f"{len(groups) - 1} sections of media, at most {SECTIONS}")
    for group in groups[1:]:
        if not re.match(r"^m=\S+ \d+ \S+ .+$", group[0]):
            raise DescriptionError(f"`{group[0][:80]}` is no section of media")
    return Description(tuple(groups[0]), tuple(Section(tuple(group)) for group in groups[1:]))


def spoken(description: Description) -> int:
    """Which section is the call's audio: the first that is not declined. DescriptionError if none is."""
    for index, section in enumerate(description.sections):
        if section.kind == "audio" and not section.declined:
            return index
    raise DescriptionError("the description carries no audio")


def checked(description: Description) -> Description:
    """The same, if it can be a call of ours: encrypted by DTLS, reachable by ICE, Opus."""
    section = encrypted(description).sections[spoken(description)]
    if not any(OPUS.match(line) for line in section.lines):
        raise DescriptionError("the description has no codec that we speak: opus")
    return description


def encrypted(description: Description) -> Description:
    """The same, if its audio is encrypted by DTLS and reachable by ICE."""
    section = description.sections[spoken(description)]
    lines = (*description.session, *section.lines)
    if not fingerprints(description):
        raise DescriptionError("the description has no DTLS fingerprint")
    if any(line.startswith("a=crypto:") for line in lines):
        raise DescriptionError("the description carries keys in clear (`a=crypto`)")  # RFC 8827 §6.5
    for needed in ("a=ice-ufrag:", "a=ice-pwd:", "a=setup:"):
        if not any(line.startswith(needed) for line in lines):
            raise DescriptionError(f"the description has no `{needed.rstrip(':')}`")
    return description


def fingerprints(description: Description) -> tuple[str, ...]:
    """The DTLS fingerprints that speak for the audio, each once, sorted, as "sha-256 AB:CD:..."."""
    lines = (*description.session, *description.sections[spoken(description)].lines)
    found = [match for line in lines if (match := FINGERPRINT.match(line))]
    return tuple(sorted({f"{match[1].lower()} {match[2].upper()}" for match in found}))


def audio_alone(description: Description) -> Description:
    """The audio section without its companions, as aiortc is to see it."""
    section = description.sections[spoken(description)]
    return bundled(replace(description, sections=(section,)))


def declining(answer: Description, offer: Description) -> Description:
    """An answer to every section of the offer: ours to its audio, port 0 to the others."""
    chosen, ours = spoken(offer), answer.sections[spoken(answer)]
    sections = tuple(
        ours if index == chosen else Section(refusal(section)) for index, section in enumerate(offer.sections)
    )
    return bundled(replace(answer, sections=sections))


def refusal(section: Section) -> Lines:
    """A section of the same kind, format and mid that carries nothing (RFC 8829 §5.3.1)."""
    kind, _, rest = section.lines[0][2:].split(" ", 2)
    mid = () if section.mid is None else (f"a=mid:{section.mid}",)
    return (f"m={kind} 0 {rest}", "c=IN IP4 0.0.0.0", *mid, "a=inactive")


def bundled(description: Description) -> Description:
    """Only sections that live are in the bundle (RFC 9143 §7.3.3)."""
    mids = [section.mid for section in description.sections if not section.declined and section.mid]
    session = tuple(
        f"a=group:BUNDLE {' '.join(mids)}" if line.startswith("a=group:BUNDLE") else line
        for line in description.session
    )
    return replace(description, session=session)


def directed(description: Description, direction: Direction, setup: Setup | None = None) -> Description:
    """The same with its audio in this direction, and if asked with this part in DTLS (RFC 8842 §5.5)."""
    chosen = spoken(description)

    def rewritten(line: str) -> str:
        if line[2:] in DIRECTIONS:
            return f"a={direction}"
        return f"a=setup:{setup}" if setup is not None and line.startswith("a=setup:") else line

    section = Section(tuple(rewritten(line) for line in description.sections[chosen].lines))
    sections = (*description.sections[:chosen], section, *description.sections[chosen + 1 :])
    return replace(description, sections=sections)


def versioned(description: Description, session: int, version: int) -> Description:
    """One session id for the whole call, and a version that grows (RFC 3264 §8)."""
    origin = f"o=- {session} {version} IN IP4 0.0.0.0"
    lines = tuple(origin if line.startswith("o=") else line for line in description.session)
    return replace(description, session=lines)


def events(description: Description) -> int | None:
    """The payload type by which the audio's keys are said; none: it takes no keys."""
    lines = description.sections[spoken(description)].lines
    found = next((int(match[1]) for line in lines if (match := EVENTS.match(line))), None)
    return found if found is not None and str(found) in lines[0].split(" ")[3:] else None


def outgoing(description: Description, more_candidates: bool, keys: int | None = None) -> Description:
    """What aiortc leaves out: that candidates may follow (RFC 8840 §4.1), Opus's FEC, and keys.

    aiortc writes `a=end-of-candidates` even while the relay is still being asked. `keys`: the payload type of
    telephone-event, if the audio takes it.
    """
    return replace(
        description,
        sections=tuple(
            with_keys(completed(section, more_candidates), keys)
            if section.kind == "audio" and not section.declined
            else section
            for section in description.sections
        ),
    )


def completed(section: Section, more_candidates: bool) -> Section:
    lines: list[str] = []
    for line in section.lines:
        if line.startswith(("a=ice-options:", "a=fingerprint:")) and not line.startswith(
            "a=fingerprint:sha-256 "
        ):
            continue  # one fingerprint says it all; RFC 8122 §5 asks for sha-256
        if line == "a=end-of-candidates" and more_candidates:
            continue
        lines.append(line)
        if line.startswith("a=ice-pwd:"):
            lines.append("a=ice-options:trickle")
        opus = OPUS.match(line)
        if opus and not any(other.startswith(f"a=fmtp:{opus[1]} ") for other in section.lines):
            lines.append(f"a=fmtp:{opus[1]} {OPUS_OPTIONS}")
    return Section(tuple(lines))


def with_keys(section: Section, payload_type: int | None) -> Section:
    """The same, with the keys of a telephone (RFC 4733 §2.4)."""
    if payload_type is None:
        return section
    said = (f"a=rtpmap:{payload_type} telephone-event/48000", f"a=fmtp:{payload_type} 0-15")
    return Section((f"{section.lines[0]} {payload_type}", *section.lines[1:], *said))


def ufrag(description: Description) -> str | None:
    """The ICE user name fragment of the audio section."""
    lines = (*description.sections[spoken(description)].lines, *description.session)
    return next((line[12:] for line in lines if line.startswith("a=ice-ufrag:")), None)


def setup(description: Description) -> str | None:
    """Which part the description's side wants in DTLS (RFC 8842 §5.1)."""
    lines = (*description.sections[spoken(description)].lines, *description.session)
    return next((line[8:] for line in lines if line.startswith("a=setup:")), None)
