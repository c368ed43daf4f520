"""SIP messages: what is read, what is refused and how, and that nothing breaks out of its place."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.pstn.sip.answer import refuse_unread, respond
from signaling.pstn.sip.headers import Address, CSeq, Via, parse_address, parse_via, quote, split_list
from signaling.pstn.sip.message import Request, Response, build, parse, with_fields
from signaling.pstn.sip.problem import SipError
from signaling.pstn.sip.requirements import check_supported, unsupported
from signaling.pstn.sip.uri import OtherUri, Uri, escape_user, parse_uri
from tests.signaling.pstn.sip.samples import invite, options, wire


def request(data: bytes) -> Request:
    message = parse(data)
    assert isinstance(message, Request)
    return message


def refused(data: bytes) -> int | None:
    with pytest.raises(SipError) as caught:
        parse(data)
    assert "\r" not in caught.value.sentence
    assert "\n" not in caught.value.sentence
    return caught.value.status


def test_a_plain_request_is_read() -> None:
    message = request(options("Max-Forwards: 70", "X-Own: any thing", "Content-Length: 0"))
    assert message.method == "OPTIONS"
    assert message.uri == Uri("sip", "carrier.example", "gw")
    assert message.via == Via("UDP", "192.0.2.1", 5060, (("branch", "z9hG4bKaa1"),))
    assert (message.sender.tag, message.to.tag, message.call_id) == ("f1", None, "c1@192.0.2.1")
    assert message.cseq == CSeq(7, "OPTIONS")
    assert message.max_forwards == 70
    assert message.fields == (("X-Own", "any thing"),)


def test_everything_a_sender_may_do_with_spaces_folds_and_short_names_is_understood() -> None:
    message = request(
        wire(
            "OPTIONS sip:gw@carrier.example;lr;x=y SIP/2.0",
            "v  :  SIP  /  2.0",
            " /UDP",
            "\t192.0.2.1 : 5060 ; branch = z9hG4bK1 , SIP/2.0/TCP [2001:db8::1]",
            'f: "A \\"B\\", C; <not>"   <sip:a@example.com>',
            "  ;  tag  =  f1",
            "TO:sip:b@example.net ; tag=t1",
            "i : c1",
            "cseq:  0007",
            "  OPTIONS",
            "max-forwards: 0068",
            "s:",
            "k: 100rel , timer",
            "SUPPORTED: replaces",
            'Strange: ;;,"<,',
            "l: 3",
            body=b"abcdef",
        )
    )
    assert [via.host for via in message.vias] == ["192.0.2.1", "[2001:db8::1]"]
    assert message.sender.name == 'A "B", C; <not>'
    assert message.sender.tag == "f1"
    assert message.to.tag == "t1"
    assert message.cseq == CSeq(7, "OPTIONS")
    assert message.max_forwards == 68
    assert message.options("Supported") == {"100rel", "timer", "replaces"}
    assert message.get("Subject") == ""
    assert message.get("Strange") == ';;,"<,'
    assert message.body == b"abc"
    assert parse(build(message)) == message


def test_a_method_and_a_user_may_look_odd() -> None:
    odd = "!Odd-0_*+`.%x'~"
    data = options(
        "CSeq: 1 " + odd,
        start=f"{odd} sip:1_u.URI~(be!)&isn't+it$/c?,/;;*:&it+has=1,p*$w_d.(no)@example.com SIP/2.0",
        without="CSeq",
    )
    message = request(data)
    assert message.method == odd
    assert isinstance(message.uri, Uri)
    assert message.uri.user == "1_u.URI~(be!)&isn't+it$/c?,/;;*"
    assert message.uri.password == "&it+has=1,p*$w_d.(no)"
    assert parse(build(message)) == message


def test_a_quoted_name_may_hold_any_escaped_octet_and_an_uri_an_escaped_nul() -> None:
    message = request(options('To: "NUL:\\\x00 DEL:\\\x7f" <sip:null-%00-null@example.net>', without="To"))
    assert message.to.name == "NUL:\x00 DEL:\x7f"
    assert parse(build(message)) == message


def test_a_body_is_octets_and_ends_where_content_length_says() -> None:
    body = bytes(range(256))
    assert parse(options("Content-Length: 256") + body + b"OPTIONS sip:second").body == body
    assert parse(options() + body).body == body  # a datagram's rest


def test_a_request_of_rfc_2543_has_neither_branch_nor_tag() -> None:
    data = options("Via: SIP/2.0/UDP old.example", "From: sip:a@example.com", without="Via From")
    assert request(data).via.branch is None
    assert request(data.replace(b"old.example", b"old.example;branch=z9hG4bK")).via.is_modern is False
    assert refused(data.replace(b"old.example", b"old.example;branch=z9hG4bK1")) == 400


@pytest.mark.parametrize("name", ["Via", "From", "To", "Call-ID", "CSeq"])
def test_a_request_without_what_identifies_it_is_refused(name: str) -> None:
    assert refused(options(without=name)) == 400


@pytest.mark.parametrize(
    "line",
    [
        "From: <sip:e@example.com>;tag=2",
        "To: <sip:e@example.com>",
        "t: <sip:e@example.com>",
        "Call-ID: other",
        "CSeq: 8 OPTIONS",
        "Max-Forwards: 1\r\nMax-Forwards: 2",
        "Content-Length: 0\r\nl: 0",
        "Content-Length: 1",  # there is no body
        "Content-Length: -1",
        "Content-Length: +1",
        "Content-Length: \u0661",
        "Content-Length: 18446744073709551617",
        "Max-Forwards: 256",
        "Contact: <sip:a@b",
        'Contact: "a <sip:a@example.com>',
        "Contact: sip:a@example.com?Route=%3Csip:x%3E",
        "Contact: < sip:a@example.com >",
        "Route: <>",
        "P-Asserted-Identity: <sip:a@[example.com]>",
        "P-Asserted-Identity: Bell, Alex <sip:a@example.com>",
        "Identity: <script>",
        "no colon",
        ": no name",
        "two words: x",
        "Bare: a\nb",
        "Bare: a\rb",
    ],
)
def test_a_bad_header_is_answered_with_400(line: str) -> None:
    assert refused(options(line)) == 400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("From", "<sip:a@example.com>;tag="),
        ("From", "<sip:a@example.com>;tag=a;tag=b"),
        ("From", "<sip:a@example.com>;tag=a b"),
        ("From", "<sip:a@example.com>;;tag=a"),
        ("To", "<sip:b@example.net>, <sip:c@example.net>"),
        ("To", '"unclosed <sip:b@example.net>'),
        ("To", "<<sip:b@example.net>>"),
        ("Call-ID", "two words"),
        ("Call-ID", ""),
        ("Call-ID", "a" * 257),
        ("CSeq", "7 INVITE"),
        ("CSeq", "2147483648 OPTIONS"),
        ("CSeq", "-1 OPTIONS"),
        ("CSeq", "OPTIONS"),
        ("Via", "SIP/2.0/UDP 192.0.2.1;;,;,,"),
        ("Via", "SIP/7.0/UDP 192.0.2.1;branch=z9hG4bK1"),
        ("Via", "SIP/2.0/UDP 192.0.2.1:99999;branch=z9hG4bK1"),
        ("Via", "SIP/2.0/UDP 192.0.2.256;branch=z9hG4bK1"),
        ("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;received=nowhere"),
        ("Via", ""),
    ],
)
def test_a_bad_identity_is_answered_with_400(name: str, value: str) -> None:
    assert refused(options(f"{name}: {value}", without=name)) == 400


@pytest.mark.parametrize(
    ("start", "status"),
    [
        ("OPTIONS sip:a@b SIP/7.0", 505),
        ("OPTIONS <sip:a@b> SIP/2.0", 400),
        ("OPTIONS  sip:a@b SIP/2.0", 400),
        ("OPTIONS sip:a@b  SIP/2.0", 400),
        ("OPTIONS sip:a@b SIP/2.0 ", 400),
        ("OPTIONS sip:a@b; lr SIP/2.0", 400),
        ("OPTIONS sip:a@b?Route=%3Csip:c%3E SIP/2.0", 400),
        ("OPTIONS sip:a@b", 400),
        ("OPTIONS sip:a@b@c SIP/2.0", 400),
        ("OPTIONS sip:a%4@b SIP/2.0", 400),
        ("OPTIONS b SIP/2.0", 400),
        ("ACK <sip:a@b> SIP/2.0", None),
        ("GET@ / HTTP/1.1", None),
        ("SIP/2.0 099 Too low", None),
        ("SIP/2.0 700 Too high", None),
        ("SIP/2.0 200 O\rK", None),
        ("SIP/2.0 4294967301 Far too high", None),
        ("", None),
    ],
)
def test_a_bad_start_line_gets_the_answer_it_deserves(start: str, status: int | None) -> None:
    assert refused(options(start=start)) == status


def test_a_bad_response_is_never_answered() -> None:
    assert refused(options("CSeq: 9292394834772304023312 X", start="SIP/2.0 200 OK", without="CSeq")) is None


def test_a_response_may_have_no_reason_or_one_in_any_script() -> None:
    for reason in ("", "= 2**3 * 9 но сто", "忙"):
        message = parse(options(start=f"SIP/2.0 486 {reason}"))
        assert isinstance(message, Response)
        assert (message.status, message.reason) == (486, reason)
        assert parse(build(message)) == message


def test_what_is_too_large_is_refused() -> None:
    assert refused(options(*(f"X-{n}: 1" for n in range(300)))) is None
    assert refused(options() + b"x" * 65_536) == 513
    hops = ", ".join(f"SIP/2.0/UDP h{n}.example;branch=z9hG4bK{n}" for n in range(71))
    assert refused(options(f"Via: {hops}", without="Via")) == 483


def test_headers_in_no_encoding_of_ours_are_refused_without_an_answer() -> None:
    assert refused(options("X: y").replace(b"y", b"\xff")) is None


# --- RFC 5118: IPv6 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("sip:a@[2001:db8::10]", "[2001:db8::10]", None),
        ("sip:a@[2001:db8::10:5070]", "[2001:db8::10:5070]", None),  # §4.3: part of the address
        ("sip:a@[2001:db8::10]:5070;lr", "[2001:db8::10]", 5070),
        ("sip:[::ffff:192.0.2.10]", "[::ffff:192.0.2.10]", None),
        ("sip:[2001:db8:::192.0.2.1]", "[2001:db8::192.0.2.1]", None),  # §4.10
    ],
)
def test_ipv6_references_are_read(text: str, host: str, port: int | None) -> None:
    uri = parse_uri(text)
    assert isinstance(uri, Uri)
    assert (uri.host, uri.port) == (host, port)
    assert parse_uri(str(uri)) == uri


@pytest.mark.parametrize(
    "text",
    [
        "sip:2001:db8::10",  # §4.2
        "sip:a@[2001:db8::10",
        "sip:a@[2001:db8:::10]",
        "sip:a@[fe80::1%25eth0]",
        "sip:a@[]",
        "sip:a@[::1]5060",
        "sip:a@[::1]:",
        "sip:a@192.0.2.1:0",
        "sip:a@-host.example",
        "sip:a@",
        "sip:",
        "sip:a@b;lr;lr",
        "sip:a@b;;lr",
        "sip:a@b?x",
        'sip:"a"@b',
        "tel:",
        "tel:+44 20",
    ],
)
def test_what_is_no_uri_is_refused(text: str) -> None:
    with pytest.raises(SipError):
        parse_uri(text)


@pytest.mark.parametrize("received", ["2001:db8::9:255", "[2001:db8::9:255]", "192.0.2.9"])
def test_where_a_request_came_from_is_read_with_and_without_brackets(received: str) -> None:
    via = parse_via(f"SIP/2.0/UDP [2001:db8::9:1];received={received};branch=z9hG4bKas3")
    assert via.parameter("received") == received


# --- values ------------------------------------------------------------------------------------------------


def test_a_via_says_where_its_request_was_seen() -> None:
    via = parse_via("SIP/2.0/UDP 10.0.0.1:5060;rport=1;received=192.0.2.99;branch=z9hG4bK1")
    seen = via.seen_from("192.0.2.7", 40_001)
    assert str(seen) == "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1;rport=40001;received=192.0.2.7"
    plain = parse_via("SIP/2.0/UDP [2001:db8::1];branch=z9hG4bK1")
    assert plain.seen_from("2001:db8::1", 5060) == plain


def test_a_contact_of_the_wild_is_read() -> None:
    text = '"Doe, J; \\"x\\"" <sip:a%40b@192.0.2.1:5060;transport=UDP;ob>;+sip.instance="<urn:uuid:0>";q=0.7'
    (contact,) = (parse_address(part) for part in split_list(text))
    assert contact.name == 'Doe, J; "x"'
    assert isinstance(contact.uri, Uri)
    assert contact.uri.parameter("transport") == "UDP"
    assert contact.uri.parameter("ob") == ""
    assert contact.parameter("+sip.instance") == '"<urn:uuid:0>"'
    assert parse_address(str(contact)) == contact


def test_parameters_outside_of_the_brackets_are_not_of_the_uri() -> None:
    assert parse_address("sip:a@b;tag=1") == Address(Uri("sip", "b", "a"), "", (("tag", "1"),))
    assert parse_address("tel:+4420;tag=1").uri == OtherUri("tel", "+4420")


@pytest.mark.parametrize("text", ["", "a", "a b@c", "+44 20", "ü%;=", "名"])
def test_any_text_can_be_a_user(text: str) -> None:
    if text:
        assert parse_uri(f"sip:{escape_user(text)}@host") == Uri("sip", "host", escape_user(text))


# --- answers -----------------------------------------------------------------------------------------------


def test_an_answer_goes_back_the_way_of_its_request() -> None:
    asked = invite(
        "Record-Route: <sip:p1.example;lr>, <sip:p2.example;lr>", "Record-Route: <sip:p3.example;lr>"
    )
    ringing = respond(asked, 180, tag="t9")
    assert (ringing.vias, ringing.sender, ringing.call_id, ringing.cseq) == (
        asked.vias,
        asked.sender,
        asked.call_id,
        asked.cseq,
    )
    assert ringing.to.tag == "t9"
    assert [address.uri for address in ringing.addresses("Record-Route")] == [
        Uri("sip", f"p{n}.example", parameters=(("lr", None),)) for n in (1, 2, 3)
    ]
    assert respond(asked, 100, tag="t9").to.tag is None
    assert respond(asked, 486, tag="t9").get("Record-Route") is None


def test_a_request_that_cannot_be_read_is_answered_as_far_as_it_can() -> None:
    data = options("CSeq: -1 OPTIONS", "To: <sip:b@example.net>", without="CSeq To")
    answer = refuse_unread(data, SipError(400, "bad"), "t1")
    assert answer is not None
    assert answer.startswith(
        b"SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKaa1\r\n"
    )
    assert b"\r\nTo: <sip:b@example.net>;tag=t1\r\n" in answer
    assert b"\r\nCSeq: -1 OPTIONS\r\n" in answer


def test_what_has_no_way_back_or_deserves_none_gets_no_answer() -> None:
    error = SipError(400, "bad")
    assert refuse_unread(options(without="Via"), error, "t") is None
    assert refuse_unread(options("Via: nonsense", without="Via"), error, "t") is None
    assert refuse_unread(b"\xff\xfe", error, "t") is None
    assert refuse_unread(options(), SipError(None, "bad"), "t") is None
    spliced = refuse_unread(options("From: a\nX: b", without="From"), error, "t")
    assert spliced is not None
    assert b"X: b" not in spliced


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (options(start="OPTIONS soap.beep://192.0.2.1 SIP/2.0"), 416),
        (options("Require: nothingSupportsThis, 100rel"), 420),
        (options("Content-Encoding: gzip"), 415),
    ],
)
def test_a_request_that_we_could_only_misunderstand_is_refused(data: bytes, status: int) -> None:
    with pytest.raises(SipError) as caught:
        check_supported(request(data), frozenset({"100rel"}), frozenset({"sip", "sips", "tel"}))
    assert caught.value.status == status


def test_the_extensions_that_we_lack_are_named() -> None:
    asked = request(options("Require: B, 100rel, a"))
    assert unsupported(asked, frozenset({"100rel"})) == ("a", "b")


# --- writing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("evil", ["a\r\nX: y", "a\nb", "a\rb", "\r\n\r\nINVITE"])
def test_a_line_end_in_a_value_is_never_written(evil: str) -> None:
    asked = invite()
    with pytest.raises(ValueError, match="line end"):
        build(with_fields(asked, ("Subject", evil)))
    with pytest.raises(ValueError, match="line end"):
        build(replace(asked, sender=Address(asked.sender.uri, evil)))
    with pytest.raises(ValueError, match="line end"):
        build(replace(asked, call_id=evil))
    with pytest.raises(ValueError, match="line end"):
        build(respond(asked, 200, reason=evil))
    with pytest.raises(ValueError, match="line end"):
        quote(evil)
    with pytest.raises(ValueError, match="line"):
        build(replace(asked, uri=Uri("sip", evil)))


@pytest.mark.parametrize("name", ["X Y", "", "Via", "content-length", "X:", "X\r\nY"])
def test_a_name_that_is_none_or_taken_is_never_written(name: str) -> None:
    with pytest.raises(ValueError, match="header"):
        build(with_fields(invite(), (name, "1")))


TOKENS = st.text("abcXYZ019-.!%*_+`'~", min_size=1, max_size=12)
QUOTED = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20).map(quote)
HOSTS = st.sampled_from(["a.example", "192.0.2.1", "[2001:db8::1]", "x_y", "h."])
PORTS = st.none() | st.integers(1, 65535)
USERS = (
    st.text(max_size=12).filter(bool).map(lambda text: escape_user(text.encode(errors="replace").decode()))
)
URI_PARAMETERS = st.dictionaries(st.text("abcxyz-", min_size=1), st.none() | USERS.map(escape_user)).map(
    lambda found: tuple(
        (name, (value and value.replace("=", "").replace(",", "")) or None) for name, value in found.items()
    )
)
URIS = st.builds(
    Uri, st.sampled_from(["sip", "sips"]), HOSTS, st.none() | USERS, st.none(), PORTS, URI_PARAMETERS
)
PARAMETERS = st.dictionaries(
    TOKENS.map(str.lower).filter(lambda name: name != "tag"), st.none() | TOKENS | QUOTED, max_size=4
).map(lambda found: tuple(found.items()))
DISPLAYS = st.just("") | QUOTED | st.text("abc -", max_size=8).map(str.strip)
ADDRESSES = st.builds(Address, URIS, DISPLAYS, PARAMETERS)
VIAS = st.builds(
    Via,
    st.sampled_from(["UDP", "TCP", "TLS", "X"]),
    HOSTS,
    PORTS,
    TOKENS.map(lambda b: (("branch", "z9hG4bK" + b),)),
)
NUMBERS = st.integers(0, 2**31 - 1)
VALUES = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=30).map(
    lambda text: text.strip(" \t")
)
FIELDS = st.lists(st.tuples(TOKENS.map(lambda name: "X-" + name), VALUES), max_size=5).map(tuple)


@st.composite
def messages(draw: st.DrawFn) -> Request | Response:
    vias = tuple(draw(st.lists(VIAS, min_size=1, max_size=4)))
    sender = draw(ADDRESSES).tagged(draw(TOKENS))
    to = draw(ADDRESSES)
    call_id, method, fields, body = draw(TOKENS), draw(TOKENS), draw(FIELDS), draw(st.binary(max_size=50))
    cseq = CSeq(draw(NUMBERS), method)
    if draw(st.booleans()):
        hops = draw(st.none() | st.integers(0, 255))
        uri = draw(URIS)
        return Request(
            vias,
            sender,
            to,
            call_id,
            cseq,
            method=method,
            uri=uri,
            max_forwards=hops,
            fields=fields,
            body=body,
        )
    status, reason = draw(st.integers(100, 699)), draw(VALUES)
    return Response(vias, sender, to, call_id, cseq, status=status, reason=reason, fields=fields, body=body)


@given(messages())
def test_what_is_written_reads_as_the_same(message: Request | Response) -> None:
    assert parse(build(message)) == message


def test_a_message_that_was_changed_is_written_anew() -> None:
    request = invite()
    written = build(request)
    assert build(request) is written  # for a repeated message
    assert b"X-New: 1" in build(with_fields(request, ("X-New", "1")))
    assert build(with_fields(request)) == written
