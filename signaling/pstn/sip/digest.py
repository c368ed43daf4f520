"""Digest authentication, as a client and as a server (RFC 3261 §22, RFC 7616, RFC 8760).

Randomness is an argument: whoever calls makes nonces and cnonces. A retry is the request as it was, with
everything that identifies the caller, and one more CSeq (RFC 3261 §22.2, RFC 8224 §4).
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from signaling.pstn.sip.headers import CSeq, Via, numbered, quote, split_list, unquote
from signaling.pstn.sip.message import Request, Response
from signaling.pstn.sip.problem import SipError, bad
from signaling.pstn.sip.values import quick, replace

# Best first (RFC 8760 §2.4: the client takes the topmost that it supports; we trust our own order more).
ALGORITHMS: dict[str, Callable[..., Any]] = {
    "SHA-512-256": partial(hashlib.new, "sha512_256"),
    "SHA-256": hashlib.sha256,
    "MD5": hashlib.md5,
}
MAX_TRIES = 2  # a carrier with a new nonce in every answer is not followed for ever
MAX_CHALLENGES = 8  # in one response; more are not looked at


@dataclass(frozen=True, slots=True)
class Credentials:
    """What we are known as at a carrier; `repr` keeps the password to itself."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials({self.username!r}, ...)"


_ASKING = {"WWW-Authenticate": False, "Proxy-Authenticate": True}  # is it a proxy?
_ANSWERING = ("Authorization", "Proxy-Authorization")
# The parameters as nearly everybody writes them: nothing is escaped, and what has no quotes is a token.
_PLAIN = r"""([A-Za-z\-]+)=(?:"([^"\\]*)"|([A-Za-z0-9\-.!%*_+`'~]+))"""
_PLAIN_PART = re.compile(_PLAIN)
_PLAIN_PARTS = re.compile(rf"{_PLAIN}(?:[ \t]*,[ \t]*{_PLAIN})*")


@quick
@dataclass(frozen=True, slots=True)
class Challenge:
    """One WWW-Authenticate or Proxy-Authenticate header."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    qop: str | None = None  # the one we use of those offered; None from before RFC 2617
    opaque: str | None = None
    stale: bool = False
    proxy: bool = False  # 407, not 401

    def __str__(self) -> str:
        parts = [f"realm={quote(self.realm)}", f"nonce={quote(self.nonce)}", f"algorithm={self.algorithm}"]
        parts += [f'qop="{self.qop}"'] if self.qop else []
        parts += [f"opaque={quote(self.opaque)}"] if self.opaque is not None else []
        parts += ["stale=true"] if self.stale else []
        return "Digest " + ", ".join(parts)

    @property
    def place(self) -> tuple[bool, str]:
        """Who asks: one set of credentials is for one realm, of a proxy or of the far end."""
        return self.proxy, self.realm


def challenges(response: Response) -> tuple[Challenge, ...]:
    """All challenges of a 401 or 407 that we could answer; those of other schemes and algorithms are passed
    over, and so are broken ones."""
    found = [_challenge(value, _ASKING[name]) for name, value in response.fields if name in _ASKING and value]
    return tuple([challenge for challenge in found[:MAX_CHALLENGES] if challenge])


def _challenge(value: str, proxy: bool) -> Challenge | None:
    try:
        parts = read(value)
    except SipError:
        return None
    algorithm = parts.get("algorithm", "MD5").upper()
    offered = [word.strip().lower() for word in parts["qop"].split(",")] if "qop" in parts else None
    qop = None if offered is None else next((q for q in ("auth", "auth-int") if q in offered), "")
    if algorithm not in ALGORITHMS or qop == "" or "realm" not in parts or "nonce" not in parts:
        return None
    stale = parts.get("stale", "").lower() == "true"
    return Challenge(parts["realm"], parts["nonce"], algorithm, qop, parts.get("opaque"), stale, proxy)


def read(value: str) -> dict[str, str]:
    """The parameters of a Digest header, unquoted; SipError(400) for another scheme or a broken one."""
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        raise bad("not a Digest", scheme)
    if _PLAIN_PARTS.fullmatch(rest := rest.strip()):
        found = _PLAIN_PART.findall(rest)
        plain = {name.lower(): quoted or token for name, quoted, token in found}
        if len(plain) == len(found):
            return plain
    parts: dict[str, str] = {}
    for part in split_list(rest):
        name, equals, text = part.partition("=")
        name = name.strip().lower()
        if not equals or name in parts:
            raise bad("not a parameter of a Digest", part)
        parts[name] = unquote(text.strip())
    return parts


def strongest(offered: tuple[Challenge, ...]) -> tuple[Challenge, ...]:
    """For each realm the challenge with the best algorithm, in the order in which realms came."""
    best: dict[tuple[bool, str], Challenge] = {}
    ranks = list(ALGORITHMS)
    for challenge in offered:
        held = best.get(challenge.place)
        if held is None or ranks.index(challenge.algorithm) < ranks.index(held.algorithm):
            best[challenge.place] = challenge
    return tuple(best.values())


@quick
@dataclass(frozen=True, slots=True)
class Login:
    """Our standing with those who challenge us: what they asked last, and how often we used it."""

    credentials: Credentials
    tries: int = 0  # of the request at hand
    accepted: tuple[tuple[Challenge, int], ...] = ()  # with the count of its nonce (nc)

    def retry(self, request: Request, response: Response, branch: str, cnonce: str) -> "Retry | None":
        """The request once more, authenticated; None if that is of no use.

        It is of none after two tries, without a challenge that we can answer, and when what we answered is
        asked again as if it were wrong (not stale): the password is wrong, and is not said twice.
        """
        asked = strongest(challenges(response))
        known = {challenge.place for challenge, _ in self.accepted}
        wrong = self.tries > 0 and any(one.place in known and not one.stale for one in asked)
        if response.status not in (401, 407) or not asked or wrong or self.tries >= MAX_TRIES:
            return None
        places = {one.place for one in asked}
        kept = [(one, count) for one, count in self.accepted if one.place not in places]
        login = replace(self, tries=self.tries + 1, accepted=(*kept, *((one, 0) for one in asked)))
        vias = (request.via.branched(branch), *request.vias[1:])
        cseq = numbered(request.cseq.number + 1, request.method)
        return Retry(*login._authorize(request, cnonce, vias, cseq))

    def authorize(self, request: Request, cnonce: str) -> "tuple[Login, Request]":
        """The request with an answer to every challenge we know, each with the next count of its nonce."""
        return self._authorize(request, cnonce, request.vias, request.cseq)

    def _authorize(
        self, request: Request, cnonce: str, vias: tuple[Via, ...], cseq: CSeq
    ) -> "tuple[Login, Request]":
        counted = tuple([(challenge, count + 1) for challenge, count in self.accepted])
        fields = [f for f in request.fields if f[0] not in _ANSWERING]
        fields += [
            (
                "Proxy-Authorization" if challenge.proxy else "Authorization",
                answer(challenge, self.credentials, request, cnonce, count),
            )
            for challenge, count in counted
        ]
        again = replace(request, vias=vias, cseq=cseq, fields=tuple(fields))
        return replace(self, accepted=counted), again

    def fresh(self) -> "Login":
        """For the next request: it has its tries before it, and what was accepted is used at once."""
        return replace(self, tries=0) if self.tries else self


@quick
@dataclass(frozen=True, slots=True)
class Retry:
    """A request to send in place of one that was challenged."""

    login: Login
    request: Request


def answer(challenge: Challenge, who: Credentials, request: Request, cnonce: str, count: int) -> str:
    """The value of the (Proxy-)Authorization header."""
    uri = str(request.uri)
    counted = f"{count:08x}"
    response = digest(
        challenge.algorithm,
        (who.username, challenge.realm, who.password),
        (request.method, uri, request.body),
        (challenge.nonce, counted, cnonce, challenge.qop),
    )
    parts = [
        f"username={quote(who.username)}",
        f"realm={quote(challenge.realm)}",
        f"nonce={quote(challenge.nonce)}",
        f"uri={quote(uri)}",
        f'response="{response}"',
        f"algorithm={challenge.algorithm}",
    ]
    if challenge.qop:
        parts += [f"qop={challenge.qop}", f"nc={counted}", f"cnonce={quote(cnonce)}"]
    if challenge.opaque is not None:
        parts.append(f"opaque={quote(challenge.opaque)}")
    return "Digest " + ", ".join(parts)


def digest(
    algorithm: str,
    who: tuple[str, str, str],
    what: tuple[str, str, bytes],
    proof: tuple[str, str, str, str | None],
) -> str:
    """The response of RFC 7616 §3.4.1: user, realm, password; method, URI, body; nonce, nc, cnonce, qop."""
    method, uri, body = what
    nonce, count, cnonce, qop = proof
    a1 = _hash(algorithm, ":".join(who).encode())
    integrity = f":{_hash(algorithm, body)}" if qop == "auth-int" else ""
    a2 = _hash(algorithm, f"{method}:{uri}{integrity}".encode())
    middle = f"{nonce}:{count}:{cnonce}:{qop}" if qop else nonce
    return _hash(algorithm, f"{a1}:{middle}:{a2}".encode())


def _hash(algorithm: str, data: bytes) -> str:
    digested: str = ALGORITHMS[algorithm](data, usedforsecurity=False).hexdigest()
    return digested


def is_answered(challenge: Challenge, who: Credentials, request: Request, value: str) -> bool:
    """Does this Authorization answer our challenge for this request, by the one who has the password?

    Whether a count was used before is the caller's to remember: it made the nonce.
    """
    try:
        parts = read(value)
    except SipError:
        return False
    if parts.get("realm") != challenge.realm or parts.get("nonce") != challenge.nonce:
        return False
    if parts.get("username") != who.username or parts.get("qop") != challenge.qop:
        return False
    if parts.get("algorithm", "MD5").upper() != challenge.algorithm or parts.get("uri") != str(request.uri):
        return False
    expected = digest(
        challenge.algorithm,
        (who.username, challenge.realm, who.password),
        (request.method, str(request.uri), request.body),
        (challenge.nonce, parts.get("nc", ""), parts.get("cnonce", ""), challenge.qop),
    )
    return hmac.compare_digest(expected.encode(), parts.get("response", "").lower().encode())
