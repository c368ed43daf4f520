"""How much one account, device or address may ask for: generous for people, tight for programs that guess."""

import ipaddress

from signaling.buckets import Buckets
from signaling.core.party import Party
from signaling.ports.clock import Clock
from wephone.protocol.ids import UserId

KIB = 1024


class Limits:
    """See signaling.ports.entry.Limits; the rest is for the REST routes. Each answers the seconds to wait."""

    def __init__(self, clock: Clock, *, on: bool = True) -> None:
        self._clock, self._on = clock, on
        self._frames = Buckets(burst=400, every=1 / 100)
        self._octets = Buckets(burst=2048, every=1 / 512)  # KiB
        self._invites = Buckets(burst=30, every=2)
        self._texts = Buckets(burst=60, every=0.5)
        # An office behind one address is many people; a program with many accounts is one.
        self._invites_from = Buckets(burst=300, every=0.2)
        self._texts_from = Buckets(burst=600, every=0.05)
        self._requests = Buckets(burst=200, every=0.1)
        self._visits = Buckets(burst=400, every=0.05)
        self._sign_ups = Buckets(burst=20, every=10)
        self._declarations = Buckets(burst=20, every=300)  # each is an entry of the journal for ever
        # Only wrong passwords count: for one account from one address, for one account from anywhere (so
        # that many addresses do not help, and few cannot lock its owner out), and for one address.
        self._wrong_here = Buckets(burst=10, every=30)
        self._wrong_anywhere = Buckets(burst=100, every=10)
        self._wrong_from = Buckets(burst=100, every=5)

    def frame(self, party: Party, size: int) -> float:
        """A frame of `size` bytes on a device's connection."""
        now = self._now()
        return self._take(self._frames, party, now) or self._take(self._octets, party, now, size / KIB)

    def invite(self, user: UserId) -> float:
        """A call, to whomever."""
        return self._take(self._invites, user, self._now())

    def invite_from(self, address: str) -> float:
        """A call, of whichever account."""
        return self._take(self._invites_from, network(address), self._now())

    def text(self, user: UserId, address: str) -> float:
        """A text, to whomever."""
        now = self._now()
        return self._take(self._texts, user, now) or self._take(self._texts_from, network(address), now)

    def request(self, user: UserId) -> float:
        """A REST request of a signed-in account, look-ups among them."""
        return self._take(self._requests, user, self._now())

    def visit(self, address: str) -> float:
        """A REST request of nobody in particular."""
        return self._take(self._visits, network(address), self._now())

    def declare(self, user: UserId) -> float:
        """A statement of the account's holder about where they live."""
        return self._take(self._declarations, user, self._now())

    def sign_up(self, address: str) -> float:
        """A new account."""
        return self._take(self._sign_ups, network(address), self._now())

    def sign_in(self, name: str, address: str) -> float:
        """A password is about to be tried: it counts as wrong until `signed_in` says otherwise."""
        now, here = self._now(), network(address)
        attempts = ((self._wrong_here, (name, here)), (self._wrong_anywhere, name), (self._wrong_from, here))
        for place, (buckets, key) in enumerate(attempts):
            if wait := self._take(buckets, key, now):
                for taken, taken_key in attempts[:place]:
                    taken.give_back(taken_key)
                return wait
        return 0.0

    def signed_in(self, name: str, address: str) -> None:
        """The password was right."""
        here = network(address)
        self._wrong_here.give_back((name, here))
        self._wrong_anywhere.give_back(name)
        self._wrong_from.give_back(here)

    def _now(self) -> int:
        return self._clock.now().mono_ns

    def _take(self, buckets: Buckets, key: object, now: int, cost: float = 1.0) -> float:
        return buckets.take(key, now, cost) if self._on else 0.0


def network(address: str) -> str:
    """What counts as one address: an IPv6 customer has a /64 of them (RFC 6177 §2)."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None and not found.is_loopback:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
