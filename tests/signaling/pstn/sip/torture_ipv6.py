"""The cases of RFC 5118, SIP with IPv6 addresses, by its sections, and what our user agent answers."""

from tests.signaling.pstn.sip.samples import sdp, wire


def register(uri: str, *fields: str, via: str = "[2001:db8::9:1]") -> bytes:
    """A REGISTER as the RFC has it in its first five sections; we are no registrar, and answer 405."""
    return wire(
        f"REGISTER {uri} SIP/2.0",
        "To: sip:user@example.com",
        "From: sip:user@example.com;tag=81x2",
        f"Via: SIP/2.0/UDP {via};branch=z9hG4bKas3-111",
        "Call-ID: SSG9559905523997077@hlau_4100",
        *(fields or ('Contact: "Caller" <sip:caller@[2001:db8::1]>',)),
        "CSeq: 98176 REGISTER",
        "Content-Length: 0",
    )


def invite(*vias: str, contact: str = "sip:user@[2001:db8::9:1]", body: bytes) -> bytes:
    """An INVITE as in its other sections."""
    return wire(
        "INVITE sip:user@[2001:db8::10] SIP/2.0",
        "To: sip:user@[2001:db8::10]",
        "From: sip:user@example.com;tag=81x2",
        *(f"Via: SIP/2.0/UDP {via}" for via in vias),
        "Call-ID: SSG9559905523997077@hlau_4100",
        f"Contact: <{contact}>",
        "CSeq: 8612 INVITE",
        "Max-Forwards: 70",
        "Content-Type: application/sdp",
        f"Content-Length: {len(body)}",
        body=body,
    )


def ipv6_sdp(address: str) -> bytes:
    """A description with IPv6 addresses."""
    return sdp(address).replace(b"IN IP4", b"IN IP6")


_OWN = "[2001:db8::9:1];branch=z9hG4bKas3-111"
_MAPPED = ipv6_sdp("::ffff:192.0.2.2")
_SEVERAL = ipv6_sdp("2001:db8::1") + b"m=audio 22334 RTP/AVP 0 12\r\nc=IN IP4 192.0.2.1\r\n"

IPV6: dict[str, tuple[bytes, tuple[int, ...]]] = {
    "4.1 a reference": (register("sip:[2001:db8::10]"), (405,)),
    "4.2 no brackets": (register("sip:2001:db8::10"), (400,)),
    "4.3 a port within the brackets": (register("sip:[2001:db8::10:5070]"), (405,)),
    "4.4 a port after them": (register("sip:[2001:db8::10]:5070"), (405,)),
    "4.5 received in brackets": (
        register("sip:[2001:db8::10]", via="[2001:db8::9:1];received=[2001:db8::9:255]"),
        (405,),
    ),
    "4.5 received without": (
        register("sip:[2001:db8::10]", via="[2001:db8::9:1];received=2001:db8::9:255"),
        (405,),
    ),
    "4.6 in a description": (invite(_OWN, body=ipv6_sdp("2001:db8::20")), (100, 486)),
    "4.7 several in headers": (
        invite(
            _OWN,
            "192.0.2.1;received=[2001:db8::9:255];branch=z9hG4bKjhja8781hjuaij65144",
            "[2001:db8::9:1];received=192.0.2.200;branch=z9hG4bKkdjuw2340",
            body=ipv6_sdp("2001:db8::20"),
        ),
        (100, 486),
    ),
    "4.8 several in a description": (invite(_OWN, body=_SEVERAL), (100, 486)),
    "4.9 mapped addresses": (
        invite(
            "[::ffff:192.0.2.10];branch=z9hG4bKas3-111", contact="sip:user@[::ffff:192.0.2.10]", body=_MAPPED
        ),
        (100, 486),
    ),
    "4.10 a colon too many": (
        invite("[2001:db8:::192.0.2.1];branch=z9hG4bKas3-111", body=ipv6_sdp("2001:db8::20")),
        (100, 486),
    ),
}
