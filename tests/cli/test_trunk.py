"""`wephone trunk`: how the carriers' lines are, and what is wrong with one, in words."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from licensing.instant import SECOND
from signaling.clock import SystemClock
from signaling.pstn.carrier import Carrier
from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.sockets import Place
from tests.cli.conftest import Commands
from tests.cli.office import Office

TRUNK = """
[trunks.carrier_a]
uri = "sip:{uri}"
username = "wephone"
register_every = 60
limits = {{ countries = ["DE"] }}
"""


@pytest.fixture
async def office(commands: Commands, tmp_path: Path) -> AsyncIterator[Office]:
    """No server runs until a test starts one."""
    office = Office(commands, tmp_path)
    office.environment |= {
        "WEPHONE_TRUNKS": str(tmp_path / "trunks.toml"),
        "WEPHONE_SIP_LISTEN": "127.0.0.1:0",
        "WEPHONE_TRUNK_CARRIER_A_PASSWORD": "correct horse battery",
    }
    yield office
    await office.close()


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    """A carrier that wants a password."""
    accounts = {"wephone": "correct horse battery"}
    carrier = Carrier(SystemClock(), accounts, peers=lambda host: True, picked_up_after=SECOND)
    yield await carrier.listen(Transport.UDP, "127.0.0.1")
    await carrier.close()


async def test_what_cannot_be_tried_is_said_in_a_sentence(office: Office) -> None:
    (office.home / "trunks.toml").write_text(TRUNK.format(uri="carrier.example"))
    done = await office.run("trunk", "test", "carrier_b")
    assert (done.code, done.err) == (1, "wephone: there is no trunk `carrier_b`: there are carrier_a\n")
    (office.home / "trunks.toml").write_text(TRUNK.format(uri="carrier.example") + "priority = 'high'\n")
    done = await office.run("trunk", "test")
    assert done.code == 1 and "trunks.toml: trunks.carrier_a.priority" in done.err
    (office.home / "trunks.toml").write_text("# none yet\n")
    done = await office.run("trunk", "test")
    said = f"{office.home / 'trunks.toml'}: there is no trunk in it: each is a table [trunks.NAME]"
    assert (done.code, done.out, done.err) == (1, "", f"wephone: {said}\n")


async def test_a_trunk_that_is_wrong_is_said_to_be(office: Office, place: Place) -> None:
    (office.home / "trunks.toml").write_text(TRUNK.format(uri=f"127.0.0.1:{place.port}"))
    done = await office.run("trunk", "test", "--json", WEPHONE_TRUNK_CARRIER_A_PASSWORD="wrong password")
    [trunk] = done.json["trunks"]
    [step] = [each for each in trunk["steps"] if each["step"] == "password"]
    said = "the carrier does not accept our name and password"
    assert (done.code, step) == (1, {"step": "password", "ok": False, "text": said})


async def test_the_trunks_of_a_server_are_listed(office: Office, place: Place) -> None:
    (office.home / "trunks.toml").write_text(TRUNK.format(uri=f"127.0.0.1:{place.port}"))
    office.environment["WEPHONE_MEDIA"] = "embedded"
    await office.serve()
    while True:
        [trunk] = (await office.does("trunk", "list"))["trunks"]
        if trunk["health"] == "up":
            break
    assert (trunk["name"], trunk["calls"], trunk["trouble"]) == ("carrier_a", 0, None)
    assert "carrier_a" in (await office.run("trunk", "list")).out
    assert await office.does("trunk", "unconfirmed") == {"legs": []}
    settled = await office.run("trunk", "settle", "leg-1", "--why", "a test")
    assert (settled.code, "no such leg waits for a carrier's word" in settled.err) == (1, True)
