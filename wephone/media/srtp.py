"""SRTP (RFC 3711), packet by packet; and by keys that both sides have been told (RFC 4568), without DTLS."""

from functools import partial
from typing import Any

import pylibsrtp
from pylibsrtp import Error, Policy, Session

__all__ = ["LARGEST", "Cipher", "Error", "Protection"]

BINDING: Any = pylibsrtp  # of which `ffi` and `lib` are no public names
MEMORY = 1_500  # bytes of a session, where a packet becomes what goes over the wire, or the other way round
LARGEST = 1_300  # bytes of a packet: that takes all that may be added

WINDOW = 1024  # packets within which a late one is taken, and one that came already is known


class Cipher:
    """One way of a line, over a session of pylibsrtp.

    By private names of that package, which tests/media/test_contract.py holds: what it makes anew for each
    packet is made once here, and libsrtp does the same work.
    """

    def __init__(self, session: Session) -> None:
        self._session: Any = session  # whose memory it is
        self._srtp, self._memory, self._bytes = self._session._srtp[0], session._cdata, session._buffer
        self._length = BINDING.ffi.new("int *")
        lib = BINDING.lib
        self.protect = partial(self._do, lib.srtp_protect, LARGEST)
        self.protect_report = partial(self._do, lib.srtp_protect_rtcp, LARGEST)
        self.unprotect = partial(self._do, lib.srtp_unprotect, MEMORY)
        self.unprotect_report = partial(self._do, lib.srtp_unprotect_rtcp, MEMORY)

    def _do(self, function: Any, largest: int, packet: bytes) -> bytes:
        """Error: the packet was not made with this key, or came before. ValueError: it is too long."""
        size = len(packet)
        if size > largest:
            raise ValueError("the packet is too long")
        self._length[0] = size
        self._bytes[0:size] = packet
        failed = function(self._srtp, self._memory, self._length)
        if failed:
            raise Error(pylibsrtp.ERRORS[failed])
        done: bytes = self._bytes[0 : self._length[0]]
        return done


class Protection:
    """Both ways of one line: AES-128 in counter mode, HMAC-SHA1 of 80 bits. Keys are 30 bytes with salt."""

    def __init__(self, sent: bytes, received: bytes) -> None:
        self._sent = cipher(sent, Policy.SSRC_ANY_OUTBOUND)
        self._received = cipher(received, Policy.SSRC_ANY_INBOUND)

    def expect(self, received: bytes) -> None:
        """The far end has another key from here on."""
        self._received = cipher(received, Policy.SSRC_ANY_INBOUND)

    def protect(self, packet: bytes, *, report: bool = False) -> bytes:
        """What goes over the wire for this packet."""
        return self._sent.protect_report(packet) if report else self._sent.protect(packet)

    def unprotect(self, data: bytes, *, report: bool = False) -> bytes:
        """The packet. Error if it was not made with the far end's key, or came before."""
        return self._received.unprotect_report(data) if report else self._received.unprotect(data)


def cipher(key: bytes, kind: int) -> Cipher:
    policy = Policy(key=key, ssrc_type=kind, srtp_profile=Policy.SRTP_PROFILE_AES128_CM_SHA1_80)
    policy.allow_repeat_tx = True
    policy.window_size = WINDOW
    return Cipher(Session(policy))
