"""ICE that trickles, on aioice's private names: pinned, and held by tests/media/test_contract.py.

aioice asks STUN and TURN before it says anything, waits for `.local` names, never offers 127.0.0.1, and
hands datagrams from anybody to DTLS. Here a device's own addresses are offered at once, everything slow
happens beside the call, and what does not come from where ICE has met the far end is dropped (RFC 8827 §6.3).
"""

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias

import aioice
from aioice import ice, mdns, stun
from aioice.candidate import candidate_foundation, candidate_priority
from aiortc import RTCIceServer
from aiortc.rtcicetransport import connection_kwargs

from wephone.media.errors import DescriptionError
from wephone.media.loop import open_packets
from wephone.media.servers import IceSettings, Servers, chosen

PATIENCE = 5.0  # seconds for a STUN or TURN server to answer
CONNECT = 30.0  # seconds from both descriptions to sound; ICE alone may look for a way for ever
COMPONENT = 1  # RTP and RTCP share it (RFC 8834 §4.5)
MOST_REMOTE = 64  # candidates of the far end: the protocol's limit per party
MOST_QUEUED = 256  # datagrams that wait for DTLS; 5 s of speech
COOKIE = b"\x21\x12\xa4\x42"  # RFC 8489 §5

log = logging.getLogger(__name__)

Found = Callable[[aioice.Candidate | None], None]
"""Told each late candidate of ours; None: no more follow."""

Question: TypeAlias = Callable[[], Awaitable[None]]


def is_stun(data: bytes) -> bool:
    """RFC 7983 §7, RFC 8489 §5."""
    return len(data) >= 20 and data[0] < 4 and data[4:8] == COOKIE


def is_sound(data: bytes) -> bool:
    """RTP or RTCP (RFC 7983 §7)."""
    return b"\x80" <= data[:1] <= b"\xbf"


def is_media(data: bytes) -> bool:
    """DTLS, RTP or RTCP (RFC 7983 §7)."""
    return bool(data) and (20 <= data[0] <= 63 or 128 <= data[0] <= 191)


def is_usable(candidate: aioice.Candidate) -> bool:
    """UDP, for the one component that we speak, to a port that exists."""
    udp = candidate.transport.lower() == "udp"
    return udp and candidate.component == COMPONENT and 0 < candidate.port < 65536


class Socket(ice.StunProtocol):
    """One local address. Anybody may ask it for ICE; for the rest it listens to whom ICE has met there."""

    def __init__(self, receiver: "Connection", sock: socket.socket | None = None) -> None:
        """`sock`: of that address; a relay's has none of its own."""
        super().__init__(receiver)
        self.connection = receiver
        self.met: set[tuple[str, int]] = set()  # sources that know our ICE password
        self._sock = sock

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        assert isinstance(data, bytes)
        if is_sound(data):  # first, as nearly all that comes is that
            if (addr[0], addr[1]) in self.met:
                self.connection.sound_received(data)
            else:
                self.connection.dropped += 1
        elif is_stun(data):
            super().datagram_received(data, addr)
        elif is_media(data) and (addr[0], addr[1]) in self.met:
            self.connection.data_received(data, COMPONENT)
        else:
            self.connection.dropped += 1

    def send_now(self, data: bytes, addr: tuple[str, int]) -> bool:
        """Now or never: sound that has to wait is of no use later."""
        try:
            (self._sock or self.transport).sendto(data, addr)
        except OSError:
            return False
        return True


class Connection(aioice.Connection):
    """One ICE connection of one component. `found` is told what is not yet known when gathering returns."""

    def __init__(
        self, settings: IceSettings, found: Found, sound: Callable[[bytes], None] | None = None
    ) -> None:
        """`sound` is given RTP and RTCP at once; without it they wait with the rest for `recv`.
        DescriptionError if a server has no address."""
        policy = aioice.TransportPolicy.RELAY if settings.relay_only else aioice.TransportPolicy.ALL
        super().__init__(ice_controlling=False, transport_policy=policy)
        self._awaited: Awaitable[Servers] | None = None
        if isinstance(settings.servers, tuple):
            self._use(settings.servers)
        else:
            self._awaited = settings.servers
        self.dropped = 0  # datagrams of strangers
        self.sound_received = sound or partial(self.data_received, component=COMPONENT)
        self._found = found
        self._asking: asyncio.Task[None] | None = None  # STUN and TURN servers
        self._resolving: set[asyncio.Task[None]] = set()  # names of the far end
        self._remotes = 0
        self._idle = asyncio.Event()  # `connect` is not running
        self._idle.set()

    @property
    def asks(self) -> bool:
        """Is a server still being asked, so that more candidates may follow?"""
        return self._asking is not None

    @property
    def over(self) -> bool:
        """Closed by us, or by aioice because the far end is gone (RFC 7675)."""
        return self._closing

    def _use(self, servers: Servers) -> None:
        """Ask these servers when it comes to gathering."""
        known = [RTCIceServer(each.url, each.username, each.credential) for each in chosen(servers)]
        try:
            options = connection_kwargs(known)
        except ValueError as error:
            raise DescriptionError(f"`{known[0].urls}` is no address of a STUN or TURN server") from error
        for name, value in options.items():
            setattr(self, name, value)

    # Our own candidates

    async def gather_candidates(self) -> None:
        """Our own addresses, at once. What servers say comes later, through `found`."""
        if self._local_candidates_start:
            return
        self._local_candidates_start = True
        hosts = await self._open_hosts() if self._transport_policy is aioice.TransportPolicy.ALL else []
        self._local_candidates.extend(each.local_candidate for each in hosts)
        self._local_candidates_end = True
        if self._awaited is not None or self._questions(hosts):
            self._asking = asyncio.create_task(self._ask(hosts), name="wephone ice servers")
        elif not hosts:
            self._found(None)

    async def _open_hosts(self) -> list[Socket]:
        addresses = ice.get_host_addresses(use_ipv4=True, use_ipv6=True)
        opened = [await self._open_host(address) for address in addresses]
        hosts = [each for each in opened if each is not None]
        if not hosts and (loopback := await self._open_host("127.0.0.1")) is not None:
            hosts.append(loopback)  # a machine without any network can still call itself
        return hosts

    async def _open_host(self, address: str) -> Socket | None:
        try:
            opened = await open_packets(address, 0, partial(Socket, self))
        except OSError as error:
            log.info("%s cannot be used for media: %s", address, error)
            return None
        host, port = opened.transport.get_extra_info("sockname")[:2]
        opened.local_candidate = aioice.Candidate(
            foundation=candidate_foundation("host", "udp", host),
            component=COMPONENT,
            transport="udp",
            priority=candidate_priority(COMPONENT, "host"),
            host=host,
            port=port,
            type="host",
        )
        self._protocols.append(opened)
        return opened

    def _questions(self, hosts: list[Socket]) -> list[Question]:
        questions: list[Question] = []
        if self.stun_server is not None:
            ipv4 = [host for host in hosts if ipaddress.ip_address(host.local_candidate.host).version == 4]
            questions += [partial(self._ask_stun, host, self.stun_server) for host in ipv4]
        if self.turn_server is not None:
            questions.append(partial(self._ask_turn, self.turn_server))
        return questions

    async def _ask(self, hosts: list[Socket]) -> None:
        """Ask all servers together; whatever one does, it costs the others and the call no time."""
        if self._awaited is not None:
            await answered(partial(self._learn, self._awaited))
        await asyncio.gather(*(answered(question) for question in self._questions(hosts)))
        self._asking = None
        self._found(None)
        if self._remote_candidates_end and not self._remote_candidates_resolving:
            self._end_remote_candidates()

    async def _learn(self, awaited: Awaitable[Servers]) -> None:
        """Which servers there are. Other calls may wait for the same answer, so it outlives this one."""
        servers = await asyncio.shield(awaited)
        try:
            self._use(servers)
        except DescriptionError as error:
            log.warning("%s", error)

    async def _ask_stun(self, host: Socket, server: tuple[str, int]) -> None:
        candidate, _ = await ice.server_reflexive_candidate(host, server)
        self._add_local_candidate(candidate)

    async def _ask_turn(self, server: tuple[str, int]) -> None:
        candidate, relay = await ice.relayed_candidate(
            component=COMPONENT,
            hide_related_address=self._transport_policy is aioice.TransportPolicy.RELAY,
            protocol_factory=lambda: Socket(self),
            turn_server=server,
            turn_username=self.turn_username,
            turn_password=self.turn_password,
            turn_ssl=self.turn_ssl,
            turn_transport=self.turn_transport,
        )
        self._protocols.append(relay)
        for remote in self._remote_candidates:
            self._pair_remote_candidate(remote)
        self.sort_check_list()
        self._add_local_candidate(candidate)

    def _add_local_candidate(self, candidate: aioice.Candidate) -> None:
        known = {(each.host, each.port) for each in self._local_candidates}
        if (candidate.host, candidate.port) in known:
            return  # no NAT on the way: the same address again (RFC 8445 §5.1.3)
        self._local_candidates.append(candidate)
        self._found(candidate)

    # The far end's

    async def add_remote_candidate(self, remote_candidate: aioice.Candidate | None) -> None:
        """Names are resolved beside the call, and the end of candidates waits for them."""
        if remote_candidate is None:
            if self._resolving:
                self._start_resolving(partial(self._end_after, tuple(self._resolving)))
            else:
                await super().add_remote_candidate(None)
            return
        self._remotes += 1
        if self._remotes > MOST_REMOTE or not is_usable(remote_candidate):
            return
        if mdns.is_mdns_hostname(remote_candidate.host):
            self._start_resolving(partial(super().add_remote_candidate, remote_candidate))
        else:
            await super().add_remote_candidate(remote_candidate)

    def _start_resolving(self, work: Question) -> None:
        task = asyncio.create_task(answered(work), name="wephone ice names")
        self._resolving.add(task)
        task.add_done_callback(self._resolving.discard)

    async def _end_after(self, others: tuple[asyncio.Task[None], ...]) -> None:
        await asyncio.wait(others)
        await super().add_remote_candidate(None)

    def _remote_candidates_expected(self) -> bool:
        """Until our own servers have answered, a way may still be found, whatever the far end says."""
        return self._asking is not None or super()._remote_candidates_expected()

    def _prune_components(self) -> None:
        """Never: a far end that names no candidate of use may yet be met (RFC 8445 §7.3.1.3)."""

    def send_now(self, data: bytes) -> bool:
        """Over the pair that ICE has chosen, without a coroutine; False if it cannot go now."""
        pair = self._nominated.get(COMPONENT)
        if pair is None:
            return False
        sent: bool = pair.protocol.send_now(data, pair.remote_addr)  # type: ignore[attr-defined]  # a `Socket`
        return sent

    # Whom we have met

    def check_incoming(
        self, message: stun.Message, addr: tuple[str, int], protocol: ice.StunProtocol
    ) -> None:
        """A check from the far end, made with our ICE password."""
        if isinstance(protocol, Socket):
            protocol.met.add(addr)
        super().check_incoming(message, addr, protocol)

    def check_state(self, pair: ice.CandidatePair, state: ice.CandidatePair.State) -> None:
        """A check of ours has gone on: who answered it has shown the far end's ICE password."""
        super().check_state(pair, state)
        if state is ice.CandidatePair.State.SUCCEEDED and isinstance(pair.protocol, Socket):
            pair.protocol.met.add(pair.remote_addr)

    def data_received(self, data: bytes, component: int) -> None:
        """What STUN does not read comes here too, from anybody."""
        if not is_media(data) or self._queue.qsize() >= MOST_QUEUED:
            self.dropped += 1
            return
        super().data_received(data, component)

    async def connect(self) -> None:
        """Look for a way; ConnectionError if there is none."""
        self._idle.clear()
        try:
            await super().connect()
        finally:
            self._idle.set()

    async def close(self) -> None:
        """Let go of every socket, task and allocation."""
        self._closing = True
        tasks = [*self._resolving, *([self._asking] if self._asking is not None else [])]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._asking = None
        await super().close()
        await self._idle.wait()  # it notices within 20 ms
        if self._query_consent_task is not None:
            await super().close()  # `connect` had found a way, and set out to keep it, while we closed


async def answered(question: Question) -> None:
    """Wait for a server's answer, or for none: KeyError and ValueError are answers that make no sense."""
    try:
        async with asyncio.timeout(PATIENCE):
            await question()
    except (stun.TransactionError, OSError, KeyError, ValueError) as error:
        log.info("no candidate from a server: %s", error or type(error).__name__)
