"""SRTP by keys that both sides have been told (RFC 4568 by RFC 3711), without DTLS."""

from pylibsrtp import Error, Policy, Session

__all__ = ["LARGEST", "Error", "Protection"]

LARGEST = 1_300  # bytes of a packet: pylibsrtp takes 1500 with all that may be added

WINDOW = 1024  # packets within which a late one is taken, and one that came already is known


class Protection:
    """Both ways of one line: AES-128 in counter mode, HMAC-SHA1 of 80 bits. Keys are 30 bytes with salt."""

    def __init__(self, sent: bytes, received: bytes) -> None:
        self._sent = session(sent, Policy.SSRC_ANY_OUTBOUND)
        self._received = session(received, Policy.SSRC_ANY_INBOUND)

    def expect(self, received: bytes) -> None:
        """The far end has another key from here on."""
        self._received = session(received, Policy.SSRC_ANY_INBOUND)

    def protect(self, packet: bytes, *, report: bool = False) -> bytes:
        """What goes over the wire for this packet."""
        made: bytes = self._sent.protect_rtcp(packet) if report else self._sent.protect(packet)
        return made

    def unprotect(self, data: bytes, *, report: bool = False) -> bytes:
        """The packet. Error if it was not made with the far end's key, or came before."""
        packet: bytes = self._received.unprotect_rtcp(data) if report else self._received.unprotect(data)
        return packet


def session(key: bytes, kind: int) -> Session:
    policy = Policy(key=key, ssrc_type=kind, srtp_profile=Policy.SRTP_PROFILE_AES128_CM_SHA1_80)
    policy.allow_repeat_tx = True
    policy.window_size = WINDOW
    return Session(policy)
