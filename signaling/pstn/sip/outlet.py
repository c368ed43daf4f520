"""The one way out: no message that starts, answers or widens a leg passes without a live lease (R1)."""

import logging

from signaling.pstn.sip.connection import Failed
from signaling.pstn.sip.hop import Flow, Hop
from signaling.pstn.sip.message import Request, Response
from signaling.pstn.sip.sockets import Sockets
from signaling.pstn.sip.tenure import Tenure

_WITH_MEDIA = ("INVITE", "UPDATE", "PRACK", "ACK")

log = logging.getLogger(__name__)


def needs_lease(message: Request | Response) -> bool:
    """An INVITE, its 2xx, and whatever else carries a description of media."""
    method = message.cseq.method
    if isinstance(message, Response) and message.status >= 300:
        return False
    if method == "INVITE" and (isinstance(message, Request) or message.status >= 200):
        return True
    return bool(message.body) and method in _WITH_MEDIA


class Outlet:
    """Everything that the user agent sends goes through here."""

    def __init__(self, sockets: Sockets) -> None:
        self._sockets = sockets
        self.withheld = 0  # messages that had no lease

    def may_send(self, message: Request | Response, tenure: Tenure | None) -> bool:
        """Is a lease there, and live by our own clock, or none needed? A no is counted and logged."""
        if not needs_lease(message) or (tenure and tenure.lease):
            return True
        self.withheld += 1
        log.error("%s of call %s withheld: no lease", message.cseq.method, message.call_id)
        return False

    def send(
        self, message: Request | Response, to: Hop | Flow, failed: Failed, tenure: Tenure | None = None
    ) -> None:
        """Send it, unless it needs a lease that is not there."""
        if self.may_send(message, tenure):
            self._sockets.send(message, to, failed)
