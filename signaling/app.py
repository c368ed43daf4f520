"""Wires everything: the only file that knows every part of the server."""

import asyncio
import logging
import os
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from typing import Any

from aiohttp import WSCloseCode, web

from licensing.alarms import Alarm
from licensing.instant import SECOND
from licensing.ports import JournalError
from signaling import local
from signaling.accounts import FIRST_OPERATOR, Accounts
from signaling.api.auth import OPERATOR_COOKIE, Door
from signaling.api.listener import BACKLOG, ListenError, Serve, listen_at, runner_of
from signaling.api.origin import Origins
from signaling.api.rest import CALLERS, OPERATORS
from signaling.api.serving import application
from signaling.api.visit import Parts
from signaling.bell import Bell, key_in
from signaling.checkpoints import Checkpoints, Places
from signaling.clock import SystemClock
from signaling.dialling import NO_SOUND, NO_TRUNK, Unreached
from signaling.evidence import Progress
from signaling.exchange import Exchange, Timing
from signaling.folder import DataFolder, FolderError, FolderInUseError
from signaling.holders import Holders
from signaling.licence import Licence, NoProfileError
from signaling.limits import Limits
from signaling.lines import Lines
from signaling.media import Listener, MediaBackend, MediaError
from signaling.metrics import Metrics
from signaling.passwords import Passwords, new_password
from signaling.ports.clock import Clock
from signaling.ports.store import StoreError
from signaling.ports.telephones import Telephones
from signaling.proofs import Proofs
from signaling.pstn import trunk_file
from signaling.pstn.media.embedded import EmbeddedBackend
from signaling.pstn.media.place import Place as MediaPlace
from signaling.pstn.network import Network
from signaling.pstn.network import Parts as NetworkParts
from signaling.pstn.sip.tls import server_context
from signaling.retention import DAY_US, Retention, Schedule
from signaling.revocation import Revocation
from signaling.settings import Endpoint, Settings
from signaling.store import open_store
from signaling.store.database import database_shown
from signaling.switch import Switch
from signaling.texts import Texts
from signaling.tickets import Tickets
from signaling.turn import helpers
from signaling.web_push import PushKey, PushKeyError

Sound = Callable[[Listener], MediaBackend]

OWNER_EPOCH = 1  # of the calls on this node: a take-over by another one would raise it

log = logging.getLogger(__name__)


class StartError(Exception):
    """The server cannot start; one sentence."""


class InUseError(StartError):
    """Another program has the data folder."""


@dataclass(slots=True)
class Server:
    """A running server."""

    settings: Settings
    parts: Parts
    network: Network | None  # the telephone network, if there are trunks
    ready: dict[str, Any]  # what `wephone serve` prints after the word `ready`
    first_password: str | None  # of the operator's account, if this start has made it
    _stack: AsyncExitStack

    @property
    def url(self) -> str:
        """Where callers connect."""
        return str(self.ready["url"])

    @property
    def operator_url(self) -> str:
        """Where operators connect."""
        return str(self.ready["operator_url"])

    async def drain(self) -> None:
        """Take no new calls, and wait for those that run, as long as the settings say."""
        exchange = self.parts.exchange
        exchange.switch.draining = True
        exchange.announce_drain(self.settings.drain)
        log.info("draining", extra={"calls": exchange.switch.live()})
        try:
            async with asyncio.timeout(self.settings.drain):
                await exchange.switch.idle.wait()
        except TimeoutError:
            log.warning("calls outlive this server", extra={"calls": exchange.switch.live()})

    async def close(self) -> None:
        """Stop: connections close with 1001, and what is being stored is stored."""
        await self._stack.aclose()


async def start(settings: Settings, *, clock: Clock | None = None, sound: Sound | None = None) -> Server:
    """Start a server and wait until it serves. StartError, and nothing left behind, if it cannot.

    `sound`: what carries that of telephone calls, in place of what the settings name.
    """
    async with AsyncExitStack() as stack:
        clock = clock or SystemClock()
        parts, network = await opened(settings, clock, stack, sound or sound_of(settings, clock))
        await parts.exchange.switch.restore()
        await parts.revocation.start(parts.exchange.switch.permit_changed)
        stack.push_async_callback(parts.revocation.close)
        parts.licence.start(parts.metrics)
        if (problem := await parts.store.durability_problem()) is not None:
            parts.licence.alarms.sound(Alarm.DATABASE_UNSAFE, problem)
        retention = Retention(parts.store, parts.clock, parts.metrics, schedule(settings))
        retention.start()
        await parts.checkpoints.start()
        stack.push_async_callback(retention.close)
        try:
            ready, doors = await listen(settings, parts, stack)
            if network is not None:
                await begin_telephony(settings, parts, network, stack)
                ready["sip"] = f"{network.place.host}:{network.place.port}" if network.place else None
            first_password = await first_operator(parts.accounts)
            for serve in doors:
                await serve()
        except (ListenError, StoreError) as error:
            raise StartError(str(error)) from error
        # First of all that close: the connections, so that nothing new comes while the rest is closed.
        stack.callback(parts.exchange.hang_up_all, WSCloseCode.GOING_AWAY, "the server stops")
        log.info("ready", extra={"url": ready["url"], "operator_url": ready["operator_url"]})
        return Server(settings, parts, network, ready, first_password, stack.pop_all())


async def start_offline(settings: Settings, *, clock: Clock | None = None) -> Server:
    """Open what a server has, for operators' commands on this machine alone: nobody can call.

    InUseError if a server has it already.
    """
    async with AsyncExitStack() as stack:
        parts, _ = await opened(settings, clock or SystemClock(), stack, None)
        serve = await listen_locally(settings, parts, stack)
        try:
            first_password = await first_operator(parts.accounts)
        except StoreError as error:
            raise StartError(str(error)) from error
        await serve()
        return Server(settings, parts, None, {}, first_password, stack.pop_all())


async def opened(
    settings: Settings, clock: Clock, stack: AsyncExitStack, sound: Sound | None
) -> tuple[Parts, Network | None]:
    """The data folder and all parts; StartError if that cannot be."""
    try:
        stack.enter_context(DataFolder(settings.data))
        return await wired(settings, clock, stack, sound)
    except FolderInUseError as error:
        raise InUseError(str(error)) from error
    except (FolderError, StoreError, JournalError, NoProfileError, trunk_file.TrunkError) as error:
        raise StartError(str(error)) from error


async def wired(
    settings: Settings, clock: Clock, stack: AsyncExitStack, sound: Sound | None
) -> tuple[Parts, Network | None]:
    """All parts; `stack` undoes it in reverse."""
    trunks = {} if settings.trunks is None else trunk_file.signed_in(settings.trunks)
    store = await open_store(settings.database_url, node=settings.node, owner_url=settings.database_owner)
    stack.push_async_callback(store.close)
    metrics, limits, tickets = Metrics(), Limits(clock, on=settings.limits), Tickets(clock)
    passwords = Passwords()
    stack.callback(passwords.close)
    emergency_in = trunk_file.help_in(trunks)
    licence = await stack.enter_async_context(
        Licence(settings, store.journal, store.permits, clock, emergency_in)
    )
    places = Places(settings.data, settings.node, settings.checkpoint_folder)
    checkpoints = Checkpoints(store.checkpoints, store.journal, clock, licence.gate, licence.alarms, places)
    await checkpoints.open()
    stack.push_async_callback(checkpoints.close)
    lines = Lines(clock, int(settings.resume * SECOND), lambda party: switch.lost(party))
    revocation = Revocation(licence.permission, licence.register, licence.law, clock, metrics)
    network = None
    telephones: Telephones = Unreached(licence.permission, NO_SOUND if trunks else NO_TRUNK)
    if trunks and sound is not None:
        of_network = NetworkParts(
            clock,
            store,
            licence.permission,
            licence.gate,
            licence.law.operator,
            licence.alarms,
            metrics,
            settings.node,
            OWNER_EPOCH,
        )
        network = Network(of_network, trunks, sound, sip_tls(settings), own_sip_tls(settings))
        telephones = network.telephones
    elif trunks:
        log.warning("there are trunks, and nothing that carries their sound: set `media`")
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
        permission=licence.permission,
        telephones=telephones,
        revocation=revocation,
        bell=bell,
        limits=limits,
        metrics=metrics,
    )
    exchange = Exchange(
        clock=clock,
        store=store,
        tickets=tickets,
        limits=limits,
        lines=lines,
        switch=switch,
        texts=Texts(store, lines, clock, licence.permission, bell),
        metrics=metrics,
        timing=Timing(settings.heartbeat, settings.resume),
    )
    accounts = Accounts(store, clock, passwords, settings.session_days)
    accounts.when_ended(lambda user, session, _: tickets.withdraw(user, session))
    accounts.when_ended(exchange.sign_out)
    metrics.watch("calls", "Calls that have not ended.", switch.live)
    metrics.watch("devices", "Devices with an open connection.", lines.connected)
    metrics.watch_each(
        "alarms", "Is it raised?", "alarm", Alarm, lambda alarm: alarm in licence.alarms.raised
    )
    parts = Parts(
        settings=settings,
        clock=clock,
        store=store,
        accounts=accounts,
        holders=Holders(store, clock, settings.keep_clear_days * DAY_US),
        tickets=tickets,
        proofs=Proofs(clock),
        limits=limits,
        metrics=metrics,
        exchange=exchange,
        bell=bell,
        permission=licence.permission,
        licence=licence,
        revocation=revocation,
        checkpoints=checkpoints,
        progress=Progress(),
        version=version("wephone"),
        url=settings.public_url or f"http://{shown(settings.listen, settings.listen.port)}",
        trunks=tuple if network is None else network.states,
    )
    stack.push_async_callback(settle, exchange)
    return parts, network


async def begin_telephony(settings: Settings, parts: Parts, network: Network, stack: AsyncExitStack) -> None:
    """Be there for trunks. Its end comes before that of calls, which hear of it; StartError."""
    if isinstance(network.sound, EmbeddedBackend):
        try:
            await network.sound.start()
        except MediaError as error:
            raise StartError(f"media: {error}") from None
        stack.push_async_callback(network.sound.stop)
    try:
        await network.start(parts.exchange.switch, settings.sip_listen, settings.sip_tls_listen)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        places = " or ".join(str(place) for place in (settings.sip_listen, settings.sip_tls_listen) if place)
        raise StartError(f"sip_listen: cannot listen on {places}: {why}") from None
    stack.push_async_callback(network.close)
    stack.callback(parts.licence.register.on_change(lambda taken: network.reconsider()))
    parts.metrics.watch("trunks", "Trunks that are set up.", lambda: len(network.lines))
    parts.metrics.watch("trunks_down", "Trunks that cannot be reached.", network.down)
    parts.metrics.watch("telephone_legs", "Telephone legs that are at work.", network.at_work)


def sound_of(settings: Settings, clock: Clock) -> Sound | None:
    """What carries the sound of telephone calls, by the settings."""
    if settings.media == "none":
        return None
    first, _, last = settings.rtp_ports.partition("-")
    place = MediaPlace(
        address=str(settings.rtp_address),
        told=None if settings.rtp_told is None else str(settings.rtp_told),
        first_port=int(first),
        last_port=int(last),
        announcements=None if settings.announcements is None else str(settings.announcements),
    )
    return partial(EmbeddedBackend, place, helpers=lambda: helpers(settings, clock.now().utc_us // 1_000_000))


def sip_tls(settings: Settings) -> ssl.SSLContext:
    """What carriers' certificates are checked by; StartError if that cannot be read."""
    try:
        return ssl.create_default_context(cafile=settings.sip_tls_ca)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise StartError(f"sip_tls_ca: cannot read {settings.sip_tls_ca}: {why}") from None


def own_sip_tls(settings: Settings) -> ssl.SSLContext | None:
    """What carriers that connect to us know us by; StartError if it cannot be used."""
    certificate, key = settings.sip_tls_certificate, settings.sip_tls_key
    if certificate is None or key is None:
        return None
    try:
        return server_context(certificate, key)
    except ssl.SSLError as error:
        raise StartError(f"{certificate} and {key} are no certificate with its key: {error.reason}") from None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise StartError(f"sip_tls_certificate: cannot read {certificate} and {key}: {why}") from None


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


async def first_operator(accounts: Accounts) -> str | None:
    """On a new database: open the operator's account. Its password, for one use.

    It is shown once, so whatever else may fail comes before.
    """
    if await accounts.existing_operators():
        return None
    password = new_password()
    await accounts.add(FIRST_OPERATOR, password, operator=True, once=True)
    return password


def schedule(settings: Settings) -> Schedule:
    """What is kept for how long."""
    hours, _, minutes = settings.retention_at.partition(":")
    days = {
        "texts": settings.keep_texts_days,
        "calls": settings.keep_calls_days,
        "sessions": settings.keep_sessions_days,
        # One that stays connected is not seen to come again before its session ends.
        "devices": max(settings.keep_devices_days, settings.session_days),
        "clear_values": settings.keep_clear_days,
    }
    return Schedule(days, int(hours) * 3600 + int(minutes) * 60)


# Listeners


async def listen(
    settings: Settings, parts: Parts, stack: AsyncExitStack
) -> tuple[dict[str, Any], tuple[Serve, ...]]:
    """Take both ports and the Unix socket; what the `ready` line says, and what begins to serve each."""
    origins = Origins(settings.public_url, settings.origins)
    callers = application(CALLERS, parts, Door(parts.accounts, origins))
    port, serve_callers = await listen_at(settings.listen, callers, stack)
    url = settings.public_url or f"http://{shown(settings.listen, port)}"
    parts = replace(parts, url=url)
    here = Origins(None, ())
    door = Door(parts.accounts, here, cookie=OPERATOR_COOKIE)
    operators = application(OPERATORS, parts, door, settings.operator_networks)
    tls = operator_tls(settings)
    operator_port, serve_operators = await listen_at(settings.operator_listen, operators, stack, tls)
    serve_commands = await listen_locally(settings, parts, stack)
    url = settings.public_url or f"http://{shown(settings.listen, port)}"
    scheme = "http" if tls is None else "https"
    ready = {
        "url": url,
        "ws": "ws" + url.removeprefix("http") + "/api/socket",
        "operator_url": f"{scheme}://{shown(settings.operator_listen, operator_port)}",
        "listen": str(Endpoint(settings.listen.host, port)),
        "database": database_shown(settings.database_url),
        "data": str(settings.data),
        "pid": os.getpid(),
        "version": parts.version,
    }
    return ready, (serve_callers, serve_operators, serve_commands)


async def listen_locally(settings: Settings, parts: Parts, stack: AsyncExitStack) -> Serve:
    """Take the Unix socket for operators' commands on this machine; what begins to serve them."""
    path = settings.operator_socket
    try:
        made = local.listening(path, BACKLOG)
    except OSError as error:
        raise StartError(f"cannot listen on {path}: {(error.strerror or str(error)).lower()}") from None
    stack.callback(made.close)
    stack.callback(path.unlink, missing_ok=True)
    door = Door(parts.accounts, Origins(None, ()), local=True)
    runner = await runner_of(application(OPERATORS, parts, door), stack)
    return web.SockSite(runner, made).start


def operator_tls(settings: Settings) -> ssl.SSLContext | None:
    """TLS with certificates on both sides, if the settings name them."""
    if settings.operator_tls_certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    certificate, key = settings.operator_tls_certificate, settings.operator_tls_key
    authority = settings.operator_tls_client_ca
    for file in filter(None, (certificate, key, authority)):
        try:
            file.read_bytes()
        except OSError as error:
            raise StartError(f"cannot read {file}: {(error.strerror or str(error)).lower()}") from None
    try:
        context.load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        raise StartError(f"{certificate} and {key} are no certificate with its key: {error.reason}") from None
    try:
        context.load_verify_locations(authority)
    except ssl.SSLError as error:
        raise StartError(f"{authority} has no certificates: {error.reason}") from None
    return context


def shown(endpoint: Endpoint, port: int) -> str:
    """Host and port as somebody on this machine types them."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(endpoint.host, endpoint.host)
    return str(Endpoint(host, port))
