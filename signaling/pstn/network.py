"""The telephone network as this server has it: its trunks, their user agent, and the telephones at work.

Who dials goes by `dialling.py`; who is called from outside comes in here. What another server of this node
left behind is ended at start, and what no carrier confirmed is told.
"""

import asyncio
import logging
import ssl
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from licensing.alarms import Alarm, Alarms
from licensing.case import Operator
from licensing.gate import Gate
from signaling.buckets import Buckets
from signaling.core.events import Event
from signaling.errands import Errands
from signaling.media import Event as SoundEvent
from signaling.media import Language, Listener, MediaBackend
from signaling.metrics import Metrics
from signaling.permission import Permission
from signaling.ports.clock import Clock
from signaling.ports.legs import LegEnd, LegRow
from signaling.ports.store import Store, StoreError
from signaling.ports.telephones import TrunkState
from signaling.pstn.calling import LATER, Calling, Who
from signaling.pstn.dialling import Dialling
from signaling.pstn.figures import Figures
from signaling.pstn.kept import read
from signaling.pstn.leases import Leases
from signaling.pstn.line import Line
from signaling.pstn.phone import BESIDE, Desk
from signaling.pstn.selection import Health
from signaling.pstn.sip.agent import Agent
from signaling.pstn.sip.cause import RECOVERY, Cause
from signaling.pstn.sip.dialog import Dialog
from signaling.pstn.sip.digest import Credentials, Login
from signaling.pstn.sip.door import USUAL_PACE
from signaling.pstn.sip.hop import Flow, Transport
from signaling.pstn.sip.incoming import IncomingCall
from signaling.pstn.sip.message import Fields, Request
from signaling.pstn.sip.problem import CarrierError, SipError
from signaling.pstn.sip.sockets import Place
from signaling.pstn.trunk import Trunk
from signaling.settling import warn
from signaling.switch import Switch
from wephone.protocol.ids import CallId

MESSAGES = 20  # of one call, with some that are sent again
CLOSING = 5.0  # seconds that the carriers have to confirm what ends with the server
STRAY = Cause("a phone was answered after the call was given up", RECOVERY)
RESTARTED = Cause("the server was started anew", RECOVERY)
# Why a carrier may charge what no BYE was answered for.
UNDER_WAY = "its end is not confirmed yet"
RANG = "what only rang cannot be cancelled by another server"
UNREADABLE = "its dialog cannot be read, so no BYE was sent"
AWAY = 60.0  # seconds between two looks at where the trunks' names lead to
MOST_KNOWN = 1024  # addresses that wrote to us

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a network is made of."""

    clock: Clock
    store: Store
    permission: Permission
    gate: Gate
    operator: Operator
    alarms: Alarms
    metrics: Metrics
    node: str
    epoch: int
    told_in: Language | None  # refusals are told aloud, in this language if a client names none


class Network:
    """See above: what `sip.agent.Handler` is told. `start` before use, `close` after."""

    def __init__(
        self,
        parts: Parts,
        trunks: Mapping[str, tuple[Trunk, Credentials | None]],
        sound: Callable[[Listener], MediaBackend],
        tls: ssl.SSLContext | None = None,
        own_tls: ssl.SSLContext | None = None,
    ) -> None:
        """`tls`: what carriers' certificates are checked by; `own_tls`: what they know us by."""
        self._node, self._epoch = parts.node, parts.epoch
        leases = Leases(parts.gate)
        agent = Agent(
            clock=parts.clock,
            licence=leases,
            handler=self,
            peers=self.is_peer,
            tls_client=tls,
            tls_server=own_tls,
            count=parts.metrics.telephone_turned_away,
            pace=self.pace,
        )
        self._desk = Desk(
            clock=parts.clock,
            store=parts.store,
            permission=parts.permission,
            leases=leases,
            agent=agent,
            sound=sound(self.sounded),
            operator=parts.operator,
            alarms=parts.alarms,
            metrics=parts.metrics,
            errands=Errands("a telephone call"),
            say=self._say,
        )
        self._lines = {
            name: Line(name, trunk, credentials, agent, self.trunk_changed)
            for name, (trunk, credentials) in trunks.items()
        }
        self._inbound = {name: bucket_of(line) for name, line in self._lines.items()}
        self._known: dict[str, list[Line]] = {}  # by address, as of `_from`
        self.figures = Figures(self._desk.sound, parts.clock)
        self.telephones = Dialling(self._desk, self._lines, parts.told_in)
        self._switch: Switch | None = None
        self._looking: asyncio.Task[None] | None = None
        self.place: Place | None = None  # where trunks reach us by UDP
        self.tls_place: Place | None = None  # and by TLS

    def states(self) -> tuple[TrunkState, ...]:
        """The trunks as they stand."""
        return tuple(line.state() for line in self._lines.values())

    @property
    def sound(self) -> MediaBackend:
        """What carries it."""
        return self._desk.sound

    @property
    def lines(self) -> Mapping[str, Line]:
        """The trunks, by name."""
        return self._lines

    async def start(self, switch: Switch, where: tuple[str, int], tls: tuple[str, int] | None) -> None:
        """End what the last server left, and be there for calls. OSError if the port cannot be had.

        `where` is for UDP and TCP; port 0 takes any that are free.
        """
        self._switch = switch
        self.place = await self._desk.agent.listen(Transport.UDP, *where)
        await self._desk.agent.listen(Transport.TCP, *where)
        if tls is not None:
            self.tls_place = await self._desk.agent.listen(Transport.TLS, *tls)
        await self._look()
        self._looking = asyncio.create_task(self._keep_looking(), name="where trunks are")
        for line in self._lines.values():
            line.start()
        try:
            left = await self._desk.store.open_legs()
        except StoreError:
            log.exception("what the last server left of telephone calls could not be read")
            left = []
        for row in left:
            self._end(row)

    async def close(self) -> None:
        """End every leg, give the carriers a moment to confirm it, and say goodbye to them."""
        for each in (*self._desk.phones.values(), *self._desk.tellers.values()):
            each.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING):
                await self._desk.idle.wait()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait((self._looking,))
        for line in self._lines.values():
            line.stop()
        await self._desk.errands.close(CLOSING)
        await self._desk.agent.close()

    def is_peer(self, host: str) -> bool:
        """Does a trunk's traffic come from there?"""
        return bool(self._from(host))

    def pace(self, host: str) -> float:
        """How many messages a second may come from there, with room for every call that a trunk may bring."""
        brought = sum(MESSAGES * line.trunk.limits.calls_per_second for line in self._from(host))
        return max(USUAL_PACE, brought)

    def _from(self, host: str) -> list[Line]:
        """Whose traffic comes from there: asked for each datagram, so known until a name leads elsewhere."""
        lines = self._known.get(host)
        if lines is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            lines = self._known[host] = [line for line in self._lines.values() if line.brings(host)]
        return lines

    def sounded(self, event: SoundEvent) -> None:
        """See `signaling.media.Listener`."""
        asyncio.get_running_loop().call_soon(self._sounded, event)

    def down(self) -> int:
        """How many trunks cannot be reached."""
        return sum(line.health is Health.DOWN for line in self._lines.values())

    def at_work(self) -> int:
        """How many legs there are."""
        return len(self._desk.phones)

    def reconsider(self) -> None:
        """The register may have changed: every leg asks for its next lease now."""
        self._desk.agent.reconsider()

    def _say(self, call: CallId, event: Event) -> None:
        if self._switch is not None:
            self._switch.phone_says(call, event)

    def _sounded(self, event: SoundEvent) -> None:
        heard_by = self._desk.phones.get(event.leg) or self._desk.tellers.get(event.leg)
        if heard_by is not None:
            heard_by.sounded(event)

    # What the user agent tells

    def incoming(self, call: IncomingCall) -> None:
        """See `sip.agent.Handler`. Not decided on, because nobody could ring: refused at once."""
        host = call.flow.hop.host
        lines = self._from(host)
        if not lines or self._switch is None:
            call.refuse(403, Cause("this address is no carrier of ours", 21))
            return
        found = [(line, number) for line in lines if (number := line.called(call.invite)) is not None]
        if not found:
            call.refuse(404, Cause("unallocated number", 1))
            return
        line, number = found[0]
        call.sign_in(line.credentials)
        if line.trunk.srtp and not call.demand_encryption():
            return  # refused: it offers plain sound
        if self._is_over(line, self._switch):
            self._desk.metrics.telephone_turned_away("full")
            call.refuse(503, Cause("no circuit is available", 34), LATER)
            return
        line.take_in()
        who = Who(line.caller(call.invite), line.trunk.dids[number.address])
        calling = Calling(self._desk, self._switch, CallId(str(uuid.uuid4())), call, line, who)
        self._desk.errands.start(calling.begin(self._node, self._epoch))

    def _is_over(self, line: Line, switch: Switch) -> bool:
        """Is there no room for another call from this trunk now?"""
        if switch.draining or line.is_full():
            return True
        return self._inbound[line.name].take(line.name, self._desk.clock.now().mono_ns) > 0

    def asked(self, request: Request, flow: Flow) -> tuple[int, Fields] | None:
        """See `sip.agent.Handler`: nobody registers here."""
        return None

    def stray(self, dialog: Dialog) -> None:
        """See `sip.agent.Handler`: it is being ended, and until that is confirmed it may be charged."""
        leg = self._desk.legs.get(dialog.call_id)
        log.warning("a phone was answered that nobody wanted any more (leg %s)", leg)
        if leg is None:
            return
        self._desk.strays[leg] += 1
        if not self._talks(leg):
            self._desk.errands.start(self._over(leg, STRAY, UNDER_WAY))

    def stray_over(self, bye: Request, doubt: str | None) -> None:
        """See `sip.agent.Handler`."""
        leg = self._desk.legs.get(bye.call_id)
        if leg is None:
            return
        if doubt is None:
            self._desk.strays[leg] -= 1
        else:
            warn(leg, f"a phone was answered that nobody wanted; {doubt}", self._desk.alarms)
        if self._talks(leg):
            return  # its row is of a call that goes on: what is still open is said at its end
        doubt = doubt or (BESIDE if self._desk.strays[leg] else None)
        own = self._desk.ends.get(leg)
        if own is None:
            self._desk.errands.start(self._over(leg, STRAY, doubt))
        else:
            self._desk.errands.start(self._write_end(leg, replace(own, doubt=own.doubt or doubt)))

    def _talks(self, leg: str) -> bool:
        """Is one phone of this leg answered and wanted, whatever others do?"""
        phone = self._desk.phones.get(leg)
        return phone is not None and phone.is_answered

    # What another server left

    def _end(self, row: LegRow) -> None:
        """BYE, until it is confirmed or 32 s have passed; what rang only has no dialog to end."""
        if row.dialog is None:
            self._farewell(row.leg, RANG if row.outgoing else None)
            return
        try:
            dialogs = read(row.dialog)
        except (SipError, KeyError, ValueError):
            log.exception("the dialog of leg %s cannot be read", row.leg)
            self._farewell(row.leg, UNREADABLE)
            return
        line = self._lines.get(row.trunk)
        login = None if line is None or line.credentials is None else Login(line.credentials)
        log.info("ending telephone leg %s, which the last server left", row.leg)
        doubts: list[str | None] = []

        def done(doubt: str | None) -> None:
            doubts.append(doubt)
            if len(doubts) == len(dialogs):
                self._farewell(row.leg, next(filter(None, doubts), None))

        for dialog in dialogs:
            self._desk.agent.end(dialog, done, login, (RESTARTED.header(),))

    def _farewell(self, leg: str, doubt: str | None) -> None:
        if doubt is not None:
            warn(leg, f"{RESTARTED.words}; {doubt}", self._desk.alarms)
        self._desk.errands.start(self._over(leg, RESTARTED, doubt))

    async def _over(self, leg: str, cause: Cause, doubt: str | None) -> None:
        end = LegEnd(self._desk.clock.now().utc_us, cause.words, cause.q850, cause.status, doubt)
        await self._write_end(leg, end)

    async def _write_end(self, leg: str, end: LegEnd) -> None:
        try:
            await self._desk.store.end_leg(leg, end)
        except StoreError:
            log.exception("the end of a telephone leg could not be recorded")

    # Where trunks are

    def trunk_changed(self, line: Line) -> None:
        """A trunk came or went."""
        down = [each for each in self._lines.values() if each.health is Health.DOWN]
        if down:
            said = "; ".join(f"{each.name}: {each.trouble}" for each in down)
            self._desk.alarms.sound(Alarm.TRUNK_DOWN, f"trunks cannot be reached: {said}")
        else:
            self._desk.alarms.clear(Alarm.TRUNK_DOWN)

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(AWAY)
            await self._look()

    async def _look(self) -> None:
        """Names lead elsewhere from time to time; calls come from where they lead to."""
        for line in self._lines.values():
            try:
                hops = await self._desk.agent.locate(line.uri)
            except CarrierError as error:
                line.trouble = error.sentence
                continue
            line.hosts = frozenset(hop.host for hop in hops)
            self._known.clear()


def bucket_of(line: Line) -> Buckets:
    """How often this carrier may call us."""
    rate = line.trunk.limits.calls_per_second
    return Buckets(burst=max(2.0, 2 * rate), every=1 / rate)
