"""One number dialled by every way in: one reason, in both languages, and a decision that each explains.

Then the operator changes what may be offered, on the running server, and the next call meets it.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.cli.conftest import Commands
from tests.cli.office import BASIC, Office
from tests.cli.test_contract import fits, shapes
from tests.command import Done
from tests.signaling.device import Device

NUMBER = "+12025550123"
PASSWORD = "correct horse battery"


class Caller:
    """Somebody with an account, who dials by whichever way."""

    def __init__(self, office: Office, device: Device) -> None:
        self.office, self.device = office, device

    async def by_socket(self) -> dict[str, Any]:
        """How the call ended."""
        call = await self.device.invite(NUMBER)
        ended = await self.device.hears("ended")
        assert ended["call"] == call
        return ended

    async def by_rest(self) -> tuple[int, dict[str, Any]]:
        """Status and document."""
        headers = {"Authorization": f"Bearer {self.device.token}"}
        url = f"{self.office.ready['url']}/api/calls"
        async with self.device.http.post(url, json={"to": NUMBER}, headers=headers) as response:
            return response.status, json.loads(await response.text())

    async def by_command(self, **environment: str) -> Done:
        """The softphone's end."""
        account = ("--server", self.office.ready["url"], "--user", "alice", "--password-stdin")
        return await self.office.commands.run(
            "call", NUMBER, "--json", *account, stdin=f"{PASSWORD}\n", **environment
        )


@pytest.fixture
async def caller(commands: Commands, tmp_path: Path) -> AsyncIterator[Caller]:
    """A server without a permit, and somebody on it."""
    office = Office(commands, tmp_path)
    await office.serve()
    async with aiohttp.ClientSession() as http:
        device = await Device.of_new_account(http, office.ready["url"], "alice", PASSWORD)
        yield Caller(office, device)
        await device.close()
    await office.close()


async def test_each_way_in_refuses_with_the_same_reason_and_each_decision_explains_itself(
    caller: Caller,
) -> None:
    office = caller.office
    on_socket = await caller.by_socket()
    status, on_rest = await caller.by_rest()
    on_screen = await caller.by_command(LANG="zh_CN.UTF-8")
    assert (on_socket["reason"], status, on_screen.code) == ("refused", 451, 1)
    refusals = [on_socket["refusal"], on_rest, on_screen.json["refusal"]]
    ids = [refusal["decision"] for refusal in refusals]
    assert len(set(ids)) == 3
    for refusal in refusals:
        assert refusal["code"] == "DENY_NO_PERMIT"
        assert refusal["text"] == refusals[0]["text"]
        assert set(refusal["text"]) == {"en", "zh-CN"}
        assert refusal["permit_needed"] == "baseline:basic"
    for shown in (refusals[2]["text"]["zh-CN"], "DENY_NO_PERMIT", ids[2], "baseline:basic"):
        assert shown in on_screen.err

    for id in ids:
        told = await office.does("explain", id)
        fits(told, shapes("explain")["explain"], "explain")
        assert (told["decision"], told["sound"], told["faults"]) == (id, True, [])
        assert (told["outcome"], told["reason"]) == ("deny", "DENY_NO_PERMIT")
        assert told["text"] == refusals[0]["text"]
        assert told["again"]["reason"] == "DENY_NO_PERMIT"
        people = {person["role"]: person["value"] for person in told["people"]}
        assert (people["caller"], people["destination"]) == ("alice", NUMBER)
        assert told["rule"]["domestic"]["any_of"] == [["baseline:basic"]]
        [(kind, body)] = office.rows("SELECT kind, body FROM v_audit WHERE subject = ?", id)
        assert kind == "decision"
        assert NUMBER not in body and "alice" not in body
        assert json.loads(body) == told["entry"]
    on_paper = (await office.run("explain", ids[0].lower())).out
    assert "DENY_NO_PERMIT" in on_paper
    assert "rule           domestic: a permit of baseline:basic\n" in on_paper


async def test_what_the_operator_changes_the_next_call_meets(caller: Caller) -> None:
    office = caller.office
    filed = await office.files(BASIC)
    assert (filed["permit"]["version"], filed["standing"]) == (1, "in_force")
    ended = await caller.by_socket()
    assert (ended["reason"], ended.get("refusal")) == ("no_route", None)
    status, problem = await caller.by_rest()
    assert (status, problem["code"]) == (409, "no_device")  # allowed, and there is none that places it
    assert (await caller.by_command()).json["ended"] == "no_route"
    [(allowed,)] = office.rows(
        "SELECT subject FROM v_audit WHERE kind = 'decision' ORDER BY seq DESC LIMIT 1"
    )
    told = await office.does("explain", allowed)
    assert (told["reason"], told["sound"]) == ("OK_PERMIT_COVERS", True)
    assert [(permit["id"], permit["version"]) for permit in told["permits"]] == [("basic-1", 1)]

    async def reason() -> str:
        refusal = (await caller.by_socket())["refusal"]
        assert (await caller.by_rest())[1]["code"] == refusal["code"]
        return str(refusal["code"])

    await office.does("permit", "toggle", "pstn_out", "off")
    assert await reason() == "DENY_SERVICE_DISABLED"
    await office.does("permit", "toggle", "pstn_out", "on")
    assert (await caller.by_socket())["reason"] == "no_route"

    vera = await office.second_operator()
    await office.does("pstn", "off")
    assert await reason() == "DENY_TELEPHONE_SWITCHED_OFF"
    assert (await office.does("pstn", "on"))["waiting"]["by"] == "operator"
    assert await reason() == "DENY_TELEPHONE_SWITCHED_OFF"
    await office.does("pstn", "on", "--as", vera)
    assert (await caller.by_socket())["reason"] == "no_route"

    await office.does("permit", "suspend", "basic-1", "--why", "order of the regulator")
    assert await reason() == "DENY_PERMIT_SUSPENDED"
    await office.does("permit", "revoke", "basic-1")
    assert await reason() == "DENY_PERMIT_REVOKED"
    told = await office.does("explain", allowed)  # as it was then, whatever has become of the permit
    assert (told["reason"], told["sound"]) == ("OK_PERMIT_COVERS", True)
    assert (await office.does("audit", "verify"))["ok"] is True
