"""The operator's own profiles of law: swapped while calls run, refused whole, kept for whoever asks later."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from licensing.alarms import Alarm
from licensing.lawbook import PROFILE
from signaling.evidence import explained
from signaling.filed import register_faults
from signaling.licence import Licence, NoProfileError
from signaling.settings import Settings
from signaling.store import open_store
from tests.fakes.clock import HandClock
from tests.fakes.sound import quiet_sound
from tests.signaling.residents import HOLDER, permitted, resident
from wephone.events import Ending
from wephone.testing.kit import Kit


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "law"
    folder.mkdir()
    return folder


@pytest.fixture
def wephone_settings(folder: Path) -> dict[str, Any]:
    return {"profiles": (), "legal_entity": HOLDER, "profiles_folder": folder}


def china(**changes: Any) -> dict[str, Any]:
    shipped = files("licensing").joinpath("jurisdictions", "CN.json").read_text()
    document: dict[str, Any] = json.loads(shipped)
    return document | changes


def without_apps() -> dict[str, Any]:
    """China's law, if calls between apps were prohibited."""
    document = china()
    for reach in ("domestic", "international"):
        document["services"]["app_voice"][reach] = {"kind": "prohibited"}
    return document


def lay(folder: Path, document: dict[str, Any] | str, name: str = "CN.json") -> None:
    """Move it in place, as whoever changes a law should."""
    written = folder / "written"
    written.write_text(document if isinstance(document, str) else json.dumps(document))
    written.replace(folder / name)


async def test_a_profile_that_changes_ends_a_call_that_runs_and_another_is_judged_by_it_alone(
    wephone: Kit, folder: Path
) -> None:
    wephone.start_sound = quiet_sound
    await permitted(wephone, "CN")
    await permitted(wephone, "AE")
    caller, callee = [await resident(wephone, name, "CN") for name in ("alice", "bob")]
    placed = await caller.call(callee)
    others = [await resident(wephone, name, "AE") for name in ("carol", "dave")]
    other = await others[0].call(others[1])
    licence = wephone.server.running.parts.licence
    assert licence.profiles is not None
    before = licence.law.profiles.named("CN")

    lay(folder, without_apps())
    notice = await placed.wait_for(Ending)
    assert notice.refusal.code == "DENY_SERVICE_PROHIBITED"
    assert (other.state, other.ending) == ("active", None)
    after = licence.law.profiles.named("CN")
    assert before != after
    kept = await licence.journal.about(after)
    assert [(entry.kind, json.loads(entry.body)["text"]) for entry in kept] == [
        (PROFILE, json.dumps(without_apps()))
    ]

    lay(folder, "{")  # a bad one changes nothing
    await licence.profiles.look()
    assert licence.profiles.fault is not None
    assert licence.profiles.fault.startswith(f"{folder}/CN.json: ")
    assert licence.alarms.raised == {Alarm.PROFILES_REFUSED: licence.profiles.fault}
    assert licence.law.profiles.named("CN") == after

    decision = notice.refusal.decision
    assert decision is not None
    (folder / "CN.json").unlink()  # and the shipped one judges again
    await licence.profiles.look()
    assert licence.law.profiles.named("CN") == before
    explanation = await explained(licence.journal, licence, decision)
    assert explanation.sound and explanation.again is not None, explanation.faults
    assert await register_faults(licence.journal) == ()


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "CN.json: "),
        (china(as_of="2999-01-01"), "CN.json: as_of: is in the future"),
        (china(code="MY"), "CN.json: code: has to be the file's name"),
    ],
)
async def test_a_server_does_not_begin_by_law_that_it_cannot_read(
    tmp_path: Path, folder: Path, document: dict[str, Any] | str, said: str
) -> None:
    lay(folder, document)
    store = await open_store(f"sqlite:///{tmp_path / 'wephone.db'}")
    settings = Settings(profiles_folder=folder)
    with pytest.raises(NoProfileError) as refused:
        Licence(settings, store.journal, store.permits, HandClock())
    assert str(refused.value).startswith(f"{folder}/{said}")
    await store.close()
