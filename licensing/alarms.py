"""What an operator must know at once, by name, raised once and cleared once."""

import logging
from enum import StrEnum

log = logging.getLogger(__name__)


class Alarm(StrEnum):
    """What is wrong. While one is raised, something is refused, late, or waits for an operator."""

    JOURNAL_FAILED = "journal_failed"
    JOURNAL_SLOW = "journal_slow"
    REGISTER_STALE = "register_stale"
    CLOCK_UNSOUND = "clock_unsound"
    GATE_FAILED = "gate_failed"
    PERMIT_FILE_REFUSED = "permit_file_refused"
    PROFILES_REFUSED = "profiles_refused"
    EVIDENCE_LOST = "evidence_lost"
    CHECKPOINT_FAILED = "checkpoint_failed"
    PROFILE_OVERDUE = "profile_overdue"
    TRUNK_DOWN = "trunk_down"
    LEG_UNCONFIRMED = "leg_unconfirmed"
    CALLS_CAPPED = "calls_capped"
    DATABASE_UNSAFE = "database_unsafe"
    EMERGENCY_OVERRIDE = "emergency_override"


class Alarms:
    """Which alarms are raised. Here they are logged; whoever wants more overrides `tell`."""

    def __init__(self) -> None:
        self._raised: dict[Alarm, str] = {}

    @property
    def raised(self) -> dict[Alarm, str]:
        """What is wrong now, with the sentence that says so."""
        return dict(self._raised)

    def sound(self, alarm: Alarm, text: str) -> None:
        """It is wrong; told once until it is cleared."""
        if alarm not in self._raised:
            self.tell(alarm, text)
        self._raised[alarm] = text

    def clear(self, alarm: Alarm) -> None:
        """It is right again."""
        if self._raised.pop(alarm, None) is not None:
            self.tell(alarm, None)

    def tell(self, alarm: Alarm, text: str | None) -> None:
        """Somebody has to know: what is wrong, or none when that is over."""
        if text is None:
            log.warning("alarm over: %s", alarm)
        else:
            log.error("alarm: %s: %s", alarm, text)
