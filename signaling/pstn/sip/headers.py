"""The values of SIP headers: lists, parameters, addresses, Via, CSeq (RFC 3261 §20, §25.1)."""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from signaling.pstn.sip.problem import bad
from signaling.pstn.sip.uri import (
    AnyUri,
    Parameters,
    cached_uri,
    is_ipv4,
    parameter,
    parse_host_port,
    parse_ipv6,
    parse_uri,
    write_parameters,
)
from signaling.pstn.sip.values import quick, replace

MAX_CSEQ = 2**31  # RFC 3261 §8.1.1.5: below it
MAGIC = "z9hG4bK"  # RFC 3261 §8.1.1.7: a branch that begins so is unique
TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")

_CACHED = 256  # characters, as with URIs
_QUOTED = r'"(?:[^"\\]|\\[^\r\n])*"'
_QUOTED_STRING = re.compile(_QUOTED)
_VALUE = re.compile(rf"{_QUOTED}|[A-Za-z0-9\-.!%*_+`'~\[\]:]+")  # a token, a host or a quoted string
_NAME_ADDR = re.compile(rf"(?:({_QUOTED})[ \t]*|([A-Za-z0-9\-.!%*_+`'~ \t]*))<([^<>]*)>[ \t]*(.*)", re.DOTALL)
_WORD = re.compile(r"[A-Za-z0-9\-.!%*_+`'~()<>:\\\"/\[\]?{}]+(?:@[A-Za-z0-9\-.!%*_+`'~()<>:\\\"/\[\]?{}]+)?")
# Parameters as nearly everybody writes them: no blanks, no quotes, no capitals in their names.
_PLAIN_ONE = r";([a-z0-9\-.]+)(?:=([A-Za-z0-9\-.!%*_+`'~\[\]:]+))?"
_PLAIN_PART, _PLAIN = re.compile(_PLAIN_ONE), re.compile(rf"(?:{_PLAIN_ONE})+")
# An address as nearly everybody writes it: no name, and no parameter but a tag.
_PLAIN_ADDRESS = re.compile(r"<([^<>]{1,256})>(?:;tag=([A-Za-z0-9\-.!%*_+`'~]+))?")
_PIECES = re.compile(r'"(?:[^"\\]|\\.)*"?|<[^>]*>?|[,;]|[^",;<]+', re.DOTALL)
_CSEQ = re.compile(r"([0-9]{1,15})[ \t]+([A-Za-z0-9\-.!%*_+`'~]+)")
_VIA = re.compile(
    r"([A-Za-z0-9\-.!%*_+`'~]+)[ \t]*/[ \t]*([A-Za-z0-9\-.!%*_+`'~]+)[ \t]*/[ \t]*([A-Za-z0-9\-.!%*_+`'~]+)"
    r"[ \t]+([^;]+)",
    re.DOTALL,
)
_COLON = re.compile(r"[ \t]*:[ \t]*")


def split_list(value: str, separator: str = ",") -> tuple[str, ...]:
    """A value at its commas (or semicolons) that stand in no quotes and no angle brackets."""
    if separator not in value:
        return (value.strip(),)
    if '"' not in value and "<" not in value:
        return tuple([part.strip() for part in value.split(separator)])
    parts: list[str] = []
    current: list[str] = []
    for piece in _PIECES.findall(value):
        if piece == separator:
            parts.append("".join(current).strip())
            current = []
        else:
            current.append(piece)
    parts.append("".join(current).strip())
    return tuple(parts)


def parse_parameters(text: str) -> Parameters:
    """`;name=value;flag`, from its first semicolon on; names in lower case, values as written."""
    if not text:
        return ()
    if not text.startswith(";"):
        raise bad("not parameters", text)
    if _PLAIN.fullmatch(text):
        plain = tuple([(name, value or None) for name, value in _PLAIN_PART.findall(text)])
        if len(plain) == 1 or len(dict(plain)) == len(plain):
            return plain
    found: dict[str, str | None] = {}
    for part in split_list(text[1:], ";"):
        name, equals, value = part.partition("=")
        name, value = name.rstrip().lower(), value.lstrip()
        if not TOKEN.fullmatch(name) or (equals and not _VALUE.fullmatch(value)) or name in found:
            raise bad("not a parameter", part)
        found[name] = value if equals else None
    return tuple(found.items())


def quote(text: str) -> str:
    """Text as a quoted string; a line end in it is ours to refuse."""
    if "\r" in text or "\n" in text:
        raise ValueError("a quoted string holds no line end")
    if '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquote(text: str) -> str:
    """What a quoted string says; anything else is itself."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


@quick
@dataclass(frozen=True, slots=True)
class Address:
    """From, To, Contact, Route and their like: a URI, what it is called, and the header's own parameters."""

    uri: AnyUri
    display: str = ""  # as written, with its quotes
    parameters: Parameters = ()
    _text: str = field(default="", init=False, repr=False, compare=False)  # as with a URI

    def __str__(self) -> str:
        if not self._text:
            space = " " if self.display else ""
            text = f"{self.display}{space}<{self.uri}>{write_parameters(self.parameters)}"
            object.__setattr__(self, "_text", text)
        return self._text

    @property
    def name(self) -> str:
        """What the display name says."""
        return unquote(self.display)

    @property
    def tag(self) -> str | None:
        """Half of a dialog's name (RFC 3261 §19.3); none before a dialog exists."""
        for name, value in self.parameters:
            if name == "tag":
                return value or ""
        return None

    def parameter(self, name: str) -> str | None:
        """The value of a parameter; empty for one without a value, None if it is not there."""
        return parameter(self.parameters, name)

    def tagged(self, tag: str) -> "Address":
        """The same party, with a tag if it has none."""
        return self if self.tag else replace(self, parameters=(*self.parameters, ("tag", tag)))

    def untagged(self) -> "Address":
        """The same party outside of any dialog."""
        return replace(self, parameters=tuple(p for p in self.parameters if p[0] != "tag"))


def parse_address(text: str) -> Address:
    """name-addr or addr-spec; SipError(400) if it is neither, or a tag is empty or no token."""
    return _cached_address(text) if len(text) <= _CACHED else parse_party(text)


def parse_party(text: str) -> Address:
    """The same of a From or To, whose tag is another one in each call: it is not remembered."""
    found = _PLAIN_ADDRESS.fullmatch(text)
    if found:
        uri, tag = found.groups()
        return Address(cached_uri(uri), "", (("tag", tag),) if tag else ())
    found = _NAME_ADDR.fullmatch(text)
    if found:
        quoted, plain, uri, rest = found.groups()
        address = Address(parse_uri(uri), quoted or plain.rstrip(), parse_parameters(rest))
    else:
        uri, semicolon, rest = text.partition(";")
        if "?" in uri or "," in uri:  # RFC 3261 §20.10: such a URI must stand in angle brackets
            raise bad("not an address", text)
        address = Address(parse_uri(uri.rstrip()), "", parse_parameters(semicolon + rest))
    tag = address.tag
    if tag is not None and not TOKEN.fullmatch(tag):
        raise bad("not a tag", text)
    return address


_cached_address = lru_cache(maxsize=4096)(parse_party)


@quick
@dataclass(frozen=True, slots=True)
class Via:
    """One hop of a request's way, and so of its response's way back (RFC 3261 §20.42)."""

    transport: str  # upper case
    host: str
    port: int | None = None
    parameters: Parameters = ()

    def __str__(self) -> str:
        port = f":{self.port}" if self.port is not None else ""
        text = f"SIP/2.0/{self.transport} {self.host}{port}"
        for name, value in self.parameters:  # as `write_parameters` does
            text += f";{name}" if value is None else f";{name}={value}"
        return text

    @property
    def branch(self) -> str | None:
        """The transaction's name; None from an element older than RFC 3261."""
        for name, value in self.parameters:
            if name == "branch":
                return value or ""
        return None

    @property
    def is_modern(self) -> bool:
        """Is the branch unique, and not the magic cookie alone (RFC 4475 §3.2.1)?"""
        branch = self.branch or ""
        return branch.startswith(MAGIC) and len(branch) > len(MAGIC)

    def parameter(self, name: str) -> str | None:
        """The value of a parameter; empty for one without a value, None if it is not there."""
        return parameter(self.parameters, name)

    def branched(self, branch: str) -> "Via":
        """With this branch in place of any."""
        kept = self.parameters
        if "branch" in dict(kept):
            kept = tuple([p for p in kept if p[0] != "branch"])
        return Via(self.transport, self.host, self.port, (*kept, ("branch", branch)))

    def is_branch_of(self, pattern: "Via") -> bool:
        """Is it this one with a branch behind it?"""
        own, theirs = self.parameters, pattern.parameters
        return (
            own[:-1] == theirs
            and own[-1][0] == "branch"
            and (self.host, self.port, self.transport) == (pattern.host, pattern.port, pattern.transport)
        )

    def seen_from(self, host: str, port: int) -> "Via":
        """With where its request really came from (RFC 3261 §18.2.1, RFC 3581 §4).

        What the sender claimed of that itself is dropped: answers go where the packet came from.
        """
        kept = tuple(p for p in self.parameters if p[0] not in ("received", "rport"))
        if self.parameter("rport") is not None:
            return replace(self, parameters=(*kept, ("rport", str(port)), ("received", host)))
        if self.host.strip("[]") != host:
            kept = (*kept, ("received", host))
        return replace(self, parameters=kept)


def parse_via(text: str) -> Via:
    """One value of a Via header; SipError(400), or 505 for a version other than 2.0."""
    sent_by, semicolon, rest = text.partition(";")
    found = _cached_sent_by(sent_by) if len(sent_by) <= _CACHED else _parse_sent_by(sent_by)
    parameters = parse_parameters(semicolon + rest)
    for name, value in parameters:
        if name == "branch" and not TOKEN.fullmatch(value or ""):
            raise bad("not a branch", text)
        if name == "received" and not is_ipv4(received := value or ""):
            parse_ipv6(received if received.startswith("[") else f"[{received}]")  # RFC 5118 §4.5: either way
    return Via(*found, parameters)


def _parse_sent_by(text: str) -> tuple[str, str, int | None]:
    """Transport, host and port; a peer's are the same in all its messages, and in ours that come back."""
    found = _VIA.fullmatch(text)
    if not found:
        raise bad("not a Via", text)
    protocol, version, transport, place = found.groups()
    if protocol.upper() != "SIP" or version != "2.0":
        raise bad("not a Via of SIP/2.0", text)
    return transport.upper(), *parse_host_port(_COLON.sub(":", place.strip()))


_cached_sent_by = lru_cache(maxsize=1024)(_parse_sent_by)


@quick
@dataclass(frozen=True, slots=True)
class CSeq:
    """The number of a request within its dialog, and its method."""

    number: int
    method: str

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


@lru_cache(maxsize=1024)
def numbered(number: int, method: str) -> CSeq:
    """The CSeq: the same value for all who have the same, as nearly all calls do."""
    return CSeq(number, method)


def parse_cseq(text: str) -> CSeq:
    """SipError(400) unless it is a number below 2^31 and a method."""
    return _cached_cseq(text) if len(text) <= _CACHED else _parse_cseq(text)


def _parse_cseq(text: str) -> CSeq:
    found = _CSEQ.fullmatch(text)
    if not found or int(found[1]) >= MAX_CSEQ:
        raise bad("not a CSeq", text)
    return CSeq(int(found[1]), found[2])


_cached_cseq = lru_cache(maxsize=1024)(_parse_cseq)


def parse_number(text: str, below: int) -> int:
    """A plain decimal number; SipError(400) if it is none or too large. RFC 3261 sets no fixed width."""
    digits = text.lstrip("0") or text[:1]
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10 and int(digits) < below):
        raise bad("not a number in range", text)
    return int(digits)


def check_call_id(text: str) -> str:
    """A Call-ID is `word[@word]` (RFC 3261 §25.1) and not beyond 256 characters, a bound of ours."""
    if len(text) > _CACHED or not _WORD.fullmatch(text):
        raise bad("not a Call-ID", text)
    return text
