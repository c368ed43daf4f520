"""What a program that uses the client is told: frozen values, told apart by their class."""

from wephone.core.effects import LinkLost
from wephone.core.events import (
    Answered,
    CallEvent,
    Changed,
    ChangeDeclined,
    Ended,
    Ending,
    EndingCancelled,
    GoesOn,
    Progressed,
    Rings,
    SafetyCode,
)
from wephone.protocol.messages import (
    Draining,
    Media,
    Missed,
    Progress,
    Receipt,
    Refusal,
    Role,
    SignedOut,
    TextAccepted,
    TextMessage,
    Welcome,
)
from wephone.protocol.reasons import EndReason, ErrorCode

__all__ = [
    "Answered",
    "CallEvent",
    "ChangeDeclined",
    "Changed",
    "Draining",
    "EndReason",
    "Ended",
    "Ending",
    "EndingCancelled",
    "ErrorCode",
    "GoesOn",
    "LinkLost",
    "Media",
    "Missed",
    "Progress",
    "Progressed",
    "Receipt",
    "Refusal",
    "Rings",
    "Role",
    "SafetyCode",
    "SignedOut",
    "TextAccepted",
    "TextMessage",
    "Welcome",
]
