"""A SIP URI becomes addresses as RFC 3263 says: never less secure than asked, in the order of the records."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest

from signaling.pstn.sip.headers import parse_address
from signaling.pstn.sip.hop import Hop, Transport
from signaling.pstn.sip.message import Request, parse
from signaling.pstn.sip.problem import CarrierError
from signaling.pstn.sip.resolver import Resolver
from signaling.pstn.sip.selection import Service, find, next_uri, ranked
from signaling.pstn.sip.uri import Uri, parse_uri
from tests.fakes.names import name_server
from tests.signaling.pstn.sip.samples import options


@dataclass
class Names:
    """A DNS of one test."""

    srv: dict[str, list[Service]] = field(default_factory=dict)
    a: dict[str, list[str]] = field(default_factory=dict)

    async def services(self, name: str) -> Sequence[Service]:
        return self.srv.get(name, [])

    async def addresses(self, name: str) -> Sequence[str]:
        return self.a.get(name, [])


CARRIER = Names(
    srv={
        "_sip._udp.carrier.example": [Service(20, 0, 5070, "b.example"), Service(10, 0, 5060, "a.example")],
        "_sip._tcp.carrier.example": [Service(10, 0, 5080, "a.example.")],
        "_sips._tcp.carrier.example": [Service(10, 0, 5061, "a.example")],
        "_sip._udp.tcp-alone.example": [Service(0, 0, 0, ".")],
        "_sip._tcp.tcp-alone.example": [Service(0, 0, 5060, "a.example")],
    },
    a={"a.example": ["192.0.2.1", "2001:db8::1"], "b.example": ["192.0.2.2"], "plain.example": ["192.0.2.3"]},
)
U, T, S = Transport.UDP, Transport.TCP, Transport.TLS
C = "carrier.example"


@pytest.mark.parametrize(
    ("uri", "hops"),
    [
        ("sip:192.0.2.9", [Hop(U, "192.0.2.9", 5060, "192.0.2.9")]),
        ("sip:192.0.2.9;transport=TLS", [Hop(S, "192.0.2.9", 5061, "192.0.2.9")]),
        ("sips:[2001:db8::9]:5999", [Hop(S, "2001:db8::9", 5999, "2001:db8::9")]),
        (
            "sip:carrier.example",
            [Hop(U, "192.0.2.1", 5060, C), Hop(U, "2001:db8::1", 5060, C), Hop(U, "192.0.2.2", 5070, C)],
        ),
        ("sip:carrier.example;transport=tcp", [Hop(T, "192.0.2.1", 5080, C), Hop(T, "2001:db8::1", 5080, C)]),
        ("sips:carrier.example", [Hop(S, "192.0.2.1", 5061, C), Hop(S, "2001:db8::1", 5061, C)]),
        (
            "sip:tcp-alone.example",
            [
                Hop(T, "192.0.2.1", 5060, "tcp-alone.example"),
                Hop(T, "2001:db8::1", 5060, "tcp-alone.example"),
            ],
        ),
        ("sip:plain.example", [Hop(U, "192.0.2.3", 5060, "plain.example")]),
        ("sip:plain.example:5099", [Hop(U, "192.0.2.3", 5099, "plain.example")]),
        ("sip:plain.example;transport=tls", [Hop(S, "192.0.2.3", 5061, "plain.example")]),
    ],
)
async def test_a_uri_means_these_hops(uri: str, hops: list[Hop]) -> None:
    assert list(await find(cast(Uri, parse_uri(uri)), CARRIER, lambda: 0.0)) == hops


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("sip:nowhere.example", "no address for `nowhere.example`"),
        ("sip:192.0.2.1;transport=sctp", "SIP over SCTP"),
        ("sips:carrier.example;transport=udp", "sips:"),
    ],
)
async def test_what_cannot_be_reached_is_said_in_words(uri: str, said: str) -> None:
    with pytest.raises(CarrierError, match=said):
        await find(cast(Uri, parse_uri(uri)), CARRIER, lambda: 0.0)


def test_weights_share_the_load() -> None:
    services = [Service(1, 75, 1, "heavy"), Service(1, 25, 1, "light"), Service(1, 0, 1, "none")]
    first = Counter(
        ranked(services, lambda value=value: value / 100)[0].target  # type: ignore[misc]
        for value in range(100)
    )
    assert first == {"heavy": 75, "light": 25}
    numbers = itertools.cycle([0.9, 0.1])
    assert {s.target for s in ranked(services, lambda: next(numbers))} == {"heavy", "light", "none"}


def test_a_route_goes_before_the_request_uri_unless_it_is_strict() -> None:
    request = cast(Request, parse(options("Route: <sip:proxy.example;lr>")))
    assert str(next_uri(request)) == "sip:proxy.example;lr"
    assert next_uri(request, ()) == request.uri
    assert next_uri(request, (parse_address("<sip:strict.example>"),)) == request.uri


async def test_the_dns_is_asked_for_services() -> None:
    async with name_server({"_sip._udp.carrier.example": ("10 5 5070 localhost.",)}) as (server, place):
        resolver = Resolver(servers=[place])
        hops = await find(cast(Uri, parse_uri("sip:carrier.example")), resolver, lambda: 0.0)
        assert hops == (Hop(U, "127.0.0.1", 5070, C),)
        assert server.asked == ["_sip._udp.carrier.example"]
        assert await resolver.services("_sip._tcp.carrier.example") == ()
        assert await resolver.services("_sip._udp.carrier.example")
        assert len(server.asked) == 2


async def test_a_silent_name_server_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.pstn.sip.resolver.PATIENCE", 0.05)
    async with name_server({}) as (server, place):
        monkeypatch.setattr(server, "datagram_received", lambda data, address: None)
        with pytest.raises(CarrierError, match="did not answer"):
            await Resolver(servers=[place]).services("_sip._udp.carrier.example")
