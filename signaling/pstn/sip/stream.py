"""SIP over a stream: where one message ends and the next begins (RFC 3261 §18.3, §7.5)."""

import re
from collections.abc import Iterator

from signaling.pstn.sip.message import MAX_MESSAGE
from signaling.pstn.sip.problem import SipError

_LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*:[ \t]*([0-9]{1,10})[ \t]*(?=\r\n)", re.IGNORECASE)
KEEP_ALIVE = b"\r\n\r\n"  # RFC 5626 §3.5.1, answered by one CRLF


class Stream:
    """The bytes of one connection, cut into messages. Not more than one message is ever held."""

    def __init__(self) -> None:
        self._held = b""
        self.pings = 0  # keep-alives since the start

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that are whole now. After a SipError the connection is of no use: no one can say
        where the next message begins."""
        self._held += data
        while message := self._take():
            yield message

    def _take(self) -> bytes | None:
        while self._held.startswith(KEEP_ALIVE):
            self._held = self._held[4:]
            self.pings += 1
        if self._held.startswith(b"\r\n") and self._held[2:4] not in (b"", b"\r"):
            self._held = self._held[2:]
        end = self._held.find(b"\r\n\r\n")
        if self._held in (b"\r", b"\r\n", b"\r\n\r") or end < 0:
            self._bound(len(self._held))
            return None
        lengths = _LENGTH.findall(self._held[: end + 2])
        if len(lengths) != 1:
            raise SipError(400, f"{len(lengths)} Content-Length on a stream, not one")
        whole = end + 4 + int(lengths[0])
        self._bound(whole)
        if len(self._held) < whole:
            return None
        message, self._held = self._held[:whole], self._held[whole:]
        return message

    def _bound(self, size: int) -> None:
        if size > MAX_MESSAGE:
            raise SipError(513, f"a message of {size} bytes, at most {MAX_MESSAGE}")
