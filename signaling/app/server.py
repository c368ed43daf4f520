"""A server's life: it starts, drains and stops, or is opened without callers for an operator's command."""

import asyncio
import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from aiohttp import WSCloseCode

from licensing.alarms import Alarm
from licensing.ports import JournalError
from signaling.accounts import FIRST_OPERATOR, Accounts
from signaling.api.listener import ListenError
from signaling.api.visit import Parts
from signaling.app.errors import InUseError, StartError
from signaling.app.listening import listen, listen_locally
from signaling.app.telephony import Sound, begin_telephony, sound_of
from signaling.app.wiring import wired
from signaling.clock import SystemClock
from signaling.folder import DataFolder, FolderError, FolderInUseError
from signaling.licence import NoProfileError
from signaling.passwords import new_password
from signaling.ports.clock import Clock
from signaling.ports.store import StoreError
from signaling.pstn import trunk_file
from signaling.pstn.network import Network
from signaling.retention import Retention, Schedule
from signaling.settings import Settings

log = logging.getLogger(__name__)


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
