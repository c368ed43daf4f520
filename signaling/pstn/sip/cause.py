"""Why a telephone call failed or ended: in words, as SIP says it and as Q.850 does (RFC 3326, RFC 3398)."""

import re
from dataclasses import dataclass

from signaling.pstn.sip.again import retry_after
from signaling.pstn.sip.headers import quote
from signaling.pstn.sip.message import Message, Request, Response
from signaling.pstn.sip.problem import SipError
from signaling.pstn.sip.requirements import header_parameters
from signaling.pstn.sip.uri import parameter

NORMAL = 16  # Q.850: the call is cleared as usual
TEMPORARY_FAILURE = 41
REJECTED = 21
NOT_AUTHORISED = 57
RECOVERY = 102  # a timer expired

_NUMBER = re.compile(r"[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class Cause:
    """`words` is one lower-case sentence for the caller. `elsewhere`: may another trunk be asked? Never after
    a phone was reached, or somebody declined. `declined`: the callee did, whatever status is around that."""

    words: str
    q850: int = NORMAL
    status: int | None = None
    elsewhere: bool = False
    declined: bool = False

    def header(self) -> tuple[str, str]:
        """As the Reason header of a BYE or CANCEL (RFC 3326)."""
        return "Reason", f"Q.850;cause={self.q850};text={quote(self.words)}"


# Status -> Q.850 (RFC 3398 §8.2.6.1), what it means, and whether another carrier may know better.
_MEANINGS: dict[int, tuple[int, str, bool]] = {
    400: (41, "the carrier did not understand the call", True),
    401: (21, "the carrier does not accept our name and password", True),
    402: (21, "the carrier asks for payment", True),
    403: (21, "the carrier forbids this call", True),
    404: (1, "the number is not in use", False),
    405: (63, "the carrier does not take calls here", True),
    406: (79, "the carrier accepts nothing that we can say", True),
    407: (21, "the carrier does not accept our name and password", True),
    408: (102, "the carrier did not answer in time", True),
    410: (22, "the number has changed", False),
    413: (127, "the call is too large for the carrier", True),
    415: (79, "the carrier does not know this kind of call", True),
    416: (127, "the carrier does not know this kind of address", True),
    420: (127, "the carrier lacks an extension that the call needs", True),
    480: (18, "the callee cannot be reached now", False),
    481: (41, "the carrier knows nothing of this call", False),
    482: (25, "the call ran in a circle", True),
    483: (25, "the call took too many hops", True),
    484: (28, "the number is incomplete", False),
    485: (1, "the number is ambiguous", False),
    486: (17, "the callee is busy", False),
    487: (16, "the call was cancelled", False),
    488: (31, "the carrier accepts none of our codecs", True),
    500: (41, "the carrier has trouble", True),
    501: (79, "the carrier does not take calls", True),
    502: (38, "the carrier's network is out of order", True),
    503: (41, "the carrier takes no more calls now", True),
    504: (102, "the carrier's network did not answer in time", True),
    600: (17, "the callee is busy", False),
    603: (21, "the callee declined", False),
    604: (1, "the number does not exist", False),
    606: (31, "the callee accepts none of our codecs", False),
}


# What a Reason says of the callee or the number, whatever status a carrier puts around it: by Q.850, by SIP.
_OF_THE_CALLEE: dict[int, str] = {
    1: "the number is not in use",
    17: "the callee is busy",
    18: "the callee cannot be reached now",
    19: "the callee does not answer",
    REJECTED: "the callee declined",
    22: "the number has changed",
    23: "the number has changed",
    26: "the callee has answered elsewhere",
    28: "the number is incomplete",
}
_SAID_OF_THE_CALLEE = frozenset({404, 410, 480, 484, 485, 486, 600, 603, 604, 606})


def refused_with(response: Response, *, rang: bool) -> Cause:
    """What a final answer says. The carrier's own Reason goes before what the status would be (RFC 3326)."""
    status = response.status
    if status < 400:
        q850, words, elsewhere = 23, "the carrier redirects the call, which is not followed", False
    elif status in _MEANINGS:
        q850, words, elsewhere = _MEANINGS[status]
    else:
        q850, words, elsewhere = 31, f"the carrier refused the call with {status}", 500 <= status < 600
    told, by_sip = _told(response, "Q.850", 127), _told(response, "SIP", 699)
    if by_sip in _SAID_OF_THE_CALLEE:
        q850, words, elsewhere = _MEANINGS[by_sip]
        told = told if told in _OF_THE_CALLEE else None
    elif told in _OF_THE_CALLEE and told != q850:  # a 403 is 21 by itself, and is the carrier's own no
        words, elsewhere = _OF_THE_CALLEE[told], False
    declined = words == _OF_THE_CALLEE[REJECTED]
    return Cause(words, told or q850, status, elsewhere and not rang, declined)


def says_ended(response: Response) -> bool:
    """Does a final answer to a BYE say that the far end has the call no more (RFC 3261 §15.1.2)?

    A proxy's 408 says that nobody behind it was reached, and a 500 that it was not understood: whoever
    charges for the call may go on.
    """
    return response.status < 300 or response.status == 481


def is_for_later(response: Response) -> bool:
    """Does a final answer to a BYE ask for it to be said again (RFC 3261 §21.5.4)? Other 5xx do where they
    say when."""
    return response.status == 503 or (500 <= response.status < 600 and retry_after(response) is not None)


def ended_with(request: Request) -> int:
    """The Q.850 cause of a BYE or CANCEL, by what its Reason headers say in either way."""
    by_sip = _MEANINGS.get(_told(request, "SIP", 699) or 0)
    return _told(request, "Q.850", 127) or (by_sip[0] if by_sip else NORMAL)


def _told(message: Message, wanted: str, most: int) -> int | None:
    """The cause that its Reason headers have by a protocol, if one can be read."""
    for value in message.values("Reason"):
        try:
            protocol, parameters = header_parameters(value)
        except SipError:
            continue
        number = _NUMBER.fullmatch(parameter(parameters, "cause") or "")
        if protocol.upper() == wanted and number and int(number[0]) <= most:
            return int(number[0])
    return None
