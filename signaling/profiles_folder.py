"""The operator's own profiles of law, watched: a change judges running calls too, a bad one nothing."""

import asyncio
import logging
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

from licensing.alarms import Alarm, Alarms
from licensing.jurisdiction import SHIPPED, ProfileError, Profiles, beside, texts_in
from licensing.law import Law
from licensing.lawbook import unkept
from licensing.permit import local_date
from licensing.ports import Journal, JournalError
from licensing.register import Register
from signaling.ports.clock import Clock
from signaling.watch import Stamp, Watch, stamp_of, unreadable

WHO, WHY = "profiles_folder", "the operator's own profiles of law have changed"

Lying = tuple[tuple[str, Stamp], ...]  # the files of a folder, by their names
Check = Callable[[Profiles], None]
log = logging.getLogger(__name__)


class ProfilesFolder(Watch):
    """See above."""

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
        super().__init__(path, "profiles of law", Alarm.PROFILES_REFUSED, alarms)
        self._node, self._law, self._register, self._journal = node, law, register, journal
        self._clock, self._check = clock, check
        self._looked_at: Lying | None = None

    async def read(self) -> str | None:
        """Take what lies there, all of it or nothing."""
        try:
            lying = await asyncio.to_thread(files_in, self.path)
            if lying == self._looked_at:
                return self.fault
            fault = await self._judge()
        except OSError as error:
            self._looked_at = None
            return unreadable(self.path, error)
        except JournalError as error:  # and tried again at the next look
            return f"{self.path}: cannot be taken now: {error}"
        self._looked_at = lying
        return fault

    async def _judge(self) -> str | None:
        """Why they may not judge; else they do. OSError, JournalError."""
        today = local_date(self._clock.now().utc_ns, "UTC")
        try:
            profiles, own = await asyncio.to_thread(read, self.path, today)
            self._check(profiles)
        except ProfileError as error:
            return "\n".join(f"{self.path}/{fault}" for fault in error.faults)
        await self._take(profiles, own)
        return None

    async def _take(self, profiles: Profiles, own: dict[str, str]) -> None:
        """Their bytes into the journal, then all of them into force in one step: who talks is judged anew."""
        before = self._law.profiles.versions
        codes = self._law.judges_among(profiles)
        for draft in await unkept(self._journal, profiles, codes, self._clock.now()):
            await self._journal.append(draft)
        await self._register.decide_by(
            profiles,
            self._node,
            own,
            partial(self._law.install, profiles),
            anew=before != profiles.versions,
            by=WHO,
            why=WHY,
        )
        if before != profiles.versions:
            log.warning("profiles of law have changed", extra={"path": str(self.path), "profiles": own})


def files_in(path: Path) -> Lying:
    """What lies there, told apart from any other. OSError if it cannot be read."""
    files = sorted(file for file in path.iterdir() if file.name.endswith(".json"))
    return tuple((file.name, stamp_of(file.stat())) for file in files)


def read(path: Path, today: date) -> tuple[Profiles, dict[str, str]]:
    """What comes with WePhone beside the operator's own, and the versions of these. ProfileError, OSError."""
    own = texts_in(path)
    profiles = beside(texts_in(SHIPPED), own, today)
    codes = sorted(name.removesuffix(".json") for name, _ in own)
    return profiles, {code: profiles.versions[code] for code in codes}
