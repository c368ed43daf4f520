"""A trunk at work: is it there, how full is it, and how a call is put to its carrier."""

import logging
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address

from licensing.instant import SECOND, Instant
from licensing.numbering import Number, Unplaced, canonicalise
from signaling.media import Srtp, TrunkMedia
from signaling.ports.telephones import TrunkState
from signaling.pstn import numbers
from signaling.pstn.selection import Health, Standing
from signaling.pstn.sip.agent import Agent
from signaling.pstn.sip.cause import Cause
from signaling.pstn.sip.digest import Credentials
from signaling.pstn.sip.headers import Address
from signaling.pstn.sip.message import Request
from signaling.pstn.sip.outgoing import Wish
from signaling.pstn.sip.standing import Account, Registration
from signaling.pstn.sip.standing import Health as Watch
from signaling.pstn.sip.uri import AnyUri, Uri, parse_uri
from signaling.pstn.trunk import Trunk

_HEADERS = {"p_asserted_identity": "P-Asserted-Identity", "p_preferred_identity": "P-Preferred-Identity"}

log = logging.getLogger(__name__)


class Line:
    """One trunk. `start` before use; `changed` is called when it becomes reachable or ceases to be."""

    def __init__(
        self,
        name: str,
        trunk: Trunk,
        credentials: Credentials | None,
        agent: Agent,
        changed: Callable[["Line"], None],
    ) -> None:
        self.name, self.trunk, self.credentials = name, trunk, credentials
        uri = parse_uri(trunk.uri)
        assert isinstance(uri, Uri), "the file of trunks was checked"
        self.uri = uri
        self.form = trunk.numbers.form()
        self.calls = 0  # alive, both ways
        self.asking = 0  # of these, attempts that have a place and no row yet
        self.trouble: str | None = None  # why it is down, in words
        self.hosts: frozenset[str] = frozenset()  # the addresses that its URI leads to
        self._agent, self._changed = agent, changed
        self._health, self._registered = Health.UNKNOWN, trunk.sign_in != "register"
        self._refused = False  # the last time we asked to be registered
        self._next_ns = 0  # when the next call may go out
        self._step = int(SECOND / trunk.limits.calls_per_second)
        self._rests_until_ns = 0
        account = Account(uri, self.identity, credentials, trunk.register_every)
        self._watch = Watch(agent, account, self._answered, float(trunk.options_every))
        self._registration = None if self._registered else Registration(agent, account, self._signed_in)

    def start(self) -> None:
        """Look whether it is there, and sign in if it asks for that; again and again."""
        self._watch.start()
        if self._registration is not None:
            self._registration.start()

    def stop(self) -> None:
        """Look no more, and say goodbye if it knows us."""
        self._watch.stop()
        if self._registration is not None:
            self._registration.stop()

    # What it is good for

    @property
    def health(self) -> Health:
        """Down also where it does not register us, though that is how it takes calls."""
        if self._refused:
            return Health.DOWN
        if self._health is Health.UP and not self._registered:
            return Health.UNKNOWN
        return self._health

    def standing(self, now: Instant) -> Standing:
        """As the choice of a trunk takes it."""
        wait = max(0, self._next_ns - now.mono_ns, self._rests_until_ns - now.mono_ns) / SECOND
        return self.trunk.standing(self.name, self.health, self.calls, wait)

    def state(self) -> TrunkState:
        """As operators see it."""
        trunk = self.trunk
        return TrunkState(
            self.name,
            trunk.uri,
            self.health,
            self.trouble,
            self.calls,
            trunk.limits.concurrent_calls,
            trunk.priority,
            tuple(sorted(trunk.dids)),
            tuple(sorted(trunk.duties)),
            tuple(sorted(trunk.emergency_in)),
        )

    def is_full(self) -> bool:
        """Has it as many calls as it may?"""
        return self.calls >= self.trunk.limits.concurrent_calls

    def take(self, now: Instant) -> None:
        """One call more, before anything about it waits: so that no two have the same place."""
        self.calls += 1
        self.asking += 1
        self._next_ns = max(self._next_ns, now.mono_ns) + self._step

    def asked(self, *, came_to_something: bool) -> None:
        """That call has its row, or comes to nothing, and its place is free again."""
        self.asking -= 1
        if not came_to_something:
            self.calls -= 1
            self._next_ns -= self._step

    def take_in(self) -> None:
        """One call more, which the carrier brings."""
        self.calls += 1

    def give_back(self) -> None:
        """One call fewer."""
        assert self.calls > 0, "a call was given back twice"
        self.calls -= 1

    def rest(self, seconds: int, now: Instant) -> None:
        """The carrier asks to be left alone for so long."""
        self._rests_until_ns = max(self._rests_until_ns, now.mono_ns + min(seconds, 3600) * SECOND)

    def brings(self, host: str) -> bool:
        """Do calls from this address come from this carrier?"""
        if host in self.hosts:
            return True
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self.trunk.sources)

    @property
    def media(self) -> TrunkMedia:
        """What its sound is."""
        return TrunkMedia(
            codecs=tuple(each for each in self.trunk.codecs if each == "PCMU" or each == "PCMA"),
            srtp=Srtp.ALWAYS if self.trunk.srtp else Srtp.NEVER,
            networks=tuple(str(network) for network in self.trunk.media_networks),
        )

    # How a call is put to it

    @property
    def identity(self) -> Address:
        """Who we are at this carrier."""
        return Address(Uri(self.uri.scheme, self.uri.host, self.trunk.username))

    def shown(self, own: str | None) -> Number | None:
        """The number that a call by this trunk says it is from; none, and no call, if there is none."""
        number = canonicalise(own or self.trunk.caller_id.default or "")
        return number if isinstance(number, Number) else None

    def wish(self, to: Number, own: str | None, offer: str) -> Wish | None:
        """The INVITE to ask for; none if this carrier cannot be told these numbers as they are meant.

        Who calls for help is told as well as can be, and by our name at this carrier if there is no number.
        """
        shown = self.shown(own)
        dialled = numbers.written(to, self.form)
        caller = None if shown is None else numbers.written(shown, replace(self.form, prefix=""))
        if dialled is None or (caller is None and not to.emergency):
            return None
        from_number = Address(replace(self.uri, user=caller, port=None, parameters=()))
        header = None if caller is None else _HEADERS.get(self.trunk.caller_id.header)
        by_name = caller is None or (header is not None and self.trunk.username is not None)
        return Wish(
            to=replace(self.uri, user=dialled.replace("#", "%23")),  # RFC 3261 §25.1
            caller=self.identity if by_name else from_number,
            offer=offer.encode(),
            fields=() if header is None else ((header, str(from_number)),),
            credentials=self.credentials,
            holds_ack=not to.emergency,
        )

    def called(self, invite: Request) -> Number | None:
        """The number of ours that an INVITE is for: by its address, or by whom it is said to be to."""
        for uri in (invite.uri, invite.to.uri):
            number = self._read(uri)
            if number is not None and number.address in self.trunk.dids:
                return number
        return None

    def caller(self, invite: Request) -> Number | Unplaced | None:
        """Who an INVITE says is calling, as this carrier asserts it; none if that is withheld."""
        wanted = {part.strip().lower() for part in (invite.get("Privacy") or "").split(";")}
        if {"id", "user", "header"} & wanted:  # RFC 3323, RFC 3325
            return None
        asserted = invite.addresses("P-Asserted-Identity")
        uri = asserted[0].uri if asserted else invite.sender.uri
        user = _user(uri)
        if user is None or user.lower() in ("anonymous", "restricted", "unavailable", "unknown"):
            return None
        return numbers.read(user, self.form)

    def _read(self, uri: AnyUri) -> Number | None:
        user = _user(uri)
        number = None if user is None else numbers.read(user, self.form)
        return number if isinstance(number, Number) else None

    # What it answers

    def _answered(self, cause: Cause | None) -> None:
        before, self._health = self._health, Health.UP if cause is None else Health.DOWN
        if cause is not None or self._registered:
            self.trouble = None if cause is None else cause.words
        if before is not self._health:
            said = "" if cause is None else f": {cause.words}"
            log.log(
                logging.WARNING if cause else logging.INFO, "trunk %s is %s%s", self.name, self._health, said
            )
            self._changed(self)

    def _signed_in(self, outcome: int | Cause) -> None:
        before, self._registered = self._registered, not isinstance(outcome, Cause)
        self._refused = not self._registered
        self.trouble = outcome.words if isinstance(outcome, Cause) else None
        if before is not self._registered or isinstance(outcome, Cause):
            said = f": {outcome.words}" if isinstance(outcome, Cause) else ""
            state = f"is not registered{said}" if said else "is registered"
            log.log(logging.WARNING if said else logging.INFO, "trunk %s %s", self.name, state)
            self._changed(self)


def _user(uri: AnyUri) -> str | None:
    """The number in a URI, without its parameters (RFC 3261 §19.1.6, RFC 3966)."""
    user = uri.user if isinstance(uri, Uri) else uri.rest if uri.scheme == "tel" else None
    return None if user is None else user.partition(";")[0]
