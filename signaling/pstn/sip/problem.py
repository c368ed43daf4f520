"""What a SIP peer did wrong, and the answer that it deserves."""


class SipError(Exception):
    """The peer broke the protocol: answer with `status`, go on.

    No status: there is nothing to answer (a bad response, an ACK, rubbish). `sentence` is lower case, for the
    log and the reason phrase, and never holds a line end.
    """

    def __init__(self, status: int | None, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


def bad(what: str, value: str = "") -> SipError:
    """400 with the value in it, cut short and printable."""
    return SipError(400, f"{what}: {value[:48]!a}" if value else what)


class CarrierError(Exception):
    """The carrier can't be reached as it is configured: `sentence` is lower case, for caller and log."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
