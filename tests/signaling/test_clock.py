"""The kernel's word on the clock, where the settings ask for it."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from licensing.alarms import Alarm
from licensing.facts import CallFacts, Role, app_leg
from licensing.reasons import Reason
from licensing.record import Ask
from signaling import clock
from signaling.clock import SystemClock, is_synchronised
from signaling.licence import Licence
from signaling.settings import Settings
from signaling.store import open_store
from tests.licensing.test_gate import phone_call

APPS = Ask("call-2", CallFacts((app_leg(Role.ORIGIN), app_leg(Role.DESTINATION))))


@pytest.mark.parametrize(("state", "sound"), [(0, True), (1, True), (5, False), (-1, False)])
def test_the_kernel_says_whether_the_clock_is_synchronised(
    monkeypatch: pytest.MonkeyPatch, state: int, sound: bool
) -> None:
    """A leap second ahead is no fault; an error, or a kernel that may not be asked, is."""
    monkeypatch.setattr(clock, "_KERNEL", SimpleNamespace(adjtimex=lambda timex: state))
    assert is_synchronised() is sound


def test_the_real_kernel_can_be_asked() -> None:
    assert is_synchronised() in (True, False)


@pytest.mark.parametrize("required", [True, False])
async def test_an_unsynchronised_clock_refuses_telephones_where_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, required: bool
) -> None:
    monkeypatch.setattr("signaling.licence.is_synchronised", lambda: False)
    store = await open_store(f"sqlite:///{tmp_path / 'wephone.db'}")
    settings = Settings(clock_require_sync=required)
    async with Licence(settings, store.journal, store.permits, SystemClock()) as licence:
        assert (Alarm.CLOCK_UNSOUND in licence.alarms.raised) is required, "also before anybody calls"
        reason = (await licence.gate.authorize(phone_call())).decision.reason
        assert reason is (Reason.DENY_CLOCK_UNSOUND if required else Reason.DENY_NO_PERMIT)
        assert (await licence.gate.authorize(APPS)).allowed
    await store.close()
