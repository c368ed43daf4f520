"""Who is played with, by which way, and what is done: the tests take their cases from here, and so does the
table of docs/sip.md. To write that anew:  python -m tests.interop.played
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest

from signaling.pstn.sip.hop import Transport
from tests.house.checkout import ROOT

PAGE = ROOT / "docs/sip.md"
BEGIN, END = "<!-- played: made by python -m tests.interop.played -->\n", "<!-- played end -->\n"


@dataclass(frozen=True, slots=True)
class Way:
    """A transport, and the address of loopback that it is used on."""

    transport: Transport
    host: str = "127.0.0.1"

    @property
    def column(self) -> str:
        """Where the table has it."""
        return "IPv6" if ":" in self.host else str(self.transport)


UDP, TCP, TLS = (Way(transport) for transport in Transport)
UDP6, TCP6, TLS6 = (Way(transport, "::1") for transport in Transport)


class Peer(StrEnum):
    """Programs that are not ours, by the packages of Debian 12."""

    SIPP = "SIPp (`sip-tester`)"
    KAMAILIO = "Kamailio (`kamailio`, `kamailio-tls-modules`), registrar and record-routing proxy before SIPp"
    BARESIP = "baresip (`baresip-core`)"
    LINPHONE = "linphone (`linphone-cli`)"


class Deed(StrEnum):
    """What is done by a way."""

    REGISTERED = "REGISTER"
    CALLED = "called"  # by us
    CALLING = "calling us"
    KEYED = "keys by INFO"
    HELD = "hold and resume from its side"
    ENCRYPTED = "SRTP (SDES)"


VERSIONS = {Peer.SIPP: "3.6.1", Peer.KAMAILIO: "5.6.3", Peer.BARESIP: "1.0.0", Peer.LINPHONE: "5.1.65"}
PLAYED: dict[Peer, dict[Deed, tuple[Way, ...]]] = {
    Peer.SIPP: {
        Deed.CALLED: (UDP, TCP, TLS, UDP6, TCP6, TLS6),
        Deed.CALLING: (UDP, TCP, TLS, UDP6, TCP6, TLS6),
    },
    Peer.KAMAILIO: {
        Deed.REGISTERED: (UDP, TCP, TLS, UDP6, TLS6),
        Deed.CALLED: (UDP, TCP, TLS, UDP6, TLS6),
        Deed.CALLING: (UDP, TCP, TLS, UDP6, TLS6),
    },
    Peer.BARESIP: {
        Deed.CALLED: (UDP, TCP, TLS, UDP6),
        Deed.CALLING: (UDP, TCP, TLS, UDP6),
        Deed.HELD: (UDP,),
        Deed.ENCRYPTED: (TLS,),
    },
    Peer.LINPHONE: {
        Deed.CALLED: (UDP, TCP, UDP6),
        Deed.CALLING: (UDP, TCP, TLS, UDP6),
        Deed.KEYED: (UDP,),
        Deed.ENCRYPTED: (TLS,),
    },
}


def cases(deed: Deed, *peers: Peer) -> list[Any]:
    """Those of a deed, as pytest takes them: peer and way, or the way alone where the peer is one."""
    return [
        pytest.param(
            *((peer, way) if len(peers) > 1 else (way,)),
            id=f"{peer.name.lower()}-{way.transport.lower()}-{way.host}",
        )
        for peer in peers
        for way in PLAYED[peer].get(deed, ())
    ]


def table() -> str:
    """As the page has it."""
    columns = (*(str(transport) for transport in Transport), "IPv6")
    lines = [f"| Peer | Version | {' | '.join(columns)} |", "|---" * (len(columns) + 2) + "|"]
    for peer, deeds in PLAYED.items():
        cells = [cell(deeds, column) for column in columns]
        lines.append(f"| {peer} | {VERSIONS[peer]} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def cell(deeds: dict[Deed, tuple[Way, ...]], column: str) -> str:
    """What is done by a column's ways; over IPv6 each with its transports."""
    found: list[str] = []
    for deed, ways in deeds.items():
        transports = [str(way.transport) for way in ways if way.column == column]
        if transports:
            found.append(f"{deed} ({', '.join(transports)})" if column == "IPv6" else str(deed))
    return "; ".join(found) or "not played"


def with_table(page: str) -> str:
    """The page with the table as it should be."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text()))
