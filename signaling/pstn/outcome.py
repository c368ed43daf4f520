"""How a telephone call ends, in the words of each side: a carrier's cause as our reason, and back. Pure."""

from signaling.pstn.selection import NoTrunk
from signaling.pstn.sip.cause import NOT_AUTHORISED, Cause
from wephone.protocol.messages import Ended
from wephone.protocol.reasons import EndReason, end_text

# Q.850: what was learnt of the callee, whatever status came with it.
_OF_Q850 = {
    1: EndReason.UNKNOWN_NUMBER,
    17: EndReason.BUSY,
    18: EndReason.NO_ANSWER,
    19: EndReason.NO_ANSWER,
    22: EndReason.UNKNOWN_NUMBER,
    28: EndReason.UNKNOWN_NUMBER,
    34: EndReason.LINES_BUSY,
    42: EndReason.LINES_BUSY,
}
_OF_STATUS = {
    404: EndReason.UNKNOWN_NUMBER,
    410: EndReason.UNKNOWN_NUMBER,
    480: EndReason.UNREACHABLE,
    484: EndReason.UNKNOWN_NUMBER,
    486: EndReason.BUSY,
    487: EndReason.CANCELLED,
    488: EndReason.MEDIA_FAILED,  # the descriptions of sound do not go together (RFC 3261 §21.4.26)
    600: EndReason.BUSY,
    603: EndReason.DECLINED,
    604: EndReason.UNKNOWN_NUMBER,
}
_OF_CHOICE = {
    NoTrunk.NONE: EndReason.NO_ROUTE,
    NoTrunk.NO_DUTY: EndReason.NO_ROUTE,
    NoTrunk.NO_EMERGENCY_ROUTE: EndReason.NO_ROUTE,
    NoTrunk.DOWN: EndReason.CARRIER_FAILED,
    NoTrunk.FULL: EndReason.LINES_BUSY,
    NoTrunk.TRIED: EndReason.CARRIER_FAILED,
    NoTrunk.REACHED: EndReason.UNREACHABLE,
}
# What a caller on the telephone network is told: status and Q.850 (RFC 3398 §7.2.6).
_TO_CARRIER = {
    EndReason.BUSY: (486, 17),
    EndReason.DO_NOT_DISTURB: (486, 17),
    EndReason.DECLINED: (603, 21),
    EndReason.NO_ANSWER: (480, 19),
    EndReason.UNREACHABLE: (480, 20),
    EndReason.UNKNOWN_USER: (404, 1),
    EndReason.REFUSED: (403, NOT_AUTHORISED),
    EndReason.LICENCE_WITHDRAWN: (403, NOT_AUTHORISED),
    EndReason.NOT_RECORDED: (503, 41),
    EndReason.MEDIA_FAILED: (488, 41),
    EndReason.HANGUP: (480, 16),
    EndReason.CANCELLED: (487, 16),
}


def reason_of(cause: Cause) -> EndReason:
    """What a carrier's final word means to whoever called."""
    if cause.declined:
        return EndReason.DECLINED
    by_status = _OF_STATUS.get(cause.status or 0)
    return _OF_Q850.get(cause.q850) or by_status or EndReason.CARRIER_FAILED


def reason_for(choice: NoTrunk, last: Cause | None = None) -> EndReason:
    """Why no trunk is tried; after one that was, what it said."""
    if last is not None and choice in (NoTrunk.REACHED, NoTrunk.TRIED):
        return reason_of(last)
    return _OF_CHOICE[choice]


def cause_of(ended: Ended) -> Cause:
    """The end of a call as its carrier is told it."""
    status, q850 = _TO_CARRIER.get(ended.reason, (480, 31))
    words = end_text(ended.reason)
    if ended.refusal is not None:
        words = ended.refusal.text.en.rstrip(".")
        if ended.refusal.decision is not None:
            words += f" ({ended.refusal.decision})"
    return Cause(words, q850, status)
