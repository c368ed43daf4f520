"""All SIP transactions of one side: which of them a message belongs to (RFC 3261 §17.1.3, §17.2.3).

No I/O: every method answers with what is to be done, in order. It starts an INVITE only when it is told to
(`ask`), by the user agent that holds the grant. How many transactions a peer may have open is for the user
agent to limit, before it gives a request in.
"""

import hashlib

from licensing.instant import Instant
from signaling.pstn.sip.answer import respond
from signaling.pstn.sip.message import Request, Response
from signaling.pstn.sip.table import (
    TERMINATED,
    Acked,
    Asked,
    Event,
    Kind,
    TimedOut,
    Timer,
    Unsendable,
    answered,
)
from signaling.pstn.sip.transaction import Deliver, Effect, Send, Transaction, start_client, start_server

Key = str  # what names a transaction among those of its side

# What is to be done, in order, and for which transaction; None for what belongs to none.
Steps = tuple[Key | None, tuple[Effect, ...]]
NOTHING: Steps = (None, ())


def client_key(message: Request | Response) -> Key:
    """A response belongs to the request with its branch and method (RFC 3261 §17.1.3)."""
    return f"client {message.vias[0].branch} {message.cseq.method}"


def server_key(request: Request, method: str = "") -> Key:
    """A request is known by branch, sent-by and method, an ACK by those of its INVITE (RFC 3261 §17.2.3).

    One of before RFC 3261 is known by all that stays the same when it is sent again.
    """
    method = method or request.method
    method = "INVITE" if method == "ACK" else method
    via = request.via
    if via.is_modern:
        return f"server {via.branch} {via.host.lower()} {via.port} {method}"
    sender = request.sender.tag
    return repr((str(request.uri), sender, request.call_id, request.cseq.number, str(via), method))


def merge_key(request: Request) -> tuple[str | int | None, ...]:
    """The same for one request that came by two ways (RFC 3261 §8.2.2.2)."""
    return request.sender.tag, request.call_id, request.cseq.number, request.method


class Exchange:
    """The transactions that are not over, by key."""

    def __init__(self) -> None:
        self._live: dict[Key, Transaction] = {}
        self.get = self._live.get  # the transaction with a key, while it is not over
        self._merged: dict[tuple[str | int | None, ...], Key] = {}

    def __len__(self) -> int:
        return len(self._live)

    def ask(self, request: Request, now: Instant, *, reliable: bool) -> tuple[Key, tuple[Effect, ...]]:
        """Start a client transaction. An INVITE only with its grant redeemed in this very step."""
        key = client_key(request)
        if key in self._live:
            raise ValueError(f"branch {request.via.branch} is in use")
        transaction, effects = start_client(request, now, reliable=reliable)
        self._live[key] = transaction
        return key, effects

    def say(self, key: Key, response: Response, now: Instant) -> Steps:
        """Answer a request. A 2xx to an INVITE only with its grant redeemed in this very step."""
        return self._tell(key, answered(response), now)

    def heard(self, message: Request | Response, now: Instant, *, reliable: bool) -> Steps:
        """A message came."""
        if isinstance(message, Response):
            return self.heard_response(message, now)
        return self._heard_request(message, now, reliable)

    def timed_out(self, key: Key, timer: Timer, at: int, now: Instant) -> Steps:
        """A timer that was started for a transaction has run out."""
        return self._tell(key, TimedOut(timer, at), now)

    def unsendable(self, key: Key, now: Instant) -> Steps:
        """What a transaction wanted to send could not be."""
        return self._tell(key, Unsendable(), now)

    def invited(self, cancel: Request) -> Key | None:
        """The INVITE that a CANCEL is for, while it waits for its answer (RFC 3261 §9.2)."""
        key = server_key(cancel, "INVITE")
        return key if key in self._live else None

    def heard_response(self, response: Response, now: Instant) -> Steps:
        """The same of an answer, where it is known to be one."""
        key = client_key(response)
        transaction = self._live.get(key)
        if transaction is not None:
            return self._told(key, transaction, answered(response), now)
        # A late 2xx means that somewhere a call is up and perhaps charged: it is never dropped in silence.
        if response.cseq.method == "INVITE" and 200 <= response.status < 300:
            return None, (Deliver(response),)
        return NOTHING

    def _heard_request(self, request: Request, now: Instant, reliable: bool) -> Steps:
        key = server_key(request)
        if key in self._live:
            event = Acked(request) if request.method == "ACK" else Asked()
            return self._tell(key, event, now)
        if request.method == "ACK":  # of a 2xx: it is a transaction of its own
            return None, (Deliver(request),)
        merged = merge_key(request)
        if request.to.tag is None and self._merged.get(merged, key) != key:
            tag = hashlib.sha256(key.encode()).hexdigest()[:16]  # the same when the request is repeated
            return None, (Send(respond(request, 482, tag=tag)),)
        transaction, effects = start_server(request, now, reliable=reliable)
        self._merged[merged] = key
        self._live[key] = transaction
        return key, effects

    def _tell(self, key: Key, event: Event, now: Instant) -> Steps:
        transaction = self._live.get(key)
        return NOTHING if transaction is None else self._told(key, transaction, event, now)

    def _told(self, key: Key, transaction: Transaction, event: Event, now: Instant) -> Steps:
        after, effects = transaction.receive(event, now)
        if after.phase is TERMINATED:
            self._forget(key, after)
        else:
            self._live[key] = after
        return key, effects

    def _forget(self, key: Key, transaction: Transaction) -> None:
        self._live.pop(key, None)
        merged = merge_key(transaction.request)
        if transaction.kind in (Kind.SERVER, Kind.INVITE_SERVER) and self._merged.get(merged) == key:
            del self._merged[merged]
