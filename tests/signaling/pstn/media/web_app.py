"""An app that speaks WebRTC by aiortc's own ways, and packets as the test wants them."""

import asyncio
from typing import Any

from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.codecs import CODECS
from aiortc.rtcrtpparameters import RTCRtpCodecCapability

from signaling.media import Direction
from tests.signaling.pstn.media.ends import Packet, Voice
from wephone.media.ice import Connection
from wephone.media.private import use_connection
from wephone.media.servers import IceSettings
from wephone.protocol.messages import Candidate

assert all(codec.name != "telephone-event" for codec in CODECS["audio"])  # if aiortc has it one day, use that
KEYS = "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"


class WebApp:
    """Offers these codecs ("PCMU", "opus"), best first, and what keys a telephone has."""

    def __init__(self, *codecs: str, keys: bool = True) -> None:
        self._keys = keys
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        transceiver = self._transceiver = self._pc.addTransceiver("audio", direction="sendrecv")
        known = RTCRtpSender.getCapabilities("audio").codecs
        transceiver.setCodecPreferences([codec_of(known, name) for name in codecs or ("PCMU",)])
        self._dtls = transceiver.receiver.transport
        self.ice = Connection(IceSettings(), lambda candidate: None)
        use_connection(self._dtls.transport, self.ice)
        self._dtls._handle_rtp_data = self._heard  # type: ignore[method-assign]
        self.voice = Voice(transceiver.sender._ssrc)  # as its descriptions say it
        self.packets: list[Packet] = []
        self._more = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()
        self.failed = asyncio.Event()
        self._pc.on("connectionstatechange", self._changed)

    @property
    def payloads(self) -> list[bytes]:
        return [packet.payload for packet in self.packets]

    def _changed(self) -> None:
        if self._pc.connectionState in ("failed", "closed"):
            self.failed.set()

    async def _heard(self, data: bytes, arrival_time_ms: int) -> None:
        self.packets.append(Packet.parse(data))
        self._more.set()

    async def offer(self) -> str:
        if self._pc.localDescription is None:
            await self._pc.setLocalDescription(await self._pc.createOffer())
        return self._with_keys(self._pc.localDescription.sdp)

    async def offer_again(self, direction: Direction) -> str:
        """Hold, or go on."""
        self._transceiver.direction = direction
        await self._pc.setLocalDescription(await self._pc.createOffer())
        return self._with_keys(self._pc.localDescription.sdp)

    async def answer(self, offer: str) -> str:
        await self._pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await self._pc.setLocalDescription(await self._pc.createAnswer())
        return self._pc.localDescription.sdp

    async def answered(self, answer: str) -> None:
        await self._pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    def _with_keys(self, sdp: str) -> str:
        """As browsers offer it, and aiortc does not."""
        if not self._keys:
            return sdp
        lines = sdp.splitlines(keepends=True)
        lines = [
            line.replace("SAVPF ", "SAVPF ", 1).rstrip() + " 101\r\n" if line.startswith("m=audio") else line
            for line in lines
        ]
        return "".join(lines) + KEYS

    def found(self, candidates: tuple[Candidate, ...], end: bool) -> None:
        """Ours tell all there is in their description."""

    def say(self, payload: bytes, payload_type: int = 0, step: int = 160) -> None:
        self.send(self.voice.packet(payload, payload_type, step=step))

    def send(self, packet: bytes) -> None:
        sending: asyncio.Task[Any] = asyncio.create_task(self._dtls._send_rtp(packet))
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)

    async def connected(self) -> None:
        """Our half of DTLS is done too."""
        while self._dtls.state != "connected":  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.005)

    async def until(self, count: int) -> None:
        while len(self.packets) < count:
            self._more.clear()
            await self._more.wait()

    def vanish(self) -> None:
        """Without a word, as a browser whose machine is switched off."""
        for protocol in self.ice._protocols:
            protocol.transport.close()

    async def close(self) -> None:
        await self._pc.close()


def codec_of(known: list[RTCRtpCodecCapability], name: str) -> RTCRtpCodecCapability:
    return next(codec for codec in known if codec.mimeType.lower() == f"audio/{name.lower()}")
