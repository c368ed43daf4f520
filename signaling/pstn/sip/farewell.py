"""A BYE that stands alone: of a call that nobody wanted, or of one that a server left behind when it died."""

from collections.abc import Callable

from signaling.pstn.sip.cause import says_ended
from signaling.pstn.sip.digest import Login
from signaling.pstn.sip.headers import Address
from signaling.pstn.sip.message import Request, Response
from signaling.pstn.sip.traffic import Traffic
from signaling.pstn.sip.transaction import Failed


class Farewell:
    """Sent until it is answered, for 32 s. `done` hears whether the far end confirmed it."""

    def __init__(
        self,
        traffic: Traffic,
        routes: tuple[Address, ...],
        token: Callable[[], str],
        done: Callable[[bool], None],
        login: Login | None = None,
    ) -> None:
        self._traffic, self._routes, self._token = traffic, routes, token
        self._done, self._login = done, login.fresh() if login else None

    def send(self, bye: Request) -> None:
        """Give it to the network."""
        self._traffic.ask_within(bye, self._routes, self)

    def heard(self, request: Request, response: Response) -> None:
        """See `traffic.Asker`."""
        if response.status < 200:
            return
        if response.status in (401, 407) and self._login:
            retry = self._login.retry(request, response, self._token(), self._token())
            if retry is not None:
                self._login = retry.login
                self.send(retry.request)
                return
        self._done(says_ended(response))

    def failed(self, request: Request, failed: Failed) -> None:
        """See `traffic.Asker`."""
        self._done(False)
