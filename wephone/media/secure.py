"""ICE and DTLS-SRTP with one far end, for RTP packets that somebody else makes and reads: no codec, no track.

A bridge forwards packets and wants neither aiortc's decoders nor a task's turn of the loop for each of them.
So what comes is decrypted where it comes in, and what goes is encrypted where it goes out.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import aioice
from aiortc import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    RTCIceGatherer,
    RTCIceParameters,
    RTCIceTransport,
)

from wephone.media import candidates
from wephone.media.ice import CONNECT, Connection
from wephone.media.private import (
    MISMATCH,
    set_dtls_role,
    srtp_sessions,
    use_connection,
    watch_identity,
    widen_sockets,
)
from wephone.media.servers import IceSettings
from wephone.media.srtp import LARGEST, Cipher, Error
from wephone.protocol.messages import Candidate

BUFFER = 1 << 20  # bytes that the kernel keeps of what has not been read: some seconds of one call


class Listener(Protocol):
    """Who is told what becomes of it."""

    def line_found(self, candidate: Candidate | None) -> None:
        """A late candidate of ours; None: no more follow."""

    def line_connected(self) -> None:
        """ICE and DTLS are done."""

    def line_failed(self, reason: str) -> None:
        """Nothing can pass, and why. Told once."""

    def line_closed(self) -> None:
        """The far end has said goodbye, or can no longer be reached. Told once."""

    def packet_came(self, packet: bytes) -> None:
        """RTP or RTCP, decrypted."""


class OpenConnection(Connection):
    """Waits for the far end for ever."""

    def _remote_candidates_expected(self) -> bool:
        """Always: it may come from an address that it has not said, or by a name unknown here."""
        return True


class SecureLine:
    """One connection for the packets of one call. After `close` it is of no use."""

    def __init__(self, listener: Listener, settings: IceSettings, *, offers: bool, mid: str) -> None:
        """`offers`: our description comes first. DescriptionError if a server has no address."""
        self._listener = listener
        self.mid = mid
        self.connection = OpenConnection(settings, self._found, self._came)
        self.connection.ice_controlling = offers  # RFC 8445 §6.1.1
        self._transport = RTCIceTransport(RTCIceGatherer(iceServers=[]))
        use_connection(self._transport, self.connection)
        certificate = RTCCertificate.generateCertificate()  # one for each call (RFC 8826 §4.4)
        self.fingerprint = next(f.value for f in certificate.getFingerprints() if f.algorithm == "sha-256")
        self._dtls = RTCDtlsTransport(self._transport, [certificate])
        self._dtls.on("statechange", self._changed)
        watch_identity(self._dtls, self._mismatched)
        self._received: Cipher | None = None
        self._sent: Cipher | None = None
        self._ufrag: str | None = None  # theirs
        self._theirs: tuple[RTCIceParameters, list[RTCDtlsFingerprint]] | None = None
        self._early: list[tuple[Sequence[Candidate], bool]] = []
        self._complete = False  # no more candidates of theirs follow
        self._connecting: asyncio.Task[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._over = False
        self._forged = 0

    @property
    def strangers(self) -> int:
        """Datagrams of nobody whom ICE has met, and packets of other keys, too long ones, or come twice."""
        return self.connection.dropped + self._forged

    async def gather(self) -> None:
        """Find our own addresses."""
        await self.connection.gather_candidates()
        widen_sockets(self.connection, BUFFER)

    async def start(
        self,
        parameters: RTCIceParameters,
        fingerprints: Sequence[str],
        *,
        client: bool,
        described: Sequence[Candidate] = (),
    ) -> None:
        """Their description is here. `client`: we begin the handshake. Fingerprints as `sdp` gives them.
        `described`: candidates in the far end's. It may have said before that no others follow."""
        self._ufrag = parameters.usernameFragment
        set_dtls_role(self._dtls, client)
        self._theirs = parameters, [RTCDtlsFingerprint(*each.split(" ", 1)) for each in fingerprints]
        await self.add_candidates(described, end=False)
        early, self._early = self._early, []
        for said, end in early:
            await self.add_candidates(said, end)

    def connect(self, *, in_time: bool = True) -> None:
        """The far end has our description too, or gets it now: look for it. `in_time`: but not for ever."""
        if self._theirs is None or self._over:
            return
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect(*self._theirs), name="wephone secure line")
        if in_time and self._deadline is None and self._sent is None:
            self._deadline = asyncio.get_running_loop().call_later(
                CONNECT, self._fail, f"no way to the far end in {CONNECT:.0f} s"
            )

    async def _connect(self, parameters: RTCIceParameters, theirs: list[RTCDtlsFingerprint]) -> None:
        await self._transport.start(parameters)
        if self._over:
            return
        if self._transport.state != "completed":
            self._fail("no way to the far end was found")
            return
        await self._dtls.start(RTCDtlsParameters(fingerprints=theirs))

    async def add_candidates(self, said: Sequence[Candidate], end: bool) -> None:
        """The far end's candidates, also before its description."""
        if self._ufrag is None:
            self._early.append((said, end))
            return
        if self._complete:
            return
        for each in said:
            if (candidate := candidates.usable(each, self.mid, self._ufrag)) is not None:
                await self.connection.add_remote_candidate(candidate)
        if end:
            self._complete = True
            await self.connection.add_remote_candidate(None)

    def send(self, packet: bytes) -> bool:
        """Encrypt and send an RTP packet; False if it cannot go."""
        if self._sent is None or len(packet) > LARGEST:
            return False
        return self.connection.send_now(self._sent.protect(packet))

    def send_report(self, packet: bytes) -> bool:
        """Encrypt and send an RTCP packet; False if it cannot go."""
        if self._sent is None or len(packet) > LARGEST:
            return False
        return self.connection.send_now(self._sent.protect_report(packet))

    def _came(self, data: bytes) -> None:
        if self._received is None or len(data) < 12:
            return
        report = 192 <= data[1] <= 223  # RFC 5761 §4
        try:
            packet = self._received.unprotect_report(data) if report else self._received.unprotect(data)
        except (Error, ValueError):
            self._forged += 1
            return
        self._listener.packet_came(packet)

    def _found(self, candidate: aioice.Candidate | None) -> None:
        mine = self.connection.local_username
        self._listener.line_found(None if candidate is None else candidates.told(candidate, self.mid, mine))

    def _changed(self) -> None:
        state = self._dtls.state
        if state == "connected":
            received, sent = srtp_sessions(self._dtls)
            self._received, self._sent = Cipher(received), Cipher(sent)
            if self._deadline is not None:
                self._deadline.cancel()
            self._listener.line_connected()
        elif state == "closed" and not self._over:
            self._over, self._sent = True, None
            self._listener.line_closed()
        elif state == "failed":
            # Soon, as whoever knows better (`watch_identity`) speaks after this.
            asyncio.get_running_loop().call_soon(self._fail, "DTLS failed with the far end")

    def _mismatched(self) -> None:
        self._fail(MISMATCH)

    def _fail(self, reason: str) -> None:
        """Once: what fails after that fails because of it."""
        if not self._over:
            self._over, self._sent = True, None
            self._listener.line_failed(reason)

    async def close(self) -> None:
        """Say goodbye, let go of sockets and tasks."""
        self._over = True
        if self._deadline is not None:
            self._deadline.cancel()
        await self._dtls.stop()
        self._sent = self._received = None
        if self._transport.state == "new":
            await self.connection.close()
        await self._transport.stop()
        if self._connecting is not None:
            await asyncio.wait((self._connecting,))
