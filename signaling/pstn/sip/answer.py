"""Responses to requests, read or unreadable (RFC 3261 §8.2.6)."""

import re
from collections.abc import Iterable

from signaling.pstn.sip.headers import parse_via
from signaling.pstn.sip.message import MAX_VIAS, Request, Response, split
from signaling.pstn.sip.problem import SipError


def respond(
    request: Request,
    status: int,
    *,
    tag: str | None = None,
    reason: str = "",
    fields: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> Response:
    """A response to a request (RFC 3261 §8.2.6): the same Vias, From, Call-ID and CSeq; `tag` is ours.

    A response that can begin a dialog carries the Record-Route set too (§12.1.1).
    """
    recorded = [f for f in request.fields if f[0] == "Record-Route"] if 100 < status < 300 else []
    return Response(
        request.vias,
        request.sender,
        request.to.tagged(tag) if tag and status > 100 else request.to,
        request.call_id,
        request.cseq,
        status=status,
        reason=reason or REASONS.get(status, ""),
        fields=(*recorded, *fields),
        body=body,
    )


REASONS = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    183: "Session Progress",
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    408: "Request Timeout",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    422: "Session Interval Too Small",
    469: "Bad Info Package",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    603: "Decline",
}

_VERSION = re.compile(r"SIP[ \t]*/[ \t]*[0-9]+\.[0-9]+[ \t]*/", re.IGNORECASE)


def refuse_unread(data: bytes, error: SipError, tag: str) -> bytes | None:
    """The answer to a request that could not be read, from as much of it as could; None if none is due.

    Its topmost Via must say where it came from, or the answer has no way back. From, To, Call-ID and CSeq
    go back as they came, as far as they are there.
    """
    if error.status is None:
        return None
    try:
        _, pairs, _ = split(data)
        vias = [value for name, value in pairs if name == "Via"]
        first_via = vias[0].partition(";")[0].rstrip() if vias else ""
        # Whoever speaks another version says so here as well, and is told which one we speak.
        parse_via(_VERSION.sub("SIP/2.0/", first_via) if error.status == 505 else first_via)
    except SipError:
        return None
    lines = [f"Via: {via}" for via in vias[:MAX_VIAS]]
    first = {name: value for name, value in reversed(pairs) if name in ("From", "To", "Call-ID", "CSeq")}
    if "To" in first and ";tag=" not in first["To"].replace(" ", "").lower():
        first["To"] += f";tag={tag}"
    lines += [f"{name}: {first[name]}" for name in ("From", "To", "Call-ID", "CSeq") if name in first]
    reason = REASONS.get(error.status, "")
    head = "\r\n".join([f"SIP/2.0 {error.status} {reason}", *lines, "Content-Length: 0"])
    return head.encode() + b"\r\n\r\n"
