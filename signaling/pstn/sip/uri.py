"""SIP URIs, read strictly: whom we call and who calls hangs on them (RFC 3261 §19.1, §25.1)."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from signaling.pstn.sip.problem import bad
from signaling.pstn.sip.values import quick, replace

Parameters = tuple[tuple[str, str | None], ...]

_CACHED = 256  # characters; one call repeats the same few short values in each of its messages
_ESCAPED = r"%[0-9A-Fa-f]{2}"
_MARKS = r"A-Za-z0-9\-_.!~*'()"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*")
_USER = re.compile(rf"(?:[{_MARKS}&=+$,;?/]|{_ESCAPED})+")
_PASSWORD = re.compile(rf"(?:[{_MARKS}&=+$,]|{_ESCAPED})*")
_PARAMETER = re.compile(rf"(?:[{_MARKS}\[\]/:&+$]|{_ESCAPED})+")
_HEADER = re.compile(rf"(?:[{_MARKS}\[\]/?:+$]|{_ESCAPED})*")
_OPAQUE = re.compile(r"[^\x00-\x20\x7f<>\"]+")
# An underscore is no letter of a host name (RFC 1123), but names of containers have it.
_HOST = re.compile(
    r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_\-]*[A-Za-z0-9_])?\.)*[A-Za-z0-9_](?:[A-Za-z0-9_\-]*[A-Za-z0-9_])?\.?"
)
_ALL_DIGITS = re.compile(r"[0-9.]+")
_UNSAFE = re.compile(rf"[^{_MARKS}&=+$,/]")


@quick
@dataclass(frozen=True, slots=True)
class Uri:
    """sip: or sips:, its parts as written: escapes stay, so that what goes out is what came in."""

    scheme: str
    host: str  # an IPv6 address keeps its brackets
    user: str | None = None
    password: str | None = None
    port: int | None = None
    parameters: Parameters = ()
    headers: Parameters = ()
    _text: str = field(
        default="", init=False, repr=False, compare=False
    )  # one URI is written again and again

    def __str__(self) -> str:
        if not self._text:
            object.__setattr__(self, "_text", self._written())
        return self._text

    def _written(self) -> str:
        user = self.user or ""
        if self.password is not None:
            user += f":{self.password}"
        at = "@" if self.user is not None else ""
        port = f":{self.port}" if self.port is not None else ""
        headers = "&".join(f"{name}={value}" for name, value in self.headers)
        return (
            f"{self.scheme}:{user}{at}{self.host}{port}{write_parameters(self.parameters)}"
            f"{'?' if headers else ''}{headers}"
        )

    def parameter(self, name: str) -> str | None:
        """The value of a parameter; empty for one without a value, None if it is not there."""
        return parameter(self.parameters, name)

    def bare(self) -> "Uri":
        """Without headers, which a Request-URI must not have (RFC 3261 §19.1.1)."""
        return replace(self, headers=()) if self.headers else self


@dataclass(frozen=True, slots=True)
class OtherUri:
    """A URI of another scheme: tel:, or one that we do not know and answer with 416."""

    scheme: str
    rest: str

    def __str__(self) -> str:
        return f"{self.scheme}:{self.rest}"


AnyUri = Uri | OtherUri


def parse_uri(text: str) -> AnyUri:
    """A URI without anything around it; SipError(400) if it is not one."""
    return cached_uri(text) if len(text) <= _CACHED else _parse_uri(text)


def _parse_uri(text: str) -> AnyUri:
    scheme, colon, rest = text.partition(":")
    if not colon or not _SCHEME.fullmatch(scheme):
        raise bad("not a URI", text)
    scheme = scheme.lower()
    if scheme in ("sip", "sips"):
        return _parse_sip(scheme, rest, text)
    if not _OPAQUE.fullmatch(rest):
        raise bad("not a URI", text)
    return OtherUri(scheme, rest)


cached_uri = lru_cache(maxsize=4096)(_parse_uri)


def _parse_sip(scheme: str, rest: str, whole: str) -> Uri:
    user: str | None = None
    password: str | None = None
    if "@" in rest:
        user, _, rest = rest.partition("@")
        user, colon, secret = user.partition(":")
        password = secret if colon else None
        if not _USER.fullmatch(user) or (password is not None and not _PASSWORD.fullmatch(password)):
            raise bad("not a user of a SIP URI", whole)
    rest, question, headers = rest.partition("?")
    place, semicolon, parameters = rest.partition(";")
    host, port = parse_host_port(place)
    return Uri(
        scheme,
        host,
        user,
        password,
        port,
        _parse_uri_parameters(parameters, whole) if semicolon else (),
        _parse_uri_headers(headers, whole) if question else (),
    )


def _parse_uri_parameters(text: str, whole: str) -> Parameters:
    found: dict[str, str | None] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        name = name.lower()
        if not _PARAMETER.fullmatch(name) or (equals and not _PARAMETER.fullmatch(value)) or name in found:
            raise bad("not a parameter of a SIP URI", whole)
        found[name] = value if equals else None
    return tuple(found.items())


def _parse_uri_headers(text: str, whole: str) -> Parameters:
    found: list[tuple[str, str | None]] = []
    for part in text.split("&"):
        name, equals, value = part.partition("=")
        if not name or not equals or not _HEADER.fullmatch(name) or not _HEADER.fullmatch(value):
            raise bad("not a header of a SIP URI", whole)
        found.append((name, value))
    return tuple(found)


@lru_cache(maxsize=1024)  # of some 300 characters at most: a longer text is refused, and not kept
def parse_host_port(text: str) -> tuple[str, int | None]:
    """`host`, `host:port` or `[IPv6]:port`; SipError(400) for anything else, an IPv6 address without its
    brackets too (RFC 5118 §4.2)."""
    if text.startswith("["):
        host, bracket, port = text.partition("]")
        host += bracket
        if not bracket or (port and not port.startswith(":")):
            raise bad("not a host", text)
        return parse_ipv6(host), _parse_port(port[1:], text) if port else None
    host, colon, port = text.partition(":")
    if len(host) > 255 or not _HOST.fullmatch(host) or (_ALL_DIGITS.fullmatch(host) and not is_ipv4(host)):
        raise bad("not a host", text)
    return host, _parse_port(port, text) if colon else None


def _parse_port(text: str, whole: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536):
        raise bad("not a port", whole)
    return int(text)


@lru_cache(maxsize=1024)  # of hosts of 255 characters at most
def is_ipv4(text: str) -> bool:
    """Is it a dotted IPv4 address?"""
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True


def parse_ipv6(text: str) -> str:
    """`[address]` as written; the third colon before IPv4 that RFC 3261 let through goes (RFC 5118 §4.10)."""
    address = text[1:-1]
    if "." in address:
        address = address.replace(":::", "::", 1)
    try:
        if "%" in address:  # a zone means something on one machine alone
            raise AddressValueError
        IPv6Address(address)
    except AddressValueError:
        raise bad("not an IPv6 address", text) from None
    return f"[{address}]"


def escape_user(text: str) -> str:
    """Text as the user of a SIP URI: every byte that may not stand there becomes %XX (RFC 3261 §19.1.2)."""
    return _UNSAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)


def write_parameters(parameters: Parameters) -> str:
    """`;name=value;flag`."""
    text = ""
    for name, value in parameters:
        text += f";{name}" if value is None else f";{name}={value}"
    return text


def parameter(parameters: Parameters, name: str) -> str | None:
    """The value of a parameter (lower-case name); empty for one without a value, None if it is absent."""
    for key, value in parameters:
        if key == name:
            return value or ""
    return None
