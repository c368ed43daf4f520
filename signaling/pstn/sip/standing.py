"""Requests outside of any call that keep a trunk alive: REGISTER and OPTIONS (RFC 3261 §10, §11)."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from licensing.instant import SECOND
from signaling.pstn.sip import farewell
from signaling.pstn.sip.cause import Cause, refused_with
from signaling.pstn.sip.digest import Credentials, Login
from signaling.pstn.sip.headers import Address, CSeq, parse_number
from signaling.pstn.sip.hop import Hop
from signaling.pstn.sip.leg import ABILITIES
from signaling.pstn.sip.message import Fields, Request, Response
from signaling.pstn.sip.problem import CarrierError, SipError
from signaling.pstn.sip.route import Hops
from signaling.pstn.sip.transaction import Failed
from signaling.pstn.sip.uri import AnyUri, Uri
from signaling.pstn.sip.values import replace

SHORTEST, LONGEST = 30, 3600  # seconds of a registration
FIRST_PAUSE, LONGEST_PAUSE = 30, 600  # seconds between attempts that fail
SILENT = Cause("the carrier did not answer in time", 102, 408)
UNREACHABLE = Cause("the carrier cannot be reached", 41, 503)


class Desk(farewell.Desk, Protocol):
    """What these ask of the user agent (`agent.Agent`)."""

    def contact(self, hop: Hop, asked: AnyUri) -> Address: ...


@dataclass(frozen=True, slots=True)
class Account:
    """Who we are at a carrier: its registrar, our address of record, our password."""

    registrar: Uri
    address: Address
    credentials: Credentials | None = None
    seconds: int = 600  # for which a registration is asked to hold


class Standing(ABC):
    """One request of ours that comes again and again, under one Call-ID; authenticated when asked."""

    def __init__(self, desk: Desk, method: str, account: Account) -> None:
        self._desk, self._method, self._account = desk, method, account
        self._call_id, self._tag = desk.token(), desk.token()
        self._number = 0
        self._round = 0  # a timer of an earlier one is not heard
        self._login = Login(account.credentials) if account.credentials else None
        self._asked: Request | None = None

    def _ask(self, *fields: tuple[str, str]) -> None:
        """Send it, or say why it can't be."""
        self._desk.traffic.towards(self._account.registrar, lambda hops: self._send(hops, fields))

    def _send(self, hops: Hops, fields: Fields) -> None:
        if not hops:
            self._unanswered(UNREACHABLE)
            return
        try:
            via = self._desk.traffic.via(hops[0]).branched(self._desk.branch())
        except CarrierError as error:
            self._unanswered(replace(UNREACHABLE, words=error.sentence))
            return
        self._number += 1
        contact = self._desk.contact(hops[0], self._account.registrar)
        request = Request(
            (via,),
            self._account.address.tagged(self._tag),
            self._account.address,
            self._call_id,
            CSeq(self._number, self._method),
            method=self._method,
            uri=self._account.registrar,
            fields=(("Contact", str(contact)), *ABILITIES, *fields),
        )
        if self._login:
            self._login, request = self._login.fresh().authorize(request, self._desk.token())
        self._asked = request
        self._desk.traffic.ask(request, hops, self)

    def heard(self, request: Request, response: Response) -> None:
        """See `traffic.Asker`."""
        if response.status < 200 or request != self._asked:
            return
        if response.status in (401, 407) and self._login:
            retry = self._login.retry(request, response, self._desk.branch(), self._desk.token())
            if retry is not None:
                self._login, self._asked = retry.login, retry.request
                self._number = retry.request.cseq.number
                self._desk.traffic.ask_within(retry.request, (), self)
                return
        self._answered(response)

    def failed(self, request: Request, failed: Failed) -> None:
        """See `traffic.Asker`."""
        if request == self._asked:
            self._unanswered(SILENT if failed.cause == "timeout" else UNREACHABLE)

    @abstractmethod
    def _answered(self, response: Response) -> None:
        """A final response, after whatever it took to be let in."""

    @abstractmethod
    def _unanswered(self, cause: Cause) -> None:
        """Nobody there, or nobody who answers."""

    def _after(self, seconds: float, then: Callable[[], None]) -> None:
        self._round += 1
        this = self._round

        def due() -> None:
            if this == self._round:
                then()

        self._desk.traffic.timers.at(self._desk.now().mono_ns + int(seconds * SECOND), due)


class Registration(Standing):
    """Keeps us registered. `tell` hears until when (monotonic ns), or why not; it goes on trying."""

    def __init__(self, desk: Desk, account: Account, tell: Callable[[int | Cause], None]) -> None:
        super().__init__(desk, "REGISTER", account)
        self._tell = tell
        self._seconds = account.seconds
        self._pause = FIRST_PAUSE
        self._leaving = False

    def start(self) -> None:
        """Register, and stay so."""
        self._leaving = False
        self._ask(("Expires", str(self._seconds)))

    def stop(self) -> None:
        """Register no more, and say so to the carrier."""
        self._leaving = True
        self._round += 1
        self._ask(("Expires", "0"))

    def _answered(self, response: Response) -> None:
        if response.status == 423 and not self._leaving:
            wanted = _seconds(response.get("Min-Expires"), self._seconds)
            if wanted > self._seconds:
                self._seconds = min(wanted, LONGEST)
                self.start()
                return
        if response.status >= 300:
            self._unanswered(refused_with(response, rang=False))
            return
        if self._leaving:
            self._tell(self._desk.now().mono_ns)
            return
        granted = max(SHORTEST, min(self._granted(response), LONGEST))
        self._pause = FIRST_PAUSE
        self._tell(self._desk.now().mono_ns + granted * SECOND)
        self._after(granted * 0.8, self.start)

    def _unanswered(self, cause: Cause) -> None:
        self._tell(cause)
        if not self._leaving:
            self._after(self._pause, self.start)
            self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def _granted(self, response: Response) -> int:
        """By our own Contact among those that are bound, or by the header for all (RFC 3261 §10.2.4)."""
        assert self._asked is not None
        ours = self._asked.contact
        for address in response.addresses("Contact"):
            uri = address.uri
            if (
                isinstance(uri, Uri)
                and ours
                and (uri.user, uri.host, uri.port)
                == (
                    ours.user,
                    ours.host,
                    ours.port,
                )
            ):
                return _seconds(address.parameter("expires") or response.get("Expires"), self._seconds)
        return _seconds(response.get("Expires"), self._seconds)


class Health(Standing):
    """Asks by OPTIONS whether a carrier is there. `tell` hears None for yes, or why not, each time."""

    def __init__(
        self, desk: Desk, account: Account, tell: Callable[[Cause | None], None], every: float = 30.0
    ) -> None:
        """`every`: seconds from an answer to the next question."""
        super().__init__(desk, "OPTIONS", account)
        self._tell, self._every = tell, every

    def start(self) -> None:
        """Ask now, and again and again."""
        self._ask(("Accept", "application/sdp"))

    def stop(self) -> None:
        """Ask no more."""
        self._round += 1
        self._asked = None

    def _answered(self, response: Response) -> None:
        """Whatever it says, it is there; but not if it says that it is not."""
        down = response.status in (408, 503)
        self._next(refused_with(response, rang=False) if down else None)

    def _unanswered(self, cause: Cause) -> None:
        self._next(cause)

    def _next(self, cause: Cause | None) -> None:
        self._tell(cause)
        self._after(self._every, self.start)


def _seconds(text: str | None, otherwise: int) -> int:
    try:
        return parse_number(text or "", 2**31)
    except SipError:
        return otherwise
