"""Watches the operator's own profiles of law: a change judges running calls too, a bad one nothing."""

import asyncio
import logging
from collections.abc import Callable
from datetime import date
from pathlib import Path

from licensing.alarms import Alarm, Alarms
from licensing.jurisdiction import SHIPPED, ProfileError, Profiles, beside, texts_in
from licensing.law import Law
from licensing.lawbook import unkept
from licensing.permit import local_date
from licensing.ports import Journal, JournalError
from licensing.register import Register
from signaling.errands import Errands
from signaling.ports import Clock

EVERY = 0.5  # seconds between two looks
WHO, WHY = "profiles_folder", "the operator's own profiles of law have changed"

# Of each file its name, inode, size and both times of change.
Stamp = tuple[tuple[str, int, int, int, int], ...]
Check = Callable[[Profiles], None]
log = logging.getLogger(__name__)


class ProfilesFolder:
    """Looks at one folder from `start` to `close`."""

    def __init__(
        self,
        path: Path,
        node: str,
        law: Law,
        register: Register,
        journal: Journal,
        clock: Clock,
        alarms: Alarms,
        check: Check,
    ) -> None:
        """`check` refuses profiles that do not fit the settings, by ProfileError."""
        self.path = path
        self.fault: str | None = None  # why what lies there now does not judge; it names files and paths
        self._node, self._law, self._register, self._journal = node, law, register, journal
        self._clock, self._alarms, self._check = clock, alarms, check
        self._looked_at: Stamp | None = None
        self._errands = Errands("a look at the profiles")
        self._closed = asyncio.Event()

    def start(self) -> None:
        """Look at once, and again and again."""
        self._errands.start(self._watch())

    async def close(self) -> None:
        """Look no more. What is being taken is taken."""
        self._closed.set()
        await self._errands.close()

    async def look(self) -> None:
        """Take what lies there, if it is other than at the last look."""
        stamp: Stamp | None = None
        try:
            stamp = await asyncio.to_thread(stamp_of, self.path)
            if stamp == self._looked_at:
                return
            today = local_date(self._clock.now().utc_ns, "UTC")
            profiles, own = await asyncio.to_thread(read, self.path, today)
            self._check(profiles)
            await self._take(profiles, own)
        except OSError as error:
            self._looked_at = None
            self._refuse(f"{self.path}: cannot be read: {(error.strerror or str(error)).lower()}")
        except ProfileError as error:
            self._looked_at = stamp
            self._refuse("\n".join(f"{self.path}/{fault}" for fault in error.faults))
        except JournalError as error:
            self._refuse(f"{self.path}: cannot be taken now: {error}")  # and tried again at the next look
        else:
            self._looked_at = stamp
            self._refuse(None)

    async def _take(self, profiles: Profiles, own: dict[str, str]) -> None:
        """Their bytes into the journal, then all of them into force in one step: who talks is judged anew."""
        before = self._law.profiles
        codes = self._law.judges_among(profiles)
        for draft in await unkept(self._journal, profiles, codes, self._clock.now()):
            await self._journal.append(draft)
        self._law.install(profiles)
        try:
            await self._register.decide_by(profiles, self._node, own, by=WHO, why=WHY)
        except BaseException:
            self._law.install(before)
            raise
        if before.versions != profiles.versions:
            log.warning("profiles of law have changed", extra={"path": str(self.path), "profiles": own})

    def _refuse(self, said: str | None) -> None:
        if said == self.fault:
            return
        self.fault = said
        if said is None:
            self._alarms.clear(Alarm.PROFILES_REFUSED)
        else:
            log.error("profiles of law refused", extra={"fault": said})
            self._alarms.sound(Alarm.PROFILES_REFUSED, said)

    async def _watch(self) -> None:
        """By the loop's time: the disk knows of no other."""
        while not self._closed.is_set():
            await asyncio.wait([self._errands.start(self.look())])  # one that fails is logged
            try:
                await asyncio.wait_for(self._closed.wait(), EVERY)
            except TimeoutError:
                pass


def stamp_of(path: Path) -> Stamp:
    """What lies there, told apart from any other. OSError if it cannot be read."""
    files = sorted(file for file in path.iterdir() if file.name.endswith(".json"))
    about = [(file.name, file.stat()) for file in files]
    return tuple((name, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for name, s in about)


def read(path: Path, today: date) -> tuple[Profiles, dict[str, str]]:
    """What comes with WePhone beside the operator's own, and the versions of these. ProfileError, OSError."""
    own = texts_in(path)
    profiles = beside(texts_in(SHIPPED), own, today)
    codes = sorted(name.removesuffix(".json") for name, _ in own)
    return profiles, {code: profiles.versions[code] for code in codes}
