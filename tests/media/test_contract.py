"""Every private name of aiortc and aioice that `wephone.media` leans on, and what it expects of each.

Both are pinned. When one of these fails after an upgrade, the modules named here have to be read anew:
`wephone.media.private`, `ice`, `peer`, `receive`, `secure`, `send`.
"""

import asyncio
import inspect

import aioice
import pylibsrtp
import pytest
from aioice import ice, mdns
from aioice.candidate import candidate_foundation, candidate_priority
from aiortc import (
    MediaStreamTrack,
    RTCCertificate,
    RTCConfiguration,
    RTCDtlsTransport,
    RTCIceCandidate,
    RTCIceGatherer,
    RTCIceServer,
    RTCIceTransport,
    RTCPeerConnection,
    RTCRtpSender,
    rtcrtpsender,
)
from aiortc.rtcicetransport import candidate_from_aioice, connection_kwargs
from aiortc.rtp import RtpPacket
from av import Packet

from tests.media.ends import close, end, talk
from wephone.media import private, srtp
from wephone.media.ice import Connection, Socket
from wephone.media.send import Outgoing
from wephone.media.servers import IceSettings


def parameters(function: object) -> list[str]:
    """The names of what a function takes."""
    assert callable(function)
    return [name for name in inspect.signature(function).parameters if name != "self"]


# aioice


def test_aioice_connection_has_the_state_that_trickling_works_with() -> None:
    connection = aioice.Connection(ice_controlling=False)
    kinds = {
        "_closing": bool,
        "_local_candidates": list,
        "_local_candidates_start": bool,
        "_local_candidates_end": bool,
        "_protocols": list,
        "_remote_candidates": list,
        "_remote_candidates_end": bool,
        "_remote_candidates_resolving": int,
        "_transport_policy": aioice.TransportPolicy,
        "_queue": asyncio.Queue,
        "_query_consent_task": type(None),
    }
    for name, kind in kinds.items():
        assert isinstance(getattr(connection, name), kind), name
    for name in (
        "stun_server",
        "turn_server",
        "turn_username",
        "turn_password",
        "turn_ssl",
        "turn_transport",
    ):
        assert hasattr(connection, name)


def test_aioice_connection_has_the_methods_that_trickling_calls_and_replaces() -> None:
    expected = {
        "gather_candidates": [],
        "add_remote_candidate": ["remote_candidate"],
        "connect": [],
        "close": [],
        "data_received": ["data", "component"],
        "check_incoming": ["message", "addr", "protocol"],
        "check_state": ["pair", "state"],
        "sort_check_list": [],
        "_pair_remote_candidate": ["remote_candidate"],
        "_end_remote_candidates": [],
        "_prune_components": [],
        "_remote_candidates_expected": [],
    }
    for name, names in expected.items():
        assert parameters(getattr(aioice.Connection, name)) == names, name


def test_aioice_asks_whether_candidates_are_expected_before_it_gives_up() -> None:
    for function in (aioice.Connection._check_periodic, aioice.Connection._check_list_maybe_fail):
        assert "_remote_candidates_expected()" in inspect.getsource(function)


def test_aioice_sockets_hand_stun_to_checks_and_the_rest_to_data_received() -> None:
    assert parameters(ice.StunProtocol.datagram_received) == ["data", "addr"]
    source = inspect.getsource(ice.StunProtocol.datagram_received)
    assert "self.receiver.data_received(" in source
    assert "self.receiver.request_received(message, addr, self)" in source
    source = inspect.getsource(aioice.Connection.request_received)
    authenticated, deferred = source.index("check_message_integrity"), source.index("self.check_incoming(")
    assert authenticated < deferred  # who gets to `check_incoming` knows our password


def test_aioice_marks_a_pair_as_succeeded_only_when_its_own_address_answered() -> None:
    source = inspect.getsource(aioice.Connection.check_start)
    assert source.index("addr != pair.remote_addr") < source.index("State.SUCCEEDED")
    assert ice.CandidatePair.State.SUCCEEDED
    assert isinstance(inspect.getattr_static(ice.CandidatePair, "remote_addr"), property)


def test_aioice_finds_addresses_and_asks_servers_by_these_functions() -> None:
    assert parameters(ice.get_host_addresses) == ["use_ipv4", "use_ipv6"]
    assert parameters(ice.server_reflexive_candidate) == ["protocol", "stun_server"]
    assert parameters(ice.relayed_candidate) == [
        "component",
        "hide_related_address",
        "protocol_factory",
        "turn_server",
        "turn_username",
        "turn_password",
        "turn_ssl",
        "turn_transport",
    ]
    assert candidate_priority(1, "host") > candidate_priority(1, "srflx") > candidate_priority(1, "relay")
    assert candidate_foundation("host", "udp", "192.0.2.1")
    assert mdns.is_mdns_hostname("5c9b2b2e-7b7c-4a54-9a86-0d9ad5c4bb33.local")
    assert not mdns.is_mdns_hostname("192.0.2.1")


def test_aioice_never_offers_127_0_0_1() -> None:
    """If it does one day, our own fallback can go."""
    assert "127.0.0.1" not in ice.get_host_addresses(use_ipv4=True, use_ipv6=True)


# aiortc


class Track(MediaStreamTrack):
    kind = "audio"

    async def recv(self) -> "Packet":  # type: ignore[type-arg]
        raise NotImplementedError


async def test_aiortc_has_each_private_name_that_is_replaced() -> None:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    transceiver = connection.addTransceiver(Track(), direction="sendrecv")
    dtls = transceiver.receiver.transport
    assert dtls is transceiver.sender.transport
    assert parameters(getattr(transceiver.receiver, private.JITTER_BUFFER).add) == ["packet"]
    assert parameters(getattr(dtls, private.SEND_RTP)) == ["data"]
    assert parameters(getattr(dtls, private.HANDLE_RTP)) == ["data", "arrival_time_ms"]
    assert parameters(getattr(dtls, private.VALIDATE)) == ["remoteParameters"]
    assert parameters(getattr(connection, private.CONNECT)) == []
    made = getattr(dtls.transport, private.CONNECTION)
    assert isinstance(made, aioice.Connection)
    assert getattr(dtls.transport.iceGatherer, private.CONNECTION) is made
    assert getattr(dtls.transport, private.RECEIVE) == made.recv
    assert getattr(dtls.transport, private.SEND) == made.send
    await connection.close()


async def test_aiortc_is_known_by_the_certificate_that_it_is_given() -> None:
    certificate = RTCCertificate.generateCertificate()
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    private.use_certificate(connection, certificate)
    dtls = connection.addTransceiver(Track(), direction="sendrecv").receiver.transport
    assert dtls.getLocalParameters().fingerprints == certificate.getFingerprints()
    await connection.close()


async def test_aiortc_and_aioice_have_what_a_bridge_sends_and_hears_by() -> None:
    transport = RTCIceTransport(RTCIceGatherer(iceServers=[]))
    dtls = RTCDtlsTransport(transport, [RTCCertificate.generateCertificate()])
    assert private.srtp_sessions(dtls) == (None, None)
    assert parameters(getattr(dtls, private.SET_ROLE)) == ["role"]
    connection = getattr(transport, private.CONNECTION)
    assert connection._nominated == {}
    assert getattr(connection, private.PROTOCOLS) == []
    assert "remote_addr" in vars(ice.CandidatePair)
    source = inspect.getsource(RTCDtlsTransport._setup_srtp)
    assert all(f"self.{name} = Session(" in source for name in (private.RECEIVED_SRTP, private.SENT_SRTP))
    source = inspect.getsource(RTCDtlsTransport.start)
    assert source.index("self._setup_srtp()") < source.index("self._set_state(State.CONNECTED)")
    source = inspect.getsource(ice.StunProtocol.send_data)
    assert "self.transport.sendto(data, addr)" in source  # what `send_now` does without a coroutine


def test_pylibsrtp_has_what_a_packet_is_encrypted_by_without_asking_again() -> None:
    session = pylibsrtp.Session()
    assert len(session._cdata) == len(session._buffer) == srtp.MEMORY
    assert srtp.BINDING.ffi.typeof(session._srtp[0]) is srtp.BINDING.ffi.typeof("srtp_t")
    source = inspect.getsource(pylibsrtp.Session)
    for name in ("srtp_protect", "srtp_protect_rtcp", "srtp_unprotect", "srtp_unprotect_rtcp"):
        assert f"lib.{name}" in source
    assert "_srtp_assert(func(self._srtp[0], self._cdata, len_p))" in source
    added = max(pylibsrtp.SRTP_MAX_TRAILER_LEN, pylibsrtp.SRTP_MAX_SRTCP_TRAILER_LEN)
    assert srtp.LARGEST + added <= srtp.MEMORY


async def test_aiortc_uses_what_was_put_in_its_place() -> None:
    one, other = end(), end()
    await talk(one, other)
    for each in (one, other):
        connection = each.peer._connection
        assert isinstance(connection, Connection)
        assert all(isinstance(socket, Socket) for socket in connection._protocols)
        assert each.peer.stats().received > 0  # through our jitter buffer
    await close(one, other)


async def test_aiortc_keeps_how_long_the_way_to_the_far_end_and_back_is() -> None:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    sender = connection.addTransceiver("audio").sender
    assert private.round_trip(sender) is None
    await connection.close()
    source = inspect.getsource(RTCRtpSender._handle_rtcp_packet)
    assert "rtt = time.time() - self.__lsr_time - (report.dlsr / 65536)" in source
    assert "self.__rtt = rtt" in source


def test_aiortc_sends_a_packet_of_a_track_as_it_is() -> None:
    source = inspect.getsource(rtcrtpsender.RTCRtpSender._next_encoded_frame)
    assert "self.__encoder.pack(data)" in source
    assert MediaStreamTrack in Outgoing.__mro__


def test_aiortc_packets_have_what_our_buffer_reads() -> None:
    packet = RtpPacket(payload_type=96, sequence_number=7, timestamp=960)
    packet.ssrc, packet.payload = 5, b"x"
    assert (packet.sequence_number, packet.timestamp, packet.payload, packet.ssrc) == (7, 960, b"x", 5)


def test_aiortc_offers_opus_with_one_set_of_parameters() -> None:
    opus = [each for each in RTCRtpSender.getCapabilities("audio").codecs if each.mimeType == "audio/opus"]
    assert len(opus) == 1
    assert opus[0].parameters == {}  # `sdp.outgoing` adds FEC; if aiortc does, it must not twice


def test_aiortc_reads_servers_and_candidates_as_we_give_them() -> None:
    options = connection_kwargs(
        [RTCIceServer("stun:192.0.2.1:3478"), RTCIceServer("turn:192.0.2.2", "u", "p")]
    )
    assert options["stun_server"] == ("192.0.2.1", 3478)
    assert options["turn_server"] == ("192.0.2.2", 3478)
    assert (options["turn_username"], options["turn_password"]) == ("u", "p")
    text = "1 1 udp 2130706431 192.0.2.1 5000 typ srflx raddr 10.0.0.1 rport 6000"
    candidate = candidate_from_aioice(aioice.Candidate.from_sdp(text))
    assert isinstance(candidate, RTCIceCandidate)
    assert (candidate.ip, candidate.port, candidate.type) == ("192.0.2.1", 5000, "srflx")


def test_a_connection_without_settings_would_ask_googles_server_and_ours_does_not() -> None:
    assert "stun.l.google.com" in inspect.getsource(
        __import__("aiortc.rtcicetransport").rtcicetransport.RTCIceGatherer
    )
    assert Connection(IceSettings(), lambda candidate: None).stun_server is None


@pytest.mark.parametrize("package", ["aiortc", "aioice"])
def test_they_are_pinned_to_the_minor_version(package: str) -> None:
    import importlib.metadata

    pins = [each for each in importlib.metadata.requires("wephone") or [] if each.startswith(package)]
    assert len(pins) == 1
    assert "<" in pins[0]
