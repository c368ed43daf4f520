"""SRTP by SDES: the keys of encrypted sound in a description of media, `a=crypto` (RFC 4568, RFC 6188).

For carriers that demand it, over TLS alone: who reads the description reads the keys. They go by value to
whatever encrypts, and stand in no `repr`, no sentence and no log. Randomness is an argument.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from signaling.pstn.sip.problem import SipError

SRTP = frozenset({"RTP/SAVP", "RTP/SAVPF"})
MOST_KEYS = 32  # of one description
# A key that its owner wants to change sooner than after six hours of speech is none that we can serve: it
# stands for the whole call.
SHORTEST_LIFE, LONGEST_LIFE = 2**20, 2**48  # packets (RFC 4568 §6.1)

_MEDIA = re.compile(r"m=audio ([0-9]{1,5})(?:/[0-9]+)? (\S+) (.+)")
_CRYPTO = re.compile(r"a=crypto:([0-9]{1,9})[ \t]+(\S+)[ \t]+(\S+)((?:[ \t]+\S+)*)[ \t]*")
_INLINE = re.compile(r"inline:([A-Za-z0-9+/]{1,128}={0,2})(?:\|(2\^[0-9]{1,2}|[0-9]{1,15}))?")
# Session parameters that change nothing of how we encrypt; any other makes its key unusable (§6.3).
_HARMLESS = re.compile(r"WSH=[0-9]{1,5}|-\S*")


class Suite(StrEnum):
    """How packets are encrypted and authenticated: cipher and length of the authentication tag in bits."""

    AES_CM_128_HMAC_SHA1_80 = "AES_CM_128_HMAC_SHA1_80"
    AES_CM_128_HMAC_SHA1_32 = "AES_CM_128_HMAC_SHA1_32"
    AES_256_CM_HMAC_SHA1_80 = "AES_256_CM_HMAC_SHA1_80"

    @property
    def octets(self) -> int:
        """Of a master key with its salt behind it."""
        return 46 if self is Suite.AES_256_CM_HMAC_SHA1_80 else 30


# What we offer, and what we take where we may choose. A tag of 32 bits is taken, not offered.
OFFERED = (Suite.AES_256_CM_HMAC_SHA1_80, Suite.AES_CM_128_HMAC_SHA1_80)


@dataclass(frozen=True, slots=True)
class Key:
    """One `a=crypto`: what its sender encrypts with. `master` is the key and, behind it, the salt."""

    tag: int  # by which an answer names what it takes
    suite: Suite
    master: bytes = field(repr=False)

    def line(self) -> str:
        """As a description has it: a secret."""
        return f"a=crypto:{self.tag} {self.suite} inline:{b64encode(self.master).decode()}"


@dataclass(frozen=True, slots=True)
class Keys:
    """What both ends of one line encrypt with: `ours` what we send, `theirs` what they send."""

    suite: Suite
    ours: bytes = field(repr=False)
    theirs: bytes = field(repr=False)


def drawn(random: Callable[[int], bytes], suites: Sequence[Suite] = OFFERED) -> tuple[Key, ...]:
    """New keys for an offer, the best first."""
    return tuple([Key(tag, suite, random(suite.octets)) for tag, suite in enumerate(suites, 1)])


def chosen(offer: bytes, random: Callable[[int], bytes]) -> Key:
    """A new key of ours for the answer to an offer, of the first kind there that we know; SipError(488)."""
    theirs = offered(offer)[0]
    return Key(theirs.tag, theirs.suite, random(theirs.suite.octets))


def encrypted(sdp: bytes, keys: Sequence[Key]) -> bytes:
    """A plain description of ours as one of SRTP with these keys; ValueError if it has no plain audio."""
    lines = sdp.decode().split("\r\n")
    at = _audio(lines)
    media = None if at is None else _MEDIA.fullmatch(lines[at])
    if at is None or media is None or media[2] not in ("RTP/AVP", "RTP/AVPF"):
        raise ValueError("not a description of plain audio")
    lines[at] = f"m=audio {media[1]} {media[2].replace('AVP', 'SAVP')} {media[3]}"
    end = next((n for n in range(at + 1, len(lines)) if lines[n][:2] in ("m=", "")), len(lines))
    lines[end:end] = [key.line() for key in keys]
    return "\r\n".join(lines).encode()


def is_encrypted(sdp: bytes) -> bool:
    """Is its audio described as SRTP, with a key that we can use?"""
    try:
        return b"RTP/SAVP" in sdp and bool(offered(sdp))
    except SipError:
        return False


def offered(sdp: bytes) -> tuple[Key, ...]:
    """The keys of a description's audio that we can use; SipError(488) if there is none, or it is no SRTP."""
    lines = sdp.decode(errors="replace").replace("\r\n", "\n").split("\n")
    at = _audio(lines)
    media = None if at is None else _MEDIA.fullmatch(lines[at].strip())
    if at is None or media is None:
        raise SipError(488, "no audio is described")
    if media[2] not in SRTP:
        raise SipError(488, "the sound is not encrypted")
    keys = tuple(keys_in(lines[at + 1 :]))
    if not keys:
        raise SipError(488, "no key of the encrypted sound can be used")
    return keys


def agreed(ours: bytes, theirs: bytes) -> Keys:
    """What an offer and its answer agree on, whichever of the two is ours; SipError(488) if that is nothing.

    An answer takes one key, under its tag and for its suite. Ours said back to us would have both ends
    encrypt with one key: whoever listens could take one side off the other.
    """
    mine, their = offered(ours), offered(theirs)
    pairs = [(m, t) for m in mine for t in their if (m.tag, m.suite) == (t.tag, t.suite)]
    if min(len(mine), len(their)) != 1 or len(pairs) != 1:
        raise SipError(488, "no key of the encrypted sound is agreed on")
    my, other = pairs[0]
    if my.master == other.master:
        raise SipError(488, "the key of the encrypted sound is our own")
    return Keys(my.suite, my.master, other.master)


def agree(ours: bytes, theirs: bytes) -> bool:
    """Do an offer and its answer agree on keys?"""
    try:
        return bool(agreed(ours, theirs))
    except SipError:
        return False


def _audio(lines: Sequence[str]) -> int | None:
    """The first line of audio."""
    return next((number for number, line in enumerate(lines) if line.startswith("m=audio ")), None)


def keys_in(lines: Sequence[str]) -> Iterator[Key]:
    """Those of one media section, from below its `m=` on.

    Whatever we do not know makes a key unusable, not the description.
    """
    tags: set[int] = set()
    for line in lines:
        if line.startswith("m=") or len(tags) == MOST_KEYS:
            return
        found = _CRYPTO.fullmatch(line.rstrip("\r"))
        if found is None or int(found[1]) in tags:
            continue
        tags.add(int(found[1]))
        key = _key(int(found[1]), found[2], found[3])
        if key and all(_HARMLESS.fullmatch(parameter) for parameter in found[4].split()):
            yield key


def _key(tag: int, suite: str, parameters: str) -> Key | None:
    """One key, without an index that its packets would have to carry (MKI)."""
    found = _INLINE.fullmatch(parameters)
    if found is None or suite not in Suite.__members__:
        return None
    life = found[2] or "2^48"
    packets = 2 ** int(life[2:]) if life.startswith("2^") else int(life)
    try:
        text = found[1].rstrip("=")
        master = b64decode(text + "=" * (-len(text) % 4), validate=True)
    except NotBase64:
        return None
    if len(master) != Suite(suite).octets or not SHORTEST_LIFE <= packets <= LONGEST_LIFE:
        return None
    return Key(tag, Suite(suite), master)
