"""Makes the parts of a server and gives each what it asks for."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.metadata import version

from licensing.alarms import Alarm
from licensing.instant import SECOND
from signaling.accounts import Accounts
from signaling.api.visit import Parts, no_figures
from signaling.app.errors import StartError
from signaling.app.listening import shown
from signaling.app.telephony import Sound, own_sip_tls, sip_tls
from signaling.bell import Bell, key_in
from signaling.checkpoints import Checkpoints, Places
from signaling.clicks import Clicks
from signaling.dialling import NO_SOUND, NO_TRUNK, Unreached
from signaling.evidence import Progress
from signaling.exchange import Exchange, Timing
from signaling.hearsay import Hearsay
from signaling.holders import Holders
from signaling.licence import Licence
from signaling.limits import Limits
from signaling.lines import Lines
from signaling.metrics import Metrics
from signaling.passwords import Passwords
from signaling.ports.clock import Clock
from signaling.ports.store import Store
from signaling.ports.telephones import Telephones
from signaling.proofs import Proofs
from signaling.pstn import trunk_file
from signaling.pstn.network import Network
from signaling.pstn.network import Parts as NetworkParts
from signaling.pstn.sip.digest import Credentials
from signaling.pstn.trunk import Trunk
from signaling.retention import DAY_US
from signaling.revocation import Revocation
from signaling.settings import Settings
from signaling.settling import recall
from signaling.store import open_store
from signaling.switch import Switch
from signaling.texts import Texts
from signaling.tickets import Tickets
from signaling.web_push import PushKey, PushKeyError

Trunks = Mapping[str, tuple[Trunk, Credentials | None]]

OWNER_EPOCH = 1  # of the calls on this node: a take-over by another one would raise it

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ground:
    """What all other parts stand on."""

    settings: Settings
    clock: Clock
    trunks: Trunks
    store: Store
    metrics: Metrics
    licence: Licence
    revocation: Revocation
    limits: Limits
    tickets: Tickets


async def wired(
    settings: Settings, clock: Clock, stack: AsyncExitStack, sound: Sound | None
) -> tuple[Parts, Network | None]:
    """All parts; `stack` undoes it in reverse."""
    ground, checkpoints = await laid(settings, clock, stack)
    network = network_of(ground, sound)
    exchange, bell = await exchange_of(ground, telephones_of(ground, network), stack)
    watch(ground, exchange)
    parts = Parts(
        settings=settings,
        clock=clock,
        store=ground.store,
        accounts=accounts_of(ground, exchange, stack),
        holders=Holders(ground.store, clock, settings.keep_clear_days * DAY_US),
        tickets=ground.tickets,
        proofs=Proofs(clock),
        limits=ground.limits,
        metrics=ground.metrics,
        exchange=exchange,
        bell=bell,
        permission=ground.licence.permission,
        licence=ground.licence,
        revocation=ground.revocation,
        checkpoints=checkpoints,
        progress=Progress(),
        version=version("wephone"),
        url=settings.public_url or f"http://{shown(settings.listen, settings.listen.port)}",
        trunks=tuple if network is None else network.states,
        figures=no_figures if network is None else network.figures.of,
    )
    stack.push_async_callback(settle, exchange)
    return parts, network


async def laid(settings: Settings, clock: Clock, stack: AsyncExitStack) -> tuple[Ground, Checkpoints]:
    """The ground, and the checkpoints of its journal."""
    trunks = {} if settings.trunks is None else trunk_file.signed_in(settings.trunks)
    store = await open_store(settings.database_url, node=settings.node, owner_url=settings.database_owner)
    stack.push_async_callback(store.close)
    metrics = Metrics()
    licence = await stack.enter_async_context(
        Licence(settings, store.journal, store.permits, clock, trunk_file.help_in(trunks))
    )
    await recall(store, licence.alarms)
    places = Places(settings.data, settings.node, settings.checkpoint_folder)
    checkpoints = Checkpoints(store.checkpoints, store.journal, clock, licence.gate, licence.alarms, places)
    await checkpoints.open()
    stack.push_async_callback(checkpoints.close)
    ground = Ground(
        settings=settings,
        clock=clock,
        trunks=trunks,
        store=store,
        metrics=metrics,
        licence=licence,
        revocation=Revocation(licence.permission, licence.register, licence.law, clock, metrics),
        limits=Limits(clock, on=settings.limits),
        tickets=Tickets(clock),
    )
    return ground, checkpoints


def network_of(ground: Ground, sound: Sound | None) -> Network | None:
    """The telephone network, if there are trunks and something that carries their sound."""
    if not ground.trunks:
        return None
    if sound is None:
        log.warning("there are trunks, and nothing that carries their sound: set `media`")
        return None
    settings, licence = ground.settings, ground.licence
    parts = NetworkParts(
        clock=ground.clock,
        store=ground.store,
        permission=licence.permission,
        gate=licence.gate,
        operator=licence.law.operator,
        alarms=licence.alarms,
        metrics=ground.metrics,
        node=settings.node,
        epoch=OWNER_EPOCH,
        told_in=None if settings.spoken_refusals == "off" else settings.spoken_refusals,
    )
    return Network(parts, ground.trunks, sound, sip_tls(settings), own_sip_tls(settings))


def telephones_of(ground: Ground, network: Network | None) -> Telephones:
    """What calls to numbers ask: each is decided on and written down, whether or not there is a network."""
    if network is not None:
        return network.telephones
    return Unreached(ground.licence.permission, NO_SOUND if ground.trunks else NO_TRUNK)


async def exchange_of(ground: Ground, telephones: Telephones, stack: AsyncExitStack) -> tuple[Exchange, Bell]:
    """What clients talk to, with the switch behind it, and what wakes the devices that sleep."""
    settings, clock, store, metrics = ground.settings, ground.clock, ground.store, ground.metrics
    permission = ground.licence.permission
    lines = Lines(clock, int(settings.resume * SECOND), lambda party: switch.lost(party))
    bell = Bell(
        store=store,
        lines=lines,
        clock=clock,
        metrics=metrics,
        key=await push_key(settings),
        services=settings.push_services,
        contact=settings.push_contact or settings.public_url,
    )
    stack.push_async_callback(bell.close)
    switch = Switch(
        node=settings.node,
        epoch=OWNER_EPOCH,
        clock=clock,
        store=store,
        lines=lines,
        permission=permission,
        telephones=telephones,
        revocation=ground.revocation,
        bell=bell,
        limits=ground.limits,
        metrics=metrics,
    )
    exchange = Exchange(
        clock=clock,
        store=store,
        tickets=ground.tickets,
        limits=ground.limits,
        lines=lines,
        switch=switch,
        clicks=Clicks(clock, lines),
        hearsay=Hearsay(clock, switch.call),
        texts=Texts(store, lines, clock, permission, bell),
        metrics=metrics,
        timing=Timing(settings.heartbeat, settings.resume),
    )
    return exchange, bell


def accounts_of(ground: Ground, exchange: Exchange, stack: AsyncExitStack) -> Accounts:
    """The accounts; what ends a session ends its tickets and connections."""
    passwords = Passwords()
    stack.callback(passwords.close)
    accounts = Accounts(ground.store, ground.clock, passwords, ground.settings.session_days)
    accounts.when_ended(lambda user, session, _: ground.tickets.withdraw(user, session))
    accounts.when_ended(exchange.sign_out)
    return accounts


def watch(ground: Ground, exchange: Exchange) -> None:
    """Count what is there now, for the metrics."""
    alarms = ground.licence.alarms
    ground.metrics.watch("calls", "Calls that have not ended.", exchange.switch.live)
    ground.metrics.watch("devices", "Devices with an open connection.", exchange.lines.connected)
    ground.metrics.watch_each("alarms", "Is it raised?", "alarm", Alarm, lambda alarm: alarm in alarms.raised)


async def push_key(settings: Settings) -> PushKey:
    """By what push services know this server; StartError if it cannot be used."""
    try:
        return await asyncio.to_thread(key_in, settings.push_key_path)
    except (OSError, PushKeyError) as error:
        raise StartError(f"the key for push services, `{settings.push_key_path}`: {error}") from error


async def settle(exchange: Exchange) -> None:
    """Wait for what the calls, texts and connections have begun."""
    for line in exchange.lines.all():
        exchange.lines.stop_waiting(line)
    await exchange.close()
    await exchange.texts.close()
    await exchange.switch.close()
