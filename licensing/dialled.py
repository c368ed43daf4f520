"""What a person can type as a callee, unwrapped: a name, digits with their context, or a fault.

Everything is folded to ASCII digits here, before any parser sees it, because parsers of telephone numbers
accept full-width digits, other scripts and letters in silence. Knows no country; `numbering` does.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

LONGEST = 256  # characters; longer input costs no more than a look at its length
_ROUNDS = 3  # of percent-decoding: "%252B" hides a plus from whoever decodes once


class NumberFault(StrEnum):
    """Why a string is no canonical address. Texts for people: `texts.json`, by these values."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    TOO_SHORT = "too_short"
    NOT_A_NUMBER = "not_a_number"
    NOT_A_NAME = "not_a_name"
    ILLEGAL_CHARACTER = "illegal_character"
    SERVICE_CODE = "service_code"
    UNSUPPORTED_URI = "unsupported_uri"
    UNSUPPORTED_PARAMETER = "unsupported_parameter"
    COUNTRY_UNKNOWN = "country_unknown"
    FOREIGN_SHORT_CODE = "foreign_short_code"
    UNASSIGNED_COUNTRY_CODE = "unassigned_country_code"
    UNPLACED = "unplaced"


@dataclass(frozen=True, slots=True)
class Name:
    """A user's name, in lower case."""

    text: str


@dataclass(frozen=True, slots=True)
class Digits:
    """ASCII digits, after a plus when `international`; `context` as RFC 3966 §5.1.5 gives it."""

    digits: str
    international: bool
    context: str | None = None
    extension: str | None = None


@dataclass(frozen=True, slots=True)
class Sos:
    """A call for help by service name (RFC 5031 §4.2), with no digits."""


Dialled = Name | Digits | Sos | NumberFault

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)[ ]?:(?://)?", re.IGNORECASE)
_NAME = re.compile(r"[a-z][a-z0-9._-]{0,31}")  # the syntax of user names on the wire
_EXTENSION = re.compile(r"(?<![a-z])(?:ext(?:ension)?|x)[ .:]{0,3}([0-9]{1,7})$", re.IGNORECASE)
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_SEPARATORS = str.maketrans("", "", " -.()/")  # RFC 3966 §5.1.1, and what people write besides
_BODY = re.compile(r"(\+?)([0-9a-z]+)")
_DECIMAL = frozenset("0123456789")
_OF_A_SIP_URI = frozenset({"user", "transport"})
_LOOKED_UP = "npdi"  # RFC 4694 §4: for portability, by somebody before us; the number is what it was
_LOOK_LIKE_DIGITS = frozenset("oil")
_VANITY = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")  # ITU-T E.161, option A


def unwrap(text: str) -> Dialled:
    """What `text` spells. Total: any string has an answer, in time bounded by LONGEST."""
    if len(text) > LONGEST:
        return NumberFault.TOO_LONG
    folded = _decode(text.strip())
    if isinstance(folded, NumberFault):
        return folded
    if not folded:
        return NumberFault.EMPTY
    if scheme := _SCHEME.match(folded):
        return _unwrap_uri(scheme[1].lower(), folded[scheme.end() :])
    if folded[0].isalpha():
        name = folded.lower()
        return Name(name) if _NAME.fullmatch(name) else NumberFault.NOT_A_NAME
    return _unwrap_user(folded.split("@", 1)[0] if "@" in folded else folded)


def fold(text: str) -> str:
    """Make plain: compatibility forms, dashes, spaces, the digits of every script; drop the invisible."""
    plain = []
    for character in unicodedata.normalize("NFKC", text):
        match unicodedata.category(character):
            case "Cf":  # zero-width, direction marks, soft hyphen
                continue
            case "Nd":
                plain.append(str(unicodedata.decimal(character)))
            case "Pd":
                plain.append("-")
            case "Zs":
                plain.append(" ")
            case _:
                plain.append("-" if character == "\N{MINUS SIGN}" else character)
    return "".join(plain).strip()


def _decode(text: str) -> str | NumberFault:
    for _ in range(_ROUNDS):
        text = fold(text)
        if len(text) > LONGEST:  # some characters decompose into eighteen
            return NumberFault.TOO_LONG
        if not _ESCAPE.search(text):
            return text
        try:
            text = unquote(text, errors="strict")
        except UnicodeDecodeError:
            return NumberFault.ILLEGAL_CHARACTER
    return NumberFault.ILLEGAL_CHARACTER


def _unwrap_uri(scheme: str, rest: str) -> Dialled:
    match scheme:
        case "tel" | "callto" | "sms":
            return _unwrap_user(rest)
        case "sip" | "sips":
            return _unwrap_sip(rest)
        case "urn":
            sos = rest.lower() == "service:sos" or rest.lower().startswith("service:sos.")
            return Sos() if sos else NumberFault.UNSUPPORTED_URI
        case _:
            return NumberFault.UNSUPPORTED_URI


def _unwrap_sip(rest: str) -> Dialled:
    """The number in a SIP URI (RFC 3261 §19.1.6). Its host is never followed: routes are the operator's."""
    if "?" in rest:
        return NumberFault.UNSUPPORTED_URI
    user, at, host = rest.partition("@")
    if not at:  # "sip:110": a host by the grammar, a number by intent
        user, semicolon, parameters = rest.partition(";")
        host = semicolon + parameters
    if "@" in host or not user or user[0].isalpha():
        return NumberFault.UNSUPPORTED_URI
    for parameter in host.split(";")[1:]:
        said = parameter.strip().lower()
        if said != _LOOKED_UP and said.partition("=")[0] not in _OF_A_SIP_URI:
            return NumberFault.UNSUPPORTED_PARAMETER
    return _unwrap_user(user)


def _unwrap_user(text: str) -> Dialled:
    """A telephone-subscriber (RFC 3966 §3), or what a person wrote in its place."""
    number, *parameters = text.split(";")
    context = extension = None
    for parameter in parameters:
        if parameter.strip().lower() == _LOOKED_UP:
            continue
        key, _, value = parameter.strip().partition("=")
        match key.strip().lower():
            case "phone-context" if context is None and value:
                context = value.strip()
            case "ext" if extension is None and re.fullmatch(r"[0-9 .()-]{1,16}", value):
                extension = value.translate(_SEPARATORS)
            case _:  # also rn, cic, tgrp and trunk-context, which would steer the route
                return NumberFault.UNSUPPORTED_PARAMETER
    number = number.strip()
    if extension is None and (written := _EXTENSION.search(number)):
        number, extension = number[: written.start()], written[1]
    return _digits(number, context, extension)


def _digits(number: str, context: str | None, extension: str | None) -> Dialled:
    if not number:
        return NumberFault.EMPTY
    if "*" in number or "#" in number:
        return NumberFault.SERVICE_CODE  # *31#, *67 and the like act on a line; we have none
    if number.lower().rstrip(".").endswith("e164.arpa"):
        return NumberFault.UNSUPPORTED_URI  # ENUM (RFC 6116): a number spelled backwards
    body = _BODY.fullmatch(number.translate(_SEPARATORS).lower())
    if body is None:
        return NumberFault.ILLEGAL_CHARACTER
    spelled = body[2]
    if not spelled[0].isdigit():
        return NumberFault.NOT_A_NUMBER
    if (letters := set(spelled) - _DECIMAL) and letters <= _LOOK_LIKE_DIGITS:
        return NumberFault.ILLEGAL_CHARACTER  # a zero to the eye, a six to the keypad: which was meant?
    if len(spelled) > 24:  # 15 of E.164 (§6), and room for the longest exit codes and trunk prefixes
        return NumberFault.TOO_LONG
    return Digits(spelled.translate(_VANITY), bool(body[1]), context, extension)
