"""All that is done to aiortc by its private names; tests/media/test_contract.py holds each of them.

aiortc is pinned in pyproject.toml for the same reason. `wephone.media.ice` does the same for aioice.
"""

import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import aioice
from aiortc import (
    RTCCertificate,
    RTCDtlsTransport,
    RTCIceTransport,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpSender,
)
from aiortc.rtp import RtpPacket

JITTER_BUFFER = "_RTCRtpReceiver__jitter_buffer"  # asked for `add(packet)`, gives (False, None)
CERTIFICATES = "_RTCPeerConnection__certificates"  # read when a transceiver is added
CONNECT = "_RTCPeerConnection__connect"  # starts what can be started; safe to be called again
SEND_RTP = "_send_rtp"  # the one way for RTP and RTCP to leave
HANDLE_RTP = "_handle_rtp_data"  # what was received and decrypted, before it is routed by its payload type
VALIDATE = "_validate_peer_identity"  # compares the far end's certificate with its fingerprints
CONNECTION = "_connection"  # aioice's, of a gatherer and of a transport
RECEIVE, SEND = "_recv", "_send"  # of a transport: methods of its connection
RECEIVED_SRTP, SENT_SRTP = "_rx_srtp", "_tx_srtp"  # pylibsrtp's sessions, once DTLS is done
SET_ROLE = "_set_role"  # "client" or "server" in DTLS; before `start`
ROUND_TRIP = "_RTCRtpSender__rtt"  # seconds, once the far end has reported; `getStats` has it too, and waits
PROTOCOLS = "_protocols"  # aioice's: one for each local address

MISMATCH = "the far end's certificate is not the one that it announced (DTLS fingerprint)"


def use_connection(transport: RTCIceTransport, connection: Any) -> None:
    """Let this transport run over our ICE connection in place of the one that it made."""
    setattr(transport.iceGatherer, CONNECTION, connection)
    setattr(transport, CONNECTION, connection)
    setattr(transport, RECEIVE, connection.recv)
    setattr(transport, SEND, connection.send)


def use_certificate(connection: RTCPeerConnection, certificate: RTCCertificate) -> None:
    """Let this connection be known by a certificate that another one of the same call had."""
    assert hasattr(connection, CERTIFICATES)
    setattr(connection, CERTIFICATES, [certificate])


def use_buffer(receiver: RTCRtpReceiver, buffer: Any) -> None:
    """Let what arrives go to our buffer; statistics, RTCP and decryption stay aiortc's."""
    assert hasattr(receiver, JITTER_BUFFER)
    setattr(receiver, JITTER_BUFFER, buffer)


def round_trip(sender: RTCRtpSender) -> float | None:
    """How many seconds it takes to the far end and back; none before it has said when it heard us."""
    found: float | None = getattr(sender, ROUND_TRIP)
    return found


def guard_sending(transport: RTCDtlsTransport, may_send: Callable[[], bool]) -> None:
    """Let neither sound nor reports leave unless they may."""
    send: Callable[[bytes], Awaitable[None]] = getattr(transport, SEND_RTP)

    async def send_if_allowed(data: bytes) -> None:
        if may_send():
            await send(data)

    setattr(transport, SEND_RTP, send_if_allowed)


def send_keys(transport: RTCDtlsTransport, key: Callable[[], tuple[int, bool] | None]) -> None:
    """Give the packet that aiortc is about to send this payload type and marker; none: it is sound.

    aiortc gives each packet of a sender the payload type of its codec.
    """
    send: Callable[[bytes], Awaitable[None]] = getattr(transport, SEND_RTP)

    async def send_as_key(data: bytes) -> None:
        if not is_rtcp(data) and (said := key()) is not None:
            payload_type, begins = said
            data = bytes((data[0], 0x80 * begins | payload_type)) + data[2:]
        await send(data)

    setattr(transport, SEND_RTP, send_as_key)


def is_rtcp(datagram: bytes) -> bool:
    """By its packet type (RFC 5761 §4)."""
    return 192 <= datagram[1] <= 223


def hear_keys(
    transport: RTCDtlsTransport, events: Callable[[], int | None], heard: Callable[[RtpPacket], None]
) -> None:
    """Be told of packets of this payload type, which aiortc throws away as it knows no codec of it."""
    handle: Callable[..., Awaitable[None]] = getattr(transport, HANDLE_RTP)

    async def handle_sound(data: bytes, arrival_time_ms: int) -> None:
        if len(data) < 12 or data[1] & 0x7F != events():
            await handle(data, arrival_time_ms=arrival_time_ms)
            return
        with suppress(ValueError):  # it is no RTP
            heard(RtpPacket.parse(data))

    setattr(transport, HANDLE_RTP, handle_sound)


def watch_identity(transport: RTCDtlsTransport, mismatched: Callable[[], None]) -> None:
    """Be told when the far end's certificate is not the one that it announced; aiortc only fails."""
    validate: Callable[[Any], None] = getattr(transport, VALIDATE)

    def validate_and_tell(parameters: Any) -> None:
        validate(parameters)
        if transport.state == "failed":
            mismatched()

    setattr(transport, VALIDATE, validate_and_tell)


async def connect_again(connection: RTCPeerConnection) -> None:
    """Start ICE once there is a candidate; aiortc tries only when it is given a description."""
    await getattr(connection, CONNECT)()


def set_dtls_role(transport: RTCDtlsTransport, client: bool) -> None:
    """Who begins the handshake; by itself aiortc goes by the part in ICE."""
    getattr(transport, SET_ROLE)("client" if client else "server")


def srtp_sessions(transport: RTCDtlsTransport) -> tuple[Any, Any]:
    """What decrypts and what encrypts (pylibsrtp.Session), once DTLS is done."""
    return getattr(transport, RECEIVED_SRTP), getattr(transport, SENT_SRTP)


def widen_sockets(connection: aioice.Connection, size: int) -> None:
    """Let the kernel keep so many bytes of what has not been read, on each local address."""
    for protocol in getattr(connection, PROTOCOLS):
        sock: socket.socket | None = protocol.transport.get_extra_info("socket")
        if sock is not None:  # a relay's has none
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
