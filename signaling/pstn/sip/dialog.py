"""A SIP dialog: who talks to whom, by which way, under which numbers (RFC 3261 §12). A value, kept durably.

From it, after a restart, the BYE of a call that cannot be carried on is built. A dialog makes requests and
sends none. A re-INVITE or an UPDATE with media is sent by the user agent alone, under a grant of its own.
"""

import hashlib
from dataclasses import dataclass

from signaling.pstn.sip.headers import MAGIC, Address, Via, numbered
from signaling.pstn.sip.message import Fields, Message, Request, Response
from signaling.pstn.sip.problem import SipError, bad
from signaling.pstn.sip.uri import Uri
from signaling.pstn.sip.values import quick, replace

# Of the INVITE, what its ACK carries again (RFC 3261 §13.2.2.4).
_CREDENTIALS = ("Authorization", "Proxy-Authorization")


@quick
@dataclass(frozen=True, slots=True)
class Dialog:
    """One side's view of a dialog.

    `seed` is a secret of this dialog, from which the branches of its requests follow: no dice are needed for
    them, and a request made again after a restart has the branch it had.
    """

    call_id: str
    local: Address  # with our tag
    remote: Address  # with theirs
    target: Uri  # their Contact: where requests go to
    routes: tuple[Address, ...]  # the proxies on the way, nearest first
    via: Via  # how we are reached, without branch
    contact: Address  # ours
    seed: str
    local_cseq: int
    remote_cseq: int | None = None

    @property
    def id(self) -> tuple[str, str | None, str | None]:
        """Call-ID, our tag, their tag."""
        return self.call_id, self.local.tag, self.remote.tag

    def request(self, method: str, fields: Fields = (), body: bytes = b"") -> "tuple[Dialog, Request]":
        """The next request within the dialog, and the dialog that has counted it (RFC 3261 §12.2.1.1)."""
        dialog = replace(self, local_cseq=self.local_cseq + 1)
        return dialog, dialog._build(method, dialog.local_cseq, fields, body)

    def renumbered(self, request: Request) -> "tuple[Dialog, Request]":
        """A request of ours that goes out once more, under the next number: others may have gone since."""
        dialog = replace(self, local_cseq=self.local_cseq + 1)
        return dialog, replace(request, cseq=numbered(dialog.local_cseq, request.method))

    def acknowledge(self, invite: Request, body: bytes = b"") -> Request:
        """The ACK of a 2xx: end to end, a branch of its own, the INVITE's number and credentials. Always the
        same one, however often the 2xx comes (RFC 3261 §13.2.2.4)."""
        credentials = tuple(f for f in invite.fields if f[0] in _CREDENTIALS)
        return self._build("ACK", invite.cseq.number, credentials, body)

    def _build(self, method: str, number: int, fields: Fields, body: bytes) -> Request:
        uri, routes = self.target, self.routes
        if routes and isinstance(routes[0].uri, Uri) and routes[0].uri.parameter("lr") is None:
            # A strict router of RFC 2543 stands first: it is named by the Request-URI (RFC 3261 §12.2.1.1).
            uri, routes = routes[0].uri.bare(), (*routes[1:], Address(self.target))
        own = [("Contact", str(self.contact))] if method in ("INVITE", "UPDATE", "SUBSCRIBE") else []
        branch = branch_of(self.seed, method, number, self.remote.tag or "")
        return Request(
            (self.via.branched(branch),),
            self.local,
            self.remote,
            self.call_id,
            numbered(number, method),
            method=method,
            uri=uri,
            fields=(*(("Route", str(route)) for route in routes), *own, *fields),
            body=body,
        )

    def received(self, request: Request) -> "Dialog":
        """The dialog after a request of the peer; SipError(481) if it is not of this dialog, 500 if it is
        older than one that we have seen (RFC 3261 §12.2.2). An ACK or a CANCEL counts nothing."""
        if (request.call_id, request.to.tag, request.sender.tag) != self.id:
            raise SipError(481, "no such dialog")
        if request.method in ("ACK", "CANCEL"):
            return self
        if self.remote_cseq is not None and request.cseq.number <= self.remote_cseq:
            raise SipError(500, f"CSeq {request.cseq.number} after {self.remote_cseq}")
        return replace(self, remote_cseq=request.cseq.number)

    def refreshed(self, message: Message) -> "Dialog":
        """After an INVITE or UPDATE, or a 2xx to one: the peer may have moved (RFC 3261 §12.2)."""
        contact = message.contact
        return self if contact is None else replace(self, target=contact.bare())


def branch_of(seed: str, *parts: object) -> str:
    """A branch that nobody else makes: from a secret, and what it is for."""
    return MAGIC + hashlib.sha256(repr((seed, *parts)).encode()).hexdigest()[:32]


def dialog_of_caller(invite: Request, response: Response, seed: str) -> Dialog:
    """The dialog that a 101 to 299 makes for whoever sent the INVITE (RFC 3261 §12.1.2).

    Without a tag the peer is older than RFC 3261: the dialog has none either. SipError (of a response, so
    without status) without a Contact, unless it is provisional: such a dialog cannot be used for long.
    """
    contact = response.contact
    target = contact or (invite.uri if isinstance(invite.uri, Uri) else None)
    if target is None or (response.status >= 200 and contact is None):
        raise SipError(None, f"a {response.status} without Contact")
    return Dialog(
        invite.call_id,
        invite.sender,
        response.to,
        target.bare(),
        tuple(reversed(response.addresses("Record-Route"))),
        unbranched(invite.via),
        invite.addresses("Contact")[0],
        seed,
        invite.cseq.number,
    )


def dialog_of_callee(invite: Request, tag: str, via: Via, contact: Address, seed: str) -> Dialog:
    """The dialog of whoever answers an INVITE, from its first provisional on (RFC 3261 §12.1.1)."""
    if invite.contact is None:
        raise bad("an INVITE without one Contact")
    return Dialog(
        invite.call_id,
        invite.to.tagged(tag),
        invite.sender,
        invite.contact.bare(),
        invite.addresses("Record-Route"),
        via,
        contact,
        seed,
        0,
        invite.cseq.number,
    )


def unbranched(via: Via) -> Via:
    """A Via as a pattern for the next request's."""
    kept = tuple([p for p in via.parameters if p[0] in ("rport", "alias")])
    return Via(via.transport, via.host, via.port, kept)
