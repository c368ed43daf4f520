"""What can go wrong for whoever uses the client; each says whose fault it was, in one sentence."""

from wephone.core.events import Ended
from wephone.protocol.messages import Error, Refusal
from wephone.protocol.reasons import EndReason, end_text, error_text


class WePhoneError(Exception):
    """Anything that the client reports."""


class ServerUnreachable(WePhoneError):
    """No connection to the server could be opened, or what answers there is no WePhone."""


class NotSignedIn(WePhoneError):
    """The server does not take this name, password or token, or has ended the session."""


class SignInRefused(NotSignedIn):
    """The server answered the sign-in with an error.

    `status` is HTTP's, `retry_after` in seconds, `code` the problem document's, for programs.
    """

    def __init__(
        self, text: str, status: int, retry_after: float | None = None, code: str | None = None
    ) -> None:
        super().__init__(text)
        self.status = status
        self.retry_after = retry_after
        self.code = code


class NotPossible(WePhoneError):
    """What was asked of a call cannot be done as it is now; the call goes on."""


class MessageFailed(WePhoneError):
    """The server did not take a text. `error` is its answer."""

    def __init__(self, error: Error) -> None:
        super().__init__(error.text)
        self.error = error


class CallEnded(WePhoneError):
    """The call was over before what was awaited came true. `ended` says how."""

    def __init__(self, ended: Ended) -> None:
        super().__init__(ending(ended))
        self.ended = ended

    @property
    def reason(self) -> EndReason:
        """Why, from the protocol's list."""
        return self.ended.reason


class CallRefused(CallEnded):
    """The operator may not offer this call: `licensing` decided so, and wrote it down."""

    def __init__(self, ended: Ended, refusal: Refusal) -> None:
        super().__init__(ended)
        self.refusal = refusal

    @property
    def code(self) -> str:
        """The reason's code, DENY_..."""
        return self.refusal.code

    @property
    def text(self) -> str:
        """The reason in English."""
        return self.refusal.text.en

    @property
    def text_zh(self) -> str:
        """The reason in Chinese, 简体中文."""
        return self.refusal.text.zh_cn

    @property
    def decision(self) -> str | None:
        """The decision's id in the operator's journal, D-..."""
        return self.refusal.decision

    @property
    def permit_needed(self) -> str | None:
        """Which permit would allow it."""
        return self.refusal.permit_needed

    @property
    def alternative(self) -> str | None:
        """What can be done instead, in English."""
        return None if self.refusal.alternative is None else self.refusal.alternative.en

    @property
    def alternative_zh(self) -> str | None:
        """The same in Chinese, 简体中文."""
        return None if self.refusal.alternative is None else self.refusal.alternative.zh_cn


def call_error(ended: Ended) -> CallEnded:
    """The exception for this end."""
    return CallEnded(ended) if ended.refusal is None else CallRefused(ended, ended.refusal)


def ending(ended: Ended, language: str = "en") -> str:
    """How a call ended, as one sentence for a person."""
    if ended.refusal is not None:
        text = ended.refusal.text
        return text.zh_cn if language.startswith("zh") else text.en
    if ended.forged:
        return "somebody may sit between the two: the caller's nonce does not match its commitment"
    if ended.error is not None:
        return error_text(ended.error, language)
    sentence = end_text(ended.reason, language)
    return f"{sentence}: {ended.fault}" if ended.fault else sentence
