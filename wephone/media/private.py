"""All that is done to aiortc by its private names; tests/media/test_contract.py holds each of them.

aiortc is pinned in pyproject.toml for the same reason. `wephone.media.ice` does the same for aioice.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from aiortc import RTCDtlsTransport, RTCIceTransport, RTCPeerConnection, RTCRtpReceiver

JITTER_BUFFER = "_RTCRtpReceiver__jitter_buffer"  # asked for `add(packet)`, gives (False, None)
CONNECT = "_RTCPeerConnection__connect"  # starts what can be started; safe to be called again
SEND_RTP = "_send_rtp"  # the one way for RTP and RTCP to leave
VALIDATE = "_validate_peer_identity"  # compares the far end's certificate with its fingerprints
CONNECTION = "_connection"  # aioice's, of a gatherer and of a transport
RECEIVE, SEND = "_recv", "_send"  # of a transport: methods of its connection


def use_connection(transport: RTCIceTransport, connection: Any) -> None:
    """Let this transport run over our ICE connection in place of the one that it made."""
    setattr(transport.iceGatherer, CONNECTION, connection)
    setattr(transport, CONNECTION, connection)
    setattr(transport, RECEIVE, connection.recv)
    setattr(transport, SEND, connection.send)


def use_buffer(receiver: RTCRtpReceiver, buffer: Any) -> None:
    """Let what arrives go to our buffer; statistics, RTCP and decryption stay aiortc's."""
    assert hasattr(receiver, JITTER_BUFFER)
    setattr(receiver, JITTER_BUFFER, buffer)


def guard_sending(transport: RTCDtlsTransport, may_send: Callable[[], bool]) -> None:
    """Let neither sound nor reports leave unless they may."""
    send: Callable[[bytes], Awaitable[None]] = getattr(transport, SEND_RTP)

    async def send_if_allowed(data: bytes) -> None:
        if may_send():
            await send(data)

    setattr(transport, SEND_RTP, send_if_allowed)


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
