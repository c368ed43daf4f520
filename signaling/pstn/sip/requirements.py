"""What a request asks for, and whether we can give it (RFC 3261 §8.2.2)."""

from functools import lru_cache

from signaling.pstn.sip.headers import parse_parameters
from signaling.pstn.sip.message import Request
from signaling.pstn.sip.problem import SipError
from signaling.pstn.sip.uri import Parameters

_CACHED = 256  # characters, as with URIs


def check_supported(request: Request, extensions: frozenset[str], schemes: frozenset[str]) -> None:
    """SipError for a request that we could only misunderstand (RFC 3261 §8.2.2).

    416 for a scheme of its Request-URI, 420 for an extension it requires (`unsupported` names them for the
    Unsupported header), 415 for a body in a coding that we do not undo, 406 for an INVITE that cannot take
    the only description that we have (RFC 4475 §3.3.15).
    """
    if request.uri.scheme not in schemes:
        raise SipError(416, f"scheme {request.uri.scheme[:16]} is not served")
    unknown = unsupported(request, extensions)
    if unknown and request.method not in ("ACK", "CANCEL"):  # §8.2.2.3: never answered with 420
        raise SipError(420, f"extension {unknown[0][:32]!a} is not supported")
    coding = request.get("Content-Encoding")
    if coding is not None and coding.lower() != "identity":
        raise SipError(415, f"content coding {coding[:16]!a}")
    taken = {value.partition(";")[0].strip().lower() for value in request.values("Accept")}
    if request.method == "INVITE" and taken and not taken & {"application/sdp", "application/*", "*/*"}:
        raise SipError(406, f"no SDP is accepted, only {sorted(taken)[0][:32]!a}")


def unsupported(request: Request, extensions: frozenset[str]) -> tuple[str, ...]:
    """The option tags that a request requires and we do not have, in a steady order."""
    return tuple(sorted(request.options("Require") - extensions))


def header_parameters(value: str) -> tuple[str, Parameters]:
    """`value;name=...` as its value and its parameters: Session-Expires, Content-Type, Reason and such."""
    return _cached_parameters(value) if len(value) <= _CACHED else _header_parameters(value)


def _header_parameters(value: str) -> tuple[str, Parameters]:
    main, semicolon, rest = value.partition(";")
    return main.strip(), parse_parameters(semicolon + rest)


_cached_parameters = lru_cache(maxsize=1024)(_header_parameters)
