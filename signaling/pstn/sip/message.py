"""SIP requests and responses: read from bytes, written to bytes (RFC 3261 §7, §25).

Strict where identity and money hang on it (Via, From, To, Call-ID, CSeq, Contact, routes, Identity,
P-Asserted-Identity), lenient with headers that we do not know. What is written can't be broken out of: a
value with a line end is refused. No time, no randomness: tags and branches are arguments.
"""

import re
from dataclasses import dataclass, field

from signaling.pstn.sip.headers import (
    TOKEN,
    Address,
    CSeq,
    Via,
    check_call_id,
    parse_address,
    parse_cseq,
    parse_number,
    parse_party,
    parse_via,
    split_list,
)
from signaling.pstn.sip.problem import SipError, bad
from signaling.pstn.sip.uri import AnyUri, Uri, parse_uri
from signaling.pstn.sip.values import quick, replace

MAX_MESSAGE = 65_535  # bytes, a UDP datagram's own bound; the same on a stream
MAX_LINES = 256  # headers
MAX_VIAS = 70  # hops: as many as a request is given to begin with (RFC 3261 §8.1.1.6)

Fields = tuple[tuple[str, str], ...]

# RFC 3261 §7.3.3, §20; RFC 3265 (o, u), 4028 (x), 3515 (r), 3892 (b), 3841 (a, d, j), 4474 and 8224 (y).
COMPACT = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}
KNOWN = {
    name.lower(): name
    for name in (
        *COMPACT.values(),
        *("Accept", "Alert-Info", "Allow", "Authorization", "CSeq", "Date", "Diversion", "Expires"),
        *("Max-Forwards", "Min-Expires", "Min-SE", "MIME-Version", "P-Asserted-Identity", "Privacy"),
        *("P-Preferred-Identity", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Require", "RAck"),
        *("Reason", "Record-Route", "Remote-Party-ID", "Require", "Retry-After", "Route", "RSeq", "Server"),
        *("Unsupported", "User-Agent", "Warning", "WWW-Authenticate"),
    )
} | COMPACT
_KNOWN = frozenset(KNOWN.values())
_USUAL = COMPACT | {name: name for name in _KNOWN}  # as nearly everybody writes them
# These are fields of a message of their own, or follow from the body.
_TYPED = {"Via", "From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length"}
TYPED = {name.lower() for name in _TYPED}
_UNTYPED = _KNOWN - _TYPED
# At most one each (RFC 3261 §7.3.1: no comma-separated list).
_SINGLE = {"Content-Type", "RAck", "RSeq", "Session-Expires", "Min-SE", "Expires", "Event"}  # and TYPED
ADDRESSES = {"Contact", "Record-Route", "Route", "P-Asserted-Identity", "P-Preferred-Identity", "Diversion"}
# Those of which there may be many, and whose values nobody reads here.
_FREE = _KNOWN - _TYPED - _SINGLE - ADDRESSES - {"Identity"}

_LINE = re.compile(r"([^\s:]+)[ \t]*:[ \t]*([^\r\n]*)")
_STATUS_LINE = re.compile(r"SIP/2\.0 ([1-6][0-9]{2})(?: ([^\r\n]*))?", re.IGNORECASE)
_VERSION = re.compile(r"SIP/[0-9]+\.[0-9]+", re.IGNORECASE)
_FOLD = re.compile(r"[ \t]*\r\n[ \t]+")
# RFC 8224 §4: a PASSporT, whole or without header and claims; RFC 4474 §9: a signature in base64.
_IDENTITY = re.compile(r'("?)[A-Za-z0-9+/=_.\-]+\1(?:[ \t]*;.*)?', re.DOTALL)


@quick
@dataclass(frozen=True, slots=True)
class Message:
    """What requests and responses share. `fields` are the other headers, in order, by their usual names."""

    vias: tuple[Via, ...]
    sender: Address  # From
    to: Address
    call_id: str
    cseq: CSeq
    fields: Fields = field(default=(), kw_only=True)
    body: bytes = field(default=b"", kw_only=True, repr=False)  # may hold keys (`sdes.py`)

    @property
    def via(self) -> Via:
        """The topmost: the last hop it took."""
        return self.vias[0]

    def get(self, name: str) -> str | None:
        """The first value of a header by its usual name, or None."""
        for key, value in self.fields:
            if key == name:
                return value
        return None

    def values(self, name: str) -> tuple[str, ...]:
        """All values of a header that is a comma-separated list, spread over how many lines ever."""
        found: list[str] = []
        for key, value in self.fields:
            if key == name:
                found += filter(None, split_list(value))
        return tuple(found)

    def addresses(self, name: str) -> tuple[Address, ...]:
        """All values of a header of addresses."""
        return tuple(map(parse_address, self.values(name)))

    def options(self, name: str) -> frozenset[str]:
        """Option tags of Require, Supported and their like, in lower case."""
        return frozenset([value.lower() for value in self.values(name)])

    @property
    def contact(self) -> Uri | None:
        """Where the peer of a dialog is: its only Contact (RFC 3261 §12.1)."""
        found = self.values("Contact")
        uri = parse_address(found[0]).uri if len(found) == 1 and found[0] != "*" else None
        return uri if isinstance(uri, Uri) else None


@quick
@dataclass(frozen=True, slots=True)
class Request(Message):
    """A request; `max_forwards` is None if its sender gave none."""

    method: str = field(kw_only=True)
    uri: AnyUri = field(kw_only=True)
    max_forwards: int | None = field(default=70, kw_only=True)


@quick
@dataclass(frozen=True, slots=True)
class Response(Message):
    """A response, from 100 to 699."""

    status: int = field(kw_only=True)
    reason: str = field(default="", kw_only=True)


def parse(data: bytes) -> Request | Response:
    """One message that fills a datagram, or that `Stream` cut out; SipError says what is wrong with it.

    Octets after the announced body are dropped (RFC 3261 §18.3).
    """
    if len(data) > MAX_MESSAGE:
        raise SipError(513, f"{len(data)} bytes, at most {MAX_MESSAGE}")
    head, end, body = data.partition(b"\r\n\r\n")
    if not end:
        raise _unanswered(data, bad("no end of the headers"))
    start_line, lines = _cut(head)
    status_line = _STATUS_LINE.fullmatch(start_line)
    try:
        if status_line:
            typed, fields, body = _gather(lines, body)
            status, reason = int(status_line[1]), status_line[2] or ""
            return Response(*_identity(typed), status=status, reason=reason, fields=fields, body=body)
        return _request(start_line, lines, body)
    except SipError as error:
        raise _unanswered(data, error) from None


def _unanswered(data: bytes, error: SipError) -> SipError:
    """The error, without a status where none may be sent: a response and an ACK are never answered."""
    return SipError(None, error.sentence) if data[:4].upper() in (b"SIP/", b"ACK ") else error


def split(data: bytes) -> tuple[str, list[tuple[str, str]], bytes]:
    """Start line, headers by their usual names, and whatever follows the empty line."""
    head, _, body = data.partition(b"\r\n\r\n")
    start_line, lines = _cut(head)
    return start_line, [_field(line) for line in lines], body


def _cut(head: bytes) -> tuple[str, list[str]]:
    try:
        text = head.decode()
    except UnicodeDecodeError:
        raise SipError(None, "headers that are not UTF-8") from None
    if "\r\n " in text or "\r\n\t" in text:
        text = _FOLD.sub(" ", text)
    start_line, *lines = text.split("\r\n")
    if len(lines) >= MAX_LINES:
        raise SipError(None, f"{len(lines) + 1} headers, at most {MAX_LINES}")
    return start_line, lines


def _field(line: str) -> tuple[str, str]:
    found = _LINE.fullmatch(line)
    if not found:
        return "", line  # refused in `_gather`, where it can be answered
    name = found[1]
    return KNOWN.get(name.lower(), name), found[2].rstrip(" \t")


def _request(start_line: str, lines: list[str], body: bytes) -> Request:
    method, _, rest = start_line.partition(" ")
    uri, _, version = rest.rpartition(" ")
    if not TOKEN.fullmatch(method):
        raise SipError(None, f"not a message of SIP: {start_line[:48]!a}")
    if version.upper() != "SIP/2.0":
        if _VERSION.fullmatch(version):
            raise SipError(505, f"version {version[:16]} is not 2.0")
        raise bad("not a request line", start_line)
    typed, fields, body = _gather(lines, body)
    target = parse_uri(uri)
    if isinstance(target, Uri) and target.headers:
        raise bad("a Request-URI with headers", uri)
    hops = typed.get("Max-Forwards")
    request = Request(
        *_identity(typed),
        method=method,
        uri=target,
        max_forwards=None if hops is None else parse_number(hops, 256),
        fields=fields,
        body=body,
    )
    if request.cseq.method != method:
        raise bad("a CSeq of another method", str(request.cseq))
    if request.sender.tag is None and request.via.is_modern:
        raise bad("a From without tag")
    return request


def _gather(lines: list[str], body: bytes) -> tuple[dict[str, str], Fields, bytes]:
    """The fields of their own, each there at most once but for Via, and the others, checked where we know
    how."""
    typed: dict[str, str] = {}
    fields: list[tuple[str, str]] = []
    for line in lines:
        name, colon, value = line.partition(":")
        usual = _USUAL.get(name)
        if usual is None or not colon or "\r" in value or "\n" in value:
            usual, value = _field(line)
        else:
            value = value.strip(" \t")
        if usual in _TYPED:
            if usual not in typed:
                typed[usual] = value
            elif usual == "Via":
                typed[usual] += f",{value}"
            else:
                raise bad(f"{usual} twice")
        else:
            if usual not in _FREE:
                _check(usual, value, fields)
            fields.append((usual, value))
    return typed, tuple(fields), _measured(typed.get("Content-Length"), body)


def _measured(length: str | None, body: bytes) -> bytes:
    """The body as Content-Length says; without one a datagram's rest is the body (RFC 3261 §18.3)."""
    if length is None or length == str(len(body)):
        return body
    octets = parse_number(length, MAX_MESSAGE)
    if octets > len(body):
        raise bad(f"Content-Length {octets}, but {len(body)} bytes are there")
    return body[:octets]


def _check(name: str, value: str, before: list[tuple[str, str]]) -> None:
    """Of the headers that somebody reads; `before` stood above it."""
    if name in _SINGLE:
        for other, _ in before:
            if other == name:
                raise bad(f"{name} twice")
    elif name in ADDRESSES:
        if name == "Contact" and value == "*":  # every binding, in a REGISTER (RFC 3261 §10.2.2)
            return
        for part in split_list(value):
            parse_address(part)
    elif name == "Identity":
        if not all(_IDENTITY.fullmatch(part) for part in split_list(value)):
            raise bad("not an Identity (RFC 8224)", value)
    elif name not in _KNOWN and not TOKEN.fullmatch(name):
        raise bad("not a header", name or value)


def _identity(typed: dict[str, str]) -> tuple[tuple[Via, ...], Address, Address, str, CSeq]:
    try:
        via, sender, to = typed["Via"], typed["From"], typed["To"]
        call_id, cseq = typed["Call-ID"], typed["CSeq"]
    except KeyError as missing:
        raise bad(f"no {missing.args[0]}") from None
    vias = split_list(via) if "," in via else (via,)
    if len(vias) > MAX_VIAS:
        raise SipError(483, f"{len(vias)} hops, at most {MAX_VIAS}")
    return (
        tuple(map(parse_via, vias)),
        parse_party(sender),
        parse_party(to),
        check_call_id(call_id),
        parse_cseq(cseq),
    )


# --- writing ----------------------------------------------------------------------------------------------


def build(message: Request | Response) -> bytes:
    """The message's bytes. ValueError if a part of it would break out of its place: a fault of ours."""
    global _last
    last, data = _last
    if message is not last:
        data = _build(message)
        _last = message, data
    return data


# What was written last, for it is measured for a datagram and then sent. To keep all, in case some is to
# be repeated, was a fifth of the memory of a call.
_last: tuple[Message | None, bytes] = (None, b"")


def _build(message: Request | Response) -> bytes:
    if isinstance(message, Request):
        start = f"{message.method} {message.uri} SIP/2.0"
        if not TOKEN.fullmatch(message.method) or start.count(" ") != 2:
            raise ValueError(f"not a request line: {start!a}")
    else:
        start = f"SIP/2.0 {message.status:03} {message.reason}"
    lines = [start, *map("Via: {}".format, message.vias)]
    if isinstance(message, Request) and message.max_forwards is not None:
        lines.append(f"Max-Forwards: {message.max_forwards}")
    cseq = message.cseq
    lines += [
        f"From: {message.sender}",
        f"To: {message.to}",
        f"Call-ID: {message.call_id}",
        f"CSeq: {cseq.number} {cseq.method}",
    ]
    for name, value in message.fields:
        if name not in _UNTYPED and (name.lower() in TYPED or not TOKEN.fullmatch(name)):
            raise ValueError(f"not a header of its own: {name!a}")
        lines.append(f"{name}: {value}")
    lines.append(f"Content-Length: {len(message.body)}")
    text = "".join(lines)
    if "\r" in text or "\n" in text:
        raise ValueError(f"a line end within a value: {start[:48]!a}")
    lines += "", ""
    return "\r\n".join(lines).encode() + message.body


def with_fields(message: Request, *fields: tuple[str, str]) -> Request:
    """The request with these headers in place of any of the same name; all others stay, in order."""
    names = {name for name, _ in fields}
    return replace(message, fields=(*[f for f in message.fields if f[0] not in names], *fields))
