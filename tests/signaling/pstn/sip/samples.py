"""Messages that the tests of the SIP core share."""

from signaling.pstn.sip.message import Request, parse


def wire(*lines: str, body: bytes = b"") -> bytes:
    """Lines and a body as the bytes of a message."""
    return "\r\n".join([*lines, "", ""]).encode() + body


def sdp(origin: str, *, connection: str = "", begins: str = "0") -> bytes:
    """The description that nearly all messages of RFC 4475 carry."""
    lines = (
        "v=0",
        f"o=mhandley 29739 7272939 IN IP4 {origin}",
        "s=-",
        f"c=IN IP4 {connection or origin}",
        f"t={begins} 0",
        "m=audio 49217 RTP/AVP 0 12",
        "m=video 3227 RTP/AVP 31",
        "a=rtpmap:31 LPC",
        "",
    )
    return "\r\n".join(lines).encode()


def options(*lines: str, start: str = "OPTIONS sip:gw@carrier.example SIP/2.0", without: str = "") -> bytes:
    """A plain OPTIONS with these headers on top of the usual ones, some of which may be left out."""
    usual = (
        "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKaa1",
        "From: <sip:a@example.com>;tag=f1",
        "To: <sip:b@example.net>",
        "Call-ID: c1@192.0.2.1",
        "CSeq: 7 OPTIONS",
    )
    kept = [line for line in usual if line.partition(":")[0] not in without.split()]
    return wire(start, *kept, *lines)


def invite(
    *lines: str, branch: str = "z9hG4bKinv1", to_tag: str = "", cseq: int = 1, transport: str = "UDP"
) -> Request:
    """An INVITE of a carrier or of ours, already read."""
    message = parse(
        wire(
            "INVITE sip:+442079460001@carrier.example SIP/2.0",
            f"Via: SIP/2.0/{transport} 192.0.2.1:5060;branch={branch};rport",
            "Max-Forwards: 70",
            "From: <sip:+442079460002@192.0.2.1>;tag=ours",
            f"To: <sip:+442079460001@carrier.example>{f';tag={to_tag}' if to_tag else ''}",
            "Call-ID: 3f1c@192.0.2.1",
            f"CSeq: {cseq} INVITE",
            "Contact: <sip:wephone@192.0.2.1:5060>",
            *lines,
            "Content-Type: application/sdp",
            body=b"v=0\r\n",
        )
    )
    assert isinstance(message, Request)
    return message
