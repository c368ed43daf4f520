"""What SIPp plays: scenes of steps, written as its XML. By hand:  python -m tests.interop.scenes NAME

SIPp's own words are in square brackets; `[contact]` is given by whoever starts it.
"""

import sys
from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

PORT = "[media_port]"  # where its echo of sound is; there is another one at the next port but one


def sdp_at(port: str = PORT, *attributes: str, version: int = 1) -> tuple[str, ...]:
    """What it says of its sound."""
    return (
        "v=0",
        f"o=sipp 1 {version} IN IP[local_ip_type] [local_ip]",
        "s=-",
        "c=IN IP[media_ip_type] [media_ip]",
        "t=0 0",
        f"m=audio {port} RTP/AVP 0",
        "a=rtpmap:0 PCMU/8000",
        *attributes,
    )


SDP = sdp_at()
PROLOGUE = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n'
OURS = "sip:+442079460001@[remote_ip]:[remote_port]"  # whom it calls
INVITE = "CSeq: 1 INVITE"


def send(*lines: str, sdp: bool | tuple[str, ...] = False, again: bool = False) -> str:
    """A message; `again`: until it is answered. `sdp`: what it describes, or the usual."""
    described = sdp if isinstance(sdp, tuple) else SDP
    body = ("Content-Type: application/sdp", "Content-Length: [len]", "", *described)
    text = "\n".join((*lines, *(body if sdp else ("Content-Length: [len]", "", ""))))
    repeated = ' retrans="500"' if again else ""
    return f"<send{repeated}><![CDATA[\n\n{text}\n\n]]></send>"


def say(
    status: str,
    *fields: str,
    tag: str = "far",
    to: str = "",
    via: str = "[last_Via:]",
    cseq: str = "[last_CSeq:]",
    contact: bool = True,
    sdp: bool | tuple[str, ...] = False,
    again: bool = False,
) -> str:
    """A response to the last request. `to`: within a dialog, whose tag is there already."""
    to = to or f"[last_To:];tag={tag}-[call_number]"
    contacts = ("Contact: <[contact]>",) if contact else ()
    head = (f"SIP/2.0 {status}", via, "[last_From:]", to, "[last_Call-ID:]", cseq, *contacts, *fields)
    return send(*head, sdp=sdp, again=again)


def within(
    status: str,
    *fields: str,
    sdp: bool | tuple[str, ...] = False,
    again: bool = False,
    contact: bool = False,
) -> str:
    """A response within the dialog."""
    return say(status, *fields, to="[last_To:]", sdp=sdp, again=again, contact=contact or bool(sdp))


def ask(
    method: str,
    *fields: str,
    number: int = 1,
    branch: str = "[branch]",
    dialog: bool = False,
    sdp: bool = False,
    again: bool = True,
) -> str:
    """A request of SIPp's own."""
    return send(
        f"{method} {'[next_url]' if dialog else OURS} SIP/2.0",
        f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch};rport",
        "From: <sip:+33123456789@carrier.example>;tag=sipp-[call_number]",
        f"To: <{OURS}>[peer_tag_param]" if dialog else f"To: <{OURS}>",
        "Call-ID: [call_id]",
        f"CSeq: {number} {method}",
        "Contact: <[contact]>",
        "Max-Forwards: 70",
        *(["[routes]"] if dialog else []),
        *fields,
        sdp=sdp,
        again=again and method != "ACK",
    )


def called_back() -> str:
    """The INVITE of a caller to whom requests will be sent: who it is from and for, and the way back."""
    kept = (("From:", "caller"), ("To:", "callee"))
    actions = "".join(
        f'<ereg regexp=".*" {_where(header)} check_it="true" assign_to="{name}"/>' for header, name in kept
    )
    return f'<recv request="INVITE" rrs="true"><action>{actions}</action></recv>'


def ask_back(method: str, number: int, sdp: bool | tuple[str, ...] = False) -> str:
    """A request of the one that was called."""
    return send(
        f"{method} [next_url] SIP/2.0",
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport",
        "From:[$callee];tag=far-[call_number]",
        "To:[$caller]",
        "Call-ID: [call_id]",
        f"CSeq: {number} {method}",
        "Contact: <[contact]>",
        "Max-Forwards: 70",
        "[routes]",
        sdp=sdp,
        again=method != "ACK",
    )


def hear(what: str | int, *checks: tuple[str, str], optional: bool = False, keep: str = "") -> str:
    """A request or a response must come; `checks` are headers and what must be in them. `keep` names the
    variable that takes its Via."""
    kind = "response" if isinstance(what, int) else "request"
    routes = ' rrs="true"' if isinstance(what, int) and 180 <= what < 300 else ""
    attributes = f'{kind}="{what}"{routes}' + (' optional="true"' if optional else "")
    wanted = [*checks, *([("Via:", ".*")] if keep else [])]
    names = [f"c{n}" for n in range(len(checks))] + ([keep] if keep else [])
    actions = "".join(
        f'<ereg regexp={quoteattr(pattern)} {_where(header)} check_it="true" assign_to="{name}"/>'
        for (header, pattern), name in zip(wanted, names, strict=True)
    )
    return f"<recv {attributes}>" + (f"<action>{actions}</action>" if actions else "") + "</recv>"


def _where(header: str) -> str:
    return f'search_in="hdr" header="{header}"' if header else 'search_in="msg"'


def maybe(*statuses: int) -> str:
    """Responses that may come."""
    return "".join(hear(status, optional=True) for status in statuses)


RINGS = say("180 Ringing")
ANSWERS = say("200 OK", sdp=True, again=True)
IS_LEFT = hear("BYE") + within("200 OK")
CALLS = ask("INVITE", sdp=True) + maybe(100, 180, 183)
ACKS = ask("ACK", dialog=True)
LEAVES = ask("BYE", number=2, dialog=True) + hear(200)
WHO = (
    ("P-Asserted-Identity:", "442079460002"),
    ("Privacy:", "id"),
    ("", "[^-]Identity: e30.e30.AAAA"),  # the name alone is found in P-Asserted-Identity too
    ("Diversion:", "442079460009"),
)
KNOWS_UPDATE = "Allow: INVITE, ACK, BYE, CANCEL, UPDATE"
TIMER = "Require: timer"
BRANCH = "z9hG4bK-[pid]-[call_number]"


def challenge(status: str, header: str, algorithm: str, *others: str) -> str:
    """Who are you? With what is hard to read in a challenge: two qops, a comma in the nonce."""
    asked = f'{header}: Digest realm="carrier.example", nonce="a,b", qop="auth,auth-int", opaque="o"'
    return say(status, *others, f"{asked}, algorithm={algorithm}", contact=False) + hear("ACK")


def challenges(status: str, header: str, answer: str, algorithm: str, digits: int, *others: str) -> str:
    """A carrier that wants a password, and hears each time who calls."""
    proof = (f"{answer}:", f"response=.[0-9a-f]{{{digits}}}.*algorithm={algorithm}")
    return (
        hear("INVITE", *WHO)
        + challenge(status, header, algorithm, *others)
        + hear("INVITE", *WHO, proof)
        + say("183 Session Progress", sdp=True)
        + ANSWERS
        + hear("ACK", (f"{answer}:", "Digest"))
        + IS_LEFT
    )


UNKNOWN = 'WWW-Authenticate: Digest realm="carrier.example", nonce="x", algorithm=TOKEN-9'
PROXIES = tuple(
    f"Record-Route: <sip:[local_ip]:[local_port];transport=[transport];lr;hop={name}>" for name in "ba"
)
ODD_CONTACT = (
    r'Contact: "Smith, \"J\"" <sip:j%40s@[local_ip]:[local_port];transport=[transport];ob>'
    ';+sip.instance="<urn:x>"'
)

ROUTE = "[last_Record-Route:]"
AFTER = "[media_port+2]"


def is_held(answer: tuple[str, ...], direction: str = "sendonly") -> tuple[str, ...]:
    """The other side holds, or comes back."""
    return (
        hear("INVITE", ("", f"a={direction}")),
        within("200 OK", ROUTE, sdp=answer, again=True),
        hear("ACK"),
    )


def holds(number: int, offer: tuple[str, ...], direction: str) -> tuple[str, ...]:
    """It holds, moves, or comes back."""
    ways = hear(200, ("", f"a={direction}"))
    return ask_back("INVITE", number, offer), maybe(100), ways, ask_back("ACK", number)


# Those that are called.
CALLED: dict[str, Sequence[str]] = {
    "answers": (hear("INVITE"), say("100 Trying", contact=False), RINGS, ANSWERS, hear("ACK"), IS_LEFT),
    # On a bad wire, or a slow machine, whatever was lost or late comes again. SIPp takes that for an error
    # unless it is told otherwise.
    "answers many": (
        hear("INVITE"),
        RINGS,
        ANSWERS,
        *(5 * (hear("INVITE", optional=True),)),
        hear("ACK"),
        *(5 * (hear("ACK", optional=True),)),
        IS_LEFT,
        '<timewait milliseconds="30000"/>',
    ),
    # Here the BYE may overtake the ACK as well, and the ACK may never come.
    "answers on a bad wire": (
        hear("INVITE"),
        RINGS,
        ANSWERS,
        *(5 * (hear("INVITE", optional=True), hear("ACK", optional=True))),
        IS_LEFT,
        '<timewait milliseconds="30000"/>',
    ),
    "answers behind a proxy": (
        hear("INVITE", ("Record-Route:", "lr")),
        say("180 Ringing", "[last_Record-Route:]"),
        say("200 OK", "[last_Record-Route:]", sdp=True, again=True),
        hear("ACK"),
        IS_LEFT,
    ),
    # Its sound is at one place before the answer, and at another from then on.
    "speaks before it answers, and moves": (
        called_back(),
        say("183 Session Progress", ROUTE, sdp=True),
        '<pause milliseconds="200"/>',
        say("200 OK", ROUTE, sdp=sdp_at(AFTER, version=2), again=True),
        hear("ACK"),
        *is_held(sdp_at(AFTER, "a=recvonly", version=3)),
        *is_held(sdp_at("[moved]", version=4), "sendrecv"),
        *is_held(sdp_at("[moved]", "a=recvonly", version=5)),
        *is_held(sdp_at("[moved]", version=6), "sendrecv"),
        *holds(1, sdp_at("[moved]", "a=sendonly", version=7), "recvonly"),
        *holds(2, sdp_at(version=8), "sendrecv"),
        IS_LEFT,
    ),
    "asks for a password": (challenges("407 Who", "Proxy-Authenticate", "Proxy-Authorization", "MD5", 32),),
    "asks for a better password": (
        challenges("401 Who", "WWW-Authenticate", "Authorization", "SHA-256", 64, UNKNOWN),
    ),
    "knows another password": (
        hear("INVITE"),
        challenge("407 Who", "Proxy-Authenticate", "MD5"),
        hear("INVITE"),
        challenge("407 Who", "Proxy-Authenticate", "MD5"),
    ),
    "answers while it is cancelled": (
        hear("INVITE"),
        RINGS,
        hear("CANCEL"),
        say("200 OK", contact=False),
        say("200 OK", cseq=INVITE, sdp=True, again=True),
        hear("ACK"),
        IS_LEFT,
    ),
    "stops ringing": (
        hear("INVITE"),
        RINGS,
        hear("CANCEL", ("Reason:", "cause=16")),
        say("200 OK", contact=False),
        say("487 Request Terminated", cseq=INVITE, contact=False, again=True),
        hear("ACK"),
    ),
    "rings reliably": (
        hear("INVITE", ("Supported:", "100rel"), keep="via"),
        say("183 Session Progress", "Require: 100rel", "RSeq: 41", sdp=True),
        hear("PRACK", ("RAck:", "41 1 INVITE")),
        within("200 OK"),
        say("180 Ringing", "Require: 100rel", "RSeq: 41", to="[last_To:]", via="Via:[$via]", cseq=INVITE),
        say("180 Ringing", "Require: 100rel", "RSeq: 43", to="[last_To:]", via="Via:[$via]", cseq=INVITE),
        say("180 Ringing", "Require: 100rel", "RSeq: 42", to="[last_To:]", via="Via:[$via]", cseq=INVITE),
        hear("PRACK", ("RAck:", "42 1 INVITE")),
        within("200 OK"),
        say("200 OK", to="[last_To:]", via="Via:[$via]", cseq=INVITE, again=True),
        hear("ACK"),
        IS_LEFT,
    ),
    "wants longer sessions": (
        hear("INVITE", ("Session-Expires:", "1800")),
        say("422 Session Interval Too Small", "Min-SE: 3600", contact=False),
        hear("ACK"),
        hear("INVITE", ("Session-Expires:", "3600"), ("Min-SE:", "3600")),
        say("200 OK", "Session-Expires: 3600;refresher=uas", TIMER, sdp=True, again=True),
        hear("ACK"),
        IS_LEFT,
    ),
    "is refreshed by UPDATE": (
        hear("INVITE"),
        say("200 OK", "Session-Expires: 90;refresher=uac", TIMER, KNOWS_UPDATE, sdp=True, again=True),
        hear("ACK"),
        *(2 * (hear("UPDATE"), within("200 OK", "Session-Expires: 90;refresher=uac", contact=True))),
        IS_LEFT,
    ),
    "is refreshed by INVITE": (
        hear("INVITE"),
        say("200 OK", "Session-Expires: 90;refresher=uac", TIMER, "Allow: INVITE", sdp=True, again=True),
        hear("ACK"),
        hear("INVITE", ("Session-Expires:", "90;refresher=uac")),
        within("200 OK", "Session-Expires: 90;refresher=uac", sdp=True, again=True),
        hear("ACK"),
        IS_LEFT,
    ),
    "falls silent": (
        hear("INVITE"),
        say("200 OK", "Session-Expires: 90;refresher=uas", TIMER, sdp=True, again=True),
        hear("ACK"),
        IS_LEFT,
    ),
    "changes at the same time": (
        hear("INVITE"),
        ANSWERS,
        hear("ACK"),
        hear("INVITE"),
        within("491 Request Pending"),
        hear("ACK"),
        hear("INVITE", ("CSeq:", "3 INVITE")),
        within("200 OK", sdp=True, again=True),
        hear("ACK"),
        IS_LEFT,
    ),
    "is busy": (
        hear("INVITE"),
        RINGS,
        say("486 Busy Here", 'Reason: Q.850;cause=34;text="no circuit"', contact=False),
        hear("ACK"),
    ),
    "redirects": (hear("INVITE"), say("302 Moved Temporarily"), hear("ACK")),
    "is overloaded": (hear("INVITE"), say("503 Busy", "Retry-After: 17", contact=False), hear("ACK")),
    "is behind two proxies": (
        hear("INVITE"),
        say("180 Ringing", *PROXIES),
        say("200 OK", *PROXIES, ODD_CONTACT, contact=False, sdp=True, again=True),
        hear("ACK", ("Route:", "hop=a")),
        hear("BYE", ("Route:", "hop=a")),
        within("200 OK"),
    ),
}

# Those that call us.
CALLERS: dict[str, Sequence[str]] = {
    "calls": (CALLS, hear(200), ACKS, LEAVES),
    "calls and is left": (CALLS, hear(200), ACKS, IS_LEFT),
    "gives up": (
        ask("INVITE", sdp=True, branch=BRANCH),
        maybe(100),
        hear(180),
        ask("CANCEL", branch=BRANCH),
        hear(200),
        hear(487),
        ask("ACK", branch=BRANCH, dialog=True),
    ),
    "wants ringing confirmed": (
        ask("INVITE", "Require: 100rel", sdp=True),
        maybe(100),
        hear(183, ("RSeq:", "[0-9]+")),
        ask("PRACK", "RAck: [$c0] 1 INVITE", number=2, dialog=True),
        hear(200, ("CSeq:", "2 PRACK")).replace("c0", "prack"),
        hear(200, ("CSeq:", "1 INVITE")).replace("c0", "invite"),
        ACKS,
        ask("BYE", number=3, dialog=True),
        hear(200),
    ),
    "wants short sessions": (
        ask("INVITE", "Supported: timer", "Session-Expires: 30", sdp=True, branch=BRANCH),
        maybe(100),
        hear(422, ("Min-SE:", "90")),
        ask("ACK", branch=BRANCH, dialog=True),
        ask("INVITE", "Supported: timer", "Session-Expires: 120;refresher=uac", number=2, sdp=True),
        maybe(100, 180),
        hear(200, ("Session-Expires:", "120;refresher=uac")),
        ask("ACK", number=2, dialog=True),
        ask("UPDATE", "Supported: timer", "Session-Expires: 120;refresher=uac", number=3, dialog=True),
        hear(200, ("Session-Expires:", "120")),
        ask("BYE", number=4, dialog=True),
        hear(200),
    ),
    "wants to transfer": (
        CALLS,
        hear(200),
        ACKS,
        ask("REFER", "Refer-To: <sip:+15551234567@carrier.example>", number=2, dialog=True),
        hear(405),
        ask("INFO", "Info-Package: foo", number=3, dialog=True),
        hear(469),
        ask("BYE", number=4, dialog=True),
        hear(200),
    ),
    "asks for options": (ask("OPTIONS"), hear(200, ("Allow:", "INVITE.*BYE"))),
    "is refused": (
        ask("INVITE", sdp=True, branch=BRANCH),
        maybe(100),
        hear(403, ("Reason:", "cause=57")),
        ask("ACK", branch=BRANCH, dialog=True),
    ),
}


def written(name: str) -> str:
    """A scene as SIPp reads it."""
    steps = "\n".join({**CALLED, **CALLERS}[name])
    used = sorted({part.partition('"')[0] for part in steps.split('assign_to="')[1:]})
    once = f'<Reference variables="{",".join(used)}"/>\n' if used else ""  # SIPp wants each used
    return f"{PROLOGUE}<scenario name={quoteattr(name)}>\n{steps}\n{once}</scenario>\n"


if __name__ == "__main__":
    sys.stdout.write(written(sys.argv[1]))
