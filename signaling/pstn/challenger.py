"""Asks who is there, and believes an answer once (RFC 3261 §22, RFC 7616): a registrar's side of Digest."""

from collections.abc import Callable

from licensing.instant import SECOND
from signaling.ports.clock import Clock
from signaling.pstn.sip.digest import Challenge, Credentials, is_answered, read
from signaling.pstn.sip.message import Request
from signaling.pstn.sip.problem import SipError

GOOD_FOR = 300 * SECOND  # a nonce
MOST = 10_000  # nonces


class Challenger:
    """Knows the passwords of one realm and the nonces that it gave."""

    def __init__(self, clock: Clock, realm: str, accounts: dict[str, str], token: Callable[[], str]) -> None:
        """`accounts`: user -> password."""
        self._clock, self._realm, self._accounts, self._token = clock, realm, accounts, token
        self._given: dict[str, tuple[int, set[str]]] = {}  # nonce -> until when; counts that were used

    def challenge(self, *, proxy: bool, stale: bool = False) -> tuple[str, str]:
        """A header for a 401, or for a 407 where `proxy`."""
        now = self._clock.now().mono_ns
        if len(self._given) >= MOST:
            self._given = {nonce: given for nonce, given in self._given.items() if given[0] > now}
        nonce = self._token()
        self._given[nonce] = now + GOOD_FOR, set()
        challenge = Challenge(self._realm, nonce, "SHA-256", "auth", stale=stale, proxy=proxy)
        return "Proxy-Authenticate" if proxy else "WWW-Authenticate", str(challenge)

    def who(self, request: Request, *, proxy: bool) -> str | None:
        """Whose password the request proves; none if it proves none, or its proof was used before."""
        for name, value in request.fields:
            if name == ("Proxy-Authorization" if proxy else "Authorization"):
                user = self._proved(request, value, proxy)
                if user:
                    return user
        return None

    def _proved(self, request: Request, value: str, proxy: bool) -> str | None:
        try:
            parts = read(value)
        except SipError:
            return None
        user, nonce, count = parts.get("username", ""), parts.get("nonce", ""), parts.get("nc", "")
        until, used = self._given.get(nonce, (0, set()))
        password = self._accounts.get(user)
        if password is None or until <= self._clock.now().mono_ns or count in used:
            return None
        challenge = Challenge(self._realm, nonce, "SHA-256", "auth", proxy=proxy)
        if not is_answered(challenge, Credentials(user, password), request, value):
            return None
        used.add(count)
        return user
