"""Mutated SIP is read or refused, and nothing else happens."""

import random
from contextlib import suppress

from signaling.pstn.sip.answer import refuse_unread
from signaling.pstn.sip.cause import refused_with
from signaling.pstn.sip.message import Response, build, parse
from signaling.pstn.sip.problem import SipError
from signaling.pstn.sip.requirements import header_parameters
from tests.signaling.pstn.sip.samples import invite, options

MUTATIONS, ALL_MUTATIONS = 10_000, 1_000_000
SEEDS = [
    build(
        invite(
            'Contact: "A, B" <sip:a%40b@[2001:db8::1]:5060;transport=UDP;ob>;+sip.instance="<urn:x>"',
            "Record-Route: <sip:p1.example;lr>, <sip:p2.example;lr>",
            'P-Asserted-Identity: <tel:+442079460002>, "x" <sip:+442079460002@carrier.example;user=phone>',
            "Identity: ab.cd.ef;info=<https://carrier.example/c.pem>;alg=ES256",
            "Session-Expires: 1800;refresher=uas",
            "Require: 100rel",
        )
    ).replace(b"Contact: <sip:wephone@192.0.2.1:5060>\r\n", b""),
    options("RSeq: 1", "Contact: <sip:x@y>", "Content-Length: 0", start="SIP/2.0 183 Session Progress"),
    options("v: SIP/2.0/TCP h.example;branch=z9hG4bK2;rport;received=192.0.2.1", "Max-Forwards: 3"),
]
PIECES = [
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b";",
    b",",
    b"<",
    b">",
    b'"',
    b"\\",
    b"@",
    b":",
    b"%",
    b"\x00",
    b"[",
    b"]",
]
PIECES += [
    b"=",
    b"?",
    b"sip:",
    b";tag=",
    b"\r\n ",
    b"\xff",
    b"\xe5\xbf\x99",
    b"4294967296",
    b"9" * 5000,  # Python makes no number of so many
    b"-1",
    b"SIP/2.0",
    b"z9hG4bK",
]


def mutated(seed: bytes, dice: random.Random) -> bytes:
    data = bytearray(seed)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(data) + 1)
        match dice.randrange(5):
            case 0:
                data[at:at] = dice.choice(PIECES)
            case 1:
                data[at : at + dice.randint(1, 12)] = b""
            case 2:
                data[at : at + 1] = bytes([dice.randrange(256)])
            case 3:
                data[at:at] = data[at : at + dice.randint(1, 80)]
            case _:
                lines = bytes(data).split(b"\r\n")
                lines.insert(dice.randrange(len(lines)), dice.choice(lines))
                data = bytearray(b"\r\n".join(lines))
    return bytes(data)


def test_a_mutated_message_is_read_or_refused_as_one(full_size: bool, dice: random.Random) -> None:
    read = refused = 0
    for _ in range(ALL_MUTATIONS if full_size else MUTATIONS):
        data = mutated(dice.choice(SEEDS), dice)
        try:
            message = parse(data)
        except SipError as error:
            refuse_unread(data, error, "t")
            refused += 1
        else:
            assert parse(build(message)) == message
            read += 1
    assert read
    assert refused


def test_how_a_call_failed_is_read_whatever_is_said_of_it(dice: random.Random) -> None:
    said = b'Q.850;cause=16;text="busy"'
    seed = options(f"Reason: SIP;cause=486, {said.decode()}", start="SIP/2.0 486 Busy Here")
    read = 0
    for _ in range(MUTATIONS):
        with suppress(SipError):
            worse = seed.replace(b"cause=16", b"cause=16" + dice.choice(PIECES))
            if isinstance(message := parse(mutated(worse, dice)), Response):
                assert refused_with(message, rang=False).q850 < 128
                read += 1
    assert read


def test_the_values_of_a_header_are_read_or_refused_as_one(dice: random.Random) -> None:
    for _ in range(MUTATIONS // 10):
        try:
            header_parameters(mutated(b'1800;refresher=uas;x="a;b"', dice).decode(errors="replace"))
        except SipError as error:
            assert error.status == 400
