"""The licence engine of this server: register and gate on its database, and the law it decides by."""

import difflib
import logging
from functools import partial
from types import TracebackType
from typing import Self

from licensing.alarms import Alarms
from licensing.case import BASELINE, Operator, Policy
from licensing.facts import ServiceOffer
from licensing.gate import Gate
from licensing.jurisdiction import OnLoss, ProfileError, Profiles, load_profiles
from licensing.law import Law
from licensing.numbering import read_plans
from licensing.permit import local_date
from licensing.ports import Chains, PermitStore
from licensing.register import Register
from licensing.requirement import Reading
from licensing.signing import read_public_key
from signaling.clock import is_synchronised
from signaling.expiry import DaysLeft, Expiry
from signaling.facts import Offer
from signaling.filed import register_faults
from signaling.metrics import Metrics
from signaling.permission import Permission
from signaling.permit_file import PermitFileWatch
from signaling.ports.clock import Clock
from signaling.profiles_folder import ProfilesFolder, read
from signaling.settings import DAY, Settings
from signaling.webhook import Webhook

log = logging.getLogger(__name__)


class NoProfileError(Exception):
    """A profile that the settings name is not there or cannot be read; one sentence."""


class Licence:
    """In a context: open. JournalError if register or journal cannot be read."""

    def __init__(
        self,
        settings: Settings,
        journal: Chains,
        permits: PermitStore,
        clock: Clock,
        emergency_in: tuple[str, ...] = (),
    ) -> None:
        """`emergency_in`: countries whose calls for help a trunk carries."""
        self.alarms = Alarms()
        self.journal = journal
        self._clock = clock
        read_plans(settings.homes)
        profiles = profiles_of(settings, clock)
        warn_of_homes(settings, profiles)
        operator = operator_of(settings, emergency_in)
        self.law = Law(profiles, operator, policy_of(settings, profiles), on_loss_of(settings))
        self.register = Register(permits, clock, profiles=profiles, alarms=self.alarms, doubt=self._edited)
        self.gate = Gate(
            register=self.register,
            journal=journal,
            clock=clock,
            law=self.law,
            alarms=self.alarms,
            keep=settings.keep_clear_days * DAY * 1_000_000,
            synchronised=is_synchronised if settings.clock_require_sync else None,
        )
        keys = tuple(read_public_key(key) for key in settings.permit_file_keys)
        self.file = PermitFileWatch(settings.permit_file_path, keys, self.register, self.alarms)
        self.profiles: ProfilesFolder | None = None
        if settings.profiles_folder is not None:
            self.profiles = ProfilesFolder(
                settings.profiles_folder,
                settings.node,
                self.law,
                self.register,
                journal,
                clock,
                self.alarms,
                partial(suits, settings),
            )
        self.expiry = Expiry(self.register, self.law, journal, clock, self.alarms, webhook_of(settings))
        self.permission = Permission(self.gate, offer_of(settings))

    async def __aenter__(self) -> Self:
        await self.register.open()
        try:
            await self.gate.open()
        except BaseException:
            await self.register.close()
            raise
        await self.file.look()
        self.gate.in_doubt()  # an unsound clock is an alarm now, and not at the first call
        return self

    async def _edited(self) -> str | None:
        """What of the register nobody filed, and no operator has accepted. JournalError."""
        return next((fault.said for fault in await register_faults(self.journal)), None)

    def start(self, metrics: Metrics) -> None:
        """Keep up with the permit file and the calendar, as a server does and a command does not."""
        self.file.start()
        self.expiry.start()
        if self.profiles is not None:
            self.profiles.start()
        metrics.registry.register(DaysLeft(self.register, self.law, self._clock))
        metrics.watch(
            "permit_file_refused",
            "1 while a permit file lies there that was not taken.",
            lambda: self.file.fault is not None,
        )
        metrics.watch(
            "profiles_refused",
            "1 while the folder of your own profiles of law is not what judges.",
            lambda: self.profiles is not None and self.profiles.fault is not None,
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.profiles is not None:
            await self.profiles.close()
        await self.expiry.close()
        await self.file.close()
        await self.register.close()
        await self.gate.close()


def profiles_of(settings: Settings, clock: Clock) -> Profiles:
    """The law to begin with. NoProfileError names files and paths: what law is in force is never guessed."""
    folder = settings.profiles_folder
    try:
        if folder is None:
            return load_profiles()
        return read(folder, local_date(clock.now().utc_ns, "UTC"))[0]
    except ProfileError as error:
        raise NoProfileError("\n".join(f"{folder}/{fault}" for fault in error.faults)) from None
    except OSError as error:
        raise NoProfileError(f"{folder}: cannot be read: {(error.strerror or str(error)).lower()}") from None


def suits(settings: Settings, profiles: Profiles) -> None:
    """ProfileError if a profile that the settings name is not among these."""
    try:
        policy_of(settings, profiles)
    except NoProfileError as error:
        raise ProfileError(str(error)) from None


def webhook_of(settings: Settings) -> Webhook | None:
    """Whom to tell of warnings, if anybody."""
    if settings.warning_webhook is None or settings.warning_webhook_secret is None:
        return None
    return Webhook(settings.warning_webhook, settings.warning_webhook_secret.get_secret_value())


def offer_of(settings: Settings) -> Offer:
    """What the operator states about the service, as every decision takes it."""
    to = ServiceOffer(settings.offer_to, settings.offer_charged)
    return Offer(settings.homes, to, settings.equipment_in)


def operator_of(settings: Settings, emergency_in: tuple[str, ...] = ()) -> Operator:
    """Who offers the service, as every decision takes it."""
    return Operator(
        legal_entity=settings.legal_entity,
        home=settings.homes,
        seat=settings.seat,
        emergency_route=emergency_in,
    )


def on_loss_of(settings: Settings) -> OnLoss:
    """What a running call keeps at most when its permit is lost."""
    return OnLoss(
        suspended=settings.on_loss_suspended,
        revoked=settings.on_loss_revoked,
        expired=settings.on_loss_expired,
        toggled_off=settings.on_loss_toggled_off,
    )


def warn_of_homes(settings: Settings, profiles: Profiles) -> None:
    """A home without a profile refuses every call, unless the baseline judges alone: say so once."""
    lawless = [home for home in settings.homes if profiles.profile_for(home) is None]
    if lawless and BASELINE not in settings.profiles:
        log.warning("homes without a profile: every call is refused", extra={"homes": lawless})


def policy_of(settings: Settings, profiles: Profiles) -> Policy:
    """What the operator chose. NoProfileError if a profile is named that is not among the loaded ones."""
    for name in settings.profiles:
        if name not in profiles.by_code:
            close = difflib.get_close_matches(name, profiles.by_code, n=1)
            guess = f": did you mean `{close[0]}`?" if close else f": there are {', '.join(profiles.by_code)}"
            raise NoProfileError(f"profiles: there is no profile `{name}`{guess}")
    return Policy(
        reading=Reading(settings.reading),
        profiles=settings.profiles,
        destination_only=settings.destination_only,
    )
